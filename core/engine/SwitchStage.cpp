#include "base/Log.h"
#include "base/Stop.h"
#include "engine/Context.h"
#include "engine/ForeignWrites.h"
#include "engine/Hook.h"
#include "engine/KeyComparison.h"
#include "engine/ObjectDrift.h"
#include "engine/Replication.h"
#include "engine/Restorations.h"
#include "engine/SwitchParts.h"

#include <QDateTime>

#include <algorithm>
#include <future>
#include <utility>

/// The switch in either direction: ALGORITHMS 4. The leader is fenced by a session (lifted by the
/// server itself if we vanish), the follower drained, the fence made persistent, and only then
/// does the new leader open; the number written under fact::leads is the point of no return.
namespace causeway {

namespace {
constexpr std::chrono::seconds kDrainLimit{30};
constexpr std::chrono::seconds kBeforeLimit{600};
constexpr std::chrono::milliseconds kLook{300}; ///< between looks at who waits for the hold
constexpr int kRounds = 8;
/// So many keys and no more are compared in a moment.
constexpr std::size_t kFewKeys = 500;
constexpr std::chrono::seconds kWatchLimit{30};

const QString kNotUndone = QStringLiteral("not-undone"); ///< of StepRunner
const QString kPassingWriter = QStringLiteral("writer-passes-fence");
constexpr int kAttempts = 3;

QMap<QString, QString> hookEnvironment(Context &ctx, Roles from)
{
    const Address &now = ctx.db(from.follower).address(), &old = ctx.db(from.leader).address();
    return {{QStringLiteral("CAUSEWAY_NEW_LEADER"), toString(from.follower)},
            {QStringLiteral("CAUSEWAY_NEW_HOST"), now.host},
            {QStringLiteral("CAUSEWAY_NEW_PORT"), QString::number(now.port)},
            {QStringLiteral("CAUSEWAY_OLD_HOST"), old.host},
            {QStringLiteral("CAUSEWAY_OLD_PORT"), QString::number(old.port)}};
}

} // namespace

Status requireWayBack(Context &ctx, Side newLeader, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Capabilities can, ctx.db(newLeader).capabilities(std::move(stop)));
    ctx.live.update([&](Snapshot &s) { s.oneWay = s.oneWay || !can.follow.yes; });
    if (can.follow.yes)
        return {};
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("one-way");
    e.object = ctx.db(newLeader).address().display();
    e.message = cwText("core",
                       "There would be no way back after the switch, since the old leader could "
                       "not follow: %1",
                       can.follow.why.english());
    e.serverWords = QString();
    e.fix = cwText("core", "Mend that, or accept a switch without a way back: run --to primary "
                           "--accept one-way.");
    return fail(std::move(e));
}

namespace {
/// One run of the switch. Its steps share the fence's session and the positions.
class SwitchRun {
public:
    /// `passing`: accounts that no setting stops, to be locked; those that are seen only under the
    /// hold are added to it.
    SwitchRun(Context &ctx, Replication &replication, Roles from, QStringList &passing)
        : m_ctx(ctx), m_replication(replication), m_from(from), m_passing(passing),
          m_once(ctx.settings.mode == Mode::Once),
          m_prefix(from.leader == Side::Source ? QStringLiteral("switch.")
                                               : QStringLiteral("switch-back."))
    {
    }

