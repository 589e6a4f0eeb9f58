#include "servers/ServerProcess.h"

#include "servers/Support.h"

#include <QFile>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace causeway::test {
namespace {

constexpr uid_t kNobody = 65534;

struct Spawn {
    std::vector<std::string> arguments;
    std::string log;
    int deathSignal = SIGKILL;
    bool unprivileged = false;
};

// Runs between fork and exec, in a copy of a program with other threads: system calls only.
[[noreturn]] void becomeServer(const Spawn &spawn, char *const *argv, pid_t parent)
{
    const int log = ::open(spawn.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    const int null = ::open("/dev/null", O_RDONLY);
    if (log < 0 || null < 0)
        _exit(126);
    ::dup2(null, 0);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
    // A Ctrl-C is for the test program; the server then ends by the death signal.
    ::setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (spawn.unprivileged && ::geteuid() == 0) {
        if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
            ::setresuid(kNobody, kNobody, kNobody) != 0)
            _exit(125);
    }
    // After the change of user, which resets it.
    ::prctl(PR_SET_PDEATHSIG, spawn.deathSignal);
    if (::getppid() != parent)
        _exit(124);
    ::execv(argv[0], argv);
    const char *words = std::strerror(errno);
    (void)!::write(2, argv[0], std::strlen(argv[0]));
    (void)!::write(2, ": ", 2);
    (void)!::write(2, words, std::strlen(words));
    (void)!::write(2, "\n", 1);
    _exit(127);
}

// The death signal is sent when the *thread* that forked ends, and a test may well make its servers
// on short-lived threads. So one thread, which lives as long as the program, forks them all.
class Spawner {
public:
    static Spawner &instance()
    {
        static auto *spawner = new Spawner;
        return *spawner;
    }

    pid_t spawn(const Spawn &what)
    {
        const std::lock_guard oneAtATime(m_callers);
        std::unique_lock lock(m_mutex);
        m_request = &what;
        m_wake.notify_all();
        m_wake.wait(lock, [this] { return m_request == nullptr; });
        return m_result;
    }

private:
    Spawner() { std::thread(&Spawner::run, this).detach(); }

    void run()
    {
        std::unique_lock lock(m_mutex);
        for (;;) {
            m_wake.wait(lock, [this] { return m_request != nullptr; });
            std::vector<char *> argv;
            for (const std::string &argument : m_request->arguments)
                argv.push_back(const_cast<char *>(argument.c_str()));
            argv.push_back(nullptr);
            const pid_t parent = ::getpid();
            const pid_t child = ::fork();
            if (child == 0)
                becomeServer(*m_request, argv.data(), parent);
            m_result = child;
            m_request = nullptr;
            m_wake.notify_all();
        }
    }

    std::mutex m_callers;
    std::mutex m_mutex;
    std::condition_variable m_wake;
    const Spawn *m_request = nullptr;
    pid_t m_result = -1;
};

int openPid(pid_t pid)
{
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
}

} // namespace

ServerProcess::~ServerProcess()
{
    if (isRunning())
        kill();
}

void ServerProcess::start(const Launch &launch)
{
    Spawn spawn;
    for (const QString &argument : launch.command)
        spawn.arguments.push_back(argument.toStdString());
    spawn.log = launch.log.toStdString();
    spawn.deathSignal = launch.deathSignal;
    spawn.unprivileged = launch.unprivileged;
    m_orderlySignal = launch.orderlySignal;
    m_suspended = false;
    m_status = 0;
    m_pid = Spawner::instance().spawn(spawn);
    if (m_pid < 0)
        fatal(QStringLiteral("could not fork for %1").arg(launch.command.value(0)));
    m_pidFd = openPid(m_pid);
    if (m_pidFd < 0)
        fatal(QStringLiteral("this kernel has no pidfd_open"));
}

void ServerProcess::ended(int status)
{
    ::close(m_pidFd);
    m_pidFd = -1;
    m_pid = -1;
    m_status = status;
}

bool ServerProcess::waitForEnd(std::chrono::milliseconds time)
{
    if (m_pid < 0)
        return true;
    const auto deadline = std::chrono::steady_clock::now() + time;
    for (;;) {
        int status = 0;
        if (::waitpid(m_pid, &status, WNOHANG) == m_pid) {
            ended(status);
            return true;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            return false;
        pollfd fd{m_pidFd, POLLIN, 0};
        ::poll(&fd, 1, static_cast<int>(left.count()));
    }
}

bool ServerProcess::isRunning()
{
    return !waitForEnd(std::chrono::milliseconds(0));
}

void ServerProcess::stop()
{
    if (!isRunning())
        return;
    resume();
    ::kill(m_pid, m_orderlySignal);
    if (!waitForEnd(std::chrono::minutes(1)))
        kill();
}

std::vector<pid_t> ServerProcess::children() const
{
    QFile file(QStringLiteral("/proc/%1/task/%1/children").arg(m_pid));
    std::vector<pid_t> result;
    if (file.open(QIODevice::ReadOnly)) {
        const QByteArrayList words = file.readAll().simplified().split(' ');
        for (const QByteArray &word : words) {
            if (!word.isEmpty())
                result.push_back(word.toInt());
        }
    }
    return result;
}

void ServerProcess::kill()
{
    if (!isRunning())
        return;
    // Stopped first, so that it makes no new child between the list and the signal. What dies with
    // its parent only would go on writing for a moment, and a restart would refuse to begin.
    ::kill(m_pid, SIGSTOP);
    std::vector<int> fds;
    for (const pid_t child : children()) {
        const int fd = openPid(child);
        if (fd < 0)
            continue;
        ::syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0U);
        fds.push_back(fd);
    }
    ::kill(m_pid, SIGKILL);
    waitForEnd(std::chrono::hours(1));
    for (const int fd : fds) {
        pollfd wait{fd, POLLIN, 0};
        ::poll(&wait, 1, 60'000);
        ::close(fd);
    }
    m_suspended = false;
}

void ServerProcess::suspend()
{
    if (!isRunning())
        return;
    ::kill(m_pid, SIGSTOP);
    for (const pid_t child : children())
        ::kill(child, SIGSTOP);
    m_suspended = true;
}

void ServerProcess::resume()
{
    if (!m_suspended || !isRunning())
        return;
    for (const pid_t child : children())
        ::kill(child, SIGCONT);
    ::kill(m_pid, SIGCONT);
    m_suspended = false;
}

} // namespace causeway::test
