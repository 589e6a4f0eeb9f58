#include "mysql/MySqlDatabase.h"
#include "mysql/Parts.h"

namespace causeway::mysql {

namespace {
constexpr std::size_t kKeysPerQuery = 200;
}

Result<std::vector<Row>> MySqlDatabase::readRows(const Table &table, const std::vector<Row> &keys,
                                                 std::stop_token stop)
{
    std::vector<Row> out;
    const std::vector<int> keyColumns = table.rowKeyColumns();
    if (keys.empty() || keyColumns.empty())
        return out;
    CW_TRY_ASSIGN(const auto session, Session::open(m_address, Use::Data, stop));
    const bool mariaDb = session->isMariaDb();
    QStringList columns;
    for (const Column &c : table.columns) {
        // Computed by each server itself, so never written and not compared here.
        columns << (c.generated ? QStringLiteral("NULL") : wireExpression(c, mariaDb));
    }
    const std::string select = QStringLiteral("SELECT %1 FROM %2 WHERE ")
                                   .arg(columns.join(QLatin1Char(',')), quoteName(table.name))
                                   .toStdString();
    for (std::size_t from = 0; from < keys.size(); from += kKeysPerQuery) {
        std::string sql = select;
        const std::size_t to = std::min(keys.size(), from + kKeysPerQuery);
        for (std::size_t i = from; i < to; ++i) {
            sql += i == from ? "(" : " OR (";
            for (std::size_t k = 0; k < keyColumns.size(); ++k) {
                const Column &column = table.columns[static_cast<std::size_t>(keyColumns[k])];
                sql += (k ? " AND " : "") + quoteId(column.name).toStdString() + '=';
                appendLiteral(sql, column, keys[i][k], true, mariaDb);
            }
            sql += ')';
        }
        CW_TRY_ASSIGN(ResultSet rows, session->queryBytes(sql, stop));
        for (Row &row : rows.rows) {
            for (std::size_t i = 0; i < table.columns.size(); ++i) {
                const TypeClass type = table.columns[i].typeClass;
                if (row[i] && (type == TypeClass::Float || type == TypeClass::Double))
                    row[i] = canonicalReal(*row[i], type == TypeClass::Float);
            }
        }
        std::move(rows.rows.begin(), rows.rows.end(), std::back_inserter(out));
    }
    return out;
}

} // namespace causeway::mysql
