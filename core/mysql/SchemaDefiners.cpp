#include "mysql/SchemaTarget.h"

namespace causeway::mysql {

Result<Definers> Definers::read(Session &session, std::stop_token stop)
{
    Definers out;
    CW_TRY_ASSIGN(const auto self, session.query(QStringLiteral("SELECT CURRENT_USER()"), stop));
    out.m_self = self.text(0, std::size_t{0});
    const auto accounts =
        session.query(QStringLiteral("SELECT CONCAT(User, '@', Host) FROM mysql.user"), stop);
    if (!accounts && accounts.error().code != ErrorCode::Server)
        return tl::unexpected<Error>(accounts.error());
    out.m_readable = accounts.has_value();
    for (std::size_t i = 0; accounts && i < accounts->rows.size(); ++i)
        out.m_accounts.insert(accounts->text(i, std::size_t{0}));

    CW_TRY_ASSIGN(const auto grants, session.query(QStringLiteral("SHOW GRANTS"), stop));
    bool systemUser = false;
    for (std::size_t i = 0; i < grants.rows.size(); ++i) {
        const QString grant = grants.text(i, std::size_t{0}).toUpper();
        const qsizetype on = grant.indexOf(QLatin1String(" ON *.*"));
        if (!grant.startsWith(QLatin1String("GRANT ")) || on < 0)
            continue;
        const QStringList rights = grant.mid(6, on - 6).split(QLatin1Char(','));
        for (const QString &raw : rights) {
            const QString right = raw.trimmed();
            // SET USER: MariaDB 10.5; SET_USER_ID: MySQL 8.0; SET_ANY_DEFINER: MySQL 8.2.
            if (right == QLatin1String("SUPER") || right == QLatin1String("ALL PRIVILEGES") ||
                right == QLatin1String("ALL") || right == QLatin1String("SET USER") ||
                right == QLatin1String("SET_USER_ID") || right == QLatin1String("SET_ANY_DEFINER"))
                out.m_maySet = true;
            if (right == QLatin1String("SYSTEM_USER"))
                systemUser = true;
        }
    }
    // From 8.0.16 only a holder of SYSTEM_USER may name another holder as definer.
    if (!session.isMariaDb() && session.version() >= 80016 && !systemUser) {
        out.m_maySetSystem = false;
        const auto holders =
            session.query(QStringLiteral("SELECT CONCAT(USER, '@', HOST) FROM mysql.global_grants "
                                         "WHERE PRIV = 'SYSTEM_USER'"),
                          stop);
        if (!holders && holders.error().code != ErrorCode::Server)
            return tl::unexpected<Error>(holders.error());
        for (std::size_t i = 0; holders && i < holders->rows.size(); ++i)
            out.m_systemAccounts.insert(holders->text(i, std::size_t{0}));
    }
    if (out.m_readable)
        return out;
    // Without a look at mysql.user: an account that SHOW CREATE USER shows exists, but that needs
    // the same right, so that only our own account is known to be there.
    out.m_accounts.insert(out.m_self);
    return out;
}

std::optional<Text> Definers::obstacle(const QString &definer) const
{
    if (definer == m_self)
        return std::nullopt;
    if (!m_accounts.contains(definer)) {
        return m_readable ? cwText("core", "the account does not exist on the target.")
                          : cwText("core", "our account on the target may not see whether the "
                                           "account exists there.");
    }
    if (!m_maySet || (!m_maySetSystem && m_systemAccounts.contains(definer)))
        return cwText("core", "our account on the target may not create objects of another one.");
    return std::nullopt;
}

} // namespace causeway::mysql
