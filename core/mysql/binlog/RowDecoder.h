#pragma once

#include "database/Change.h"
#include "mysql/binlog/EventHeader.h"
#include "mysql/binlog/TableMap.h"

#include <functional>

namespace causeway::mysql {

/// The stored bytes of one value, cut out of a row image: without the length before a string.
/// `fractionDigits` matters only for MariaDB's own fractional temporal types of before 10.1, whose
/// size the log does not tell.
std::string_view cutValue(ByteReader &r, const LogColumn &c, int fractionDigits);

/// Stored bytes in wire form (schema::TypeClass). False where the bytes make no sense.
[[nodiscard]] bool toWire(std::string &out, std::string_view stored, const LogColumn &,
                          const Column &);

/// One rows event, of any version, decompressed.
struct RowsEvent {
    RowOp op = RowOp::Insert;
    bool partialJson = false;
    bool statementEnd = false; ///< the last rows event of its statement
    bool foreignKeyChecksOff = false;
    std::uint64_t tableId = 0;
    std::string_view before, after; ///< bitmaps: columns in the images, lowest bit first
    std::string_view rows;          ///< as in the event
    bool compressed = false;
    std::string inflated; ///< the rows of a compressed event

    [[nodiscard]] std::string_view rowBytes() const
    {
        return compressed ? std::string_view(inflated) : rows;
    }

    /// `body` is the event without common header and checksum; `wideTableId`: six bytes.
    static Result<RowsEvent> parse(EventType, std::string_view body, bool wideTableId);
    static bool isRowsEvent(EventType);
};

using RowSink = std::function<void(RowChange &&)>;

/// Decodes all rows of an event. An image without all its columns is an error with id
/// mysql-binlog-row-image, except an after image whose missing columns the before image has.
Status decodeRows(const RowsEvent &, const RowLayout &, const RowSink &);

/// First column of the first row's before image, as stored; nothing where it is NULL, absent or
/// damaged. Needs no table: tells whose stream row an update is of.
std::optional<std::string_view> firstColumnBefore(const RowsEvent &, const TableMap &);

} // namespace causeway::mysql
