#include "cli/Arguments.h"
#include "cli/Commands.h"
#include "cli/Drive.h"
#include "cli/SignalPause.h"
#include "cli/Standing.h"
#include "engine/Engine.h"

namespace causeway::cli {

namespace {
Result<command::RunTo> goalFrom(const Arguments &args)
{
    CW_TRY_ASSIGN(const QString to, args.requiredOption(QStringLiteral("to")));
    command::RunTo goal;
    if (to == QLatin1String("copied")) {
        goal.goal = Goal::Copied;
    } else if (to == QLatin1String("replica")) {
        goal.goal = Goal::Replica;
    } else if (to == QLatin1String("primary")) {
        goal.goal = Goal::Primary;
    } else if (to == QLatin1String("finished")) {
        goal.goal = Goal::Finished;
    } else {
        return fail(ErrorCode::Usage, cwText("cli",
                                             "\"%1\" is no phase to run to; there are "
                                             "copied, replica, primary and finished.",
                                             to));
    }
    goal.follow = args.isSet(QStringLiteral("follow"));
    if (goal.follow && goal.goal != Goal::Replica && goal.goal != Goal::Primary) {
        return fail(ErrorCode::Usage,
                    cwText("cli", "--follow goes with --to replica and --to primary."));
    }
    const QString old = args.value(QStringLiteral("old-source"));
    if (!old.isEmpty() && old != QLatin1String("sealed") && old != QLatin1String("open"))
        return fail(ErrorCode::Usage, cwText("cli", "--old-source takes sealed or open."));
    goal.oldSourceOpen = old == QLatin1String("open");
    return goal;
}

/// What is said with `run` is kept in the file, for this run and later ones.
Status keepSettings(const Arguments &args, const QString &path)
{
    const QString onDdl = args.value(QStringLiteral("on-ddl"));
    if (!onDdl.isEmpty() && onDdl != QLatin1String("stop") && onDdl != QLatin1String("recopy") &&
        onDdl != QLatin1String("apply"))
        return fail(ErrorCode::Usage, cwText("cli", "--on-ddl takes stop, recopy or apply."));
    qint64 throttle = -1;
    if (args.isSet(QStringLiteral("throttle"))) {
        CW_TRY_ASSIGN(throttle, bytesFrom(args.value(QStringLiteral("throttle"))));
    }
    CW_TRY_ASSIGN(Settings settings, settingsOf(path));
    CW_TRY_ASSIGN(const QStringList accepted, acceptedFrom(args, settings.source.fromHere.engine));
    for (const QString &id : accepted) {
        if (!settings.accepted.contains(id))
            settings.accepted << id;
        if (id == QLatin1String("mysql-reverse") || id == QLatin1String("mysql-reverse-grants") ||
            id == QLatin1String("one-way"))
            settings.oneWayAccepted = true;
    }
    if (!onDdl.isEmpty())
        settings.onDdl = onDdl;
    if (throttle >= 0)
        settings.throttleBytesPerSecond = throttle;
    if (args.isSet(QStringLiteral("on-switched")))
        settings.onSwitched = args.value(QStringLiteral("on-switched"));
    if (args.isSet(QStringLiteral("on-before-switch")))
        settings.onBeforeSwitch = args.value(QStringLiteral("on-before-switch"));
    CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Own));
    return journal->setSettings(settings);
}

void sayWhereItStands(const Output &out, const Standing &standing, bool reached)
{
    if (out.json()) {
        out.emitJson(standing.status);
        return;
    }
    const QString phase = toString(standing.phase);
    out.say(reached && standing.phase == Phase::Copying
                ? cwText("cli", "Copied. %1 What changed since waits in its log.", standing.roles())
                      .translated()
            : reached ? QStringLiteral("%1: %2").arg(phase, standing.roles())
                      : cwText("cli", "Paused while %1. %2", phase, standing.roles()).translated());
    const QJsonValue pause = standing.status.value(QStringLiteral("write_pause_seconds"));
    if (pause.isDouble() && (standing.phase == Phase::Primary || standing.phase == Phase::Replica))
        out.say(cwText("cli", "Writes were held for %1 s at the last switch.",
                       QString::number(pause.toDouble(), 'f', 3))
                    .translated());
    const qint64 sealed = standing.status.value(QStringLiteral("seal_tables")).toInteger();
    const double took = standing.status.value(QStringLiteral("seal_seconds")).toDouble();
    if (sealed > 0)
        out.say(cwText("cli", "Triggers on %1 tables were made in %2 s (%3 ms a table).", sealed,
                       QString::number(took, 'f', 3),
                       QString::number(took * 1000 / static_cast<double>(sealed), 'f', 1))
                    .translated());
    const QString warning = standing.status.value(QStringLiteral("warning")).toString();
    if (!warning.isEmpty())
        out.say(cwText("cli", "Warning: %1", warning).translated());
    if (standing.phase == Phase::Finished && !standing.openSql.isEmpty())
        out.say(cwText("cli", "To open %1 again: %2", standing.settings.source.primary().display(),
                       standing.openSql)
                    .translated());
    if (standing.phase == Phase::Finished &&
        standing.openSql.contains(QLatin1String("GLOBAL read_only")) &&
        !standing.openSql.contains(QLatin1String("PERSIST")))
        out.say(cwText("cli", "A restart of that server opens it too: to keep it closed put "
                              "read_only=ON into its configuration.")
                    .translated());
    const QStringList next = standing.next();
    for (qsizetype i = 0; i < next.size(); ++i)
        out.say((i == 0 ? cwText("cli", "Next:").translated() : QStringLiteral("     ")) +
                QLatin1Char(' ') + next[i]);
}

