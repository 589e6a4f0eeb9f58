#include "mysql/binlog/BinaryJson.h"

#include "mysql/binlog/BinaryValue.h"
#include "mysql/binlog/ByteReader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

namespace causeway::mysql {

namespace {

/// MySQL refuses documents deeper than 100; the limit keeps damaged bytes from eating the stack.
constexpr int deepest = 120;

enum : std::uint8_t {
    smallObject = 0,
    largeObject = 1,
    smallArray = 2,
    largeArray = 3,
    literal = 4,
    int16Type = 5,
    uint16Type = 6,
    int32Type = 7,
    uint32Type = 8,
    int64Type = 9,
    uint64Type = 10,
    doubleType = 11,
    stringType = 12,
    opaqueType = 15
};

template <class N> void appendNumber(std::string &out, N n)
{
    std::array<char, 24> text{};
    out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), n).ptr);
}

void appendQuotedJson(std::string &out, std::string_view text)
{
    static constexpr char digits[] = "0123456789abcdef";
    out.push_back('"');
    for (const char c : text) {
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\b':
            out += "\\b";
            break;
        case '\f':
            out += "\\f";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20) {
                out += "\\u00";
                out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
                out.push_back(digits[c & 15]);
            } else {
                out.push_back(c);
            }
        }
    }
    out.push_back('"');
}

void appendBase64(std::string &out, std::string_view bytes)
{
    static constexpr char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::size_t onLine = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        // MySQL's encoder breaks lines after 76 characters, and its JSON printer escapes that.
        if (onLine == 76) {
            out += "\\n";
            onLine = 0;
        }
        std::uint32_t v = 0;
        for (std::size_t k = 0; k < 3; ++k)
            v = (v << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        out.push_back(digits[(v >> 18) & 63]);
        out.push_back(digits[(v >> 12) & 63]);
        out.push_back(i + 1 < bytes.size() ? digits[(v >> 6) & 63] : '=');
        out.push_back(i + 2 < bytes.size() ? digits[v & 63] : '=');
        onLine += 4;
    }
}

/// Length of a string or opaque value: 7 bits per byte, at most 5 bytes.
std::size_t variableLength(ByteReader &r)
{
    std::uint64_t n = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        const std::uint8_t b = r.u8();
        n |= static_cast<std::uint64_t>(b & 0x7f) << shift;
        if ((b & 0x80) == 0)
            return static_cast<std::size_t>(n);
    }
    r.fail();
    return 0;
}

bool appendOpaque(std::string &out, std::string_view data)
{
    ByteReader r(data);
    const std::uint8_t type = r.u8();
    const std::string_view value = r.bytes(variableLength(r));
    if (!r.ok())
        return false;
    switch (type) {
    case 246: { // DECIMAL: precision, scale, then the storage form
        ByteReader d(value);
        const int precision = d.u8();
        const int scale = d.u8();
        return appendDecimal(out, d, precision, scale) && d.ok();
    }
    case 10:
    case 7:
    case 12:
    case 11: { // DATE, TIMESTAMP, DATETIME, TIME: packed as one 64 bit number
        ByteReader t(value);
        const auto packed = static_cast<std::int64_t>(t.u64());
        if (!t.ok())
            return false;
        out.push_back('"');
        if (type == 11)
            appendPackedTime(out, packed);
        else
            appendPackedDateTime(out, packed, type == 10);
        out.push_back('"');
        return true;
    }
    default:
        out += "\"base64:type";
        appendNumber(out, static_cast<unsigned>(type));
        out.push_back(':');
        appendBase64(out, value);
        out.push_back('"');
        return true;
    }
}

bool isContainer(std::uint8_t type)
{
    return type <= largeArray;
}

bool appendScalar(std::string &out, std::uint8_t type, std::string_view data)
{
    ByteReader r(data);
    switch (type) {
    case literal:
        switch (r.u8()) {
        case 0:
            out += "null";
            break;
        case 1:
            out += "true";
            break;
        case 2:
            out += "false";
            break;
        default:
            return false;
        }
        return r.ok();
    case int16Type:
        appendNumber(out, static_cast<std::int16_t>(r.u16()));
        return r.ok();
    case uint16Type:
        appendNumber(out, r.u16());
        return r.ok();
    case int32Type:
        appendNumber(out, static_cast<std::int32_t>(r.u32()));
        return r.ok();
    case uint32Type:
        appendNumber(out, r.u32());
        return r.ok();
    case int64Type:
        appendNumber(out, static_cast<std::int64_t>(r.u64()));
        return r.ok();
    case uint64Type:
        appendNumber(out, r.u64());
        return r.ok();
    case doubleType:
        appendJsonDouble(out, std::bit_cast<double>(r.u64()));
        return r.ok();
    case stringType:
        appendQuotedJson(out, r.bytes(variableLength(r)));
        return r.ok();
    case opaqueType:
        return appendOpaque(out, data);
    default:
        return false;
    }
}

