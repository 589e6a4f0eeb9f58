#include "base/Log.h"
#include "mysql/KeyGuard.h"
#include "mysql/MySqlDatabase.h"
#include "mysql/Parts.h"

#include <algorithm>
#include <set>

/// Which rows of the leader would fall into one key on the follower (ALGORITHMS 2.6).
///
/// Only the follower's own server can judge: most often the leader does not know its collation,
/// which is why it differs. So the keys, and nothing else of the rows, are written into a scratch
/// table beside our state that has the very columns and the very unique key, and what meets there
/// is noted. The leader is read while it is written, in many statements: two values that meet may
/// never have been there together. So each pair is looked up on the leader once more, both in one
/// statement, before it counts. Memory: one batch. A scan that is cut short begins anew.
namespace causeway::mysql {

namespace {

constexpr std::size_t mostSamples = 5; ///< of one key
constexpr std::size_t pairsAtOnce = 200;

std::size_t at(int i)
{
    return static_cast<std::size_t>(i);
}

/// One unique key of one table.
struct ScannedKey {
    TablePlan plan;
    const Key *key = nullptr;                     ///< the follower's
    std::vector<const Column *> leader, follower; ///< its columns on either side

    static std::optional<ScannedKey> make(const TablePlan &plan, int index)
    {
        ScannedKey out{plan, &plan.follower->keys[at(index)], {}, {}};
        for (const KeyPart &part : out.key->parts) {
            if (part.column < 0)
                return std::nullopt;
            out.follower.push_back(&plan.follower->columns[at(part.column)]);
            const int here = plan.leader->columnIndex(out.follower.back()->name);
            if (here < 0)
                return std::nullopt;
            out.leader.push_back(&plan.leader->columns[at(here)]);
        }
        return out;
    }
};

class Scan {
public:
    Scan(std::unique_ptr<Session> scratch, std::unique_ptr<Session> leader, QString table,
         std::size_t mostBytes)
        : m_scratch(std::move(scratch)), m_leader(std::move(leader)), m_table(std::move(table)),
          m_mostBytes(mostBytes)
    {
    }

    Status drop(const std::stop_token &stop)
    {
        return m_scratch->exec(QLatin1String("DROP TABLE IF EXISTS ") + m_table, stop);
    }

    /// Reads the key's columns and no others, by the row key's chunks.
    Status load(const ScannedKey &key, RowReader &reader, const std::stop_token &stop)
    {
        CW_TRY(drop(stop));
        CW_TRY(m_scratch->exec(createSql(key), stop));
        m_met = false;
        Table some = *key.plan.leader;
        std::vector<std::size_t> places;
        reduce(some, key, places);
        const BatchSink sink = [&](RowBatch &&batch, const ChunkRange &) {
            return insert(key, batch, places, stop);
        };
        return some.rowKey ? reader.read(some, {}, ReadLimits{}, sink, stop)
                           : reader.readAll(some, ReadLimits{}, sink, stop);
    }

