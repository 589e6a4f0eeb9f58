#include "engine/Replication.h"

#include "base/Log.h"
#include "base/Stop.h"
#include "engine/ForeignWrites.h"
#include "engine/LogKeeping.h"
#include "engine/ObjectDrift.h"
#include "engine/Recopy.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace causeway {

namespace {
constexpr std::chrono::milliseconds kTick{200};
constexpr std::chrono::seconds kWatchLimit{30};

/// In one line; what to do about it is told where it ends a run.
QString said(Error e)
{
    e.fix = Text();
    return e.describe();
}

bool touchesSelection(const Selection &here, const TableName &name)
{
    if (name.name.isEmpty()) // a whole schema
        return here.schemas.isEmpty() || here.schemas.contains(name.schema);
    return here.matches(name);
}

/// The schema that a statement of the leader runs in on the follower.
QString followerSchema(const Context &ctx, Roles roles, const QString &leaderSchema)
{
    return roles.leader == Side::Source ? ctx.settings.selection.schemaOnTarget(leaderSchema)
                                        : ctx.settings.selection.schemaOnSource(leaderSchema);
}

/// An answer given to one stop of the stream: its place, and the choice.
struct Answered {
    QString place, choice;
};

DdlVerdict judge(Context &ctx, Roles roles, bool complete, const Answered &answered,
                 const DdlChange &ddl)
{
    DdlVerdict verdict;
    const Selection here = ctx.selectionOn(roles.leader);
    const auto concerned = [&](const TableName &t) { return touchesSelection(here, t); };
    const bool nothing = ddl.tables.empty()
                             ? ddl.kind == DdlKind::Other
                             : std::none_of(ddl.tables.begin(), ddl.tables.end(), concerned);
    if (nothing) {
        // Other tables; or views, routines, triggers, events: what is created at the switch is read
        // again then.
        verdict.kind = DdlVerdict::Kind::Skip;
        return verdict;
    }
    if (ddl.kind == DdlKind::Truncate && ddl.tables.size() == 1) {
        verdict.kind = DdlVerdict::Kind::Apply;
        const auto sql = ctx.db(roles.follower)
                             .tableStatements(TableAction::Truncate,
                                              {ctx.nameOnFollower(roles, ddl.tables.front())});
        verdict.sql = sql.empty() ? QString() : sql.front().sql;
        verdict.changesTables = false;
        return verdict;
    }
    // While rows are copied, and until what waits for that is built, a changed table can only be
    // copied anew (ALGORITHMS 3.7). With renamed schemas the statement's own words would hit the
    // wrong ones, with tables outside the selection ones that are not there. Dropping a schema
    // would take what is not ours with it.
    const bool wholeSchema = std::any_of(ddl.tables.begin(), ddl.tables.end(),
                                         [](const TableName &t) { return t.name.isEmpty(); });
    verdict.canApply = complete && ctx.settings.selection.renames.isEmpty() &&
                       std::all_of(ddl.tables.begin(), ddl.tables.end(), concerned) &&
                       !(wholeSchema && ddl.kind == DdlKind::Drop);
    const bool isAnswered = answered.place == placeOf(ddl);
    const QString &choice = isAnswered ? answered.choice : ctx.settings.onDdl;
    if (verdict.canApply && choice == QLatin1String("apply")) {
        verdict.kind = DdlVerdict::Kind::Apply;
        verdict.sql = ddl.statement;
        verdict.defaultSchema = followerSchema(ctx, roles, ddl.defaultSchema);
        verdict.sqlMode = ddl.sqlMode;
    }
    return verdict;
}

/// The tables to follow, as both servers have them.
Result<FollowPlans> readPlans(Context &ctx, Roles roles, std::stop_token stop)
{
    FollowPlans out;
    CW_TRY_ASSIGN(auto found, ctx.plansFor(roles, stop));
    out.plans = std::move(found.plans);
    // What only the follower has, the leader had where the stream is: a table that was renamed or
    // dropped since.
    std::move(found.followerOnly.begin(), found.followerOnly.end(), std::back_inserter(out.plans));
    // What only the leader has is new, and its CREATE stands in the stream; or it is gone.
    CW_TRY_ASSIGN(out.missing, copiedAmong(ctx, roles, found.unmatched, stop));
    return out;
}
} // namespace

