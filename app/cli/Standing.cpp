#include "cli/Standing.h"

#include "cli/Output.h"
#include "engine/LogKeeping.h"
#include "engine/ServerLook.h"
#include "journal/LeftBehind.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>

#include <algorithm>

namespace causeway::cli {

namespace {
QString say(const Text &text)
{
    return text.translated();
}

/// A command that can be run next, and what it does.
QString commandLine(const QString &command, const Text &what)
{
    return QStringLiteral("%1   (%2)").arg(command, say(what));
}

bool isOver(Phase p)
{
    return p == Phase::Finished || p == Phase::Cancelled;
}
} // namespace

QString shellWord(const QString &word)
{
    static const QRegularExpression plain(QStringLiteral("^[A-Za-z0-9_./:@%+=,-]+$"));
    if (plain.match(word).hasMatch())
        return word;
    QString quoted = word;
    return QLatin1Char('\'') + quoted.replace(QLatin1Char('\''), QLatin1String("'\\''")) +
           QLatin1Char('\'');
}

Result<Standing> Standing::read(const QString &file)
{
    CW_TRY_ASSIGN(const auto journal, Journal::open(file, Journal::Access::Read));
    Standing s;
    s.file = file;
    s.nowMs = QDateTime::currentMSecsSinceEpoch();
    CW_TRY_ASSIGN(s.settings, journal->settings());
    CW_TRY_ASSIGN(s.phase, journal->phase());
    CW_TRY_ASSIGN(const auto stored, journal->value(QStringLiteral("snapshot")));
    CW_TRY_ASSIGN(const auto openSql, journal->value(QStringLiteral("old_source_open_sql")));
    s.openSql = openSql.value_or(QString());
    s.status = QJsonDocument::fromJson(stored.value_or(QString()).toUtf8()).object();
    if (s.status.isEmpty()) {
        Snapshot fresh;
        fresh.route =
            replicatesWithoutUs(s.settings) ? QStringLiteral("native") : QStringLiteral("relay");
        fresh.sourceName = s.settings.source.primary().display();
        fresh.targetName = s.settings.target.fromHere.display();
        fresh.oneWay = s.settings.oneWayAccepted;
        s.status = fresh.toJson();
    }
    CW_TRY_ASSIGN(const auto kept, journal->value(LeftBehind::key()));
    if (const auto left = LeftBehind::decode(kept.value_or(QString())); left && isOver(s.phase)) {
        s.status.insert(QStringLiteral("troubles"), troublesJson({{QStringLiteral("pg-left-behind"),
                                                                   left->text(), left->fix()}}));
    } else if (isOver(s.phase)) {
        s.status.insert(QStringLiteral("troubles"), QJsonArray());
    }
    // Who finished over it was told; nobody follows any more.
    if (isOver(s.phase))
        s.status.insert(QStringLiteral("alarm"), QJsonValue(QJsonValue::Null));
    s.status.insert(QStringLiteral("phase"), toString(s.phase));
    CW_TRY_ASSIGN(const auto steps, journal->steps());
    QJsonArray stepArray;
    for (const StepRecord &r : steps)
        stepArray.append(stepJson(r));
    s.status.insert(QStringLiteral("steps"), stepArray);
    s.owner = Journal::owner(file);
    if (s.owner.isEmpty()) {
        // What was running when its process went away is not running now.
        const QString last = s.status.value(QStringLiteral("run_state")).toString();
        if (last == QLatin1String("running") || last == QLatin1String("stalled") ||
            last == QLatin1String("pausing"))
            s.status.insert(QStringLiteral("run_state"), QStringLiteral("idle"));
        for (const char *rate : {"rate_rows", "rate_bytes"})
            s.status.insert(QLatin1String(rate), 0);
        s.status.insert(QStringLiteral("eta_seconds"), QJsonValue(QJsonValue::Null));
        // Time goes on while nothing runs, and the log with it.
        Snapshot then;
        then.restore(s.status);
        then.phase = s.phase;
        then.sourceName = s.settings.source.primary().display();
        then.targetName = s.settings.target.fromHere.display();
        if (s.status.value(QStringLiteral("leader")).toString() == QLatin1String("target"))
            then.roles = {Side::Target, Side::Source};
        s.status.insert(QStringLiteral("warning"), retentionWarning(then, s.nowMs).english());
    }
    return s;
}

QString Standing::roles() const
{
    const QString source = settings.source.primary().display(),
                  target = settings.target.fromHere.display();
    const bool targetLeads =
        status.value(QStringLiteral("leader")).toString() == QLatin1String("target");
    const QString &leader = targetLeads ? target : source;
    const QString &follower = targetLeads ? source : target;
    if (phase == Phase::Finished)
        return say(
            openSql.isEmpty()
                ? cwText("cli", "%1 takes writes; nothing of Causeway is left.", target)
                : cwText("cli", "%1 takes writes. %2 stays closed for writes.", target, source));
    if (settings.mode == Mode::Once) {
        if (phase == Phase::Primary)
            return say(cwText("cli", "%1 takes writes. %2 stays closed; nothing follows.", target,
                              source));
        if (phase != Phase::Draft && phase != Phase::Checked && phase != Phase::Cancelled)
            return say(cwText("cli", "%1 is closed for writes while it is copied.", source));
    }
    if (phase == Phase::Primary && settings.oneWayAccepted)
        return say(
            cwText("cli", "%1 takes writes. %2 stays closed; nothing follows.", leader, follower));
    if (phase == Phase::Replica || phase == Phase::Primary) {
        if (!status.value(QStringLiteral("troubles")).toArray().isEmpty())
            return say(cwText("cli", "%1 takes writes. %2 does not follow as it should.", leader,
                              follower));
        if (!owner.isEmpty())
            return say(cwText("cli", "%1 takes writes, %2 follows.", leader, follower));
        if (replicatesWithoutUs(settings))
            return say(cwText("cli",
                              "%1 takes writes, %2 follows: the servers replicate by themselves, "
                              "also while nothing runs here.",
                              leader, follower));
        return followerHas(leader, follower);
    }
    if (isCutShort())
        return say(cwText("cli",
                          "A switch was cut short: %1 led until then, and may be closed for writes "
                          "now, so that nobody takes them.",
                          leader));
    return say(cwText("cli", "%1 takes writes.", leader));
}

bool Standing::isCutShort() const
{
    return owner.isEmpty() && (phase == Phase::Switching || phase == Phase::SwitchingBack);
}

bool Standing::differs() const
{
    const QJsonArray tables = status.value(QStringLiteral("tables")).toArray();
    return !isOver(phase) && std::any_of(tables.begin(), tables.end(), [](const QJsonValue &t) {
        return t.toObject().value(QStringLiteral("status")).toString() ==
               toString(TableState::Different);
    });
}

bool Standing::isAlarmed() const
{
    return !status.value(QStringLiteral("alarm")).toObject().isEmpty();
}

Error Standing::alarmError() const
{
    const Alarm a = Alarm::fromJson(status.value(QStringLiteral("alarm")).toObject());
    const Endpoint &follower = a.side == Side::Source ? settings.source : settings.target;
    Error e;
    e.code = ErrorCode::Differences;
    e.id = QStringLiteral("foreign-write");
    e.object = a.tables.join(QLatin1String(", "));
    e.message = a.text(follower.fromHere.display());
    e.fix = cwText("cli", "Find out who writes there, and run: causeway-cli verify %1 --repair",
                   shellWord(file));
    return e;
}

QString Standing::followerHas(const QString &leader, const QString &follower) const
{
    const qint64 until = status.value(QStringLiteral("log_needed_from_ms")).toInteger(-1);
    if (until <= 0)
        return say(
            cwText("cli",
                   "%1 takes writes. %2 follows only while \"run --follow\" runs; how far it "
                   "has come is not known.",
                   leader, follower));
    const QDateTime then = QDateTime::fromMSecsSinceEpoch(until);
    const bool today = then.date() == QDateTime::fromMSecsSinceEpoch(nowMs).date();
    return say(cwText(
        "cli",
        "%1 takes writes. %2 has what was committed until %3, %4 ago, and follows "
        "only while \"run --follow\" runs.",
        leader, follower,
        then.toString(today ? QStringLiteral("HH:mm:ss") : QStringLiteral("yyyy-MM-dd HH:mm:ss")),
        durationText(std::max<qint64>(0, (nowMs - until) / 1000))));
}

QStringList Standing::interruptedNext() const
{
    const bool forth = phase == Phase::Switching;
    const QString run = QStringLiteral("causeway-cli run %1 --to ").arg(shellWord(file));
    QStringList out{commandLine(run + QLatin1String(forth ? "primary" : "replica"),
                                cwText("cli", "go on with the switch")),
                    commandLine(run + QLatin1String(forth ? "replica" : "primary"),
                                cwText("cli", "undo it, where it can still be undone"))};
    if (forth)
        out << commandLine(QStringLiteral("causeway-cli unfence --source %1 --target %2")
                               .arg(shellWord(settings.source.primary().toUrl()),
                                    shellWord(settings.target.fromHere.toUrl())),
                           cwText("cli", "open the source at once, and the rest later"));
    return out;
}

QStringList Standing::next() const
{
    const QString f = shellWord(file);
    const QString run = QStringLiteral("causeway-cli run %1 --to ").arg(f);
    const bool once = settings.mode == Mode::Once;
    if (!decision().isEmpty())
        return {};
    switch (phase) {
    case Phase::Draft:
    case Phase::Checked:
        if (once)
            return {commandLine(run + QStringLiteral("primary"),
                                cwText("cli", "close the source, copy, compare, open the target"))};
        return {commandLine(run + QStringLiteral("replica --follow"),
                            cwText("cli", "copy, then keep the target in step"))};
    case Phase::Copying:
    case Phase::CatchingUp:
        if (!owner.isEmpty())
            return {};
        return {commandLine(
            run + (once ? QStringLiteral("primary") : QStringLiteral("replica --follow")),
            cwText("cli", "go on where it stopped"))};
    case Phase::Switching:
    case Phase::SwitchingBack:
        if (!owner.isEmpty())
            return {};
        return interruptedNext();
    case Phase::Replica: {
        QStringList out;
        if (owner.isEmpty() && !once)
            out << commandLine(run + QStringLiteral("replica --follow"),
                               replicatesWithoutUs(settings)
                                   ? cwText("cli", "watch it")
                                   : cwText("cli", "keep the target in step"));
        // An alarm stops a switch, and names its own command.
        if (!isAlarmed())
            out << commandLine(QStringLiteral("causeway-cli verify %1").arg(f),
                               cwText("cli", "compare every row"))
                << commandLine(run + QStringLiteral("primary"), cwText("cli", "switch"));
        return out;
    }
    case Phase::Primary: {
        QStringList out;
        if (!once && !settings.oneWayAccepted) {
            if (owner.isEmpty())
                out << commandLine(run + QStringLiteral("primary --follow"),
                                   replicatesWithoutUs(settings)
                                       ? cwText("cli", "watch it")
                                       : cwText("cli", "keep the old source in step"));
            if (!isAlarmed())
                out << commandLine(run + QStringLiteral("replica"), cwText("cli", "switch back"));
        }
        out << commandLine(run + QStringLiteral("finished"), cwText("cli", "detach for good"));
        return out;
    }
    case Phase::Finished:
    case Phase::Cancelled:
        break;
    }
    return {};
}

QStringList Standing::decision() const
{
    const QJsonObject d = status.value(QStringLiteral("decision")).toObject();
    if (d.isEmpty())
        return {};
    const QString id = d.value(QStringLiteral("id")).toString();
    QStringList out{
        QStringLiteral("%1: %2").arg(id, d.value(QStringLiteral("question")).toString())};
    const QString detail = d.value(QStringLiteral("detail")).toString();
    if (!detail.isEmpty())
        out << detail;
    for (const QJsonValue &c : d.value(QStringLiteral("choices")).toArray()) {
        out << QStringLiteral("causeway-cli answer %1 %2 %3   (%4)")
                   .arg(shellWord(file), id, c.toObject().value(QStringLiteral("id")).toString(),
                        c.toObject().value(QStringLiteral("label")).toString());
    }
    return out;
}

QStringList Standing::lines() const
{
    QStringList out;
    const auto line = [&out](const char *name, const QString &text) {
        out << QStringLiteral("%1 %2").arg(QLatin1String(name), -10).arg(text);
    };
    const auto block = [&](const char *name, const QStringList &texts) {
        for (qsizetype i = 0; i < texts.size(); ++i)
            line(i == 0 ? name : "", texts[i]);
    };
    const bool over = isOver(phase);
    const bool running = !owner.isEmpty();
    const QString state = status.value(QStringLiteral("run_state")).toString();
    const QString activity = status.value(QStringLiteral("activity")).toString();
    line("phase", toString(phase) + (over ? QString() : QStringLiteral(" (%1)").arg(state)));
    if (running)
        line("running", owner + (activity.isEmpty() ? QString() : QStringLiteral(": ") + activity));
    const bool targetLeads =
        status.value(QStringLiteral("leader")).toString() == QLatin1String("target");
    const QString mark = QStringLiteral("  <- ") + say(cwText("cli", "takes writes"));
    const bool nobodyWrites =
        isCutShort() || (settings.mode == Mode::Once && phase != Phase::Draft &&
                         phase != Phase::Checked && phase != Phase::Primary && !over);
    line("source",
         settings.source.primary().display() + (targetLeads || nobodyWrites ? QString() : mark));
    line("target",
         settings.target.fromHere.display() + (targetLeads && !isCutShort() ? mark : QString()));

    const auto seconds = [&](const char *name) { return status.value(QLatin1String(name)); };
    if (!over && phase != Phase::Draft && (settings.mode != Mode::Once || isCutShort())) {
        if (!running) {
            line("", roles());
        } else if (seconds("lag_seconds").isDouble()) {
            QString lag = QStringLiteral("%1 s").arg(seconds("lag_seconds").toDouble(), 0, 'f', 1);
            if (seconds("lag_bytes").isDouble())
                lag +=
                    QStringLiteral(", ") + say(cwText("cli", "%1 of log to read",
                                                      bytesText(seconds("lag_bytes").toDouble())));
            if (seconds("lag_seconds").toDouble() > 5) {
                lag += QStringLiteral(", %L1 rows/s")
                           .arg(static_cast<qint64>(seconds("rate_rows").toDouble()));
                const QJsonArray eta = status.value(QStringLiteral("eta_seconds")).toArray();
                if (eta.size() == 2 && phase != Phase::Copying)
                    lag += QStringLiteral(", ") +
                           say(cwText("cli", "%1 to %2 left", durationText(eta[0].toInteger()),
                                      durationText(eta[1].toInteger())));
            }
            // Of a process that is stopped or hangs, this may be long ago.
            const qint64 age = (nowMs - status.value(QStringLiteral("at_ms")).toInteger()) / 1000;
            if (age > 5)
                lag += QStringLiteral(", ") + say(cwText("cli", "as of %1 ago", durationText(age)));
            line("lag", lag);
        }
    }
    const QString retrying = status.value(QStringLiteral("retrying")).toString();
    if (running && !retrying.isEmpty())
        line("waiting", say(cwText("cli", "%1 Trying again.", retrying)));
    const QJsonArray tables = status.value(QStringLiteral("tables")).toArray();
    if (tables.isEmpty() && phase == Phase::Cancelled)
        line("tables", say(cwText("cli", "nothing of what was copied is left on %1",
                                  settings.target.fromHere.display())));
    if (!tables.isEmpty()) {
        QMap<QString, int> counts;
        qint64 rows = 0;
        for (const QJsonValue &t : tables) {
            counts[t.toObject().value(QStringLiteral("status")).toString()] += 1;
            rows += t.toObject().value(QStringLiteral("rows")).toInteger();
        }
        QStringList parts;
        for (auto it = counts.begin(); it != counts.end(); ++it)
            parts << QStringLiteral("%1 %2").arg(it.value()).arg(it.key());
        QString text = parts.join(QStringLiteral(", "));
        if (rows > 0)
            text += QStringLiteral(" (%1)").arg(
                say(cwText("cli", "%1 rows copied", QStringLiteral("%L1").arg(rows))));
        line("tables", text);
        if (phase == Phase::Copying) {
            Snapshot s;
            s.restore(status);
            QString copied = QStringLiteral("%1 %").arg(static_cast<int>(s.copiedPart() * 100));
            if (running)
                copied += QStringLiteral(", %L1 rows/s, %2/s")
                              .arg(static_cast<qint64>(seconds("rate_rows").toDouble()))
                              .arg(bytesText(seconds("rate_bytes").toDouble()));
            const QJsonArray eta = status.value(QStringLiteral("eta_seconds")).toArray();
            if (eta.size() == 2)
                copied += QStringLiteral(", ") +
                          say(cwText("cli", "%1 to %2 left", durationText(eta[0].toInteger()),
                                     durationText(eta[1].toInteger())));
            line("copied", copied);
        }
    }
    if (!over && seconds("log_kept_bytes").isDouble()) {
        const QString kept = bytesText(seconds("log_kept_bytes").toDouble());
        line("log",
             say(seconds("log_left_bytes").isDouble()
                     ? cwText("cli",
                              "%1 of it is kept for the server that follows; after %2 more the "
                              "rest is thrown away (max_slot_wal_keep_size)",
                              kept, bytesText(seconds("log_left_bytes").toDouble()))
                     : cwText("cli",
                              "%1 of it is kept for the server that follows, without limit: watch "
                              "the leader's disk",
                              kept)));
    }
    if (!over && seconds("retention_seconds").isDouble()) {
        line("log", say(cwText("cli", "the server keeps it for %1",
                               durationText(seconds("retention_seconds").toInteger()))));
    }
    if (seconds("write_pause_seconds").isDouble()) {
        line("pause",
             say(cwText("cli", "writes were held for %1 s at the last switch",
                        QString::number(seconds("write_pause_seconds").toDouble(), 'f', 3))));
    }
    const qint64 sealed = status.value(QStringLiteral("seal_tables")).toInteger();
    if (sealed > 0 && seconds("seal_seconds").isDouble()) {
        const double took = seconds("seal_seconds").toDouble();
        line("triggers",
             say(cwText("cli", "made on %1 tables in %2 s (%3 ms a table)", sealed,
                        QString::number(took, 'f', 3),
                        QString::number(took * 1000 / static_cast<double>(sealed), 'f', 1))));
    }
    const QJsonObject alarm = status.value(QStringLiteral("alarm")).toObject();
    if (!alarm.isEmpty()) {
        const Alarm a = Alarm::fromJson(alarm);
        const Endpoint &follower = a.side == Side::Source ? settings.source : settings.target;
        line("alarm", say(a.text(follower.fromHere.display())));
        line("", QStringLiteral("causeway-cli verify %1 --repair").arg(shellWord(file)));
    }
    for (const QJsonValue &v : status.value(QStringLiteral("troubles")).toArray()) {
        line("alarm", v.toObject().value(QStringLiteral("text")).toString());
        line("", v.toObject().value(QStringLiteral("fix")).toString());
    }
    const QString warning = status.value(QStringLiteral("warning")).toString();
    if (!warning.isEmpty())
        line("warning", warning);
    block("decision", decision());
    const QJsonObject error = status.value(QStringLiteral("error")).toObject();
    if (!error.isEmpty() && decision().isEmpty()) {
        line("error", error.value(QStringLiteral("message")).toString());
        const QString words = error.value(QStringLiteral("server")).toString();
        if (!words.isEmpty())
            line("", words);
        const QString fix = error.value(QStringLiteral("fix")).toString();
        if (!fix.isEmpty())
            block("", fix.split(QLatin1Char('\n')));
    }
    if (phase == Phase::Finished && !openSql.isEmpty()) {
        line("closed", say(cwText("cli", "%1 was left closed for writes; to open it:",
                                  settings.source.primary().display())));
        block("", openSql.split(QLatin1Char('\n')));
    }
    block("next", next());
    return out;
}

} // namespace causeway::cli
