#include "mysql/ApplierTable.h"

#include "mysql/KeyGuard.h"
#include "mysql/Parts.h"

#include <algorithm>
#include <utility>

namespace causeway::mysql {

namespace {

std::size_t at(int i)
{
    return static_cast<std::size_t>(i);
}

/// A condition on tuples of columns, built one tuple after the other: `a` IN (1,2), (`a`,`b`) IN
/// ((1,'x'),(2,'y')).
///
/// MySQL 9.7 finds nothing by (enum,b) IN ((1,2),(3,4)), where it compares the label with '1',
/// while enum=1 and enum IN (1,2) compare the ordinal: with an ENUM or SET in them tuples are
/// written out as (enum=1 AND b=2) OR (...).
class TupleCondition {
public:
    TupleCondition(const std::vector<std::string> &ids, const std::vector<const Column *> &types,
                   bool mariaDb)
        : m_ids(ids), m_types(types), m_mariaDb(mariaDb)
    {
        m_apart = ids.size() > 1 && std::any_of(types.begin(), types.end(), [](const Column *c) {
                      return c->typeClass == TypeClass::Enum || c->typeClass == TypeClass::Set;
                  });
    }
    void open(std::string &out) const
    {
        if (m_apart) {
            out.push_back('(');
            return;
        }
        appendList(out, [&](std::size_t i) { out += m_ids[i]; });
        out += " IN (";
    }
    [[nodiscard]] const char *separator() const { return m_apart ? " OR " : ","; }
    void add(std::string &out, const Row &values) const
    {
        if (!m_apart) {
            appendList(out, [&](std::size_t i) { literal(out, i, values[i]); });
            return;
        }
        for (std::size_t i = 0; i < m_ids.size(); ++i) {
            out += i == 0 ? "(" : " AND ";
            out += m_ids[i] + '=';
            literal(out, i, values[i]);
        }
        out.push_back(')');
    }
    static void close(std::string &out) { out.push_back(')'); }

private:
    void literal(std::string &out, std::size_t i, const Value &value) const
    {
        appendLiteral(out, *m_types[i], value, true, m_mariaDb);
    }
    template <class F> void appendList(std::string &out, F item) const
    {
        if (m_ids.size() > 1)
            out.push_back('(');
        for (std::size_t i = 0; i < m_ids.size(); ++i) {
            if (i > 0)
                out.push_back(',');
            item(i);
        }
        if (m_ids.size() > 1)
            out.push_back(')');
    }

    const std::vector<std::string> &m_ids;
    const std::vector<const Column *> &m_types;
    bool m_mariaDb;
    bool m_apart = false;
};

std::string upperHex(std::string_view bytes)
{
    return QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()))
        .toHex()
        .toUpper()
        .toStdString();
}

