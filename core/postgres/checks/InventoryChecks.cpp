#include "postgres/checks/Context.h"

#include <QRandomGenerator>

namespace causeway::postgres {

namespace {

QString quoteName(const TableName &n)
{
    return quoteId(n.schema) + QLatin1Char('.') + quoteId(n.name);
}

QString ofClass(const char *columns, const char *more)
{
    return QStringLiteral("SELECT n.nspname, c.relname%1 FROM pg_catalog.pg_class c JOIN "
                          "pg_catalog.pg_namespace n ON n.oid = c.relnamespace %2 AND {ns} ORDER "
                          "BY 1, 2")
        .arg(QLatin1String(columns), QLatin1String(more));
}

/// Rows of two leading columns, schema and name, that are in scope.
struct Named {
    TableName name;
    QString third;
};
Result<std::vector<Named>> inScope(Look &look, const QString &sql)
{
    CW_TRY_ASSIGN(const auto rows, look.here.query(sql, look.stop));
    std::vector<Named> out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Named n{{rows.text(i, 0), rows.text(i, 1)}, {}};
        if (rows.rows[i].size() > 2)
            n.third = rows.text(i, 2);
        if (look.here.inScope(n.name))
            out.push_back(std::move(n));
    }
    return out;
}

Status lookList(Look &look, const QString &sql, Text none)
{
    CW_TRY_ASSIGN(const auto found, inScope(look, sql));
    for (const Named &n : found) {
        const QString shown =
            n.third.isEmpty() ? n.name.display() : n.name.display() + QLatin1Char('.') + n.third;
        if (!look.out.objects.contains(shown))
            look.out.objects << shown;
    }
    if (look.out.objects.isEmpty())
        return look.pass(std::move(none));
    return look.info(cwText("core", "%1: %2.", static_cast<qint64>(look.out.objects.size()),
                            someOf(look.out.objects)));
}

const QString kNoEquality = ofClass(
    ", a.attname",
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE c.relkind = 'r' AND c.relreplident = "
    "'f' AND t.typtype = 'b' AND t.typcategory <> 'A' AND NOT EXISTS (SELECT 1 FROM "
    "pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod WHERE m.amname IN "
    "('btree', 'hash') AND o.opcdefault AND (o.opcintype = t.oid OR EXISTS (SELECT 1 FROM "
    "pg_catalog.pg_cast k WHERE k.castsource = t.oid AND k.casttarget = o.opcintype AND "
    "k.castmethod = 'b' AND k.castcontext = 'i')))");

Status lookNoEquality(Look &look)
{
    CW_TRY_ASSIGN(const auto found, inScope(look, kNoEquality));
    QStringList sql, tables;
    for (const Named &n : found) {
        look.out.objects << n.name.display() + QLatin1Char('.') + n.third;
        if (tables.contains(n.name.display()))
            continue;
        tables << n.name.display();
        sql << QStringLiteral("ALTER TABLE %1 ADD COLUMN causeway_row_id bigint GENERATED ALWAYS "
                              "AS IDENTITY PRIMARY KEY;")
                   .arg(quoteName(n.name))
            << QStringLiteral("ALTER TABLE %1 REPLICA IDENTITY DEFAULT;").arg(quoteName(n.name));
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "Every row that is changed can be found again."));
    look.out.fix =
        sqlFix(look, sql,
               cwText("core", "Best a primary key that means something. The SQL adds a number; it "
                              "rewrites the table and locks it meanwhile."),
               QStringLiteral("owner of the table"));
    return look.block(cwText("core",
                             "Tables whose rows are found by all columns, among them some that "
                             "cannot be compared: %1.",
                             someOf(look.out.objects)));
}

const QString kLong = QStringLiteral(
    "SELECT pid::text, COALESCE(usename, '') || ', ' || COALESCE(datname, '') || ', since ' || "
    "date_trunc('second', xact_start)::text FROM pg_catalog.pg_stat_activity WHERE backend_xid IS "
    "NOT NULL AND xact_start < pg_catalog.now() - interval '30 s' ORDER BY xact_start");

