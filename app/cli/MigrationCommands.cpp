#include "base/Stop.h"
#include "cli/Arguments.h"
#include "cli/Commands.h"
#include "cli/Output.h"
#include "cli/Passwords.h"
#include "engine/Migration.h"
#include "report/Report.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>

#include <csignal>
#include <thread>
#include <unistd.h>

namespace causeway::cli {

namespace {
/// Turns SIGINT and SIGTERM into a clean pause; made before any other thread, so that they all
/// inherit the blocked signals and only this one takes them.
class SignalPause {
public:
    SignalPause()
    {
        sigemptyset(&m_set);
        sigaddset(&m_set, SIGINT);
        sigaddset(&m_set, SIGTERM);
        sigaddset(&m_set, SIGUSR1); // ends the waiting thread
        pthread_sigmask(SIG_BLOCK, &m_set, nullptr);
    }
    void attach(Migration *migration)
    {
        m_thread = std::jthread([this, migration](std::stop_token stop) {
            int asked = 0;
            for (;;) {
                int signal = 0;
                sigwait(&m_set, &signal);
                if (stop.stop_requested())
                    return;
                if (signal == SIGUSR1)
                    continue;
                // Asked twice: the user does not want to wait for chunks in flight.
                if (++asked > 1)
                    ::_exit(Exit::Failed);
                m_paused = true;
                migration->post(command::Pause{});
            }
        });
    }
    void detach()
    {
        if (!m_thread.joinable())
            return;
        m_thread.request_stop();
        pthread_kill(m_thread.native_handle(), SIGUSR1);
        m_thread.join();
    }
    ~SignalPause() { detach(); }
    SignalPause(const SignalPause &) = delete;
    SignalPause &operator=(const SignalPause &) = delete;
    [[nodiscard]] bool paused() const { return m_paused; }

private:
    sigset_t m_set{};
    std::atomic<bool> m_paused{false};
    std::jthread m_thread;
};

Result<std::unique_ptr<Migration>> openMigration(const QString &path)
{
    Settings settings;
    {
        CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Read));
        CW_TRY_ASSIGN(settings, journal->settings());
    }
    Migration::Secrets secrets;
    secrets.source = findPassword(settings.source.fromHere, Side::Source);
    secrets.target = findPassword(settings.target.fromHere, Side::Target);
    if (settings.source.writer)
        secrets.sourceWriter = findPassword(*settings.source.writer, Side::Source);
    return Migration::open(path, secrets);
}

/// Posts a command and shows progress until it has ended.
Outcome carryOut(Migration &migration, Command command, Output &out)
{
    const quint64 seen = migration.lastOutcome().first;
    migration.post(std::move(command));
    while (migration.lastOutcome().first <= seen) {
        pauseFor({}, std::chrono::milliseconds(100));
        out.progress(*migration.snapshot());
    }
    Outcome outcome = migration.waitOutcome(seen);
    out.endProgress();
    return outcome;
}

void sayWhereItStands(const Output &out, const Snapshot &s)
{
    if (out.json()) {
        out.emitJson(s.toJson());
        return;
    }
    out.say(QStringLiteral("%1. %2 takes writes%3.")
                .arg(toString(s.phase),
                     s.roles.leader == Side::Source ? s.sourceName : s.targetName,
                     s.phase == Phase::Replica || s.phase == Phase::Primary
                         ? QStringLiteral(", %1 follows")
                               .arg(s.roles.leader == Side::Source ? s.targetName : s.sourceName)
                         : QString()));
    if (s.sealSeconds >= 0 && s.sealTables > 0) {
        out.say(QStringLiteral("Triggers on %1 tables were made in %2 s (%3 ms a table).")
                    .arg(s.sealTables)
                    .arg(s.sealSeconds, 0, 'f', 3)
                    .arg(s.sealSeconds * 1000.0 / static_cast<double>(s.sealTables), 0, 'f', 1));
    }
    if (s.writePauseSeconds >= 0) {
        out.say(QStringLiteral("Writes paused for %1 s at the last switch.")
                    .arg(s.writePauseSeconds, 0, 'f', 3));
    }
}

