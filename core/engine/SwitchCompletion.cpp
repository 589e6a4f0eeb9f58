#include "engine/Context.h"
#include "engine/ObjectDrift.h"
#include "engine/Replication.h"
#include "engine/Restorations.h"
#include "engine/SwitchParts.h"

#include <algorithm>

/// What an interrupted switch leaves: behind its point of no return it is completed, before it the
/// leader is opened again (ALGORITHMS 4).
namespace causeway {

Status completeSwitch(Context &ctx, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Roles now, ctx.roles(stop));
    CW_TRY_ASSIGN(const auto unfinished, ctx.fact(now.leader, fact::switchUnfinished, stop));
    if (!unfinished)
        return {};
    const auto step = [](const char *name, Side side, Text title) {
        Step s;
        s.id = QStringLiteral("complete.") + QString::fromLatin1(name);
        s.side = side;
        s.title = std::move(title);
        return s;
    };
    std::vector<Step> steps;

    Step events = step("events", now.leader, cwText("core", "Start the events of the new leader"));
    events.act = [&](std::stop_token token) -> Status {
        CW_TRY_ASSIGN(const bool keptThere, hasKept(ctx, now.leader, kept::event, token));
        if (now.leader == Side::Source || keptThere)
            return putBackEvents(ctx, now.leader, token);
        CW_TRY(learnSchema(ctx, token));
        if (ctx.script.events.empty())
            return {};
        // What an earlier attempt created was read from the old leader before its events were
        // disabled, this script perhaps after: the same event, another text.
        const Selection here = ctx.selectionOn(now.leader);
        CW_TRY_ASSIGN(const auto before,
                      ctx.db(now.leader).objects(here, ObjectKind::Event, token));
        std::vector<SchemaStatement> toCreate;
        for (const SchemaStatement &s : ctx.script.events) {
            const bool exists =
                std::any_of(before.begin(), before.end(), [&](const SchemaObject &o) {
                    return s.object == toString(o.kind) + QLatin1Char(' ') + o.display();
                });
            if (!exists)
                toCreate.push_back(s);
        }
        CW_TRY(ctx.db(now.leader).execute(toCreate, token));
        // The script may have been read after the old leader's events were disabled.
        CW_TRY_ASSIGN(const auto enabled, keptEvents(ctx, now.follower, token));
        CW_TRY_ASSIGN(auto objects, ctx.db(now.leader).objects(here, ObjectKind::Event, token));
        std::erase_if(objects, [&](const SchemaObject &o) {
            return o.status == QLatin1String("ENABLED") ||
                   std::none_of(enabled.begin(), enabled.end(), [&](const TableName &name) {
                       return ctx.settings.selection.onTarget(name) == TableName{o.schema, o.name};
                   });
        });
        return ctx.db(now.leader)
            .execute(ctx.db(now.leader).objectStatements(ObjectAction::Enable, objects), token);
    };
    steps.push_back(std::move(events));

    Step open = step("open", now.leader,
                     cwText("core", "Open the new leader: %1 takes writes",
                            ctx.db(now.leader).address().display()));
    open.act = [&](std::stop_token token) -> Status {
        CW_TRY_ASSIGN(const auto fence, ctx.fence(now.leader, token));
        return fence->open(token);
    };
    steps.push_back(std::move(open));

    if (ctx.settings.hasWayBack()) {
        Step admit = step("admit", now.follower,
                          cwText("core", "Let only Causeway's account write on the old leader"));
        admit.act = [&](std::stop_token token) -> Status {
            CW_TRY_ASSIGN(const auto fence, ctx.fence(now.follower, token));
            return fence->admitApplier(token);
        };
        steps.push_back(std::move(admit));
        Step strip = step("triggers-off", now.follower,
                          cwText("core", "Take the triggers off the old leader, kept for later"));
        strip.act = [&](std::stop_token token) {
            return takeOffTriggers(ctx, now.follower, std::move(token));
        };
        steps.push_back(std::move(strip));
        Step arm = step("arm", now.follower, cwText("core", "Start the stream back"));
        arm.act = [&](std::stop_token token) { return armStream(ctx, now, std::move(token)); };
        steps.push_back(std::move(arm));
    }
    Step tidy = step("tidy", now.leader, cwText("core", "Note that the switch is complete"));
    tidy.act = [&](std::stop_token token) -> Status {
        CW_TRY(forgetKept(ctx, now.leader, token));
        CW_TRY(noteObjects(ctx, now.leader, token));
        return ctx.clearFact(now.leader, fact::switchUnfinished, token);
    };
    steps.push_back(std::move(tidy));
    CW_TRY(ctx.runSteps(steps, stop));
    return ctx.setPhase(now.leader == Side::Target ? Phase::Primary : Phase::Replica);
}

Status reopenLeader(Context &ctx, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Roles now, ctx.roles(stop));
    CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(now.leader, stop));
    CW_TRY_ASSIGN(const bool state, ledger->exists(stop));
    if (!state)
        return {}; // a switch keeps its records there before it closes anything
    CW_TRY_ASSIGN(const auto fence, ctx.fence(now.leader, stop));
    CW_TRY_ASSIGN(const bool sealed, fence->isSealed(stop));
    CW_TRY_ASSIGN(const bool events, hasKept(ctx, now.leader, kept::event, stop));
    if (!sealed && !events) {
        // A seal that was cut short in the making does not count as one, but may have left
        // triggers or a setting: opening what is open does nothing.
        return fence->open(stop);
    }
    Step open;
    open.id = QStringLiteral("reopen.open");
    open.side = now.leader;
    open.title = cwText("core", "Open %1 again, which an interrupted switch left closed",
                        ctx.db(now.leader).address().display());
    open.shownSql = fence->openSql();
    open.act = [&](std::stop_token token) -> Status {
        CW_TRY(fence->open(token));
        CW_TRY(putBackEvents(ctx, now.leader, token));
        return forgetKept(ctx, now.leader, token);
    };
    return ctx.runSteps({open}, stop);
}

} // namespace causeway
