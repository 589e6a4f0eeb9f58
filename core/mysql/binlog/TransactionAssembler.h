#pragma once

#include "database/Database.h"
#include "mysql/binlog/Compression.h"
#include "mysql/binlog/EventHeader.h"
#include "mysql/binlog/LogPosition.h"
#include "mysql/binlog/LoggedStatement.h"
#include "mysql/binlog/QueryEvent.h"
#include "mysql/binlog/RowDecoder.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace causeway::mysql {

/// How many rows a transaction had when a savepoint was set.
struct LogSavepoint {
    QString name;
    int rows;
};
/// The transaction or statement under way.
struct LogGroup {
    std::string id;
    qint64 commitUs = 0;
    std::optional<Gtid> gtid;
    std::optional<std::pair<std::uint32_t, MariaDbGtidList::Entry>> mariaGtid;
    bool open = false;      ///< ends with XID, COMMIT or the like; else with its statement
    bool streaming = false; ///< too large to hold: given out as it comes
    bool begun = false;     ///< TransactionBegin was given out
    std::optional<bool> ours;
    int rows = 0;
    std::size_t heldBytes = 0;
    std::vector<RowChange> held;
    std::vector<RowsUnreadable> unreadable; ///< one for each table
    std::vector<TableName> foreign;         ///< of a watch: tables that somebody else changed
    std::vector<LogSavepoint> savepoints;
};

/// The compressed transaction under way. Its events are given out as they come; the one that
/// ends it is not before the last byte is there and the checksum is right.
struct PackedTransaction {
    std::unique_ptr<PayloadReader> reader;
    std::uint64_t left = 0; ///< bytes of the event to come, without the checksum
    std::uint32_t crc = 0;
    std::string checksum; ///< empty: the log has none
    std::size_t checksumSize = 0;
    bool needsMore = false;
    std::optional<std::string> end; ///< the event that waits for that
    [[nodiscard]] bool isWhole() const { return left == 0 && checksum.size() == checksumSize; }
};

/// Makes changes out of the raw events of a log, in order. Does no I/O, so that recorded bytes test
/// it. One thread.
///
/// A transaction is held back until it ends, or until it has grown to `holdBytes`: a log can hold
/// rows and then ROLLBACK (TO SAVEPOINT) where the transaction also dropped a temporary table or
/// touched a table without transactions. Larger ones are given out as they come; a rollback inside
/// such a one is an error, since what went out cannot be taken back.
class TransactionAssembler {
public:
    struct Options {
        LogPosition from;
        QString migration; ///< whose stream row makes a transaction "ours"
        TableResolver resolve;
        bool mariaDb = false;
        std::size_t holdBytes = std::size_t(8) << 20;
        /// Gives out ForeignWrite and nothing else: what is not ours. Rows are not decoded, those
        /// of our own transactions not even looked at.
        bool watch = false;
        /// Whether a session of that number is one of ours that runs DDL.
        std::function<bool(std::uint32_t)> isOwnSession;
    };
    explicit TransactionAssembler(Options options);

    /// A whole event as the server sent it. Only when hasPacked() is false.
    Status feed(std::string_view event);
    /// A compressed transaction has more events; unpackOne() handles the next one.
    [[nodiscard]] bool hasPacked() const { return m_payload && !m_payload->needsMore; }
    Status unpackOne();

    /// Of a compressed transaction, which may be of a gigabyte itself, the first part: at least
    /// its header.
    Status feedFirst(std::string_view part);
    /// The parts behind it, each when hasPacked() is false.
    Status feedMore(std::string_view part);

    /// The next finished change.
    std::optional<ChangeEvent> take();
    /// Everything up to here was given out or is of no interest; a transaction under way is after
    /// it.
    [[nodiscard]] Position position();
    /// Whether position() has moved since the last commit, DDL or progress given out.
    [[nodiscard]] bool hasMoved() const { return m_moved; }
    /// "file:offset" up to which events were fed; empty before the first.
    [[nodiscard]] QString place() const;
    Progress progress(); ///< clears hasMoved()
    /// A heartbeat: the server has sent all it has. Sets the time that progress() reports.
    void caughtUp(qint64 nowUs) { m_timestampUs = nowUs; }

private:
    struct MapEntry {
        std::string raw;
        TableMap map;
        std::shared_ptr<const Table> table;
        std::optional<RowLayout> layout; ///< made at the first rows event
    };
    Status handle(const EventHeader &, std::string_view body);
    Status formatDescription(std::string_view event);
    Status rotate(std::string_view body);
    Status gtid(const EventHeader &, std::string_view body);
    Status taggedGtid(std::string_view body);
    Status mariaGtid(const EventHeader &, std::string_view body);
    Status query(const EventHeader &, std::string_view body);
    Status dml(const QueryEvent &, const LoggedStatement &);
    Status ddl(const QueryEvent &, LoggedStatement &&);
    Status tableMap(std::string_view body);
    Status rows(const EventHeader &, std::string_view body);
    Status unreadable(const TableName &, Error);
    void noteForeign(const TableName &);
    void foreignStatement(const QueryEvent &, const std::vector<TableName> &);
    Status rollbackTo(const QString &savepoint);
    Status xaPrepare(std::string_view body);
    void xaCommit(const QueryEvent &, const QString &xid);
    bool stripChecksum(const EventHeader &, std::string_view &event) const;

    void track(const EventHeader &);
    void outsideGroup();
    LogGroup &group(const EventHeader &);
    void flushHeld();
    void commit();
    void discard();
    void endGroup();
    [[nodiscard]] bool couldBeInScope(const std::vector<TableName> &) const;
    [[nodiscard]] LogPosition afterGroup() const;

    Options m_options;
    LogPosition m_done; ///< last commit
    std::optional<Position> m_doneText;
    std::string m_file;
    std::uint64_t m_current = 0; ///< end of the event under way in m_file
    std::string m_fromFile;
    std::uint32_t m_created = 0; ///< of m_file; 0 until its first event
    std::uint64_t m_skipUntil = 0;
    qint64 m_timestampUs = 0;
    bool m_moved = false;

    bool m_haveFormat = false;
    bool m_checksums = false;
    bool m_wideTableId = true;
    std::size_t m_queryPostHeader = 13;
    std::size_t m_loadPostHeader = 26;

    std::optional<LogGroup> m_group;
    std::unordered_map<std::uint64_t, MapEntry> m_maps;
    std::set<TableName> m_temporary; ///< created by statements of the log
    /// Tables of the selection that a prepared XA transaction of this stream changed, by its xid.
    std::map<QString, std::vector<TableName>> m_prepared;
    Status takePart(std::string_view part);
    std::optional<PackedTransaction> m_payload;
    bool m_skipPart = false; ///< the rest of an event before the place where we begin
    std::deque<ChangeEvent> m_out;
};

} // namespace causeway::mysql
