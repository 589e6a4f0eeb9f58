#include "engine/Replication.h"

#include "base/Log.h"
#include "base/Stop.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace causeway {

namespace {
constexpr std::chrono::milliseconds kTick{200};

bool touchesSelection(const Context &ctx, Side leader, const DdlChange &ddl)
{
    const Selection here = ctx.selectionOn(leader);
    return std::any_of(ddl.tables.begin(), ddl.tables.end(),
                       [&](const TableName &t) { return here.matches(t); });
}

/// The schema that a statement of the leader runs in on the follower.
QString followerSchema(const Context &ctx, Roles roles, const QString &leaderSchema)
{
    return roles.leader == Side::Source ? ctx.settings.selection.schemaOnTarget(leaderSchema)
                                        : ctx.settings.selection.schemaOnSource(leaderSchema);
}

TableName followerName(const Context &ctx, Roles roles, const TableName &leaderName)
{
    return roles.leader == Side::Source ? ctx.settings.selection.onTarget(leaderName)
                                        : ctx.settings.selection.onSource(leaderName);
}

DdlVerdict judge(Context &ctx, Roles roles, const QString &answered, const DdlChange &ddl)
{
    DdlVerdict verdict;
    if (ddl.kind == DdlKind::Other && ddl.tables.empty()) {
        // Views, routines, triggers, events: what is created at the switch is read again then.
        verdict.kind = DdlVerdict::Kind::Skip;
        return verdict;
    }
    if (!ddl.tables.empty() && !touchesSelection(ctx, roles.leader, ddl)) {
        verdict.kind = DdlVerdict::Kind::Skip;
        return verdict;
    }
    if (ddl.kind == DdlKind::Truncate && ddl.tables.size() == 1) {
        verdict.kind = DdlVerdict::Kind::Apply;
        const auto sql = ctx.db(roles.follower)
                             .tableStatements(TableAction::Truncate,
                                              {followerName(ctx, roles, ddl.tables.front())});
        verdict.sql = sql.empty() ? QString() : sql.front().sql;
        verdict.changesTables = false;
        return verdict;
    }
    const QString choice = answered.isEmpty() ? ctx.settings.onDdl : answered;
    // With renamed schemas the statement's own words would hit the wrong ones.
    if (choice == QLatin1String("apply") && ctx.settings.selection.renames.isEmpty()) {
        verdict.kind = DdlVerdict::Kind::Apply;
        verdict.sql = ddl.statement;
        verdict.defaultSchema = followerSchema(ctx, roles, ddl.defaultSchema);
    }
    return verdict;
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
    CW_TRY(armStream(ctx, roles, stopToken));
    FollowerConfig config;
    config.leader = &ctx.db(roles.leader);
    config.follower = &ctx.db(roles.follower);
    CW_TRY_ASSIGN(config.lease, ctx.lease(roles.follower, stopToken));
    config.readPlans = [&ctx, wanted](std::stop_token token) {
        return ctx.plansFor(wanted, std::move(token));
    };
    CW_TRY_ASSIGN(const auto starts, ctx.fact(roles.follower, fact::tableStarts, stopToken));
    if (starts) {
        const QJsonObject json = QJsonDocument::fromJson(starts->toUtf8()).object();
        for (auto it = json.begin(); it != json.end(); ++it) {
            const qsizetype dot = it.key().indexOf(QLatin1Char('.'));
            config.tableStarts.emplace(TableName{it.key().left(dot), it.key().mid(dot + 1)},
                                       Position{it.value().toString()});
        }
    }
    CW_TRY_ASSIGN(const ServerFacts facts, config.leader->facts(stopToken));
    config.applier.workers = ctx.settings.workers;
    config.applier.emulateCascades = !facts.logsCascades;
    if (roles.leader == Side::Source) {
        CW_TRY_ASSIGN(const auto copied, ctx.fact(Side::Target, fact::copied, stopToken));
        CW_TRY_ASSIGN(const auto generation, ctx.fact(Side::Target, fact::leads, stopToken));
        // After a switch and back the copy is long behind, and its position in another log.
        if (!generation)
            config.copiedUpTo.text = copied.value_or(QString());
    }
    QStringList streams{QStringLiteral("apply"), QStringLiteral("repair")};
    for (int i = 0; i < config.applier.workers; ++i)
        streams << QStringLiteral("apply%1").arg(i);
    CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(roles.follower, stopToken));
    CW_TRY(ledger->openStreams(config.lease, streams, stopToken));

