#pragma once

#include "base/Error.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::mysql {

/// Who numbered a transaction: the server's UUID and, from MySQL 8.3 on, an optional tag.
struct GtidSource {
    std::array<std::uint8_t, 16> uuid{};
    std::string tag; ///< lower case, empty = untagged
    auto operator<=>(const GtidSource &) const = default;
};

/// One MySQL transaction.
struct Gtid {
    GtidSource source;
    std::int64_t number = 0;                ///< from 1
    [[nodiscard]] std::string text() const; ///< "uuid:5" or "uuid:tag:5"
};

/// A set of MySQL GTIDs, as @@gtid_executed prints it. Intervals of a source are sorted, apart from
/// each other by at least one number, and never empty.
class GtidSet {
public:
    struct Interval {
        std::int64_t first = 0, last = 0; ///< both included
        bool operator==(const Interval &) const = default;
    };

    /// "uuid:1-5:7:tag:1-3,\nuuid2:1"; white space anywhere between the parts. Empty text gives the
    /// empty set.
    static Result<GtidSet> parse(std::string_view text);
    [[nodiscard]] std::string text() const; ///< canonical, one line
    [[nodiscard]] bool isEmpty() const { return m_sources.empty(); }
    [[nodiscard]] bool hasTags() const;

    void add(const Gtid &gtid) { add(gtid.source, {gtid.number, gtid.number}); }
    void add(const GtidSource &source, Interval interval);
    void add(const GtidSet &other); ///< union
    [[nodiscard]] bool contains(const Gtid &) const;
    [[nodiscard]] bool contains(const GtidSet &) const; ///< other is a subset of this

    /// As COM_BINLOG_DUMP_GTID takes it and PREVIOUS_GTIDS_EVENT holds it. The tagged form only
    /// where there is a tag: servers before 8.3 know the untagged one alone.
    [[nodiscard]] std::string encode() const;
    static Result<GtidSet> decode(std::string_view bytes);

    bool operator==(const GtidSet &) const = default;

private:
    std::map<GtidSource, std::vector<Interval>> m_sources;
};

/// A MariaDB GTID list, as @@gtid_binlog_pos prints it: the last transaction of every domain.
class MariaDbGtidList {
public:
    struct Entry {
        std::uint32_t server = 0;
        std::uint64_t sequence = 0;
        bool operator==(const Entry &) const = default;
    };

    /// "0-1-100,5-2-7"; empty text gives the empty list.
    static Result<MariaDbGtidList> parse(std::string_view text);
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool isEmpty() const { return m_domains.empty(); }
    void set(std::uint32_t domain, Entry entry) { m_domains[domain] = entry; }
    /// In every domain of `other` this is at least as far. Sequence numbers grow within a domain
    /// (gtid_strict_mode enforces it; without it a writer that breaks it breaks replication too).
    [[nodiscard]] bool covers(const MariaDbGtidList &other) const;
    bool operator==(const MariaDbGtidList &) const = default;

private:
    std::map<std::uint32_t, Entry> m_domains;
};

} // namespace causeway::mysql
