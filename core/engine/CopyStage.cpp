#include "base/Log.h"
#include "base/Stop.h"
#include "engine/Context.h"
#include "engine/Created.h"
#include "engine/FailedObjects.h"
#include "engine/ForeignWrites.h"
#include "engine/LogKeeping.h"
#include "engine/Recopy.h"
#include "route/CopyPool.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <future>

namespace causeway {

namespace {
constexpr std::chrono::milliseconds kTick{100};
/// For chunks in flight after a pause was asked for: cancelling takes a second at most.
constexpr std::chrono::milliseconds kGrace{400};

/// The state tables and the lease; nothing of the user's is touched.
Step stateStep(Context &ctx, const std::stop_token &known)
{
    Step s;
    s.id = QStringLiteral("copy.state");
    s.side = Side::Target;
    s.title = cwText("core", "Create Causeway's state on the target");
    if (const auto ledger = ctx.ledger(Side::Target, known))
        s.shownSql = (*ledger)->createSql();
    s.act = [&ctx](std::stop_token stop) -> Status {
        CW_TRY(ctx.lease(Side::Target, stop));
        return {};
    };
    return s;
}

/// The low watermark, before the schema or any row is read: whatever changes after it is in the
/// stream (ALGORITHMS 2.1).
Step positionStep(Context &ctx)
{
    Step s;
    s.id = QStringLiteral("copy.position");
    s.side = Side::Source;
    s.title = cwText("core", "Note the position in the log from which changes are carried over");
    s.check = [&ctx](std::stop_token stop) -> Result<bool> {
        CW_TRY_ASSIGN(const auto noted, ctx.fact(Side::Target, fact::lowWatermark, stop));
        return noted.has_value();
    };
    s.act = [&ctx](std::stop_token stop) -> Status {
        if (ctx.settings.mode == Mode::Once)
            return ctx.setFact(Side::Target, fact::lowWatermark, QStringLiteral("once"), stop);
        CW_TRY_ASSIGN(const Position place,
                      ctx.db(Side::Source).currentPosition(ctx.settings.selection, stop));
        CW_TRY_ASSIGN(const Position now, ctx.db(Side::Source).identified(place, stop));
        CW_TRY_ASSIGN(const Lease lease, ctx.lease(Side::Target, stop));
        CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(Side::Target, stop));
        CW_TRY(ledger->openStreams(lease, {QStringLiteral("apply")}, stop));
        CW_TRY(ledger->setAppliedPosition(lease, now, stop));
        ctx.live.update(
            [](Snapshot &shown) { shown.logNeededFromMs = QDateTime::currentMSecsSinceEpoch(); });
        return ctx.setFact(Side::Target, fact::lowWatermark, now.text, stop);
    };
    return s;
}

Step intentStep(Context &ctx)
{
    Step s;
    s.id = QStringLiteral("copy.intent");
    s.side = Side::Target;
    s.title = cwText("core", "Write down what will be created on the target");
    s.check = [&ctx](std::stop_token stop) -> Result<bool> {
        CW_TRY_ASSIGN(const auto noted, ctx.fact(Side::Target, fact::created, stop));
        return noted.has_value();
    };
    s.act = [&ctx](std::stop_token stop) -> Status {
        Database &target = ctx.db(Side::Target);
        CW_TRY_ASSIGN(const QStringList schemas, target.schemaNames(stop));
        // A schema that is not there yet has nothing in it; naming it in a selection is an error.
        Selection there = ctx.selectionOn(Side::Target);
        there.schemas.removeIf([&](const QString &name) { return !schemas.contains(name); });
        Catalog existing;
        if (!there.schemas.isEmpty()) {
            CW_TRY_ASSIGN(existing, target.catalog(there, stop));
        }
        return ctx.setFact(
            Side::Target, fact::created,
            Created::difference(ctx.sourceCatalog, ctx.settings.selection, existing, schemas)
                .encode(),
            stop);
    };
    return s;
}

/// The tables of the selection; what was known of them (an earlier run's rows) is kept.
void showTables(Context &ctx)
{
    ctx.live.update([&](Snapshot &s) {
        std::map<QString, TableProgress> known;
        for (TableProgress &t : s.tables)
            known.emplace(t.name, std::move(t));
        s.tables.clear();
        for (const Table &t : ctx.sourceCatalog.tables) {
            const auto before = known.find(t.name.display());
            TableProgress p = before == known.end() ? TableProgress{} : before->second;
            p.name = t.name.display();
            p.rowsEstimate = std::max(t.rowsEstimate, p.rows);
            p.bytesEstimate = std::max(t.dataBytes, p.bytes);
            s.tables.push_back(std::move(p));
        }
    });
}

TableState stateOf(CopyState state)
{
    switch (state) {
    case CopyState::Waiting:
        return TableState::Waiting;
    case CopyState::Copying:
        return TableState::Copying;
    case CopyState::Copied:
        return TableState::Copied;
    case CopyState::Failed:
        return TableState::Failed;
    }
    return TableState::Waiting;
}

void showProgress(Context &ctx, CopyPool &pool, std::chrono::steady_clock::time_point began,
                  double beganAt)
{
    std::map<QString, CopyProgress> byName;
    for (CopyProgress &p : pool.progress())
        byName.emplace(p.name.display(), std::move(p));
    const QString limitedBy = pool.limitedBy();
    ctx.live.update([&](Snapshot &s) {
        for (TableProgress &t : s.tables) {
            const auto it = byName.find(t.name);
            if (it == byName.end())
                continue;
            t.state = stateOf(it->second.state);
            if (it->second.rows > t.rows)
                s.retrying.clear();
            t.rows = it->second.rows;
            t.bytes = it->second.bytes;
            t.error = it->second.error;
            // An estimate that proves low is raised rather than passed.
            t.rowsEstimate = std::max(t.rowsEstimate, t.rows);
            t.bytesEstimate = std::max(t.bytesEstimate, t.bytes);
        }
        s.limitedBy = limitedBy;
        // By what this run has done: what an earlier one had copied says nothing about now.
        const double part = s.copiedPart(), done = part - beganAt;
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        s.etaLow = s.etaHigh = -1;
        if (seconds > 10 && done > 0 && part < 1) {
            const double left = seconds * (1 - part) / done;
            s.etaLow = static_cast<qint64>(left * 0.8);
            s.etaHigh = static_cast<qint64>(left * 1.4);
        }
    });
}

} // namespace

