#pragma once

#include "schema/Model.h"

#include <vector>

namespace causeway::mysql {

/// A key WITHOUT OVERLAPS of MariaDB: no two rows with the same other columns may hold at one time,
/// from column `from` up to and without `to`. REPLACE and ON DUPLICATE KEY UPDATE are refused in
/// such a table (1235).
struct PeriodKey {
    QString name; ///< of the key
    QString from, to;
};

/// Of a table as it was read, or as it will be made.
std::vector<PeriodKey> periodKeys(const Table &);
/// Of both definitions: what is to be made of a table lists only the keys that exist at once.
std::vector<PeriodKey> periodKeys(const Table &leader, const Table &follower);

} // namespace causeway::mysql
