#pragma once

#include "base/Error.h"
#include "database/Database.h"
#include "engine/Migration.h"
#include "journal/Journal.h"
#include "journal/Snapshot.h"
#include "route/Follower.h"
#include "route/RouteHost.h"

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace causeway {

/// The snapshot that the faces of the engine read. Any thread.
class Live {
public:
    void update(const std::function<void(Snapshot &)> &change);
    [[nodiscard]] std::shared_ptr<const Snapshot> get() const;
    void setClients(Side, std::vector<LiveClient>);
    [[nodiscard]] std::vector<LiveClient> clients(Side) const;

private:
    mutable std::mutex m_mutex;
    Snapshot m_now;
    std::array<std::vector<LiveClient>, 2> m_clients;
};

/// What may still be asked of a server after the user cancelled: that takes a second at most, and
/// there are two servers.
inline constexpr std::chrono::milliseconds kGraceAfterCancel{350};

/// Names of the facts kept in a server's ledger (Ledger::fact).
namespace fact {
inline const QString lowWatermark = QStringLiteral("low_watermark"); ///< G0, target
inline const QString keysApart = QStringLiteral("keys_apart");       ///< no collision was found
inline const QString tablesCreated = QStringLiteral("tables_created");
inline const QString copied = QStringLiteral("copied");      ///< position after the last chunk read
inline const QString indexes = QStringLiteral("indexes");    ///< plain secondary indexes are built
inline const QString copyDone = QStringLiteral("copy_done"); ///< the whole copy stage is behind us
/// Uniques, foreign keys, views are built: "1"; `rebuild` once some tables were copied anew since.
inline const QString complete = QStringLiteral("complete");
inline const QString rebuild = QStringLiteral("rebuild");
inline const QString verified =
    QStringLiteral("verified"); ///< Unix ms of the last clean comparison
/// On the follower: the leader's position up to which all rows are known to be equal, by a clean
/// comparison or by a switch. The keys changed after it are compared at the next switch; those that
/// an earlier process, or a replication that was stopped since, has seen are read from the log
/// again.
inline const QString comparedUpTo = QStringLiteral("compared_up_to");
/// On each server that ever became the leader: the number of the switch. The higher one leads; the
/// target's is SWITCHED of ALGORITHMS 4.5.
inline const QString leads = QStringLiteral("leads");
/// On the leader: where the stream the other way begins; gone once it is recorded there.
inline const QString streamStart = QStringLiteral("stream_start");
/// JSON: leader table -> position up to which its changes are in the copy (recopied tables).
inline const QString tableStarts = QStringLiteral("table_starts");
/// JSON: source table -> hash of the definition that its copy was made from; on the target.
inline const QString tables = QStringLiteral("tables");
/// JSON: tables being copied anew, and how far that is; on the target.
inline const QString recopy = QStringLiteral("recopy");
/// JSON array of the target's schemas and tables that did not exist before we began: written before
/// they are created, so that discarding drops nothing that was there.
inline const QString created = QStringLiteral("created");
} // namespace fact

/// A table as a key in the JSON of a fact; a name may contain a dot.
QString keyOfTable(const TableName &);
TableName tableFromKey(const QString &);

/// Everything the stages of one migration share, and what a route that knows no engine needs of it
/// (RouteHost). Engine thread only, but for `live` and what RouteHost says.
class Context final : public RouteHost {
public:
    Context(std::unique_ptr<Journal> journal, Settings settings, Live &live);

    /// Opens both databases' objects (no connection yet).
    Status openDatabases(const Migration::Secrets &);
    [[nodiscard]] Database &db(Side side) override { return *m_databases[index(side)]; }
    /// With the passwords; valid after openDatabases().
    [[nodiscard]] const Endpoint &endpoint(Side side) const { return m_endpoints[index(side)]; }
    /// The ledger on a server, without creating anything there.
    Result<Ledger *> ledger(Side, std::stop_token);
    /// The lease on a server, the state tables created and the lease taken on first use.
    Result<Lease> lease(Side, std::stop_token);
    [[nodiscard]] std::optional<Lease> leaseIfHeld(Side side) const
    {
        return m_leases[index(side)];
    }
    /// After a lost connection: the next call opens anew.
    void dropLedgerSessions();

    /// How a side is to be closed, as it was set; without a lease (plan) or under ours.
    [[nodiscard]] FenceRequest fenceRequest(Side) const;
    /// The fence of one side, under our lease.
    Result<std::unique_ptr<Fence>> fence(Side, std::stop_token);

    Result<std::optional<QString>> fact(Side, const QString &name, std::stop_token);
    Status setFact(Side, const QString &name, const QString &value, std::stop_token);
    Status clearFact(Side, const QString &name, std::stop_token);

    /// Who leads, by the servers. Source where neither has state.
    Result<Roles> roles(std::stop_token);
    /// Where the migration stands, by the servers; the journal settles finished and cancelled.
    Result<Phase> derivePhase(std::stop_token);

    [[nodiscard]] const Settings &configuration() const override { return settings; }
    [[nodiscard]] Address addressFromPeer(Side) const override;
    Result<Phase> recordedPhase() override { return journal->phase(); }
    Status setPhase(Phase) override;
    Result<std::optional<QString>> journalValue(const QString &name) override;
    Status setJournalValue(const QString &name, const QString &value) override;
    void activity(const Text &) override;
    void event(const QString &level, const QString &text) override;
    /// A server refused or was lost, and is tried again: shown until something goes on. Any thread.
    void retrying(const Error &);
    void show(const std::function<void(Snapshot &)> &change) override { live.update(change); }
    [[nodiscard]] std::shared_ptr<const Snapshot> shown() const override { return live.get(); }
    Status runSteps(const std::vector<Step> &, std::stop_token) override;
    /// Whether a server says anything within the time that may pass after a cancel. Any thread.
    bool answersSoon(Side);
    Status runHookCommand(const QString &command, const QMap<QString, QString> &environment,
                          std::stop_token) override;
    /// Also refreshes the live clients and adds a sample.
    bool tick() override;
    /// Stores what is shown, whatever time it is.
    void storeSnapshot();

    [[nodiscard]] Selection selectionOn(Side) const override;
    [[nodiscard]] TableName nameOn(Side side, const TableName &sourceName) const;
    [[nodiscard]] TableName nameOnFollower(Roles, const TableName &leaderName) const;
    [[nodiscard]] TableName nameOnLeader(Roles roles, const TableName &followerName) const
    {
        return nameOnFollower({roles.follower, roles.leader}, followerName);
    }
    /// Keeps from which position on changes of tables count. Any thread: a session of its own.
    Status noteTableStarts(const std::vector<TableName> &leaderNames, const Position &,
                           std::stop_token);
    /// Plans for a direction, from what both servers have now. Any thread.
    struct Plans {
        std::vector<TablePlan> plans;
        std::vector<TableName> unmatched; ///< leader's tables that the follower does not have
        /// The follower's tables that the leader does not have now: it had them where the stream
        /// is, or somebody else made them.
        std::vector<TablePlan> followerOnly;
    };
    Result<Plans> plansFor(Roles, std::stop_token);

    std::unique_ptr<Journal> journal;
    Settings settings;
    Live &live;
    /// Leader catalog and follower script of the forward direction, once read.
    Catalog sourceCatalog;
    SchemaScript script;
    bool schemaKnown = false;
    std::optional<Capabilities> sourceCapabilities, targetCapabilities;
    std::optional<ServerFacts> sourceFacts, targetFacts;
    /// What a stage stopped at and a person may settle; the follower has its own.
    std::optional<StreamStop> stopped;
    /// Somebody left a cancel in the file: what is under way should end. Any thread.
    std::atomic<bool> cancelAsked{false};

private:
    static std::size_t index(Side side) { return side == Side::Source ? 0 : 1; }
    std::array<Endpoint, 2> m_endpoints;
    std::array<std::shared_ptr<Database>, 2> m_databases;
    std::array<std::unique_ptr<Ledger>, 2> m_ledgers;
    std::array<std::optional<Lease>, 2> m_leases;
    std::array<std::unique_ptr<LeaseHold>, 2> m_holds;
    std::mutex m_startsMutex;
    void refreshClients();
    std::jthread m_clients; ///< asks both servers who is connected
    std::atomic<bool> m_clientsAsked{false};
    qint64 m_lastStored = 0, m_lastClients = 0;
    qint64 m_lastRows = 0, m_lastBytes = 0, m_lastSample = 0;
};

/// The stages, one file each. All on the engine's thread; each may be entered again at any point.
struct Replication; // Replication.h

/// Runs statements that create things, with several workers those of different objects at once, and
/// passes over what exists already: how a build that was cut short goes on. Only for objects that
/// this migration creates.
Status createMissing(Database &, const std::vector<SchemaStatement> &, int workers,
                     std::stop_token);
/// A step that does so, showing the SQL. `statements` must outlive it.
Step createStep(Context &, Side, const QString &id, const Text &title,
                const std::vector<SchemaStatement> &statements, int workers);
/// Reads the source's schema and works out the target's; idempotent.
Status learnSchema(Context &, std::stop_token);
/// Draft -> copied: state tables, schema, rows, plain indexes. (CopyStage.cpp)
Status copyStage(Context &, std::stop_token);
/// Copies the rows of these tables that are not there yet. (CopyStage.cpp)
Status copyRows(Context &, const std::vector<TablePlan> &, std::stop_token);
/// Notes a position after the last chunk was read. (CopyStage.cpp)
Status noteCopied(Context &, std::stop_token);
/// Copied -> replica: catches up, builds what had to wait. (Replication.cpp)
Status catchUpStage(Context &, Replication &, std::stop_token);
/// How tables are compared: in step with a follower that replicates, else at rest.
/// (VerifyStage.cpp)
VerifyOptions comparisonOptions(Context &, Replication &);
/// Compares; with repair through the follower. (VerifyStage.cpp)
Result<VerifyReport> verifyStage(Context &, Replication &, bool repair, std::stop_token);
/// The leader's place goes to the follower, either way. (SwitchStage.cpp)
Status switchStage(Context &, Replication &, std::stop_token);
/// Error{NotReady, "one-way"} where the changes of `newLeader` cannot be read: then a switch has no
/// way back. (SwitchStage.cpp)
Status requireWayBack(Context &, Side newLeader, std::stop_token);
/// What an interrupted switch left open after its point of no return. (SwitchCompletion.cpp)
Status completeSwitch(Context &, std::stop_token);
/// Opens a leader that an interrupted switch left closed before its point of no return.
/// (SwitchCompletion.cpp)
Status reopenLeader(Context &, std::stop_token);
/// Mode once: fences the source before the copy. (OnceStage.cpp)
Status closeSourceForOnce(Context &, std::stop_token);
/// Finishing has begun: only going on with it leads anywhere.
Result<bool> isFinishing(Context &, std::stop_token);
Status finishStage(Context &, bool oldSourceOpen, std::stop_token); // DetachStage.cpp
Status cancelStage(Context &, bool discard, std::stop_token);       // DetachStage.cpp

} // namespace causeway
