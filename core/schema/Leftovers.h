#pragma once

#include <QString>

namespace causeway {

/// The name says that somebody put the table aside: orders_bak, tmp_import, old_users,
/// orders_20240131, users_copy2. A hint for people, nothing to act on.
[[nodiscard]] bool looksLikeLeftover(const QString &table);

} // namespace causeway
