#pragma once

#include "servers/TestServer.h"

#include <functional>
#include <string>

struct pg_conn;

namespace causeway::test {

/// How a statement of the tests' own PostgreSQL client went.
struct PgOutcome {
    std::string sqlState; ///< empty = answered ok; "08006" where the connection gave no better word
    std::string words;
    [[nodiscard]] bool ok() const { return sqlState.empty(); }
    /// The connection is gone, so whether the statement took effect is not known.
    [[nodiscard]] bool lost() const
    {
        return sqlState.starts_with("08") || sqlState.starts_with("57P");
    }
};

/// The tests' own connection to PostgreSQL, apart from the code under test. One thread.
class PostgresClient {
public:
    PostgresClient() = default;
    ~PostgresClient();
    PostgresClient(const PostgresClient &) = delete;
    PostgresClient &operator=(const PostgresClient &) = delete;

    /// Connects anew. `seconds` limits connecting and each answer (0: no limit on answers).
    PgOutcome connect(const Address &address, int seconds = 0);
    void close();
    [[nodiscard]] bool isOpen() const { return m_connection != nullptr; }

    /// Runs one statement or several separated by ';'; keeps the rows of the last result.
    PgOutcome run(const std::string &sql, std::vector<TestRow> *rows = nullptr);
    /// Streams the rows of one statement; the callback's row holds during the call.
    PgOutcome stream(const std::string &sql, const std::function<void(const TestRow &)> &row);
    /// What the server said it did last: "COMMIT", "UPDATE 3".
    [[nodiscard]] const std::string &tag() const { return m_tag; }
    [[nodiscard]] int backendPid() const;

private:
    [[nodiscard]] PgOutcome broken() const;
    bool waitReadable();
    PgOutcome finish(const std::function<void(const TestRow &)> &row);

    pg_conn *m_connection = nullptr;
    int m_seconds = 0;
    std::string m_tag;
};

} // namespace causeway::test
