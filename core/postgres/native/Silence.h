#pragma once

#include "postgres/native/Scope.h"

namespace causeway::postgres {

/// In a transaction of `session`: nothing fires on what it writes into `table` from here on, since
/// what triggers and foreign keys do arrives by itself. Error{"pg-write-fires-triggers"} where the
/// account may not say so and something would fire.
Status beSilent(Session &session, const TableName &table, std::stop_token);

} // namespace causeway::postgres