Result<int> run(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("run"),
                   QStringLiteral("Drives the migration to a phase and exits; each step on the way "
                                  "in order. Run it again to resume wherever it was cut off."));
    args.positional(QStringLiteral("FILE"), QStringLiteral("the migration"));
    args.option(QStringLiteral("to"), QStringLiteral("copied, replica, primary or finished"),
                QStringLiteral("PHASE"));
    args.option(QStringLiteral("follow"),
                QStringLiteral("stay and keep replicating until SIGINT or SIGTERM"));
    args.option(QStringLiteral("accept"), QStringLiteral("accept this finding (repeatable)"),
                QStringLiteral("ID"));
    args.option(QStringLiteral("on-ddl"),
                QStringLiteral("on a schema change: stop (default) and ask, recopy the "
                               "tables, or apply the statement (recopy where it cannot be)"),
                QStringLiteral("WHAT"));
    args.option(QStringLiteral("throttle"), QStringLiteral("bytes per second while copying"),
                QStringLiteral("RATE"));
    args.option(QStringLiteral("old-source"), QStringLiteral("at finish: sealed (default) or open"),
                QStringLiteral("STATE"));
    args.option(QStringLiteral("json"), QStringLiteral("progress and result as JSON lines"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString path, args.required(0));
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
    const QString old = args.value(QStringLiteral("old-source"));
    if (!old.isEmpty() && old != QLatin1String("sealed") && old != QLatin1String("open")) {
        return fail(ErrorCode::Usage, cwText("cli", "--old-source takes sealed or open."));
    }
    goal.oldSourceOpen = old == QLatin1String("open");
    const QString onDdl = args.value(QStringLiteral("on-ddl"));
    if (!onDdl.isEmpty() && onDdl != QLatin1String("stop") && onDdl != QLatin1String("recopy") &&
        onDdl != QLatin1String("apply")) {
        return fail(ErrorCode::Usage, cwText("cli", "--on-ddl takes stop, recopy or apply."));
    }
    qint64 throttle = -1;
    if (args.isSet(QStringLiteral("throttle"))) {
        CW_TRY_ASSIGN(throttle, bytesFrom(args.value(QStringLiteral("throttle"))));
    }
    {
        CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Own));
        CW_TRY_ASSIGN(Settings settings, journal->settings());
        for (const QString &id : args.values(QStringLiteral("accept"))) {
            if (!settings.accepted.contains(id))
                settings.accepted << id;
            if (id == QLatin1String("mysql-reverse") ||
                id == QLatin1String("mysql-reverse-grants") || id == QLatin1String("one-way"))
                settings.oneWayAccepted = true;
        }
        if (!onDdl.isEmpty())
            settings.onDdl = onDdl;
        if (throttle >= 0)
            settings.throttleBytesPerSecond = throttle;
        CW_TRY(journal->setSettings(settings));
    }
    SignalPause signals;
    CW_TRY_ASSIGN(const auto migration, openMigration(path));
    signals.attach(migration.get());
    const Outcome outcome = carryOut(*migration, goal, out);
    signals.detach();
    if (!outcome.status) {
        if (signals.paused() && outcome.status.error().code == ErrorCode::Cancelled) {
            sayWhereItStands(out, *migration->snapshot());
            return Exit::Done; // paused on request; run again to go on
        }
        if (out.json())
            out.emitJson(migration->snapshot()->toJson());
        return fail(outcome.status.error());
    }
    sayWhereItStands(out, *migration->snapshot());
    return Exit::Done;
}

