#include "journal/LeftBehind.h"
#include "postgres/native/AccountSettings.h"
#include "postgres/native/AlwaysTriggers.h"
#include "postgres/native/Detach.h"
#include "postgres/native/Fence.h"
#include "postgres/native/LeftBehind.h"
#include "postgres/native/Native.h"

/// Finish and cancel: nothing of ours is left on either server but, if wanted, what keeps the old
/// source closed.
namespace causeway::postgres {

namespace {
const QString kCopySlots = QStringLiteral("copy_slots");

/// Each table that is being copied has a slot of its own on the leader, which the follower's server
/// drops if it can reach it just then. Their name is kept before it is forgotten.
Status noteCopySlots(Server &from, Server &to, Side leader, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto oid,
                  to.query(QStringLiteral("SELECT oid FROM pg_catalog.pg_subscription WHERE "
                                          "subname = %1")
                               .arg(quoteText(to.names().stream(leader))),
                           stop));
    if (oid.rows.empty())
        return {};
    return from.setFact(kCopySlots, QStringLiteral("pg_%1_sync_").arg(oid.text(0, 0)), stop);
}

Status dropCopySlots(Server &from, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto prefix, from.fact(kCopySlots, stop));
    if (!prefix)
        return {};
    CW_TRY(from.proveLease(stop));
    CW_TRY(from.query(QStringLiteral("SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM "
                                     "pg_catalog.pg_replication_slots WHERE NOT active AND "
                                     "database = current_database() AND "
                                     "pg_catalog.left(slot_name, %1) = %2")
                          .arg(prefix->size())
                          .arg(quoteText(*prefix)),
                      stop));
    return from.clearFact(kCopySlots, stop);
}

Status dropSubscribing(Server &follower, Side leader, std::stop_token stop)
{
    // Of a probe that was cut short.
    CW_TRY(follower.act(
        {QStringLiteral("DROP SUBSCRIPTION IF EXISTS %1").arg(quoteId(follower.names().probe()))},
        stop));
    return dropSubscription(follower, leader, stop);
}

Status dropPublishing(Server &leader, Side streamOf, std::stop_token stop)
{
    CW_TRY(leader.act(
        {QStringLiteral("DROP PUBLICATION IF EXISTS %1").arg(quoteId(leader.names().probe()))},
        stop));
    CW_TRY(dropSlot(leader, streamOf, stop));
    CW_TRY(dropCopySlots(leader, stop));
    return dropPublication(leader, streamOf, stop);
}

/// Subscription on the follower, slot and publication on the leader; none of them need be there.
Step dropStream(Native &n, const QString &id, Side leader)
{
    const Side follower = otherSide(leader);
    const QString name = n.names.stream(leader);
    Step s =
        Native::step(id, follower,
                     cwText("core",
                            "Drop the subscription of %1, its slot and its "
                            "publication; with it goes the password that the server "
                            "kept",
                            n.on(follower).display()),
                     {QStringLiteral("DROP SUBSCRIPTION %1").arg(name),
                      QStringLiteral("SELECT pg_drop_replication_slot(%1)").arg(quoteText(name)),
                      QStringLiteral("DROP PUBLICATION %1").arg(name)});
    s.act = [&n, leader, follower](std::stop_token stop) -> Status {
        Server &from = n.on(leader), &to = n.on(follower);
        CW_TRY_ASSIGN(const bool published, from.hasState(stop));
        CW_TRY_ASSIGN(const bool subscribed, to.hasState(stop));
        if (published && subscribed)
            CW_TRY(noteCopySlots(from, to, leader, stop));
        if (subscribed)
            CW_TRY(dropSubscribing(to, leader, stop));
        return published ? dropPublishing(from, leader, stop) : Status();
    };
    return s;
}
} // namespace

Step removeStateStep(Native &n, Side side)
{
    Step s = Native::step(side == Side::Source ? QStringLiteral("detach.state-source")
                                               : QStringLiteral("detach.state-target"),
                          side,
                          cwText("core", "Put the account's settings back, and remove Causeway's "
                                         "state"),
                          {QStringLiteral("DROP SCHEMA _causeway CASCADE")});
    s.act = [&n, side](std::stop_token stop) -> Status {
        CW_TRY(restoreAccountSettings(n.on(side), stop));
        return n.on(side).removeState(stop);
    };
    return s;
}

