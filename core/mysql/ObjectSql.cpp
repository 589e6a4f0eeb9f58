#include "mysql/MySqlDatabase.h"
#include "mysql/Parts.h"

namespace causeway::mysql {

namespace {
QString keyword(ObjectKind kind)
{
    switch (kind) {
    case ObjectKind::View:
        return QStringLiteral("VIEW");
    case ObjectKind::Procedure:
        return QStringLiteral("PROCEDURE");
    case ObjectKind::Function:
        return QStringLiteral("FUNCTION");
    case ObjectKind::Trigger:
        return QStringLiteral("TRIGGER");
    case ObjectKind::Event:
        return QStringLiteral("EVENT");
    case ObjectKind::Sequence:
        return QStringLiteral("SEQUENCE");
    }
    return {};
}

/// What an object carries from the session that created it.
QString sessionOf(const SchemaObject &o)
{
    QStringList parts;
    parts << QStringLiteral("sql_mode=%1").arg(quoteText(o.sqlMode));
    if (!o.characterSetClient.isEmpty())
        parts << QStringLiteral("character_set_client=%1").arg(o.characterSetClient);
    if (!o.collationConnection.isEmpty())
        parts << QStringLiteral("collation_connection=%1").arg(o.collationConnection);
    if (!o.timeZone.isEmpty())
        parts << QStringLiteral("time_zone=%1").arg(quoteText(o.timeZone));
    return QStringLiteral("SET ") + parts.join(QStringLiteral(", "));
}
} // namespace

std::vector<SchemaStatement>
MySqlDatabase::objectStatements(ObjectAction action, const std::vector<SchemaObject> &objects) const
{
    std::vector<SchemaStatement> out;
    for (const SchemaObject &o : objects) {
        const QString name = quoteName({o.schema, o.name});
        SchemaStatement s;
        s.object = toString(o.kind) + QLatin1Char(' ') + o.display();
        switch (action) {
        case ObjectAction::Create:
            // SHOW CREATE leaves the schema out: the statement runs with it as the default one.
            s.sql = o.createSql;
            s.sessionSetup = QStringLiteral("USE %1; %2").arg(quoteId(o.schema), sessionOf(o));
            break;
        case ObjectAction::Drop:
            s.sql = QStringLiteral("DROP %1 IF EXISTS %2").arg(keyword(o.kind), name);
            break;
        case ObjectAction::Enable:
            s.sql = QStringLiteral("ALTER EVENT %1 ENABLE").arg(name);
            break;
        case ObjectAction::Disable:
            s.sql = QStringLiteral("ALTER EVENT %1 DISABLE").arg(name);
            break;
        }
        out.push_back(std::move(s));
    }
    return out;
}

std::vector<SchemaStatement>
MySqlDatabase::tableStatements(TableAction action, const std::vector<TableName> &tables) const
{
    std::vector<SchemaStatement> out;
    for (const TableName &t : tables) {
        out.push_back({t.display(),
                       (action == TableAction::Drop ? QStringLiteral("DROP TABLE IF EXISTS %1")
                                                    : QStringLiteral("TRUNCATE TABLE %1"))
                           .arg(quoteName(t)),
                       QStringLiteral("SET foreign_key_checks=0")});
    }
    return out;
}

std::vector<SchemaStatement> MySqlDatabase::dropSchemaStatements(const QStringList &names) const
{
    std::vector<SchemaStatement> out;
    for (const QString &name : names)
        out.push_back({name, QStringLiteral("DROP DATABASE IF EXISTS %1").arg(quoteId(name)), {}});
    return out;
}

Result<std::vector<SchemaStatement>>
MySqlDatabase::counterStatements(const Catalog &leader, const Selection &here,
                                 const std::function<TableName(const TableName &)> &names,
                                 std::stop_token stop)
{
    CW_TRY_ASSIGN(const Catalog mine, catalog(here, stop));
    std::vector<SchemaStatement> out;
    for (const Table &t : leader.tables) {
        if (!t.autoIncrement)
            continue;
        const TableName name = names(t.name);
        const Table *own = mine.find(name);
        if (!own || own->autoIncrement.value_or(0) >= *t.autoIncrement)
            continue;
        out.push_back({name.display(),
                       QStringLiteral("ALTER TABLE %1 AUTO_INCREMENT=%2")
                           .arg(quoteName(name))
                           .arg(*t.autoIncrement),
                       {}});
    }
    return out;
}

} // namespace causeway::mysql
