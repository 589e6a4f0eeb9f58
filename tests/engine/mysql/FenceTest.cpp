#include "mysql/Parts.h"
#include "servers/MySqlClient.h"
#include "servers/TestServer.h"

#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QRegularExpression>
#include <QTemporaryFile>
#include <QTest>

#include <future>

using namespace causeway;
using namespace causeway::mysql;
using test::Product;
using test::TestServer;

namespace {
template <class T> T must(Result<T> r)
{
    if (!r)
        qFatal("%s", qPrintable(r.error().describe()));
    return std::move(*r);
}
void must(const Status &s)
{
    if (!s)
        qFatal("%s", qPrintable(s.error().describe()));
}
const QString kMigration = QStringLiteral("0a1b2c3d");

/// A client of the application: one session, one statement at a time, maybe waiting.
class App {
public:
    explicit App(const Address &a) : m_session(must(Session::open(a, Use::Control, {})))
    {
        // A test that fails must not wait for a fence that it holds itself.
        if (!now("SET SESSION lock_wait_timeout=20"))
            qFatal("no lock_wait_timeout");
    }
    ~App()
    {
        if (m_running.valid())
            m_running.wait();
    }
    App(const App &) = delete;
    App &operator=(const App &) = delete;
    Status now(const char *sql) { return m_session->exec(QString::fromUtf8(sql)); }
    void start(const char *sql)
    {
        m_running = std::async(std::launch::async,
                               [this, sql] { return m_session->exec(QString::fromUtf8(sql)); });
    }
    [[nodiscard]] bool isWaiting() const
    {
        return m_running.wait_for(std::chrono::milliseconds(300)) == std::future_status::timeout;
    }
    Status result() { return m_running.get(); }

private:
    std::unique_ptr<Session> m_session;
    std::future<Status> m_running;
};
} // namespace

/// Holding and sealing, on both products, by each means.
class FenceTest : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<TestServer> m_servers[2];
    Lease m_lease;

    TestServer &server()
    {
        QFETCH_GLOBAL(int, product);
        return *m_servers[product];
    }
    bool isMySql() { return server().product() == Product::MySql; }
    Selection shop()
    {
        Selection s;
        s.schemas << QStringLiteral("shop");
        return s;
    }
    Address root() { return server().address(); }
    Address app() { return account("app"); }
    Address account(const char *name)
    {
        return server().address(QString::fromLatin1(name), QStringLiteral("pass-word"));
    }
    FenceRequest request(const Lease &lease, bool isTarget = false)
    {
        FenceRequest r;
        r.selection = shop();
        r.lease = lease;
        r.isTarget = isTarget;
        return r;
    }
    std::unique_ptr<Fence> fence(const Address &a, bool isTarget = false)
    {
        return must(makeFence(a, request(m_lease, isTarget), {}));
    }
    QString variable(const char *name)
    {
        return server().scalar(QStringLiteral("SELECT @@GLOBAL.%1").arg(QString::fromLatin1(name)));
    }
    QString rows() { return server().scalar(QStringLiteral("SELECT COUNT(*) FROM shop.t")); }
    /// Rights of a hosted service: neither SUPER nor RELOAD.
    Address hosted()
    {
        server().exec(QStringLiteral("SET GLOBAL log_bin_trust_function_creators=1;"
                                     "GRANT ALL ON shop.* TO mig; GRANT ALL ON _causeway.* TO mig;"
                                     "GRANT REPLICATION CLIENT, PROCESS ON *.* TO mig"));
        return account("mig");
    }
    QString sealTriggerCount()
    {
        return server().scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.triggers "
                                              "WHERE trigger_name LIKE 'causeway\\_sealed\\_%'"));
    }

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<int>("product");
        QTest::newRow("MariaDB") << 0;
        QTest::newRow("MySQL") << 1;
    }
    void initTestCase()
    {
        for (int i = 0; i < 2; ++i) {
            test::ServerOptions o;
            o.product = i == 0 ? Product::MariaDb : Product::MySql;
            m_servers[i] = std::make_unique<TestServer>(o);
        }
    }
    void init()
    {
        server().exec(QStringLiteral(
            "DROP DATABASE IF EXISTS _causeway; DROP DATABASE IF EXISTS shop; CREATE DATABASE shop;"
            "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT) ENGINE=InnoDB;"
            "CREATE TABLE shop.`odd ``name` (id INT PRIMARY KEY) ENGINE=InnoDB;"
            "INSERT INTO shop.t VALUES (1, 1);"
            "DROP USER IF EXISTS app; CREATE USER app IDENTIFIED BY 'pass-word';"
            "GRANT ALL ON shop.* TO app;"
            "DROP USER IF EXISTS mig; CREATE USER mig IDENTIFIED BY 'pass-word';"
            "SET GLOBAL log_bin_trust_function_creators=0"));
        auto ledger = must(makeLedger(root(), kMigration, {}));
        must(ledger->create({}));
        m_lease = must(ledger->takeLease(QStringLiteral("test"), {}));
    }
    void cleanup()
    {
        server().exec(QStringLiteral("SET GLOBAL read_only=0"));
        if (isMySql())
            server().exec(QStringLiteral("RESET PERSIST; SET GLOBAL super_read_only=0"));
    }

    void holdStopsWritersUntilReleased();
    void holdEndsWithItsSession();
    void sealRefusesWritersThatWaited();
    void sealRefusesTransactionsThatWereOpen();
    void openPutsSettingsBackAsFound();
    void aFreshProcessOpens();
    void unfenceOpensWithoutALease();
    void theLeaseCanBeTakenWhileSealed();
    void aReplacedCausewayMayNotOpen();
    void applierPassesOnceAdmitted();
    void targetIsClosedToAllButTheApplier();
    void sealSurvivesARestart();
    void positionCoversTheLastWriter();
    void triggerSealNeedsNoSpecialRights();
    void triggerSealRefusesTransactionsThatWereOpen();
    void triggerHoldLetsReadersPass();
    void triggerSealKeepsTruncateOutUntilReleased();
    void triggerSealSurvivesARestart();
    void triggerSealIsOpenAgainWithoutATrace();
    void namesWhoStandsInTheWay();
    void saysWhyThereIsNoWay();
    void usesTheProvidersSwitch();
    void endsWithinASecondOnRequest();
};

