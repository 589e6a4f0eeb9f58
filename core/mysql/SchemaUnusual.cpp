#include "mysql/SchemaRead.h"

namespace causeway::mysql {

namespace {

/// Types that MySQL and MariaDB have alike, whatever their version.
const QString kOrdinaryTypes = QStringLiteral(
    "'tinyint','smallint','mediumint','int','bigint','decimal','float','double','bit','char',"
    "'varchar','binary','varbinary','tinytext','text','mediumtext','longtext','tinyblob','blob',"
    "'mediumblob','longblob','date','datetime','timestamp','time','year','enum','set','json'");

/// A default is an expression where it has a parenthesis that no quotes are around: MariaDB prints
/// literals in quotes; MySQL prints them bare, so that a few too many are taken there.
QString columnsSql(const QString &scope)
{
    return QStringLiteral("SELECT DISTINCT table_schema, table_name FROM "
                          "information_schema.columns WHERE %1 AND (data_type NOT IN (%2)")
               .arg(scope, kOrdinaryTypes) +
           QStringLiteral(
               " OR COALESCE(generation_expression, '') <> '' OR extra LIKE '%VIRTUAL%' OR extra "
               "LIKE '%STORED%' OR extra LIKE '%PERSISTENT%' OR extra LIKE '%INVISIBLE%' OR extra "
               "LIKE '%SYSTEM%' OR column_type LIKE '%COMPRESSED%' OR (column_default LIKE '%(%' "
               "AND LOWER(column_default) NOT LIKE 'current_timestamp(%' AND column_default NOT "
               "LIKE '\\'%'))");
}

QString indexesSql(const QString &scope)
{
    return QStringLiteral("SELECT DISTINCT table_schema, table_name FROM "
                          "information_schema.statistics WHERE %1 AND (index_type <> 'BTREE' OR "
                          "column_name IS NULL OR collation = 'D')")
        .arg(scope);
}

/// MariaDB's JSON is a text with a check of its own, which every target understands.
QString checksSql(const Session &session, const QStringList &schemas)
{
    if (session.isMariaDb())
        return QStringLiteral("SELECT DISTINCT constraint_schema, table_name FROM "
                              "information_schema.check_constraints WHERE ") +
               schemaCondition("constraint_schema", schemas) +
               QStringLiteral(" AND check_clause NOT LIKE 'json_valid(`%`)'");
    return QStringLiteral("SELECT DISTINCT table_schema, table_name FROM "
                          "information_schema.table_constraints WHERE %1 AND constraint_type = "
                          "'CHECK'")
        .arg(schemaCondition("table_schema", schemas));
}

} // namespace

Result<QSet<TableName>> unusualTables(Session &session, const QStringList &schemas,
                                      std::stop_token stop)
{
    const QString scope = schemaCondition("table_schema", schemas);
    QSet<TableName> out;
    for (const QString &sql : {columnsSql(scope), indexesSql(scope), checksSql(session, schemas)}) {
        CW_TRY_ASSIGN(const ResultSet r, askCatalog(session, sql, stop));
        for (std::size_t i = 0; i < r.rows.size(); ++i)
            out.insert({r.text(i, std::size_t{0}), r.text(i, std::size_t{1})});
    }
    return out;
}

} // namespace causeway::mysql
