#pragma once

#include "database/Database.h"
#include "mysql/ApplierTable.h"

#include <mutex>
#include <vector>

namespace causeway::mysql {

/// Unique keys of the follower that may hold for one what the leader keeps apart, because collation
/// or padding of a column differs (ALGORITHMS 2.6). Indexes into the follower's keys.
std::vector<int> looseKeys(const Table &leader, const Table &follower);

/// Writes rows into a table that has such keys, or one WITHOUT OVERLAPS, where REPLACE is refused.
///
/// REPLACE deletes whatever holds the same key, and 'a' holds the key 'a ' where trailing spaces do
/// not count: of two rows of the leader one would be gone without a word. So the row's own old
/// image is deleted (by the bytes of its key), and the new one inserted: another row in its way is
/// then an error of the server, however its keys compare. It is settled with what the leader holds
/// now. Where it holds both rows with these very values, they cannot both be here:
/// Error{"mysql-key-collision"}. Where it no longer holds the one that is here, its going is later
/// in the log, and it may go now; where it no longer holds the one to be written, that is not
/// written at all. A row in the way through a key that both sides compare alike goes, as it does
/// with REPLACE (Applier.cpp).
class KeyGuard {
public:
    /// Without `leader` any collision is an error. `mutex` is held while it is asked.
    KeyGuard(const ApplierTable &table, LeaderRows *leader, std::mutex &mutex,
             StatementLimits limits)
        : m_table(table), m_leader(leader), m_mutex(mutex), m_limits(limits)
    {
    }
    /// Inside the caller's transaction, which must be rolled back after an error.
    Status write(Session &, const std::vector<const Row *> &rows, std::stop_token);

private:
    /// A row of the follower in the way of another; its row key, and the values of the key through
    /// which it is, in the leader's bytes.
    struct Other {
        const Key *key = nullptr;
        bool loose = false;
        std::vector<int> columns; ///< of the leader
        Row rowKey, values;
    };
    Status insert(Session &, const std::vector<const Row *> &rows, const std::stop_token &);
    Status writeAlone(Session &, const Row &row, const std::stop_token &);
    Result<std::vector<Other>> inTheWayOf(Session &, const Row &row, const std::stop_token &);
    /// Whether `row` is to be written, and the other to go; an error where the leader has both.
    Result<bool> settle(const Row &row, const Other &, const std::stop_token &);

    const ApplierTable &m_table;
    LeaderRows *m_leader;
    std::mutex &m_mutex;
    StatementLimits m_limits;
};

/// Values as people are shown them: 'a', 12.
QString showValues(const std::vector<const Column *> &columns, const Row &values);
/// Two rows of `leader` that `follower` would hold for one.
Error collisionError(const TableName &leader, const TableName &follower, const QString &key,
                     const QString &first, const QString &second);

} // namespace causeway::mysql
