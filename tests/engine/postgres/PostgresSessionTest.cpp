// One connection: what becomes of it when the server ends it, and what it does not take over.

#include "postgres/PostgresSession.h"
#include "servers/TestServer.h"

#include <QtTest>

#include <sys/socket.h>

#include <unistd.h>

#include <array>

using namespace causeway;
using namespace causeway::postgres;
using namespace causeway::test;

class PostgresSessionTest : public QObject {
    Q_OBJECT

    std::unique_ptr<TestServer> m_server;

private Q_SLOTS:
    void initTestCase()
    {
        ServerOptions options;
        options.product = Product::Postgres;
        options.postgresMajor = QStringLiteral("18");
        m_server = std::make_unique<TestServer>(options);
    }

    /// libpq closes its socket when the server is gone, and somebody else gets the number.
    void interruptsNobodyElse()
    {
        const auto session =
            Session::open(m_server->address({}, {}, QStringLiteral("postgres")), {});
        QVERIFY(session.has_value());
        m_server->exec(
            QStringLiteral("SELECT pg_terminate_backend(%1)").arg((*session)->backendPid()));
        QTRY_VERIFY(!(*session)->exec(QStringLiteral("SELECT 1")));
        QTRY_VERIFY((*session)->isDead());
        std::array<std::array<int, 2>, 16> pairs{};
        for (auto &pair : pairs)
            QVERIFY(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0);
        (*session)->interrupt();
        for (const auto &[one, other] : pairs) {
            char byte = 'x';
            QCOMPARE(::send(one, &byte, 1, MSG_NOSIGNAL), ssize_t(1));
            QCOMPARE(::recv(other, &byte, 1, 0), ssize_t(1));
            ::close(one);
            ::close(other);
        }
    }

    void takesNoTimeOutOver()
    {
        m_server->exec(QStringLiteral(
            "CREATE ROLE hasty LOGIN PASSWORD 'hasty-secret'; ALTER ROLE hasty SET "
            "transaction_timeout = '50ms'; ALTER ROLE hasty SET idle_session_timeout = '50ms'; "
            "ALTER ROLE hasty SET statement_timeout = '50ms'; ALTER ROLE hasty SET array_nulls = "
            "off"));
        const auto session =
            Session::open(m_server->address(QStringLiteral("hasty"), QStringLiteral("hasty-secret"),
                                            QStringLiteral("postgres")),
                          {});
        QVERIFY(session.has_value());
        QVERIFY((*session)->exec(QStringLiteral("BEGIN; SELECT pg_sleep(0.3)")).has_value());
        const auto row = (*session)->query(QStringLiteral("SELECT '{NULL}'::text[] IS NULL, "
                                                          "('{NULL}'::text[])[1] IS NULL"));
        QVERIFY(row.has_value() && row->isTrue(0, 1));
    }
};

QTEST_GUILESS_MAIN(PostgresSessionTest)
#include "PostgresSessionTest.moc"
