#include "postgres/checks/Context.h"

#include "postgres/TargetDatabase.h"

namespace causeway::postgres {

ServerContext::ServerContext(Endpoint endpoint, Side side, const CheckOptions &options)
    : m_endpoint(std::move(endpoint)), m_side(side), m_options(options)
{
}

QStringList ServerContext::schemaNames() const
{
    QStringList out;
    for (const QString &s : m_options.selection.schemas)
        out << (m_side == Side::Source ? s : m_options.selection.schemaOnTarget(s));
    return out;
}

bool ServerContext::inScope(const TableName &name) const
{
    return m_options.selection.matches(m_side == Side::Source ? name
                                                              : m_options.selection.onSource(name));
}

QString ServerContext::expand(QString sql) const
{
    return sql.replace(QLatin1String("{ns}"),
                       schemaCondition(QStringLiteral("n.nspname"), schemaNames()));
}

Result<std::unique_ptr<Session>> ServerContext::take(const std::stop_token &stop)
{
    {
        const std::lock_guard lock(m_poolMutex);
        if (!m_pool.empty()) {
            auto session = std::move(m_pool.back());
            m_pool.pop_back();
            return session;
        }
    }
    bool missing = false;
    CW_TRY_ASSIGN(auto session, m_side == Side::Target ? openOrBeside(address(), missing, stop)
                                                       : Session::open(address(), stop));
    const std::lock_guard lock(m_poolMutex);
    m_databaseMissing = missing;
    m_ownBackends << QString::number(session->backendPid());
    return session;
}

template <class F>
auto ServerContext::withSession(const std::stop_token &stop, F &&work, bool again)
    -> decltype(work(std::declval<Session &>()))
{
    return askOf(
        m_silence, address(), stop, again, [&] { return take(stop); }, std::forward<F>(work),
        [this](std::unique_ptr<Session> s) {
            if (s->isDead())
                return;
            const std::lock_guard lock(m_poolMutex);
            m_pool.push_back(std::move(s));
        },
        [this] {
            const std::lock_guard lock(m_poolMutex);
            m_pool.clear();
        });
}

Result<bool> ServerContext::databaseMissing(std::stop_token stop)
{
    CW_TRY(query(QStringLiteral("SELECT 1"), std::move(stop)));
    const std::lock_guard lock(m_poolMutex);
    return m_databaseMissing;
}

QStringList ServerContext::ownBackends()
{
    const std::lock_guard lock(m_poolMutex);
    return m_ownBackends;
}

Result<ResultSet> ServerContext::query(const QString &sql, std::stop_token stop)
{
    return withSession(stop, [&](Session &s) { return s.query(expand(sql), stop); });
}

Status ServerContext::exec(const QString &sql, std::stop_token stop)
{
    return withSession(
        stop, [&](Session &s) { return s.exec(expand(sql), stop); }, false);
}

Result<const ServerFacts *> ServerContext::facts(std::stop_token stop)
{
    return m_facts.get([&]() -> Result<ServerFacts> {
        return withSession(stop, [&](Session &s) { return readFacts(s, stop); });
    });
}

Result<const QHash<QString, QString> *> ServerContext::settings(std::stop_token stop)
{
    return m_settings.get([&]() -> Result<QHash<QString, QString>> {
        CW_TRY_ASSIGN(const auto rows,
                      query(QStringLiteral("SELECT name, setting, pending_restart FROM "
                                           "pg_catalog.pg_settings"),
                            stop));
        QHash<QString, QString> out;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            out.insert(rows.text(i, 0), rows.text(i, 1));
            if (rows.isTrue(i, 2))
                out.insert(rows.text(i, 0) + QStringLiteral("#pending"), QStringLiteral("on"));
        }
        return out;
    });
}

Result<QString> ServerContext::setting(const char *name, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto *all, settings(std::move(stop)));
    return all->value(QString::fromLatin1(name));
}

Result<const Role *> ServerContext::role(std::stop_token stop)
{
    return m_role.get([&]() -> Result<Role> {
        const auto member = [](const char *roles) {
            return QStringLiteral("EXISTS (SELECT 1 FROM pg_catalog.pg_roles x WHERE x.rolname IN "
                                  "(%1) AND pg_catalog.pg_has_role(r.oid, x.oid, 'member'))")
                .arg(QString::fromLatin1(roles));
        };
        CW_TRY_ASSIGN(
            const auto rows,
            query(QStringLiteral("SELECT r.rolname, r.rolsuper, r.rolreplication, r.rolbypassrls, "
                                 "r.rolsuper OR %1, r.rolsuper OR r.rolreplication OR %2 FROM "
                                 "pg_catalog.pg_roles r WHERE r.rolname = current_user")
                      .arg(member("'pg_create_subscription','rds_superuser','cloudsqlsuperuser',"
                                  "'azure_pg_admin','neon_superuser'"),
                           member("'rds_replication','rds_superuser'")),
                  stop));
        return Role{rows.text(0, 0),   rows.isTrue(0, 1), rows.isTrue(0, 2),
                    rows.isTrue(0, 3), rows.isTrue(0, 4), rows.isTrue(0, 5)};
    });
}

