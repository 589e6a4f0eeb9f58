#include "mysql/ReplicaSource.h"

#include "base/Stop.h"
#include "mysql/Parts.h"

#include <chrono>

namespace causeway::mysql {

namespace {

/// Where writes are held nobody waits long for a replica; else it may have a backlog to work off.
constexpr std::chrono::seconds kUnderFence{30};
constexpr std::chrono::minutes kOtherwise{10};

/// What a replica must have replayed to hold all that its primary holds.
struct LogEnd {
    QString gtids; ///< empty: by file and offset
    QString file;
    QString offset;
    [[nodiscard]] bool isEmpty() const { return gtids.isEmpty() && file.isEmpty(); }
};

Result<LogEnd> endOfFile(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet log, s.query(!s.isMariaDb() && s.version() >= 80200
                                                   ? QStringLiteral("SHOW BINARY LOG STATUS")
                                                   : QStringLiteral("SHOW MASTER STATUS"),
                                               stop));
    LogEnd end;
    if (!log.rows.empty()) {
        end.file = log.text(0, std::size_t{0});
        end.offset = log.text(0, 1);
    }
    return end;
}

Result<LogEnd> endOfLog(Session &primary, std::stop_token stop)
{
    LogEnd end;
    if (primary.isMariaDb()) {
        CW_TRY_ASSIGN(const ResultSet r,
                      primary.query(QStringLiteral("SELECT @@GLOBAL.gtid_binlog_pos"), stop));
        end.gtids = r.text(0, std::size_t{0});
        return end;
    }
    CW_TRY_ASSIGN(
        const ResultSet r,
        primary.query(QStringLiteral("SELECT @@GLOBAL.gtid_mode, @@GLOBAL.gtid_executed"), stop));
    if (r.text(0, std::size_t{0}) == QLatin1String("ON")) {
        end.gtids = r.text(0, 1).remove(QLatin1Char('\n'));
        return end;
    }
    CW_TRY_ASSIGN(const ResultSet log, primary.query(primary.version() >= 80200
                                                         ? QStringLiteral("SHOW BINARY LOG STATUS")
                                                         : QStringLiteral("SHOW MASTER STATUS"),
                                                     stop));
    if (!log.rows.empty()) {
        end.file = log.text(0, std::size_t{0});
        end.offset = log.text(0, 1);
    }
    return end;
}

/// Waits a second for it at most. Nothing where the replica does not replay at all.
Result<std::optional<bool>> waitASecond(Session &replica, const LogEnd &end, std::stop_token stop)
{
    QString sql;
    if (replica.isMariaDb()) {
        sql = QStringLiteral("SELECT MASTER_GTID_WAIT(%1, 1)").arg(quoteText(end.gtids));
    } else if (!end.gtids.isEmpty()) {
        sql = QStringLiteral("SELECT WAIT_FOR_EXECUTED_GTID_SET(%1, 1)").arg(quoteText(end.gtids));
    } else {
        sql = QStringLiteral("SELECT %1(%2, %3, 1)")
                  .arg(replica.version() >= 80026 ? QStringLiteral("SOURCE_POS_WAIT")
                                                  : QStringLiteral("MASTER_POS_WAIT"),
                       quoteText(end.file), end.offset);
    }
    CW_TRY_ASSIGN(const ResultSet r, replica.query(sql, stop));
    if (r.isNull(0, 0))
        return std::optional<bool>();
    const qint64 answer = r.text(0, std::size_t{0}).toLongLong();
    // A number of events waited for, 0 at once; -1 a time-out, of a GTID set 1.
    const bool reached = !end.gtids.isEmpty() ? answer == 0 : answer >= 0;
    return std::optional(reached);
}

/// Why it does not replay, empty where it does or where that may not be asked.
std::optional<QString> stoppedBecause(Session &replica, const std::stop_token &stop)
{
    const bool newNames = !replica.isMariaDb() && replica.version() >= 80022;
    const auto r = replica.query(replica.isMariaDb() ? QStringLiteral("SHOW ALL SLAVES STATUS")
                                 : newNames          ? QStringLiteral("SHOW REPLICA STATUS")
                                                     : QStringLiteral("SHOW SLAVE STATUS"),
                                 stop);
    if (!r)
        return std::nullopt;
    if (r->rows.empty())
        return QString();
    for (std::size_t i = 0; i < r->rows.size(); ++i) {
        const auto field = [&](const char *newName, const char *oldName) {
            return r->text(i, newNames ? newName : oldName);
        };
        if (field("Replica_SQL_Running", "Slave_SQL_Running") == QLatin1String("No"))
            return field("Last_SQL_Error", "Last_SQL_Error");
        if (field("Replica_IO_Running", "Slave_IO_Running") == QLatin1String("No"))
            return field("Last_IO_Error", "Last_IO_Error");
    }
    return std::nullopt;
}

Error replicaStopped(const Session &replica, const Address &primary, const QString &words)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-replica-stopped");
    e.object = replica.address().display();
    e.message = cwText("core", "%1 does not replicate from its primary %2 now.",
                       replica.address().display(), primary.display());
    e.serverWords = words;
    e.fix = cwText("core", "Start the replication again (START REPLICA), mend what stopped it, "
                           "then go on.");
    return e;
}

