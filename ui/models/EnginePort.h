#pragma once

#include "engine/Engine.h"
#include "engine/Migration.h"

#include <QDateTime>
#include <QString>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace causeway::ui {

/// One open migration, as the wizard sees it. An interface, so that pages are tested with snapshots
/// made by hand and without a server.
class MigrationPort {
public:
    virtual ~MigrationPort() = default;
    virtual void post(Command) = 0; ///< any thread, returns at once
    [[nodiscard]] virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
    [[nodiscard]] virtual std::pair<quint64, std::optional<Outcome>> lastOutcome() const = 0;
    [[nodiscard]] virtual std::vector<StepRecord> plan() const = 0;            ///< may block
    [[nodiscard]] virtual std::vector<LiveClient> liveClients(Side) const = 0; ///< may block
};

struct OpenedMigration {
    QString path;
    Settings settings;
    std::shared_ptr<MigrationPort> migration;
};

/// What a .causeway file says of itself without being opened as its owner.
struct FileSummary {
    QString path;
    Settings settings;
    Phase phase = Phase::Draft;
    QDateTime lastCheckpoint; ///< UTC; invalid when nothing was recorded yet
    bool inUse = false;
    QString oldSourceOpenSql; ///< finished: what opens the old source; empty = it is open
};

/// Everything the wizard asks of the engine. Every call may block: the bridge makes them on a
/// job's thread, never on the GUI's.
class EnginePort {
public:
    virtual ~EnginePort() = default;
    virtual ConnectionReport testConnection(const Address &,
                                            const std::function<void(const StageReport &)> &onStage,
                                            std::stop_token) = 0;
    virtual Result<QStringList> schemaNames(const Address &, std::stop_token) = 0;
    virtual Result<Catalog> catalog(const Address &, const Selection &, std::stop_token) = 0;
    /// Whether the source could follow the target after the switch.
    virtual Result<Support> wayBack(const Address &source, const Address &target,
                                    std::stop_token) = 0;
    virtual Result<CheckReport> runPreflight(const Endpoint &source,
                                             const std::optional<Endpoint> &target,
                                             const CheckOptions &,
                                             const std::function<void(const Finding &)> &onFinding,
                                             std::stop_token) = 0;
    virtual Result<Finding> applyFix(const Endpoint &source, const std::optional<Endpoint> &target,
                                     const CheckOptions &, const QString &id, std::stop_token) = 0;
    virtual Result<QStringList> userScript(const Endpoint &, Side, const Selection &,
                                           const QString &account, std::stop_token) = 0;
    /// Makes the file, or changes the settings of one whose copy has not begun, and opens it.
    virtual Result<OpenedMigration> prepare(const QString &path, const Settings &,
                                            const Migration::Secrets &) = 0;
    virtual Result<OpenedMigration> open(const QString &path, const Migration::Secrets &) = 0;
    virtual Result<FileSummary> summary(const QString &path) = 0;
    virtual Result<std::vector<Event>> events(const QString &path, int most) = 0;
    /// The report of a migration from its file. Format: "html", "json" or "csv".
    virtual Result<QByteArray> report(const QString &path, const QString &format) = 0;
    /// `isPrivate`: readable by this user only (a script with a password in it).
    virtual Status saveText(const QString &out, const QByteArray &utf8, bool isPrivate) = 0;
};

/// The real engine.
std::shared_ptr<EnginePort> makeCoreEngine();

} // namespace causeway::ui
