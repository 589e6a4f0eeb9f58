#include "engine/Migration.h"

#include "base/Log.h"
#include "base/Stop.h"
#include "engine/Context.h"
#include "engine/RouteFactory.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <deque>

namespace causeway {

namespace {
template <class... F> struct Overloaded : F... {
    using F::operator()...;
};
template <class... F> Overloaded(F...) -> Overloaded<F...>;

} // namespace

struct Migration::Private {
    Live live;
    Settings settings; ///< never changes after open
    std::unique_ptr<Context> context;
    std::unique_ptr<Route> route; ///< uses the context

    mutable std::mutex mutex;
    mutable std::condition_variable_any changed;
    std::deque<Command> queue;
    std::stop_source current; ///< ends the command under way
    bool busy = false;
    quint64 finished = 0;
    std::optional<Outcome> last;
    std::jthread thread;

    void loop(std::stop_token stop);
    Outcome carryOut(const Command &, std::stop_token);
    Status runTo(const command::RunTo &, std::stop_token);
    Status forward(Goal, std::stop_token);
    /// Again and again, as long as what stopped it is settled as was answered or set beforehand.
    Status settled(const std::function<Status()> &work, std::stop_token);
    Status preflight(std::stop_token);
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
    return m;
}

void Migration::post(Command command)
{
    const std::lock_guard lock(d->mutex);
    const bool ends = std::holds_alternative<command::Pause>(command) ||
                      std::holds_alternative<command::Cancel>(command);
    if (ends && d->busy) {
        d->current.request_stop();
        d->live.update([](Snapshot &s) {
            if (s.runState == RunState::Running || s.runState == RunState::Stalled)
                s.runState = RunState::Pausing;
        });
    }
    d->queue.push_back(std::move(command));
    d->changed.notify_all();
}

std::shared_ptr<const Snapshot> Migration::snapshot() const
{
    return d->live.get();
}

std::pair<quint64, std::optional<Outcome>> Migration::lastOutcome() const
{
    const std::lock_guard lock(d->mutex);
    return {d->finished, d->last};
}

Outcome Migration::waitOutcome(quint64 seen) const
{
    std::unique_lock lock(d->mutex);
    d->changed.wait(lock, [&] { return d->finished > seen && d->last; });
    return *d->last;
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
    last = std::move(outcome);
    ++finished;
    busy = false;
    changed.notify_all();
}

void Migration::Private::loop(std::stop_token stop)
{
    while (!stop.stop_requested()) {
        Command next;
        {
            std::unique_lock lock(mutex);
            changed.wait_for(lock, stop, std::chrono::milliseconds(500),
                             [&] { return !queue.empty(); });
            if (stop.stop_requested())
                return;
            if (queue.empty()) {
                lock.unlock();
                route->observe();
                context->tick();
                lock.lock();
                for (Command &left : context->leftCommands)
                    queue.push_back(std::move(left));
                context->leftCommands.clear();
                continue;
            }
            next = std::move(queue.front());
            queue.pop_front();
            current = std::stop_source();
            busy = true;
        }
        Outcome outcome = carryOut(next, current.get_token());
        context->store(); // the process may end now, and what stopped it must be there to read
        context->tick();
        finish(std::move(outcome));
    }
}

Outcome Migration::Private::carryOut(const Command &command, std::stop_token stop)
{
    Outcome outcome{command, {}, std::nullopt};
    live.update([](Snapshot &s) {
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
                CW_TRY(
                    context->journal->setValue(QStringLiteral("answer.") + c.decision, c.choice));
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
                                       toString(phase)));
                }
                CW_TRY(route->startFollowing(stop));
                CW_TRY_ASSIGN(outcome.verify, route->verify(c.repair, stop));
                return {};
            },
            [&](const command::Cancel &c) -> Status {
                route->stopFollowing();
                return route->cancel(c.discard, stop);
            },
        },
        command);
    const bool paused = stop.stop_requested() ||
                        (!outcome.status && outcome.status.error().code == ErrorCode::Cancelled);
    if (!outcome.status && !paused) {
        const Error &e = outcome.status.error();
        context->event(QStringLiteral("error"), e.describe());
        // A session that broke may be half way through something: all are opened anew.
        context->dropLedgerSessions();
    }
    live.update([&](Snapshot &s) {
        if (outcome.status) {
            s.runState = std::holds_alternative<command::Pause>(command) ? RunState::Paused
                         : route->isFollowing()                          ? RunState::Running
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

Status Migration::Private::preflight(std::stop_token stop)
{
    context->activity(cwText("core", "Checking source and target."));
    CheckOptions options;
    options.selection = settings.selection;
    options.once = settings.mode == Mode::Once;
    options.fence = settings.fence;
    options.targetFence = settings.targetFence;
    options.lockAccounts = settings.lockAccounts;
    options.oneWay = settings.oneWayAccepted;
    options.route = route->name();
    Endpoint source = settings.source, target = settings.target;
    source.fromHere = context->db(Side::Source).address();
    target.fromHere = context->db(Side::Target).address();
    CW_TRY_ASSIGN(const CheckReport report, runPreflight(source, target, options, {}, stop));
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
            lines << QStringLiteral("%1: %2").arg(f.id, f.found.english());
        }
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("preflight-blocked");
        e.message = cwText("core", "The check found what must be mended first: %1",
                           lines.join(QStringLiteral("; ")));
        e.object = ids.join(QLatin1Char(','));
        e.fix = cwText("core", "Run \"check\" with the same source and target: it says how to mend "
                               "each of them.");
        return fail(std::move(e));
    }
    return context->setPhase(Phase::Checked);
}

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
    Error e;
    e.code = ErrorCode::Differences;
    e.id = QStringLiteral("sides-differ");
    e.message = cwText("core", "Source and target differ in: %1", names.join(QLatin1String(", ")));
    e.fix = cwText("core", "Run \"verify --repair\", and find out who writes to the target.");
    return fail(std::move(e));
}

