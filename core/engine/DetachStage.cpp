#include "engine/Context.h"
#include "engine/Created.h"
#include "engine/Restorations.h"

#include <QSet>

namespace causeway {

namespace {
const QString kFinishing = QStringLiteral("finishing");

Step step(const char *id, std::optional<Side> side, Text title)
{
    Step s;
    s.id = QString::fromLatin1(id);
    s.side = side;
    s.title = std::move(title);
    return s;
}

Step removeState(Context &ctx, Side side)
{
    Step s = step(side == Side::Source ? "detach.state-source" : "detach.state-target", side,
                  cwText("core", "Remove Causeway's state"));
    s.act = [&ctx, side](std::stop_token stop) -> Status {
        CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(side, stop));
        CW_TRY_ASSIGN(const bool there, ledger->exists(stop));
        if (!there)
            return {};
        // Under the lease: whoever still writes for this migration is ended first.
        CW_TRY(ctx.lease(side, stop));
        return ledger->remove(stop);
    };
    return s;
}

/// Of what was copied, once nothing follows or is compared any more.
void showWhatIsLeft(Context &ctx, const Created &dropped)
{
    QSet<QString> gone;
    for (const TableName &t : dropped.tables)
        gone.insert(ctx.settings.selection.onSource(t).display());
    for (const TableName &t : dropped.filled)
        gone.insert(ctx.settings.selection.onSource(t).display());
    ctx.live.update([&](Snapshot &s) {
        std::erase_if(s.tables, [&](const TableProgress &t) { return gone.contains(t.name); });
        for (TableProgress &t : s.tables) {
            if (t.state == TableState::Following || t.state == TableState::Verified ||
                t.state == TableState::Different)
                t.state = TableState::Copied;
        }
        s.lagSeconds = -1;
        s.lagBytes = -1;
        s.alarm.reset();
    });
}

Status openServer(Context &ctx, Side side, std::stop_token stop)
{
    CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(side, stop));
    CW_TRY_ASSIGN(const bool there, ledger->exists(stop));
    if (!there)
        return {};
    CW_TRY_ASSIGN(const auto fence, ctx.fence(side, stop));
    return fence->open(stop);
}
} // namespace

Result<bool> isFinishing(Context &ctx, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto here, ctx.journal->value(kFinishing));
    if (here)
        return true;
    CW_TRY_ASSIGN(const auto there, ctx.fact(Side::Target, kFinishing, stop));
    return there.has_value();
}

Status finishStage(Context &ctx, bool oldSourceOpen, std::stop_token stop)
{
    // Once begun it can only be gone on with: the stream's own state goes first. Noted in both
    // places, since at the end neither server has anything left to tell.
    CW_TRY_ASSIGN(const bool begun, isFinishing(ctx, stop));
    if (!begun)
        CW_TRY(ctx.setFact(Side::Target, kFinishing, QStringLiteral("1"), stop));
    CW_TRY(ctx.journal->setValue(kFinishing, QStringLiteral("1")));
    std::vector<Step> steps;
    Step objects = step("finish.objects", Side::Source,
                        cwText("core", "Put triggers and events of the old source back"));
    objects.act = [&](std::stop_token token) -> Status {
        CW_TRY(putBackTriggers(ctx, Side::Source, token));
        return putBackEvents(ctx, Side::Source, token);
    };
    steps.push_back(std::move(objects));
    Step seal = step("finish.source", Side::Source,
                     oldSourceOpen ? cwText("core", "Open the old source for writes")
                                   : cwText("core", "Leave the old source closed for writes"));
    seal.act = [&](std::stop_token token) -> Status {
        if (oldSourceOpen)
            return openServer(ctx, Side::Source, token);
        CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(Side::Source, token));
        CW_TRY_ASSIGN(const bool there, ledger->exists(token));
        if (!there)
            return {};
        CW_TRY_ASSIGN(const auto fence, ctx.fence(Side::Source, token));
        // Only the seal itself stays.
        CW_TRY(fence->easeOpening(token));
        return ctx.journal->setValue(QStringLiteral("old_source_open_sql"),
                                     fence->openSql().join(QStringLiteral(";\n")) +
                                         QLatin1Char(';'));
    };
    steps.push_back(std::move(seal));
    steps.push_back(removeState(ctx, Side::Source));
    steps.push_back(removeState(ctx, Side::Target));
    CW_TRY(ctx.runSteps(steps, stop));
    CW_TRY(ctx.setPhase(Phase::Finished));
    ctx.activity(oldSourceOpen
                     ? cwText("core", "Finished: nothing of Causeway is left on either server.")
                     : cwText("core",
                              "Finished: nothing of Causeway is left but what keeps %1 "
                              "closed for writes.",
                              ctx.db(Side::Source).address().display()));
    return {};
}

Status cancelStage(Context &ctx, bool discard, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Roles now, ctx.roles(stop));
    if (now.leader == Side::Target) {
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("target-leads");
        e.message = cwText("core", "%1 takes writes already: cancelling now would throw them away.",
                           ctx.db(Side::Target).address().display());
        e.fix = cwText("core", "Switch back (run --to replica), or finish (run --to finished).");
        return fail(std::move(e));
    }
    CW_TRY_ASSIGN(const auto createdJson, ctx.fact(Side::Target, fact::created, stop));
    std::vector<Step> steps;
    Step open = step("cancel.open", std::nullopt,
                     cwText("core", "Put settings, triggers and events back as found"));
    open.act = [&](std::stop_token token) -> Status {
        CW_TRY(openServer(ctx, Side::Source, token));
        CW_TRY(putBackTriggers(ctx, Side::Source, token));
        CW_TRY(putBackEvents(ctx, Side::Source, token));
        return openServer(ctx, Side::Target, token);
    };
    steps.push_back(std::move(open));
    if (discard) {
        Step drop = step("cancel.discard", Side::Target,
                         cwText("core", "Drop what the migration created on the target"));
        const Created created = Created::parse(createdJson.value_or(QString()));
        for (const SchemaStatement &st : created.dropSql(ctx.db(Side::Target)))
            drop.shownSql << st.sql;
        drop.act = [&ctx, created](std::stop_token token) -> Status {
            Database &target = ctx.db(Side::Target);
            CW_TRY(target.execute(created.dropSql(target), token));
            for (const QString &schema : created.schemas) {
                // Somebody else may have put something of theirs into it meanwhile.
                Selection whole;
                whole.schemas << schema;
                CW_TRY_ASSIGN(const Catalog left, target.catalog(whole, token));
                if (left.tables.empty() && left.objects.empty())
                    CW_TRY(target.execute(target.dropSchemaStatements({schema}), token));
            }
            return {};
        };
        steps.push_back(std::move(drop));
    }
    steps.push_back(removeState(ctx, Side::Source));
    steps.push_back(removeState(ctx, Side::Target));
    CW_TRY(ctx.runSteps(steps, stop));
    CW_TRY(ctx.setPhase(Phase::Cancelled));
    showWhatIsLeft(ctx, discard ? Created::parse(createdJson.value_or(QString())) : Created{});
    ctx.activity(cwText("core", "Cancelled."));
    return {};
}

} // namespace causeway
