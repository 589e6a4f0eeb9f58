#include "mysql/Session.h"

#include "base/Secret.h"
#include "base/Stop.h"
#include "mysql/Connect.h"
#include "mysql/OwnSessions.h"
#include "mysql/SessionWatch.h"

#include <mysql.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace causeway::mysql {

QString ResultSet::text(std::size_t row, std::size_t column) const
{
    const Value &v = rows[row][column];
    return v ? QString::fromUtf8(v->data(), static_cast<qsizetype>(v->size())) : QString();
}

int ResultSet::columnIndex(const char *column) const
{
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (qstricmp(columns[i].c_str(), column) == 0)
            return static_cast<int>(i);
    }
    return -1;
}

QString ResultSet::text(std::size_t row, const char *column) const
{
    const int i = columnIndex(column);
    return i < 0 ? QString() : text(row, static_cast<std::size_t>(i));
}

StreamedResult::StreamedResult(Session *session, MYSQL_RES *result,
                               std::unique_ptr<Session::Waiting> waiting)
    : m_session(session), m_result(result), m_waiting(std::move(waiting)),
      m_columns(mysql_num_fields(result))
{
}

StreamedResult::StreamedResult(StreamedResult &&other) noexcept
    : m_session(other.m_session), m_result(other.m_result), m_waiting(std::move(other.m_waiting)),
      m_values(other.m_values), m_lengths(other.m_lengths), m_columns(other.m_columns),
      m_done(other.m_done)
{
    other.m_result = nullptr;
}

StreamedResult::~StreamedResult()
{
    if (!m_result)
        return;
    // Left in the middle: reading a large rest would take as long as the table. The session is
    // given up instead; its owner opens another.
    if (!m_done)
        m_session->interrupt();
    mysql_free_result(m_result);
}

Result<bool> StreamedResult::fetch()
{
    m_values = mysql_fetch_row(m_result);
    if (m_values) {
        m_lengths = mysql_fetch_lengths(m_result);
        return true;
    }
    m_done = true;
    if (mysql_errno(m_session->m_mysql) != 0)
        return fail(m_session->lastError());
    return false;
}

bool Session::isOwn(const Address &address, quint64 connectionId)
{
    return own::isLive(address.display(), connectionId);
}

std::optional<std::chrono::steady_clock::time_point> Session::waitingSince() const
{
    const auto since = m_waitingSince.load();
    if (since == 0)
        return std::nullopt;
    return std::chrono::steady_clock::time_point(std::chrono::steady_clock::duration(since));
}

Session::Waiting::Waiting(Session &session) : m_session(session)
{
    session.m_waitingSince = std::chrono::steady_clock::now().time_since_epoch().count();
}

Session::Waiting::~Waiting()
{
    m_session.m_waitingSince = 0;
}

Session::~Session()
{
    close();
}

void Session::close()
{
    watch::remove(this);
    if (m_connectionId != 0)
        own::closed(m_address.display(), m_connectionId);
    const std::lock_guard lock(m_interruptMutex);
    if (const int fd = m_socket.exchange(-1); fd >= 0)
        ::close(fd);
    if (m_mysql)
        mysql_close(m_mysql);
    m_mysql = nullptr;
}

void Session::interrupt() noexcept
{
    const std::lock_guard lock(m_interruptMutex);
    m_interrupted = true;
    m_dead = true;
    const int fd = m_socket.load();
    if (fd >= 0)
        ::shutdown(fd, SHUT_RDWR);
}

void Session::giveUp() noexcept
{
    const std::lock_guard lock(m_interruptMutex);
    m_lost = true;
    m_dead = true;
    const int fd = m_socket.load();
    if (fd >= 0)
        ::shutdown(fd, SHUT_RDWR);
}

Error Session::lastError(const QString &context)
{
    if (m_interrupted)
        return cancelledError();
    if (m_lost)
        return nameError(2013, QString(), QString(), m_address, context);
    const unsigned number = mysql_errno(m_mysql);
    Error e = nameError(number, QString::fromLatin1(mysql_sqlstate(m_mysql)),
                        redact(QString::fromUtf8(mysql_error(m_mysql))), m_address, context);
    if (e.code == ErrorCode::ConnectionLost)
        m_dead = true;
    return e;
}

