#pragma once

#include "mysql/ApplierBatch.h"
#include "mysql/CascadeGraph.h"
#include "mysql/Session.h"

namespace causeway::mysql {

/// What a cascade works with; everything belongs to the applier.
struct CascadeContext {
    Session *session = nullptr; ///< on the follower, inside the transaction
    const CascadeGraph *graph = nullptr;
    StatementLimits limits;
    std::stop_token stop;
    /// ApplierOptions::onUnlogged.
    const std::function<void(const TableName &, const std::vector<Row> &)> *touched = nullptr;
    std::size_t mostTouched = 0;
};

/// Performs on the follower the referential actions that the leader's server performed for this
/// change (and did not log), from the follower's own rows. Exact when the follower stands exactly
/// at the change. The row itself is the caller's. `onlyKeyless`: only on tables without key, which
/// are copied exactly and whose rows cannot be looked up.
Status performCascade(const CascadeContext &, const RowChange &, bool onlyKeyless = false);

/// The same while rows on the follower may be newer than the change (ALGORITHMS 3.3): every row
/// that the cascade can have touched, found by the old and the new values on either side, is made
/// as the leader has it now. True where the leader was read.
Result<bool> rereadCascade(const CascadeContext &, LeaderRows &, const RowChange &,
                           const Position &visible);

/// Rows that refer to keys which these changes bring into being: left behind by a cascade that
/// could not reach them, because the row between was copied after it. Made as the leader has
/// them now.
Result<bool> rereadStaleChildren(const CascadeContext &, LeaderRows &,
                                 const std::vector<KeyedChanges> &, const Position &visible);
/// Rows that refer to no row although a chain of actions should have reached them: likewise.
Result<bool> rereadOrphans(const CascadeContext &, LeaderRows &, const Position &visible);

/// Columns of `table` read from the follower by a condition (without WHERE), as rows by the
/// leader's column index with nothing in the others; texts in the leader's charset.
Result<std::vector<Row>> readColumns(const CascadeContext &, const ApplierTable &table,
                                     const std::vector<int> &columns, const std::string &where);
/// Somebody wants to know which rows of `table` are touched; tell() says which (keys and more).
[[nodiscard]] bool tellsOf(const CascadeContext &, const ApplierTable &table);
void tell(const CascadeContext &, const ApplierTable &table, const std::vector<Row> &rows);
/// The row key and what the actions of a table look at.
std::vector<int> cascadeColumns(const CascadeGraph &, const ApplierTable &);
std::vector<const Column *> leaderTypes(const Table &, const std::vector<int> &columns);
std::vector<std::string> columnIds(const ApplierTable &, const std::vector<int> &columns);

} // namespace causeway::mysql
