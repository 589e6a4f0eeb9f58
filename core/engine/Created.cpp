#include "engine/Created.h"

#include "base/Json.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <array>

namespace causeway {

namespace {
constexpr std::array kKinds{ObjectKind::View,    ObjectKind::Procedure, ObjectKind::Function,
                            ObjectKind::Trigger, ObjectKind::Event,     ObjectKind::Sequence};
}

QString Created::encode() const
{
    QJsonArray tableArray, filledArray, objectArray;
    for (const TableName &t : filled)
        filledArray.append(QJsonArray{t.schema, t.name});
    for (const TableName &t : tables)
        tableArray.append(QJsonArray{t.schema, t.name});
    for (const SchemaObject &o : objects)
        objectArray.append(QJsonArray{toString(o.kind), o.schema, o.name});
    const QJsonObject json{{QStringLiteral("schemas"), QJsonArray::fromStringList(schemas)},
                           {QStringLiteral("tables"), tableArray},
                           {QStringLiteral("filled"), filledArray},
                           {QStringLiteral("objects"), objectArray}};
    return compactJson(json);
}

Created Created::parse(const QString &text)
{
    const QJsonObject json = QJsonDocument::fromJson(text.toUtf8()).object();
    Created c;
    for (const QJsonValue &v : json.value(QStringLiteral("schemas")).toArray())
        c.schemas << v.toString();
    for (const QJsonValue &v : json.value(QStringLiteral("tables")).toArray())
        c.tables.push_back({v.toArray().at(0).toString(), v.toArray().at(1).toString()});
    for (const QJsonValue &v : json.value(QStringLiteral("filled")).toArray())
        c.filled.push_back({v.toArray().at(0).toString(), v.toArray().at(1).toString()});
    for (const QJsonValue &v : json.value(QStringLiteral("objects")).toArray()) {
        SchemaObject o;
        for (const ObjectKind kind : kKinds) {
            if (toString(kind) == v.toArray().at(0).toString())
                o.kind = kind;
        }
        o.schema = v.toArray().at(1).toString();
        o.name = v.toArray().at(2).toString();
        c.objects.push_back(std::move(o));
    }
    return c;
}

std::vector<SchemaStatement> Created::dropSql(const Database &target) const
{
    std::vector<SchemaStatement> out = target.objectStatements(ObjectAction::Drop, objects);
    const auto drops = target.tableStatements(TableAction::Drop, tables);
    out.insert(out.end(), drops.begin(), drops.end());
    const auto empties = target.tableStatements(TableAction::Truncate, filled);
    out.insert(out.end(), empties.begin(), empties.end());
    return out;
}

Created Created::difference(const Catalog &wanted, const Selection &selection,
                            const Catalog &existing, const QStringList &existingSchemas)
{
    Created c;
    for (const SchemaInfo &s : wanted.schemas) {
        const QString name = selection.schemaOnTarget(s.name);
        if (!existingSchemas.contains(name))
            c.schemas << name;
    }
    for (const Table &t : wanted.tables) {
        const TableName name = selection.onTarget(t.name);
        (existing.find(name) ? c.filled : c.tables).push_back(name);
    }
    for (const SchemaObject &o : wanted.objects) {
        SchemaObject mine;
        mine.kind = o.kind;
        mine.schema = selection.schemaOnTarget(o.schema);
        mine.name = o.name;
        const bool there = std::any_of(
            existing.objects.begin(), existing.objects.end(), [&](const SchemaObject &e) {
                return e.kind == mine.kind && e.schema == mine.schema && e.name == mine.name;
            });
        if (!there)
            c.objects.push_back(std::move(mine));
    }
    return c;
}

} // namespace causeway
