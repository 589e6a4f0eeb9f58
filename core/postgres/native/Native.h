#pragma once

#include "postgres/Schema.h"
#include "postgres/native/ApplyTrouble.h"
#include "postgres/native/Barrier.h"
#include "postgres/native/Observer.h"
#include "postgres/native/Publication.h"
#include "postgres/native/Subscription.h"
#include "route/RouteHost.h"
#include "verify/Verifier.h"

#include <optional>

/// The native route of PostgreSQL: publication and subscription, conducted by Causeway. The phases
/// are one file each; what they share is here. Rows and changes go from server to server: this
/// process may end at any time, and replication goes on.
namespace causeway::postgres {

/// Names of the facts in a server's state.
namespace fact {
/// On each server that ever became the leader: the number of the switch. The higher one leads; the
/// target's is SWITCHED.
inline const QString leads = QStringLiteral("leads");
/// On the new leader from its number on until all that comes after is done.
inline const QString unfinished = QStringLiteral("switch_unfinished");
inline const QString finishing = QStringLiteral("finishing");
inline const QString selection = QStringLiteral("selection"); ///< for those without the file
inline const QString tables = QStringLiteral("tables_made");  ///< schema is there, rows may come
inline const QString copied = QStringLiteral("copied");       ///< all rows, indexes that may exist
inline const QString complete = QStringLiteral("complete");   ///< everything that had to wait
/// Fingerprint of the source's schema when the target's tables were made from it.
inline const QString schemaRead = QStringLiteral("schema_read");
inline const QString verified = QStringLiteral("verified"); ///< on the follower; Unix ms
} // namespace fact

/// What the phases of one migration share. Engine thread only.
struct Native {
    explicit Native(RouteHost &);

    RouteHost &host;
    Names names;
    Server source, target;
    Observer observer;
    std::optional<SchemaArchive> archive; ///< of the source, once dumped
    std::optional<ApplyTrouble> trouble;  ///< of the last error "apply-error"
    bool driftTakesAPerson = false;       ///< of the last error "schema-drift"
    int unexplained = 0; ///< failures of a stream in which nothing was found to be wrong

    [[nodiscard]] Server &on(Side side) { return side == Side::Source ? source : target; }
    [[nodiscard]] const Settings &settings() const { return host.configuration(); }
    Result<Scope> scopeOn(Side, std::stop_token);
    Result<Roles> roles(std::stop_token);
    /// Options that both servers of this direction know.
    Result<SubscriptionOptions> optionsFor(Roles, std::stop_token);
    /// From waiting loops: shows what is known, takes commands. An error when asked to stop.
    Status idle(Roles);
    /// Of a stream that fails again and again: what it is that cannot be applied. Nothing where it
    /// can go on: a leader that was away ends its worker each time, too.
    std::optional<Error> diagnose(Roles, const Error &);
    /// Everything that the leader has committed by now is applied (and on disk, if `durably`).
    Status catchUp(Roles, std::chrono::milliseconds limit, bool durably, std::stop_token);
    /// A step with its SQL; check and act are the caller's.
    static Step step(const QString &id, std::optional<Side>, Text title, QStringList sql = {});
};

// The phases. Each may be entered again at any point.
Result<Phase> derivePhase(Native &, std::stop_token);
/// Whether the target can lead the way back, and why not.
Result<Support> wayBack(Native &, std::stop_token);

Status copyPhase(Native &, std::stop_token);    // CopyPhase.cpp
Status replicaPhase(Native &, std::stop_token); // ReplicaPhase.cpp
/// The subscription of this direction is enabled and its worker lives; else why not.
Status ensureStreaming(Native &, Roles, std::stop_token);
Status switchPhase(Native &, std::stop_token); // SwitchPhase.cpp
Status completeSwitch(Native &, std::stop_token);
Status reopenLeader(Native &, std::stop_token);
Result<VerifyReport> verifyPhase(Native &, bool repair, std::stop_token); // VerifyPhase.cpp
Result<bool> isFinishing(Native &, std::stop_token);                      // DetachPhase.cpp
Status finishPhase(Native &, bool oldSourceOpen, std::stop_token);
/// False where it is not the source that cannot be reached, or it is not certain that it may be
/// left.
Result<bool> finishWithoutSource(Native &, bool oldSourceOpen, std::stop_token);
Status cancelPhase(Native &, bool discard, std::stop_token);

/// Creates the target's database where it is missing. (DatabaseSteps.cpp)
Status createTargetDatabase(Native &, std::stop_token);
/// Keeps on the target that it was we who made it.
Status noteDatabaseMade(Native &, std::stop_token);
/// Drops it again, where we made it and nobody has used it.
Result<std::optional<Step>> dropTargetDatabase(Native &, std::stop_token);
/// ALTER DATABASE ... SET, as on the source.
Result<Step> settingsStep(Native &, std::stop_token);

/// The archive of the source's schema, dumped on first use. (SchemaSteps.cpp)
Status learnSchema(Native &, std::stop_token);
/// A step that makes what belongs to one phase of the schema on the target.
Step schemaStep(Native &, SchemaPhase, const QString &id, Text title);
/// Drops what schemaStep() recorded making, and nothing else.
Result<Step> discardStep(Native &, std::stop_token);
/// On either side: the old leader's are stale when it leads again.
Step matviewStep(Native &, const QString &id, Side, bool again);

} // namespace causeway::postgres
