#pragma once

#include "engine/Context.h"
#include "route/ForeignWatch.h"

#include <memory>

/// The alarm on writes of others to the follower: kept on the target, shown in the snapshot, and in
/// the way of a switch until a comparison of all rows was clean.
namespace causeway {

/// Watches the follower of these roles from where its log was looked at last. Nothing, and a word
/// in the log, where its log cannot be read: then verification is the only net.
Result<std::unique_ptr<ForeignWatch>> startWatch(Context &, Roles, std::stop_token);
/// Where the follower's log is to be watched from: nobody else may have written before. Kept with
/// the leader of these roles until the stream is armed. (As a pair with armWatch().)
Status noteWatchStart(Context &, Side newLeader, const Position &inFollowersLog, std::stop_token);
Status armWatch(Context &, Roles, std::stop_token);
/// The same at once, for the target before the first switch.
Status watchTargetFrom(Context &, const Position &, std::stop_token);

/// A server writes DROP TABLE anew into its log, without our mark. Kept, so that a later process,
/// which reads that part of the log again, does not take it for somebody else's: these tables of
/// `follower`, between two positions of its log (`from` empty: whenever before). Any thread.
Status noteOwnDrops(Context &, Side follower, const std::vector<TableName> &, const Position &from,
                    const Position &to, std::stop_token);
/// Of a schema change that was run on the follower, up to now.
Status noteOwnDrops(Context &, Roles, const DdlChange &, std::stop_token);

Result<std::optional<Alarm>> readAlarm(Context &, std::stop_token);
/// Error{Differences, "foreign-write"}.
Error foreignWriteError(const Alarm &, const QString &follower);
/// The alarm as it would be after a look at what came into the follower's log since: for `status`,
/// while nothing runs that would watch. Reads only. Nothing where there is none, or where the log
/// cannot be read.
Result<std::optional<Alarm>> lookForAlarm(const Settings &, const Address &source,
                                          const Address &target, Roles, std::stop_token);
/// Settles an alarm about writes up to `before`, a position of the follower's log taken before a
/// comparison that was clean.
Status clearAlarm(Context &, Roles, ForeignWatch *, const Position &before, std::stop_token);
/// For a switch: everything that is in the follower's log now was looked at, as far as that can be
/// had in a short time, and nobody else's is among it. Else Error{Differences, "foreign-write"}.
Status checkNoAlarm(Context &, Roles, ForeignWatch *, std::chrono::milliseconds limit,
                    std::stop_token);

} // namespace causeway
