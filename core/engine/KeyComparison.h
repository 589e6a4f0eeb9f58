#pragma once

#include "engine/Context.h"
#include "route/ChangedKeys.h"
#include "verify/Alignment.h"

#include <map>
#include <memory>

namespace causeway {

/// Compares rows by their keys on both sides, by the canonical hashes of ALGORITHMS 6. Reads the
/// schema and connects when it is made: at the switch that is before writes are held. One thread at
/// a time.
class KeyComparison {
public:
    static Result<std::unique_ptr<KeyComparison>> make(Context &, Roles, std::stop_token);
    /// Those of the keys (leader's table names) whose rows differ, are missing or are extra.
    Result<ChangedKeys> different(const ChangedKeys &, std::stop_token);
    [[nodiscard]] const std::vector<TablePlan> &plans() const { return m_plans; }
    /// The leader's tables that the follower does not have: all their rows are missing.
    [[nodiscard]] const std::vector<TableName> &unmatched() const { return m_unmatched; }

private:
    KeyComparison() = default;
    std::vector<TablePlan> m_plans;
    std::vector<TableName> m_unmatched;
    std::map<TableName, AlignedTables> m_tables; ///< by the leader's name
    std::unique_ptr<RangeHasher> m_leader, m_follower;
};

} // namespace causeway
