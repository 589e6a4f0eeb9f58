#pragma once

#include "base/Error.h"
#include "journal/Snapshot.h"

#include <QJsonObject>
#include <QString>

namespace causeway::cli {

/// What goes where: with --json and no file, standard output belongs to JSON and everything a
/// person reads goes to standard error.
class Output {
public:
    explicit Output(bool json) : m_json(json) {}
    [[nodiscard]] bool json() const { return m_json; }
    /// A line for a person.
    void say(const QString &line) const;
    /// One line of JSON (compact); only with --json.
    void emitJson(const QJsonObject &) const;
    /// The error, for a person and, with --json, as {"error": {...}}; returns its exit status.
    int report(const Error &) const;

    /// Progress: a bar that is drawn over on a terminal, JSON lines with --json, else a line for
    /// each change of phase.
    void progress(const Snapshot &);
    /// Ends the bar's line.
    void endProgress();

private:
    bool m_json;
    bool m_barShown = false;
    QString m_lastPhase;
    qint64 m_lastJsonMs = 0;
};

QString bytesText(double bytes);
QString durationText(qint64 seconds);

} // namespace causeway::cli
