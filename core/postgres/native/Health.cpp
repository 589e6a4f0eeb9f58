#include "postgres/native/Health.h"

#include "base/Stop.h"
#include "postgres/native/Drift.h"
#include "postgres/native/Native.h"

#include <algorithm>

namespace causeway::postgres {

namespace {
/// A slot with less than this part of its limit left is near it.
constexpr int kNearPart = 5;
/// A worker that has just ended comes again within this; one that fails is away for seconds.
constexpr int kLooks = 4;
constexpr std::chrono::milliseconds kBetween{400};

QString megabytes(qint64 bytes)
{
    return QString::number((bytes + 999'999) / 1'000'000);
}

Trouble slotLost(Side leader, const QString &leaderName, const QString &followerName)
{
    return {
        QStringLiteral("pg-slot-lost"),
        cwText("core", "%1 has thrown away changes that %2 has not got.", leaderName, followerName),
        leader == Side::Source
            ? cwText("core", "The copy must be made again: cancel --discard, raise "
                             "max_slot_wal_keep_size on the source, and begin anew.")
            : cwText("core", "The old source cannot follow any more, and there is no way back: "
                             "finish when you trust the new leader.")};
}

Result<std::optional<Trouble>> driftFromOutside(Server &leader, Server &follower, Server &target,
                                                std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto complete, target.fact(fact::complete, stop));
    CW_TRY_ASSIGN(const auto there, leader.fact(fact::selection, stop));
    CW_TRY_ASSIGN(const auto here, follower.fact(fact::selection, stop));
    if (!complete || !there || !here)
        return std::optional<Trouble>();
    CW_TRY_ASSIGN(const Scope from, readScope(leader, Selection::decode(*there), stop));
    CW_TRY_ASSIGN(const Scope to, readScope(follower, Selection::decode(*here), stop));
    CW_TRY_ASSIGN(const auto drift, schemaDrift(leader, from, follower, to, stop));
    if (drift.empty())
        return std::optional<Trouble>();
    const Error e = driftError(drift);
    return std::optional<Trouble>(Trouble{e.id, e.message, e.fix});
}
} // namespace

Health healthOf(const SlotState &slot, const SubscriptionState &subscription, Side leader,
                const QString &leaderName, const QString &followerName)
{
    Health out;
    if (!subscription.exists) {
        out.lasting.push_back(
            {QStringLiteral("pg-no-subscription"),
             cwText("core", "%1 has no subscription of this migration any more.", followerName),
             cwText("core", "Somebody has dropped it: cancel, and begin anew.")});
        return out;
    }
    if (!slot.exists || slot.walStatus == QLatin1String("lost")) {
        out.lasting.push_back(slotLost(leader, leaderName, followerName));
        return out;
    }
    const bool near = slot.safeBytes >= 0 && slot.retainedBytes >= 0 &&
                      slot.safeBytes < (slot.safeBytes + slot.retainedBytes) / kNearPart;
    if (slot.walStatus == QLatin1String("unreserved") || near) {
        out.lasting.push_back(
            {QStringLiteral("pg-slot-near-limit"),
             cwText("core",
                    "%1 keeps %2 MB of log for %3, and throws it away after %4 MB more "
                    "(max_slot_wal_keep_size).",
                    leaderName, megabytes(slot.retainedBytes), followerName,
                    megabytes(std::max<qint64>(slot.safeBytes, 0))),
             cwText("core", "Raise max_slot_wal_keep_size there (it takes effect with a reload), "
                            "and find out why the follower is behind.")});
    }
    if (subscription.running)
        return out;
    if (!subscription.enabled) {
        out.worker = Trouble{
            QStringLiteral("pg-subscription-disabled"),
            cwText("core", "%1 does not follow: its subscription is disabled.", followerName),
            cwText("core", "Run the migration again: it goes on.")};
        return out;
    }
    const qint64 errors = std::max<qint64>(subscription.applyErrors, 0) +
                          std::max<qint64>(subscription.syncErrors, 0);
    out.worker =
        errors > 0
            ? Trouble{QStringLiteral("apply-error"),
                      cwText("core", "%1 cannot apply what %2 sends: %3 attempts have failed.",
                             followerName, leaderName, errors),
                      cwText("core",
                             "Run the migration again: it finds out what is in the way, and "
                             "offers what can be done.")}
            : Trouble{QStringLiteral("pg-no-worker"),
                      cwText("core", "The subscription on %1 is enabled, but no worker runs.",
                             followerName),
                      cwText("core", "The log of that server says why; no free worker "
                                     "(max_logical_replication_workers), no connection to the "
                                     "leader, and a change that cannot be applied are the usual "
                                     "reasons.")};
    return out;
}

Error troubleError(const Trouble &t)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = t.id;
    e.message = t.text;
    e.fix = t.fix;
    return e;
}

Result<std::optional<Standstill>> lookFromOutside(const QString &migration, const Address &source,
                                                  const Address &target, bool oneWay,
                                                  std::stop_token stop)
{
    const Names names(migration);
    Server from(Side::Source, source, names), to(Side::Target, target, names);
    CW_TRY_ASSIGN(const auto onTarget, to.fact(fact::leads, stop));
    CW_TRY_ASSIGN(const auto onSource, from.fact(fact::leads, stop));
    CW_TRY_ASSIGN(const bool state, to.hasState(stop));
    if (!state)
        return std::optional<Standstill>();
    Standstill out;
    if (onTarget.value_or(QString()).toInt() > onSource.value_or(QString()).toInt())
        out.roles = {Side::Target, Side::Source};
    if (out.roles.leader == Side::Target && oneWay)
        return std::optional<Standstill>(std::move(out));
    Server &leader = out.roles.leader == Side::Source ? from : to;
    Server &follower = out.roles.leader == Side::Source ? to : from;
    CW_TRY_ASSIGN(const auto copies, to.fact(fact::tables, stop));
    CW_TRY_ASSIGN(auto drift, driftFromOutside(leader, follower, to, stop));
    for (int look = 1;; ++look) {
        CW_TRY_ASSIGN(const SlotState slot, readSlot(leader, leader.side(), stop));
        CW_TRY_ASSIGN(const SubscriptionState stream,
                      readSubscription(follower, leader.side(), stop));
        if (!copies && !stream.exists)
            return std::optional<Standstill>(std::move(out)); // not so far yet
        Health health = healthOf(slot, stream, leader.side(), leader.display(), follower.display());
        out.lagBytes = slot.lagBytes;
        out.keptBytes = slot.retainedBytes;
        out.leftBytes = slot.safeBytes;
        out.troubles = std::move(health.lasting);
        if (drift)
            out.troubles.push_back(*drift);
        if (!health.worker)
            break;
        if (look == kLooks) {
            out.troubles.push_back(std::move(*health.worker));
            break;
        }
        if (!pauseFor(stop, kBetween))
            return fail(cancelledError());
    }
    return std::optional<Standstill>(std::move(out));
}

} // namespace causeway::postgres
