#include "engine/ObjectDrift.h"

#include "base/Json.h"
#include "engine/Restorations.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

#include <array>

namespace causeway {

namespace {
const QString kAccept = QStringLiteral("changed-objects");
constexpr std::array kKinds{ObjectKind::View,     ObjectKind::Procedure, ObjectKind::Function,
                            ObjectKind::Sequence, ObjectKind::Trigger,   ObjectKind::Event};

QString valueName(Side side)
{
    return QStringLiteral("objects.") + toString(side);
}

/// What makes it another one. Not where a sequence stands, which its own text tells; nor whether an
/// event is enabled: a switch that was cut short has disabled it, and knows so.
QString definitionOf(const SchemaObject &o)
{
    if (o.kind == ObjectKind::Sequence)
        return {};
    QString sql = o.createSql;
    if (o.kind == ObjectKind::Event) {
        static const QRegularExpression state(
            QStringLiteral("\\s(?:ENABLE|DISABLE(?:\\s+ON\\s+(?:SLAVE|REPLICA))?)"
                           "(?=\\s+(?:COMMENT|DO)\\b)"));
        if (const auto m = state.match(sql); m.hasMatch())
            sql.remove(m.capturedStart(), m.capturedLength());
    }
    return sql + QChar(0) + o.sqlMode;
}

/// "view shop.v" -> hash of what it is.
Result<QJsonObject> objectsNow(Context &ctx, Side side, std::stop_token stop)
{
    QJsonObject out;
    for (const ObjectKind kind : kKinds) {
        CW_TRY_ASSIGN(const auto objects, ownObjects(ctx, side, kind, stop));
        for (const SchemaObject &o : objects) {
            const QString what = definitionOf(o);
            out.insert(toString(kind) + QLatin1Char(' ') + o.display(),
                       QString::fromLatin1(
                           QCryptographicHash::hash(what.toUtf8(), QCryptographicHash::Sha256)
                               .toHex()
                               .left(16)));
        }
    }
    return out;
}

bool isCarriedByFirstSwitch(const QString &object)
{
    return object.startsWith(toString(ObjectKind::Trigger) + QLatin1Char(' ')) ||
           object.startsWith(toString(ObjectKind::Event) + QLatin1Char(' '));
}
} // namespace

Status noteObjects(Context &ctx, Side leader, std::stop_token stop)
{
    CW_TRY_ASSIGN(const QJsonObject now, objectsNow(ctx, leader, std::move(stop)));
    return ctx.journal->setValue(valueName(leader), compactJson(now));
}

Status forgetObjects(Context &ctx, Side side)
{
    return ctx.journal->setValue(valueName(side), QString());
}

Status checkObjects(Context &ctx, Roles roles, bool firstSwitch, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto noted, ctx.journal->value(valueName(roles.leader)));
    if (!noted || noted->isEmpty())
        return {}; // a file from before, or a switch that was cut short at its very end
    const QJsonObject then = QJsonDocument::fromJson(noted->toUtf8()).object();
    CW_TRY_ASSIGN(const QJsonObject now, objectsNow(ctx, roles.leader, std::move(stop)));
    QStringList changed;
    const auto add = [&](const QString &object, const QString &how) {
        if (!firstSwitch || !isCarriedByFirstSwitch(object))
            changed << QStringLiteral("%1 (%2)").arg(object, how);
    };
    for (auto it = now.begin(); it != now.end(); ++it) {
        if (!then.contains(it.key()))
            add(it.key(), QStringLiteral("new"));
        else if (then.value(it.key()) != it.value())
            add(it.key(), QStringLiteral("changed"));
    }
    for (auto it = then.begin(); it != then.end(); ++it) {
        if (!now.contains(it.key()))
            add(it.key(), QStringLiteral("dropped"));
    }
    if (changed.isEmpty())
        return {};
    changed.sort();
    const QString leader = ctx.db(roles.leader).address().display();
    const QString follower = ctx.db(roles.follower).address().display();
    if (ctx.settings.accepted.contains(kAccept)) {
        ctx.event(QStringLiteral("warning"),
                  QStringLiteral("Not carried over to %1: %2")
                      .arg(follower, changed.join(QStringLiteral(", "))));
        return {};
    }
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = kAccept;
    e.object = changed.join(QStringLiteral(", "));
    e.message = cwText("core",
                       "These were created, changed or dropped on %1 since both sides were alike, "
                       "and %2 does not have them so: %3",
                       leader, follower, e.object);
    e.fix =
        cwText("core",
               "Undo that on %1; or create new sequences on %2 with an administrator's account, "
               "switch with --accept changed-objects, and make the others alike on %2 by hand "
               "right after the switch.",
               leader, follower);
    return fail(std::move(e));
}

} // namespace causeway
