#pragma once

#include "base/Error.h"
#include "journal/Snapshot.h"

#include <QJsonObject>
#include <QMap>
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
    /// A line for a person that is no result: to standard error.
    void complain(const QString &line) const;
    /// One line of JSON (compact); only with --json.
    void emitJson(const QJsonObject &) const;
    /// The error, for a person and, with --json, as {"error": {...}}; returns its exit status.
    int report(const Error &) const;

    /// What was done before is not told again.
    void beginProgress(const Snapshot &);
    /// Progress: a bar that is drawn over on a terminal, JSON lines with --json, else a line for
    /// each step, with its time.
    void progress(const Snapshot &);
    /// Ends the bar's line.
    void endProgress();

private:
    bool m_json;
    void tellSteps(const Snapshot &);
    void tellWaiting(const Snapshot &);

    bool m_barShown = false;
    QString m_lastLine;
    QMap<QString, qint64> m_toldSteps; ///< id -> start of the run that was told of
    qint64 m_lastJsonMs = 0;
    QString m_toldRetrying;
    qint64 m_lastWaitingMs = 0; ///< when a line about what takes long was told
    int m_waitingLines = 0;     ///< in a row
};

/// Runs a command; its error is told, and becomes the exit status.
int guarded(Result<int> (*command)(const QStringList &, Output &), const QStringList &arguments);
/// Likewise, of a command whose --json is something else.
int guarded(Result<int> (*command)(const QStringList &, Output &), const QStringList &arguments,
            bool json);
/// Writes a file whole or not at all.
Status writeFile(const QString &name, const QByteArray &);

QString bytesText(double bytes);
QString durationText(qint64 seconds);

} // namespace causeway::cli