Status armStream(Context &ctx, Roles roles, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto from, ctx.fact(roles.leader, fact::streamStart, stop));
    if (!from)
        return {};
    CW_TRY_ASSIGN(const Lease lease, ctx.lease(roles.follower, stop));
    CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(roles.follower, stop));
    CW_TRY(ledger->openStreams(lease, {QStringLiteral("apply")}, stop));
    CW_TRY(ledger->setAppliedPosition(lease, Position{*from}, stop));
    // What led until now was compared with what leads from here on.
    CW_TRY(ctx.setFact(roles.follower, fact::comparedUpTo, *from, stop));
    // The copy's own start positions belong to the log of the other server.
    CW_TRY(ctx.clearFact(roles.follower, fact::tableStarts, stop));
    // So does the end of the copy.
    if (roles.follower == Side::Target)
        CW_TRY(ctx.clearFact(Side::Target, fact::copied, stop));
    CW_TRY(armWatch(ctx, roles, stop));
    return ctx.clearFact(roles.leader, fact::streamStart, stop);
}

Status Replication::start(Context &ctx, Roles wanted, std::stop_token stopToken)
{
    if (follower && follower->stats().running && roles.leader == wanted.leader) {
        startRecheck(ctx);
        return {};
    }
    stop();
    roles = wanted;
    m_ctx = &ctx;
    m_behind.reset();
    m_bytesASecond = 0;
    ctx.live.update([](Snapshot &s) { s.lagSeconds = s.lagBytes = -1; });
    CW_TRY(armStream(ctx, roles, stopToken));
    FollowerConfig config;
    config.leader = &ctx.db(roles.leader);
    config.follower = &ctx.db(roles.follower);
    CW_TRY_ASSIGN(config.lease, ctx.lease(roles.follower, stopToken));
    config.readPlans = [&ctx, wanted](std::stop_token token) {
        return readPlans(ctx, wanted, std::move(token));
    };
    config.onConnect = [&ctx, wanted, request = ctx.fenceRequest(wanted.follower)](
                           std::stop_token token) -> Status {
        CW_TRY_ASSIGN(const auto fence, ctx.db(wanted.follower).fence(request, token));
        return fence->keepClosed(token);
    };
    config.onApplied = [&ctx, wanted](const DdlChange &ddl, std::stop_token token) -> Status {
        CW_TRY(noteApplied(ctx, ddl, token));
        return noteOwnDrops(ctx, wanted, ddl, std::move(token));
    };
    CW_TRY_ASSIGN(const auto kept, ctx.journal->value(kKeptKeys));
    config.kept = KeptKeys::decode(kept.value_or(QString()));
    if (config.kept && config.kept->leader != roles.leader)
        config.kept.reset();
    CW_TRY(ctx.journal->setValue(kKeptKeys, QString()));
    CW_TRY_ASSIGN(const auto starts, ctx.fact(roles.follower, fact::tableStarts, stopToken));
    if (starts) {
        const QJsonObject json = QJsonDocument::fromJson(starts->toUtf8()).object();
        for (auto it = json.begin(); it != json.end(); ++it) {
            config.tableStarts.emplace(tableFromKey(it.key()), Position{it.value().toString()});
        }
    }
    config.applier.workers = ctx.settings.workers;
    if (roles.leader == Side::Source) {
        CW_TRY_ASSIGN(const auto copied, ctx.fact(Side::Target, fact::copied, stopToken));
        config.copiedUpTo.text = copied.value_or(QString());
    }
    QStringList streams{QStringLiteral("apply"), QStringLiteral("repair")};
    for (int i = 0; i < config.applier.workers; ++i)
        streams << QStringLiteral("apply%1").arg(i);
    CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(roles.follower, stopToken));
    CW_TRY(ledger->openStreams(config.lease, streams, stopToken));

    CW_TRY_ASSIGN(const auto place, ctx.journal->value(QStringLiteral("decision.place")));
    CW_TRY_ASSIGN(const auto answer, ctx.journal->value(QStringLiteral("answer.ddl")));
    const Answered answered{answer.value_or(QString()).isEmpty() ? QString()
                                                                 : place.value_or(QString()),
                            answer.value_or(QString())};
    CW_TRY_ASSIGN(const auto built, ctx.fact(Side::Target, fact::complete, stopToken));
    *complete = built && *built != fact::rebuild;
    config.onDdl = [&ctx, wanted, answered, state = complete](const DdlChange &ddl) {
        return judge(ctx, wanted, *state, answered, ddl);
    };
    config.concerns = [&ctx, wanted](const StatementLogged &statement) {
        const Selection here = ctx.selectionOn(wanted.leader);
        // Without names it may mean any table, whatever the default schema was.
        return statement.tables.empty() ||
               std::any_of(statement.tables.begin(), statement.tables.end(),
                           [&](const TableName &t) { return here.matches(t); });
    };
    CW_TRY_ASSIGN(watch, startWatch(ctx, wanted, stopToken));
    readRetention(ctx, roles.leader, stopToken);
    m_rows = m_bytes = 0;
    m_ratesAt = m_lagBytesAt = std::chrono::steady_clock::now();
    follower = std::make_unique<Follower>(std::move(config));
    follower->start();
    startRecheck(ctx);
    return {};
}

