#pragma once

#include "engine/Context.h"
#include "engine/KeyRecheck.h"
#include "route/Follower.h"
#include "route/ForeignWatch.h"

#include <atomic>
#include <chrono>
#include <memory>

namespace causeway {

/// In the file between two followers: KeptKeys.
inline const QString kKeptKeys = QStringLiteral("kept_keys");

/// The follower of a migration in one direction, started and stopped by the stages. Engine thread.
struct Replication {
    std::unique_ptr<Follower> follower;
    std::unique_ptr<KeyRecheck> recheck; ///< destroyed before the follower, which it waits for
    std::unique_ptr<ForeignWatch> watch; ///< absent where the follower's log cannot be read
    Roles roles;
    qint64 alarmsTold = 0; ///< in the journal
    /// Everything is built; until then schema changes cannot be applied. Read by the follower.
    std::shared_ptr<std::atomic<bool>> complete = std::make_shared<std::atomic<bool>>(false);

    /// Runs it for these roles; nothing to do where it runs so already.
    Status start(Context &, Roles, std::stop_token);
    void stop();
    /// The follower's own log has been looked at up to now, for writes of others; after a while it
    /// is gone on without.
    Status lookForForeignWrites(Context &, std::stop_token);
    void startRecheck(Context &);
    /// Waits until the follower has applied `wanted`, showing lag and taking commands meanwhile.
    Status waitReached(Context &, const Position &wanted, std::chrono::milliseconds limit,
                       std::stop_token);
    /// Everything that the leader has committed by now is applied.
    Status catchUp(Context &, std::chrono::milliseconds limit, std::stop_token);
    /// Follows until stopped. Error when replication ends by itself.
    Status follow(Context &, std::stop_token);
    /// With a token it may also ask the leader, which can take as long as a server is silent.
    void show(Context &, std::stop_token = {});

private:
    void keepKeys();
    void forecast(Context &, std::optional<qint64> behind);

    Context *m_ctx = nullptr; ///< since it was started
    std::chrono::steady_clock::time_point m_ratesAt, m_lagBytesAt;
    struct Behind {
        std::chrono::steady_clock::time_point at;
        qint64 bytes = 0;
    };
    std::optional<Behind> m_behind; ///< the leader's log that was not applied, as told last
    double m_bytesASecond = 0;      ///< by which that became less; smoothed
    qint64 m_rows = 0, m_bytes = 0; ///< of the follower's, when the rates were told last
};

/// Records on the follower where its stream begins after a switch, if that is still to be done.
Status armStream(Context &, Roles, std::stop_token);

} // namespace causeway
