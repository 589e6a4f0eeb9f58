#pragma once

#include "engine/Context.h"

namespace causeway {

/// Triggers and events that a switch takes off a server, kept whole on that server before they go
/// (Restoration), so that switching back, finish and cancel can put them back from any workstation.
namespace kept {
inline const QString trigger = QStringLiteral("trigger");
inline const QString event = QStringLiteral("event"); ///< was enabled; is disabled meanwhile
} // namespace kept

/// The selection's objects of one kind on a server, without our own seals.
Result<std::vector<SchemaObject>> ownObjects(Context &, Side, ObjectKind, std::stop_token);
/// Its triggers; its enabled events.
Result<std::vector<SchemaObject>> ownTriggers(Context &, Side, std::stop_token);
Result<std::vector<SchemaObject>> enabledEvents(Context &, Side, std::stop_token);

/// Remembers, then drops triggers; remembers, then disables events. Repeatable.
Status takeOffTriggers(Context &, Side, std::stop_token);
Status disableEvents(Context &, Side, std::stop_token);
/// Creates kept triggers again; enables kept events again. Keeps the records: forgetKept() drops
/// them, once there is no way back to needing them.
Status putBackTriggers(Context &, Side, std::stop_token);
Status putBackEvents(Context &, Side, std::stop_token);
Status forgetKept(Context &, Side, std::stop_token);
/// Names of the events kept for a server, as that server has them.
Result<std::vector<TableName>> keptEvents(Context &, Side, std::stop_token);
/// Statements that put one back, with what each needs of its session.
std::vector<SchemaStatement> putBackStatements(const Restoration &);
Result<bool> hasKept(Context &, Side, const QString &kind, std::stop_token);

} // namespace causeway
