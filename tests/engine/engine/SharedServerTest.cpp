// A server that carries other databases as well: only what moves may be stopped, on both sides.

#include "engine/engine/MigrationSupport.h"

#include <atomic>
#include <thread>

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
/// Another application's database on a server that a migration uses. It writes without a pause and
/// counts what it was refused; started as a second workload's account would be too much alike.
class Neighbour {
public:
    explicit Neighbour(TestServer &server)
    {
        server.exec(QStringLiteral(
            "CREATE DATABASE billing; CREATE TABLE billing.invoices (id INT AUTO_INCREMENT PRIMARY "
            "KEY, at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6)); CREATE USER bill@'%' IDENTIFIED "
            "BY 'bill-secret'; GRANT SELECT, INSERT ON billing.* TO bill@'%'"));
        m_database =
            *makeDatabase(server.address(QStringLiteral("bill"), QStringLiteral("bill-secret")));
        m_thread = std::jthread([this](const std::stop_token &stop) {
            while (!stop.stop_requested()) {
                const auto began = std::chrono::steady_clock::now();
                const Status done = m_database->execute(
                    {{QStringLiteral("billing.invoices"),
                      QStringLiteral("INSERT INTO billing.invoices () VALUES ()"),
                      {}}},
                    stop);
                (done || stop.stop_requested() ? m_written : m_refused) += 1;
                const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
                    std::chrono::steady_clock::now() - began);
                m_longest = std::max<qint64>(m_longest, took.count());
            }
        });
    }
    void stop() { m_thread = {}; }
    [[nodiscard]] int written() const { return m_written; }
    [[nodiscard]] int refused() const { return m_refused; }
    [[nodiscard]] qint64 longestMs() const { return m_longest; }

private:
    std::shared_ptr<Database> m_database;
    std::atomic<int> m_written{0}, m_refused{0};
    std::atomic<qint64> m_longest{0};
    std::jthread m_thread;
};

WorkloadOptions writesWithoutTruncate()
{
    WorkloadOptions options;
    options.connections = 3;
    options.rate = 90;
    options.longTransaction = 0ms;
    options.truncateEvery = 0ms; // passes triggers: a limit that README names
    return options;
}

QStringList finding(const CheckReport &report, const char *id, FindingSide side)
{
    for (const Finding &f : report.findings) {
        if (f.id == QLatin1String(id) && f.side == side)
            return {toString(f.status), f.found.english(), f.fix.sql.join(QLatin1Char(' '))};
    }
    return {};
}
} // namespace

class SharedServerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<int>("product");
        QTest::newRow("MariaDB") << static_cast<int>(Product::MariaDb);
        QTest::newRow("MySQL") << static_cast<int>(Product::MySql);
    }

    void neighboursGoOnWritingOnBothSides()
    {
        QFETCH_GLOBAL(const int, product);
        ServerOptions options;
        options.product = static_cast<Product>(product);
        Pair pair(options, options);
        for (TestServer *server : {&pair.source, &pair.target})
            server->exec(QStringLiteral("SET GLOBAL log_bin_trust_function_creators=1"));
        const WorkloadOptions writes = writesWithoutTruncate();
        Workload::createSchema(pair.source, writes);
        Workload::createAccount(pair.target, writes);
        Neighbour onSource(pair.source), onTarget(pair.target);
        Workload writer({Workload::address(pair.source), Workload::address(pair.target)}, writes);
        writer.start();
        QVERIFY(writer.waitForCommits(50, 60s));
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("0"));
        for (const auto &[goal, host] :
             {std::pair{Goal::Primary, std::size_t{1}}, std::pair{Goal::Replica, std::size_t{0}},
              std::pair{Goal::Primary, std::size_t{1}}}) {
            const qint64 before = writer.commitsOn(host);
            const int written = onSource.written();
            CW_VERIFY(runTo(*migration, goal));
            QVERIFY(writer.waitForCommitsOn(host, before + 30, 60s));
            QTRY_VERIFY_WITH_TIMEOUT(onSource.written() > written, 30'000);
        }
        QVERIFY(migration->snapshot()->sealTables > 0);
        writer.stop();
        CW_VERIFY(runTo(*migration, Goal::Primary));
        const QStringList differences =
            compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly());
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        const auto lost = writer.lostOn(pair.target);
        QVERIFY2(lost.empty(), lost.empty() ? "" : lost.front().c_str());
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        for (Neighbour *n : {&onSource, &onTarget}) {
            n->stop();
            QCOMPARE(n->refused(), 0);
            QVERIFY(n->written() > 0);
            qInfo("%d writes, the longest took %lld ms", n->written(),
                  static_cast<long long>(n->longestMs()));
        }
    }

    void theChoiceIsTheUsersAndSaidBeforehand()
    {
        QFETCH_GLOBAL(const int, product);
        ServerOptions options;
        options.product = static_cast<Product>(product);
        Pair pair(options, options);
        pair.source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY "
                                        "KEY); SET GLOBAL log_bin_trust_function_creators=1"));
        CheckOptions check;
        check.selection.schemas << QStringLiteral("shop");
        const auto fence = [&]() -> QStringList {
            const auto report = runPreflight(pair.settings.source, {}, check, {}, {});
            return report ? finding(*report, "mysql-fence", FindingSide::Source)
                          : QStringList{report.error().describe()};
        };
        // Nothing else on it: the whole server, and reads go on.
        pair.settings.source.fromHere =
            pair.source.address({}, {}, QStringLiteral("shop")); // with its password
        QCOMPARE(fence().value(0), QStringLiteral("pass"));
        pair.source.exec(QStringLiteral(
            "CREATE DATABASE billing; CREATE TABLE billing.invoices (id INT PRIMARY KEY)"));
        QVERIFY2(fence().value(1).contains(QStringLiteral("triggers")),
                 qPrintable(fence().value(1)));
        check.fence = FenceKind::ReadOnly;
        QCOMPARE(fence().value(0), QStringLiteral("warning"));
        QVERIFY2(fence().value(1).contains(QStringLiteral("billing")),
                 qPrintable(fence().value(1)));
    }
};

QTEST_GUILESS_MAIN(SharedServerTest)
#include "SharedServerTest.moc"
