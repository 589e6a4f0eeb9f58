#pragma once

#include <QString>

namespace causeway {

/// Proof of being the one Causeway that may write for a migration. Every data transaction first
/// updates its own stream row WHERE epoch = this epoch and must change one row; after a takeover
/// nothing that the old holder still has in flight can commit.
struct Lease {
    QString migration; ///< eight hex digits
    quint64 epoch = 0;
    bool operator==(const Lease &) const = default;
};

} // namespace causeway
