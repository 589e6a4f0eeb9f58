#pragma once

#include "base/Error.h"
#include "database/Change.h"
#include "database/Fence.h"
#include "database/Lease.h"
#include "database/Value.h"
#include "endpoint/Address.h"
#include "endpoint/Platform.h"
#include "schema/Model.h"
#include "schema/Selection.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <vector>

/// The interfaces that both engines implement. All calls block and are made from engine threads;
/// every one takes a stop_token and returns Error{Cancelled} within a second of its being stopped,
/// also against a host that drops packets. Objects returned by a Database own one session each,
/// belong to one thread at a time, and must not outlive it.
namespace causeway {

struct Support {
    bool yes = false;
    Text why; ///< why not, or with what limitation
};

struct Capabilities {
    Support follow;       ///< its changes can be read (binlog, logical decoding)
    Support reverse;      ///< it could lead the way back
    Support sessionFence; ///< FTWRL or LOCK TABLES
    Support seal;         ///< a persistent fence, by which means
    Support triggers;     ///< can create triggers and events with their definers
    Support bulkLoad;
};

/// Mapping of one table for copying or applying: as it is on the leader and on the follower.
struct TablePlan {
    std::shared_ptr<const Table> leader;
    std::shared_ptr<const Table> follower; ///< same columns by name; other schema name, collation
};

/// Where a chunk lies: key values of `Table::rowKeyColumns()` in wire form. Half open: (after,
/// upTo].
struct ChunkRange {
    std::optional<Row> after; ///< nothing = from the beginning
    std::optional<Row> upTo;  ///< nothing = to the end
};

struct ReadLimits {
    qint64 rowsPerQuery = 50'000;     ///< LIMIT of one statement: bounds the read view's age
    qint64 bytesPerBatch = 2'000'000; ///< a batch handed to the sink is about this large
    qint64 rowsPerBatch = 20'000;
};

/// Called with each batch in key order and the range it covers; the ranges tile the range asked for
/// without gap or overlap, the last one ending at its end. May block (back-pressure); an error
/// ends the read.
using BatchSink = std::function<Status(RowBatch &&, const ChunkRange &)>;

/// Reads rows of the leader, without locks, by key.
class RowReader {
public:
    virtual ~RowReader() = default;
    virtual Status read(const Table &, const ChunkRange &, const ReadLimits &, const BatchSink &,
                        std::stop_token) = 0;
    /// A table without key, whole, in the server's order; the caller holds what makes it
    /// consistent.
    virtual Status readAll(const Table &, const ReadLimits &, const BatchSink &,
                           std::stop_token) = 0;
    /// Thread-safe: wakes a blocked call, which then returns Error{Cancelled}.
    virtual void interrupt() noexcept = 0;
};

struct ChunkMark {
    int number = 0; ///< unique within the table
    ChunkRange range;
};
struct ChunkWrite {
    const TablePlan *plan = nullptr;
    const RowBatch *batch = nullptr;
    ChunkMark mark;
};
struct WriteCount {
    qint64 inserted = 0;
    qint64 alreadyThere = 0; ///< same row key
    qint64 collisions = 0;   ///< another row held the value of another unique key: left to apply
};

/// Writes copied rows into the follower. One per copy worker.
class RowWriter {
public:
    virtual ~RowWriter() = default;
    /// Stream row (lease), rows, chunk row: one transaction. Loses nothing silently: rows read =
    /// inserted + alreadyThere + collisions, else an error that names the table.
    virtual Result<WriteCount> write(const TablePlan &, const RowBatch &, const ChunkMark &,
                                     std::stop_token) = 0;
    /// Several chunks, of any tables, in one transaction; all of them or none. Not tried again by
    /// itself: after an error each is written alone, which says what is wrong with which.
    virtual Result<std::vector<WriteCount>> writeTogether(const std::vector<ChunkWrite> &,
                                                          std::stop_token) = 0;
    virtual void interrupt() noexcept = 0;
};

/// The leader's stream of changes from a position on, for tables in the selection.
class ChangeStream {
public:
    virtual ~ChangeStream() = default;
    /// Waits for the next event; at least every second or so a Progress when nothing happens.
    virtual Result<ChangeEvent> next(std::stop_token) = 0;
    virtual void interrupt() noexcept = 0;
    /// How far this has read, for Database::logBytesAfter(); empty where it cannot be told. On the
    /// thread that calls next().
    [[nodiscard]] virtual QString place() const { return {}; }
};

/// Table of the leader as the stream must decode it, or null where it is not in the selection.
using TableResolver = std::function<std::shared_ptr<const Table>(const TableName &)>;

/// Where a transaction of a batch begins.
struct TransactionStart {
    std::size_t firstRow = 0; ///< index into ChangeBatch::rows
    QString id;               ///< TransactionBegin::id
    Position before;          ///< `after` of the transaction before it in the stream; empty = the
                              ///< follower's recorded position (the stream began here)
};

/// Changes of whole transactions, in commit order, that may be applied as one batch. A very large
/// transaction may come in parts: then `after` of all parts but the last is the position *before*
/// it.
struct ChangeBatch {
    std::vector<RowChange> rows; ///< table names are the leader's
    Position after;              ///< recorded with the data
    qint64 transactions = 0;
    /// One for each transaction that has rows here, in order (of a part: its own, again). What must
    /// happen exactly once (emulated cascades, tables without key) is recorded by transaction and
    /// row. May be left out for a batch of a single transaction that begins at the recorded
    /// position.
    std::vector<TransactionStart> starts;
};

/// Rows of the leader as they are now, for an applier that must look (ALGORITHMS 3.3). One session,
/// one thread at a time.
class LeaderRows {
public:
    virtual ~LeaderRows() = default;
    /// All rows whose `columns` equal one of the tuples (in the columns' own collation). Full rows
    /// in ordinal order; generated columns may be NULL. Waits first until everything up to
    /// `visible` can be seen: the log shows a transaction before the tables do. Empty: everything
    /// that is in the log now.
    virtual Result<std::vector<Row>> read(const Table &, const std::vector<int> &columns,
                                          const std::vector<Row> &tuples, const Position &visible,
                                          std::stop_token) = 0;
    /// A position that covers everything that anybody can have read from the leader until now.
    virtual Result<Position> now(std::stop_token) = 0;
};

struct ApplierOptions {
    int workers = 4;
    bool emulateCascades = true; ///< the leader's log lacks referential actions
    int inlineRows = 64;         ///< so few rows are written with the position, without the workers
    /// Needed with emulateCascades until settle(): rows copied late are newer than the changes
    /// being applied, and then a cascade cannot be performed from the follower's rows alone. And
    /// where a key compares otherwise on the follower: which of two rows that meet there is alive.
    std::shared_ptr<LeaderRows> leader;
    /// Told of every row (leader's table, wire form of rowKeyColumns()) that the applier changes
    /// although no event names it: what referential actions touch. May be told of rows whose change
    /// is rolled back. On the thread that calls the applier; null: nobody wants to know.
    std::function<void(const TableName &, const std::vector<Row> &)> onUnlogged;
    std::size_t mostUnlogged = 0; ///< so many rows of one action are enough to be told of
};

struct FollowerStatement {
    QString sql;
    QString defaultSchema; ///< empty = none
    QString sqlMode;       ///< that it was written for; empty = the session's own
};

/// Applies changes to the follower: batched, parallel, exactly once.
class Applier {
public:
    virtual ~Applier() = default;
    /// Follower table for a leader table; absent plans mean "not in scope, skip".
    virtual void setPlans(std::vector<TablePlan>) = 0;
    /// Returns when everything of the batch and `after` is committed on the follower.
    virtual Status apply(const ChangeBatch &, std::stop_token) = 0;
    /// DDL on the follower (TRUNCATE replayed, or a schema change the user approved), with the
    /// position recorded after it; names are the follower's. Where `after` is the position that is
    /// recorded already (rows of the same transaction follow), a second call does nothing.
    virtual Status applyStatement(const FollowerStatement &, const Position &after,
                                  std::stop_token) = 0;
    /// Writes (insert, update) or deletes these rows outside the stream, in one transaction; the
    /// recorded position stays. They may be newer than it: the stream makes good what is between.
    virtual Status repair(const std::vector<RowChange> &, std::stop_token)
    {
        return fail(ErrorCode::Internal, cwText("core", "Rows cannot be repaired here."));
    }
    /// To be called once by each applier when the applied position has reached one taken after the
    /// last chunk was read: looks for rows that a cascade missed because the row between was
    /// copied after it, and leaves cascades to the follower's own rows from then on.
    virtual Status settle(std::stop_token) { return {}; }
    virtual void interrupt() noexcept = 0;
};

/// Shows others, as long as it lives, that this process works on a migration: a second Causeway
/// (with a copy of the file) stays away instead of taking over. The server gives it up with us.
class LeaseHold {
public:
    virtual ~LeaseHold() = default;
};

struct ChunkRecord {
    TableName table; ///< leader's name
    ChunkMark mark;
    qint64 rows = 0;
};

/// One thing that was changed on a server and must be put back: kept on the server itself.
struct Restoration {
    QString id;   ///< "read_only", "event shop.purge", "account app@%"
    QString kind; ///< "setting" | "account" | "trigger" | "event" | ...
    QString
        putBack; ///< SQL that puts it back, complete; several statements separated by kind's rules
    QString payload; ///< JSON with whatever the step needs
};

/// `_causeway` on one server: what decides correctness and must survive a lost laptop.
class Ledger {
public:
    virtual ~Ledger() = default;
    /// Creates schema and tables where missing (idempotent); the shown SQL comes from createSql().
    virtual Status create(std::stop_token) = 0;
    virtual QStringList createSql() const = 0;
    virtual Result<bool> exists(std::stop_token) = 0;
    /// Takes the lease: ends the sessions of the old holder by their recorded ids, raises the
    /// epoch. `holder` says who (host, pid), for people.
    virtual Result<Lease> takeLease(const QString &holder, std::stop_token) = 0;
    /// Still ours? Error{LeaseLost} where not.
    virtual Status checkLease(const Lease &, std::stop_token) = 0;
    /// Makes one stream row per worker ("copy0".., "apply0".., "repair") for the epoch.
    virtual Status openStreams(const Lease &, const QStringList &names, std::stop_token) = 0;
    virtual Result<Position> appliedPosition(std::stop_token) = 0; ///< empty = none yet
    virtual Status setAppliedPosition(const Lease &, const Position &, std::stop_token) = 0;
    /// Facts of the migration by name: "low_watermark", "copied.<table>", "switched", ...
    virtual Result<std::optional<QString>> fact(const QString &name, std::stop_token) = 0;
    virtual Status setFact(const Lease &, const QString &name, const QString &value,
                           std::stop_token) = 0;
    virtual Status clearFact(const Lease &, const QString &name, std::stop_token) = 0;
    virtual Result<std::vector<ChunkRecord>> chunks(const TableName &leaderTable,
                                                    std::stop_token) = 0;
    /// The leader's tables of which some chunk is recorded.
    virtual Result<std::vector<TableName>> tablesWithChunks(std::stop_token) = 0;
    virtual Status forgetChunks(const Lease &, const TableName &leaderTable, std::stop_token) = 0;
    virtual Status remember(const Lease &, const Restoration &, std::stop_token) = 0;
    virtual Result<std::vector<Restoration>> restorations(std::stop_token) = 0;
    virtual Status forget(const Lease &, const QString &restorationId, std::stop_token) = 0;
    /// Removes this migration's rows; the last one out drops the tables and the schema.
    virtual Status remove(std::stop_token) = 0;
};

struct LiveClient {
    QString account, host, database, state;
    qint64 id = 0;
    qint64 seconds = 0; ///< in its present state
    QString statement;  ///< redacted, at most 200 characters
    bool ours = false;
    bool holdsTransaction = false;
    bool writes = false; ///< was changing rows when it was looked at
};

/// One object to create on the follower, with the exact SQL. Statements run in order in one
/// session.
struct SchemaStatement {
    QString object; ///< for messages: "shop.orders", "trigger shop.t1"
    QString sql;
    QString sessionSetup; ///< SET statements to run before (sql_mode, charset of a routine)
    /// An object that the leader itself cannot use: a server's refusal is noted and no failure.
    bool mayFail = false;
};

/// Runs such statements one after the other in a session of its own. One thread at a time.
class StatementRunner {
public:
    virtual ~StatementRunner() = default;
    virtual Status run(const SchemaStatement &, std::stop_token) = 0;
};

struct SchemaAdjustment {
    QString object;
    Text what; ///< "MyISAM becomes InnoDB", "DEFINER removed, SQL SECURITY INVOKER"
};

/// How the follower's schema is to be built from the leader's catalog.
struct SchemaScript {
    std::vector<SchemaStatement> schemas; ///< CREATE DATABASE
    std::vector<SchemaStatement>
        sequences;                        ///< before the tables, whose defaults may draw from them
    std::vector<SchemaStatement> tables;  ///< with primary key and what must exist while copying
    std::vector<SchemaStatement> indexes; ///< non-unique, after the copy
    std::vector<SchemaStatement> uniques; ///< after catch-up past the last chunk read
    std::vector<SchemaStatement> foreignKeys; ///< after uniques, with checks off
    std::vector<SchemaStatement> routines;    ///< functions and procedures
    std::vector<SchemaStatement> views;
    std::vector<SchemaStatement> triggers; ///< at the switch
    std::vector<SchemaStatement> events;   ///< at the switch
    std::vector<SchemaAdjustment> adjustments;
    std::vector<TablePlan> plans;
};

struct HashedRange {
    ChunkRange range;
    qint64 rows = 0;
    QString hash; ///< empty for no rows
};

/// Hashes rows by key range with the canonical expressions of ALGORITHMS 6.
class RangeHasher {
public:
    virtual ~RangeHasher() = default;
    /// The next range of about `rows` rows after `after`, walked on the leader: its upper bound, or
    /// nothing when fewer are left.
    virtual Result<std::optional<Row>> bound(const Table &, const std::optional<Row> &after,
                                             qint64 rows, std::stop_token) = 0;
    virtual Result<HashedRange> hash(const Table &, const ChunkRange &, std::stop_token) = 0;
    /// (key, row hash) of every row in the range, in key order, to narrow a difference.
    virtual Result<std::vector<std::pair<Row, QString>>>
    rowHashes(const Table &, const ChunkRange &, std::stop_token) = 0;
    /// Hash of each row, looked up by key as the server compares keys; empty where there is none.
    virtual Result<std::vector<QString>> hashesOf(const Table &, const std::vector<Row> &keys,
                                                  std::stop_token) = 0;
    /// The same for the very bytes of the keys: a row whose key is equal by the follower's
    /// collation alone can be another one of the leader's.
    virtual Result<std::vector<QString>>
    hashesOfBytes(const Table &table, const std::vector<Row> &keys, std::stop_token stop)
    {
        return hashesOf(table, keys, std::move(stop));
    }
    /// Whole table as a multiset: count and hash, for tables without key.
    virtual Result<HashedRange> hashAll(const Table &, std::stop_token) = 0;
    virtual void interrupt() noexcept = 0;
};

using Counters = std::map<TableName, quint64>;

/// Two rows of the leader that the follower, by its collation, would hold for one and the same.
struct KeyCollision {
    TableName table; ///< the leader's name
    QString key;
    QString first, second; ///< the key's values, for people
};

enum class ObjectAction { Create, Drop, Enable, Disable }; ///< Enable and Disable: events
enum class TableAction { Drop, Truncate };

/// A server, as one side of a migration sees it. Thread-safe: each call opens what it needs.
class Database {
public:
    virtual ~Database() = default;
    virtual const Address &address() const = 0;
    virtual Result<ServerFacts> facts(std::stop_token) = 0;
    virtual Result<Capabilities> capabilities(std::stop_token) = 0;
    virtual Result<Catalog> catalog(const Selection &, std::stop_token) = 0;
    /// The selection's objects of one kind, as catalog() has them, without reading all the
    /// tables: triggers and events are cheap enough to ask for while writes are held.
    virtual Result<std::vector<SchemaObject>> objects(const Selection &selection, ObjectKind kind,
                                                      std::stop_token stop)
    {
        CW_TRY_ASSIGN(Catalog all, catalog(selection, std::move(stop)));
        std::erase_if(all.objects, [kind](const SchemaObject &o) { return o.kind != kind; });
        return std::move(all.objects);
    }
    /// Schemas a user may choose from, without the system's.
    virtual Result<QStringList> schemaNames(std::stop_token) = 0;
    virtual Result<SchemaScript> schemaScript(const Catalog &leader, const Selection &,
                                              const ServerFacts &leaderFacts, std::stop_token) = 0;
    /// Runs statements as they are, one by one; the error names the object.
    virtual Status execute(const std::vector<SchemaStatement> &, std::stop_token) = 0;
    /// For many statements by several workers: each keeps its session.
    virtual Result<std::unique_ptr<StatementRunner>> statementRunner(std::stop_token)
    {
        class EachAlone final : public StatementRunner {
        public:
            explicit EachAlone(Database &database) : m_database(database) {}
            Status run(const SchemaStatement &statement, std::stop_token stop) override
            {
                return m_database.execute({statement}, std::move(stop));
            }

        private:
            Database &m_database;
        };
        return std::make_unique<EachAlone>(*this);
    }

