#include "postgres/native/Drift.h"

#include <map>

namespace causeway::postgres {

namespace {
QString oids(const Scope &scope)
{
    QStringList out;
    for (const ScopeTable &t : scope.tables)
        out << QString::number(t.oid);
    return out.join(QLatin1Char(','));
}

const char *const kColumns =
    "SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) || "
    "CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || CASE WHEN a.attgenerated <> '' THEN ' "
    "generated' ELSE '' END FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = "
    "a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE a.attrelid = ANY "
    "(ARRAY[%1]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, 3";

using Columns = std::map<TableName, std::map<QString, QString>>;

Result<Columns> readColumns(Server &server, const Scope &scope, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto rows,
                  server.query(QString::fromLatin1(kColumns).arg(oids(scope)), std::move(stop)));
    Columns out;
    for (const ScopeTable &t : scope.tables)
        out[t.name];
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        out[{rows.text(i, 0), rows.text(i, 1)}][rows.text(i, 2)] = rows.text(i, 3);
    return out;
}
} // namespace

Result<QString> schemaFingerprint(Server &server, const Scope &scope, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto rows,
                  server.query(QStringLiteral("SELECT pg_catalog.md5(COALESCE(pg_catalog."
                                              "string_agg(x::text, '|'), '')) FROM (%1) AS x")
                                   .arg(QString::fromLatin1(kColumns).arg(oids(scope))),
                               std::move(stop)));
    return rows.text(0, 0);
}

Result<QStringList> schemaDrift(Server &leader, const Scope &leaderScope, Server &follower,
                                const Scope &followerScope, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Columns there, readColumns(leader, leaderScope, stop));
    CW_TRY_ASSIGN(const Columns here, readColumns(follower, followerScope, stop));
    QStringList out;
    for (const auto &[table, columns] : there) {
        const auto it = here.find(table);
        if (it == here.end()) {
            out << QStringLiteral("%1 is not on %2").arg(table.display(), follower.display());
            continue;
        }
        for (const auto &[column, type] : columns) {
            const auto other = it->second.find(column);
            if (other == it->second.end())
                out << QStringLiteral("%1.%2 is not on %3")
                           .arg(table.display(), column, follower.display());
            else if (other->second != type)
                out << QStringLiteral("%1.%2 is %3 on %4 and %5 on %6")
                           .arg(table.display(), column, type, leader.display(), other->second,
                                follower.display());
        }
        for (const auto &[column, type] : it->second) {
            if (columns.find(column) == columns.end())
                out << QStringLiteral("%1.%2 is not on %3")
                           .arg(table.display(), column, leader.display());
        }
    }
    return out;
}

Error driftError(const QStringList &differences)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("schema-drift");
    e.object = differences.mid(0, 20).join(QStringLiteral("; "));
    e.message = cwText("core", "The schema was changed on one side only: %1", e.object);
    e.fix = cwText("core", "Make the same change on the other side (additions first on the "
                           "follower), or undo it; schema changes are not replicated.");
    return e;
}

} // namespace causeway::postgres