/// Runs the pool on a thread of its own, so that this one can show progress and take commands.
Status copyRows(Context &ctx, const std::vector<TablePlan> &plans, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Lease lease, ctx.lease(Side::Target, stop));
    CopyOptions options;
    options.writers = ctx.settings.workers;
    options.readers = std::max(1, ctx.settings.workers / 2);
    options.bytesPerSecond = ctx.settings.throttleBytesPerSecond;
    options.copyKeyless = [&ctx](const TablePlan &plan, const BatchSink &sink,
                                 std::stop_token token) {
        return ctx.db(Side::Source)
            .readLocked(
                *plan.leader, ReadLimits{}, sink,
                [&](const Position &at) {
                    return ctx.noteTableStarts({plan.leader->name}, at, token);
                },
                token);
    };
    options.onTrouble = [&ctx](const Error &e) { ctx.retrying(e); };
    QStringList streams;
    for (int i = 0; i < options.writers; ++i)
        streams << QStringLiteral("copy%1").arg(i);
    CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(Side::Target, stop));
    CW_TRY(ledger->openStreams(lease, streams, stop));

    CopyPool pool(ctx.db(Side::Source), ctx.db(Side::Target), lease, options);
    std::stop_source end;
    auto running = std::async(std::launch::async, [&] {
        return pool.run(CopyPool::biggestFirst(plans), end.get_token());
    });
    const auto began = std::chrono::steady_clock::now();
    std::optional<std::chrono::steady_clock::time_point> asked;
    std::optional<double> beganAt;
    while (running.wait_for(kTick) != std::future_status::ready) {
        showProgress(ctx, pool, began, beganAt.value_or(0));
        if (!beganAt)
            beganAt = ctx.live.get()->copiedPart(); // what an earlier run had copied is counted now
        const bool goOn = ctx.tick() && !stop.stop_requested();
        const auto now = std::chrono::steady_clock::now();
        if (!goOn && !asked) {
            asked = now;
            pool.pause(); // chunks in flight are finished: nothing read is thrown away
        } else if (asked && now - *asked > kGrace) {
            end.request_stop(); // a server that does not answer does not keep us
        }
    }
    const auto ended = running.get();
    showProgress(ctx, pool, began, beganAt.value_or(0));
    ctx.live.update([](Snapshot &s) {
        s.etaLow = s.etaHigh = -1;
        s.rateRows = s.rateBytes = 0;
        s.limitedBy.clear();
    });
    if (!ended)
        return fail(ended.error());
    if (*ended == CopyPool::End::Paused)
        return fail(cancelledError());
    return {};
}

