#pragma once

#include <QtGlobal>

#include <array>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace causeway::test {

/// A port that takes no connection and refuses none, as behind a firewall that drops packets:
/// nobody accepts, and once the queue is full Linux drops further SYN packets.
class BlackHole {
public:
    BlackHole() : m_listener(::socket(AF_INET, SOCK_STREAM, 0))
    {
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof a;
        if (::bind(m_listener, reinterpret_cast<sockaddr *>(&a), size) != 0 ||
            ::listen(m_listener, 0) != 0 ||
            ::getsockname(m_listener, reinterpret_cast<sockaddr *>(&a), &size) != 0)
            qFatal("no listener");
        m_port = ntohs(a.sin_port);
        for (int &fd : m_fillers) {
            fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            (void)::connect(fd, reinterpret_cast<sockaddr *>(&a), sizeof a); // never answered
        }
    }
    ~BlackHole()
    {
        for (const int fd : m_fillers)
            ::close(fd);
        ::close(m_listener);
    }
    BlackHole(const BlackHole &) = delete;
    BlackHole &operator=(const BlackHole &) = delete;
    [[nodiscard]] quint16 port() const { return m_port; }

private:
    int m_listener;
    std::array<int, 8> m_fillers{};
    quint16 m_port = 0;
};

} // namespace causeway::test
