#pragma once

#include "cli/Output.h"
#include "cli/SignalPause.h"
#include "engine/Migration.h"

namespace causeway::cli {

/// Opens a migration as its owner, with the passwords found (Passwords.h).
Result<std::unique_ptr<Migration>> openMigration(const QString &path);
/// Posts a command and shows progress until it has ended; signals pause it from then on, those that
/// came before as well.
Outcome carryOut(Migration &, Command, Output &, SignalPause &);
/// Settings of a migration, by a reader.
Result<Settings> settingsOf(const QString &path);

} // namespace causeway::cli