/// One column of a row in a table without key. `f <=> 0.1` on FLOAT and a JSON column against a
/// string match nothing, and 'A ' matches 'a' (ALGORITHMS 3.8): each type is compared as what it
/// is, text by its bytes.
void appendExactMatch(std::string &out, const ApplierTable &t, int column, const Value &value,
                      const KeylessMatch &match)
{
    const bool mariaDb = match.mariaDb;
    const std::string &id = t.columnId[at(column)];
    const Column &c = t.leaderColumn(column);
    if (!value) {
        out += id + " IS NULL";
        return;
    }
    if (t.followerColumn(column).typeClass == TypeClass::Json) {
        // By its text: as JSON 1 and 1.0 are equal, and DATETIME, DECIMAL are never what a text
        // says.
        const auto binary = [](const std::string &json) {
            return "CAST(CAST(" + json + " AS CHAR CHARACTER SET utf8mb4) AS BINARY)";
        };
        out += binary(id) + "<=>";
        if (match.jsonAsStored) {
            appendQuoted(out, *value);
            return;
        }
        Column json = c; // whatever the leader keeps it as: MariaDB's JSON is a text
        json.typeClass = TypeClass::Json;
        std::string literal;
        appendLiteral(literal, json, value, true, mariaDb);
        out += binary("CAST(" + literal + " AS JSON)");
        return;
    }
    switch (c.typeClass) {
    case TypeClass::Integer:
    case TypeClass::Decimal:
    case TypeClass::Float:
    case TypeClass::Double:
        out += id + "<=>";
        appendLiteral(out, c, value, true, mariaDb);
        return;
    case TypeClass::Bit:
    case TypeClass::Enum:
    case TypeClass::Set:
        out += "CAST(" + id + " AS UNSIGNED)<=>";
        appendLiteral(out, c, value, true, mariaDb);
        return;
    case TypeClass::Json: // a text here
    case TypeClass::Text:
        out += "CAST(" + id + " AS BINARY)<=>";
        if (t.differsInCharset(column)) {
            out += "CAST(CONVERT(";
            appendLiteral(out, c, value, true, mariaDb);
            out += " USING " + t.followerColumn(column).charset.toStdString() + ") AS BINARY)";
        } else {
            appendQuoted(out, *value);
        }
        return;
    case TypeClass::Binary:
        out += id + "<=>";
        appendQuoted(out, *value);
        return;
    case TypeClass::Geometry:
    case TypeClass::Vector:
        out += "HEX(" + id + ")<=>'" + upperHex(*value) + '\'';
        return;
    case TypeClass::Temporal:
    case TypeClass::Other:
        // As text: a literal that the present sql_mode holds for no date would match nothing.
        out += "CAST(" + id + " AS CHAR)<=>";
        appendQuoted(out, *value);
        return;
    }
}

} // namespace

Result<ApplierTable> ApplierTable::make(std::shared_ptr<const Table> leader,
                                        std::shared_ptr<const Table> follower)
{
    ApplierTable t;
    t.name = quoteName(follower->name).toStdString();
    t.columnList = "(";
    for (std::size_t i = 0; i < leader->columns.size(); ++i) {
        const Column &c = leader->columns[i];
        const int there = follower->columnIndex(c.name);
        t.followerIndex.push_back(there);
        t.columnId.push_back(there < 0 ? std::string()
                                       : quoteId(follower->columns[at(there)].name).toStdString());
        if (there < 0) {
            // A computed value is no data; any other would be lost without a word.
            if (c.generated)
                continue;
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("mysql-column-missing");
            e.message = cwText("core", "Column %1 of %2 does not exist on the follower.", c.name,
                               leader->name.display());
            e.object = follower->name.display();
            return fail(std::move(e));
        }
        if (follower->columns[at(there)].generated)
            continue;
        if (!t.written.empty())
            t.columnList.push_back(',');
        t.columnList += t.columnId.back();
        t.written.push_back(static_cast<int>(i));
        if (c.typeClass == TypeClass::Enum)
            t.enums.push_back(static_cast<int>(i));
    }
    t.columnList.push_back(')');
    t.key = leader->rowKeyColumns();
    if (std::any_of(t.key.begin(), t.key.end(),
                    [&](int c) { return c < 0 || t.followerIndex[at(c)] < 0; }))
        t.key.clear();
    t.leader = std::move(leader);
    t.follower = std::move(follower);
    t.tolerated = toleratedColumns(*t.follower);
    static const QStringList without{QStringLiteral("MyISAM"), QStringLiteral("Aria"),
                                     QStringLiteral("MEMORY"), QStringLiteral("CSV"),
                                     QStringLiteral("ARCHIVE")};
    t.loose = looseKeys(*t.leader, *t.follower);
    t.periods = periodKeys(*t.leader, *t.follower);
    t.transactional = !without.contains(t.follower->engine, Qt::CaseInsensitive);
    return t;
}

Row ApplierTable::keyOf(const Row &image) const
{
    Row out;
    out.reserve(key.size());
    for (const int c : key)
        out.push_back(image[at(c)]);
    return out;
}

int ApplierTable::invalidEnums(const Row &image) const
{
    return static_cast<int>(std::count_if(enums.begin(), enums.end(), [&](int c) {
        const Value &v = image[at(c)];
        return v && *v == "0";
    }));
}

