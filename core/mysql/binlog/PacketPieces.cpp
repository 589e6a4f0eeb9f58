#include "mysql/binlog/PacketPieces.h"

#include <mysql.h>

#ifdef MARIADB_PACKAGE_VERSION

using uchar = unsigned char;
#define HAVE_TLS 1
#include <ma_pvio.h>

#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

namespace causeway::mysql {

namespace {

constexpr std::size_t largestPiece = 1U << 20;
constexpr std::uint32_t fullPacket = 0xffffff;

/// Through TLS only OpenSSL's handle can be read from; a library built with another one gathers.
bool canReadRaw(MYSQL *m)
{
    if (m->net.pvio->ctls == nullptr)
        return true;
    const char *library = nullptr;
    return mariadb_get_infov(m, MARIADB_TLS_LIBRARY, &library) == 0 && library != nullptr &&
           std::strncmp(library, "OpenSSL", 7) == 0;
}

} // namespace

std::size_t PacketPieces::receive(MYSQL *m, char *to, std::size_t most)
{
    MARIADB_PVIO *const p = m->net.pvio;
    if (p->cache != nullptr && p->cache_pos < p->cache + p->cache_size) {
        const auto ahead = static_cast<std::size_t>(p->cache + p->cache_size - p->cache_pos);
        const std::size_t n = std::min(ahead, most);
        std::memcpy(to, p->cache_pos, n);
        p->cache_pos += n;
        return n;
    }
    if (p->ctls == nullptr) {
        const ssize_t n = p->methods->read(p, reinterpret_cast<uchar *>(to), most);
        return n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    auto *const ssl = static_cast<SSL *>(p->ctls->ssl);
    for (;;) {
        const int n = SSL_read(ssl, to, static_cast<int>(most));
        if (n > 0)
            return static_cast<std::size_t>(n);
        const int why = SSL_get_error(ssl, n);
        if (why != SSL_ERROR_WANT_READ ||
            p->methods->wait_io_or_timeout(p, true, p->timeout[PVIO_READ_TIMEOUT]) < 1)
            return 0;
    }
}

bool PacketPieces::read(MYSQL *m, char *to, std::size_t n)
{
    while (n > 0) {
        if (m_aheadAt < m_aheadEnd) {
            const std::size_t have = std::min(n, m_aheadEnd - m_aheadAt);
            std::memcpy(to, m_ahead.data() + m_aheadAt, have);
            m_aheadAt += have;
            to += have;
            n -= have;
            continue;
        }
        if (n >= m_ahead.size()) {
            const std::size_t have = receive(m, to, n);
            if (have == 0)
                return false;
            to += have;
            n -= have;
            continue;
        }
        m_aheadAt = 0;
        m_aheadEnd = receive(m, m_ahead.data(), m_ahead.size());
        if (m_aheadEnd == 0)
            return false;
    }
    return true;
}

bool PacketPieces::readHead(MYSQL *m)
{
    std::array<char, 4> head{};
    if (!read(m, head.data(), head.size()))
        return false;
    m_left = 0;
    for (std::size_t i = 0; i < 3; ++i)
        m_left |= static_cast<std::uint32_t>(static_cast<unsigned char>(head[i])) << (8 * i);
    m_goesOn = m_left == fullPacket;
    return true;
}

std::optional<std::string_view> PacketPieces::next(MYSQL *m)
{
    if (!m_raw)
        m_raw = canReadRaw(m);
    if (!*m_raw) {
        const unsigned long length = mysql_net_read_packet(m);
        // The library's mark of an error is 32 bits wide, whatever the type of the length. What the
        // server said stays in the buffer.
        if (static_cast<std::uint32_t>(length) == 0xffffffffU)
            return std::nullopt;
        return std::string_view(reinterpret_cast<const char *>(m->net.read_pos), length);
    }
    if (!m_inside && !readHead(m))
        return std::nullopt;
    m_piece.resize(std::min<std::size_t>(m_left, largestPiece));
    if (!read(m, m_piece.data(), m_piece.size()))
        return std::nullopt;
    m_left -= static_cast<std::uint32_t>(m_piece.size());
    // A packet that is full to the last byte is followed by an empty one, so that its end is seen.
    if (m_left == 0 && m_goesOn && !readHead(m))
        return std::nullopt;
    m_inside = m_left > 0 || m_goesOn;
    return m_piece;
}

} // namespace causeway::mysql

#endif
