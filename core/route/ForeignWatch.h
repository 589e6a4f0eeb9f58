#pragma once

#include "base/Error.h"
#include "database/Database.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace causeway {

struct ForeignWatchConfig {
    Database *follower = nullptr; ///< not owned
    Lease lease;                  ///< whose transactions are ours
    Position from;                ///< in the follower's own log
    TableResolver resolve;        ///< not null for tables (and schemas: empty name) in scope
    /// All on the watch's thread. An error that is not transient ends the watch.
    std::function<Status(const ForeignWrite &, std::stop_token)> onForeign;
    /// Everything up to here was looked at; about every ten seconds. What was looked at since is
    /// looked at again by the next watch, which does no harm.
    std::function<Status(const Position &, std::stop_token)> onProgress;
    /// The log went before it was looked at: nobody can tell any more who wrote.
    std::function<Status(std::stop_token)> onGap;
};

/// Reads the follower's own log while it follows, for writes that are not ours: a foreign row on
/// the follower is lost data at the switch, and only a full comparison finds it otherwise
/// (ALGORITHMS 4.6). One thread; the functions may be called from any.
class ForeignWatch {
public:
    explicit ForeignWatch(ForeignWatchConfig);
    ~ForeignWatch(); ///< stops and joins
    ForeignWatch(const ForeignWatch &) = delete;
    ForeignWatch &operator=(const ForeignWatch &) = delete;

    void start();
    void stop();
    [[nodiscard]] bool isRunning() const;
    /// Why it ended by itself.
    [[nodiscard]] std::optional<Error> error() const;
    /// Until everything up to `wanted` was looked at; false after `limit`, or where the watch
    /// ended.
    bool waitReached(const Position &wanted, std::chrono::milliseconds limit, std::stop_token);
    /// Writes up to here are known and settled: not told (again).
    void settle(const Position &);
    /// Keeps how far it has looked: so much less has to be read again the next time.
    Status record(std::stop_token stop);

private:
    void run(std::stop_token stop);
    Status stretch(std::stop_token stop);

    ForeignWatchConfig m_config;
    mutable std::mutex m_mutex;
    std::condition_variable_any m_changed;
    Position m_watched, m_settled, m_recorded;
    std::optional<Error> m_error;
    bool m_running = false;
    std::jthread m_thread;
};

} // namespace causeway
