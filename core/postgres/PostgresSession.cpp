#include "postgres/PostgresSession.h"

#include "base/Secret.h"
#include "base/Stop.h"
#include "postgres/ConnectionParameters.h"
#include "postgres/Resolve.h"

#include <libpq-fe.h>

#include <sys/socket.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

namespace causeway::postgres {

namespace {

using Clock = std::chrono::steady_clock;

struct ClearResult {
    void operator()(PGresult *r) const { PQclear(r); }
};
using ResultPtr = std::unique_ptr<PGresult, ClearResult>;

/// Between looks at the stop token, where no interrupt() can wake the poll (while connecting the
/// socket changes from one address to the next).
constexpr int kSliceMs = 100;

QString oneLine(const char *words)
{
    return redact(QString::fromUtf8(words).simplified());
}

} // namespace

QString ResultSet::text(std::size_t row, std::size_t column) const
{
    if (row >= rows.size() || column >= rows[row].size() || !rows[row][column])
        return {};
    return QString::fromStdString(*rows[row][column]);
}

Session::~Session()
{
    const std::lock_guard lock(m_mutex);
    if (m_socket >= 0)
        ::close(m_socket);
    m_socket = -1;
    if (m_conn)
        PQfinish(m_conn);
}

int Session::version() const
{
    return PQserverVersion(m_conn);
}

int Session::backendPid() const
{
    return PQbackendPID(m_conn);
}

QString Session::tlsVersion() const
{
    return QString::fromLatin1(PQsslAttribute(m_conn, "protocol"));
}

QString Session::tlsCipher() const
{
    return QString::fromLatin1(PQsslAttribute(m_conn, "cipher"));
}

void Session::rememberSocket()
{
    const std::lock_guard lock(m_mutex);
    m_socket = ::fcntl(PQsocket(m_conn), F_DUPFD_CLOEXEC, 0);
}

void Session::interrupt() noexcept
{
    const std::lock_guard lock(m_mutex);
    if (m_interrupted.exchange(true))
        return;
    m_dead = true;
    // PQcancel opens a connection of its own and blocks: nobody waits for it. Without it a
    // statement that waits for a lock would go on waiting on the server after we are gone.
    if (m_conn && m_socket >= 0) {
        if (PGcancel *cancel = PQgetCancel(m_conn)) {
            try {
                std::thread([cancel] {
                    char words[256];
                    PQcancel(cancel, words, sizeof words);
                    PQfreeCancel(cancel);
                }).detach();
            } catch (const std::exception &) {
                PQfreeCancel(cancel);
            }
        }
        ::shutdown(m_socket, SHUT_RDWR);
    }
}

Error Session::connectError(const Address &address) const
{
    Error e;
    e.code = ErrorCode::Connect;
    e.serverWords = oneLine(PQerrorMessage(m_conn));
    e.object = address.display();
    const QString &w = e.serverWords;
    // libpq hands out no SQLSTATE for a failed connection: the words are all there is.
    if (w.contains(QLatin1String("password authentication failed")) ||
        w.contains(QLatin1String("no password supplied"))) {
        e.id = QStringLiteral("pg-access-denied");
        e.sqlState = QStringLiteral("28P01");
        e.message = cwText("core", "%1 refused the user name or the password.", address.display());
        e.fix = cwText("core", "Check the account \"%1\" and its password.", address.user);
    } else if (w.contains(QLatin1String("pg_hba.conf"))) {
        e.id = QStringLiteral("pg-hba");
        e.sqlState = QStringLiteral("28000");
        e.message = cwText("core",
                           "%1 lets nobody in from here with this account, database and "
                           "encryption.",
                           address.display());
        e.fix = cwText("core", "Add a line to pg_hba.conf, or allow this address at the service.");
    } else if (w.contains(QLatin1String("does not exist")) &&
               w.contains(QLatin1String("database"))) {
        e.id = QStringLiteral("pg-no-database");
        e.sqlState = QStringLiteral("3D000");
        e.message = cwText("core", "There is no database \"%1\" on %2.", address.database,
                           address.display());
    } else if (w.contains(QLatin1String("too many clients")) ||
               w.contains(QLatin1String("remaining connection slots"))) {
        e.id = QStringLiteral("pg-too-many-connections");
        e.sqlState = QStringLiteral("53300");
        e.message = cwText("core", "%1 has no free connection.", address.display());
    } else if (w.contains(QLatin1String("SSL")) || w.contains(QLatin1String("certificate"))) {
        e.id = QStringLiteral("pg-tls");
        e.message = cwText("core", "No encrypted connection to %1 that satisfies sslmode=%2.",
                           address.display(), sslMode(address.tls.mode));
    } else {
        e.id = QStringLiteral("pg-connect");
        e.message = cwText("core", "%1 could not be reached.", address.display());
    }
    return e;
}

Error Session::resultError(const PGresult *result) const
{
    Error e;
    e.code = ErrorCode::Server;
    e.sqlState = QString::fromLatin1(PQresultErrorField(result, PG_DIAG_SQLSTATE));
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    e.serverWords = oneLine(primary ? primary : PQerrorMessage(m_conn));
    if (e.sqlState == QLatin1String("42501")) {
        e.id = QStringLiteral("pg-privilege");
        e.message = cwText("core", "The account may not do this.");
    } else if (e.sqlState == QLatin1String("55P03")) {
        e.id = QStringLiteral("pg-lock-timeout");
        e.message = cwText("core", "A lock was not free in time.");
    } else if (e.sqlState.startsWith(QLatin1String("08")) ||
               e.sqlState.startsWith(QLatin1String("57P")) || PQstatus(m_conn) == CONNECTION_BAD) {
        e.code = ErrorCode::ConnectionLost;
        e.id = QStringLiteral("pg-connection-lost");
        e.message = cwText("core", "The connection was lost.");
    } else {
        e.id = QStringLiteral("pg-statement");
        e.message = cwText("core", "The server refused a statement.");
    }
    return e;
}

Result<bool> Session::wait(bool forWrite, Clock::time_point deadline, const std::stop_token &stop)
{
    for (;;) {
        if (stop.stop_requested() || m_interrupted)
            return fail(cancelledError());
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0)
            return false;
        pollfd p{PQsocket(m_conn), static_cast<short>(forWrite ? POLLOUT : POLLIN), 0};
        const int n = ::poll(&p, 1, static_cast<int>(std::min<long long>(left, kSliceMs)));
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return true; // libpq meets the same error and words it
    }
}

