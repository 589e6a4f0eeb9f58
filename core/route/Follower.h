#pragma once

#include "base/Error.h"
#include "database/Database.h"
#include "route/ChangedKeys.h"
#include "route/KeptKeys.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <thread>

namespace causeway {

/// What to do about a schema change met in the stream.
struct DdlVerdict {
    enum class Kind {
        Skip,  ///< it does not concern what we carry
        Apply, ///< run `sql` on the follower, record the position, go on with `plans`
        Stop,  ///< stop at its position: a person or a recopy must settle it
    };
    Kind kind = Kind::Stop;
    QString sql, defaultSchema;
    QString sqlMode;           ///< that `sql` was written for; empty = the follower session's own
    bool changesTables = true; ///< after Apply the tables must be read again
    bool canApply = false;     ///< of Stop: a person may choose to have the statement run
};

/// Tables as the follower carries them.
struct FollowPlans {
    std::vector<TablePlan> plans;
    /// The leader has them and they were copied, but they are gone from the follower.
    std::vector<TableName> missing;
};

/// Why it cannot go on by itself, and what a person can choose.
struct StreamStop {
    std::vector<TableName> tables; ///< the leader's names; empty: it cannot be told
    bool everything = false;       ///< the log is lost: all tables, from a new position on
    bool canApply = false;         ///< the statement can be run on the follower
    QString place;                 ///< names this very stop, for the answer to it
};

struct FollowerConfig {
    Database *leader = nullptr;   ///< not owned
    Database *follower = nullptr; ///< not owned
    Lease lease;                  ///< on the follower
    /// The tables as they are at the position from which a stretch of reading begins; called on the
    /// follower's thread, at the start and after each schema change that was applied.
    std::function<Result<FollowPlans>(std::stop_token)> readPlans;
    /// Per leader table: its changes up to and including this position are in the copy already.
    std::map<TableName, Position> tableStarts;
    /// At the beginning of each stretch: the follower may have been restarted, and forgotten that
    /// it is closed to others.
    std::function<Status(std::stop_token)> onConnect;
    ApplierOptions applier;
    /// A leader's position taken after the last chunk was read; empty where no copy is behind it.
    Position copiedUpTo;
    qint64 batchRows = 20'000;
    qint64 batchBytes = 8'000'000;  ///< of one batch applied
    qint64 queueBytes = 32'000'000; ///< decoded and waiting
    /// Tries again this long after a lost connection before it gives up (run state failed).
    std::chrono::seconds retryFor{60};
    std::function<DdlVerdict(const DdlChange &)> onDdl; ///< on the follower's thread
    /// After a statement was run on the follower; on the follower's thread.
    std::function<Status(const DdlChange &, std::stop_token)> onApplied;
    /// Of the follower before this one. Used where nobody else has followed since.
    std::optional<KeptKeys> kept;
    /// Whether rows logged as this statement are of ours; absent: all are.
    std::function<bool(const StatementLogged &)> concerns;
};

/// Names a schema change of the stream; two may stand at one position.
QString placeOf(const DdlChange &);

struct FollowerStats {
    bool running = false;
    bool connected = false;
    qint64 transactions = 0, rows = 0;
    qint64 bytes = 0;               ///< of the rows applied
    qint64 queued = 0;              ///< bytes read and not yet applied
    QString readPlace;              ///< of the leader's log, ChangeStream::place()
    double lagSeconds = -1;         ///< -1 unknown; 0 when everything logged has been applied
    qint64 hasUntilMs = -1;         ///< Unix time up to which the follower has everything
    std::optional<Error> error;     ///< why it stopped
    std::optional<Error> trouble;   ///< why it is trying again just now
    std::optional<StreamStop> stop; ///< with an error of NeedsDecision
};

/// Carries the leader's changes to the follower: one thread reads and decodes, one applies. Keeps
/// the rule of ALGORITHMS 3.1 and 3.7: everything applied in commit order per batch, schema changes
/// only between batches, each table from its own start position on. Start, stop and the waits may
/// be called from one other thread (the engine's).
class Follower {
public:
    explicit Follower(FollowerConfig);
    ~Follower(); ///< stops and joins
    Follower(const Follower &) = delete;
    Follower &operator=(const Follower &) = delete;

