#pragma once

#include "database/Change.h"
#include "mysql/ApplierTable.h"

#include <map>
#include <memory>
#include <vector>

namespace causeway::mysql {

/// A foreign key with a referential action, seen from the parent. Columns are indexes in the
/// leader's tables.
struct CascadeEdge {
    TableName parent;
    std::shared_ptr<const ApplierTable> parentTable;
    std::vector<int> parentColumns;
    std::shared_ptr<const ApplierTable> child;
    std::vector<int> childColumns;
    RefAction onDelete = RefAction::NoAction;
    RefAction onUpdate = RefAction::NoAction;
    QString order; ///< "schema/constraint": InnoDB goes through a parent's constraints by it
};

inline bool isActing(RefAction action)
{
    return action == RefAction::Cascade || action == RefAction::SetNull;
}

/// The foreign keys among all tables that move. Pure; no I/O.
class CascadeGraph {
public:
    CascadeGraph() = default;
    explicit CascadeGraph(const std::vector<std::shared_ptr<const ApplierTable>> &tables);

    [[nodiscard]] const std::vector<CascadeEdge> &edgesOf(const TableName &parent) const;
    /// The leader performed (or could have performed) a referential action with this change, which
    /// its log does not show: it is to be applied alone (ALGORITHMS 3.2).
    [[nodiscard]] bool isBarrier(const RowChange &) const;
    /// A delete of a row of `table` acts on other rows.
    [[nodiscard]] bool reactsToDelete(const TableName &table) const;
    /// A change of `columns` of `table` acts on other rows.
    [[nodiscard]] bool reactsToUpdate(const TableName &table,
                                      const std::vector<int> &columns) const;
    /// Edges whose parent table is itself changed by referential actions: a row in the middle of
    /// such a chain can be missing on the follower when the action comes.
    [[nodiscard]] std::vector<const CascadeEdge *> chained() const;
    [[nodiscard]] std::vector<const CascadeEdge *> chainedOf(const TableName &parent) const;
    [[nodiscard]] bool isEmpty() const { return m_edges.empty(); }

private:
    [[nodiscard]] bool isChild(const TableName &) const;
    std::map<TableName, std::vector<CascadeEdge>> m_edges; ///< by parent
};

/// Values of `columns` in `image`; nothing where one is NULL (MATCH SIMPLE: refers to no row).
std::optional<Row> tupleOf(const Row &image, const std::vector<int> &columns);

} // namespace causeway::mysql
