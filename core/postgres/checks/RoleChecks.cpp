#include "postgres/checks/Context.h"

#include <QSet>

namespace causeway::postgres {

namespace {

const QString kUnreadable = QStringLiteral(
    "SELECT n.nspname, c.relname, c.relkind, pg_catalog.has_schema_privilege(n.oid,'USAGE') FROM "
    "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace WHERE c.relkind "
    "IN "
    "('r','p','m','S') AND {ns} AND NOT (pg_catalog.has_schema_privilege(n.oid,'USAGE') AND CASE "
    "WHEN "
    "c.relkind='S' THEN pg_catalog.has_sequence_privilege(c.oid,'SELECT') ELSE "
    "pg_catalog.has_table_privilege(c.oid,'SELECT') END) ORDER BY 1,2");

const QString kOwners = QStringLiteral(
    "SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c JOIN "
    "pg_catalog.pg_namespace n ON n.oid=c.relnamespace WHERE c.relkind IN ('r','p') AND {ns} AND "
    "NOT "
    "pg_catalog.pg_has_role(current_user,c.relowner,'USAGE') ORDER BY 1");

const QString kCreate =
    QStringLiteral("SELECT pg_catalog.has_database_privilege(current_database(),'CREATE')");

QString grantReplication(Look &look, const QString &role)
{
    const Platform p = platformOf(look);
    return p == Platform::Rds || p == Platform::Aurora
               ? QStringLiteral("GRANT rds_replication TO %1;").arg(role)
               : QStringLiteral("ALTER ROLE %1 REPLICATION;").arg(role);
}

/// Before 16 only a superuser may, or what a service has in its place.
Result<QString> grantSubscription(Look &look, const QString &role)
{
    const Platform p = platformOf(look);
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    if (p == Platform::Rds || p == Platform::Aurora)
        return QStringLiteral("GRANT rds_superuser TO %1;").arg(role);
    if (p == Platform::CloudSql)
        return QStringLiteral("GRANT cloudsqlsuperuser TO %1;").arg(role);
    if (p == Platform::Azure)
        return QStringLiteral("GRANT azure_pg_admin TO %1;").arg(role);
    return facts->versionNumber >= 160000
               ? QStringLiteral("GRANT pg_create_subscription TO %1;").arg(role)
               : QStringLiteral("ALTER ROLE %1 SUPERUSER;").arg(role);
}

Status lookGrants(Look &look)
{
    CW_TRY_ASSIGN(const auto *role, look.here.role(look.stop));
    const QString me = quoteId(role->name);
    QStringList sql;
    const bool source = look.here.side() == Side::Source, live = !look.options.once;
    if (source && live && !role->mayReplicate) {
        look.out.objects << QStringLiteral("REPLICATION");
        sql << grantReplication(look, me);
    }
    const bool subscribes = !live || role->createSubscription;
    if (!source && !subscribes) {
        look.out.objects << QStringLiteral("CREATE SUBSCRIPTION");
        CW_TRY_ASSIGN(const QString grant, grantSubscription(look, me));
        sql << grant;
    }
    CW_TRY_ASSIGN(const auto create, look.here.query(kCreate, look.stop));
    CW_TRY_ASSIGN(const bool missing, look.here.databaseMissing(look.stop));
    if ((live || !source) && !missing && !create.isTrue(0, 0)) {
        look.out.objects << QStringLiteral("CREATE ON DATABASE");
        sql << QStringLiteral("GRANT CREATE ON DATABASE %1 TO %2;")
                   .arg(quoteId(look.here.address().database), me);
    }
    if (source) {
        CW_TRY_ASSIGN(const auto unreadable, look.here.query(kUnreadable, look.stop));
        QSet<QString> schemas;
        for (std::size_t i = 0; i < unreadable.rows.size(); ++i) {
            const TableName name{unreadable.text(i, 0), unreadable.text(i, 1)};
            const bool sequence = unreadable.text(i, 2) == QLatin1String("S");
            if (!sequence && !look.here.inScope(name))
                continue;
            look.out.objects << QStringLiteral("SELECT ON ") + name.display();
            if (!unreadable.isTrue(i, 3) && !schemas.contains(name.schema)) {
                schemas.insert(name.schema);
                sql << QStringLiteral("GRANT USAGE ON SCHEMA %1 TO %2;")
                           .arg(quoteId(name.schema), me);
            }
            sql << QStringLiteral("GRANT SELECT ON %1 %2.%3 TO %4;")
                       .arg(sequence ? QStringLiteral("SEQUENCE") : QStringLiteral("TABLE"),
                            quoteId(name.schema), quoteId(name.name), me);
        }
        if (live) {
            CW_TRY_ASSIGN(const auto owners, look.here.query(kOwners, look.stop));
            for (std::size_t i = 0; i < owners.rows.size(); ++i) {
                look.out.objects << QStringLiteral("ROLE ") + owners.text(i, 0);
                sql << QStringLiteral("GRANT %1 TO %2;").arg(quoteId(owners.text(i, 0)), me);
            }
        }
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "%1 has all the privileges needed.", role->name));
    look.out.fix =
        sqlFix(look, sql,
               cwText("core", "Run by the owner or an administrator of this database. Only "
                              "the owner of a table can publish it."),
               QStringLiteral("SUPERUSER, or owner and CREATEROLE"));
    return look.block(cwText("core", "%1 lacks: %2.", role->name, someOf(look.out.objects)));
}

/// Whoever follows subscribes, whoever leads lets its changes be read: after the switch they change
/// places.
Status lookWayBack(Look &look)
{
    if (look.options.oneWay)
        return look.skip(cwText("core", "A move one way was asked for."));
    CW_TRY_ASSIGN(const auto *role, look.here.role(look.stop));
    const bool source = look.here.side() == Side::Source;
    if (source ? role->createSubscription : role->mayReplicate)
        return look.pass(cwText("core", "%1 has what the way back needs.", role->name));
    const QString me = quoteId(role->name);
    QString grant = grantReplication(look, me);
    if (source) {
        CW_TRY_ASSIGN(grant, grantSubscription(look, me));
    }
    look.out.fix = sqlFix(look, {grant},
                          cwText("core", "Run by an administrator; or accept a move without a way "
                                         "back: --accept one-way."),
                          QStringLiteral("SUPERUSER"));
    return look.warn(source ? cwText("core",
                                     "%1 may not subscribe the source to the target after the "
                                     "switch.",
                                     role->name)
                            : cwText("core",
                                     "%1 may not let the target's changes be read after the "
                                     "switch.",
                                     role->name));
}

Status lookRowSecurity(Look &look)
{
    CW_TRY_ASSIGN(
        const auto rows,
        look.here.query(QStringLiteral("SELECT n.nspname, c.relname FROM "
                                       "pg_catalog.pg_class c JOIN "
                                       "pg_catalog.pg_namespace n ON n.oid=c.relnamespace "
                                       "WHERE c.relrowsecurity AND "
                                       "pg_catalog.row_security_active(c.oid) AND {ns} "
                                       "ORDER BY 1,2"),
                        look.stop));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const TableName name{rows.text(i, 0), rows.text(i, 1)};
        if (look.here.inScope(name))
            look.out.objects << name.display();
    }
    if (look.out.objects.isEmpty())
        return look.pass(cwText("core", "No policy hides rows from this account."));
    CW_TRY_ASSIGN(const auto *role, look.here.role(look.stop));
    look.out.fix = sqlFix(
        look, {QStringLiteral("ALTER ROLE %1 BYPASSRLS;").arg(quoteId(role->name))},
        cwText("core", "Lets Causeway's account see every row."), QStringLiteral("SUPERUSER"));
    return look.block(
        cwText("core", "Policies hide rows from this account in: %1.", someOf(look.out.objects)));
}

} // namespace

