#include "postgres/checks/Context.h"

namespace causeway::postgres {

namespace {

QString quoteName(const TableName &n)
{
    return quoteId(n.schema) + QLatin1Char('.') + quoteId(n.name);
}

const QString kIdentity = QStringLiteral(
    "SELECT n.nspname, c.relname, (SELECT x.relname FROM pg_catalog.pg_index i JOIN "
    "pg_catalog.pg_class x ON x.oid=i.indexrelid WHERE i.indrelid=c.oid AND i.indisunique AND "
    "i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS "
    "(SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid=c.oid AND a.attnum=ANY(i.indkey) "
    "AND "
    "NOT a.attnotnull) ORDER BY i.indisprimary DESC, x.relname LIMIT 1) FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace WHERE c.relkind IN ('r','p') AND "
    "c.relpersistence='p' AND {ns} AND NOT CASE c.relreplident WHEN 'f' THEN true WHEN 'n' THEN "
    "false WHEN 'i' THEN EXISTS(SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid=c.oid AND "
    "i.indisreplident AND i.indisvalid) ELSE EXISTS(SELECT 1 FROM pg_catalog.pg_index i WHERE "
    "i.indrelid=c.oid AND i.indisprimary AND i.indisvalid AND i.indimmediate) END ORDER BY 1,2");

Status lookReplicaIdentity(Look &look)
{
    CW_TRY_ASSIGN(const auto rows, look.here.query(kIdentity, look.stop));
    QStringList sql;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const TableName name{rows.text(i, 0), rows.text(i, 1)};
        if (!look.here.inScope(name))
            continue;
        look.out.objects << name.display();
        sql << (rows.isNull(i, 2)
                    ? QStringLiteral("ALTER TABLE %1 REPLICA IDENTITY FULL;").arg(quoteName(name))
                    : QStringLiteral("ALTER TABLE %1 REPLICA IDENTITY USING INDEX %2;")
                          .arg(quoteName(name), quoteId(rows.text(i, 2))));
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "Every table has a replica identity."));
    sql.prepend(QStringLiteral("SET lock_timeout = '2s';"));
    look.out.fix =
        sqlFix(look, sql,
               cwText("core", "Each statement locks its table for a moment; run it again "
                              "where the lock was not free. A primary key is better than "
                              "FULL, which searches the whole table for each change."),
               QStringLiteral("owner of the table"));
    return look.block(
        cwText("core", "Tables without a replica identity: %1.", someOf(look.out.objects)));
}

Status lookUnlogged(Look &look)
{
    CW_TRY_ASSIGN(
        const auto rows,
        look.here.query(QStringLiteral("SELECT n.nspname, c.relname FROM "
                                       "pg_catalog.pg_class c JOIN "
                                       "pg_catalog.pg_namespace n ON n.oid=c.relnamespace "
                                       "WHERE c.relkind='r' AND c.relpersistence='u' AND "
                                       "{ns} ORDER BY 1,2"),
                        look.stop));
    QStringList sql;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const TableName name{rows.text(i, 0), rows.text(i, 1)};
        if (!look.here.inScope(name))
            continue;
        look.out.objects << name.display();
        sql << QStringLiteral("ALTER TABLE %1 SET LOGGED;").arg(quoteName(name));
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "No unlogged tables."));
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Rewrites the table and locks it meanwhile; or have it "
                                         "copied while writes are held."),
                          QStringLiteral("owner of the table"));
    return look.warn(cwText("core", "Unlogged tables: %1.", someOf(look.out.objects)));
}

Status lookLargeObjects(Look &look)
{
    CW_TRY_ASSIGN(const auto rows,
                  look.here.query(QStringLiteral("SELECT count(*) FROM "
                                                 "pg_catalog.pg_largeobject_metadata"),
                                  look.stop));
    const qint64 count = rows.text(0, 0).toLongLong();
    if (count == 0)
        return look.pass(cwText("core", "No large objects."));
    look.out.fix.platform = platformOf(look);
    look.out.fix.text =
        cwText("core", "They are copied while writes are held. Remove orphans before, "
                       "with vacuumlo, or keep the data in bytea columns.");
    return look.warn(cwText("core", "%1 large objects.", count));
}

Status lookSequences(Look &look)
{
    CW_TRY_ASSIGN(
        const auto rows,
        look.here.query(
            QStringLiteral("SELECT schemaname, sequencename, CASE WHEN increment_by > 0 THEN "
                           "last_value::numeric/max_value ELSE last_value::numeric/min_value END > "
                           "0.9, data_type::text FROM pg_catalog.pg_sequences s JOIN "
                           "pg_catalog.pg_namespace n ON n.nspname = s.schemaname WHERE {ns} AND "
                           "last_value IS NOT NULL AND NOT cycle ORDER BY 1,2"),
            look.stop));
    QStringList sql;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const TableName name{rows.text(i, 0), rows.text(i, 1)};
        if (!rows.isTrue(i, 2))
            continue;
        look.out.objects << name.display();
        sql << QStringLiteral("ALTER SEQUENCE %1 AS bigint NO MAXVALUE NO MINVALUE;")
                   .arg(quoteName(name));
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "%1 sequences, all with numbers left.",
                                static_cast<qint64>(rows.rows.size())));
    look.out.fix =
        sqlFix(look, sql, cwText("core", "Widen the column that takes the numbers as well."),
               QStringLiteral("owner of the sequence"));
    return look.warn(
        cwText("core", "More than 90 % of the numbers are used: %1.", someOf(look.out.objects)));
}

