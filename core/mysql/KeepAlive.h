#pragma once

#include "mysql/Session.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace causeway::mysql {

/// A session that holds something and mostly idles, on a server that is told to end it soon when
/// nothing comes: the hold then ends with us also where our side cannot close the connection, as
/// when this process is stopped or this machine sleeps. Pinged from a thread of its own meanwhile.
class KeptAlive {
public:
    /// The server ends an idle session after this long; pings come well before.
    static constexpr std::chrono::seconds idleLimit{8};

    static Result<std::unique_ptr<KeptAlive>> keep(std::unique_ptr<Session>, std::stop_token);
    ~KeptAlive();
    KeptAlive(const KeptAlive &) = delete;
    KeptAlive &operator=(const KeptAlive &) = delete;

    /// The session for the caller alone, until the lock goes. Ends early when stop is requested:
    /// then the session is dead.
    class Use {
    public:
        Use(KeptAlive &, const std::stop_token &stop);
        Session *operator->() const { return &m_session; }
        Session &operator*() const { return m_session; }

    private:
        std::stop_callback<std::function<void()>> m_onStop;
        std::unique_lock<std::mutex> m_lock;
        Session &m_session;
    };
    [[nodiscard]] bool isDead() const { return m_session->isDead(); }
    [[nodiscard]] quint64 connectionId() const { return m_session->connectionId(); }
    void interrupt() noexcept { m_session->interrupt(); } ///< any thread

private:
    explicit KeptAlive(std::unique_ptr<Session> session);
    void ping(const std::stop_token &stop);

    std::unique_ptr<Session> m_session;
    std::mutex m_use; ///< one statement at a time
    std::jthread m_pinger;
};

} // namespace causeway::mysql
