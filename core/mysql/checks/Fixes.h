#pragma once

#include "mysql/checks/CheckList.h"

namespace causeway::mysql {

/// How global variables are changed where this server runs: SQL and configuration lines on a server
/// of one's own, command lines at the hosted ones. Complete: executed as printed, it mends.
Fix settingFix(Look &, const std::vector<Setting> &, const Text &text = {});
/// The part of it for RDS and Aurora (fix.platform). A call for each round: a parameter may be
/// named once in a call, and one that is set step by step (gtid_mode) must have arrived before it
/// is set again.
void amazonFix(const std::vector<Setting> &, Fix &fix);
/// Plain SQL, the same everywhere. Never applied by Causeway itself.
Fix sqlFix(Look &, const QStringList &sql, const Text &text, const QString &privilege);
/// Platform of the server looked at; self-managed where it could not be told.
Platform platformOf(Look &);
/// `schema`.* as a GRANT takes it, where _ and % are wildcards and must be escaped. `wildcards` is
/// false where partial_revokes makes them literal.
QString grantScope(const QString &schema, bool wildcards);
/// 'user'@'host' from user@host.
QString quoteAccount(const QString &account);

} // namespace causeway::mysql
