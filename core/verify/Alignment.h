#pragma once

#include "database/Database.h"

namespace causeway {

/// Both sides of a table as they must be described to hashers for equal rows to give equal hashes:
/// the leader's columns in the leader's order and classes, each with its own side's name, charset
/// and index. Text and JSON of one column are compared as JSON when either side calls it so.
struct AlignedTables {
    Table leader, follower;
};
Result<AlignedTables> alignForHashing(const TablePlan &);

/// Key values for people: text as text, bytes that are not UTF-8 in hexadecimal.
QString printableKey(const Table &, const Row &key);

} // namespace causeway