void Replication::startRecheck(Context &ctx)
{
    if (recheck)
        return;
    Follower *const f = follower.get();
    const Side leader = roles.leader;
    recheck = std::make_unique<KeyRecheck>(
        ctx, roles, *f, [&ctx, f, leader](std::stop_token token) -> Status {
            CW_TRY_ASSIGN(const Position now,
                          ctx.db(leader).currentPosition(ctx.selectionOn(leader), token));
            return f->waitReached(now, std::chrono::minutes(10), token);
        });
}

void Replication::stop()
{
    recheck.reset();
    if (follower) {
        follower->stop();
        keepKeys();
    }
    follower.reset();
    watch.reset();
}

/// Also after a failure: whatever was begun to be applied is among them. Only a kill leaves none,
/// since they are taken out of the file before anything is followed.
void Replication::keepKeys()
{
    auto kept = follower->keptKeys();
    if (kept)
        kept->leader = roles.leader;
    const Status done = m_ctx->journal->setValue(kKeptKeys, kept ? kept->encode() : QString());
    if (!done)
        logWarning(done.error().describe());
}

void Replication::show(Context &ctx, std::stop_token stopToken)
{
    if (!follower)
        return;
    const FollowerStats stats = follower->stats();
    if (const auto shown = ctx.live.get(); shown->alarm && shown->alarm->count != alarmsTold) {
        alarmsTold = shown->alarm->count;
        ctx.event(QStringLiteral("error"),
                  shown->alarm->text(ctx.db(roles.follower).address().display()).english());
    }
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - m_ratesAt).count();
    const bool rates = seconds >= 1;
    const double rows = static_cast<double>(stats.rows - m_rows) / seconds;
    const double bytes = static_cast<double>(stats.bytes - m_bytes) / seconds;
    if (rates) {
        m_ratesAt = now;
        m_rows = stats.rows;
        m_bytes = stats.bytes;
    }
    // A question to the leader: seldom, and never while writes are held for a switch.
    std::optional<qint64> behind;
    const Phase phase = ctx.live.get()->phase;
    if (stats.lagSeconds == 0) {
        behind = 0;
    } else if (stopToken.stop_possible() && now - m_lagBytesAt > std::chrono::seconds(5) &&
               stats.connected && !stats.readPlace.isEmpty() && phase != Phase::Switching &&
               phase != Phase::SwitchingBack) {
        m_lagBytesAt = now;
        const auto unread = ctx.db(roles.leader).logBytesAfter(stats.readPlace, stopToken);
        if (unread && *unread >= 0)
            behind = *unread + stats.queued;
    }
    forecast(ctx, behind);
    ctx.live.update([&](Snapshot &s) {
        s.logPlace = stats.readPlace;
        if (stats.connected)
            s.retrying.clear();
        else if (stats.trouble && stats.running)
            s.retrying = said(*stats.trouble);
        // What was heard last is not what is: a leader that says nothing is further ahead.
        if (stats.hasUntilMs > 0)
            s.logNeededFromMs = std::max(s.logNeededFromMs, stats.hasUntilMs);
        if (stats.lagSeconds >= 0)
            s.lagSeconds = stats.lagSeconds;
        const double unheard =
            s.logNeededFromMs > 0
                ? static_cast<double>(QDateTime::currentMSecsSinceEpoch() - s.logNeededFromMs) /
                      1000.0
                : -1;
        if (unheard > 10)
            s.lagSeconds = std::max(s.lagSeconds, unheard);
        if (behind)
            s.lagBytes = *behind;
        if (rates) {
            s.rateRows = std::max(0.0, rows);
            s.rateBytes = std::max(0.0, bytes);
        }
        if (s.runState == RunState::Running || s.runState == RunState::Stalled)
            s.runState = stats.connected || !stats.running ? RunState::Running : RunState::Stalled;
        if (s.phase == Phase::Replica || s.phase == Phase::Primary) {
            for (TableProgress &t : s.tables) {
                if (t.state == TableState::Copied || t.state == TableState::Waiting)
                    t.state = TableState::Following;
            }
        }
    });
}