    Status run(std::stop_token stop)
    {
        CW_TRY(checkWayBack(stop));
        CW_TRY(m_ctx.setPhase(m_from.leader == Side::Source ? Phase::Switching
                                                            : Phase::SwitchingBack));
        if (!m_ctx.settings.onBeforeSwitch.isEmpty())
            CW_TRY(runHook(m_ctx.settings.onBeforeSwitch, hookEnvironment(m_ctx, m_from), stop));
        CW_TRY(numbers(stop));
        // Triggers and events as they are now, not as they were when this process began to copy.
        if (m_number == 1)
            m_ctx.schemaKnown = false;
        CW_TRY(learnSchema(m_ctx, stop));
        if (!m_once)
            CW_TRY(checkObjects(m_ctx, m_from, m_number == 1, stop));
        CW_TRY_ASSIGN(m_sequences, sequencesToCarry(m_ctx, m_from, stop));
        // Whatever can be read or connected before writes are held, is.
        if (!m_once) {
            m_replication.recheck.reset();
            CW_TRY_ASSIGN(m_comparison, KeyComparison::make(m_ctx, m_from, stop));
            ChangedKeys gone;
            for (const TableName &name : m_comparison->unmatched())
                gone[name];
            if (!gone.empty())
                return fail(different(gone));
        }
        std::vector<Step> steps{prepare(stop), eventsOff(stop), counters()};
        if (!m_sequences.create.empty())
            steps.push_back(makeSequences());
        CW_TRY_ASSIGN(m_fence, m_ctx.fence(m_from.leader, stop));
        steps.push_back(ease());
        // By a switch that was cut short, or in mode once: nobody has written since.
        CW_TRY_ASSIGN(m_closedBefore, m_fence->isSealed(stop));
        m_ctx.live.update([](Snapshot &s) {
            s.sealSeconds = -1;
            s.sealTables = 0;
        });
        CW_TRY_ASSIGN(const QStringList seen, m_fence->passingWriters(kLookForWriters, stop));
        note(m_passing, m_ctx.settings.lockAccounts + seen);
        if (!m_once)
            steps.push_back(compareBefore());
        if (!m_passing.isEmpty())
            steps.push_back(accounts());
        steps.push_back(hold());
        if (!m_once) {
            steps.push_back(drain(QStringLiteral("drain")));
            steps.push_back(compare(QStringLiteral("compare")));
        }
        steps.push_back(seal());
        if (!m_once) {
            steps.push_back(drain(QStringLiteral("drain-sealed")));
            // While triggers are made the lock changes from reading to writing: what queued for it
            // may commit in between.
            if (m_fence->sealKind() == QLatin1String("triggers"))
                steps.push_back(compare(QStringLiteral("compare-sealed")));
        }
        steps.push_back(objects());
        if (!m_ctx.settings.onSwitched.isEmpty())
            steps.push_back(hook());
        steps.push_back(lead());
        Status done = m_ctx.runSteps(steps, stop);
        if (!done) {
            if (done.error().id == kNotUndone)
                return fail(notUndone(done.error()));
            // A difference is a matter of all rows: the next attempt compares them first.
            if (done.error().code == ErrorCode::Differences)
                CW_TRY(m_ctx.clearFact(Side::Target, fact::verified,
                                       StopAfter(stop, kGraceAfterCancel).token()));
            if (m_pauseStarted > 0) {
                const double held =
                    static_cast<double>(QDateTime::currentMSecsSinceEpoch() - m_pauseStarted) /
                    1000.0;
                m_ctx.event(QStringLiteral("warning"),
                            QStringLiteral("The switch was undone; writes were held for %1 s.")
                                .arg(held, 0, 'f', 3));
            }
            return done;
        }
        // From here on only forward: completeSwitch() goes on wherever this is cut short. The
        // fence's session is let go first, so that the old leader can be written by us.
        CW_TRY_ASSIGN(const QStringList passing, m_fence->endWaiters(stop));
        for (const QString &who : passing) {
            m_ctx.event(QStringLiteral("warning"),
                        QStringLiteral("This waits on the old leader, and no trigger stops it: %1")
                            .arg(who));
        }
        CW_TRY(m_fence->release(stop));
        m_fence.reset();
        return completeSwitch(m_ctx, stop);
    }

private:
    /// A server said nothing when the user cancelled: what its clients see until it is undone.
    Error notUndone(Error e) const
    {
        const QString leader = m_ctx.db(m_from.leader).address().display();
        const bool forward = m_from.leader == Side::Source;
        if (m_pauseStarted == 0) {
            e.fix = forward ? cwText("core", "Writes were not held yet. As soon as both servers "
                                             "answer, run --to replica undoes the rest, and run "
                                             "--to primary goes on with the switch.")
                            : cwText("core", "Writes were not held yet. As soon as both servers "
                                             "answer, run --to primary undoes the rest, and run "
                                             "--to replica goes on with switching back.");
            return e;
        }
        e.fix = forward
                    ? cwText("core",
                             "%1 lets go of a hold on its writes by itself, some ten seconds after "
                             "it heard of Causeway last; where it was closed already, it stays so. "
                             "As soon as both servers answer, run --to replica undoes the rest, "
                             "and run --to primary goes on with the switch; without this file, "
                             "causeway-cli unfence --source URL --target URL opens the source.",
                             leader)
                    : cwText("core",
                             "%1 lets go of a hold on its writes by itself, some ten seconds after "
                             "it heard of Causeway last; where it was closed already, it stays so. "
                             "As soon as both servers answer, run --to primary undoes the rest, "
                             "and run --to replica goes on with switching back.",
                             leader);
        return e;
    }

