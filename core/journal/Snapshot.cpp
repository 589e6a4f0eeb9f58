#include "journal/Snapshot.h"

#include <QJsonArray>

#include <algorithm>

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
    if (count == 1) {
        return cwText("core", "Somebody else wrote on %1, which follows: 1 transaction, in %2.",
                      follower, tables.join(QStringLiteral(", ")));
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

namespace {
QString idOf(const Error &e)
{
    if (!e.id.isEmpty())
        return e.id;
    switch (e.code) {
    case ErrorCode::Usage:
        return QStringLiteral("usage");
    case ErrorCode::NotReady:
        return QStringLiteral("not-ready");
    case ErrorCode::NeedsDecision:
        return QStringLiteral("needs-decision");
    case ErrorCode::Differences:
        return QStringLiteral("sides-differ");
    case ErrorCode::Connect:
        return QStringLiteral("connect");
    case ErrorCode::Server:
        return QStringLiteral("server");
    case ErrorCode::ConnectionLost:
        return QStringLiteral("connection-lost");
    case ErrorCode::Cancelled:
        return QStringLiteral("cancelled");
    case ErrorCode::LeaseLost:
        return QStringLiteral("lease-lost");
    case ErrorCode::Io:
        return QStringLiteral("io");
    case ErrorCode::Internal:
        break;
    }
    return QStringLiteral("internal");
}
} // namespace

QJsonObject errorJson(const Error &e)
{
    return QJsonObject{
        {QStringLiteral("id"), idOf(e)},           {QStringLiteral("message"), e.message.english()},
        {QStringLiteral("server"), e.serverWords}, {QStringLiteral("number"), e.number},
        {QStringLiteral("sqlstate"), e.sqlState},  {QStringLiteral("object"), e.object},
        {QStringLiteral("fix"), e.fix.english()},  {QStringLiteral("exit_status"), e.exitStatus()}};
}

QJsonObject stepJson(const StepRecord &step, bool withSql)
{
    QJsonObject o{
        {QStringLiteral("id"), step.id},
        {QStringLiteral("side"),
         step.side ? QJsonValue(toString(*step.side)) : QJsonValue(QJsonValue::Null)},
        {QStringLiteral("title"), step.title.english()},
        {QStringLiteral("state"), toString(step.state)},
        {QStringLiteral("started_ms"), step.startedMs},
        {QStringLiteral("finished_ms"), step.finishedMs},
        {QStringLiteral("error"), step.error},
    };
    if (withSql)
        o.insert(QStringLiteral("sql"), QJsonArray::fromStringList(step.shownSql));
    return o;
}

double Snapshot::copiedPart() const
{
    double done = 0, total = 0;
    for (const TableProgress &t : tables) {
        const auto weight = static_cast<double>(std::max<qint64>(t.bytesEstimate, 1));
        double part = 1;
        if (t.state == TableState::Waiting || t.state == TableState::Copying ||
            t.state == TableState::Failed) {
            // An estimate that proves low must not show a table done that is not.
            part = t.rowsEstimate > 0 ? std::min(0.99, static_cast<double>(t.rows) /
                                                           static_cast<double>(t.rowsEstimate))
                                      : 0;
        }
        done += part * weight;
        total += weight;
    }
    return total > 0 ? done / total : 0;
}

QJsonArray troublesJson(const std::vector<Trouble> &troubles)
{
    QJsonArray out;
    for (const Trouble &t : troubles) {
        out.append(QJsonObject{{QStringLiteral("id"), t.id},
                               {QStringLiteral("text"), t.text.english()},
                               {QStringLiteral("fix"), t.fix.english()}});
    }
    return out;
}

void Snapshot::restore(const QJsonObject &stored)
{
    tables.clear();
    for (const QJsonValue &v : stored.value(QStringLiteral("tables")).toArray()) {
        const QJsonObject o = v.toObject();
        TableProgress t;
        t.name = o.value(QStringLiteral("name")).toString();
        t.state = tableStateFromString(o.value(QStringLiteral("status")).toString())
                      .value_or(TableState::Waiting);
        t.rows = o.value(QStringLiteral("rows")).toInteger();
        t.rowsEstimate = o.value(QStringLiteral("rows_estimate")).toInteger();
        t.bytes = o.value(QStringLiteral("bytes")).toInteger();
        t.bytesEstimate = o.value(QStringLiteral("bytes_estimate")).toInteger();
        t.error = o.value(QStringLiteral("error")).toString();
        tables.push_back(std::move(t));
    }
    const QJsonValue pause = stored.value(QStringLiteral("write_pause_seconds"));
    if (pause.isDouble())
        writePauseSeconds = pause.toDouble();
    retentionSeconds = stored.value(QStringLiteral("retention_seconds")).toInteger(-1);
    logNeededFromMs = stored.value(QStringLiteral("log_needed_from_ms")).toInteger(-1);
}

QJsonObject Snapshot::toJson() const
{
    QJsonArray stepArray;
    for (const StepRecord &s : steps)
        stepArray.append(stepJson(s));
    QJsonObject o = toProgressJson();
    o.insert(QStringLiteral("steps"), stepArray);
    return o;
}

QJsonObject Snapshot::toProgressJson() const
{
    QJsonArray tableArray;
    for (const TableProgress &t : tables) {
        tableArray.append(QJsonObject{{QStringLiteral("name"), t.name},
                                      {QStringLiteral("status"), toString(t.state)},
                                      {QStringLiteral("rows"), t.rows},
                                      {QStringLiteral("rows_estimate"), t.rowsEstimate},
                                      {QStringLiteral("bytes"), t.bytes},
                                      {QStringLiteral("bytes_estimate"), t.bytesEstimate},
                                      {QStringLiteral("error"), t.error}});
    }
    QJsonArray stepArray;
    for (const StepRecord &s : steps)
        stepArray.append(stepJson(s, false));
    QJsonValue eta(QJsonValue::Null);
    if (etaLow >= 0)
        eta = QJsonArray{etaLow, etaHigh};
    QJsonValue errorValue(QJsonValue::Null);
    if (error)
        errorValue = errorJson(*error);
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
        {QStringLiteral("troubles"), troublesJson(troubles)},
        {QStringLiteral("log_kept_bytes"), known(logKeptBytes)},
        {QStringLiteral("log_left_bytes"), known(logLeftBytes)},
        {QStringLiteral("follower_watched"),
         followerWatched ? QJsonValue(*followerWatched) : QJsonValue()},
        {QStringLiteral("tables"), tableArray},
        {QStringLiteral("lag_seconds"), known(lagSeconds)},
        {QStringLiteral("lag_bytes"), known(lagBytes)},
        {QStringLiteral("rate_rows"), rateRows},
        {QStringLiteral("rate_bytes"), rateBytes},
        {QStringLiteral("eta_seconds"), eta},
        {QStringLiteral("retention_seconds"), known(retentionSeconds)},
        {QStringLiteral("log_needed_from_ms"), known(logNeededFromMs)},
        {QStringLiteral("warning"), warning.english()},
        {QStringLiteral("write_pause_seconds"), known(writePauseSeconds)},
        {QStringLiteral("seal_seconds"), known(sealSeconds)},
        {QStringLiteral("seal_tables"), sealTables},
        {QStringLiteral("limited_by"), limitedBy},
        {QStringLiteral("activity"), activity.english()},
        {QStringLiteral("retrying"), retrying},
        {QStringLiteral("log_place"), logPlace},
        {QStringLiteral("at_ms"), atMs},
        {QStringLiteral("steps"), stepArray},
    };
}

} // namespace causeway