/// A server answers what is too large for it and hangs up while the rest still comes, so that its
/// words may be lost and only a broken connection be seen, which looks as if it were worth another
/// attempt.
Status Session::checkSize(const std::string &sql)
{
    constexpr std::size_t kAlwaysAccepted = 1024;
    if (sql.size() < std::max<quint64>(m_maxPacket, 64 * kAlwaysAccepted))
        return {};
    if (m_maxPacket == 0) {
        if (mysql_query(m_mysql, "SELECT @@max_allowed_packet") != 0)
            return fail(lastError());
        MYSQL_RES *res = mysql_store_result(m_mysql);
        if (!res)
            return fail(lastError());
        if (const MYSQL_ROW row = mysql_fetch_row(res); row && row[0])
            m_maxPacket = QByteArray(row[0]).toULongLong();
        mysql_free_result(res);
    }
    // With the byte that says what the packet is.
    if (sql.size() < std::max<quint64>(m_maxPacket, kAlwaysAccepted))
        return {};
    return fail(nameError(
        1153, QStringLiteral("08S01"),
        QStringLiteral("%1 bytes, and max_allowed_packet is %2").arg(sql.size()).arg(m_maxPacket),
        m_address, {}));
}

Status Session::send(const std::string &sql)
{
    if (m_interrupted)
        return fail(cancelledError());
    CW_TRY(checkSize(sql));
    if (mysql_real_query(m_mysql, sql.data(), static_cast<unsigned long>(sql.size())) != 0)
        return fail(lastError());
    return {};
}

Status Session::execBytes(const std::string &sql, std::stop_token stop)
{
    CW_TRY(queryBytes(sql, std::move(stop)));
    return {};
}

Status Session::exec(const QString &sql, std::stop_token stop)
{
    return execBytes(sql.toStdString(), std::move(stop));
}

Result<ResultSet> Session::query(const QString &sql, std::stop_token stop)
{
    return queryBytes(sql.toStdString(), std::move(stop));
}

Result<ResultSet> Session::queryBytes(const std::string &sql, std::stop_token stop)
{
    const std::stop_callback onStop(stop, [this] { interrupt(); });
    const Waiting waiting(*this);
    CW_TRY(send(sql));
    ResultSet out;
    // CALL returns several results; only the first one with columns is kept.
    bool kept = false;
    for (;;) {
        MYSQL_RES *res = mysql_store_result(m_mysql);
        if (res) {
            if (!kept) {
                kept = true;
                const unsigned n = mysql_num_fields(res);
                const MYSQL_FIELD *fields = mysql_fetch_fields(res);
                for (unsigned i = 0; i < n; ++i)
                    out.columns.emplace_back(fields[i].name, fields[i].name_length);
                while (MYSQL_ROW row = mysql_fetch_row(res)) {
                    const unsigned long *lengths = mysql_fetch_lengths(res);
                    Row r(n);
                    for (unsigned i = 0; i < n; ++i) {
                        if (row[i])
                            r[i].emplace(row[i], lengths[i]);
                    }
                    out.rows.push_back(std::move(r));
                }
            }
            mysql_free_result(res);
        } else if (mysql_errno(m_mysql) != 0) {
            return fail(lastError());
        }
        // Taken here: mysql_next_result() of libmariadb forgets them even where nothing follows.
        m_affectedRows = mysql_affected_rows(m_mysql);
        m_warningCount = mysql_warning_count(m_mysql);
        if (!mysql_more_results(m_mysql))
            break;
        if (mysql_next_result(m_mysql) > 0)
            return fail(lastError());
    }
    return out;
}

Result<StreamedResult> Session::stream(const std::string &sql)
{
    // Until the last row: between rows it is the reader who waits, or we.
    auto waiting = std::make_unique<Waiting>(*this);
    CW_TRY(send(sql));
    MYSQL_RES *res = mysql_use_result(m_mysql);
    if (!res)
        return fail(lastError());
    return StreamedResult(this, res, std::move(waiting));
}

