#include "cli/Output.h"

#include <QJsonDocument>

#include <array>
#include <cstdio>
#include <unistd.h>

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

int Output::report(const Error &e) const
{
    std::fputs((QStringLiteral("causeway-cli: ") + e.describe() + QLatin1Char('\n'))
                   .toLocal8Bit()
                   .constData(),
               stderr);
    emitJson(QJsonObject{
        {QStringLiteral("error"), QJsonObject{{QStringLiteral("id"), e.id},
                                              {QStringLiteral("message"), e.message.english()},
                                              {QStringLiteral("server"), e.serverWords},
                                              {QStringLiteral("number"), e.number},
                                              {QStringLiteral("sqlstate"), e.sqlState},
                                              {QStringLiteral("object"), e.object},
                                              {QStringLiteral("fix"), e.fix.english()},
                                              {QStringLiteral("exit_status"), e.exitStatus()}}}});
    return e.exitStatus();
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
    return QStringLiteral("%1 h %2 min").arg(seconds / 3600).arg(seconds % 3600 / 60);
}

void Output::progress(const Snapshot &s)
{
    if (m_json) {
        if (s.atMs - m_lastJsonMs >= 1000) {
            m_lastJsonMs = s.atMs;
            emitJson(s.toJson());
        }
        return;
    }
    const QString phase = toString(s.phase);
    if (::isatty(STDERR_FILENO) == 0) {
        const QString line = phase + QStringLiteral(": ") + s.activity.english();
        if (line != m_lastPhase && !s.activity.isEmpty())
            std::fputs((line + QLatin1Char('\n')).toLocal8Bit().constData(), stderr);
        m_lastPhase = line;
        return;
    }
    QString text;
    if (s.phase == Phase::Copying) {
        qint64 bytes = 0, total = 0, rows = 0;
        for (const TableProgress &t : s.tables) {
            bytes += t.bytes;
            total += std::max(t.bytes, t.bytesEstimate);
            rows += t.rows;
        }
        const double part = total > 0 ? static_cast<double>(bytes) / static_cast<double>(total) : 0;
        constexpr int kWidth = 24;
        const int filled = static_cast<int>(part * kWidth);
        text =
            QStringLiteral("copying [%1%2] %3%  %L4 rows  %5/s")
                .arg(QString(filled, QLatin1Char('#')), QString(kWidth - filled, QLatin1Char('.')))
                .arg(std::min(99, static_cast<int>(part * 100)))
                .arg(rows)
                .arg(bytesText(s.rateBytes));
        if (s.etaLow >= 0)
            text += QStringLiteral("  %1 to %2 left")
                        .arg(durationText(s.etaLow), durationText(s.etaHigh));
    } else {
        text = phase + QStringLiteral(": ") + s.activity.english();
        if (s.lagSeconds >= 0)
            text += QStringLiteral("  lag %1 s").arg(s.lagSeconds, 0, 'f', 1);
    }
    std::fputs(("\r\x1b[K" + text.left(160).toLocal8Bit()).constData(), stderr);
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