void FenceTest::holdStopsWritersUntilReleased()
{
    auto f = fence(root());
    QCOMPARE(f->sealKind(), QStringLiteral("read_only"));
    must(f->hold({}));
    App a(app());
    a.start("INSERT INTO shop.t VALUES (2, 2)");
    QVERIFY(a.isWaiting());
    QCOMPARE(rows(), QStringLiteral("1"));
    must(f->release({}));
    must(a.result());
    QCOMPARE(rows(), QStringLiteral("2"));
    QVERIFY(!must(f->isSealed({})));
}

void FenceTest::holdEndsWithItsSession()
{
    auto f = fence(root());
    must(f->hold({}));
    App a(app());
    a.start("INSERT INTO shop.t VALUES (2, 2)");
    QVERIFY(a.isWaiting());
    f->interrupt(); // as if we had died: the socket closes
    must(a.result());
    const auto sealed = f->seal({}); // must not pretend that it had been held all along
    QVERIFY(!sealed || rows() == QStringLiteral("2"));
    must(f->open({}));
}

void FenceTest::sealRefusesWritersThatWaited()
{
    auto f = fence(root());
    const Position before = must(f->hold({}));
    App a(app());
    a.start("INSERT INTO shop.t VALUES (2, 2)");
    QVERIFY(a.isWaiting());
    const Position after = must(f->seal({}));
    QCOMPARE(after.text, before.text);
    QVERIFY(a.isWaiting());
    must(f->release({}));
    const Status refused = a.result();
    QVERIFY(!refused);
    QCOMPARE(refused.error().number, 1290);
    QCOMPARE(rows(), QStringLiteral("1"));
    QVERIFY(must(f->isSealed({})));
    must(f->open({}));
    must(a.now("INSERT INTO shop.t VALUES (2, 2)"));
}

void FenceTest::sealRefusesTransactionsThatWereOpen()
{
    auto f = fence(root());
    App a(app());
    must(a.now("START TRANSACTION"));
    must(a.now("INSERT INTO shop.t VALUES (2, 2)"));
    must(f->hold({})); // an idle transaction does not stand in the way of the global lock
    must(f->seal({}));
    must(f->release({}));
    const Status refused = a.now("COMMIT");
    QVERIFY(!refused);
    QCOMPARE(rows(), QStringLiteral("1"));
}