Result<std::unique_ptr<Session>> Session::open(const Address &address, Use use,
                                               std::stop_token stop)
{
    if (stop.stop_requested())
        return fail(cancelledError());
    std::unique_ptr<Session> s(new Session);
    s->m_address = address;
    CW_TRY_ASSIGN(s->m_mysql, connectHandle(address, use == Use::Load, stop));
    MYSQL *m = s->m_mysql;
    // A descriptor of our own: the client library closes its own as soon as it notices that the
    // connection broke, and the number may then belong to somebody else's connection, which a
    // second interrupt() would cut.
    s->m_socket = ::fcntl(socketOf(m), F_DUPFD_CLOEXEC, 0);
    s->m_connectionId = mysql_thread_id(m);
    own::opened(address.display(), s->m_connectionId);
    watch::add(s.get());
    s->m_versionText = QString::fromUtf8(mysql_get_server_info(m));
    s->m_mariaDb = s->m_versionText.contains(QLatin1String("mariadb"), Qt::CaseInsensitive);
    QString v = s->m_versionText;
    if (s->m_mariaDb && v.startsWith(QLatin1String("5.5.5-")))
        v.remove(0, 6);
    const QStringList parts = v.section(QLatin1Char('-'), 0, 0).split(QLatin1Char('.'));
    s->m_version =
        parts.value(0).toInt() * 10000 + parts.value(1).toInt() * 100 + parts.value(2).toInt();
    CW_TRY(s->setUp(use, stop));
    return s;
}

Status Session::setUp(Use use, std::stop_token stop)
{
    if (use == Use::Dump)
        return {};
    const bool rows = use == Use::Data || use == Use::Load;
    std::string sql = rows ? "SET NAMES binary" : "SET NAMES utf8mb4";
    // Not ERROR_FOR_DIVISION_BY_ZERO: a generated column may divide by zero, which is NULL to an
    // application that does not ask for the error. ALLOW_INVALID_DATES: the 31st of February stands
    // in tables of those who allow it.
    sql += ", time_zone='+00:00', sql_mode='STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,"
           "NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES'"
           ", foreign_key_checks=0, unique_checks=0, net_read_timeout=3600, net_write_timeout=3600"
           ", wait_timeout=28800";
    // What a server may have set for everybody, and would cut our answers short or refuse our
    // statements.
    sql += ", sql_select_limit=18446744073709551615, sql_safe_updates=0, sql_big_selects=1"
           ", autocommit=1, completion_type=0";
    // What the triggers that close a table look for beside the account: an event of the same
    // account, or a person, must not pass.
    sql += ", @causeway=1";
    if (m_mariaDb)
        sql += ", max_statement_time=0";
    else if (m_version >= 50708)
        sql += ", max_execution_time=0";
    // Indexes of system-versioned tables come after their rows; ALTER is refused otherwise (4119).
    if (m_mariaDb && m_version >= 100304)
        sql += ", system_versioning_alter_history=KEEP";
    if (!m_mariaDb && m_version >= 80000)
        sql += ", information_schema_stats_expiry=0";
    sql += "; SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE";
    if (const std::string mark = sessionMarkSql(m_mariaDb); !mark.empty())
        sql += "; " + mark;
    return execBytes(sql, std::move(stop));
}

QString quoteId(const QString &name)
{
    QString n = name;
    return QLatin1Char('`') + n.replace(QLatin1Char('`'), QLatin1String("``")) + QLatin1Char('`');
}

QString quoteName(const TableName &name)
{
    return quoteId(name.schema) + QLatin1Char('.') + quoteId(name.name);
}

void appendQuoted(std::string &out, std::string_view bytes)
{
    // No more than a server asks for: a blob of zeros must not become twice as long, and too long
    // for max_allowed_packet.
    out.push_back('\'');
    for (const char c : bytes) {
        switch (c) {
        case '\\':
            out += "\\\\";
            break;
        case '\'':
            out += "\\'";
            break;
        default:
            out.push_back(c);
        }
    }
    out.push_back('\'');
}

QString quoteText(const QString &text)
{
    // Statements that people are shown: on one line.
    std::string out;
    appendQuoted(out, text.toStdString());
    return QString::fromStdString(out)
        .replace(QChar(u'\0'), QLatin1String("\\0"))
        .replace(QLatin1Char('\n'), QLatin1String("\\n"))
        .replace(QLatin1Char('\r'), QLatin1String("\\r"))
        .replace(QChar(u'\x1a'), QLatin1String("\\Z"));
}

} // namespace causeway::mysql