Status openFully(Server &server, std::stop_token stop)
{
    CW_TRY_ASSIGN(const bool state, server.hasState(stop));
    if (!state)
        return {};
    Fence fence(server);
    CW_TRY(wakeTriggers(server, stop));
    CW_TRY(fence.letWrite(stop));
    for (int attempt = 0; attempt < 20; ++attempt) {
        CW_TRY_ASSIGN(const bool gone, fence.remove(std::chrono::milliseconds(1'000), stop));
        if (gone)
            return {};
    }
    return fail(ErrorCode::NotReady,
                cwText("core",
                       "Tables of %1 are in use for so long that their idle triggers could "
                       "not be removed; run this again.",
                       server.display()),
                QStringLiteral("triggers-stay"));
}

Status leaveClosed(Native &n, Server &server, std::stop_token stop)
{
    CW_TRY_ASSIGN(const bool state, server.hasState(stop));
    if (state)
        CW_TRY(wakeTriggers(server, stop));
    return n.host.setJournalValue(QStringLiteral("old_source_open_sql"),
                                  Fence::openSql(server).join(QStringLiteral(";\n")) +
                                      QLatin1Char(';'));
}

Status dropOwnEnds(Server &server, std::stop_token stop)
{
    CW_TRY_ASSIGN(const bool state, server.hasState(stop));
    if (!state)
        return {};
    CW_TRY(dropSubscribing(server, otherSide(server.side()), stop));
    return dropPublishing(server, server.side(), stop);
}

Result<bool> isFinishing(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto here, n.host.journalValue(fact::finishing));
    if (here)
        return true;
    const auto there = n.target.fact(fact::finishing, stop);
    if (!there) {
        // A target that is away was finishing only if the file says so: it does, before anything
        // is done. Then cancelling must not wait for it.
        CW_TRY_ASSIGN(const Phase recorded, n.host.recordedPhase());
        const bool early = recorded == Phase::Copying || recorded == Phase::CatchingUp ||
                           recorded == Phase::Replica;
        if (early && there.error().isTransient())
            return false;
        return fail(there.error());
    }
    return there->has_value();
}

namespace {
Step dropEndsStep(Native &n, const QString &id, Side side)
{
    Server &server = n.on(side);
    Step s = Native::step(id, side,
                          cwText("core",
                                 "Drop subscription, slot and publication of %1; the other "
                                 "server cannot be reached",
                                 server.display()));
    s.act = [&server](std::stop_token stop) { return dropOwnEnds(server, std::move(stop)); };
    return s;
}

/// Whether the target leads, by the target alone: a switch back closes it before the source leads,
/// and it stays closed until it leads again.
Result<bool> targetLeadsAlone(Native &n, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto leads, n.target.fact(fact::leads, stop));
    CW_TRY_ASSIGN(const auto unfinished, n.target.fact(fact::unfinished, stop));
    CW_TRY_ASSIGN(const bool sealed, Fence(n.target).isSealed(stop));
    CW_TRY_ASSIGN(const SubscriptionState forward, readSubscription(n.target, Side::Source, stop));
    return leads && !unfinished && !sealed && !forward.exists;
}
} // namespace

Result<bool> finishWithoutSource(Native &n, bool oldSourceOpen, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto away, awaySide(n, stop));
    if (away != Side::Source)
        return false;
    CW_TRY_ASSIGN(const auto left, n.host.journalValue(LeftBehind::key()));
    if (!LeftBehind::decode(left.value_or(QString()))) {
        CW_TRY_ASSIGN(const Phase recorded, n.host.recordedPhase());
        CW_TRY_ASSIGN(const bool leads, targetLeadsAlone(n, stop));
        if (recorded != Phase::Primary || !leads)
            return false;
        CW_TRY(rememberLeftBehind(n, Side::Source, oldSourceOpen));
    }
    CW_TRY(n.host.setJournalValue(fact::finishing, QStringLiteral("1")));
    Step target = Native::step(QStringLiteral("finish.target"), Side::Target,
                               cwText("core", "Remove what closed the new leader before"));
    target.act = [&n](std::stop_token token) { return openFully(n.target, std::move(token)); };
    CW_TRY(n.host.runSteps({dropEndsStep(n, QStringLiteral("finish.stream-here"), Side::Target),
                            target, removeStateStep(n, Side::Target)},
                           stop));
    CW_TRY(n.host.setPhase(Phase::Finished));
    n.host.activity(cwText("core",
                           "Finished, but for what is left on %1, which could not be "
                           "reached.",
                           n.source.display()));
    return true;
}

