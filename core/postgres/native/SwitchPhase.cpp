#include "postgres/native/AlwaysTriggers.h"
#include "postgres/native/Carry.h"
#include "postgres/native/Drift.h"
#include "postgres/native/Fence.h"
#include "postgres/native/Native.h"
#include "postgres/native/Sequences.h"

#include <QDateTime>

#include <algorithm>

/// The switch, either way. Everything that can take time or be refused (the way back with its slot
/// and subscription) is made before writes are held. Then: lock, drain, seal inside the lock's
/// transaction, stop the stream, move the way back's slot past what the stream has applied, and
/// write down who leads. The stream that ends is kept, disabled, until that is written: any resume
/// enables it, fences again, and drains again.
namespace causeway::postgres {

namespace {
constexpr std::chrono::seconds kBeforeLimit{600}, kDrainLimit{30};

QMap<QString, QString> hookEnvironment(Native &n, Roles from)
{
    const Address &now = n.on(from.follower).address(), &old = n.on(from.leader).address();
    return {{QStringLiteral("CAUSEWAY_NEW_LEADER"), toString(from.follower)},
            {QStringLiteral("CAUSEWAY_NEW_HOST"), now.host},
            {QStringLiteral("CAUSEWAY_NEW_PORT"), QString::number(now.port)},
            {QStringLiteral("CAUSEWAY_OLD_HOST"), old.host},
            {QStringLiteral("CAUSEWAY_OLD_PORT"), QString::number(old.port)}};
}

/// Removes what was made for a way back that is not taken.
Status dropWayBack(Native &n, Roles from, std::stop_token stop)
{
    CW_TRY(dropSubscription(n.on(from.leader), from.follower, stop));
    CW_TRY(dropSlot(n.on(from.follower), from.follower, stop));
    return dropPublication(n.on(from.follower), from.follower, stop);
}

class SwitchRun {
public:
    SwitchRun(Native &n, Roles from)
        : m_n(n), m_from(from), m_to{from.follower, from.leader}, m_leader(n.on(from.leader)),
          m_follower(n.on(from.follower)), m_fence(m_leader),
          m_reverse(!n.settings().oneWayAccepted),
          m_prefix(from.leader == Side::Source ? QStringLiteral("switch.")
                                               : QStringLiteral("switch-back."))
    {
    }

    Status run(std::stop_token stop)
    {
        RouteHost &host = m_n.host;
        CW_TRY(
            host.setPhase(m_from.leader == Side::Source ? Phase::Switching : Phase::SwitchingBack));
        if (!m_n.settings().onBeforeSwitch.isEmpty())
            CW_TRY(host.runHookCommand(m_n.settings().onBeforeSwitch, hookEnvironment(m_n, m_from),
                                       stop));
        // An interrupted switch may have left the leader closed and the stream stopped.
        CW_TRY(ensureStreaming(m_n, m_from, stop));
        CW_TRY(lookAtSchema(stop));
        CW_TRY(number(stop));
        CW_TRY(verified(stop));
        CW_TRY(m_n.catchUp(m_from, kBeforeLimit, false, stop));
        CW_TRY_ASSIGN(m_options, m_n.optionsFor(m_to, stop));
        CW_TRY_ASSIGN(const int version, m_follower.version(stop));

        m_largeObjects = takesLargeObjects(m_n.settings().selection);
        CW_TRY_ASSIGN(const CarryCount carried,
                      countCarried(m_leader, m_leaderScope, m_largeObjects, stop));
        const bool carries = carried.tables + carried.largeObjects > 0 || m_largeObjects;
        CW_TRY_ASSIGN(const bool views, hasMaterializedViews(stop));
        if (views)
            CW_TRY(learnSchema(m_n, stop));

        std::vector<Step> steps;
        if (carried.largeObjects > 0)
            steps.push_back(carryAhead());
        if (views)
            steps.push_back(matviews());
        if (m_reverse) {
            steps.push_back(publication(version));
            steps.push_back(slot());
            steps.push_back(subscription());
        }
        steps.push_back(hold());
        steps.push_back(drain());
        steps.push_back(compare());
        if (carries)
            steps.push_back(carry(carried));
        steps.push_back(sequences());
        steps.push_back(seal());
        steps.push_back(stopStream());
        if (m_reverse)
            steps.push_back(advance());
        if (!m_n.settings().onSwitched.isEmpty())
            steps.push_back(hook());
        steps.push_back(lead());
        Status done = host.runSteps(steps, stop);
        if (!done) {
            if (m_fence.heldSinceMs() > 0) {
                const double held = static_cast<double>(QDateTime::currentMSecsSinceEpoch() -
                                                        m_fence.heldSinceMs()) /
                                    1000.0;
                host.event(QStringLiteral("warning"),
                           QStringLiteral("The switch was undone; writes were held for %1 s.")
                               .arg(held, 0, 'f', 3));
            }
            return done;
        }
        // From here on only forward, wherever this is cut short.
        CW_TRY(completeSwitch(m_n, stop));
        showPause();
        return {};
    }

private:
    Step step(const char *name, Side side, Text title, QStringList sql = {})
    {
        return Native::step(m_prefix + QString::fromLatin1(name), side, std::move(title),
                            std::move(sql));
    }

