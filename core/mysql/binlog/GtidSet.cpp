#include "mysql/binlog/GtidSet.h"

#include "mysql/binlog/ByteReader.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

namespace causeway::mysql {

namespace {

constexpr std::int64_t lastNumber = std::numeric_limits<std::int64_t>::max() - 1;

std::string_view trimmed(std::string_view s)
{
    const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
    while (!s.empty() && space(s.front()))
        s.remove_prefix(1);
    while (!s.empty() && space(s.back()))
        s.remove_suffix(1);
    return s;
}

/// Cuts the part before `separator` off `text`.
std::string_view cut(std::string_view &text, char separator)
{
    const std::size_t at = text.find(separator);
    const std::string_view part = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
    return trimmed(part);
}

int hexDigit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool parseUuid(std::string_view text, std::array<std::uint8_t, 16> &out)
{
    std::size_t digits = 0;
    for (const char c : text) {
        if (c == '-')
            continue;
        const int d = hexDigit(c);
        if (d < 0 || digits == 32)
            return false;
        std::uint8_t &byte = out[digits / 2];
        byte = static_cast<std::uint8_t>((digits % 2 == 0 ? 0 : byte << 4) | d);
        ++digits;
    }
    return digits == 32;
}

void appendUuid(std::string &out, const std::array<std::uint8_t, 16> &uuid)
{
    static constexpr char digits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out.push_back('-');
        out.push_back(digits[uuid[i] >> 4]);
        out.push_back(digits[uuid[i] & 15]);
    }
}

template <class N> bool parseNumber(std::string_view text, N &out)
{
    const auto r = std::from_chars(text.data(), text.data() + text.size(), out);
    return r.ec == std::errc() && r.ptr == text.data() + text.size();
}

bool parseTag(std::string_view text, std::string &out)
{
    if (text.empty() || text.size() > 32)
        return false;
    out.clear();
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        if (u >= 128 || (std::isalnum(u) == 0 && c != '_'))
            return false;
        out.push_back(static_cast<char>(std::tolower(u)));
    }
    return std::isdigit(static_cast<unsigned char>(out[0])) == 0;
}

tl::unexpected<Error> badSet(std::string_view text)
{
    return fail(ErrorCode::Internal,
                cwText("core", "\"%1\" is not a GTID set.",
                       QString::fromUtf8(text.data(), static_cast<qsizetype>(std::min<std::size_t>(
                                                          text.size(), 200)))),
                QStringLiteral("mysql-gtid-set"));
}

void appendLe(std::string &out, std::uint64_t v, int n)
{
    for (int i = 0; i < n; ++i)
        out.push_back(static_cast<char>((v >> (8 * i)) & 0xff));
}

} // namespace

std::string Gtid::text() const
{
    std::string out;
    appendUuid(out, source.uuid);
    if (!source.tag.empty())
        out += ':' + source.tag;
    return out + ':' + std::to_string(number);
}

Result<GtidSet> GtidSet::parse(std::string_view text)
{
    GtidSet out;
    std::string_view rest = text;
    while (!rest.empty()) {
        std::string_view part = cut(rest, ',');
        if (part.empty())
            continue;
        GtidSource source;
        if (!parseUuid(cut(part, ':'), source.uuid))
            return badSet(text);
        while (!part.empty()) {
            std::string_view item = cut(part, ':');
            if (item.empty())
                return badSet(text);
            if (std::isdigit(static_cast<unsigned char>(item[0])) == 0) {
                if (!parseTag(item, source.tag))
                    return badSet(text);
                continue;
            }
            Interval i;
            const bool range = item.find('-') != std::string_view::npos;
            if (!parseNumber(cut(item, '-'), i.first) || i.first < 1 || i.first > lastNumber)
                return badSet(text);
            i.last = i.first;
            if (range && (!parseNumber(trimmed(item), i.last) || i.last > lastNumber))
                return badSet(text);
            // MySQL takes "5-3" for the empty interval.
            if (i.last >= i.first)
                out.add(source, i);
        }
    }
    return out;
}

std::string GtidSet::text() const
{
    std::string out;
    const std::array<std::uint8_t, 16> *uuid = nullptr;
    for (const auto &[source, intervals] : m_sources) {
        if (!uuid || *uuid != source.uuid) {
            if (uuid)
                out.push_back(',');
            appendUuid(out, source.uuid);
            uuid = &source.uuid;
        }
        if (!source.tag.empty())
            out += ':' + source.tag;
        for (const Interval &i : intervals) {
            out += ':' + std::to_string(i.first);
            if (i.last != i.first)
                out += '-' + std::to_string(i.last);
        }
    }
    return out;
}

bool GtidSet::hasTags() const
{
    return std::any_of(m_sources.begin(), m_sources.end(),
                       [](const auto &s) { return !s.first.tag.empty(); });
}

