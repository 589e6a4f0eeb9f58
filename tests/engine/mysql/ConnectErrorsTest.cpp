#include "mysql/ConnectionTest.h"
#include "mysql/Parts.h"
#include "servers/BlackHole.h"
#include "servers/TestServer.h"

#include <mysql.h>

#include <QElapsedTimer>
#include <QTest>

#include <arpa/inet.h>
#include <future>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace causeway;
using namespace causeway::mysql;
using test::BlackHole;
using test::Product;
using test::TcpProxy;
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
} // namespace

/// What real servers say, named; and how connecting ends where nobody says anything.
class ConnectErrorsTest : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<TestServer> m_servers[2];
    TestServer &server()
    {
        QFETCH_GLOBAL(int, product);
        return *m_servers[product];
    }
    bool isMySql() { return server().product() == Product::MySql; }
    Address as(const char *user, const char *password = "pass-word")
    {
        return server().address(QString::fromLatin1(user), QString::fromLatin1(password));
    }
    Error connectError(const Address &a)
    {
        const auto s = Session::open(a, Use::Control, {});
        return s ? Error{} : s.error();
    }
    Error statementError(const Address &a, const char *sql)
    {
        const auto s = must(Session::open(a, Use::Control, {}));
        const Status done = s->exec(QString::fromUtf8(sql));
        return done ? Error{} : done.error();
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
            "DROP DATABASE IF EXISTS d; CREATE DATABASE d; DROP USER IF EXISTS app; CREATE USER "
            "app "
            "IDENTIFIED BY 'pass-word'; GRANT SELECT, INSERT ON d.* TO app; CREATE TABLE d.t (id "
            "INT PRIMARY KEY, v INT) ENGINE=InnoDB; INSERT INTO d.t VALUES (1,1),(2,2)"));
    }

    void wrongPassword();
    void missingPassword();
    void deniedAndUnknownDatabase();
    void systemAccount();
    void hostNotAllowed();
    void passwordNeedsTls();
    void lockedAccount();
    void expiredPassword();
    void noFreeConnection();
    void userLimit();
    void nobodyListens();
    void noSuchSocket();
    void unknownHost();
    void droppedPacketsEndAtTheTimeOut();
    void silentServerEndsAtTheTimeOut();
    void cancelledWithinASecond_data();
    void cancelledWithinASecond();
    void statementsAreNamed_data();
    void statementsAreNamed();
    void lockWaitAndDeadlock();
    void packetTooLarge();
    void lossIsNoticed();
    void probeTellsHowFarItGets();
    void probeTellsAForeignServer();
};

void ConnectErrorsTest::wrongPassword()
{
    const Error e = connectError(as("app", "wrong-word"));
    QCOMPARE(e.number, 1045);
    QCOMPARE(e.id, QStringLiteral("mysql-access-denied"));
    QCOMPARE(e.code, ErrorCode::Connect);
    QVERIFY(e.describe().contains(QStringLiteral("'app'@'127.0.0.1'"))); // as the server sees us
    QVERIFY(e.fix.english().contains(QStringLiteral("--user=app")));
    QVERIFY(!e.describe().contains(QStringLiteral("wrong-word")));
}

void ConnectErrorsTest::missingPassword()
{
    Address a = as("app");
    a.password = Secret();
    const Error e = connectError(a);
    QCOMPARE(e.id, QStringLiteral("mysql-access-denied"));
    QVERIFY(e.message.english().contains(QStringLiteral("none was given")));
}

void ConnectErrorsTest::deniedAndUnknownDatabase()
{
    // The password is right; what is missing is told apart from that.
    Error e = statementError(as("app"), "USE mysql");
    QCOMPARE(e.number, 1044);
    QCOMPARE(e.id, QStringLiteral("mysql-privilege-missing"));
    e = statementError(server().address(), "USE nowhere");
    QCOMPARE(e.number, 1049);
    QCOMPARE(e.id, QStringLiteral("mysql-unknown-database"));
}