const Column &ApplierTable::followerColumn(int column) const
{
    return follower->columns[at(followerIndex[at(column)])];
}

bool ApplierTable::differsInCharset(int column) const
{
    const Column &c = leaderColumn(column);
    return c.typeClass == TypeClass::Text && !c.charset.isEmpty() &&
           c.charset != followerColumn(column).charset;
}

std::string ApplierTable::keepTimestamps(const std::vector<int> &assigned) const
{
    std::string out;
    for (std::size_t i = 0; i < follower->columns.size(); ++i) {
        const Column &c = follower->columns[i];
        const bool isAssigned = std::any_of(assigned.begin(), assigned.end(), [&](int a) {
            return followerIndex[at(a)] == static_cast<int>(i);
        });
        if (c.onUpdateNow && !isAssigned) {
            const std::string id = quoteId(c.name).toStdString();
            out.append(1, ',').append(id).append(1, '=').append(id);
        }
    }
    return out;
}

void appendRowValues(std::string &out, const ApplierTable &t, const Row &image, bool mariaDb)
{
    out.push_back('(');
    bool first = true;
    for (const int c : t.written) {
        if (!first)
            out.push_back(',');
        first = false;
        appendLiteral(out, t.leaderColumn(c), image[at(c)], t.differsInCharset(c), mariaDb);
    }
    out.push_back(')');
}

namespace {

std::vector<WriteStatement> writeStatements(const char *verb, const ApplierTable &t,
                                            const std::vector<const Row *> &rows,
                                            const StatementLimits &limits)
{
    std::vector<WriteStatement> out;
    const std::string head = verb + t.name + ' ' + t.columnList + " VALUES ";
    std::string values;
    for (const bool withInvalid : {false, true}) {
        WriteStatement statement;
        std::size_t count = 0;
        const auto finish = [&] {
            if (count > 0)
                out.push_back(std::exchange(statement, {}));
            count = 0;
        };
        for (const Row *row : rows) {
            const int invalid = t.invalidEnums(*row);
            if ((invalid > 0) != withInvalid)
                continue;
            values.clear();
            appendRowValues(values, t, *row, limits.mariaDb);
            if (count >= limits.rows || statement.invalidEnums >= mostInvalidEnums ||
                statement.sql.size() + values.size() + 1 > limits.bytes)
                finish();
            statement.sql += count == 0 ? head : ",";
            statement.sql += values;
            statement.invalidEnums += invalid;
            ++count;
        }
        finish();
        if (t.enums.empty())
            break;
    }
    return out;
}

/// Keys that differ in bytes are different rows there, and may be equal here: what goes is the row
/// with these bytes. The plain comparison is what finds it by the index.
std::vector<std::string> exactDeletes(const ApplierTable &t, const std::vector<const Row *> &keys,
                                      const StatementLimits &limits)
{
    constexpr std::size_t most = 200;
    const std::string head = "DELETE FROM " + t.name + " WHERE ";
    std::vector<std::string> out;
    std::size_t count = 0;
    for (const Row *key : keys) {
        std::string row = "(";
        for (std::size_t i = 0; i < t.key.size(); ++i) {
            const int c = t.key[i];
            row += (i > 0 ? " AND " : "") + t.columnId[at(c)] + '=';
            appendLiteral(row, t.leaderColumn(c), (*key)[i], true, limits.mariaDb);
            if (t.leaderColumn(c).typeClass == TypeClass::Text) {
                row += " AND ";
                appendExactMatch(row, t, c, (*key)[i], {limits.mariaDb, false});
            }
        }
        row.push_back(')');
        if (count == 0 || count >= most || out.back().size() + row.size() + 4 > limits.bytes) {
            out.push_back(head);
            count = 0;
        }
        out.back() += (count > 0 ? " OR " : "") + row;
        ++count;
    }
    return out;
}

} // namespace

