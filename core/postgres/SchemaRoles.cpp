#include "postgres/PostgresSession.h"
#include "postgres/SchemaParts.h"

#include <QRegularExpression>

#include <algorithm>

/// Owners and grants, as far as the roles that they name exist on the target: without its grants an
/// application could not work there, and a role that is missing is no reason to stop.
namespace causeway::postgres {

namespace {

bool isGrant(const SchemaEntry &e)
{
    return e.type == QLatin1String("ACL") || e.type == QLatin1String("DEFAULT ACL");
}

/// ALTER ... OWNER TO "x"; as pg_dump ends an entry; where it begins, or -1.
qsizetype ownerStatement(const SchemaEntry &e)
{
    // pg_restore writes it, and quotes only where it must.
    const QString end = QStringLiteral(" OWNER TO ");
    if (e.owner.isEmpty() || (!e.sql.endsWith(end + e.owner + QLatin1Char(';')) &&
                              !e.sql.endsWith(end + quoteId(e.owner) + QLatin1Char(';'))))
        return -1;
    const qsizetype begin = e.sql.lastIndexOf(QLatin1String("\nALTER ")) + 1;
    return begin > 0 || e.sql.startsWith(QLatin1String("ALTER ")) ? begin : -1;
}

/// Roles that one statement of a grant names.
QStringList rolesIn(const QString &statement)
{
    static const QRegularExpression lists(QStringLiteral(" (?:TO|FROM|FOR ROLE) "
                                                         "(\"(?:[^\"]|\"\")+\"(?:, "
                                                         "\"(?:[^\"]|\"\")+\")*)"));
    static const QRegularExpression quoted(QStringLiteral("\"((?:[^\"]|\"\")+)\""));
    QStringList out;
    auto found = lists.globalMatch(statement);
    while (found.hasNext()) {
        auto names = quoted.globalMatch(found.next().captured(1));
        while (names.hasNext())
            out << names.next().captured(1).replace(QLatin1String("\"\""), QLatin1String("\""));
    }
    return out;
}

} // namespace

Result<TargetRoles> readTargetRoles(const Address &target, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto session, Session::open(target, stop));
    TargetRoles out;
    CW_TRY_ASSIGN(
        const auto rows,
        session->query(QStringLiteral("SELECT rolname, pg_catalog.pg_has_role(oid, '%1'), rolsuper "
                                      "AND rolname = current_user FROM pg_catalog.pg_roles")
                           .arg(session->version() >= 160000 ? QStringLiteral("SET")
                                                             : QStringLiteral("MEMBER")),
                       stop));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        out.there.insert(rows.text(i, 0));
        if (rows.isTrue(i, 1))
            out.mayBecome.insert(rows.text(i, 0));
        out.superuser = out.superuser || rows.isTrue(i, 2);
    }
    return out;
}

RolesLeftOut SchemaArchive::adaptTo(const TargetRoles &roles)
{
    std::set<QString> missing, notOurs;
    for (SchemaEntry &e : m_entries) {
        if (isGrant(e)) {
            QStringList kept;
            for (const QString &line : e.sql.split(QLatin1Char('\n'))) {
                const QStringList named = rolesIn(line);
                const bool known =
                    std::all_of(named.begin(), named.end(), [&](const QString &role) {
                        if (roles.there.contains(role))
                            return true;
                        missing.insert(role);
                        return false;
                    });
                if (known)
                    kept << line;
            }
            e.sql = kept.join(QLatin1Char('\n')).trimmed();
            continue;
        }
        const qsizetype at = ownerStatement(e);
        if (at < 0)
            continue;
        if (!roles.there.contains(e.owner)) {
            missing.insert(e.owner);
            e.sql = e.sql.left(at).trimmed();
        } else if (!roles.mayBecome.contains(e.owner)) {
            notOurs.insert(e.owner);
            e.sql = e.sql.left(at).trimmed();
        } else if (!roles.superuser) {
            // The role itself may lack what owning takes (CREATE in the schema), which a superuser
            // would not ask for: then it stays ours.
            e.sql = e.sql.left(at) +
                    QStringLiteral("DO $owner$ BEGIN %1 EXCEPTION WHEN insufficient_privilege THEN "
                                   "NULL; END $owner$;")
                        .arg(e.sql.mid(at));
        }
    }
    // Grants of which nothing is left.
    std::erase_if(m_entries, [](const SchemaEntry &e) { return isGrant(e) && e.sql.isEmpty(); });
    return {QStringList(missing.begin(), missing.end()),
            QStringList(notOurs.begin(), notOurs.end())};
}

} // namespace causeway::postgres
