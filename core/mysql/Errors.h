#pragma once

#include "base/Error.h"
#include "endpoint/Address.h"
#include "endpoint/Platform.h"
#include "mysql/Session.h"

namespace causeway::mysql {

/// The service that a host name belongs to, as far as the name tells.
Platform platformOfHost(const QString &host);

/// An IPv4 or IPv6 literal that is not routed in public.
bool isPrivateAddress(const QString &literal);

/// The mysql or mariadb client's command line for the same connection; asks for the password.
QString clientCommand(const Address &);

/// Nobody answered in time; `resolved`: the addresses that the host name has, where known.
Error connectTimeout(const Address &, const QStringList &resolved);

} // namespace causeway::mysql
