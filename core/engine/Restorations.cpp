#include "engine/Restorations.h"

#include "base/Json.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace causeway {

namespace {
QString encode(const std::vector<SchemaStatement> &putBack, const SchemaObject &o, int order)
{
    QJsonArray statements;
    for (const SchemaStatement &s : putBack) {
        statements.append(QJsonObject{{QStringLiteral("object"), s.object},
                                      {QStringLiteral("sql"), s.sql},
                                      {QStringLiteral("setup"), s.sessionSetup}});
    }
    return compactJson(QJsonObject{{QStringLiteral("order"), order},
                                   {QStringLiteral("schema"), o.schema},
                                   {QStringLiteral("name"), o.name},
                                   {QStringLiteral("put_back"), statements}});
}

struct Kept {
    Restoration record;
    int order = 0;
    TableName name;
    std::vector<SchemaStatement> putBack;
};

Result<std::vector<Kept>> readKept(Context &ctx, Side side, const QString &kind,
                                   std::stop_token stop)
{
    std::vector<Kept> out;
    CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(side, stop));
    CW_TRY_ASSIGN(const bool there, ledger->exists(stop));
    if (!there)
        return out;
    CW_TRY_ASSIGN(const auto all, ledger->restorations(stop));
    for (const Restoration &r : all) {
        if (r.kind != kind)
            continue;
        const QJsonObject o = QJsonDocument::fromJson(r.payload.toUtf8()).object();
        Kept k;
        k.record = r;
        k.order = o.value(QStringLiteral("order")).toInt();
        k.name = {o.value(QStringLiteral("schema")).toString(),
                  o.value(QStringLiteral("name")).toString()};
        k.putBack = putBackStatements(r);
        out.push_back(std::move(k));
    }
    std::sort(out.begin(), out.end(),
              [](const Kept &a, const Kept &b) { return a.order < b.order; });
    return out;
}

Status rememberAll(Context &ctx, Side side, const QString &kind,
                   const std::vector<SchemaObject> &objects, ObjectAction putBack,
                   std::stop_token stop)
{
    CW_TRY_ASSIGN(const Lease lease, ctx.lease(side, stop));
    CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(side, stop));
    int order = 0;
    for (const SchemaObject &o : objects) {
        const auto statements = ctx.db(side).objectStatements(putBack, {o});
        Restoration r;
        r.id = kind + QLatin1Char(' ') + o.display();
        r.kind = kind;
        r.putBack = statements.empty() ? QString() : statements.front().sql;
        r.payload = encode(statements, o, order++);
        CW_TRY(ledger->remember(lease, r, stop));
    }
    return {};
}

Status putBack(Context &ctx, Side side, const QString &kind, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto all, readKept(ctx, side, kind, stop));
    std::vector<SchemaStatement> statements;
    for (const Kept &k : all)
        statements.insert(statements.end(), k.putBack.begin(), k.putBack.end());
    // One after the other: the order of triggers of one event is the order of their creation.
    return ctx.db(side).execute(statements, stop);
}
} // namespace

Result<std::vector<SchemaObject>> ownObjects(Context &ctx, Side side, ObjectKind kind,
                                             std::stop_token stop)
{
    CW_TRY_ASSIGN(auto out, ctx.db(side).objects(ctx.selectionOn(side), kind, stop));
    std::erase_if(out, [](const SchemaObject &o) {
        return o.name.startsWith(QLatin1String("causeway_sealed"));
    });
    return out;
}

std::vector<SchemaStatement> putBackStatements(const Restoration &r)
{
    std::vector<SchemaStatement> out;
    const QJsonObject o = QJsonDocument::fromJson(r.payload.toUtf8()).object();
    for (const QJsonValue &v : o.value(QStringLiteral("put_back")).toArray()) {
        const QJsonObject s = v.toObject();
        out.push_back({s.value(QStringLiteral("object")).toString(),
                       s.value(QStringLiteral("sql")).toString(),
                       s.value(QStringLiteral("setup")).toString()});
    }
    return out;
}

Result<std::vector<SchemaObject>> ownTriggers(Context &ctx, Side side, std::stop_token stop)
{
    return ownObjects(ctx, side, ObjectKind::Trigger, std::move(stop));
}

Result<std::vector<SchemaObject>> enabledEvents(Context &ctx, Side side, std::stop_token stop)
{
    CW_TRY_ASSIGN(auto events, ownObjects(ctx, side, ObjectKind::Event, std::move(stop)));
    std::erase_if(events,
                  [](const SchemaObject &o) { return o.status != QLatin1String("ENABLED"); });
    return events;
}

Status takeOffTriggers(Context &ctx, Side side, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto triggers, ownTriggers(ctx, side, stop));
    CW_TRY(rememberAll(ctx, side, kept::trigger, triggers, ObjectAction::Create, stop));
    return ctx.db(side).execute(ctx.db(side).objectStatements(ObjectAction::Drop, triggers), stop);
}

Status disableEvents(Context &ctx, Side side, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto events, enabledEvents(ctx, side, stop));
    CW_TRY(rememberAll(ctx, side, kept::event, events, ObjectAction::Enable, stop));
    return ctx.db(side).execute(ctx.db(side).objectStatements(ObjectAction::Disable, events), stop);
}

Status putBackTriggers(Context &ctx, Side side, std::stop_token stop)
{
    return putBack(ctx, side, kept::trigger, std::move(stop));
}

Status putBackEvents(Context &ctx, Side side, std::stop_token stop)
{
    return putBack(ctx, side, kept::event, std::move(stop));
}

Status forgetKept(Context &ctx, Side side, std::stop_token stop)
{
    for (const QString &kind : {kept::trigger, kept::event}) {
        CW_TRY_ASSIGN(const auto all, readKept(ctx, side, kind, stop));
        if (all.empty())
            continue;
        CW_TRY_ASSIGN(const Lease lease, ctx.lease(side, stop));
        CW_TRY_ASSIGN(Ledger *const ledger, ctx.ledger(side, stop));
        for (const Kept &k : all)
            CW_TRY(ledger->forget(lease, k.record.id, stop));
    }
    return {};
}

Result<std::vector<TableName>> keptEvents(Context &ctx, Side side, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto all, readKept(ctx, side, kept::event, std::move(stop)));
    std::vector<TableName> out;
    for (const Kept &k : all)
        out.push_back(k.name);
    return out;
}

Result<bool> hasKept(Context &ctx, Side side, const QString &kind, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto all, readKept(ctx, side, kind, std::move(stop)));
    return !all.empty();
}

} // namespace causeway
