#pragma once

#include "base/Stop.h"
#include "models/EnginePort.h"

#include <mutex>

namespace causeway::ui::test {

/// A migration whose snapshots a test sets by hand; it notes what it is told to do.
class FakeMigration final : public MigrationPort {
public:
    void post(Command c) override
    {
        const std::lock_guard lock(m_mutex);
        m_posted.push_back(std::move(c));
    }
    std::shared_ptr<const Snapshot> snapshot() const override
    {
        const std::lock_guard lock(m_mutex);
        return m_snapshot;
    }
    std::pair<quint64, std::optional<Outcome>> lastOutcome() const override
    {
        const std::lock_guard lock(m_mutex);
        return {m_outcomes, m_outcome};
    }
    std::vector<StepRecord> plan() const override { return planned; }
    std::vector<LiveClient> liveClients(Side side) const override
    {
        return side == Side::Source ? sourceClients : targetClients;
    }
    void set(const Snapshot &s)
    {
        const std::lock_guard lock(m_mutex);
        m_snapshot = std::make_shared<const Snapshot>(s);
    }
    void end(Outcome outcome)
    {
        const std::lock_guard lock(m_mutex);
        ++m_outcomes;
        m_outcome = std::move(outcome);
    }
    std::vector<Command> posted() const
    {
        const std::lock_guard lock(m_mutex);
        return m_posted;
    }

    std::vector<StepRecord> planned;
    std::vector<LiveClient> sourceClients, targetClients;

private:
    mutable std::mutex m_mutex;
    std::vector<Command> m_posted;
    quint64 m_outcomes = 0;
    std::optional<Outcome> m_outcome;
    std::shared_ptr<const Snapshot> m_snapshot = std::make_shared<const Snapshot>();
};

class FakeEngine final : public EnginePort {
public:
    ConnectionReport testConnection(const Address &,
                                    const std::function<void(const StageReport &)> &onStage,
                                    std::stop_token stop) override
    {
        if (hang) {
            pauseFor(stop, std::chrono::minutes(1));
            ConnectionReport r;
            r.error = cancelledError();
            return r;
        }
        for (const StageReport &s : connection.stages)
            onStage(s);
        return connection;
    }
    Result<QStringList> schemaNames(const Address &, std::stop_token) override { return schemas; }
    Result<Catalog> catalog(const Address &, const Selection &selection, std::stop_token) override
    {
        Catalog out;
        for (const Table &t : tables.tables) {
            if (selection.matches(t.name))
                out.tables.push_back(t);
        }
        out.objects = tables.objects;
        return out;
    }
    Result<Support> wayBack(const Address &, const Address &, std::stop_token) override
    {
        return back;
    }
    Result<CheckReport> runPreflight(const Endpoint &source, const std::optional<Endpoint> &,
                                     const CheckOptions &options,
                                     const std::function<void(const Finding &)> &onFinding,
                                     std::stop_token) override
    {
        checkedSource = source;
        checkedFor = options;
        for (const Finding &f : check.findings)
            onFinding(f);
        return check;
    }
    Result<Finding> applyFix(const Endpoint &, const std::optional<Endpoint> &,
                             const CheckOptions &, const QString &id, std::stop_token) override
    {
        for (Finding f : check.findings) {
            if (f.id == id) {
                f.status = FindingStatus::Pass;
                return f;
            }
        }
        return fail(ErrorCode::Internal, cwText("core", "no such finding"));
    }
    Result<QStringList> userScript(const Endpoint &, Side, const Selection &,
                                   const QString &account, std::stop_token) override
    {
        return QStringList{
            QStringLiteral("CREATE USER '%1'@'%' IDENTIFIED BY '${password}';").arg(account),
            QStringLiteral("GRANT SELECT ON `shop`.* TO '%1'@'%';").arg(account)};
    }
    Result<OpenedMigration> prepare(const QString &path, const Settings &settings,
                                    const Migration::Secrets &) override
    {
        return OpenedMigration{path, settings, migration};
    }
    Result<OpenedMigration> open(const QString &path, const Migration::Secrets &secrets) override
    {
        openedWith = secrets;
        return OpenedMigration{path, openedSettings, migration};
    }
    Result<FileSummary> summary(const QString &path) override
    {
        FileSummary out;
        out.path = path;
        out.settings = openedSettings;
        out.phase = migration->snapshot()->phase;
        out.oldSourceOpenSql = openSql;
        return out;
    }
    Result<std::vector<Event>> events(const QString &, int) override
    {
        return std::vector<Event>{};
    }
    Result<QByteArray> report(const QString &, const QString &format) override
    {
        return QByteArray("report as ") + format.toUtf8();
    }
    Status saveText(const QString &, const QByteArray &utf8, bool) override
    {
        saved = utf8;
        return {};
    }

    bool hang = false;
    ConnectionReport connection;
    QStringList schemas;
    Catalog tables;
    Support back;
    CheckReport check;
    Settings openedSettings;
    Migration::Secrets openedWith;
    Endpoint checkedSource; ///< a job's thread writes: read them when the check is done
    CheckOptions checkedFor;
    QString openSql; ///< of the old source, once finished
    QByteArray saved;
    std::shared_ptr<FakeMigration> migration = std::make_shared<FakeMigration>();
};

} // namespace causeway::ui::test
