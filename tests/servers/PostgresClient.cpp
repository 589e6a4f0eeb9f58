#include "servers/PostgresClient.h"

#include <libpq-fe.h>

#include <poll.h>

namespace causeway::test {

PostgresClient::~PostgresClient()
{
    close();
}

void PostgresClient::close()
{
    if (m_connection != nullptr)
        PQfinish(m_connection);
    m_connection = nullptr;
}

int PostgresClient::backendPid() const
{
    return m_connection != nullptr ? PQbackendPID(m_connection) : 0;
}

PgOutcome PostgresClient::broken() const
{
    const char *words = m_connection != nullptr ? PQerrorMessage(m_connection) : "not connected";
    return {"08006", words};
}

PgOutcome PostgresClient::connect(const Address &address, int seconds)
{
    close();
    m_seconds = seconds;
    const QByteArray host = (address.socket.isEmpty() ? address.host : address.socket).toUtf8();
    const QByteArray port = QByteArray::number(address.port);
    const QByteArray user = address.user.toUtf8();
    const QByteArray password = address.password.reveal();
    const QByteArray database = address.database.toUtf8();
    const QByteArray patience = QByteArray::number(seconds > 0 ? seconds : 30);
    const char *keys[] = {"host",
                          "port",
                          "user",
                          "password",
                          "dbname",
                          "sslmode",
                          "connect_timeout",
                          "client_encoding",
                          "fallback_application_name",
                          nullptr};
    const char *values[] = {host.constData(),
                            port.constData(),
                            user.constData(),
                            password.constData(),
                            database.constData(),
                            "prefer",
                            patience.constData(),
                            "UTF8",
                            "test",
                            nullptr};
    m_connection = PQconnectdbParams(keys, values, 0);
    PQsetNoticeProcessor(
        m_connection, [](void *, const char *) {}, nullptr);
    if (PQstatus(m_connection) != CONNECTION_OK) {
        PgOutcome outcome = broken();
        close();
        return outcome;
    }
    return {};
}

// False when the answer did not come in time.
bool PostgresClient::waitReadable()
{
    pollfd p{PQsocket(m_connection), POLLIN, 0};
    return ::poll(&p, 1, m_seconds > 0 ? m_seconds * 1000 : -1) != 0;
}

PgOutcome PostgresClient::finish(const std::function<void(const TestRow &)> &row)
{
    PgOutcome outcome;
    for (;;) {
        while (PQisBusy(m_connection) != 0) {
            if (!waitReadable())
                return {"08006", "no answer in time"};
            if (PQconsumeInput(m_connection) == 0)
                return outcome.ok() ? broken() : outcome;
        }
        PGresult *result = PQgetResult(m_connection);
        if (result == nullptr)
            break;
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE) {
            const int columns = PQnfields(result);
            TestRow values(static_cast<std::size_t>(columns));
            for (int r = 0; r < PQntuples(result); ++r) {
                for (int c = 0; c < columns; ++c) {
                    auto &value = values[static_cast<std::size_t>(c)];
                    value.reset();
                    if (PQgetisnull(result, r, c) == 0)
                        value.emplace(PQgetvalue(result, r, c),
                                      static_cast<std::size_t>(PQgetlength(result, r, c)));
                }
                if (row)
                    row(values);
            }
        } else if (status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY && outcome.ok()) {
            const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            outcome = {state != nullptr ? state : "08006", PQresultErrorMessage(result)};
        }
        m_tag = PQcmdStatus(result);
        PQclear(result);
    }
    if (outcome.ok() && PQstatus(m_connection) != CONNECTION_OK)
        return broken();
    return outcome;
}

PgOutcome PostgresClient::run(const std::string &sql, std::vector<TestRow> *rows)
{
    if (m_connection == nullptr || PQsendQuery(m_connection, sql.c_str()) == 0)
        return broken();
    if (rows != nullptr)
        rows->clear();
    return finish([rows](const TestRow &row) {
        if (rows != nullptr)
            rows->push_back(row);
    });
}

PgOutcome PostgresClient::stream(const std::string &sql,
                                 const std::function<void(const TestRow &)> &row)
{
    if (m_connection == nullptr || PQsendQuery(m_connection, sql.c_str()) == 0)
        return broken();
    PQsetSingleRowMode(m_connection);
    return finish(row);
}

} // namespace causeway::test