Result<std::unique_ptr<Session>> Session::open(const Address &address, std::stop_token stop)
{
    std::unique_ptr<Session> s(new Session);
    CW_TRY(s->connect(address, stop));
    // Whatever the account, the database or the server has as its default.
    CW_TRY(s->exec(
        QStringLiteral("SET search_path = ''; SET statement_timeout = 0; SET lock_timeout = 0; SET "
                       "idle_in_transaction_session_timeout = 0; SET TimeZone = 'UTC'; SET "
                       "DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET "
                       "extra_float_digits = 3; SET bytea_output = 'hex'; SET array_nulls = on; "
                       "SET standard_conforming_strings = on; SET quote_all_identifiers = off; SET "
                       "xmloption = content; SET default_transaction_isolation = 'read committed'; "
                       "SET default_transaction_deferrable = off; SELECT "
                       "pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE "
                       "name IN ('transaction_timeout', 'idle_session_timeout')"),
        stop));
    return s;
}

Status Session::connect(const Address &address, std::stop_token stop)
{
    const auto deadline = Clock::now() + address.connectTimeout;
    QStringList addresses;
    // libpq would look the name up blocking, with no way to be stopped.
    if (address.socket.isEmpty()) {
        CW_TRY_ASSIGN(addresses, resolve(address.host, deadline, stop));
    }
    ConnectionParameters parameters = connectionParameters(address, addresses);
    if (!address.password.isEmpty())
        parameters.append({"password", address.password.reveal()});
    std::vector<const char *> names, values;
    for (const auto &[name, value] : parameters) {
        names.push_back(name.constData());
        values.push_back(value.constData());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    m_conn = PQconnectStartParams(names.data(), values.data(), 0);
    if (!m_conn || PQstatus(m_conn) == CONNECTION_BAD)
        return fail(connectError(address));
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        CW_TRY_ASSIGN(const bool inTime, wait(state == PGRES_POLLING_WRITING, deadline, stop));
        if (!inTime) {
            Error e;
            e.code = ErrorCode::Connect;
            e.id = QStringLiteral("pg-connect-timeout");
            e.object = address.display();
            e.message = cwText("core", "%1 did not answer within %2 seconds.", address.display(),
                               static_cast<qint64>(address.connectTimeout.count() / 1000));
            return fail(std::move(e));
        }
        state = PQconnectPoll(m_conn);
        if (state == PGRES_POLLING_FAILED)
            return fail(connectError(address));
    }
    rememberSocket();
    // Notices ("relation exists, skipping") are of no interest, and would go to standard error.
    PQsetNoticeProcessor(
        m_conn, [](void *, const char *) {}, nullptr);
    return {};
}

