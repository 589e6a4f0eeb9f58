#pragma once

#include "base/Error.h"
#include "journal/Journal.h"
#include "journal/LeftBehind.h"
#include "preflight/Check.h"

#include <QByteArray>
#include <QJsonObject>

#include <optional>
#include <vector>

namespace causeway {

/// One model of what a migration did, for every format. English; no secret is in it.
struct MigrationReport {
    Settings settings;
    Phase phase = Phase::Draft;
    QJsonObject snapshot;          ///< the last `status`
    QJsonObject verify;            ///< the last comparison, empty where there was none
    QJsonObject preflight;         ///< the check before the copy, empty where there was none
    std::vector<StepRecord> steps; ///< every run of every step, oldest first
    std::vector<Event> events;
    QString openSql; ///< how to open the old source that finish left closed
    std::optional<LeftBehind> leftBehind;
};

Result<MigrationReport> readReport(Journal &);
/// Where the data is, for whoever connects to it: without Causeway's own account, whose rights an
/// application must not have.
QString urlWithoutAccount(const Address &);
QByteArray reportJson(const MigrationReport &);
QByteArray reportHtml(const MigrationReport &);
QByteArray reportCsv(const MigrationReport &); ///< a line a table
/// The result of `check` as a page to hand over.
QByteArray checkReportHtml(const CheckReport &, const QStringList &accepted);

} // namespace causeway