Result<int> status(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("status"),
                   QStringLiteral("Where a migration stands; at any time, also while it runs."));
    args.positional(QStringLiteral("FILE"), QStringLiteral("the migration"));
    args.option(QStringLiteral("json"), QStringLiteral("as JSON"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString path, args.required(0));
    CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Read));
    CW_TRY_ASSIGN(const Settings settings, journal->settings());
    CW_TRY_ASSIGN(const Phase phase, journal->phase());
    CW_TRY_ASSIGN(const auto stored, journal->value(QStringLiteral("snapshot")));
    QJsonObject json = QJsonDocument::fromJson(stored.value_or(QString()).toUtf8()).object();
    if (json.isEmpty()) {
        Snapshot fresh;
        fresh.route = QStringLiteral("relay");
        fresh.sourceName = settings.source.fromHere.display();
        fresh.targetName = settings.target.fromHere.display();
        json = fresh.toJson();
    }
    json.insert(QStringLiteral("phase"), toString(phase));
    const bool owned = Journal::hasOwner(path);
    // What was running when its process went away is not running now.
    const QString last = json.value(QStringLiteral("run_state")).toString();
    if (!owned && (last == QLatin1String("running") || last == QLatin1String("stalled") ||
                   last == QLatin1String("pausing")))
        json.insert(QStringLiteral("run_state"), QStringLiteral("idle"));
    // Somebody else wrote on the server that follows: whoever watches by script must see it.
    const QJsonObject alarm = json.value(QStringLiteral("alarm")).toObject();
    const int exit = alarm.isEmpty() ? Exit::Done : Exit::NotReady;
    if (out.json()) {
        out.emitJson(json);
        return exit;
    }
    const QString leader = json.value(QStringLiteral("leader")).toString();
    out.say(QStringLiteral("phase      %1 (%2)")
                .arg(toString(phase), json.value(QStringLiteral("run_state")).toString()));
    out.say(QStringLiteral("source     %1%2")
                .arg(settings.source.fromHere.display(), leader == QLatin1String("source")
                                                             ? QStringLiteral("  <- takes writes")
                                                             : QString()));
    out.say(QStringLiteral("target     %1%2")
                .arg(settings.target.fromHere.display(), leader == QLatin1String("target")
                                                             ? QStringLiteral("  <- takes writes")
                                                             : QString()));
    const QJsonValue lag = json.value(QStringLiteral("lag_seconds"));
    if (lag.isDouble())
        out.say(QStringLiteral("lag        %1 s").arg(lag.toDouble(), 0, 'f', 1));
    if (!alarm.isEmpty()) {
        const Alarm a = Alarm::fromJson(alarm);
        const Endpoint &follower = a.side == Side::Source ? settings.source : settings.target;
        out.say(QStringLiteral("alarm      %1").arg(a.text(follower.fromHere.display()).english()));
        out.say(QStringLiteral("           causeway-cli verify %1 --repair").arg(path));
    }
    const QJsonArray tables = json.value(QStringLiteral("tables")).toArray();
    QMap<QString, int> counts;
    qint64 rows = 0;
    for (const QJsonValue &t : tables) {
        counts[t.toObject().value(QStringLiteral("status")).toString()] += 1;
        rows += t.toObject().value(QStringLiteral("rows")).toInteger();
    }
    if (!tables.isEmpty()) {
        QStringList parts;
        for (auto it = counts.begin(); it != counts.end(); ++it)
            parts << QStringLiteral("%1 %2").arg(it.value()).arg(it.key());
        out.say(QStringLiteral("tables     %1 (%L2 rows copied)")
                    .arg(parts.join(QStringLiteral(", ")))
                    .arg(rows));
    }
    const QJsonObject decision = json.value(QStringLiteral("decision")).toObject();
    if (!decision.isEmpty()) {
        out.say(QStringLiteral("decision   %1: %2")
                    .arg(decision.value(QStringLiteral("id")).toString(),
                         decision.value(QStringLiteral("question")).toString()));
        const QString detail = decision.value(QStringLiteral("detail")).toString();
        if (!detail.isEmpty())
            out.say(QStringLiteral("           %1").arg(detail));
        for (const QJsonValue &c : decision.value(QStringLiteral("choices")).toArray()) {
            out.say(QStringLiteral("           causeway-cli answer %1 %2 %3   (%4)")
                        .arg(path, decision.value(QStringLiteral("id")).toString(),
                             c.toObject().value(QStringLiteral("id")).toString(),
                             c.toObject().value(QStringLiteral("label")).toString()));
        }
    }
    const QJsonObject error = json.value(QStringLiteral("error")).toObject();
    if (!error.isEmpty())
        out.say(
            QStringLiteral("error      %1").arg(error.value(QStringLiteral("message")).toString()));
    return exit;
}