/// Returns when the replica holds everything that is in the primary's log now; true where it was
/// told by file and offset, false by GTID.
Result<bool> awaitReplica(const Address &primary, const Address &replica,
                          std::chrono::seconds limit, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto writes, Session::open(primary, Use::Control, stop));
    CW_TRY_ASSIGN(const LogEnd end, endOfLog(*writes, stop));
    const bool byFile = end.gtids.isEmpty() && !writes->isMariaDb();
    if (end.isEmpty())
        return byFile;
    CW_TRY_ASSIGN(const auto reads, Session::open(replica, Use::Control, stop));
    const auto until = std::chrono::steady_clock::now() + limit;
    for (;;) {
        CW_TRY_ASSIGN(const auto reached, waitASecond(*reads, end, stop));
        if (reached.value_or(false))
            return byFile;
        if (stop.stop_requested())
            return fail(cancelledError());
        const auto why = stoppedBecause(*reads, stop);
        if (why || !reached)
            return fail(replicaStopped(*reads, primary, why.value_or(QString())));
        if (std::chrono::steady_clock::now() > until) {
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("mysql-replica-behind");
            e.object = replica.display();
            e.message =
                cwText("core", "%1 did not reach its primary %2 within %3 seconds.",
                       replica.display(), primary.display(), static_cast<qint64>(limit.count()));
            e.fix = cwText("core", "Try again when the replica lags less, or make the migration "
                                   "anew with the primary as its source.");
            return fail(std::move(e));
        }
    }
}

/// Where the replica's log ends.
Result<Position> endOfFile(const Address &replica, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto s, Session::open(replica, Use::Control, stop));
    CW_TRY_ASSIGN(const LogEnd end, endOfFile(*s, stop));
    return end.file.isEmpty() ? Position{}
                              : Position{QStringLiteral("file:%1:%2").arg(end.file, end.offset)};
}

/// A position of the replica's log that covers everything that is in the primary's now, and of
/// which everything before is visible to readers of the replica.
Result<Position> replayedPosition(const Address &primary, MySqlDatabase &replica,
                                  const Selection &selection, std::chrono::seconds limit,
                                  std::stop_token stop)
{
    CW_TRY_ASSIGN(const bool byFile, awaitReplica(primary, replica.address(), limit, stop));
    if (!byFile)
        return replica.currentPosition(selection, std::move(stop));
    // Without GTID a log shows a transaction before the tables do, and the lock that helps on
    // another server (Positions.cpp) is hardly ever granted where several threads replay. But what
    // the log holds now came from the primary, and a replica says of that when it has committed it.
    CW_TRY_ASSIGN(Position end, endOfFile(replica.address(), stop));
    CW_TRY(awaitReplica(primary, replica.address(), limit, std::move(stop)));
    return end;
}

/// The primary's fence; positions are the replica's.
class ReplicaFence final : public Fence {
public:
    ReplicaFence(std::unique_ptr<Fence> primary, Address address, MySqlDatabase &replica,
                 Selection selection)
        : m_primary(std::move(primary)), m_address(std::move(address)), m_replica(replica),
          m_selection(std::move(selection))
    {
    }

