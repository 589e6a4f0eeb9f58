#include "mysql/Cascade.h"

#include "mysql/Parts.h"

#include <algorithm>
#include <set>

namespace causeway::mysql {

namespace {

std::size_t at(int i)
{
    return static_cast<std::size_t>(i);
}

/// InnoDB itself refuses cascades nested deeper than 15 (FK_MAX_CASCADE_DEL); anything near this
/// is a loop of ours.
constexpr int kDeepest = 64;
constexpr std::size_t kTuplesAtOnce = 200;

/// Rows of one table, before an action and (for a change) after it. Values by the leader's column
/// index.
struct Affected {
    std::vector<Row> before, after;
};

class Cascading {
public:
    Cascading(const CascadeContext &context, bool onlyKeyless)
        : m(context), m_onlyKeyless(onlyKeyless)
    {
    }

    Status afterDelete(const TableName &parent, const Affected &rows, int depth)
    {
        CW_TRY(checkDepth(parent, depth));
        for (const CascadeEdge &e : m.graph->edgesOf(parent)) {
            if (!isActing(e.onDelete) || isLeftOut(e, depth))
                continue;
            std::set<Row> tuples;
            for (const Row &row : rows.before) {
                if (auto tuple = tupleOf(row, e.parentColumns))
                    tuples.insert(std::move(*tuple));
            }
            const std::vector<Row> list(tuples.begin(), tuples.end());
            for (std::size_t i = 0; i < list.size(); i += kTuplesAtOnce) {
                const std::string where = condition(e, list, i, kTuplesAtOnce);
                if (e.onDelete == RefAction::Cascade)
                    CW_TRY(deleteChildren(e, where, depth));
                else
                    CW_TRY(assignChildren(e, where, std::nullopt, depth));
            }
        }
        return {};
    }

    Status afterUpdate(const TableName &parent, const Affected &rows, int depth)
    {
        CW_TRY(checkDepth(parent, depth));
        for (const CascadeEdge &e : m.graph->edgesOf(parent)) {
            if (!isActing(e.onUpdate) || isLeftOut(e, depth))
                continue;
            std::set<Row> seen;
            for (std::size_t i = 0; i < rows.before.size(); ++i) {
                const auto old = tupleOf(rows.before[i], e.parentColumns);
                if (!old || !seen.insert(*old).second)
                    continue;
                Row now;
                for (const int c : e.parentColumns)
                    now.push_back(rows.after[i][at(c)]);
                if (now == *old)
                    continue;
                const std::string where = condition(e, {*old}, 0, 1);
                std::optional<Row> value;
                if (e.onUpdate == RefAction::Cascade)
                    value = std::move(now);
                CW_TRY(assignChildren(e, where, value, depth));
            }
        }
        return {};
    }

private:
    static Status checkDepth(const TableName &table, int depth)
    {
        if (depth <= kDeepest)
            return {};
        return fail(
            ErrorCode::Internal,
            cwText("core", "The referential actions of %1 do not come to an end.", table.display()),
            QStringLiteral("mysql-cascade-depth"));
    }

    [[nodiscard]] bool isLeftOut(const CascadeEdge &e, int depth) const
    {
        return m_onlyKeyless && depth == 1 && e.child->hasKey();
    }

    [[nodiscard]] std::string condition(const CascadeEdge &e, const std::vector<Row> &tuples,
                                        std::size_t from, std::size_t count) const
    {
        std::string where;
        appendTupleCondition(where, columnIds(*e.child, e.childColumns),
                             leaderTypes(*e.parentTable->leader, e.parentColumns), tuples, from,
                             count, m.limits.mariaDb);
        return where;
    }

    /// The children that an action is about to change: for what depends on them (`deeper`), and for
    /// whoever compares the rows that were changed.
    Result<Affected> readChildren(const CascadeEdge &e, const std::string &where, bool deeper) const
    {
        Affected out;
        const bool told = tellsOf(m, *e.child);
        if (!deeper && !told)
            return out;
        // Where nothing depends on them, no more are read than anybody keeps.
        const std::string limit = deeper ? "" : " LIMIT " + std::to_string(m.mostTouched);
        CW_TRY_ASSIGN(out.before,
                      readColumns(m, *e.child, cascadeColumns(*m.graph, *e.child), where + limit));
        if (told)
            tell(m, *e.child, out.before);
        return out;
    }

    Status deleteChildren(const CascadeEdge &e, const std::string &where, int depth)
    {
        const TableName &name = e.child->leader->name;
        const bool deeper = m.graph->reactsToDelete(name);
        CW_TRY_ASSIGN(const Affected rows, readChildren(e, where, deeper));
        CW_TRY(m.session->execBytes("DELETE FROM " + e.child->name + " WHERE " + where, m.stop));
        // Deleted before going deeper: rows that refer to each other in a circle come to an end.
        if (!deeper || rows.before.empty())
            return {};
        return afterDelete(name, rows, depth + 1);
    }

