#include "postgres/RangeHasher.h"

#include "base/Stop.h"
#include "postgres/PostgresSession.h"

#include <algorithm>
#include <map>
#include <mutex>

namespace causeway::postgres {

namespace {

constexpr std::size_t keysPerStatement = 500;
/// A value of more bytes is hashed alone: the text of a row is limited to 1 GB, and bytea doubles
/// in it.
constexpr int largeValue = 1'000'000;
constexpr int lanes = 4;

QString nameOf(const Table &t)
{
    // The rows of tables that inherit are theirs; those of partitions are the table's own.
    return (t.partitioned ? QString() : QStringLiteral("ONLY ")) + quoteId(t.name.schema) +
           QLatin1Char('.') + quoteId(t.name.name) + QStringLiteral(" AS t");
}

QString columnOf(const Column &c)
{
    return QStringLiteral("t.") + quoteId(c.name);
}

// In all of this a name may hold '%1': whatever has names in it is filled in by one arg() call.

/// The value in a form that all versions print alike. With the session's settings only floating
/// point numbers differ (before 12 they are printed with fewer digits, or more): their bits are
/// taken.
QString canonical(const Column &c)
{
    const QString id = columnOf(c);
    const QString &type = c.dataType;
    if (type == QLatin1String("float4") || type == QLatin1String("float8"))
        return QStringLiteral("pg_catalog.%1send(%2)").arg(type, id);
    if (type == QLatin1String("_float4") || type == QLatin1String("_float8"))
        return QStringLiteral("pg_catalog.array_send(%1)").arg(id);
    const bool bytes = type == QLatin1String("bytea");
    if (bytes || type == QLatin1String("text") || type == QLatin1String("varchar") ||
        type == QLatin1String("json") || type == QLatin1String("jsonb") ||
        type == QLatin1String("xml")) {
        const QString text =
            bytes || type == QLatin1String("text") ? id : id + QStringLiteral("::text");
        const QString raw =
            bytes ? id : QStringLiteral("pg_catalog.convert_to(%1, 'UTF8')").arg(text);
        return QStringLiteral("CASE WHEN pg_catalog.octet_length(%1) > %2 THEN 'sha256:' || "
                              "pg_catalog.encode(pg_catalog.sha256(%3), 'hex') ELSE %4 END")
            .arg(text, QString::number(largeValue), raw,
                 bytes ? id + QStringLiteral("::text") : text);
    }
    return id;
}

/// A row's text form tells NULL from '' and one column from the next, whatever they hold.
QString rowHash(const Table &table)
{
    QStringList parts;
    for (const int i : table.writableColumns())
        parts << canonical(table.columns[static_cast<std::size_t>(i)]);
    return QStringLiteral(
               "pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(ROW(%1)::text, "
               "'UTF8')), 'hex')")
        .arg(parts.join(QLatin1String(", ")));
}

QString keyList(const Table &table, bool asText)
{
    QStringList parts;
    for (const int i : table.rowKeyColumns()) {
        const QString id = columnOf(table.columns[static_cast<std::size_t>(i)]);
        parts << (asText ? id + QStringLiteral("::text") : id);
    }
    return parts.join(QLatin1String(", "));
}

QString keyLiteral(const Column &c, const Value &value)
{
    return QStringLiteral("CAST(%1 AS %2)")
        .arg(value ? quoteText(QString::fromStdString(*value)) : QStringLiteral("NULL"),
             c.typeText);
}

/// The key's values as this server's own types.
QString keyLiterals(const Table &table, const Row &key)
{
    const std::vector<int> columns = table.rowKeyColumns();
    QStringList parts;
    for (std::size_t i = 0; i < columns.size() && i < key.size(); ++i) {
        parts << keyLiteral(table.columns[static_cast<std::size_t>(columns[i])], key[i]);
    }
    return parts.join(QLatin1String(", "));
}

/// How the columns of the row key compare. The session's search_path is empty, so that the
/// operators of an extension's type (citext) must be named: else they are quietly those of what the
/// type can be cast to, and ranges would be cut in another order than the index is walked.
struct KeyOperators {
    struct Column {
        QString less, lessEqual, equal, greaterEqual, greater;
    };
    std::vector<Column> columns; ///< empty: the usual ones, for which rows can be compared whole
};

QString orderList(const Table &table, const KeyOperators &ops)
{
    if (ops.columns.empty())
        return keyList(table, false);
    QStringList parts;
    const std::vector<int> columns = table.rowKeyColumns();
    for (std::size_t k = 0; k < columns.size(); ++k)
        parts << columnOf(table.columns[static_cast<std::size_t>(columns[k])]) +
                     QStringLiteral(" USING ") + ops.columns[k].less;
    return parts.join(QLatin1String(", "));
}

/// a > x OR a = x AND (b > y OR b = y AND ...), and before it the part that an index answers.
QString compareEach(const Table &table, const KeyOperators &ops, const Row &key, bool after)
{
    const std::vector<int> columns = table.rowKeyColumns();
    QString out;
    for (std::size_t k = columns.size(); k-- > 0;) {
        const Column &c = table.columns[static_cast<std::size_t>(columns[k])];
        const QString value = keyLiteral(c, key[k]);
        const KeyOperators::Column &o = ops.columns[k];
        const QString id = columnOf(c);
        const bool last = k + 1 == columns.size();
        const QString strict = id + QLatin1Char(' ') +
                               (after ? o.greater : (last ? o.lessEqual : o.less)) +
                               QLatin1Char(' ') + value;
        out =
            last ? strict
                 : QStringLiteral("(%1 OR (%2 %3 %4 AND %5))").arg(strict, id, o.equal, value, out);
        if (k == 0 && !last)
            out = QStringLiteral("(%1 %2 %3 AND %4)")
                      .arg(id, after ? o.greaterEqual : o.lessEqual, value, out);
    }
    return out;
}

/// (after, upTo]: a comparison of rows, which an index on the key answers.
QString rangeCondition(const Table &table, const KeyOperators &ops, const ChunkRange &range)
{
    QStringList parts;
    const auto compare = [&](const Row &key, bool after) {
        if (!ops.columns.empty())
            return compareEach(table, ops, key, after);
        return QStringLiteral("ROW(%1) %2 ROW(%3)")
            .arg(keyList(table, false), after ? QStringLiteral(">") : QStringLiteral("<="),
                 keyLiterals(table, key));
    };
    if (range.after)
        parts << compare(*range.after, true);
    if (range.upTo)
        parts << compare(*range.upTo, false);
    return parts.isEmpty() ? QString()
                           : QStringLiteral(" WHERE ") + parts.join(QLatin1String(" AND "));
}

Result<KeyOperators> readOperators(Session &session, const Table &table,
                                   const std::stop_token &stop)
{
    KeyOperators out;
    const QString index = table.keys[static_cast<std::size_t>(*table.rowKey)].name;
    const auto operatorOf = [](int strategy) {
        return QStringLiteral("(SELECT 'OPERATOR(' || pg_catalog.quote_ident(n.nspname) || '.' || "
                              "o.oprname || ')' FROM pg_catalog.pg_amop a JOIN "
                              "pg_catalog.pg_operator o ON o.oid = a.amopopr JOIN "
                              "pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE "
                              "a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype AND "
                              "a.amoprighttype = c.opcintype AND a.amopstrategy = %1)")
            .arg(strategy);
    };
    QStringList operators;
    for (int strategy = 1; strategy <= 5; ++strategy)
        operators << operatorOf(strategy);
    CW_TRY_ASSIGN(
        const auto r,
        session.query(
            QStringLiteral(
                "SELECT %1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = "
                "i.indexrelid JOIN pg_catalog.pg_namespace xn ON xn.oid = x.relnamespace "
                "CROSS JOIN LATERAL pg_catalog.unnest(i.indclass::oid[]) WITH ORDINALITY "
                "AS u(opclass, place) JOIN pg_catalog.pg_opclass c ON c.oid = u.opclass "
                "WHERE xn.nspname = %2 AND x.relname = %3 ORDER BY u.place")
                .arg(operators.join(QLatin1String(", ")), quoteText(table.name.schema),
                     quoteText(index)),
            stop));
    const std::size_t wanted = table.rowKeyColumns().size();
    bool usual = true;
    for (std::size_t i = 0; i < r.rows.size() && i < wanted; ++i) {
        out.columns.push_back(
            {r.text(i, 0), r.text(i, 1), r.text(i, 2), r.text(i, 3), r.text(i, 4)});
        usual = usual && r.text(i, 0) == QLatin1String("OPERATOR(pg_catalog.<)");
    }
    // An index that is not found (the follower may have another one) leaves only the usual ones.
    if (usual || out.columns.size() != wanted)
        out.columns.clear();
    return out;
}

Error noRowKey(const Table &table)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("pg-no-row-key");
    e.object = table.name.display();
    e.message = cwText("core", "%1 has no key that identifies a row.", table.name.display());
    return e;
}

/// Rows by key joined to the keys asked for, which are numbered.
QString lookup(const Table &table, const KeyOperators &ops, const QString &select,
               const std::vector<Row> &keys, std::size_t from, std::size_t upTo)
{
    QStringList values, names{QStringLiteral("i")}, on;
    const std::vector<int> columns = table.rowKeyColumns();
    for (std::size_t i = from; i < upTo; ++i)
        values << QStringLiteral("(%1, %2)").arg(i).arg(keyLiterals(table, keys[i]));
    for (std::size_t k = 0; k < columns.size(); ++k) {
        names << QStringLiteral("k%1").arg(k);
        on << QStringLiteral("%1 %2 w.k%3")
                  .arg(columnOf(table.columns[static_cast<std::size_t>(columns[k])]),
                       ops.columns.empty() ? QStringLiteral("=") : ops.columns[k].equal,
                       QString::number(k));
    }
    return QStringLiteral("SELECT w.i, %1 FROM (VALUES %2) AS w(%3) JOIN %4 ON %5")
        .arg(select, values.join(QLatin1String(", ")), names.join(QLatin1String(", ")),
             nameOf(table), on.join(QLatin1String(" AND ")));
}

Result<std::unique_ptr<Session>> openReader(const Address &address, const std::stop_token &stop)
{
    CW_TRY_ASSIGN(auto session, Session::open(address, stop));
    // row_security: an error instead of rows that silently are not there. Lookups by key must go by
    // the index also where a fresh copy has no statistics yet. Compiling a statement of many
    // columns takes longer than a range.
    CW_TRY(
        session->exec(QStringLiteral("SET row_security = off; SET lc_monetary = 'C'; SET "
                                     "enable_hashjoin = off; SET enable_mergejoin = off; SET jit "
                                     "= off"),
                      stop));
    return session;
}

class PostgresRangeHasher final : public RangeHasher {
public:
    PostgresRangeHasher(Address address, std::unique_ptr<Session> session)
        : m_address(std::move(address)), m_session(std::move(session))
    {
    }