Result<int> run(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("run"),
                   QStringLiteral("Drives the migration to a phase and exits; each step on the way "
                                  "in order. Run it again to go on wherever it was cut off. What "
                                  "is said with --accept, --on-ddl, --throttle and the hooks is "
                                  "kept for later runs."));
    args.positional(QStringLiteral("FILE"), QStringLiteral("the migration"));
    args.option(QStringLiteral("to"),
                QStringLiteral("copied; replica (from primary: switches back); primary (switches); "
                               "finished (never switches by itself)"),
                QStringLiteral("PHASE"));
    args.option(QStringLiteral("follow"),
                QStringLiteral("stay and keep replicating; Ctrl+C or SIGTERM pauses"));
    args.option(QStringLiteral("accept"),
                QStringLiteral("accept this finding of \"check\" (repeatable)"),
                QStringLiteral("ID"));
    args.option(QStringLiteral("on-ddl"),
                QStringLiteral("on a schema change: stop (default) and ask, recopy the tables, or "
                               "apply the statement (recopy where it cannot be)"),
                QStringLiteral("WHAT"));
    args.option(QStringLiteral("throttle"),
                QStringLiteral("bytes per second while copying, such as 20M; 0: none"),
                QStringLiteral("RATE"));
    args.option(
        QStringLiteral("on-switched"),
        QStringLiteral("command run at the switch before the new leader opens; an empty one "
                       "takes it back. It finds CAUSEWAY_OLD_HOST, CAUSEWAY_OLD_PORT, "
                       "CAUSEWAY_NEW_HOST and CAUSEWAY_NEW_PORT in its environment"),
        QStringLiteral("CMD"));
    args.option(QStringLiteral("on-before-switch"),
                QStringLiteral("command run before writes are held"), QStringLiteral("CMD"));
    args.option(QStringLiteral("old-source"), QStringLiteral("at finish: sealed (default) or open"),
                QStringLiteral("STATE"));
    args.option(QStringLiteral("json"), QStringLiteral("progress and result as JSON lines"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString path, args.required(0));
    CW_TRY_ASSIGN(const command::RunTo goal, goalFrom(args));
    // From the first moment in which the file is ours, a signal pauses and kills nothing.
    SignalPause signals;
    CW_TRY(keepSettings(args, path));

    Status ended;
    {
        CW_TRY_ASSIGN(const auto migration, openMigration(path));
        ended = carryOut(*migration, goal, out, signals).status;
    }
    CW_TRY_ASSIGN(const Standing standing, Standing::read(path));
    const bool paused = !ended && signals.paused() && ended.error().code == ErrorCode::Cancelled;
    if (!ended && !paused) {
        if (out.json())
            out.emitJson(standing.status);
        if (ended.error().code == ErrorCode::NeedsDecision) {
            for (const QString &line : standing.decision())
                out.complain(line);
            Error e = ended.error();
            if (e.fix.isEmpty()) // what to do before one answers is worth more
                e.fix = cwText("cli", "Answer it, then run again.");
            return fail(std::move(e));
        }
        return fail(ended.error());
    }
    sayWhereItStands(out, standing, !paused);
    // As "status" would: whoever drives this by script must not go on over it.
    if (standing.isAlarmed()) {
        if (!goal.follow)
            return fail(standing.alarmError());
        out.complain(standing.alarmError().describe());
    }
    // Paused on request is what --follow is ended by. Else somebody waits for the goal: "run --to
    // primary && point the application there" must not go on.
    return paused && !goal.follow ? Exit::NotReady : Exit::Done;
}
} // namespace

int runCommand(const QStringList &arguments)
{
    return guarded(run, arguments);
}

} // namespace causeway::cli
