#include "mysql/Parts.h"
#include "servers/TestServer.h"

#include <QTest>

#include <algorithm>

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
} // namespace

/// What a server says of itself, and who is connected to it.
class ConnectFactsTest : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<TestServer> m_servers[2];
    TestServer &server()
    {
        QFETCH_GLOBAL(int, product);
        return *m_servers[product];
    }
    bool isMySql() { return server().product() == Product::MySql; }
    std::unique_ptr<Session> open(const Address &a)
    {
        return must(Session::open(a, Use::Control, {}));
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
            "DROP DATABASE IF EXISTS d; CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY) "
            "ENGINE=InnoDB; DROP USER IF EXISTS app; CREATE USER app IDENTIFIED BY 'pass-word'; "
            "GRANT ALL ON d.* TO app"));
    }

    void readsProductVersionAndIdentity();
    void recognisesRdsByItsProcedures();
    void seesReadOnly();
    void capabilitiesFollowRights();
    void tellsClientsFromOurselves();
};

void ConnectFactsTest::readsProductVersionAndIdentity()
{
    const ServerFacts f = must(readFacts(*open(server().address()), {}));
    QCOMPARE(f.isMariaDb, !isMySql());
    QCOMPARE(f.product, isMySql() ? QStringLiteral("MySQL") : QStringLiteral("MariaDB"));
    QVERIFY(f.versionNumber >= 50600 && f.versionNumber < 200000);
    QVERIFY(server().scalar(QStringLiteral("SELECT VERSION()")).startsWith(f.version.left(4)));
    QVERIFY(f.platform == Platform::SelfManaged);
    if (isMySql())
        QCOMPARE(f.identity, server().scalar(QStringLiteral("SELECT @@server_uuid")));
    else
        QVERIFY(f.identity.contains(server().scalar(QStringLiteral("SELECT @@datadir"))));
    QCOMPARE(must(readFacts(*open(server().address()), {})).identity, f.identity);
}

void ConnectFactsTest::recognisesRdsByItsProcedures()
{
    server().exec(QStringLiteral("CREATE PROCEDURE mysql.rds_show_configuration() SELECT 1"));
    const ServerFacts f = must(readFacts(*open(server().address()), {}));
    server().exec(QStringLiteral("DROP PROCEDURE mysql.rds_show_configuration"));
    QVERIFY(f.platform == Platform::Rds);
}

void ConnectFactsTest::seesReadOnly()
{
    const auto s = open(server().address());
    QVERIFY(!must(readFacts(*s, {})).readOnly);
    server().exec(QStringLiteral("SET GLOBAL read_only=1"));
    const bool seen = must(readFacts(*s, {})).readOnly;
    server().exec(QStringLiteral("SET GLOBAL read_only=0"));
    QVERIFY(seen);
}

void ConnectFactsTest::capabilitiesFollowRights()
{
    const Capabilities all = must(readCapabilities(*open(server().address()), {}));
    QVERIFY(all.follow.yes && all.reverse.yes && all.seal.yes && all.sessionFence.yes &&
            all.triggers.yes);
    const Capabilities few = must(readCapabilities(
        *open(server().address(QStringLiteral("app"), QStringLiteral("pass-word"))), {}));
    QVERIFY(!few.follow.yes);
    QVERIFY(few.follow.why.english().contains(QStringLiteral("REPLICATION SLAVE")));
    QVERIFY(!few.triggers.yes); // binary log, no SUPER
    QVERIFY(!few.seal.yes);
    QVERIFY(!few.seal.why.isEmpty());
}

void ConnectFactsTest::tellsClientsFromOurselves()
{
    // The application speaks through the tests' own client: it does not call itself causeway.
    server().exec(QStringLiteral("SET GLOBAL event_scheduler=OFF"));
    const auto ours = open(server().address());
    const auto watcher = open(server().address());
    must(ours->exec(QStringLiteral("START TRANSACTION")));
    must(ours->exec(QStringLiteral("INSERT INTO d.t VALUES (1)")));
    const auto clients = must(readLiveClients(*watcher, {}));
    const auto find = [&](quint64 id) {
        return std::find_if(clients.begin(), clients.end(),
                            [id](const LiveClient &c) { return c.id == qint64(id); });
    };
    QVERIFY(find(ours->connectionId()) != clients.end());
    QVERIFY(find(ours->connectionId())->ours);
    QVERIFY(find(ours->connectionId())->holdsTransaction);
    QVERIFY(find(watcher->connectionId())->ours);
    QVERIFY(!find(watcher->connectionId())->holdsTransaction);
    QCOMPARE(find(ours->connectionId())->host, QStringLiteral("127.0.0.1"));
    for (const LiveClient &c : clients)
        QVERIFY(c.account != QLatin1String("event_scheduler"));
    const QString id = server().scalar(QStringLiteral("SELECT CONNECTION_ID()"));
    const auto again = must(readLiveClients(*watcher, {}));
    for (const LiveClient &c : again)
        QVERIFY2(c.ours == (c.id == qint64(ours->connectionId()) ||
                            c.id == qint64(watcher->connectionId())),
                 qPrintable(id));
}

QTEST_GUILESS_MAIN(ConnectFactsTest)
#include "ConnectFactsTest.moc"
