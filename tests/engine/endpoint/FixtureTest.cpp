// The test servers themselves: what every other engine test builds on.

#include "servers/MySqlClient.h"
#include "servers/TestServer.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QtTest>

#include <csignal>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace causeway;
using namespace causeway::test;

Q_DECLARE_METATYPE(causeway::test::Product)

namespace {

ServerOptions options(Product product)
{
    ServerOptions o;
    o.product = product;
    return o;
}

/// A server of a few lines that sends back what it gets.
class Echo {
public:
    Echo()
    {
        m_listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        (void)::bind(m_listener, reinterpret_cast<sockaddr *>(&address), sizeof address);
        socklen_t size = sizeof address;
        ::getsockname(m_listener, reinterpret_cast<sockaddr *>(&address), &size);
        m_port = ntohs(address.sin_port);
        ::listen(m_listener, 16);
        m_thread = std::thread([this] {
            for (;;) {
                const int fd = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC);
                if (fd < 0)
                    return;
                m_clients.emplace_back([fd] {
                    char buffer[4096];
                    ssize_t got = 0;
                    while ((got = ::recv(fd, buffer, sizeof buffer, 0)) > 0)
                        (void)!::send(fd, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL);
                    ::close(fd);
                });
            }
        });
    }
    ~Echo()
    {
        ::shutdown(m_listener, SHUT_RDWR);
        m_thread.join();
        ::close(m_listener);
        for (std::thread &client : m_clients)
            client.join();
    }
    Echo(const Echo &) = delete;
    Echo &operator=(const Echo &) = delete;
    [[nodiscard]] quint16 port() const { return m_port; }

private:
    int m_listener = -1;
    quint16 m_port = 0;
    std::thread m_thread;
    std::vector<std::thread> m_clients;
};

/// A client socket with a time-out on everything.
class Client {
public:
    explicit Client(quint16 port) : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        m_connected = ::connect(m_fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0;
    }
    ~Client() { ::close(m_fd); }
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;
    [[nodiscard]] bool connected() const { return m_connected; }
    bool send(const QByteArray &bytes)
    {
        return ::send(m_fd, bytes.constData(), static_cast<std::size_t>(bytes.size()),
                      MSG_NOSIGNAL) == bytes.size();
    }
    /// Up to `size` bytes; fewer when the time is over or the connection ended.
    QByteArray receive(qsizetype size, int milliseconds = 5000)
    {
        QByteArray result;
        QElapsedTimer timer;
        timer.start();
        while (result.size() < size && timer.elapsed() < milliseconds) {
            pollfd fd{m_fd, POLLIN, 0};
            if (::poll(&fd, 1, milliseconds - static_cast<int>(timer.elapsed())) <= 0)
                break;
            char buffer[4096];
            const ssize_t got =
                ::recv(m_fd, buffer,
                       std::min<std::size_t>(sizeof buffer,
                                             static_cast<std::size_t>(size - result.size())),
                       0);
            if (got <= 0) {
                m_ended = true;
                break;
            }
            result.append(buffer, got);
        }
        return result;
    }
    [[nodiscard]] bool ended() const { return m_ended; }

private:
    int m_fd;
    bool m_connected = false;
    bool m_ended = false;
};

} // namespace

class FixtureTest : public QObject {
    Q_OBJECT

    static void products()
    {
        QTest::addColumn<Product>("product");
        QTest::newRow("MariaDB") << Product::MariaDb;
        QTest::newRow("MySQL") << Product::MySql;
        QTest::newRow("PostgreSQL") << Product::Postgres;
    }

private Q_SLOTS:
    void runsSideBySideAndKeepsDataOverRestarts_data() { products(); }
    void runsSideBySideAndKeepsDataOverRestarts();
    void signsInOverTcpAsSuperuser();
    void postgresOfOtherMajorsRuns_data();
    void postgresOfOtherMajorsRuns();
    void mySqlFamilyLogsRows();
    void settingsReachTheServer();
    void suspendedServerStopsAnswering_data() { products(); }
    void suspendedServerStopsAnswering();
    void serverMadeOnAThreadOutlivesThatThread();
    void serverDiesWithItsProgram_data() { products(); }
    void serverDiesWithItsProgram();
    void folderIsRemoved();
    void proxyForwards();
    void proxyCutsAndAcceptsAgain();
    void proxyRefuses();
    void proxyStalls();
    void proxyLeavesHalfOpen();
    void proxyCutsAfterSoManyBytes();
};

