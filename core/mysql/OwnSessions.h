#pragma once

#include "base/Error.h"

#include <QList>
#include <QSet>

#include <stop_token>
#include <string>

namespace causeway::mysql {

class Session;

/// Which sessions of a server belong to a Causeway: this process or another one. An application may
/// use the same account, so that the account does not tell.

/// Marks the session that runs it, where the server does not show connection attributes to
/// everybody. Refused or unknown, it does nothing.
std::string sessionMarkSql(bool mariaDb);

/// Of the connections `asked`, those of any Causeway: of this process, registered as a lease
/// holder's, that say so by their attributes, or that are marked.
Result<QSet<quint64>> causewaySessions(Session &, const QList<quint64> &asked, std::stop_token);

} // namespace causeway::mysql
