#include "engine/KeyComparison.h"

#include <QJsonDocument>

namespace causeway {

namespace {
bool sameJson(const std::string &a, const std::string &b)
{
    // A scalar is no document of its own for the parser.
    const auto parse = [](const std::string &s) {
        return QJsonDocument::fromJson('[' + QByteArray::fromStdString(s) + ']');
    };
    const QJsonDocument left = parse(a), right = parse(b);
    return !left.isNull() && left == right;
}

bool sameRow(const Table &leader, const Row &a, const Table &follower, const Row &b)
{
    for (std::size_t i = 0; i < leader.columns.size(); ++i) {
        const int j = follower.columnIndex(leader.columns[i].name);
        if (j < 0)
            return false;
        const Column &other = follower.columns[static_cast<std::size_t>(j)];
        if (leader.columns[i].generated || other.generated)
            continue;
        const Value &x = a[i], &y = b[static_cast<std::size_t>(j)];
        if (x == y)
            continue;
        const bool json =
            leader.columns[i].typeClass == TypeClass::Json || other.typeClass == TypeClass::Json;
        if (!json || !x || !y || !sameJson(*x, *y))
            return false;
    }
    return true;
}

std::map<Row, Row> byKey(const Table &table, std::vector<Row> rows)
{
    const std::vector<int> columns = table.rowKeyColumns();
    std::map<Row, Row> out;
    for (Row &row : rows) {
        Row key;
        for (const int c : columns)
            key.push_back(row[static_cast<std::size_t>(c)]);
        out.emplace(std::move(key), std::move(row));
    }
    return out;
}
} // namespace

Result<ChangedKeys> compareKeys(Context &ctx, Roles roles, const ChangedKeys &keys,
                                std::stop_token stop)
{
    ChangedKeys different;
    if (keys.empty())
        return different;
    CW_TRY_ASSIGN(const auto plans, ctx.plansFor(roles, stop));
    for (const TablePlan &plan : plans) {
        const auto it = keys.find(plan.leader->name);
        if (it == keys.end())
            continue;
        const std::vector<Row> list(it->second.begin(), it->second.end());
        CW_TRY_ASSIGN(auto leaderRows, ctx.db(roles.leader).readRows(*plan.leader, list, stop));
        CW_TRY_ASSIGN(auto followerRows,
                      ctx.db(roles.follower).readRows(*plan.follower, list, stop));
        const auto left = byKey(*plan.leader, std::move(leaderRows));
        const auto right = byKey(*plan.follower, std::move(followerRows));
        for (const auto &[key, row] : left) {
            const auto other = right.find(key);
            if (other == right.end() || !sameRow(*plan.leader, row, *plan.follower, other->second))
                different[plan.leader->name].insert(key);
        }
        for (const auto &[key, row] : right) {
            if (!left.contains(key))
                different[plan.leader->name].insert(key);
        }
    }
    return different;
}

} // namespace causeway
