#include "postgres/native/AlwaysTriggers.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace causeway::postgres {

namespace {
const QString kKept = QStringLiteral("always_triggers");

struct Always {
    QString table, trigger; ///< quoted
    bool replica = false;
};

Result<std::vector<Always>> readAlways(Server &server, const Scope &scope, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto rows,
        server.query(QStringLiteral("SELECT n.nspname, c.relname, t.tgname, t.tgenabled = 'R' FROM "
                                    "pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = "
                                    "t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = "
                                    "c.relnamespace WHERE NOT t.tgisinternal AND t.tgenabled IN "
                                    "('A','R') ORDER BY 1, 2, 3"),
                     std::move(stop)));
    std::vector<Always> out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const TableName table{rows.text(i, 0), rows.text(i, 1)};
        if (scope.find(table))
            out.push_back({quoteName(table), quoteId(rows.text(i, 2)), rows.isTrue(i, 3)});
    }
    return out;
}

QString enable(const Always &a, const char *how)
{
    return QStringLiteral("ALTER TABLE %1 ENABLE %2 TRIGGER %3")
        .arg(a.table, QString::fromLatin1(how), a.trigger)
        .replace(QLatin1String("  "), QLatin1String(" "));
}
} // namespace

Result<QStringList> quietTriggersSql(Server &server, const Scope &scope, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto found, readAlways(server, scope, std::move(stop)));
    QStringList out;
    for (const Always &a : found)
        out << enable(a, "");
    return out;
}

Status quietTriggers(Server &server, const Scope &scope, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto found, readAlways(server, scope, stop));
    if (found.empty())
        return {};
    CW_TRY_ASSIGN(const auto before, server.fact(kKept, stop));
    QJsonArray kept = QJsonDocument::fromJson(before.value_or(QString()).toUtf8()).array();
    QStringList sql;
    for (const Always &a : found) {
        kept.append(QJsonArray{a.table, a.trigger, a.replica});
        sql << enable(a, "");
    }
    sql << server.setFactSql(kKept,
                             QString::fromUtf8(QJsonDocument(kept).toJson(QJsonDocument::Compact)));
    return server.act(sql, stop);
}

Status wakeTriggers(Server &server, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto kept, server.fact(kKept, stop));
    if (!kept)
        return {};
    QStringList sql;
    for (const QJsonValue &v : QJsonDocument::fromJson(kept->toUtf8()).array()) {
        const QJsonArray a = v.toArray();
        const Always always{a.at(0).toString(), a.at(1).toString(), a.at(2).toBool()};
        // Dropped meanwhile by whoever it belongs to: nothing to put back.
        sql << QStringLiteral("DO $$ BEGIN %1; EXCEPTION WHEN undefined_object OR undefined_table "
                              "THEN NULL; END $$")
                   .arg(enable(always, always.replica ? "REPLICA" : "ALWAYS"));
    }
    sql << server.clearFactSql(kKept);
    return server.act(sql, stop);
}

} // namespace causeway::postgres
