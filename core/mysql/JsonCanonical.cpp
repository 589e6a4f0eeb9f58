#include "mysql/JsonCanonical.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <map>

namespace causeway::mysql {

namespace {

/// MySQL allows 100 levels, MariaDB 32; more would only cost stack.
constexpr int mostLevels = 200;

class Parser {
public:
    explicit Parser(std::string_view text) : m_at(text.data()), m_end(text.data() + text.size()) {}

    std::optional<std::string> document()
    {
        std::string out;
        if (!value(out, 0))
            return std::nullopt;
        skipSpace();
        return m_at == m_end ? std::optional(out) : std::nullopt;
    }

private:
    void skipSpace()
    {
        while (m_at != m_end && (*m_at == ' ' || *m_at == '\t' || *m_at == '\n' || *m_at == '\r'))
            ++m_at;
    }
    bool take(char c)
    {
        skipSpace();
        if (m_at == m_end || *m_at != c)
            return false;
        ++m_at;
        return true;
    }
    bool word(std::string &out, std::string_view w)
    {
        if (static_cast<std::size_t>(m_end - m_at) < w.size() ||
            std::string_view(m_at, w.size()) != w)
            return false;
        m_at += w.size();
        out += w;
        return true;
    }

    bool value(std::string &out, int level)
    {
        skipSpace();
        if (m_at == m_end || level > mostLevels)
            return false;
        switch (*m_at) {
        case '{':
            return object(out, level);
        case '[':
            return array(out, level);
        case '"': {
            std::string s;
            if (!string(s))
                return false;
            appendString(out, s);
            return true;
        }
        case 't':
            return word(out, "true");
        case 'f':
            return word(out, "false");
        case 'n':
            return word(out, "null");
        default:
            return number(out);
        }
    }

    bool object(std::string &out, int level)
    {
        ++m_at;
        std::map<std::string, std::string> members;
        if (!take('}')) {
            do {
                skipSpace();
                std::string name;
                std::string member;
                if (!string(name) || !take(':') || !value(member, level + 1))
                    return false;
                members[std::move(name)] = std::move(member);
            } while (take(','));
            if (!take('}'))
                return false;
        }
        out.push_back('{');
        bool first = true;
        for (const auto &[name, member] : members) {
            if (!first)
                out.push_back(',');
            first = false;
            appendString(out, name);
            out.push_back(':');
            out += member;
        }
        out.push_back('}');
        return true;
    }

    bool array(std::string &out, int level)
    {
        ++m_at;
        out.push_back('[');
        if (!take(']')) {
            bool first = true;
            do {
                if (!first)
                    out.push_back(',');
                first = false;
                if (!value(out, level + 1))
                    return false;
            } while (take(','));
            if (!take(']'))
                return false;
        }
        out.push_back(']');
        return true;
    }

    static void appendString(std::string &out, std::string_view s)
    {
        out.push_back('"');
        for (const char c : s) {
            if (c == '"' || c == '\\')
                out.push_back('\\');
            out.push_back(c);
        }
        out.push_back('"');
    }

    static void appendUtf8(std::string &out, std::uint32_t c)
    {
        const auto put = [&out](std::uint32_t b) { out.push_back(static_cast<char>(b)); };
        if (c < 0x80) {
            put(c);
        } else if (c < 0x800) {
            put(0xc0 | c >> 6);
            put(0x80 | (c & 0x3f));
        } else if (c < 0x10000) {
            put(0xe0 | c >> 12);
            put(0x80 | (c >> 6 & 0x3f));
            put(0x80 | (c & 0x3f));
        } else {
            put(0xf0 | c >> 18);
            put(0x80 | (c >> 12 & 0x3f));
            put(0x80 | (c >> 6 & 0x3f));
            put(0x80 | (c & 0x3f));
        }
    }

    bool hex4(std::uint32_t &out)
    {
        if (m_end - m_at < 4)
            return false;
        const auto read = std::from_chars(m_at, m_at + 4, out, 16);
        if (read.ptr != m_at + 4)
            return false;
        m_at += 4;
        return true;
    }

    bool string(std::string &out)
    {
        if (m_at == m_end || *m_at != '"')
            return false;
        for (++m_at; m_at != m_end; ++m_at) {
            if (*m_at == '"') {
                ++m_at;
                return true;
            }
            if (*m_at != '\\') {
                out.push_back(*m_at);
                continue;
            }
            if (++m_at == m_end)
                return false;
            switch (*m_at) {
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
                ++m_at;
                std::uint32_t c = 0;
                if (!hex4(c))
                    return false;
                if (c >= 0xd800 && c < 0xdc00 && m_end - m_at >= 6 && m_at[0] == '\\' &&
                    m_at[1] == 'u') {
                    const char *const back = m_at;
                    m_at += 2;
                    std::uint32_t low = 0;
                    if (hex4(low) && low >= 0xdc00 && low < 0xe000)
                        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                    else
                        m_at = back;
                }
                appendUtf8(out, c);
                --m_at;
                break;
            }
            default:
                out.push_back(*m_at);
            }
        }
        return false;
    }

    bool number(std::string &out)
    {
        const char *end = m_at;
        bool integral = true;
        for (; end != m_end; ++end) {
            const char c = *end;
            if (c == '.' || c == 'e' || c == 'E')
                integral = false;
            else if ((c < '0' || c > '9') && c != '-' && c != '+')
                break;
        }
        if (end == m_at)
            return false;
        if (integral) {
            std::int64_t whole = 0;
            std::uint64_t large = 0;
            if (std::from_chars(m_at, end, whole).ec == std::errc{} ||
                std::from_chars(m_at, end, large).ec == std::errc{}) {
                out += whole != 0 || large == 0 ? std::to_string(whole) : std::to_string(large);
                m_at = end;
                return true;
            }
        }
        // Fractions, exponents, and integers beyond 64 bits are doubles to MySQL.
        double d = 0;
        const auto read = std::from_chars(m_at, end, d);
        if (read.ptr != end || read.ec == std::errc::invalid_argument)
            return false;
        if (read.ec == std::errc::result_out_of_range) {
            out.append(m_at, end);
        } else {
            std::array<char, 40> text{};
            out.append(text.data(),
                       std::to_chars(text.data(), text.data() + text.size(), d == 0 ? 0.0 : d).ptr);
        }
        m_at = end;
        return true;
    }

    const char *m_at;
    const char *m_end;
};

} // namespace

std::optional<std::string> canonicalJson(std::string_view text)
{
    return Parser(text).document();
}

} // namespace causeway::mysql
