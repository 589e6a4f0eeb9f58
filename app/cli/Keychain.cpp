#include "cli/Keychain.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QProcess>
#include <QTimer>

#include <cstdio>

#ifdef CAUSEWAY_KEYCHAIN
#include <qt6keychain/keychain.h>
#endif

namespace causeway::cli {

QString keychainKey(const Address &a)
{
    return QStringLiteral("%1://%2@%3:%4")
        .arg(a.engine == Engine::Postgres ? QStringLiteral("postgresql") : QStringLiteral("mysql"),
             a.user, a.host, QString::number(a.port));
}

#ifdef CAUSEWAY_KEYCHAIN

namespace {
constexpr int kPatienceMs = 3'000;

/// Without a session bus there is no keychain to ask: the common case on a server.
bool hasSessionBus()
{
    return qEnvironmentVariableIsSet("DBUS_SESSION_BUS_ADDRESS") ||
           (qEnvironmentVariableIsSet("XDG_RUNTIME_DIR") &&
            QFileInfo::exists(qEnvironmentVariable("XDG_RUNTIME_DIR") + QStringLiteral("/bus")));
}
} // namespace

std::optional<QString> keychainPassword(const Address &address)
{
    if (!hasSessionBus())
        return std::nullopt;
    QProcess reader;
    reader.setStandardInputFile(QProcess::nullDevice());
    reader.setStandardErrorFile(QProcess::nullDevice());
    reader.start(QCoreApplication::applicationFilePath(),
                 {QStringLiteral("keychain-read"), keychainKey(address)});
    if (!reader.waitForFinished(kPatienceMs)) {
        reader.kill();
        reader.waitForFinished(1'000);
        return std::nullopt;
    }
    if (reader.exitStatus() != QProcess::NormalExit || reader.exitCode() != 0)
        return std::nullopt;
    return QString::fromUtf8(reader.readAllStandardOutput());
}

int readKeychain(const QString &key)
{
    QKeychain::ReadPasswordJob job(QStringLiteral("causeway"));
    job.setAutoDelete(false);
    job.setInsecureFallback(false); // no file of our own with passwords in it
    job.setKey(key);
    QObject::connect(&job, &QKeychain::Job::finished, QCoreApplication::instance(),
                     [] { QCoreApplication::quit(); });
    QTimer::singleShot(kPatienceMs, QCoreApplication::instance(),
                       [] { QCoreApplication::exit(1); });
    job.start();
    if (QCoreApplication::exec() != 0 || job.error() != QKeychain::NoError)
        return 1;
    const QByteArray password = job.textData().toUtf8();
    std::fwrite(password.constData(), 1, static_cast<std::size_t>(password.size()), stdout);
    return 0;
}

#else

std::optional<QString> keychainPassword(const Address &)
{
    return std::nullopt;
}

int readKeychain(const QString &)
{
    return 1;
}

#endif

} // namespace causeway::cli
