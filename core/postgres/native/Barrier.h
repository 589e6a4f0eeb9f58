#pragma once

#include "postgres/native/Server.h"

#include <chrono>
#include <functional>

namespace causeway::postgres {

/// A row that travels through the stream itself. Where the follower shows it, everything that was
/// committed on the leader before it is applied there, since changes are applied in commit order.
class Barrier {
public:
    /// `idle` is called while waiting, a few times a second; an error from it ends the wait.
    Barrier(Server &leader, Server &follower, std::function<Status()> idle)
        : m_leader(leader), m_follower(follower), m_idle(std::move(idle))
    {
    }
    /// Sends one and waits for it. Error{"catch-up-timeout"} after `limit` (0: none).
    Status pass(std::chrono::milliseconds limit, std::stop_token);
    /// The same, and what is applied is on the follower's disk too: apply does not wait for its own
    /// commits to be flushed.
    Status passDurably(std::chrono::milliseconds limit, std::stop_token);

    /// Something to send, so that a worker which sleeps until something arrives looks round.
    static Status nudge(Server &leader, std::stop_token);

private:
    Server &m_leader, &m_follower;
    std::function<Status()> m_idle;
};

} // namespace causeway::postgres
