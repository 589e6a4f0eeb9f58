#pragma once

#include "base/Error.h"
#include "database/Database.h"

#include <QJsonObject>
#include <QString>

#include <functional>
#include <stop_token>
#include <vector>

namespace causeway {

struct RowDifference {
    QString key;  ///< printable key values
    QString kind; ///< "differing" | "missing" (on the follower) | "extra"
};

struct TableVerdict {
    QString name; ///< source name
    qint64 rowsSource = 0, rowsTarget = 0;
    qint64 differing = 0, missing = 0, extra = 0, repaired = 0;
    std::vector<RowDifference> samples; ///< at most 100
    [[nodiscard]] bool equal() const { return differing == 0 && missing == 0 && extra == 0; }
};

struct VerifyReport {
    std::vector<TableVerdict> tables;
    qint64 atMs = 0;
    [[nodiscard]] bool equal() const; ///< after repair
    [[nodiscard]] QJsonObject toJson() const;
};

struct VerifyOptions {
    bool repair = false;
    qint64 rowsPerRange = 20'000;
    int workers = 2;
    /// Set while replication runs. Waits until the follower has applied everything that the leader
    /// had committed by the call. Several threads at once. Absent: nothing moves.
    std::function<Status(std::stop_token)> waitApplied;
    /// Rereads these rows (by key) on the leader and writes them to, or deletes them from, the
    /// follower through the applier, in step with the stream. Absent: no repair.
    std::function<Status(const TablePlan &, const std::vector<Row> &keys, std::stop_token)>
        repairRows;
    std::function<void(const TableVerdict &, bool finished)> onProgress;
};

/// Compares leader and follower as ALGORITHMS 6 says: ranges walked on the leader only; a mismatch
/// is narrowed to rows, and a row counts only if it still differs after waitApplied.
Result<VerifyReport> verifyTables(Database &leader, Database &follower,
                                  const std::vector<TablePlan> &, bool leaderIsSource,
                                  const VerifyOptions &, std::stop_token);

} // namespace causeway
