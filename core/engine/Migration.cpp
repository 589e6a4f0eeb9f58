#include "engine/Migration.h"

#include "base/Log.h"
#include "base/Stop.h"
#include "engine/Context.h"
#include "engine/Plan.h"
#include "engine/Replication.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <deque>

namespace causeway {

namespace {
template <class... F> struct Overloaded : F... {
    using F::operator()...;
};
template <class... F> Overloaded(F...) -> Overloaded<F...>;

Decision ddlDecision(const Error &e)
{
    Decision d;
    d.id = QStringLiteral("ddl");
    d.question = e.message;
    d.detail = e.serverWords;
    d.choices = {
        {QStringLiteral("apply"), cwText("core", "Run the statement on the follower and go on")},
        {QStringLiteral("recopy"), cwText("core", "Copy the tables concerned again")},
        {QStringLiteral("stop"), cwText("core", "Leave it stopped")},
    };
    return d;
}
} // namespace

struct Migration::Private {
    Live live;
    Settings settings; ///< never changes after open
    std::unique_ptr<Context> context;
    Replication replication;

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
    Status preflight(std::stop_token);
    Status ensureVerified(std::stop_token);
    Status startFollowing(std::stop_token);
    Status settleDdl(const Error &, std::stop_token);
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
            return d->context->openDatabases(secrets);
        }();
        const bool ok = ready.has_value();
        opened->set_value(std::move(ready));
        if (ok)
            d->loop(stop);
        d->replication.stop();
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
    return planOf(d->settings);
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
                replication.show(*context);
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
                replication.stop();
                return {};
            },
            [&](const command::Answer &c) -> Status {
                CW_TRY(
                    context->journal->setValue(QStringLiteral("answer.") + c.decision, c.choice));
                live.update([](Snapshot &s) { s.decision.reset(); });
                return {};
            },
            [&](const command::Verify &c) -> Status {
                CW_TRY_ASSIGN(const Phase phase, context->derivePhase(stop));
                if (phase != Phase::Replica && phase != Phase::Primary) {
                    return fail(ErrorCode::NotReady,
                                cwText("core",
                                       "There is nothing to compare yet: the migration is "
                                       "%1.",
                                       toString(phase)));
                }
                CW_TRY(startFollowing(stop));
                CW_TRY_ASSIGN(outcome.verify, verifyStage(*context, replication, c.repair, stop));
                return {};
            },
            [&](const command::Cancel &c) -> Status {
                replication.stop();
                return cancelStage(*context, c.discard, stop);
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
                         : replication.follower                          ? RunState::Running
                                                                         : RunState::Idle;
            return;
        }
        const Error &e = outcome.status.error();
        if (paused) {
            s.runState = RunState::Paused;
        } else if (e.code == ErrorCode::NeedsDecision) {
            s.runState = RunState::NeedsDecision;
            s.decision = ddlDecision(e);
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
    options.route = settings.route;
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
    CW_TRY_ASSIGN(const auto verified, context->fact(Side::Target, fact::verified, stop));
    if (verified)
        return {};
    CW_TRY_ASSIGN(const VerifyReport report, verifyStage(*context, replication, false, stop));
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

Status Migration::Private::startFollowing(std::stop_token stop)
{
    if (settings.mode == Mode::Once)
        return {};
    CW_TRY_ASSIGN(const Roles roles, context->roles(stop));
    if (roles.leader == Side::Target && settings.oneWayAccepted)
        return {};
    return replication.start(*context, roles, stop);
}

/// A schema change stopped the follower: done as the user answered or set beforehand.
Status Migration::Private::settleDdl(const Error &stopped, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto answer, context->journal->value(QStringLiteral("answer.ddl")));
    const QString choice = answer && !answer->isEmpty() ? *answer : context->settings.onDdl;
    const auto stats = replication.follower ? replication.follower->stats() : FollowerStats{};
    if (choice != QLatin1String("recopy") || !stats.ddlStop ||
        replication.roles.leader != Side::Source)
        return fail(stopped);
    CW_TRY(context->journal->setValue(QStringLiteral("answer.ddl"), QString()));
    const std::vector<TableName> tables = stats.ddlStop->tables;
    replication.stop();
    CW_TRY(recopyTables(*context, tables, stop));
    return startFollowing(stop);
}

