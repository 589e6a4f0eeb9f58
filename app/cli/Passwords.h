#pragma once

#include "endpoint/Address.h"

namespace causeway::cli {

/// The password of an account, from the first of: the URL, the environment
/// (CAUSEWAY_SOURCE_PASSWORD, CAUSEWAY_TARGET_PASSWORD), the desktop's keychain, ~/.my.cnf or
/// ~/.pgpass, a prompt where standard input is a terminal. May be empty.
Secret findPassword(const Address &, Side);
/// Without the prompt.
Secret findPasswordQuietly(const Address &, Side);

} // namespace causeway::cli
