#include "base/Stop.h"
#include "mysql/JsonCanonical.h"
#include "mysql/KeyRange.h"
#include "mysql/Parts.h"

#include <QCryptographicHash>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>

namespace causeway::mysql {

namespace {

constexpr std::size_t keysPerStatement = 100;

bool isLarge(const Column &c)
{
    return c.dataType.contains(QLatin1String("text")) || c.dataType.contains(QLatin1String("blob"));
}

/// The bytes of a text as every server shows them alike. CONVERT to what it already is would cost
/// and could not fail differently. The charset is told by the collation: Column::charset may be
/// that of the other side, in which key values come.
QString utf8Bytes(const Column &c)
{
    const QString id = quoteId(c.name);
    static const char *const already[] = {"utf8mb4", "utf8mb3", "utf8", "ascii"};
    const QString charset = c.collation.section(QLatin1Char('_'), 0, 0);
    const bool same = std::any_of(std::begin(already), std::end(already),
                                  [&](const char *n) { return charset == QLatin1String(n); });
    return same ? id : QStringLiteral("CONVERT(%1 USING utf8mb4)").arg(id);
}

/// All digits of a DOUBLE, in a form that does not depend on where the text is used. As a string
/// MySQL 9.7 and MariaDB 10.11 write 2.5e-12 differently, and inside CONCAT MySQL cuts a computed
/// double to 22 characters. DECIMAL has neither fault, where it holds all 17 digits; beyond, both
/// write an exponent, and 22 characters suffice without the sign. What is small is first moved up
/// by a power of two, which loses nothing. 0 and -0 are one: MariaDB does not store -0.
QString doubleExpression(const QString &id)
{
    return QStringLiteral(
               "CASE WHEN %1=0 THEN '0' WHEN ABS(%1)>=1e35 THEN CONCAT(IF(%1<0,'-l','l'),ABS(%1)) "
               "WHEN ABS(%1)>=1e-13 THEN CAST(%1*1e0 AS DECIMAL(65,30)) WHEN ABS(%1)>=1e-200 THEN "
               "CONCAT(IF(%1<0,'-s','s'),ABS(%1)*6.668014432879854e240) ELSE "
               "CONCAT(IF(%1<0,'-t','t'),ABS(%1)*1.0715086071862673e301*2.037035976334486e90) END")
        .arg(id);
}

/// Text that is the same on every server for the same value, and differs for different ones, down
/// to letter case and trailing spaces. Large values are hashed alone: in hexadecimal they could
/// exceed max_allowed_packet, and the row's hash would be NULL. FLOAT goes through DECIMAL for the
/// reasons of DOUBLE, the smaller half of its range moved up to where DECIMAL can hold it.
QString canonicalExpression(const Column &c)
{
    const QString id = quoteId(c.name);
    switch (c.typeClass) {
    case TypeClass::Integer:
    case TypeClass::Decimal:
    case TypeClass::Bit:
        return id + QLatin1String("+0");
    case TypeClass::Float:
        return QStringLiteral("CONCAT(IF(ABS(%1)<1,'s',''),IF(ABS(%1)<1,CAST(%1*1e45 AS "
                              "DECIMAL(65,19)),CAST(%1*1e0 AS DECIMAL(65,19))))")
            .arg(id);
    case TypeClass::Double:
        return doubleExpression(id);
    case TypeClass::Temporal:
        return id;
    case TypeClass::Text:
        return (isLarge(c) ? QStringLiteral("SHA2(%1,256)") : QStringLiteral("HEX(%1)"))
            .arg(utf8Bytes(c));
    case TypeClass::Binary:
        return (isLarge(c) ? QStringLiteral("SHA2(%1,256)") : QStringLiteral("HEX(%1)")).arg(id);
    case TypeClass::Enum:
    case TypeClass::Set:
        return QStringLiteral("CONCAT(CAST(%1 AS UNSIGNED),':',HEX(%2))").arg(id, utf8Bytes(c));
    case TypeClass::Geometry:
        return QStringLiteral("SHA2(CAST(%1 AS BINARY),256)").arg(id);
    case TypeClass::Vector:
        return QStringLiteral("HEX(%1)").arg(id);
    case TypeClass::Json:
    case TypeClass::Other:
        return QStringLiteral("HEX(CAST(%1 AS CHAR CHARACTER SET utf8mb4))").arg(id);
    }
    return id;
}

/// What is selected to hash the rows of a table.
struct HashPlan {
    std::string rowHash;           ///< SHA2(...) over all columns but JSON
    std::vector<std::string> json; ///< wire expressions of JSON columns, compared by us
};

HashPlan planOf(const Table &table, bool mariaDb)
{
    HashPlan out;
    // CONCAT_WS leaves NULLs out: each is marked, with a letter that no expression yields.
    out.rowHash = "SHA2(CONCAT_WS(','";
    for (const int i : table.writableColumns()) {
        const Column &c = table.columns[static_cast<std::size_t>(i)];
        if (c.typeClass == TypeClass::Json) {
            out.json.push_back(wireExpression(c, mariaDb).toStdString());
            continue;
        }
        const std::string e = canonicalExpression(c).toStdString();
        out.rowHash += c.nullable ? ",IFNULL(" + e + ",'n')" : ',' + e;
    }
    out.rowHash += ",''),256)";
    return out;
}

/// The row's hash with its JSON values in canonical form.
std::string withJson(std::string_view rowHash, char **json, const unsigned long *lengths,
                     std::size_t count)
{
    QCryptographicHash hash(QCryptographicHash::Sha256);
    hash.addData(QByteArrayView(rowHash.data(), static_cast<qsizetype>(rowHash.size())));
    for (std::size_t i = 0; i < count; ++i) {
        std::string text = "n";
        if (json[i]) {
            const std::string_view raw(json[i], lengths[i]);
            // MariaDB keeps what is not JSON, where its check was taken off.
            const std::optional<std::string> canonical = canonicalJson(raw);
            text = canonical ? 'j' + *canonical : 't' + std::string(raw);
        }
        const std::string length = std::to_string(text.size()) + ':';
        hash.addData(QByteArrayView(length.data(), static_cast<qsizetype>(length.size())));
        hash.addData(QByteArrayView(text.data(), static_cast<qsizetype>(text.size())));
    }
    return hash.result().toHex().toStdString();
}

quint64 hexNumber(std::string_view hex)
{
    quint64 n = 0;
    std::from_chars(hex.data(), hex.data() + hex.size(), n, 16);
    return n;
}

Error tooLargeToHash(const Table &table)
{
    Error e;
    e.code = ErrorCode::Server;
    e.id = QStringLiteral("mysql-max-allowed-packet");
    e.object = table.name.display();
    e.message =
        cwText("core", "A row of %1 is too large for the server to hash.", table.name.display());
    e.fix = cwText("core", "Raise max_allowed_packet on that server.");
    return e;
}

class MySqlRangeHasher final : public RangeHasher {
public:
    MySqlRangeHasher(Address address, std::unique_ptr<Session> session)
        : m_address(std::move(address)), m_session(std::move(session))
    {
    }

