#include "postgres/checks/Context.h"

#include "postgres/Schema.h"
#include "postgres/TargetDatabase.h"

#include <algorithm>

namespace causeway::postgres {

namespace {

const QString kRelations = QStringLiteral(
    "SELECT n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c JOIN "
    "pg_catalog.pg_namespace n "
    "ON n.oid=c.relnamespace WHERE c.relkind IN ('r','p','v','m','S','f') AND {ns} AND NOT "
    "c.relispartition AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid=c.oid AND "
    "d.deptype IN ('e','a','i') AND d.classid='pg_catalog.pg_class'::pg_catalog.regclass AND "
    "d.refobjsubid >= 0 AND (d.deptype='e' OR c.relkind='S')) ORDER BY 1,2");

Status lookDatabase(Look &look)
{
    CW_TRY_ASSIGN(const bool missing, look.here.databaseMissing(look.stop));
    const QString name = look.here.address().database;
    if (!missing)
        return look.pass(cwText("core", "\"%1\" exists.", name));
    CW_TRY_ASSIGN(const auto may,
                  look.here.query(QStringLiteral("SELECT rolsuper OR rolcreatedb FROM "
                                                 "pg_catalog.pg_roles WHERE rolname = "
                                                 "current_user"),
                                  look.stop));
    if (may.isTrue(0, 0)) {
        return look.pass(cwText("core",
                                "\"%1\" is made at the start, with the source's encoding "
                                "and locale.",
                                name));
    }
    CW_TRY_ASSIGN(const auto *role, look.here.role(look.stop));
    CW_TRY_ASSIGN(const auto source, Session::open(look.other->address(), look.stop));
    CW_TRY_ASSIGN(const QString create, createDatabaseSql(*source, name, look.stop));
    look.out.fix =
        sqlFix(look, {create + QStringLiteral(" OWNER %1;").arg(quoteId(role->name))},
               cwText("core", "Let somebody who may create it, or give %1 CREATEDB.", role->name),
               QStringLiteral("CREATEDB, and member of the owner"));
    return look.block(
        cwText("core", "There is no database \"%1\", and %2 may not create it.", name, role->name));
}

Status lookTables(Look &look)
{
    CW_TRY_ASSIGN(const bool missing, look.here.databaseMissing(look.stop));
    if (missing)
        return look.pass(cwText("core", "The target is empty."));
    CW_TRY_ASSIGN(const auto rows, look.here.query(kRelations, look.stop));
    QStringList sql;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const TableName name{rows.text(i, 0), rows.text(i, 1)};
        if (!look.here.inScope(name))
            continue;
        look.out.objects << name.display();
        const QString kind = rows.text(i, 2);
        sql << QStringLiteral("DROP %1 IF EXISTS %2.%3 CASCADE;")
                   .arg(kind == QLatin1String("v")   ? QStringLiteral("VIEW")
                        : kind == QLatin1String("m") ? QStringLiteral("MATERIALIZED VIEW")
                        : kind == QLatin1String("S") ? QStringLiteral("SEQUENCE")
                        : kind == QLatin1String("f") ? QStringLiteral("FOREIGN TABLE")
                                                     : QStringLiteral("TABLE"),
                        quoteId(name.schema), quoteId(name.name));
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "The target is empty."));
    // Named by mistake as its own target: no statement that throws its rows away.
    if (look.other) {
        CW_TRY_ASSIGN(const bool same, isSameServer(look));
        if (same) {
            look.out.fix.text = cwText("core", "This is on the source itself. Name another server "
                                               "as the target.");
            return look.block(
                cwText("core", "Already on the target: %1.", someOf(look.out.objects)));
        }
    }
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "If nobody needs them: the SQL throws them away with all "
                                         "their rows and whatever depends on them."),
                          QStringLiteral("owner of the objects"));
    return look.block(cwText("core", "Already on the target: %1.", someOf(look.out.objects)));
}

/// The schema moves by pg_dump, which refuses a server that is newer than itself.
Status lookDumpTool(Look &look)
{
    CW_TRY_ASSIGN(const auto *source, look.here.facts(look.stop));
    CW_TRY_ASSIGN(const auto *target, look.other->facts(look.stop));
    const auto tool = chooseDumpTool(findDumpTools({}, look.stop), source->versionNumber / 10000,
                                     target->versionNumber / 10000);
    if (!tool) {
        look.out.fix.text = tool.error().fix;
        return look.block(tool.error().message);
    }
    if (tool->newerThanTarget) {
        look.out.fix.text = cwText("core", "Install pg_dump of a version from the source's to the "
                                           "target's.");
        return look.warn(cwText("core",
                                "pg_dump here is %1, newer than the target: it may write "
                                "what the target does not know.",
                                tool->version));
    }
    return look.pass(cwText("core", "pg_dump %1 in %2.", tool->version, tool->folder));
}

/// Who owns what moves, or may do something with it.
const QString kRoles = QStringLiteral(
    "SELECT DISTINCT pg_catalog.pg_get_userbyid(r.id) FROM (SELECT c.relowner AS id FROM "
    "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {ns} AND "
    "c.relkind IN ('r','p','v','m','S','f') UNION SELECT a.grantee FROM pg_catalog.pg_class c JOIN "
    "pg_catalog.pg_namespace n ON n.oid = c.relnamespace, LATERAL pg_catalog.aclexplode(c.relacl) "
    "a WHERE {ns} AND a.grantee <> 0 UNION SELECT n.nspowner FROM pg_catalog.pg_namespace n WHERE "
    "{ns} UNION SELECT a.grantee FROM pg_catalog.pg_namespace n, LATERAL "
    "pg_catalog.aclexplode(n.nspacl) a WHERE {ns} AND a.grantee <> 0 UNION SELECT p.proowner FROM "
    "pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE {ns}) r "
    "WHERE pg_catalog.pg_get_userbyid(r.id) !~ '^pg_' ORDER BY 1");

