#include "models/EnginePort.h"

#include "engine/ServerLook.h"
#include "journal/Journal.h"
#include "report/Report.h"

#include <QFileInfo>
#include <QSaveFile>

namespace causeway::ui {

namespace {

class CoreMigration final : public MigrationPort {
public:
    explicit CoreMigration(std::unique_ptr<Migration> migration) : m_migration(std::move(migration))
    {
    }
    void post(Command c) override { m_migration->post(std::move(c)); }
    std::shared_ptr<const Snapshot> snapshot() const override { return m_migration->snapshot(); }
    std::pair<quint64, std::optional<Outcome>> lastOutcome() const override
    {
        return m_migration->lastOutcome();
    }
    std::vector<StepRecord> plan() const override { return m_migration->plan(); }
    std::vector<LiveClient> liveClients(Side s) const override
    {
        return m_migration->liveClients(s);
    }

private:
    std::unique_ptr<Migration> m_migration;
};

class CoreEngine final : public EnginePort {
public:
    ConnectionReport testConnection(const Address &address,
                                    const std::function<void(const StageReport &)> &onStage,
                                    std::stop_token stop) override
    {
        return causeway::testConnection(address, onStage, std::move(stop));
    }

    Result<QStringList> schemaNames(const Address &address, std::stop_token stop) override
    {
        CW_TRY_ASSIGN(auto database, makeDatabase(address));
        return database->schemaNames(std::move(stop));
    }

    Result<Catalog> catalog(const Address &address, const Selection &selection,
                            std::stop_token stop) override
    {
        CW_TRY_ASSIGN(auto database, makeDatabase(address));
        return database->catalog(selection, std::move(stop));
    }

    Result<Support> wayBack(const Address &source, const Address &target,
                            std::stop_token stop) override
    {
        return causeway::wayBack(source, target, std::move(stop));
    }

    Result<CheckReport> runPreflight(const Endpoint &source, const std::optional<Endpoint> &target,
                                     const CheckOptions &options,
                                     const std::function<void(const Finding &)> &onFinding,
                                     std::stop_token stop) override
    {
        return causeway::runPreflight(source, target, options, onFinding, std::move(stop));
    }

    Result<Finding> applyFix(const Endpoint &source, const std::optional<Endpoint> &target,
                             const CheckOptions &options, const QString &id,
                             std::stop_token stop) override
    {
        CW_TRY_ASSIGN(const AppliedFix done,
                      causeway::applyFix(source, target, options, id, std::move(stop)));
        return done.after;
    }

    Result<QStringList> userScript(const Endpoint &endpoint, Side side, const Selection &selection,
                                   const QString &account, std::stop_token stop) override
    {
        CheckOptions options;
        options.selection = selection;
        return causeway::userScript(endpoint, side, options, account, std::move(stop));
    }

    Result<OpenedMigration> prepare(const QString &path, const Settings &settings,
                                    const Migration::Secrets &secrets) override
    {
        if (QFileInfo::exists(path)) {
            CW_TRY_ASSIGN(auto journal, Journal::open(path, Journal::Access::Own));
            CW_TRY_ASSIGN(const Settings there, journal->settings());
            CW_TRY_ASSIGN(const Phase phase, journal->phase());
            if (there.id != settings.id)
                return fail(ErrorCode::Usage,
                            cwText("core",
                                   "%1 is the file of another migration. Choose another name.",
                                   path),
                            QStringLiteral("file-exists"));
            if (phase != Phase::Draft && phase != Phase::Checked)
                return fail(ErrorCode::NotReady,
                            cwText("core", "The copy of this migration has begun; its settings "
                                           "cannot be changed any more."));
            CW_TRY(journal->setSettings(settings));
        } else {
            CW_TRY(Journal::create(path, settings));
        }
        return open(path, secrets);
    }

    Result<OpenedMigration> open(const QString &path, const Migration::Secrets &secrets) override
    {
        CW_TRY_ASSIGN(auto migration, Migration::open(path, secrets));
        OpenedMigration out;
        out.path = path;
        out.settings = migration->settings();
        out.migration = std::make_shared<CoreMigration>(std::move(migration));
        return out;
    }

    Result<FileSummary> summary(const QString &path) override
    {
        CW_TRY_ASSIGN(auto journal, Journal::open(path, Journal::Access::Read));
        FileSummary out;
        out.path = path;
        CW_TRY_ASSIGN(out.settings, journal->settings());
        CW_TRY_ASSIGN(out.phase, journal->phase());
        CW_TRY_ASSIGN(const auto last, journal->events(1));
        if (!last.empty())
            out.lastCheckpoint = QDateTime::fromMSecsSinceEpoch(last.back().atMs, Qt::UTC);
        CW_TRY_ASSIGN(const auto openSql, journal->value(QStringLiteral("old_source_open_sql")));
        out.oldSourceOpenSql = openSql.value_or(QString());
        out.inUse = Journal::hasOwner(path);
        return out;
    }

    Result<std::vector<Event>> events(const QString &path, int most) override
    {
        CW_TRY_ASSIGN(auto journal, Journal::open(path, Journal::Access::Read));
        return journal->events(most);
    }

    Result<QByteArray> report(const QString &path, const QString &format) override
    {
        CW_TRY_ASSIGN(auto journal, Journal::open(path, Journal::Access::Read));
        CW_TRY_ASSIGN(const MigrationReport made, readReport(*journal));
        if (format == QLatin1String("csv"))
            return reportCsv(made);
        return format == QLatin1String("json") ? reportJson(made) : reportHtml(made);
    }

    Status saveText(const QString &out, const QByteArray &utf8, bool isPrivate) override
    {
        QSaveFile file(out); // replaces whole or not at all
        const bool opened =
            file.open(QIODevice::WriteOnly) &&
            (!isPrivate || file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner));
        if (!opened || file.write(utf8) != utf8.size() || !file.commit()) {
            Error e;
            e.code = ErrorCode::Io;
            e.object = out;
            e.message = cwText("core", "%1 could not be written: %2", out, file.errorString());
            return fail(std::move(e));
        }
        return {};
    }
};

} // namespace

std::shared_ptr<EnginePort> makeCoreEngine()
{
    return std::make_shared<CoreEngine>();
}

} // namespace causeway::ui
