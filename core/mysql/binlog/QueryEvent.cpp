#include "mysql/binlog/QueryEvent.h"

#include "mysql/binlog/ByteReader.h"
#include "mysql/binlog/Compression.h"

#include <QStringList>

#include <array>

namespace causeway::mysql {

namespace {

constexpr std::uint32_t optionNoForeignKeyChecks = 1U << 26;
constexpr int ansiQuotesBit = 2;
constexpr int noBackslashEscapesBit = 20;

/// By bit; the first 32 are the same on both, but for IGNORE_BAD_TABLE_OPTIONS and NOT_USED.
constexpr std::array<const char *, 32> modeNames{
    "REAL_AS_FLOAT",
    "PIPES_AS_CONCAT",
    "ANSI_QUOTES",
    "IGNORE_SPACE",
    nullptr, // IGNORE_BAD_TABLE_OPTIONS on MariaDB
    "ONLY_FULL_GROUP_BY",
    "NO_UNSIGNED_SUBTRACTION",
    "NO_DIR_IN_CREATE",
    nullptr, // POSTGRESQL, ORACLE ...: bundles, whose parts have bits of their own
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr, // ANSI
    "NO_AUTO_VALUE_ON_ZERO",
    "NO_BACKSLASH_ESCAPES",
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ALLOW_INVALID_DATES",
    "ERROR_FOR_DIVISION_BY_ZERO",
    nullptr, // TRADITIONAL
    nullptr, // NO_AUTO_CREATE_USER: refused by MySQL 8
    "HIGH_NOT_PRECEDENCE",
    "NO_ENGINE_SUBSTITUTION",
    "PAD_CHAR_TO_FULL_LENGTH",
};

void readStatusVariables(ByteReader r, QueryEvent &q)
{
    enum : std::uint8_t {
        flags2Var = 0,
        sqlModeVar = 1,
        catalogVar = 2,
        autoIncrementVar = 3,
        charsetVar = 4,
    };
    // They come in the order of their numbers, and what is wanted comes first: an unknown one ends
    // the reading without loss.
    while (r.ok() && !r.atEnd()) {
        switch (r.u8()) {
        case flags2Var:
            q.flags2 = r.u32();
            break;
        case sqlModeVar:
            q.sqlModeBits = r.u64();
            break;
        case catalogVar:
            r.skip(r.u8());
            r.skip(1);
            break;
        case 6: // catalog without the zero byte; written where number 2 once was
            r.skip(r.u8());
            break;
        case autoIncrementVar:
            r.skip(4);
            break;
        case charsetVar:
            q.clientCharset = r.u16();
            return;
        default:
            return;
        }
    }
}

bool isLatin1(std::uint16_t collation)
{
    switch (collation) {
    case 5:
    case 8:
    case 15:
    case 31:
    case 47:
    case 48:
    case 49:
    case 94:
        return true;
    default:
        return false;
    }
}

} // namespace

bool QueryEvent::foreignKeyChecksOff() const
{
    return flags2 && (*flags2 & optionNoForeignKeyChecks) != 0;
}

bool QueryEvent::ansiQuotes() const
{
    return sqlModeBits && ((*sqlModeBits >> ansiQuotesBit) & 1) != 0;
}

bool QueryEvent::noBackslashEscapes() const
{
    return sqlModeBits && ((*sqlModeBits >> noBackslashEscapesBit) & 1) != 0;
}

QString QueryEvent::sqlMode(bool mariaDb) const
{
    if (!sqlModeBits)
        return {};
    QStringList out;
    for (std::size_t i = 0; i < modeNames.size(); ++i) {
        if (modeNames[i] && ((*sqlModeBits >> i) & 1) != 0)
            out += QLatin1String(modeNames[i]);
    }
    if (mariaDb && ((*sqlModeBits >> 9) & 1) != 0)
        out += QStringLiteral("ORACLE"); // changes the grammar itself
    return out.join(QLatin1Char(','));
}

std::optional<QueryEvent> QueryEvent::parse(std::string_view body, std::size_t postHeader,
                                            bool compressed)
{
    constexpr std::size_t knownPostHeader = 13;
    ByteReader r(body);
    QueryEvent q;
    q.threadId = r.u32();
    r.skip(4); // execution time
    const std::size_t schemaLength = r.u8();
    q.errorCode = r.u16();
    const std::size_t variables = r.u16();
    if (postHeader > knownPostHeader)
        r.skip(postHeader - knownPostHeader);
    readStatusVariables(ByteReader(r.bytes(variables)), q);
    const std::string_view schema = r.bytes(schemaLength);
    r.skip(1);
    std::string_view text = r.rest();
    if (!r.ok())
        return std::nullopt;
    std::string plain;
    if (compressed) {
        if (!inflateLogPart(plain, text))
            return std::nullopt;
        text = plain;
    }
    const auto size = static_cast<qsizetype>(text.size());
    q.defaultSchema = QString::fromUtf8(schema.data(), static_cast<qsizetype>(schema.size()));
    q.statement = q.clientCharset && isLatin1(*q.clientCharset)
                      ? QString::fromLatin1(text.data(), size)
                      : QString::fromUtf8(text.data(), size);
    return q;
}

} // namespace causeway::mysql