    /// The new leader's log carries the way back, or the user said that there need be none.
    Status checkWayBack(std::stop_token stop)
    {
        if (!m_ctx.settings.hasWayBack())
            return {};
        return requireWayBack(m_ctx, m_from.follower, std::move(stop));
    }

    Step step(const char *name, Side side, Text title, QStringList sql = {})
    {
        Step s;
        s.id = m_prefix + QString::fromLatin1(name);
        s.side = side;
        s.title = std::move(title);
        s.shownSql = std::move(sql);
        return s;
    }

    /// Keys that changed since the last comparison, compared while writes go on, until few are left
    /// for under the fence: the rows of the last moments.
    Status shrinkPending(std::stop_token stop)
    {
        CW_TRY(m_replication.catchUp(m_ctx, kBeforeLimit, stop));
        CW_TRY(seenBefore(stop));
        CW_TRY(checkNoAlarm(m_ctx, m_from, m_replication.watch.get(), kWatchLimit, stop));
        for (int round = 0; round < kRounds; ++round) {
            auto keys = m_replication.follower->takeChangedKeys();
            if (!keys) {
                CW_TRY(compareAll(stop));
                continue;
            }
            merge(m_pending, std::move(*keys));
            const std::size_t compared = countOf(m_pending);
            CW_TRY(m_replication.catchUp(m_ctx, kBeforeLimit, stop));
            CW_TRY_ASSIGN(m_pending, m_comparison->different(m_pending, stop));
            if (compared < kFewKeys)
                break;
        }
        return {};
    }

    /// The keys that changed since the last comparison but were seen by a follower before this one
    /// (another process, or before a pause): from the leader's log. Where that cannot be, all rows.
    Status seenBefore(std::stop_token stop)
    {
        CW_TRY_ASSIGN(const auto compared, m_ctx.fact(m_from.follower, fact::comparedUpTo, stop));
        const Position from{compared.value_or(QString())};
        const Position to = m_replication.follower->trackedFrom();
        if (!from.isEmpty()) {
            Database &leader = m_ctx.db(m_from.leader);
            if (leader.reached(from, to))
                return {};
            m_ctx.activity(cwText("core", "Reading again from the log which rows changed since the "
                                          "last comparison."));
            CW_TRY_ASSIGN(const Lease lease, m_ctx.lease(m_from.follower, stop));
            UnloggedActions unlogged(m_comparison->plans());
            Status read = keysChangedBetween(
                leader, lease, m_comparison->plans(), from, to,
                [&](const ChangedKeys &keys) -> Status {
                    CW_TRY_ASSIGN(ChangedKeys differing, m_comparison->different(keys, stop));
                    merge(m_pending, std::move(differing));
                    if (countOf(m_pending) <= kMostChangedKeys)
                        return {};
                    return fail(ErrorCode::NotReady,
                                cwText("core", "Too many rows differ for the moment."),
                                QStringLiteral("too-many-changes"));
                },
                unlogged, stop);
            if (read)
                return unlogged.tables().empty() ? Status{}
                                                 : compareTables(unlogged.tables(), stop);
            if (read.error().code == ErrorCode::Cancelled)
                return read;
            m_ctx.event(QStringLiteral("info"), read.error().describe());
        }
        return compareAll(stop);
    }