/// An array or object in its binary form; entries are looked up by number.
class Container {
public:
    Container(std::uint8_t type, std::string_view data)
        : m_data(data), m_object(type == smallObject || type == largeObject),
          m_wide(type == largeObject || type == largeArray)
    {
        ByteReader r(data);
        m_count = static_cast<std::size_t>(r.le(width()));
        const auto size = static_cast<std::size_t>(r.le(width()));
        const std::size_t entry = (m_object ? width() + 2 : 0) + width() + 1;
        m_ok = r.ok() && size <= data.size() && r.left() / entry >= m_count;
        if (m_ok)
            m_data = data.substr(0, size);
        m_ok = m_ok && m_data.size() >= 2 * width() + m_count * entry;
    }
    [[nodiscard]] bool ok() const { return m_ok; }
    [[nodiscard]] bool isObject() const { return m_object; }
    [[nodiscard]] std::size_t count() const { return m_count; }

    std::string_view key(std::size_t i)
    {
        ByteReader r(m_data.substr(2 * width() + i * (width() + 2)));
        const auto offset = static_cast<std::size_t>(r.le(width()));
        const std::size_t length = r.u16();
        return slice(offset, length);
    }
    /// Type of entry i; its data begins `data`, or is inside the entry.
    std::uint8_t value(std::size_t i, std::string_view &data)
    {
        const std::size_t at =
            2 * width() + (m_object ? m_count * (width() + 2) : 0) + i * (width() + 1);
        ByteReader r(m_data.substr(at));
        const std::uint8_t type = r.u8();
        const bool inside = type == literal || type == int16Type || type == uint16Type ||
                            (m_wide && (type == int32Type || type == uint32Type));
        if (inside) {
            data = r.bytes(width());
        } else {
            const auto offset = static_cast<std::size_t>(r.le(width()));
            data = offset <= m_data.size() ? m_data.substr(offset) : std::string_view{};
            m_ok = m_ok && offset <= m_data.size();
        }
        m_ok = m_ok && r.ok();
        return type;
    }

private:
    [[nodiscard]] std::size_t width() const { return m_wide ? 4 : 2; }
    std::string_view slice(std::size_t offset, std::size_t length)
    {
        if (offset > m_data.size() || length > m_data.size() - offset) {
            m_ok = false;
            return {};
        }
        return m_data.substr(offset, length);
    }

    std::string_view m_data;
    std::size_t m_count = 0;
    bool m_object, m_wide;
    bool m_ok = false;
};

bool appendValue(std::string &out, std::uint8_t type, std::string_view data, int depth)
{
    if (!isContainer(type))
        return appendScalar(out, type, data);
    Container c(type, data);
    if (!c.ok() || depth > deepest)
        return false;
    out.push_back(c.isObject() ? '{' : '[');
    for (std::size_t i = 0; i < c.count(); ++i) {
        if (i > 0)
            out += ", ";
        if (c.isObject()) {
            appendQuotedJson(out, c.key(i));
            out += ": ";
        }
        std::string_view inner;
        const std::uint8_t innerType = c.value(i, inner);
        if (!c.ok() || !appendValue(out, innerType, inner, depth + 1))
            return false;
    }
    out.push_back(c.isObject() ? '}' : ']');
    return c.ok();
}

/// A document that diffs can change. A scalar is kept as its text: nothing looks into it.
struct Node {
    enum Kind { Scalar, Array, Object } kind = Scalar;
    std::string scalar;
    std::vector<Node> items;       ///< array elements, or values of the members
    std::vector<std::string> keys; ///< of the members, shorter first, then by bytes
};

bool readNode(Node &node, std::uint8_t type, std::string_view data, int depth)
{
    if (!isContainer(type))
        return appendScalar(node.scalar, type, data);
    Container c(type, data);
    if (!c.ok() || depth > deepest)
        return false;
    node.kind = c.isObject() ? Node::Object : Node::Array;
    node.items.resize(c.count());
    for (std::size_t i = 0; i < c.count(); ++i) {
        if (c.isObject())
            node.keys.emplace_back(c.key(i));
        std::string_view inner;
        const std::uint8_t innerType = c.value(i, inner);
        if (!c.ok() || !readNode(node.items[i], innerType, inner, depth + 1))
            return false;
    }
    return true;
}

