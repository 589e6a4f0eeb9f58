#include "engine/ForeignWrites.h"

#include "base/Json.h"
#include "base/Log.h"
#include "base/Stop.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace causeway {

namespace {
const QString kAlarm = QStringLiteral("alarm");
/// On a new leader until the stream back is armed: where the old one's log is watched from.
const QString kWatchStart = QStringLiteral("watch_start");
constexpr qsizetype kMostTables = 50;

/// On the target, for either side: the leader can always be written.
QString watchedFact(Side side)
{
    return QStringLiteral("watched.") + toString(side);
}

/// On the target: tables that we dropped on `side`, [{"tables":[..], "from":.., "to":..}].
QString dropsFact(Side side)
{
    return QStringLiteral("own_drops.") + toString(side);
}
constexpr qsizetype kMostDrops = 100;

Result<bool> isOwnDrop(const Database &follower, Ledger &ledger, Side side,
                       const ForeignWrite &write, std::stop_token stop)
{
    if (write.statement.isEmpty() || write.tables.empty())
        return false;
    CW_TRY_ASSIGN(const auto kept, ledger.fact(dropsFact(side), std::move(stop)));
    for (const QJsonValue &v : QJsonDocument::fromJson(kept.value_or(QString()).toUtf8()).array()) {
        const QJsonObject o = v.toObject();
        const Position from{o.value(QStringLiteral("from")).toString()};
        const Position to{o.value(QStringLiteral("to")).toString()};
        const QJsonArray tables = o.value(QStringLiteral("tables")).toArray();
        const bool within =
            (from.isEmpty() || follower.reached(write.after, from)) && // `after`: before it
            follower.reached(to, write.after);
        if (within && std::all_of(write.tables.begin(), write.tables.end(),
                                  [&](const auto &t) { return tables.contains(keyOfTable(t)); }))
            return true;
    }
    return false;
}

QString encode(const Alarm &a)
{
    return compactJson(a.toJson());
}

std::optional<Alarm> decode(const std::optional<QString> &json)
{
    if (!json || json->isEmpty())
        return std::nullopt;
    return Alarm::fromJson(QJsonDocument::fromJson(json->toUtf8()).object());
}

/// One more transaction of somebody else.
void add(Alarm &alarm, const ForeignWrite &write)
{
    ++alarm.count;
    alarm.position = write.after.text;
    if (!write.statement.isEmpty())
        alarm.statement = write.statement;
    for (const TableName &t : write.tables) {
        if (!alarm.tables.contains(t.display()) && alarm.tables.size() < kMostTables)
            alarm.tables << t.display();
    }
}

void touch(Alarm &alarm, Side side)
{
    alarm.side = side;
    alarm.lastMs = QDateTime::currentMSecsSinceEpoch();
    alarm.firstMs = alarm.firstMs == 0 ? alarm.lastMs : alarm.firstMs;
}

/// The tables that are watched; the name is all that is known of them.
TableResolver watchedTables(const Selection &here)
{
    return [here](const TableName &name) -> std::shared_ptr<const Table> {
        const bool in = name.name.isEmpty()
                            ? here.schemas.isEmpty() || here.schemas.contains(name.schema)
                            : here.matches(name);
        if (!in || name.schema == QLatin1String("_causeway") ||
            name.name.startsWith(QLatin1String("_causeway_")))
            return nullptr;
        auto table = std::make_shared<Table>();
        table->name = name;
        return table;
    };
}

/// Adds a foreign write to the alarm that is kept on the target, on the watch's thread.
Status raise(Context &ctx, Roles roles, const std::optional<ForeignWrite> &write,
             std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto ledger, ctx.db(Side::Target).ledger(ctx.settings.id, stop));
    if (write) {
        CW_TRY_ASSIGN(const bool ours,
                      isOwnDrop(ctx.db(roles.follower), *ledger, roles.follower, *write, stop));
        if (ours)
            return {};
    }
    CW_TRY_ASSIGN(const auto kept, ledger->fact(kAlarm, stop));
    Alarm alarm = decode(kept).value_or(Alarm{});
    touch(alarm, roles.follower);
    if (write) {
        // Told again after a cut.
        if (!alarm.position.isEmpty() &&
            ctx.db(roles.follower).reached(Position{alarm.position}, write->after))
            return {};
        add(alarm, *write);
        logWarning(QStringLiteral("Somebody else wrote on %1, which follows: transaction %2")
                       .arg(ctx.db(roles.follower).address().display(), write->id));
    } else {
        alarm.gap = true;
    }
    const std::optional<Lease> lease = ctx.leaseIfHeld(Side::Target);
    if (lease)
        CW_TRY(ledger->setFact(*lease, kAlarm, encode(alarm), stop));
    ctx.live.update([&](Snapshot &s) { s.alarm = alarm; });
    return {};
}