/// When it will have caught up, by how fast what is to be read became less; -1 where it does not.
void Replication::forecast(Context &ctx, std::optional<qint64> behind)
{
    if (!behind)
        return;
    const auto now = std::chrono::steady_clock::now();
    if (m_behind && *behind > 0) {
        const double seconds = std::chrono::duration<double>(now - m_behind->at).count();
        const double less = static_cast<double>(m_behind->bytes - *behind) / seconds;
        const double keep = m_bytesASecond > 0 ? 0.6 : 0;
        m_bytesASecond = keep * m_bytesASecond + (1 - keep) * less;
    }
    m_behind = Behind{now, *behind};
    const bool known = *behind > 0 && m_bytesASecond > 1;
    const double left = known ? static_cast<double>(*behind) / m_bytesASecond : -1;
    ctx.live.update([&](Snapshot &s) {
        s.etaLow = known ? static_cast<qint64>(left * 0.8) : -1;
        s.etaHigh = known ? static_cast<qint64>(left * 1.4) : -1;
    });
}

Status Replication::waitReached(Context &ctx, const Position &wanted,
                                std::chrono::milliseconds limit, std::stop_token stopToken)
{
    const auto until = std::chrono::steady_clock::now() + limit;
    for (;;) {
        Status reached = follower->waitReached(wanted, kTick, stopToken);
        show(ctx, stopToken);
        if (!ctx.tick())
            return fail(cancelledError());
        if (reached || reached.error().id != QLatin1String("catch-up-timeout"))
            return reached;
        if (limit.count() > 0 && std::chrono::steady_clock::now() > until)
            return reached;
    }
}

Status Replication::catchUp(Context &ctx, std::chrono::milliseconds limit,
                            std::stop_token stopToken)
{
    const qint64 asked = QDateTime::currentMSecsSinceEpoch();
    CW_TRY_ASSIGN(const Position now,
                  ctx.db(roles.leader).currentPosition(ctx.selectionOn(roles.leader), stopToken));
    CW_TRY(waitReached(ctx, now, limit, stopToken));
    // Known also where the stream was too quiet to tell a time.
    ctx.live.update([asked](Snapshot &s) {
        s.logNeededFromMs = std::max(s.logNeededFromMs, asked);
        if (s.lagSeconds < 0)
            s.lagSeconds = 0;
        if (s.lagBytes < 0)
            s.lagBytes = 0;
    });
    return {};
}

Status Replication::lookForForeignWrites(Context &ctx, std::stop_token stopToken)
{
    // The log of a source that is read from a replica can be looked at only as far as that one has
    // replayed it, and that may be stopped: the watch does what it can, and the switch asks again.
    if (!watch || (roles.follower == Side::Source && ctx.settings.source.writer))
        return {};
    // A net beneath, no reason to stop.
    const auto notToItsEnd = [&]() -> Status {
        ctx.event(QStringLiteral("warning"),
                  QStringLiteral("The log of %1 was not looked at to its end for writes of others.")
                      .arg(ctx.db(roles.follower).address().display()));
        return {};
    };
    const auto now =
        ctx.db(roles.follower).currentPosition(ctx.selectionOn(roles.follower), stopToken);
    if (stopToken.stop_requested())
        return fail(cancelledError());
    if (!now)
        return notToItsEnd();
    const auto until = std::chrono::steady_clock::now() + kWatchLimit;
    while (!watch->waitReached(*now, kTick, stopToken)) {
        if (!ctx.tick() || stopToken.stop_requested())
            return fail(cancelledError());
        if (!watch->isRunning() || std::chrono::steady_clock::now() > until)
            return notToItsEnd();
    }
    CW_TRY(watch->record(stopToken));
    show(ctx);
    return {};
}

