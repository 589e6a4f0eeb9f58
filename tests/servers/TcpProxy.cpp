#include "servers/Support.h"
#include "servers/TestServer.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace causeway::test {
namespace {

constexpr qint64 kNoBudget = -1;
constexpr std::size_t kBuffer = 256 * 1024;

sockaddr_in loopback(quint16 port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// Closed with a reset: what was under way is lost, as when a cable is pulled or a firewall cuts.
void reset(int &fd)
{
    if (fd < 0)
        return;
    const linger now{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(fd);
    fd = -1;
}

void closeQuietly(int &fd)
{
    if (fd >= 0)
        ::close(fd);
    fd = -1;
}

struct Pipe {
    std::string bytes;  ///< read from one side, not yet written to the other
    bool ended = false; ///< the reading side got an end of stream
    bool told = false;  ///< and it was passed on
};

struct Connection {
    int client = -1;
    int server = -1;
    Pipe up;   ///< client to server
    Pipe down; ///< server to client
    qint64 budget = kNoBudget;
    bool half = false; ///< the server's side is gone and the client was told nothing
};

} // namespace

struct TcpProxy::Private {
    Private(quint16 target, const QString &from) : targetPort(target), source(from.toLatin1())
    {
        wakeFd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        listen();
        thread = std::thread(&Private::run, this);
    }

    ~Private()
    {
        {
            const std::lock_guard lock(mutex);
            quit = true;
            changed();
        }
        thread.join();
        for (Connection &c : connections)
            drop(c);
        closeQuietly(listener);
        closeQuietly(wakeFd);
    }

    void listen()
    {
        listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const int on = 1;
        ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        const sockaddr_in address = loopback(lease.port());
        if (::bind(listener, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
            ::listen(listener, 128) != 0)
            fatal(QStringLiteral("the proxy cannot listen on port %1").arg(lease.port()));
    }

    static void drop(Connection &c)
    {
        reset(c.client);
        reset(c.server);
    }

    // Descriptors may have been closed and their numbers given out again: what poll() said before
    // this point is void.
    void changed()
    {
        ++generation;
        const quint64 one = 1;
        (void)!::write(wakeFd, &one, sizeof one);
    }

    // And waits until poll() has returned: as long as it holds a closed socket, the kernel goes on
    // accepting on it, and the other side is told nothing.
    void changed(std::unique_lock<std::mutex> &lock)
    {
        changed();
        settled.wait(lock, [this, mine = generation] { return seen >= mine; });
    }

    void accept()
    {
        for (;;) {
            Connection c;
            c.client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (c.client < 0)
                return;
            c.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (!source.isEmpty()) {
                sockaddr_in here = loopback(0);
                ::inet_pton(AF_INET, source.constData(), &here.sin_addr);
                if (::bind(c.server, reinterpret_cast<const sockaddr *>(&here), sizeof here) != 0)
                    fatal(QStringLiteral("the proxy cannot bind to its source address"));
            }
            const sockaddr_in address = loopback(targetPort);
            if (::connect(c.server, reinterpret_cast<const sockaddr *>(&address), sizeof address) !=
                    0 &&
                errno != EINPROGRESS) {
                drop(c);
                continue;
            }
            const int on = 1;
            ::setsockopt(c.client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            ::setsockopt(c.server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            c.budget = budget;
            connections.push_back(std::move(c));
        }
    }

    // False when the connection is over.
    static bool read(int fd, Pipe &pipe)
    {
        char buffer[64 * 1024];
        while (pipe.bytes.size() < kBuffer && !pipe.ended) {
            const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
            if (got > 0)
                pipe.bytes.append(buffer, static_cast<std::size_t>(got));
            else if (got == 0)
                pipe.ended = true;
            else
                return errno == EAGAIN || errno == EINTR;
        }
        return true;
    }

    static bool write(int fd, Pipe &pipe, Connection &c)
    {
        while (!pipe.bytes.empty()) {
            std::size_t size = pipe.bytes.size();
            if (c.budget != kNoBudget)
                size = std::min(size, static_cast<std::size_t>(c.budget));
            const ssize_t sent = size == 0 ? 0 : ::send(fd, pipe.bytes.data(), size, MSG_NOSIGNAL);
            if (sent < 0)
                return errno == EAGAIN || errno == EINTR;
            pipe.bytes.erase(0, static_cast<std::size_t>(sent));
            if (c.budget != kNoBudget) {
                c.budget -= sent;
                if (c.budget == 0)
                    return false;
            }
        }
        if (pipe.ended && !pipe.told) {
            ::shutdown(fd, SHUT_WR);
            pipe.told = true;
        }
        return true;
    }

    bool serve(Connection &c, short clientEvents, short serverEvents)
    {
        if (c.half) {
            // The client goes on sending into nothing; only its own end ends it.
            Pipe nothing;
            if ((clientEvents & (POLLIN | POLLERR | POLLHUP)) == 0)
                return true;
            return read(c.client, nothing) && !nothing.ended;
        }
        // poll() would report a reset for ever on a side that is not read any more.
        if ((c.up.ended && (clientEvents & POLLERR) != 0) ||
            (c.down.ended && (serverEvents & POLLERR) != 0))
            return false;
        if ((clientEvents & (POLLIN | POLLERR | POLLHUP)) != 0 && !read(c.client, c.up))
            return false;
        if ((serverEvents & (POLLIN | POLLERR | POLLHUP)) != 0 && !read(c.server, c.down))
            return false;
        if ((serverEvents & POLLOUT) != 0 && !write(c.server, c.up, c))
            return false;
        if ((clientEvents & POLLOUT) != 0 && !write(c.client, c.down, c))
            return false;
        return !(c.up.ended && c.down.ended && c.up.bytes.empty() && c.down.bytes.empty());
    }

    static short wanted(const Pipe &in, const Pipe &out)
    {
        short events = 0;
        if (in.bytes.size() < kBuffer && !in.ended)
            events |= POLLIN;
        if (!out.bytes.empty() || (out.ended && !out.told))
            events |= POLLOUT;
        return events;
    }

    void run()
    {
        std::vector<pollfd> fds;
        std::unique_lock lock(mutex);
        while (!quit) {
            fds.assign(1, pollfd{wakeFd, POLLIN, 0});
            if (!stalled) {
                fds.push_back({listener, POLLIN, 0}); // a negative one is skipped by poll()
                for (Connection &c : connections) {
                    fds.push_back({c.client, wanted(c.up, c.down), 0});
                    fds.push_back({c.server, wanted(c.down, c.up), 0});
                }
            }
            const quint64 before = generation;
            lock.unlock();
            ::poll(fds.data(), fds.size(), -1);
            lock.lock();
            quint64 ignored = 0;
            (void)!::read(wakeFd, &ignored, sizeof ignored);
            seen = generation;
            settled.notify_all();
            if (generation != before || stalled)
                continue;
            std::size_t i = 2;
            for (auto c = connections.begin(); c != connections.end(); i += 2) {
                if (serve(*c, fds[i].revents, fds[i + 1].revents)) {
                    ++c;
                } else {
                    drop(*c);
                    c = connections.erase(c);
                }
            }
            if ((fds[1].revents & POLLIN) != 0)
                accept();
        }
    }

    const quint16 targetPort;
    const QByteArray source;
    PortLease lease;
    int listener = -1;
    int wakeFd = -1;
    std::mutex mutex;
    std::list<Connection> connections;
    std::condition_variable settled;
    quint64 generation = 0;
    quint64 seen = 0;
    qint64 budget = kNoBudget;
    bool stalled = false;
    bool quit = false;
    std::thread thread;
};

TcpProxy::TcpProxy(quint16 targetPort, const QString &from)
    : d(std::make_unique<Private>(targetPort, from))
{
}

TcpProxy::~TcpProxy() = default;

quint16 TcpProxy::port() const
{
    return d->lease.port();
}

void TcpProxy::cut()
{
    std::unique_lock lock(d->mutex);
    for (Connection &c : d->connections)
        Private::drop(c);
    d->connections.clear();
    d->changed(lock);
}

void TcpProxy::refuse(bool on)
{
    std::unique_lock lock(d->mutex);
    if (on)
        closeQuietly(d->listener);
    else if (d->listener < 0)
        d->listen();
    d->changed(lock);
}

void TcpProxy::stall(bool on)
{
    std::unique_lock lock(d->mutex);
    d->stalled = on;
    d->changed(lock);
}

void TcpProxy::halfOpen()
{
    std::unique_lock lock(d->mutex);
    for (Connection &c : d->connections) {
        reset(c.server);
        c.up.bytes.clear();
        c.down.bytes.clear();
        c.half = true;
    }
    d->changed(lock);
}

void TcpProxy::cutAfter(qint64 bytes)
{
    std::unique_lock lock(d->mutex);
    d->budget = bytes > 0 ? bytes : kNoBudget;
    for (Connection &c : d->connections)
        c.budget = d->budget;
    d->changed(lock);
}

} // namespace causeway::test
