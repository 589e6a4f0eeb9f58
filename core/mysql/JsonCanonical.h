#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace causeway::mysql {

/// One text for all texts of the same JSON value: members sorted by name, the last of equal names
/// kept (as MySQL keeps it), no white space, escapes resolved, numbers by value. MySQL rewrites
/// what it stores and versions print it differently; MariaDB keeps the text as it came. For
/// comparing only. Nothing where the text is not JSON.
std::optional<std::string> canonicalJson(std::string_view text);

} // namespace causeway::mysql
