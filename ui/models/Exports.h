#pragma once

#include "journal/Journal.h"
#include "preflight/Check.h"

#include <QByteArray>

namespace causeway::ui {

QByteArray checkReportHtml(const CheckReport &, const QStringList &accepted);
QByteArray checkReportJson(const CheckReport &, const QStringList &accepted);

/// The report to sign: what moved, when, with what result. In the language of the window.
QByteArray migrationReportHtml(const Settings &, const Snapshot &, const QStringList &leftOut);
QByteArray migrationReportJson(const Settings &, const Snapshot &, const QStringList &leftOut);

} // namespace causeway::ui