    CW_TRY_ASSIGN(const auto answer, ctx.journal->value(QStringLiteral("answer.ddl")));
    const QString answered = answer.value_or(QString());
    config.onDdl = [&ctx, wanted, answered](const DdlChange &ddl) {
        return judge(ctx, wanted, answered, ddl);
    };
    config.concerns = [&ctx, wanted](const StatementLogged &statement) {
        const Selection here = ctx.selectionOn(wanted.leader);
        if (statement.tables.empty())
            return here.schemas.isEmpty() || here.schemas.contains(statement.defaultSchema);
        return std::any_of(statement.tables.begin(), statement.tables.end(),
                           [&](const TableName &t) { return here.matches(t); });
    };
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
    if (follower)
        follower->stop();
    follower.reset();
}

void Replication::show(Context &ctx) const
{
    if (!follower)
        return;
    const FollowerStats stats = follower->stats();
    ctx.live.update([&](Snapshot &s) {
        s.lagSeconds = stats.lagSeconds;
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

Status Replication::waitReached(Context &ctx, const Position &wanted,
                                std::chrono::milliseconds limit, std::stop_token stopToken)
{
    const auto until = std::chrono::steady_clock::now() + limit;
    for (;;) {
        const Status reached = follower->waitReached(wanted, kTick, stopToken);
        show(ctx);
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
    CW_TRY_ASSIGN(const Position now,
                  ctx.db(roles.leader).currentPosition(ctx.selectionOn(roles.leader), stopToken));
    return waitReached(ctx, now, limit, stopToken);
}

Status Replication::follow(Context &ctx, std::stop_token stopToken)
{
    while (!stopToken.stop_requested()) {
        const FollowerStats stats = follower->stats();
        show(ctx);
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
    if (!complete) {
        if (!once) {
            ctx.activity(cwText("core", "Applying what changed on the source during the copy."));
            CW_TRY_ASSIGN(const auto copied, ctx.fact(Side::Target, fact::copied, stop));
            CW_TRY(replication.waitReached(ctx, Position{copied.value_or(QString())},
                                           std::chrono::milliseconds(0), stop));
        }
        CW_TRY(learnSchema(ctx, stop));
        // A fuzzy copy legitimately holds the old and the new owner of a unique value until here,
        // and a child before its parent (ALGORITHMS 2.5).
        const auto build = [&](const QString &id, const Text &title,
                               const std::vector<SchemaStatement> &statements) {
            Step step = createStep(ctx, Side::Target, id, title, statements);
            if (!once) {
                step.act = [&replication, act = step.act](std::stop_token token) {
                    return replication.follower->atBoundary(
                        [&](Applier &, const Position &) { return act(token); }, token);
                };
            }
            return step;
        };
        CW_TRY(ctx.runSteps(
            {build(QStringLiteral("replica.uniques"),
                   cwText("core", "Build the unique keys that had to wait"), ctx.script.uniques),
             build(QStringLiteral("replica.foreign-keys"),
                   cwText("core", "Create the foreign keys"), ctx.script.foreignKeys),
             build(QStringLiteral("replica.routines"),
                   cwText("core", "Create functions and procedures"), ctx.script.routines),
             build(QStringLiteral("replica.views"), cwText("core", "Create the views"),
                   ctx.script.views)},
            stop));
        CW_TRY(ctx.setFact(Side::Target, fact::complete, QStringLiteral("1"), stop));
    }
    if (!once) {
        ctx.activity(cwText("core", "Catching up with the source."));
        CW_TRY(replication.catchUp(ctx, std::chrono::milliseconds(0), stop));
        ctx.activity(cwText("core", "The target follows the source."));
    }
    return ctx.setPhase(Phase::Replica);
}

} // namespace causeway
