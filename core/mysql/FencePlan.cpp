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
                                      const QString &migration, const QString &account)
{
    // Bytes, since user names differ by case; the user part alone, since our own host may change.
    // USER() is who signed in; CURRENT_USER() inside a trigger is its definer.
    const QString who = account + QLatin1Char('@');
    const QString body =
        QStringLiteral(
            "FOR EACH ROW IF LEFT(CAST(USER() AS BINARY), %1) <> CAST(%2 AS BINARY) THEN "
            "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Causeway: this database is "
            "closed for writes, it is moving to another server'; END IF")
            .arg(who.toUtf8().size())
            .arg(quoteText(who));
    std::vector<SealTrigger> out;
    for (const TableName &t : tables) {
        for (const char *event : {"INSERT", "UPDATE", "DELETE"}) {
            const TableName name{t.schema, sealTriggerPrefix(migration) +
                                               QString::fromLatin1(event).left(3).toLower() +
                                               QLatin1Char('_') + hashOf(t)};
            out.push_back(
                {name, QStringLiteral("CREATE TRIGGER %1 BEFORE %2 ON %3 %4")
                           .arg(quoteName(name), QString::fromLatin1(event), quoteName(t), body)});
        }
    }
    return out;
}

Result<std::vector<TableName>> findSealTriggers(Session &s, const QString &migration,
                                                std::stop_token stop)
{
    const QString prefix = sealTriggerPrefix(migration);
    CW_TRY_ASSIGN(
        const ResultSet r,
        s.query(QStringLiteral("SELECT trigger_schema, trigger_name FROM "
                               "information_schema.triggers WHERE LEFT(trigger_name, %1)=%2")
                    .arg(prefix.size())
                    .arg(quoteText(prefix)),
                stop));
    std::vector<TableName> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out.push_back({r.text(i, std::size_t(0)), r.text(i, 1)});
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