std::vector<WriteStatement> replaceStatements(const ApplierTable &t,
                                              const std::vector<const Row *> &rows,
                                              const StatementLimits &limits)
{
    return writeStatements("REPLACE INTO ", t, rows, limits);
}

std::vector<WriteStatement> insertStatements(const ApplierTable &t,
                                             const std::vector<const Row *> &rows,
                                             const StatementLimits &limits)
{
    return writeStatements("INSERT INTO ", t, rows, limits);
}

std::vector<std::string> deleteStatements(const ApplierTable &t,
                                          const std::vector<const Row *> &keys,
                                          const StatementLimits &limits)
{
    if (!t.loose.empty())
        return exactDeletes(t, keys, limits);
    std::vector<std::string> ids;
    std::vector<const Column *> types;
    for (const int c : t.key) {
        ids.push_back(t.columnId[at(c)]);
        types.push_back(&t.leaderColumn(c));
    }
    // The range optimizer gives up (and scans, locking the table) past
    // range_optimizer_max_mem_size; 200 tuples of 16 columns stay well below its default.
    const std::size_t most = std::min<std::size_t>(limits.rows, t.key.size() > 1 ? 200 : 1000);
    const TupleCondition condition(ids, types, limits.mariaDb);
    std::string head = "DELETE FROM " + t.name + " WHERE ";
    condition.open(head);
    std::vector<std::string> out;
    std::string sql;
    std::size_t count = 0;
    std::string tuple;
    const auto finish = [&] {
        TupleCondition::close(sql);
        out.push_back(std::exchange(sql, {}));
        count = 0;
    };
    for (const Row *key : keys) {
        tuple.clear();
        condition.add(tuple, *key);
        if (count > 0 && (count >= most || sql.size() + tuple.size() + 6 > limits.bytes))
            finish();
        sql += count == 0 ? head : condition.separator();
        sql += tuple;
        ++count;
    }
    if (count > 0)
        finish();
    return out;
}

void appendTupleCondition(std::string &out, const std::vector<std::string> &ids,
                          const std::vector<const Column *> &types, const std::vector<Row> &tuples,
                          std::size_t from, std::size_t count, bool mariaDb)
{
    const TupleCondition condition(ids, types, mariaDb);
    condition.open(out);
    for (std::size_t i = from; i < from + count && i < tuples.size(); ++i) {
        if (i > from)
            out += condition.separator();
        condition.add(out, tuples[i]);
    }
    TupleCondition::close(out);
}

std::string wholeRowCondition(const ApplierTable &t, const Row &image, const KeylessMatch &match,
                              const std::vector<int> &without)
{
    std::string out;
    for (const int c : t.written) {
        if (std::find(without.begin(), without.end(), c) != without.end())
            continue;
        if (!out.empty())
            out += " AND ";
        appendExactMatch(out, t, c, image[at(c)], match);
    }
    return out.empty() ? "TRUE" : out;
}

std::string keylessInsert(const ApplierTable &t, const Row &image, bool mariaDb)
{
    std::string sql = "INSERT INTO " + t.name + ' ' + t.columnList + " VALUES ";
    appendRowValues(sql, t, image, mariaDb);
    return sql;
}

std::string keylessUpdate(const ApplierTable &t, const Row &before, const Row &after,
                          const KeylessMatch &match)
{
    std::string sql = "UPDATE " + t.name + " SET ";
    bool first = true;
    for (const int c : t.written) {
        if (!first)
            sql.push_back(',');
        first = false;
        sql += t.columnId[at(c)] + '=';
        appendLiteral(sql, t.leaderColumn(c), after[at(c)], t.differsInCharset(c), match.mariaDb);
    }
    return sql + " WHERE " + wholeRowCondition(t, before, match) + " LIMIT 1";
}

std::string keylessDelete(const ApplierTable &t, const Row &before, const KeylessMatch &match)
{
    return "DELETE FROM " + t.name + " WHERE " + wholeRowCondition(t, before, match) + " LIMIT 1";
}

} // namespace causeway::mysql
