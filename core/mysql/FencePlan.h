#pragma once

#include "mysql/Parts.h"
#include "mysql/checks/Grants.h"

namespace causeway::mysql {

/// How a server will be closed, and why not in a better way.
struct SealChoice {
    QString kind;         ///< "read_only" | "provider" | "triggers"; empty = no way
    Text limitation;      ///< why none, where kind is empty
    bool persist = false; ///< MySQL 8.0 on: SET PERSIST outlives a restart
};

/// What SHOW GRANTS says of our own account, with its active roles.
Result<Grants> readGrants(Session &, std::stop_token);

/// The first way that the account's rights allow (ALGORITHMS 4.4). Changes nothing: rights are
/// read, and `SET GLOBAL read_only` is tried with the value that it has.
Result<SealChoice> chooseSeal(Session &, const std::vector<TableName> &tables, std::stop_token);

/// Base tables on this server that the selection names; our own state tables never.
Result<std::vector<TableName>> tablesToFence(Session &, const Selection &, std::stop_token);

struct SealTrigger {
    TableName name;
    QString sql;
};
/// Triggers that refuse every writer but `account` (the user part of USER()).
std::vector<SealTrigger> sealTriggers(const std::vector<TableName> &, const QString &migration,
                                      const QString &account);
QString sealTriggerPrefix(const QString &migration);
/// Seal triggers of this migration that exist.
Result<std::vector<TableName>> findSealTriggers(Session &, const QString &migration,
                                                std::stop_token);
/// "LOCK TABLES a READ, b READ".
QString lockTables(const std::vector<TableName> &, const char *mode);

/// The position that covers all that has committed, while a fence is held: waits until transactions
/// that are committing have become visible in it. `wholeServer`: nothing at all can commit (FTWRL);
/// otherwise only the fenced tables are quiet and others go on.
Result<Position> positionUnderFence(Session &, bool wholeServer, std::stop_token);

/// Error "mysql-fence-blocked" with the sessions that seem to stand in the way. `ours`: connections
/// to leave out.
Error fenceBlocked(const Address &, const std::vector<TableName> &,
                   const std::vector<quint64> &ours, const Error &cause, std::stop_token);

} // namespace causeway::mysql
