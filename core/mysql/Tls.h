#pragma once

#include "base/Error.h"
#include "endpoint/Address.h"
#include "mysql/ClientHandle.h"

/// TLS of the client libraries, which fail open in ways of their own (libmariadb 3.3): asked for
/// encryption, a CA, or a client certificate, libmariadb signs in *in plain text* where the server
/// has no TLS. So a mode is set beforehand and proven afterwards.
namespace causeway::mysql {

/// Before connecting: sets the options of the mode. Errors: a file that cannot be read, a key that
/// needs a phrase (both libraries would ask for it on the terminal), no CA to verify with.
Status prepareTls(MYSQL *, const Address &);

/// After connecting: is the session encrypted where that was demanded, and is the server the one
/// named by tls.serverName? Runs after the password was sent: prepareTls() sees to it that it does
/// not travel readably until then, and that the CA was checked.
Status proveTls(MYSQL *, const Address &);

/// Is this PEM file a private key that needs a phrase?
bool isEncryptedKey(const QByteArray &pem);

/// File with the system's certificate authorities; empty where none is known.
QString systemCaFile();

} // namespace causeway::mysql
