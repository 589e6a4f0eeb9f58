#pragma once

#include "base/Error.h"
#include "endpoint/Address.h"
#include "mysql/ClientHandle.h"

#include <stop_token>

namespace causeway::mysql {

/// Opens and signs in; the caller owns the handle (mysql_close). Returns within the address's
/// connect time-out, and within moments of a stop, also where packets are dropped or a name server
/// is silent: the client library cannot be interrupted while it connects, so that it does so on a
/// thread of its own, which is left behind and cleans up after itself when the library returns.
///
/// LOAD DATA LOCAL lets a server ask for any file of the client by itself, as its answer to any
/// statement. Each such request is refused, and only `offersLocalData` tells the server that there
/// might be another answer; what that is, RowWriterLoad.cpp decides for one statement at a time.
Result<MYSQL *> connectHandle(const Address &, bool offersLocalData, std::stop_token);
/// Back to refusing whatever file the server asks for.
void refuseLocalFiles(MYSQL *);

/// The socket of a connected handle.
int socketOf(MYSQL *);

/// Keepalive and a bound on unacknowledged data: a peer that vanished is noticed within a minute or
/// so, not after the kernel's two hours.
void watchSocket(int socket);

/// All addresses of a host, as text; returns within `timeout` and when stopped. (Connect.cpp)
Result<QStringList> resolveHost(const Address &, std::stop_token);

} // namespace causeway::mysql
