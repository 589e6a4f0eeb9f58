#pragma once

#include "engine/Migration.h"
#include "servers/Compare.h"
#include "servers/TestServer.h"
#include "servers/Workload.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>

#include <memory>

namespace causeway::test {

/// A source, an empty target, and accounts of Causeway's own on both; what moves is `schemas`.
struct Pair {
    TestServer source, target;
    QTemporaryDir folder;
    Settings settings;
    QString password = QStringLiteral("mover-secret"); ///< of settings' account on both sides
    QString file;

    Pair(const ServerOptions &sourceOptions, const ServerOptions &targetOptions,
         const QStringList &schemas = {QStringLiteral("shop")})
        : source(sourceOptions), target(targetOptions)
    {
        for (TestServer *server : {&source, &target}) {
            server->exec(QStringLiteral("CREATE USER 'mover'@'%' IDENTIFIED BY 'mover-secret'"));
            server->exec(QStringLiteral("GRANT ALL ON *.* TO 'mover'@'%' WITH GRANT OPTION"));
        }
        settings.source.fromHere = source.address(QStringLiteral("mover"),
                                                  QStringLiteral("mover-secret"), schemas.first());
        settings.target.fromHere = target.address(QStringLiteral("mover"),
                                                  QStringLiteral("mover-secret"), schemas.first());
        settings.selection.schemas = schemas;
        file = folder.filePath(QStringLiteral("m.causeway"));
    }

    std::unique_ptr<Migration> open()
    {
        if (!QFile::exists(file)) {
            const auto journal = Journal::create(file, settings);
            if (!journal)
                qFatal("%s", qPrintable(journal.error().describe()));
        }
        Migration::Secrets secrets;
        secrets.source = Secret(password);
        secrets.target = Secret(password);
        secrets.sourceWriter = Secret(password);
        auto migration = Migration::open(file, secrets);
        if (!migration)
            qFatal("%s", qPrintable(migration.error().describe()));
        return std::move(*migration);
    }
};

inline CompareOptions rowsOnly()
{
    CompareOptions options;
    options.objects = false;
    return options;
}

inline Outcome carryOut(Migration &migration, Command command)
{
    const quint64 seen = migration.lastOutcome().first;
    migration.post(std::move(command));
    return migration.waitOutcome(seen);
}

inline QByteArray describe(const Outcome &outcome)
{
    return outcome.status ? QByteArray("ok") : outcome.status.error().describe().toUtf8();
}

inline Status runTo(Migration &migration, Goal goal, bool open = false)
{
    command::RunTo wanted;
    wanted.goal = goal;
    wanted.oldSourceOpen = open;
    return carryOut(migration, wanted).status;
}

/// What is wrong while the application stands still and the follower has caught up: rows of `shop`
/// that differ, answered COMMITs that the leader lacks. Empty = nothing.
inline QStringList problemsOf(Pair &pair, const Workload &writer, TestServer &leader)
{
    QStringList out =
        compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly());
    for (const std::string &uuid : writer.lostOn(leader))
        out << QStringLiteral("lost: ") + QString::fromStdString(uuid);
    return out;
}

/// Most memory that a process ever had, in MiB; 0 where it is gone.
inline double peakMemoryOf(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/status").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    for (const QByteArray &line : file.readAll().split('\n')) {
        if (line.startsWith("VmHWM:"))
            return line.mid(6).simplified().split(' ').value(0).toDouble() / 1024;
    }
    return 0;
}

/// Environment of causeway-cli with the passwords of Pair.
inline QProcessEnvironment cliEnvironment()
{
    QProcessEnvironment env = QProcessEnvironment::systemEnvironment();
    env.insert(QStringLiteral("CAUSEWAY_SOURCE_PASSWORD"), QStringLiteral("mover-secret"));
    env.insert(QStringLiteral("CAUSEWAY_TARGET_PASSWORD"), QStringLiteral("mover-secret"));
    return env;
}

} // namespace causeway::test

/// The status is a success; otherwise the test fails with the error's words.
#define CW_VERIFY(expression)                                                                      \
    do {                                                                                           \
        const auto cwOutcome_ = (expression);                                                      \
        QVERIFY2(cwOutcome_.has_value(),                                                           \
                 cwOutcome_ ? "" : qPrintable(cwOutcome_.error().describe()));                     \
    } while (false)