Status finishPhase(Native &n, bool oldSourceOpen, std::stop_token stop)
{
    // Once begun it can only be gone on with. Noted in both places, since at the end neither server
    // has anything left to tell.
    CW_TRY_ASSIGN(const bool begun, isFinishing(n, stop));
    if (!begun)
        CW_TRY(n.target.setFact(fact::finishing, QStringLiteral("1"), stop));
    CW_TRY(n.host.setJournalValue(fact::finishing, QStringLiteral("1")));
    std::vector<Step> steps{
        dropStream(n, QStringLiteral("finish.stream-back"), Side::Target),
        dropStream(n, QStringLiteral("finish.stream"), Side::Source),
    };
    Step target = Native::step(QStringLiteral("finish.target"), Side::Target,
                               cwText("core", "Remove what closed the new leader before"));
    target.act = [&n](std::stop_token token) { return openFully(n.target, std::move(token)); };
    steps.push_back(std::move(target));
    Step source =
        Native::step(QStringLiteral("finish.source"), Side::Source,
                     oldSourceOpen ? cwText("core", "Open the old source for writes")
                                   : cwText("core", "Leave the old source closed for writes"),
                     oldSourceOpen ? Fence::openSql(n.source) : QStringList());
    source.act = [&n, oldSourceOpen](std::stop_token token) -> Status {
        if (oldSourceOpen)
            return openFully(n.source, token);
        return leaveClosed(n, n.source, token);
    };
    steps.push_back(std::move(source));
    steps.push_back(removeStateStep(n, Side::Source));
    steps.push_back(removeStateStep(n, Side::Target));
    CW_TRY(n.host.runSteps(steps, stop));
    CW_TRY(n.host.setJournalValue(LeftBehind::key(), QString())); // of an attempt without it
    CW_TRY(n.host.setPhase(Phase::Finished));
    n.host.activity(
        oldSourceOpen
            ? cwText("core", "Finished: nothing of Causeway is left on either server.")
            : cwText("core",
                     "Finished. Only what keeps the old source closed is left: the schema %1 and "
                     "its triggers, and default_transaction_read_only. The report says how to open "
                     "it.",
                     n.names.seal()));
    return {};
}

namespace {
/// With one of the two servers away for good: on the other nothing of ours may go on, a slot above
/// all, which would fill its disk.
Status cancelAlone(Native &n, Side away, const Error &reason, std::stop_token stop)
{
    // Who leads, by the one that is there.
    if (away == Side::Target) {
        CW_TRY_ASSIGN(const bool sealed, Fence(n.source).isSealed(stop));
        if (sealed)
            return fail(reason);
    } else {
        CW_TRY_ASSIGN(const auto leads, n.target.fact(fact::leads, stop));
        CW_TRY_ASSIGN(const bool sealed, Fence(n.target).isSealed(stop));
        if (leads && !sealed)
            return fail(reason);
    }
    const Side here = otherSide(away);
    CW_TRY(rememberLeftBehind(n, away, true));
    Step open = Native::step(QStringLiteral("cancel.open"), here,
                             cwText("core", "Open both servers as they were found"));
    open.act = [&n, here](std::stop_token token) {
        return openFully(n.on(here), std::move(token));
    };
    CW_TRY(n.host.runSteps({dropEndsStep(n, QStringLiteral("cancel.stream-here"), here), open,
                            removeStateStep(n, here)},
                           stop));
    CW_TRY(n.host.setPhase(Phase::Cancelled));
    n.host.activity(cwText("core",
                           "Cancelled, but for what is left on %1, which could not be "
                           "reached.",
                           n.on(away).display()));
    return {};
}
} // namespace

Status cancelPhase(Native &n, bool discard, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto away, awaySide(n, stop));
    if (away) {
        const auto asked = n.on(*away).query(QStringLiteral("SELECT 1"), stop);
        if (!asked)
            return cancelAlone(n, *away, asked.error(), stop);
    }
    CW_TRY_ASSIGN(const Roles now, n.roles(stop));
    if (now.leader == Side::Target) {
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("target-leads");
        e.message = cwText("core", "%1 takes writes already: cancelling now would throw them away.",
                           n.target.display());
        e.fix = cwText("core", "Switch back (run --to replica), or finish (run --to finished).");
        return fail(std::move(e));
    }
    std::vector<Step> steps;
    Step open = Native::step(QStringLiteral("cancel.open"), std::nullopt,
                             cwText("core", "Open both servers as they were found"),
                             Fence::openSql(n.source) + Fence::openSql(n.target));
    open.act = [&n](std::stop_token token) -> Status {
        CW_TRY(openFully(n.source, token));
        return {};
    };
    steps.push_back(std::move(open));
    steps.push_back(dropStream(n, QStringLiteral("cancel.stream-back"), Side::Target));
    steps.push_back(dropStream(n, QStringLiteral("cancel.stream"), Side::Source));
    Step target = Native::step(QStringLiteral("cancel.target"), Side::Target,
                               cwText("core", "Remove what closed the target"));
    target.act = [&n](std::stop_token token) { return openFully(n.target, std::move(token)); };
    steps.push_back(std::move(target));
    if (discard) {
        CW_TRY_ASSIGN(Step drop, discardStep(n, stop));
        steps.push_back(std::move(drop));
    }
    std::optional<Step> database;
    if (discard) {
        CW_TRY_ASSIGN(database, dropTargetDatabase(n, stop));
    }
    steps.push_back(removeStateStep(n, Side::Source));
    steps.push_back(removeStateStep(n, Side::Target));
    if (database)
        steps.push_back(std::move(*database));
    CW_TRY(n.host.runSteps(steps, stop));
    CW_TRY(n.host.setPhase(Phase::Cancelled));
    n.host.activity(cwText("core", "Cancelled."));
    return {};
}

} // namespace causeway::postgres
