#pragma once

#include "database/Database.h"
#include "postgres/PostgresSession.h"

/// What an account may do with streams of changes, as far as its roles and the server's settings
/// tell without trying.
namespace causeway::postgres {

/// Logical decoding is on, and the account may create a slot.
Result<Support> canPublish(Session &, std::stop_token);
/// The account may create a subscription.
Result<Support> canSubscribe(Session &, std::stop_token);

/// Whether the source could follow the target after a switch. Of the servers: the target's database
/// may still have to be made.
Result<Support> wayBack(const Address &source, const Address &target, std::stop_token);

} // namespace causeway::postgres