void addRoleChecks(CheckList &list)
{
    list.add({.id = QStringLiteral("pg-grants"),
              .on = On::Both,
              .title = cwText("core", "Privileges"),
              .needed = cwText("core", "What the steps of this migration need."),
              .why = cwText("core", "Better to know now than in the middle."),
              .sql = {kUnreadable, kOwners, kCreate},
              .look = lookGrants});
    list.add({.id = QStringLiteral("pg-way-back"),
              .on = On::Both,
              .title = cwText("core", "The way back"),
              .needed = cwText("core", "After the switch the old source can follow the target."),
              .why = cwText("core", "Else there is no going back without losing what was written "
                                    "since."),
              .blocking = false,
              .needsTarget = true,
              .onlyLive = true,
              .sql = {QStringLiteral("SELECT rolsuper, rolreplication FROM pg_roles WHERE rolname "
                                     "= current_user")},
              .look = lookWayBack});
    list.add(
        {.id = QStringLiteral("pg-row-level-security"),
         .title = cwText("core", "Row-level security"),
         .needed = cwText("core", "The account sees every row."),
         .why = cwText("core", "Rows that a policy hides would be missing on the target, without "
                               "any error."),
         .sql = {QStringLiteral("SELECT oid::regclass FROM pg_class WHERE relrowsecurity AND "
                                "row_security_active(oid)")},
         .look = lookRowSecurity});
}

