#pragma once

#include "database/Database.h"

#include <memory>

namespace causeway::mysql {

/// MySQL, MariaDB and their relatives, through the relay. Only hands out the parts (Parts.h).
class MySqlDatabase : public Database {
public:
    explicit MySqlDatabase(Address address) : m_address(std::move(address)) {}

    const Address &address() const override { return m_address; }
    Result<ServerFacts> facts(std::stop_token) override;
    Result<Capabilities> capabilities(std::stop_token) override;
    Result<Catalog> catalog(const Selection &, std::stop_token) override;
    Result<std::vector<SchemaObject>> objects(const Selection &, ObjectKind,
                                              std::stop_token) override;
    Result<QStringList> schemaNames(std::stop_token) override;
    Result<SchemaScript> schemaScript(const Catalog &leader, const Selection &,
                                      const ServerFacts &leaderFacts, std::stop_token) override;
    Status execute(const std::vector<SchemaStatement> &, std::stop_token) override;
    Result<std::unique_ptr<StatementRunner>> statementRunner(std::stop_token) override;
    Result<std::vector<KeyCollision>>
    keyCollisions(Database &leader, const std::vector<TablePlan> &, const Lease &,
                  const std::function<void(const TableName &)> &looksAt,
                  std::stop_token) override; // CollisionScan.cpp
    Result<std::unique_ptr<RowReader>> reader(std::stop_token) override;
    Result<std::unique_ptr<RowWriter>> writer(const Lease &, const QString &stream,
                                              std::stop_token) override;
    Result<std::unique_ptr<Applier>> applier(const Lease &, const ApplierOptions &,
                                             std::stop_token) override;
    Result<std::unique_ptr<ChangeStream>> changes(const Position &, const Lease &,
                                                  const TableResolver &, std::stop_token) override;
    Result<std::unique_ptr<ChangeStream>>
    foreignWrites(const Position &, const Lease &, const TableResolver &, std::stop_token) override;
    Result<std::unique_ptr<RangeHasher>> hasher(std::stop_token) override;
    Result<std::unique_ptr<Ledger>> ledger(const QString &migration, std::stop_token) override;
    Result<std::unique_ptr<Fence>> fence(const FenceRequest &, std::stop_token) override;
    Result<Position> currentPosition(const Selection &, std::stop_token) override;
    bool reached(const Position &, const Position &) const override;
    Result<bool> stillHas(const Position &, std::stop_token) override;
    Result<Position> identified(const Position &, std::stop_token) override;
    Result<qint64> retentionSeconds(std::stop_token) override;
    Result<qint64> logBytesAfter(const QString &place, std::stop_token) override;
    Result<std::vector<LiveClient>> liveClients(std::stop_token) override;
    Result<std::vector<Row>> readRows(const Table &, const std::vector<Row> &keys,
                                      std::stop_token) override; // RowsByKey.cpp
    Status readLocked(const Table &, const ReadLimits &, const BatchSink &,
                      const std::function<Status(const Position &)> &at,
                      std::stop_token) override; // LockedRead.cpp
    Status serveApplier(ApplierOptions &, std::stop_token) override;
    std::vector<SchemaStatement> objectStatements(ObjectAction,
                                                  const std::vector<SchemaObject> &) const override;
    std::vector<SchemaStatement> tableStatements(TableAction,
                                                 const std::vector<TableName> &) const override;
    Result<QStringList> migrations(std::stop_token) override;
    Result<std::unique_ptr<LeaseHold>> holdLease(const QString &migration,
                                                 std::stop_token) override; // LeaseHold.cpp
    std::vector<SchemaStatement> dropSchemaStatements(const QStringList &) const override;
    Result<Counters> counters(const Selection &, std::stop_token) override;
    std::vector<SchemaStatement> counterStatements(const Counters &own,
                                                   const Counters &wanted) const override;
    Result<std::vector<SchemaStatement>>
    sequenceStatements(const Selection &,
                       const std::function<TableName(const TableName &)> &elsewhere, qint64 margin,
                       std::stop_token) override; // Sequences.cpp

private:
    Address m_address;
};

} // namespace causeway::mysql