    /// All rows of these tables; the keys that change meanwhile are kept for later as always.
    Status compareTables(const std::set<TableName> &names, std::stop_token stop)
    {
        std::vector<TablePlan> plans;
        for (const TablePlan &plan : m_comparison->plans()) {
            if (names.contains(plan.leader->name))
                plans.push_back(plan);
        }
        m_ctx.activity(cwText("core",
                              "Comparing %1 tables whose rows referential actions may have "
                              "changed since the last comparison.",
                              plans.size()));
        CW_TRY_ASSIGN(const VerifyReport report,
                      verifyTables(m_ctx.db(m_from.leader), m_ctx.db(m_from.follower), plans,
                                   m_from.leader == Side::Source,
                                   comparisonOptions(m_ctx, m_replication), stop));
        if (report.equal())
            return {};
        QStringList differing;
        for (const TableVerdict &t : report.tables) {
            if (!t.equal())
                differing << QStringLiteral("%1 (%2)").arg(t.name).arg(t.differing + t.missing +
                                                                       t.extra);
        }
        return fail(different(differing));
    }

    Status compareAll(std::stop_token stop)
    {
        m_pending.clear();
        CW_TRY_ASSIGN(const VerifyReport report, verifyStage(m_ctx, m_replication, false, stop));
        return report.equal() ? Status{} : Status(fail(different(QStringList())));
    }

    static Error different(const ChangedKeys &keys)
    {
        QStringList names;
        for (const auto &[table, set] : keys)
            names << QStringLiteral("%1 (%2)").arg(table.display()).arg(set.size());
        return different(names);
    }

    static Error different(const QStringList &tables)
    {
        Error e;
        e.code = ErrorCode::Differences;
        e.id = QStringLiteral("sides-differ");
        e.message = cwText("core", "Rows differ between the two sides; the switch was undone.");
        e.object = tables.join(QLatin1String(", "));
        e.fix = cwText("core", "Run \"verify --repair\", find out who writes to the follower, then "
                               "switch again.");
        return e;
    }

    Status numbers(std::stop_token stop)
    {
        int highest = 0;
        for (const Side side : {Side::Source, Side::Target}) {
            CW_TRY_ASSIGN(const auto n, m_ctx.fact(side, fact::leads, stop));
            highest = std::max(highest, n.value_or(QString()).toInt());
        }
        m_number = highest + 1;
        return {};
    }

    Step prepare(const std::stop_token &known)
    {
        Step s = step("prepare", m_from.leader,
                      cwText("core", "Keep what will be changed on the old leader, on itself"));
        if (const auto ledger = m_ctx.ledger(m_from.leader, known))
            s.shownSql = (*ledger)->createSql();
        s.act = [this](std::stop_token stop) -> Status {
            CW_TRY(forgetObjects(m_ctx, m_from.follower));
            CW_TRY(m_ctx.lease(m_from.leader, stop));
            // For `unfence`, which comes without the file.
            return m_ctx.setFact(m_from.leader, QStringLiteral("selection"),
                                 m_ctx.selectionOn(m_from.leader).encode(), stop);
        };
        return s;
    }

    Step eventsOff(const std::stop_token &known)
    {
        Step s = step("events-off", m_from.leader,
                      cwText("core", "Disable the events of the old leader"));
        if (const auto events = enabledEvents(m_ctx, m_from.leader, known)) {
            for (const auto &st :
                 m_ctx.db(m_from.leader).objectStatements(ObjectAction::Disable, *events))
                s.shownSql << st.sql;
        }
        s.act = [this](std::stop_token stop) {
            return disableEvents(m_ctx, m_from.leader, std::move(stop));
        };
        s.undo = [this](std::stop_token stop) -> Status {
            CW_TRY(putBackEvents(m_ctx, m_from.leader, stop));
            return forgetKept(m_ctx, m_from.leader, stop);
        };
        return s;
    }

