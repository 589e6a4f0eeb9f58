// Views, routines, triggers and events that change on the leader while the other side follows: no
// row event carries them, and none may be forgotten without a word.

#include "engine/engine/MigrationSupport.h"

using namespace causeway;
using namespace causeway::test;

namespace {
void makeSource(TestServer &source)
{
    source.exec(QStringLiteral(
        "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY, v INT); "
        "CREATE TABLE shop.log (id INT AUTO_INCREMENT PRIMARY KEY, txt VARCHAR(50)); "
        "CREATE VIEW shop.v AS SELECT id FROM shop.t; "
        "CREATE TRIGGER shop.tg AFTER INSERT ON shop.t FOR EACH ROW INSERT INTO shop.log (txt) "
        "VALUES (CONCAT('t', NEW.id)); INSERT INTO shop.t VALUES (1, 1)"));
}

QString triggersOf(TestServer &server)
{
    return server.scalar(QStringLiteral(
        "SELECT GROUP_CONCAT(trigger_name ORDER BY trigger_name) FROM information_schema.triggers "
        "WHERE trigger_schema='shop' AND trigger_name NOT LIKE 'causeway%'"));
}
} // namespace

class ObjectDriftTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void viewsAndRoutinesAreNamedBeforeWritesAreHeld()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        pair.source.exec(QStringLiteral("CREATE VIEW shop.v2 AS SELECT v FROM shop.t; DROP VIEW "
                                        "shop.v; CREATE PROCEDURE shop.pp() SELECT 1"));
        const Status refused = runTo(*migration, Goal::Primary);
        QVERIFY2(!refused, "the switch passed over objects that the target does not have");
        QCOMPARE(refused.error().id, QStringLiteral("changed-objects"));
        QCOMPARE(refused.error().exitStatus(), 1);
        QCOMPARE(refused.error().object,
                 QStringLiteral("procedure shop.pp (new), view shop.v (dropped), view shop.v2 "
                                "(new)"));
        QCOMPARE(pair.source.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("0"));
        pair.source.exec(QStringLiteral("CREATE VIEW shop.v AS SELECT id FROM shop.t; DROP VIEW "
                                        "shop.v2; DROP PROCEDURE shop.pp"));
        CW_VERIFY(runTo(*migration, Goal::Primary));
    }

    void whatTheNewLeaderGotIsNamedBeforeTheWayBack()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        pair.source.exec(QStringLiteral("CREATE EVENT shop.tick ON SCHEDULE EVERY 1 DAY DO DELETE "
                                        "FROM shop.log"));
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(triggersOf(pair.target), QStringLiteral("tg"));
        pair.target.exec(QStringLiteral(
            "CREATE TRIGGER shop.tg2 BEFORE INSERT ON shop.t FOR EACH ROW "
            "SET NEW.v=1000; CREATE EVENT shop.e2 ON SCHEDULE EVERY 1 HOUR DO DELETE FROM "
            "shop.log"));
        const Status refused = runTo(*migration, Goal::Replica);
        QVERIFY2(!refused, "the way back passed over triggers of the new leader");
        QCOMPARE(refused.error().object,
                 QStringLiteral("event shop.e2 (new), trigger shop.tg2 (new)"));
        pair.target.exec(QStringLiteral(
            "DROP TRIGGER shop.tg2; DROP EVENT shop.e2; ALTER EVENT shop.tick DISABLE"));
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QCOMPARE(triggersOf(pair.source), QStringLiteral("tg"));
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(triggersOf(pair.target), QStringLiteral("tg"));
    }

    // One process copies, follows and switches, as the wizard does.
    void triggersMadeWhileItFollowsGoWithTheFirstSwitch()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        pair.source.exec(QStringLiteral("CREATE TRIGGER shop.late BEFORE UPDATE ON shop.t FOR EACH "
                                        "ROW SET NEW.v=NEW.v+1"));
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(triggersOf(pair.target), QStringLiteral("late,tg"));
    }

    // Its values go with the switch, which needs it to be there.
    void aNewSequenceIsMadeWhereItIsAccepted()
    {
        ServerOptions mariaDb;
        mariaDb.product = Product::MariaDb;
        Pair pair(mariaDb, mariaDb);
        makeSource(pair.source);
        pair.settings.accepted << QStringLiteral("changed-objects");
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
        }
        const auto next = [](TestServer &server, const char *name) {
            return server.scalar(QStringLiteral("SELECT NEXTVAL(shop.%1)").arg(QLatin1String(name)))
                .toInt();
        };
        pair.source.exec(QStringLiteral("CREATE SEQUENCE shop.s START 500 NOCACHE"));
        QCOMPARE(next(pair.source, "s"), 500);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QVERIFY(next(pair.target, "s") > 500);
        // And one of the new leader's on the way back.
        pair.target.exec(QStringLiteral("CREATE SEQUENCE shop.s2 START 900 NOCACHE"));
        QCOMPARE(next(pair.target, "s2"), 900);
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QVERIFY(next(pair.source, "s2") > 900);
        QVERIFY(next(pair.source, "s") > 501);
    }

    void oneMayGoOnWithoutThem()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
        }
        pair.source.exec(QStringLiteral("CREATE VIEW shop.v2 AS SELECT v FROM shop.t"));
        {
            const auto journal = Journal::open(pair.file, Journal::Access::Own);
            Settings settings = (*journal)->settings().value();
            settings.accepted << QStringLiteral("changed-objects");
            QVERIFY((*journal)->setSettings(settings).has_value());
        }
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Primary));
    }
};

QTEST_GUILESS_MAIN(ObjectDriftTest)
#include "ObjectDriftTest.moc"