void FixtureTest::runsSideBySideAndKeepsDataOverRestarts()
{
    QFETCH(Product, product);
    QElapsedTimer timer;
    timer.start();
    TestServer a(options(product));
    qInfo() << "ready after" << timer.restart() << "ms";
    TestServer b(options(product));
    qInfo() << "second after" << timer.elapsed() << "ms";
    QVERIFY(a.port() != b.port());
    QVERIFY(a.pid() != b.pid());
    a.exec(QStringLiteral("CREATE DATABASE one"));
    a.exec(QStringLiteral("CREATE TABLE t (id int primary key, v varchar(20));"
                          "INSERT INTO t VALUES (1, 'kept'), (2, NULL)"),
           QStringLiteral("one"));
    b.exec(QStringLiteral("CREATE DATABASE one"));

    timer.restart();
    a.stop();
    QCOMPARE(a.pid(), -1);
    a.start();
    qInfo() << "restarted in" << timer.restart() << "ms";
    auto rows = a.query(QStringLiteral("SELECT id, v FROM t ORDER BY id"), QStringLiteral("one"));
    QCOMPARE(rows.size(), std::size_t(2));
    QCOMPARE(*rows[0][1], std::string("kept"));
    QVERIFY(!rows[1][1].has_value());

    const quint16 port = a.port();
    a.exec(QStringLiteral("INSERT INTO t VALUES (3, 'committed')"), QStringLiteral("one"));
    timer.restart();
    a.kill();
    a.start();
    qInfo() << "recovered in" << timer.elapsed() << "ms";
    QCOMPARE(a.port(), port);
    QCOMPARE(a.scalar(QStringLiteral("SELECT v FROM t WHERE id = 3"), QStringLiteral("one")),
             QStringLiteral("committed"));
}

void FixtureTest::signsInOverTcpAsSuperuser()
{
    for (const Product product : {Product::MariaDb, Product::MySql}) {
        TestServer server(options(product));
        MySqlClient client;
        SqlOutcome outcome = client.connect(server.address());
        QVERIFY2(outcome.ok(), outcome.words.c_str());
        std::vector<TestRow> rows;
        outcome = client.run("SELECT CURRENT_USER(), @@server_id", &rows);
        QVERIFY2(outcome.ok(), outcome.words.c_str());
        QCOMPARE(*rows[0][0], std::string("root@%"));
        QCOMPARE(QString::fromStdString(*rows[0][1]), QString::number(server.port()));
        outcome = client.run("CREATE USER u@'%' IDENTIFIED BY 'x y@z';"
                             "GRANT SELECT ON *.* TO u@'%' WITH GRANT OPTION");
        QVERIFY2(outcome.ok(), outcome.words.c_str());
        outcome = client.connect(server.address(QStringLiteral("u"), QStringLiteral("x y@z")));
        QVERIFY2(outcome.ok(), outcome.words.c_str());
        outcome = client.connect(server.address(QStringLiteral("u"), QStringLiteral("wrong")));
        QCOMPARE(outcome.number, 1045U);
        QCOMPARE(server.url(QStringLiteral("shop"), QStringLiteral("u"), QStringLiteral("x y@z")),
                 QStringLiteral("%1://u:x%20y%40z@127.0.0.1:%2/shop")
                     .arg(product == Product::MySql ? QStringLiteral("mysql")
                                                    : QStringLiteral("mariadb"))
                     .arg(server.port()));
    }
}

void FixtureTest::postgresOfOtherMajorsRuns_data()
{
    QTest::addColumn<QString>("major");
    QStringList majors{QStringLiteral("18")};
    if (qEnvironmentVariableIsSet("CAUSEWAY_LONG"))
        majors << QStringLiteral("12") << QStringLiteral("13") << QStringLiteral("14")
               << QStringLiteral("16") << QStringLiteral("17");
    for (const QString &major : std::as_const(majors))
        QTest::newRow(qPrintable(major)) << major;
}

