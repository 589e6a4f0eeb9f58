#pragma once

#include "base/Error.h"
#include "database/Value.h"
#include "endpoint/Address.h"
#include "mysql/ClientHandle.h"
#include "schema/Model.h"

#include <QString>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace causeway::mysql {

/// What a session is for; decides its charset and session variables.
enum class Use {
    Control, ///< DDL, catalog, state: utf8mb4; identifiers and texts are QString
    Data,    ///< rows in wire form: character set binary both ways, nothing is converted
    Load,    ///< as Data, and LOAD DATA LOCAL: what it reads is given by RowWriterLoad.cpp
    Dump,    ///< binlog: no session variables of ours but those the dump needs
};

/// A stored result, for the catalog and other small things.
struct ResultSet {
    std::vector<std::string> columns;
    std::vector<Row> rows;
    /// Text of a cell, "" for NULL. `row` and `column` must exist.
    [[nodiscard]] QString text(std::size_t row, std::size_t column) const;
    /// By name, without case; "" where there is no such column.
    [[nodiscard]] QString text(std::size_t row, const char *column) const;
    [[nodiscard]] bool isNull(std::size_t row, std::size_t column) const
    {
        return !rows[row][column].has_value();
    }
    [[nodiscard]] int columnIndex(const char *column) const; ///< -1 where there is none
};

class StreamedResult;

/// One connection; the only owner of its MYSQL*. One thread at a time, except interrupt().
/// Every session has: UTC, strict mode without NO_ZERO_*, NO_AUTO_VALUE_ON_ZERO,
/// foreign_key_checks=0, unique_checks=0, no statement time-out, long network time-outs
/// (ALGORITHMS 1), except Use::Dump.
class Session {
public:
    static Result<std::unique_ptr<Session>> open(const Address &, Use, std::stop_token);
    ~Session();
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    /// Runs a statement that returns nothing of interest.
    Status exec(const QString &sql, std::stop_token = {});
    Status execBytes(const std::string &sql, std::stop_token = {});
    /// Runs a statement and stores its rows.
    Result<ResultSet> query(const QString &sql, std::stop_token = {});
    Result<ResultSet> queryBytes(const std::string &sql, std::stop_token = {});
    /// Runs a statement and streams its rows. `stop` ends a blocked fetch through interrupt().
    Result<StreamedResult> stream(const std::string &sql);

    /// Of the last statement run by exec() or query() (of several: the last one).
    [[nodiscard]] quint64 affectedRows() const { return m_affectedRows; }
    [[nodiscard]] unsigned warningCount() const { return m_warningCount; }
    [[nodiscard]] quint64 connectionId() const { return m_connectionId; }
    [[nodiscard]] bool isMariaDb() const { return m_mariaDb; }
    /// major*10000 + minor*100 + patch; MariaDB 10.11.6 = 101106.
    [[nodiscard]] int version() const { return m_version; }
    [[nodiscard]] QString versionText() const { return m_versionText; }
    [[nodiscard]] const Address &address() const { return m_address; }
    [[nodiscard]] MYSQL *handle() const { return m_mysql; }
    [[nodiscard]] bool isDead() const { return m_dead.load(); }
    /// Whether this connection of that server belongs to a session of this process. Any thread.
    static bool isOwn(const Address &, quint64 connectionId);

    /// Since when an answer of the server is awaited; nothing while none is. Any thread.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> waitingSince() const;
    /// Held by whoever waits on handle() directly; exec(), query() and stream() do it themselves.
    class Waiting {
    public:
        explicit Waiting(Session &);
        ~Waiting();
        Waiting(const Waiting &) = delete;
        Waiting &operator=(const Waiting &) = delete;

    private:
        Session &m_session;
    };
    /// Thread-safe: the link is dead; a blocked call returns ConnectionLost.
    void giveUp() noexcept;

    /// Thread-safe: shuts the socket down, so that a blocked call returns. The session is dead
    /// then.
    void interrupt() noexcept;
    /// The error of the last failed client call, named and redacted.
    [[nodiscard]] Error lastError(const QString &context = {});

private:
    Session() = default;
    friend class StreamedResult;
    Status setUp(Use use, std::stop_token stop);
    Status send(const std::string &sql);
    Status checkSize(const std::string &sql);
    void close();

    Address m_address;
    MYSQL *m_mysql = nullptr;
    std::atomic<int> m_socket{-1};
    std::mutex m_interruptMutex; ///< keeps interrupt() from a socket number that was closed
    std::atomic<bool> m_interrupted{false};
    std::atomic<bool> m_lost{false};
    std::atomic<std::int64_t> m_waitingSince{0}; ///< steady clock's count; 0 = no answer awaited
    std::atomic<bool> m_dead{false};
    quint64 m_connectionId = 0;
    quint64 m_affectedRows = 0;
    unsigned m_warningCount = 0;
    quint64 m_maxPacket = 0; ///< the server's, which holds for this session; 0 = not asked
    bool m_mariaDb = false;
    int m_version = 0;
    QString m_versionText;
};

/// Rows fetched as the server sends them. Ends (drained) before the session does anything else.
class StreamedResult {
public:
    StreamedResult(Session *session, MYSQL_RES *result, std::unique_ptr<Session::Waiting> waiting);
    StreamedResult(StreamedResult &&) noexcept;
    StreamedResult &operator=(StreamedResult &&) = delete;
    StreamedResult(const StreamedResult &) = delete;
    StreamedResult &operator=(const StreamedResult &) = delete;
    ~StreamedResult();
    /// False at the end. After true, values() and lengths() hold until the next call.
    Result<bool> fetch();
    [[nodiscard]] char **values() const { return m_values; }
    [[nodiscard]] const unsigned long *lengths() const { return m_lengths; }
    [[nodiscard]] unsigned columns() const { return m_columns; }

private:
    Session *m_session;
    MYSQL_RES *m_result;
    std::unique_ptr<Session::Waiting> m_waiting;
    char **m_values = nullptr;
    unsigned long *m_lengths = nullptr;
    unsigned m_columns = 0;
    bool m_done = false;
};

/// `name` in backticks, with backticks doubled.
QString quoteId(const QString &name);
QString quoteName(const TableName &name);
/// A string literal for a Control session (backslash and quote escaped).
QString quoteText(const QString &text);
/// A literal for a Data session: '...' with the bytes escaped, no charset introducer.
void appendQuoted(std::string &out, std::string_view bytes);

/// Names an error number of server or client, with the fix where it is known; `a` gives the
/// context of a connection failure. See Errors.cpp.
Error nameError(unsigned number, const QString &sqlState, const QString &serverWords,
                const Address &a, const QString &context);

} // namespace causeway::mysql
