#include "mysql/Parts.h"
#include "mysql/SchemaRead.h"
#include "mysql/SchemaTarget.h"

#include <QHash>

#include <algorithm>

namespace causeway::mysql {

namespace {

/// "int" as MariaDB and MySQL before 8.0.19 print it: with the display width.
QString withDisplayWidth(const Column &c)
{
    struct Width {
        int isSigned, isUnsigned;
    };
    static const QHash<QString, Width> widths = {
        {QStringLiteral("tinyint"), {4, 3}},   {QStringLiteral("smallint"), {6, 5}},
        {QStringLiteral("mediumint"), {9, 8}}, {QStringLiteral("int"), {11, 10}},
        {QStringLiteral("bigint"), {20, 20}},  {QStringLiteral("year"), {4, 4}}};
    const auto w = widths.constFind(c.dataType);
    if (w == widths.constEnd() || c.typeText.contains(QLatin1Char('(')))
        return c.typeText;
    return QStringLiteral("%1(%2)%3")
        .arg(c.dataType)
        .arg(c.isUnsigned ? w->isUnsigned : w->isSigned)
        .arg(c.typeText.mid(c.dataType.size()));
}

/// How the target will name the types; the definitions it is given are read by either.
void nameTypes(Table &table, const SchemaTarget &target)
{
    for (Column &c : table.columns) {
        const bool zerofill = c.typeText.contains(QLatin1String("zerofill"), Qt::CaseInsensitive);
        if (c.typeClass != TypeClass::Integer || zerofill)
            continue;
        if (target.mariaDb || target.version < 80019)
            c.typeText = withDisplayWidth(c);
        else if (c.typeText != QLatin1String("tinyint(1)"))
            c.typeText = comparableType(c.typeText);
    }
}

} // namespace

void Adjustments::add(const QString &object, Text what)
{
    const bool said = std::any_of(m_out.begin(), m_out.end(), [&](const SchemaAdjustment &a) {
        return a.object == object && a.what == what;
    });
    if (!said)
        m_out.push_back({object, std::move(what)});
}

Result<SchemaScript> writeSchemaScript(Session &session, const Catalog &leader,
                                       const Selection &selection, const ServerFacts &leaderFacts,
                                       std::stop_token stop)
{
    CW_TRY_ASSIGN(auto collations, Collations::read(session, stop));
    CW_TRY_ASSIGN(auto definers, Definers::read(session, stop));
    const SchemaTarget target{leaderFacts.isMariaDb, session.isMariaDb(), session.version(),
                              std::move(collations), std::move(definers), selection};
    SchemaScript script;
    Adjustments adjustments(script.adjustments);

    for (const SchemaInfo &s : leader.schemas) {
        const QString name = selection.schemaOnTarget(s.name);
        CW_TRY_ASSIGN(const QString collation,
                      mapCollation(s.collation, s.name, target, adjustments));
        script.schemas.push_back(
            {QLatin1String("schema ") + name,
             QStringLiteral("CREATE DATABASE IF NOT EXISTS %1 CHARACTER SET %2 COLLATE %3")
                 .arg(quoteId(name), target.collations.charset(charsetOfCollation(collation)),
                      collation),
             {}});
    }

    // Sequences first: a column's default may draw from one.
    for (const SchemaObject &o : leader.objects) {
        if (o.kind != ObjectKind::Sequence)
            continue;
        CW_TRY_ASSIGN(auto statements, buildObject(o, leader, target, adjustments));
        std::move(statements.begin(), statements.end(), std::back_inserter(script.tables));
    }
    QSet<QString> checkNames;
    for (const Table &table : leader.tables) {
        CW_TRY_ASSIGN(auto pieces, buildTable(table, target, checkNames, adjustments));
        const auto append = [](auto &to, auto &from) {
            std::move(from.begin(), from.end(), std::back_inserter(to));
        };
        script.tables.push_back(std::move(pieces.create));
        append(script.indexes, pieces.indexes);
        append(script.uniques, pieces.uniques);
        append(script.foreignKeys, pieces.foreignKeys);
        nameTypes(pieces.follower, target);
        script.plans.push_back({std::make_shared<const Table>(table),
                                std::make_shared<const Table>(std::move(pieces.follower))});
    }

    for (const SchemaObject &o : leader.objects) {
        std::vector<SchemaStatement> *to = nullptr;
        switch (o.kind) {
        case ObjectKind::Sequence:
            continue;
        case ObjectKind::Procedure:
        case ObjectKind::Function:
            to = &script.routines;
            break;
        case ObjectKind::View:
            to = &script.views;
            break;
        case ObjectKind::Trigger:
            to = &script.triggers;
            break;
        case ObjectKind::Event:
            to = &script.events;
            break;
        }
        CW_TRY_ASSIGN(auto statements, buildObject(o, leader, target, adjustments));
        std::move(statements.begin(), statements.end(), std::back_inserter(*to));
    }
    return script;
}

} // namespace causeway::mysql
