#include "models/EngineBridge.h"

#include "models/Words.h"

#include <algorithm>

namespace causeway::ui {

namespace {
constexpr int snapshotIntervalMs = 250;
constexpr int jobIntervalMs = 50; // short, so that a finished connection test is seen at once
} // namespace

EngineBridge::EngineBridge(std::shared_ptr<EnginePort> engine, QObject *parent)
    : QObject(parent), m_engine(std::move(engine))
{
    m_timer.setInterval(snapshotIntervalMs);
    connect(&m_timer, &QTimer::timeout, this, &EngineBridge::refresh);
    m_jobTimer.setInterval(jobIntervalMs);
    connect(&m_jobTimer, &QTimer::timeout, this, &EngineBridge::pollJobs);
}

EngineBridge::~EngineBridge()
{
    for (const auto &job : m_jobs)
        job->cancel();
}

void EngineBridge::cancel(Ticket ticket)
{
    for (const auto &job : m_jobs) {
        if (job->ticket == ticket && !job->cancelled) {
            job->cancelled = true;
            job->cancel();
        }
    }
}

bool EngineBridge::isRunning(Ticket ticket) const
{
    return ticket != 0 && std::any_of(m_jobs.begin(), m_jobs.end(), [ticket](const auto &job) {
               return job->ticket == ticket && !job->cancelled;
           });
}

void EngineBridge::toGui(QPointer<QObject> context, std::function<void()> what)
{
    QMetaObject::invokeMethod(
        this,
        [context = std::move(context), what = std::move(what)] {
            if (context)
                what();
        },
        Qt::QueuedConnection);
}

void EngineBridge::pollJobs()
{
    // A callback may start or cancel jobs: take the finished ones out before calling any.
    std::vector<std::unique_ptr<PendingBase>> finished;
    for (auto it = m_jobs.begin(); it != m_jobs.end();) {
        if ((*it)->isDone()) {
            finished.push_back(std::move(*it));
            it = m_jobs.erase(it);
        } else {
            ++it;
        }
    }
    for (const auto &job : finished)
        job->deliver();
    if (m_jobs.empty())
        m_jobTimer.stop();
}

void EngineBridge::adopt(OpenedMigration opened)
{
    m_migration = std::move(opened.migration);
    m_settings = std::move(opened.settings);
    m_path = opened.path;
    m_outcomesSeen = m_migration->lastOutcome().first;
    m_commandRunning = m_comparing = false;
    m_comparison.reset();
    m_snapshot = m_migration->snapshot();
    m_timer.start();
    Q_EMIT migrationChanged();
    Q_EMIT snapshotChanged();
}

void EngineBridge::release(std::function<void()> done)
{
    m_timer.stop();
    m_snapshot.reset();
    m_path.clear();
    m_settings = {};
    m_commandRunning = m_comparing = false;
    m_comparison.reset();
    if (!m_migration) {
        if (done)
            done();
        return;
    }
    auto going = std::make_shared<std::shared_ptr<MigrationPort>>(std::move(m_migration));
    m_migration.reset();
    run<bool>(
        [going](std::stop_token) -> Result<bool> {
            going->reset();
            return true;
        },
        this,
        [done = std::move(done)](Result<bool>) {
            if (done)
                done();
        });
    Q_EMIT migrationChanged();
}

void EngineBridge::post(Command command)
{
    if (!m_migration)
        return;
    // Pause and Answer reach the command under way and end together with it.
    if (std::holds_alternative<command::RunTo>(command) ||
        std::holds_alternative<command::Verify>(command) ||
        std::holds_alternative<command::Cancel>(command))
        m_commandRunning = true;
    m_migration->post(std::move(command));
    refresh();
}

void EngineBridge::drive(const command::RunTo &goal)
{
    if (m_commandRunning || (m_snapshot && isActive(*m_snapshot)))
        post(command::Pause{});
    const Phase phase = m_snapshot ? m_snapshot->phase : Phase::Draft;
    m_comparing = (goal.goal == Goal::Primary && phase == Phase::Replica) ||
                  (goal.goal == Goal::Replica && phase == Phase::Primary);
    post(goal);
}

void EngineBridge::verify(bool repair)
{
    const bool wasActive = m_commandRunning || (m_snapshot && isActive(*m_snapshot));
    const Phase phase = m_snapshot ? m_snapshot->phase : Phase::Draft;
    if (wasActive)
        post(command::Pause{});
    m_comparing = true;
    post(command::Verify{repair});
    if (wasActive)
        post(command::RunTo{phase == Phase::Primary ? Goal::Primary : Goal::Replica, true, false});
}

void EngineBridge::refresh()
{
    if (!m_migration)
        return;
    auto [count, outcome] = m_migration->lastOutcome();
    auto newest = m_migration->snapshot();
    const bool changed = newest != m_snapshot;
    m_snapshot = std::move(newest);
    const bool ended = count != m_outcomesSeen;
    if (ended) {
        m_outcomesSeen = count;
        m_commandRunning = false;
        // A Pause that made way for the comparison ends before it.
        if (outcome && !std::holds_alternative<command::Pause>(outcome->command))
            m_comparing = false;
        if (outcome && outcome->verify)
            m_comparison = outcome->verify;
    }
    if (changed || ended)
        Q_EMIT snapshotChanged();
    if (ended && outcome)
        Q_EMIT outcomeArrived(*outcome);
}

} // namespace causeway::ui