Status keepWatched(Context &ctx, Side side, const Position &at, std::stop_token stop)
{
    const std::optional<Lease> lease = ctx.leaseIfHeld(Side::Target);
    if (!lease)
        return {};
    CW_TRY_ASSIGN(const auto ledger, ctx.db(Side::Target).ledger(ctx.settings.id, stop));
    return ledger->setFact(*lease, watchedFact(side), at.text, stop);
}
} // namespace

Result<std::unique_ptr<ForeignWatch>> startWatch(Context &ctx, Roles roles, std::stop_token stop)
{
    Database &follower = ctx.db(roles.follower);
    CW_TRY_ASSIGN(const Capabilities can, follower.capabilities(stop));
    ctx.live.update([&](Snapshot &s) {
        s.followerWatched = can.follow.yes;
        // The same log would carry the way back.
        if (roles.follower == Side::Target && !can.follow.yes)
            s.oneWay = true;
    });
    CW_TRY_ASSIGN(const auto kept, readAlarm(ctx, stop));
    ctx.live.update([&](Snapshot &s) { s.alarm = kept; });
    if (!can.follow.yes) {
        ctx.event(QStringLiteral("warning"),
                  QStringLiteral("Writes of others on %1 are found by verification only: %2")
                      .arg(follower.address().display(), can.follow.why.english()));
        return std::unique_ptr<ForeignWatch>();
    }
    // Where the alarm is kept, from its first moment on: a process that begins with a switch back
    // has asked nothing of the target yet.
    if (const auto keeping = ctx.lease(Side::Target, stop); !keeping)
        return fail(keeping.error());
    ForeignWatchConfig config;
    config.follower = &follower;
    CW_TRY_ASSIGN(config.lease, ctx.lease(roles.follower, stop));
    CW_TRY_ASSIGN(const auto from, ctx.fact(Side::Target, watchedFact(roles.follower), stop));
    if (from) {
        config.from.text = *from;
    } else {
        CW_TRY_ASSIGN(config.from, follower.currentPosition(ctx.selectionOn(roles.follower), stop));
        CW_TRY(ctx.setFact(Side::Target, watchedFact(roles.follower), config.from.text, stop));
    }
    config.resolve = watchedTables(ctx.selectionOn(roles.follower));
    config.onForeign = [&ctx, roles](const ForeignWrite &write, std::stop_token token) {
        return raise(ctx, roles, write, std::move(token));
    };
    config.onGap = [&ctx, roles](std::stop_token token) {
        return raise(ctx, roles, std::nullopt, std::move(token));
    };
    config.onProgress = [&ctx, side = roles.follower](const Position &at, std::stop_token token) {
        return keepWatched(ctx, side, at, std::move(token));
    };
    auto watch = std::make_unique<ForeignWatch>(std::move(config));
    watch->start();
    return watch;
}

Status noteOwnDrops(Context &ctx, Side follower, const std::vector<TableName> &tables,
                    const Position &from, const Position &to, std::stop_token stop)
{
    const std::optional<Lease> lease = ctx.leaseIfHeld(Side::Target);
    if (!lease || tables.empty())
        return {};
    CW_TRY_ASSIGN(const auto ledger, ctx.db(Side::Target).ledger(ctx.settings.id, stop));
    CW_TRY_ASSIGN(const auto kept, ledger->fact(dropsFact(follower), stop));
    QJsonArray all = QJsonDocument::fromJson(kept.value_or(QString()).toUtf8()).array();
    QJsonArray names;
    for (const TableName &t : tables)
        names.append(keyOfTable(t));
    all.append(QJsonObject{{QStringLiteral("tables"), names},
                           {QStringLiteral("from"), from.text},
                           {QStringLiteral("to"), to.text}});
    while (all.size() > kMostDrops) // looked at long ago
        all.removeFirst();
    return ledger->setFact(*lease, dropsFact(follower), compactJson(all), stop);
}

Status noteOwnDrops(Context &ctx, Roles roles, const DdlChange &ddl, std::stop_token stop)
{
    if (ddl.kind != DdlKind::Drop)
        return {};
    Database &follower = ctx.db(roles.follower);
    CW_TRY_ASSIGN(const Capabilities can, follower.capabilities(stop));
    if (!can.follow.yes)
        return {};
    CW_TRY_ASSIGN(const Position now,
                  follower.currentPosition(ctx.selectionOn(roles.follower), stop));
    std::vector<TableName> tables;
    for (const TableName &t : ddl.tables)
        tables.push_back(ctx.nameOnFollower(roles, t));
    return noteOwnDrops(ctx, roles.follower, tables, {}, now, stop);
}

Status noteWatchStart(Context &ctx, Side newLeader, const Position &position, std::stop_token stop)
{
    if (position.isEmpty())
        return {};
    return ctx.setFact(newLeader, kWatchStart, position.text, std::move(stop));
}

Status armWatch(Context &ctx, Roles roles, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto from, ctx.fact(roles.leader, kWatchStart, stop));
    if (!from)
        return {};
    CW_TRY(ctx.setFact(Side::Target, watchedFact(roles.follower), *from, stop));
    return ctx.clearFact(roles.leader, kWatchStart, stop);
}

