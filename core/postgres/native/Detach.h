#pragma once

#include "postgres/native/Native.h"

/// What the ways to end a migration share. (DetachPhase.cpp)
namespace causeway::postgres {

/// On one server alone: its subscription, its slots and its publication. The other end, on the
/// other server, stays.
Status dropOwnEnds(Server &, std::stop_token);
/// Nothing that refuses writes is left.
Status openFully(Server &, std::stop_token);
/// The old source stays closed; how to open it is kept in the file.
Status leaveClosed(Native &, Server &, std::stop_token);
Step removeStateStep(Native &, Side);

} // namespace causeway::postgres
