#include "base/Stop.h"
#include "mysql/KeyRange.h"
#include "mysql/Parts.h"

#include <algorithm>
#include <chrono>
#include <mutex>

namespace causeway::mysql {

namespace {

using Clock = std::chrono::steady_clock;

/// One statement of a read: a longer one holds its read view (and the server's undo log) open for
/// too long, a shorter one pays for its start too often.
constexpr std::chrono::milliseconds shortQuery{1'500};
constexpr std::chrono::milliseconds longQuery{8'000};
constexpr qint64 firstQueryRows = 10'000;
constexpr qint64 leastQueryRows = 200;

/// What is selected of a table and how its cells become wire form.
struct Selected {
    std::string list;
    std::vector<int> columns; ///< Table::writableColumns()
    std::vector<char> real;   ///< per column: 0 no, 1 FLOAT, 2 DOUBLE
    /// Per key column its place in the list; a generated one is not among `columns` and stands
    /// behind them.
    std::vector<std::size_t> keys;
};

Selected selectedOf(const Table &table, bool mariaDb)
{
    Selected out;
    out.columns = table.writableColumns();
    for (const int i : out.columns) {
        const Column &c = table.columns[static_cast<std::size_t>(i)];
        if (!out.list.empty())
            out.list += ',';
        out.list += wireExpression(c, mariaDb).toStdString();
        out.real.push_back(c.typeClass == TypeClass::Float    ? 1
                           : c.typeClass == TypeClass::Double ? 2
                                                              : 0);
    }
    std::size_t behind = out.columns.size();
    for (const int key : table.rowKeyColumns()) {
        const auto it = std::find(out.columns.begin(), out.columns.end(), key);
        if (it != out.columns.end()) {
            out.keys.push_back(static_cast<std::size_t>(it - out.columns.begin()));
            continue;
        }
        out.list += ',';
        out.list +=
            wireExpression(table.columns[static_cast<std::size_t>(key)], mariaDb).toStdString();
        out.keys.push_back(behind++);
    }
    return out;
}

class MySqlRowReader final : public RowReader {
public:
    MySqlRowReader(Address address, std::unique_ptr<Session> session, bool mayConnect)
        : m_address(std::move(address)), m_session(std::move(session)), m_mayConnect(mayConnect)
    {
    }

    Status read(const Table &table, const ChunkRange &range, const ReadLimits &limits,
                const BatchSink &sink, std::stop_token stop) override
    {
        if (!table.rowKey)
            return fail(noRowKeyError(table));
        CW_TRY(ready(stop));
        const Selected selected = selectedOf(table, m_session->isMariaDb());

        ChunkRange rest = range;
        qint64 limit =
            std::clamp(firstQueryRows, qint64{1}, std::max<qint64>(1, limits.rowsPerQuery));
        const qint64 least = std::min(leastQueryRows, limit);
        for (;;) {
            std::string sql = "SELECT " + selected.list + " FROM " +
                              quoteName(table.name).toStdString() + forceRowKey(table) + " WHERE ";
            appendRangeCondition(sql, table, rest, m_session->isMariaDb());
            sql += " ORDER BY " + keyColumnList(table) + " LIMIT " + std::to_string(limit);

            const auto started = Clock::now();
            CW_TRY_ASSIGN(const qint64 rows, page(sql, selected, rest, limits, sink, limit, stop));
            if (rows < limit)
                return {};
            // Time that the sink took is not the server's slowness, but it holds the read view
            // open all the same: both shorten the next statement, only a quick one lengthens it.
            const auto took = Clock::now() - started;
            if (took > longQuery)
                limit = std::max(least, limit / 2);
            else if (took < shortQuery)
                limit = std::min(std::max<qint64>(1, limits.rowsPerQuery), limit * 2);
        }
    }

    Status readAll(const Table &table, const ReadLimits &limits, const BatchSink &sink,
                   std::stop_token stop) override
    {
        CW_TRY(ready(stop));
        Table keyless = table;
        keyless.rowKey.reset();
        const Selected selected = selectedOf(keyless, m_session->isMariaDb());
        const std::string sql =
            "SELECT " + selected.list + " FROM " + quoteName(table.name).toStdString();
        ChunkRange rest;
        CW_TRY(page(sql, selected, rest, limits, sink, -1, stop));
        return {};
    }

    void interrupt() noexcept override
    {
        const std::lock_guard lock(m_mutex);
        m_interrupted = true;
        if (m_session)
            m_session->interrupt();
    }

private:
    /// A session that died (a sink's error in mid result, a cut connection) is replaced.
    Status ready(const std::stop_token &stop)
    {
        {
            const std::lock_guard lock(m_mutex);
            if (m_interrupted || stop.stop_requested())
                return fail(cancelledError());
            if (m_session && !m_session->isDead())
                return {};
        }
        if (!m_mayConnect) {
            Error e;
            e.code = ErrorCode::ConnectionLost;
            e.id = QStringLiteral("mysql-connection-lost");
            e.object = m_address.display();
            e.message = cwText("core", "The connection to %1 was lost, and with it the snapshot.",
                               m_address.display());
            return fail(e);
        }
        CW_TRY_ASSIGN(auto fresh, Session::open(m_address, Use::Data, stop));
        const std::lock_guard lock(m_mutex);
        m_session = std::move(fresh);
        if (m_interrupted)
            return fail(cancelledError());
        return {};
    }

    /// Streams one statement, handing over batches; moves `rest.after` behind what was handed over.
    /// The batch that ends the range is handed over when the statement gave fewer rows than
    /// `limit` (always, where `limit` is negative). Returns the number of rows.
    Result<qint64> page(const std::string &sql, const Selected &selected, ChunkRange &rest,
                        const ReadLimits &limits, const BatchSink &sink, qint64 limit,
                        const std::stop_token &stop)
    {
        const std::stop_callback onStop(stop, [this] { m_session->interrupt(); });
        CW_TRY_ASSIGN(StreamedResult result, m_session->stream(sql));
        const int columns = static_cast<int>(selected.columns.size());
        RowBatch batch(columns);
        Row lastKey(selected.keys.size());
        Row generated(selected.keys.size()); ///< of the newest row, key columns not in the batch
        qint64 rows = 0;

        const auto handOver = [&](bool atEnd) -> Status {
            ChunkRange covered{rest.after, rest.upTo};
            if (batch.rows() > 0) {
                for (std::size_t k = 0; k < selected.keys.size(); ++k) {
                    const std::size_t place = selected.keys[k];
                    lastKey[k] = place < selected.columns.size()
                                     ? batch.value(batch.rows() - 1, static_cast<int>(place))
                                     : generated[k];
                }
            }
            if (!atEnd)
                covered.upTo = lastKey;
            RowBatch full(columns);
            std::swap(full, batch);
            CW_TRY(sink(std::move(full), covered));
            if (!atEnd && !lastKey.empty())
                rest.after = lastKey;
            return {};
        };

        for (;;) {
            CW_TRY_ASSIGN(const bool more, result.fetch());
            if (!more)
                break;
            char **const values = result.values();
            const unsigned long *const lengths = result.lengths();
            std::size_t bytes = 0;
            for (int i = 0; i < columns; ++i)
                bytes += lengths[i];
            if (batch.rows() > 0 &&
                (static_cast<qint64>(batch.bytes() + bytes) > limits.bytesPerBatch ||
                 static_cast<qint64>(batch.rows()) >= limits.rowsPerBatch))
                CW_TRY(handOver(false));
            for (int i = 0; i < columns; ++i) {
                const auto column = static_cast<std::size_t>(i);
                if (!values[i])
                    batch.appendNull();
                else if (selected.real[column] != 0)
                    batch.append(
                        canonicalReal({values[i], lengths[i]}, selected.real[column] == 1));
                else
                    batch.append({values[i], lengths[i]});
            }
            for (std::size_t k = 0; k < selected.keys.size(); ++k) {
                const std::size_t place = selected.keys[k];
                if (place >= selected.columns.size() && values[place])
                    generated[k].emplace(values[place], lengths[place]);
            }
            ++rows;
        }
        if (limit < 0 || rows < limit)
            CW_TRY(handOver(true));
        else if (batch.rows() > 0)
            CW_TRY(handOver(false));
        return rows;
    }

    Address m_address;
    std::mutex m_mutex; ///< m_session's replacement against interrupt()
    std::unique_ptr<Session> m_session;
    const bool m_mayConnect; ///< false: the session holds a snapshot that another would not have
    bool m_interrupted = false;
};

} // namespace

Result<std::unique_ptr<RowReader>> makeRowReader(const Address &address, std::stop_token stop)
{
    CW_TRY_ASSIGN(auto session, Session::open(address, Use::Data, stop));
    return std::unique_ptr<RowReader>(new MySqlRowReader(address, std::move(session), true));
}

std::unique_ptr<RowReader> makeRowReaderOn(std::unique_ptr<Session> session)
{
    const Address address = session->address();
    return std::unique_ptr<RowReader>(new MySqlRowReader(address, std::move(session), false));
}

} // namespace causeway::mysql