Status lookExtensions(Look &look)
{
    CW_TRY_ASSIGN(
        const auto rows,
        look.here.query(QStringLiteral("SELECT extname, extversion FROM "
                                       "pg_catalog.pg_extension WHERE extname <> 'plpgsql' "
                                       "ORDER BY 1"),
                        look.stop));
    if (rows.rows.empty())
        return look.pass(cwText("core", "No extensions."));
    QStringList used, missing;
    QHash<QString, QString> versions;
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        used << rows.text(i, 0);
    if (!look.other) {
        look.out.objects = used;
        return look.info(
            cwText("core", "The target must have: %1.", used.join(QStringLiteral(", "))));
    }
    CW_TRY_ASSIGN(const auto available,
                  look.other->query(QStringLiteral("SELECT name FROM "
                                                   "pg_catalog.pg_available_extensions"),
                                    look.stop));
    QStringList there;
    for (std::size_t i = 0; i < available.rows.size(); ++i)
        there << available.text(i, 0);
    for (const QString &e : used) {
        if (!there.contains(e))
            missing << e;
    }
    if (missing.isEmpty())
        return look.pass(cwText("core", "The target has every extension in use."));
    look.out.objects = missing;
    const auto target = look.other->facts(look.stop);
    look.out.fix.platform = target ? (*target)->platform : Platform::SelfManaged;
    if (look.out.fix.platform == Platform::Azure) {
        look.out.fix.text = cwText("core", "Allow them on the target.");
        look.out.fix.command << QStringLiteral("az postgres flexible-server parameter set "
                                               "--resource-group GROUP --server-name SERVER --name "
                                               "azure.extensions --value %1")
                                    .arg(used.join(QLatin1Char(',')));
    } else {
        look.out.fix.text =
            cwText("core", "Install their packages on the target (on Debian "
                           "postgresql-contrib and postgresql-VERSION-NAME), or use "
                           "a service that offers them.");
    }
    return look.block(cwText("core", "Extensions that the target does not have: %1.",
                             missing.join(QStringLiteral(", "))));
}

} // namespace

void addSchemaChecks(CheckList &list)
{
    list.add(
        {.id = QStringLiteral("pg-replica-identity"),
         .title = cwText("core", "Replica identity"),
         .needed = cwText("core", "A primary key that is not deferrable, an index named as the "
                                  "identity, or FULL."),
         .why = cwText("core", "As soon as a table without one is published, the application's "
                               "own UPDATE and DELETE fail."),
         .onlyLive = true,
         .sql = {kIdentity},
         .look = lookReplicaIdentity});
    list.add(
        {.id = QStringLiteral("pg-unlogged-tables"),
         .title = cwText("core", "Unlogged tables"),
         .needed = cwText("core", "None."),
         .why = cwText("core", "Changes of an unlogged table are in no log, so that they cannot "
                               "be followed."),
         .blocking = false,
         .onlyLive = true,
         .sql = {QStringLiteral("SELECT oid::regclass FROM pg_class WHERE relkind='r' AND "
                                "relpersistence='u'")},
         .look = lookUnlogged});
    list.add({.id = QStringLiteral("pg-large-objects"),
              .title = cwText("core", "Large objects"),
              .needed = cwText("core", "None."),
              .why = cwText("core", "Large objects are never replicated."),
              .blocking = false,
              .sql = {QStringLiteral("SELECT count(*) FROM pg_largeobject_metadata")},
              .look = lookLargeObjects});
    list.add(
        {.id = QStringLiteral("pg-sequences"),
         .title = cwText("core", "Sequences"),
         .needed = cwText("core", "At most 90 % used."),
         .why = cwText("core", "Sequences are set a margin higher at the switch; where they end, "
                               "inserts fail."),
         .blocking = false,
         .sql = {QStringLiteral("SELECT schemaname, sequencename, last_value, max_value FROM "
                                "pg_sequences")},
         .look = lookSequences});
    list.add(
        {.id = QStringLiteral("pg-extensions"),
         .title = cwText("core", "Extensions"),
         .needed = cwText("core", "The target offers every extension that the source uses."),
         .why = cwText("core", "Types, functions and indexes of an extension cannot be created "
                               "without it."),
         .sql = {QStringLiteral("SELECT extname, extversion FROM pg_extension"),
                 QStringLiteral("SELECT name FROM pg_available_extensions")},
         .look = lookExtensions});
}

} // namespace causeway::postgres
