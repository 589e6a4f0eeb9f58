#include "servers/CommitRecord.h"

#include <algorithm>

namespace causeway::test {

void CommitRecord::committed(const std::string &uuid, std::size_t host, bool counts)
{
    {
        const std::lock_guard lock(m_mutex);
        m_committed.insert(uuid);
        ++m_byHost[host];
        const auto now = Clock::now();
        if (!m_leader || *m_leader != host) {
            if (m_leader)
                ++m_switches;
            m_leader = host;
        }
        if (counts) {
            if (m_lastCommit != Clock::time_point{})
                m_longestGap = std::max(m_longestGap, now - m_lastCommit);
            else
                m_firstCommit = now;
            m_lastCommit = now;
        }
    }
    m_progress.notify_all();
}

void CommitRecord::unknown(const std::string &uuid)
{
    const std::lock_guard lock(m_mutex);
    m_unknown.insert(uuid);
}

bool CommitRecord::pause(const std::stop_token &stop, Clock::time_point until) const
{
    std::unique_lock lock(m_mutex);
    m_stopped.wait_until(lock, stop, until, [] { return false; });
    return !stop.stop_requested();
}

bool CommitRecord::waitForCommits(qint64 more, std::chrono::milliseconds time) const
{
    std::unique_lock lock(m_mutex);
    const auto wanted = static_cast<qint64>(m_committed.size()) + more;
    return m_progress.wait_for(lock, time,
                               [&] { return static_cast<qint64>(m_committed.size()) >= wanted; });
}

bool CommitRecord::waitForCommitsOn(std::size_t host, qint64 count,
                                    std::chrono::milliseconds time) const
{
    std::unique_lock lock(m_mutex);
    return m_progress.wait_for(lock, time, [&] { return m_byHost.at(host) >= count; });
}

std::set<std::string> CommitRecord::committedSet() const
{
    const std::lock_guard lock(m_mutex);
    return {m_committed.begin(), m_committed.end()};
}

std::set<std::string> CommitRecord::unknownSet() const
{
    const std::lock_guard lock(m_mutex);
    return {m_unknown.begin(), m_unknown.end()};
}

qint64 CommitRecord::commits() const
{
    const std::lock_guard lock(m_mutex);
    return static_cast<qint64>(m_committed.size());
}

qint64 CommitRecord::commitsOn(std::size_t host) const
{
    const std::lock_guard lock(m_mutex);
    return m_byHost.at(host);
}

std::chrono::milliseconds CommitRecord::longestGap(bool running) const
{
    const std::lock_guard lock(m_mutex);
    auto gap = m_longestGap;
    if (running && m_lastCommit != Clock::time_point{})
        gap = std::max(gap, Clock::now() - m_lastCommit);
    return std::chrono::duration_cast<std::chrono::milliseconds>(gap);
}

void CommitRecord::resetGap()
{
    const std::lock_guard lock(m_mutex);
    m_longestGap = Clock::duration(0);
}

double CommitRecord::transactionsPerSecond() const
{
    const std::lock_guard lock(m_mutex);
    const std::chrono::duration<double> time = m_lastCommit - m_firstCommit;
    return time.count() > 0 ? static_cast<double>(m_committed.size()) / time.count() : 0;
}

int CommitRecord::switches() const
{
    const std::lock_guard lock(m_mutex);
    return m_switches;
}

} // namespace causeway::test
