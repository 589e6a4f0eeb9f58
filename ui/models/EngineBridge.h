#pragma once

#include "models/EnginePort.h"
#include "verify/Verifier.h"

#include <QObject>
#include <QPointer>
#include <QTimer>

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

namespace causeway::ui {

/// The only way from widgets to the engine. Lives on the GUI thread and never blocks it: work runs
/// as jobs that are polled, and the open migration is seen through its newest snapshot, taken four
/// times a second. There are no signals per row or per table.
class EngineBridge : public QObject {
    Q_OBJECT

public:
    using Ticket = quint64; ///< 0 = no job

    explicit EngineBridge(std::shared_ptr<EnginePort> engine, QObject *parent = nullptr);
    ~EngineBridge() override; ///< cancels and joins what still runs

    [[nodiscard]] EnginePort &engine() { return *m_engine; }
    [[nodiscard]] const std::shared_ptr<EnginePort> &sharedEngine() const { return m_engine; }

    /// Runs `task` on a thread of its own. `done` is called on the GUI thread unless the job was
    /// cancelled or `context` is gone by then. A cancelled job is joined once it has returned, not
    /// before: joining would freeze the window for as long as a dead host needs to time out.
    template <class T>
    Ticket run(std::function<Result<T>(std::stop_token)> task, QObject *context,
               std::function<void(Result<T>)> done)
    {
        auto job = std::make_unique<Pending<T>>(std::move(task), context, std::move(done));
        job->ticket = ++m_lastTicket;
        const Ticket ticket = job->ticket;
        m_jobs.push_back(std::move(job));
        if (!m_jobTimer.isActive())
            m_jobTimer.start();
        return ticket;
    }
    void cancel(Ticket);
    [[nodiscard]] bool isRunning(Ticket) const;

    /// Calls `what` on the GUI thread, from any thread of a job; nothing happens when `context` is
    /// gone by then.
    void toGui(QPointer<QObject> context, std::function<void()> what);

    void adopt(OpenedMigration);
    /// Lets the migration go on a job's thread (it pauses and joins there), then calls `done`.
    void release(std::function<void()> done);
    [[nodiscard]] bool hasMigration() const { return m_migration != nullptr; }
    [[nodiscard]] const std::shared_ptr<MigrationPort> &migration() const { return m_migration; }
    [[nodiscard]] const Settings &settings() const { return m_settings; }
    [[nodiscard]] const QString &path() const { return m_path; }
    /// Newest snapshot; null without a migration.
    [[nodiscard]] const std::shared_ptr<const Snapshot> &snapshot() const { return m_snapshot; }
    void post(Command);
    /// Drives to a goal: a command under way (following) is paused first, else the new one would
    /// wait behind it for ever.
    void drive(const command::RunTo &);
    /// Compares now, then goes on as before. `repair`: makes the follower equal where it is not.
    void verify(bool repair = false);
    /// A comparison was asked for and has not ended; also the one before a switch.
    [[nodiscard]] bool isComparing() const { return m_comparing; }
    /// The newest comparison that was seen to end since the file was opened; null when none was.
    [[nodiscard]] const VerifyReport *comparison() const
    {
        return m_comparison ? &*m_comparison : nullptr;
    }
    /// A command was posted whose outcome has not been seen yet.
    [[nodiscard]] bool isCommandRunning() const { return m_commandRunning; }

    /// Takes a snapshot now instead of at the next tick.
    void refresh();

Q_SIGNALS:
    void snapshotChanged();
    void migrationChanged(); ///< another one was adopted, or it was released
    void outcomeArrived(const causeway::Outcome &outcome);

private:
    struct PendingBase {
        virtual ~PendingBase() = default;
        virtual bool isDone() const = 0;
        virtual void cancel() = 0;
        virtual void deliver() = 0;
        Ticket ticket = 0;
        bool cancelled = false;
    };
    template <class T> struct Pending final : PendingBase {
        Pending(std::function<Result<T>(std::stop_token)> task, QObject *c,
                std::function<void(Result<T>)> d)
            : context(c), done(std::move(d)), job(std::move(task))
        {
        }
        bool isDone() const override { return job.isDone(); }
        void cancel() override { job.cancel(); }
        void deliver() override
        {
            Result<T> result = job.take();
            if (!cancelled && context && done)
                done(std::move(result));
        }
        QPointer<QObject> context;
        std::function<void(Result<T>)> done;
        Job<T> job;
    };

    void pollJobs();

    std::shared_ptr<EnginePort> m_engine;
    std::shared_ptr<MigrationPort> m_migration;
    Settings m_settings;
    QString m_path;
    std::shared_ptr<const Snapshot> m_snapshot;
    quint64 m_outcomesSeen = 0;
    bool m_commandRunning = false, m_comparing = false;
    std::optional<VerifyReport> m_comparison;
    QTimer m_timer, m_jobTimer;
    Ticket m_lastTicket = 0;
    std::vector<std::unique_ptr<PendingBase>> m_jobs; // last: joined before anything else goes
};

} // namespace causeway::ui
