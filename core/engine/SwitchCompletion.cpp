#include "engine/Context.h"
#include "engine/ObjectDrift.h"
#include "engine/Replication.h"
#include "engine/Restorations.h"
#include "engine/SwitchParts.h"

#include <algorithm>

/// What an interrupted switch leaves: behind its point of no return it is completed, before it the
/// leader is opened again (ALGORITHMS 4).
namespace causeway {

namespace {
const QString kHeldSince = QStringLiteral("switch.held_since");

/// When the new leader took writes for the first time; 0 = not yet.
qint64 openedAt(const Context &ctx, qint64 heldSince)
{
    if (heldSince <= 0)
        return 0;
    const auto shown = ctx.live.get();
    for (const StepRecord &r : shown->steps) {
        if (r.id == QLatin1String("complete.open") && r.state == StepState::Done &&
            r.finishedMs >= heldSince)
            return r.finishedMs;
    }
    return 0;
}

/// How long nobody could write, also where the switch was cut short and completed much later: by
/// what the file says, since the process that held writes may be gone.
Status tellPause(Context &ctx, qint64 openedBefore)
{
    CW_TRY_ASSIGN(const auto kept, ctx.journal->value(kHeldSince));
    const qint64 since = kept.value_or(QString()).toLongLong();
    const qint64 opened = openedBefore > 0 ? openedBefore : openedAt(ctx, since);
    const double paused =
        since > 0 && opened > 0 ? static_cast<double>(opened - since) / 1000.0 : -1;
    ctx.live.update([&](Snapshot &s) { s.writePauseSeconds = paused; });
    ctx.event(QStringLiteral("info"),
              paused >= 0 ? QStringLiteral("Writes paused for %1 s.").arg(paused, 0, 'f', 3)
                          : QStringLiteral("How long writes paused was not measured."));
    ctx.storeSnapshot();
    return {};
}
/// The user ended it behind the point of no return: perhaps nobody can write anywhere, and that is
/// no pause like another.
Error unfinishedError(const Context &ctx, Roles now, bool opened)
{
    const auto shown = ctx.live.get();
    const QString leader = now.leader == Side::Source ? shown->sourceName : shown->targetName;
    Error e;
    e.code = ErrorCode::ConnectionLost;
    e.id = QStringLiteral("switch-unfinished");
    e.object = leader;
    e.message = opened ? cwText("core",
                                "Stopped in the middle of a switch: %1 takes writes, and the way "
                                "back is not set up yet.",
                                leader)
                       : cwText("core",
                                "Stopped in the middle of a switch, behind its point of no return: "
                                "%1 leads and is not open yet, so that nobody can write.",
                                leader);
    e.fix = now.leader == Side::Target ? cwText("core", "Complete it: run --to primary.")
                                       : cwText("core", "Complete it: run --to replica.");
    return e;
}
} // namespace

Status noteHeldSince(Context &ctx, qint64 unixMs)
{
    return ctx.journal->setValue(kHeldSince, QString::number(unixMs));
}

Status completeSwitch(Context &ctx, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Roles now, ctx.roles(stop));
    CW_TRY_ASSIGN(const auto begun, ctx.fact(now.leader, fact::switchUnfinished, stop));
    if (!begun)
        return {};
    // By a run before this one, which then was cut short: opening it again is no news.
    CW_TRY_ASSIGN(const auto heldSince, ctx.journal->value(kHeldSince));
    const qint64 since = heldSince.value_or(QString()).toLongLong();
    const qint64 openedBefore = openedAt(ctx, since);
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
        CW_TRY(tellPause(ctx, openedBefore));
        return ctx.clearFact(now.leader, fact::switchUnfinished, token);
    };
    steps.push_back(std::move(tidy));
    ctx.live.update([&](Snapshot &s) { s.roles = now; });
    const Status done = ctx.runSteps(steps, stop);
    if (!done && stop.stop_requested())
        return fail(unfinishedError(ctx, now, openedAt(ctx, since) > 0));
    CW_TRY(Status(done));
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
