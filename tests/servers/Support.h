#pragma once

#include <QString>
#include <QStringList>

#include <string>

namespace causeway::test {

/// Removes what the live servers of this process left on disk, prints `message` and aborts: a
/// server that a test needs and does not get is a failure of that test, never a reason to skip it.
[[noreturn]] void fatal(const QString &message);

/// ${CAUSEWAY_TEST_CACHE:-${XDG_CACHE_HOME:-~/.cache}/causeway-tests}, created.
QString cacheFolder();
/// The same, for programs that run as another user where we are root: root's own cache is closed to
/// it, and then this is /var/cache/causeway-tests.
QString sharedCacheFolder();
/// The folder of an unpacked package tree: `script FOLDER-ARGUMENTS folder` makes it where it is
/// not there yet. Fatal where that fails.
QString fetchedTree(const QString &script, const QString &argument, const QString &folder);

/// Runs a program to its end; fatal() with its output where it fails. `user` as in ServerProcess.
void runTool(const QStringList &command, const QString &logFile, bool unprivileged);

/// Copies a folder with everything in it; files keep their mode.
void copyTree(const QString &from, const QString &to);
/// Gives a folder with everything in it to the account that unprivileged children run as.
void giveAway(const QString &folder);
/// The last lines of a text file.
QString tailOf(const QString &file);

/// An advisory lock on a file, held between processes and threads; given back when it goes.
class FileLock {
public:
    enum class Wait { Yes, No };
    FileLock() = default;
    FileLock(const QString &file, Wait wait);
    FileLock(FileLock &&other) noexcept;
    FileLock &operator=(FileLock &&other) noexcept;
    FileLock(const FileLock &) = delete;
    FileLock &operator=(const FileLock &) = delete;
    ~FileLock();
    [[nodiscard]] bool held() const { return m_fd >= 0; }

private:
    int m_fd = -1;
};

/// A loopback port that no other test on this machine takes as long as this object lives. It lies
/// below the ephemeral range, so that a server can be restarted on it: an outgoing connection of
/// somebody else cannot sit on it meanwhile.
class PortLease {
public:
    PortLease();
    [[nodiscard]] quint16 port() const { return m_port; }

private:
    FileLock m_lock;
    quint16 m_port = 0;
};

/// A temporary folder that a later test program removes if this one is killed before it can.
class ServerFolder {
public:
    ServerFolder();
    ~ServerFolder();
    ServerFolder(const ServerFolder &) = delete;
    ServerFolder &operator=(const ServerFolder &) = delete;
    [[nodiscard]] QString path() const { return m_path; }

private:
    FileLock m_lock;
    QString m_path;
};

} // namespace causeway::test
