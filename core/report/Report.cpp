#include "report/Report.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>

namespace causeway {

namespace {
QJsonObject objectOf(const std::optional<QString> &text)
{
    return QJsonDocument::fromJson(text.value_or(QString()).toUtf8()).object();
}

QString time(qint64 ms)
{
    return ms == 0 ? QString()
                   : QDateTime::fromMSecsSinceEpoch(ms, Qt::UTC).toString(Qt::ISODateWithMs);
}

QString csvField(const QString &text)
{
    if (!text.contains(QLatin1Char(',')) && !text.contains(QLatin1Char('"')) &&
        !text.contains(QLatin1Char('\n')))
        return text;
    QString quoted = text;
    return QLatin1Char('"') + quoted.replace(QLatin1Char('"'), QLatin1String("\"\"")) +
           QLatin1Char('"');
}

/// Tables of the last status, with what the last comparison said of them.
QJsonArray tablesOf(const MigrationReport &r)
{
    QMap<QString, QJsonObject> verdicts;
    for (const QJsonValue &v : r.verify.value(QStringLiteral("tables")).toArray())
        verdicts.insert(v.toObject().value(QStringLiteral("name")).toString(), v.toObject());
    QJsonArray out;
    for (const QJsonValue &v : r.snapshot.value(QStringLiteral("tables")).toArray()) {
        QJsonObject t = v.toObject();
        const QString name = t.value(QStringLiteral("name")).toString();
        if (verdicts.contains(name))
            t.insert(QStringLiteral("verified"), verdicts.value(name));
        out.append(t);
    }
    return out;
}

QJsonValue leftBehindJson(const MigrationReport &r)
{
    if (!r.leftBehind)
        return {};
    return QJsonObject{
        {QStringLiteral("side"), toString(r.leftBehind->side)},
        {QStringLiteral("server"), r.leftBehind->server},
        {QStringLiteral("text"), r.leftBehind->text().english()},
        {QStringLiteral("sql"), QJsonArray::fromStringList(r.leftBehind->sql)},
    };
}
} // namespace

QString urlWithoutAccount(const Address &address)
{
    Address a = address;
    a.user.clear();
    a.tls.cert.clear();
    a.tls.key.clear();
    return a.toUrl();
}

Result<MigrationReport> readReport(Journal &journal)
{
    MigrationReport r;
    CW_TRY_ASSIGN(r.settings, journal.settings());
    CW_TRY_ASSIGN(r.phase, journal.phase());
    CW_TRY_ASSIGN(const auto snapshot, journal.value(QStringLiteral("snapshot")));
    CW_TRY_ASSIGN(const auto verify, journal.value(QStringLiteral("verify")));
    CW_TRY_ASSIGN(const auto preflight, journal.value(QStringLiteral("preflight")));
    CW_TRY_ASSIGN(const auto openSql, journal.value(QStringLiteral("old_source_open_sql")));
    r.snapshot = objectOf(snapshot);
    r.verify = objectOf(verify);
    r.preflight = objectOf(preflight);
    r.openSql = openSql.value_or(QString());
    CW_TRY_ASSIGN(const auto left, journal.value(LeftBehind::key()));
    r.leftBehind = LeftBehind::decode(left.value_or(QString()));
    CW_TRY_ASSIGN(r.steps, journal.stepRuns());
    CW_TRY_ASSIGN(r.events, journal.events());
    return r;
}

QByteArray reportJson(const MigrationReport &r)
{
    QJsonArray steps, events;
    for (const StepRecord &s : r.steps) {
        steps.append(QJsonObject{{QStringLiteral("id"), s.id},
                                 {QStringLiteral("side"), s.side ? toString(*s.side) : QString()},
                                 {QStringLiteral("title"), s.title.english()},
                                 {QStringLiteral("sql"), QJsonArray::fromStringList(s.shownSql)},
                                 {QStringLiteral("state"), toString(s.state)},
                                 {QStringLiteral("started"), time(s.startedMs)},
                                 {QStringLiteral("finished"), time(s.finishedMs)},
                                 {QStringLiteral("error"), s.error}});
    }
    for (const Event &e : r.events) {
        events.append(QJsonObject{{QStringLiteral("at"), time(e.atMs)},
                                  {QStringLiteral("level"), e.level},
                                  {QStringLiteral("text"), e.text}});
    }
    return QJsonDocument(QJsonObject{{QStringLiteral("phase"), toString(r.phase)},
                                     {QStringLiteral("settings"), r.settings.toJson()},
                                     {QStringLiteral("tables"), tablesOf(r)},
                                     {QStringLiteral("verify"), r.verify},
                                     {QStringLiteral("preflight"), r.preflight},
                                     {QStringLiteral("write_pause_seconds"),
                                      r.snapshot.value(QStringLiteral("write_pause_seconds"))},
                                     {QStringLiteral("steps"), steps},
                                     {QStringLiteral("events"), events},
                                     {QStringLiteral("left_behind"), leftBehindJson(r)},
                                     {QStringLiteral("old_source_open_sql"), r.openSql}})
        .toJson();
}

QByteArray reportCsv(const MigrationReport &r)
{
    QString out = QStringLiteral("table,status,rows,rows_source,rows_target,differing,missing,"
                                 "extra,repaired\n");
    for (const QJsonValue &v : tablesOf(r)) {
        const QJsonObject t = v.toObject();
        const QJsonObject verdict = t.value(QStringLiteral("verified")).toObject();
        QStringList fields{csvField(t.value(QStringLiteral("name")).toString()),
                           t.value(QStringLiteral("status")).toString(),
                           QString::number(t.value(QStringLiteral("rows")).toInteger())};
        for (const char *key :
             {"rows_source", "rows_target", "differing", "missing", "extra", "repaired"}) {
            const QJsonValue n = verdict.value(QLatin1String(key));
            fields << (n.isDouble() ? QString::number(n.toInteger()) : QString());
        }
        out += fields.join(QLatin1Char(',')) + QLatin1Char('\n');
    }
    return out.toUtf8();
}

} // namespace causeway