    Result<std::optional<Row>> bound(const Table &table, const std::optional<Row> &after,
                                     qint64 rows, std::stop_token stop) override
    {
        CW_TRY(ready(table, stop));
        std::string sql = "SELECT " + keyWireList(table, m_session->isMariaDb()) + source(table);
        appendRangeCondition(sql, table, {after, std::nullopt}, m_session->isMariaDb());
        sql += " ORDER BY " + keyColumnList(table) + " LIMIT 1 OFFSET " +
               std::to_string(std::max<qint64>(1, rows) - 1);
        CW_TRY_ASSIGN(const ResultSet r, m_session->queryBytes(sql, stop));
        if (r.rows.empty())
            return std::optional<Row>();
        return std::optional<Row>(canonicalKey(table, r.rows.front()));
    }

    Result<HashedRange> hash(const Table &table, const ChunkRange &range,
                             std::stop_token stop) override
    {
        CW_TRY(ready(table, stop));
        const HashPlan plan = planOf(table, m_session->isMariaDb());
        std::string where = source(table);
        appendRangeCondition(where, table, range, m_session->isMariaDb());
        HashedRange out;
        out.range = range;
        std::array<quint64, 2> lanes{};
        if (plan.json.empty()) {
            // The LIMIT keeps the servers from merging the inner query, which would compute the
            // hash once per use of it.
            const std::string sql =
                "SELECT COUNT(*),COUNT(h),BIT_XOR(CAST(CONV(SUBSTRING(h,1,16),16,10) AS "
                "UNSIGNED)),BIT_XOR(CAST(CONV(SUBSTRING(h,17,16),16,10) AS UNSIGNED)) FROM "
                "(SELECT " +
                plan.rowHash + " AS h" + where + " LIMIT 18446744073709551615) AS hashed";
            CW_TRY_ASSIGN(const ResultSet r, m_session->queryBytes(sql, stop));
            if (r.text(0, std::size_t(0)) != r.text(0, 1))
                return fail(tooLargeToHash(table));
            out.rows = r.text(0, std::size_t(0)).toLongLong();
            lanes = {r.text(0, 2).toULongLong(), r.text(0, 3).toULongLong()};
        } else {
            CW_TRY(eachHash(table, plan, where, false, stop, [&](Row &&, std::string_view h) {
                ++out.rows;
                lanes[0] ^= hexNumber(h.substr(0, 16));
                lanes[1] ^= hexNumber(h.substr(16, 16));
            }));
        }
        if (out.rows > 0)
            out.hash = QStringLiteral("%1%2")
                           .arg(lanes[0], 16, 16, QLatin1Char('0'))
                           .arg(lanes[1], 16, 16, QLatin1Char('0'));
        return out;
    }

