#pragma once

#include "base/Error.h"
#include "endpoint/Address.h"

#include <atomic>
#include <chrono>
#include <stop_token>
#include <utility>

namespace causeway {

/// Whether a server still says anything. Each check waits for its own time-out; on a server that
/// has fallen silent that would be minutes, one check after the other. Thread-safe.
class Silence {
public:
    using Clock = std::chrono::steady_clock;

    /// An error where the last questions, and none between them, were given up unanswered.
    [[nodiscard]] Status endured(const Address &address) const
    {
        if (m_unanswered < kMost)
            return {};
        Error e;
        e.code = ErrorCode::ConnectionLost;
        e.id = QStringLiteral("server-silent");
        e.message = cwText("core", "%1 did not answer the last questions; it was not asked again.",
                           address.display());
        return fail(std::move(e));
    }
    /// After `took`. Who is refused at once, or cut off, may be let in the next time.
    void heard(const Error &e, Clock::duration took)
    {
        if (e.code == ErrorCode::Cancelled || (e.code == ErrorCode::Connect && took > kAtOnce))
            ++m_unanswered;
        else
            m_unanswered = 0;
    }
    template <class T> void heard(const Result<T> &r, Clock::duration took)
    {
        if (r)
            m_unanswered = 0;
        else
            heard(r.error(), took);
    }

    static constexpr std::chrono::seconds kAtOnce{2};

private:
    /// As many as are asked side by side, and one more: a lock that holds up a few questions is no
    /// silence.
    static constexpr int kMost = 5;
    std::atomic<int> m_unanswered{0};
};

/// One question to a server, in a session that `take` finds and `giveBack` gets again. A lost
/// connection is no answer: it may have been cut while it lay in a pool, which `forget` then
/// empties, and with `again` the question is asked once more.
template <class Take, class Work, class GiveBack, class Forget>
auto askOf(Silence &silence, const Address &address, const std::stop_token &stop, bool again,
           Take &&take, Work &&work, GiveBack &&giveBack, Forget &&forget)
    -> decltype(work(**take()))
{
    CW_TRY(silence.endured(address));
    for (bool first = true;; first = false) {
        const auto begun = Silence::Clock::now();
        auto session = take();
        if (!session) {
            const auto took = Silence::Clock::now() - begun;
            silence.heard(session.error(), took);
            // Cut off while it signed in.
            if (first && took < Silence::kAtOnce && session.error().isTransient())
                continue;
            return fail(std::move(session).error());
        }
        auto result = work(**session);
        silence.heard(result, Silence::Clock::now() - begun);
        giveBack(std::move(*session));
        if (result || result.error().code != ErrorCode::ConnectionLost || !again || !first ||
            stop.stop_requested())
            return result;
        forget();
    }
}

} // namespace causeway
