// Rows and changes are read from a replica, while applications write to its primary: that is what
// is closed, and what the target follows back to.

#include "engine/Engine.h"
#include "engine/engine/MigrationSupport.h"

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {

ServerOptions server(int product, bool gtid)
{
    ServerOptions options;
    options.product = static_cast<Product>(product);
    options.gtid = gtid;
    return options;
}

ServerOptions replica(int product, bool gtid, const QStringList &more = {})
{
    ServerOptions options = server(product, gtid);
    const bool mariaDb = options.product == Product::MariaDb;
    options.settings << QStringLiteral("--read-only=1")
                     << (mariaDb ? QStringLiteral("--log-slave-updates=1")
                                 : QStringLiteral("--log-replica-updates=1"))
                     << more;
    return options;
}

void replicate(TestServer &from, TestServer &to, bool gtid)
{
    if (to.product() == Product::MariaDb) {
        to.exec(QStringLiteral("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%1, "
                               "MASTER_USER='root', MASTER_PASSWORD='root-secret', "
                               "MASTER_USE_GTID=slave_pos; START SLAVE")
                    .arg(from.port()));
        return;
    }
    QString where = QStringLiteral("SOURCE_AUTO_POSITION=1");
    if (!gtid) {
        const auto logs = from.query(QStringLiteral("SHOW BINARY LOGS"));
        where = QStringLiteral("SOURCE_LOG_FILE='%1', SOURCE_LOG_POS=4")
                    .arg(QString::fromStdString(*logs.front().front()));
    }
    to.exec(QStringLiteral("CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=%1, "
                           "SOURCE_USER='root', SOURCE_PASSWORD='root-secret', "
                           "GET_SOURCE_PUBLIC_KEY=1, %2; START REPLICA")
                .arg(QString::number(from.port()), where));
}

/// A primary with a replica, and the target; reads from the replica.
struct Trio {
    Pair pair;
    TestServer follower;

    Trio(int product, bool gtid, const QStringList &replicaSettings = {})
        : pair(server(product, gtid), server(product, gtid)),
          follower(replica(product, gtid, replicaSettings))
    {
        replicate(pair.source, follower, gtid);
        pair.settings.source.writer = pair.settings.source.fromHere;
        pair.settings.source.fromHere = follower.address(
            QStringLiteral("mover"), QStringLiteral("mover-secret"), QStringLiteral("shop"));
    }

    /// What a check says under this id of the replica.
    Finding finding(const char *id)
    {
        CheckOptions options;
        options.selection = pair.settings.selection;
        const auto report =
            runPreflight(pair.settings.source, pair.settings.target, options, {}, {});
        if (!report)
            qFatal("%s", qPrintable(report.error().describe()));
        for (const Finding &f : report->findings) {
            if (f.id == QLatin1String(id) && f.server == pair.settings.source.fromHere.display())
                return f;
        }
        return {};
    }

    /// The one of the schema has arrived at the replica.
    bool hasTheTable()
    {
        return holds(QStringLiteral("SELECT COUNT(*) FROM information_schema.tables WHERE "
                                    "table_schema='shop'"),
                     QStringLiteral("1"));
    }

    bool holds(const QString &sql, const QString &value)
    {
        return QTest::qWaitFor([&] { return follower.scalar(sql) == value; }, 30'000);
    }
};

WorkloadOptions writes()
{
    WorkloadOptions options;
    options.connections = 3;
    options.rate = 120;
    options.longTransaction = 1s;
    return options;
}

} // namespace

class ReplicaSourceTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<int>("product");
        QTest::addColumn<bool>("gtid");
        QTest::newRow("MariaDB") << static_cast<int>(Product::MariaDb) << true;
        QTest::newRow("MySQL") << static_cast<int>(Product::MySql) << true;
        QTest::newRow("MySQL without GTID") << static_cast<int>(Product::MySql) << false;
    }

    void movesThereAndBack()
    {
        QFETCH_GLOBAL(const int, product);
        QFETCH_GLOBAL(const bool, gtid);
        Trio trio(product, gtid);
        Pair &pair = trio.pair;
        Workload::createSchema(pair.source, writes());
        pair.source.exec(QStringLiteral("CREATE TABLE shop.loose (n INT, words TEXT); INSERT INTO "
                                        "shop.loose VALUES (1, 'a'), (1, 'a'), (NULL, NULL)"));
        Workload::createAccount(pair.target, writes());
        Workload writer({Workload::address(pair.source), Workload::address(pair.target)}, writes());
        pair.settings.accepted << QStringLiteral("mysql-unique-key");
        const auto migration = pair.open();
        QCOMPARE(migration->snapshot()->sourceName, pair.settings.source.writer->display());
        const auto equalAt = [&](Goal goal, TestServer &leader) -> QStringList {
            writer.stop();
            const Status caughtUp = runTo(*migration, goal);
            if (!caughtUp)
                return {caughtUp.error().describe()};
            return problemsOf(pair, writer, leader);
        };

        writer.start();
        QVERIFY(writer.waitForCommits(100, 60s));
        CW_VERIFY(runTo(*migration, Goal::Replica));
        const Outcome verified = carryOut(*migration, command::Verify{});
        QVERIFY2(verified.status.has_value(), describe(verified).constData());
        QVERIFY(verified.verify->equal());
        QStringList problems = equalAt(Goal::Replica, pair.source);
        QVERIFY2(problems.isEmpty(), qPrintable(problems.join(QLatin1Char('\n'))));

        for (int i = 0; i < 3; ++i) {
            const bool there = i % 2 == 0;
            writer.start();
            QVERIFY(writer.waitForCommits(100, 60s));
            writer.resetGap();
            const Goal goal = there ? Goal::Primary : Goal::Replica;
            CW_VERIFY(runTo(*migration, goal));
            QVERIFY(writer.waitForCommits(100, 60s));
            qInfo("write pause by the engine %.3f s, seen by the writer %lld ms",
                  migration->snapshot()->writePauseSeconds,
                  static_cast<long long>(writer.longestGap().count()));
            problems = equalAt(goal, there ? pair.target : pair.source);
            QVERIFY2(problems.isEmpty(), qPrintable(problems.join(QLatin1Char('\n'))));
        }
        // The replica has the way back from its primary.
        const QString count = QStringLiteral("SELECT COUNT(*) FROM shop.journal_entries");
        QVERIFY(trio.holds(count, pair.target.scalar(count)));
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        for (TestServer *s : {&pair.source, &pair.target}) {
            QCOMPARE(s->scalar(QStringLiteral("SELECT @@global.read_only")), QStringLiteral("0"));
            QCOMPARE(s->scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata "
                                              "WHERE schema_name='_causeway'")),
                     QStringLiteral("0"));
        }
        QCOMPARE(trio.follower.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("1"));
        QVERIFY(trio.holds(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata "
                                          "WHERE schema_name='_causeway'"),
                           QStringLiteral("0")));
    }

    /// What never reached the replica would be lost: neither a position nor a switch comes from it.
    void aStoppedReplicaStopsTheSwitchAndNothingElse()
    {
        QFETCH_GLOBAL(const int, product);
        QFETCH_GLOBAL(const bool, gtid);
        Trio trio(product, gtid);
        Pair &pair = trio.pair;
        pair.source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY "
                                        "KEY); INSERT INTO shop.a VALUES (1)"));
        QVERIFY(trio.hasTheTable());
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        const bool mariaDb = pair.source.product() == Product::MariaDb;
        trio.follower.exec(mariaDb ? QStringLiteral("STOP SLAVE SQL_THREAD")
                                   : QStringLiteral("STOP REPLICA SQL_THREAD"));
        pair.source.exec(QStringLiteral("INSERT INTO shop.a VALUES (2)"));
        const Status refused = runTo(*migration, Goal::Primary);
        QVERIFY(!refused);
        QCOMPARE(refused.error().id, QStringLiteral("mysql-replica-stopped"));
        pair.source.exec(QStringLiteral("INSERT INTO shop.a VALUES (3)"));
        QCOMPARE(pair.source.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("0"));
        QCOMPARE(toString(trio.finding("mysql-source-writer").status), QStringLiteral("blocker"));

        trio.follower.exec(mariaDb ? QStringLiteral("START SLAVE SQL_THREAD")
                                   : QStringLiteral("START REPLICA SQL_THREAD"));
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.a")),
                 QStringLiteral("3"));
        CW_VERIFY(runTo(*migration, Goal::Finished));
    }

    /// The comparison reads the primary, so that a replica that has drifted is found out.
    void aReplicaThatHasDriftedIsFoundByTheComparison()
    {
        QFETCH_GLOBAL(const int, product);
        QFETCH_GLOBAL(const bool, gtid);
        Trio trio(product, gtid);
        Pair &pair = trio.pair;
        pair.source.exec(
            QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY KEY, n INT); "
                           "INSERT INTO shop.a VALUES (1, 1), (2, 2)"));
        QVERIFY(trio.hasTheTable());
        QVERIFY(trio.holds(QStringLiteral("SELECT COUNT(*) FROM shop.a"), QStringLiteral("2")));
        trio.follower.exec(QStringLiteral("SET sql_log_bin=0; UPDATE shop.a SET n=7 WHERE id=2"));
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        const Outcome verified = carryOut(*migration, command::Verify{});
        QVERIFY(verified.verify);
        QVERIFY(!verified.verify->equal());
        const Outcome repaired = carryOut(*migration, command::Verify{true});
        QVERIFY2(repaired.status.has_value(), describe(repaired).constData());
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT n FROM shop.a WHERE id=2")),
                 QStringLiteral("2"));
    }

    void theCheckKnowsAWrongPrimaryAndAFilter()
    {
        QFETCH_GLOBAL(const int, product);
        QFETCH_GLOBAL(const bool, gtid);
        Trio trio(product, gtid, {QStringLiteral("--replicate-ignore-table=shop.b")});
        Pair &pair = trio.pair;
        pair.source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY "
                                        "KEY)"));
        QVERIFY(trio.hasTheTable());
        Finding f = trio.finding("mysql-source-writer");
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QVERIFY2(f.found.english().contains(QLatin1String("shop.b")),
                 qPrintable(f.found.english()));

        pair.settings.source.writer = pair.settings.target.fromHere;
        f = trio.finding("mysql-source-writer");
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QVERIFY2(f.found.english().contains(QString::number(pair.source.port())),
                 qPrintable(f.found.english()));
    }
};

QTEST_GUILESS_MAIN(ReplicaSourceTest)
#include "ReplicaSourceTest.moc"
