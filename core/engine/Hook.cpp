#include "engine/Hook.h"

#include "base/Log.h"
#include "base/Secret.h"
#include "base/Stop.h"

#include <QProcess>
#include <QProcessEnvironment>

namespace causeway {

namespace {
constexpr int kLimitMs = 5 * 60'000;
constexpr int kSliceMs = 100;
} // namespace

Status runHook(const QString &command, const QMap<QString, QString> &environment,
               std::stop_token stop)
{
    QProcess process;
    QProcessEnvironment env = QProcessEnvironment::systemEnvironment();
    for (const QString &name : env.keys()) {
        if (name.startsWith(QLatin1String("CAUSEWAY_")) &&
            name.endsWith(QLatin1String("_PASSWORD")))
            env.remove(name);
    }
    for (auto it = environment.begin(); it != environment.end(); ++it)
        env.insert(it.key(), it.value());
    process.setProcessEnvironment(env);
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(QStringLiteral("/bin/sh"), {QStringLiteral("-c"), command});
    int waited = 0;
    bool ended = process.waitForStarted(5'000);
    while (ended && !process.waitForFinished(kSliceMs) && process.state() != QProcess::NotRunning) {
        waited += kSliceMs;
        if (stop.stop_requested() || waited > kLimitMs) {
            process.kill();
            process.waitForFinished(2'000);
            ended = false;
        }
    }
    const QString output = redact(QString::fromLocal8Bit(process.readAll())).trimmed();
    if (!output.isEmpty())
        logInfo(QStringLiteral("Hook: %1").arg(output.left(4000)));
    if (stop.stop_requested())
        return fail(cancelledError());
    if (!ended || process.exitStatus() != QProcess::NormalExit || process.exitCode() != 0) {
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("hook-failed");
        e.message =
            ended ? cwText("core", "The hook command ended with status %1.", process.exitCode())
                  : cwText("core", "The hook command could not be run to its end.");
        e.serverWords = output.right(500);
        e.object = redact(command);
        return fail(std::move(e));
    }
    return {};
}

} // namespace causeway