    Result<std::optional<Row>> bound(const Table &table, const std::optional<Row> &after,
                                     qint64 rows, std::stop_token stop) override
    {
        CW_TRY_ASSIGN(const KeyOperators ops, ready(table, stop));
        CW_TRY_ASSIGN(
            const auto r,
            m_session->query(QStringLiteral("SELECT %1 FROM %2%3 ORDER BY %4 LIMIT 1 OFFSET "
                                            "%5")
                                 .arg(keyList(table, true), nameOf(table),
                                      rangeCondition(table, ops, {after, std::nullopt}),
                                      orderList(table, ops),
                                      QString::number(std::max<qint64>(1, rows) - 1)),
                             stop));
        if (r.rows.empty())
            return std::optional<Row>();
        return std::optional<Row>(r.rows.front());
    }

    Result<HashedRange> hash(const Table &table, const ChunkRange &range,
                             std::stop_token stop) override
    {
        CW_TRY_ASSIGN(const KeyOperators ops, ready(table, stop));
        return hashWhere(table, range, rangeCondition(table, ops, range), stop);
    }

    Result<std::vector<std::pair<Row, QString>>>
    rowHashes(const Table &table, const ChunkRange &range, std::stop_token stop) override
    {
        CW_TRY_ASSIGN(const KeyOperators ops, ready(table, stop));
        CW_TRY_ASSIGN(
            auto r,
            m_session->query(QStringLiteral("SELECT %1, %2 FROM %3%4 ORDER BY %5")
                                 .arg(rowHash(table), keyList(table, true), nameOf(table),
                                      rangeCondition(table, ops, range), orderList(table, ops)),
                             stop));
        std::vector<std::pair<Row, QString>> out;
        out.reserve(r.rows.size());
        for (std::size_t i = 0; i < r.rows.size(); ++i) {
            const QString hash = r.text(i, 0);
            out.emplace_back(Row(std::make_move_iterator(r.rows[i].begin() + 1),
                                 std::make_move_iterator(r.rows[i].end())),
                             hash);
        }
        return out;
    }

