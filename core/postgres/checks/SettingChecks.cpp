#include "postgres/checks/Context.h"

#include <algorithm>

namespace causeway::postgres {

namespace {

/// Defaults that the server, the database or the account has for every new session. Causeway's own
/// sessions set what they need; those that replication opens by itself, with the same account, take
/// the defaults.
const QString kDefaults = QStringLiteral(
    "SELECT name, reset_val FROM pg_catalog.pg_settings WHERE (name = 'array_nulls' AND reset_val "
    "<> 'on') OR (name = 'xmloption' AND reset_val <> 'content') OR (name IN ('statement_timeout', "
    "'transaction_timeout', 'lock_timeout') AND reset_val <> '0') ORDER BY 1");

Status lookDefaults(Look &look)
{
    CW_TRY_ASSIGN(const auto rows, look.here.query(kDefaults, look.stop));
    if (rows.rows.empty())
        return look.pass(cwText("core", "None that would matter."));
    const QString role = quoteId(look.here.address().user);
    bool wrongValues = false;
    QStringList found, sql;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const QString name = rows.text(i, 0);
        const bool values =
            name == QLatin1String("array_nulls") || name == QLatin1String("xmloption");
        wrongValues = wrongValues || values;
        found << QStringLiteral("%1 = %2").arg(name, rows.text(i, 1));
        sql << QStringLiteral("ALTER ROLE %1 SET %2 = %3;")
                   .arg(role, name,
                        !values                              ? QStringLiteral("0")
                        : name == QLatin1String("xmloption") ? QStringLiteral("content")
                                                             : QStringLiteral("on"));
    }
    look.out.objects = found;
    look.out.fix = sqlFix(look, sql, cwText("core", "For Causeway's account only."),
                          QStringLiteral("the account itself"));
    const Text said =
        cwText("core", "New sessions of the account have: %1.", found.join(QStringLiteral(", ")));
    return wrongValues ? look.block(said) : look.warn(said);
}

Status lookWalKept(Look &look)
{
    CW_TRY_ASSIGN(const QString limit, look.here.setting("max_slot_wal_keep_size", look.stop));
    CW_TRY_ASSIGN(const QString idle,
                  look.here.setting("idle_replication_slot_timeout", look.stop));
    if (!idle.isEmpty() && idle != QLatin1String("0")) {
        look.out.fix = settingFix(look, QStringLiteral("idle_replication_slot_timeout"),
                                  QStringLiteral("0"), false);
        return look.warn(cwText("core",
                                "A slot that is not read for a while is invalidated "
                                "(idle_replication_slot_timeout = %1 s).",
                                idle));
    }
    if (limit.isEmpty() || limit.startsWith(QLatin1Char('-')))
        return look.pass(cwText("core", "Log is kept for as long as it is needed."));
    CW_TRY_ASSIGN(
        const auto size,
        look.here.query(QStringLiteral("SELECT (pg_catalog.pg_database_size(current_database()) / "
                                       "1048576)::bigint"),
                        look.stop));
    const qint64 kept = limit.toLongLong(), database = size.text(0, 0).toLongLong();
    // While the rows are copied the log of that time is kept: as much as the database itself is a
    // generous measure of it.
    if (kept > database)
        return look.pass(cwText("core", "Up to %1 MB of log are kept.", kept));
    look.out.fix =
        settingFix(look, QStringLiteral("max_slot_wal_keep_size"), QStringLiteral("-1"), false);
    return look.warn(cwText("core",
                            "Only %1 MB of log are kept for a reader (max_slot_wal_keep_size); the "
                            "database has %2 MB.",
                            kept, database));
}

Status lookLocks(Look &look)
{
    CW_TRY_ASSIGN(const auto rows,
                  look.here.query(
                      QStringLiteral(
                          "SELECT count(*), current_setting('max_locks_per_transaction')::bigint * "
                          "(current_setting('max_connections')::bigint + "
                          "current_setting('max_prepared_transactions')::bigint) FROM "
                          "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
                          "c.relnamespace WHERE c.relkind IN ('r','p') AND {ns}"),
                      look.stop));
    const qint64 tables = rows.text(0, 0).toLongLong(), room = rows.text(0, 1).toLongLong();
    if (tables * 2 < room)
        return look.pass(cwText("core", "Room for %1 locks, for %2 tables.", room, tables));
    CW_TRY_ASSIGN(const QString now, look.here.setting("max_locks_per_transaction", look.stop));
    look.out.fix = settingFix(
        look, QStringLiteral("max_locks_per_transaction"),
        QString::number(now.toLongLong() * (tables * 3 / std::max<qint64>(room, 1) + 1)), true);
    const Text said = cwText("core", "Room for %1 locks, for %2 tables.", room, tables);
    return tables < room ? look.warn(said) : look.block(said);
}

Status lookEventTriggers(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    const QString may = facts->versionNumber >= 150000
                            ? QStringLiteral("pg_catalog.has_parameter_privilege("
                                             "'session_replication_role', 'SET')")
                            : QStringLiteral("(SELECT rolsuper FROM pg_catalog.pg_roles WHERE "
                                             "rolname = current_user)");
    CW_TRY_ASSIGN(
        const auto rows,
        look.here.query(QStringLiteral("SELECT evtname FROM pg_catalog.pg_event_trigger e WHERE "
                                       "(evtenabled IN ('A','R') OR evtenabled = 'O' AND NOT %1) "
                                       "AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE "
                                       "d.objid = e.oid AND d.deptype = 'e') ORDER BY 1")
                            .arg(may),
                        look.stop));
    if (rows.rows.empty())
        return look.pass(cwText("core", "None that would act on Causeway's own changes."));
    QStringList sql;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        look.out.objects << rows.text(i, 0);
        sql << QStringLiteral("ALTER EVENT TRIGGER %1 DISABLE;").arg(quoteId(rows.text(i, 0)));
    }
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Disable them until the migration is finished, or let the "
                                         "account set session_replication_role."),
                          QStringLiteral("owner of the event trigger"));
    return look.warn(cwText("core", "They fire at Causeway's own changes: %1.",
                            look.out.objects.join(QStringLiteral(", "))));
}

} // namespace

