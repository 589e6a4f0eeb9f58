#include "mysql/Parts.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace causeway::mysql {

namespace {

void appendHex(std::string &out, std::string_view bytes)
{
    static constexpr char digits[] = "0123456789abcdef";
    out += "x'";
    for (const char c : bytes) {
        const auto b = static_cast<unsigned char>(c);
        out.push_back(digits[b >> 4]);
        out.push_back(digits[b & 15]);
    }
    out.push_back('\'');
}

/// Charsets in which a quote or a backslash can be part of a character: a byte-wise escape would
/// be read differently by a server that scans the literal in that charset.
bool isEscapeUnsafe(const QString &charset)
{
    for (const char *name : {"gbk", "sjis", "cp932", "big5", "gb18030", "gb2312", "ucs2", "utf16",
                             "utf16le", "utf32"}) {
        if (charset == QLatin1String(name))
            return true;
    }
    return false;
}

/// An unsigned number of up to 8 big-endian bytes: BIT has at most 64 bits.
void appendBigEndian(std::string &out, std::string_view bytes)
{
    std::uint64_t n = 0;
    for (const char c : bytes)
        n = (n << 8) | static_cast<unsigned char>(c);
    std::array<char, 24> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), n).ptr;
    out.append(text.data(), end);
}

/// Largest number of FLOAT(M,D) and DOUBLE(M,D); 0 where the type has no digits declared.
double largestReal(const Column &c)
{
    const auto open = c.typeText.indexOf(QLatin1Char('('));
    const auto close = c.typeText.indexOf(QLatin1Char(')'), open);
    if (open < 0 || close < 0)
        return 0;
    const QStringList digits = c.typeText.mid(open + 1, close - open - 1).split(QLatin1Char(','));
    if (digits.size() != 2)
        return 0;
    const int scale = digits[1].toInt();
    return std::pow(10.0, digits[0].toInt() - scale) - std::pow(10.0, -scale);
}

/// The exponent makes it a floating point literal: without one the server would first make a
/// DECIMAL or an integer of it. A float is written with the digits of the double that equals it, so
/// that the server rounds once (text -> double is exact, double -> float then too).
///
/// FLOAT(10,3) can hold 10000000, to which its largest number 9999999.999 rounds, and refuses to be
/// given it: such a value is written as that largest number.
void appendReal(std::string &out, const Column &column, std::string_view wire)
{
    const bool single = column.typeClass == TypeClass::Float;
    double value = 0;
    if (single) {
        float f = 0;
        std::from_chars(wire.data(), wire.data() + wire.size(), f);
        value = static_cast<double>(f);
    } else {
        std::from_chars(wire.data(), wire.data() + wire.size(), value);
    }
    if (const double most = largestReal(column); most > 0 && std::abs(value) > most)
        value = std::copysign(most, value);
    std::array<char, 40> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific)
            .ptr;
    out.append(text.data(), end);
}

void appendText(std::string &out, const QString &charset, std::string_view bytes)
{
    if (!charset.isEmpty()) {
        out.push_back('_');
        out += charset.toStdString();
        if (isEscapeUnsafe(charset)) {
            out.push_back(' ');
            appendHex(out, bytes);
            return;
        }
    }
    appendQuoted(out, bytes);
}

bool isZeroFilled(const Column &c)
{
    return c.typeText.contains(QLatin1String("zerofill"), Qt::CaseInsensitive);
}

} // namespace

std::string canonicalReal(std::string_view text, bool single)
{
    std::array<char, 40> out{};
    char *const begin = out.data();
    char *const end = begin + out.size();
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc::invalid_argument)
        return std::string(text);
    // Below the smallest double from_chars reports out of range and leaves the value alone; the
    // server prints no such number.
    return single ? std::string(begin, std::to_chars(begin, end, static_cast<float>(value)).ptr)
                  : std::string(begin, std::to_chars(begin, end, value).ptr);
}

std::string canonicalReal(float value)
{
    std::array<char, 40> out{};
    return {out.data(), std::to_chars(out.data(), out.data() + out.size(), value).ptr};
}

std::string canonicalReal(double value)
{
    std::array<char, 40> out{};
    return {out.data(), std::to_chars(out.data(), out.data() + out.size(), value).ptr};
}

void appendLiteral(std::string &out, const Column &column, const Value &value, bool comparable,
                   bool mariaDb)
{
    if (!value) {
        out += "NULL";
        return;
    }
    const std::string_view bytes = *value;
    switch (column.typeClass) {
    case TypeClass::Integer:
    case TypeClass::Decimal:
    case TypeClass::Enum:
    case TypeClass::Set:
        out += bytes;
        return;
    case TypeClass::Float:
    case TypeClass::Double:
        appendReal(out, column, bytes);
        return;
    case TypeClass::Bit:
        // As a number: a string of bytes would be compared with the column as text.
        appendBigEndian(out, bytes);
        return;
    case TypeClass::Json:
        // MySQL refuses a JSON text whose charset is binary (3144); MariaDB's JSON is a text.
        if (!mariaDb)
            out += "_utf8mb4";
        else if (comparable && !column.charset.isEmpty())
            out += '_' + column.charset.toStdString();
        appendQuoted(out, bytes);
        return;
    case TypeClass::Text:
        if (comparable)
            appendText(out, column.charset, bytes);
        else
            appendQuoted(out, bytes);
        return;
    case TypeClass::Temporal:
    case TypeClass::Binary:
    case TypeClass::Geometry:
    case TypeClass::Vector:
        appendQuoted(out, bytes);
        return;
    case TypeClass::Other:
        // MariaDB takes a binary string for the storage form of UUID and INET6.
        out += "_utf8mb4";
        appendQuoted(out, bytes);
        return;
    }
}

QString wireExpression(const Column &column, bool mariaDb)
{
    const QString id = quoteId(column.name);
    switch (column.typeClass) {
    case TypeClass::Integer:
        // YEAR 0 prints as 0000, and YEAR(2) (MariaDB, MySQL before 5.7) as two digits whose
        // century is implied.
        if (column.dataType == QLatin1String("year")) {
            if (column.typeText.startsWith(QLatin1String("year(2)"), Qt::CaseInsensitive))
                return QStringLiteral("(%1+0+IF(%1+0<70,2000,1900))").arg(id);
            return id + QLatin1String("+0");
        }
        return isZeroFilled(column) ? id + QLatin1String("+0") : id;
    case TypeClass::Decimal:
        return isZeroFilled(column) ? id + QLatin1String("+0") : id;
    case TypeClass::Float:
        // FLOAT prints six digits; as a double it prints all. Times one, because plus zero makes
        // 0 of -0, which MySQL stores.
        return id + QLatin1String("*1e0");
    case TypeClass::Double:
        // DOUBLE(M,D) prints D digits and ZEROFILL pads.
        return column.typeText.contains(QLatin1Char('(')) || isZeroFilled(column)
                   ? id + QLatin1String("*1e0")
                   : id;
    case TypeClass::Enum:
    case TypeClass::Set:
        return QStringLiteral("CAST(%1 AS UNSIGNED)").arg(id);
    case TypeClass::Json:
        return mariaDb ? id : QStringLiteral("CAST(%1 AS CHAR CHARACTER SET utf8mb4)").arg(id);
    case TypeClass::Bit:
    case TypeClass::Temporal:
    case TypeClass::Text:
    case TypeClass::Binary:
    case TypeClass::Geometry:
    case TypeClass::Vector:
    case TypeClass::Other:
        return id;
    }
    return id;
}

} // namespace causeway::mysql