void FenceTest::openPutsSettingsBackAsFound()
{
    auto f = fence(root());
    must(f->seal({}));
    QCOMPARE(variable("read_only"), QStringLiteral("1"));
    if (isMySql())
        QCOMPARE(variable("super_read_only"), QStringLiteral("1"));
    must(f->open({}));
    must(f->open({}));
    QCOMPARE(variable("read_only"), QStringLiteral("0"));
    if (isMySql()) {
        QCOMPARE(variable("super_read_only"), QStringLiteral("0"));
        QVERIFY(server()
                    .query(QStringLiteral("SELECT 1 FROM performance_schema.persisted_variables"))
                    .empty());
        // As found includes what an administrator had persisted.
        server().exec(QStringLiteral("SET PERSIST read_only=ON"));
        must(f->seal({}));
        must(f->admitApplier({}));
        must(f->open({}));
        QCOMPARE(variable("read_only"), QStringLiteral("1"));
        QCOMPARE(variable("super_read_only"), QStringLiteral("0"));
        QCOMPARE(server().scalar(
                     QStringLiteral("SELECT GROUP_CONCAT(variable_name, '=', variable_value) FROM "
                                    "performance_schema.persisted_variables")),
                 QStringLiteral("read_only=ON"));
    }
    QCOMPARE(server().scalar(QStringLiteral("SELECT COUNT(*) FROM _causeway.fact")),
             QStringLiteral("0"));
}

void FenceTest::aFreshProcessOpens()
{
    {
        auto f = fence(root());
        must(f->hold({}));
        must(f->seal({}));
    }
    QCOMPARE(variable("read_only"), QStringLiteral("1"));
    // A second attempt records nothing new: what it finds is our own doing.
    auto again = fence(root());
    QVERIFY(must(again->isSealed({})));
    must(again->open({}));
    QCOMPARE(variable("read_only"), QStringLiteral("0"));
    QVERIFY(!must(again->isSealed({})));
}

void FenceTest::unfenceOpensWithoutALease()
{
    must(fence(root())->seal({}));
    auto s = must(Session::open(root(), Use::Control, {}));
    const auto found = must(readMigrations(*s, {}));
    QCOMPARE(found.size(), std::size_t(1));
    must(must(makeFence(root(), request({found[0].lease.migration, 0}), {}))->open({}));
    QCOMPARE(variable("read_only"), QStringLiteral("0"));
    QCOMPARE(server().scalar(QStringLiteral("SELECT COUNT(*) FROM _causeway.fact")),
             QStringLiteral("0"));
}

void FenceTest::theLeaseCanBeTakenWhileSealed()
{
    must(fence(root())->seal({}));
    auto ledger = must(makeLedger(root(), kMigration, {}));
    const Lease now = must(ledger->takeLease(QStringLiteral("the next process"), {}));
    QVERIFY(now.epoch > m_lease.epoch);
    if (isMySql())
        QCOMPARE(variable("super_read_only"), QStringLiteral("1"));
    QCOMPARE(App(app()).now("INSERT INTO shop.t VALUES (2, 2)").error().number, 1290);
    must(must(makeFence(root(), request(now), {}))->open({}));
    QCOMPARE(variable("read_only"), QStringLiteral("0"));
    must(ledger->checkLease(now, {}));
}

void FenceTest::aReplacedCausewayMayNotOpen()
{
    auto old = fence(root());
    must(old->hold({}));
    must(old->release({}));
    auto ledger = must(makeLedger(root(), kMigration, {}));
    const Lease now = must(ledger->takeLease(QStringLiteral("successor"), {}));
    auto f = must(makeFence(root(), request(now), {}));
    must(f->seal({}));
    const Status refused = old->open({});
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::LeaseLost);
    QCOMPARE(variable("read_only"), QStringLiteral("1"));
    must(f->open({}));
}

void FenceTest::applierPassesOnceAdmitted()
{
    auto f = fence(root());
    must(f->hold({}));
    must(f->seal({}));
    must(f->release({}));
    App ours(root());
    if (isMySql()) // super_read_only refuses everybody, us too
        QVERIFY(!ours.now("INSERT INTO shop.t VALUES (2, 2)"));
    must(f->admitApplier({}));
    must(f->admitApplier({}));
    must(ours.now("INSERT INTO shop.t VALUES (2, 2)"));
    App a(app());
    QCOMPARE(a.now("INSERT INTO shop.t VALUES (3, 3)").error().number, 1290);
    must(f->open({}));
    must(a.now("INSERT INTO shop.t VALUES (3, 3)"));
}