/// What changes from here on is in the stream, at or before here it is in the stream or the copy.
/// (ALGORITHMS 3.1)
Status noteCopied(Context &ctx, std::stop_token stop)
{
    if (ctx.settings.mode == Mode::Once)
        return ctx.setFact(Side::Target, fact::copied, QStringLiteral("once"), stop);
    CW_TRY_ASSIGN(const Position now,
                  ctx.db(Side::Source).currentPosition(ctx.settings.selection, stop));
    return ctx.setFact(Side::Target, fact::copied, now.text, stop);
}

namespace {
/// From the end of the copy until the switch nobody but us may write there: a foreign row would be
/// overwritten or, worse, kept.
Step closeTarget(Context &ctx, Fence &fence)
{
    Step s;
    s.id = QStringLiteral("copy.close-target");
    s.side = Side::Target;
    s.title = cwText("core", "Close the target for everybody but Causeway until the switch (%1)",
                     fence.sealKind());
    s.shownSql = fence.sealSql();
    s.check = [&fence](std::stop_token stop) { return fence.isSealed(std::move(stop)); };
    s.act = [&ctx, &fence](std::stop_token stop) -> Status {
        CW_TRY(fence.hold(stop));
        CW_TRY_ASSIGN(const Position closed, fence.seal(stop));
        CW_TRY(fence.release(stop));
        CW_TRY(fence.keepClosed(stop));
        return watchTargetFrom(ctx, closed, stop); // from here on every other writer is foreign
    };
    s.undo = [&fence](std::stop_token stop) { return fence.open(std::move(stop)); };
    return s;
}
} // namespace

Status learnSchema(Context &ctx, std::stop_token stop)
{
    if (ctx.schemaKnown)
        return {};
    CW_TRY_ASSIGN(ctx.sourceFacts, ctx.db(Side::Source).facts(stop));
    CW_TRY_ASSIGN(ctx.targetFacts, ctx.db(Side::Target).facts(stop));
    ctx.activity(cwText("core", "Reading the schema of the source."));
    CW_TRY_ASSIGN(ctx.sourceCatalog, ctx.db(Side::Source).catalog(ctx.settings.selection, stop));
    if (ctx.sourceCatalog.tables.empty() && ctx.sourceCatalog.objects.empty()) {
        return fail(ErrorCode::NotReady,
                    cwText("core", "The selection matches no table of the source."),
                    QStringLiteral("empty-selection"));
    }
    CW_TRY_ASSIGN(ctx.script, ctx.db(Side::Target)
                                  .schemaScript(ctx.sourceCatalog, ctx.settings.selection,
                                                *ctx.sourceFacts, stop));
    CW_TRY(leaveOutObjects(ctx));
    for (const SchemaAdjustment &a : ctx.script.adjustments)
        ctx.event(QStringLiteral("info"), a.object + QStringLiteral(": ") + a.what.english());
    ctx.schemaKnown = true;
    showTables(ctx);
    return {};
}

namespace {
/// Rows that would fall into one key on the target (ALGORITHMS 2.6): before anything is created
/// there. Only where some key compares otherwise is there anything to do.
Step collisionsStep(Context &ctx)
{
    Step s;
    s.id = QStringLiteral("copy.collisions");
    s.side = Side::Target;
    s.title = cwText("core", "Search for rows that would be one and the same for the target's "
                             "collations");
    s.check = [&ctx](std::stop_token stop) -> Result<bool> {
        CW_TRY_ASSIGN(const auto created, ctx.fact(Side::Target, fact::tablesCreated, stop));
        CW_TRY_ASSIGN(const auto apart, ctx.fact(Side::Target, fact::keysApart, stop));
        return created.has_value() || apart.has_value();
    };
    s.act = [&ctx](std::stop_token stop) -> Status {
        CW_TRY_ASSIGN(const Lease lease, ctx.lease(Side::Target, stop));
        CW_TRY_ASSIGN(const auto found,
                      ctx.db(Side::Target)
                          .keyCollisions(
                              ctx.db(Side::Source), ctx.script.plans, lease,
                              [&ctx](const TableName &table) {
                                  ctx.activity(
                                      cwText("core",
                                             "Searching %1 for keys that are one and the same for "
                                             "the target.",
                                             table.display()));
                              },
                              stop));
        if (found.empty())
            return ctx.setFact(Side::Target, fact::keysApart, QStringLiteral("1"), stop);
        QStringList tables, samples;
        for (const KeyCollision &c : found) {
            if (!tables.contains(c.table.display()))
                tables << c.table.display();
            samples << QStringLiteral("%1 %2: (%3) = (%4)")
                           .arg(c.table.display(), c.key, c.first, c.second);
        }
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("mysql-key-collision");
        e.object = tables.join(QLatin1String(", "));
        e.message = cwText("core",
                           "Rows that the source tells apart would be one and the same for the "
                           "target's collations; nothing was copied: %1.",
                           samples.join(QLatin1String("; ")));
        e.fix = cwText("core", "Change or delete one row of each pair on the source, or create the "
                               "table on the target beforehand with a collation that tells them "
                               "apart; then run again.");
        return fail(std::move(e));
    };
    return s;
}
} // namespace

