#pragma once

#include "postgres/PostgresSession.h"

/// A target whose database is still to be made. A session is always in some database: until then
/// the server is asked from one that every server has.
namespace causeway::postgres {

inline bool isMissingDatabase(const Error &e)
{
    return e.id == QLatin1String("pg-no-database");
}

/// In the server's maintenance database.
Result<std::unique_ptr<Session>> openBeside(const Address &, std::stop_token);
/// In the database itself, or beside it where it is missing (`missing` is then true).
Result<std::unique_ptr<Session>> openOrBeside(const Address &, bool &missing, std::stop_token);

/// Encoding, locale and its provider as the source's database has them.
Result<QString> createDatabaseSql(Session &source, const QString &name, std::stop_token);

} // namespace causeway::postgres
