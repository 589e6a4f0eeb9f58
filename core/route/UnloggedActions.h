#pragma once

#include "database/Database.h"

#include <map>
#include <set>
#include <vector>

namespace causeway {

/// Which tables the leader may have changed by referential actions that its log does not show
/// (ALGORITHMS 3.2), told from the changes that it does show. What rows these were cannot be told
/// from the log. One thread at a time.
class UnloggedActions {
public:
    explicit UnloggedActions(const std::vector<TablePlan> &);
    void note(const RowChange &);
    /// Leader's names: children of what was noted, and what depends on them.
    [[nodiscard]] const std::set<TableName> &tables() const { return m_tables; }

private:
    struct Reference {
        TableName child;
        std::vector<int> parentColumns; ///< indexes in the parent
        RefAction onDelete, onUpdate;
    };
    void addWithDependents(const TableName &child);

    std::map<TableName, std::vector<Reference>> m_references; ///< by parent; acting ones only
    std::set<TableName> m_tables;
};

} // namespace causeway
