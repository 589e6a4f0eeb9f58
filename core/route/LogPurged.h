#pragma once

#include "base/Error.h"
#include "database/Change.h"

namespace causeway {

/// The leader's log does not reach back to the position that is needed.
inline Error logPurgedError(const Position &needed)
{
    Error e;
    e.code = ErrorCode::NeedsDecision;
    e.id = QStringLiteral("mysql-binlog-purged");
    e.message =
        cwText("core", "The leader no longer keeps the log from the position that is needed (%1).",
               needed.text.left(200));
    e.fix = cwText("core",
                   "The changes in between are gone. Raise the log's retention first (\"check\" "
                   "says how), then answer \"recopy\": all tables are copied again.");
    return e;
}

/// What was not read of the leader's log can never be: purged, or it is another log.
inline bool isLogGone(const Error &e)
{
    return e.id == QLatin1String("mysql-binlog-purged") ||
           e.id == QLatin1String("mysql-log-replaced");
}

} // namespace causeway