bool readDocument(Node &node, std::string_view binary)
{
    if (binary.empty()) {
        node.scalar = "null";
        return true;
    }
    return readNode(node, static_cast<std::uint8_t>(binary[0]), binary.substr(1), 0);
}

void appendNode(std::string &out, const Node &node)
{
    if (node.kind == Node::Scalar) {
        out += node.scalar;
        return;
    }
    out.push_back(node.kind == Node::Object ? '{' : '[');
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0)
            out += ", ";
        if (node.kind == Node::Object) {
            appendQuotedJson(out, node.keys[i]);
            out += ": ";
        }
        appendNode(out, node.items[i]);
    }
    out.push_back(node.kind == Node::Object ? '}' : ']');
}

bool shorterKey(const std::string &a, const std::string &b)
{
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

struct Leg {
    bool isIndex = false;
    std::size_t index = 0;
    std::string key;
};

void appendUtf8(std::string &out, std::uint32_t c)
{
    if (c < 0x80) {
        out.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
        out.push_back(static_cast<char>(0xc0 | (c >> 6)));
        out.push_back(static_cast<char>(0x80 | (c & 63)));
    } else {
        out.push_back(static_cast<char>(0xe0 | (c >> 12)));
        out.push_back(static_cast<char>(0x80 | ((c >> 6) & 63)));
        out.push_back(static_cast<char>(0x80 | (c & 63)));
    }
}

/// A quoted member name; `path` begins after the opening quote.
std::optional<std::string> quotedKey(std::string_view &path)
{
    std::string out;
    while (!path.empty()) {
        const char c = path.front();
        path.remove_prefix(1);
        if (c == '"')
            return out;
        if (c != '\\') {
            out.push_back(c);
            continue;
        }
        if (path.empty())
            return std::nullopt;
        const char e = path.front();
        path.remove_prefix(1);
        switch (e) {
        case 'b':
            out.push_back('\b');
            break;
        case 'f':
            out.push_back('\f');
            break;
        case 'n':
            out.push_back('\n');
            break;
        case 'r':
            out.push_back('\r');
            break;
        case 't':
            out.push_back('\t');
            break;
        case 'u': {
            std::uint32_t code = 0;
            const auto r = std::from_chars(
                path.data(), path.data() + std::min<std::size_t>(4, path.size()), code, 16);
            if (r.ptr != path.data() + 4)
                return std::nullopt;
            path.remove_prefix(4);
            // Only control characters are written this way; all else is UTF-8 as it is.
            appendUtf8(out, code);
            break;
        }
        default:
            out.push_back(e);
        }
    }
    return std::nullopt;
}

std::optional<std::vector<Leg>> parsePath(std::string_view path)
{
    std::vector<Leg> out;
    if (path.empty() || path.front() != '$')
        return std::nullopt;
    path.remove_prefix(1);
    while (!path.empty()) {
        Leg leg;
        const char c = path.front();
        path.remove_prefix(1);
        if (c == '[') {
            leg.isIndex = true;
            const auto r = std::from_chars(path.data(), path.data() + path.size(), leg.index);
            if (r.ec != std::errc() || r.ptr == path.data() + path.size() || *r.ptr != ']')
                return std::nullopt;
            path.remove_prefix(static_cast<std::size_t>(r.ptr - path.data()) + 1);
        } else if (c == '.') {
            if (!path.empty() && path.front() == '"') {
                path.remove_prefix(1);
                std::optional<std::string> key = quotedKey(path);
                if (!key)
                    return std::nullopt;
                leg.key = std::move(*key);
            } else {
                const std::size_t end = std::min(path.find_first_of(".["), path.size());
                leg.key = std::string(path.substr(0, end));
                path.remove_prefix(end);
            }
        } else {
            return std::nullopt;
        }
        out.push_back(std::move(leg));
    }
    return out;
}

/// Index of the child that `leg` names, if there is one.
std::optional<std::size_t> child(const Node &node, const Leg &leg)
{
    if (leg.isIndex) {
        if (node.kind != Node::Array || leg.index >= node.items.size())
            return std::nullopt;
        return leg.index;
    }
    if (node.kind != Node::Object)
        return std::nullopt;
    const auto it = std::find(node.keys.begin(), node.keys.end(), leg.key);
    if (it == node.keys.end())
        return std::nullopt;
    return static_cast<std::size_t>(it - node.keys.begin());
}

enum class DiffOp : std::uint8_t { Replace = 0, Insert = 1, Remove = 2 };

bool applyOne(Node &root, DiffOp op, const std::vector<Leg> &path, Node &&value)
{
    if (path.empty()) {
        if (op != DiffOp::Replace)
            return false;
        root = std::move(value);
        return true;
    }
    Node *node = &root;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        const auto at = child(*node, path[i]);
        if (!at)
            return false;
        node = &node->items[*at];
    }
    const Leg &last = path.back();
    const auto at = child(*node, last);
    switch (op) {
    case DiffOp::Replace:
        if (!at)
            return false;
        node->items[*at] = std::move(value);
        return true;
    case DiffOp::Remove:
        if (!at)
            return false;
        node->items.erase(node->items.begin() + static_cast<std::ptrdiff_t>(*at));
        if (node->kind == Node::Object)
            node->keys.erase(node->keys.begin() + static_cast<std::ptrdiff_t>(*at));
        return true;
    case DiffOp::Insert:
        if (last.isIndex) {
            if (node->kind != Node::Array)
                return false;
            const std::size_t where = std::min(last.index, node->items.size());
            node->items.insert(node->items.begin() + static_cast<std::ptrdiff_t>(where),
                               std::move(value));
            return true;
        }
        if (node->kind != Node::Object || at)
            return false;
        const auto where =
            std::lower_bound(node->keys.begin(), node->keys.end(), last.key, shorterKey);
        node->items.insert(node->items.begin() + (where - node->keys.begin()), std::move(value));
        node->keys.insert(where, last.key);
        return true;
    }
    return false;
}

} // namespace