    Result<std::vector<KeyCollision>> collisions(const ScannedKey &key, const std::stop_token &stop)
    {
        std::vector<KeyCollision> out;
        if (!m_met)
            return out;
        QString from = QStringLiteral("0");
        while (out.size() < mostSamples) {
            CW_TRY_ASSIGN(const ResultSet pairs,
                          m_scratch->query(QStringLiteral("SELECT id, value, other FROM %1 WHERE "
                                                          "id > %2 AND other IS NOT NULL ORDER BY "
                                                          "id LIMIT %3")
                                               .arg(m_table, from)
                                               .arg(pairsAtOnce),
                                           stop));
            if (pairs.rows.empty())
                break;
            for (const Row &pair : pairs.rows) {
                from = QString::fromStdString(pair[0].value_or("0"));
                CW_TRY_ASSIGN(const Row first, unpackRow(pair[1].value_or("")));
                CW_TRY_ASSIGN(const Row second, unpackRow(pair[2].value_or("")));
                CW_TRY_ASSIGN(const bool both, bothThere(key, first, second, stop));
                if (both && out.size() < mostSamples)
                    out.push_back({key.plan.leader->name, key.key->name,
                                   showValues(key.leader, first), showValues(key.leader, second)});
            }
        }
        return out;
    }

private:
    [[nodiscard]] QString createSql(const ScannedKey &key) const
    {
        QStringList columns, parts;
        for (std::size_t i = 0; i < key.follower.size(); ++i) {
            const Column &c = *key.follower[i];
            QString type = c.typeText;
            // These come as numbers, and are compared as such.
            if (c.typeClass == TypeClass::Enum || c.typeClass == TypeClass::Set)
                type = QStringLiteral("BIGINT UNSIGNED");
            else if (!c.collation.isEmpty())
                type += QStringLiteral(" CHARACTER SET %1 COLLATE %2").arg(c.charset, c.collation);
            // TIMESTAMP would be NOT NULL with a default of its own.
            columns << QStringLiteral("k%1 %2 NULL").arg(i).arg(type);
            const int prefix = key.key->parts[i].prefix;
            parts << (prefix > 0 ? QStringLiteral("k%1(%2)").arg(i).arg(prefix)
                                 : QStringLiteral("k%1").arg(i));
        }
        return QStringLiteral("CREATE TABLE %1 (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY "
                              "KEY, value LONGBLOB, other LONGBLOB, %2, UNIQUE KEY k (%3)) "
                              "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 ROW_FORMAT=DYNAMIC")
            .arg(m_table, columns.join(QLatin1String(", ")), parts.join(QLatin1String(", ")));
    }

    /// `table` with the columns of its row key and of `key` alone, none of them computed.
    static void reduce(Table &table, const ScannedKey &key, std::vector<std::size_t> &places)
    {
        const std::vector<int> rowKey = table.rowKeyColumns();
        std::vector<Column> columns;
        const auto place = [&](const Column &c) {
            for (std::size_t i = 0; i < columns.size(); ++i) {
                if (columns[i].name == c.name)
                    return i;
            }
            columns.push_back(c);
            columns.back().generated = false;
            return columns.size() - 1;
        };
        if (table.rowKey) {
            Key read = table.keys[at(*table.rowKey)];
            for (std::size_t i = 0; i < rowKey.size(); ++i)
                read.parts[i].column = static_cast<int>(place(table.columns[at(rowKey[i])]));
            table.keys = {std::move(read)};
            table.rowKey = 0;
        } else {
            table.keys.clear();
        }
        for (const Column *c : key.leader)
            places.push_back(place(*c));
        table.foreignKeys.clear();
        table.columns = std::move(columns);
    }

    Status insert(const ScannedKey &key, const RowBatch &batch,
                  const std::vector<std::size_t> &places, const std::stop_token &stop)
    {
        std::string head = "INSERT INTO " + m_table.toStdString() + " (value";
        for (std::size_t i = 0; i < places.size(); ++i)
            head += ",k" + std::to_string(i);
        head += ") VALUES ";
        const std::string tail =
            " ON DUPLICATE KEY UPDATE other=IF(other IS NULL, VALUES(value), other)";
        std::string sql, tuple;
        quint64 rows = 0;
        const auto flush = [&]() -> Status {
            if (rows == 0)
                return {};
            CW_TRY(m_scratch->execBytes(sql + tail, stop));
            m_met = m_met || m_scratch->affectedRows() != rows;
            rows = 0;
            return {};
        };
        for (std::size_t r = 0; r < batch.rows(); ++r) {
            Row values;
            for (const std::size_t p : places)
                values.push_back(batch.value(r, static_cast<int>(p)));
            // NULL is equal to nothing.
            if (std::any_of(values.begin(), values.end(), [](const Value &v) { return !v; }))
                continue;
            tuple = "(";
            appendQuoted(tuple, packRow(values));
            for (std::size_t i = 0; i < values.size(); ++i) {
                tuple += ',';
                const bool converts = key.leader[i]->typeClass == TypeClass::Text &&
                                      key.leader[i]->charset != key.follower[i]->charset;
                appendLiteral(tuple, *key.leader[i], values[i], converts, m_scratch->isMariaDb());
            }
            tuple += ')';
            if (rows >= 1000 ||
                (rows > 0 && sql.size() + tuple.size() + tail.size() + 1 > m_mostBytes))
                CW_TRY(flush());
            if (rows == 0)
                sql = head;
            else
                sql += ',';
            sql += tuple;
            ++rows;
        }
        return flush();
    }

