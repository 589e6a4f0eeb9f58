#include "models/Exports.h"

#include "models/Words.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLocale>

namespace causeway::ui {

namespace {

class Html {
    Q_DECLARE_TR_FUNCTIONS(Report)

public:
    explicit Html(const QString &title)
    {
        m_out = QStringLiteral("<!DOCTYPE html>\n<html lang=\"%1\"><head><meta charset=\"utf-8\">"
                               "<title>%2</title><style>body{font-family:sans-serif;"
                               "max-width:70em;margin:2em auto}table{border-collapse:collapse;"
                               "width:100%}td,th{border:1px solid;padding:.3em .5em;"
                               "text-align:start;vertical-align:top}pre{white-space:pre-wrap}"
                               "</style></head><body>\n<h1>%2</h1>\n")
                    .arg(QLocale().bcp47Name(), title.toHtmlEscaped());
    }
    void heading(const QString &text)
    {
        m_out += QStringLiteral("<h2>%1</h2>\n").arg(text.toHtmlEscaped());
    }
    void paragraph(const QString &text)
    {
        m_out += QStringLiteral("<p>%1</p>\n").arg(text.toHtmlEscaped());
    }
    void code(const QStringList &lines)
    {
        if (!lines.isEmpty())
            m_out += QStringLiteral("<pre dir=\"ltr\">%1</pre>\n")
                         .arg(lines.join(QLatin1Char('\n')).toHtmlEscaped());
    }
    void beginTable(const QStringList &headers)
    {
        m_out += QStringLiteral("<table><tr>");
        for (const QString &h : headers)
            m_out += QStringLiteral("<th>%1</th>").arg(h.toHtmlEscaped());
        m_out += QStringLiteral("</tr>\n");
    }
    void row(const QStringList &cells)
    {
        m_out += QStringLiteral("<tr>");
        for (const QString &c : cells)
            m_out += QStringLiteral("<td>%1</td>").arg(c.toHtmlEscaped());
        m_out += QStringLiteral("</tr>\n");
    }
    void endTable() { m_out += QStringLiteral("</table>\n"); }
    QByteArray end()
    {
        paragraph(tr("Made by Causeway %1 at %2.")
                      .arg(QStringLiteral(CAUSEWAY_VERSION),
                           QLocale().toString(QDateTime::currentDateTime(), QLocale::LongFormat)));
        return (m_out + QStringLiteral("</body></html>\n")).toUtf8();
    }

    static QByteArray check(const CheckReport &report, const QStringList &accepted);
    static QByteArray migration(const Settings &, const Snapshot &, const QStringList &leftOut);

private:
    QString m_out;
};

QByteArray Html::check(const CheckReport &report, const QStringList &accepted)
{
    Html html(tr("Preflight report"));
    const QString verdict = report.verdict(accepted);
    html.paragraph(verdict == QLatin1String("ready")      ? tr("Result: ready.")
                   : verdict == QLatin1String("warnings") ? tr("Result: ready, with warnings.")
                                                          : tr("Result: blocked."));
    html.paragraph(tr("Source: %1").arg(report.sourceAddress));
    if (!report.targetAddress.isEmpty())
        html.paragraph(tr("Target: %1").arg(report.targetAddress));
    html.beginTable(
        {tr("Status"), tr("Check"), tr("Where"), tr("Found"), tr("Needed"), tr("Objects")});
    for (const Finding &f : report.findings) {
        QString status = Words::finding(f.status);
        if (accepted.contains(f.id))
            status += tr(" (accepted)");
        html.row({status, f.title.translated(), Words::findingSide(f.side), f.found.translated(),
                  f.needed.translated(), f.objects.join(QStringLiteral(", "))});
    }
    html.endTable();
    for (const Finding &f : report.findings) {
        if (f.status == FindingStatus::Pass || f.status == FindingStatus::Skipped ||
            f.fix.isEmpty())
            continue;
        html.heading(f.title.translated());
        html.paragraph(f.why.translated());
        html.paragraph(f.fix.text.translated());
        html.code(f.fix.sql);
        html.code(f.fix.config);
        html.code(f.fix.command);
        if (f.fix.restart)
            html.paragraph(tr("The server must be restarted."));
        if (!f.fix.privilege.isEmpty())
            html.paragraph(tr("Privilege needed: %1").arg(f.fix.privilege));
    }
    return html.end();
}

QByteArray Html::migration(const Settings &settings, const Snapshot &snapshot,
                           const QStringList &leftOut)
{
    Html html(tr("Migration report"));
    html.paragraph(tr("From %1 to %2.").arg(snapshot.sourceName, snapshot.targetName));
    html.paragraph(tr("Phase: %1. Migration %2.").arg(Words::phase(snapshot.phase), settings.id));
    if (snapshot.writePauseSeconds >= 0)
        html.paragraph(
            tr("Writes were held for %1.").arg(Words::seconds(snapshot.writePauseSeconds)));
    if (!settings.accepted.isEmpty())
        html.paragraph(
            tr("Findings accepted: %1").arg(settings.accepted.join(QStringLiteral(", "))));
    if (!leftOut.isEmpty())
        html.paragraph(tr("Left out: %1").arg(leftOut.join(QStringLiteral(", "))));
    html.heading(tr("Tables"));
    html.beginTable({tr("Table"), tr("Status"), tr("Rows"), tr("Size"), tr("Error")});
    for (const TableProgress &t : snapshot.tables)
        html.row({t.name, Words::tableState(t.state), Words::number(t.rows), Words::bytes(t.bytes),
                  t.error});
    html.endTable();
    html.heading(tr("Timeline"));
    html.beginTable({tr("Started"), tr("Step"), tr("Where"), tr("Status"), tr("Took")});
    for (const StepRecord &s : snapshot.steps) {
        html.row({s.startedMs > 0 ? QLocale().toString(QDateTime::fromMSecsSinceEpoch(s.startedMs),
                                                       QLocale::ShortFormat)
                                  : QString(),
                  s.title.translated(), s.side ? Words::side(*s.side) : tr("This computer"),
                  Words::stepState(s.state),
                  s.finishedMs >= s.startedMs && s.startedMs > 0
                      ? Words::seconds(static_cast<double>(s.finishedMs - s.startedMs) / 1000)
                      : QString()});
    }
    html.endTable();
    html.heading(tr("Signed"));
    html.paragraph(tr("Name: ______________________   Date: ______________________"));
    return html.end();
}

} // namespace

QByteArray checkReportHtml(const CheckReport &report, const QStringList &accepted)
{
    return Html::check(report, accepted);
}

QByteArray checkReportJson(const CheckReport &report, const QStringList &accepted)
{
    return QJsonDocument(report.toJson(accepted)).toJson();
}

QByteArray migrationReportHtml(const Settings &settings, const Snapshot &snapshot,
                               const QStringList &leftOut)
{
    return Html::migration(settings, snapshot, leftOut);
}

QByteArray migrationReportJson(const Settings &settings, const Snapshot &snapshot,
                               const QStringList &leftOut)
{
    QJsonObject out;
    out.insert(QStringLiteral("migration"), settings.id);
    out.insert(QStringLiteral("settings"), settings.toJson());
    out.insert(QStringLiteral("left_out"), QJsonArray::fromStringList(leftOut));
    out.insert(QStringLiteral("status"), snapshot.toJson());
    return QJsonDocument(out).toJson();
}

} // namespace causeway::ui
