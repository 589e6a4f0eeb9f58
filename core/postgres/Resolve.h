#pragma once

#include "base/Error.h"

#include <QStringList>

#include <chrono>
#include <stop_token>

namespace causeway::postgres {

/// Numeric addresses of a host name, or an error at the deadline or when stopped. getaddrinfo()
/// cannot be interrupted: it runs on a thread of its own that is left behind then.
Result<QStringList> resolve(const QString &host, std::chrono::steady_clock::time_point deadline,
                            std::stop_token);

} // namespace causeway::postgres
