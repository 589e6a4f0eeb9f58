#include "route/UnloggedActions.h"

#include <algorithm>

namespace causeway {

namespace {
bool isActing(RefAction action)
{
    return action == RefAction::Cascade || action == RefAction::SetNull ||
           action == RefAction::SetDefault;
}

bool isSameTable(const TableName &a, const TableName &b)
{
    // With lower_case_table_names a constraint may name its parent in other letters.
    return a.schema.compare(b.schema, Qt::CaseInsensitive) == 0 &&
           a.name.compare(b.name, Qt::CaseInsensitive) == 0;
}
} // namespace

UnloggedActions::UnloggedActions(const std::vector<TablePlan> &plans)
{
    for (const TablePlan &child : plans) {
        for (const ForeignKey &fk : child.leader->foreignKeys) {
            if (!isActing(fk.onDelete) && !isActing(fk.onUpdate))
                continue;
            for (const TablePlan &parent : plans) {
                if (!isSameTable(parent.leader->name, fk.refTable))
                    continue;
                Reference r{child.leader->name, {}, fk.onDelete, fk.onUpdate};
                for (const QString &column : fk.refColumns)
                    r.parentColumns.push_back(parent.leader->columnIndex(column));
                m_references[parent.leader->name].push_back(std::move(r));
            }
        }
    }
}

void UnloggedActions::note(const RowChange &change)
{
    // With checks off the leader performed no action.
    if (change.op == RowOp::Insert || change.foreignKeyChecksOff)
        return;
    const auto it = m_references.find(change.table->name);
    if (it == m_references.end())
        return;
    for (const Reference &r : it->second) {
        const auto differs = [&](int c) {
            const auto i = static_cast<std::size_t>(c);
            return c < 0 || change.before[i] != change.after[i];
        };
        const bool acts = change.op == RowOp::Delete
                              ? isActing(r.onDelete)
                              : isActing(r.onUpdate) && std::any_of(r.parentColumns.begin(),
                                                                    r.parentColumns.end(), differs);
        if (acts)
            addWithDependents(r.child);
    }
}

void UnloggedActions::addWithDependents(const TableName &child)
{
    if (!m_tables.insert(child).second)
        return;
    const auto it = m_references.find(child);
    if (it == m_references.end())
        return;
    for (const Reference &r : it->second)
        addWithDependents(r.child);
}

} // namespace causeway
