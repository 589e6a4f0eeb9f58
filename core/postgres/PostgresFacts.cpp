#include "base/Secret.h"
#include "postgres/PostgresDatabase.h"

namespace causeway::postgres {

Result<ServerFacts> readFacts(Session &session, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto r,
        session.query(
            QStringLiteral(
                "SELECT current_setting('server_version'), current_setting('server_version_num'), "
                "CASE WHEN to_regproc('pg_catalog.aurora_version') IS NOT NULL OR "
                "to_regproc('public.aurora_version') IS NOT NULL THEN 'aurora' "
                "WHEN current_setting('rds.extensions',true) IS NOT NULL OR "
                "current_setting('rds.logical_replication',true) IS NOT NULL THEN 'rds' "
                "WHEN current_setting('cloudsql.logical_decoding',true) IS NOT NULL THEN "
                "'cloudsql' "
                "WHEN current_setting('alloydb.logical_decoding',true) IS NOT NULL THEN 'alloydb' "
                "WHEN current_setting('azure.extensions',true) IS NOT NULL THEN 'azure' "
                "WHEN current_setting('neon.timeline_id',true) IS NOT NULL THEN 'neon' "
                "WHEN EXISTS(SELECT 1 FROM pg_catalog.pg_roles WHERE rolname='supabase_admin') "
                "THEN "
                "'supabase' "
                "WHEN EXISTS(SELECT 1 FROM pg_catalog.pg_roles WHERE rolname='doadmin') THEN "
                "'digitalocean' ELSE 'self-managed' END, pg_catalog.pg_is_in_recovery() OR "
                "current_setting('default_transaction_read_only')::boolean"),
            stop));
    ServerFacts facts;
    facts.product = QStringLiteral("PostgreSQL");
    facts.version = r.text(0, 0).section(QLatin1Char(' '), 0, 0);
    facts.versionNumber = r.text(0, 1).toInt();
    facts.platform = platformFromString(r.text(0, 2));
    facts.readOnly = r.isTrue(0, 3);
    facts.tlsVersion = session.tlsVersion();
    facts.tlsCipher = session.tlsCipher();
    // A standby has its primary's system identifier: a clone is told apart by where it runs.
    const auto id = session.query(
        QStringLiteral("SELECT system_identifier FROM pg_catalog.pg_control_system()"), stop);
    if (id) {
        facts.identity = id->text(0, 0);
    } else {
        CW_TRY_ASSIGN(const auto where,
                      session.query(QStringLiteral("SELECT inet_server_addr()||':'||"
                                                   "inet_server_port()||':'||"
                                                   "pg_postmaster_start_time()"),
                                    stop));
        facts.identity = where.text(0, 0);
    }
    return facts;
}

Result<std::vector<LiveClient>> readLiveClients(Session &session, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto r,
        session.query(
            QStringLiteral(
                "SELECT pid, usename, COALESCE(pg_catalog.host(client_addr),'local'), datname, "
                "state, "
                "COALESCE(EXTRACT(epoch FROM now()-state_change)::bigint,0), left(query,200), "
                "application_name = 'causeway', xact_start IS NOT NULL FROM "
                "pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' AND datname = "
                "current_database() AND pid <> pg_backend_pid() ORDER BY pid"),
            stop));
    std::vector<LiveClient> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        LiveClient c;
        c.id = r.text(i, 0).toLongLong();
        c.account = r.text(i, 1);
        c.host = r.text(i, 2);
        c.database = r.text(i, 3);
        c.state = r.text(i, 4);
        c.seconds = r.text(i, 5).toLongLong();
        c.statement = redact(r.text(i, 6));
        c.ours = r.isTrue(i, 7);
        c.holdsTransaction = r.isTrue(i, 8);
        out.push_back(std::move(c));
    }
    return out;
}

} // namespace causeway::postgres
