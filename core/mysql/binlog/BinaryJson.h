#pragma once

#include "base/Error.h"

#include <string>
#include <string_view>

namespace causeway::mysql {

/// MySQL's binary JSON (column type 245 in the log) as the text that MySQL prints for it, byte for
/// byte: members in their stored order, ", " and ": ", doubles with a point, opaque decimals as
/// numbers, opaque temporals as strings with six digits, other opaque values as "base64:typeN:...".
/// Appends to `out`; false where the document is damaged.
[[nodiscard]] bool appendJsonText(std::string &out, std::string_view binary);

/// Applies the diffs of a partial update (binlog_row_value_options=PARTIAL_JSON) to the document
/// before it. `binaryBefore` is the before image's value; `diffs` the after image's. Gives the text
/// of the document after it; false where either is damaged or they do not belong together.
[[nodiscard]] bool applyJsonDiffs(std::string &out, std::string_view binaryBefore,
                                  std::string_view diffs);

/// A double as MySQL's own conversion prints it inside JSON ("1.0", "0.00001", "1e20").
void appendJsonDouble(std::string &out, double value);

} // namespace causeway::mysql
