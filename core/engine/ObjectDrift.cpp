#include "engine/ObjectDrift.h"

#include "base/Json.h"
#include "engine/Restorations.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

#include <algorithm>
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
               "Undo that on %1; or switch with --accept changed-objects, which creates new "
               "sequences on %2, and make the others alike there by hand right after the switch.",
               leader, follower);
    return fail(std::move(e));
}

Result<SequencesToCarry> sequencesToCarry(Context &ctx, Roles roles, std::stop_token stop)
{
    SequencesToCarry out;
    const auto &facts = roles.leader == Side::Source ? ctx.sourceFacts : ctx.targetFacts;
    if (!facts || !facts->isMariaDb)
        return out;
    CW_TRY_ASSIGN(const auto leader, ownObjects(ctx, roles.leader, ObjectKind::Sequence, stop));
    out.any = !leader.empty();
    if (!out.any)
        return out;
    CW_TRY_ASSIGN(const auto follower, ownObjects(ctx, roles.follower, ObjectKind::Sequence, stop));
    Catalog catalog;
    for (const SchemaObject &o : leader) {
        const TableName there = ctx.nameOnFollower(roles, {o.schema, o.name});
        const bool has = std::any_of(follower.begin(), follower.end(), [&](const SchemaObject &f) {
            return TableName{f.schema, f.name} == there;
        });
        if (has)
            continue;
        catalog.objects.push_back(o);
        SchemaObject missing;
        missing.kind = o.kind;
        missing.schema = there.schema;
        missing.name = there.name;
        out.missing.push_back(std::move(missing));
    }
    if (catalog.objects.empty())
        return out;
    Selection selection = ctx.selectionOn(roles.leader);
    if (roles.leader == Side::Target) {
        selection.renames.clear();
        for (auto it = ctx.settings.selection.renames.begin();
             it != ctx.settings.selection.renames.end(); ++it)
            selection.renames.insert(it.value(), it.key());
    }
    CW_TRY_ASSIGN(SchemaScript script,
                  ctx.db(roles.follower).schemaScript(catalog, selection, *facts, stop));
    out.create = std::move(script.sequences);
    return out;
}

} // namespace causeway
