#include "mysql/KeyGuard.h"

#include "mysql/Parts.h"
#include "mysql/SchemaCollations.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

constexpr int duplicateKey = 1062;

std::size_t at(int i)
{
    return static_cast<std::size_t>(i);
}

/// A column of the follower as the leader would hold its bytes.
std::string wireForLeader(const ApplierTable &t, int column, bool mariaDb)
{
    if (t.differsInCharset(column))
        return "CONVERT(" + t.columnId[at(column)] + " USING " +
               t.leaderColumn(column).charset.toStdString() + ')';
    return wireExpression(t.followerColumn(column), mariaDb).toStdString();
}

Row pick(const Row &image, const std::vector<int> &columns)
{
    Row out;
    for (const int c : columns)
        out.push_back(image[at(c)]);
    return out;
}

} // namespace

std::vector<int> looseKeys(const Table &leader, const Table &follower)
{
    std::vector<int> out;
    for (std::size_t k = 0; k < follower.keys.size(); ++k) {
        const Key &key = follower.keys[k];
        if (!key.unique && !key.primary)
            continue;
        const bool loose = std::any_of(key.parts.begin(), key.parts.end(), [&](const KeyPart &p) {
            if (p.column < 0)
                return false;
            const Column &there = follower.columns[at(p.column)];
            const int here = leader.columnIndex(there.name);
            if (here < 0 || there.typeClass != TypeClass::Text)
                return false;
            const Column &ours = leader.columns[at(here)];
            // Compared by bytes there (VARBINARY), by a collation here.
            return ours.typeClass != TypeClass::Text ||
                   !keepsApart(ours.collation, there.collation);
        });
        if (loose)
            out.push_back(static_cast<int>(k));
    }
    return out;
}

QString showValues(const std::vector<const Column *> &columns, const Row &values)
{
    constexpr qsizetype most = 60;
    QStringList out;
    for (std::size_t i = 0; i < columns.size() && i < values.size(); ++i) {
        if (!values[i]) {
            out << QStringLiteral("NULL");
            continue;
        }
        const std::string &bytes = *values[i];
        const Column &c = *columns[i];
        QString text;
        switch (c.typeClass) {
        case TypeClass::Text:
            if (c.charset.startsWith(QLatin1String("utf8")) || c.charset == QLatin1String("ascii"))
                text = QString::fromStdString(bytes);
            else if (c.charset == QLatin1String("latin1"))
                text = QString::fromLatin1(bytes.data(), static_cast<qsizetype>(bytes.size()));
            else
                text = QLatin1String("0x") +
                       QString::fromLatin1(QByteArray::fromStdString(bytes).toHex());
            break;
        case TypeClass::Binary:
        case TypeClass::Bit:
        case TypeClass::Geometry:
        case TypeClass::Vector:
            text =
                QLatin1String("0x") + QString::fromLatin1(QByteArray::fromStdString(bytes).toHex());
            break;
        default:
            text = QString::fromStdString(bytes);
        }
        if (text.size() > most)
            text = text.left(most) + QStringLiteral("...");
        out << (c.typeClass == TypeClass::Text || c.typeClass == TypeClass::Temporal
                    ? QLatin1Char('\'') + text + QLatin1Char('\'')
                    : text);
    }
    return out.join(QLatin1String(", "));
}

Error collisionError(const TableName &leader, const TableName &follower, const QString &key,
                     const QString &first, const QString &second)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-key-collision");
    e.object = follower.display();
    e.message = cwText("core",
                       "Two rows of %1 have different keys on the leader and the same one for the "
                       "follower, whose collation does not tell them apart: key %2, (%3) and (%4).",
                       leader.display(), key, first, second);
    e.fix = cwText("core", "Change or delete one of the two rows on the leader, then run again.");
    return e;
}

Status KeyGuard::write(Session &s, const std::vector<const Row *> &rows, std::stop_token stop)
{
    std::vector<Row> keys;
    std::vector<const Row *> pointers;
    keys.reserve(rows.size());
    pointers.reserve(rows.size());
    for (const Row *row : rows)
        keys.push_back(m_table.keyOf(*row));
    for (const Row &key : keys)
        pointers.push_back(&key);
    for (const std::string &sql : deleteStatements(m_table, pointers, m_limits))
        CW_TRY(s.execBytes(sql, stop));
    Status done = insert(s, rows, stop);
    if (done || done.error().number != duplicateKey)
        return done;
    // The server took the failed statement back, but earlier ones of the same rows stand.
    for (const std::string &sql : deleteStatements(m_table, pointers, m_limits))
        CW_TRY(s.execBytes(sql, stop));
    for (const Row *row : rows)
        CW_TRY(writeAlone(s, *row, stop));
    return {};
}

Status KeyGuard::insert(Session &s, const std::vector<const Row *> &rows,
                        const std::stop_token &stop)
{
    for (const WriteStatement &w : insertStatements(m_table, rows, m_limits))
        CW_TRY(writeExactly(s, w.sql, *m_table.follower, m_table.tolerated, w.invalidEnums, stop));
    return {};
}

