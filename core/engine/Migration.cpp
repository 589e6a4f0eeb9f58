#include "engine/Migration.h"

#include "base/Json.h"
#include "base/Log.h"
#include "base/Stop.h"
#include "engine/Context.h"
#include "engine/ForeignWrites.h"
#include "engine/RouteFactory.h"
#include "route/LogPurged.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <deque>

namespace causeway {

namespace {
template <class... F> struct Overloaded : F... {
    using F::operator()...;
};
template <class... F> Overloaded(F...) -> Overloaded<F...>;

/// Said before anything was begun: the migration stands as it stood, with what had stopped it.
bool isRefusal(const Error &e)
{
    static const QStringList ids{QStringLiteral("ended"),       QStringLiteral("finished"),
                                 QStringLiteral("finishing"),   QStringLiteral("one-way"),
                                 QStringLiteral("not-primary"), QStringLiteral("target-leads"),
                                 QStringLiteral("not-copied"),  QStringLiteral("kept-by-cancel")};
    return e.code == ErrorCode::NotReady && ids.contains(e.id);
}

} // namespace

struct Migration::Private {
    Live live;
    Settings settings; ///< never changes after open
    std::unique_ptr<Context> context;
    std::unique_ptr<Route> route; ///< uses the context

    mutable std::mutex mutex;
    mutable std::condition_variable_any changed;
    struct Queued {
        Command command;
        bool ended = false; ///< by a Pause or Cancel that was posted before it had begun
    };
    std::deque<Queued> queue;
    std::stop_source current; ///< ends the command under way
    bool busy = false;
    quint64 finished = 0;
    std::deque<Outcome> outcomes; ///< the newest few
    bool leftInFile = false;      ///< the watcher saw commands of other processes
    std::jthread thread;
    std::jthread watcher; ///< joined before the engine's thread

