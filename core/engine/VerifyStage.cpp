#include "base/Json.h"
#include "engine/Context.h"
#include "engine/ForeignWrites.h"
#include "engine/Replication.h"

#include <QDateTime>
#include <QJsonDocument>

#include <set>

namespace causeway {

namespace {
/// Writes the leader's present rows over the follower's, or deletes what the leader does not have,
/// between two batches. A row may be newer than the applied position: the older images that are
/// still to come are followed by the event that made the row what it is now, as after a fuzzy copy.
Status repairRows(Context &ctx, Replication &replication, const TablePlan &plan,
                  const std::vector<Row> &keys, std::stop_token stop)
{
    return replication.follower->atBoundary(
        [&](Applier &applier, const Position &) -> Status {
            CW_TRY_ASSIGN(auto rows,
                          ctx.db(replication.roles.leader).readRows(*plan.leader, keys, stop));
            const std::vector<int> columns = plan.leader->rowKeyColumns();
            std::set<Row> there;
            std::vector<RowChange> changes;
            for (Row &row : rows) {
                Row key;
                for (const int c : columns)
                    key.push_back(row[static_cast<std::size_t>(c)]);
                there.insert(std::move(key));
                RowChange change;
                change.table = plan.leader;
                change.op = RowOp::Insert;
                change.after = std::move(row);
                changes.push_back(std::move(change));
            }
            for (const Row &key : keys) {
                if (there.contains(key))
                    continue;
                RowChange change;
                change.table = plan.leader;
                change.op = RowOp::Delete;
                change.before.resize(plan.leader->columns.size());
                for (std::size_t i = 0; i < columns.size(); ++i)
                    change.before[static_cast<std::size_t>(columns[i])] = key[i];
                changes.push_back(std::move(change));
            }
            return applier.repair(changes, stop);
        },
        stop);
}
} // namespace

VerifyOptions comparisonOptions(Context &ctx, Replication &replication)
{
    VerifyOptions options;
    options.workers = std::max(1, std::min(4, ctx.settings.workers / 2));
    if (replication.follower) {
        options.waitApplied = [&ctx, &replication](std::stop_token token) -> Status {
            const Side leader = replication.roles.leader;
            CW_TRY_ASSIGN(const Position now,
                          ctx.db(leader).currentPosition(ctx.selectionOn(leader), token));
            CW_TRY(replication.follower->waitReached(now, std::chrono::minutes(10), token));
            // Where rows are read ahead of the log all the time, what a chain of actions left
            // behind would be taken for a difference.
            return replication.follower->atBoundary(
                [&token](Applier &applier, const Position &) { return applier.settle(token); },
                token);
        };
    }
    return options;
}

Result<VerifyReport> verifyStage(Context &ctx, Replication &replication, bool repair,
                                 std::stop_token stop)
{
    const Roles roles = replication.follower ? replication.roles : Roles{};
    if (replication.follower)
        CW_TRY(replication.catchUp(ctx, std::chrono::milliseconds(0), stop));
    ctx.activity(cwText("core", "Comparing both sides."));
    // Tables that were made just now are on their way to the follower.
    if (replication.follower)
        CW_TRY(replication.catchUp(ctx, std::chrono::milliseconds(0), stop));
    Position before; // of the follower's log: writes of others up to here will have been compared
    if (replication.watch) {
        CW_TRY_ASSIGN(
            before, ctx.db(roles.follower).currentPosition(ctx.selectionOn(roles.follower), stop));
    }
    if (replication.follower)
        CW_TRY(replication.lookForForeignWrites(ctx, stop));
    CW_TRY_ASSIGN(const auto found, ctx.plansFor(roles, stop));
    const std::vector<TablePlan> &plans = found.plans;
    // What changes from here on is compared again by key at the switch.
    const Position comparedUpTo =
        replication.follower ? replication.follower->applied() : Position{};
    VerifyOptions options = comparisonOptions(ctx, replication);
    options.repair = repair;
    if (replication.follower) {
        if (repair) {
            options.repairRows = [&](const TablePlan &plan, const std::vector<Row> &keys,
                                     std::stop_token token) {
                return repairRows(ctx, replication, plan, keys, std::move(token));
            };
        }
        (void)replication.follower->takeChangedKeys();
    }
    options.onProgress = [&ctx](const TableVerdict &verdict, bool finished) {
        ctx.live.update([&](Snapshot &s) {
            for (TableProgress &t : s.tables) {
                if (t.name == verdict.name && finished)
                    t.state = verdict.equal() ? TableState::Verified : TableState::Different;
            }
        });
    };
    CW_TRY_ASSIGN(VerifyReport report,
                  verifyTables(ctx.db(roles.leader), ctx.db(roles.follower), plans,
                               roles.leader == Side::Source, options, stop));
    report.atMs = QDateTime::currentMSecsSinceEpoch();
    for (const TableName &name : found.unmatched) {
        TableVerdict gone;
        gone.name =
            (roles.leader == Side::Source ? name : ctx.settings.selection.onSource(name)).display();
        gone.missing = 1; // at least: there is no table to count in
        gone.samples.push_back({QStringLiteral("the whole table"), QStringLiteral("missing")});
        report.tables.push_back(std::move(gone));
    }
    CW_TRY(ctx.journal->setValue(QStringLiteral("verify"), compactJson(report.toJson())));
    if (!report.equal()) {
        CW_TRY(ctx.clearFact(Side::Target, fact::verified, stop));
        return report;
    }
    if (!comparedUpTo.isEmpty())
        CW_TRY(ctx.setFact(roles.follower, fact::comparedUpTo, comparedUpTo.text, stop));
    CW_TRY(ctx.setFact(Side::Target, fact::verified, QString::number(report.atMs), stop));
    CW_TRY(clearAlarm(ctx, roles, replication.watch.get(), before, stop));
    return report;
}

} // namespace causeway
