#pragma once

#include "base/Error.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace causeway {

/// Waits for `duration`, or until stop is requested. Returns false when stopped. For back-off
/// between attempts; never a substitute for a condition that can be waited for.
inline bool pauseFor(std::stop_token stop, std::chrono::milliseconds duration)
{
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, duration, [] { return false; });
    return !stop.stop_requested();
}

inline Error cancelledError()
{
    Error e;
    e.code = ErrorCode::Cancelled;
    e.id = QStringLiteral("cancelled");
    e.message = cwText("core", "Cancelled.");
    return e;
}

} // namespace causeway
