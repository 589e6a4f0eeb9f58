#pragma once

#include "database/Database.h"
#include "mysql/Session.h"

#include <memory>

/// What MySqlDatabase is made of: one function and one source file each, so that a part can be read
/// and tested alone.
namespace causeway::mysql {

// Facts.cpp
Result<ServerFacts> readFacts(Session &, std::stop_token);
Result<Capabilities> readCapabilities(Session &, std::stop_token);
/// A thread of the server itself, or a replica that reads the log: no client.
bool isBackground(const QString &user, const QString &command);
Result<std::vector<LiveClient>> readLiveClients(Session &, std::stop_token);
// SchemaReader.cpp
Result<Catalog> readCatalog(Session &, const Selection &, std::stop_token);
Result<QStringList> readSchemaNames(Session &, std::stop_token);
Result<Counters> readCounters(Session &, const Selection &, std::stop_token);
// SchemaReadObjects.cpp: objects of one kind alone
Result<std::vector<SchemaObject>> readObjects(Session &, const Selection &, ObjectKind,
                                              std::stop_token);
// SchemaWriter.cpp: `session` is on the follower
Result<SchemaScript> writeSchemaScript(Session &session, const Catalog &leader, const Selection &,
                                       const ServerFacts &leaderFacts, std::stop_token);
/// What writeSchemaScript() would fail for, of all tables, and what it would change.
struct SchemaForecast {
    std::vector<Error> obstacles;
    std::vector<SchemaAdjustment> adjustments;
};
Result<SchemaForecast> forecastSchema(Session &session, const Catalog &leader, const Selection &,
                                      const ServerFacts &leaderFacts, std::stop_token);
// SchemaRun.cpp
Status runStatements(Session &, const std::vector<SchemaStatement> &, std::stop_token);
Result<std::unique_ptr<StatementRunner>> makeStatementRunner(const Address &, std::stop_token);
// RowReader.cpp, RowWriter.cpp
Result<std::unique_ptr<RowReader>> makeRowReader(const Address &, std::stop_token);
/// On a Data session that has a snapshot open already.
std::unique_ptr<RowReader> makeRowReaderOn(std::unique_ptr<Session>);
Result<std::unique_ptr<RowWriter>> makeRowWriter(const Address &, const Lease &,
                                                 const QString &stream, std::stop_token);
// Applier.cpp
Result<std::unique_ptr<Applier>> makeApplier(const Address &, const Lease &, const ApplierOptions &,
                                             std::stop_token);
// LeaderRead.cpp: `leader` is the other server
Result<std::unique_ptr<LeaderRows>> makeLeaderRows(const Address &leader, std::stop_token);
// binlog/BinlogStream.cpp
Result<std::unique_ptr<ChangeStream>> makeChangeStream(const Address &, const Position &from,
                                                       const Lease &ours, const TableResolver &,
                                                       std::stop_token);
// RangeHasher.cpp
Result<std::unique_ptr<RangeHasher>> makeRangeHasher(const Address &, std::stop_token);
/// Only what is not ours (ForeignWrite); tables in scope are those that the resolver knows.
Result<std::unique_ptr<ChangeStream>> makeForeignStream(const Address &, const Position &from,
                                                        const Lease &ours, const TableResolver &,
                                                        std::stop_token);
/// DDL that says in a comment that it is ours: a log shows who wrote rows by their transaction's
/// stream row, but of a statement nothing else than itself. (SchemaRun.cpp)
std::string markOwn(const std::string &ddl);
bool isMarkedOwn(const QString &statement);
// Ledger.cpp
Result<std::unique_ptr<Ledger>> makeLedger(const Address &, const QString &migration,
                                           std::stop_token);
// Fence.cpp
Result<std::unique_ptr<Fence>> makeFence(const Address &, const FenceRequest &, std::stop_token);
// Positions.cpp
/// The statement that shows where the log ends, by the name that this version knows: new since 8.2,
/// the old one gone since 8.4. File and offset are its first columns; no row without a log.
QString logStatusSql(bool mariaDb, int version);
/// "file:offset" where the log ends, empty without one.
Result<QString> readLogEnd(Session &, std::stop_token);
Result<Position> readCurrentPosition(Session &, const Selection &, std::stop_token);
/// For tables that the caller keeps locked for reading: whoever wrote to them has committed, so
/// that where the log ends is exact for them, and no further lock is needed.
Result<Position> readPositionUnderLock(Session &, std::stop_token);
bool positionReached(const Position &applied, const Position &wanted);
/// Error{NeedsDecision, "mysql-log-replaced"} where this is another log than the position's.
Result<bool> logStillHas(Session &, const Position &from, std::stop_token);
/// With what tells this log from another one.
Result<Position> identifiedPosition(Session &, const Position &from, std::stop_token);
Result<qint64> readRetentionSeconds(Session &, std::stop_token);
Result<qint64> readLogBytesAfter(Session &, const QString &place, std::stop_token);

/// Where the state tables are: `_causeway`.`stream`, or `db`.`_causeway_stream` where the account
/// may not create a schema.
struct StateNames {
    bool ownSchema = true;
    QString schema = QStringLiteral("_causeway");
    [[nodiscard]] TableName table(const QString &base) const
    {
        return ownSchema ? TableName{schema, base}
                         : TableName{schema, QStringLiteral("_causeway_") + base};
    }
};
/// The scratch table of a migration's search for keys that meet (CollisionScan.cpp).
inline QString scratchBase(const QString &migration)
{
    return QStringLiteral("keys_") + migration;
}
/// Looks where they are on this server (LedgerTables.cpp); creates nothing. `ownSchema` where there
/// are none yet.
Result<StateNames> findStateNames(Session &, std::stop_token);
/// Notes this session as the lease holder's, so that a takeover can end it. Once per session that
/// uses touchStream, before its first data transaction. Error{LeaseLost} where the epoch is not the
/// lease's. (LedgerLease.cpp)
Status registerSession(Session &, const StateNames &, const Lease &, std::stop_token);
/// Migrations that have state on this server, with their epochs: for `unfence`, which has no file,
/// and under super_read_only cannot take a lease. (LedgerLease.cpp)
struct MigrationOnServer {
    Lease lease;
    QString holder;
};
Result<std::vector<MigrationOnServer>> readMigrations(Session &, std::stop_token);
/// Connection ids that lease holders have registered on this server and that are still theirs.
/// (LedgerLease.cpp)
Result<std::vector<quint64>> readHolderSessions(Session &, std::stop_token);

/// The first statement of every data transaction: stream row (migration, stream) WHERE epoch =
/// mine, seq = seq + 1. Error{LeaseLost} where it did not change one row. (LedgerLease.cpp)
///
/// State tables, all InnoDB, utf8mb4 COLLATE utf8mb4_bin:
///   migration  (migration CHAR(8) PK, epoch BIGINT UNSIGNED, holder VARCHAR(255), sessions TEXT,
///               created_at DATETIME)
///   stream     (migration CHAR(8), stream VARCHAR(32), epoch BIGINT UNSIGNED, seq BIGINT UNSIGNED,
///               position LONGTEXT NULL, PK (migration, stream))      -- position: of stream
///               'apply'
///   chunk      (migration CHAR(8), table_schema VARCHAR(64), table_name VARCHAR(64), number INT,
///               after_key LONGBLOB NULL, upto_key LONGBLOB NULL, row_count BIGINT,
///               PK (migration, table_schema, table_name, number))    -- keys by packRow()
///   fact       (migration CHAR(8), name VARCHAR(190), value LONGTEXT, PK (migration, name))
///   restoration(migration CHAR(8), id VARCHAR(190), kind VARCHAR(32), put_back LONGTEXT,
///               payload LONGTEXT, PK (migration, id))
Status touchStream(Session &, const StateNames &, const Lease &, const QString &stream,
                   std::stop_token);
/// Key values as bytes for `chunk`, and back: per value one byte (0 NULL, 1 value), 4 bytes length
/// little-endian, bytes. (PackedRow.cpp)
std::string packRow(const Row &);
Result<Row> unpackRow(std::string_view);

/// A value in wire form as an SQL literal for a Data session (RowLiteral.cpp): numbers bare, text
/// and binary quoted, JSON converted on MySQL. With `comparable`, text gets its charset introducer
/// so that comparing it with the column uses the column's collation and index.
void appendLiteral(std::string &out, const Column &, const Value &, bool comparable, bool mariaDb);
/// The select expression that yields the wire form of a column (`f`+0e0, `e`+0, ...).
QString wireExpression(const Column &, bool mariaDb);
/// Wire form of FLOAT (`single`) and DOUBLE: the shortest text that reads back to the same number,
/// as std::to_chars gives it. From the server's text (of the value as a double), or from the value
/// itself (binlog). The select expressions give the server's own text of the number; whoever reads
/// rows passes it through this. (RowLiteral.cpp)
std::string canonicalReal(std::string_view serverText, bool single);
std::string canonicalReal(float);
std::string canonicalReal(double);

} // namespace causeway::mysql
