#include "mysql/KeyRange.h"

#include "mysql/Parts.h"

namespace causeway::mysql {

namespace {

struct KeyTerm {
    std::string column;
    std::string literal;
};

std::vector<KeyTerm> keyTerms(const Table &table, const Row &key, bool mariaDb)
{
    std::vector<KeyTerm> out;
    const std::vector<int> columns = table.rowKeyColumns();
    for (std::size_t i = 0; i < columns.size() && i < key.size(); ++i) {
        const Column &c = table.columns[static_cast<std::size_t>(columns[i])];
        KeyTerm term{quoteId(c.name).toStdString(), {}};
        appendLiteral(term.literal, c, key[i], true, mariaDb);
        out.push_back(std::move(term));
    }
    return out;
}

/// `strict` is < or >, `last` the operator of the last column.
void appendBound(std::string &sql, const std::vector<KeyTerm> &terms, const char *strict,
                 const char *last)
{
    const std::size_t n = terms.size();
    if (n == 1) {
        sql += terms[0].column + last + terms[0].literal;
        return;
    }
    sql += terms[0].column + strict + '=' + terms[0].literal + " AND ";
    for (std::size_t i = 0; i + 1 < n; ++i) {
        sql += '(' + terms[i].column + strict + terms[i].literal + " OR (" + terms[i].column + '=' +
               terms[i].literal + " AND ";
    }
    sql += terms[n - 1].column + last + terms[n - 1].literal;
    for (std::size_t i = 0; i + 1 < n; ++i)
        sql += "))";
}

} // namespace

void appendRangeCondition(std::string &sql, const Table &table, const ChunkRange &range,
                          bool mariaDb)
{
    if (!range.after && !range.upTo) {
        sql += "TRUE";
        return;
    }
    if (range.after)
        appendBound(sql, keyTerms(table, *range.after, mariaDb), ">", ">");
    if (range.after && range.upTo)
        sql += " AND ";
    if (range.upTo)
        appendBound(sql, keyTerms(table, *range.upTo, mariaDb), "<", "<=");
}

void appendKeyEquals(std::string &sql, const Table &table, const Row &key, bool mariaDb)
{
    sql += '(';
    bool first = true;
    for (const KeyTerm &term : keyTerms(table, key, mariaDb)) {
        if (!first)
            sql += " AND ";
        first = false;
        sql += term.column + '=' + term.literal;
    }
    sql += ')';
}

void appendKeyBytes(std::string &sql, const Table &table, const Row &key)
{
    const std::vector<int> columns = table.rowKeyColumns();
    for (std::size_t i = 0; i < columns.size() && i < key.size(); ++i) {
        const Column &c = table.columns[static_cast<std::size_t>(columns[i])];
        if (c.typeClass != TypeClass::Text || c.charset.isEmpty() || !key[i])
            continue;
        sql += " AND CAST(CONVERT(" + quoteId(c.name).toStdString() + " USING " +
               c.charset.toStdString() + ") AS BINARY)=";
        appendQuoted(sql, *key[i]);
    }
}

std::string keyColumnList(const Table &table)
{
    std::string out;
    for (const int i : table.rowKeyColumns()) {
        if (!out.empty())
            out += ',';
        out += quoteId(table.columns[static_cast<std::size_t>(i)].name).toStdString();
    }
    return out;
}

std::string keyWireList(const Table &table, bool mariaDb)
{
    std::string out;
    for (const int i : table.rowKeyColumns()) {
        if (!out.empty())
            out += ',';
        out += wireExpression(table.columns[static_cast<std::size_t>(i)], mariaDb).toStdString();
    }
    return out;
}

std::string forceRowKey(const Table &table)
{
    if (!table.rowKey)
        return {};
    const Key &key = table.keys[static_cast<std::size_t>(*table.rowKey)];
    if (key.name.isEmpty())
        return {}; // a key of the other side that has no index here
    return " FORCE INDEX (" + quoteId(key.name).toStdString() + ')';
}

Error noRowKeyError(const Table &table)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-unique-key");
    e.object = table.name.display();
    e.message = cwText("core", "%1 has no key that identifies a row.", table.name.display());
    return e;
}

} // namespace causeway::mysql