    /// The counters of the follower to where the leader's stand now. One can be ahead of the
    /// highest row (a rolled back insert, a deleted row), and the log says nothing of it.
    Status liftCounters(std::stop_token stop)
    {
        CW_TRY_ASSIGN(const Counters leader,
                      m_ctx.db(m_from.leader).counters(m_ctx.selectionOn(m_from.leader), stop));
        Database &follower = m_ctx.db(m_from.follower);
        CW_TRY_ASSIGN(const Counters own,
                      follower.counters(m_ctx.selectionOn(m_from.follower), stop));
        Counters wanted;
        for (const auto &[name, value] : leader)
            wanted.emplace(m_ctx.nameOnFollower(m_from, name), value);
        const auto statements = follower.counterStatements(own, wanted);
        return statements.empty() ? Status{} : follower.execute(statements, stop);
    }

    /// The sequences to behind what the old leader has handed out or keeps ready to. Drawing from
    /// one passes triggers, so that some may be drawn after this.
    Status carrySequences(std::stop_token stop)
    {
        if (!m_sequences.any)
            return {};
        constexpr qint64 kMargin = 1000;
        const bool triggers = m_fence->sealKind() == QLatin1String("triggers");
        const auto elsewhere = [this](const TableName &name) {
            return m_ctx.nameOnFollower(m_from, name);
        };
        CW_TRY_ASSIGN(const auto statements,
                      m_ctx.db(m_from.leader)
                          .sequenceStatements(m_ctx.selectionOn(m_from.leader), elsewhere,
                                              triggers ? kMargin : 0, stop));
        return statements.empty() ? Status{} : m_ctx.db(m_from.follower).execute(statements, stop);
    }

    /// Most of them before writes are held: each is an ALTER TABLE. What moves on until then is
    /// lifted once more under the fence.
    Step counters()
    {
        Step s =
            step("counters", m_from.follower,
                 cwText("core", "Lift the AUTO_INCREMENT counters to where the leader's stand"));
        s.act = [this](std::stop_token stop) { return liftCounters(std::move(stop)); };
        return s;
    }

    /// Those that came since the copy: accepted as changed, or nobody had noted what there was.
    Step makeSequences()
    {
        Step s = step("sequences", m_from.follower,
                      cwText("core", "Create the sequences that the new leader does not have"));
        for (const SchemaStatement &st : m_sequences.create)
            s.shownSql << st.sql;
        s.act = [this](std::stop_token stop) {
            return createMissing(m_ctx.db(m_from.follower), m_sequences.create, 1, std::move(stop));
        };
        s.undo = [this](std::stop_token stop) {
            Database &follower = m_ctx.db(m_from.follower);
            return follower.execute(
                follower.objectStatements(ObjectAction::Drop, m_sequences.missing),
                std::move(stop));
        };
        return s;
    }

    static void note(QStringList &names, const QStringList &more)
    {
        for (const QString &name : more) {
            if (!names.contains(name))
                names << name;
        }
    }

    Step accounts()
    {
        Step s = step("accounts", m_from.leader,
                      cwText("core", "Lock accounts that could write on the closed server: %1",
                             m_passing.join(QStringLiteral(", "))),
                      m_fence->lockAccountsSql(m_passing));
        s.act = [this](std::stop_token stop) -> Status {
            // The follower first: whoever is sent away by the leader tries the other server, which
            // opens only later.
            CW_TRY_ASSIGN(m_followerFence, m_ctx.fence(m_from.follower, stop));
            CW_TRY_ASSIGN(QStringList refused, m_followerFence->lockAccounts(m_passing, stop));
            CW_TRY_ASSIGN(const QStringList here, m_fence->lockAccounts(m_passing, stop));
            note(refused, here);
            warnOfPassing(m_ctx, refused);
            return {};
        };
        s.undo = [this](std::stop_token stop) -> Status {
            CW_TRY(m_fence->unlockAccounts(stop));
            return m_followerFence ? m_followerFence->unlockAccounts(stop) : Status{};
        };
        s.undoAlso = m_from.follower;
        return s;
    }