    /// SET NULL (no `value`) or the parent's new values.
    Status assignChildren(const CascadeEdge &e, const std::string &where,
                          const std::optional<Row> &value, int depth)
    {
        const TableName &name = e.child->leader->name;
        const bool deeper = m.graph->reactsToUpdate(name, e.childColumns);
        CW_TRY_ASSIGN(Affected rows, readChildren(e, where, deeper));
        std::string sql = "UPDATE " + e.child->name + " SET ";
        for (std::size_t i = 0; i < e.childColumns.size(); ++i) {
            if (i > 0)
                sql.push_back(',');
            sql += e.child->columnId[at(e.childColumns[i])] + '=';
            if (value)
                appendLiteral(sql, e.parentTable->leaderColumn(e.parentColumns[i]), (*value)[i],
                              true, m.limits.mariaDb);
            else
                sql += "NULL";
        }
        sql += e.child->keepTimestamps(e.childColumns) + " WHERE " + where;
        CW_TRY(m.session->execBytes(sql, m.stop));
        if (rows.before.empty())
            return {};
        rows.after = rows.before;
        for (Row &row : rows.after) {
            for (std::size_t i = 0; i < e.childColumns.size(); ++i)
                row[at(e.childColumns[i])] = value ? (*value)[i] : Value{};
        }
        // The action may have changed the key itself.
        if (tellsOf(m, *e.child))
            tell(m, *e.child, rows.after);
        if (!deeper)
            return {};
        return afterUpdate(name, rows, depth + 1);
    }

    const CascadeContext &m;
    bool m_onlyKeyless;
};

} // namespace

bool tellsOf(const CascadeContext &m, const ApplierTable &table)
{
    return m.touched && *m.touched && table.hasKey();
}

void tell(const CascadeContext &m, const ApplierTable &table, const std::vector<Row> &rows)
{
    std::vector<Row> keys;
    keys.reserve(rows.size());
    for (const Row &row : rows)
        keys.push_back(table.keyOf(row));
    if (!keys.empty())
        (*m.touched)(table.leader->name, keys);
}

std::vector<std::string> columnIds(const ApplierTable &table, const std::vector<int> &columns)
{
    std::vector<std::string> out;
    out.reserve(columns.size());
    for (const int c : columns)
        out.push_back(table.columnId[at(c)]);
    return out;
}

std::vector<const Column *> leaderTypes(const Table &table, const std::vector<int> &columns)
{
    std::vector<const Column *> out;
    out.reserve(columns.size());
    for (const int c : columns)
        out.push_back(&table.columns[at(c)]);
    return out;
}

std::vector<int> cascadeColumns(const CascadeGraph &graph, const ApplierTable &table)
{
    std::set<int> columns(table.key.begin(), table.key.end());
    for (const CascadeEdge &e : graph.edgesOf(table.leader->name))
        columns.insert(e.parentColumns.begin(), e.parentColumns.end());
    return {columns.begin(), columns.end()};
}

Result<std::vector<Row>> readColumns(const CascadeContext &m, const ApplierTable &table,
                                     const std::vector<int> &columns, const std::string &where)
{
    std::string sql = "SELECT ";
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0)
            sql.push_back(',');
        const std::string wire =
            wireExpression(table.followerColumn(columns[i]), m.limits.mariaDb).toStdString();
        if (table.differsInCharset(columns[i])) {
            sql += "CONVERT(" + wire + " USING " +
                   table.leaderColumn(columns[i]).charset.toStdString() + ')';
        } else {
            sql += wire;
        }
    }
    if (columns.empty())
        sql.push_back('1');
    sql += " FROM " + table.name + " WHERE " + where;
    CW_TRY_ASSIGN(const ResultSet found, m.session->queryBytes(sql, m.stop));
    std::vector<Row> out;
    out.reserve(found.rows.size());
    for (const Row &r : found.rows) {
        Row row(table.leader->columns.size());
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const TypeClass type = table.followerColumn(columns[i]).typeClass;
            row[at(columns[i])] = r[i];
            if (r[i] && (type == TypeClass::Float || type == TypeClass::Double))
                row[at(columns[i])] = canonicalReal(*r[i], type == TypeClass::Float);
        }
        out.push_back(std::move(row));
    }
    return out;
}

Status performCascade(const CascadeContext &context, const RowChange &change, bool onlyKeyless)
{
    Affected rows;
    rows.before.push_back(change.before);
    Cascading run(context, onlyKeyless);
    if (change.op == RowOp::Delete)
        return run.afterDelete(change.table->name, rows, 1);
    rows.after.push_back(change.after);
    return run.afterUpdate(change.table->name, rows, 1);
}

} // namespace causeway::mysql
