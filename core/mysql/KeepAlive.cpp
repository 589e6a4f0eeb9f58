#include "mysql/KeepAlive.h"

#include "base/Log.h"
#include "base/Stop.h"

#include <mysql.h>

namespace causeway::mysql {

namespace {
constexpr std::chrono::milliseconds kBetweenPings{2'000};
}

Result<std::unique_ptr<KeptAlive>> KeptAlive::keep(std::unique_ptr<Session> session,
                                                   std::stop_token stop)
{
    CW_TRY(session->exec(QStringLiteral("SET SESSION wait_timeout=%1").arg(idleLimit.count()),
                         std::move(stop)));
    return std::unique_ptr<KeptAlive>(new KeptAlive(std::move(session)));
}

KeptAlive::KeptAlive(std::unique_ptr<Session> session)
    : m_session(std::move(session)), m_pinger([this](const std::stop_token &stop) { ping(stop); })
{
}

KeptAlive::~KeptAlive()
{
    m_pinger.request_stop();
    m_pinger.join();
}

KeptAlive::Use::Use(KeptAlive &kept, const std::stop_token &stop)
    : m_onStop(stop, [&kept] { kept.interrupt(); }), m_lock(kept.m_use), m_session(*kept.m_session)
{
}

void KeptAlive::ping(const std::stop_token &stop)
{
    mysql_thread_init();
    while (pauseFor(stop, kBetweenPings)) {
        // Whoever is using it keeps it alive.
        const std::unique_lock lock(m_use, std::try_to_lock);
        if (!lock.owns_lock())
            continue;
        if (m_session->isDead())
            break;
        if (const Status done = m_session->exec(QStringLiteral("DO 1"), stop); !done) {
            logWarning(done.error().describe());
            if (m_session->isDead())
                break;
        }
    }
    mysql_thread_end();
}

} // namespace causeway::mysql