    Status lookAtSchema(std::stop_token stop)
    {
        CW_TRY(requireNoDrift(m_n, m_from, stop));
        CW_TRY_ASSIGN(m_leaderScope, m_n.scopeOn(m_from.leader, stop));
        CW_TRY_ASSIGN(m_followerScope, m_n.scopeOn(m_from.follower, stop));
        CW_TRY_ASSIGN(const QStringList missing, unpublished(m_leader, m_leaderScope, stop));
        if (!missing.isEmpty()) {
            return fail(driftError(
                {{QStringLiteral("not published: ") + missing.join(QStringLiteral(", ")), {}}}));
        }
        CW_TRY_ASSIGN(Session *const session, m_leader.session(stop));
        CW_TRY_ASSIGN(m_fingerprint, schemaFingerprint(*session, m_leaderScope, stop));
        return {};
    }

    Status verified(std::stop_token stop)
    {
        CW_TRY_ASSIGN(const auto before, m_follower.fact(fact::verified, stop));
        if (before)
            return {};
        CW_TRY_ASSIGN(const VerifyReport report, verifyPhase(m_n, false, stop));
        if (report.equal())
            return {};
        QStringList names;
        for (const TableVerdict &t : report.tables) {
            if (!t.equal())
                names << t.name;
        }
        Error e;
        e.code = ErrorCode::Differences;
        e.id = QStringLiteral("sides-differ");
        e.message =
            cwText("core", "Source and target differ in: %1", names.join(QLatin1String(", ")));
        e.fix = cwText("core", "Run \"verify --repair\", and find out who writes to the follower.");
        return fail(std::move(e));
    }

    Status number(std::stop_token stop)
    {
        int highest = 0;
        for (Server *server : {&m_leader, &m_follower}) {
            CW_TRY_ASSIGN(const auto n, server->fact(fact::leads, stop));
            highest = std::max(highest, n.value_or(QString()).toInt());
        }
        m_number = highest + 1;
        return {};
    }

    Step publication(int version)
    {
        Step s = step("publication", m_from.follower,
                      cwText("core", "Publish the tables of the new leader, for the way back"),
                      createPublicationSql(m_follower, m_followerScope, version));
        s.check = [this](std::stop_token stop) { return hasPublication(m_follower, stop); };
        s.act = [this](std::stop_token stop) {
            return createPublication(m_follower, m_followerScope, stop);
        };
        s.undo = [this](std::stop_token stop) -> Status {
            CW_TRY(mayReopen(stop));
            return dropPublication(m_follower, m_from.follower, stop);
        };
        return s;
    }

    Step slot()
    {
        Step s = step("slot", m_from.follower,
                      cwText("core", "Create the slot of the way back, before writes are held"),
                      {createSlotSql(m_n.names.stream(m_from.follower))});
        s.act = [this](std::stop_token stop) {
            return createSlot(
                m_follower,
                [this](const QString &who) {
                    m_n.host.activity(cwText("core", "The slot waits for: %1", who));
                    (void)m_n.host.tick();
                },
                stop);
        };
        s.undo = [this](std::stop_token stop) -> Status {
            CW_TRY(mayReopen(stop));
            return dropSlot(m_follower, m_from.follower, stop);
        };
        return s;
    }

    Step subscription()
    {
        const Address address = m_n.host.addressFromPeer(m_from.follower);
        Step s = step("subscription", m_from.leader,
                      cwText("core", "Subscribe the old leader to the new one, still disabled: "
                                     "this proves that it can be reached"),
                      {createSubscriptionSql(m_n.names, address, m_from.follower, m_options)});
        s.act = [this, address](std::stop_token stop) {
            return createSubscription(m_leader, address, m_from.follower, m_options, stop);
        };
        s.undo = [this](std::stop_token stop) -> Status {
            CW_TRY(mayReopen(stop));
            return dropSubscription(m_leader, m_from.follower, stop);
        };
        return s;
    }