Status Replication::follow(Context &ctx, std::stop_token stopToken)
{
    while (!stopToken.stop_requested()) {
        const FollowerStats stats = follower->stats();
        show(ctx, stopToken);
        if (!ctx.tick())
            return fail(cancelledError());
        if (!stats.running)
            return stats.error ? Status(fail(*stats.error)) : Status(fail(cancelledError()));
        if (!pauseFor(stopToken, kTick))
            break;
    }
    return {};
}

Status catchUpStage(Context &ctx, Replication &replication, std::stop_token stop)
{
    const bool once = ctx.settings.mode == Mode::Once;
    CW_TRY(ctx.setPhase(Phase::CatchingUp));
    if (!once)
        CW_TRY(replication.start(ctx, Roles{}, stop));
    CW_TRY_ASSIGN(const auto complete, ctx.fact(Side::Target, fact::complete, stop));
    if (!complete || *complete == fact::rebuild) {
        if (!once) {
            ctx.activity(cwText("core", "Applying what changed on the source during the copy."));
            CW_TRY_ASSIGN(const auto copied, ctx.fact(Side::Target, fact::copied, stop));
            CW_TRY(replication.waitReached(ctx, Position{copied.value_or(QString())},
                                           std::chrono::milliseconds(0), stop));
        }
        CW_TRY(learnSchema(ctx, stop));
        if (!complete)
            CW_TRY(checkUnchanged(ctx, stop));
        // Where tables were copied anew, others may have changed since; the stream carries that.
        CW_TRY_ASSIGN(const auto changed, changedTables(ctx, stop));
        const auto uniques = ofUnchanged(ctx, changed, ctx.script.uniques);
        const auto foreignKeys = ofUnchanged(ctx, changed, ctx.script.foreignKeys);
        // A fuzzy copy legitimately holds the old and the new owner of a unique value until here,
        // and a child before its parent (ALGORITHMS 2.5).
        const auto build = [&](const QString &id, const Text &title,
                               const std::vector<SchemaStatement> &statements, int workers) {
            Step step = createStep(ctx, Side::Target, id, title, statements, workers);
            if (!once) {
                step.act = [&replication, act = step.act](std::stop_token token) {
                    return replication.follower->atBoundary(
                        [&](Applier &, const Position &) { return act(token); }, token);
                };
            }
            return step;
        };
        const int workers = ctx.settings.workers;
        // Functions and views may need one another: in the order of the script.
        CW_TRY(ctx.runSteps(
            {build(QStringLiteral("replica.uniques"),
                   cwText("core", "Build the unique keys that had to wait"), uniques, workers),
             build(QStringLiteral("replica.foreign-keys"),
                   cwText("core", "Create the foreign keys"), foreignKeys, workers),
             build(QStringLiteral("replica.routines"),
                   cwText("core", "Create functions and procedures"), ctx.script.routines, 1),
             build(QStringLiteral("replica.views"), cwText("core", "Create the views"),
                   ctx.script.views, 1)},
            stop));
        if (!once)
            CW_TRY(noteObjects(ctx, Side::Source, stop));
        CW_TRY(ctx.setFact(Side::Target, fact::complete, QStringLiteral("1"), stop));
        *replication.complete = true;
    }
    if (!once) {
        ctx.activity(cwText("core", "Catching up with the source."));
        CW_TRY(replication.catchUp(ctx, std::chrono::milliseconds(0), stop));
        ctx.activity(cwText("core", "The target follows the source."));
    }
    return ctx.setPhase(Phase::Replica);
}

} // namespace causeway
