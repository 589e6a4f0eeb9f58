#pragma once

#include "base/Error.h"
#include "database/Change.h"
#include "database/Lease.h"
#include "schema/Selection.h"

#include <chrono>
#include <optional>
#include <stop_token>

namespace causeway {

/// How a server is to be closed (`--fence`). *Auto*: as a whole (read_only) where nothing else
/// lives on it, only the tables that move (triggers) where it carries other databases too, or where
/// the account may not close it.
enum class FenceKind { Auto, ReadOnly, Triggers };
QString toString(FenceKind); ///< "auto" | "read_only" | "triggers"
std::optional<FenceKind> fenceKindFromString(const QString &);

/// What is to be fenced, and how.
struct FenceRequest {
    Selection selection; ///< under the names of this server
    Lease lease;
    bool isTarget = false;
    FenceKind kind = FenceKind::Auto;
    std::chrono::milliseconds lockWait{2'000}; ///< each attempt stalls writers for at most this
    int attempts = 5;
};

/// What closing a server means, known before it is done.
struct FenceForecast {
    QString kind;    ///< "read_only" | "provider" | "triggers"; empty = there is no way
    Text limitation; ///< why there is none
    qint64 tables = 0;
    QStringList others; ///< other databases on the server, or other tables of these
    struct Seconds {
        double least = 0, most = 0; ///< on an idle server; on a busy one
    };
    Seconds seconds; ///< that making the seal takes; without the drain, which takes its own
    Seconds toOpen;  ///< that removing it takes, where this side opens at the switch
    /// A restart of the server opens it until we are connected again.
    bool forgotten = false;
    [[nodiscard]] bool closesOthers() const
    {
        return !others.isEmpty() && !kind.isEmpty() && kind != QLatin1String("triggers");
    }
    /// One or two sentences for the plan and the check.
    [[nodiscard]] Text words() const;
};

/// What making a trigger seal took, for the next forecast and for people.
struct SealTiming {
    qint64 tables = 0;
    std::chrono::microseconds took{0};
    [[nodiscard]] double secondsPerTable() const
    {
        return tables > 0
                   ? std::chrono::duration<double>(took).count() / static_cast<double>(tables)
                   : 0;
    }
};

/// Stops writes to the selection on one server. hold() belongs to a session: the server lifts it
/// if we vanish. seal() is persistent. See ALGORITHMS 4.
class Fence {
public:
    virtual ~Fence() = default;
    /// Which seal will be used, and the SQL that hold, seal and open will run, for the plan.
    virtual QString sealKind() const = 0; ///< "read_only" | "provider" | "triggers"
    virtual FenceForecast forecast() const = 0;
    virtual QStringList holdSql() const = 0;
    virtual QStringList sealSql() const = 0;
    virtual QStringList openSql() const = 0;
    /// Accounts seen changing rows, user@host, that this way of closing does not stop and that are
    /// not locked yet. Looks on for so long; zero: once.
    virtual Result<QStringList> passingWriters(std::chrono::milliseconds, std::stop_token)
    {
        return QStringList{};
    }
    virtual QStringList lockAccountsSql(const QStringList &) const { return {}; }
    /// Before the hold, since nothing can be recorded or altered under it: keeps on the server who
    /// is locked, and locks them until open(). Accounts that this server does not have, or that it
    /// stops anyway, are left alone. seal() ends their sessions. Returns those that it may not
    /// lock.
    virtual Result<QStringList> lockAccounts(const QStringList &, std::stop_token)
    {
        return QStringList{};
    }
    virtual Status unlockAccounts(std::stop_token) { return {}; }
    /// Returns the position after the last writer drained.
    virtual Result<Position> hold(std::stop_token) = 0;
    /// Under the hold: makes it persistent and reads the position again. The hold goes on.
    virtual Result<Position> seal(std::stop_token) = 0;
    /// Of the last seal(), where it made triggers.
    virtual std::optional<SealTiming> lastSeal() const = 0;
    /// Somebody waits for the hold in a way that stops readers too, ours among them (a TRUNCATE):
    /// hold() or seal() once more lets it through.
    virtual Result<bool> isWaitedFor(std::stop_token) { return false; }
    /// Before the last release(): ends what waits for it and would pass the seal. As far as the
    /// rights go; says whom it could not end, here or in seal().
    virtual Result<QStringList> endWaiters(std::stop_token) { return QStringList{}; }
    /// Let the session's hold go; the seal, if any, stays.
    virtual Status release(std::stop_token) = 0;
    /// After SWITCHED: keep everybody out but our applier (super_read_only off, read_only on).
    virtual Status admitApplier(std::stop_token) = 0;
    /// Of a follower, at each connect: as admitApplier(), and closed again where a restart of the
    /// server or a table made anew has undone it. What a restart forgets is kept closed by
    /// triggers, where the rights allow them.
    virtual Status keepClosed(std::stop_token stop) { return admitApplier(std::move(stop)); }
    /// Of a follower that is to lead, before writes are held: takes off what only a restart needs,
    /// since that takes a while for each table.
    virtual Status easeOpening(std::stop_token) { return {}; }
    /// Removes seal and hold; puts settings back as recorded. Idempotent, needs no hold before.
    virtual Status open(std::stop_token) = 0;
    virtual Result<bool> isSealed(std::stop_token) = 0;
    virtual void interrupt() noexcept = 0;
};

} // namespace causeway
