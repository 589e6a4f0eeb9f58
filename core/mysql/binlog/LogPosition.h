#pragma once

#include "database/Change.h"
#include "mysql/binlog/GtidSet.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::mysql {

/// A Position (database/Change.h) of this family of servers, taken apart.
struct LogPosition {
    enum class Kind { MySqlGtid, MariaDb, File };
    Kind kind = Kind::File;
    GtidSet executed;        ///< MySqlGtid
    MariaDbGtidList domains; ///< MariaDb
    /// Where this was in the server's files. Of MySqlGtid for its identity alone, and not compared.
    std::string file;
    std::uint64_t offset = 0;
    /// When the server began `file`, by its own clock: after a RESET, or on another server, a log
    /// has the same names, places and numbers again. 0 = not known.
    std::uint32_t created = 0;

    static Result<LogPosition> parse(const Position &);
    [[nodiscard]] Position position() const;
    /// Everything up to `wanted` is also before this. False for positions that cannot be compared.
    [[nodiscard]] bool reached(const LogPosition &wanted) const;
};

/// "binlog.000012" -> "binlog", 12. After 999999 the server writes seven digits, so that names do
/// not sort as text.
struct LogFileNumber {
    std::string_view base;
    std::uint64_t number = 0;
    static std::optional<LogFileNumber> of(std::string_view file);
};

/// The log is not the one that was read until now; `how` that is known.
Error logReplacedError(const Text &how);

} // namespace causeway::mysql