Status copyStage(Context &ctx, std::stop_token stop)
{
    CW_TRY(ctx.setPhase(Phase::Copying));
    CW_TRY(checkLogKept(ctx, stop));
    CW_TRY(ctx.runSteps({stateStep(ctx, stop), positionStep(ctx)}, stop));
    CW_TRY(learnSchema(ctx, stop));
    CW_TRY(checkUnchanged(ctx, stop)); // since an earlier run made the tables
    CW_TRY(ctx.runSteps({collisionsStep(ctx)}, stop));
    const int workers = ctx.settings.workers;
    Step tables = createStep(ctx, Side::Target, QStringLiteral("copy.tables"),
                             cwText("core", "Create schemas and tables with their primary keys"),
                             ctx.script.tables, workers);
    QStringList before;
    for (const SchemaStatement &s : ctx.script.schemas)
        before << s.sql;
    for (const SchemaStatement &s : ctx.script.sequences)
        before << s.sql;
    tables.shownSql = before + tables.shownSql;
    tables.check = [&ctx](std::stop_token token) -> Result<bool> {
        CW_TRY_ASSIGN(const auto done, ctx.fact(Side::Target, fact::tablesCreated, token));
        return done.has_value();
    };
    tables.act = [&ctx, workers](std::stop_token token) -> Status {
        CW_TRY(noteDefinitions(ctx, token));
        CW_TRY(createMissing(ctx.db(Side::Target), ctx.script.schemas, 1, token));
        CW_TRY(createMissing(ctx.db(Side::Target), ctx.script.sequences, 1, token));
        CW_TRY(createMissing(ctx.db(Side::Target), ctx.script.tables, workers, token));
        return ctx.setFact(Side::Target, fact::tablesCreated, QStringLiteral("1"), token);
    };
    CW_TRY(ctx.runSteps({intentStep(ctx), tables}, stop));
    CW_TRY_ASSIGN(const auto fence, ctx.fence(Side::Target, stop));
    // Applications that try both hosts find the source closed, and would write on the target.
    if (ctx.settings.mode == Mode::Once)
        CW_TRY(ctx.runSteps({closeTarget(ctx, *fence)}, stop));

    CW_TRY_ASSIGN(const auto copied, ctx.fact(Side::Target, fact::copied, stop));
    if (!copied) {
        ctx.activity(cwText("core", "Copying rows."));
        const Status rows = copyRows(ctx, ctx.script.plans, stop);
        // A table that changed meanwhile fails the copy at best; at worst its rows were read as
        // something else. Either way it must be copied anew (ALGORITHMS 3.7).
        if (rows || rows.error().code == ErrorCode::Server) {
            ctx.schemaKnown = false;
            CW_TRY(learnSchema(ctx, stop));
            CW_TRY(checkUnchanged(ctx, stop));
        }
        CW_TRY(rows);
        CW_TRY(noteCopied(ctx, stop));
    }
    Step indexes =
        createStep(ctx, Side::Target, QStringLiteral("copy.indexes"),
                   cwText("core", "Build the secondary indexes"), ctx.script.indexes, workers);
    indexes.check = [&ctx](std::stop_token token) -> Result<bool> {
        CW_TRY_ASSIGN(const auto done, ctx.fact(Side::Target, fact::indexes, token));
        return done.has_value();
    };
    indexes.act = [&ctx, build = indexes.act](std::stop_token token) -> Status {
        CW_TRY(build(token));
        return ctx.setFact(Side::Target, fact::indexes, QStringLiteral("1"), token);
    };
    CW_TRY(ctx.runSteps({indexes, closeTarget(ctx, *fence)}, stop));
    return ctx.setFact(Side::Target, fact::copyDone, QStringLiteral("1"), stop);
}

} // namespace causeway
