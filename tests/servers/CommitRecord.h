#pragma once

#include <QtGlobal>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

namespace causeway::test {

/// What the connections of a workload report of their transactions, and the waits for it.
/// Thread-safe.
class CommitRecord {
public:
    explicit CommitRecord(std::size_t hosts) : m_byHost(hosts) {}

    /// COMMIT was answered ok. `counts`: for the write pause.
    void committed(const std::string &uuid, std::size_t host, bool counts);
    /// The connection broke before the answer.
    void unknown(const std::string &uuid);

    /// Until a moment; false when stopped.
    bool pause(const std::stop_token &stop, std::chrono::steady_clock::time_point until) const;
    bool waitForCommits(qint64 more, std::chrono::milliseconds time) const;
    bool waitForCommitsOn(std::size_t host, qint64 count, std::chrono::milliseconds time) const;

    [[nodiscard]] std::set<std::string> committedSet() const;
    [[nodiscard]] std::set<std::string> unknownSet() const;
    [[nodiscard]] qint64 commits() const;
    [[nodiscard]] qint64 commitsOn(std::size_t host) const;
    /// The longest time between two answered commits; `running`: the one now running included.
    [[nodiscard]] std::chrono::milliseconds longestGap(bool running) const;
    void resetGap();
    [[nodiscard]] double transactionsPerSecond() const;
    [[nodiscard]] int switches() const;

private:
    using Clock = std::chrono::steady_clock;
    mutable std::mutex m_mutex;
    mutable std::condition_variable_any m_stopped;
    mutable std::condition_variable_any m_progress;
    std::unordered_set<std::string> m_committed;
    std::unordered_set<std::string> m_unknown;
    std::vector<qint64> m_byHost;
    int m_switches = 0;
    std::optional<std::size_t> m_leader;
    Clock::time_point m_firstCommit, m_lastCommit;
    Clock::duration m_longestGap{0};
};

} // namespace causeway::test
