#include "postgres/PostgresDatabase.h"

#include "postgres/RangeHasher.h"

namespace causeway::postgres {

namespace {

/// Nothing here pretends: a migration that would need it stops before it begins.
tl::unexpected<Error> notInThisRelease()
{
    return fail(ErrorCode::NotReady,
                cwText("core",
                       "Moving PostgreSQL is not part of this release yet; checking a server "
                       "is."),
                QStringLiteral("pg-not-in-this-release"));
}

Support notYet()
{
    return {false, cwText("core", "Moving PostgreSQL is not part of this release yet.")};
}

} // namespace

Result<ServerFacts> PostgresDatabase::facts(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, stop));
    return readFacts(*s, stop);
}

Result<Capabilities> PostgresDatabase::capabilities(std::stop_token)
{
    return Capabilities{notYet(), notYet(), notYet(), notYet(), notYet(), notYet()};
}

Result<Catalog> PostgresDatabase::catalog(const Selection &selection, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, stop));
    return readCatalog(*s, selection, stop);
}

Result<QStringList> PostgresDatabase::schemaNames(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, stop));
    return readSchemaNames(*s, stop);
}

Status PostgresDatabase::execute(const std::vector<SchemaStatement> &statements,
                                 std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, stop));
    for (const SchemaStatement &statement : statements) {
        for (const QString &sql : {statement.sessionSetup, statement.sql}) {
            if (sql.isEmpty())
                continue;
            if (auto done = s->exec(sql, stop); !done) {
                Error e = std::move(done).error();
                e.object = statement.object;
                return fail(std::move(e));
            }
        }
    }
    return {};
}

Result<std::vector<LiveClient>> PostgresDatabase::liveClients(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, stop));
    return readLiveClients(*s, stop);
}

Result<SchemaScript> PostgresDatabase::schemaScript(const Catalog &, const Selection &,
                                                    const ServerFacts &, std::stop_token)
{
    return notInThisRelease();
}
Result<std::unique_ptr<RowReader>> PostgresDatabase::reader(std::stop_token)
{
    return notInThisRelease();
}
Result<std::unique_ptr<RowWriter>> PostgresDatabase::writer(const Lease &, const QString &,
                                                            std::stop_token)
{
    return notInThisRelease();
}
Result<std::unique_ptr<Applier>> PostgresDatabase::applier(const Lease &, const ApplierOptions &,
                                                           std::stop_token)
{
    return notInThisRelease();
}
Result<std::unique_ptr<ChangeStream>>
PostgresDatabase::changes(const Position &, const Lease &, const TableResolver &, std::stop_token)
{
    return notInThisRelease();
}
Result<std::unique_ptr<RangeHasher>> PostgresDatabase::hasher(std::stop_token stop)
{
    return makeRangeHasher(m_address, std::move(stop));
}

Result<std::vector<Row>>
PostgresDatabase::readRows(const Table &table, const std::vector<Row> &keys, std::stop_token stop)
{
    return readRowsByKey(m_address, table, keys, std::move(stop));
}
Result<std::unique_ptr<Ledger>> PostgresDatabase::ledger(const QString &, std::stop_token)
{
    return notInThisRelease();
}
Result<std::unique_ptr<Fence>> PostgresDatabase::fence(const FenceRequest &, std::stop_token)
{
    return notInThisRelease();
}
Result<Position> PostgresDatabase::currentPosition(const Selection &, std::stop_token)
{
    return notInThisRelease();
}
bool PostgresDatabase::reached(const Position &applied, const Position &wanted) const
{
    return applied == wanted;
}
Result<bool> PostgresDatabase::stillHas(const Position &, std::stop_token)
{
    return notInThisRelease();
}
Result<qint64> PostgresDatabase::retentionSeconds(std::stop_token)
{
    return notInThisRelease();
}

} // namespace causeway::postgres
