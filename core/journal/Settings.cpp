#include "journal/Journal.h"

#include <QJsonArray>

namespace causeway {

namespace {
QJsonArray array(const QStringList &list)
{
    return QJsonArray::fromStringList(list);
}

QStringList list(const QJsonValue &value)
{
    QStringList out;
    for (const QJsonValue &v : value.toArray())
        out << v.toString();
    return out;
}

QJsonObject endpointJson(const Endpoint &e)
{
    QJsonObject o{{QStringLiteral("url"), e.fromHere.toUrl()}};
    if (e.fromPeer)
        o.insert(QStringLiteral("from_peer"), e.fromPeer->toUrl());
    if (e.writer)
        o.insert(QStringLiteral("writer"), e.writer->toUrl());
    return o;
}

Result<Endpoint> endpointFrom(const QJsonObject &o)
{
    Endpoint e;
    CW_TRY_ASSIGN(e.fromHere, Address::fromUrl(o.value(QStringLiteral("url")).toString()));
    if (o.contains(QStringLiteral("from_peer"))) {
        CW_TRY_ASSIGN(e.fromPeer,
                      Address::fromUrl(o.value(QStringLiteral("from_peer")).toString()));
    }
    if (o.contains(QStringLiteral("writer"))) {
        CW_TRY_ASSIGN(e.writer, Address::fromUrl(o.value(QStringLiteral("writer")).toString()));
    }
    return e;
}
} // namespace

QJsonObject Settings::toJson() const
{
    QJsonObject renames;
    for (auto it = selection.renames.begin(); it != selection.renames.end(); ++it)
        renames.insert(it.key(), it.value());
    return QJsonObject{
        {QStringLiteral("id"), id},
        {QStringLiteral("source"), endpointJson(source)},
        {QStringLiteral("target"), endpointJson(target)},
        {QStringLiteral("schemas"), array(selection.schemas)},
        {QStringLiteral("patterns"), array(selection.patterns)},
        {QStringLiteral("renames"), renames},
        {QStringLiteral("route"), route},
        {QStringLiteral("mode"),
         mode == Mode::Once ? QStringLiteral("once") : QStringLiteral("live")},
        {QStringLiteral("workers"), workers},
        {QStringLiteral("on_switched"), onSwitched},
        {QStringLiteral("on_before_switch"), onBeforeSwitch},
        {QStringLiteral("accepted"), array(accepted)},
        {QStringLiteral("on_ddl"), onDdl},
        {QStringLiteral("throttle_bytes"), throttleBytesPerSecond},
        {QStringLiteral("fence"), toString(fence)},
        {QStringLiteral("target_fence"), toString(targetFence)},
        {QStringLiteral("lock_accounts"), array(lockAccounts)},
        {QStringLiteral("one_way_accepted"), oneWayAccepted},
        {QStringLiteral("created_at"), createdAt.toString(Qt::ISODate)},
    };
}

Result<Settings> Settings::fromJson(const QJsonObject &o)
{
    Settings s;
    s.id = o.value(QStringLiteral("id")).toString();
    CW_TRY_ASSIGN(s.source, endpointFrom(o.value(QStringLiteral("source")).toObject()));
    CW_TRY_ASSIGN(s.target, endpointFrom(o.value(QStringLiteral("target")).toObject()));
    s.selection.schemas = list(o.value(QStringLiteral("schemas")));
    s.selection.patterns = list(o.value(QStringLiteral("patterns")));
    const QJsonObject renames = o.value(QStringLiteral("renames")).toObject();
    for (auto it = renames.begin(); it != renames.end(); ++it)
        s.selection.renames.insert(it.key(), it.value().toString());
    s.route = o.value(QStringLiteral("route")).toString(s.route);
    s.mode = o.value(QStringLiteral("mode")).toString() == QLatin1String("once") ? Mode::Once
                                                                                 : Mode::Live;
    s.workers = o.value(QStringLiteral("workers")).toInt(s.workers);
    s.onSwitched = o.value(QStringLiteral("on_switched")).toString();
    s.onBeforeSwitch = o.value(QStringLiteral("on_before_switch")).toString();
    s.accepted = list(o.value(QStringLiteral("accepted")));
    s.onDdl = o.value(QStringLiteral("on_ddl")).toString(s.onDdl);
    s.throttleBytesPerSecond = o.value(QStringLiteral("throttle_bytes")).toInteger();
    // Files of before this setting say nothing.
    s.fence =
        fenceKindFromString(o.value(QStringLiteral("fence")).toString()).value_or(FenceKind::Auto);
    s.targetFence = fenceKindFromString(o.value(QStringLiteral("target_fence")).toString())
                        .value_or(FenceKind::Auto);
    s.lockAccounts = list(o.value(QStringLiteral("lock_accounts")));
    s.oneWayAccepted = o.value(QStringLiteral("one_way_accepted")).toBool();
    s.createdAt =
        QDateTime::fromString(o.value(QStringLiteral("created_at")).toString(), Qt::ISODate);
    if (s.id.size() != 8) {
        return fail(ErrorCode::Io, cwText("core", "The file does not hold the settings of a "
                                                  "migration."));
    }
    return s;
}

} // namespace causeway
