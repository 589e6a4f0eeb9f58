#pragma once

#include "base/Error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ZSTD_DCtx_s;

namespace causeway::mysql {

/// The compressed part of MariaDB's compressed events (log_bin_compress): a head with the plain
/// length, then zlib. False where it is damaged.
[[nodiscard]] bool inflateLogPart(std::string &out, std::string_view part);

/// A value of a MariaDB COMPRESSED column as the row stores it.
[[nodiscard]] bool inflateColumn(std::string &out, std::string_view stored);

/// The events inside a TRANSACTION_PAYLOAD_EVENT, one at a time. One may unpack to gigabytes, and
/// itself be of a gigabyte: only the event asked for is held, and of the packed bytes what add()
/// gave since.
class PayloadReader {
public:
    /// `body` is the event without common header and checksum, or its first part.
    static Result<std::unique_ptr<PayloadReader>> open(std::string_view body);
    /// More of the packed bytes.
    void add(std::string_view part);
    ~PayloadReader();
    PayloadReader(const PayloadReader &) = delete;
    PayloadReader &operator=(const PayloadReader &) = delete;

    /// The next event with its common header, without checksum; empty at the end; nothing where
    /// more packed bytes are needed first. Valid until the next call.
    Result<std::optional<std::string_view>> next();

private:
    PayloadReader() = default;
    /// Makes at least `n` unpacked bytes available at m_at. False at the end of what there is.
    Result<bool> fill(std::size_t n);

    struct FreeContext {
        void operator()(ZSTD_DCtx_s *) const;
    };
    std::unique_ptr<ZSTD_DCtx_s, FreeContext> m_context; ///< none: the payload is not compressed
    std::string m_packed;
    std::size_t m_packedAt = 0;
    std::uint64_t m_awaited = 0; ///< packed bytes that add() will bring
    std::string m_plain;         ///< unpacked bytes not yet given out begin at m_at
    std::size_t m_at = 0;
};

/// What an event that breaks its own format is called, with the place in the log.
Error damagedEvent(const QString &what);

} // namespace causeway::mysql