    Step hold()
    {
        Step s = step("hold", m_from.leader,
                      cwText("core", "Hold writes; the server lets go by itself if this ends"),
                      Fence::holdSql(m_leaderScope));
        s.act = [this](std::stop_token stop) {
            return m_fence.hold(
                m_leaderScope, {},
                [this](const QString &who) {
                    m_n.host.activity(cwText("core", "Waiting for: %1", who));
                    (void)m_n.host.tick();
                },
                stop);
        };
        s.undo = [this](std::stop_token) -> Status {
            m_fence.release();
            return {};
        };
        return s;
    }

    Step drain()
    {
        Step s = step("drain", m_from.follower,
                      cwText("core", "Apply everything up to the last write, and have it on disk"));
        s.act = [this](std::stop_token stop) {
            return m_n.catchUp(m_from, kDrainLimit, true, stop);
        };
        return s;
    }

    Step compare()
    {
        Step s = step("compare", m_from.leader,
                      cwText("core", "See that the schema is still what it was"));
        s.act = [this](std::stop_token stop) -> Status {
            return m_fence.asHolder([&](Session &holder) -> Status {
                CW_TRY_ASSIGN(const QString now, schemaFingerprint(holder, m_leaderScope, stop));
                if (now != m_fingerprint)
                    return fail(driftError(
                        {{QStringLiteral("changed while the switch was prepared"), {}}}));
                return {};
            });
        };
        return s;
    }

    Step carryAhead()
    {
        Step s = step("carry-ahead", m_from.follower,
                      cwText("core", "Copy large objects, so that few are left for the hold"));
        s.act = [this](std::stop_token stop) {
            return carryLargeObjects(m_leader, m_follower, false, stop);
        };
        return s;
    }

    Step carry(const CarryCount &count)
    {
        Step s = step("carry", m_from.follower,
                      cwText("core",
                             "Copy what replication leaves out: %1 unlogged tables, %2 large "
                             "objects (%3 bytes)",
                             count.tables, count.largeObjects, count.bytes));
        s.act = [this](std::stop_token stop) -> Status {
            CW_TRY(m_fence.asHolder([&](Session &holder) {
                return carryUnlogged(holder, m_follower, m_leaderScope, stop);
            }));
            return m_largeObjects ? carryLargeObjects(m_leader, m_follower, true, stop) : Status();
        };
        return s;
    }

    Result<bool> hasMaterializedViews(std::stop_token stop)
    {
        CW_TRY_ASSIGN(const auto rows,
                      m_follower.query(QStringLiteral("SELECT 1 FROM pg_catalog.pg_class WHERE "
                                                      "relkind = 'm' LIMIT 1"),
                                       stop));
        return !rows.rows.empty();
    }

    /// As near to the switch as it costs no pause.
    Step matviews()
    {
        Step s = matviewStep(m_n, m_prefix + QStringLiteral("views"), m_from.follower, true);
        return s;
    }

    Step sequences()
    {
        Step s = step("sequences", m_from.follower,
                      cwText("core", "Lift the sequences past those of the old leader"));
        s.act = [this](std::stop_token stop) {
            return m_fence.asHolder([&](Session &holder) {
                return carrySequences(holder, m_follower, m_leaderScope, stop);
            });
        };
        return s;
    }

    Step seal()
    {
        Step s = step("seal", m_from.leader,
                      cwText("core", "Close the old leader for good, in the transaction that holds "
                                     "writes"),
                      Fence::sealSql(m_leader, m_leaderScope));
        s.act = [this](std::stop_token stop) -> Status {
            CW_TRY(m_fence.seal(m_leaderScope, stop));
            m_fence.release();
            return {};
        };
        s.undo = [this](std::stop_token stop) -> Status {
            m_fence.release();
            CW_TRY(mayReopen(stop));
            CW_TRY(m_fence.letWrite(stop));
            CW_TRY(m_fence.remove(std::chrono::milliseconds(500), stop));
            return {};
        };
        return s;
    }

