#pragma once

#include "base/Error.h"
#include "mysql/binlog/ByteReader.h"
#include "schema/Model.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::mysql {

/// Column types as the log writes them.
enum class LogType : std::uint8_t {
    OldDecimal = 0,
    Tiny = 1,
    Short = 2,
    Long = 3,
    Float = 4,
    Double = 5,
    Null = 6,
    Timestamp = 7,
    LongLong = 8,
    Int24 = 9,
    Date = 10,
    Time = 11,
    DateTime = 12,
    Year = 13,
    NewDate = 14,
    VarChar = 15,
    Bit = 16,
    Timestamp2 = 17,
    DateTime2 = 18,
    Time2 = 19,
    MariaBlobCompressed = 140,
    MariaVarCharCompressed = 141,
    Vector = 242,
    Json = 245,
    NewDecimal = 246,
    Enum = 247,
    Set = 248,
    TinyBlob = 249,
    MediumBlob = 250,
    LongBlob = 251,
    Blob = 252,
    VarString = 253,
    String = 254,
    Geometry = 255,
};

/// One column as a TABLE_MAP event describes it.
struct LogColumn {
    LogType type{};         ///< real type: ENUM and SET are hidden behind STRING in the event
    std::uint8_t a = 0;     ///< first byte of the metadata: precision, bytes of the length, ...
    std::uint8_t b = 0;     ///< second byte: scale, ...
    std::uint32_t size = 0; ///< declared bytes of a string
    bool operator==(const LogColumn &) const = default;
};

/// A TABLE_MAP event.
struct TableMap {
    std::string schema, table;
    std::vector<LogColumn> columns;
    std::optional<std::vector<bool>> unsignedFlags; ///< per column; absent: not in the event
    std::vector<std::string> names;                 ///< binlog_row_metadata=FULL only

    /// `body` begins after the table id.
    static std::optional<TableMap> parse(std::string_view body);
};

/// What a row of the log means for one table: made once per TABLE_MAP, used for all its rows.
struct RowLayout {
    TableMap map;
    std::shared_ptr<const Table> table; ///< null: not in scope
    int jsonColumns = 0;                ///< of the log's columns
    /// Column of the log that says until when a row of a system-versioned table (MariaDB) held. The
    /// log has the rows of the past too.
    std::optional<std::size_t> rowEnd;
};

/// Proves that the table the resolver knows is the table of the log: number of columns, classes of
/// types and, where the log has them, names and signs. Error id mysql-schema-drift.
Result<RowLayout> layOut(TableMap &&, std::shared_ptr<const Table>);

} // namespace causeway::mysql
