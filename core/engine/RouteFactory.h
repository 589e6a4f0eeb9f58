#pragma once

#include "engine/Context.h"
#include "route/Route.h"

#include <memory>

namespace causeway {

/// The route that the settings ask for, between two servers of one family. "auto" says in the
/// journal what it chose and why. Connects to nothing.
Result<std::unique_ptr<Route>> makeRoute(Context &);

} // namespace causeway
