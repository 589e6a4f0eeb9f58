#include "postgres/ChildProcess.h"

#include "base/Stop.h"

#include <QFile>
#include <QProcess>
#include <QProcessEnvironment>
#include <QTemporaryFile>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace causeway::postgres {

namespace {

constexpr int kSliceMs = 50;  ///< between looks at the stop token
constexpr int kGraceMs = 500; ///< for the program to cancel what it does on the server

/// A passfile that lives as long as this object. On Linux it is in memory: nothing is left behind
/// even if we are killed.
class PassFile {
public:
    PassFile() = default;
    PassFile(const PassFile &) = delete;
    PassFile &operator=(const PassFile &) = delete;
    ~PassFile()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }

    Status write(const Secret &password)
    {
        QByteArray line = password.reveal();
        line.replace('\\', "\\\\").replace(':', "\\:");
        line = "*:*:*:*:" + line + '\n';
#ifdef __linux__
        m_fd = ::memfd_create("causeway", MFD_CLOEXEC);
        if (m_fd >= 0) {
            // libpq refuses a passfile that others may read.
            if (::fchmod(m_fd, S_IRUSR | S_IWUSR) == 0 &&
                ::write(m_fd, line.constData(), static_cast<std::size_t>(line.size())) ==
                    static_cast<ssize_t>(line.size())) {
                m_path = QStringLiteral("/proc/self/fd/%1").arg(m_fd);
                return {};
            }
            ::close(m_fd);
            m_fd = -1;
        }
#endif
        if (!m_file.open() || m_file.write(line) != line.size() || !m_file.flush())
            return fail(ErrorCode::Io,
                        cwText("core", "A temporary file for the password cannot be written."),
                        QStringLiteral("passfile"));
        m_path = m_file.fileName();
        return {};
    }

    [[nodiscard]] QString path() const
    {
        return m_path;
    }
    /// The descriptor that the child must inherit; -1 where it is a file on disk.
    [[nodiscard]] int inherited() const
    {
        return m_fd;
    }

private:
    int m_fd = -1;
    QTemporaryFile m_file; ///< made with mode 0600
    QString m_path;
};

QProcessEnvironment environment()
{
    QProcessEnvironment env = QProcessEnvironment::systemEnvironment();
    const QStringList keys = env.keys();
    for (const QString &key : keys) {
        // libpq's variables would change what was asked for, but for how it encrypts and where a
        // password lies, which hold for our own sessions too. Secrets are nobody's business.
        const bool stays =
            key.startsWith(QLatin1String("PGSSL")) || key.startsWith(QLatin1String("PGGSS")) ||
            key.startsWith(QLatin1String("PGKRB")) || key == QLatin1String("PGPASSFILE");
        if ((key.startsWith(QLatin1String("PG")) && !stays) ||
            key.contains(QLatin1String("PASSWORD")))
            env.remove(key);
    }
    env.insert(QStringLiteral("LC_ALL"), QStringLiteral("C")); // its words are looked at
    return env;
}

} // namespace

Result<ChildRun> runChild(const QString &program, const QStringList &arguments,
                          const Secret &password, std::stop_token stop)
{
    if (stop.stop_requested())
        return fail(cancelledError());
    QProcessEnvironment env = environment();
    PassFile passFile;
    if (!password.isEmpty()) {
        CW_TRY(passFile.write(password));
        env.insert(QStringLiteral("PGPASSFILE"), passFile.path());
    }
    QProcess process;
    process.setProcessEnvironment(env);
    process.setStandardInputFile(QProcess::nullDevice());
    if (passFile.inherited() >= 0)
        process.setChildProcessModifier([fd = passFile.inherited()] { ::fcntl(fd, F_SETFD, 0); });
    process.start(program, arguments);
    if (!process.waitForStarted(10'000)) {
        Error e;
        e.code = ErrorCode::Io;
        e.id = QStringLiteral("pg-program");
        e.object = program;
        e.message = cwText("core", "%1 does not start.", program);
        e.serverWords = process.errorString();
        return fail(std::move(e));
    }
    while (!process.waitForFinished(kSliceMs)) {
        if (process.state() == QProcess::NotRunning)
            break;
        if (stop.stop_requested()) {
            process.terminate();
            if (!process.waitForFinished(kGraceMs)) {
                process.kill();
                process.waitForFinished(-1);
            }
            return fail(cancelledError());
        }
    }
    ChildRun run;
    run.exitStatus = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : 128;
    run.output = process.readAllStandardOutput();
    run.words = redact(QString::fromUtf8(process.readAllStandardError()).trimmed());
    return run;
}

} // namespace causeway::postgres
