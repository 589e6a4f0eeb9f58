#pragma once

#include "journal/Snapshot.h"
#include "postgres/native/Publication.h"
#include "postgres/native/Subscription.h"

namespace causeway::postgres {

/// What is wrong with a stream, as both servers tell it.
struct Health {
    std::vector<Trouble> lasting; ///< does not go away by itself
    /// The worker is not there just now: it ends and comes again by itself, so that only one that
    /// stays away is a trouble.
    std::optional<Trouble> worker;
};
Health healthOf(const SlotState &, const SubscriptionState &, Side leader,
                const QString &leaderName, const QString &followerName);

Error troubleError(const Trouble &);

/// What a look from outside finds while no Causeway runs: for `status`. Writes nothing, takes no
/// lease.
struct Standstill {
    Roles roles;
    qint64 lagBytes = -1, keptBytes = -1, leftBytes = -1;
    std::vector<Trouble> troubles;
};
/// Nothing where the servers hold no state of this migration.
Result<std::optional<Standstill>> lookFromOutside(const QString &migration, const Address &source,
                                                  const Address &target, bool oneWay,
                                                  std::stop_token);

} // namespace causeway::postgres
