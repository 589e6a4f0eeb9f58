#pragma once

#include "postgres/native/Scope.h"

namespace causeway::postgres {

/// Schema changes are not replicated. What the two sides have of the tables in scope must be the
/// same: otherwise a change cannot be applied, or (a table that the other side lacks) is not sent.

/// The columns of every table in scope, hashed: cheap enough under a lock.
Result<QString> schemaFingerprint(Server &, const Scope &, std::stop_token);
/// What differs, for people; empty where nothing does.
Result<QStringList> schemaDrift(Server &leader, const Scope &leaderScope, Server &follower,
                                const Scope &followerScope, std::stop_token);
Error driftError(const QStringList &differences);

} // namespace causeway::postgres
