#include "mysql/FencePlan.h"

#include <QCryptographicHash>

namespace causeway::mysql {

namespace {

QString hashOf(const TableName &t)
{
    return QString::fromLatin1(
        QCryptographicHash::hash(t.display().toUtf8(), QCryptographicHash::Sha1).toHex().left(10));
}

} // namespace

QString sealTriggerPrefix(const QString &migration)
{
    return QStringLiteral("causeway_sealed_%1_").arg(migration);
}

std::vector<SealTrigger> sealTriggers(const std::vector<TableName> &tables,
                                      const QString &migration, const QString &account,
                                      SealWhen when)
{
    // An event runs as its definer, which can be our account: what we set in our sessions is in
    // none of its. Bytes, since user names differ by case; the user part alone, since our own host
    // may change. USER() is who signed in; CURRENT_USER() inside a trigger is its definer.
    const QString who = account + QLatin1Char('@');
    // A number, or from MariaDB 12 on a word.
    const QString unless = when == SealWhen::Reopened
                               ? QStringLiteral("CAST(@@GLOBAL.read_only AS CHAR) IN ('0', 'OFF') "
                                                "AND ")
                               : QString();
    const QString body =
        QStringLiteral("FOR EACH ROW IF %1(@causeway IS NULL OR "
                       "LEFT(CAST(USER() AS BINARY), %2) <> CAST(%3 AS BINARY)) THEN "
                       "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Causeway: this database is "
                       "closed for writes, it is moving to another server'; END IF")
            .arg(unless)
            .arg(who.toUtf8().size())
            .arg(quoteText(who));
    std::vector<SealTrigger> out;
    for (const TableName &t : tables) {
        for (const char *event : {"INSERT", "UPDATE", "DELETE"}) {
            const TableName name{t.schema, sealTriggerPrefix(migration) +
                                               QString::fromLatin1(event).left(3).toLower() +
                                               QLatin1Char('_') + hashOf(t)};
            out.push_back(
                {name,
                 QStringLiteral("CREATE TRIGGER %1 BEFORE %2 ON %3 %4")
                     .arg(quoteName(name), QString::fromLatin1(event), quoteName(t), body),
                 t});
        }
    }
    return out;
}

Result<std::map<TableName, TableName>> sealedTables(Session &s, const QString &migration,
                                                    std::stop_token stop)
{
    const QString prefix = sealTriggerPrefix(migration);
    CW_TRY_ASSIGN(
        const ResultSet r,
        s.query(QStringLiteral("SELECT trigger_schema, trigger_name, event_object_schema, "
                               "event_object_table FROM information_schema.triggers WHERE "
                               "LEFT(trigger_name, %1)=%2")
                    .arg(prefix.size())
                    .arg(quoteText(prefix)),
                stop));
    std::map<TableName, TableName> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        out.emplace(TableName{r.text(i, std::size_t(0)), r.text(i, 1)},
                    TableName{r.text(i, 2), r.text(i, 3)});
    }
    return out;
}

Result<std::vector<TableName>> findSealTriggers(Session &s, const QString &migration,
                                                std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto tables, sealedTables(s, migration, std::move(stop)));
    std::vector<TableName> out;
    for (const auto &[name, table] : tables)
        out.push_back(name);
    return out;
}

QString lockTables(const std::vector<TableName> &tables, const char *mode)
{
    QStringList parts;
    for (const TableName &t : tables)
        parts << quoteName(t) + QLatin1Char(' ') + QString::fromLatin1(mode);
    return QStringLiteral("LOCK TABLES ") + parts.join(QStringLiteral(", "));
}

} // namespace causeway::mysql
