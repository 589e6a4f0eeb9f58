#include "mysql/checks/Fixes.h"
#include "mysql/checks/Needs.h"

namespace causeway::mysql {

namespace {

/// GRANT lines by scope, in the order in which they are first needed.
class Script {
public:
    void add(const QString &scope, const QString &privilege)
    {
        if (!m_scopes.contains(scope))
            m_scopes << scope;
        if (!m_privileges[scope].contains(privilege))
            m_privileges[scope] << privilege;
    }
    void add(const Need &need)
    {
        const QStringList scopes = need.grantScopes();
        for (const QString &scope : scopes) {
            for (const QString &p : need.all)
                add(scope, p);
            if (!need.oneOf.isEmpty())
                add(scope, need.oneOf.first());
        }
    }
    [[nodiscard]] QStringList grants(const QString &account) const
    {
        QStringList out;
        for (const QString &scope : m_scopes)
            out << QStringLiteral("GRANT %1 ON %2 TO %3;")
                       .arg(m_privileges.value(scope).join(QStringLiteral(", ")), scope, account);
        return out;
    }

private:
    QStringList m_scopes;
    QHash<QString, QStringList> m_privileges;
};

const QString kServer = QStringLiteral("*.*");

/// What closing the whole server asks for; and to see what else lives on it, who may write under
/// read_only, and to end what waits at the fence.
void addReadOnlyRights(Script &script, const ServerFacts &facts)
{
    script.add(kServer, QStringLiteral("RELOAD"));
    script.add(kServer, QStringLiteral("SHOW DATABASES"));
    if (facts.isMariaDb && facts.versionNumber >= 100502) {
        for (const char *p : {"READ_ONLY ADMIN", "CONNECTION ADMIN"})
            script.add(kServer, QString::fromLatin1(p));
    } else if (!facts.isMariaDb && facts.versionNumber >= 80000) {
        for (const char *p : {"SYSTEM_VARIABLES_ADMIN", "CONNECTION_ADMIN"})
            script.add(kServer, QString::fromLatin1(p));
        script.add(QStringLiteral("`performance_schema`.`persisted_variables`"),
                   QStringLiteral("SELECT"));
    } else {
        script.add(kServer, QStringLiteral("SUPER"));
    }
    script.add(QStringLiteral("`mysql`.*"), QStringLiteral("SELECT"));
}

/// log_bin_trust_function_creators, where triggers cannot be made without it.
QStringList trustLines(const ServerFacts &facts)
{
    const QString name = QStringLiteral("log_bin_trust_function_creators");
    const QString why = QStringLiteral("-- without it creating triggers and functions asks for "
                                       "SUPER while the binary log is on (error 1419)");
    if (facts.platform != Platform::SelfManaged) {
        return {why, QStringLiteral("-- set in this service's parameters: %1 = 1").arg(name)};
    }
    if (!facts.isMariaDb && facts.versionNumber >= 80000)
        return {why, QStringLiteral("SET PERSIST %1 = ON;").arg(name)};
    return {
        why, QStringLiteral("SET GLOBAL %1 = ON;").arg(name),
        QStringLiteral("-- and in the server's configuration, under [mysqld]: %1 = ON").arg(name)};
}

} // namespace

Result<QStringList> userScript(ServerContext &server, const QString &account, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto *facts, server.facts(stop));
    // The account may come from anywhere unless the caller said from where.
    const QString self =
        account.contains(QLatin1Char('@')) ? account : account + QStringLiteral("@%");
    const QString name = quoteAccount(self);
    const bool source = server.side() == Side::Source;
    CW_TRY_ASSIGN(const auto needs, neededGrants(server, nullptr, server.options(), stop));
    const bool wildcards = needs.empty() || needs.front().wildcards;
    Script script;
    for (const Need &need : needs)
        script.add(need);
    if (!source) {
        // What will be moved is only known on the source: all kinds of objects.
        for (const QString &schema : server.schemaNames()) {
            const QString scope = Need{schema, {}, {}, true, {}, {}, wildcards}.scope();
            for (const char *p : {"CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE",
                                  "EXECUTE", "EVENT"})
                script.add(scope, QString::fromLatin1(p));
        }
    }
    const bool own = facts->platform == Platform::SelfManaged;
    CW_TRY_ASSIGN(const auto *seal, server.sealFacts(stop));
    const FenceKind wish = server.fenceKind();
    const bool byTriggers = wish == FenceKind::Triggers ||
                            (wish == FenceKind::Auto && (!own || !seal->others.isEmpty()));
    if (!byTriggers)
        addReadOnlyRights(script, *facts);

    // Definers: on the target all are possible, on the source those that must be taken back.
    std::vector<ObjectBrief> returning;
    if (source) {
        if (const auto objects = server.objects(stop)) {
            for (const ObjectBrief &o : **objects) {
                if (o.kind == ObjectKind::Trigger || o.kind == ObjectKind::Event)
                    returning.push_back(o);
            }
        }
    } else {
        returning.push_back({ObjectKind::View, {}, {}, {}});
    }
    if (own && !server.options().once) {
        CW_TRY_ASSIGN(const QStringList rights, definerRights(server, returning, self, stop));
        for (const QString &p : rights)
            script.add(kServer, p);
    }

    // The names of accounts alone, to see whether the definers of views, routines, triggers and
    // events exist (mysql-definers). RDS hands it on as well; elsewhere it may refuse.
    const bool mayShowAccounts =
        own || facts->platform == Platform::Rds || facts->platform == Platform::Aurora;
    bool definers = !source;
    if (source) {
        const auto objects = server.objects(stop);
        definers = objects && !(*objects)->empty();
    }
    if (mayShowAccounts && definers && byTriggers)
        script.add(QStringLiteral("`mysql`.`user`"), QStringLiteral("SELECT (User, Host)"));

    // A service's own routines, where it has them.
    CW_TRY_ASSIGN(
        const auto routines,
        server.query(QStringLiteral("SELECT routine_name FROM information_schema.routines "
                                    "WHERE routine_schema='mysql' AND routine_name IN "
                                    "('rds_show_configuration', 'rds_kill', "
                                    "'rds_set_read_only') ORDER BY 1"),
                     stop));
    for (std::size_t i = 0; i < routines.rows.size(); ++i)
        script.add(QStringLiteral("PROCEDURE `mysql`.") + quoteId(routines.text(i, std::size_t{0})),
                   QStringLiteral("EXECUTE"));

    QStringList out{QStringLiteral("CREATE USER %1 IDENTIFIED BY '${password}';").arg(name)};
    out += script.grants(name);
    const bool super = own && !byTriggers &&
                       ((facts->isMariaDb && facts->versionNumber < 100502) ||
                        (!facts->isMariaDb && facts->versionNumber < 80000));
    if (seal->untrusted && !super && (byTriggers || !source || !returning.empty()))
        out += trustLines(*facts);
    return out;
}

} // namespace causeway::mysql
