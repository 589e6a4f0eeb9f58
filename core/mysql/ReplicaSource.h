#pragma once

#include "mysql/MySqlDatabase.h"

namespace causeway::mysql {

/// A source whose rows and changes are read from a replica, while its primary is what applications
/// write to, what holds our state and what is closed at the switch. All positions are of the
/// replica's log; those of a moment on the primary are taken when the replica has replayed
/// everything up to it.
///
///   from the replica: the bulk of the rows, the log, what an applier must look up of the past
///   from the primary: schema, state, fence, comparisons (so that a replica that has drifted from
///                     its primary is found), rows looked up for a repair
class ReplicaSource final : public MySqlDatabase {
public:
    ReplicaSource(Address primary, Address replica)
        : MySqlDatabase(std::move(primary)), m_replica(std::move(replica))
    {
    }

    Result<Capabilities> capabilities(std::stop_token) override;
    Result<std::unique_ptr<RowReader>> reader(std::stop_token) override;
    Status readLocked(const Table &, const ReadLimits &, const BatchSink &,
                      const std::function<Status(const Position &)> &at, std::stop_token) override;
    Result<std::unique_ptr<ChangeStream>> changes(const Position &, const Lease &,
                                                  const TableResolver &, std::stop_token) override;
    Result<std::unique_ptr<ChangeStream>>
    foreignWrites(const Position &, const Lease &, const TableResolver &, std::stop_token) override;
    Result<std::unique_ptr<Fence>> fence(const FenceRequest &, std::stop_token) override;
    /// Waits for the replica. Error{NotReady, "mysql-replica-stopped" or "mysql-replica-behind"}.
    Result<Position> currentPosition(const Selection &, std::stop_token) override;
    Result<bool> stillHas(const Position &, std::stop_token) override;
    Result<Position> identified(const Position &, std::stop_token) override;
    Result<qint64> retentionSeconds(std::stop_token) override;
    Result<qint64> logBytesAfter(const QString &place, std::stop_token) override;
    Status serveApplier(ApplierOptions &, std::stop_token) override;

private:
    MySqlDatabase m_replica;
};

} // namespace causeway::mysql
