#pragma once

#include "mysql/Session.h"
#include "schema/Model.h"

#include <string>

namespace causeway::mysql {

/// Names (on the follower) of the columns for which the leader's value can be one that a strict
/// session refuses:
///  - ENUM's invalid value '' (ordinal 0) can be stored by a session that is not strict only, with
///    a warning (1265) for each;
///  - a generated column is computed by the follower itself: under the leader's sql_mode its value
///    may have been cut or bent with a warning.
struct ToleratedColumns {
    QStringList enums;
    QStringList generated;
    [[nodiscard]] bool isEmpty() const { return enums.isEmpty() && generated.isEmpty(); }
};
ToleratedColumns toleratedColumns(const Table &follower);

/// So many invalid ENUM values in one statement at most: each makes a warning, which must be seen.
constexpr int mostInvalidEnums = 50;

/// Runs an INSERT, REPLACE or UPDATE that must store its literals exactly, and returns the number
/// of affected rows. Strict mode makes errors of what damages a value. Where the statement writes
/// `invalidEnums` cells with ordinal 0, or is refused and the table has generated columns, it runs
/// without strict mode, and every warning that is not about one of those makes it fail:
/// Error{"mysql-value-changed"}. The caller's transaction must then be rolled back.
Result<quint64> writeExactly(Session &, const std::string &sql, const Table &follower,
                             const ToleratedColumns &, int invalidEnums, std::stop_token);

} // namespace causeway::mysql