    /// Asked of the follower, whose collations decide: rows of the leader that would fall into one
    /// unique key here although they are apart there (ALGORITHMS 2.6); some samples of each key.
    /// Leaves nothing behind. `looksAt` is told each table before it is read.
    virtual Result<std::vector<KeyCollision>>
    keyCollisions(Database & /*leader*/, const std::vector<TablePlan> &, const Lease &,
                  const std::function<void(const TableName &)> & /*looksAt*/, std::stop_token)
    {
        return std::vector<KeyCollision>{};
    }
    virtual Result<std::unique_ptr<RowReader>> reader(std::stop_token) = 0;
    virtual Result<std::unique_ptr<RowWriter>> writer(const Lease &, const QString &stream,
                                                      std::stop_token) = 0;
    virtual Result<std::unique_ptr<Applier>> applier(const Lease &, const ApplierOptions &,
                                                     std::stop_token) = 0;
    /// The changes after `from`, decoded with the tables that `resolve` knows.
    virtual Result<std::unique_ptr<ChangeStream>> changes(const Position &from, const Lease &ours,
                                                          const TableResolver &resolve,
                                                          std::stop_token) = 0;
    /// Watches this server as a follower: gives ForeignWrite for what somebody else than this
    /// migration changed in tables that `resolve` knows, and Progress. Cheap: rows are not decoded.
    virtual Result<std::unique_ptr<ChangeStream>> foreignWrites(const Position & /*from*/,
                                                                const Lease & /*ours*/,
                                                                const TableResolver & /*resolve*/,
                                                                std::stop_token)
    {
        return fail(ErrorCode::NotReady, cwText("core", "Writes of others cannot be watched here."),
                    QStringLiteral("unwatchable"));
    }
    virtual Result<std::unique_ptr<RangeHasher>> hasher(std::stop_token) = 0;
    virtual Result<std::unique_ptr<Ledger>> ledger(const QString &migration, std::stop_token) = 0;
    /// Error{NotReady, "lease-held"} where another process holds it that is alive; one that is not
    /// (stopped, cut off, gone) is waited for or ended. Nothing where the server cannot do it.
    virtual Result<std::unique_ptr<LeaseHold>> holdLease(const QString & /*migration*/,
                                                         std::stop_token)
    {
        return std::unique_ptr<LeaseHold>();
    }
    /// Ids of the migrations that have state on this server.
    virtual Result<QStringList> migrations(std::stop_token) { return QStringList{}; }
    virtual Result<std::unique_ptr<Fence>> fence(const FenceRequest &, std::stop_token) = 0;
    /// What closing it would mean; changes nothing.
    virtual Result<FenceForecast> fenceForecast(const FenceRequest &request, std::stop_token stop)
    {
        CW_TRY_ASSIGN(const auto made, fence(request, std::move(stop)));
        return made->forecast();
    }