void ConnectErrorsTest::systemAccount()
{
    server().exec(QStringLiteral("DROP USER IF EXISTS os"));
    if (isMySql()) {
        server().exec(QStringLiteral("INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'"));
        server().exec(QStringLiteral("CREATE USER os IDENTIFIED WITH auth_socket"));
    } else {
        server().exec(QStringLiteral("CREATE USER os IDENTIFIED VIA unix_socket"));
    }
    const Error e = connectError(as("os"));
    if (isMySql())
        server().exec(QStringLiteral("DROP USER os; UNINSTALL PLUGIN auth_socket"));
    QCOMPARE(e.number, 1698);
    QCOMPARE(e.id, QStringLiteral("mysql-access-denied-plugin"));
}

void ConnectErrorsTest::hostNotAllowed()
{
    const QString names = server().scalar(
        QStringLiteral("SELECT GROUP_CONCAT(QUOTE(User)) FROM mysql.user WHERE Host='%'"));
    QStringList there, back;
    for (const QString &user : names.split(QLatin1Char(','))) {
        there << QStringLiteral("%1@'%' TO %1@'127.0.0.1'").arg(user);
        back << QStringLiteral("%1@'127.0.0.1' TO %1@'%'").arg(user);
    }
    server().exec(QStringLiteral("RENAME USER ") + there.join(QStringLiteral(", ")) +
                  QStringLiteral("; FLUSH PRIVILEGES"));
    TcpProxy proxy(server().port(), QStringLiteral("127.0.0.3"));
    Address a = as("app");
    a.port = proxy.port();
    const Error e = connectError(a);
    server().exec(QStringLiteral("RENAME USER ") + back.join(QStringLiteral(", ")));
    QCOMPARE(e.number, 1130);
    QCOMPARE(e.id, QStringLiteral("mysql-host-not-allowed"));
    QVERIFY2(e.describe().contains(QStringLiteral("127.0.0.3")), qPrintable(e.describe()));
}

// caching_sha2_password, whose full exchange needs encryption: MySQL's own library refuses to go on
// without, MariaDB's asks for the server's public key.
void ConnectErrorsTest::passwordNeedsTls()
{
    if (!isMySql())
        return;
    server().exec(QStringLiteral("FLUSH PRIVILEGES")); // forgets passwords that were right
    Address a = as("app");
    a.tls.mode = TlsMode::Disabled;
    const Error e = connectError(a);
#ifdef MARIADB_BASE_VERSION
    QCOMPARE(e.id, QString());
#else
    QCOMPARE(e.number, 2061);
    QCOMPARE(e.id, QStringLiteral("mysql-auth-needs-tls"));
#endif
}

void ConnectErrorsTest::lockedAccount()
{
    server().exec(QStringLiteral("ALTER USER app ACCOUNT LOCK"));
    QCOMPARE(connectError(as("app")).id, QStringLiteral("mysql-account-locked"));
}

void ConnectErrorsTest::expiredPassword()
{
    server().exec(QStringLiteral("ALTER USER app PASSWORD EXPIRE"));
    // MySQL refuses our first SET, MariaDB the first statement after those.
    Error e = connectError(as("app"));
    if (e.id.isEmpty())
        e = statementError(as("app"), "SELECT * FROM d.t");
    QVERIFY(e.number == 1820 || e.number == 1862);
    QCOMPARE(e.id, QStringLiteral("mysql-password-expired"));
}

void ConnectErrorsTest::noFreeConnection()
{
    const QString before = server().scalar(QStringLiteral("SELECT @@max_connections"));
    server().exec(QStringLiteral("SET GLOBAL max_connections=10"));
    std::vector<std::unique_ptr<Session>> held;
    Error e;
    for (int i = 0; i < 20 && e.id.isEmpty(); ++i) {
        auto s = Session::open(as("app"), Use::Control, {});
        if (s)
            held.push_back(std::move(*s));
        else
            e = s.error();
    }
    held.clear();
    QTRY_VERIFY(Session::open(server().address(), Use::Control, {}).has_value());
    server().exec(QStringLiteral("SET GLOBAL max_connections=") + before);
    QCOMPARE(e.number, 1040);
    QCOMPARE(e.id, QStringLiteral("mysql-too-many-connections"));
}

void ConnectErrorsTest::userLimit()
{
    server().exec(QStringLiteral("ALTER USER app WITH MAX_USER_CONNECTIONS 1"));
    const auto one = must(Session::open(as("app"), Use::Control, {}));
    QCOMPARE(connectError(as("app")).id, QStringLiteral("mysql-user-limit"));
}

