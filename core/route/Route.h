#pragma once

#include "base/Error.h"
#include "journal/Snapshot.h"
#include "verify/Verifier.h"

#include <QString>

#include <stop_token>
#include <vector>

/// How rows and changes get from one server to the other, at the level at which a migration is
/// driven. *Relay*: through Causeway (engine/RelayRoute). *Native*: the servers replicate directly
/// and Causeway conducts (postgres/NativeRoute). Nothing above knows which one runs.
namespace causeway {

/// All calls block, are made on the engine's thread unless said otherwise, and return
/// Error{Cancelled} soon after the token is stopped. Each may be entered again at any point: what
/// an earlier call (also of a process that was killed) has done is found on the servers.
class Route {
public:
    virtual ~Route() = default;

    /// "relay" | "native", as in the snapshot. Any thread.
    [[nodiscard]] virtual QString name() const = 0;
    /// All steps that lie ahead in order, before anything is done. Any thread.
    [[nodiscard]] virtual std::vector<StepRecord> plan() const = 0;

    // Where it stands, by the servers.
    virtual Result<Roles> roles(std::stop_token) = 0;
    /// The journal settles only finished and cancelled, when the servers have nothing left to tell.
    virtual Result<Phase> phase(std::stop_token) = 0;
    /// Finishing has begun: only going on with it leads anywhere.
    virtual Result<bool> isFinishing(std::stop_token) = 0;
    /// Somebody compared every row, and nothing made that doubtful since.
    virtual Result<bool> isVerified(std::stop_token) = 0;

    /// What an interrupted switch left open after its point of no return.
    virtual Status completeSwitch(std::stop_token) = 0;
    /// Opens a leader that an interrupted switch left closed before its point of no return.
    virtual Status reopenLeader(std::stop_token) = 0;

    /// Error{NotReady, "one-way"} where a switch would have no way back, and nobody accepted that.
    virtual Status requireWayBack(std::stop_token) { return {}; }
    /// Draft -> copied: rows, and the indexes that may exist by then. In mode once the source is
    /// closed first.
    virtual Status copy(std::stop_token) = 0;
    /// Copied -> replica: catches up, builds what had to wait.
    virtual Status becomeReplica(std::stop_token) = 0;

    /// Replication in the present direction; does nothing where it runs, or where there is none
    /// (mode once, one way).
    virtual Status startFollowing(std::stop_token) = 0;
    /// Causeway's own part of it ends; native replication goes on without us.
    virtual void stopFollowing() = 0;
    [[nodiscard]] virtual bool isFollowing() const = 0;
    /// Everything that the leader has committed by now is applied.
    virtual Status catchUpNow(std::stop_token) = 0;
    /// Follows until stopped. An error when replication ends by itself.
    virtual Status follow(std::stop_token) = 0;
    /// Puts lag, progress and health into the snapshot. From idle and waiting loops.
    virtual void observe() = 0;

    virtual Result<VerifyReport> verify(bool repair, std::stop_token) = 0;
    /// The leader's place goes to the follower, either way.
    virtual Status switchOver(std::stop_token) = 0;
    virtual Status finish(bool oldSourceOpen, std::stop_token) = 0;
    virtual Status cancel(bool discard, std::stop_token) = 0;
    /// Where the old source cannot be reached: ends without it, and remembers what is left there.
    /// False where that cannot be done.
    virtual Result<bool> finishWithoutSource(bool /*oldSourceOpen*/, std::stop_token)
    {
        return false;
    }
    /// After the end: removes what was left on a server that was away; an error while it still is.
    virtual Status removeLeftBehind(std::stop_token) { return {}; }

    /// What to ask a person about an error that needs a decision.
    [[nodiscard]] virtual Decision decisionFor(const Error &) const = 0;
    /// An error that a decision can settle: done as it was answered or set beforehand, and then the
    /// work can be tried again. Else the error itself.
    virtual Status settle(const Error &, std::stop_token) = 0;
};

} // namespace causeway