    void loop(std::stop_token stop);
    void watchFile(const QString &path, std::stop_token stop);
    void carryOutLeft(Outcome *interrupted);
    Outcome carryOut(const Command &, std::stop_token);
    [[nodiscard]] Error nameLost(Error) const;
    Status runTo(const command::RunTo &, std::stop_token);
    Status cancel(const command::Cancel &, std::stop_token);
    Status discardedBefore();
    Status forward(Goal, std::stop_token);
    /// Again and again, as long as what stopped it is settled as was answered or set beforehand.
    Status settled(const std::function<Status()> &work, std::stop_token);
    /// Again while a server or the link to it is away, which has answered before; for a minute.
    Status patiently(const std::function<Status()> &work, std::stop_token,
                     const std::function<bool(const Error &)> &passes = &Error::isTransient);
    Status preflight(std::stop_token);
    Status knownEqual(const command::RunTo &) const;
    Status ensureVerified(std::stop_token);
    Status follow(std::stop_token);
    void finish(Outcome);
};

Migration::Migration() : d(std::make_unique<Private>()) {}

Migration::~Migration()
{
    {
        const std::lock_guard lock(d->mutex);
        d->current.request_stop();
    }
    d->watcher.request_stop();
    if (d->watcher.joinable())
        d->watcher.join();
    d->thread.request_stop();
    if (d->thread.joinable())
        d->thread.join();
}

Result<std::unique_ptr<Migration>> Migration::open(const QString &path, const Secrets &secrets)
{
    std::unique_ptr<Migration> m(new Migration);
    Private *d = m->d.get();
    // The journal belongs to the thread that opened it: the engine's own.
    const auto opened = std::make_shared<std::promise<Status>>();
    std::future<Status> result = opened->get_future();
    d->thread = std::jthread([d, path, secrets, opened](std::stop_token stop) {
        Status ready = [&]() -> Status {
            CW_TRY_ASSIGN(auto journal, Journal::open(path, Journal::Access::Own));
            CW_TRY_ASSIGN(d->settings, journal->settings());
            d->context = std::make_unique<Context>(std::move(journal), d->settings, d->live);
            CW_TRY(d->context->openDatabases(secrets));
            CW_TRY_ASSIGN(d->route, makeRoute(*d->context));
            d->live.update([&](Snapshot &s) { s.route = d->route->name(); });
            return {};
        }();
        const bool ok = ready.has_value();
        opened->set_value(std::move(ready));
        if (ok)
            d->loop(stop);
        d->route.reset();
        d->context.reset();
    });
    CW_TRY(result.get());
    d->watcher = std::jthread([d, path](std::stop_token stop) { d->watchFile(path, stop); });
    return m;
}

void Migration::post(Command command)
{
    const std::lock_guard lock(d->mutex);
    const bool ends = std::holds_alternative<command::Pause>(command) ||
                      std::holds_alternative<command::Cancel>(command);
    if (ends) {
        // What waits its turn was asked for before this, and must not go on after it.
        for (Private::Queued &waiting : d->queue)
            waiting.ended = true;
    }
    if (ends && d->busy) {
        d->current.request_stop();
        d->live.update([](Snapshot &s) {
            if (s.runState == RunState::Running || s.runState == RunState::Stalled)
                s.runState = RunState::Pausing;
        });
    }
    d->queue.push_back({std::move(command)});
    d->changed.notify_all();
}

std::shared_ptr<const Snapshot> Migration::snapshot() const
{
    return d->live.get();
}

std::pair<quint64, std::optional<Outcome>> Migration::lastOutcome() const
{
    const std::lock_guard lock(d->mutex);
    return {d->finished,
            d->outcomes.empty() ? std::nullopt : std::optional<Outcome>(d->outcomes.back())};
}

Outcome Migration::waitOutcome(quint64 seen) const
{
    std::unique_lock lock(d->mutex);
    d->changed.wait(lock, [&] { return d->finished > seen; });
    // Those kept are the newest; who waits came in time for them.
    const auto back = static_cast<std::size_t>(d->finished - seen);
    return back <= d->outcomes.size() ? d->outcomes[d->outcomes.size() - back]
                                      : d->outcomes.front();
}

Settings Migration::settings() const
{
    return d->settings;
}

std::vector<StepRecord> Migration::plan() const
{
    return d->route->plan();
}

std::vector<LiveClient> Migration::liveClients(Side side) const
{
    return d->live.clients(side);
}

void Migration::Private::finish(Outcome outcome)
{
    const std::lock_guard lock(mutex);
    outcomes.push_back(std::move(outcome));
    if (outcomes.size() > 16)
        outcomes.pop_front();
    ++finished;
    busy = false;
    changed.notify_all();
}

/// What other processes leave in the file, seen by a thread of its own: the engine's may be inside
/// one long statement, and a cancel must end that.
void Migration::Private::watchFile(const QString &path, std::stop_token stop)
{
    const auto journal = Journal::open(path, Journal::Access::Read);
    if (!journal) {
        logWarning(journal.error().describe());
        return;
    }
    while (pauseFor(stop, std::chrono::milliseconds(300))) {
        const auto waiting = (*journal)->waitingCommands();
        if (!waiting || waiting->isEmpty())
            continue;
        const std::lock_guard lock(mutex);
        leftInFile = true;
        if (busy && waiting->contains(QLatin1String("cancel"))) {
            context->cancelAsked = true;
            current.request_stop();
        }
        changed.notify_all();
    }
}

/// `interrupted`: the command that a cancel ended; whoever waits for it learns why.
void Migration::Private::carryOutLeft(Outcome *interrupted)
{
    {
        const std::lock_guard lock(mutex);
        leftInFile = false;
        busy = true;
        current = std::stop_source();
    }
    context->cancelAsked = false;
    const auto commands = context->journal->takeCommands();
    if (!commands) {
        logWarning(commands.error().describe());
        return;
    }
    for (const LeftCommand &c : *commands) {
        Outcome outcome{command::Pause{}, {}, std::nullopt};
        if (c.name == QLatin1String("cancel")) {
            const bool discard = c.args.value(0) == QLatin1String("discard");
            outcome = carryOut(command::Cancel{discard}, current.get_token());
            if (outcome.status && interrupted) {
                Error e;
                e.code = ErrorCode::NotReady;
                e.id = QStringLiteral("cancelled-by-another");
                e.message = cwText("core", "The migration was cancelled by another process.");
                interrupted->status = fail(std::move(e));
            }
        } else if (c.name == QLatin1String("answer")) {
            outcome =
                carryOut(command::Answer{c.args.value(0), c.args.value(1)}, current.get_token());
        }
        const QJsonObject told =
            outcome.status
                ? QJsonObject{{QStringLiteral("done"), true}}
                : QJsonObject{{QStringLiteral("error"), errorJson(outcome.status.error())}};
        (void)context->journal->setValue(Journal::answerName(c.id), compactJson(told));
    }
}

void Migration::Private::loop(std::stop_token stop)
{
    while (!stop.stop_requested()) {
        Command next;
        bool left = false;
        {
            std::unique_lock lock(mutex);
            changed.wait_for(lock, stop, std::chrono::milliseconds(500),
                             [&] { return !queue.empty() || leftInFile; });
            if (stop.stop_requested())
                return;
            left = leftInFile;
            if (!left && !queue.empty()) {
                next = std::move(queue.front().command);
                current = std::stop_source();
                if (queue.front().ended)
                    current.request_stop();
                queue.pop_front();
                busy = true;
            }
        }
        if (left) {
            carryOutLeft(nullptr);
            context->storeSnapshot();
            const std::lock_guard lock(mutex);
            busy = false;
            continue;
        }
        if (!busy) {
            route->observe();
            context->tick();
            continue;
        }
        const auto stood = context->journal->value(QStringLiteral("snapshot"));
        Outcome outcome = carryOut(next, current.get_token());
        const bool refused = !outcome.status && isRefusal(outcome.status.error());
        // Before anybody hears that the command ended, and perhaps ends this process.
        if (const std::unique_lock lock(mutex); leftInFile)
            left = true;
        if (left)
            carryOutLeft(&outcome);
        context->storeSnapshot();
        if (refused && !left && stood && *stood)
            (void)context->journal->setValue(QStringLiteral("snapshot"), **stood);
        finish(std::move(outcome));
    }
}

Outcome Migration::Private::carryOut(const Command &command, std::stop_token stop)
{
    Outcome outcome{command, {}, std::nullopt};
    // What stopped the command that a pause ended still stands after it.
    const bool pauses = std::holds_alternative<command::Pause>(command);
    live.update([&](Snapshot &s) {
        if (pauses && s.error)
            return;
        s.error.reset();
        s.runState = RunState::Running;
    });
    outcome.status = std::visit(
        Overloaded{
            [&](const command::RunTo &c) {
                live.update([](Snapshot &s) { s.decision.reset(); });
                return runTo(c, stop);
            },
            [&](const command::Pause &) -> Status {
                route->stopFollowing();
                return {};
            },
            [&](const command::Answer &c) -> Status {
                CW_TRY(context->journal->answer(c.decision, c.choice));
                if (c.choice != QLatin1String("stop"))
                    live.update([](Snapshot &s) { s.decision.reset(); });
                return {};
            },
            [&](const command::Verify &c) -> Status {
                CW_TRY_ASSIGN(const Phase phase, route->phase(stop));
                if (phase != Phase::Replica && phase != Phase::Primary) {
                    return fail(ErrorCode::NotReady,
                                cwText("core",
                                       "There is nothing to compare yet: the migration is "
                                       "%1.",
                                       toString(phase)),
                                QStringLiteral("not-copied"));
                }
                CW_TRY(route->startFollowing(stop));
                CW_TRY_ASSIGN(outcome.verify, route->verify(c.repair, stop));
                return {};
            },
            [&](const command::Cancel &c) -> Status { return cancel(c, stop); },
        },
        command);
    if (!outcome.status)
        outcome.status = fail(nameLost(outcome.status.error()));
    // Somebody has to know what a cancelled switch left as it was begun.
    const bool notUndone =
        !outcome.status && (outcome.status.error().id == QLatin1String("not-undone") ||
                            outcome.status.error().id == QLatin1String("switch-unfinished"));
    const bool paused =
        !notUndone && (stop.stop_requested() ||
                       (!outcome.status && outcome.status.error().code == ErrorCode::Cancelled));
    if (!outcome.status) {
        if (!paused)
            context->event(QStringLiteral("error"), outcome.status.error().describe());
        // A session that broke may be half way through something: all are opened anew.
        context->dropLedgerSessions();
    }
    live.update([&](Snapshot &s) {
        if (outcome.status) {
            if (pauses && s.error)
                return;
            s.runState = s.decision                        ? RunState::NeedsDecision
                         : stop.stop_requested() || pauses ? RunState::Paused
                         : route->isFollowing()            ? RunState::Running
                                                           : RunState::Idle;
            return;
        }
        const Error &e = outcome.status.error();
        if (paused) {
            s.runState = RunState::Paused;
        } else if (e.code == ErrorCode::NeedsDecision) {
            s.runState = RunState::NeedsDecision;
            s.decision = route->decisionFor(e);
            s.error = e;
        } else {
            s.runState = RunState::Failed;
            s.error = e;
        }
    });
    return outcome;
}

/// A connection that does not come about, to a server that answered this process before: not a
/// wrong address or something else than a database, as its words would mean at a first attempt.
Error Migration::Private::nameLost(Error e) const
{
    if (e.code != ErrorCode::Connect || !e.isTransient() || !context->sourceFacts ||
        !context->targetFacts || e.id == QLatin1String("mysql-too-many-connections") ||
        e.id == QLatin1String("mysql-user-limit"))
        return e;
    const auto shown = live.get();
    for (const Side side : {Side::Source, Side::Target}) {
        const QString name = context->db(side).address().display();
        if (!e.message.english().contains(name))
            continue;
        const bool switched = shown->phase == Phase::Replica || shown->phase == Phase::Primary ||
                              shown->phase == Phase::Switching ||
                              shown->phase == Phase::SwitchingBack;
        e.object = name;
        e.message =
            switched && side == shown->roles.leader
                ? cwText("core", "%1, which takes the writes, answered before and does not now.",
                         name)
            : switched
                ? cwText("core", "%1, which follows, answered before and does not now.", name)
                : cwText("core", "%1 answered before and does not now.", name);
        e.fix = cwText("core", "It was stopped, is being started again, or the way to it is cut. "
                               "As soon as it answers, run this again.");
        break;
    }
    return e;
}

Status Migration::Private::preflight(std::stop_token stop)
{
    context->activity(cwText("core", "Checking source and target."));
    CheckOptions options = checkOptions(settings);
    options.route = route->name();
    CW_TRY_ASSIGN(const CheckReport report,
                  runPreflight(context->endpoint(Side::Source), context->endpoint(Side::Target),
                               options, {}, stop));
    CW_TRY(context->journal->setValue(
        QStringLiteral("preflight"),
        QString::fromUtf8(QJsonDocument(report.toJson(settings.accepted)).toJson())));
    if (report.verdict(settings.accepted) == QLatin1String("blocked")) {
        QStringList lines, ids;
        for (const Finding &f : report.findings) {
            const bool blocks = f.status == FindingStatus::Blocker ||
                                (f.status == FindingStatus::Unknown && f.blocksMigration);
            if (!blocks || (f.acceptable && settings.accepted.contains(f.id)))
                continue;
            ids << f.id;
            lines << QStringLiteral("%1%2: %3")
                         .arg(f.id, f.acceptable ? QStringLiteral(" (can be accepted)") : QString(),
                              f.found.english());
        }
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("preflight-blocked");
        e.message = cwText("core", "The check found what must be mended first: %1",
                           lines.join(QStringLiteral("; ")));
        e.object = ids.join(QLatin1Char(','));
        e.fix = cwText("core", "Run \"check\" with the same source and target: it says how to mend "
                               "each of them. What can be accepted is by run --accept ID.");
        return fail(std::move(e));
    }
    return context->setPhase(Phase::Checked);
}

namespace {
Error sidesDifferError(const QStringList &tables)
{
    Error e;
    e.code = ErrorCode::Differences;
    e.id = QStringLiteral("sides-differ");
    e.object = tables.join(QLatin1String(", "));
    e.message = cwText("core", "Source and target differ in: %1", e.object);
    return e;
}
} // namespace

Status Migration::Private::ensureVerified(std::stop_token stop)
{
    CW_TRY_ASSIGN(const bool verified, route->isVerified(stop));
    if (verified)
        return {};
    CW_TRY_ASSIGN(const VerifyReport report, route->verify(false, stop));
    if (report.equal())
        return {};
    QStringList names;
    for (const TableVerdict &t : report.tables) {
        if (!t.equal())
            names << t.name;
    }
    Error e = sidesDifferError(names);
    e.fix =
        settings.mode == Mode::Once
            ? cwText("core", "Nothing follows in mode once, so that nothing is repaired: somebody "
                             "else wrote on one of the two. The source is still closed; \"cancel "
                             "--discard\" opens it again, and then begin anew.")
            : cwText("core", "Run \"verify --repair\", which makes the follower equal, and find "
                             "out who writes to it.");
    return fail(std::move(e));
}

/// Who finishes throws the other copy away as a witness: not while it is known to differ.
Status Migration::Private::knownEqual(const command::RunTo &wanted) const
{
    if (wanted.differing || settings.accepted.contains(QStringLiteral("sides-differ")))
        return {};
    const auto shown = live.get();
    QStringList names;
    for (const TableProgress &t : shown->tables) {
        if (t.state == TableState::Different)
            names << t.name;
    }
    if (names.isEmpty() && !shown->alarm)
        return {};
    Error e = names.isEmpty()
                  ? foreignWriteError(*shown->alarm, context->db(Side::Source).address().display())
                  : sidesDifferError(names);
    e.fix = cwText("core", "Run \"verify --repair\" first. Or finish as it is, with an old source "
                           "that is not the same: run --to finished --accept sides-differ.");
    return fail(std::move(e));
}

Status Migration::Private::forward(Goal goal, std::stop_token stop)
{
    const bool once = settings.mode == Mode::Once;
    CW_TRY_ASSIGN(const Phase first, route->phase(stop));
    if (first == Phase::Draft || first == Phase::Checked)
        CW_TRY(preflight(stop));
    const auto work = [&]() -> Status {
        CW_TRY_ASSIGN(Phase phase, route->phase(stop));
        if (phase == Phase::Draft || phase == Phase::Checked || phase == Phase::Copying ||
            (once && phase != Phase::Replica)) {
            CW_TRY(route->copy(stop));
            phase = Phase::CatchingUp;
        }
        if (goal == Goal::Copied)
            return {};
        CW_TRY(phase == Phase::CatchingUp ? route->becomeReplica(stop)
                                          : route->startFollowing(stop));
        CW_TRY(route->catchUpNow(stop));
        return context->setPhase(Phase::Replica);
    };
    return settled([&] { return patiently(work, stop); }, stop);
}

/// Everything done here can be entered again at any point. Not for a switch: who holds writes does
/// not wait for a server, and whether to try again is a person's decision.
Status Migration::Private::patiently(const std::function<Status()> &work, std::stop_token stop,
                                     const std::function<bool(const Error &)> &passes)
{
    // A follower that lost its leader waits for a minute by itself: an attempt that took longer
    // than that was at work meanwhile, and has met another outage.
    constexpr std::chrono::seconds kPatience{60}, kAtWork{180};
    using Clock = std::chrono::steady_clock;
    std::optional<Clock::time_point> since;
    std::chrono::milliseconds backOff{200};
    for (;;) {
        const auto began = Clock::now();
        Status done = work();
        if (done || stop.stop_requested() || !passes(done.error())) {
            live.update([](Snapshot &s) { s.retrying.clear(); });
            return done;
        }
        if (!since || Clock::now() - began > kAtWork) {
            since = Clock::now();
            backOff = std::chrono::milliseconds{200};
        }
        if (Clock::now() - *since > kPatience)
            return done;
        context->event(QStringLiteral("warning"),
                       done.error().describe() + QStringLiteral("\n  Trying again."));
        live.update([](Snapshot &s) { s.runState = RunState::Stalled; });
        context->retrying(done.error());
        context->storeSnapshot(); // for who looks at it by `status` meanwhile
        route->stopFollowing();
        context->dropLedgerSessions();
        if (!pauseFor(stop, backOff) || !context->tick())
            return fail(cancelledError());
        backOff = std::min(backOff * 2, std::chrono::milliseconds{5'000});
        live.update([](Snapshot &s) { s.runState = RunState::Running; });
    }
}

Status Migration::Private::settled(const std::function<Status()> &work, std::stop_token stop)
{
    for (;;) {
        Status done = work();
        if (done || stop.stop_requested())
            return done;
        CW_TRY(route->settle(done.error(), stop));
    }
}

Status Migration::Private::runTo(const command::RunTo &wanted, std::stop_token stop)
{
    Context &ctx = *context;
    CW_TRY_ASSIGN(const Phase recorded, ctx.journal->phase());
    if (recorded == Phase::Finished || recorded == Phase::Cancelled) {
        CW_TRY(route->removeLeftBehind(stop));
        if (recorded == Phase::Finished && wanted.goal == Goal::Finished)
            return {};
        return fail(ErrorCode::NotReady,
                    cwText("core", "This migration is %1 already.", toString(recorded)),
                    QStringLiteral("ended"));
    }
    bool finishing = false;
    const auto firstQuestions = [&]() -> Status {
        CW_TRY_ASSIGN(ctx.sourceFacts, ctx.db(Side::Source).facts(stop));
        CW_TRY_ASSIGN(ctx.targetFacts, ctx.db(Side::Target).facts(stop));
        CW_TRY_ASSIGN(finishing, route->isFinishing(stop));
        CW_TRY(route->roles(stop));
        return {};
    };
    // A server without a free connection is there, and one comes free. Everything else may be a
    // wrong address, and is told at once.
    const Status asked = patiently(firstQuestions, stop, [](const Error &e) {
        return e.id == QLatin1String("mysql-too-many-connections");
    });
    if (!asked && wanted.goal == Goal::Finished && asked.error().isTransient()) {
        CW_TRY_ASSIGN(const bool ended, route->finishWithoutSource(wanted.oldSourceOpen, stop));
        if (ended)
            return {};
    }
    CW_TRY(Status(asked));
    if (finishing) {
        if (wanted.goal != Goal::Finished) {
            return fail(ErrorCode::NotReady,
                        cwText("core", "Finishing has begun; it can only be gone on with: run --to "
                                       "finished."),
                        QStringLiteral("finishing"));
        }
        return route->finish(wanted.oldSourceOpen, stop);
    }
    CW_TRY(route->completeSwitch(stop));
    CW_TRY_ASSIGN(const Roles roles, route->roles(stop));
    const bool primary = roles.leader == Side::Target;
    const bool once = settings.mode == Mode::Once;

    // An interrupted switch left the leader closed: going on with the switch closes it anew, any
    // other goal opens it first. (In mode once the source is closed on purpose.)
    const bool goesOn =
        (wanted.goal == Goal::Primary && !primary) || (wanted.goal == Goal::Replica && primary);
    if (!goesOn && !once)
        CW_TRY(route->reopenLeader(stop));

    if (wanted.goal == Goal::Finished) {
        if (!primary) {
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("not-primary");
            e.message =
                once ? cwText("core", "The target does not take the writes yet; finishing never "
                                      "switches by itself.")
                     : cwText("core", "The source still takes writes; finishing never switches by "
                                      "itself.");
            e.fix = once ? cwText("core", "Go on first: run --to primary. Or give up, which opens "
                                          "the source again: cancel --discard.")
                         : cwText("core", "Switch first: run --to primary.");
            return fail(std::move(e));
        }
        // What waits for a person stops this as well: whoever needs the old source no more says so.
        Status caughtUp = route->startFollowing(stop);
        if (caughtUp)
            caughtUp = route->catchUpNow(stop);
        route->stopFollowing();
        if (!caughtUp) {
            Error e = caughtUp.error();
            if (e.code == ErrorCode::NeedsDecision) {
                e.fix = cwText("core",
                               "Or finish as it is, with an old source that stays behind: run --to "
                               "finished --accept one-way.");
            }
            return fail(std::move(e));
        }
        CW_TRY(knownEqual(wanted));
        return route->finish(wanted.oldSourceOpen, stop);
    }
    const auto verifiedNow = [&]() -> Status {
        CW_TRY(route->startFollowing(stop));
        return ensureVerified(stop);
    };
    const auto followNow = [&]() -> Status {
        CW_TRY(route->startFollowing(stop));
        return route->catchUpNow(stop);
    };
    // Known before the copy, not after hours of it.
    if (!primary && wanted.goal == Goal::Primary)
        CW_TRY(route->requireWayBack(stop));
    if (!primary) {
        const Status done = settled(
            [&]() -> Status {
                CW_TRY(forward(wanted.goal, stop));
                if (wanted.goal != Goal::Primary)
                    return {};
                CW_TRY(patiently(verifiedNow, stop));
                return route->switchOver(stop);
            },
            stop);
        CW_TRY(done);
        if (wanted.goal == Goal::Primary)
            CW_TRY(patiently(followNow, stop));
    } else if (wanted.goal == Goal::Replica) {
        if (settings.oneWayAccepted || once) {
            return fail(ErrorCode::NotReady,
                        cwText("core", "This migration has no way back: that was accepted before "
                                       "the switch."),
                        QStringLiteral("one-way"));
        }
        const Status done = settled(
            [&]() -> Status {
                CW_TRY(patiently(verifiedNow, stop));
                return route->switchOver(stop);
            },
            stop);
        CW_TRY(done);
        CW_TRY(patiently(followNow, stop));
    } else if (wanted.goal == Goal::Primary) {
        CW_TRY(ctx.setPhase(Phase::Primary));
        CW_TRY(settled([&] { return patiently(followNow, stop); }, stop));
    } else {
        return fail(ErrorCode::NotReady,
                    cwText("core", "The target leads already; there is nothing left to copy."),
                    QStringLiteral("target-leads"));
    }
    if (wanted.follow)
        return follow(stop);
    return {};
}

/// What was kept then is nobody's any more: the list of what the migration had made went with its
/// state, and the target is open since.
Status Migration::Private::discardedBefore()
{
    CW_TRY_ASSIGN(const auto steps, context->journal->steps());
    for (const StepRecord &s : steps) {
        if (s.id == QLatin1String("cancel.discard"))
            return {};
    }
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("kept-by-cancel");
    e.object = settings.selection.onTargetSide().schemas.join(QLatin1String(", "));
    e.message = cwText("core",
                       "This migration was cancelled without --discard: what it had copied was "
                       "left on %1, and others may use it since. It is not dropped now.",
                       context->db(Side::Target).address().display());
    e.fix = cwText("core", "Look at %1 there, and drop by hand what nobody needs.", e.object);
    return fail(std::move(e));
}

Status Migration::Private::cancel(const command::Cancel &wanted, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Phase recorded, context->journal->phase());
    if (recorded == Phase::Finished || recorded == Phase::Cancelled)
        CW_TRY(route->removeLeftBehind(stop));
    if (recorded == Phase::Cancelled)
        return wanted.discard ? discardedBefore() : Status{};
    CW_TRY_ASSIGN(const bool finishing,
                  recorded == Phase::Finished ? Result<bool>(true) : route->isFinishing(stop));
    if (finishing) {
        // The target leads, and its state on the servers, which would say so, may be gone already.
        return fail(ErrorCode::NotReady,
                    recorded == Phase::Finished
                        ? cwText("core", "This migration is finished: there is nothing to cancel.")
                        : cwText("core", "Finishing has begun; it can only be gone on with: run "
                                         "--to finished."),
                    QStringLiteral("finished"));
    }
    route->stopFollowing();
    return route->cancel(wanted.discard, stop);
}

Status Migration::Private::follow(std::stop_token stop)
{
    for (;;) {
        if (!route->isFollowing())
            return {};
        Status ended = route->follow(stop);
        if (ended || stop.stop_requested()) {
            route->stopFollowing();
            return {}; // paused cleanly
        }
        CW_TRY(route->settle(ended.error(), stop));
        CW_TRY_ASSIGN(const Roles roles, route->roles(stop));
        CW_TRY(roles.leader == Side::Source ? forward(Goal::Replica, stop)
                                            : route->startFollowing(stop));
    }
}

} // namespace causeway