void ConnectErrorsTest::nobodyListens()
{
    Address a = as("app");
    a.port = 1; // tcpmux: nothing there
    const Error e = connectError(a);
    QCOMPARE(e.id, QStringLiteral("mysql-connection-refused"));
    QVERIFY(e.number == 2002 || e.number == 2003); // libmariadb, libmysqlclient
}

void ConnectErrorsTest::noSuchSocket()
{
    Address a = as("app");
    a.socket = QStringLiteral("/nonexistent/mysqld.sock");
    const Error e = connectError(a);
    QCOMPARE(e.id, QStringLiteral("mysql-socket"));
    QCOMPARE(e.number, 2002);
}

void ConnectErrorsTest::unknownHost()
{
    Address a = as("app");
    a.host = QStringLiteral("no-such-host.invalid");
    a.connectTimeout = std::chrono::seconds(20);
    const Error e = connectError(a);
    QCOMPARE(e.id, QStringLiteral("mysql-unknown-host"));
    QCOMPARE(e.number, 2005);
}

void ConnectErrorsTest::droppedPacketsEndAtTheTimeOut()
{
    const BlackHole hole;
    Address a = as("app");
    a.port = hole.port();
    a.connectTimeout = std::chrono::seconds(1);
    QElapsedTimer timer;
    timer.start();
    const Error e = connectError(a);
    QCOMPARE(e.id, QStringLiteral("mysql-connect-timeout"));
    QCOMPARE(e.code, ErrorCode::Connect);
    QVERIFY(e.number == 2002 || e.number == 2003); // libmariadb, libmysqlclient
    for (const char *hint : {"security group", "inbound rule", "publicly accessible", "reader"})
        QVERIFY2(e.fix.english().contains(QLatin1String(hint)), hint);
    QVERIFY2(timer.elapsed() < 2500, qPrintable(QString::number(timer.elapsed())));
}

void ConnectErrorsTest::silentServerEndsAtTheTimeOut()
{
    TcpProxy proxy(server().port());
    proxy.stall(true);
    Address a = as("app");
    a.port = proxy.port();
    a.connectTimeout = std::chrono::seconds(1);
    QElapsedTimer timer;
    timer.start();
    const Error e = connectError(a);
    QCOMPARE(e.code, ErrorCode::Connect);
    QVERIFY2(timer.elapsed() < 2500, qPrintable(QString::number(timer.elapsed())));
}

void ConnectErrorsTest::cancelledWithinASecond_data()
{
    QTest::addColumn<QString>("what");
    QTest::newRow("dropped packets") << QStringLiteral("hole");
    QTest::newRow("silent server") << QStringLiteral("silent");
    QTest::newRow("running statement") << QStringLiteral("statement");
    QTest::newRow("probe") << QStringLiteral("probe");
}

void ConnectErrorsTest::cancelledWithinASecond()
{
    QFETCH(QString, what);
    const BlackHole hole;
    TcpProxy proxy(server().port());
    Address a = as("app");
    a.connectTimeout = std::chrono::seconds(60);
    if (what == QLatin1String("hole") || what == QLatin1String("probe"))
        a.port = hole.port();
    if (what == QLatin1String("silent")) {
        proxy.stall(true);
        a.port = proxy.port();
    }
    std::stop_source source;
    auto done = std::async(std::launch::async, [&]() -> Status {
        if (what == QLatin1String("probe")) {
            const auto p = probe(
                a, [](const ProbeStep &) {}, source.get_token());
            return p.error ? Status(fail(*p.error)) : Status();
        }
        auto s = Session::open(a, Use::Control, source.get_token());
        if (!s)
            return fail(s.error());
        return (*s)->exec(QStringLiteral("SELECT SLEEP(30)"), source.get_token());
    });
    QVERIFY(done.wait_for(std::chrono::milliseconds(400)) == std::future_status::timeout);
    source.request_stop();
    QVERIFY(done.wait_for(std::chrono::seconds(1)) == std::future_status::ready);
    QCOMPARE(done.get().error().code, ErrorCode::Cancelled);
}

