#pragma once

#include "database/Database.h"
#include "postgres/PostgresSession.h"

namespace causeway::postgres {

/// PostgreSQL as far as looking at a server goes: facts, catalog, clients, hashes, and what the
/// checks need. It moves on the native route (native/Native.h); what only the relay would need of
/// it says that this is not built.
class PostgresDatabase final : public Database {
public:
    explicit PostgresDatabase(Address address) : m_address(std::move(address)) {}

    const Address &address() const override { return m_address; }
    Result<ServerFacts> facts(std::stop_token) override;
    Result<Capabilities> capabilities(std::stop_token) override;
    Result<Catalog> catalog(const Selection &, std::stop_token) override;
    Result<QStringList> schemaNames(std::stop_token) override;
    Result<SchemaScript> schemaScript(const Catalog &leader, const Selection &,
                                      const ServerFacts &leaderFacts, std::stop_token) override;
    Status execute(const std::vector<SchemaStatement> &, std::stop_token) override;
    Result<std::unique_ptr<RowReader>> reader(std::stop_token) override;
    Result<std::unique_ptr<RowWriter>> writer(const Lease &, const QString &stream,
                                              std::stop_token) override;
    Result<std::unique_ptr<Applier>> applier(const Lease &, const ApplierOptions &,
                                             std::stop_token) override;
    Result<std::unique_ptr<ChangeStream>> changes(const Position &, const Lease &,
                                                  const TableResolver &, std::stop_token) override;
    Result<std::unique_ptr<RangeHasher>> hasher(std::stop_token) override;
    Result<std::unique_ptr<Ledger>> ledger(const QString &migration, std::stop_token) override;
    Result<std::unique_ptr<Fence>> fence(const FenceRequest &, std::stop_token) override;
    Result<Position> currentPosition(const Selection &, std::stop_token) override;
    bool reached(const Position &, const Position &) const override;
    Result<bool> stillHas(const Position &, std::stop_token) override;
    Result<qint64> retentionSeconds(std::stop_token) override;
    Result<std::vector<LiveClient>> liveClients(std::stop_token) override;
    Result<std::vector<Row>> readRows(const Table &, const std::vector<Row> &keys,
                                      std::stop_token) override;

private:
    Address m_address;
};

// PostgresFacts.cpp
Result<ServerFacts> readFacts(Session &, std::stop_token);
Result<std::vector<LiveClient>> readLiveClients(Session &, std::stop_token);
// PostgresCatalog.cpp
Result<QStringList> readSchemaNames(Session &, std::stop_token);
Result<Catalog> readCatalog(Session &, const Selection &, std::stop_token);

/// SQL condition on a namespace's name: the schemas of the selection, or all but the system's.
QString schemaCondition(const QString &expression, const QStringList &schemas);

} // namespace causeway::postgres
