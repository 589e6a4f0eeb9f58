#pragma once

#include "servers/TestServer.h"

#include <functional>
#include <string>

namespace causeway::test {

/// How a statement of the tests' own client went.
struct SqlOutcome {
    unsigned number = 0; ///< the server's or client's error number; 0 = answered ok
    std::string words;
    [[nodiscard]] bool ok() const { return number == 0; }
    /// The connection is gone, so whether the statement took effect is not known.
    [[nodiscard]] bool lost() const { return number == 2006 || number == 2013 || number == 2055; }
};

/// The tests' own connection to MySQL and MariaDB, apart from the code under test. One thread.
class MySqlClient {
public:
    MySqlClient();
    ~MySqlClient();
    MySqlClient(const MySqlClient &) = delete;
    MySqlClient &operator=(const MySqlClient &) = delete;

    /// Connects anew. `seconds` limits connecting and each answer (0: no limit on answers).
    SqlOutcome connect(const Address &address, int seconds = 0);
    void close();
    [[nodiscard]] bool isOpen() const { return m_mysql != nullptr; }

    /// Runs one statement or several separated by ';'; keeps the rows of the last result.
    SqlOutcome run(const std::string &sql, std::vector<TestRow> *rows = nullptr);
    /// Streams the rows of one statement; the callback gets pointers that hold during the call.
    SqlOutcome stream(const std::string &sql,
                      const std::function<void(char **, const unsigned long *, unsigned)> &row);
    [[nodiscard]] quint64 affectedRows() const;
    [[nodiscard]] quint64 connectionId() const;
    /// Before a thread that used a client ends: frees what the library keeps for it.
    static void endThread();

private:
    [[nodiscard]] SqlOutcome failure() const;
    void *m_mysql = nullptr; ///< MYSQL*, whose struct the two client libraries name differently
};

} // namespace causeway::test