Status Migration::Private::forward(Goal goal, std::stop_token stop)
{
    const bool once = settings.mode == Mode::Once;
    CW_TRY_ASSIGN(const Phase first, route->phase(stop));
    if (first == Phase::Draft || first == Phase::Checked)
        CW_TRY(preflight(stop));
    return settled(
        [&]() -> Status {
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
        },
        stop);
}

Status Migration::Private::settled(const std::function<Status()> &work, std::stop_token stop)
{
    for (;;) {
        const Status done = work();
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
        if (recorded == Phase::Finished && wanted.goal == Goal::Finished)
            return {};
        return fail(ErrorCode::NotReady,
                    cwText("core", "This migration is %1 already.", toString(recorded)));
    }
    if (settings.source.writer) {
        // Reading from the replica while the primary is fenced needs both at once; closing only
        // the replica would lose what the primary goes on taking.
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("source-writer-unsupported");
        e.message =
            cwText("core", "Moving from a replica is not possible yet: only the server that "
                           "is read can be closed at the switch.");
        e.fix = cwText("core", "Make the migration anew with the primary as its source.");
        return fail(std::move(e));
    }
    CW_TRY_ASSIGN(ctx.sourceFacts, ctx.db(Side::Source).facts(stop));
    CW_TRY_ASSIGN(ctx.targetFacts, ctx.db(Side::Target).facts(stop));
    CW_TRY_ASSIGN(const bool finishing, route->isFinishing(stop));
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
            e.message = cwText("core", "The source still takes writes; finishing never switches by "
                                       "itself.");
            e.fix = cwText("core", "Switch first: run --to primary.");
            return fail(std::move(e));
        }
        CW_TRY(route->startFollowing(stop));
        CW_TRY(route->catchUpNow(stop));
        route->stopFollowing();
        return route->finish(wanted.oldSourceOpen, stop);
    }
    // Known before the copy, not after hours of it.
    if (!primary && wanted.goal == Goal::Primary)
        CW_TRY(route->requireWayBack(stop));
    if (!primary) {
        const Status done = settled(
            [&]() -> Status {
                CW_TRY(forward(wanted.goal, stop));
                if (wanted.goal != Goal::Primary)
                    return {};
                CW_TRY(ensureVerified(stop));
                return route->switchOver(stop);
            },
            stop);
        CW_TRY(done);
        if (wanted.goal == Goal::Primary) {
            CW_TRY(route->startFollowing(stop));
            CW_TRY(route->catchUpNow(stop));
        }
    } else if (wanted.goal == Goal::Replica) {
        if (settings.oneWayAccepted || once) {
            return fail(ErrorCode::NotReady,
                        cwText("core", "This migration has no way back: that was accepted before "
                                       "the switch."),
                        QStringLiteral("one-way"));
        }
        const Status done = settled(
            [&]() -> Status {
                CW_TRY(route->startFollowing(stop));
                CW_TRY(ensureVerified(stop));
                return route->switchOver(stop);
            },
            stop);
        CW_TRY(done);
        CW_TRY(route->startFollowing(stop));
        CW_TRY(route->catchUpNow(stop));
    } else if (wanted.goal == Goal::Primary) {
        CW_TRY(ctx.setPhase(Phase::Primary));
        const Status done = settled(
            [&]() -> Status {
                CW_TRY(route->startFollowing(stop));
                return route->catchUpNow(stop);
            },
            stop);
        CW_TRY(done);
    } else {
        return fail(ErrorCode::NotReady,
                    cwText("core", "The target leads already; there is nothing left to copy."));
    }
    if (wanted.follow)
        return follow(stop);
    return {};
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