void FixtureTest::postgresOfOtherMajorsRuns()
{
    QFETCH(QString, major);
    ServerOptions o = options(Product::Postgres);
    o.postgresMajor = major;
    TestServer server(o);
    QCOMPARE(server.scalar(QStringLiteral("SELECT current_setting('server_version_num')::int / "
                                          "10000")),
             major);
    // Contrib modules and logical decoding are there.
    server.exec(
        QStringLiteral("CREATE EXTENSION hstore; CREATE TABLE t(id int PRIMARY KEY, h hstore)"));
    server.exec(QStringLiteral("SELECT pg_create_logical_replication_slot('s', 'pgoutput')"));
    server.exec(QStringLiteral("INSERT INTO t VALUES (1, 'a=>1')"));
    server.kill();
    server.start();
    QCOMPARE(server.scalar(QStringLiteral("SELECT h->'a' FROM t")), QStringLiteral("1"));
    QCOMPARE(server.scalar(QStringLiteral("SELECT slot_name FROM pg_replication_slots")),
             QStringLiteral("s"));
}

void FixtureTest::mySqlFamilyLogsRows()
{
    for (const Product product : {Product::MariaDb, Product::MySql}) {
        TestServer server(options(product));
        QCOMPARE(server.scalar(QStringLiteral("SELECT @@log_bin")), QStringLiteral("1"));
        QCOMPARE(server.scalar(QStringLiteral("SELECT @@binlog_format")), QStringLiteral("ROW"));
        QCOMPARE(server.scalar(QStringLiteral("SELECT @@binlog_row_image")),
                 QStringLiteral("FULL"));
        QCOMPARE(server.scalar(QStringLiteral("SELECT @@local_infile")), QStringLiteral("1"));
        QCOMPARE(server.scalar(QStringLiteral("SELECT @@innodb_flush_log_at_trx_commit")),
                 QStringLiteral("1"));
        if (product == Product::MySql) {
            TestServer other(options(product));
            QCOMPARE(server.scalar(QStringLiteral("SELECT @@gtid_mode")), QStringLiteral("ON"));
            QVERIFY(server.scalar(QStringLiteral("SELECT @@server_uuid")) !=
                    other.scalar(QStringLiteral("SELECT @@server_uuid")));
        }
        ServerOptions without = options(product);
        without.binlog = false;
        without.gtid = false;
        TestServer silent(without);
        QCOMPARE(silent.scalar(QStringLiteral("SELECT @@log_bin")), QStringLiteral("0"));
    }
}

void FixtureTest::settingsReachTheServer()
{
    ServerOptions o = options(Product::MariaDb);
    o.settings = {QStringLiteral("--max-connections=77"), QStringLiteral("--read-only=ON")};
    TestServer mariadb(o);
    QCOMPARE(mariadb.scalar(QStringLiteral("SELECT @@max_connections")), QStringLiteral("77"));
    QCOMPARE(mariadb.scalar(QStringLiteral("SELECT @@read_only")), QStringLiteral("1"));
    o = options(Product::Postgres);
    o.settings = {QStringLiteral("wal_level=replica"), QStringLiteral("max_connections=33")};
    TestServer postgres(o);
    QCOMPARE(postgres.scalar(QStringLiteral("SHOW wal_level")), QStringLiteral("replica"));
    QCOMPARE(postgres.scalar(QStringLiteral("SHOW max_connections")), QStringLiteral("33"));
}