Status Session::exec(const QString &sql, std::stop_token stop)
{
    CW_TRY(query(sql, std::move(stop)));
    return {};
}

Result<ResultSet> Session::query(const QString &sql, std::stop_token stop)
{
    if (m_interrupted || stop.stop_requested())
        return fail(cancelledError());
    const std::stop_callback onStop(stop, [this] { interrupt(); });
    if (PQsendQuery(m_conn, sql.toUtf8().constData()) == 0) {
        if (m_interrupted)
            return fail(cancelledError());
        m_dead = true;
        return fail(resultError(nullptr));
    }
    return collect(stop);
}

Result<ResultSet> Session::queryWith(const QString &sql, const QStringList &parameters,
                                     std::stop_token stop)
{
    if (m_interrupted || stop.stop_requested())
        return fail(cancelledError());
    const std::stop_callback onStop(stop, [this] { interrupt(); });
    QByteArrayList bytes;
    std::vector<const char *> values;
    for (const QString &p : parameters)
        bytes << p.toUtf8();
    for (const QByteArray &b : bytes)
        values.push_back(b.constData());
    if (PQsendQueryParams(m_conn, sql.toUtf8().constData(), static_cast<int>(values.size()),
                          nullptr, values.data(), nullptr, nullptr, 0) == 0) {
        if (m_interrupted)
            return fail(cancelledError());
        m_dead = true;
        return fail(resultError(nullptr));
    }
    return collect(stop);
}

Result<ResultSet> Session::collect(const std::stop_token &stop)
{
    ResultPtr last;
    Result<ResultSet> failed = ResultSet{};
    for (;;) {
        while (PQisBusy(m_conn)) {
            CW_TRY(wait(false, Clock::time_point::max(), stop));
            if (PQconsumeInput(m_conn) == 0)
                break;
        }
        if (m_interrupted)
            return fail(cancelledError());
        ResultPtr r(PQgetResult(m_conn));
        if (!r)
            break;
        const ExecStatusType status = PQresultStatus(r.get());
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            failed = fail(resultError(r.get()));
            if (PQstatus(m_conn) == CONNECTION_BAD) {
                m_dead = true;
                return failed;
            }
        }
        last = std::move(r);
    }
    if (!failed)
        return failed;
    ResultSet out;
    if (!last)
        return out;
    const int columns = PQnfields(last.get()), rows = PQntuples(last.get());
    for (int c = 0; c < columns; ++c)
        out.columns.emplace_back(PQfname(last.get(), c));
    for (int i = 0; i < rows; ++i) {
        auto &row = out.rows.emplace_back(static_cast<std::size_t>(columns));
        for (int c = 0; c < columns; ++c) {
            if (!PQgetisnull(last.get(), i, c))
                row[static_cast<std::size_t>(c)].emplace(
                    PQgetvalue(last.get(), i, c),
                    static_cast<std::size_t>(PQgetlength(last.get(), i, c)));
        }
    }
    return out;
}

QString quoteId(const QString &name)
{
    QString n = name;
    return QLatin1Char('"') + n.replace(QLatin1Char('"'), QLatin1String("\"\"")) + QLatin1Char('"');
}

QString quoteText(const QString &text)
{
    QString t = text;
    t.replace(QLatin1Char('\''), QLatin1String("''"));
    // A backslash is itself in '...' only where standard_conforming_strings is on.
    if (!t.contains(QLatin1Char('\\')))
        return QLatin1Char('\'') + t + QLatin1Char('\'');
    return QStringLiteral(" E'") + t.replace(QLatin1Char('\\'), QLatin1String("\\\\")) +
           QLatin1Char('\'');
}

} // namespace causeway::postgres
