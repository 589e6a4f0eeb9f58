#include "servers/AsFound.h"

#include <QRegularExpression>
#include <QSet>

#include <algorithm>

namespace causeway::test {
namespace {

QString text(const std::optional<std::string> &value)
{
    return value ? QString::fromStdString(*value) : QStringLiteral("NULL");
}

QString join(const TestRow &row)
{
    QStringList parts;
    for (const auto &value : row)
        parts << text(value);
    return parts.join(QStringLiteral(" | "));
}

QString quoted(const QString &name)
{
    return u'`' + QString(name).replace(u'`', QStringLiteral("``")) + u'`';
}

/// Lines of one query, each with what it is about in front.
void add(QStringList &out, TestServer &server, const QString &what, const QString &sql)
{
    for (const TestRow &row : server.query(sql))
        out << what + QStringLiteral(": ") + join(row);
}

void addSchema(QStringList &out, TestServer &server, const QString &schema)
{
    const QString of = QStringLiteral("'%1'").arg(schema);
    for (const TestRow &row :
         server.query(QStringLiteral("SELECT table_name FROM information_schema.tables WHERE "
                                     "table_schema = %1 AND table_type <> 'VIEW'")
                          .arg(of))) {
        const QString name = quoted(schema) + u'.' + quoted(text(row[0]));
        static const QRegularExpression counter(QStringLiteral(" AUTO_INCREMENT=[0-9]+"));
        const auto shown = server.query(QStringLiteral("SHOW CREATE TABLE ") + name);
        out << QStringLiteral("table %1: %2").arg(name, text(shown[0][1]).remove(counter));
    }
    add(out, server, QStringLiteral("view"),
        QStringLiteral("SELECT table_schema, table_name, view_definition, definer, security_type "
                       "FROM information_schema.views WHERE table_schema = %1")
            .arg(of));
    add(out, server, QStringLiteral("trigger"),
        QStringLiteral("SELECT trigger_schema, trigger_name, event_manipulation, "
                       "event_object_table, action_order, action_timing, action_statement, "
                       "sql_mode, definer, character_set_client, collation_connection, "
                       "database_collation FROM information_schema.triggers WHERE "
                       "trigger_schema = %1")
            .arg(of));
    add(out, server, QStringLiteral("routine"),
        QStringLiteral("SELECT routine_schema, routine_type, routine_name, routine_definition, "
                       "sql_mode, definer, security_type FROM information_schema.routines WHERE "
                       "routine_schema = %1")
            .arg(of));
    add(out, server, QStringLiteral("event"),
        QStringLiteral("SELECT event_schema, event_name, event_definition, status, starts, "
                       "interval_value, interval_field, on_completion, sql_mode, definer FROM "
                       "information_schema.events WHERE event_schema = %1")
            .arg(of));
}

} // namespace

QStringList asFound(TestServer &server, const QStringList &withoutSchemas)
{
    static const QSet<QString> system{QStringLiteral("mysql"), QStringLiteral("sys"),
                                      QStringLiteral("information_schema"),
                                      QStringLiteral("performance_schema")};
    QStringList out;
    for (const TestRow &row :
         server.query(QStringLiteral("SELECT schema_name, default_character_set_name, "
                                     "default_collation_name FROM information_schema.schemata"))) {
        const QString schema = text(row[0]);
        if (withoutSchemas.contains(schema) || system.contains(schema.toLower()))
            continue;
        out << QStringLiteral("schema: ") + join(row);
        addSchema(out, server, schema);
    }
    for (const TestRow &row : server.query(QStringLiteral("SELECT user, host FROM mysql.user"))) {
        const QString account = QStringLiteral("'%1'@'%2'").arg(text(row[0]), text(row[1]));
        add(out, server, QStringLiteral("account ") + account,
            QStringLiteral("SHOW CREATE USER ") + account);
        add(out, server, QStringLiteral("rights of ") + account,
            QStringLiteral("SHOW GRANTS FOR ") + account);
    }
    static const QRegularExpression moving(QStringLiteral(
        "^(gtid_(executed|purged|owned|binlog_pos|binlog_state|current_pos|slave_pos)"
        "|timestamp|rand_seed.*|insert_id|last_insert_id|identity|pseudo_.*|"
        "error_count|warning_count|last_gtid|in_transaction|gtid_seq_no)$"));
    for (const TestRow &row : server.query(QStringLiteral("SHOW GLOBAL VARIABLES"))) {
        if (!moving.match(text(row[0])).hasMatch())
            out << QStringLiteral("setting: ") + join(row);
    }
    if (server.product() == Product::MySql) {
        add(out, server, QStringLiteral("persisted"),
            QStringLiteral("SELECT * FROM performance_schema.persisted_variables"));
    }
    std::sort(out.begin(), out.end());
    return out;
}

QStringList changedSince(const QStringList &before, const QStringList &after)
{
    const QSet<QString> was(before.begin(), before.end());
    const QSet<QString> is(after.begin(), after.end());
    QStringList out;
    for (const QString &line : before) {
        if (!is.contains(line))
            out << QStringLiteral("- ") + line.left(500);
    }
    for (const QString &line : after) {
        if (!was.contains(line))
            out << QStringLiteral("+ ") + line.left(500);
    }
    return out;
}

} // namespace causeway::test
