#include "servers/MySqlClient.h"

#include <mutex>

#include <errmsg.h>
#include <mysql.h>

namespace causeway::test {
namespace {

MYSQL *handle(void *mysql)
{
    return static_cast<MYSQL *>(mysql);
}

} // namespace

MySqlClient::MySqlClient()
{
    // The library's own first-use initialisation is not safe from several threads at once.
    static std::once_flag once;
    std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
}

MySqlClient::~MySqlClient()
{
    close();
}

void MySqlClient::close()
{
    if (m_mysql != nullptr)
        mysql_close(handle(m_mysql));
    m_mysql = nullptr;
}

SqlOutcome MySqlClient::failure() const
{
    return {mysql_errno(handle(m_mysql)), mysql_error(handle(m_mysql))};
}

SqlOutcome MySqlClient::connect(const Address &address, int seconds)
{
    close();
    m_mysql = mysql_init(nullptr);
    const auto connectSeconds = static_cast<unsigned>(seconds > 0 ? seconds : 30);
    mysql_options(handle(m_mysql), MYSQL_OPT_CONNECT_TIMEOUT, &connectSeconds);
    if (seconds > 0) {
        const auto limit = static_cast<unsigned>(seconds);
        mysql_options(handle(m_mysql), MYSQL_OPT_READ_TIMEOUT, &limit);
        mysql_options(handle(m_mysql), MYSQL_OPT_WRITE_TIMEOUT, &limit);
    }
    const unsigned transport =
        address.socket.isEmpty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
    mysql_options(handle(m_mysql), MYSQL_OPT_PROTOCOL, &transport);
    mysql_options(handle(m_mysql), MYSQL_SET_CHARSET_NAME, "utf8mb4");
#ifndef MARIADB_PACKAGE_VERSION
    // libmysqlclient asks for the key of caching_sha2_password only when told to, and has MariaDB's
    // password method as a plugin of its own tree.
    const bool getKey = true;
    mysql_options(handle(m_mysql), MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &getKey);
#ifdef CAUSEWAY_MYSQL_PLUGINS
    mysql_options(handle(m_mysql), MYSQL_PLUGIN_DIR, CAUSEWAY_MYSQL_PLUGINS);
#endif
#endif
    const QByteArray host = address.socket.isEmpty() ? address.host.toUtf8() : "localhost";
    const QByteArray user = address.user.toUtf8();
    const QByteArray password = address.password.reveal();
    const QByteArray database = address.database.toUtf8();
    const QByteArray socket = address.socket.toUtf8();
    if (mysql_real_connect(
            handle(m_mysql), host.constData(), user.constData(), password.constData(),
            database.isEmpty() ? nullptr : database.constData(), address.port,
            socket.isEmpty() ? nullptr : socket.constData(), CLIENT_MULTI_STATEMENTS) == nullptr) {
        SqlOutcome outcome = failure();
        close();
        return outcome;
    }
    return {};
}

SqlOutcome MySqlClient::run(const std::string &sql, std::vector<TestRow> *rows)
{
    if (m_mysql == nullptr)
        return {CR_SERVER_GONE_ERROR, "not connected"};
    if (mysql_real_query(handle(m_mysql), sql.data(), sql.size()) != 0)
        return failure();
    for (;;) {
        if (MYSQL_RES *result = mysql_store_result(handle(m_mysql))) {
            if (rows != nullptr) {
                rows->clear();
                const unsigned columns = mysql_num_fields(result);
                while (MYSQL_ROW values = mysql_fetch_row(result)) {
                    const unsigned long *lengths = mysql_fetch_lengths(result);
                    TestRow row(columns);
                    for (unsigned i = 0; i < columns; ++i) {
                        if (values[i] != nullptr)
                            row[i] = std::string(values[i], lengths[i]);
                    }
                    rows->push_back(std::move(row));
                }
            }
            mysql_free_result(result);
        } else if (mysql_errno(handle(m_mysql)) != 0) {
            return failure();
        }
        const int more = mysql_next_result(handle(m_mysql));
        if (more > 0)
            return failure();
        if (more < 0)
            return {};
    }
}

SqlOutcome
MySqlClient::stream(const std::string &sql,
                    const std::function<void(char **, const unsigned long *, unsigned)> &row)
{
    if (m_mysql == nullptr)
        return {CR_SERVER_GONE_ERROR, "not connected"};
    if (mysql_real_query(handle(m_mysql), sql.data(), sql.size()) != 0)
        return failure();
    MYSQL_RES *result = mysql_use_result(handle(m_mysql));
    if (result == nullptr)
        return failure();
    const unsigned columns = mysql_num_fields(result);
    while (MYSQL_ROW values = mysql_fetch_row(result))
        row(values, mysql_fetch_lengths(result), columns);
    SqlOutcome outcome = failure();
    mysql_free_result(result);
    return outcome;
}

quint64 MySqlClient::affectedRows() const
{
    return mysql_affected_rows(handle(m_mysql));
}

void MySqlClient::endThread()
{
    mysql_thread_end();
}

quint64 MySqlClient::connectionId() const
{
    return m_mysql != nullptr ? mysql_thread_id(handle(m_mysql)) : 0;
}

} // namespace causeway::test
