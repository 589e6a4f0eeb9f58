#include "report/Report.h"

#include <QDateTime>
#include <QJsonArray>

namespace causeway {

namespace {
QString esc(const QString &text)
{
    return text.toHtmlEscaped();
}

/// One page, no script, no outside resource: it is mailed, printed and archived.
QString page(const QString &title, const QString &body)
{
    return QStringLiteral(
               "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width\"><title>%1</title><style>"
               "body{font:15px/1.5 system-ui,sans-serif;max-width:64em;margin:2em auto;padding:0 "
               "1em;"
               "color:#1b1b1b}h1{font-size:1.6em}h2{font-size:1.2em;margin-top:2em}"
               "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3em .6em;"
               "border-bottom:1px solid #ccc;vertical-align:top}td.n{text-align:right}"
               "pre{background:#f3f3f3;padding:.6em;white-space:pre-wrap;margin:.3em 0}"
               ".blocker{border-left:.4em solid #d55e00;padding-left:.6em}"
               ".warning{border-left:.4em solid #e69f00;padding-left:.6em}"
               ".pass{border-left:.4em solid #009e73;padding-left:.6em}"
               ".info,.unknown,.skipped{border-left:.4em solid #56b4e9;padding-left:.6em}"
               "</style></head><body><h1>%1</h1>%2</body></html>\n")
        .arg(esc(title), body);
}

QString row(const QString &name, const QString &value)
{
    return value.isEmpty()
               ? QString()
               : QStringLiteral("<tr><th>%1</th><td>%2</td></tr>").arg(name, esc(value));
}

QString time(qint64 ms)
{
    return ms == 0 ? QString()
                   : QDateTime::fromMSecsSinceEpoch(ms, Qt::UTC)
                         .toString(QStringLiteral("yyyy-MM-dd HH:mm:ss.zzz 'UTC'"));
}

/// What is to be run or written, of a fix or a step of a plan.
QString linesHtml(const QJsonObject &from)
{
    QString out;
    for (const char *key : {"sql", "config", "command"}) {
        QStringList lines;
        for (const QJsonValue &l : from.value(QLatin1String(key)).toArray())
            lines << l.toString();
        if (!lines.isEmpty())
            out += QStringLiteral("<pre>%1</pre>").arg(esc(lines.join(QLatin1Char('\n'))));
    }
    return out;
}

QString findingHtml(const QJsonObject &f, bool accepted)
{
    const QString status = f.value(QStringLiteral("status")).toString();
    const QString server = f.value(QStringLiteral("server")).toString();
    QString out =
        QStringLiteral("<div class=\"%1\"><p><strong>%2</strong>%3 &middot; <code>%4</code> "
                       "&middot; %5</p>")
            .arg(status, esc(status), accepted ? QStringLiteral(" (accepted)") : QString(),
                 esc(f.value(QStringLiteral("id")).toString()),
                 esc(f.value(QStringLiteral("title")).toString() +
                     (server.isEmpty() ? QString() : QStringLiteral(" (%1)").arg(server))));
    if (status != QLatin1String("pass") && status != QLatin1String("skipped")) {
        out += QStringLiteral("<table>");
        out += row(QStringLiteral("Found"), f.value(QStringLiteral("found")).toString());
        out += row(QStringLiteral("Needed"), f.value(QStringLiteral("needed")).toString());
        out += row(QStringLiteral("Why"), f.value(QStringLiteral("why")).toString());
        QStringList objects;
        for (const QJsonValue &o : f.value(QStringLiteral("objects")).toArray())
            objects << o.toString();
        out += row(QStringLiteral("Objects"), objects.join(QStringLiteral(", ")));
        out += QStringLiteral("</table>");
        const QJsonObject fix = f.value(QStringLiteral("fix")).toObject();
        const QString text = fix.value(QStringLiteral("text")).toString();
        if (!text.isEmpty())
            out += QStringLiteral("<p>%1</p>").arg(esc(text));
        out += linesHtml(fix);
    }
    return out + QStringLiteral("</div>");
}

QString findingsHtml(const QJsonArray &findings, const QStringList &accepted)
{
    QString out;
    for (const char *status : {"blocker", "unknown", "warning", "info", "pass", "skipped"}) {
        for (const QJsonValue &v : findings) {
            const QJsonObject f = v.toObject();
            if (f.value(QStringLiteral("status")).toString() == QLatin1String(status))
                out += findingHtml(f, accepted.contains(f.value(QStringLiteral("id")).toString()));
        }
    }
    return out;
}
} // namespace

namespace {
QString plansHtml(const QJsonArray &plans)
{
    QString out;
    for (const QJsonValue &v : plans) {
        const QJsonObject plan = v.toObject();
        const QString side = plan.value(QStringLiteral("side")).toString();
        out += QStringLiteral("<h3>%1</h3><ol>")
                   .arg(side == QLatin1String("pair")
                            ? QStringLiteral("Both servers")
                            : esc(QStringLiteral("On the %1, %2")
                                      .arg(side, plan.value(QStringLiteral("server")).toString())));
        for (const QJsonValue &s : plan.value(QStringLiteral("steps")).toArray()) {
            const QJsonObject step = s.toObject();
            QStringList ids;
            for (const QJsonValue &id : step.value(QStringLiteral("findings")).toArray())
                ids << id.toString();
            out += QStringLiteral("<li>%1 <small>%2%3</small>")
                       .arg(esc(step.value(QStringLiteral("text")).toString()),
                            esc(ids.join(QStringLiteral(", "))),
                            step.value(QStringLiteral("restart")).toBool()
                                ? QStringLiteral(" &middot; restarts the server")
                                : QString());
            out += linesHtml(step);
            const QString privilege = step.value(QStringLiteral("privilege")).toString();
            if (!privilege.isEmpty())
                out += QStringLiteral("<p>Needs %1.</p>").arg(esc(privilege));
            out += QStringLiteral("</li>");
        }
        out += QStringLiteral("</ol>");
    }
    return out;
}
} // namespace

QByteArray checkReportHtml(const CheckReport &report, const QStringList &accepted)
{
    const QString verdict = report.verdict(accepted);
    QString body = QStringLiteral("<table>") + row(QStringLiteral("Verdict"), verdict) +
                   row(QStringLiteral("Source"), report.sourceAddress) +
                   row(QStringLiteral("Target"), report.targetAddress) +
                   row(QStringLiteral("Checked"), time(QDateTime::currentMSecsSinceEpoch())) +
                   QStringLiteral("</table>");
    const QJsonObject json = report.toJson(accepted);
    const QJsonArray plans = json.value(QStringLiteral("plan")).toArray();
    if (!plans.isEmpty())
        body += QStringLiteral("<h2>What to do</h2>") + plansHtml(plans);
    body += QStringLiteral("<h2>Findings</h2>") +
            findingsHtml(json.value(QStringLiteral("findings")).toArray(), accepted);
    return page(QStringLiteral("Readiness check"), body).toUtf8();
}

QByteArray reportHtml(const MigrationReport &r)
{
    const QJsonValue pause = r.snapshot.value(QStringLiteral("write_pause_seconds"));
    QString body =
        QStringLiteral("<table>") + row(QStringLiteral("Phase"), toString(r.phase)) +
        row(QStringLiteral("Source"), urlWithoutAccount(r.settings.source.primary())) +
        (r.settings.source.readsFromReplica()
             ? row(QStringLiteral("Read from"), urlWithoutAccount(r.settings.source.fromHere))
             : QString()) +
        row(QStringLiteral("Target"), urlWithoutAccount(r.settings.target.fromHere)) +
        row(QStringLiteral("Schemas"), r.settings.selection.schemas.join(QStringLiteral(", "))) +
        row(QStringLiteral("Left out or picked"),
            r.settings.selection.patterns.join(QStringLiteral(", "))) +
        row(QStringLiteral("Made"), r.settings.createdAt.toString(Qt::ISODate)) +
        row(QStringLiteral("First step"),
            r.steps.empty() ? QString() : time(r.steps.front().startedMs)) +
        row(QStringLiteral("Last step"),
            r.steps.empty() ? QString() : time(r.steps.back().finishedMs)) +
        row(QStringLiteral("Compared"), time(r.verify.value(QStringLiteral("at_ms")).toInteger())) +
        row(QStringLiteral("Writes held at the last switch"),
            pause.isDouble() ? QStringLiteral("%1 s").arg(pause.toDouble(), 0, 'f', 3)
                             : QString()) +
        row(QStringLiteral("Accepted findings"), r.settings.accepted.join(QStringLiteral(", "))) +
        QStringLiteral("</table>");
    if (r.leftBehind) {
        body +=
            QStringLiteral("<h2>Left behind on %1</h2><p>%2</p><p>To remove it, in the database "
                           "that moved:</p><pre>%3;</pre>")
                .arg(esc(r.leftBehind->server), esc(r.leftBehind->text().english()),
                     esc(r.leftBehind->sql.join(QStringLiteral(";\n"))));
    }
    if (!r.openSql.isEmpty()) {
        body += QStringLiteral("<h2>The old source was left closed</h2><p>To open it again:</p>"
                               "<pre>%1</pre>")
                    .arg(esc(r.openSql));
    }
    body += QStringLiteral("<h2>Tables</h2><table><tr><th>Table</th><th>Status</th><th>Rows</th>"
                           "<th>Compared</th></tr>");
    QMap<QString, QJsonObject> verdicts;
    for (const QJsonValue &v : r.verify.value(QStringLiteral("tables")).toArray())
        verdicts.insert(v.toObject().value(QStringLiteral("name")).toString(), v.toObject());
    for (const QJsonValue &v : r.snapshot.value(QStringLiteral("tables")).toArray()) {
        const QJsonObject t = v.toObject();
        const QString name = t.value(QStringLiteral("name")).toString();
        QString compared;
        if (verdicts.contains(name)) {
            const QJsonObject d = verdicts.value(name);
            compared = QStringLiteral("%1 differing, %2 missing, %3 extra, %4 repaired")
                           .arg(d.value(QStringLiteral("differing")).toInteger())
                           .arg(d.value(QStringLiteral("missing")).toInteger())
                           .arg(d.value(QStringLiteral("extra")).toInteger())
                           .arg(d.value(QStringLiteral("repaired")).toInteger());
        }
        body += QStringLiteral("<tr><td>%1</td><td>%2</td><td class=\"n\">%L3</td><td>%4</td></tr>")
                    .arg(esc(name), esc(t.value(QStringLiteral("status")).toString()))
                    .arg(t.value(QStringLiteral("rows")).toInteger())
                    .arg(compared);
    }
    body +=
        QStringLiteral("</table><h2>Steps</h2><table><tr><th>When</th><th>Where</th><th>What</th>"
                       "<th>State</th><th>Took</th></tr>");
    for (const StepRecord &s : r.steps) {
        QString what = esc(s.title.english());
        if (!s.shownSql.isEmpty())
            what += QStringLiteral("<details><summary>SQL</summary><pre>%1</pre></details>")
                        .arg(esc(s.shownSql.join(QLatin1String(";\n"))));
        if (!s.error.isEmpty())
            what += QStringLiteral("<p>%1</p>").arg(esc(s.error));
        body += QStringLiteral("<tr><td>%1</td><td>%2</td><td>%3</td><td>%4</td>"
                               "<td class=\"n\">%5</td></tr>")
                    .arg(time(s.startedMs), s.side ? toString(*s.side) : QString(), what,
                         toString(s.state),
                         s.finishedMs > 0 ? QStringLiteral("%1 ms").arg(s.finishedMs - s.startedMs)
                                          : QString());
    }
    body += QStringLiteral("</table>");
    if (!r.preflight.isEmpty()) {
        body += QStringLiteral("<h2>Check before the copy</h2>") +
                findingsHtml(r.preflight.value(QStringLiteral("findings")).toArray(),
                             r.settings.accepted);
    }
    body += QStringLiteral("<h2>Events</h2><table>");
    for (const Event &e : r.events) {
        body += QStringLiteral("<tr><td>%1</td><td>%2</td><td>%3</td></tr>")
                    .arg(time(e.atMs), esc(e.level), esc(e.text));
    }
    body += QStringLiteral("</table>");
    return page(QStringLiteral("Migration %1").arg(r.settings.id), body).toUtf8();
}

} // namespace causeway
