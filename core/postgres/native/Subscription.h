#pragma once

#include "postgres/native/Scope.h"

#include <map>
#include <optional>

namespace causeway::postgres {

/// The follower's part of a stream. Named as the slot and the publication on the leader.

/// Connection string as the *follower's server* uses it. `password` false: with ${PASSWORD} in its
/// place, for showing.
QString connectionString(const Address &leaderFromFollower, bool password);

struct SubscriptionOptions {
    bool copy = false; ///< rows too, not only changes
    bool enabled = false;
    bool originNone = false; ///< both servers 16 and later, and nobody else's changes on the leader
    bool streaming = false;  ///< both 14 and later
};

struct SubscriptionState {
    bool exists = false;
    bool enabled = false;
    QString slot;          ///< empty: not connected to one any more
    bool running = false;  ///< its apply worker lives
    bool allReady = false; ///< every table is copied and follows
    int tables = 0, notReady = 0;
    QString receivedLsn, reportedLsn;       ///< last received; last that the leader reported
    qint64 applyErrors = 0, syncErrors = 0; ///< since its creation (15 and later, else -1)
    qint64 conflicts = -1;                  ///< 18 and later
};
Result<SubscriptionState> readSubscription(Server &follower, Side leader, std::stop_token);

/// As shown in a step: without the password.
QString createSubscriptionSql(const Names &, const Address &leaderFromFollower, Side leader,
                              const SubscriptionOptions &);
/// The slot must exist. Connects to the leader, and so proves that it can be reached from there.
/// Does nothing where it exists.
Status createSubscription(Server &follower, const Address &leaderFromFollower, Side leader,
                          const SubscriptionOptions &, std::stop_token);
/// Proves that the follower's server reaches the leader, with a subscription that is connected to
/// no slot and gone again when this returns.
Status probeReach(Server &follower, Server &leader, const Address &leaderFromFollower,
                  std::stop_token);

Status enableSubscription(Server &follower, Side leader, std::stop_token);
/// Returns when its worker is gone: nothing is applied after that. With the leader's server the
/// worker is woken for it: before 16 it would sleep on for up to a second.
Status disableSubscription(Server &follower, Side leader, std::stop_token,
                           Server *leaderServer = nullptr);
/// Without touching the slot, which the leader drops itself.
Status dropSubscription(Server &follower, Side leader, std::stop_token);

enum class RelationState { Waiting, Copying, Copied, Ready };
struct RelationProgress {
    RelationState state = RelationState::Waiting;
    qint64 rows = -1, bytes = -1; ///< while copying (14 and later), else of the table so far
};
/// By table, partitions one by one.
Result<std::map<TableName, RelationProgress>> readRelations(Server &follower, Side leader,
                                                            std::stop_token);

} // namespace causeway::postgres
