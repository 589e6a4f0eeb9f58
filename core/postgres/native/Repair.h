#pragma once

#include "database/Database.h"
#include "postgres/native/Server.h"

namespace causeway::postgres {

/// Makes one row of the follower what it is on the leader, in step with replication: the row (or,
/// where the leader has none, its table) is locked there, `drained` waits until everything
/// committed before has arrived, and only then the follower's row is written. While the lock is
/// held nothing about it can be on its way. On the follower nothing fires.
Status repairRow(Server &leader, Server &follower, const TablePlan &, const Row &key,
                 const std::function<Status(std::stop_token)> &drained, std::stop_token);

} // namespace causeway::postgres