Status lookRoles(Look &look)
{
    CW_TRY_ASSIGN(const auto there, look.here.query(kRoles, look.stop));
    CW_TRY_ASSIGN(
        const auto here,
        look.other->query(QStringLiteral("SELECT rolname FROM pg_catalog.pg_roles"), look.stop));
    QStringList known;
    for (std::size_t i = 0; i < here.rows.size(); ++i)
        known << here.text(i, 0);
    QStringList sql;
    for (std::size_t i = 0; i < there.rows.size(); ++i) {
        const QString role = there.text(i, 0);
        if (known.contains(role))
            continue;
        look.out.objects << role;
        sql << QStringLiteral("CREATE ROLE %1;").arg(quoteId(role));
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "Every role that owns or may use something is there."));
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Run on the target. Passwords, LOGIN and memberships are "
                                         "yours to give: no server hands them out."),
                          QStringLiteral("CREATEROLE"));
    return look.warn(cwText("core",
                            "Roles that the target has not: %1. What they own becomes the "
                            "migration account's there, and their rights are left out.",
                            someOf(look.out.objects)));
}

/// Only the native route takes workers of the target.
Status lookWorkers(Look &look)
{
    CW_TRY_ASSIGN(const auto *s, look.here.settings(look.stop));
    CW_TRY_ASSIGN(const auto rows,
                  look.here.query(QStringLiteral("SELECT count(*) FROM "
                                                 "pg_catalog.pg_stat_subscription WHERE pid IS NOT "
                                                 "NULL"),
                                  look.stop));
    const qint64 used = rows.text(0, 0).toLongLong();
    const qint64 sync = s->value(QStringLiteral("max_sync_workers_per_subscription")).toLongLong();
    const qint64 logical = s->value(QStringLiteral("max_logical_replication_workers")).toLongLong();
    const qint64 processes = s->value(QStringLiteral("max_worker_processes")).toLongLong();
    const qint64 needed = 1 + std::max<qint64>(sync, 1);
    const bool native = look.options.route == QLatin1String("native");
    const auto report = [&](Text found) {
        return native ? look.block(std::move(found)) : look.warn(std::move(found));
    };
    look.out.needed = cwText("core",
                             "%1 free workers for logical replication, and one process more "
                             "for each.",
                             needed);
    if (logical - used < needed) {
        look.out.fix = settingFix(look, QStringLiteral("max_logical_replication_workers"),
                                  QString::number(used + needed + 2), true);
        if (look.out.fix.platform == Platform::SelfManaged && processes < used + needed + 4)
            look.out.fix.sql << QStringLiteral("ALTER SYSTEM SET max_worker_processes = %1;")
                                    .arg(used + needed + 4);
        return report(cwText("core", "%1 of %2 logical replication workers are free.",
                             std::max<qint64>(logical - used, 0), logical));
    }
    if (processes < used + needed + 1) {
        look.out.fix = settingFix(look, QStringLiteral("max_worker_processes"),
                                  QString::number(used + needed + 4), true);
        return report(cwText("core", "max_worker_processes is %1.", processes));
    }
    return look.pass(
        cwText("core", "%1 of %2 logical replication workers are free.", logical - used, logical));
}

} // namespace

void addTargetChecks(CheckList &list)
{
    list.add({.id = QStringLiteral("pg-target-database"),
              .on = On::Target,
              .title = cwText("core", "The target's database"),
              .needed = cwText("core", "It exists, or the account may create it."),
              .why = cwText("core", "Everything else is made in it."),
              .sql = {QStringLiteral("SELECT rolcreatedb FROM pg_roles WHERE rolname = "
                                     "current_user")},
              .look = lookDatabase});
    list.add(
        {.id = QStringLiteral("pg-target-tables"),
         .on = On::Target,
         .title = cwText("core", "An empty target"),
         .needed = cwText("core", "None of the tables exists yet."),
         .why = cwText("core", "Rows that are there already would be mixed with those that are "
                               "copied."),
         .sql = {kRelations},
         .look = lookTables});
    list.add(
        {.id = QStringLiteral("pg-dump-tool"),
         .on = On::Pair,
         .title = cwText("core", "pg_dump"),
         .needed = cwText("core", "One on this computer, of a version from the source's to the "
                                  "target's."),
         .why = cwText("core", "The schema moves by it: it alone knows every kind of object."),
         .look = lookDumpTool});
    list.add({.id = QStringLiteral("pg-roles"),
              .on = On::Pair,
              .title = cwText("core", "Roles"),
              .needed = cwText("core", "Owners and grantees exist on the target too."),
              .why = cwText("core", "Roles belong to the server, not to the database: without "
                                    "theirs, applications cannot work on the target."),
              .blocking = false,
              .sql = {kRoles, QStringLiteral("SELECT rolname FROM pg_roles")},
              .look = lookRoles});
    list.add({.id = QStringLiteral("pg-workers"),
              .on = On::Target,
              .title = cwText("core", "Workers for logical replication"),
              .why = cwText("core", "A subscription needs one, and one more for each table that it "
                                    "copies at a time; without them it waits for ever."),
              .onlyLive = true,
              .sql = {QStringLiteral("SELECT name, setting FROM pg_settings WHERE name IN "
                                     "('max_logical_replication_workers','max_worker_processes',"
                                     "'max_sync_workers_per_subscription')")},
              .look = lookWorkers});
}

} // namespace causeway::postgres
