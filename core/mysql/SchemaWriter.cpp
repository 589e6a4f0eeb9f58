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

/// Views read what is not part of the selection: they can be created only where that is on the
/// target already.
struct ViewReads {
    const Catalog &leader;
    const Selection &selection;
    QSet<TableName> leftOut;
    QSet<TableName> onTarget;

    [[nodiscard]] bool moves(const TableName &n) const
    {
        return leader.find(n) != nullptr ||
               std::any_of(
                   leader.objects.begin(), leader.objects.end(), [&](const SchemaObject &o) {
                       return (o.kind == ObjectKind::View || o.kind == ObjectKind::Sequence) &&
                              o.schema == n.schema && o.name == n.name;
                   });
    }
    Status readTarget(Session &session, const std::stop_token &stop)
    {
        QStringList schemas;
        for (const SchemaObject &o : leader.objects) {
            for (const TableName &n : o.reads) {
                const QString schema = selection.schemaOnTarget(n.schema);
                if (!moves(n) && !schemas.contains(schema))
                    schemas << schema;
            }
        }
        if (schemas.isEmpty())
            return {};
        CW_TRY_ASSIGN(const auto r,
                      session.query(QStringLiteral("SELECT TABLE_SCHEMA, TABLE_NAME FROM "
                                                   "information_schema.TABLES WHERE ") +
                                        schemaCondition("TABLE_SCHEMA", schemas),
                                    stop));
        for (std::size_t i = 0; i < r.rows.size(); ++i)
            onTarget.insert({r.text(i, std::size_t{0}), r.text(i, std::size_t{1})});
        return {};
    }
    /// What of its reading will not be there; views must be asked for in dependency order.
    QStringList missing(const SchemaObject &view)
    {
        QStringList out;
        for (const TableName &n : view.reads) {
            const bool there =
                moves(n) ? !leftOut.contains(n)
                         : onTarget.contains(selection.onTarget(n)) || isSystemSchema(n.schema);
            if (!there)
                out << n.display();
        }
        if (!out.isEmpty())
            leftOut.insert({view.schema, view.name});
        return out;
    }
};

/// Tables that are on the target already are used as they are: their columns' collations decide
/// what is one key there.
Status readCollations(Session &session, std::vector<TablePlan> &plans, const std::stop_token &stop)
{
    QStringList schemas;
    for (const TablePlan &plan : plans) {
        if (!schemas.contains(plan.follower->name.schema))
            schemas << plan.follower->name.schema;
    }
    if (schemas.isEmpty())
        return {};
    CW_TRY_ASSIGN(const auto r,
                  session.query(QStringLiteral("SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, "
                                               "CHARACTER_SET_NAME, COLLATION_NAME FROM "
                                               "information_schema.COLUMNS WHERE COLLATION_NAME "
                                               "IS NOT NULL AND ") +
                                    schemaCondition("TABLE_SCHEMA", schemas),
                                stop));
    QHash<TableName, std::vector<std::size_t>> columnsOf;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        columnsOf[{r.text(i, std::size_t{0}), r.text(i, std::size_t{1})}].push_back(i);
    for (TablePlan &plan : plans) {
        const auto found = columnsOf.constFind(plan.follower->name);
        if (found == columnsOf.constEnd())
            continue;
        Table there = *plan.follower;
        bool differs = false;
        for (const std::size_t i : *found) {
            const int at = there.columnIndex(r.text(i, std::size_t{2}));
            if (at < 0)
                continue;
            Column &c = there.columns[static_cast<std::size_t>(at)];
            const QString collation = r.text(i, std::size_t{4});
            // Another character set is another type, which the check of the target does not let by.
            if (c.collation == collation || !Collations::same(c.charset, r.text(i, std::size_t{3})))
                continue;
            c.collation = collation;
            differs = true;
        }
        if (differs)
            plan.follower = std::make_shared<const Table>(std::move(there));
    }
    return {};
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

Result<SchemaTarget> SchemaTarget::read(Session &session, const Selection &selection,
                                        const ServerFacts &leaderFacts, std::stop_token stop)
{
    CW_TRY_ASSIGN(auto collations, Collations::read(session, stop));
    CW_TRY_ASSIGN(auto definers, Definers::read(session, std::move(stop)));
    return SchemaTarget{leaderFacts.isMariaDb, session.isMariaDb(), session.version(),
                        std::move(collations), std::move(definers), selection};
}

Result<SchemaScript> writeSchemaScript(Session &session, const Catalog &leader,
                                       const Selection &selection, const ServerFacts &leaderFacts,
                                       std::stop_token stop)
{
    CW_TRY_ASSIGN(const SchemaTarget target,
                  SchemaTarget::read(session, selection, leaderFacts, stop));
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

    for (const SchemaObject &o : leader.objects) {
        if (o.kind != ObjectKind::Sequence)
            continue;
        CW_TRY_ASSIGN(auto statements, buildObject(o, leader, target, adjustments));
        std::move(statements.begin(), statements.end(), std::back_inserter(script.sequences));
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

    CW_TRY(readCollations(session, script.plans, stop));

    ViewReads reads{leader, selection, {}, {}};
    CW_TRY(reads.readTarget(session, stop));
    for (const SchemaObject &o : leader.objects) {
        if (o.kind == ObjectKind::View) {
            const QStringList missing = reads.missing(o);
            if (!missing.isEmpty()) {
                adjustments.add(QLatin1String("view ") + o.display(),
                                cwText("core",
                                       "The view is left out: it reads %1, which is not part of "
                                       "the selection and not on the target.",
                                       missing.join(QLatin1String(", "))));
                continue;
            }
        }
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

Result<SchemaForecast> forecastSchema(Session &session, const Catalog &leader,
                                      const Selection &selection, const ServerFacts &leaderFacts,
                                      std::stop_token stop)
{
    CW_TRY_ASSIGN(const SchemaTarget target,
                  SchemaTarget::read(session, selection, leaderFacts, stop));
    SchemaForecast out;
    Adjustments adjustments(out.adjustments);
    QSet<QString> checkNames;
    for (const Table &table : leader.tables) {
        if (auto pieces = buildTable(table, target, checkNames, adjustments); !pieces)
            out.obstacles.push_back(std::move(pieces).error());
    }
    for (const SchemaObject &o : leader.objects) {
        if (auto made = buildObject(o, leader, target, adjustments); !made)
            out.obstacles.push_back(std::move(made).error());
    }
    return out;
}

} // namespace causeway::mysql