/// Whether the migration asks that, and offers this.
Status checkAnswer(Journal &journal, const QString &decision, const QString &choice)
{
    CW_TRY_ASSIGN(const auto stored, journal.value(QStringLiteral("snapshot")));
    const QJsonObject asked = QJsonDocument::fromJson(stored.value_or(QString()).toUtf8())
                                  .object()
                                  .value(QStringLiteral("decision"))
                                  .toObject();
    if (asked.value(QStringLiteral("id")).toString() != decision) {
        return fail(ErrorCode::NotReady,
                    cwText("cli", "The migration does not wait for an answer to \"%1\".", decision),
                    QStringLiteral("no-such-decision"));
    }
    QStringList choices;
    for (const QJsonValue &c : asked.value(QStringLiteral("choices")).toArray())
        choices << c.toObject().value(QStringLiteral("id")).toString();
    if (!choices.contains(choice)) {
        return fail(ErrorCode::Usage, cwText("cli", "\"%1\" is no choice; there are: %2.", choice,
                                             choices.join(QStringLiteral(", "))));
    }
    return {};
}

Result<int> answer(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("answer"),
                   QStringLiteral("Answers a decision; \"status\" lists the choices."));
    args.positional(QStringLiteral("FILE"), QStringLiteral("the migration"));
    args.positional(QStringLiteral("DECISION"), QStringLiteral("its id, such as ddl"));
    args.positional(QStringLiteral("CHOICE"), QStringLiteral("one of its choices"));
    args.option(QStringLiteral("json"), QStringLiteral("errors as JSON"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString path, args.required(0));
    CW_TRY_ASSIGN(const QString decision, args.required(1));
    CW_TRY_ASSIGN(const QString choice, args.required(2));
    {
        CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Read));
        CW_TRY(checkAnswer(*journal, decision, choice));
    }
    if (Journal::hasOwner(path)) {
        CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::LeaveCommand));
        CW_TRY(journal->leaveCommand(QStringLiteral("answer"), {decision, choice}));
    } else {
        CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Own));
        CW_TRY(journal->setValue(QStringLiteral("answer.") + decision, choice));
    }
    out.say(QStringLiteral("Answered %1 with %2; run the migration again to go on.")
                .arg(decision, choice));
    return Exit::Done;
}

Result<int> verify(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("verify"),
                   QStringLiteral("Compares both sides row by row, also while writes go on."));
    args.positional(QStringLiteral("FILE"), QStringLiteral("the migration"));
    args.option(QStringLiteral("repair"), QStringLiteral("make the follower equal"));
    args.option(QStringLiteral("json"), QStringLiteral("result as JSON"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString path, args.required(0));
    SignalPause signals;
    CW_TRY_ASSIGN(const auto migration, openMigration(path));
    signals.attach(migration.get());
    Output quiet(false);
    const Outcome outcome =
        carryOut(*migration, command::Verify{args.isSet(QStringLiteral("repair"))},
                 out.json() ? quiet : out);
    signals.detach();
    if (!outcome.status)
        return fail(outcome.status.error());
    const VerifyReport &report = *outcome.verify;
    out.emitJson(report.toJson());
    for (const TableVerdict &t : report.tables) {
        if (t.equal() && t.repaired == 0)
            continue;
        out.say(QStringLiteral("%1: %2 differing, %3 missing, %4 extra, %5 repaired")
                    .arg(t.name)
                    .arg(t.differing)
                    .arg(t.missing)
                    .arg(t.extra)
                    .arg(t.repaired));
        for (const RowDifference &d : t.samples)
            out.say(QStringLiteral("    %1 %2").arg(d.kind, d.key));
    }
    out.say(report.equal() ? QStringLiteral("Equal: %1 tables.").arg(report.tables.size())
                           : QStringLiteral("Different."));
    return report.equal() ? Exit::Done : Exit::NotReady;
}

Result<int> cancel(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("cancel"),
                   QStringLiteral("Ends a migration before its switch: puts everything back as "
                                  "found. What was copied stays, unless --discard."));
    args.positional(QStringLiteral("FILE"), QStringLiteral("the migration"));
    args.option(QStringLiteral("discard"),
                QStringLiteral("also drop what the migration created on the target"));
    args.option(QStringLiteral("json"), QStringLiteral("errors as JSON"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString path, args.required(0));
    const bool discard = args.isSet(QStringLiteral("discard"));
    if (Journal::hasOwner(path)) {
        CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::LeaveCommand));
        CW_TRY(journal->leaveCommand(QStringLiteral("cancel"),
                                     discard ? QStringList{QStringLiteral("discard")}
                                             : QStringList{}));
        out.say(QStringLiteral("The running Causeway was asked to cancel."));
        return Exit::Done;
    }
    CW_TRY_ASSIGN(const auto migration, openMigration(path));
    const Outcome outcome = carryOut(*migration, command::Cancel{discard}, out);
    if (!outcome.status)
        return fail(outcome.status.error());
    out.say(QStringLiteral("Cancelled."));
    return Exit::Done;
}

