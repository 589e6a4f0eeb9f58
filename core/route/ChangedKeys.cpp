#include "route/ChangedKeys.h"

namespace causeway {

namespace {
constexpr std::size_t kPortion = 20'000;
}

std::size_t addKeysOf(const RowChange &change, ChangedKeys &keys)
{
    const std::vector<int> columns = change.table->rowKeyColumns();
    if (columns.empty())
        return 0;
    std::set<Row> &ofTable = keys[change.table->name];
    std::size_t added = 0;
    for (const Row *image : {&change.before, &change.after}) {
        if (image->empty())
            continue;
        Row key;
        for (const int c : columns)
            key.push_back((*image)[static_cast<std::size_t>(c)]);
        if (ofTable.insert(std::move(key)).second)
            ++added;
    }
    return added;
}

std::size_t countOf(const ChangedKeys &keys)
{
    std::size_t n = 0;
    for (const auto &[table, set] : keys)
        n += set.size();
    return n;
}

void merge(ChangedKeys &into, ChangedKeys &&from)
{
    for (auto &[table, set] : from)
        into[table].merge(set);
}

Status keysChangedBetween(Database &leader, const Lease &ours, const std::vector<TablePlan> &plans,
                          const Position &from, const Position &to,
                          const std::function<Status(const ChangedKeys &)> &sink,
                          UnloggedActions &unlogged, std::stop_token stop)
{
    std::map<TableName, std::shared_ptr<const Table>> tables;
    for (const TablePlan &plan : plans)
        tables.emplace(plan.leader->name, plan.leader);
    CW_TRY_ASSIGN(const auto stream,
                  leader.changes(
                      from, ours,
                      [&tables](const TableName &name) -> std::shared_ptr<const Table> {
                          const auto it = tables.find(name);
                          return it == tables.end() ? nullptr : it->second;
                      },
                      stop));
    ChangedKeys keys;
    std::size_t count = 0;
    for (Position at = from; !leader.reached(at, to);) {
        CW_TRY_ASSIGN(const ChangeEvent event, stream->next(stop));
        if (const auto *row = std::get_if<RowChange>(&event)) {
            count += addKeysOf(*row, keys);
            unlogged.note(*row);
            if (count >= kPortion) {
                CW_TRY(sink(keys));
                keys.clear();
                count = 0;
            }
        } else if (const auto *commit = std::get_if<TransactionCommit>(&event)) {
            at = commit->after;
        } else if (const auto *ddl = std::get_if<DdlChange>(&event)) {
            at = ddl->after;
        } else if (const auto *progress = std::get_if<Progress>(&event)) {
            at = progress->upTo;
        }
    }
    return sink(keys);
}

} // namespace causeway
