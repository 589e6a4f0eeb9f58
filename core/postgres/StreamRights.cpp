#include "postgres/StreamRights.h"

#include "postgres/TargetDatabase.h"

namespace causeway::postgres {

Result<Support> canPublish(Session &session, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto row,
        session.query(
            QStringLiteral(
                "SELECT current_setting('wal_level'), r.rolsuper OR r.rolreplication OR EXISTS "
                "(SELECT 1 FROM pg_catalog.pg_roles x WHERE x.rolname IN "
                "('rds_replication','rds_superuser') AND pg_catalog.pg_has_role(r.oid, x.oid, "
                "'member')) FROM pg_catalog.pg_roles r WHERE r.rolname = current_user"),
            std::move(stop)));
    if (row.text(0, 0) != QLatin1String("logical")) {
        return Support{
            false, cwText("core", "wal_level of the target is %1, not logical.", row.text(0, 0))};
    }
    if (!row.isTrue(0, 1)) {
        return Support{false, cwText("core", "The account may not create a replication slot on the "
                                             "target.")};
    }
    return Support{true, {}};
}

Result<Support> canSubscribe(Session &session, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto row,
        session.query(
            QStringLiteral("SELECT r.rolsuper OR EXISTS (SELECT 1 FROM pg_catalog.pg_roles x WHERE "
                           "x.rolname IN ('pg_create_subscription','rds_superuser',"
                           "'cloudsqlsuperuser','azure_pg_admin','neon_superuser') AND "
                           "pg_catalog.pg_has_role(r.oid, x.oid, 'member')) FROM "
                           "pg_catalog.pg_roles r WHERE r.rolname = current_user"),
            std::move(stop)));
    if (row.isTrue(0, 0))
        return Support{true, {}};
    return Support{false, cwText("core", "The account may not create a subscription on the "
                                         "source, which would have to follow the target.")};
}

Result<Support> wayBack(const Address &source, const Address &target, std::stop_token stop)
{
    bool missing = false;
    CW_TRY_ASSIGN(const auto to, openOrBeside(target, missing, stop));
    CW_TRY_ASSIGN(Support publishes, canPublish(*to, stop));
    if (!publishes.yes)
        return publishes;
    CW_TRY_ASSIGN(const auto from, Session::open(source, stop));
    return canSubscribe(*from, stop);
}

} // namespace causeway::postgres
