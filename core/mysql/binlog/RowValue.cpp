#include "mysql/Parts.h"
#include "mysql/binlog/BinaryJson.h"
#include "mysql/binlog/BinaryValue.h"
#include "mysql/binlog/Compression.h"
#include "mysql/binlog/RowDecoder.h"

#include <array>
#include <bit>
#include <charconv>

namespace causeway::mysql {

namespace {

constexpr std::array<std::uint32_t, 7> tenTo{1, 10, 100, 1000, 10000, 100000, 1000000};
/// Storage of MariaDB's own fractional types (mysql56_temporal_format=OFF), by fraction digits.
constexpr std::array<std::size_t, 7> hiresTime{3, 4, 4, 5, 5, 5, 6};
constexpr std::array<std::size_t, 7> hiresDateTime{8, 6, 6, 7, 7, 7, 8};
constexpr std::array<std::size_t, 7> hiresTimestamp{4, 5, 5, 6, 6, 7, 7};

std::size_t digitsIndex(int digits)
{
    return digits < 0 || digits > 6 ? 0 : static_cast<std::size_t>(digits);
}

std::size_t decimalBytes(int precision, int scale)
{
    static constexpr std::array<std::size_t, 10> bytes{0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
    const auto part = [](int n) {
        return static_cast<std::size_t>(n / 9) * 4 + bytes[static_cast<std::size_t>(n % 9)];
    };
    return scale > precision ? 0 : part(precision - scale) + part(scale);
}

template <class N> void appendInteger(std::string &out, N n)
{
    std::array<char, 24> text{};
    out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), n).ptr);
}

/// Fraction bytes of the types since 5.6 hold hundredths, ten-thousandths or microseconds.
std::uint32_t microseconds(std::uint64_t stored, std::size_t bytes)
{
    static constexpr std::array<std::uint32_t, 4> unit{0, 10000, 100, 1};
    return static_cast<std::uint32_t>(stored) * unit[bytes & 3];
}

bool appendInt(std::string &out, std::string_view stored, const LogColumn &l, bool isUnsigned)
{
    ByteReader r(stored);
    const std::uint64_t v = r.le(stored.size());
    if (l.type == LogType::Year) {
        appendInteger(out, v == 0 ? std::uint64_t(0) : v + 1900);
        return true;
    }
    if (isUnsigned) {
        appendInteger(out, v);
        return true;
    }
    const auto unused = static_cast<unsigned>(64 - 8 * stored.size());
    appendInteger(out, static_cast<std::int64_t>(v << unused) >> unused);
    return true;
}

/// Fraction of MariaDB's own types: a number of `digits` decimal digits.
std::uint32_t scaled(std::uint64_t fraction, int digits)
{
    return static_cast<std::uint32_t>(fraction) * tenTo[digitsIndex(6 - digits)];
}

