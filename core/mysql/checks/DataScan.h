#pragma once

#include "mysql/checks/CheckList.h"

#include <chrono>

/// Looks at the rows themselves, on request: one question a table, which the server answers with
/// counts and a few keys. No row leaves it, and of a key only its numbers and the beginnings of its
/// texts.
namespace causeway::mysql {

/// What is asked of one column, or of a whole row.
struct RowQuestion {
    ColumnFacts column;
    QString condition; ///< SQL over the row, 1 where it holds
};

struct RowAnswer {
    RowQuestion question;
    TableName table;
    qint64 rows = 0;
    QStringList keys; ///< a few of the rows, redacted
};

struct DataScan {
    std::vector<RowAnswer> found;
    QStringList partly; ///< tables of which not all rows were looked at
    qint64 rows = 0;

    /// "shop.t.c: 3 rows, such as id=1, id=7", for Finding::objects.
    [[nodiscard]] QStringList objects() const;
    /// Of how many rows, and what was left out.
    [[nodiscard]] QString extent() const;
};

/// Asks of each table what `questionsOf` wants to know of its columns, within the limits of
/// CheckOptions::data.
Result<DataScan>
scanRows(Look &, const std::function<std::vector<RowQuestion>(const std::vector<ColumnFacts> &)> &);

/// The columns of `key` as text that gives no value away. (`row` stands before each name: "t.")
QString redactedKey(const std::vector<ColumnFacts> &key);
/// A question that the server itself gives up after `limit`.
QString limited(bool mariaDb, const QString &select, std::chrono::milliseconds limit);
/// The server gave a question up for its time.
bool ranOutOfTime(const Error &);

} // namespace causeway::mysql
