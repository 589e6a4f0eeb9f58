#pragma once

#include "postgres/native/Native.h"

/// What a migration could not remove from a server that could not be reached when it ended. A slot
/// that nobody reads fills that server's disk: it is remembered in the migration's file, named at
/// every later start, in `status` and in the report, with the SQL that removes it, and removed as
/// soon as the server answers again.
namespace causeway::postgres {

/// The side that cannot be reached just now, where it is one of the two. A server that is there and
/// refuses us is not away.
Result<std::optional<Side>> awaySide(Native &, std::stop_token);

/// Complete: executed as printed, by an owner or superuser, it leaves nothing of the migration on
/// that server. `open`: not what closed it for writes either.
QStringList removalSql(Server &, bool open);
Status rememberLeftBehind(Native &, Side, bool open);
/// Removes what was left there. Error{"pg-left-behind"} where the server is still away.
Status removeLeftBehind(Native &, std::stop_token);

} // namespace causeway::postgres
