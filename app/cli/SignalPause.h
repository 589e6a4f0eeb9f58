#pragma once

#include "engine/Migration.h"

#include <atomic>
#include <csignal>
#include <thread>

namespace causeway::cli {

/// Turns SIGINT and SIGTERM into a clean pause; made before any other thread, so that they all
/// inherit the blocked signals and only this one takes them. Asked twice, it ends the process:
/// whoever insists does not want to wait for chunks in flight, and any cut can be gone on from.
class SignalPause {
public:
    SignalPause();
    ~SignalPause() { detach(); }
    SignalPause(const SignalPause &) = delete;
    SignalPause &operator=(const SignalPause &) = delete;
    void attach(Migration *migration);
    void detach();
    [[nodiscard]] bool paused() const { return m_paused; }

private:
    sigset_t m_set{};
    std::atomic<bool> m_paused{false};
    std::jthread m_thread;
};

} // namespace causeway::cli
