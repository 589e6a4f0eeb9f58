#include "mysql/PrivilegedAccounts.h"

#include "base/Stop.h"
#include "mysql/Parts.h"
#include "mysql/SqlTokens.h"
#include "mysql/checks/Grants.h"

#include <QSet>

#include <algorithm>

namespace causeway::mysql {

namespace {

constexpr std::chrono::milliseconds kBetweenLooks{25};

/// Privileges that let one write under read_only.
QStringList passReadOnly(const Session &s)
{
    if (!s.isMariaDb())
        return {QStringLiteral("SUPER"), QStringLiteral("CONNECTION_ADMIN")};
    QStringList out;
    if (s.version() < 101100) // SUPER had all of its parts until then
        out << QStringLiteral("SUPER");
    if (s.version() >= 100502)
        out << QStringLiteral("READ ONLY ADMIN") << QStringLiteral("READ_ONLY ADMIN");
    return out;
}

/// 'user'@'host' as information_schema writes it, where quotes inside a name are not escaped.
QString bare(const QString &grantee)
{
    const qsizetype at = grantee.lastIndexOf(QLatin1String("'@'"));
    if (at < 0 || !grantee.startsWith(QLatin1Char('\'')) || !grantee.endsWith(QLatin1Char('\'')))
        return grantee;
    return grantee.mid(1, at - 1) + QLatin1Char('@') + grantee.mid(at + 3, grantee.size() - at - 4);
}

Result<QSet<QString>> holders(Session &s, const QStringList &privileges, std::stop_token stop)
{
    QStringList quoted;
    for (const QString &p : privileges)
        quoted << quoteText(p);
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT grantee FROM information_schema.user_privileges "
                                         "WHERE privilege_type IN (%1)")
                              .arg(quoted.join(QLatin1Char(','))),
                          std::move(stop)));
    QSet<QString> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out.insert(bare(r.text(i, std::size_t{0})));
    return out;
}

/// Whoever was granted a role that holds one has it too, through other roles as well.
Status addRoles(Session &s, QSet<QString> &accounts, std::stop_token stop)
{
    if (!s.isMariaDb() && s.version() < 80000)
        return {};
    CW_TRY_ASSIGN(
        const ResultSet edges,
        s.query(s.isMariaDb()
                    ? QStringLiteral("SELECT CONCAT(role,'@'), CONCAT(user,'@',host) FROM "
                                     "mysql.roles_mapping")
                    : QStringLiteral("SELECT CONCAT(from_user,'@',from_host), "
                                     "CONCAT(to_user,'@',to_host) FROM mysql.role_edges"),
                std::move(stop)));
    for (bool more = true; more;) {
        more = false;
        for (std::size_t i = 0; i < edges.rows.size(); ++i) {
            const QString to = edges.text(i, 1);
            if (accounts.contains(edges.text(i, std::size_t{0})) && !accounts.contains(to)) {
                accounts.insert(to);
                more = true;
            }
        }
    }
    return {};
}

/// Where the first wildcard stands: the later, the more specific is a host.
qsizetype specificity(const QString &host)
{
    for (qsizetype i = 0; i < host.size(); ++i) {
        if (host[i] == QLatin1Char('%') || host[i] == QLatin1Char('_'))
            return i;
    }
    return host.isEmpty() ? -1 : 1'000;
}

QString withoutPort(const QString &host)
{
    const qsizetype colon = host.lastIndexOf(QLatin1Char(':'));
    return colon > 0 ? host.left(colon) : host;
}