    /// Two rows, in one statement: whatever else changed, they are there together. (A unique key:
    /// each finds one row at most, and one row for both where they are equal to the leader.)
    Result<bool> bothThere(const ScannedKey &key, const Row &first, const Row &second,
                           const std::stop_token &stop)
    {
        const bool mariaDb = m_leader->isMariaDb();
        std::string sql =
            "SELECT COUNT(*) FROM " + quoteName(key.plan.leader->name).toStdString() + " WHERE ";
        for (const Row *values : {&first, &second}) {
            sql += values == &first ? "(" : " OR (";
            for (std::size_t i = 0; i < key.leader.size(); ++i) {
                sql += i > 0 ? " AND " : "";
                sql += quoteId(key.leader[i]->name).toStdString() + '=';
                appendLiteral(sql, *key.leader[i], (*values)[i], true, mariaDb);
            }
            sql += ')';
        }
        CW_TRY_ASSIGN(const ResultSet r, m_leader->queryBytes(sql, stop));
        return r.text(0, std::size_t{0}).toInt() > 1;
    }

    std::unique_ptr<Session> m_scratch, m_leader;
    QString m_table; ///< quoted
    std::size_t m_mostBytes;
    bool m_met = false; ///< some values have met
};

} // namespace

Result<std::vector<KeyCollision>> MySqlDatabase::keyCollisions(
    Database &leader, const std::vector<TablePlan> &plans, const Lease &lease,
    const std::function<void(const TableName &)> &looksAt, std::stop_token stop)
{
    std::vector<ScannedKey> keys;
    for (const TablePlan &plan : plans) {
        for (const int index : looseKeys(*plan.leader, *plan.follower)) {
            if (auto key = ScannedKey::make(plan, index))
                keys.push_back(std::move(*key));
        }
    }
    std::vector<KeyCollision> out;
    if (keys.empty())
        return out;
    CW_TRY_ASSIGN(auto scratch, Session::open(m_address, Use::Data, stop));
    // A takeover ends this session, which writes outside the streams.
    CW_TRY_ASSIGN(const StateNames names, findStateNames(*scratch, stop));
    CW_TRY(registerSession(*scratch, names, lease, stop));
    CW_TRY(scratch->exec(QStringLiteral("SET unique_checks=1"), stop));
    CW_TRY_ASSIGN(const ResultSet packet, scratch->queryBytes("SELECT @@max_allowed_packet", stop));
    const auto most = static_cast<std::size_t>(packet.text(0, std::size_t{0}).toULongLong());
    CW_TRY_ASSIGN(auto look, Session::open(leader.address(), Use::Data, stop));
    CW_TRY_ASSIGN(const auto reader, leader.reader(stop));
    Scan scan(std::move(scratch), std::move(look),
              quoteName(names.table(scratchBase(lease.migration))),
              std::min<std::size_t>(1'000'000, most / 2));
    const auto each = [&]() -> Status {
        for (const ScannedKey &key : keys) {
            looksAt(key.plan.leader->name);
            CW_TRY(scan.load(key, *reader, stop));
            CW_TRY_ASSIGN(auto found, scan.collisions(key, stop));
            std::move(found.begin(), found.end(), std::back_inserter(out));
        }
        return {};
    };
    const Status done = each();
    // What a kill leaves goes with the state.
    const Status dropped = scan.drop(done ? stop : std::stop_token());
    CW_TRY(done);
    CW_TRY(dropped);
    return out;
}

} // namespace causeway::mysql
