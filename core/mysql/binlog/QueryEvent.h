#pragma once

#include <QString>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::mysql {

/// A statement in the log, with what its session had set.
struct QueryEvent {
    std::uint32_t threadId = 0; ///< of the session that ran it
    QString statement;
    QString defaultSchema;
    std::uint16_t errorCode = 0;
    std::optional<std::uint32_t> flags2;
    std::optional<std::uint64_t> sqlModeBits;
    std::optional<std::uint16_t> clientCharset; ///< collation id of character_set_client

    [[nodiscard]] bool foreignKeyChecksOff() const;
    [[nodiscard]] bool ansiQuotes() const;
    [[nodiscard]] bool noBackslashEscapes() const;
    [[nodiscard]] QString sqlMode(bool mariaDb) const; ///< names, as SET sql_mode takes them

    /// `body` without common header and checksum; `postHeader` bytes from the format description.
    static std::optional<QueryEvent> parse(std::string_view body, std::size_t postHeader,
                                           bool compressed);
};

} // namespace causeway::mysql
