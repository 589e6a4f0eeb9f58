// The switch compares every row that changed since the last comparison, also those that an earlier
// process, an earlier attempt, or a replication before a pause has carried over.

#include "engine/engine/CliSupport.h"

using namespace causeway;
using namespace causeway::test;

namespace {
void makeSource(TestServer &source)
{
    source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY KEY, n "
                               "VARCHAR(20)); INSERT INTO shop.a SELECT seq, 'x' FROM "
                               "mysql.seq_1_to_100"));
}

/// Children that go with their parents, which MariaDB's log does not show.
void addFamily(TestServer &source)
{
    source.exec(QStringLiteral(
        "CREATE TABLE shop.parent (id INT PRIMARY KEY); "
        "CREATE TABLE shop.child (id INT PRIMARY KEY, parent_id INT, "
        "CONSTRAINT c FOREIGN KEY (parent_id) REFERENCES shop.parent (id) ON DELETE CASCADE); "
        "CREATE TABLE shop.grandchild (id INT PRIMARY KEY, child_id INT, "
        "CONSTRAINT g FOREIGN KEY (child_id) REFERENCES shop.child (id) ON DELETE SET NULL); "
        "INSERT INTO shop.parent VALUES (1), (2); INSERT INTO shop.child VALUES (10, 1), (20, 2); "
        "INSERT INTO shop.grandchild VALUES (100, 10), (200, 20)"));
}

/// Wrong on the follower, without a trace in its log.
void damage(TestServer &follower)
{
    follower.exec(QStringLiteral("SET SESSION sql_log_bin=0; UPDATE shop.a SET n='wrong' "
                                 "WHERE id=7"));
}
} // namespace

class ComparisonGapTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void changesSeenByAnEarlierProcessAreComparedAtTheSwitch()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
            const Outcome verified = carryOut(*migration, command::Verify{});
            QVERIFY2(verified.status.has_value(), describe(verified).constData());
            pair.source.exec(QStringLiteral("UPDATE shop.a SET n='new' WHERE id=7"));
            CW_VERIFY(runTo(*migration, Goal::Replica));
        }
        damage(pair.target);
        const auto migration = pair.open();
        for (int attempt = 1; attempt <= 2; ++attempt) {
            const Status refused = runTo(*migration, Goal::Primary);
            QVERIFY2(!refused, "the switch went through with a row that differs");
            QCOMPARE(refused.error().id, QStringLiteral("sides-differ"));
            QCOMPARE(refused.error().exitStatus(), 1);
            QCOMPARE(pair.source.scalar(QStringLiteral("SELECT @@global.read_only")),
                     QStringLiteral("0"));
        }
        const Outcome repaired = carryOut(*migration, command::Verify{true});
        QVERIFY2(repaired.status.has_value(), describe(repaired).constData());
        CW_VERIFY(runTo(*migration, Goal::Primary));
    }

    void changesBeforeAPauseAreComparedOnTheWayBack()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Primary));
        pair.target.exec(QStringLiteral("UPDATE shop.a SET n='new' WHERE id=7"));
        CW_VERIFY(runTo(*migration, Goal::Primary));
        (void)carryOut(*migration, command::Pause{});
        damage(pair.source);
        for (int attempt = 1; attempt <= 2; ++attempt) {
            const Status refused = runTo(*migration, Goal::Replica);
            QVERIFY2(!refused, "the switch went through with a row that differs");
            QCOMPARE(refused.error().id, QStringLiteral("sides-differ"));
        }
    }

    void aCleanComparisonOfAnotherProcessIsNotRepeated()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        const auto lastComparison = [&pair] {
            const auto journal = Journal::open(pair.file, Journal::Access::Read);
            return (*journal)->value(QStringLiteral("verify")).value().value_or(QString());
        };
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
            const Outcome verified = carryOut(*migration, command::Verify{});
            QVERIFY2(verified.status.has_value(), describe(verified).constData());
            pair.source.exec(QStringLiteral("UPDATE shop.a SET n='new' WHERE id=8"));
            CW_VERIFY(runTo(*migration, Goal::Replica));
        }
        const QString before = lastComparison();
        QVERIFY(!before.isEmpty());
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Primary));
        }
        QCOMPARE(lastComparison(), before);
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT n FROM shop.a WHERE id=8")),
                 QStringLiteral("new"));
    }

    // Rows that the start reads anew run ahead of the log: when the log brings the end of a chain
    // of actions, the row in its middle is gone already. What hangs on it must not be left behind.
    void aChainOfActionsIsCompleteWhenARunEnds()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        pair.source.exec(QStringLiteral(
            "CREATE TABLE shop.p (k VARCHAR(9), g INT, PRIMARY KEY (k, g)); "
            "CREATE TABLE shop.f (id INT AUTO_INCREMENT PRIMARY KEY, k VARCHAR(9), g INT, s INT, "
            "UNIQUE KEY u (k, g, s), FOREIGN KEY (k, g) REFERENCES shop.p (k, g) ON DELETE CASCADE "
            "ON UPDATE CASCADE); "
            "CREATE TABLE shop.d (a INT, n INT, k2 VARCHAR(9), g2 INT, s2 INT, PRIMARY KEY (a, n), "
            "FOREIGN KEY (k2, g2, s2) REFERENCES shop.f (k, g, s) ON DELETE CASCADE ON UPDATE "
            "CASCADE); "
            "CREATE TABLE shop.l (u INT PRIMARY KEY, a INT, n INT, FOREIGN KEY (a, n) REFERENCES "
            "shop.d (a, n) ON DELETE SET NULL ON UPDATE CASCADE); "
            "INSERT INTO shop.p VALUES ('m', 1); INSERT INTO shop.f (k, g, s) VALUES ('m', 1, 1); "
            "INSERT INTO shop.d VALUES (1, 1, 'm', 1, 1)"));
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
        }
        pair.source.exec(QStringLiteral(
            "UPDATE shop.p SET g=2 WHERE k='m'; INSERT INTO shop.l VALUES (1, 1, 1); "
            "DELETE FROM shop.p WHERE k='m'"));
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
        }
        const QString left = QStringLiteral("SELECT CONCAT(COALESCE(a, 'none'), ' ', (SELECT "
                                            "COUNT(*) FROM shop.d)) FROM shop.l");
        QCOMPARE(pair.source.scalar(left), QStringLiteral("none 0"));
        QCOMPARE(pair.target.scalar(left), QStringLiteral("none 0"));
    }

    // A child that the follower believes to be another parent's is deleted there with it. No event
    // names it: what a cascade touched is compared like what the log named.
    void rowsThatCascadesTouchAreCompared_data()
    {
        QTest::addColumn<bool>("anotherProcess");
        QTest::newRow("seen by this process") << false;
        QTest::newRow("seen by an earlier process") << true;
    }
    void rowsThatCascadesTouchAreCompared()
    {
        QFETCH(const bool, anotherProcess);
        Pair pair({}, {});
        makeSource(pair.source);
        addFamily(pair.source);
        auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        const Outcome verified = carryOut(*migration, command::Verify{});
        QVERIFY2(verified.status.has_value(), describe(verified).constData());
        pair.target.exec(QStringLiteral("SET SESSION sql_log_bin=0; SET SESSION "
                                        "foreign_key_checks=0; UPDATE shop.child SET parent_id=1 "
                                        "WHERE id=20"));
        pair.source.exec(QStringLiteral("DELETE FROM shop.parent WHERE id=1"));
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QTRY_COMPARE_WITH_TIMEOUT(
            pair.target.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.child")),
            QStringLiteral("0"), 30'000);
        if (anotherProcess) {
            migration.reset();
            migration = pair.open();
        }
        const Status refused = runTo(*migration, Goal::Primary);
        QVERIFY2(!refused, "the switch went through with a row that differs");
        QCOMPARE(refused.error().id, QStringLiteral("sides-differ"));
        QVERIFY2(refused.error().object.contains(QLatin1String("shop.child")),
                 qPrintable(refused.error().object));
        const Outcome repaired = carryOut(*migration, command::Verify{true});
        QVERIFY2(repaired.status.has_value(), describe(repaired).constData());
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(pair.target.scalar(
                     QStringLiteral("SELECT CONCAT_WS(',', child_id, (SELECT GROUP_CONCAT(id) FROM "
                                    "shop.child)) FROM shop.grandchild WHERE id=200")),
                 QStringLiteral("20,20"));
    }

    // What an earlier process knew of them is in the file, so that not all children have to be
    // compared: seen by a row that is wrong and that nothing touched. Killed, it leaves nothing.
    void keysOfACleanEndSpareTheComparisonOfWholeTables_data()
    {
        QTest::addColumn<bool>("killed");
        QTest::newRow("ended cleanly") << false;
        QTest::newRow("killed") << true;
    }
    void keysOfACleanEndSpareTheComparisonOfWholeTables()
    {
        QFETCH(const bool, killed);
        Pair pair({}, {});
        makeSource(pair.source);
        addFamily(pair.source);
        makeFile(pair);
        CW_EXITS(cli(runArguments(pair, "replica")), 0);
        CW_EXITS(cli({QStringLiteral("verify"), pair.file}), 0);
        pair.target.exec(QStringLiteral("SET SESSION sql_log_bin=0; SET SESSION "
                                        "foreign_key_checks=0; UPDATE shop.grandchild SET "
                                        "child_id=NULL WHERE id=200"));
        {
            CliProcess follower(runArguments(pair, "replica", {QStringLiteral("--follow")}));
            pair.source.exec(QStringLiteral("DELETE FROM shop.parent WHERE id=1"));
            QTRY_COMPARE_WITH_TIMEOUT(
                pair.target.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.child")),
                QStringLiteral("1"), 60'000);
            follower.signal(killed ? SIGKILL : SIGINT);
            const Ended ended = follower.wait();
            QVERIFY2(ended.killed == killed, ended.tail().constData());
        }
        const Ended switched = cli(runArguments(pair, "primary", {QStringLiteral("--json")}));
        QVERIFY2(switched.status == (killed ? 1 : 0), switched.tail().constData());
        if (killed)
            QCOMPARE(switched.errorId(), QStringLiteral("sides-differ"));
    }
};

QTEST_GUILESS_MAIN(ComparisonGapTest)
#include "ComparisonGapTest.moc"