void FenceTest::targetIsClosedToAllButTheApplier()
{
    auto f = fence(root(), true);
    must(f->seal({}));
    App ours(root());
    must(ours.now("INSERT INTO shop.t VALUES (2, 2)"));
    App a(app());
    QVERIFY(!a.now("INSERT INTO shop.t VALUES (3, 3)"));
    QVERIFY(must(f->isSealed({})));
    must(f->open({}));
    must(a.now("INSERT INTO shop.t VALUES (3, 3)"));
}

/// The same server and data, but with an empty configuration file instead of --no-defaults, under
/// which MySQL ignores what SET PERSIST wrote.
class PersistingServer {
public:
    explicit PersistingServer(TestServer &server) : m_server(server)
    {
        QFile cmdline(QStringLiteral("/proc/%1/cmdline").arg(server.pid()));
        if (!cmdline.open(QIODevice::ReadOnly) || !m_empty.open())
            qFatal("cannot read how the server was started");
        QStringList command =
            QString::fromLocal8Bit(cmdline.readAll()).split(QChar(0), Qt::SkipEmptyParts);
        command.replaceInStrings(QRegularExpression(QStringLiteral("^--no-defaults$")),
                                 QStringLiteral("--defaults-file=") + m_empty.fileName());
        m_process.setWorkingDirectory(
            QFileInfo(QStringLiteral("/proc/%1/cwd").arg(server.pid())).symLinkTarget());
        m_server.stop();
        m_process.start(command.takeFirst(), command);
        if (!QTest::qWaitFor(
                [&] { return Session::open(m_server.address(), Use::Control, {}).has_value(); },
                30'000))
            qFatal("the server did not start again");
    }
    ~PersistingServer()
    {
        m_process.terminate();
        m_process.waitForFinished();
        m_server.start();
    }
    PersistingServer(const PersistingServer &) = delete;
    PersistingServer &operator=(const PersistingServer &) = delete;

private:
    TestServer &m_server;
    QTemporaryFile m_empty;
    QProcess m_process;
};

void FenceTest::sealSurvivesARestart()
{
    auto f = fence(root());
    must(f->hold({}));
    must(f->seal({}));
    must(f->release({}));
    must(f->admitApplier({}));
    std::unique_ptr<PersistingServer> restarted;
    if (isMySql()) {
        restarted = std::make_unique<PersistingServer>(server());
    } else {
        server().stop();
        server().start();
        // MariaDB has no SET PERSIST: the loss is seen, and said again.
        QVERIFY(!must(f->isSealed({})));
        must(f->admitApplier({}));
    }
    QVERIFY(must(f->isSealed({})));
    QCOMPARE(App(app()).now("INSERT INTO shop.t VALUES (2, 2)").error().number, 1290);
    must(App(root()).now("INSERT INTO shop.t VALUES (2, 2)"));
    must(f->open({}));
    QCOMPARE(variable("read_only"), QStringLiteral("0"));
}

void FenceTest::positionCoversTheLastWriter()
{
    auto f = fence(root());
    const Position first = must(f->hold({}));
    must(f->release({}));
    must(App(app()).now("INSERT INTO shop.t VALUES (2, 2)"));
    const Position second = must(f->hold({}));
    must(f->release({}));
    QVERIFY(first.text != second.text);
    if (isMySql()) {
        QCOMPARE(server().scalar(QStringLiteral("SELECT GTID_SUBSET('%1','%2')")
                                     .arg(first.text.mid(5), second.text.mid(5))),
                 QStringLiteral("1"));
        QCOMPARE(second.text.mid(5), variable("gtid_executed"));
    } else {
        QCOMPARE(second.text.section(QLatin1Char(';'), 0, 0),
                 QStringLiteral("mariadb:") + variable("gtid_binlog_pos"));
    }
}

void FenceTest::triggerSealNeedsNoSpecialRights()
{
    auto f = fence(hosted());
    QCOMPARE(f->sealKind(), QStringLiteral("triggers"));
    must(f->hold({}));
    App a(app());
    a.start("INSERT INTO shop.t VALUES (2, 2)");
    QVERIFY(a.isWaiting());
    const Position sealed = must(f->seal({}));
    // It waited for the hold: either it was let in before the seal, and is before the position, or
    // it was refused.
    const Status queued = a.result();
    QCOMPARE(rows(), queued ? QStringLiteral("2") : QStringLiteral("1"));
    QVERIFY(!sealed.isEmpty());
    must(f->release({}));
    QVERIFY(must(f->isSealed({})));
    for (const char *sql :
         {"INSERT INTO shop.t VALUES (9, 9)", "UPDATE shop.t SET v=v+1", "DELETE FROM shop.t",
          "REPLACE INTO shop.t VALUES (1, 7)", "INSERT INTO shop.`odd ``name` VALUES (1)"}) {
        const Status refused = a.now(sql);
        QVERIFY2(!refused, sql);
        QVERIFY(refused.error().serverWords.contains(QStringLiteral("Causeway")));
    }
    QVERIFY(!App(root()).now("INSERT INTO shop.t VALUES (9, 9)")); // SUPER or not
    App ours(account("mig"));
    must(ours.now("INSERT INTO shop.t VALUES (9, 9)"));
    // The same account, but no Causeway: an event that it defined, or a person.
    causeway::test::MySqlClient person;
    QVERIFY(person.connect(account("mig")).ok());
    QCOMPARE(person.run("INSERT INTO shop.t VALUES (10, 10)").number, 1644U);
    must(f->seal({})); // again: nothing to do
    must(f->open({}));
    must(a.now("DELETE FROM shop.t"));
}

void FenceTest::triggerSealRefusesTransactionsThatWereOpen()
{
    auto f = fence(hosted());
    App a(app());
    must(a.now("START TRANSACTION WITH CONSISTENT SNAPSHOT"));
    must(f->hold({}));
    must(f->seal({}));
    must(f->release({}));
    QVERIFY(!a.now("INSERT INTO shop.t VALUES (2, 2)"));
    must(a.now("COMMIT"));
    QCOMPARE(rows(), QStringLiteral("1"));
    must(f->open({}));
}

void FenceTest::triggerHoldLetsReadersPass()
{
    auto f = fence(hosted());
    must(f->hold({}));
    must(App(app()).now("SELECT * FROM shop.t"));
    must(f->seal({}));
    must(App(app()).now("SELECT * FROM shop.t"));
    must(f->open({}));
}

void FenceTest::triggerSealKeepsTruncateOutUntilReleased()
{
    hosted();
    server().exec(QStringLiteral("GRANT DROP ON shop.* TO app"));
    auto f = fence(account("mig"));
    must(f->hold({}));
    App early(app());
    early.start("TRUNCATE shop.t");
    QVERIFY(early.isWaiting());
    QVERIFY(!must(f->seal({})).isEmpty());
    must(early.result()); // it had waited: let in before the position, as its log shows
    QCOMPARE(rows(), QStringLiteral("0"));
    // No trigger stops it: the lock must, until the other side leads.
    App late(app());
    late.start("TRUNCATE shop.t");
    QVERIFY(late.isWaiting());
    // Readers queue behind it, ours too: it must be noticed, and let through.
    QVERIFY(must(f->isWaitedFor({})));
    QVERIFY(!must(f->seal({})).isEmpty());
    must(late.result());
    QVERIFY(!must(f->isWaitedFor({})));
    must(App(app()).now("SELECT * FROM shop.t"));
    // Once the other side leads, whoever waits is ended, where that is allowed.
    App last(app());
    last.start("TRUNCATE shop.t");
    QVERIFY(last.isWaiting());
    QCOMPARE(must(f->endWaiters({})).size(), 1);
    QVERIFY(last.isWaiting());
    server().exec(QStringLiteral(
        "DROP PROCEDURE IF EXISTS mysql.rds_kill; CREATE PROCEDURE mysql.rds_kill(IN id BIGINT) "
        "KILL CONNECTION id"));
    server().exec(QStringLiteral("GRANT EXECUTE ON PROCEDURE mysql.rds_kill TO mig"));
    QCOMPARE(must(f->endWaiters({})).size(), 0);
    QVERIFY(!last.result());
    must(f->release({}));
    must(f->open({}));
}

void FenceTest::triggerSealSurvivesARestart()
{
    must(fence(hosted())->seal({}));
    server().stop();
    server().start();
    QVERIFY(!App(app()).now("INSERT INTO shop.t VALUES (2, 2)"));
    // Dropping a trigger asks for as much as creating one, and the setting went with the restart.
    server().exec(QStringLiteral("SET GLOBAL log_bin_trust_function_creators=1"));
    QVERIFY(must(fence(account("mig"))->isSealed({})));
    // A table made meanwhile is a way in: not sealed.
    server().exec(QStringLiteral("CREATE TABLE shop.late (id INT PRIMARY KEY)"));
    QVERIFY(!must(fence(account("mig"))->isSealed({})));
    must(fence(account("mig"))->open({}));
}

void FenceTest::triggerSealIsOpenAgainWithoutATrace()
{
    auto f = fence(hosted());
    must(f->seal({}));
    QCOMPARE(sealTriggerCount(), QStringLiteral("6"));
    // What the plan shows is what undoes it.
    server().exec(f->openSql().join(QStringLiteral(";\n")));
    QCOMPARE(sealTriggerCount(), QStringLiteral("0"));
    must(f->seal({}));
    must(fence(account("mig"))->open({}));
    QCOMPARE(sealTriggerCount(), QStringLiteral("0"));
    QCOMPARE(server().scalar(QStringLiteral("SELECT COUNT(*) FROM _causeway.fact")),
             QStringLiteral("0"));
}

void FenceTest::namesWhoStandsInTheWay()
{
    App idle(app());
    must(idle.now("START TRANSACTION"));
    must(idle.now("UPDATE shop.t SET v=2 WHERE id=1"));
    auto f = fence(hosted());
    const auto held = f->hold({});
    QVERIFY(!held);
    QCOMPARE(held.error().id, QStringLiteral("mysql-fence-blocked"));
    QVERIFY2(held.error().object.contains(QStringLiteral("app@")),
             qPrintable(held.error().describe()));
    must(idle.now("COMMIT"));
    must(f->hold({}));
    must(f->release({}));
}

void FenceTest::saysWhyThereIsNoWay()
{
    hosted();
    server().exec(QStringLiteral("SET GLOBAL log_bin_trust_function_creators=0"));
    auto untrusted = fence(account("mig"));
    QVERIFY(untrusted->sealKind().isEmpty());
    const auto a = untrusted->hold({});
    QCOMPARE(a.error().id, QStringLiteral("mysql-no-seal"));
    QVERIFY(a.error().describe().contains(QStringLiteral("1419")));

    server().exec(QStringLiteral("SET GLOBAL log_bin_trust_function_creators=1;"
                                 "REVOKE TRIGGER ON shop.* FROM mig"));
    const auto b = fence(account("mig"))->hold({});
    QCOMPARE(b.error().id, QStringLiteral("mysql-no-seal"));
    QVERIFY2(b.error().describe().contains(QStringLiteral("TRIGGER")),
             qPrintable(b.error().describe()));
}

void FenceTest::usesTheProvidersSwitch()
{
    if (!isMySql())
        QSKIP("There is no such MariaDB service.");
    server().exec(QStringLiteral(
        "DROP PROCEDURE IF EXISTS mysql.rds_set_read_only;"
        "CREATE PROCEDURE mysql.rds_set_read_only(IN mode INT) SET GLOBAL read_only=mode;"
        "GRANT ALL ON shop.* TO mig; GRANT ALL ON _causeway.* TO mig;"
        "GRANT RELOAD, REPLICATION CLIENT, CONNECTION_ADMIN ON *.* TO mig;"
        "GRANT EXECUTE ON PROCEDURE mysql.rds_set_read_only TO mig"));
    auto f = fence(account("mig"));
    QCOMPARE(f->sealKind(), QStringLiteral("provider"));
    must(f->hold({}));
    App a(app());
    a.start("INSERT INTO shop.t VALUES (2, 2)");
    QVERIFY(a.isWaiting());
    must(f->seal({}));
    must(f->release({}));
    QCOMPARE(a.result().error().number, 1290);
    must(App(account("mig")).now("INSERT INTO shop.t VALUES (3, 3)"));
    must(f->open({}));
    QCOMPARE(variable("read_only"), QStringLiteral("0"));
}

void FenceTest::endsWithinASecondOnRequest()
{
    App idle(app());
    must(idle.now("START TRANSACTION"));
    must(idle.now("UPDATE shop.t SET v=2 WHERE id=1"));
    auto f = fence(hosted());
    std::stop_source source;
    auto held = std::async(std::launch::async, [&] { return f->hold(source.get_token()); });
    QVERIFY(held.wait_for(std::chrono::milliseconds(500)) == std::future_status::timeout);
    source.request_stop();
    QVERIFY(held.wait_for(std::chrono::seconds(1)) == std::future_status::ready);
    QCOMPARE(held.get().error().code, ErrorCode::Cancelled);
}

QTEST_GUILESS_MAIN(FenceTest)
#include "FenceTest.moc"
