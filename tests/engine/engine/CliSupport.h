#pragma once

#include "engine/engine/MigrationSupport.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <csignal>

namespace causeway::test {

struct Ended {
    int status = -1;
    bool killed = false;
    QByteArray output; ///< stdout and stderr
    /// The id that an error carries in --json output; "" where there was none.
    [[nodiscard]] QString errorId() const
    {
        for (const QByteArray &line : output.split('\n')) {
            const QJsonObject o = QJsonDocument::fromJson(line.trimmed()).object();
            const QJsonObject e = o.value(QStringLiteral("error")).toObject();
            if (!e.isEmpty())
                return e.value(QStringLiteral("id")).toString();
        }
        return {};
    }
    /// The last of it: the JSON of snapshots is long.
    [[nodiscard]] QByteArray tail() const
    {
        QByteArray out;
        const QList<QByteArray> lines = output.split('\n');
        for (const QByteArray &line : lines.mid(std::max<qsizetype>(0, lines.size() - 30)))
            out += (line.startsWith("{\"activity") ? line.left(60) : line.left(1000)) + '\n';
        // QtTest shows little more than a thousand characters of a message.
        return QByteArray::number(status) + (killed ? " killed " : " ") + errorId().toUtf8() +
               '\n' + out.right(900);
    }
    /// The last whole JSON object of the output.
    [[nodiscard]] QJsonObject json() const
    {
        QJsonObject last;
        for (const QByteArray &line : output.split('\n')) {
            const QJsonObject o = QJsonDocument::fromJson(line.trimmed()).object();
            if (!o.isEmpty())
                last = o;
        }
        return last;
    }
};

/// One causeway-cli under way, known by its process id.
class CliProcess {
public:
    explicit CliProcess(const QStringList &arguments, const QString &killAt = {},
                        const QString &stopAt = {})
    {
        QProcessEnvironment env = cliEnvironment();
        env.insert(QStringLiteral("CAUSEWAY_LOG"), QStringLiteral("info"));
        if (!killAt.isEmpty())
            env.insert(QStringLiteral("CAUSEWAY_KILL_AT"), killAt);
        if (!stopAt.isEmpty())
            env.insert(QStringLiteral("CAUSEWAY_STOP_AT"), stopAt);
        m_process.setProcessEnvironment(env);
        m_process.setProcessChannelMode(QProcess::MergedChannels);
        m_process.start(QStringLiteral(CAUSEWAY_CLI), arguments);
        m_process.waitForStarted();
    }
    ~CliProcess()
    {
        if (m_process.state() == QProcess::NotRunning)
            return;
        signal(SIGKILL);
        m_process.waitForFinished();
    }
    CliProcess(const CliProcess &) = delete;
    CliProcess &operator=(const CliProcess &) = delete;

    /// Whether it is stopped (SIGSTOP).
    [[nodiscard]] bool isStopped() const
    {
        QFile stat(QStringLiteral("/proc/%1/stat").arg(m_process.processId()));
        if (!stat.open(QIODevice::ReadOnly))
            return false;
        const QByteArray text = stat.readAll();
        return text.mid(text.lastIndexOf(')') + 2, 1) == "T";
    }
    void signal(int number) { ::kill(static_cast<pid_t>(m_process.processId()), number); }
    bool isRunning()
    {
        m_process.waitForFinished(0);
        return m_process.state() != QProcess::NotRunning;
    }
    /// Whether this is among what it has said so far.
    bool says(const char *words)
    {
        m_process.waitForReadyRead(0);
        return m_process.peek(m_process.bytesAvailable()).contains(words);
    }
    /// Whether it ended by itself within the time.
    bool waitForEnd(int ms)
    {
        return m_process.state() == QProcess::NotRunning || m_process.waitForFinished(ms);
    }
    Ended wait(int ms = 180'000)
    {
        Ended ended;
        if (!waitForEnd(ms)) {
            signal(SIGKILL);
            m_process.waitForFinished();
            ended.output = "did not end in time\n" + m_process.readAll();
            return ended;
        }
        ended.killed = m_process.exitStatus() == QProcess::CrashExit;
        ended.status = m_process.exitCode();
        ended.output = m_process.readAll();
        return ended;
    }

private:
    QProcess m_process;
};

inline Ended cli(const QStringList &arguments, const QString &killAt = {})
{
    return CliProcess(arguments, killAt).wait();
}

/// `run FILE --to GOAL ...`.
inline QStringList runArguments(const Pair &pair, const char *goal, const QStringList &more = {})
{
    return QStringList{QStringLiteral("run"), pair.file, QStringLiteral("--to"),
                       QString::fromLatin1(goal)} +
           more;
}

/// What `status --json` says of a migration.
inline QJsonObject statusOf(const QString &file)
{
    return cli({QStringLiteral("status"), file, QStringLiteral("--json")}).json();
}

/// Chunks that have been copied to a target so far.
inline qint64 chunksOn(TestServer &target)
{
    const QString there =
        target.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.tables WHERE "
                                     "table_schema='_causeway' AND table_name='chunk'"));
    return there == QLatin1String("0")
               ? 0
               : target.scalar(QStringLiteral("SELECT COUNT(*) FROM _causeway.chunk")).toLongLong();
}

inline void makeFile(const Pair &pair)
{
    const auto journal = Journal::create(pair.file, pair.settings);
    if (!journal)
        qFatal("%s", qPrintable(journal.error().describe()));
}

} // namespace causeway::test

/// The command ended with this status; otherwise the test fails with its output.
#define CW_EXITS(expression, expected)                                                             \
    do {                                                                                           \
        const Ended cwEnded_ = (expression);                                                       \
        QVERIFY2(cwEnded_.status == (expected) && !cwEnded_.killed, cwEnded_.tail().constData());  \
    } while (false)

/// And with this error id.
#define CW_FAILS(expression, expected, id)                                                         \
    do {                                                                                           \
        const Ended cwEnded_ = (expression);                                                       \
        QVERIFY2(cwEnded_.status == (expected) && cwEnded_.errorId() == QLatin1String(id),         \
                 cwEnded_.tail().constData());                                                     \
    } while (false)

/// Both sides hold the same rows.
#define CW_EQUAL(pair)                                                                             \
    do {                                                                                           \
        const QStringList cwDifferences_ =                                                         \
            compareServers((pair).source, (pair).target, {QStringLiteral("shop")}, rowsOnly());    \
        QVERIFY2(cwDifferences_.isEmpty(), qPrintable(cwDifferences_.join(QLatin1Char('\n'))));    \
    } while (false)
