#pragma once

#include "endpoint/Address.h"

#include <QByteArray>
#include <QList>

#include <utility>

namespace causeway::postgres {

using ConnectionParameters = QList<std::pair<QByteArray, QByteArray>>;

/// libpq's parameters for an address, all but the password: for our own sessions and for the client
/// programs. `addresses`: numeric addresses of the host, where they are known.
ConnectionParameters connectionParameters(const Address &, const QStringList &addresses);
/// As one string: key='value' ..., quoted as libpq wants it.
QString connectionString(const ConnectionParameters &);
const char *sslMode(TlsMode);

} // namespace causeway::postgres
