#pragma once

#include "database/Change.h"
#include "database/Database.h"
#include "mysql/ExactWrite.h"
#include "mysql/Periods.h"
#include "mysql/Session.h"

#include <memory>
#include <string>
#include <vector>

namespace causeway::mysql {

/// How one table of the leader is written on the follower: columns paired by name, statement heads
/// made once. Columns are named by their index in the *leader's* table throughout.
struct ApplierTable {
    std::shared_ptr<const Table> leader, follower;
    std::vector<int> key;              ///< of the row key; empty: no usable key
    std::vector<int> written;          ///< in both, not generated on the follower
    std::vector<int> followerIndex;    ///< by leader column; -1 = the follower has none
    std::vector<std::string> columnId; ///< by leader column, quoted name on the follower
    std::string name;                  ///< quoted
    std::string columnList;            ///< "(`a`,`b`)" of `written`
    std::vector<int> enums;            ///< of `written`
    ToleratedColumns tolerated;
    bool transactional = true; ///< the follower's engine can roll back
    /// looseKeys(): such a table is deleted from by the key's bytes.
    std::vector<int> loose;
    std::vector<PeriodKey> periods;
    /// REPLACE would take the wrong rows away, or is refused: KeyGuard writes it.
    [[nodiscard]] bool isGuarded() const { return !loose.empty() || !periods.empty(); }

    static Result<ApplierTable> make(std::shared_ptr<const Table> leader,
                                     std::shared_ptr<const Table> follower);
    [[nodiscard]] bool hasKey() const { return !key.empty(); }
    [[nodiscard]] Row keyOf(const Row &image) const;
    /// Cells with ENUM's invalid value: see writeExactly().
    [[nodiscard]] int invalidEnums(const Row &image) const;
    /// The leader's bytes do not mean the same in the follower's column: say their charset.
    [[nodiscard]] bool differsInCharset(int column) const;
    [[nodiscard]] const Column &leaderColumn(int column) const
    {
        return leader->columns[static_cast<std::size_t>(column)];
    }
    [[nodiscard]] const Column &followerColumn(int column) const;
    /// ", `ts`=`ts`" for each ON UPDATE CURRENT_TIMESTAMP column not among `assigned`: a native
    /// referential action leaves them as they are, an UPDATE statement would not.
    [[nodiscard]] std::string keepTimestamps(const std::vector<int> &assigned) const;
};

/// Bounds of one statement. Bytes from the server's max_allowed_packet.
struct StatementLimits {
    std::size_t bytes = 1'000'000;
    std::size_t rows = 1'000;
    bool mariaDb = true;
};

/// A statement that writes rows, for writeExactly().
struct WriteStatement {
    std::string sql;
    int invalidEnums = 0;
};

/// "(v, v, ...)" of the written columns.
void appendRowValues(std::string &out, const ApplierTable &, const Row &image, bool mariaDb);
/// REPLACE INTO t (...) VALUES (...), ...; rows with ENUM's invalid value in statements of their
/// own.
std::vector<WriteStatement>
replaceStatements(const ApplierTable &, const std::vector<const Row *> &, const StatementLimits &);
/// The same as INSERT.
std::vector<WriteStatement> insertStatements(const ApplierTable &, const std::vector<const Row *> &,
                                             const StatementLimits &);
/// DELETE FROM t WHERE key IN (...): `keys` hold the key's values only.
std::vector<std::string> deleteStatements(const ApplierTable &,
                                          const std::vector<const Row *> &keys,
                                          const StatementLimits &);

/// "`a` IN (...)" or "(`a`,`b`) IN ((...), ...)" for tuples[from, from + count). `types` say what
/// the values are (their charset). No value may be NULL.
void appendTupleCondition(std::string &out, const std::vector<std::string> &ids,
                          const std::vector<const Column *> &types, const std::vector<Row> &tuples,
                          std::size_t from, std::size_t count, bool mariaDb);

struct KeylessMatch {
    bool mariaDb = true;
    /// The image has JSON as the follower prints it, not as the leader does.
    bool jsonAsStored = false;
};
/// The condition that finds exactly this row in a table without key: null-safe, binary, typed
/// (ALGORITHMS 3.8). Columns `without` are not looked at.
std::string wholeRowCondition(const ApplierTable &, const Row &image, const KeylessMatch &,
                              const std::vector<int> &without = {});
std::string keylessInsert(const ApplierTable &, const Row &image, bool mariaDb);
std::string keylessUpdate(const ApplierTable &, const Row &before, const Row &after,
                          const KeylessMatch &);
std::string keylessDelete(const ApplierTable &, const Row &before, const KeylessMatch &);

} // namespace causeway::mysql
