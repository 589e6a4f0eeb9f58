#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct st_mysql;

namespace causeway::mysql {

/// Reads the packets of a connection in pieces of a megabyte at most. MariaDB's client library
/// gathers a packet whole before it gives it out, however many of the protocol's 16 MB packets it
/// came in, and never gives that memory back. So once the log flows this reads from under the
/// library: what it has read ahead, then its TLS, or its socket.
class PacketPieces {
public:
    /// The next piece; nothing where the connection is gone. Valid until the next call.
    std::optional<std::string_view> next(st_mysql *);
    /// The piece that was given out is not its packet's last.
    [[nodiscard]] bool isInside() const { return m_inside; }
    /// It reads from under the library, which then knows nothing of a link that broke.
    [[nodiscard]] bool isRaw() const { return m_raw.value_or(false); }

private:
    bool read(st_mysql *, char *to, std::size_t n);
    std::size_t receive(st_mysql *, char *to, std::size_t most); ///< 0: gone
    bool readHead(st_mysql *);

    std::string m_piece;
    std::array<char, 16384> m_ahead{};
    std::size_t m_aheadAt = 0, m_aheadEnd = 0;
    std::uint32_t m_left = 0; ///< of the protocol's packet
    bool m_goesOn = false;    ///< that one was full: the next belongs to it
    bool m_inside = false;
    std::optional<bool> m_raw; ///< this library's TLS can be read so
};

} // namespace causeway::mysql
