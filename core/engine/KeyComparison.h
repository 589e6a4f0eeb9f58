#pragma once

#include "engine/Context.h"
#include "route/ChangedKeys.h"

namespace causeway {

/// Compares the rows with these keys (leader's table names) on both sides, byte by byte in wire
/// form (JSON canonically). Returns the keys whose rows differ, are missing, or are extra.
Result<ChangedKeys> compareKeys(Context &, Roles, const ChangedKeys &, std::stop_token);

} // namespace causeway