bool appendTemporal(std::string &out, std::string_view stored, const LogColumn &l,
                    int fractionDigits)
{
    ByteReader r(stored);
    switch (l.type) {
    case LogType::Date:
    case LogType::NewDate: {
        const auto v = static_cast<unsigned>(r.le(3));
        appendDate(out, v >> 9, (v >> 5) & 15, v & 31);
        return r.ok();
    }
    case LogType::Timestamp2:
    case LogType::Timestamp: {
        const bool modern = l.type == LogType::Timestamp2;
        const int digits = modern ? l.a : fractionDigits;
        const std::uint64_t seconds = modern || digits > 0 ? r.be(4) : r.le(4);
        const std::size_t rest = r.left();
        const std::uint64_t fraction = r.be(rest);
        const std::uint32_t us = modern ? microseconds(fraction, rest) : scaled(fraction, digits);
        if (seconds == 0 && us == 0)
            out += "0000-00-00 00:00:00";
        else
            appendUnixTime(out, seconds);
        appendFraction(out, us, digits);
        return r.ok();
    }
    case LogType::DateTime2: {
        const std::uint64_t v = r.be(5) - 0x8000000000ULL;
        const std::size_t rest = r.left();
        const std::uint32_t us = microseconds(r.be(rest), rest);
        const auto ymd = static_cast<unsigned>(v >> 17);
        const auto hms = static_cast<unsigned>(v & 0x1ffff);
        appendDate(out, (ymd >> 5) / 13, (ymd >> 5) % 13, ymd & 31);
        out.push_back(' ');
        appendClock(out, hms >> 12, (hms >> 6) & 63, hms & 63);
        appendFraction(out, us, l.a);
        return r.ok();
    }
    case LogType::DateTime: {
        if (fractionDigits == 0) {
            const std::uint64_t v = r.le(8);
            const auto date = static_cast<unsigned>(v / 1000000);
            const auto time = static_cast<unsigned>(v % 1000000);
            appendDate(out, date / 10000, date / 100 % 100, date % 100);
            out.push_back(' ');
            appendClock(out, time / 10000, time / 100 % 100, time % 100);
            return r.ok();
        }
        std::uint64_t v = r.be(stored.size());
        const std::uint32_t unit = tenTo[digitsIndex(fractionDigits)];
        const std::uint32_t us = scaled(v % unit, fractionDigits);
        v /= unit;
        const auto take = [&v](unsigned n) {
            const auto part = static_cast<unsigned>(v % n);
            v /= n;
            return part;
        };
        const unsigned second = take(60), minute = take(60), hour = take(24), day = take(32),
                       month = take(13);
        appendDate(out, static_cast<unsigned>(v), month, day);
        out.push_back(' ');
        appendClock(out, hour, minute, second);
        appendFraction(out, us, fractionDigits);
        return r.ok();
    }
    case LogType::Time2: {
        // One number, offset so that it sorts; the fraction belongs to its absolute value.
        const auto fractionBytes = static_cast<unsigned>(stored.size() - 3);
        auto v = static_cast<std::int64_t>(r.be(stored.size())) -
                 (std::int64_t(0x800000) << (8 * fractionBytes));
        if (v < 0) {
            out.push_back('-');
            v = -v;
        }
        const auto hms = static_cast<unsigned>(v >> (8 * fractionBytes));
        const std::uint64_t fraction =
            static_cast<std::uint64_t>(v) & ((std::uint64_t(1) << (8 * fractionBytes)) - 1);
        appendClock(out, (hms >> 12) & 1023, (hms >> 6) & 63, hms & 63);
        appendFraction(out, microseconds(fraction, fractionBytes), l.a);
        return r.ok();
    }
    case LogType::Time: {
        if (fractionDigits == 0) {
            auto v = static_cast<std::int32_t>(static_cast<std::uint32_t>(r.le(3)) << 8) / 256;
            if (v < 0) {
                out.push_back('-');
                v = -v;
            }
            const auto u = static_cast<unsigned>(v);
            appendClock(out, u / 10000, u / 100 % 100, u % 100);
            return r.ok();
        }
        const std::uint32_t unit = tenTo[digitsIndex(fractionDigits)];
        // 838:59:59 and one more second stand for zero.
        auto v = static_cast<std::int64_t>(r.be(stored.size())) - std::int64_t(3020400) * unit;
        if (v < 0) {
            out.push_back('-');
            v = -v;
        }
        const auto seconds = static_cast<unsigned>(v / unit);
        appendClock(out, seconds / 3600, seconds / 60 % 60, seconds % 60);
        appendFraction(out, scaled(static_cast<std::uint64_t>(v % unit), fractionDigits),
                       fractionDigits);
        return r.ok();
    }
    default:
        return false;
    }
}

/// MariaDB keeps a UUID of versions 1 to 5 with its parts in reverse order, so that time sorts;
/// those of other versions as they are (from 10.11.5 on). Columns made before keep the old form,
/// in which all are reversed, and say so in their type.
void appendUuidText(std::string &out, std::string_view record, bool oldForm)
{
    static constexpr char digits[] = "0123456789abcdef";
    // The server's own test of a swapped record.
    const auto variant = static_cast<signed char>(record[6]);
    const auto version = static_cast<signed char>(record[8]);
    const bool swapped = oldForm || (variant & -version & 0x80) != 0;
    std::string memory(record);
    if (swapped) {
        memory = std::string(record.substr(12, 4)) + std::string(record.substr(10, 2)) +
                 std::string(record.substr(8, 2)) + std::string(record.substr(6, 2)) +
                 std::string(record.substr(0, 6));
    }
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out.push_back('-');
        const auto b = static_cast<unsigned char>(memory[i]);
        out.push_back(digits[b >> 4]);
        out.push_back(digits[b & 15]);
    }
}

void appendInet4(std::string &out, std::string_view b)
{
    for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0)
            out.push_back('.');
        appendInteger(out, static_cast<unsigned>(static_cast<unsigned char>(b[i])));
    }
}

/// MariaDB's own form, not inet_ntop's: a single zero word is shortened too.
void appendInet6(std::string &out, std::string_view b)
{
    std::array<unsigned, 8> words{};
    for (std::size_t i = 0; i < 8; ++i)
        words[i] = static_cast<unsigned>(static_cast<unsigned char>(b[2 * i]) << 8 |
                                         static_cast<unsigned char>(b[2 * i + 1]));
    std::size_t gap = 8, gapLength = 0;
    for (std::size_t i = 0; i < 8;) {
        std::size_t end = i;
        while (end < 8 && words[end] == 0)
            ++end;
        if (end - i > gapLength) {
            gap = i;
            gapLength = end - i;
        }
        i = end + 1;
    }
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == gap) {
            out += i == 0 ? "::" : ":";
            i += gapLength - 1;
        } else if (i == 6 && gap == 0 &&
                   (gapLength == 6 || (gapLength == 5 && words[5] == 0xffff))) {
            appendInet4(out, b.substr(12));
            return;
        } else {
            std::array<char, 8> text{};
            out.append(text.data(),
                       std::to_chars(text.data(), text.data() + text.size(), words[i], 16).ptr);
            if (i < 7)
                out.push_back(':');
        }
    }
}