Status lookLongTransactions(Look &look)
{
    CW_TRY_ASSIGN(const auto rows, look.here.query(kLong, look.stop));
    if (rows.rows.empty())
        return look.pass(cwText("core", "No writing transaction is older than 30 seconds."));
    QStringList sql;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        look.out.objects << QStringLiteral("#%1 (%2)").arg(rows.text(i, 0), rows.text(i, 1));
        sql << QStringLiteral("SELECT pg_terminate_backend(%1);").arg(rows.text(i, 0));
    }
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Wait for them to end, or end their sessions: what they "
                                         "changed is rolled back."),
                          QStringLiteral("member of pg_signal_backend"));
    return look.warn(cwText("core", "Writing transactions open for more than 30 seconds: %1.",
                            someOf(look.out.objects)));
}

const QString kSlots = QStringLiteral(
    "SELECT slot_name::text, to_jsonb(s)->>'wal_status', "
    "(pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() THEN "
    "pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, "
    "restart_lsn) / 1048576)::bigint FROM pg_catalog.pg_replication_slots s WHERE NOT active AND "
    "slot_name NOT LIKE 'causeway\\_%' ORDER BY 1");

Status lookSlotHealth(Look &look)
{
    constexpr qint64 kMuch = 1'024; // MiB
    CW_TRY_ASSIGN(const auto rows, look.here.query(kSlots, look.stop));
    QStringList sql;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const QString name = rows.text(i, 0), status = rows.text(i, 1);
        const bool lost = status == QLatin1String("lost") || status == QLatin1String("unreserved");
        if (!lost && rows.text(i, 2).toLongLong() < kMuch)
            continue;
        look.out.objects << (lost ? QStringLiteral("%1 (%2)").arg(name, status)
                                  : QStringLiteral("%1 (%2 MiB)").arg(name, rows.text(i, 2)));
        sql << QStringLiteral("SELECT pg_drop_replication_slot(%1);").arg(quoteText(name));
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "No slot that nobody reads holds much of the log."));
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "If nobody will read them again: a slot keeps the log for "
                                         "ever and fills the disk; one that is lost is of no use."),
                          QStringLiteral("REPLICATION"));
    return look.warn(cwText("core", "Slots that nobody reads: %1.", someOf(look.out.objects)));
}

const QString kClash = QStringLiteral(
    "SELECT 'slot', slot_name::text, active::text FROM pg_catalog.pg_replication_slots WHERE "
    "slot_name LIKE 'causeway\\_%' AND database = current_database() UNION ALL SELECT "
    "'publication', pubname::text, '' FROM pg_catalog.pg_publication WHERE pubname LIKE "
    "'causeway\\_%' ORDER BY 1, 2");

/// What migrations of ours left, or have: they end on their own when they are finished.
Status lookNameClash(Look &look)
{
    CW_TRY_ASSIGN(const auto rows, look.here.query(kClash, look.stop));
    QStringList sql;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const QString name = rows.text(i, 1);
        look.out.objects << rows.text(i, 0) + QLatin1Char(' ') + name;
        if (rows.text(i, 0) == QLatin1String("publication"))
            sql << QStringLiteral("DROP PUBLICATION %1;").arg(quoteId(name));
        else if (rows.text(i, 2) != QLatin1String("true"))
            sql << QStringLiteral("SELECT pg_drop_replication_slot(%1);").arg(quoteText(name));
    }
    if (rows.rows.empty())
        return look.pass(cwText("core", "Nothing of another migration is here."));
    look.out.fix = sqlFix(
        look, sql,
        cwText("core", "Finish or cancel the migration that they belong to: it removes them. "
                       "The SQL is for one whose file is lost."),
        QStringLiteral("owner of the publication, REPLICATION"));
    return look.warn(
        cwText("core", "Of another migration by Causeway: %1.", someOf(look.out.objects)));
}

