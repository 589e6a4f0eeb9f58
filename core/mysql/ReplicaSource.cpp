#include "mysql/ReplicaSource.h"

#include "base/Stop.h"
#include "mysql/Parts.h"
#include "mysql/Replicas.h"

#include <chrono>

namespace causeway::mysql {

namespace {

/// Where writes are held nobody waits long for a replica; else it may have a backlog to work off.
constexpr std::chrono::seconds kUnderFence{30};
constexpr std::chrono::minutes kOtherwise{10};

/// What a replica must have replayed to hold all that its primary holds.
struct LogEnd {
    QString gtids; ///< empty: by place
    QString place; ///< "file:offset"
    [[nodiscard]] bool isEmpty() const { return gtids.isEmpty() && place.isEmpty(); }
};

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
    CW_TRY_ASSIGN(end.place, readLogEnd(primary, std::move(stop)));
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
                       quoteText(end.place.section(QLatin1Char(':'), 0, -2)),
                       end.place.section(QLatin1Char(':'), -1));
    }
    CW_TRY_ASSIGN(const ResultSet r, replica.query(sql, stop));
    if (r.isNull(0, 0))
        return std::optional<bool>();
    const qint64 answer = r.text(0, std::size_t{0}).toLongLong();
    // A number of events waited for, 0 at once; -1 a time-out, of a GTID set 1.
    const bool reached = !end.gtids.isEmpty() ? answer == 0 : answer >= 0;
    return std::optional(reached);
}

/// Why it does not replay; nothing where it does, or where that may not be asked.
std::optional<QString> stoppedBecause(Session &replica, std::stop_token stop)
{
    const auto all = readReplicas(replica, std::move(stop));
    if (!all)
        return std::nullopt;
    for (const ReplicaBrief &r : *all) {
        if (!r.wholly)
            return r.error;
    }
    return all->empty() ? std::optional(QString()) : std::nullopt;
}

Error replicaStopped(const Address &replica, const Address &primary, const QString &words)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-replica-stopped");
    e.object = replica.display();
    e.message = cwText("core", "%1 does not replicate from its primary %2 now.", replica.display(),
                       primary.display());
    e.serverWords = words;
    e.fix = cwText("core", "Start the replication again (START REPLICA), mend what stopped it, "
                           "then go on.");
    return e;
}

Error replicaBehind(const Address &replica, const Address &primary, std::chrono::seconds limit)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-replica-behind");
    e.object = replica.display();
    e.message = cwText("core", "%1 did not reach its primary %2 within %3 seconds.",
                       replica.display(), primary.display(), static_cast<qint64>(limit.count()));
    e.fix = cwText("core", "Try again when the replica lags less, or make the migration anew with "
                           "the primary as its source.");
    return e;
}

/// A session on each of the two. One thread.
class ReplicaLink {
public:
    ReplicaLink(Address primary, Address replica)
        : m_primary(std::move(primary)), m_replica(std::move(replica))
    {
    }

    /// So that nothing needs to be connected while writes are held.
    Status open(std::stop_token stop)
    {
        if (!m_writes || m_writes->isDead()) {
            CW_TRY_ASSIGN(m_writes, Session::open(m_primary, Use::Control, stop));
        }
        if (!m_reads || m_reads->isDead()) {
            CW_TRY_ASSIGN(m_reads, Session::open(m_replica, Use::Control, stop));
        }
        return {};
    }

    /// A position of the replica's log that covers everything that is in the primary's now, and of
    /// which everything before is visible to readers of the replica.
    Result<Position> replayed(const Selection &selection, std::chrono::seconds limit,
                              std::stop_token stop)
    {
        CW_TRY(open(stop));
        CW_TRY_ASSIGN(const LogEnd end, endOfLog(*m_writes, stop));
        CW_TRY(await(end, limit, stop));
        if (m_writes->isMariaDb() || !end.gtids.isEmpty())
            return readCurrentPosition(*m_reads, selection, stop);
        // Without GTID a log shows a transaction before the tables do, and the lock that helps on
        // another server (Positions.cpp) is hardly ever granted where several threads replay. But
        // what the log holds now came from the primary, and a replica says of that when it has
        // committed it.
        CW_TRY_ASSIGN(const QString place, readLogEnd(*m_reads, stop));
        CW_TRY_ASSIGN(const LogEnd later, endOfLog(*m_writes, stop));
        CW_TRY(await(later, limit, stop));
        return place.isEmpty() ? Position{} : Position{QStringLiteral("file:") + place};
    }

private:
    Status await(const LogEnd &end, std::chrono::seconds limit, const std::stop_token &stop)
    {
        if (end.isEmpty())
            return {};
        const auto until = std::chrono::steady_clock::now() + limit;
        for (;;) {
            CW_TRY_ASSIGN(const auto reached, waitASecond(*m_reads, end, stop));
            if (reached.value_or(false))
                return {};
            if (stop.stop_requested())
                return fail(cancelledError());
            const auto why = stoppedBecause(*m_reads, stop);
            if (why || !reached)
                return fail(replicaStopped(m_replica, m_primary, why.value_or(QString())));
            if (std::chrono::steady_clock::now() > until)
                return fail(replicaBehind(m_replica, m_primary, limit));
        }
    }

    Address m_primary, m_replica;
    std::unique_ptr<Session> m_writes, m_reads;
};

/// The primary's fence; positions are the replica's.
class ReplicaFence final : public Fence {
public:
    ReplicaFence(std::unique_ptr<Fence> primary, ReplicaLink link, Selection selection)
        : m_primary(std::move(primary)), m_link(std::move(link)), m_selection(std::move(selection))
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
        CW_TRY(m_link.open(stop));
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
        return m_link.replayed(m_selection, kUnderFence, stop);
    }

    std::unique_ptr<Fence> m_primary;
    ReplicaLink m_link;
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
    return std::unique_ptr<Fence>(std::make_unique<ReplicaFence>(
        std::move(primary), ReplicaLink(address(), m_replica.address()), request.selection));
}

Result<Position> ReplicaSource::currentPosition(const Selection &selection, std::stop_token stop)
{
    return ReplicaLink(address(), m_replica.address())
        .replayed(selection, kOtherwise, std::move(stop));
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
