#include "postgres/native/AlwaysTriggers.h"
#include "postgres/native/Drift.h"
#include "postgres/native/Fence.h"
#include "postgres/native/Native.h"

#include "base/Stop.h"

/// Copied -> replica: the rest of the schema while replication goes on, then caught up.
namespace causeway::postgres {

namespace {
constexpr std::chrono::milliseconds kTick{200};
constexpr std::chrono::seconds kWorkerComes{30};
} // namespace

Status ensureStreaming(Native &n, Roles roles, std::stop_token stop)
{
    Server &follower = n.on(roles.follower);
    CW_TRY_ASSIGN(const SlotState kept, readSlot(n.on(roles.leader), roles.leader, stop));
    CW_TRY_ASSIGN(const SubscriptionState found, readSubscription(follower, roles.leader, stop));
    // What does not go away by itself is not waited for; a slot near its limit is the more reason
    // to go on.
    const Health health =
        healthOf(kept, found, roles.leader, n.on(roles.leader).display(), follower.display());
    for (const Trouble &t : health.lasting) {
        if (t.id != QLatin1String("pg-slot-near-limit"))
            return fail(troubleError(t));
    }
    const auto until = std::chrono::steady_clock::now() + kWorkerComes;
    for (bool asked = false;;) {
        CW_TRY_ASSIGN(const SubscriptionState now, readSubscription(follower, roles.leader, stop));
        if (now.running)
            return {};
        if (!now.enabled && !asked) {
            asked = true;
            CW_TRY(enableSubscription(follower, roles.leader, stop));
        }
        CW_TRY(n.idle(roles));
        if (std::chrono::steady_clock::now() > until) {
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("pg-no-worker");
            e.message = cwText("core", "The subscription on %1 does not run.", follower.display());
            e.fix = cwText("core", "The log of that server says why; free workers "
                                   "(max_logical_replication_workers) are the usual reason.");
            return fail(std::move(e));
        }
        if (!pauseFor(stop, kTick))
            return fail(cancelledError());
    }
}

Status replicaPhase(Native &n, std::stop_token stop)
{
    CW_TRY(n.host.setPhase(Phase::CatchingUp));
    {
        // Of triggers that were made, but not quieted, when an earlier run ended.
        CW_TRY_ASSIGN(const Scope there, n.scopeOn(Side::Target, stop));
        CW_TRY(quietTriggers(n.target, there, stop));
    }
    CW_TRY(ensureStreaming(n, Roles{}, stop));
    CW_TRY_ASSIGN(const auto complete, n.target.fact(fact::complete, stop));
    if (!complete) {
        CW_TRY(learnSchema(n, stop));
        CW_TRY_ASSIGN(const Scope there, n.scopeOn(Side::Target, stop));
        Step defaults = Native::step(
            QStringLiteral("replica.read-only"), Side::Target,
            cwText("core", "New sessions on the target are read only by default, so that drivers "
                           "which look for a writable server find the source"),
            {QStringLiteral("ALTER DATABASE %1 SET default_transaction_read_only = on")
                 .arg(quoteId(n.target.address().database))});
        defaults.act = [&n](std::stop_token token) {
            return Fence(n.target).closeDefault(std::move(token));
        };
        Step triggers = schemaStep(n, SchemaPhase::Triggers, QStringLiteral("replica.triggers"),
                                   cwText("core", "Create triggers, rules and policies: none of "
                                                  "them acts on what replication applies"));
        CW_TRY_ASSIGN(const Scope from, n.scopeOn(Side::Source, stop));
        CW_TRY_ASSIGN(const QStringList always, quietTriggersSql(n.source, from, stop));
        if (!always.isEmpty()) {
            triggers.shownSql += always;
            triggers.act = [&n, &there, make = triggers.act](std::stop_token token) -> Status {
                // Not for a moment may they act on what is applied.
                CW_TRY(disableSubscription(n.target, Side::Source, token, &n.source));
                CW_TRY(make(token));
                CW_TRY(quietTriggers(n.target, there, token));
                return enableSubscription(n.target, Side::Source, token);
            };
        }
        Step analyze =
            Native::step(QStringLiteral("replica.analyze"), Side::Target,
                         cwText("core", "Gather statistics"), {QStringLiteral("ANALYZE")});
        analyze.act = [&n, &there](std::stop_token token) -> Status {
            // In a session of its own: it takes its time, and nothing else may wait for it.
            CW_TRY_ASSIGN(const auto session, n.target.another(token));
            for (const ScopeTable &t : there.tables) {
                if (!t.partition)
                    CW_TRY(session->exec(QStringLiteral("ANALYZE %1").arg(t.quoted()), token));
            }
            return {};
        };
        CW_TRY_ASSIGN(const Step settings, settingsStep(n, stop));
        CW_TRY(n.host.runSteps(
            {schemaStep(n, SchemaPhase::Constraints, QStringLiteral("replica.constraints"),
                        cwText("core", "Create the constraints that had to wait")),
             schemaStep(n, SchemaPhase::ForeignKeys, QStringLiteral("replica.foreign-keys"),
                        cwText("core", "Create the foreign keys, and check every row")),
             triggers,
             schemaStep(n, SchemaPhase::Last, QStringLiteral("replica.last"),
                        cwText("core", "Create what comes last")),
             matviewStep(n, QStringLiteral("replica.views"), Side::Target, false), analyze,
             settings, defaults},
            stop));
        CW_TRY_ASSIGN(const auto read, n.target.fact(fact::schemaRead, stop));
        CW_TRY_ASSIGN(const Scope now, n.scopeOn(Side::Source, stop));
        CW_TRY_ASSIGN(Session *const session, n.source.session(stop));
        CW_TRY_ASSIGN(const QString is, schemaFingerprint(*session, now, stop));
        CW_TRY_ASSIGN(const Scope made, n.scopeOn(Side::Target, stop));
        CW_TRY(noteKnownDifferences(n.source, now, n.target, made, !read || *read == is, stop));
        CW_TRY(n.target.setFact(fact::complete, QStringLiteral("1"), stop));
    }
    n.host.activity(cwText("core", "Catching up with the source."));
    CW_TRY(n.catchUp(Roles{}, std::chrono::milliseconds(0), false, stop));
    n.host.activity(cwText("core", "The target follows the source."));
    CW_TRY(n.host.setPhase(Phase::Replica));
    // What is kept for `status` is what was seen last.
    n.observer.look(n.host, n.source, n.target, Observer::Tables::Now);
    return {};
}

} // namespace causeway::postgres
