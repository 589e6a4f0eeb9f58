#include "mysql/binlog/BinaryValue.h"

#include <array>
#include <charconv>

namespace causeway::mysql {

namespace {

/// Bytes that hold 0 to 9 decimal digits.
constexpr std::array<int, 10> digitBytes{0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

/// Year, month and day of a day number since 1970-01-01 (proleptic Gregorian; Howard Hinnant's
/// civil_from_days).
void civilFromDays(std::int64_t days, unsigned &year, unsigned &month, unsigned &day)
{
    days += 719468;
    const std::int64_t era = days / 146097;
    const auto doe = static_cast<unsigned>(days - era * 146097);
    const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const unsigned mp = (5 * doy + 2) / 153;
    day = doy - (153 * mp + 2) / 5 + 1;
    month = mp < 10 ? mp + 3 : mp - 9;
    year = static_cast<unsigned>(era * 400) + yoe + (month <= 2 ? 1 : 0);
}

} // namespace

void appendPadded(std::string &out, std::uint64_t value, int width)
{
    std::array<char, 24> text{};
    const char *const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    const auto n = static_cast<int>(end - text.data());
    if (n < width)
        out.append(static_cast<std::size_t>(width - n), '0');
    out.append(text.data(), static_cast<std::size_t>(n));
}

void appendFraction(std::string &out, std::uint32_t microseconds, int digits)
{
    if (digits <= 0)
        return;
    out.push_back('.');
    const std::size_t at = out.size();
    appendPadded(out, microseconds, 6);
    out.resize(at + static_cast<std::size_t>(digits));
}

void appendDate(std::string &out, unsigned year, unsigned month, unsigned day)
{
    appendPadded(out, year, 4);
    out.push_back('-');
    appendPadded(out, month, 2);
    out.push_back('-');
    appendPadded(out, day, 2);
}

void appendClock(std::string &out, unsigned hour, unsigned minute, unsigned second)
{
    appendPadded(out, hour, 2);
    out.push_back(':');
    appendPadded(out, minute, 2);
    out.push_back(':');
    appendPadded(out, second, 2);
}

void appendUnixTime(std::string &out, std::uint64_t seconds)
{
    unsigned year = 0, month = 0, day = 0;
    civilFromDays(static_cast<std::int64_t>(seconds / 86400), year, month, day);
    appendDate(out, year, month, day);
    out.push_back(' ');
    const auto rest = static_cast<unsigned>(seconds % 86400);
    appendClock(out, rest / 3600, rest / 60 % 60, rest % 60);
}

bool appendDecimal(std::string &out, ByteReader &r, int precision, int scale)
{
    if (precision < 1 || precision > 65 || scale < 0 || scale > 38 || scale > precision)
        return false;
    const int whole = precision - scale;
    const auto partBytes = [](int digits) {
        return digits / 9 * 4 + digitBytes[static_cast<std::size_t>(digits % 9)];
    };
    const std::string_view raw =
        r.bytes(static_cast<std::size_t>(partBytes(whole) + partBytes(scale)));
    if (!r.ok())
        return false;
    // The sign bit is inverted, and a negative number has all bits inverted: bytes then sort.
    std::string bytes(raw);
    const bool negative = (static_cast<unsigned char>(bytes[0]) & 0x80) == 0;
    bytes[0] = static_cast<char>(bytes[0] ^ '\x80');
    if (negative) {
        for (char &c : bytes)
            c = static_cast<char>(~c);
    }
    ByteReader d(bytes);
    if (negative)
        out.push_back('-');
    const std::size_t start = out.size();
    // Leftover digits of the whole part come first, those of the fraction last.
    if (whole % 9 > 0)
        appendPadded(out, d.be(static_cast<std::size_t>(digitBytes[whole % 9])), whole % 9);
    for (int i = 0; i < whole / 9; ++i)
        appendPadded(out, d.be(4), 9);
    const std::size_t firstDigit = out.find_first_not_of('0', start);
    out.erase(start, (firstDigit == std::string::npos ? out.size() : firstDigit) - start);
    if (out.size() == start)
        out.push_back('0');
    if (scale > 0) {
        out.push_back('.');
        for (int i = 0; i < scale / 9; ++i)
            appendPadded(out, d.be(4), 9);
        if (scale % 9 > 0)
            appendPadded(out, d.be(static_cast<std::size_t>(digitBytes[scale % 9])), scale % 9);
    }
    return d.ok();
}

void appendPackedTime(std::string &out, std::int64_t packed)
{
    std::uint64_t v = static_cast<std::uint64_t>(packed);
    if (packed < 0) {
        out.push_back('-');
        v = 0 - v;
    }
    const auto hms = static_cast<std::uint32_t>(v >> 24);
    appendClock(out, (hms >> 12) & 1023, (hms >> 6) & 63, hms & 63);
    appendFraction(out, static_cast<std::uint32_t>(v & 0xffffff), 6);
}

void appendPackedDateTime(std::string &out, std::int64_t packed, bool dateOnly)
{
    const auto v = static_cast<std::uint64_t>(packed < 0 ? -packed : packed);
    const std::uint64_t ymdhms = v >> 24;
    const auto ymd = static_cast<unsigned>(ymdhms >> 17);
    const auto hms = static_cast<unsigned>(ymdhms & 0x1ffff);
    const unsigned ym = ymd >> 5;
    appendDate(out, ym / 13, ym % 13, ymd & 31);
    if (dateOnly)
        return;
    out.push_back(' ');
    appendClock(out, hms >> 12, (hms >> 6) & 63, hms & 63);
    appendFraction(out, static_cast<std::uint32_t>(v & 0xffffff), 6);
}

} // namespace causeway::mysql
