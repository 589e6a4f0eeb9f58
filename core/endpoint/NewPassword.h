#pragma once

#include <QString>

namespace causeway {

/// Letters of both cases, digits and signs that need no quoting in SQL, in a shell or in a URL:
/// every group is there, since password policies ask for it. 24 of them are some 140 bits.
/// Kept nowhere. Any thread.
QString newPassword();

} // namespace causeway
