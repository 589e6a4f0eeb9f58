#pragma once

#include "journal/Snapshot.h"
#include "postgres/native/Scope.h"

namespace causeway::postgres {

struct Native;

/// Schema changes are not replicated. What the two sides have of the tables in scope must be the
/// same: otherwise a change cannot be applied, or (a table that the other side lacks) is not sent,
/// or the application finds a new leader without its constraints, defaults and enum labels.
///
/// Servers of different versions may print one and the same definition differently. What differs in
/// this way when the schema has just been made is known from then on, and is no drift.

/// One object that differs.
struct Difference {
    QString text; ///< for people
    /// What makes the follower's like the leader's; empty where that takes a person.
    QStringList sql;
    /// Takes away what changes that are still to be applied may need: after them.
    bool takesAway = false;
    QStringList first = {}; ///< then: what lets changes pass until it can go
};

/// All that drift looks at, of one server, hashed: cheap enough under a lock.
Result<QString> schemaFingerprint(Session &, const Scope &, std::stop_token);
/// Empty where nothing differs.
Result<std::vector<Difference>> schemaDrift(Server &leader, const Scope &leaderScope,
                                            Server &follower, const Scope &followerScope,
                                            std::stop_token);
/// When the schema has just been made from the source's: what is printed differently is known from
/// now on. `unchanged`: the source's has not changed since it was read; else nothing is known.
Status noteKnownDifferences(Server &source, const Scope &sourceScope, Server &target,
                            const Scope &targetScope, bool unchanged, std::stop_token);

Error driftError(const std::vector<Difference> &);
Result<std::vector<Difference>> driftNow(Native &, Roles, std::stop_token);
/// An error where the sides differ, unless the answer was to make the follower's like the leader's:
/// then that is done.
Status requireNoDrift(Native &, Roles, std::stop_token);

} // namespace causeway::postgres
