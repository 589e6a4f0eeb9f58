#include "base/Json.h"
#include "postgres/native/Native.h"
#include "postgres/native/Repair.h"

#include <QDateTime>
#include <QJsonDocument>

#include <algorithm>
#include <mutex>

namespace causeway::postgres {

Result<VerifyReport> verifyPhase(Native &n, bool repair, std::stop_token stop)
{
    RouteHost &host = n.host;
    CW_TRY_ASSIGN(const Roles roles, n.roles(stop));
    Server &leader = n.on(roles.leader), &follower = n.on(roles.follower);
    CW_TRY_ASSIGN(const SubscriptionState stream, readSubscription(follower, roles.leader, stop));
    const bool live = stream.exists && stream.enabled;
    host.activity(cwText("core", "Comparing both sides."));
    CW_TRY_ASSIGN(const Catalog there,
                  host.db(roles.leader).catalog(host.selectionOn(roles.leader), stop));
    CW_TRY_ASSIGN(const Catalog here,
                  host.db(roles.follower).catalog(host.selectionOn(roles.follower), stop));
    CW_TRY_ASSIGN(const Scope scope, n.scopeOn(roles.leader, stop));
    std::vector<TablePlan> plans;
    for (const Table &t : there.tables) {
        const ScopeTable *inScope = scope.find(t.name);
        if (!inScope || !inScope->logged)
            continue; // of an extension, or carried at the switch
        const Table *other = here.find(t.name);
        if (!other) {
            return fail(ErrorCode::Differences,
                        cwText("core", "%1 is not on %2.", t.name.display(), follower.display()),
                        QStringLiteral("schema-drift"));
        }
        plans.push_back({std::make_shared<Table>(t), std::make_shared<Table>(*other)});
    }

    // The comparison's threads wait for replication through the two conducting sessions, one at a
    // time; the engine's own thread is in here and does not use them.
    std::mutex sessions;
    const auto drained = [&](std::stop_token token) -> Status {
        Barrier barrier(leader, follower, [] { return Status(); });
        return barrier.pass(std::chrono::minutes(10), token);
    };
    VerifyOptions options;
    options.repair = repair;
    options.workers = std::max(1, std::min(4, n.settings().workers / 2));
    if (live) {
        options.waitApplied = [&](std::stop_token token) -> Status {
            const std::lock_guard lock(sessions);
            return drained(token);
        };
        if (repair) {
            options.repairRows = [&](const TablePlan &plan, const std::vector<Row> &keys,
                                     std::stop_token token) -> Status {
                const std::lock_guard lock(sessions);
                // One at a time: each is held on the leader until it is mended, and a hold of many
                // would get in the way of the application.
                for (const Row &key : keys)
                    CW_TRY(repairRow(leader, follower, plan, key, drained, token));
                return {};
            };
        }
    }
    options.onProgress = [&host](const TableVerdict &verdict, bool finished) {
        host.show([&](Snapshot &s) {
            for (TableProgress &t : s.tables) {
                if (t.name != verdict.name || !finished)
                    continue;
                t.state = verdict.equal() ? TableState::Verified : TableState::Different;
                t.rows = verdict.rowsTarget;
            }
        });
    };
    CW_TRY_ASSIGN(VerifyReport report,
                  verifyTables(host.db(roles.leader), host.db(roles.follower), plans,
                               roles.leader == Side::Source, options, stop));
    report.atMs = QDateTime::currentMSecsSinceEpoch();
    CW_TRY(host.setJournalValue(QStringLiteral("verify"), compactJson(report.toJson())));
    if (report.equal())
        CW_TRY(follower.setFact(fact::verified, QString::number(report.atMs), stop));
    else
        CW_TRY(follower.clearFact(fact::verified, stop));
    return report;
}

} // namespace causeway::postgres