    Step compareBefore()
    {
        Step s = step("compare-before", m_from.follower,
                      cwText("core", "Compare, while writes go on, what changed since the last "
                                     "comparison"));
        s.act = [this](std::stop_token stop) { return shrinkPending(std::move(stop)); };
        return s;
    }

    /// Removing what keeps the follower closed over a restart takes a while for each table, and
    /// until it opens the setting closes it.
    Step ease()
    {
        Step s = step("ease", m_from.follower,
                      cwText("core", "Make the new leader quick to open, which stays closed"));
        s.act = [this](std::stop_token stop) -> Status {
            CW_TRY_ASSIGN(const auto fence, m_ctx.fence(m_from.follower, stop));
            return fence->easeOpening(stop);
        };
        s.undo = [this](std::stop_token stop) -> Status {
            CW_TRY_ASSIGN(const auto fence, m_ctx.fence(m_from.follower, stop));
            return fence->keepClosed(stop);
        };
        return s;
    }

    Step hold()
    {
        Step s = step("hold", m_from.leader,
                      cwText("core", "Hold writes; the server lets go by itself if this ends"),
                      m_fence->holdSql());
        s.act = [this](std::stop_token stop) -> Status {
            m_pauseStarted = QDateTime::currentMSecsSinceEpoch();
            if (!m_closedBefore)
                CW_TRY(noteHeldSince(m_ctx, m_pauseStarted));
            CW_TRY_ASSIGN(m_barrier, m_fence->hold(stop));
            return {};
        };
        // Also what was noted and locked for it.
        s.undo = [this](std::stop_token stop) { return m_fence->open(std::move(stop)); };
        return s;
    }

    /// Lets through who waits for the hold and stops our own readers with it; what it changed is
    /// before the new barrier.
    Status letThrough(std::stop_token stop)
    {
        CW_TRY_ASSIGN(m_barrier, m_sealed ? m_fence->seal(stop) : m_fence->hold(stop));
        return {};
    }

    Status drainNow(std::stop_token stop)
    {
        const auto until = std::chrono::steady_clock::now() + kDrainLimit;
        for (;;) {
            Status reached = m_replication.waitReached(m_ctx, m_barrier, kLook, stop);
            if (reached || reached.error().id != QLatin1String("catch-up-timeout") ||
                std::chrono::steady_clock::now() > until)
                return reached;
            CW_TRY_ASSIGN(const bool waited, m_fence->isWaitedFor(stop));
            if (waited)
                CW_TRY(letThrough(stop));
        }
    }

    Step drain(const QString &name)
    {
        Step s = step("", m_from.follower, cwText("core", "Apply everything up to the last write"));
        s.id = m_prefix + name;
        s.act = [this](std::stop_token stop) { return drainNow(std::move(stop)); };
        return s;
    }

    /// Which of m_pending differ. `passed`: somebody was let through meanwhile, so that the answer
    /// may be out of date.
    Result<ChangedKeys> differing(bool &passed, std::stop_token stop)
    {
        auto looking = std::async(std::launch::async,
                                  [&] { return m_comparison->different(m_pending, stop); });
        Status watched;
        while (looking.wait_for(kLook) != std::future_status::ready && watched) {
            const auto waited = m_fence->isWaitedFor(stop);
            if (!waited)
                watched = fail(waited.error());
            else if (*waited) {
                passed = true;
                watched = letThrough(stop);
            }
        }
        auto found = looking.get();
        CW_TRY(watched);
        return found;
    }