    void start();
    /// Ends at a transaction boundary, everything applied so far recorded.
    void stop();

    [[nodiscard]] Position applied() const;
    [[nodiscard]] FollowerStats stats() const;
    /// Until applied >= wanted. The follower's own error when it stops before; NotReady with id
    /// "catch-up-timeout" after `limit` (0 = no limit).
    Status waitReached(const Position &wanted, std::chrono::milliseconds limit, std::stop_token);
    /// Runs `task` between two batches, with everything before applied and committed.
    Status atBoundary(const std::function<Status(Applier &, const Position &applied)> &task,
                      std::stop_token);

    /// Keys changed since the last call (or trackedFrom()); nothing where they were too many to
    /// keep. Whoever takes them answers for them: trackedFrom() moves on.
    std::optional<ChangedKeys> takeChangedKeys();
    /// The same for one who compares them meanwhile and gives those back that are still to be
    /// compared: trackedFrom() stays. Any thread.
    std::optional<ChangedKeys> borrowChangedKeys();
    void returnChangedKeys(ChangedKeys &&);
    /// Until there are so many of them; false when stopped. Any thread.
    bool waitForChangedKeys(std::size_t, std::stop_token);
    /// The leader's position after which every change is among the keys of the next
    /// takeChangedKeys(); empty before it has begun.
    [[nodiscard]] Position trackedFrom() const;
    /// For the follower after this one; once it is stopped. Nothing where they were too many.
    [[nodiscard]] std::optional<KeptKeys> keptKeys() const;

private:
    struct Item;
    class Queue;
    struct Reader;
    void setReadPlace(const QString &);

    void run(std::stop_token stop);
    Status stretch(std::stop_token stop);
    Status applyItems(Applier &applier, std::vector<Item> &items, std::stop_token stop);
    Status handleDdl(Applier &applier, const DdlChange &ddl, std::stop_token stop);
    Status applyDdl(Applier &applier, const DdlChange &ddl, const DdlVerdict &verdict,
                    std::stop_token stop);
    Status checkReadable(const Item &item);
    tl::unexpected<Error> stopAt(Error why, StreamStop at);
    Error explained(Error applying);
    Status runTasks(Applier &applier);
    Status settleOnce(Applier &applier, std::stop_token stop);
    void noteChanged(const std::vector<RowChange> &rows);
    void noteKeys(const TableName &table, const std::vector<Row> &keys);
    void takeOverKeptLocked(const Position &from, const std::vector<TablePlan> &); ///< likewise
    void dropTooManyKeysLocked();                ///< under m_mutex
    std::optional<ChangedKeys> takeKeysLocked(); ///< under m_mutex
    void setApplied(const Position &position);
    [[nodiscard]] bool partInCopyAlready(const TableName &table, const Position &before) const;
    [[nodiscard]] bool inCopyAlready(const TableName &table, const Position &transaction);

    FollowerConfig m_config;
    struct Task {
        const std::function<Status(Applier &, const Position &)> *work;
        std::optional<Status> done;
    };
    mutable std::mutex m_mutex;
    std::condition_variable_any m_changed;
    Position m_applied;
    Position m_trackedFrom;
    FollowerStats m_stats;
    Task *m_task = nullptr;
    bool m_settled = false; ///< of the present stretch; follower's thread only
    QString m_groupApplied; ///< a statement whose rows follow, run already; follower's thread only
    QString m_tableFailed;  ///< where the follower's tables were read again last, and why
    std::map<QString, TableName> m_leaderNames; ///< by follower table; follower's thread only
    Queue *m_queue = nullptr;                   ///< of the present stretch, to wake it for a task
    std::chrono::steady_clock::time_point m_lastProgress;
    std::chrono::steady_clock::time_point m_lastRecorded; ///< follower's thread only
    ChangedKeys m_keys;
    std::size_t m_keyCount = 0;
    bool m_keysLost = false;
    std::jthread m_thread;
};

} // namespace causeway