    Result<std::vector<std::pair<Row, QString>>>
    rowHashes(const Table &table, const ChunkRange &range, std::stop_token stop) override
    {
        CW_TRY(ready(table, stop));
        std::string where = source(table);
        appendRangeCondition(where, table, range, m_session->isMariaDb());
        where += " ORDER BY " + keyColumnList(table);
        std::vector<std::pair<Row, QString>> out;
        CW_TRY(eachHash(table, planOf(table, m_session->isMariaDb()), where, true, stop,
                        [&](Row &&key, std::string_view h) {
                            out.emplace_back(
                                canonicalKey(table, std::move(key)),
                                QString::fromLatin1(h.data(), static_cast<qsizetype>(h.size())));
                        }));
        return out;
    }

    Result<std::vector<QString>> hashesOf(const Table &table, const std::vector<Row> &keys,
                                          std::stop_token stop) override
    {
        return lookUp(table, keys, false, stop);
    }

    Result<std::vector<QString>> hashesOfBytes(const Table &table, const std::vector<Row> &keys,
                                               std::stop_token stop) override
    {
        return lookUp(table, keys, true, stop);
    }

    Result<HashedRange> hashAll(const Table &table, std::stop_token stop) override
    {
        CW_TRY(connected(stop));
        const HashPlan plan = planOf(table, m_session->isMariaDb());
        // Sums, not XOR: rows may repeat here, and a pair of equal rows cancels itself out.
        std::array<quint64, 4> sums{};
        HashedRange out;
        const std::string from = " FROM " + quoteName(table.name).toStdString();
        if (plan.json.empty()) {
            std::string sql = "SELECT COUNT(*),COUNT(h)";
            for (std::size_t i = 0; i < sums.size(); ++i)
                sql += ",SUM(CAST(CONV(SUBSTRING(h," + std::to_string(1 + 8 * i) +
                       ",8),16,10) AS UNSIGNED))";
            sql += " FROM (SELECT " + plan.rowHash + " AS h" + from +
                   " LIMIT 18446744073709551615) AS hashed";
            CW_TRY_ASSIGN(const ResultSet r, m_session->queryBytes(sql, stop));
            if (r.text(0, std::size_t(0)) != r.text(0, 1))
                return fail(tooLargeToHash(table));
            out.rows = r.text(0, std::size_t(0)).toLongLong();
            for (std::size_t i = 0; i < sums.size(); ++i)
                sums[i] = r.text(0, 2 + i).toULongLong();
        } else {
            CW_TRY(eachHash(table, plan, from, false, stop, [&](Row &&, std::string_view h) {
                ++out.rows;
                for (std::size_t i = 0; i < sums.size(); ++i)
                    sums[i] += hexNumber(h.substr(8 * i, 8));
            }));
        }
        if (out.rows > 0) {
            for (const quint64 sum : sums)
                out.hash += QStringLiteral("%1").arg(sum, 16, 16, QLatin1Char('0'));
        }
        return out;
    }