    Step stopStream()
    {
        Step s = step("stop-stream", m_from.follower,
                      cwText("core", "Stop the stream; it is kept until the new leader leads"),
                      {QStringLiteral("ALTER SUBSCRIPTION %1 DISABLE")
                           .arg(quoteId(m_n.names.stream(m_from.leader)))});
        s.act = [this](std::stop_token stop) {
            return disableSubscription(m_follower, m_from.leader, stop, &m_leader);
        };
        s.undo = [this](std::stop_token stop) -> Status {
            CW_TRY(mayReopen(stop));
            return enableSubscription(m_follower, m_from.leader, stop);
        };
        return s;
    }

    Step advance()
    {
        Step s = step("advance", m_from.follower,
                      cwText("core", "Move the slot of the way back past what the stream applied"),
                      {QStringLiteral("SELECT pg_replication_slot_advance(%1, "
                                      "pg_current_wal_flush_lsn())")
                           .arg(quoteText(m_n.names.stream(m_from.follower)))});
        s.act = [this](std::stop_token stop) { return advanceSlot(m_follower, stop); };
        return s;
    }

    Step hook()
    {
        Step s = step("hook", m_from.follower, cwText("core", "Run the hook command"),
                      {m_n.settings().onSwitched});
        s.act = [this](std::stop_token stop) {
            return m_n.host.runHookCommand(m_n.settings().onSwitched, hookEnvironment(m_n, m_from),
                                           stop);
        };
        return s;
    }

    Step lead()
    {
        Step s = step("lead", m_from.follower,
                      cwText("core", "Write down that %1 leads: from here on there is no undo",
                             m_follower.display()));
        s.noReturn = true;
        s.act = [this](std::stop_token stop) -> Status {
            const QString number = QString::number(m_number);
            const Status written =
                m_follower.act({m_follower.setFactSql(fact::unfinished, QStringLiteral("1")),
                                m_follower.setFactSql(fact::leads, number)},
                               stop);
            if (written)
                return {};
            // The answer to the COMMIT may be all that was lost.
            CW_TRY_ASSIGN(const auto there, m_follower.fact(fact::leads, {}));
            return there == number ? Status() : written;
        };
        return s;
    }

    /// Undoing opens the old leader; but where nobody can tell whether the new one leads already,
    /// that would split the data: it stays closed then, and the next run finds out.
    Status mayReopen(std::stop_token stop)
    {
        CW_TRY_ASSIGN(const auto leads, m_follower.fact(fact::leads, stop));
        if (leads == QString::number(m_number))
            return fail(ErrorCode::NotReady,
                        cwText("core", "%1 leads already.", m_follower.display()));
        return {};
    }

    void showPause()
    {
        m_n.host.show([&](Snapshot &s) {
            for (const StepRecord &r : s.steps) {
                // Writes are possible again when the new leader opened, not when all is tidied up.
                if (r.id == QLatin1String("complete.open") && r.finishedMs >= m_fence.heldSinceMs())
                    s.writePauseSeconds =
                        static_cast<double>(r.finishedMs - m_fence.heldSinceMs()) / 1000.0;
            }
        });
        m_n.host.event(QStringLiteral("info"),
                       QStringLiteral("Writes paused for %1 s.")
                           .arg(m_n.host.shown()->writePauseSeconds, 0, 'f', 3));
    }

    Native &m_n;
    const Roles m_from, m_to;
    Server &m_leader, &m_follower;
    Fence m_fence;
    const bool m_reverse;
    const QString m_prefix;
    Scope m_leaderScope, m_followerScope;
    SubscriptionOptions m_options;
    QString m_fingerprint;
    bool m_largeObjects = false;
    int m_number = 1;
};
} // namespace

Status switchPhase(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Roles from, n.roles(stop));
    Status done = SwitchRun(n, from).run(stop);
    if (!done) {
        // Undone: where the servers say we are, not where we wanted to be.
        if (const auto phase = derivePhase(n, {}))
            (void)n.host.setPhase(*phase);
    }
    return done;
}