void ConnectErrorsTest::statementsAreNamed_data()
{
    QTest::addColumn<QString>("setUp");
    QTest::addColumn<QString>("sql");
    QTest::addColumn<bool>("asRoot");
    QTest::addColumn<QString>("id");
    const auto row = [](const char *id, const char *sql, bool asRoot = false,
                        const char *setUp = "SELECT 1") {
        QTest::addRow("%s: %.30s", id, sql) << QString::fromUtf8(setUp) << QString::fromUtf8(sql)
                                            << asRoot << QString::fromUtf8(id);
    };
    row("mysql-privilege-missing", "USE mysql");                   // 1044
    row("mysql-unknown-database", "USE nowhere", true);            // 1049
    row("mysql-privilege-missing", "FLUSH TABLES WITH READ LOCK"); // 1227
    row("mysql-table-denied", "DELETE FROM d.t");                  // 1142
    row("mysql-table-denied", "UPDATE d.t SET v=1", false,
        "REVOKE ALL ON d.* FROM app; GRANT SELECT, UPDATE(id) ON d.t TO app");               // 1143
    row("mysql-duplicate-key", "INSERT INTO d.t VALUES (1,1)");                              // 1062
    row("mysql-read-only", "INSERT INTO d.t VALUES (9,9)", false, "SET GLOBAL read_only=1"); // 1290
    row("mysql-triggers-need-super",
        "CREATE TRIGGER d.x BEFORE INSERT ON d.t FOR EACH ROW SET NEW.v=1", false,
        "GRANT TRIGGER ON d.* TO app"); // 1419
    row("mysql-function-not-deterministic",
        "CREATE FUNCTION d.f() RETURNS INT RETURN (SELECT COUNT(*) FROM d.t)", true); // 1418
    row("mysql-disk-full",
        "INSERT INTO d.m SELECT a.id*1000+b.id, REPEAT('x',250) FROM d.n a, d.n "
        "b",
        true,
        "SET GLOBAL max_heap_table_size=16384; CREATE TABLE d.n (id INT PRIMARY KEY); INSERT INTO "
        "d.n VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12)"); // 1114
    row("mysql-statement-failed", "SELEC 1");                             // 1064
}

void ConnectErrorsTest::statementsAreNamed()
{
    QFETCH(QString, setUp);
    QFETCH(QString, sql);
    QFETCH(bool, asRoot);
    server().exec(setUp);
    const Address a = asRoot ? server().address() : as("app");
    const auto s = must(Session::open(a, Use::Control, {}));
    if (sql.contains(QLatin1String("d.m "))) {
        must(s->exec(QStringLiteral("SET max_heap_table_size=16384")));
        must(s->exec(QStringLiteral("CREATE TABLE d.m (id INT, t CHAR(250)) ENGINE=MEMORY")));
    }
    const Status done = s->exec(sql);
    server().exec(QStringLiteral("SET GLOBAL read_only=0; SET GLOBAL "
                                 "max_heap_table_size=16777216"));
    QVERIFY(!done);
    QTEST(done.error().id, "id");
    QCOMPARE(done.error().code, ErrorCode::Server);
    QVERIFY(!done.error().serverWords.isEmpty());
}

void ConnectErrorsTest::lockWaitAndDeadlock()
{
    const auto a = must(Session::open(server().address(), Use::Control, {}));
    const auto b = must(Session::open(server().address(), Use::Control, {}));
    must(b->exec(QStringLiteral("SET innodb_lock_wait_timeout=1")));
    must(a->exec(QStringLiteral("START TRANSACTION")));
    must(b->exec(QStringLiteral("START TRANSACTION")));
    must(a->exec(QStringLiteral("UPDATE d.t SET v=10 WHERE id=1")));
    QCOMPARE(b->exec(QStringLiteral("UPDATE d.t SET v=10 WHERE id=1")).error().id,
             QStringLiteral("mysql-lock-wait-timeout"));
    must(b->exec(QStringLiteral("SET innodb_lock_wait_timeout=50")));
    must(b->exec(QStringLiteral("UPDATE d.t SET v=20 WHERE id=2")));
    auto first = std::async(std::launch::async, [&] {
        return a->exec(QStringLiteral("UPDATE d.t SET v=11 WHERE id=2"));
    });
    const Status second = b->exec(QStringLiteral("UPDATE d.t SET v=21 WHERE id=1"));
    const Status firstDone = first.get();
    QVERIFY(!second || !firstDone);
    QCOMPARE((second ? firstDone : second).error().id, QStringLiteral("mysql-deadlock"));
}

