#pragma once

#include "base/Error.h"
#include "database/Value.h"
#include "schema/Model.h"

#include <QString>

#include <memory>
#include <variant>
#include <vector>

namespace causeway {

/// A place in a server's stream of changes, in that engine's own words. Compared only by the
/// engine (Database::reached), never as text.
///   MySQL with GTID:  "gtid:<executed set>", and ";<file>:<offset>" where the log was read
///   MySQL without:    "file:<binlog file>:<offset>"
///   MariaDB:          "mariadb:<gtid_binlog_pos>;<file>:<offset>" ("file:..." where GTID is
///   unusable)
/// and "#<when that file was begun>" behind the place, once that is known.
struct Position {
    QString text;
    [[nodiscard]] bool isEmpty() const { return text.isEmpty(); }
    bool operator==(const Position &) const = default;
};

enum class RowOp { Insert, Update, Delete };

/// One row changed. Images hold all columns of the table in ordinal order (Table::columns),
/// generated ones included as the log has them.
struct RowChange {
    std::shared_ptr<const Table> table; ///< as the leader has it, under the leader's name
    RowOp op = RowOp::Insert;
    Row before; ///< Update, Delete
    Row after;  ///< Insert, Update
    /// The leader's session ran with foreign key checks off: it performed no cascades either.
    bool foreignKeyChecksOff = false;
    int indexInTransaction = 0; ///< counts all row changes of the transaction in scope, from 0
};

struct TransactionBegin {
    QString id; ///< GTID, or file:offset; for logs and the "twice" test
    qint64 commitTimestampUs =
        0; ///< leader's clock, 0 = not in the log (then from the event header)
};
struct TransactionCommit {
    Position after;    ///< everything up to and including this transaction
    bool ours = false; ///< its first row event updated a stream row of this migration
};
enum class DdlKind { Create, Alter, Drop, Rename, Truncate, Index, Other };
/// A statement in scope (or one whose scope could not be told). Stands alone, outside transactions.
struct DdlChange {
    DdlKind kind = DdlKind::Other;
    QString statement;
    QString defaultSchema;
    std::vector<TableName> tables; ///< tables it names, as far as the tokens tell
    QString sqlMode;               ///< of the session that ran it, where the log has it
    Position before, after;
};
/// Rows of a table in scope were logged as a statement: nothing can be applied from it.
struct StatementLogged {
    QString statement;
    QString defaultSchema;
    Position before;
    std::vector<TableName> tables; ///< tables it names as targets, as far as the tokens tell
};
/// Inside a transaction: rows of this table changed, but the log does not hold what is needed to
/// apply them (an incomplete image, or columns that the table that was read does not have).
/// Harmless where the table's copy is newer than the transaction.
struct RowsUnreadable {
    TableName table;
    Error why;
};
/// Of a watching stream (Database::foreignWrites) only: a transaction or statement that is not ours
/// changed tables in scope.
struct ForeignWrite {
    QString id; ///< of the transaction
    std::vector<TableName> tables;
    QString statement; ///< empty for rows
    Position after;
    qint64 timestampUs = 0;
};
/// Nothing in scope happened, but the stream is alive and this far.
struct Progress {
    Position upTo;
    qint64 timestampUs = 0;
};

using ChangeEvent = std::variant<TransactionBegin, RowChange, TransactionCommit, DdlChange,
                                 StatementLogged, RowsUnreadable, ForeignWrite, Progress>;

} // namespace causeway
