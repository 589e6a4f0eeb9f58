#include "route/ForeignWatch.h"

#include "base/Log.h"
#include "base/Stop.h"
#include "route/LogPurged.h"

namespace causeway {

namespace {
constexpr std::chrono::seconds kBetweenRecords{10};
constexpr std::chrono::milliseconds kLongestPause{5'000};
} // namespace

ForeignWatch::ForeignWatch(ForeignWatchConfig config)
    : m_config(std::move(config)), m_watched(m_config.from), m_recorded(m_config.from)
{
}

ForeignWatch::~ForeignWatch()
{
    stop();
}

void ForeignWatch::start()
{
    {
        const std::lock_guard lock(m_mutex);
        m_running = true;
    }
    m_thread = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void ForeignWatch::stop()
{
    m_thread.request_stop();
    if (m_thread.joinable())
        m_thread.join();
}

bool ForeignWatch::isRunning() const
{
    const std::lock_guard lock(m_mutex);
    return m_running;
}

std::optional<Error> ForeignWatch::error() const
{
    const std::lock_guard lock(m_mutex);
    return m_error;
}

bool ForeignWatch::waitReached(const Position &wanted, std::chrono::milliseconds limit,
                               std::stop_token stop)
{
    std::unique_lock lock(m_mutex);
    const auto there = [&] { return m_config.follower->reached(m_watched, wanted); };
    m_changed.wait_for(lock, stop, limit, [&] { return there() || !m_running; });
    return there();
}

void ForeignWatch::settle(const Position &position)
{
    const std::lock_guard lock(m_mutex);
    m_settled = position;
}

/// What was settled is not recorded as still to be looked at.
Status ForeignWatch::record(std::stop_token stop)
{
    Position at;
    {
        const std::lock_guard lock(m_mutex);
        at = m_watched;
        if (!m_settled.isEmpty() && !m_config.follower->reached(at, m_settled))
            at = m_settled;
        if (at == m_recorded)
            return {};
    }
    CW_TRY(m_config.onProgress(at, std::move(stop)));
    const std::lock_guard lock(m_mutex);
    m_recorded = at;
    return {};
}

Status ForeignWatch::stretch(std::stop_token stop)
{
    Position from;
    {
        const std::lock_guard lock(m_mutex);
        from = m_watched;
    }
    const auto there = m_config.follower->stillHas(from, stop);
    if (!there && !isLogGone(there.error()))
        return fail(there.error());
    if (!there || !*there) {
        CW_TRY(m_config.onGap(stop));
        CW_TRY_ASSIGN(from, m_config.follower->currentPosition({}, stop));
    }
    CW_TRY_ASSIGN(const auto stream,
                  m_config.follower->foreignWrites(from, m_config.lease, m_config.resolve, stop));
    auto lastRecord = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
        CW_TRY_ASSIGN(const ChangeEvent event, stream->next(stop));
        Position at;
        if (const auto *write = std::get_if<ForeignWrite>(&event)) {
            at = write->after;
            const bool settled = [&] {
                const std::lock_guard lock(m_mutex);
                return !m_settled.isEmpty() && m_config.follower->reached(m_settled, at);
            }();
            if (!settled)
                CW_TRY(m_config.onForeign(*write, stop));
        } else if (const auto *progress = std::get_if<Progress>(&event)) {
            at = progress->upTo;
        } else {
            continue;
        }
        {
            const std::lock_guard lock(m_mutex);
            m_watched = at;
            m_changed.notify_all();
        }
        const auto now = std::chrono::steady_clock::now();
        if (now - lastRecord > kBetweenRecords) {
            lastRecord = now;
            CW_TRY(record(stop));
        }
    }
    return {};
}

void ForeignWatch::run(std::stop_token stop)
{
    std::chrono::milliseconds pause{200};
    while (!stop.stop_requested()) {
        const auto before = std::chrono::steady_clock::now();
        const Status ended = stretch(stop);
        if (ended || stop.stop_requested())
            break;
        const Error &e = ended.error();
        if (!e.isTransient()) {
            const std::lock_guard lock(m_mutex);
            m_error = e;
            break;
        }
        logDebug(QStringLiteral("Watching the follower: %1 Trying again.").arg(e.describe()));
        if (std::chrono::steady_clock::now() - before > kLongestPause)
            pause = std::chrono::milliseconds{200};
        if (!pauseFor(stop, pause))
            break;
        pause = std::min(pause * 2, kLongestPause);
    }
    const std::lock_guard lock(m_mutex);
    m_running = false;
    m_changed.notify_all();
}

} // namespace causeway
