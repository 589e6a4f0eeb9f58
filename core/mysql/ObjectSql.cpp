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

/// Without a DEFINER, ALTER EVENT makes whoever runs it the definer, and the event would run with
/// our rights from then on; so do sql_mode and time zone, which are said in the session
/// (sessionOf).
QString alterEvent(const SchemaObject &o, const QString &name, const char *what)
{
    QString definer;
    const qsizetype at = o.definer.lastIndexOf(QLatin1Char('@'));
    if (at >= 0) {
        definer = QStringLiteral("DEFINER=%1@%2 ")
                      .arg(quoteId(o.definer.left(at)), quoteId(o.definer.mid(at + 1)));
    }
    return QStringLiteral("ALTER %1EVENT %2 %3").arg(definer, name, QLatin1String(what));
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
            s.sql = alterEvent(o, name, "ENABLE");
            s.sessionSetup = sessionOf(o);
            break;
        case ObjectAction::Disable:
            s.sql = alterEvent(o, name, "DISABLE");
            s.sessionSetup = sessionOf(o);
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
    out.reserve(tables.size());
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

std::vector<SchemaStatement> MySqlDatabase::counterStatements(const Counters &own,
                                                              const Counters &wanted) const
{
    std::vector<SchemaStatement> out;
    for (const auto &[table, value] : wanted) {
        const auto mine = own.find(table);
        if (mine == own.end() || mine->second >= value)
            continue;
        out.push_back(
            {table.display(),
             QStringLiteral("ALTER TABLE %1 AUTO_INCREMENT=%2").arg(quoteName(table)).arg(value),
             {}});
    }
    return out;
}

} // namespace causeway::mysql