Status Migration::Private::forward(Goal goal, std::stop_token stop)
{
    const bool once = settings.mode == Mode::Once;
    CW_TRY_ASSIGN(Phase phase, context->derivePhase(stop));
    if (phase == Phase::Draft || phase == Phase::Checked)
        CW_TRY(preflight(stop));
    if (phase == Phase::Draft || phase == Phase::Checked || phase == Phase::Copying ||
        (once && phase != Phase::Replica)) {
        if (once)
            CW_TRY(closeSourceForOnce(*context, stop));
        CW_TRY(copyStage(*context, stop));
        phase = Phase::CatchingUp;
    }
    if (goal == Goal::Copied)
        return {};
    for (;;) {
        Status done = phase == Phase::CatchingUp ? catchUpStage(*context, replication, stop)
                                                 : startFollowing(stop);
        if (done && !once)
            done = replication.catchUp(*context, std::chrono::milliseconds(0), stop);
        if (done)
            break;
        if (done.error().id != QLatin1String("ddl"))
            return done;
        CW_TRY(settleDdl(done.error(), stop));
    }
    CW_TRY(context->setPhase(Phase::Replica));
    return {};
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
    CW_TRY_ASSIGN(const bool finishing, isFinishing(ctx, stop));
    if (finishing) {
        if (wanted.goal != Goal::Finished) {
            return fail(ErrorCode::NotReady,
                        cwText("core", "Finishing has begun; it can only be gone on with: run --to "
                                       "finished."),
                        QStringLiteral("finishing"));
        }
        return finishStage(ctx, wanted.oldSourceOpen, stop);
    }
    CW_TRY(completeSwitch(ctx, stop));
    CW_TRY_ASSIGN(const Roles roles, ctx.roles(stop));
    const bool primary = roles.leader == Side::Target;
    const bool once = settings.mode == Mode::Once;

    // An interrupted switch left the leader closed: going on with the switch closes it anew, any
    // other goal opens it first. (In mode once the source is closed on purpose.)
    const bool goesOn =
        (wanted.goal == Goal::Primary && !primary) || (wanted.goal == Goal::Replica && primary);
    if (!goesOn && !once)
        CW_TRY(reopenLeader(ctx, stop));

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
        CW_TRY(startFollowing(stop));
        if (replication.follower)
            CW_TRY(replication.catchUp(ctx, std::chrono::milliseconds(0), stop));
        replication.stop();
        return finishStage(ctx, wanted.oldSourceOpen, stop);
    }
    if (!primary) {
        CW_TRY(forward(wanted.goal, stop));
        if (wanted.goal == Goal::Primary) {
            CW_TRY(ensureVerified(stop));
            CW_TRY(switchStage(ctx, replication, stop));
            CW_TRY(startFollowing(stop));
            if (replication.follower)
                CW_TRY(replication.catchUp(ctx, std::chrono::milliseconds(0), stop));
        }
    } else if (wanted.goal == Goal::Replica) {
        if (settings.oneWayAccepted || once) {
            return fail(ErrorCode::NotReady,
                        cwText("core", "This migration has no way back: that was accepted before "
                                       "the switch."),
                        QStringLiteral("one-way"));
        }
        CW_TRY(startFollowing(stop));
        CW_TRY(switchStage(ctx, replication, stop));
        CW_TRY(startFollowing(stop));
        CW_TRY(replication.catchUp(ctx, std::chrono::milliseconds(0), stop));
    } else if (wanted.goal == Goal::Primary) {
        CW_TRY(ctx.setPhase(Phase::Primary));
        CW_TRY(startFollowing(stop));
        if (replication.follower)
            CW_TRY(replication.catchUp(ctx, std::chrono::milliseconds(0), stop));
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
        if (!replication.follower)
            return {};
        Status ended = replication.follow(*context, stop);
        if (ended || stop.stop_requested()) {
            replication.stop();
            return {}; // paused cleanly
        }
        if (ended.error().id != QLatin1String("ddl"))
            return ended;
        CW_TRY(settleDdl(ended.error(), stop));
    }
}

} // namespace causeway
