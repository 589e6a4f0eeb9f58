#include "postgres/native/AccountSettings.h"

#include "base/Json.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace causeway::postgres {

namespace {
const QString kKept = QStringLiteral("account_settings");

struct Setting {
    const char *name, *value;
    int since = 0;
};
constexpr Setting kSettings[] = {
    {"row_security", "off"},
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"idle_session_timeout", "0", 140000},
    {"transaction_timeout", "0", 170000},
    // Before 15 a walsender prints values as its database says, and the follower reads them as its
    // own does: with another order of day and month, wrong dates without a word.
    {"datestyle", "iso"},
    {"intervalstyle", "postgres"},
    {"extra_float_digits", "3"},
};

QString alter(const Server &server, const QString &what)
{
    return QStringLiteral("ALTER ROLE %1 IN DATABASE %2 %3")
        .arg(quoteId(server.address().user), quoteId(server.address().database), what);
}

/// Of the account in this database.
Result<QJsonObject> readSettings(Server &server, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto rows,
        server.query(QStringLiteral("SELECT pg_catalog.lower(pg_catalog.split_part(c, '=', 1)), "
                                    "pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1) FROM "
                                    "pg_catalog.pg_db_role_setting s, "
                                    "pg_catalog.unnest(s.setconfig) AS c WHERE s.setrole = (SELECT "
                                    "oid FROM pg_catalog.pg_roles WHERE rolname = %1) AND "
                                    "s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE "
                                    "datname = current_database())")
                         .arg(quoteText(server.address().user)),
                     std::move(stop)));
    QJsonObject out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        out.insert(rows.text(i, 0), rows.text(i, 1));
    return out;
}
} // namespace

QStringList accountSettingsSql(const Server &server, int version)
{
    QStringList out;
    for (const Setting &s : kSettings) {
        if (version >= s.since) {
            out << alter(server,
                         QStringLiteral("SET %1 = %2")
                             .arg(QString::fromLatin1(s.name), QString::fromLatin1(s.value)));
        }
    }
    return out;
}

QString resetAccountSettingsSql(const Server &server)
{
    QStringList names;
    for (const Setting &x : kSettings)
        names << quoteText(QString::fromLatin1(x.name));
    // Not every server knows all of them.
    return QStringLiteral(
               "DO $do$ DECLARE c text; BEGIN FOR c IN SELECT split_part(x, '=', 1) FROM "
               "pg_db_role_setting s, unnest(s.setconfig) AS x WHERE s.setrole = (SELECT oid FROM "
               "pg_roles WHERE rolname = %1) AND s.setdatabase = (SELECT oid FROM pg_database "
               "WHERE datname = current_database()) LOOP IF lower(c) IN (%2) THEN EXECUTE "
               "format('ALTER ROLE %I IN DATABASE %I RESET %I', %1, current_database(), c); END "
               "IF; END LOOP; END $do$")
        .arg(quoteText(server.address().user), names.join(QStringLiteral(", ")));
}

Result<bool> setAccountSettings(Server &server, std::stop_token stop)
{
    CW_TRY_ASSIGN(const int version, server.version(stop));
    CW_TRY_ASSIGN(const auto kept, server.fact(kKept, stop));
    QStringList sql;
    if (!kept) {
        CW_TRY_ASSIGN(const QJsonObject found, readSettings(server, stop));
        QJsonObject keep;
        for (const Setting &s : kSettings) {
            const QString name = QString::fromLatin1(s.name);
            if (version >= s.since)
                keep.insert(name, found.contains(name) ? found.value(name) : QJsonValue());
        }
        sql << server.setFactSql(kKept, compactJson(keep));
    }
    sql += accountSettingsSql(server, version);
    const Status done = server.act(sql, stop);
    if (!done && done.error().sqlState == QLatin1String("42501"))
        return false;
    if (!done)
        return fail(done.error());
    return true;
}

Status restoreAccountSettings(Server &server, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto kept, server.fact(kKept, stop));
    if (!kept)
        return {};
    const QJsonObject before = QJsonDocument::fromJson(kept->toUtf8()).object();
    QStringList sql;
    for (auto it = before.begin(); it != before.end(); ++it) {
        // The name is one of our own list.
        sql << alter(server,
                     it->isString()
                         ? QStringLiteral("SET %1 = %2").arg(it.key(), quoteText(it->toString()))
                         : QStringLiteral("RESET %1").arg(it.key()));
    }
    sql << server.clearFactSql(kKept);
    return server.act(sql, std::move(stop));
}

} // namespace causeway::postgres