    /// A position of which everything before is visible to readers: G0 before the copy, and the
    /// barrier of a catch-up. See ALGORITHMS 2.1.
    virtual Result<Position> currentPosition(const Selection &, std::stop_token) = 0;
    /// applied >= wanted, in this server's log. Pure; no I/O.
    virtual bool reached(const Position &applied, const Position &wanted) const = 0;
    /// Whether the log still holds everything after `from`. An error where it can be told that this
    /// is not the log that `from` comes from (see identified()): a RESET, a restored server.
    virtual Result<bool> stillHas(const Position &from, std::stop_token) = 0;
    /// `from`, with what tells this log from another that has the same names and numbers.
    virtual Result<Position> identified(const Position &from, std::stop_token) { return from; }
    /// Seconds the server keeps its log, and age of its oldest part; -1 unknown or unlimited.
    virtual Result<qint64> retentionSeconds(std::stop_token) = 0;
    /// Bytes that the log holds after a ChangeStream::place(); -1 unknown.
    virtual Result<qint64> logBytesAfter(const QString & /*place*/, std::stop_token)
    {
        return qint64(-1);
    }
    virtual Result<std::vector<LiveClient>> liveClients(std::stop_token) = 0;

    /// Rows with these keys (wire form of rowKeyColumns()), all columns in ordinal order, generated
    /// ones as NULL; keys without a row are absent. For repair and for comparing under the fence.
    virtual Result<std::vector<Row>> readRows(const Table &, const std::vector<Row> & /*keys*/,
                                              std::stop_token)
    {
        return fail(ErrorCode::Internal, cwText("core", "Rows cannot be read by key here."));
    }
    /// A table without key, whole and consistent (ALGORITHMS 3.8): locked for reading only while
    /// the snapshot is made and the position noted, read afterwards. `at` gets the position before
    /// the first batch.
    virtual Status readLocked(const Table &, const ReadLimits &, const BatchSink &,
                              const std::function<Status(const Position &)> & /*at*/,
                              std::stop_token)
    {
        return fail(ErrorCode::Internal, cwText("core", "Tables without key cannot be read here."));
    }
    /// Lets this server, as the leader, add what an applier on the other side needs of it.
    virtual Status serveApplier(ApplierOptions &, std::stop_token) { return {}; }

