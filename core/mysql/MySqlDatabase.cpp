#include "mysql/MySqlDatabase.h"

#include "mysql/Parts.h"

namespace causeway::mysql {

Result<ServerFacts> MySqlDatabase::facts(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return readFacts(*s, stop);
}

Result<Capabilities> MySqlDatabase::capabilities(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return readCapabilities(*s, stop);
}

Result<Catalog> MySqlDatabase::catalog(const Selection &selection, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return readCatalog(*s, selection, stop);
}

Result<std::vector<SchemaObject>> MySqlDatabase::objects(const Selection &selection,
                                                         ObjectKind kind, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return readObjects(*s, selection, kind, stop);
}

Result<Counters> MySqlDatabase::counters(const Selection &selection, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return readCounters(*s, selection, stop);
}

Result<QStringList> MySqlDatabase::schemaNames(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return readSchemaNames(*s, stop);
}

Result<SchemaScript> MySqlDatabase::schemaScript(const Catalog &leader, const Selection &selection,
                                                 const ServerFacts &leaderFacts,
                                                 std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return writeSchemaScript(*s, leader, selection, leaderFacts, stop);
}

Status MySqlDatabase::execute(const std::vector<SchemaStatement> &statements, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return runStatements(*s, statements, stop);
}

Result<std::unique_ptr<StatementRunner>> MySqlDatabase::statementRunner(std::stop_token stop)
{
    return makeStatementRunner(m_address, stop);
}

Result<Position> MySqlDatabase::currentPosition(const Selection &selection, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return readCurrentPosition(*s, selection, stop);
}

Result<bool> MySqlDatabase::stillHas(const Position &from, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return logStillHas(*s, from, stop);
}

Result<Position> MySqlDatabase::identified(const Position &from, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return identifiedPosition(*s, from, stop);
}

Result<qint64> MySqlDatabase::retentionSeconds(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return readRetentionSeconds(*s, stop);
}

Result<qint64> MySqlDatabase::logBytesAfter(const QString &place, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return readLogBytesAfter(*s, place, stop);
}

Result<std::vector<LiveClient>> MySqlDatabase::liveClients(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    return readLiveClients(*s, stop);
}

Result<std::unique_ptr<RowReader>> MySqlDatabase::reader(std::stop_token stop)
{
    return makeRowReader(m_address, stop);
}

Result<std::unique_ptr<RowWriter>> MySqlDatabase::writer(const Lease &lease, const QString &stream,
                                                         std::stop_token stop)
{
    return makeRowWriter(m_address, lease, stream, stop);
}

Result<std::unique_ptr<Applier>>
MySqlDatabase::applier(const Lease &lease, const ApplierOptions &options, std::stop_token stop)
{
    return makeApplier(m_address, lease, options, stop);
}

Result<std::unique_ptr<ChangeStream>> MySqlDatabase::changes(const Position &from,
                                                             const Lease &ours,
                                                             const TableResolver &resolve,
                                                             std::stop_token stop)
{
    return makeChangeStream(m_address, from, ours, resolve, stop);
}

Result<std::unique_ptr<ChangeStream>> MySqlDatabase::foreignWrites(const Position &from,
                                                                   const Lease &ours,
                                                                   const TableResolver &resolve,
                                                                   std::stop_token stop)
{
    return makeForeignStream(m_address, from, ours, resolve, stop);
}

Result<std::unique_ptr<RangeHasher>> MySqlDatabase::hasher(std::stop_token stop)
{
    return makeRangeHasher(m_address, stop);
}

Result<std::unique_ptr<Ledger>> MySqlDatabase::ledger(const QString &migration,
                                                      std::stop_token stop)
{
    return makeLedger(m_address, migration, stop);
}

Result<std::unique_ptr<Fence>> MySqlDatabase::fence(const FenceRequest &request,
                                                    std::stop_token stop)
{
    return makeFence(m_address, request, stop);
}

Status MySqlDatabase::serveApplier(ApplierOptions &options, std::stop_token stop)
{
    CW_TRY_ASSIGN(auto rows, makeLeaderRows(m_address, stop));
    options.leader = std::move(rows);
    return {};
}

Result<QStringList> MySqlDatabase::migrations(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(m_address, Use::Control, stop));
    CW_TRY_ASSIGN(const auto all, readMigrations(*s, stop));
    QStringList out;
    for (const MigrationOnServer &m : all)
        out << m.lease.migration;
    return out;
}

bool MySqlDatabase::reached(const Position &applied, const Position &wanted) const
{
    return positionReached(applied, wanted);
}

} // namespace causeway::mysql
