#pragma once

#include "base/Error.h"
#include "endpoint/Address.h"

#include <QString>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

struct pg_conn;
struct pg_result;

namespace causeway::postgres {

/// A result in text form.
struct ResultSet {
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
    /// Text of a cell, "" for NULL and for a column that is not there.
    [[nodiscard]] QString text(std::size_t row, std::size_t column) const;
    [[nodiscard]] bool isTrue(std::size_t row, std::size_t column) const
    {
        return text(row, column) == QLatin1String("t");
    }
    [[nodiscard]] bool isNull(std::size_t row, std::size_t column) const
    {
        return !rows[row][column].has_value();
    }
};

/// One connection; the only owner of its PGconn. One thread at a time, except interrupt().
/// Connecting and waiting never block in libpq: both poll the socket, so that a stop ends them at
/// once also against a host that drops packets. Every session: UTF-8, UTC, ISO dates, no time-outs,
/// an empty search_path (names come out qualified).
class Session {
public:
    static Result<std::unique_ptr<Session>> open(const Address &, std::stop_token);
    ~Session();
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    Status exec(const QString &sql, std::stop_token = {});
    /// The last result of the statements in `sql`.
    Result<ResultSet> query(const QString &sql, std::stop_token = {});
    /// One statement with $1, $2, ... kept out of its text: what a server shows and logs of its
    /// sessions is the text.
    Result<ResultSet> queryWith(const QString &sql, const QStringList &parameters,
                                std::stop_token = {});

    /// Pipes the rows of `copyOut` (COPY ... TO STDOUT) into `copyIn` (COPY ... FROM STDIN) of
    /// another session. Returns their bytes. (PostgresCopy.cpp)
    Result<qint64> copyTo(const QString &copyOut, Session &to, const QString &copyIn,
                          std::stop_token = {});

    [[nodiscard]] int version() const; ///< 150020
    [[nodiscard]] int backendPid() const;
    [[nodiscard]] QString tlsVersion() const; ///< empty = not encrypted
    [[nodiscard]] QString tlsCipher() const;
    [[nodiscard]] bool isDead() const { return m_dead.load(); }

    /// Thread-safe: asks the server to end the statement, and shuts the socket down. The session is
    /// dead then.
    void interrupt() noexcept;

private:
    Session() = default;
    Status connect(const Address &, std::stop_token);
    Result<ResultSet> collect(const std::stop_token &);
    /// False at the deadline; an error when stopped. `forWrite`: else for reading.
    Result<bool> wait(bool forWrite, std::chrono::steady_clock::time_point deadline,
                      const std::stop_token &);
    Error connectError(const Address &) const;
    Error resultError(const pg_result *) const;
    void rememberSocket();

    pg_conn *m_conn = nullptr;
    std::mutex m_mutex; ///< of m_socket
    /// A duplicate of our own: libpq closes its socket when a connection is lost, and the number
    /// may be somebody else's by the time interrupt() shuts it down.
    int m_socket = -1;
    std::atomic<bool> m_interrupted{false}, m_dead{false};
};

QString quoteId(const QString &);
QString quoteText(const QString &);

} // namespace causeway::postgres
