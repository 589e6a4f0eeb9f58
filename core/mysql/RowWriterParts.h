#pragma once

#include "database/Database.h"
#include "mysql/Session.h"

#include <string>
#include <vector>

/// The ways in which the rows of a batch get into a table; RowWriter.cpp chooses and keeps the
/// transaction around them.
namespace causeway::mysql {

/// One column of a batch and where it goes.
struct WrittenColumn {
    Column leader, follower;
    /// The bytes are in another charset than the follower's column: the server must convert.
    bool convert = false;
};

/// How a batch of the leader's table goes into the follower's.
struct WritePlan {
    const Table *leader = nullptr;
    const Table *follower = nullptr;
    std::string table;      ///< follower's name, quoted
    std::string columnList; ///< "`a`,`b`", in the batch's order
    std::vector<WrittenColumn> columns;
    bool converts = false; ///< some column does
    bool mariaDb = false;  ///< the follower is
    bool periods = false;  ///< it has a key WITHOUT OVERLAPS

    static Result<WritePlan> make(const TablePlan &, bool mariaDb);
};

/// What the follower takes, found out once per session.
struct WriteLimits {
    qint64 maxPacket = 1 << 20; ///< the session's max_allowed_packet
    bool bulk = false;          ///< COM_STMT_BULK_EXECUTE
    bool loadLocal = false;     ///< LOAD DATA LOCAL
};

/// A fast way either put every row into the table exactly as it is, or the transaction must be
/// rolled back and the rows inserted one statement after the other, which says what is wrong.
enum class FastResult { Exact, UseInsert };

/// LOAD DATA LOCAL from memory (RowWriterLoad.cpp). With LOCAL the server skips duplicates and
/// bends values with warnings only, so that a single warning already means UseInsert.
Result<FastResult> loadRows(Session &, const WritePlan &, const RowBatch &, std::stop_token);

/// MariaDB's array binding (RowWriterBulk.cpp); UseInsert where the client library lacks it.
Result<FastResult> bulkRows(Session &, const WritePlan &, const RowBatch &, const WriteLimits &,
                            std::stop_token);
bool clientHasBulk();

/// INSERT of many rows per statement (RowWriterInsert.cpp): rows whose key, or another unique
/// value, is there already are left as they are. Returns how many rows were new.
Result<qint64> insertRows(Session &, const WritePlan &, const RowBatch &, const WriteLimits &,
                          std::stop_token);
/// Proves for each row of the batch that it is in the table under exactly its own key, or that
/// another row holds a value of a unique key. Error where rows of the leader are one and the same
/// for the follower's collation.
Result<WriteCount> countRows(Session &, const WritePlan &, const RowBatch &, qint64 inserted,
                             std::stop_token);

} // namespace causeway::mysql