    /// SQL that does this to objects as they are on this server. Pure; no I/O.
    virtual std::vector<SchemaStatement> objectStatements(ObjectAction,
                                                          const std::vector<SchemaObject> &) const
    {
        return {};
    }
    virtual std::vector<SchemaStatement> tableStatements(TableAction,
                                                         const std::vector<TableName> &) const
    {
        return {};
    }
    virtual std::vector<SchemaStatement> dropSchemaStatements(const QStringList &) const
    {
        return {};
    }
    /// Next AUTO_INCREMENT value of each table of the selection that has one.
    virtual Result<Counters> counters(const Selection &, std::stop_token) { return Counters{}; }
    /// SQL for this server that lifts its counters (under its own names, as they are) to `wanted`,
    /// where they are behind: a leader's counter can be ahead of its highest row. Pure; no I/O.
    virtual std::vector<SchemaStatement> counterStatements(const Counters & /*own*/,
                                                           const Counters & /*wanted*/) const
    {
        return {};
    }
    /// SQL for the other server that carries this one's sequences over, so that the next value
    /// there is none that was handed out here; it only ever moves them on. `elsewhere` gives the
    /// other side's name. `margin`: values that may still be handed out here meanwhile.
    virtual Result<std::vector<SchemaStatement>>
    sequenceStatements(const Selection &,
                       const std::function<TableName(const TableName &)> & /*elsewhere*/,
                       qint64 /*margin*/, std::stop_token)
    {
        return std::vector<SchemaStatement>{};
    }
};

} // namespace causeway