Status completeSwitch(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Roles now, n.roles(stop));
    Server &leader = n.on(now.leader), &follower = n.on(now.follower);
    CW_TRY_ASSIGN(const auto unfinished, leader.fact(fact::unfinished, stop));
    if (!unfinished)
        return {};
    CW_TRY_ASSIGN(const SubscriptionState back, readSubscription(follower, now.leader, stop));
    const auto step = [](const char *name, Side side, Text title, QStringList sql = {}) {
        return Native::step(QStringLiteral("complete.") + QString::fromLatin1(name), side,
                            std::move(title), std::move(sql));
    };
    std::vector<Step> steps;

    Step open = step("open", now.leader,
                     cwText("core", "Open the new leader: %1 takes writes", leader.display()));
    open.act = [&](std::stop_token token) -> Status {
        CW_TRY(wakeTriggers(leader, token)); // before the first write of the application
        return Fence(leader).letWrite(token);
    };
    steps.push_back(std::move(open));

    if (back.exists) {
        Step follow =
            step("follow", now.follower, cwText("core", "The old leader follows the new one"),
                 {QStringLiteral("ALTER SUBSCRIPTION %1 ENABLE")
                      .arg(quoteId(n.names.stream(now.leader)))});
        follow.act = [&](std::stop_token token) -> Status {
            CW_TRY_ASSIGN(const Scope scope, n.scopeOn(now.follower, token));
            CW_TRY(quietTriggers(follower, scope, token));
            return enableSubscription(follower, now.leader, token);
        };
        steps.push_back(std::move(follow));
    }

    Step drop = step("drop-stream", now.leader,
                     cwText("core", "Drop the stream that has ended, and its slot"),
                     {QStringLiteral("DROP SUBSCRIPTION %1").arg(n.names.stream(now.follower)),
                      QStringLiteral("SELECT pg_drop_replication_slot(%1)")
                          .arg(quoteText(n.names.stream(now.follower))),
                      QStringLiteral("DROP PUBLICATION %1").arg(n.names.stream(now.follower))});
    drop.act = [&](std::stop_token token) -> Status {
        CW_TRY(dropSubscription(leader, now.follower, token));
        CW_TRY(dropSlot(follower, now.follower, token));
        return dropPublication(follower, now.follower, token);
    };
    steps.push_back(std::move(drop));

    Step tidy = step("tidy", now.leader, cwText("core", "Remove what closed the new leader"));
    tidy.act = [&](std::stop_token token) -> Status {
        CW_TRY_ASSIGN(const bool gone, Fence(leader).remove(std::chrono::milliseconds(200), token));
        if (!gone)
            n.host.event(QStringLiteral("info"),
                         QStringLiteral("Some idle triggers stay on %1 until their tables are not "
                                        "in use for a moment.")
                             .arg(leader.display()));
        for (Server *server : {&leader, &follower})
            CW_TRY(server->clearFact(fact::verified, token));
        return leader.clearFact(fact::unfinished, token);
    };
    steps.push_back(std::move(tidy));
    CW_TRY(n.host.runSteps(steps, stop));
    n.observer.forget();
    n.host.activity(back.exists ? cwText("core", "%1 takes writes, and %2 follows.",
                                         leader.display(), follower.display())
                                : cwText("core", "%1 takes writes.", leader.display()));
    return n.host.setPhase(now.leader == Side::Target ? Phase::Primary : Phase::Replica);
}

Status reopenLeader(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Roles now, n.roles(stop));
    Server &leader = n.on(now.leader), &follower = n.on(now.follower);
    CW_TRY_ASSIGN(const bool state, leader.hasState(stop));
    if (!state)
        return {};
    Fence fence(leader);
    CW_TRY_ASSIGN(const bool sealed, fence.isSealed(stop));
    CW_TRY_ASSIGN(const bool remains, fence.exists(stop));
    CW_TRY_ASSIGN(const bool wayBackMade, hasPublication(follower, stop));
    CW_TRY_ASSIGN(const bool readOnly, fence.closedDefault(stop));
    if (!sealed && !wayBackMade && !readOnly) {
        if (remains)
            CW_TRY(fence.remove(std::chrono::milliseconds(200), stop));
        return {};
    }
    Step open = Native::step(
        QStringLiteral("reopen.open"), now.leader,
        cwText("core", "Open %1 again, which an interrupted switch left closed", leader.display()),
        Fence::openSql(leader));
    open.act = [&](std::stop_token token) -> Status {
        CW_TRY(fence.letWrite(token));
        CW_TRY_ASSIGN(const SubscriptionState stream,
                      readSubscription(follower, now.leader, token));
        if (stream.exists && !stream.enabled)
            CW_TRY(enableSubscription(follower, now.leader, token));
        CW_TRY(dropWayBack(n, now, token));
        CW_TRY(fence.remove(std::chrono::milliseconds(500), token));
        return {};
    };
    return n.host.runSteps({open}, stop);
}

} // namespace causeway::postgres
