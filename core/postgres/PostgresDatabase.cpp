#include "postgres/PostgresDatabase.h"

#include "postgres/RangeHasher.h"
#include "postgres/TargetDatabase.h"

namespace causeway::postgres {

namespace {

/// What only the relay route would call. PostgreSQL moves on the native route (native/Native.h),
/// where rows and changes do not come through here.
tl::unexpected<Error> relayOnly()
{
    return fail(ErrorCode::NotReady,
                cwText("core", "The relay route is not built for PostgreSQL: use --route native."),
                QStringLiteral("route-unsupported"));
}

Support notRelayed()
{
    return {false, cwText("core", "The relay route is not built for PostgreSQL.")};
}

} // namespace

Result<ServerFacts> PostgresDatabase::facts(std::stop_token stop)
{
    // Of the server: a target's database may still have to be made.
    bool missing = false;
    CW_TRY_ASSIGN(const auto s, openOrBeside(m_address, missing, stop));
    return readFacts(*s, stop);
}

Result<Capabilities> PostgresDatabase::capabilities(std::stop_token)
{
    return Capabilities{notRelayed(), notRelayed(), notRelayed(),
                        notRelayed(), notRelayed(), notRelayed()};
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
    return relayOnly();
}
Result<std::unique_ptr<RowReader>> PostgresDatabase::reader(std::stop_token)
{
    return relayOnly();
}
Result<std::unique_ptr<RowWriter>> PostgresDatabase::writer(const Lease &, const QString &,
                                                            std::stop_token)
{
    return relayOnly();
}
Result<std::unique_ptr<Applier>> PostgresDatabase::applier(const Lease &, const ApplierOptions &,
                                                           std::stop_token)
{
    return relayOnly();
}
Result<std::unique_ptr<ChangeStream>>
PostgresDatabase::changes(const Position &, const Lease &, const TableResolver &, std::stop_token)
{
    return relayOnly();
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
    return relayOnly();
}
Result<std::unique_ptr<Fence>> PostgresDatabase::fence(const FenceRequest &, std::stop_token)
{
    return relayOnly();
}
Result<Position> PostgresDatabase::currentPosition(const Selection &, std::stop_token)
{
    return relayOnly();
}
bool PostgresDatabase::reached(const Position &applied, const Position &wanted) const
{
    return applied == wanted;
}
Result<bool> PostgresDatabase::stillHas(const Position &, std::stop_token)
{
    return relayOnly();
}
Result<qint64> PostgresDatabase::retentionSeconds(std::stop_token)
{
    return relayOnly();
}

} // namespace causeway::postgres
