#include "servers/Backend.h"
#include "servers/Support.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <csignal>

#include <libpq-fe.h>

namespace causeway::test {
namespace {

constexpr int kTemplateVersion = 1;

class PostgresBackend final : public Backend {
public:
    explicit PostgresBackend(ServerOptions options) : m_options(std::move(options)) {}

    void prepare(const QString &home) override
    {
        copyTree(templateFolder(), home + QStringLiteral("/data"));
        giveAway(home);
    }

    Launch launch(const QString &home, quint16 port) override
    {
        QStringList command{tool("postgres"), QStringLiteral("-D"), home + QStringLiteral("/data")};
        QStringList settings{QStringLiteral("listen_addresses=127.0.0.1"),
                             QStringLiteral("port=%1").arg(port),
                             QStringLiteral("unix_socket_directories=%1").arg(home),
                             QStringLiteral("shared_buffers=32MB"),
                             QStringLiteral("wal_level=logical"),
                             QStringLiteral("log_line_prefix=%m [%p] ")};
        settings += m_options.settings;
        for (const QString &setting : settings)
            command << QStringLiteral("-c") << setting;
        // "Fast" shutdown to stop; "immediate" when the test program dies: the postmaster then
        // takes its children with it.
        return {command, home + QStringLiteral("/error.log"), SIGINT, SIGQUIT, true};
    }

    bool isReady(const QString &home, quint16 port) override
    {
        PGconn *connection = open(home, port, {});
        const bool ready = PQstatus(connection) == CONNECTION_OK;
        PQfinish(connection);
        return ready;
    }

    std::vector<TestRow> run(const QString &home, quint16 port, const QString &sql,
                             const QString &database) override
    {
        PGconn *connection = open(home, port, database);
        if (PQstatus(connection) != CONNECTION_OK)
            fatal(QStringLiteral("%1 for: %2")
                      .arg(QString::fromUtf8(PQerrorMessage(connection)), sql.left(2000)));
        PGresult *result = PQexec(connection, sql.toUtf8().constData());
        const ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
            fatal(QStringLiteral("%1 in: %2")
                      .arg(QString::fromUtf8(PQresultErrorMessage(result)), sql.left(2000)));
        std::vector<TestRow> rows;
        const int columns = PQnfields(result);
        for (int r = 0; r < PQntuples(result); ++r) {
            TestRow row(static_cast<std::size_t>(columns));
            for (int c = 0; c < columns; ++c) {
                if (PQgetisnull(result, r, c) == 0)
                    row[static_cast<std::size_t>(c)] =
                        std::string(PQgetvalue(result, r, c),
                                    static_cast<std::size_t>(PQgetlength(result, r, c)));
            }
            rows.push_back(std::move(row));
        }
        PQclear(result);
        PQfinish(connection);
        return rows;
    }

private:
    // Debian's own 15; others are fetched. They cannot lie in root's cache: the server runs as
    // another user then.
    [[nodiscard]] QString tool(const char *name) const
    {
        const QString file = QLatin1String(name);
        const QString debian =
            QStringLiteral("/usr/lib/postgresql/%1/bin/").arg(m_options.postgresMajor);
        if (QFileInfo::exists(debian + file))
            return debian + file;
        return fetchedTree(QStringLiteral("get-postgres.sh"), m_options.postgresMajor,
                           sharedCacheFolder() +
                               QStringLiteral("/postgres-%1").arg(m_options.postgresMajor)) +
               QStringLiteral("/bin/") + file;
    }

    static PGconn *open(const QString &home, quint16 port, const QString &database)
    {
        const QByteArray host = QFile::encodeName(home);
        const QByteArray portText = QByteArray::number(port);
        const QByteArray name = database.isEmpty() ? "postgres" : database.toUtf8();
        const char *keys[] = {"host", "port", "user", "password", "dbname", "connect_timeout",
                              nullptr};
        const char *values[] = {host.constData(), portText.constData(),
                                "postgres",       kSuperuserPassword,
                                name.constData(), "30",
                                nullptr};
        PGconn *connection = PQconnectdbParams(keys, values, 0);
        PQsetNoticeProcessor(
            connection, [](void *, const char *) {}, nullptr);
        PQsetClientEncoding(connection, "UTF8");
        return connection;
    }

    [[nodiscard]] QString templateFolder() const
    {
        QString folder = cacheFolder() + QStringLiteral("/postgres-data-%1-%2")
                                             .arg(m_options.postgresMajor)
                                             .arg(kTemplateVersion);
        const FileLock lock(folder + QStringLiteral(".lock"), FileLock::Wait::Yes);
        if (!QFileInfo::exists(folder)) {
            const ServerFolder work;
            const QString home = work.path();
            const QString secret = home + QStringLiteral("/secret");
            QFile file(secret);
            if (!file.open(QIODevice::WriteOnly))
                fatal(QStringLiteral("cannot write %1").arg(secret));
            file.write(kSuperuserPassword);
            file.close();
            giveAway(home);
            runTool({tool("initdb"), QStringLiteral("--pgdata=%1/data").arg(home),
                     QStringLiteral("--username=postgres"), QStringLiteral("--encoding=UTF8"),
                     QStringLiteral("--locale=C.UTF-8"), QStringLiteral("--auth=scram-sha-256"),
                     QStringLiteral("--pwfile=%1").arg(secret), QStringLiteral("--no-sync")},
                    home + QStringLiteral("/initdb.log"), true);
            const QString half = folder + QStringLiteral(".new");
            QDir(half).removeRecursively();
            copyTree(home + QStringLiteral("/data"), half);
            if (!QDir().rename(half, folder))
                fatal(QStringLiteral("cannot rename %1").arg(half));
        }
        return folder;
    }

    ServerOptions m_options;
};

} // namespace

QString postgresClientFolder(const QString &major)
{
    QString debian = QStringLiteral("/usr/lib/postgresql/%1/bin").arg(major);
    if (QFileInfo::exists(debian + QStringLiteral("/pg_dump")))
        return debian;
    return fetchedTree(QStringLiteral("get-postgres-client.sh"), major,
                       cacheFolder() + QStringLiteral("/postgres-client-%1").arg(major)) +
           QStringLiteral("/programs");
}

std::unique_ptr<Backend> makePostgresBackend(const ServerOptions &options)
{
    return std::make_unique<PostgresBackend>(options);
}

} // namespace causeway::test
