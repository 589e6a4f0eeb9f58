#pragma once

#include "database/Fence.h"
#include "mysql/Parts.h"
#include "mysql/checks/Grants.h"

#include <map>

namespace causeway::mysql {

/// What decides how a server can be closed.
struct SealFacts {
    QString account; ///< its name, for messages
    bool mariaDb = false;
    int version = 0;
    Grants grants;
    bool untrusted = false;        ///< creating triggers needs SUPER on top (error 1419)
    bool providerRoutine = false;  ///< mysql.rds_set_read_only
    bool refused = false;          ///< SET GLOBAL read_only was tried and refused
    bool keepsSettings = false;    ///< SET PERSIST is there, and read when the server starts
    std::vector<TableName> tables; ///< those that are to be fenced
    QStringList others;            ///< what else there is: "billing", "shop.archive (not selected)"
};
Result<SealFacts> readSealFacts(Session &, const Selection &, std::stop_token);

/// How a server will be closed, and why not in a better way.
struct SealChoice {
    QString kind;            ///< "read_only" | "provider" | "triggers"; empty = no way
    Text limitation;         ///< why none, where kind is empty
    Text instead;            ///< why not by what would be chosen first, where that is not so
    QStringList missing;     ///< "RELOAD ON *.*": rights for the way that would be chosen
    bool needsTrust = false; ///< and log_bin_trust_function_creators
    bool persist = false;    ///< MySQL 8.0 on: SET PERSIST outlives a restart
    bool brace = false;      ///< read_only that may not, and triggers can close meanwhile
};
/// The first way that the rights allow (ALGORITHMS 4.4): the whole server where nothing else lives
/// on it, else only the tables that move, so that nobody else is stopped. Pure.
SealChoice chooseSeal(const SealFacts &, FenceKind wish);
/// Facts and choice; `SET GLOBAL read_only` is tried with the value that it has, which changes
/// nothing but is refused where a service keeps it to itself.
Result<SealChoice> chooseSeal(Session &, SealFacts &, FenceKind wish, std::stop_token);
/// What the account would lack for a way of closing: "RELOAD ON *.*".
QStringList missingForReadOnly(const SealFacts &);
QStringList missingForTriggers(const SealFacts &);
/// Whether triggers can stand by for a restart that forgets read_only.
bool mayBrace(const SealFacts &);
FenceForecast forecastOf(const SealFacts &, const SealChoice &);

/// Base tables on this server that the selection names; our own state tables never.
Result<std::vector<TableName>> tablesToFence(Session &, const Selection &, std::stop_token);

/// What SHOW GRANTS says of our own account, with its active roles.
Result<Grants> readGrants(Session &, std::stop_token);

struct SealTrigger {
    TableName name;
    QString sql;
    TableName table;
};
/// When a trigger of ours refuses.
enum class SealWhen {
    Always,
    /// Only where read_only is off: the server was restarted, and no longer knows that it is
    /// closed. While it knows, who may write under read_only is the server's own affair.
    Reopened,
};
/// Triggers that refuse every writer but Causeway's sessions of `account` (the user part of
/// USER()).
std::vector<SealTrigger> sealTriggers(const std::vector<TableName> &, const QString &migration,
                                      const QString &account, SealWhen when = SealWhen::Always);
QString sealTriggerPrefix(const QString &migration);
/// Seal triggers of this migration that exist.
Result<std::vector<TableName>> findSealTriggers(Session &, const QString &migration,
                                                std::stop_token);
/// Each with the table that it is on.
Result<std::map<TableName, TableName>> sealedTables(Session &, const QString &migration,
                                                    std::stop_token);
/// "LOCK TABLES a READ, b READ".
QString lockTables(const std::vector<TableName> &, const char *mode);

/// The position that covers all that has committed, while a fence is held: waits until transactions
/// that are committing have become visible in it. `wholeServer`: nothing at all can commit (FTWRL);
/// otherwise only the fenced tables are quiet and others go on.
Result<Position> positionUnderFence(Session &, bool wholeServer, std::stop_token);

/// What the migration has noted on this server, read without a lease; nothing where it has not.
Result<std::optional<QString>> readFact(Session &, const QString &migration, const QString &name,
                                        std::stop_token);
/// Migrations that hold this server closed as a whole (read_only), as far as this account may read
/// their records.
Result<std::vector<MigrationOnServer>> readClosers(Session &, std::stop_token);
/// Under the lease by its ledger; without one, as `unfence` does, which has no lease.
Status removeFact(Session &, Ledger *, const Lease &, const QString &name, std::stop_token);

/// A statement that waits for one of the tables and that no trigger stops: TRUNCATE, DROP, ALTER.
struct WaitingStatement {
    quint64 id = 0; ///< connection
    QString account, statement;
};
/// Those that this account may see (with PROCESS: all).
Result<std::vector<WaitingStatement>> readWaitingDdl(Session &, const std::vector<TableName> &,
                                                     std::stop_token);
/// Ends a connection: by KILL, or by the provider's routine where KILL of others is withheld.
Status endConnection(Session &, quint64 id, std::stop_token);

/// Error "mysql-fence-blocked" with the sessions that seem to stand in the way. `ours`: connections
/// to leave out.
Error fenceBlocked(const Address &, const std::vector<TableName> &,
                   const std::vector<quint64> &ours, const Error &cause, std::stop_token);

} // namespace causeway::mysql
