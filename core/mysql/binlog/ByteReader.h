#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace causeway::mysql {

/// Reads the log's numbers and strings, never beyond the end: reading too far gives zeros and
/// makes ok() false for good, so that a decoder checks once, after a whole piece.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : m_bytes(bytes) {}

    [[nodiscard]] bool ok() const { return m_ok; }
    [[nodiscard]] std::size_t left() const { return m_bytes.size() - m_at; }
    [[nodiscard]] bool atEnd() const { return left() == 0; }
    [[nodiscard]] std::size_t at() const { return m_at; }
    void fail() { m_ok = false; }

    std::string_view bytes(std::size_t n)
    {
        if (n > left()) {
            m_ok = false;
            m_at = m_bytes.size();
            return {};
        }
        const std::string_view out = m_bytes.substr(m_at, n);
        m_at += n;
        return out;
    }
    std::string_view rest() { return bytes(left()); }
    void skip(std::size_t n) { bytes(n); }

    /// Little-endian number of n <= 8 bytes.
    std::uint64_t le(std::size_t n)
    {
        const std::string_view b = bytes(n);
        std::uint64_t v = 0;
        for (std::size_t i = b.size(); i > 0; --i)
            v = (v << 8) | static_cast<unsigned char>(b[i - 1]);
        return v;
    }
    /// Big-endian number of n <= 8 bytes.
    std::uint64_t be(std::size_t n)
    {
        std::uint64_t v = 0;
        for (const char c : bytes(n))
            v = (v << 8) | static_cast<unsigned char>(c);
        return v;
    }
    std::uint8_t u8() { return static_cast<std::uint8_t>(le(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(le(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(le(4)); }
    std::uint64_t u64() { return le(8); }

    /// The protocol's length-encoded integer.
    std::uint64_t lenenc()
    {
        const std::uint8_t first = u8();
        if (first < 251)
            return first;
        switch (first) {
        case 252:
            return le(2);
        case 253:
            return le(3);
        case 254:
            return le(8);
        default:
            m_ok = false;
            return 0;
        }
    }
    std::string_view lenencBytes() { return bytes(static_cast<std::size_t>(lenenc())); }

    /// MySQL 8.3's serialisation: as many low one-bits in the first byte as further bytes follow.
    std::uint64_t varlen()
    {
        const std::uint8_t first = u8();
        std::size_t more = 0;
        while (more < 8 && ((first >> more) & 1) != 0)
            ++more;
        if (more == 8)
            return le(8);
        const std::uint64_t high = le(more);
        // 7 - more bits of the first byte are value (none where 7 bytes follow).
        const std::uint64_t low = static_cast<std::uint64_t>(first) >> (more + 1);
        return low | (high << (7 - more));
    }
    /// The same for signed numbers: the sign is the lowest bit.
    std::int64_t signedVarlen()
    {
        const std::uint64_t v = varlen();
        const auto magnitude = static_cast<std::int64_t>(v >> 1);
        return (v & 1) != 0 ? -magnitude - 1 : magnitude;
    }

private:
    std::string_view m_bytes;
    std::size_t m_at = 0;
    bool m_ok = true;
};

} // namespace causeway::mysql
