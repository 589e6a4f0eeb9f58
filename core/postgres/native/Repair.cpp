#include "postgres/native/Repair.h"

#include "postgres/native/Scope.h"
#include "postgres/native/Silence.h"

namespace causeway::postgres {

namespace {
/// Values as parameters would leave their types to the server to find; as text literals with the
/// column's own type they read back as they were printed.
QString literal(const std::optional<std::string> &value, const Column &column)
{
    if (!value)
        return QStringLiteral("NULL");
    return QStringLiteral("%1::%2").arg(quoteText(QString::fromStdString(*value)), column.typeText);
}

QString keyCondition(const Table &table, const Row &key)
{
    QStringList out;
    const std::vector<int> columns = table.rowKeyColumns();
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const Column &c = table.columns[static_cast<std::size_t>(columns[i])];
        out << QStringLiteral("%1 = %2").arg(quoteId(c.name), literal(key[i], c));
    }
    return out.join(QStringLiteral(" AND "));
}
} // namespace

Status repairRow(Server &leader, Server &follower, const TablePlan &plan, const Row &key,
                 const std::function<Status(std::stop_token)> &drained, std::stop_token stop)
{
    const Table &from = *plan.leader, &to = *plan.follower;
    CW_TRY_ASSIGN(const auto source, leader.another(stop));
    CW_TRY(leader.enlist(*source, stop));
    CW_TRY(source->exec(QStringLiteral("SET lock_timeout = '5s'; SET "
                                       "idle_in_transaction_session_timeout = '30s'; BEGIN READ "
                                       "WRITE"),
                        stop));
    const QString where = keyCondition(from, key);
    QStringList columns;
    const std::vector<int> writable = from.writableColumns();
    for (const int c : writable)
        columns << quoteId(from.columns[static_cast<std::size_t>(c)].name);
    const QString select =
        QStringLiteral("SELECT %1 FROM %2 WHERE %3")
            .arg(columns.join(QStringLiteral(", ")), quoteName(from.name), where);
    CW_TRY_ASSIGN(auto row, source->query(select + QStringLiteral(" FOR UPDATE"), stop));
    if (row.rows.empty()) {
        CW_TRY(source->exec(QStringLiteral("LOCK TABLE %1 IN SHARE MODE").arg(quoteName(from.name)),
                            stop));
        CW_TRY_ASSIGN(row, source->query(select, stop));
    }
    CW_TRY(drained(stop));

    CW_TRY_ASSIGN(const auto target, follower.another(stop));
    CW_TRY(follower.enlist(*target, stop));
    CW_TRY(target->exec(QStringLiteral("SET lock_timeout = '5s'; BEGIN READ WRITE"), stop));
    CW_TRY(follower.proveIn(*target, stop));
    CW_TRY(beSilent(*target, to.name, stop));
    const QString table = quoteName(to.name);
    if (row.rows.empty()) {
        CW_TRY(target->exec(QStringLiteral("DELETE FROM %1 WHERE %2").arg(table, where), stop));
    } else {
        QStringList values, sets;
        for (std::size_t i = 0; i < writable.size(); ++i) {
            const Column &c = from.columns[static_cast<std::size_t>(writable[i])];
            values << literal(row.rows[0][i], c);
            sets << quoteId(c.name);
        }
        // Not UPDATE: an identity column that is GENERATED ALWAYS cannot be set by it.
        CW_TRY(target->exec(QStringLiteral("DELETE FROM %1 WHERE %2").arg(table, where), stop));
        CW_TRY(target->exec(
            QStringLiteral("INSERT INTO %1 (%2) OVERRIDING SYSTEM VALUE VALUES (%3)")
                .arg(table, sets.join(QStringLiteral(", ")), values.join(QStringLiteral(", "))),
            stop));
    }
    CW_TRY(target->exec(QStringLiteral("COMMIT"), stop));
    return source->exec(QStringLiteral("ROLLBACK"), stop);
}

} // namespace causeway::postgres