    Step compare(const QString &name)
    {
        Step s = step("", m_from.follower,
                      cwText("core", "Compare the rows changed since the last comparison"));
        s.id = m_prefix + name;
        s.act = [this](std::stop_token stop) -> Status {
            constexpr int kMost = 10;
            for (int attempt = 1;; ++attempt) {
                auto keys = m_replication.follower->takeChangedKeys();
                if (!keys) {
                    return fail(ErrorCode::NotReady,
                                cwText("core",
                                       "Too much changed just before the switch to compare it "
                                       "while writes are held. Try again."),
                                QStringLiteral("too-many-changes"));
                }
                merge(m_pending, std::move(*keys));
                bool passed = false;
                CW_TRY_ASSIGN(ChangedKeys found, differing(passed, stop));
                m_pending = std::move(found);
                if (!passed || attempt == kMost)
                    break;
                CW_TRY(drainNow(stop));
            }
            const ChangedKeys found = std::exchange(m_pending, {});
            if (!found.empty())
                return fail(different(found));
            // Writes are held: only what the watch knows by now.
            return checkNoAlarm(m_ctx, m_from, nullptr, {}, stop);
        };
        return s;
    }

    Step seal()
    {
        Step s = step("seal", m_from.leader,
                      cwText("core", "Close the old leader for good (%1)", m_fence->sealKind()),
                      m_fence->sealSql());
        s.act = [this](std::stop_token stop) -> Status {
            // Who writes has queued by now, also who was not seen doing so before.
            CW_TRY_ASSIGN(const QStringList passing, m_fence->passingWriters({}, stop));
            if (!passing.isEmpty()) {
                note(m_passing, passing);
                return fail(passingWriter(passing));
            }
            // The seal's own statements may stand in the log: the follower drains once more to it.
            CW_TRY_ASSIGN(m_barrier, m_fence->seal(stop));
            m_sealed = true;
            saySealTime();
            return {};
        };
        s.undo = [this](std::stop_token stop) { return m_fence->open(std::move(stop)); };
        return s;
    }

    Error passingWriter(const QStringList &who) const
    {
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = kPassingWriter;
        e.object = who.join(QStringLiteral(", "));
        e.message = cwText("core",
                           "%1 writes on %2 with an account that no setting stops, and was seen "
                           "only when writes were held.",
                           e.object, m_ctx.db(m_from.leader).address().display());
        e.fix = cwText("core", "Try again: the account is locked then. Or name it with "
                               "--lock-account, or close the tables with --fence triggers.");
        return e;
    }

    void saySealTime()
    {
        const auto timing = m_fence->lastSeal();
        if (!timing || timing->tables == 0)
            return;
        m_ctx.live.update([&](Snapshot &s) {
            s.sealSeconds = std::chrono::duration<double>(timing->took).count();
            s.sealTables = timing->tables;
        });
        m_ctx.event(QStringLiteral("info"),
                    QStringLiteral("The triggers that close %1 tables took %2 s, %3 ms a table.")
                        .arg(timing->tables)
                        .arg(std::chrono::duration<double>(timing->took).count(), 0, 'f', 3)
                        .arg(timing->secondsPerTable() * 1000.0, 0, 'f', 1));
    }

    Step objects()
    {
        const Side side = m_from.follower;
        Step s = step("objects", side, cwText("core", "Counters and triggers of the new leader"));
        for (const SchemaStatement &st : m_ctx.script.triggers) {
            if (side == Side::Target)
                s.shownSql << st.sql;
        }
        s.act = [this, side](std::stop_token stop) -> Status {
            m_replication.stop(); // nothing of ours may be written there after this
            CW_TRY(liftCounters(stop));
            CW_TRY(carrySequences(stop));
            CW_TRY_ASSIGN(const bool keptThere, hasKept(m_ctx, side, kept::trigger, stop));
            CW_TRY(side == Side::Source || keptThere
                       ? putBackTriggers(m_ctx, side, stop)
                       : m_ctx.db(side).execute(m_ctx.script.triggers, stop));
            if (!m_ctx.settings.hasWayBack())
                return {};
            // From here on whatever is written there is for the old leader, also by somebody whom a
            // restart of a server that forgets that it is closed let in too early.
            CW_TRY_ASSIGN(m_streamStart,
                          m_ctx.db(side).currentPosition(m_ctx.selectionOn(side), stop));
            return {};
        };
        s.undo = [this, side](std::stop_token stop) -> Status {
            CW_TRY_ASSIGN(const auto triggers, ownTriggers(m_ctx, side, stop));
            return m_ctx.db(side).execute(
                m_ctx.db(side).objectStatements(ObjectAction::Drop, triggers), stop);
        };
        return s;
    }

