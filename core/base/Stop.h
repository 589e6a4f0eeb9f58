#pragma once

#include "base/Error.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

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

/// A token for work that goes on after a cancel, but not for long: stop is requested `grace` after
/// it was requested of `outer`.
class StopAfter {
public:
    StopAfter(std::stop_token outer, std::chrono::milliseconds grace)
        : m_timer([this, outer = std::move(outer), grace](const std::stop_token &ended) {
              std::mutex mutex;
              std::condition_variable_any wake;
              const std::stop_callback onStop(outer, [&] {
                  const std::lock_guard lock(mutex);
                  wake.notify_all();
              });
              {
                  std::unique_lock lock(mutex);
                  wake.wait(lock, ended, [&] { return outer.stop_requested(); });
              }
              if (outer.stop_requested() && pauseFor(ended, grace))
                  m_source.request_stop();
          })
    {
    }
    StopAfter(const StopAfter &) = delete;
    StopAfter &operator=(const StopAfter &) = delete;
    [[nodiscard]] std::stop_token token() const { return m_source.get_token(); }

private:
    std::stop_source m_source;
    std::jthread m_timer; ///< the last member: it uses the others
};

inline Error cancelledError()
{
    Error e;
    e.code = ErrorCode::Cancelled;
    e.id = QStringLiteral("cancelled");
    e.message = cwText("core", "Cancelled.");
    return e;
}

} // namespace causeway
