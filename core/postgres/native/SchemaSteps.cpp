#include "postgres/native/Native.h"

namespace causeway::postgres {

namespace {
const QString kDecision = QStringLiteral("object-failed");
const QString kPending = QStringLiteral("object_failed");

RestoreOptions optionsOf(Native &n)
{
    RestoreOptions options;
    options.migration = n.names.migration();
    options.workers = n.settings().workers;
    options.setup = QStringLiteral("SET default_transaction_read_only = off");
    RouteHost *host = &n.host;
    options.onProgress = [host](int done, int total, const SchemaEntry &entry) {
        host->show([&](Snapshot &s) {
            s.activity = cwText("core", "Creating %1 (%2 of %3)", entry.key(), done, total);
        });
    };
    return options;
}

/// What was answered for the object that failed last time.
Status applyAnswer(Native &n, const RestoreOptions &options, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto pending, n.host.journalValue(kPending));
    CW_TRY_ASSIGN(const auto answer, n.host.journalValue(QStringLiteral("answer.") + kDecision));
    if (!pending || pending->isEmpty() || !answer || answer->isEmpty())
        return {};
    if (*answer == QLatin1String("skip")) {
        CW_TRY(skipEntry(*pending, n.target.address(), options, stop));
        n.host.event(QStringLiteral("warning"),
                     QStringLiteral("Left out on the target, as answered: %1").arg(*pending));
    }
    CW_TRY(n.host.setJournalValue(QStringLiteral("answer.") + kDecision, QString()));
    return n.host.setJournalValue(kPending, QString());
}
} // namespace

Status learnSchema(Native &n, std::stop_token stop)
{
    if (n.archive)
        return {};
    n.host.activity(cwText("core", "Reading the schema of the source."));
    CW_TRY_ASSIGN(const int source, n.source.version(stop));
    CW_TRY_ASSIGN(const int target, n.target.version(stop));
    CW_TRY_ASSIGN(const DumpTool tool,
                  chooseDumpTool(findDumpTools({}, stop), source / 10000, target / 10000));
    DumpOptions options;
    options.selection = n.settings().selection;
    options.owners = options.grants = true;
    CW_TRY_ASSIGN(n.archive, dumpSchema(tool, n.source.address(), options, stop));
    for (const auto &[what, why] : n.archive->leftOut())
        n.host.event(QStringLiteral("warning"), what + QStringLiteral(": ") + why.english());
    CW_TRY_ASSIGN(const TargetRoles roles, readTargetRoles(n.target.address(), stop));
    const RolesLeftOut left = n.archive->adaptTo(roles);
    if (!left.missing.isEmpty()) {
        n.host.event(QStringLiteral("warning"),
                     QStringLiteral("Not on the target, so that what they own is the migration "
                                    "account's there, and what they are granted is left out: %1")
                         .arg(left.missing.join(QStringLiteral(", "))));
    }
    if (!left.notOurs.isEmpty()) {
        n.host.event(QStringLiteral("warning"),
                     QStringLiteral("The migration account is no member of these roles on the "
                                    "target, so that what they own is its own there: %1")
                         .arg(left.notOurs.join(QStringLiteral(", "))));
    }
    return {};
}

Step schemaStep(Native &n, SchemaPhase phase, const QString &id, Text title)
{
    Step s = Native::step(id, Side::Target, std::move(title));
    if (n.archive)
        s.shownSql = phaseSql(*n.archive, phase);
    s.act = [&n, phase](std::stop_token stop) -> Status {
        CW_TRY(n.target.proveLease(stop));
        RestoreOptions options = optionsOf(n);
        CW_TRY(applyAnswer(n, options, stop));
        // An application may do without a grant, and get it later; nobody is asked about each.
        QStringList refused;
        options.onError = [&refused](const SchemaEntry &entry, const Error &e) {
            if (entry.type != QLatin1String("ACL") && entry.type != QLatin1String("DEFAULT ACL"))
                return RestoreChoice::Stop;
            refused << QStringLiteral("Not granted on the target: %1: %2")
                           .arg(entry.key(), e.describe());
            return RestoreChoice::Skip;
        };
        const auto made = restorePhase(*n.archive, phase, n.target.address(), options, stop);
        for (const QString &text : std::as_const(refused))
            n.host.event(QStringLiteral("warning"), text);
        if (made)
            return {};
        Error e = made.error();
        if (e.code == ErrorCode::NeedsDecision) {
            e.id = kDecision;
            CW_TRY(n.host.setJournalValue(kPending, e.object));
        }
        return fail(std::move(e));
    };
    return s;
}

Result<Step> discardStep(Native &n, std::stop_token stop)
{
    Step s = Native::step(QStringLiteral("cancel.discard"), Side::Target,
                          cwText("core", "Drop what the migration created on the target"));
    CW_TRY_ASSIGN(const bool state, n.target.hasState(stop));
    if (!state)
        return s;
    const RestoreOptions options = optionsOf(n);
    CW_TRY_ASSIGN(const auto made, restoredKeys(n.target.address(), options, false, stop));
    if (made.empty())
        return s;
    CW_TRY(learnSchema(n, stop));
    CW_TRY_ASSIGN(const QString sql, n.archive->dropSql(made, stop));
    s.shownSql << sql;
    s.act = [&n, sql](std::stop_token token) { return n.target.act({sql}, std::move(token)); };
    return s;
}

Step matviewStep(Native &n, const QString &id, Side side, bool again)
{
    Step s = Native::step(id, side, cwText("core", "Fill the materialised views"));
    for (const TableName &view : n.archive->materializedViews())
        s.shownSql << QStringLiteral("REFRESH MATERIALIZED VIEW %1").arg(quoteName(view));
    s.act = [&n, side, again](std::stop_token stop) -> Status {
        CW_TRY(n.on(side).proveLease(stop));
        return refreshMaterializedViews(*n.archive, n.on(side).address(), again, optionsOf(n),
                                        stop);
    };
    return s;
}

} // namespace causeway::postgres
