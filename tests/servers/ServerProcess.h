#pragma once

#include <QString>
#include <QStringList>

#include <chrono>
#include <vector>

#include <sys/types.h>

namespace causeway::test {

/// What to start and how.
struct Launch {
    QStringList command;
    QString log; ///< stdout and stderr are appended to it
    int orderlySignal;
    int deathSignal;           ///< sent by the kernel when the test program dies
    bool unprivileged = false; ///< as "nobody" where we are root (PostgreSQL refuses root)
};

/// One child process, known by its id only. Dies with the test program, whatever thread made it.
class ServerProcess {
public:
    ServerProcess() = default;
    ~ServerProcess();
    ServerProcess(const ServerProcess &) = delete;
    ServerProcess &operator=(const ServerProcess &) = delete;

    void start(const Launch &launch);
    /// Waits until it ended; false after the time.
    bool waitForEnd(std::chrono::milliseconds time);
    [[nodiscard]] bool isRunning();
    /// Orderly; killed where it does not end within a minute.
    void stop();
    /// SIGKILL for it and its children, and waits until all are gone.
    void kill();
    void suspend(); ///< it and its children, which PostgreSQL's are
    void resume();
    [[nodiscard]] pid_t pid() const { return m_pid; }
    [[nodiscard]] int exitStatus() const { return m_status; }

private:
    [[nodiscard]] std::vector<pid_t> children() const;
    void ended(int status);

    pid_t m_pid = -1;
    int m_pidFd = -1;
    int m_status = 0;
    int m_orderlySignal = 0;
    bool m_suspended = false;
};

} // namespace causeway::test