    void interrupt() noexcept override
    {
        const std::lock_guard lock(m_mutex);
        m_interrupted = true;
        if (m_session)
            m_session->interrupt();
    }

private:
    Result<std::vector<QString>> lookUp(const Table &table, const std::vector<Row> &keys,
                                        bool byBytes, const std::stop_token &stop)
    {
        CW_TRY(ready(table, stop));
        const bool mariaDb = m_session->isMariaDb();
        const HashPlan plan = planOf(table, mariaDb);
        std::vector<QString> out(keys.size());
        for (std::size_t from = 0; from < keys.size(); from += keysPerStatement) {
            const std::size_t upTo = std::min(keys.size(), from + keysPerStatement);
            std::string sql;
            for (std::size_t i = from; i < upTo; ++i) {
                sql += (i == from ? "SELECT " : " UNION ALL SELECT ") + std::to_string(i) + ',' +
                       plan.rowHash;
                for (const std::string &j : plan.json)
                    sql += ',' + j;
                sql += source(table);
                appendKeyEquals(sql, table, keys[i], mariaDb);
                if (byBytes)
                    appendKeyBytes(sql, table, keys[i]);
            }
            CW_TRY(stream(sql, stop, [&](char **values, const unsigned long *lengths) -> Status {
                if (!values[1])
                    return fail(tooLargeToHash(table));
                std::string h(values[1], lengths[1]);
                if (!plan.json.empty())
                    h = withJson(h, values + 2, lengths + 2, plan.json.size());
                out[std::stoul(std::string(values[0], lengths[0]))] = QString::fromStdString(h);
                return {};
            }));
        }
        return out;
    }

    Status ready(const Table &table, const std::stop_token &stop)
    {
        if (!table.rowKey)
            return fail(noRowKeyError(table));
        return connected(stop);
    }

    Status connected(const std::stop_token &stop)
    {
        {
            const std::lock_guard lock(m_mutex);
            if (m_interrupted || stop.stop_requested())
                return fail(cancelledError());
            if (m_session && !m_session->isDead())
                return {};
        }
        CW_TRY_ASSIGN(auto fresh, Session::open(m_address, Use::Data, stop));
        const std::lock_guard lock(m_mutex);
        m_session = std::move(fresh);
        if (m_interrupted)
            return fail(cancelledError());
        return {};
    }

    static std::string source(const Table &table)
    {
        return " FROM " + quoteName(table.name).toStdString() + forceRowKey(table) + " WHERE ";
    }

    static Row canonicalKey(const Table &table, Row key)
    {
        const std::vector<int> columns = table.rowKeyColumns();
        for (std::size_t i = 0; i < columns.size() && i < key.size(); ++i) {
            const TypeClass type = table.columns[static_cast<std::size_t>(columns[i])].typeClass;
            if (key[i] && (type == TypeClass::Float || type == TypeClass::Double))
                key[i] = canonicalReal(*key[i], type == TypeClass::Float);
        }
        return key;
    }

    template <class F> Status stream(const std::string &sql, const std::stop_token &stop, F onRow)
    {
        const std::stop_callback onStop(stop, [this] { m_session->interrupt(); });
        CW_TRY_ASSIGN(StreamedResult result, m_session->stream(sql));
        for (;;) {
            CW_TRY_ASSIGN(const bool more, result.fetch());
            if (!more)
                return {};
            CW_TRY(onRow(result.values(), result.lengths()));
        }
    }

    /// `where` is all from FROM on. Calls onRow(key, hash) for each row.
    template <class F>
    Status eachHash(const Table &table, const HashPlan &plan, const std::string &where,
                    bool withKeys, const std::stop_token &stop, F onRow)
    {
        std::string sql = "SELECT " + plan.rowHash;
        for (const std::string &j : plan.json)
            sql += ',' + j;
        const std::size_t keys = withKeys ? table.rowKeyColumns().size() : 0;
        if (withKeys)
            sql += ',' + keyWireList(table, m_session->isMariaDb());
        const std::size_t json = plan.json.size();
        return stream(sql + where, stop,
                      [&](char **values, const unsigned long *lengths) -> Status {
                          if (!values[0])
                              return fail(tooLargeToHash(table));
                          std::string h(values[0], lengths[0]);
                          if (json > 0)
                              h = withJson(h, values + 1, lengths + 1, json);
                          Row key(keys);
                          for (std::size_t i = 0; i < keys; ++i) {
                              if (values[1 + json + i])
                                  key[i].emplace(values[1 + json + i], lengths[1 + json + i]);
                          }
                          onRow(std::move(key), h);
                          return {};
                      });
    }

    Address m_address;
    std::mutex m_mutex; ///< m_session's replacement against interrupt()
    std::unique_ptr<Session> m_session;
    bool m_interrupted = false;
};

} // namespace

Result<std::unique_ptr<RangeHasher>> makeRangeHasher(const Address &address, std::stop_token stop)
{
    CW_TRY_ASSIGN(auto session, Session::open(address, Use::Data, stop));
    return std::unique_ptr<RangeHasher>(new MySqlRangeHasher(address, std::move(session)));
}

} // namespace causeway::mysql
