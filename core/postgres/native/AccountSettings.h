#pragma once

#include "postgres/native/Server.h"

namespace causeway::postgres {

/// What new sessions of the migration's account have in this database, for those that the servers
/// open by themselves: walsenders on the leader, workers on the follower.
///
/// The options in a subscription's connection string are not enough: 15 and later put their own in
/// their place (all minors until early 2026), and the follower's workers never see them. With a
/// statement_timeout of the database no large table would ever be copied, and rows that a policy
/// hides would be missing rather than an error.
QStringList accountSettingsSql(const Server &, int version);
/// For somebody else to execute: what was there before is not known to it.
QString resetAccountSettingsSql(const Server &);
/// Keeps what is found, then sets them. Where the account may not, says false: the options have to
/// do. Idempotent.
Result<bool> setAccountSettings(Server &, std::stop_token);
/// As they were found.
Status restoreAccountSettings(Server &, std::stop_token);

} // namespace causeway::postgres
