#pragma once

#include "mysql/binlog/ByteReader.h"

#include <cstdint>
#include <string>

/// Storage forms of numbers and times, shared by rows of the log and opaque values inside JSON.
/// Each appends the server's text.
namespace causeway::mysql {

/// DECIMAL(precision, scale). False where precision and scale make no sense.
bool appendDecimal(std::string &out, ByteReader &r, int precision, int scale);

/// `value` with leading zeros to at least `width` digits.
void appendPadded(std::string &out, std::uint64_t value, int width);
/// ".ffffff" cut to `digits` (0 to 6) from microseconds; nothing for 0 digits.
void appendFraction(std::string &out, std::uint32_t microseconds, int digits);
void appendDate(std::string &out, unsigned year, unsigned month, unsigned day);
void appendClock(std::string &out, unsigned hour, unsigned minute, unsigned second);
/// Seconds since 1970 as UTC date and time.
void appendUnixTime(std::string &out, std::uint64_t seconds);

/// TIME as a 64 bit number (JSON), with six digits.
void appendPackedTime(std::string &out, std::int64_t packed);
/// DATE or DATETIME as a 64 bit number (JSON); a DATETIME with six digits.
void appendPackedDateTime(std::string &out, std::int64_t packed, bool dateOnly);

} // namespace causeway::mysql