    Step hook()
    {
        Step s = step("hook", m_from.follower, cwText("core", "Run the hook command"),
                      {m_ctx.settings.onSwitched});
        s.act = [this](std::stop_token stop) {
            return runHook(m_ctx.settings.onSwitched, hookEnvironment(m_ctx, m_from),
                           std::move(stop));
        };
        return s;
    }

    Step lead()
    {
        const Side side = m_from.follower;
        Step s = step("lead", side,
                      cwText("core", "Write down that %1 leads: from here on there is no undo",
                             m_ctx.db(side).address().display()));
        s.noReturn = true;
        s.act = [this, side](std::stop_token stop) -> Status {
            // Without SET PERSIST a restart of the old leader has opened it, and whoever wrote
            // since would be left behind.
            CW_TRY_ASSIGN(const bool sealed, m_fence->isSealed(stop));
            if (!sealed) {
                Error e;
                e.code = ErrorCode::ConnectionLost;
                e.id = QStringLiteral("seal-lost");
                e.object = m_ctx.db(m_from.leader).address().display();
                e.message = cwText("core",
                                   "%1 takes writes again: it was restarted, or somebody opened "
                                   "it. The switch was undone.",
                                   e.object);
                return fail(std::move(e));
            }
            // The new leader may have been restarted meanwhile (the hook takes its time): no reason
            // to turn back, and what was let in early by that is for the old leader already.
            if (const auto asked = m_ctx.fact(side, fact::leads, stop);
                !asked && asked.error().isTransient())
                m_ctx.dropLedgerSessions();
            if (m_ctx.settings.hasWayBack()) {
                CW_TRY(m_ctx.setFact(side, fact::streamStart, m_streamStart.text, stop));
                CW_TRY(noteWatchStart(m_ctx, side, m_barrier, stop));
            }
            CW_TRY(m_ctx.setFact(side, fact::switchUnfinished, QStringLiteral("1"), stop));
            return m_ctx.setFact(side, fact::leads, QString::number(m_number), stop);
        };
        return s;
    }

    Context &m_ctx;
    Replication &m_replication;
    const Roles m_from;
    QStringList &m_passing;
    const bool m_once;
    const QString m_prefix;
    std::unique_ptr<Fence> m_fence, m_followerFence;
    Position m_barrier;
    Position m_streamStart; ///< of the new leader's log
    bool m_sealed = false;
    bool m_closedBefore = false; ///< before this run
    std::unique_ptr<KeyComparison> m_comparison;
    SequencesToCarry m_sequences;
    ChangedKeys m_pending; ///< to be compared under the fence, besides what changes until then
    int m_number = 1;
    qint64 m_pauseStarted = 0;
};
} // namespace

Status switchStage(Context &ctx, Replication &replication, std::stop_token stop)
{
    const Roles from = ctx.settings.mode == Mode::Once ? Roles{} : replication.roles;
    QStringList passing;
    Status done;
    for (int attempt = 1; attempt <= kAttempts; ++attempt) {
        const auto known = passing.size();
        done = SwitchRun(ctx, replication, from, passing).run(stop);
        if (done || done.error().id != kPassingWriter || passing.size() == known)
            break;
    }
    // What was compared on the way over holds for the way back, until a comparison says otherwise.
    // Where this is cut short, the way back compares once more.
    if (!done && done.error().id != kNotUndone) {
        // Undone: where the servers say we are, not where we wanted to be.
        const StopAfter aWhile(stop, kGraceAfterCancel);
        if (const auto phase = ctx.derivePhase(aWhile.token()))
            (void)ctx.setPhase(*phase);
    }
    return done;
}

} // namespace causeway