void addSettingChecks(CheckList &list)
{
    list.add({.id = QStringLiteral("pg-account-settings"),
              .on = On::Both,
              .title = cwText("core", "Defaults of the account"),
              .needed = cwText("core", "array_nulls is on, xmloption is content, no time-outs."),
              .why = cwText("core", "The server's own sessions of replication take them: with "
                                    "array_nulls off, a NULL in an array arrives as the word; a "
                                    "time-out ends the copy of a large table."),
              .onlyLive = true,
              .sql = {kDefaults},
              .look = lookDefaults});
    list.add({.id = QStringLiteral("pg-wal-keep"),
              .on = On::Both,
              .title = cwText("core", "Log kept"),
              .needed = cwText("core", "No limit, or one beyond what the copy's time needs."),
              .why = cwText("core", "A slot that is further behind is lost, and the copy must be "
                                    "made again."),
              .blocking = false,
              .onlyLive = true,
              .sql = {QStringLiteral("SELECT name, setting FROM pg_settings WHERE name IN "
                                     "('max_slot_wal_keep_size', "
                                     "'idle_replication_slot_timeout')")},
              .look = lookWalKept});
    list.add({.id = QStringLiteral("pg-locks"),
              .on = On::Both,
              .title = cwText("core", "Room for locks"),
              .needed = cwText("core", "More than twice the number of tables and partitions."),
              .why = cwText("core", "At the switch every table is locked in one transaction."),
              .onlyLive = true,
              .sql = {QStringLiteral("SELECT current_setting('max_locks_per_transaction')")},
              .look = lookLocks});
    list.add({.id = QStringLiteral("pg-event-triggers"),
              .on = On::Both,
              .title = cwText("core", "Event triggers"),
              .needed = cwText("core", "None that fires at Causeway's own changes."),
              .why = cwText("core", "What they write is on one side only, and differs then."),
              .blocking = false,
              .onlyLive = true,
              .sql = {QStringLiteral("SELECT evtname, evtenabled FROM pg_event_trigger")},
              .look = lookEventTriggers});
}

} // namespace causeway::postgres