const QString kAlways = ofClass(
    ", g.tgname", "JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid WHERE NOT g.tgisinternal AND "
                  "g.tgenabled IN ('A', 'R') AND g.tgname NOT LIKE 'causeway\\_%'");
const QString kNotValid =
    ofClass(", o.conname", "JOIN pg_catalog.pg_constraint o ON o.conrelid = c.oid WHERE NOT "
                           "o.convalidated");
const QString kForeign = ofClass("", "WHERE c.relkind = 'f'");
const QString kViews = ofClass("", "WHERE c.relkind = 'm'");
const QString kPartitioned = ofClass("", "WHERE c.relkind = 'p'");
const QString kGenerated = ofClass(
    ", a.attname", "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped "
                   "WHERE c.relkind IN ('r', 'p') AND to_jsonb(a)->>'attgenerated' <> ''");
const QString kSize = QStringLiteral(
    "SELECT pg_catalog.pg_database_size(current_database()) / 1048576, count(*) FROM "
    "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
    "c.relkind "
    "= 'r' AND {ns}");

Status lookAlways(Look &look)
{
    CW_TRY_ASSIGN(const auto found, inScope(look, kAlways));
    QStringList sql;
    for (const Named &n : found) {
        look.out.objects << n.name.display() + QLatin1Char('.') + n.third;
        sql << QStringLiteral("ALTER TABLE %1 ENABLE TRIGGER %2;")
                   .arg(quoteName(n.name), quoteId(n.third));
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "No trigger fires when changes are replicated."));
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Causeway takes them off the side that follows. If they "
                                         "need not fire there, the SQL makes them ordinary ones."),
                          QStringLiteral("owner of the table"));
    return look.info(cwText("core", "Triggers that fire when changes are replicated too: %1.",
                            someOf(look.out.objects)));
}

Status lookSize(Look &look)
{
    CW_TRY_ASSIGN(const auto rows, look.here.query(kSize, look.stop));
    return look.info(
        cwText("core", "%1 tables; the database has %2 MiB.", rows.text(0, 1), rows.text(0, 0)));
}

/// A slot of its session: the server removes it by itself if we vanish.
Status probeSlot(Look &look)
{
    const QString name = QStringLiteral("causeway_probe_%1")
                             .arg(QRandomGenerator::global()->generate(), 8, 16, QLatin1Char('0'));
    CW_TRY_ASSIGN(const auto session, Session::open(look.here.address(), look.stop));
    CW_TRY(session->exec(QStringLiteral("SET lock_timeout = '5s'"), look.stop));
    const auto made =
        session->query(QStringLiteral("SELECT pg_catalog.pg_create_logical_replication_slot(%1, "
                                      "'pgoutput', true)")
                           .arg(quoteText(name)),
                       look.stop);
    if (!made && made.error().code == ErrorCode::Server) {
        look.out.fix.text =
            cwText("core", "Mend what the server complains of: most often wal_level, "
                           "the right to replicate, or that no slot is free.");
        return look.block(cwText("core", "The server makes no slot: %1", made.error().describe()));
    }
    CW_TRY(made);
    CW_TRY(session->query(
        QStringLiteral("SELECT pg_catalog.pg_drop_replication_slot(%1)").arg(quoteText(name)),
        look.stop));
    return look.pass(cwText("core", "A slot was made and removed."));
}

} // namespace

