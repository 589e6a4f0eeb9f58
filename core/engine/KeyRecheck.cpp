#include "engine/KeyRecheck.h"

#include "base/Log.h"
#include "base/Stop.h"
#include "engine/KeyComparison.h"

namespace causeway {

namespace {
/// So many changed keys are worth a look; a tenth of what a follower holds.
constexpr std::size_t kWorthALook = kMostChangedKeys / 10;
} // namespace

KeyRecheck::KeyRecheck(Context &ctx, Roles roles, Follower &follower,
                       std::function<Status(std::stop_token)> waitApplied)
    : m_ctx(ctx), m_roles(roles), m_follower(follower), m_waitApplied(std::move(waitApplied)),
      m_thread([this](const std::stop_token &stop) { run(stop); })
{
}

Status KeyRecheck::once(std::stop_token stop)
{
    auto keys = m_follower.borrowChangedKeys();
    if (!keys || keys->empty())
        return {};
    const auto differing = [&]() -> Result<ChangedKeys> {
        // The schema anew each time: it may have changed since, and this is seldom.
        CW_TRY_ASSIGN(const auto comparison, KeyComparison::make(m_ctx, m_roles, stop));
        CW_TRY(m_waitApplied(stop));
        return comparison->different(*keys, stop);
    }();
    m_follower.returnChangedKeys(differing ? ChangedKeys(*differing) : std::move(*keys));
    if (!differing)
        return fail(differing.error());
    return {};
}

void KeyRecheck::run(const std::stop_token &stop)
{
    while (m_follower.waitForChangedKeys(kWorthALook, stop)) {
        if (const Status done = once(stop); !done && !stop.stop_requested())
            logWarning(done.error().describe());
        // Rows that differ because they keep changing are left; not at once again.
        if (!pauseFor(stop, std::chrono::seconds(1)))
            return;
    }
}

} // namespace causeway