Status KeyGuard::writeAlone(Session &s, const Row &row, const std::stop_token &stop)
{
    // Each round takes at least one row out of the way, of which there is one for each key.
    for (std::size_t round = 0; round <= m_table.follower->keys.size(); ++round) {
        Status done = insert(s, {&row}, stop);
        if (done || done.error().number != duplicateKey)
            return done;
        CW_TRY_ASSIGN(const std::vector<Other> others, inTheWayOf(s, row, stop));
        if (others.empty())
            return done;
        for (const Other &other : others) {
            CW_TRY_ASSIGN(const bool write, settle(row, other, stop));
            if (!write)
                return {};
        }
        std::vector<const Row *> keys;
        keys.reserve(others.size());
        for (const Other &other : others)
            keys.push_back(&other.rowKey);
        for (const std::string &sql : deleteStatements(m_table, keys, m_limits))
            CW_TRY(s.execBytes(sql, stop));
    }
    return insert(s, {&row}, stop);
}

Result<std::vector<KeyGuard::Other>> KeyGuard::inTheWayOf(Session &s, const Row &row,
                                                          const std::stop_token &stop)
{
    std::vector<Other> out;
    const Table &follower = *m_table.follower;
    for (std::size_t k = 0; k < follower.keys.size(); ++k) {
        const Key &key = follower.keys[k];
        if (!key.unique && !key.primary)
            continue;
        Other found;
        found.key = &key;
        found.loose = std::find(m_table.loose.begin(), m_table.loose.end(), static_cast<int>(k)) !=
                      m_table.loose.end();
        std::string where, select;
        bool canHold = true;
        const auto period = std::find_if(m_table.periods.begin(), m_table.periods.end(),
                                         [&key](const PeriodKey &p) { return p.name == key.name; });
        const auto literalOf = [&](int c) {
            std::string text;
            appendLiteral(text, m_table.leaderColumn(c), row[at(c)], true, m_limits.mariaDb);
            return text;
        };
        for (const KeyPart &part : key.parts) {
            const int c = part.column < 0
                              ? -1
                              : m_table.leader->columnIndex(follower.columns[at(part.column)].name);
            if (c < 0 || !row[at(c)]) { // NULL is in nobody's way
                canHold = false;
                break;
            }
            found.columns.push_back(c);
            const std::string literal = literalOf(c);
            const QString &name = m_table.leaderColumn(c).name;
            where += where.empty() ? "" : " AND ";
            if (period != m_table.periods.end() && (name == period->from || name == period->to)) {
                // They meet where each begins before the other ends.
                const bool begin = name == period->from;
                const int end = m_table.leader->columnIndex(begin ? period->to : period->from);
                where += m_table.columnId[at(c)] + (begin ? "<" : ">") +
                         (end < 0 ? literal : literalOf(end));
            } else if (part.prefix > 0) {
                const std::string length = ',' + std::to_string(part.prefix) + ')';
                where += "LEFT(";
                where += m_table.columnId[at(c)];
                where += length;
                where += "=LEFT(";
                where += literal;
                where += length;
            } else {
                where += m_table.columnId[at(c)] + '=' + literal;
            }
        }
        if (!canHold)
            continue;
        std::vector<int> wanted = m_table.key;
        wanted.insert(wanted.end(), found.columns.begin(), found.columns.end());
        for (const int c : wanted) {
            select += select.empty() ? "" : ",";
            select += wireForLeader(m_table, c, m_limits.mariaDb);
        }
        std::string sql = "SELECT ";
        sql += select;
        sql += " FROM ";
        sql += m_table.name;
        sql += " WHERE ";
        sql += where;
        CW_TRY_ASSIGN(const ResultSet rows, s.queryBytes(sql, stop));
        for (const Row &r : rows.rows) {
            Other other = found;
            const auto split = r.begin() + static_cast<std::ptrdiff_t>(m_table.key.size());
            other.rowKey.assign(r.begin(), split);
            other.values.assign(split, r.end());
            out.push_back(std::move(other));
        }
    }
    return out;
}

Result<bool> KeyGuard::settle(const Row &row, const Other &other, const std::stop_token &stop)
{
    const Row rowKey = m_table.keyOf(row);
    if (!other.loose || other.rowKey == rowKey)
        return true;
    bool rowThere = true, otherThere = true;
    const Row values = pick(row, other.columns);
    if (m_leader) {
        const std::lock_guard lock(m_mutex);
        CW_TRY_ASSIGN(const std::vector<Row> now, m_leader->read(*m_table.leader, m_table.key,
                                                                 {rowKey, other.rowKey}, {}, stop));
        // A generated column is not read; its bytes follow from the others.
        const auto holds = [&](const Row &key, const Row &wanted) {
            return std::any_of(now.begin(), now.end(), [&](const Row &r) {
                if (m_table.keyOf(r) != key)
                    return false;
                const Row have = pick(r, other.columns);
                for (std::size_t i = 0; i < have.size(); ++i) {
                    const bool generated = m_table.leaderColumn(other.columns[i]).generated;
                    if (have[i] != wanted[i] && !(generated && !have[i]))
                        return false;
                }
                return true;
            });
        };
        rowThere = holds(rowKey, values);
        otherThere = holds(other.rowKey, other.values);
    }
    if (rowThere && otherThere) {
        std::vector<const Column *> columns;
        for (const int c : other.columns)
            columns.push_back(&m_table.leaderColumn(c));
        return fail(collisionError(m_table.leader->name, m_table.follower->name, other.key->name,
                                   showValues(columns, other.values), showValues(columns, values)));
    }
    return !otherThere;
}

} // namespace causeway::mysql
