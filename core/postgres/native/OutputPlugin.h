#pragma once

#include "base/Error.h"
#include "schema/Model.h"

#include <QByteArray>

#include <map>
#include <optional>
#include <vector>

/// What PostgreSQL's own output plugin (pgoutput, protocol 1, text values) says of changes.
namespace causeway::postgres {

struct StreamColumn {
    QString name;
    bool key = false; ///< of the replica identity
};

struct StreamRelation {
    TableName name;
    std::vector<StreamColumn> columns;
};

struct StreamValue {
    enum class Kind { Null, Unchanged, Text } kind = Kind::Null;
    QByteArray text;
};
using StreamTuple = std::vector<StreamValue>;

struct StreamChange {
    enum class Kind { Begin, Commit, Insert, Update, Delete, Truncate, Other } kind = Kind::Other;
    quint64 commitLsn = 0; ///< Begin: where its transaction commits
    quint32 relation = 0;
    std::vector<quint32> truncated;
    std::optional<StreamTuple> before; ///< key or whole old row, where there is one
    StreamTuple after;
};

/// One message. Relations are remembered in `relations`.
Result<StreamChange> decodeMessage(const QByteArray &,
                                   std::map<quint32, StreamRelation> &relations);

} // namespace causeway::postgres