bool appendOther(std::string &out, std::string_view stored, const Column &c)
{
    std::string padded(stored);
    const bool inet4 = c.dataType == QLatin1String("inet4");
    // Zero bytes at the end are not in the log.
    padded.resize(inet4 ? 4 : 16, '\0');
    if (inet4)
        appendInet4(out, padded);
    else if (c.dataType == QLatin1String("inet6"))
        appendInet6(out, padded);
    else if (c.dataType == QLatin1String("uuid"))
        appendUuidText(out, padded, c.typeText.contains(QLatin1String("old")));
    else
        return false;
    return true;
}

bool appendString(std::string &out, std::string_view stored, const LogColumn &l, bool padWithZeros)
{
    if (l.type == LogType::MariaBlobCompressed || l.type == LogType::MariaVarCharCompressed)
        return inflateColumn(out, stored);
    out.append(stored);
    // BINARY(n) comes without its zero bytes at the end, CHAR without its blanks; reading a CHAR
    // drops those too.
    if (padWithZeros && l.type == LogType::String && out.size() < l.size)
        out.resize(l.size, '\0');
    return true;
}

} // namespace

std::string_view cutValue(ByteReader &r, const LogColumn &l, int fractionDigits)
{
    switch (l.type) {
    case LogType::Null:
        return {};
    case LogType::Tiny:
    case LogType::Year:
        return r.bytes(1);
    case LogType::Short:
        return r.bytes(2);
    case LogType::Int24:
    case LogType::Date:
    case LogType::NewDate:
        return r.bytes(3);
    case LogType::Long:
    case LogType::Float:
        return r.bytes(4);
    case LogType::LongLong:
    case LogType::Double:
        return r.bytes(8);
    case LogType::Time:
        return r.bytes(hiresTime[digitsIndex(fractionDigits)]);
    case LogType::DateTime:
        return r.bytes(hiresDateTime[digitsIndex(fractionDigits)]);
    case LogType::Timestamp:
        return r.bytes(hiresTimestamp[digitsIndex(fractionDigits)]);
    case LogType::Timestamp2:
        return r.bytes(4 + (l.a + 1U) / 2);
    case LogType::DateTime2:
        return r.bytes(5 + (l.a + 1U) / 2);
    case LogType::Time2:
        return r.bytes(3 + (l.a + 1U) / 2);
    case LogType::NewDecimal:
        return r.bytes(decimalBytes(l.a, l.b));
    case LogType::Bit:
        return r.bytes(l.b + (l.a > 0 ? 1U : 0U));
    case LogType::Enum:
    case LogType::Set:
        return r.bytes(l.size);
    case LogType::String:
    case LogType::VarChar:
    case LogType::VarString:
    case LogType::MariaVarCharCompressed:
        return r.bytes(static_cast<std::size_t>(r.le(l.size > 255 ? 2 : 1)));
    case LogType::TinyBlob:
    case LogType::Blob:
    case LogType::MediumBlob:
    case LogType::LongBlob:
    case LogType::MariaBlobCompressed:
    case LogType::Json:
    case LogType::Geometry:
    case LogType::Vector:
        if (l.a < 1 || l.a > 4)
            break;
        return r.bytes(static_cast<std::size_t>(r.le(l.a)));
    default:
        break;
    }
    r.fail();
    return {};
}

bool toWire(std::string &out, std::string_view stored, const LogColumn &l, const Column &c)
{
    ByteReader r(stored);
    switch (c.typeClass) {
    case TypeClass::Integer:
        return appendInt(out, stored, l, c.isUnsigned);
    case TypeClass::Decimal:
        return appendDecimal(out, r, l.a, l.b);
    case TypeClass::Float:
        out = canonicalReal(std::bit_cast<float>(r.u32()));
        return r.ok();
    case TypeClass::Double:
        out = canonicalReal(std::bit_cast<double>(r.u64()));
        return r.ok();
    case TypeClass::Temporal:
        return appendTemporal(out, stored, l, c.scale);
    case TypeClass::Enum:
    case TypeClass::Set:
        appendInteger(out, r.le(stored.size()));
        return stored.size() <= 8;
    case TypeClass::Json:
        if (l.type == LogType::Json)
            return appendJsonText(out, stored);
        return appendString(out, stored, l, false); // MariaDB: a LONGTEXT
    case TypeClass::Binary:
    case TypeClass::Vector:
        return appendString(out, stored, l, true);
    case TypeClass::Text:
        return appendString(out, stored, l, false);
    case TypeClass::Bit:
    case TypeClass::Geometry:
        out.append(stored);
        return true;
    case TypeClass::Other:
        return appendOther(out, stored, c);
    }
    return false;
}

} // namespace causeway::mysql