void ConnectErrorsTest::packetTooLarge()
{
    const QString before = server().scalar(QStringLiteral("SELECT @@GLOBAL.max_allowed_packet"));
    server().exec(QStringLiteral("SET GLOBAL max_allowed_packet=1048576"));
    const auto s = must(Session::open(server().address(), Use::Control, {}));
    const Status done = s->execBytes("SELECT '" + std::string(3'000'000, 'x') + "'");
    server().exec(QStringLiteral("SET GLOBAL max_allowed_packet=") + before);
    QVERIFY(!done);
    // The server closes in the middle of the packet: its words may not get through.
    QVERIFY2(done.error().id == QLatin1String("mysql-max-allowed-packet") ||
                 done.error().id == QLatin1String("mysql-connection-lost"),
             qPrintable(done.error().describe()));
}

void ConnectErrorsTest::lossIsNoticed()
{
    TcpProxy proxy(server().port());
    Address a = server().address();
    a.port = proxy.port();
    const auto s = must(Session::open(a, Use::Control, {}));
    must(s->query(QStringLiteral("SELECT 1")));
    QVERIFY(!s->isDead());
    auto waiting = std::async(std::launch::async,
                              [&] { return s->query(QStringLiteral("SELECT SLEEP(30)")); });
    QTRY_VERIFY(!server()
                     .query(QStringLiteral("SELECT 1 FROM information_schema.processlist WHERE "
                                           "info LIKE 'SELECT SLEEP%'"))
                     .empty());
    proxy.cut();
    const auto lost = waiting.get();
    QVERIFY(!lost);
    QCOMPARE(lost.error().code, ErrorCode::ConnectionLost);
    QVERIFY(lost.error().isTransient());
    QVERIFY(s->isDead());
}

void ConnectErrorsTest::probeTellsHowFarItGets()
{
    std::vector<ProbeStage> seen;
    const auto note = [&](const ProbeStep &s) { seen.push_back(s.stage); };
    const ConnectionProbe good = probe(server().address({}, {}, QStringLiteral("d")), note, {});
    QVERIFY2(!good.error, good.error ? qPrintable(good.error->describe()) : "");
    QCOMPARE(seen.size(), std::size_t(5));
    QVERIFY(good.schemas.contains(QStringLiteral("d")));
    QCOMPARE(good.tables, 1);
    QVERIFY(good.dataBytes > 0);
    QVERIFY(!good.facts.version.isEmpty());

    const ConnectionProbe denied = probe(as("app", "wrong-word"), note, {});
    QCOMPARE(denied.steps.back().stage, ProbeStage::SignIn);
    QVERIFY(!denied.steps.back().passed);
    QCOMPARE(denied.error->number, 1045);

    Address nowhere = as("app");
    nowhere.host = QStringLiteral("no-such-host.invalid");
    const ConnectionProbe lost = probe(nowhere, note, {});
    QCOMPARE(lost.steps.size(), std::size_t(1));
    QCOMPARE(lost.error->id, QStringLiteral("mysql-unknown-host"));

    const BlackHole hole;
    Address dropped = as("app");
    dropped.port = hole.port();
    dropped.connectTimeout = std::chrono::seconds(1);
    const ConnectionProbe silent = probe(dropped, note, {});
    QCOMPARE(silent.steps.back().stage, ProbeStage::Tcp);
    QCOMPARE(silent.error->id, QStringLiteral("mysql-connect-timeout"));
}

void ConnectErrorsTest::probeTellsAForeignServer()
{
    // Accepts, waits for the client to speak first, as PostgreSQL does.
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof a;
    QVERIFY(::bind(listener, reinterpret_cast<sockaddr *>(&a), size) == 0 &&
            ::listen(listener, 5) == 0 &&
            ::getsockname(listener, reinterpret_cast<sockaddr *>(&a), &size) == 0);
    Address address = as("app");
    address.port = ntohs(a.sin_port);
    address.connectTimeout = std::chrono::seconds(1);
    const ConnectionProbe p = probe(address, [](const ProbeStep &) {}, {});
    ::close(listener);
    QCOMPARE(p.error->id, QStringLiteral("mysql-not-a-mysql-server"));
}

QTEST_GUILESS_MAIN(ConnectErrorsTest)
#include "ConnectErrorsTest.moc"
