#include "mysql/Cascade.h"
#include "mysql/KeyGuard.h"

#include "mysql/Parts.h"

#include <algorithm>
#include <deque>
#include <set>

/// Cascades while rows on the follower may be newer than the change being applied (ALGORITHMS 3.3).
///
/// What the leader has now is always safe to write: whatever differs from the state that the
/// follower has reached was changed by a later event, which will come and bring its full image, or
/// by a later referential action, which will be performed (and looked up) here in its turn. What is
/// not safe is to follow the follower's own rows: a row that was copied late may refer to another
/// parent than it did at the time of the change. Its children would be deleted although the leader
/// kept them (nothing in the log brings them back), or kept although the leader deleted them.
namespace causeway::mysql {

namespace {

constexpr std::size_t kTuplesAtOnce = 200;

std::size_t at(int i)
{
    return static_cast<std::size_t>(i);
}

class Reread {
public:
    Reread(const CascadeContext &context, LeaderRows &leader, const Position &visible)
        : m(context), m_leader(leader), m_visible(visible)
    {
    }

    /// Children that hold any of `aliases` (the old and the new value of one key) on either side.
    void seek(const CascadeEdge &edge, std::vector<Row> aliases)
    {
        if (!edge.child->hasKey())
            return;
        std::erase_if(aliases, [&](const Row &a) { return !m_seen.emplace(&edge, a).second; });
        if (!aliases.empty())
            m_open.push_back({&edge, std::move(aliases)});
    }

    /// Rows of `table` to be made as the leader has them, and what depends on them.
    void add(const std::shared_ptr<const ApplierTable> &table, const std::vector<Row> &rows)
    {
        for (const Row &row : rows) {
            Row key = table->keyOf(row);
            std::string packed = packRow(key);
            m_rows[table].try_emplace(std::move(packed), std::move(key));
            for (const CascadeEdge &e : m.graph->edgesOf(table->leader->name)) {
                if (auto tuple = tupleOf(row, e.parentColumns))
                    seek(e, {std::move(*tuple)});
            }
        }
    }

    /// True where there was anything to do.
    Result<bool> run()
    {
        while (!m_open.empty())
            CW_TRY(next());
        for (const auto &[table, keys] : m_rows)
            CW_TRY(takeOver(*table, keys));
        return !m_rows.empty();
    }

private:
    struct Search {
        const CascadeEdge *edge = nullptr;
        std::vector<Row> aliases;
    };

    Status next()
    {
        Search search = std::move(m_open.front());
        m_open.pop_front();
        // Searches with one value each go together; those of a key that changed stay alone, since
        // what they find is looked at with each of the values.
        const bool changed = search.aliases.size() > 1;
        while (!changed && !m_open.empty() && m_open.front().edge == search.edge &&
               m_open.front().aliases.size() == 1 && search.aliases.size() < kTuplesAtOnce) {
            search.aliases.push_back(std::move(m_open.front().aliases.front()));
            m_open.pop_front();
        }
        const CascadeEdge &e = *search.edge;
        std::string where;
        appendTupleCondition(where, columnIds(*e.child, e.childColumns),
                             leaderTypes(*e.parentTable->leader, e.parentColumns), search.aliases,
                             0, search.aliases.size(), m.limits.mariaDb);
        CW_TRY_ASSIGN(const std::vector<Row> here,
                      readColumns(m, *e.child, cascadeColumns(*m.graph, *e.child), where));
        CW_TRY_ASSIGN(
            const std::vector<Row> there,
            m_leader.read(*e.child->leader, e.childColumns, search.aliases, m_visible, m.stop));
        add(e.child, here);
        add(e.child, there);
        if (!changed)
            return {};
        // The child's own key may contain what changed: then its children are looked for under
        // both, whichever of the two these copies show.
        for (const std::vector<Row> *rows : {&here, &there}) {
            for (const Row &row : *rows)
                seekAliases(e, row, search.aliases);
        }
        return {};
    }

    void seekAliases(const CascadeEdge &e, const Row &row, const std::vector<Row> &aliases)
    {
        for (const CascadeEdge &deeper : m.graph->edgesOf(e.child->leader->name)) {
            std::vector<Row> tuples;
            for (const Row &alias : aliases) {
                Row as = row;
                for (std::size_t i = 0; i < e.childColumns.size(); ++i)
                    as[at(e.childColumns[i])] = alias[i];
                auto tuple = tupleOf(as, deeper.parentColumns);
                if (tuple && std::find(tuples.begin(), tuples.end(), *tuple) == tuples.end())
                    tuples.push_back(std::move(*tuple));
            }
            if (tuples.size() > 1)
                seek(deeper, std::move(tuples));
        }
    }

