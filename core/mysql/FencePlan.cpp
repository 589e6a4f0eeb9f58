#include "mysql/FencePlan.h"

#include <QCryptographicHash>

namespace causeway::mysql {

namespace {

/// May it write while read_only is on? The applier must, or the way back is closed.
bool writesUnderReadOnly(const Session &s, const Grants &grants)
{
    if (!s.isMariaDb()) {
        return grants.has(QStringLiteral("SUPER")) ||
               (s.version() >= 80000 && grants.has(QStringLiteral("CONNECTION_ADMIN")));
    }
    // MariaDB 10.11 took the right to write under read_only out of SUPER.
    if (s.version() < 101100 && grants.has(QStringLiteral("SUPER")))
        return true;
    return grants.hasAny({QStringLiteral("READ_ONLY ADMIN"), QStringLiteral("READ ONLY ADMIN")});
}

/// FLUSH TABLES WITH READ LOCK.
bool mayLockServer(const Session &s, const Grants &grants)
{
    return grants.has(QStringLiteral("RELOAD")) ||
           (!s.isMariaDb() && grants.has(QStringLiteral("FLUSH_TABLES")));
}

/// Creating triggers needs SUPER on top where a binary log is written and functions' creators are
/// not trusted (error 1419).
Result<bool> triggersNeedSuper(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT @@log_bin AND NOT "
                                         "@@global.log_bin_trust_function_creators"),
                          stop));
    return r.text(0, std::size_t(0)) == QLatin1String("1");
}

QString hashOf(const TableName &t)
{
    return QString::fromLatin1(
        QCryptographicHash::hash(t.display().toUtf8(), QCryptographicHash::Sha1).toHex().left(10));
}

} // namespace

Result<Grants> readGrants(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r, s.query(QStringLiteral("SHOW GRANTS"), stop));
    QStringList lines;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        lines << r.text(i, std::size_t(0));
    CW_TRY_ASSIGN(const ResultSet partial,
                  s.query(QStringLiteral("SHOW GLOBAL VARIABLES LIKE 'partial_revokes'"), stop));
    const bool literal = !partial.rows.empty() && partial.text(0, 1) == QLatin1String("ON");
    return Grants::parse(lines, !literal);
}

Result<SealChoice> chooseSeal(Session &s, const std::vector<TableName> &tables,
                              std::stop_token stop)
{
    CW_TRY_ASSIGN(const Grants grants, readGrants(s, stop));
    SealChoice choice;
    if (mayLockServer(s, grants) && writesUnderReadOnly(s, grants)) {
        // With the value it has: the server checks the right first and then changes nothing.
        const Status set =
            s.exec(QStringLiteral("SET GLOBAL read_only = @@GLOBAL.read_only"), stop);
        if (set) {
            choice.kind = QStringLiteral("read_only");
            choice.persist = !s.isMariaDb() && s.version() >= 80000;
            return choice;
        }
        if (set.error().code != ErrorCode::Server)
            return fail(set.error());
        CW_TRY_ASSIGN(const ResultSet routine,
                      s.query(QStringLiteral("SELECT 1 FROM information_schema.routines WHERE "
                                             "routine_schema='mysql' AND "
                                             "routine_name='rds_set_read_only'"),
                              stop));
        if (!routine.rows.empty()) {
            choice.kind = QStringLiteral("provider");
            return choice;
        }
    }
    for (const TableName &t : tables) {
        for (const char *right : {"TRIGGER", "SELECT", "LOCK TABLES"}) {
            if (grants.has(QString::fromLatin1(right), t))
                continue;
            choice.limitation =
                cwText("core",
                       "The account %1 can neither set read_only and write under it, nor lock and "
                       "seal %2 by triggers: it lacks %3.",
                       s.address().user, t.display(), right);
            return choice;
        }
    }
    CW_TRY_ASSIGN(const bool needSuper, triggersNeedSuper(s, stop));
    if (needSuper && !grants.has(QStringLiteral("SUPER"))) {
        choice.limitation = cwText("core",
                                   "The account %1 may not create triggers: with the binary log "
                                   "on, the server wants SUPER "
                                   "or log_bin_trust_function_creators=1 (error 1419).",
                                   s.address().user);
        return choice;
    }
    choice.kind = QStringLiteral("triggers");
    return choice;
}

Result<std::vector<TableName>> tablesToFence(Session &s, const Selection &selection,
                                             std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const ResultSet r,
        s.query(QStringLiteral(
                    "SELECT table_schema, table_name FROM information_schema.tables WHERE "
                    "table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema NOT IN "
                    "('mysql', 'sys', 'information_schema', 'performance_schema', '_causeway') "
                    "ORDER BY table_schema, table_name"),
                stop));
    std::vector<TableName> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        const TableName t{r.text(i, std::size_t(0)), r.text(i, 1)};
        if (!t.name.startsWith(QLatin1String("_causeway_")) && selection.matches(t))
            out.push_back(t);
    }
    return out;
}

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
