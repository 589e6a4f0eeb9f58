#include "journal/Snapshot.h"

#include <QJsonArray>

namespace causeway {

namespace {
QJsonValue known(double value)
{
    return value < 0 ? QJsonValue(QJsonValue::Null) : QJsonValue(value);
}
QJsonValue known(qint64 value)
{
    return value < 0 ? QJsonValue(QJsonValue::Null) : QJsonValue(value);
}

QJsonObject stepJson(const StepRecord &step)
{
    return QJsonObject{
        {QStringLiteral("id"), step.id},
        {QStringLiteral("side"),
         step.side ? QJsonValue(toString(*step.side)) : QJsonValue(QJsonValue::Null)},
        {QStringLiteral("title"), step.title.english()},
        {QStringLiteral("sql"), QJsonArray::fromStringList(step.shownSql)},
        {QStringLiteral("state"), toString(step.state)},
        {QStringLiteral("started_ms"), step.startedMs},
        {QStringLiteral("finished_ms"), step.finishedMs},
        {QStringLiteral("error"), step.error},
    };
}

QJsonObject decisionJson(const Decision &decision)
{
    QJsonArray choices;
    for (const Choice &c : decision.choices) {
        choices.append(QJsonObject{{QStringLiteral("id"), c.id},
                                   {QStringLiteral("label"), c.label.english()}});
    }
    return QJsonObject{
        {QStringLiteral("id"), decision.id},
        {QStringLiteral("question"), decision.question.english()},
        {QStringLiteral("detail"), decision.detail},
        {QStringLiteral("objects"), QJsonArray::fromStringList(decision.objects)},
        {QStringLiteral("choices"), choices},
    };
}
} // namespace

Text Alarm::text(const QString &follower) const
{
    if (count == 0) {
        return cwText("core",
                      "The log of %1, which follows, was gone before it was looked at: others may "
                      "have written there.",
                      follower);
    }
    return cwText("core", "Somebody else wrote on %1, which follows: %2 transactions, in %3.",
                  follower, count, tables.join(QStringLiteral(", ")));
}

QJsonObject Alarm::toJson() const
{
    return QJsonObject{{QStringLiteral("id"), QStringLiteral("foreign-write")},
                       {QStringLiteral("side"), toString(side)},
                       {QStringLiteral("tables"), QJsonArray::fromStringList(tables)},
                       {QStringLiteral("transactions"), count},
                       {QStringLiteral("statement"), statement},
                       {QStringLiteral("first_ms"), firstMs},
                       {QStringLiteral("last_ms"), lastMs},
                       {QStringLiteral("log_gap"), gap},
                       {QStringLiteral("position"), position}};
}

Alarm Alarm::fromJson(const QJsonObject &o)
{
    Alarm a;
    a.side = o.value(QStringLiteral("side")).toString() == QLatin1String("source") ? Side::Source
                                                                                   : Side::Target;
    for (const QJsonValue &v : o.value(QStringLiteral("tables")).toArray())
        a.tables << v.toString();
    a.count = o.value(QStringLiteral("transactions")).toInteger();
    a.statement = o.value(QStringLiteral("statement")).toString();
    a.firstMs = o.value(QStringLiteral("first_ms")).toInteger();
    a.lastMs = o.value(QStringLiteral("last_ms")).toInteger();
    a.gap = o.value(QStringLiteral("log_gap")).toBool();
    a.position = o.value(QStringLiteral("position")).toString();
    return a;
}

QJsonObject Snapshot::toJson() const
{
    QJsonArray tableArray;
    for (const TableProgress &t : tables) {
        tableArray.append(QJsonObject{{QStringLiteral("name"), t.name},
                                      {QStringLiteral("status"), toString(t.state)},
                                      {QStringLiteral("rows"), t.rows},
                                      {QStringLiteral("rows_estimate"), t.rowsEstimate},
                                      {QStringLiteral("bytes"), t.bytes},
                                      {QStringLiteral("error"), t.error}});
    }
    QJsonArray stepArray;
    for (const StepRecord &s : steps)
        stepArray.append(stepJson(s));
    QJsonValue eta(QJsonValue::Null);
    if (etaLow >= 0)
        eta = QJsonArray{etaLow, etaHigh};
    QJsonValue errorValue(QJsonValue::Null);
    if (error) {
        errorValue = QJsonObject{{QStringLiteral("id"), error->id},
                                 {QStringLiteral("message"), error->describe()},
                                 {QStringLiteral("number"), error->number}};
    }
    return QJsonObject{
        {QStringLiteral("phase"), toString(phase)},
        {QStringLiteral("run_state"), toString(runState)},
        {QStringLiteral("leader"), toString(roles.leader)},
        {QStringLiteral("route"), route},
        {QStringLiteral("source"), sourceName},
        {QStringLiteral("target"), targetName},
        {QStringLiteral("one_way"), oneWay},
        {QStringLiteral("decision"),
         decision ? QJsonValue(decisionJson(*decision)) : QJsonValue(QJsonValue::Null)},
        {QStringLiteral("error"), errorValue},
        {QStringLiteral("alarm"), alarm ? QJsonValue(alarm->toJson()) : QJsonValue()},
        {QStringLiteral("follower_watched"),
         followerWatched ? QJsonValue(*followerWatched) : QJsonValue()},
        {QStringLiteral("tables"), tableArray},
        {QStringLiteral("lag_seconds"), known(lagSeconds)},
        {QStringLiteral("lag_bytes"), known(lagBytes)},
        {QStringLiteral("rate_rows"), rateRows},
        {QStringLiteral("rate_bytes"), rateBytes},
        {QStringLiteral("eta_seconds"), eta},
        {QStringLiteral("retention_seconds"), known(retentionSeconds)},
        {QStringLiteral("write_pause_seconds"), known(writePauseSeconds)},
        {QStringLiteral("seal_seconds"), known(sealSeconds)},
        {QStringLiteral("seal_tables"), sealTables},
        {QStringLiteral("limited_by"), limitedBy},
        {QStringLiteral("activity"), activity.english()},
        {QStringLiteral("at_ms"), atMs},
        {QStringLiteral("steps"), stepArray},
    };
}

} // namespace causeway
