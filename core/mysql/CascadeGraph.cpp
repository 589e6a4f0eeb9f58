#include "mysql/CascadeGraph.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

std::size_t at(int i)
{
    return static_cast<std::size_t>(i);
}

bool isSameTable(const TableName &a, const TableName &b)
{
    return a.schema.compare(b.schema, Qt::CaseInsensitive) == 0 &&
           a.name.compare(b.name, Qt::CaseInsensitive) == 0;
}

/// With lower_case_table_names a constraint may name its parent in other letters than the
/// catalog does.
std::shared_ptr<const ApplierTable>
findTable(const std::vector<std::shared_ptr<const ApplierTable>> &tables, const TableName &name)
{
    for (const auto &t : tables) {
        if (t->leader->name == name)
            return t;
    }
    for (const auto &t : tables) {
        if (isSameTable(t->leader->name, name))
            return t;
    }
    return nullptr;
}

bool changes(const Row &before, const Row &after, const std::vector<int> &columns)
{
    return std::any_of(columns.begin(), columns.end(),
                       [&](int c) { return before[at(c)] != after[at(c)]; });
}

bool overlap(const std::vector<int> &a, const std::vector<int> &b)
{
    return std::any_of(a.begin(), a.end(),
                       [&](int x) { return std::find(b.begin(), b.end(), x) != b.end(); });
}

} // namespace

std::optional<Row> tupleOf(const Row &image, const std::vector<int> &columns)
{
    Row out;
    out.reserve(columns.size());
    for (const int c : columns) {
        if (!image[at(c)])
            return std::nullopt;
        out.push_back(image[at(c)]);
    }
    return out;
}

CascadeGraph::CascadeGraph(const std::vector<std::shared_ptr<const ApplierTable>> &tables)
{
    for (const auto &child : tables) {
        for (const ForeignKey &fk : child->leader->foreignKeys) {
            if (!isActing(fk.onDelete) && !isActing(fk.onUpdate))
                continue;
            const auto parent = findTable(tables, fk.refTable);
            if (!parent)
                continue;
            CascadeEdge e;
            e.parent = parent->leader->name;
            e.parentTable = parent;
            e.child = child;
            e.childColumns = fk.columns;
            e.onDelete = fk.onDelete;
            e.onUpdate = fk.onUpdate;
            e.order = child->leader->name.schema + QLatin1Char('/') + fk.name;
            for (const QString &c : fk.refColumns)
                e.parentColumns.push_back(parent->leader->columnIndex(c));
            const auto isMissing = [](const ApplierTable &t) {
                return [&t](int c) { return c < 0 || t.followerIndex[at(c)] < 0; };
            };
            if (e.parentColumns.size() != e.childColumns.size() ||
                std::any_of(e.parentColumns.begin(), e.parentColumns.end(), isMissing(*parent)) ||
                std::any_of(e.childColumns.begin(), e.childColumns.end(), isMissing(*child)))
                continue;
            m_edges[e.parent].push_back(std::move(e));
        }
    }
    for (auto &[name, edges] : m_edges) {
        std::sort(edges.begin(), edges.end(),
                  [](const CascadeEdge &a, const CascadeEdge &b) { return a.order < b.order; });
    }
}

const std::vector<CascadeEdge> &CascadeGraph::edgesOf(const TableName &parent) const
{
    static const std::vector<CascadeEdge> none;
    const auto it = m_edges.find(parent);
    return it == m_edges.end() ? none : it->second;
}

bool CascadeGraph::isBarrier(const RowChange &change) const
{
    // With checks off the leader performed no action either.
    if (change.foreignKeyChecksOff || change.op == RowOp::Insert)
        return false;
    const std::vector<CascadeEdge> &edges = edgesOf(change.table->name);
    return std::any_of(edges.begin(), edges.end(), [&](const CascadeEdge &e) {
        if (!tupleOf(change.before, e.parentColumns))
            return false;
        if (change.op == RowOp::Delete)
            return isActing(e.onDelete);
        return isActing(e.onUpdate) && changes(change.before, change.after, e.parentColumns);
    });
}

bool CascadeGraph::reactsToDelete(const TableName &table) const
{
    const auto &edges = edgesOf(table);
    return std::any_of(edges.begin(), edges.end(),
                       [](const CascadeEdge &e) { return isActing(e.onDelete); });
}

bool CascadeGraph::reactsToUpdate(const TableName &table, const std::vector<int> &columns) const
{
    const auto &edges = edgesOf(table);
    return std::any_of(edges.begin(), edges.end(), [&](const CascadeEdge &e) {
        return isActing(e.onUpdate) && overlap(e.parentColumns, columns);
    });
}

bool CascadeGraph::isChild(const TableName &table) const
{
    return std::any_of(m_edges.begin(), m_edges.end(), [&](const auto &entry) {
        return std::any_of(entry.second.begin(), entry.second.end(),
                           [&](const CascadeEdge &e) { return e.child->leader->name == table; });
    });
}

std::vector<const CascadeEdge *> CascadeGraph::chainedOf(const TableName &parent) const
{
    std::vector<const CascadeEdge *> out;
    if (!isChild(parent))
        return out;
    for (const CascadeEdge &e : edgesOf(parent))
        out.push_back(&e);
    return out;
}

std::vector<const CascadeEdge *> CascadeGraph::chained() const
{
    std::vector<const CascadeEdge *> out;
    for (const auto &[parent, edges] : m_edges) {
        for (const CascadeEdge *e : chainedOf(parent))
            out.push_back(e);
    }
    return out;
}

} // namespace causeway::mysql
