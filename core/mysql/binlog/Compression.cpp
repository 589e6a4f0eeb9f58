#include "mysql/binlog/Compression.h"

#include "mysql/binlog/ByteReader.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>

namespace causeway::mysql {

namespace {

/// Larger lengths in a damaged head must not become allocations.
constexpr std::uint64_t largestPlain = 0x7fffffff;

bool inflateExactly(std::string &out, std::string_view packed, std::uint64_t plainSize, int wbits)
{
    if (plainSize > largestPlain)
        return false;
    out.resize(static_cast<std::size_t>(plainSize));
    z_stream z{};
    if (inflateInit2(&z, wbits) != Z_OK)
        return false;
    z.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
    z.avail_in = static_cast<uInt>(packed.size());
    z.next_out = reinterpret_cast<Bytef *>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    const int r = inflate(&z, Z_FINISH);
    const bool whole = r == Z_STREAM_END && z.avail_out == 0;
    inflateEnd(&z);
    return whole;
}

} // namespace

Error damagedEvent(const QString &what)
{
    Error e;
    e.code = ErrorCode::Server;
    e.id = QStringLiteral("mysql-binlog-corrupt");
    e.message = cwText("core", "The binary log is damaged or of an unknown form: %1.", what);
    return e;
}

bool inflateLogPart(std::string &out, std::string_view part)
{
    ByteReader r(part);
    const std::uint8_t head = r.u8();
    // Bit 7 is always set; bits 4 to 6 name the method, of which there is only zlib (0).
    if ((head & 0x80) == 0 || ((head >> 4) & 7) != 0)
        return false;
    const std::uint64_t plain = r.be(head & 7);
    return r.ok() && inflateExactly(out, r.rest(), plain, MAX_WBITS);
}

bool inflateColumn(std::string &out, std::string_view stored)
{
    out.clear();
    if (stored.empty())
        return true;
    ByteReader r(stored);
    const std::uint8_t head = r.u8();
    if (head == 0) { // too short to be worth it: kept as it is
        out = std::string(r.rest());
        return true;
    }
    if ((head & 0xf0) != 0x80)
        return false;
    const std::uint64_t plain = r.be(head & 7);
    return r.ok() && inflateExactly(out, r.rest(), plain, (head & 8) != 0 ? -MAX_WBITS : MAX_WBITS);
}

void PayloadReader::FreeContext::operator()(ZSTD_DCtx_s *c) const
{
    ZSTD_freeDCtx(c);
}

PayloadReader::~PayloadReader() = default;

Result<std::unique_ptr<PayloadReader>> PayloadReader::open(std::string_view body)
{
    enum : std::uint64_t { endMark = 0, payloadSize = 1, compressionType = 2 };
    ByteReader r(body);
    std::uint64_t size = 0, compression = 0;
    bool ended = false;
    while (r.ok() && !r.atEnd() && !ended) {
        const std::uint64_t field = r.lenenc();
        if (field == endMark) {
            ended = true;
            break;
        }
        ByteReader value(r.lenencBytes());
        if (field == payloadSize)
            size = value.lenenc();
        else if (field == compressionType)
            compression = value.lenenc();
    }
    if (!r.ok() || !ended)
        return fail(damagedEvent(QStringLiteral("TRANSACTION_PAYLOAD")));
    std::unique_ptr<PayloadReader> out(new PayloadReader);
    out->m_awaited = size;
    out->add(r.rest());
    if (compression == 0) {
        out->m_context.reset(ZSTD_createDCtx());
        // A server may use a window larger than the library's default limit of 128 MB.
        ZSTD_DCtx_setParameter(out->m_context.get(), ZSTD_d_windowLogMax, 31);
    } else if (compression != 255) {
        return fail(
            damagedEvent(QStringLiteral("TRANSACTION_PAYLOAD, compression %1").arg(compression)));
    }
    return out;
}

void PayloadReader::add(std::string_view part)
{
    m_packed.erase(0, m_packedAt);
    m_packedAt = 0;
    part =
        part.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), m_awaited)));
    m_packed += part;
    m_awaited -= part.size();
}

Result<bool> PayloadReader::fill(std::size_t n)
{
    if (m_at > 0 && m_plain.size() - m_at < n) {
        m_plain.erase(0, m_at);
        m_at = 0;
    }
    while (m_plain.size() - m_at < n) {
        if (!m_context) {
            if (m_packedAt == m_packed.size())
                return false;
            const std::size_t take =
                std::min(std::max<std::size_t>(n, 65536), m_packed.size() - m_packedAt);
            m_plain.append(m_packed, m_packedAt, take);
            m_packedAt += take;
            continue;
        }
        const std::size_t had = m_plain.size();
        m_plain.resize(had + std::max<std::size_t>(ZSTD_DStreamOutSize(), n - (had - m_at)));
        ZSTD_outBuffer out{m_plain.data() + had, m_plain.size() - had, 0};
        ZSTD_inBuffer in{m_packed.data(), m_packed.size(), m_packedAt};
        const std::size_t r = ZSTD_decompressStream(m_context.get(), &out, &in);
        const bool moved = in.pos != m_packedAt || out.pos > 0;
        m_packedAt = in.pos;
        m_plain.resize(had + out.pos);
        if (ZSTD_isError(r) != 0)
            return fail(damagedEvent(QString::fromLatin1(ZSTD_getErrorName(r))));
        if (!moved)
            return false;
    }
    return true;
}

Result<std::optional<std::string_view>> PayloadReader::next()
{
    constexpr std::size_t headerSize = 19;
    const auto damaged = [] { return fail(damagedEvent(QStringLiteral("TRANSACTION_PAYLOAD"))); };
    CW_TRY_ASSIGN(const bool head, fill(headerSize));
    if (!head) {
        if (m_awaited > 0)
            return std::nullopt;
        if (m_plain.size() != m_at)
            return damaged();
        return std::string_view{};
    }
    ByteReader r(std::string_view(m_plain).substr(m_at, headerSize));
    r.skip(9);
    const std::size_t size = r.u32();
    if (size < headerSize)
        return damaged();
    CW_TRY_ASSIGN(const bool whole, fill(size));
    if (!whole && m_awaited > 0)
        return std::nullopt;
    if (!whole)
        return damaged();
    const std::string_view out = std::string_view(m_plain).substr(m_at, size);
    m_at += size;
    return out;
}

} // namespace causeway::mysql