void addInventoryChecks(CheckList &list)
{
    list.add(
        {.id = QStringLiteral("pg-replica-identity-full"),
         .title = cwText("core", "Rows that cannot be compared"),
         .needed = cwText("core", "No REPLICA IDENTITY FULL with a json, point or xml column."),
         .why = cwText("core", "The follower finds a changed row by comparing all its columns, "
                               "and these types have no equality: the change cannot be "
                               "applied."),
         .acceptable = true,
         .onlyLive = true,
         .sql = {kNoEquality},
         .look = lookNoEquality});
    list.add(
        {.id = QStringLiteral("pg-long-transactions"),
         .title = cwText("core", "Long transactions"),
         .needed = cwText("core", "None that writes for more than 30 seconds, in any database "
                                  "of the server."),
         .why = cwText("core", "A slot waits for every transaction that writes, and so does the "
                               "lock at the switch."),
         .blocking = false,
         .onlyLive = true,
         .sql = {kLong},
         .look = lookLongTransactions});
    list.add({.id = QStringLiteral("pg-slot-health"),
              .on = On::Both,
              .title = cwText("core", "Slots that nobody reads"),
              .needed = cwText("core", "None that holds more than 1 GiB of the log, none that is "
                                       "lost."),
              .why = cwText("core", "They fill the disk, just when the migration needs it."),
              .blocking = false,
              .sql = {kSlots},
              .look = lookSlotHealth});
    list.add({.id = QStringLiteral("pg-name-clash"),
              .on = On::Both,
              .title = cwText("core", "Other migrations"),
              .needed = cwText("core", "No slot and no publication of another migration."),
              .why = cwText("core", "One that was left behind keeps the log for ever."),
              .blocking = false,
              .onlyLive = true,
              .sql = {kClash},
              .look = lookNameClash});
    list.add({.id = QStringLiteral("pg-always-triggers"),
              .title = cwText("core", "Triggers that always fire"),
              .needed = cwText("core", "Nothing: this is for you to know."),
              .why = cwText("core", "On the side that follows they would do a second time what "
                                    "arrives already."),
              .blocking = false,
              .onlyLive = true,
              .sql = {kAlways},
              .look = lookAlways});
    const auto add = [&](const char *id, Text title, Text why, const QString &sql,
                         std::function<Status(Look &)> look) {
        list.add({.id = QString::fromLatin1(id),
                  .title = std::move(title),
                  .needed = cwText("core", "Nothing: this is for you to know."),
                  .why = std::move(why),
                  .blocking = false,
                  .sql = {sql},
                  .look = std::move(look)});
    };
    const auto listing = [](const QString &sql, const Text &none) {
        return [sql, none](Look &look) { return lookList(look, sql, none); };
    };
    add("pg-size", cwText("core", "Size"),
        cwText("core", "The target needs half as much space again."), kSize, lookSize);
    add("pg-not-valid-constraints", cwText("core", "Constraints that are not validated"),
        cwText("core", "They are made NOT VALID on the target again: rows that break them move."),
        kNotValid, listing(kNotValid, cwText("core", "All are validated.")));
    add("pg-foreign-tables", cwText("core", "Foreign tables"),
        cwText("core", "Their rows are on another server, which the target must reach as well."),
        kForeign, listing(kForeign, cwText("core", "No foreign tables.")));
    add("pg-materialized-views", cwText("core", "Materialised views"),
        cwText("core", "They are filled anew on the target, just before the switch."), kViews,
        listing(kViews, cwText("core", "No materialised views.")));
    add("pg-partitions", cwText("core", "Partitioned tables"),
        cwText("core", "A new partition is a change of the schema, which a switch stops at: let no "
                       "scheduled job make one meanwhile."),
        kPartitioned, listing(kPartitioned, cwText("core", "No partitioned tables.")));
    add("pg-generated-columns", cwText("core", "Generated columns"),
        cwText("core", "The target computes them itself."), kGenerated,
        listing(kGenerated, cwText("core", "No generated columns.")));
    list.add({.id = QStringLiteral("pg-slot-probe"),
              .title = cwText("core", "Making a slot, tried"),
              .needed = cwText("core", "A temporary slot can be made."),
              .why = cwText("core", "It proves in one what settings and privileges only promise."),
              .onlyLive = true,
              .isProbe = true,
              .sql = {QStringLiteral("SELECT pg_create_logical_replication_slot("
                                     "'causeway_probe_...', 'pgoutput', true)"),
                      QStringLiteral("SELECT pg_drop_replication_slot('causeway_probe_...')")},
              .look = probeSlot});
}

} // namespace causeway::postgres
