#pragma once

#include "postgres/native/Scope.h"

namespace causeway::postgres {

/// Triggers that the owner has set to fire on replicated changes too (ENABLE ALWAYS, ENABLE
/// REPLICA). On a follower they would act a second time on what the leader's triggers have done and
/// replication brings: they are set to fire for ordinary sessions only while it follows.

/// SQL as it would run now, for showing.
Result<QStringList> quietTriggersSql(Server &, const Scope &, std::stop_token);
/// Keeps how they are set, on the server itself, and changes it. Idempotent.
Status quietTriggers(Server &, const Scope &, std::stop_token);
/// Puts back what was kept.
Status wakeTriggers(Server &, std::stop_token);

} // namespace causeway::postgres
