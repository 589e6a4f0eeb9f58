#include "base/Stop.h"
#include "cli/Arguments.h"
#include "cli/Commands.h"
#include "cli/Output.h"
#include "cli/Passwords.h"
#include "cli/Standing.h"
#include "engine/ServerLook.h"
#include "report/Report.h"

#include <QFile>
#include <QFileInfo>
#include <QSaveFile>

namespace causeway::cli {

namespace {
/// What the file cannot know, since replication goes on without us. Servers that cannot be reached
/// are no reason to say nothing.
void askServers(Standing &standing)
{
    const Phase p = standing.phase;
    const bool native = replicatesWithoutUs(standing.settings);
    if (!standing.owner.isEmpty() || p == Phase::Draft || p == Phase::Checked ||
        p == Phase::Finished || p == Phase::Cancelled)
        return;
    // Through Causeway nothing comes meanwhile, but somebody may have written on the follower. (The
    // password of a replica's primary is not looked up here.)
    const bool follows = (p == Phase::Replica || p == Phase::Primary) &&
                         standing.settings.hasWayBack() && !standing.settings.source.writer;
    if (!native && !follows)
        return;
    Address source = standing.settings.source.fromHere, target = standing.settings.target.fromHere;
    source.password = findPasswordQuietly(source, Side::Source);
    target.password = findPasswordQuietly(target, Side::Target);
    // Whoever asks where it stands does not wait for a server that is away.
    std::stop_source begun;
    begun.request_stop();
    const StopAfter late(native ? std::stop_token() : begun.get_token(), std::chrono::seconds(3));
    const Status looked =
        lookAtServers(standing.settings, source, target, standing.status, late.token());
    if (!looked && native)
        standing.status.insert(
            QStringLiteral("warning"),
            cwText("cli", "The servers could not be asked: %1", looked.error().describe())
                .translated());
}

Result<int> status(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("status"),
                   QStringLiteral("Where a migration stands; at any time, also while it runs. "
                                  "Exit status 0 where all is well, else as of a run that "
                                  "stopped there."));
    args.positional(QStringLiteral("FILE"), QStringLiteral("the migration"));
    args.option(QStringLiteral("json"), QStringLiteral("as JSON"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString path, args.required(0));
    CW_TRY_ASSIGN(Standing standing, Standing::read(path));
    askServers(standing);
    // Somebody else wrote on the server that follows, or it does not follow any more: whoever
    // watches by script must see it.
    const bool alarm = standing.isAlarmed() ||
                       !standing.status.value(QStringLiteral("troubles")).toArray().isEmpty();
    int exit =
        alarm || standing.isCutShort() || standing.differs() || !standing.decision().isEmpty()
            ? Exit::NotReady
            : Exit::Done;
    // As the run that it stopped.
    if (exit == Exit::Done &&
        standing.status.value(QStringLiteral("run_state")).toString() == QLatin1String("failed"))
        exit = standing.status.value(QStringLiteral("error"))
                   .toObject()
                   .value(QStringLiteral("exit_status"))
                   .toInt(Exit::NotReady);
    if (out.json()) {
        out.emitJson(standing.status);
        return exit;
    }
    for (const QString &line : standing.lines())
        out.say(line);
    return exit;
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
    if (!args.isSet(QStringLiteral("html")) && !args.isSet(QStringLiteral("json")) &&
        !args.isSet(QStringLiteral("csv"))) {
        return fail(ErrorCode::Usage,
                    cwText("cli", "Say what to write: --html, --json or --csv with a file name."));
    }
    CW_TRY_ASSIGN(const auto journal, Journal::open(path, Journal::Access::Read));
    CW_TRY_ASSIGN(const MigrationReport model, readReport(*journal));
    const auto write = [&](const QString &option, const QByteArray &bytes) -> Status {
        if (!args.isSet(option))
            return {};
        CW_TRY(writeFile(args.value(option), bytes));
        out.say(cwText("cli", "Wrote %1.", args.value(option)).translated());
        return {};
    };
    CW_TRY(write(QStringLiteral("html"), reportHtml(model)));
    CW_TRY(write(QStringLiteral("json"), reportJson(model)));
    CW_TRY(write(QStringLiteral("csv"), reportCsv(model)));
    return Exit::Done;
}
} // namespace

Status writeFile(const QString &name, const QByteArray &bytes)
{
    const auto failed = [&](const QString &words) {
        Error e;
        e.code = ErrorCode::Io;
        e.id = QStringLiteral("file-not-written");
        e.message = cwText("cli", "%1 cannot be written: %2", name, words);
        e.object = name;
        return fail(std::move(e));
    };
    // A pipe or device (/dev/stdout) takes bytes, but cannot be replaced by a new file.
    if (QFileInfo info(name); info.exists() && !info.isFile()) {
        QFile file(name);
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.flush())
            return failed(file.errorString());
        return {};
    }
    QSaveFile file(name);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
        return failed(file.errorString());
    return {};
}

int statusCommand(const QStringList &a)
{
    return guarded(status, a);
}
int reportCommand(const QStringList &a)
{
    return guarded(report, a, false);
}

} // namespace causeway::cli
