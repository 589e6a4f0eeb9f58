#pragma once

#include "endpoint/Address.h"

#include <optional>

namespace causeway::cli {

/// Under which name the keychain holds the password of an account, with service "causeway":
/// "mysql://user@host:3306" (also of MariaDB), "postgresql://user@host:5432".
QString keychainKey(const Address &);

/// The password from the desktop's keychain (Secret Service, KWallet); nothing where this build has
/// none, no keychain runs, or it holds none. Ends within a few seconds whatever the keychain does:
/// a process of its own asks it, since a session bus that does not answer cannot be interrupted.
std::optional<QString> keychainPassword(const Address &);

/// That process: prints the password of `key`, exit 0; exit 1 where there is none.
int readKeychain(const QString &key);

} // namespace causeway::cli
