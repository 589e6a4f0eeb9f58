#include "servers/TestServer.h"

#include "servers/Backend.h"
#include "servers/Support.h"

#include <QUrl>

#include <sys/wait.h>

namespace causeway::test {

namespace {
/// Tests with servers take as long as they take, on a busy machine and at full size: ctest limits
/// the program, Qt Test (5 minutes by default) not its functions.
[[maybe_unused]] const bool patient = qputenv("QTEST_FUNCTION_TIMEOUT", "86400000");
} // namespace

struct TestServer::Private {
    std::unique_ptr<Backend> backend;
    ServerFolder folder;
    PortLease lease;
    ServerProcess process;

    [[nodiscard]] QString log() const { return folder.path() + QStringLiteral("/error.log"); }

    /// True once the server takes statements; false where it ended before.
    bool launch()
    {
        constexpr auto kPatience = std::chrono::minutes(3); // sanitizers, and a busy machine
        process.start(backend->launch(folder.path(), lease.port()));
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (!backend->isReady(folder.path(), lease.port())) {
            if (process.waitForEnd(std::chrono::milliseconds(20)))
                return false;
            if (std::chrono::steady_clock::now() > deadline) {
                const QString tail = tailOf(log());
                process.kill();
                fatal(QStringLiteral("a server did not become ready in time:\n%1").arg(tail));
            }
        }
        return true;
    }

    [[nodiscard]] bool portWasTaken() const
    {
        const QString tail = tailOf(log());
        return tail.contains(QLatin1String("Address already in use")) ||
               tail.contains(QLatin1String("Do you already have another"));
    }
};

namespace {

QString name(Product product)
{
    switch (product) {
    case Product::MariaDb:
        return QStringLiteral("mariadb");
    case Product::MySql:
        return QStringLiteral("mysql");
    case Product::Postgres:
        break;
    }
    return QStringLiteral("postgresql");
}

} // namespace

TestServer::TestServer(const ServerOptions &options)
    : d(std::make_unique<Private>()), m_options(options)
{
    d->backend = options.product == Product::Postgres ? makePostgresBackend(options)
                                                      : makeMySqlBackend(options);
    d->backend->prepare(d->folder.path());
    for (int attempt = 0; !d->launch(); ++attempt) {
        if (attempt == 5 || !d->portWasTaken())
            fatal(QStringLiteral("%1 did not start (status %2):\n%3")
                      .arg(name(options.product))
                      .arg(d->process.exitStatus())
                      .arg(tailOf(d->log())));
        d->lease = PortLease();
    }
    m_port = d->lease.port();
}

// Killed, not stopped: nobody reads these data again, and an orderly end takes a second.
TestServer::~TestServer()
{
    d->process.kill();
}

QString TestServer::dataDir() const
{
    return d->folder.path() + QStringLiteral("/data");
}

Address TestServer::address(const QString &user, const QString &password,
                            const QString &database) const
{
    Address address;
    const bool postgres = m_options.product == Product::Postgres;
    address.engine = postgres                                ? Engine::Postgres
                     : m_options.product == Product::MariaDb ? Engine::MariaDb
                                                             : Engine::MySql;
    address.host = QStringLiteral("127.0.0.1");
    address.port = m_port;
    address.database = postgres && database.isEmpty() ? QStringLiteral("postgres") : database;
    if (user.isEmpty()) {
        address.user = postgres ? QStringLiteral("postgres") : QStringLiteral("root");
        address.password =
            Secret(password.isEmpty() ? QString::fromLatin1(kSuperuserPassword) : password);
    } else {
        address.user = user;
        address.password = Secret(password);
    }
    return address;
}

QString TestServer::url(const QString &database, const QString &user, const QString &password) const
{
    const Address a = address(user, password, database);
    QString result =
        QStringLiteral("%1://%2:%3@%4:%5")
            .arg(name(m_options.product), QString::fromLatin1(QUrl::toPercentEncoding(a.user)),
                 QString::fromLatin1(
                     QUrl::toPercentEncoding(QString::fromUtf8(a.password.reveal()))),
                 a.host)
            .arg(a.port);
    if (!a.database.isEmpty())
        result += u'/' + QString::fromLatin1(QUrl::toPercentEncoding(a.database));
    return result;
}

void TestServer::exec(const QString &sql, const QString &database)
{
    d->backend->run(d->folder.path(), m_port, sql, database);
}

std::vector<TestRow> TestServer::query(const QString &sql, const QString &database)
{
    return d->backend->run(d->folder.path(), m_port, sql, database);
}

QString TestServer::scalar(const QString &sql, const QString &database)
{
    const std::vector<TestRow> rows = query(sql, database);
    if (rows.empty() || rows.front().empty() || !rows.front().front())
        return {};
    return QString::fromStdString(*rows.front().front());
}

void TestServer::stop()
{
    d->process.stop();
}

void TestServer::kill()
{
    d->process.kill();
}

void TestServer::start()
{
    if (d->process.isRunning())
        return;
    if (!d->launch())
        fatal(QStringLiteral("%1 did not start again (status %2):\n%3")
                  .arg(name(m_options.product))
                  .arg(d->process.exitStatus())
                  .arg(tailOf(d->log())));
}

void TestServer::suspend()
{
    d->process.suspend();
}

void TestServer::resume()
{
    d->process.resume();
}

qint64 TestServer::pid() const
{
    return d->process.pid();
}

} // namespace causeway::test