void FixtureTest::suspendedServerStopsAnswering()
{
    QFETCH(Product, product);
    TestServer server(options(product));
    QCOMPARE(server.scalar(QStringLiteral("SELECT 1")), QStringLiteral("1"));
    server.suspend();
    // All of the server's processes are stopped, not its first one only.
    QFile children(QStringLiteral("/proc/%1/task/%1/children").arg(server.pid()));
    QVERIFY(children.open(QIODevice::ReadOnly));
    QByteArrayList pids = children.readAll().simplified().split(' ');
    pids.removeAll(QByteArray());
    pids.append(QByteArray::number(server.pid()));
    QCOMPARE(pids.size() > 1, product == Product::Postgres);
    for (const QByteArray &pid : pids) {
        const auto state = [&pid] {
            QFile stat(QStringLiteral("/proc/%1/stat").arg(QString::fromLatin1(pid)));
            (void)stat.open(QIODevice::ReadOnly);
            const QByteArray text = stat.readAll();
            return text.mid(text.lastIndexOf(')') + 2, 1);
        };
        // One that was ending when it was stopped stays a zombie: its parent is stopped too.
        QTRY_VERIFY2(state() == "T" || state() == "Z", state().constData());
    }
    server.resume();
    QCOMPARE(server.scalar(QStringLiteral("SELECT 2")), QStringLiteral("2"));
    server.suspend(); // and a stopped one can be ended
    server.stop();
    server.start();
    QCOMPARE(server.scalar(QStringLiteral("SELECT 3")), QStringLiteral("3"));
}

void FixtureTest::serverMadeOnAThreadOutlivesThatThread()
{
    std::unique_ptr<TestServer> server;
    std::thread([&server] { server = std::make_unique<TestServer>(); }).join();
    for (int i = 0; i < 20; ++i)
        QCOMPARE(server->scalar(QStringLiteral("SELECT 1")), QStringLiteral("1"));
}

// A forked copy of this program starts a server and is killed: neither process is left.
void FixtureTest::serverDiesWithItsProgram()
{
    QFETCH(Product, product);
    { // the templates are made here, where a failure is seen
        const TestServer warm(options(product));
    }
    int pipes[2];
    QCOMPARE(::pipe(pipes), 0);
    const pid_t program = ::fork();
    if (program == 0) {
        const QByteArray kind = QByteArray::number(static_cast<int>(product));
        const QByteArray self = QCoreApplication::applicationFilePath().toUtf8();
        ::dup2(pipes[1], 1);
        ::execl(self.constData(), self.constData(), "--hold", kind.constData(), nullptr);
        _exit(1);
    }
    ::close(pipes[1]);
    QByteArray text;
    char buffer[64];
    ssize_t got = 0;
    while (!text.contains('\n') && (got = ::read(pipes[0], buffer, sizeof buffer)) > 0)
        text.append(buffer, got);
    ::close(pipes[0]);
    const QByteArrayList words = text.simplified().split(' ');
    QCOMPARE(words.size(), 2);
    const QString process = QStringLiteral("/proc/%1").arg(QString::fromLatin1(words[0]));
    const QString folder = QString::fromUtf8(words[1]);
    QVERIFY(QFileInfo::exists(process));
    QVERIFY(QFileInfo::exists(folder));
    // Somebody must collect the orphans: this program, so that /proc tells the truth.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::kill(program, SIGKILL);
    ::waitpid(program, nullptr, 0);
    ::waitpid(words[0].toInt(), nullptr, 0);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
    QVERIFY(!QFileInfo::exists(process));
    QVERIFY(QDir(QFileInfo(folder).path()).removeRecursively());
}

void FixtureTest::folderIsRemoved()
{
    QString folder;
    {
        TestServer server;
        folder = server.dataDir();
        QVERIFY(QFileInfo::exists(folder));
    }
    QVERIFY(!QFileInfo::exists(folder));
    QVERIFY(!QFileInfo::exists(QFileInfo(folder).path()));
}

