#pragma once

#include "database/Database.h"

namespace causeway::postgres {

/// Hashes of rows that are the same on every PostgreSQL from 11 on for the same values.
Result<std::unique_ptr<RangeHasher>> makeRangeHasher(const Address &, std::stop_token);

/// Rows by key, all columns in ordinal order in the server's text form, generated ones as NULL.
Result<std::vector<Row>> readRowsByKey(const Address &, const Table &, const std::vector<Row> &keys,
                                       std::stop_token);

} // namespace causeway::postgres