    Result<std::vector<QString>> hashesOf(const Table &table, const std::vector<Row> &keys,
                                          std::stop_token stop) override
    {
        CW_TRY_ASSIGN(const KeyOperators ops, ready(table, stop));
        std::vector<QString> out(keys.size());
        for (std::size_t from = 0; from < keys.size(); from += keysPerStatement) {
            const std::size_t upTo = std::min(keys.size(), from + keysPerStatement);
            CW_TRY_ASSIGN(
                const auto r,
                m_session->query(lookup(table, ops, rowHash(table), keys, from, upTo), stop));
            for (std::size_t i = 0; i < r.rows.size(); ++i)
                out[r.text(i, 0).toULongLong()] = r.text(i, 1);
        }
        return out;
    }

    Result<HashedRange> hashAll(const Table &table, std::stop_token stop) override
    {
        CW_TRY(connected(stop));
        return hashWhere(table, {}, QString(), stop);
    }

    void interrupt() noexcept override
    {
        const std::lock_guard lock(m_mutex);
        m_interrupted = true;
        if (m_session)
            m_session->interrupt();
    }

private:
    /// Sums of the hashes' parts: rows may repeat where there is no key, and a pair of equal ones
    /// would cancel itself out of an XOR (which servers before 14 do not have either).
    Result<HashedRange> hashWhere(const Table &table, const ChunkRange &range, const QString &where,
                                  const std::stop_token &stop)
    {
        QString sums;
        for (int i = 0; i < lanes; ++i)
            sums += QStringLiteral(", pg_catalog.sum(('x' || pg_catalog.substr(h, %1, "
                                   "8))::bit(32)::bigint)")
                        .arg(1 + 8 * i);
        // OFFSET 0 keeps the hash from being computed once per use of it.
        CW_TRY_ASSIGN(
            const auto r,
            m_session->query(QStringLiteral("SELECT pg_catalog.count(*)%1 FROM (SELECT %2 "
                                            "AS h FROM %3%4 OFFSET 0) AS hashed")
                                 .arg(sums, rowHash(table), nameOf(table), where),
                             stop));
        HashedRange out;
        out.range = range;
        out.rows = r.text(0, 0).toLongLong();
        if (out.rows > 0) {
            for (int i = 0; i < lanes; ++i)
                out.hash += QStringLiteral("%1").arg(
                    r.text(0, static_cast<std::size_t>(1 + i)).toULongLong(), 16, 16,
                    QLatin1Char('0'));
        }
        return out;
    }

