#pragma once

#include "database/Database.h"

#include <QString>

#include <string>
#include <vector>

/// SQL about the row key of a table, for Data sessions. Bounds are compared by the server, in the
/// column's own collation: what the order of two strings is, only the server knows. Key columns are
/// compared in ascending order whatever the index says, so that one range means the same on both
/// sides.
namespace causeway::mysql {

/// Appends the condition "key in (after, upTo]"; "TRUE" for the whole table.
///
/// The form is a>=x AND (a>x OR (a=x AND b>y)): with the row constructor (a,b)>(x,y) the servers
/// scan the index from its beginning.
void appendRangeCondition(std::string &sql, const Table &, const ChunkRange &, bool mariaDb);

/// Appends "(a=x AND b=y)".
void appendKeyEquals(std::string &sql, const Table &, const Row &key, bool mariaDb);
/// Appends " AND ..." for texts: of the very bytes, so that a row whose key is equal only by a
/// collation, which may be another one on the other side, is not taken for this one.
void appendKeyBytes(std::string &sql, const Table &, const Row &key);

/// "`a`,`b`"
std::string keyColumnList(const Table &);
/// Wire expressions of the key columns, comma separated.
std::string keyWireList(const Table &, bool mariaDb);
/// " FORCE INDEX (`PRIMARY`)": an optimizer that prefers another index would sort the whole rest of
/// the table for every page. Empty without a row key.
std::string forceRowKey(const Table &);

/// Error for a table without row key where one is needed.
Error noRowKeyError(const Table &);

} // namespace causeway::mysql