void GtidSet::add(const GtidSource &source, Interval interval)
{
    std::vector<Interval> &list = m_sources[source];
    // The usual case is the next number of a source.
    if (!list.empty() && interval.first == list.back().last + 1) {
        list.back().last = interval.last;
        return;
    }
    auto from = std::lower_bound(list.begin(), list.end(), interval.first,
                                 [](const Interval &i, std::int64_t n) { return i.last + 1 < n; });
    auto to = from;
    while (to != list.end() && to->first <= interval.last + 1) {
        interval.first = std::min(interval.first, to->first);
        interval.last = std::max(interval.last, to->last);
        ++to;
    }
    from = list.erase(from, to);
    list.insert(from, interval);
}

void GtidSet::add(const GtidSet &other)
{
    for (const auto &[source, intervals] : other.m_sources) {
        for (const Interval &i : intervals)
            add(source, i);
    }
}

bool GtidSet::contains(const Gtid &gtid) const
{
    GtidSet one;
    one.add(gtid);
    return contains(one);
}

bool GtidSet::contains(const GtidSet &other) const
{
    for (const auto &[source, intervals] : other.m_sources) {
        const auto mine = m_sources.find(source);
        if (mine == m_sources.end())
            return false;
        for (const Interval &i : intervals) {
            const auto it = std::lower_bound(
                mine->second.begin(), mine->second.end(), i.first,
                [](const Interval &have, std::int64_t n) { return have.last < n; });
            if (it == mine->second.end() || it->first > i.first || it->last < i.last)
                return false;
        }
    }
    return true;
}

std::string GtidSet::encode() const
{
    std::string out;
    const bool tagged = hasTags();
    const std::uint64_t n = m_sources.size();
    // Seen on 9.7: format in the highest and, where it is not 0, also in the lowest byte.
    appendLe(out, tagged ? (std::uint64_t(1) << 56) | (n << 8) | 1 : n, 8);
    for (const auto &[source, intervals] : m_sources) {
        out.append(reinterpret_cast<const char *>(source.uuid.data()), source.uuid.size());
        if (tagged) {
            // At most 32 characters, so the variable-length number has one byte.
            out.push_back(static_cast<char>(source.tag.size() << 1));
            out += source.tag;
        }
        appendLe(out, intervals.size(), 8);
        for (const Interval &i : intervals) {
            appendLe(out, static_cast<std::uint64_t>(i.first), 8);
            appendLe(out, static_cast<std::uint64_t>(i.last) + 1, 8);
        }
    }
    return out;
}

Result<GtidSet> GtidSet::decode(std::string_view bytes)
{
    GtidSet out;
    ByteReader r(bytes);
    const std::uint64_t head = r.u64();
    const bool tagged = (head >> 56) == 1;
    const std::uint64_t count = tagged ? (head >> 8) & 0xffffffffffULL : head & 0xffffffffffffffULL;
    for (std::uint64_t s = 0; s < count && r.ok(); ++s) {
        GtidSource source;
        const std::string_view uuid = r.bytes(16);
        std::copy(uuid.begin(), uuid.end(), source.uuid.begin());
        if (tagged)
            source.tag = std::string(r.bytes(static_cast<std::size_t>(r.varlen())));
        const std::uint64_t intervals = r.u64();
        for (std::uint64_t i = 0; i < intervals && r.ok(); ++i) {
            const auto first = static_cast<std::int64_t>(r.u64());
            const auto end = static_cast<std::int64_t>(r.u64());
            if (first < 1 || end <= first)
                r.fail();
            else
                out.add(source, {first, end - 1});
        }
    }
    if (!r.ok())
        return fail(ErrorCode::Internal, cwText("core", "A GTID set of the log is damaged."),
                    QStringLiteral("mysql-binlog-corrupt"));
    return out;
}

Result<MariaDbGtidList> MariaDbGtidList::parse(std::string_view text)
{
    MariaDbGtidList out;
    std::string_view rest = text;
    while (!rest.empty()) {
        std::string_view part = cut(rest, ',');
        if (part.empty())
            continue;
        std::uint32_t domain = 0;
        Entry e;
        if (!parseNumber(cut(part, '-'), domain) || !parseNumber(cut(part, '-'), e.server) ||
            !parseNumber(part, e.sequence))
            return badSet(text);
        // Two servers of one domain can both be listed (@@gtid_binlog_state); the later wins.
        const auto it = out.m_domains.find(domain);
        if (it == out.m_domains.end() || it->second.sequence < e.sequence)
            out.m_domains[domain] = e;
    }
    return out;
}

std::string MariaDbGtidList::text() const
{
    std::string out;
    for (const auto &[domain, e] : m_domains) {
        if (!out.empty())
            out.push_back(',');
        out += std::to_string(domain) + '-' + std::to_string(e.server) + '-' +
               std::to_string(e.sequence);
    }
    return out;
}

bool MariaDbGtidList::covers(const MariaDbGtidList &other) const
{
    return std::all_of(other.m_domains.begin(), other.m_domains.end(), [this](const auto &d) {
        const auto mine = m_domains.find(d.first);
        return mine != m_domains.end() && mine->second.sequence >= d.second.sequence;
    });
}

} // namespace causeway::mysql