std::vector<Check> allChecks(const Servers &servers, const CheckOptions &options)
{
    CheckList list(servers, options);
    addServerChecks(list);
    addSettingChecks(list);
    addSchemaChecks(list);
    addRoleChecks(list);
    addTargetChecks(list);
    addInventoryChecks(list);
    return list.take();
}

Platform platformOf(Look &look)
{
    const auto facts = look.here.facts(look.stop);
    return facts ? (*facts)->platform : Platform::SelfManaged;
}

Fix sqlFix(Look &look, const QStringList &sql, const Text &text, const QString &privilege)
{
    Fix fix;
    fix.platform = platformOf(look);
    fix.sql = sql;
    fix.text = text;
    fix.privilege = privilege;
    return fix;
}

Fix settingFix(Look &look, const QString &name, const QString &value, bool restart)
{
    Fix fix;
    fix.platform = platformOf(look);
    fix.restart = restart;
    const bool walLevel = name == QLatin1String("wal_level");
    fix.settings = {{name, value, restart}};
    switch (fix.platform) {
    case Platform::SelfManaged: {
        bool number = false;
        value.toLongLong(&number);
        fix.sql << QStringLiteral("ALTER SYSTEM SET %1 = %2;")
                       .arg(name, number ? value : quoteText(value));
        fix.privilege = QStringLiteral("SUPERUSER");
        if (restart) {
            fix.text = cwText("core", "Run the SQL and restart the server.");
        } else {
            fix.sql << QStringLiteral("SELECT pg_reload_conf();");
            fix.text = cwText("core", "Run the SQL; it takes effect at once.");
            const auto role = look.here.role(look.stop);
            fix.canApply = role && (*role)->super;
        }
        break;
    }
    case Platform::Rds:
    case Platform::Aurora: {
        const bool aurora = fix.platform == Platform::Aurora;
        fix.text =
            walLevel
                ? cwText("core", "wal_level itself cannot be set there: rds.logical_replication "
                                 "does it. Use a parameter group of your own and reboot the "
                                 "writer.")
                : cwText("core", "Use a parameter group of your own and reboot the writer.");
        fix.restart = true;
        if (walLevel)
            fix.settings = {{QStringLiteral("rds.logical_replication"), QStringLiteral("1"), true}};
        fix.command
            << QStringLiteral("aws rds %1 %2 --parameters \"ParameterName=%3,"
                              "ParameterValue=%4,ApplyMethod=pending-reboot\"")
                   .arg(aurora ? QStringLiteral("modify-db-cluster-parameter-group")
                               : QStringLiteral("modify-db-parameter-group"),
                        aurora ? QStringLiteral("--db-cluster-parameter-group-name CLUSTER_GROUP")
                               : QStringLiteral("--db-parameter-group-name GROUP"),
                        walLevel ? QStringLiteral("rds.logical_replication") : name,
                        walLevel ? QStringLiteral("1") : value)
            << QStringLiteral("aws rds reboot-db-instance --db-instance-identifier INSTANCE");
        break;
    }
    case Platform::CloudSql:
        fix.text =
            cwText("core", "Set the database flag; the instance restarts. The command replaces "
                           "all flags: name those that are set already as well.");
        fix.restart = true;
        if (walLevel)
            fix.settings = {
                {QStringLiteral("cloudsql.logical_decoding"), QStringLiteral("on"), true}};
        fix.command << QStringLiteral("gcloud sql instances patch INSTANCE --database-flags=%1")
                           .arg(walLevel ? QStringLiteral("cloudsql.logical_decoding=on")
                                         : name + QLatin1Char('=') + value);
        break;
    case Platform::AlloyDb:
        fix.text = cwText("core", "Set the database flag; the instance restarts.");
        fix.restart = true;
        fix.command << QStringLiteral("gcloud alloydb instances update INSTANCE --cluster=CLUSTER "
                                      "--region=REGION --database-flags=%1")
                           .arg(walLevel ? QStringLiteral("alloydb.logical_decoding=on")
                                         : name + QLatin1Char('=') + value);
        break;
    case Platform::Azure:
        fix.text = cwText("core", "Set the server parameter.");
        fix.command << QStringLiteral("az postgres flexible-server parameter set --resource-group "
                                      "GROUP --server-name SERVER --name %1 --value %2")
                           .arg(name, value);
        if (restart)
            fix.command << QStringLiteral("az postgres flexible-server restart --resource-group "
                                          "GROUP --name SERVER");
        break;
    case Platform::Neon:
        fix.text =
            cwText("core", "Turn logical replication on in the project's settings; it cannot "
                           "be turned off again.");
        break;
    case Platform::Heroku:
        fix.text = cwText("core", "This service does not offer logical replication.");
        break;
    default:
        fix.text = cwText("core",
                          "Needed: %1 = %2. Change it in the service's settings, or ask its "
                          "support.",
                          name, value);
    }
    return fix;
}

} // namespace causeway::postgres
