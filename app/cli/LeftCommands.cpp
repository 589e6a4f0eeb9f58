// answer and cancel: left in the file where another process owns it, done here where none does.

#include "base/Stop.h"
#include "cli/Arguments.h"
#include "cli/Commands.h"
#include "cli/Drive.h"
#include "cli/SignalPause.h"
#include "cli/Standing.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace causeway::cli {

namespace {
/// Error of another process, as it wrote it down.
Error errorFrom(const QJsonObject &o)
{
    Error e;
    switch (o.value(QStringLiteral("exit_status")).toInt()) {
    case Exit::NotReady:
        e.code = ErrorCode::NotReady;
        break;
    case Exit::Usage:
        e.code = ErrorCode::Usage;
        break;
    case Exit::Failed:
        e.code = ErrorCode::Server;
        break;
    default:
        e.code = ErrorCode::Internal;
    }
    e.id = o.value(QStringLiteral("id")).toString();
    e.message = cwText("cli", "%1", o.value(QStringLiteral("message")).toString());
    e.number = o.value(QStringLiteral("number")).toInt();
    e.sqlState = o.value(QStringLiteral("sqlstate")).toString();
    e.serverWords = o.value(QStringLiteral("server")).toString();
    e.object = o.value(QStringLiteral("object")).toString();
    e.fix = cwText("cli", "%1", o.value(QStringLiteral("fix")).toString());
    return e;
}

/// True when the owner has done it, false when it went away before: then it is ours to do.
Result<bool> leaveToOwner(const QString &path, const QString &name, const QStringList &args)
{
    qint64 id = 0;
    {
        CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::LeaveCommand));
        CW_TRY_ASSIGN(id, journal->leaveCommand(name, args));
    }
    CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Read));
    for (;;) {
        // In this order: an owner writes its answer before it goes.
        const bool owned = Journal::hasOwner(path);
        CW_TRY_ASSIGN(const auto told, journal->value(Journal::answerName(id)));
        if (told) {
            const QJsonObject answer = QJsonDocument::fromJson(told->toUtf8()).object();
            if (answer.contains(QStringLiteral("error")))
                return fail(errorFrom(answer.value(QStringLiteral("error")).toObject()));
            return true;
        }
        if (!owned)
            return false;
        pauseFor({}, std::chrono::milliseconds(200));
    }
}

/// The choice must be one that is asked for just now.
Status checkAnswer(const Standing &standing, const QString &decision, const QString &choice)
{
    const QJsonObject waiting = standing.status.value(QStringLiteral("decision")).toObject();
    const QString id = waiting.value(QStringLiteral("id")).toString();
    if (id != decision) {
        return fail(ErrorCode::NotReady,
                    id.isEmpty()
                        ? cwText("cli", "This migration waits for no decision just now.")
                        : cwText("cli", "This migration does not wait for \"%1\" but for \"%2\".",
                                 decision, id),
                    QStringLiteral("no-such-decision"));
    }
    QStringList choices;
    for (const QJsonValue &c : waiting.value(QStringLiteral("choices")).toArray())
        choices << c.toObject().value(QStringLiteral("id")).toString();
    if (!choices.contains(choice)) {
        return fail(ErrorCode::Usage,
                    cwText("cli", "\"%1\" is no choice of \"%2\"; there are: %3", choice, decision,
                           choices.join(QStringLiteral(", "))),
                    QStringLiteral("no-such-choice"));
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
    CW_TRY_ASSIGN(const Standing standing, Standing::read(path));
    CW_TRY(checkAnswer(standing, decision, choice));
    if (choice == QLatin1String("stop")) {
        out.say(cwText("cli",
                       "It stays stopped: nothing is carried over until %1 is answered with "
                       "something else.",
                       decision)
                    .translated());
        return Exit::Done;
    }
    bool done = false;
    if (!standing.owner.isEmpty()) {
        CW_TRY_ASSIGN(done, leaveToOwner(path, QStringLiteral("answer"), {decision, choice}));
    }
    if (!done) {
        CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Own));
        CW_TRY(journal->takeCommands()); // ours, if it was left to an owner that went away
        CW_TRY(journal->answer(decision, choice));
    }
    out.say(cwText("cli", "Answered %1 with %2.", decision, choice).translated());
    CW_TRY_ASSIGN(const Standing after, Standing::read(path));
    if (after.owner.isEmpty()) {
        for (const QString &line : after.next().mid(0, 1))
            out.say(QStringLiteral("Next: ") + line);
    }
    return Exit::Done;
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
    CW_TRY_ASSIGN(const Standing standing, Standing::read(path));
    const bool leftBehind = !standing.status.value(QStringLiteral("troubles")).toArray().isEmpty();
    if (standing.phase == Phase::Cancelled && !discard && !leftBehind) {
        out.say(cwText("cli", "It was cancelled already; nothing was done.").translated());
        return Exit::Done;
    }
    bool done = false;
    if (!standing.owner.isEmpty()) {
        out.complain(cwText("cli", "Asking the running Causeway (%1) to cancel ...", standing.owner)
                         .translated());
        CW_TRY_ASSIGN(
            done, leaveToOwner(path, QStringLiteral("cancel"),
                               discard ? QStringList{QStringLiteral("discard")} : QStringList{}));
    }
    if (!done) {
        SignalPause signals;
        CW_TRY_ASSIGN(const auto migration, openMigration(path));
        const Outcome outcome = carryOut(*migration, command::Cancel{discard}, out, signals);
        CW_TRY(outcome.status);
    }
    if (standing.phase == Phase::Cancelled) {
        out.say(cwText("cli", "It was cancelled and discarded already; nothing was done.")
                    .translated());
        return Exit::Done;
    }
    out.say(cwText("cli", "Cancelled. %1 takes writes as before; nothing of Causeway is left.",
                   standing.settings.source.primary().display())
                .translated());
    if (!discard && standing.phase != Phase::Draft && standing.phase != Phase::Checked)
        out.say(cwText("cli", "What was copied to %1 is still there.",
                       standing.settings.target.fromHere.display())
                    .translated());
    return Exit::Done;
}
} // namespace

int answerCommand(const QStringList &a)
{
    return guarded(answer, a);
}
int cancelCommand(const QStringList &a)
{
    return guarded(cancel, a);
}

} // namespace causeway::cli