Result<QStringList> userScript(ServerContext &server, const QString &account, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto *facts, server.facts(stop));
    const QString name = quoteId(account);
    const QString database = quoteId(server.address().database);
    const bool source = server.side() == Side::Source, live = !server.options().once;
    const bool amazon = facts->platform == Platform::Rds || facts->platform == Platform::Aurora;
    QStringList out{QStringLiteral("CREATE ROLE %1 LOGIN%2 PASSWORD '${password}';")
                        .arg(name, live && !amazon ? QStringLiteral(" REPLICATION") : QString())};
    if (live && amazon)
        out << QStringLiteral("GRANT rds_replication TO %1;").arg(name);
    out << QStringLiteral("GRANT CONNECT, CREATE ON DATABASE %1 TO %2;").arg(database, name);
    QStringList schemas = server.schemaNames();
    if (source) {
        if (schemas.isEmpty()) {
            CW_TRY_ASSIGN(const auto rows,
                          server.query(QStringLiteral("SELECT n.nspname FROM "
                                                      "pg_catalog.pg_namespace n WHERE {ns} ORDER "
                                                      "BY 1"),
                                       stop));
            for (std::size_t i = 0; i < rows.rows.size(); ++i)
                schemas << rows.text(i, 0);
        }
        for (const QString &s : schemas) {
            out << QStringLiteral("GRANT USAGE ON SCHEMA %1 TO %2;").arg(quoteId(s), name)
                << QStringLiteral("GRANT SELECT ON ALL TABLES IN SCHEMA %1 TO %2;")
                       .arg(quoteId(s), name)
                << QStringLiteral("GRANT SELECT ON ALL SEQUENCES IN SCHEMA %1 TO %2;")
                       .arg(quoteId(s), name);
        }
        if (live) {
            CW_TRY_ASSIGN(
                const auto owners,
                server.query(
                    QStringLiteral("SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner) "
                                   "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace "
                                   "n ON n.oid=c.relnamespace JOIN pg_catalog.pg_roles r ON "
                                   "r.oid=c.relowner WHERE c.relkind IN ('r','p') AND {ns} "
                                   "AND NOT r.rolsuper ORDER BY 1"),
                    stop));
            for (std::size_t i = 0; i < owners.rows.size(); ++i)
                out << QStringLiteral("GRANT %1 TO %2;").arg(quoteId(owners.text(i, 0)), name);
        }
        CW_TRY_ASSIGN(const auto secured,
                      server.query(QStringLiteral("SELECT count(*) FROM pg_catalog.pg_class c JOIN "
                                                  "pg_catalog.pg_namespace n ON "
                                                  "n.oid=c.relnamespace WHERE c.relrowsecurity AND "
                                                  "{ns}"),
                                   stop));
        if (secured.text(0, 0).toLongLong() > 0)
            out << QStringLiteral("ALTER ROLE %1 BYPASSRLS;").arg(name);
    }
    // The source's for the way back.
    if (live && facts->versionNumber >= 160000 && !amazon)
        out << QStringLiteral("GRANT pg_create_subscription TO %1;").arg(name);
    return out;
}

} // namespace causeway::postgres