void appendJsonDouble(std::string &out, double value)
{
    std::array<char, 40> text{};
    char *const begin = text.data();
    const char *const end =
        std::to_chars(begin, begin + text.size(), value, std::chars_format::scientific).ptr;
    std::string_view s(begin, static_cast<std::size_t>(end - begin));
    if (s.front() == '-') {
        out.push_back('-');
        s.remove_prefix(1);
    }
    const std::size_t e = s.find('e');
    if (e == std::string_view::npos) { // inf, nan: not in JSON
        out += s;
        return;
    }
    int exponent = 0;
    std::string_view power = s.substr(e + 1);
    if (power.front() == '+')
        power.remove_prefix(1);
    std::from_chars(power.data(), power.data() + power.size(), exponent);
    std::string digits(1, s[0]);
    if (e > 2)
        digits += s.substr(2, e - 2);
    const auto n = static_cast<int>(digits.size());
    // my_gcvt: plain digits between 1e-15 and 1e15, else an exponent without sign or padding.
    const int point = exponent + 1;
    if (value != 0 && (point < -14 || point > 15)) {
        out.push_back(digits[0]);
        if (n > 1) {
            out.push_back('.');
            out.append(digits, 1);
        }
        out.push_back('e');
        appendNumber(out, exponent);
        return;
    }
    if (point <= 0) {
        out += "0.";
        out.append(static_cast<std::size_t>(-point), '0');
        out += digits;
        return;
    }
    if (n <= point) {
        out += digits;
        out.append(static_cast<std::size_t>(point - n), '0');
        // The printer marks a double that looks like an integer.
        out += ".0";
        return;
    }
    out.append(digits, 0, static_cast<std::size_t>(point));
    out.push_back('.');
    out.append(digits, static_cast<std::size_t>(point));
}

bool appendJsonText(std::string &out, std::string_view binary)
{
    // A column that became JSON NOT NULL without a value holds no bytes; MySQL reads that as null.
    if (binary.empty()) {
        out += "null";
        return true;
    }
    return appendValue(out, static_cast<std::uint8_t>(binary[0]), binary.substr(1), 0);
}

bool applyJsonDiffs(std::string &out, std::string_view binaryBefore, std::string_view diffs)
{
    Node root;
    if (!readDocument(root, binaryBefore))
        return false;
    ByteReader r(diffs);
    while (r.ok() && !r.atEnd()) {
        const std::uint8_t op = r.u8();
        if (op > static_cast<std::uint8_t>(DiffOp::Remove))
            return false;
        const auto path = parsePath(r.lenencBytes());
        Node value;
        if (op != static_cast<std::uint8_t>(DiffOp::Remove) &&
            !readDocument(value, r.lenencBytes()))
            return false;
        if (!path || !r.ok() || !applyOne(root, static_cast<DiffOp>(op), *path, std::move(value)))
            return false;
    }
    if (!r.ok())
        return false;
    appendNode(out, root);
    return true;
}

} // namespace causeway::mysql
