#pragma once

#include "database/Database.h"
#include "route/ChangedKeys.h"

#include <QString>

#include <optional>

namespace causeway {

/// What a follower that ended knew of the rows that are still to be compared, for the one after it:
/// the leader's log does not tell which rows referential actions changed, so that without this
/// whole tables have to be compared.
struct KeptKeys {
    Side leader = Side::Source;
    quint64 epoch = 0; ///< of the lease under which they were seen
    Position from;     ///< of the leader: every change after it,
    Position applied;  ///< up to and including here, is among the keys
    ChangedKeys keys;

    /// As text for the migration's file; empty where they are too many to be worth it.
    [[nodiscard]] QString encode() const;
    static std::optional<KeptKeys> decode(const QString &);
};

} // namespace causeway
