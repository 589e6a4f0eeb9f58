#pragma once

#include "mysql/ApplierBatch.h"
#include "mysql/ApplierTable.h"
#include "mysql/Session.h"

namespace causeway::mysql {

/// A change of a row that no key identifies: by all its columns, one row of those that are equal
/// (ALGORITHMS 3.2). Error{Differences, "mysql-keyless-mismatch"} where it is not there. Inside the
/// transaction that records the position, since it cannot be repeated.
Status applyKeyless(Session &follower, const PlannedRow &, bool mariaDb, std::stop_token);

} // namespace causeway::mysql