Result<int> unfenceServers(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("unfence"),
                   QStringLiteral("Opens a source that an interrupted switch left closed. Works "
                                  "without the migration's file; refuses once the target leads."));
    args.option(QStringLiteral("source"), QStringLiteral("source server"), QStringLiteral("URL"));
    args.option(QStringLiteral("target"), QStringLiteral("target server"), QStringLiteral("URL"));
    args.option(QStringLiteral("json"), QStringLiteral("errors as JSON"));
    CW_TRY(args.parse(arguments));
    Endpoint source, target;
    CW_TRY_ASSIGN(const QString sourceUrl, args.requiredOption(QStringLiteral("source")));
    CW_TRY_ASSIGN(const QString targetUrl, args.requiredOption(QStringLiteral("target")));
    CW_TRY_ASSIGN(source.fromHere, addressFrom(sourceUrl, Side::Source));
    CW_TRY_ASSIGN(target.fromHere, addressFrom(targetUrl, Side::Target));
    CW_TRY_ASSIGN(const QStringList done, unfence(source, target, {}));
    for (const QString &line : done)
        out.say(line);
    return Exit::Done;
}

Result<int> report(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("report"),
                   QStringLiteral("Writes the report of a migration; at any time."));
    args.positional(QStringLiteral("FILE"), QStringLiteral("the migration"));
    args.option(QStringLiteral("html"), QStringLiteral("write HTML"), QStringLiteral("OUT"));
    args.option(QStringLiteral("json"), QStringLiteral("write JSON"), QStringLiteral("OUT"));
    args.option(QStringLiteral("csv"), QStringLiteral("write CSV, a line a table"),
                QStringLiteral("OUT"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString path, args.required(0));
    CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Read));
    CW_TRY_ASSIGN(const MigrationReport model, readReport(*journal));
    bool any = false;
    const auto write = [&](const QString &option, const QByteArray &bytes) -> Status {
        if (!args.isSet(option))
            return {};
        any = true;
        QFile file(args.value(option));
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) < 0) {
            return fail(ErrorCode::Io, cwText("cli", "%1 cannot be written: %2", file.fileName(),
                                              file.errorString()));
        }
        out.say(QStringLiteral("Wrote %1.").arg(file.fileName()));
        return {};
    };
    CW_TRY(write(QStringLiteral("html"), reportHtml(model)));
    CW_TRY(write(QStringLiteral("json"), reportJson(model)));
    CW_TRY(write(QStringLiteral("csv"), reportCsv(model)));
    if (!any) {
        return fail(ErrorCode::Usage,
                    cwText("cli", "Say what to write: --html, --json or --csv with a file name."));
    }
    return Exit::Done;
}

template <class F> int guarded(F command, const QStringList &arguments, bool json)
{
    Output out(json);
    const Result<int> result = command(arguments, out);
    return result ? *result : out.report(result.error());
}
bool wantsJson(const QStringList &arguments)
{
    return arguments.contains(QLatin1String("--json"));
}
} // namespace

int runCommand(const QStringList &a)
{
    return guarded(run, a, wantsJson(a));
}
int statusCommand(const QStringList &a)
{
    return guarded(status, a, wantsJson(a));
}
int answerCommand(const QStringList &a)
{
    return guarded(answer, a, wantsJson(a));
}
int verifyCommand(const QStringList &a)
{
    return guarded(verify, a, wantsJson(a));
}
int cancelCommand(const QStringList &a)
{
    return guarded(cancel, a, wantsJson(a));
}
int unfenceCommand(const QStringList &a)
{
    return guarded(unfenceServers, a, wantsJson(a));
}
int reportCommand(const QStringList &a)
{
    return guarded(report, a, false);
}

} // namespace causeway::cli
