// An application whose account no read_only stops (GRANT ALL on MariaDB, SUPER on MySQL): it must
// not write on the closed side, and can sign in again where writing is allowed.

#include "engine/engine/MigrationSupport.h"

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {

bool locked(TestServer &server)
{
    return server.scalar(
               server.product() == Product::MariaDb
                   ? QStringLiteral("SELECT COALESCE(JSON_VALUE(priv,'$.account_locked'),0) "
                                    "FROM mysql.global_priv WHERE user='shop_app'")
                   : QStringLiteral("SELECT account_locked='Y' FROM mysql.user WHERE "
                                    "user='shop_app'")) == QLatin1String("1");
}

} // namespace

class PrivilegedAccountsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void nothingPassesTheFence_data()
    {
        QTest::addColumn<int>("product");
        QTest::newRow("MariaDB") << static_cast<int>(Product::MariaDb);
        QTest::newRow("MySQL") << static_cast<int>(Product::MySql);
    }

    void nothingPassesTheFence()
    {
        QFETCH(const int, product);
        ServerOptions server;
        server.product = static_cast<Product>(product);
        Pair pair(server, server);
        WorkloadOptions writes;
        writes.connections = 4;
        writes.rate = 120;
        writes.longTransaction = 1s;
        Workload::createSchema(pair.source, writes);
        Workload::createAccount(pair.target, writes);
        for (TestServer *s : {&pair.source, &pair.target})
            s->exec(QStringLiteral("GRANT ALL ON *.* TO shop_app"));
        // Somebody's own, who only looks on.
        pair.source.exec(QStringLiteral("CREATE USER dba IDENTIFIED BY 'pass-word'; GRANT ALL ON "
                                        "*.* TO dba"));
        Workload writer({Workload::address(pair.source), Workload::address(pair.target)}, writes);
        writer.start();
        QVERIFY(writer.waitForCommits(50, 60s));

        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        struct Leg {
            Goal goal;
            TestServer *leader, *follower;
            std::size_t host;
        };
        const std::vector<Leg> way{{Goal::Primary, &pair.target, &pair.source, 1},
                                   {Goal::Replica, &pair.source, &pair.target, 0},
                                   {Goal::Primary, &pair.target, &pair.source, 1}};
        for (const Leg &leg : way) {
            const qint64 before = writer.commitsOn(leg.host);
            CW_VERIFY(runTo(*migration, leg.goal));
            QVERIFY(locked(*leg.follower));
            QVERIFY(!locked(*leg.leader));
            const qint64 onOld = writer.commitsOn(1 - leg.host);
            QVERIFY(writer.waitForCommitsOn(leg.host, before + 50, 60s));
            QCOMPARE(writer.commitsOn(1 - leg.host), onOld);
            writer.stop();
            CW_VERIFY(runTo(*migration, leg.goal));
            const QStringList problems = problemsOf(pair, writer, *leg.leader);
            QVERIFY2(problems.isEmpty(), qPrintable(problems.join(QLatin1Char('\n'))));
            writer.start();
        }
        QCOMPARE(writer.switches(), 3);
        writer.stop();
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        QVERIFY(!locked(pair.source));
        QVERIFY(!locked(pair.target));
    }

    /// The user names one that is not seen writing; what remains closed says how it is opened.
    void namedAccountsAreLockedToo()
    {
        Pair pair({}, {});
        pair.source.exec(QStringLiteral(
            "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY); INSERT INTO shop.t "
            "VALUES (1); CREATE USER shop_app IDENTIFIED BY 'pass-word'; GRANT ALL ON *.* TO "
            "shop_app; CREATE USER calm IDENTIFIED BY 'pass-word'; GRANT SELECT ON *.* TO calm"));
        pair.settings.lockAccounts = {QStringLiteral("shop_app@%"), QStringLiteral("calm@%"),
                                      QStringLiteral("nobody@%")};
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QVERIFY(locked(pair.source));
        CW_VERIFY(runTo(*migration, Goal::Finished, false));
        QVERIFY(locked(pair.source));
        const QString open =
            pair.source.scalar(QStringLiteral("SELECT COUNT(*) FROM mysql.global_priv WHERE "
                                              "JSON_VALUE(priv,'$.account_locked')=1 AND "
                                              "user='calm'"));
        QCOMPARE(open, QStringLiteral("0")); // read_only stops it: left alone
    }
};

QTEST_GUILESS_MAIN(PrivilegedAccountsTest)
#include "PrivilegedAccountsTest.moc"
