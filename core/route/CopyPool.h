#pragma once

#include "database/Database.h"
#include "route/CopyQueue.h"

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

namespace causeway {

enum class CopyState { Waiting, Copying, Copied, Failed };

/// How far one table is. Rows and bytes count what is committed on the follower, before a resume as
/// well (bytes: of this run).
struct CopyProgress {
    TableName name; ///< leader's
    CopyState state = CopyState::Waiting;
    qint64 rows = 0, bytes = 0;
    qint64 collisions = 0; ///< rows left to the applier: another row held a unique value
    QString error;
};

struct CopyOptions {
    int readers = 2; ///< tables read at the same time
    int writers = 4; ///< each with the stream row "copy<n>", which must exist
    ReadLimits limits;
    qint64 queueBytes = 16'000'000;
    qint64 bytesPerSecond = 0; ///< 0 = as fast as it goes
    /// Attempts at a connection that was lost, in a row and without progress, before the copy ends
    /// with an error (and can be resumed).
    int connectionAttempts = 8;
    std::chrono::milliseconds firstPause{250}, longestPause{10'000};
    /// Copies a table without key: holds what makes the read consistent, calls
    /// RowReader::readAll() with this sink and returns. It must begin with an empty table and no
    /// recorded chunks. Absent: such a table is an error.
    std::function<Status(const TablePlan &, const BatchSink &, std::stop_token)> copyKeyless;
    /// The table's last chunk has committed. From a worker's thread, one call at a time; an error
    /// ends the copy.
    std::function<Status(const TablePlan &, std::stop_token)> onCopied;
    /// A connection is tried again. From any thread.
    std::function<void(const Error &)> onTrouble;
};

/// Copies tables from the leader to the follower: readers in key order feed a bounded queue,
/// writers commit each batch together with the record of its range. What is committed is never
/// read again, so that run() can be called anew after any failure, also by another process.
class CopyPool {
public:
    CopyPool(Database &leader, Database &follower, Lease lease, CopyOptions options);
    ~CopyPool();
    CopyPool(const CopyPool &) = delete;
    CopyPool &operator=(const CopyPool &) = delete;

    enum class End { Copied, Paused };
    /// Copies what is missing of these tables, in the order given (biggestFirst() is a good one).
    /// A table that cannot be copied does not stop the others; then its error is returned at the
    /// end. Blocks; once at a time.
    Result<End> run(const std::vector<TablePlan> &, std::stop_token);

    /// Any thread: run() finishes what was read and returns Paused.
    void pause();
    /// Any thread.
    void setBytesPerSecond(qint64);
    [[nodiscard]] std::vector<CopyProgress> progress() const;
    /// "source" or "target": who kept the other waiting since the last call (calls a second or
    /// more apart); "" where neither did, or the throttle does. Any thread.
    [[nodiscard]] QString limitedBy();

    static std::vector<TablePlan> biggestFirst(std::vector<TablePlan>);

private:
    struct Run;
    Database &m_leader;
    Database &m_follower;
    const Lease m_lease;
    const CopyOptions m_options;
    Throttle m_throttle;
    mutable std::mutex m_mutex; ///< m_run
    std::shared_ptr<Run> m_run;
    std::stop_source m_pause;
    qint64 m_roomWaitSeen = 0, m_itemWaitSeen = 0;
};

} // namespace causeway
