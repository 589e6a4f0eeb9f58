#pragma once

#include "database/Database.h"
#include "mysql/ApplierTable.h"
#include "mysql/CascadeGraph.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace causeway::mysql {

/// How far into a transaction the follower is, where that is not the transaction's end: everything
/// before the transaction, and its row changes up to and including `row`.
struct RowMark {
    Position before; ///< the transaction begins here
    QString id;      ///< of the transaction; empty = unknown, then `before` identifies it
    int row = -1;
    [[nodiscard]] QString toText() const;
    static std::optional<RowMark> fromText(const QString &);
    bool operator==(const RowMark &) const = default;
};

/// The last full image of each key of one table, or its deletion (ALGORITHMS 3.1). Pointers into
/// the batch.
struct KeyedChanges {
    struct Entry {
        Row key;
        const Row *image = nullptr; ///< null: the row is gone
        bool inserted = false;      ///< the leader had no row with this key before
    };
    std::shared_ptr<const ApplierTable> table;
    std::unordered_map<std::string, Entry> byKey; ///< by packRow(key)
};

struct PlannedRow {
    std::shared_ptr<const ApplierTable> table;
    const RowChange *change = nullptr;
};

/// A part of a batch, in the order in which it is carried out: `keyed` by all workers, committed;
/// then one transaction with `keyless`, then `alone`, and the position.
struct Segment {
    std::vector<KeyedChanges> keyed;
    std::vector<PlannedRow> keyless; ///< tables without key, in order
    std::vector<PlannedRow> alone;   ///< rows whose referential actions we perform, in order
    std::size_t keyedRows = 0;
    std::size_t firstRow = 0, endRow = 0; ///< of the batch: [firstRow, endRow)
    /// What is recorded at the end: the batch's own position, unless there is a mark.
    Position after;
    std::optional<RowMark> mark;
};

/// Table of the follower for a table of the leader; null = not in scope.
using ApplierTableFinder = std::function<Result<std::shared_ptr<const ApplierTable>>(
    const std::shared_ptr<const Table> &leader)>;

struct BatchPlanner {
    ApplierTableFinder find;
    const CascadeGraph *cascades = nullptr;           ///< null: the log has everything
    std::size_t mostKeyless = 1'000, mostAlone = 200; ///< of one transaction

    /// `done`: rows of that transaction up to that one were applied before. `recorded`: the
    /// position on the follower. At least one segment, also for an empty batch.
    Result<std::vector<Segment>> plan(const ChangeBatch &, const std::optional<RowMark> &done,
                                      const Position &recorded) const;
};

} // namespace causeway::mysql
