#include "mysql/SessionWatch.h"

#include "base/Log.h"
#include "mysql/Session.h"

#include <mysql.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace causeway::mysql {

namespace {
using Clock = std::chrono::steady_clock;

/// Waiting for so long makes a session suspicious; most statements are answered much sooner.
constexpr std::chrono::seconds kSuspicious{12};
constexpr std::chrono::seconds kBetweenLooks{4};
/// It is looked at less often the longer it waits: an index may be built for hours.
constexpr std::chrono::seconds kBetweenLateLooks{60};
constexpr std::chrono::minutes kLate{5};

class Watch {
public:
    /// Never destroyed: sessions may end after main().
    static Watch &instance()
    {
        static auto *w = new Watch;
        return *w;
    }

    void add(Session *session)
    {
        const std::lock_guard lock(m_mutex);
        m_sessions.insert(session);
        if (m_started)
            return;
        m_started = true;
        std::thread([this] { run(); }).detach();
    }
    void remove(Session *session)
    {
        const std::lock_guard lock(m_mutex);
        m_sessions.erase(session);
        m_missing.erase(session);
    }

private:
    struct Server {
        Address address;
        std::set<quint64> suspects;
    };

    void run()
    {
        mysql_thread_init();
        for (;;) {
            {
                std::unique_lock lock(m_mutex);
                m_never.wait_for(lock, kBetweenLooks);
            }
            for (auto &[name, server] : suspicious())
                look(server);
        }
    }

    /// Servers with sessions that have waited for long.
    std::map<QString, Server> suspicious()
    {
        std::map<QString, Server> out;
        const auto now = Clock::now();
        const std::lock_guard lock(m_mutex);
        for (Session *s : m_sessions) {
            const auto waits = s->waitingSince();
            if (!waits || now - *waits < kSuspicious)
                continue;
            const auto last = m_lastLook.find(s);
            if (now - *waits > kLate && last != m_lastLook.end() &&
                now - last->second < kBetweenLateLooks)
                continue;
            m_lastLook[s] = now;
            Server &server = out[s->address().display()];
            server.address = s->address();
            server.suspects.insert(s->connectionId());
        }
        std::erase_if(m_lastLook, [this](const auto &e) { return !m_sessions.contains(e.first); });
        return out;
    }

    void look(const Server &server)
    {
        // Without an answer nothing is known: the network may be down for all of them.
        auto session = Session::open(server.address, Use::Control, {});
        if (!session)
            return;
        const auto list = (*session)->query(QStringLiteral("SHOW PROCESSLIST"));
        if (!list)
            return;
        std::set<quint64> known;
        for (std::size_t i = 0; i < list->rows.size(); ++i)
            known.insert(list->text(i, "Id").toULongLong());
        const std::lock_guard lock(m_mutex);
        for (Session *s : m_sessions) {
            const quint64 id = s->connectionId();
            if (!server.suspects.contains(id) || s->address().display() != server.address.display())
                continue;
            if (known.contains(id) || !s->waitingSince()) {
                m_missing.erase(s);
            } else if (!m_missing.insert(s).second) { // twice, since its end may be on the way
                logWarning(QStringLiteral("%1 no longer knows connection %2; giving it up.")
                               .arg(server.address.display())
                               .arg(id));
                s->giveUp();
            }
        }
    }

    std::condition_variable m_never; ///< nothing to wait for but time
    std::mutex m_mutex;              ///< also keeps a session from ending while it is looked at
    std::set<Session *> m_sessions, m_missing;
    std::map<Session *, Clock::time_point> m_lastLook;
    bool m_started = false;
};

struct Connections {
    std::mutex mutex;
    std::set<std::pair<QString, quint64>> live, changers;
};
Connections &connections()
{
    static auto *c = new Connections;
    return *c;
}
} // namespace

void watch::add(Session *session)
{
    Watch::instance().add(session);
}

void watch::remove(Session *session)
{
    Watch::instance().remove(session);
}

void own::opened(const QString &server, quint64 connectionId)
{
    Connections &c = connections();
    const std::lock_guard lock(c.mutex);
    c.live.emplace(server, connectionId);
}

void own::closed(const QString &server, quint64 connectionId)
{
    Connections &c = connections();
    const std::lock_guard lock(c.mutex);
    c.live.erase({server, connectionId});
}

bool own::isLive(const QString &server, quint64 connectionId)
{
    Connections &c = connections();
    const std::lock_guard lock(c.mutex);
    return c.live.contains({server, connectionId});
}

void own::changesSchema(const QString &server, quint64 connectionId)
{
    Connections &c = connections();
    const std::lock_guard lock(c.mutex);
    c.changers.emplace(server, connectionId);
}

bool own::hasChangedSchema(const QString &server, quint64 connectionId)
{
    Connections &c = connections();
    const std::lock_guard lock(c.mutex);
    return c.changers.contains({server, connectionId});
}

} // namespace causeway::mysql
