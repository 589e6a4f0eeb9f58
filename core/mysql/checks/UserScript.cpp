#include "mysql/checks/Fixes.h"
#include "mysql/checks/Needs.h"

namespace causeway::mysql {

Result<QStringList> userScript(ServerContext &server, const QString &account, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto *facts, server.facts(stop));
    // The account may come from anywhere unless the caller said from where.
    const QString name =
        quoteAccount(account.contains(QLatin1Char('@')) ? account : account + QStringLiteral("@%"));
    CW_TRY_ASSIGN(const auto needs, neededGrants(server, nullptr, server.options(), stop));
    const bool wildcards = needs.empty() || needs.front().wildcards;
    QStringList out{QStringLiteral("CREATE USER %1 IDENTIFIED BY '${password}';").arg(name)};
    // One line for each scope, in the order in which they are first needed.
    QStringList scopes;
    QHash<QString, QStringList> privileges;
    const auto add = [&](const QString &scope, const QString &privilege) {
        if (!scopes.contains(scope))
            scopes << scope;
        if (!privileges[scope].contains(privilege))
            privileges[scope] << privilege;
    };
    for (const Need &need : needs) {
        if (need.onTables.empty()) {
            for (const QString &p : need.all)
                add(need.scope(), p);
        }
        for (const TableName &t : need.onTables) {
            for (const QString &p : need.all)
                add(quoteName(t), p);
        }
        if (!need.oneOf.isEmpty())
            add(need.scope(), need.oneOf.first());
    }
    if (server.side() == Side::Target) {
        // What will be moved is only known on the source: all kinds of objects.
        for (const QString &schema : server.schemaNames()) {
            const QString scope = Need{schema, {}, {}, true, {}, {}, wildcards}.scope();
            for (const char *p : {"CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE",
                                  "EXECUTE", "EVENT"})
                add(scope, QString::fromLatin1(p));
        }
    }
    for (const QString &scope : scopes)
        out << QStringLiteral("GRANT %1 ON %2 TO %3;")
                   .arg(privileges.value(scope).join(QStringLiteral(", ")), scope, name);
    // With these the server itself is made read-only for the switch; without them, and where a
    // service does not hand them out, triggers close the tables.
    const bool own = facts->platform == Platform::SelfManaged;
    if (own && facts->isMariaDb && facts->versionNumber >= 100502) {
        out << QStringLiteral("GRANT READ_ONLY ADMIN, CONNECTION ADMIN, SET USER ON *.* TO %1;")
                   .arg(name);
    } else if (own && !facts->isMariaDb && facts->versionNumber >= 80000) {
        out << QStringLiteral("GRANT SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, %1 ON *.* TO %2;")
                   .arg(facts->versionNumber >= 80200 ? QStringLiteral("SET_ANY_DEFINER")
                                                      : QStringLiteral("SET_USER_ID"),
                        name);
    } else if (own) {
        out << QStringLiteral("GRANT SUPER ON *.* TO %1;").arg(name);
    }
    return out;
}

} // namespace causeway::mysql
