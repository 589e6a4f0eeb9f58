#pragma once

#include "base/Error.h"
#include "database/Database.h"
#include "route/UnloggedActions.h"

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <vector>

namespace causeway {

/// Keys (wire form of `Table::rowKeyColumns()`) of rows that were changed, by leader table.
using ChangedKeys = std::map<TableName, std::set<Row>>;

/// More than these are not kept: comparing all rows is then the quicker way.
inline constexpr std::size_t kMostChangedKeys = 200'000;

/// Adds the keys of both images; returns how many of them are new. Tables without key add nothing.
std::size_t addKeysOf(const RowChange &, ChangedKeys &);

[[nodiscard]] std::size_t countOf(const ChangedKeys &);
void merge(ChangedKeys &into, ChangedKeys &&from);

/// The keys changed in the leader's log after `from`, up to and including `to`: read from the log
/// again, without applying anything, and handed over in portions, since a log of days has more than
/// memory holds. An error where the log cannot be read so (purged, or a table had another shape
/// then): whoever needs the keys must then compare all rows. `unlogged` is told of every change:
/// what it holds afterwards is to be compared whole.
Status keysChangedBetween(Database &leader, const Lease &ours, const std::vector<TablePlan> &plans,
                          const Position &from, const Position &to,
                          const std::function<Status(const ChangedKeys &)> &sink,
                          UnloggedActions &unlogged, std::stop_token);

} // namespace causeway
