#include "postgres/TargetDatabase.h"

namespace causeway::postgres {

Result<std::unique_ptr<Session>> openBeside(const Address &address, std::stop_token stop)
{
    Address beside = address;
    // Services keep either for their customers.
    for (const char *name : {"postgres", "template1"}) {
        beside.database = QString::fromLatin1(name);
        auto session = Session::open(beside, stop);
        if (session ||
            (!isMissingDatabase(session.error()) && session.error().id != QLatin1String("pg-hba")))
            return session;
    }
    beside.database = address.user;
    return Session::open(beside, std::move(stop));
}

Result<std::unique_ptr<Session>> openOrBeside(const Address &address, bool &missing,
                                              std::stop_token stop)
{
    auto session = Session::open(address, stop);
    missing = !session && isMissingDatabase(session.error());
    if (!missing)
        return session;
    Error why = session.error();
    auto beside = openBeside(address, std::move(stop));
    // Where nothing else lets us in, what was asked for is what matters.
    if (!beside)
        return fail(std::move(why));
    return beside;
}

Result<QString> createDatabaseSql(Session &source, const QString &name, std::stop_token stop)
{
    const int version = source.version();
    const char *provider = version >= 150000 ? "datlocprovider" : "'c'";
    const char *locale = version >= 170000   ? "datlocale"
                         : version >= 150000 ? "daticulocale"
                                             : "NULL";
    CW_TRY_ASSIGN(
        const auto row,
        source.query(
            QStringLiteral("SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype, "
                           "%1, %2, %3 FROM pg_catalog.pg_database WHERE datname = "
                           "current_database()")
                .arg(QLatin1String(provider), QLatin1String(locale),
                     version >= 160000 ? QStringLiteral("daticurules") : QStringLiteral("NULL")),
            std::move(stop)));
    QString sql = QStringLiteral("CREATE DATABASE %1 TEMPLATE template0 ENCODING %2 LC_COLLATE %3 "
                                 "LC_CTYPE %4")
                      .arg(quoteId(name), quoteText(row.text(0, 0)), quoteText(row.text(0, 1)),
                           quoteText(row.text(0, 2)));
    if (row.text(0, 3) == QLatin1String("i"))
        sql += QStringLiteral(" LOCALE_PROVIDER icu ICU_LOCALE ") + quoteText(row.text(0, 4));
    else if (row.text(0, 3) == QLatin1String("b"))
        sql +=
            QStringLiteral(" LOCALE_PROVIDER builtin BUILTIN_LOCALE ") + quoteText(row.text(0, 4));
    if (!row.text(0, 5).isEmpty())
        sql += QStringLiteral(" ICU_RULES ") + quoteText(row.text(0, 5));
    return sql;
}

} // namespace causeway::postgres
