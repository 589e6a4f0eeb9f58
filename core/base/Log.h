#pragma once

#include <QDateTime>
#include <QString>

#include <functional>

namespace causeway {

enum class LogLevel { Debug, Info, Warning, Error };

struct LogLine {
    QDateTime at; ///< UTC
    LogLevel level = LogLevel::Info;
    QString text; ///< redacted
};

/// Writes one redacted line to every sink (spdlog's stderr or file logger, and the observers).
/// Any thread; cheap when the level is off.
void logLine(LogLevel level, const QString &text);
inline void logDebug(const QString &t)
{
    logLine(LogLevel::Debug, t);
}
inline void logInfo(const QString &t)
{
    logLine(LogLevel::Info, t);
}
inline void logWarning(const QString &t)
{
    logLine(LogLevel::Warning, t);
}
inline void logError(const QString &t)
{
    logLine(LogLevel::Error, t);
}

/// Lines below `level` are dropped. Default: Info.
void setLogLevel(LogLevel level);
/// Whether lines also go to standard error (the command line does, the wizard does not).
void setLogToStderr(bool on);
/// Also write to this rotating file (5 MB, 3 files). Returns false when it cannot be opened.
bool setLogFile(const QString &path);

/// The newest lines, oldest first, at most `most` (a bounded ring of 5,000 is kept).
QList<LogLine> recentLog(int most = 5000);
/// Number of lines ever logged; a reader polls it to see whether there is something new.
quint64 logCount();

} // namespace causeway