bool changesRows(const QString &statement, const QString &state)
{
    if (statement.isEmpty())
        return false;
    const Tokens tokens(statement.left(4'000));
    const int first = tokens.next(0);
    static constexpr const char *kWrites[] = {"INSERT", "UPDATE", "DELETE",   "REPLACE",
                                              "LOAD",   "CALL",   "TRUNCATE", "ALTER",
                                              "CREATE", "DROP",   "RENAME",   "MERGE"};
    for (const char *word : kWrites) {
        if (tokens.isWord(first, QLatin1String(word)))
            return true;
    }
    // A commit of one that only read waits for nothing.
    return tokens.isWord(first, QLatin1String("COMMIT")) &&
           state.startsWith(QLatin1String("Waiting for"));
}

QStringList accountSql(const QStringList &accounts, const char *what)
{
    QStringList out;
    for (const QString &name : accounts) {
        const qsizetype at = name.lastIndexOf(QLatin1Char('@'));
        out << QStringLiteral("ALTER USER %1@%2 ACCOUNT %3")
                   .arg(quoteText(name.left(at)), quoteText(name.mid(at + 1)),
                        QString::fromLatin1(what));
    }
    return out;
}

} // namespace

Result<ServerAccounts> ServerAccounts::read(Session &s, std::stop_token stop)
{
    ServerAccounts out;
    out.m_canBeLocked = s.version() >= (s.isMariaDb() ? 100402 : 50706);
    CW_TRY_ASSIGN(QSet<QString> privileged, holders(s, passReadOnly(s), stop));
    CW_TRY(addRoles(s, privileged, stop));
    QSet<QString> system;
    if (!s.isMariaDb() && s.version() >= 80016) {
        CW_TRY_ASSIGN(system, holders(s, {QStringLiteral("SYSTEM_USER")}, stop));
        CW_TRY(addRoles(s, system, stop));
    }
    // MariaDB's mysql.user is a view without the lock, and shows roles as accounts.
    QString sql = QStringLiteral("SELECT user, host, 'N' FROM mysql.user");
    if (out.m_canBeLocked) {
        sql = s.isMariaDb()
                  ? QStringLiteral("SELECT user, host, IF(COALESCE(JSON_VALUE(priv, "
                                   "'$.account_locked'),0)=1,'Y','N') FROM mysql.global_priv WHERE "
                                   "COALESCE(JSON_VALUE(priv,'$.is_role'),0)<>1")
                  : QStringLiteral("SELECT user, host, account_locked FROM mysql.user");
    }
    CW_TRY_ASSIGN(const ResultSet r, s.query(sql, stop));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        ServerAccount a;
        a.user = r.text(i, std::size_t{0});
        a.host = r.text(i, 1);
        a.locked = r.text(i, 2) == QLatin1String("Y");
        a.privileged = privileged.contains(a.name());
        a.system = system.contains(a.name());
        out.m_all.push_back(std::move(a));
    }
    std::stable_sort(out.m_all.begin(), out.m_all.end(), [](const auto &a, const auto &b) {
        return specificity(a.host) > specificity(b.host);
    });
    return out;
}

const ServerAccount *ServerAccounts::signedInAs(const QString &user, const QString &host) const
{
    const QString bareHost = withoutPort(host).toLower();
    for (const ServerAccount &a : m_all) {
        // A netmask (10.0.0.0/255.0.0.0) is taken as fitting: rather one too many than one too few.
        if (a.user == user &&
            (likeMatch(a.host.toLower(), bareHost) || a.host.contains(QLatin1Char('/'))))
            return &a;
    }
    return nullptr;
}

const ServerAccount *ServerAccounts::named(const QString &name) const
{
    const auto it = std::find_if(m_all.begin(), m_all.end(),
                                 [&](const ServerAccount &a) { return a.name() == name; });
    return it == m_all.end() ? nullptr : &*it;
}

Result<std::vector<ClientSession>> readClientSessions(Session &s, const QString &ourUser,
                                                      std::stop_token stop)
{
    QSet<quint64> changing;
    const auto open =
        s.query(QStringLiteral("SELECT trx_mysql_thread_id FROM information_schema.innodb_trx "
                               "WHERE trx_rows_modified>0"),
                stop);
    if (!open && open.error().code != ErrorCode::Server) // else without PROCESS
        return fail(open.error());
    for (std::size_t i = 0; open && i < open->rows.size(); ++i)
        changing.insert(open->text(i, std::size_t{0}).toULongLong());
    CW_TRY_ASSIGN(const ResultSet list, s.query(QStringLiteral("SHOW FULL PROCESSLIST"), stop));
    std::vector<ClientSession> out;
    for (std::size_t i = 0; i < list.rows.size(); ++i) {
        ClientSession c;
        c.id = list.text(i, "Id").toULongLong();
        c.user = list.text(i, "User");
        c.host = list.text(i, "Host");
        if (c.user == ourUser || c.user == QLatin1String("unauthenticated user") ||
            isBackground(c.user, list.text(i, "Command")))
            continue;
        c.writes =
            changing.contains(c.id) || changesRows(list.text(i, "Info"), list.text(i, "State"));
        out.push_back(std::move(c));
    }
    return out;
}

Result<QStringList> privilegedWriters(Session &s, const ServerAccounts &accounts,
                                      const QString &ourUser, std::chrono::milliseconds look,
                                      std::stop_token stop)
{
    QStringList out;
    const auto until = std::chrono::steady_clock::now() + look;
    for (;;) {
        CW_TRY_ASSIGN(const auto sessions, readClientSessions(s, ourUser, stop));
        bool any = false; // who could be caught at all
        for (const ClientSession &c : sessions) {
            const ServerAccount *account = accounts.signedInAs(c.user, c.host);
            if (!account || !account->privileged)
                continue;
            any = true;
            if (c.writes && !out.contains(account->name()))
                out << account->name();
        }
        if (!any || std::chrono::steady_clock::now() >= until)
            return out;
        if (!pauseFor(stop, kBetweenLooks))
            return fail(cancelledError());
    }
}

QStringList lockSql(const QStringList &accounts)
{
    return accountSql(accounts, "LOCK");
}

QStringList unlockSql(const QStringList &accounts)
{
    return accountSql(accounts, "UNLOCK");
}

} // namespace causeway::mysql
