#pragma once

#include "postgres/native/Scope.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace causeway::postgres {

/// Stops writes to the scope on one server, in two grades.
///
/// *Hold*: locks of an open transaction that let nobody write and everybody read. They go with
/// their session, so that the server lets go by itself if Causeway or its computer dies.
/// *Seal*: statement triggers on every table, roots and partitions, that refuse writes. Made inside
/// the lock's transaction and released by its COMMIT: whoever queued for the lock finds them, and
/// so does a transaction with an older snapshot. `default_transaction_read_only` alone stops nobody
/// (BEGIN READ WRITE, open transactions); it is set too, so that drivers which look for a
/// writable server find the other one.
///
/// What replication applies passes: its workers run with session_replication_role = replica, under
/// which such triggers do not fire. So does the migration's own account, for repairs.
class Fence {
public:
    explicit Fence(Server &server) : m_server(server) {}
    ~Fence();
    Fence(const Fence &) = delete;
    Fence &operator=(const Fence &) = delete;

    static QStringList holdSql(const Scope &);
    static QStringList sealSql(const Server &, const Scope &);
    static QStringList openSql(const Server &);

    struct Patience {
        std::chrono::milliseconds first{300}, longest{3'000};
        int attempts = 8;
        /// Before an attempt: how long to wait, holding up nobody, for a moment without a
        /// transaction that has been writing for a while.
        std::chrono::milliseconds quiet{20'000};
    };
    /// Locks all tables. While one attempt waits, writers queue behind it: each waits for so long
    /// at most, lets everybody through again, and tries anew. `onWait` hears who is in the way.
    Status hold(const Scope &, const Patience &, const std::function<void(const QString &)> &onWait,
                std::stop_token);
    /// When the attempt began that succeeded (Unix ms): from then on writers waited.
    [[nodiscard]] qint64 heldSinceMs() const { return m_heldSinceMs; }
    /// For all that is read of the leader's tables under the hold. Any other session would wait for
    /// ever behind a TRUNCATE or ALTER that itself waits for the hold, and no server sees that as a
    /// deadlock.
    Status asHolder(const std::function<Status(Session &)> &);
    /// Under the hold: the triggers, and the default of new sessions; commits, and with it lets the
    /// lock go.
    Status seal(const Scope &, std::stop_token);
    /// Lets a hold go that did not become a seal.
    void release();

    /// A follower, where nobody but replication is writing: table by table, since locks of several
    /// at once could deadlock with it.
    Status close(const Scope &, std::stop_token);
    /// New sessions read only by default, where the account may say so.
    Status closeDefault(std::stop_token);
    Result<bool> closedDefault(std::stop_token);
    /// Nobody is refused any more once the first statement of this is done. Idempotent.
    Status letWrite(std::stop_token);
    /// Removes what letWrite() has made idle. A trigger can be dropped only while nobody uses its
    /// table: false where some stay for a later try, which harm nobody.
    Result<bool> remove(std::chrono::milliseconds patience, std::stop_token);
    /// Triggers that refuse are there.
    Result<bool> isSealed(std::stop_token);
    /// Anything of it is there.
    Result<bool> exists(std::stop_token);

private:
    enum class Attempt { Held, TimedOut, Tangled };
    struct Wait {
        QString inTheWay;  ///< who, for people
        QString waitedFor; ///< the table, quoted
    };
    [[nodiscard]] Error blocked(const QString &inTheWay, const Text &fix) const;
    [[nodiscard]] Error blockedByPrepared(const QStringList &gids) const;
    Status waitForQuiet(const Scope &, std::chrono::milliseconds limit,
                        const std::function<void(const QString &)> &onWait, std::stop_token);
    Result<Attempt> tryHold(const QStringList &order, std::chrono::milliseconds patience,
                            bool cancelOthers, Wait &, std::stop_token);
    Result<QStringList> missingTriggers(Session &, const Scope &, std::stop_token);
    Result<bool> ownsDatabase(Session &, std::stop_token);
    [[nodiscard]] QString schema() const { return quoteId(m_server.names().seal()); }
    [[nodiscard]] QString triggerSql(const QString &table) const;

    Server &m_server;
    std::mutex m_mutex; ///< of the session, which the pinging thread uses too
    std::unique_ptr<Session> m_session;
    std::jthread m_pings;
    qint64 m_heldSinceMs = 0;
    bool m_limited = false; ///< the conducting session waits for a lock for seconds only
};

} // namespace causeway::postgres