    Result<KeyOperators> ready(const Table &table, const std::stop_token &stop)
    {
        if (!table.rowKey)
            return fail(noRowKey(table));
        CW_TRY(connected(stop));
        const auto known = m_operators.find(table.name);
        if (known != m_operators.end())
            return known->second;
        CW_TRY_ASSIGN(KeyOperators ops, readOperators(*m_session, table, stop));
        m_operators.emplace(table.name, ops);
        return ops;
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
        CW_TRY_ASSIGN(auto fresh, openReader(m_address, stop));
        const std::lock_guard lock(m_mutex);
        m_session = std::move(fresh);
        if (m_interrupted)
            return fail(cancelledError());
        return {};
    }

    Address m_address;
    std::mutex m_mutex; ///< m_session's replacement against interrupt()
    std::unique_ptr<Session> m_session;
    bool m_interrupted = false;
    std::map<TableName, KeyOperators> m_operators;
};

} // namespace

Result<std::unique_ptr<RangeHasher>> makeRangeHasher(const Address &address, std::stop_token stop)
{
    CW_TRY_ASSIGN(auto session, openReader(address, stop));
    return std::unique_ptr<RangeHasher>(new PostgresRangeHasher(address, std::move(session)));
}

Result<std::vector<Row>> readRowsByKey(const Address &address, const Table &table,
                                       const std::vector<Row> &keys, std::stop_token stop)
{
    if (!table.rowKey)
        return fail(noRowKey(table));
    CW_TRY_ASSIGN(const auto session, openReader(address, stop));
    CW_TRY_ASSIGN(const KeyOperators ops, readOperators(*session, table, stop));
    QStringList columns;
    for (const Column &c : table.columns)
        columns << (c.generated ? QStringLiteral("NULL") : columnOf(c));
    std::vector<Row> out;
    for (std::size_t from = 0; from < keys.size(); from += keysPerStatement) {
        const std::size_t upTo = std::min(keys.size(), from + keysPerStatement);
        CW_TRY_ASSIGN(auto r, session->query(lookup(table, ops, columns.join(QLatin1String(", ")),
                                                    keys, from, upTo),
                                             stop));
        for (auto &row : r.rows)
            out.emplace_back(std::make_move_iterator(row.begin() + 1),
                             std::make_move_iterator(row.end()));
    }
    return out;
}

} // namespace causeway::postgres
