#include "servers/Support.h"

#include "servers/ServerProcess.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QRandomGenerator>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <set>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

namespace causeway::test {
namespace fs = std::filesystem;
namespace {

constexpr uid_t kNobody = 65534;

std::mutex &folderMutex()
{
    static std::mutex mutex;
    return mutex;
}

// Folders of the servers alive in this process; kept so that fatal() can remove them.
std::set<QString> &liveFolders()
{
    static auto *folders = new std::set<QString>;
    return *folders;
}

void removeTree(const QString &path)
{
    std::error_code ignored;
    fs::remove_all(path.toStdString(), ignored);
}

bool portIsFree(quint16 port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    // As the servers do: connections in TIME_WAIT do not count.
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free = ::bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0;
    ::close(fd);
    return free;
}

// Folders of programs that were killed: nobody holds their lock any more.
void sweepLeftovers()
{
    const QFileInfoList found =
        QDir(QDir::tempPath())
            .entryInfoList({QStringLiteral("causeway-test-*")}, QDir::Dirs | QDir::NoDotAndDotDot);
    for (const QFileInfo &folder : found) {
        const QString lockFile = folder.filePath() + QStringLiteral("/owner.lock");
        if (!QFileInfo::exists(lockFile))
            continue; // being made at this moment
        const FileLock lock(lockFile, FileLock::Wait::No);
        if (lock.held())
            removeTree(folder.filePath());
    }
}

} // namespace

void fatal(const QString &message)
{
    std::fprintf(stderr, "FAIL!  : %s\n", qPrintable(message));
    std::fflush(stderr);
    {
        const std::lock_guard lock(folderMutex());
        for (const QString &folder : liveFolders())
            removeTree(folder);
    }
    std::abort();
}

QString cacheFolder()
{
    QString folder = qEnvironmentVariable("CAUSEWAY_TEST_CACHE");
    if (folder.isEmpty()) {
        QString base = qEnvironmentVariable("XDG_CACHE_HOME");
        if (base.isEmpty())
            base = QDir::homePath() + QStringLiteral("/.cache");
        folder = base + QStringLiteral("/causeway-tests");
    }
    if (!QDir().mkpath(folder))
        fatal(QStringLiteral("cannot make the folder %1").arg(folder));
    return folder;
}

QString sharedCacheFolder()
{
    if (::geteuid() != 0 || qEnvironmentVariableIsSet("CAUSEWAY_TEST_CACHE"))
        return cacheFolder();
    QString folder = QStringLiteral("/var/cache/causeway-tests");
    if (!QDir().mkpath(folder))
        fatal(QStringLiteral("cannot make the folder %1").arg(folder));
    return folder;
}

QString fetchedTree(const QString &script, const QString &argument, const QString &folder)
{
    if (QFileInfo::exists(folder + QStringLiteral("/.done")))
        return folder;
    QStringList command{QStringLiteral(CAUSEWAY_SERVER_SCRIPTS "/") + script};
    if (!argument.isEmpty())
        command << argument;
    // Not beside other users' temporary files: the log may be wanted after a failure.
    runTool(command << folder, folder + QStringLiteral(".log"), false);
    return folder;
}

void runTool(const QStringList &command, const QString &logFile, bool unprivileged)
{
    ServerProcess process;
    process.start({command, logFile, SIGTERM, SIGKILL, unprivileged});
    if (!process.waitForEnd(std::chrono::minutes(10)) || process.exitStatus() != 0)
        fatal(QStringLiteral("%1 failed:\n%2").arg(command.join(u' '), tailOf(logFile)));
}

void copyTree(const QString &from, const QString &to)
{
    std::error_code error;
    fs::copy(from.toStdString(), to.toStdString(), fs::copy_options::recursive, error);
    if (error)
        fatal(QStringLiteral("cannot copy %1 to %2: %3")
                  .arg(from, to, QString::fromStdString(error.message())));
}

void giveAway(const QString &folder)
{
    if (::geteuid() != 0)
        return;
    (void)!::lchown(QFile::encodeName(folder).constData(), kNobody, kNobody);
    for (const auto &entry : fs::recursive_directory_iterator(folder.toStdString()))
        (void)!::lchown(entry.path().c_str(), kNobody, kNobody);
}

QString tailOf(const QString &file)
{
    QFile log(file);
    if (!log.open(QIODevice::ReadOnly))
        return QStringLiteral("(no %1)").arg(file);
    constexpr qint64 kTail = 6000;
    if (log.size() > kTail)
        log.seek(log.size() - kTail);
    return QString::fromUtf8(log.readAll());
}

FileLock::FileLock(const QString &file, Wait wait)
    : m_fd(::open(QFile::encodeName(file).constData(), O_RDWR | O_CREAT | O_CLOEXEC, 0666))
{
    if (m_fd < 0)
        return;
    int result = 0;
    do
        result = ::flock(m_fd, wait == Wait::Yes ? LOCK_EX : LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result != 0) {
        ::close(m_fd);
        m_fd = -1;
    }
}

FileLock::FileLock(FileLock &&other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}

FileLock &FileLock::operator=(FileLock &&other) noexcept
{
    std::swap(m_fd, other.m_fd);
    return *this;
}

FileLock::~FileLock()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

PortLease::PortLease()
{
    const QString folder = QDir::tempPath() + QStringLiteral("/causeway-ports-%1").arg(::getuid());
    QDir().mkpath(folder);
    for (int attempt = 0; attempt < 500; ++attempt) {
        const auto port = static_cast<quint16>(QRandomGenerator::global()->bounded(12'000, 32'000));
        FileLock lock(folder + QStringLiteral("/%1").arg(port), FileLock::Wait::No);
        if (lock.held() && portIsFree(port)) {
            m_lock = std::move(lock);
            m_port = port;
            return;
        }
    }
    fatal(QStringLiteral("found no free loopback port (see %1)").arg(folder));
}

ServerFolder::ServerFolder()
{
    static std::once_flag once;
    std::call_once(once, sweepLeftovers);
    // Gets its real name once it is locked: a sweep in another program cannot take it for a
    // leftover.
    QByteArray path = QFile::encodeName(QDir::tempPath() + QStringLiteral("/causeway-new-XXXXXX"));
    if (::mkdtemp(path.data()) == nullptr)
        fatal(QStringLiteral("cannot make a folder in %1").arg(QDir::tempPath()));
    const QString fresh = QFile::decodeName(path);
    m_lock = FileLock(fresh + QStringLiteral("/owner.lock"), FileLock::Wait::Yes);
    m_path =
        QString(fresh).replace(QStringLiteral("causeway-new-"), QStringLiteral("causeway-test-"));
    if (!QDir().rename(fresh, m_path))
        fatal(QStringLiteral("cannot rename %1").arg(fresh));
    const std::lock_guard lock(folderMutex());
    liveFolders().insert(m_path);
}

ServerFolder::~ServerFolder()
{
    const std::lock_guard lock(folderMutex());
    liveFolders().erase(m_path);
    removeTree(m_path);
}

} // namespace causeway::test