void FixtureTest::proxyForwards()
{
    Echo echo;
    TcpProxy proxy(echo.port());
    Client client(proxy.port());
    const QByteArray big(300'000, 'x');
    std::thread writer([&] { client.send(big); });
    const QByteArray back = client.receive(big.size());
    writer.join();
    QCOMPARE(back, big);
    // A database speaks through it just the same.
    TestServer server;
    TcpProxy toServer(server.port());
    Address address = server.address();
    address.port = toServer.port();
    MySqlClient sql;
    QVERIFY(sql.connect(address).ok());
    std::vector<TestRow> rows;
    QVERIFY(sql.run("SELECT REPEAT('a', 3000000)", &rows).ok());
    QCOMPARE(rows[0][0]->size(), std::size_t(3'000'000));
    toServer.cut();
    QVERIFY(sql.run("SELECT 1").lost());
}

void FixtureTest::proxyCutsAndAcceptsAgain()
{
    Echo echo;
    TcpProxy proxy(echo.port());
    Client a(proxy.port());
    Client b(proxy.port());
    QVERIFY(a.send("1") && b.send("2"));
    QCOMPARE(a.receive(1), QByteArray("1"));
    QCOMPARE(b.receive(1), QByteArray("2"));
    proxy.cut();
    QCOMPARE(a.receive(1), QByteArray());
    QVERIFY(a.ended());
    QCOMPARE(b.receive(1), QByteArray());
    QVERIFY(b.ended());
    Client c(proxy.port());
    QVERIFY(c.send("3"));
    QCOMPARE(c.receive(1), QByteArray("3"));
}

void FixtureTest::proxyRefuses()
{
    Echo echo;
    TcpProxy proxy(echo.port());
    Client before(proxy.port());
    QVERIFY(before.send("1"));
    QCOMPARE(before.receive(1), QByteArray("1"));
    proxy.refuse(true);
    QVERIFY(!Client(proxy.port()).connected());
    QVERIFY(before.send("2")); // an old connection goes on
    QCOMPARE(before.receive(1), QByteArray("2"));
    proxy.refuse(false);
    Client after(proxy.port());
    QVERIFY(after.connected());
    QVERIFY(after.send("3"));
    QCOMPARE(after.receive(1), QByteArray("3"));
}

void FixtureTest::proxyStalls()
{
    Echo echo;
    TcpProxy proxy(echo.port());
    Client client(proxy.port());
    QVERIFY(client.send("1"));
    QCOMPARE(client.receive(1), QByteArray("1"));
    proxy.stall(true);
    QVERIFY(client.send("2"));
    QCOMPARE(client.receive(1, 300), QByteArray());
    QVERIFY(!client.ended());
    proxy.stall(false);
    QCOMPARE(client.receive(1), QByteArray("2"));
}

void FixtureTest::proxyLeavesHalfOpen()
{
    Echo echo;
    TcpProxy proxy(echo.port());
    Client client(proxy.port());
    QVERIFY(client.send("1"));
    QCOMPARE(client.receive(1), QByteArray("1"));
    proxy.halfOpen();
    QVERIFY(client.send("2"));
    QCOMPARE(client.receive(1, 300), QByteArray());
    QVERIFY(!client.ended()); // told nothing
    Client fresh(proxy.port());
    QVERIFY(fresh.send("3"));
    QCOMPARE(fresh.receive(1), QByteArray("3"));
}

void FixtureTest::proxyCutsAfterSoManyBytes()
{
    Echo echo;
    TcpProxy proxy(echo.port());
    Client client(proxy.port());
    QVERIFY(client.send("0123456789"));
    QCOMPARE(client.receive(10).size(), 10);
    proxy.cutAfter(6); // four there, two back
    QVERIFY(client.send("abcd"));
    QVERIFY(client.receive(4).size() <= 2);
    QVERIFY(client.ended());
    Client next(proxy.port()); // each connection anew
    QVERIFY(next.send("abcdefgh"));
    QCOMPARE(next.receive(1), QByteArray());
    QVERIFY(next.ended());
    proxy.cutAfter(0);
    Client free(proxy.port());
    QVERIFY(free.send("abcdefgh"));
    QCOMPARE(free.receive(8), QByteArray("abcdefgh"));
}

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    if (argc == 3 && qstrcmp(argv[1], "--hold") == 0) {
        TestServer server(options(static_cast<Product>(QByteArray(argv[2]).toInt())));
        std::printf("%lld %s\n", server.pid(), qPrintable(server.dataDir()));
        std::fflush(stdout);
        for (;;)
            ::pause();
    }
    FixtureTest test;
    return QTest::qExec(&test, argc, argv);
}

#include "FixtureTest.moc"