    QString sealKind() const override { return m_primary->sealKind(); }
    FenceForecast forecast() const override { return m_primary->forecast(); }
    QStringList holdSql() const override { return m_primary->holdSql(); }
    QStringList sealSql() const override { return m_primary->sealSql(); }
    QStringList openSql() const override { return m_primary->openSql(); }
    Result<QStringList> passingWriters(std::chrono::milliseconds looks,
                                       std::stop_token stop) override
    {
        return m_primary->passingWriters(looks, std::move(stop));
    }
    QStringList lockAccountsSql(const QStringList &accounts) const override
    {
        return m_primary->lockAccountsSql(accounts);
    }
    Result<QStringList> lockAccounts(const QStringList &accounts, std::stop_token stop) override
    {
        return m_primary->lockAccounts(accounts, std::move(stop));
    }
    Status unlockAccounts(std::stop_token stop) override
    {
        return m_primary->unlockAccounts(std::move(stop));
    }
    Result<Position> hold(std::stop_token stop) override
    {
        CW_TRY_ASSIGN(const Position drained, m_primary->hold(stop));
        return replayed(drained, stop);
    }
    Result<Position> seal(std::stop_token stop) override
    {
        CW_TRY_ASSIGN(const Position drained, m_primary->seal(stop));
        return replayed(drained, stop);
    }
    std::optional<SealTiming> lastSeal() const override { return m_primary->lastSeal(); }
    Result<bool> isWaitedFor(std::stop_token stop) override
    {
        return m_primary->isWaitedFor(std::move(stop));
    }
    Result<QStringList> endWaiters(std::stop_token stop) override
    {
        return m_primary->endWaiters(std::move(stop));
    }
    Status release(std::stop_token stop) override { return m_primary->release(std::move(stop)); }
    Status admitApplier(std::stop_token stop) override
    {
        return m_primary->admitApplier(std::move(stop));
    }
    Status open(std::stop_token stop) override { return m_primary->open(std::move(stop)); }
    Result<bool> isSealed(std::stop_token stop) override
    {
        return m_primary->isSealed(std::move(stop));
    }
    void interrupt() noexcept override { m_primary->interrupt(); }

private:
    Result<Position> replayed(const Position &drained, const std::stop_token &stop)
    {
        if (drained.isEmpty())
            return drained; // no log: copied once, with nothing to follow
        return replayedPosition(m_address, m_replica, m_selection, kUnderFence, stop);
    }

    std::unique_ptr<Fence> m_primary;
    Address m_address;
    MySqlDatabase &m_replica;
    Selection m_selection;
};

} // namespace

Result<Capabilities> ReplicaSource::capabilities(std::stop_token stop)
{
    CW_TRY_ASSIGN(Capabilities can, MySqlDatabase::capabilities(stop));
    CW_TRY_ASSIGN(const Capabilities read, m_replica.capabilities(stop));
    can.follow = read.follow;
    return can;
}

Result<std::unique_ptr<RowReader>> ReplicaSource::reader(std::stop_token stop)
{
    return m_replica.reader(std::move(stop));
}

Status ReplicaSource::readLocked(const Table &table, const ReadLimits &limits,
                                 const BatchSink &sink,
                                 const std::function<Status(const Position &)> &at,
                                 std::stop_token stop)
{
    return m_replica.readLocked(table, limits, sink, at, std::move(stop));
}

Result<std::unique_ptr<ChangeStream>> ReplicaSource::changes(const Position &from,
                                                             const Lease &ours,
                                                             const TableResolver &resolve,
                                                             std::stop_token stop)
{
    return m_replica.changes(from, ours, resolve, std::move(stop));
}

Result<std::unique_ptr<ChangeStream>> ReplicaSource::foreignWrites(const Position &from,
                                                                   const Lease &ours,
                                                                   const TableResolver &resolve,
                                                                   std::stop_token stop)
{
    return m_replica.foreignWrites(from, ours, resolve, std::move(stop));
}

Result<std::unique_ptr<Fence>> ReplicaSource::fence(const FenceRequest &request,
                                                    std::stop_token stop)
{
    CW_TRY_ASSIGN(auto primary, MySqlDatabase::fence(request, std::move(stop)));
    return std::unique_ptr<Fence>(std::make_unique<ReplicaFence>(std::move(primary), address(),
                                                                 m_replica, request.selection));
}

Result<Position> ReplicaSource::currentPosition(const Selection &selection, std::stop_token stop)
{
    return replayedPosition(address(), m_replica, selection, kOtherwise, std::move(stop));
}

Result<bool> ReplicaSource::stillHas(const Position &from, std::stop_token stop)
{
    return m_replica.stillHas(from, std::move(stop));
}

Result<Position> ReplicaSource::identified(const Position &from, std::stop_token stop)
{
    return m_replica.identified(from, std::move(stop));
}

Result<qint64> ReplicaSource::retentionSeconds(std::stop_token stop)
{
    return m_replica.retentionSeconds(std::move(stop));
}

Result<qint64> ReplicaSource::logBytesAfter(const QString &place, std::stop_token stop)
{
    return m_replica.logBytesAfter(place, std::move(stop));
}

Status ReplicaSource::serveApplier(ApplierOptions &options, std::stop_token stop)
{
    return m_replica.serveApplier(options, std::move(stop));
}

} // namespace causeway::mysql
