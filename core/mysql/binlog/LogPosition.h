#pragma once

#include "database/Change.h"
#include "mysql/binlog/GtidSet.h"

#include <cstdint>
#include <string>

namespace causeway::mysql {

/// A Position (database/Change.h) of this family of servers, taken apart.
struct LogPosition {
    enum class Kind { MySqlGtid, MariaDb, File };
    Kind kind = Kind::File;
    GtidSet executed;        ///< MySqlGtid
    MariaDbGtidList domains; ///< MariaDb
    std::string file;        ///< MariaDb, File
    std::uint64_t offset = 0;

    static Result<LogPosition> parse(const Position &);
    [[nodiscard]] Position position() const;
    /// Everything up to `wanted` is also before this. False for positions that cannot be compared.
    [[nodiscard]] bool reached(const LogPosition &wanted) const;
};

} // namespace causeway::mysql
