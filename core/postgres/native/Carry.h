#pragma once

#include "postgres/native/Scope.h"

namespace causeway::postgres {

/// What replication does not carry, brought from the leader to the follower while writes are held:
/// the rows of unlogged tables, and large objects. What is the same already is not sent again, so
/// that a first go before the hold leaves little for the second.

struct CarryCount {
    qint64 tables = 0, largeObjects = 0, bytes = 0;
};
/// How much there is, on the leader: listed beforehand.
Result<CarryCount> countCarried(Server &leader, const Scope &, bool largeObjects, std::stop_token);
/// In the session that holds writes.
Status carryUnlogged(Session &holder, Server &follower, const Scope &leaderScope, std::stop_token);
/// All of the database: large objects belong to no table. Those that the leader lacks are removed
/// where `mayRemove`; that the follower had none before is seen to at the start.
Status carryLargeObjects(Server &leader, Server &follower, bool mayRemove, std::stop_token);

/// Before anything is copied: a target that has large objects of its own cannot take the source's,
/// which have the same numbers.
Status refuseForeignLargeObjects(Server &source, Server &target, std::stop_token);
/// Large objects move with a whole database only.
bool takesLargeObjects(const Selection &);

} // namespace causeway::postgres