Status watchTargetFrom(Context &ctx, const Position &position, std::stop_token stop)
{
    if (position.isEmpty())
        return {};
    return ctx.setFact(Side::Target, watchedFact(Side::Target), position.text, std::move(stop));
}

Result<std::optional<Alarm>> readAlarm(Context &ctx, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto kept, ctx.fact(Side::Target, kAlarm, std::move(stop)));
    return decode(kept);
}

Result<std::optional<Alarm>> lookForAlarm(const Settings &settings, const Address &source,
                                          const Address &target, Roles roles, std::stop_token stop)
{
    const bool onTarget = roles.follower == Side::Target;
    CW_TRY_ASSIGN(const auto targetServer, makeDatabase(target));
    CW_TRY_ASSIGN(const auto follower, makeDatabase(onTarget ? target : source));
    CW_TRY_ASSIGN(const auto ledger, targetServer->ledger(settings.id, stop));
    CW_TRY_ASSIGN(const bool there, ledger->exists(stop));
    if (!there)
        return std::optional<Alarm>();
    CW_TRY_ASSIGN(const auto kept, ledger->fact(kAlarm, stop));
    std::optional<Alarm> alarm = decode(kept);
    CW_TRY_ASSIGN(const auto watched, ledger->fact(watchedFact(roles.follower), stop));
    CW_TRY_ASSIGN(const Capabilities can, follower->capabilities(stop));
    if (!watched || !can.follow.yes)
        return alarm;
    const Selection here = onTarget ? settings.selection.onTargetSide() : settings.selection;
    Position at{*watched};
    CW_TRY_ASSIGN(const Position now, follower->currentPosition(here, stop));
    if (follower->reached(at, now))
        return alarm;
    Lease ours;
    ours.migration = settings.id;
    CW_TRY_ASSIGN(const auto stream, follower->foreignWrites(at, ours, watchedTables(here), stop));
    while (!follower->reached(at, now)) {
        CW_TRY_ASSIGN(const ChangeEvent event, stream->next(stop));
        if (const auto *progress = std::get_if<Progress>(&event)) {
            at = progress->upTo;
            continue;
        }
        const auto *write = std::get_if<ForeignWrite>(&event);
        if (!write)
            continue;
        at = write->after;
        CW_TRY_ASSIGN(const bool drop, isOwnDrop(*follower, *ledger, roles.follower, *write, stop));
        const bool known = alarm && !alarm->position.isEmpty() &&
                           follower->reached(Position{alarm->position}, write->after);
        if (drop || known)
            continue;
        if (!alarm)
            alarm.emplace();
        touch(*alarm, roles.follower);
        add(*alarm, *write);
    }
    return alarm;
}

Status clearAlarm(Context &ctx, Roles roles, ForeignWatch *watch, const Position &before,
                  std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto alarm, readAlarm(ctx, stop));
    if (!alarm)
        return {};
    // Written while rows were compared: the comparison may have passed by already.
    if (!alarm->position.isEmpty() && !before.isEmpty() && alarm->side == roles.follower &&
        !ctx.db(roles.follower).reached(before, Position{alarm->position}))
        return {};
    if (watch && !before.isEmpty()) {
        watch->settle(before);
        CW_TRY(ctx.setFact(Side::Target, watchedFact(roles.follower), before.text, stop));
    }
    CW_TRY(ctx.clearFact(Side::Target, kAlarm, stop));
    ctx.live.update([](Snapshot &s) { s.alarm.reset(); });
    ctx.event(QStringLiteral("info"),
              QStringLiteral("Both sides were compared and are equal: the alarm about writes of "
                             "others is settled."));
    return {};
}

Status checkNoAlarm(Context &ctx, Roles roles, ForeignWatch *watch, std::chrono::milliseconds limit,
                    std::stop_token stop)
{
    if (watch) {
        CW_TRY_ASSIGN(
            const Position now,
            ctx.db(roles.follower).currentPosition(ctx.selectionOn(roles.follower), stop));
        if (!watch->waitReached(now, limit, stop)) {
            if (stop.stop_requested())
                return fail(cancelledError());
            ctx.event(
                QStringLiteral("warning"),
                QStringLiteral("The log of %1 was not looked at to its end before the switch.")
                    .arg(ctx.db(roles.follower).address().display()));
        }
    }
    CW_TRY_ASSIGN(const auto alarm, readAlarm(ctx, stop));
    if (!alarm)
        return {};
    return fail(foreignWriteError(*alarm, ctx.db(roles.follower).address().display()));
}

Error foreignWriteError(const Alarm &alarm, const QString &follower)
{
    Error e;
    e.code = ErrorCode::Differences;
    e.id = QStringLiteral("foreign-write");
    e.object = alarm.tables.join(QLatin1String(", "));
    e.message = alarm.text(follower);
    e.fix = cwText("core", "Find out who writes there, and run \"verify --repair\".");
    return e;
}

} // namespace causeway
