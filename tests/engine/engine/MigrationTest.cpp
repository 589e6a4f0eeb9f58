// Whole migrations between real servers while an application writes.

#include "engine/engine/MigrationSupport.h"

#include <QJsonDocument>

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
WorkloadOptions liveWrites()
{
    WorkloadOptions options;
    options.connections = 4;
    options.rate = 150;
    options.longTransaction = 2s;
    return options;
}
} // namespace

class MigrationTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void movesALiveDatabaseThereAndBack_data()
    {
        QTest::addColumn<int>("product");
        QTest::addColumn<QStringList>("settings");
        QTest::newRow("MariaDB") << static_cast<int>(Product::MariaDb) << QStringList();
        QTest::newRow("MySQL") << static_cast<int>(Product::MySql) << QStringList();
        QTest::newRow("MySQL, native foreign keys")
            << static_cast<int>(Product::MySql)
            << QStringList{QStringLiteral("--innodb-native-foreign-keys=ON")};
    }

    void movesALiveDatabaseThereAndBack()
    {
        QFETCH(const int, product);
        QFETCH(const QStringList, settings);
        ServerOptions options;
        options.product = static_cast<Product>(product);
        options.settings = settings;
        Pair pair(options, options);
        const WorkloadOptions writes = liveWrites();
        Workload::createSchema(pair.source, writes);
        Workload::createAccount(pair.target, writes);
        Workload writer({Workload::address(pair.source), Workload::address(pair.target)}, writes);
        writer.start();
        QVERIFY(writer.waitForCommits(200, 60s));

        const auto migration = pair.open();
        const auto bothSidesEqual = [&](Goal goal) {
            writer.stop();
            CW_VERIFY(runTo(*migration, goal)); // catches up with the last writes
            const QStringList differences =
                compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly());
            QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        };
        const auto nothingLostOn = [&](TestServer &leader) {
            const auto lost = writer.lostOn(leader);
            QVERIFY2(lost.empty(), lost.empty() ? "" : lost.front().c_str());
        };

        CW_VERIFY(runTo(*migration, Goal::Replica));
        QVERIFY(migration->snapshot()->phase == Phase::Replica);
        const Outcome verified = carryOut(*migration, command::Verify{});
        QVERIFY2(verified.status.has_value(), describe(verified).constData());
        QVERIFY(verified.verify->equal());
        bothSidesEqual(Goal::Replica);
        nothingLostOn(pair.source);

        writer.start();
        QVERIFY(writer.waitForCommits(100, 60s));
        writer.resetGap();
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QVERIFY(writer.waitForCommitsOn(1, 100, 60s));
        qInfo("write pause by the engine %.3f s, longest gap seen by the writer %lld ms",
              migration->snapshot()->writePauseSeconds,
              static_cast<long long>(writer.longestGap().count()));
        bothSidesEqual(Goal::Primary);
        nothingLostOn(pair.target);

        writer.start();
        QVERIFY(writer.waitForCommits(100, 60s));
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QVERIFY(writer.waitForCommits(100, 60s));
        bothSidesEqual(Goal::Replica);
        nothingLostOn(pair.source);

        writer.start();
        QVERIFY(writer.waitForCommits(100, 60s));
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QVERIFY(writer.waitForCommits(100, 60s));
        bothSidesEqual(Goal::Primary);
        nothingLostOn(pair.target);
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        QVERIFY(migration->snapshot()->phase == Phase::Finished);
        for (TestServer *server : {&pair.source, &pair.target}) {
            QCOMPARE(
                server->scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata "
                                              "WHERE schema_name='_causeway'")),
                QStringLiteral("0"));
            QCOMPARE(server->scalar(QStringLiteral("SELECT @@global.read_only")),
                     QStringLiteral("0"));
        }
    }

    void movesOnceWithoutABinlog()
    {
        ServerOptions options;
        options.binlog = false;
        Pair pair(options, options);
        Workload::createSchema(pair.source);
        pair.settings.mode = Mode::Once;
        pair.settings.throttleBytesPerSecond = 100'000;
        const auto migration = pair.open();
        {
            // Applications that try both hosts meanwhile find neither of them open.
            std::atomic<bool> ended = false;
            Status copied;
            std::jthread copying([&] {
                copied = runTo(*migration, Goal::Copied);
                ended = true;
            });
            const auto hasRows = [&] {
                return pair.target.scalar(
                           QStringLiteral("SELECT COUNT(*) FROM information_schema.tables WHERE "
                                          "table_schema='_causeway' AND table_name='fact'")) ==
                           QLatin1String("1") &&
                       pair.target.scalar(QStringLiteral("SELECT COUNT(*) FROM _causeway.chunk")) !=
                           QLatin1String("0");
            };
            QTRY_VERIFY_WITH_TIMEOUT(ended || hasRows(), 30'000);
            QVERIFY(!ended);
            QCOMPARE(pair.target.scalar(QStringLiteral("SELECT @@global.read_only")),
                     QStringLiteral("1"));
            copying.join();
            CW_VERIFY(copied);
        }
        CW_VERIFY(runTo(*migration, Goal::Primary));
        const QStringList differences =
            compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly());
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        // The source stays closed, the target is open.
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("0"));
        QCOMPARE(pair.source.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("1"));
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        QCOMPARE(pair.source.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("0"));
    }

    void cancelLeavesBothServersAsFound()
    {
        Pair pair({}, {});
        Workload::createSchema(pair.source);
        pair.source.exec(QStringLiteral(
            "CREATE EVENT shop.tick ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.scratch WHERE 0"));
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
            const Outcome cancelled = carryOut(*migration, command::Cancel{true});
            QVERIFY2(cancelled.status.has_value(), describe(cancelled).constData());
        }
        QCOMPARE(
            pair.target.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata "
                                              "WHERE schema_name IN ('shop','_causeway')")),
            QStringLiteral("0"));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("0"));
        QCOMPARE(pair.source.scalar(QStringLiteral(
                     "SELECT status FROM information_schema.events WHERE event_name='tick'")),
                 QStringLiteral("ENABLED"));
        QCOMPARE(
            pair.source.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata "
                                              "WHERE schema_name='_causeway'")),
            QStringLiteral("0"));
    }

    void triggersAndEventsFollowTheLeader()
    {
        Pair pair({}, {});
        pair.source.exec(QStringLiteral(
            "CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY KEY, n INT); CREATE TABLE "
            "shop.log (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20)); INSERT INTO shop.a "
            "VALUES (1, 1)"));
        pair.source.exec(QStringLiteral("CREATE TRIGGER shop.a_ins AFTER INSERT ON shop.a FOR EACH "
                                        "ROW INSERT INTO shop.log (what) VALUES ('ins')"));
        pair.source.exec(QStringLiteral(
            "CREATE EVENT shop.tick ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.log WHERE 0"));
        const auto triggers = [](TestServer &server) { // but those that close a follower
            return server
                .scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.triggers WHERE "
                                       "trigger_schema='shop' AND trigger_name NOT LIKE "
                                       "'causeway_sealed%'"))
                .toInt();
        };
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QCOMPARE(triggers(pair.target), 0);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(triggers(pair.target), 1);
        QCOMPARE(triggers(pair.source), 0);
        QCOMPARE(pair.target.scalar(QStringLiteral(
                     "SELECT status FROM information_schema.events WHERE event_schema='shop'")),
                 QStringLiteral("ENABLED"));
        // Fires once on the leader, and its effect comes by the log: not twice on the follower.
        pair.target.exec(QStringLiteral("INSERT INTO shop.a VALUES (2, 2)"));
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(pair.source.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.log")),
                 QStringLiteral("1"));
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QCOMPARE(triggers(pair.source), 1);
        QCOMPARE(triggers(pair.target), 0);
        QCOMPARE(pair.source.scalar(QStringLiteral(
                     "SELECT status FROM information_schema.events WHERE event_schema='shop'")),
                 QStringLiteral("ENABLED"));
    }

    void verifyFindsAndRepairsAForeignWrite()
    {
        Pair pair({}, {});
        pair.source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY "
                                        "KEY, n VARCHAR(20)); INSERT INTO shop.a SELECT seq, "
                                        "CONCAT('row ', seq) FROM mysql.seq_1_to_1000"));
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        pair.target.exec(
            QStringLiteral("UPDATE shop.a SET n='Row 7' WHERE id=7; DELETE FROM shop.a "
                           "WHERE id=8; INSERT INTO shop.a VALUES (5000, 'extra')"));
        Outcome found = carryOut(*migration, command::Verify{});
        QVERIFY2(found.status.has_value(), describe(found).constData());
        QVERIFY(!found.verify->equal());
        QCOMPARE(found.verify->tables.front().differing, 1);
        QCOMPARE(found.verify->tables.front().missing, 1);
        QCOMPARE(found.verify->tables.front().extra, 1);
        Outcome repaired = carryOut(*migration, command::Verify{true});
        QVERIFY2(repaired.status.has_value(), describe(repaired).constData());
        QVERIFY2(repaired.verify->equal(),
                 QJsonDocument(repaired.verify->toJson()).toJson().constData());
        QCOMPARE(repaired.verify->tables.front().repaired, 3);
        const QStringList differences =
            compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly());
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
    }

    void schemaChangeStopsAndIsAppliedOnDemand()
    {
        Pair pair({}, {});
        pair.source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY "
                                        "KEY); INSERT INTO shop.a VALUES (1)"));
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        pair.source.exec(QStringLiteral("ALTER TABLE shop.a ADD COLUMN note VARCHAR(10)"));
        pair.source.exec(QStringLiteral("INSERT INTO shop.a VALUES (2, 'new')"));
        const Status stopped = runTo(*migration, Goal::Replica);
        QVERIFY(!stopped);
        QCOMPARE(stopped.error().id, QStringLiteral("ddl"));
        QCOMPARE(stopped.error().exitStatus(), 1);
        QVERIFY(migration->snapshot()->decision.has_value());
        const Outcome answered =
            carryOut(*migration, command::Answer{QStringLiteral("ddl"), QStringLiteral("apply")});
        QVERIFY(answered.status.has_value());
        CW_VERIFY(runTo(*migration, Goal::Replica));
        const QStringList differences =
            compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly());
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
    }

    void schemaChangeCanBeRecopied()
    {
        Pair pair({}, {});
        pair.settings.onDdl = QStringLiteral("recopy");
        pair.source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY "
                                        "KEY); INSERT INTO shop.a VALUES (1)"));
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        pair.source.exec(QStringLiteral("ALTER TABLE shop.a ADD COLUMN note VARCHAR(10)"));
        pair.source.exec(QStringLiteral("INSERT INTO shop.a VALUES (2, 'new')"));
        CW_VERIFY(runTo(*migration, Goal::Replica));
        const QStringList differences =
            compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly());
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
    }

    void aBlockedCheckStopsBeforeAnythingIsWritten()
    {
        ServerOptions statements;
        statements.settings << QStringLiteral("--binlog-format=STATEMENT");
        Pair pair(statements, {});
        pair.source.exec(
            QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY KEY)"));
        const auto migration = pair.open();
        const Status blocked = runTo(*migration, Goal::Replica);
        QVERIFY(!blocked);
        QCOMPARE(blocked.error().id, QStringLiteral("preflight-blocked"));
        QVERIFY(blocked.error().object.contains(QLatin1String("mysql-binlog-format")));
        QCOMPARE(blocked.error().exitStatus(), 1);
        QCOMPARE(
            pair.target.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata "
                                              "WHERE schema_name IN ('shop','_causeway')")),
            QStringLiteral("0"));
    }
};

QTEST_GUILESS_MAIN(MigrationTest)
#include "MigrationTest.moc"
