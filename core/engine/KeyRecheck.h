#pragma once

#include "engine/Context.h"
#include "route/Follower.h"

#include <functional>
#include <memory>
#include <thread>

namespace causeway {

/// Compares changed rows again in the background while replication runs, so that few are left for
/// the moment when writes are held, however long ago the comparison of everything was. Rows that
/// differ stay among the changed ones. Stops and joins when destroyed.
class KeyRecheck {
public:
    /// `waitApplied`: returns when the follower has applied all that the leader has committed by
    /// the call.
    KeyRecheck(Context &, Roles, Follower &, std::function<Status(std::stop_token)> waitApplied);

private:
    void run(const std::stop_token &);
    Status once(std::stop_token);

    Context &m_ctx;
    const Roles m_roles;
    Follower &m_follower;
    const std::function<Status(std::stop_token)> m_waitApplied;
    std::jthread m_thread;
};

} // namespace causeway
