#include "cli/Output.h"

#include <QDateTime>
#include <QJsonDocument>

#include <algorithm>
#include <array>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

namespace causeway::cli {

void Output::say(const QString &line) const
{
    std::FILE *to = m_json ? stderr : stdout;
    std::fputs((line + QLatin1Char('\n')).toLocal8Bit().constData(), to);
    std::fflush(to);
}

void Output::emitJson(const QJsonObject &object) const
{
    if (!m_json)
        return;
    std::fputs(QJsonDocument(object).toJson(QJsonDocument::Compact).constData(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
}

void Output::complain(const QString &line) const
{
    std::fputs((line + QLatin1Char('\n')).toLocal8Bit().constData(), stderr);
}

int Output::report(const Error &e) const
{
    std::fputs((QStringLiteral("causeway-cli: ") + e.describe() + QLatin1Char('\n'))
                   .toLocal8Bit()
                   .constData(),
               stderr);
    emitJson(QJsonObject{{QStringLiteral("error"), errorJson(e)}});
    return e.exitStatus();
}

int guarded(Result<int> (*command)(const QStringList &, Output &), const QStringList &arguments,
            bool json)
{
    Output out(json);
    const Result<int> result = command(arguments, out);
    return result ? *result : out.report(result.error());
}

int guarded(Result<int> (*command)(const QStringList &, Output &), const QStringList &arguments)
{
    return guarded(command, arguments, arguments.contains(QLatin1String("--json")));
}

QString bytesText(double bytes)
{
    static constexpr std::array<const char *, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < kUnits.size()) {
        bytes /= 1000;
        ++unit;
    }
    return QStringLiteral("%1 %2")
        .arg(bytes, 0, 'f', unit == 0 ? 0 : 1)
        .arg(QLatin1String(kUnits[unit]));
}

QString durationText(qint64 seconds)
{
    if (seconds < 60)
        return QStringLiteral("%1 s").arg(seconds);
    if (seconds < 3600)
        return QStringLiteral("%1 min").arg((seconds + 30) / 60);
    if (seconds >= 2 * 86'400)
        return QStringLiteral("%1 days").arg(seconds / 86'400);
    return QStringLiteral("%1 h %2 min").arg(seconds / 3600).arg(seconds % 3600 / 60);
}

namespace {
QString copyingText(const Snapshot &s, const QString &bar = {})
{
    qint64 rows = 0;
    for (const TableProgress &t : s.tables)
        rows += t.rows;
    QString text = QStringLiteral("copying %1%2%  %L3 rows  %4/s")
                       .arg(bar)
                       .arg(static_cast<int>(s.copiedPart() * 100))
                       .arg(rows)
                       .arg(bytesText(s.rateBytes));
    if (s.etaLow >= 0)
        text +=
            QStringLiteral("  %1 to %2 left").arg(durationText(s.etaLow), durationText(s.etaHigh));
    return text;
}

QString copyingBar(const Snapshot &s)
{
    constexpr int kWidth = 24;
    const int filled = static_cast<int>(s.copiedPart() * kWidth);
    return copyingText(s,
                       QStringLiteral("[%1%2] ").arg(QString(filled, QLatin1Char('#')),
                                                     QString(kWidth - filled, QLatin1Char('.'))));
}

/// How far a follower is behind, where that is worth a word: the leader's log holds what it has not
/// applied.
QString behindText(const Snapshot &s)
{
    QString text = QStringLiteral("%1 s behind").arg(s.lagSeconds, 0, 'f', 0);
    if (s.lagBytes >= 0)
        text +=
            QStringLiteral(", %1 of log to read").arg(bytesText(static_cast<double>(s.lagBytes)));
    if (!s.logPlace.isEmpty())
        text += QStringLiteral(" (at %1)").arg(s.logPlace);
    text += QStringLiteral(", %L1 rows/s").arg(static_cast<qint64>(s.rateRows));
    if (s.etaLow >= 0)
        text +=
            QStringLiteral(", %1 to %2 left").arg(durationText(s.etaLow), durationText(s.etaHigh));
    return text;
}

bool isBehind(const Snapshot &s)
{
    return s.lagSeconds > 3 && s.phase != Phase::Copying && s.phase != Phase::Switching &&
           s.phase != Phase::SwitchingBack;
}

/// Columns of the terminal: a line that wraps cannot be drawn over.
qsizetype terminalWidth()
{
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col - 1;
    return 79;
}

bool isCopyingRows(const Snapshot &s)
{
    return s.phase == Phase::Copying &&
           std::any_of(s.tables.begin(), s.tables.end(), [](const TableProgress &t) {
               return t.state == TableState::Waiting || t.state == TableState::Copying;
           });
}

QByteArray timed(const QString &line)
{
    return (QDateTime::currentDateTime().toString(QStringLiteral("HH:mm:ss ")) + line +
            QLatin1Char('\n'))
        .toLocal8Bit();
}
} // namespace

void Output::beginProgress(const Snapshot &s)
{
    for (const StepRecord &r : s.steps)
        m_toldSteps[r.id] = r.startedMs;
    m_lastLine.clear();
}

/// Steps can be quicker than this looks: taken from the list, in which each leaves its trace.
void Output::tellSteps(const Snapshot &s)
{
    std::vector<const StepRecord *> begun;
    for (const StepRecord &r : s.steps) {
        if (r.state != StepState::Pending && r.state != StepState::Skipped &&
            m_toldSteps.value(r.id) != r.startedMs)
            begun.push_back(&r);
    }
    std::sort(begun.begin(), begun.end(),
              [](const StepRecord *a, const StepRecord *b) { return a->startedMs < b->startedMs; });
    for (const StepRecord *r : begun) {
        m_toldSteps[r->id] = r->startedMs;
        const bool left = r->state == StepState::Failed &&
                          (r->error.contains(QLatin1String("Not undone")) ||
                           r->error.contains(QLatin1String("Undoing it failed")));
        const QString undone = r->state == StepState::Undone ? QStringLiteral("Undone: ")
                               : left                        ? QStringLiteral("Not undone: ")
                                                             : QString();
        std::fputs(timed(toString(s.phase) + QStringLiteral(": ") + undone + r->title.english()),
                   stderr);
    }
    // What is no step: reading, copying, waiting.
    const QString activity = s.activity.english();
    const QString line = toString(s.phase) + QStringLiteral(": ") + activity;
    const bool isStep = std::any_of(s.steps.begin(), s.steps.end(), [&](const StepRecord &r) {
        return r.title.english() == activity;
    });
    if (!isStep && !activity.isEmpty() && activity != m_lastLine)
        std::fputs(timed(line), stderr);
    m_lastLine = activity;
    tellWaiting(s);
    std::fflush(stderr);
}

/// What takes long, in lines for a log: often enough to see that it moves, seldom where it lasts.
void Output::tellWaiting(const Snapshot &s)
{
    if (s.retrying != m_toldRetrying) {
        m_toldRetrying = s.retrying;
        if (!s.retrying.isEmpty())
            std::fputs(timed(toString(s.phase) + QStringLiteral(": ") + s.retrying +
                             QStringLiteral(" Trying again.")),
                       stderr);
    }
    const bool copying = isCopyingRows(s);
    if (!copying && !isBehind(s)) {
        m_waitingLines = 0;
        m_lastWaitingMs = s.atMs;
        return;
    }
    constexpr int kOften = 24;
    if (s.atMs - m_lastWaitingMs < (m_waitingLines < kOften ? 5'000 : 30'000))
        return;
    m_lastWaitingMs = s.atMs;
    ++m_waitingLines;
    std::fputs(
        timed(copying ? copyingText(s) : toString(s.phase) + QStringLiteral(": ") + behindText(s)),
        stderr);
}

void Output::progress(const Snapshot &s)
{
    if (m_json) {
        if (s.atMs - m_lastJsonMs >= 1000) {
            m_lastJsonMs = s.atMs;
            emitJson(s.toProgressJson());
        }
        return;
    }
    if (::isatty(STDERR_FILENO) == 0) {
        tellSteps(s);
        return;
    }
    QString text;
    if (isCopyingRows(s)) {
        text = copyingBar(s);
    } else {
        text = toString(s.phase) + QStringLiteral(": ") + s.activity.english();
        if (isBehind(s))
            text += QStringLiteral("  ") + behindText(s);
        else if (s.lagSeconds >= 0 && s.phase != Phase::Switching &&
                 s.phase != Phase::SwitchingBack)
            text += QStringLiteral("  lag %1 s").arg(s.lagSeconds, 0, 'f', 1);
    }
    if (!s.retrying.isEmpty())
        text = toString(s.phase) + QStringLiteral(": ") + s.retrying +
               QStringLiteral(" Trying again.");
    else if (s.runState == RunState::Stalled)
        text += QStringLiteral("  (connection lost, trying again)");
    text = text.left(terminalWidth());
    if (text == m_lastLine)
        return;
    m_lastLine = text;
    std::fputs(("\r\x1b[K" + text.toLocal8Bit()).constData(), stderr);
    std::fflush(stderr);
    m_barShown = true;
}

void Output::endProgress()
{
    if (m_barShown)
        std::fputc('\n', stderr);
    m_barShown = false;
}

} // namespace causeway::cli
