#pragma once

#include "engine/engine/MigrationSupport.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <csignal>

namespace causeway::test {

/// What one run of causeway-cli left behind.
struct CliRun {
    int status = -1; ///< -1: ended by a signal, or not in time
    QByteArray out, err;

    /// Every line of standard output as JSON; empty where one is not.
    [[nodiscard]] std::vector<QJsonObject> json() const
    {
        std::vector<QJsonObject> objects;
        for (const QByteArray &line : out.trimmed().split('\n')) {
            const QJsonDocument doc = QJsonDocument::fromJson(line);
            if (!doc.isObject())
                return {};
            objects.push_back(doc.object());
        }
        return objects;
    }
    [[nodiscard]] QJsonObject last() const
    {
        const auto all = json();
        return all.empty() ? QJsonObject() : all.back();
    }
    [[nodiscard]] QByteArray all() const { return out + "\n--\n" + err; }
};

/// causeway-cli as a script sees it: no terminal, a folder and a home of its own.
class Cli {
public:
    explicit Cli(const QProcessEnvironment &environment = cliEnvironment())
        : m_environment(environment)
    {
        m_environment.insert(QStringLiteral("HOME"), m_home.path());
        // Not the keychain of whoever runs the tests.
        m_environment.remove(QStringLiteral("DBUS_SESSION_BUS_ADDRESS"));
        m_environment.remove(QStringLiteral("XDG_RUNTIME_DIR"));
        m_environment.insert(QStringLiteral("LC_ALL"), QStringLiteral("C.UTF-8"));
    }
    QProcessEnvironment &environment() { return m_environment; }
    [[nodiscard]] QString home(const QString &name) const { return m_home.filePath(name); }

    CliRun operator()(const QStringList &arguments, int seconds = 120)
    {
        const auto process = start(arguments);
        return finish(*process, seconds);
    }
    std::unique_ptr<QProcess> start(const QStringList &arguments)
    {
        auto process = std::make_unique<QProcess>();
        process->setProcessEnvironment(m_environment);
        process->setStandardInputFile(QProcess::nullDevice());
        process->start(QStringLiteral(CAUSEWAY_CLI), arguments);
        process->waitForStarted();
        return process;
    }
    static CliRun finish(QProcess &process, int seconds = 120)
    {
        CliRun run;
        if (process.state() != QProcess::NotRunning && !process.waitForFinished(seconds * 1000)) {
            process.kill();
            process.waitForFinished();
            run.err = "did not end in time\n";
        } else if (process.exitStatus() == QProcess::NormalExit) {
            run.status = process.exitCode();
        }
        run.out += process.readAllStandardOutput();
        run.err += process.readAllStandardError();
        return run;
    }
    QJsonObject status(const QString &file)
    {
        return (*this)({QStringLiteral("status"), file, QStringLiteral("--json")}).last();
    }
    /// Waits until `status` says so.
    template <class F> bool waitForStatus(const QString &file, F &&holds, int seconds = 60)
    {
        QElapsedTimer time;
        time.start();
        while (time.elapsed() < seconds * 1000) {
            if (holds(status(file)))
                return true;
            QTest::qWait(50);
        }
        return false;
    }

private:
    QProcessEnvironment m_environment;
    QTemporaryDir m_home;
};

inline QString text(const QJsonObject &o, const char *name)
{
    return o.value(QLatin1String(name)).toString();
}

} // namespace causeway::test

/// The command ended with this status; otherwise the test fails with what it printed.
#define CW_STATUS(run, wanted)                                                                     \
    do {                                                                                           \
        const auto &cwRun_ = (run);                                                                \
        QVERIFY2(cwRun_.status == (wanted),                                                        \
                 (QByteArray::number(cwRun_.status) + " " + cwRun_.all()).constData());            \
    } while (false)