    Status takeOver(const ApplierTable &table, const std::map<std::string, Row> &keys)
    {
        std::vector<Row> rows;
        std::vector<Row> some;
        for (auto it = keys.begin(); it != keys.end();) {
            some.push_back(it->second);
            if (++it == keys.end() || some.size() == kTuplesAtOnce) {
                if (tellsOf(m, table))
                    (*m.touched)(table.leader->name, some);
                CW_TRY_ASSIGN(std::vector<Row> found,
                              m_leader.read(*table.leader, table.key, some, m_visible, m.stop));
                std::move(found.begin(), found.end(), std::back_inserter(rows));
                some.clear();
            }
        }
        std::set<std::string> present;
        std::vector<const Row *> images;
        for (const Row &row : rows) {
            if (present.insert(packRow(table.keyOf(row))).second)
                images.push_back(&row);
        }
        std::vector<const Row *> gone;
        for (const auto &[packed, key] : keys) {
            if (!present.contains(packed))
                gone.push_back(&key);
        }
        for (const std::string &sql : deleteStatements(table, gone, m.limits))
            CW_TRY(m.session->execBytes(sql, m.stop));
        if (table.isGuarded()) {
            std::mutex mutex; // nobody else asks the leader meanwhile
            return KeyGuard(table, &m_leader, mutex, m.limits).write(*m.session, images, m.stop);
        }
        for (const WriteStatement &w : replaceStatements(table, images, m.limits))
            CW_TRY(writeExactly(*m.session, w.sql, *table.follower, table.tolerated, w.invalidEnums,
                                m.stop));
        return {};
    }

    const CascadeContext &m;
    LeaderRows &m_leader;
    const Position &m_visible;
    std::deque<Search> m_open;
    std::set<std::pair<const CascadeEdge *, Row>> m_seen;
    std::map<std::shared_ptr<const ApplierTable>, std::map<std::string, Row>> m_rows;
};

} // namespace

Result<bool> rereadCascade(const CascadeContext &context, LeaderRows &leader,
                           const RowChange &change, const Position &visible)
{
    CW_TRY(performCascade(context, change, true));
    Reread reread(context, leader, visible);
    for (const CascadeEdge &e : context.graph->edgesOf(change.table->name)) {
        std::vector<Row> aliases;
        if (auto old = tupleOf(change.before, e.parentColumns))
            aliases.push_back(std::move(*old));
        if (change.op == RowOp::Delete) {
            if (!isActing(e.onDelete))
                continue;
        } else {
            auto now = tupleOf(change.after, e.parentColumns);
            if (!isActing(e.onUpdate) || (now && !aliases.empty() && *now == aliases.front()))
                continue;
            if (now)
                aliases.push_back(std::move(*now));
        }
        reread.seek(e, std::move(aliases));
    }
    return reread.run();
}

Result<bool> rereadStaleChildren(const CascadeContext &context, LeaderRows &leader,
                                 const std::vector<KeyedChanges> &changes, const Position &visible)
{
    Reread reread(context, leader, visible);
    for (const KeyedChanges &c : changes) {
        for (const CascadeEdge *e : context.graph->chainedOf(c.table->leader->name)) {
            if (!e->child->hasKey())
                continue;
            std::vector<Row> tuples;
            for (const auto &[packed, entry] : c.byKey) {
                if (!entry.inserted || !entry.image)
                    continue;
                if (auto tuple = tupleOf(*entry.image, e->parentColumns))
                    tuples.push_back(std::move(*tuple));
            }
            for (std::size_t i = 0; i < tuples.size(); i += kTuplesAtOnce) {
                std::string where;
                appendTupleCondition(where, columnIds(*e->child, e->childColumns),
                                     leaderTypes(*e->parentTable->leader, e->parentColumns), tuples,
                                     i, std::min(kTuplesAtOnce, tuples.size() - i),
                                     context.limits.mariaDb);
                CW_TRY_ASSIGN(const std::vector<Row> rows,
                              readColumns(context, *e->child,
                                          cascadeColumns(*context.graph, *e->child), where));
                reread.add(e->child, rows);
            }
        }
    }
    return reread.run();
}

Result<bool> rereadOrphans(const CascadeContext &context, LeaderRows &leader,
                           const Position &visible)
{
    Reread reread(context, leader, visible);
    for (const CascadeEdge *e : context.graph->chained()) {
        if (!e->child->hasKey())
            continue;
        std::string where, match;
        for (std::size_t i = 0; i < e->childColumns.size(); ++i) {
            const std::string id =
                e->child->name + '.' + e->child->columnId[at(e->childColumns[i])];
            where += id + " IS NOT NULL AND ";
            match += (i > 0 ? " AND cw_p." : "cw_p.") +
                     e->parentTable->columnId[at(e->parentColumns[i])] + '=' + id;
        }
        where += "NOT EXISTS (SELECT 1 FROM " + e->parentTable->name + " cw_p WHERE " + match + ')';
        CW_TRY_ASSIGN(
            const std::vector<Row> rows,
            readColumns(context, *e->child, cascadeColumns(*context.graph, *e->child), where));
        reread.add(e->child, rows);
    }
    return reread.run();
}

} // namespace causeway::mysql
