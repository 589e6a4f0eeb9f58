#pragma once

#include "database/Change.h"

#include <QString>

#include <vector>

namespace causeway::mysql {

/// What a logged statement is, told by its tokens.
struct LoggedStatement {
    enum class Kind {
        Begin,
        Commit,
        Rollback,
        Savepoint,
        RollbackTo,
        ReleaseSavepoint,
        XaStart,
        XaEnd,
        XaPrepare,
        XaCommit,
        XaRollback,
        Dml, ///< rows logged as a statement
        Ddl,
    };
    Kind kind = Kind::Ddl;
    DdlKind ddl = DdlKind::Other;
    std::vector<TableName> tables; ///< named as a target; a whole schema has an empty name
    QString savepoint;
    QString xid; ///< as servers log it, upper case without spaces: "X'6F6C64',X'',1"
    bool temporary = false;
    std::vector<TableName> named; ///< of a temporary table: its names, while `tables` is empty
    bool drops = false;
    /// CREATE TABLE ... SELECT of MySQL 8.0.21 and later: the rows follow in the same transaction.
    /// `text` is the statement without the clause that says so.
    bool rowsFollow = false;
    QString text;
};

struct StatementSyntax {
    QString defaultSchema;
    bool ansiQuotes = false;
    bool noBackslashEscapes = false;
};

LoggedStatement classifyStatement(const QString &sql, const StatementSyntax &);

} // namespace causeway::mysql
