#include "base/Log.h"
#include "base/Stop.h"
#include "mysql/ApplierFacts.h"
#include "mysql/Parts.h"
#include "mysql/RowWriterParts.h"

#include <algorithm>
#include <mutex>

namespace causeway::mysql {

namespace {

constexpr int mostAttempts = 12;
constexpr std::chrono::milliseconds firstPause{20};
constexpr std::chrono::milliseconds longestPause{2'000};

/// Errors that only say "try the transaction again".
bool isContention(const Error &e)
{
    switch (e.number) {
    case 1213: // deadlock, or certification failure on Galera
    case 1205: // lock wait timeout
    case 1020: // record changed since last read (MariaDB's snapshot isolation)
    case 3101: // rolled back by group replication
        return true;
    default:
        return false;
    }
}

/// LOAD DATA LOCAL or the bulk command is not to be had here, whatever the variables said.
bool isMethodRefused(const Error &e)
{
    switch (e.number) {
    case 1148: // the used command is not allowed
    case 3948: // loading local data is disabled
    case 2068: // refused by the client library
    case 4166: // likewise in MariaDB
    case 5003: // bulk operation not supported by the server
    case 1295: // not supported in the prepared statement protocol
    case 1235:
    case 1105:
        return true;
    default:
        return false;
    }
}

void appendQuotedText(std::string &sql, const QString &text)
{
    sql += "_utf8mb4";
    appendQuoted(sql, text.toStdString());
}

class MySqlRowWriter final : public RowWriter {
public:
    MySqlRowWriter(Address address, Lease lease, QString stream)
        : m_address(std::move(address)), m_lease(std::move(lease)), m_stream(std::move(stream))
    {
    }

    Result<WriteCount> write(const TablePlan &tables, const RowBatch &batch, const ChunkMark &mark,
                             std::stop_token stop) override
    {
        auto pause = firstPause;
        bool fast = true;
        for (int attempt = 1;; ++attempt) {
            CW_TRY(ready(stop));
            CW_TRY_ASSIGN(const WritePlan plan, WritePlan::make(tables, m_session->isMariaDb()));
            bool useInsert = false;
            Result<WriteCount> done = attemptWrite(plan, batch, mark, fast, useInsert, stop);
            if (done && !useInsert)
                return done;
            rollBack();
            if (done || useInsert) {
                fast = false;
                continue;
            }
            Error e = done.error();
            if (e.object.isEmpty() || e.object == m_address.display())
                e.object = tables.follower->name.display();
            if (!isContention(e) || attempt >= mostAttempts)
                return fail(e);
            if (!pauseFor(stop, pause))
                return fail(cancelledError());
            pause = std::min(longestPause, pause * 2);
        }
    }

    Result<std::vector<WriteCount>> writeTogether(const std::vector<ChunkWrite> &chunks,
                                                  std::stop_token stop) override
    {
        CW_TRY(ready(stop));
        auto done = attemptTogether(chunks, stop);
        if (!done)
            rollBack();
        return done;
    }

    Status ready(const std::stop_token &stop)
    {
        {
            const std::lock_guard lock(m_mutex);
            if (m_interrupted || stop.stop_requested())
                return fail(cancelledError());
            if (m_session && !m_session->isDead())
                return {};
        }
        CW_TRY_ASSIGN(auto fresh, Session::open(m_address, Use::Load, stop));
        CW_TRY_ASSIGN(m_names, findStateNames(*fresh, stop));
        CW_TRY(registerSession(*fresh, m_names, m_lease, stop));
        // Rows of a copy are newer than what the stream has reached.
        CW_TRY(fresh->exec(clearFactSql(m_names, m_lease.migration, applierFact::exact), stop));
        CW_TRY(readLimits(*fresh, stop));
        const std::lock_guard lock(m_mutex);
        m_session = std::move(fresh);
        if (m_interrupted)
            return fail(cancelledError());
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
    Status readLimits(Session &session, const std::stop_token &stop)
    {
        CW_TRY_ASSIGN(const ResultSet r,
                      session.query(QStringLiteral("SHOW VARIABLES WHERE Variable_name IN "
                                                   "('max_allowed_packet','local_infile')"),
                                    stop));
        m_limits = {};
        for (std::size_t i = 0; i < r.rows.size(); ++i) {
            const QString name = r.text(i, std::size_t(0)), value = r.text(i, 1);
            if (name == QLatin1String("max_allowed_packet"))
                m_limits.maxPacket = std::max<qint64>(value.toLongLong(), 64 * 1024);
            else if (name == QLatin1String("local_infile"))
                m_limits.loadLocal = value == QLatin1String("ON") || value == QLatin1String("1");
        }
        m_limits.bulk = session.isMariaDb() && session.version() >= 100207 && clientHasBulk();
        return {};
    }

    Result<std::vector<WriteCount>> attemptTogether(const std::vector<ChunkWrite> &chunks,
                                                    const std::stop_token &stop)
    {
        std::vector<WriteCount> out;
        CW_TRY(m_session->exec(QStringLiteral("START TRANSACTION"), stop));
        CW_TRY(touchStream(*m_session, m_names, m_lease, m_stream, stop));
        for (const ChunkWrite &chunk : chunks) {
            CW_TRY_ASSIGN(const WritePlan plan,
                          WritePlan::make(*chunk.plan, m_session->isMariaDb()));
            WriteCount count;
            if (chunk.batch->rows() > 0) {
                bool useInsert = false;
                CW_TRY_ASSIGN(count, writeRows(plan, *chunk.batch, true, useInsert, stop));
                if (useInsert) {
                    // A fast way may have left rows behind, so that the transaction is of no use.
                    return fail(ErrorCode::Server,
                                cwText("core", "Rows of %1 need to be written alone.",
                                       plan.leader->name.display()));
                }
            }
            CW_TRY(m_session->execBytes(chunkSql(plan, *chunk.batch, chunk.mark), stop));
            out.push_back(count);
        }
        CW_TRY(m_session->exec(QStringLiteral("COMMIT"), stop));
        return out;
    }

    /// One transaction, not committed where `useInsert` comes back true.
    Result<WriteCount> attemptWrite(const WritePlan &plan, const RowBatch &batch,
                                    const ChunkMark &mark, bool fast, bool &useInsert,
                                    const std::stop_token &stop)
    {
        CW_TRY(m_session->exec(QStringLiteral("START TRANSACTION"), stop));
        // First of all, so that nothing is written once another Causeway holds the lease; and the
        // mark by which the other direction's stream knows this transaction as ours.
        CW_TRY(touchStream(*m_session, m_names, m_lease, m_stream, stop));
        WriteCount count;
        if (batch.rows() > 0) {
            CW_TRY_ASSIGN(count, writeRows(plan, batch, fast, useInsert, stop));
            if (useInsert)
                return count;
        }
        CW_TRY(m_session->execBytes(chunkSql(plan, batch, mark), stop));
        CW_TRY(m_session->exec(QStringLiteral("COMMIT"), stop));
        return count;
    }

    /// Whether each row can go over by itself. A server that is sent more hangs up in the middle,
    /// which looks like a lost connection; INSERT knows beforehand, and says which table it is.
    [[nodiscard]] bool fits(const RowBatch &batch) const
    {
        const auto most = static_cast<std::size_t>(m_limits.maxPacket);
        const auto overhead = static_cast<std::size_t>(batch.columns()) * 10 + 1'024;
        if (batch.bytes() + batch.rows() * overhead < most)
            return true;
        for (std::size_t r = 0; r < batch.rows(); ++r) {
            std::size_t bytes = overhead;
            for (int i = 0; i < batch.columns(); ++i)
                bytes += batch.at(r, i).size();
            if (bytes > most)
                return false;
        }
        return true;
    }

    Result<WriteCount> writeRows(const WritePlan &plan, const RowBatch &batch, bool fast,
                                 bool &useInsert, const std::stop_token &stop)
    {
        if (fast && (m_limits.bulk || m_limits.loadLocal) && fits(batch)) {
            const bool bulk = m_limits.bulk;
            const Result<FastResult> done = bulk ? bulkRows(*m_session, plan, batch, m_limits, stop)
                                                 : loadRows(*m_session, plan, batch, stop);
            if (done && *done == FastResult::Exact)
                return WriteCount{static_cast<qint64>(batch.rows()), 0, 0};
            if (!done) {
                const Error &e = done.error();
                if (e.code != ErrorCode::Server || isContention(e))
                    return fail(e);
                logDebug(e.describe());
                if (isMethodRefused(e)) {
                    logInfo(e.describe());
                    (bulk ? m_limits.bulk : m_limits.loadLocal) = false;
                }
            }
            // A duplicate, or a value that the fast way does not take: what INSERT makes of it
            // counts.
            useInsert = true;
            return WriteCount{};
        }
        CW_TRY_ASSIGN(const qint64 inserted, insertRows(*m_session, plan, batch, m_limits, stop));
        return countRows(*m_session, plan, batch, inserted, stop);
    }

    std::string chunkSql(const WritePlan &plan, const RowBatch &batch, const ChunkMark &mark) const
    {
        std::string sql =
            "INSERT INTO " + quoteName(m_names.table(QStringLiteral("chunk"))).toStdString() +
            " (migration, table_schema, table_name, number, after_key, upto_key, row_count) VALUES "
            "(";
        appendQuotedText(sql, m_lease.migration);
        sql += ',';
        appendQuotedText(sql, plan.leader->name.schema);
        sql += ',';
        appendQuotedText(sql, plan.leader->name.name);
        sql += ',' + std::to_string(mark.number) + ',';
        for (const std::optional<Row> *bound : {&mark.range.after, &mark.range.upTo}) {
            if (*bound)
                appendQuoted(sql, packRow(**bound));
            else
                sql += "NULL";
            sql += ',';
        }
        return sql + std::to_string(batch.rows()) + ')';
    }

    void rollBack()
    {
        if (m_session->isDead())
            return;
        if (const Status done = m_session->exec(QStringLiteral("ROLLBACK")); !done)
            m_session->interrupt(); // whatever it is about, the transaction must not go on
    }

    Address m_address;
    Lease m_lease;
    QString m_stream;
    StateNames m_names;
    WriteLimits m_limits;
    std::mutex m_mutex; ///< m_session's replacement against interrupt()
    std::unique_ptr<Session> m_session;
    bool m_interrupted = false;
};

} // namespace

Result<std::unique_ptr<RowWriter>> makeRowWriter(const Address &address, const Lease &lease,
                                                 const QString &stream, std::stop_token stop)
{
    auto writer = std::make_unique<MySqlRowWriter>(address, lease, stream);
    CW_TRY(writer->ready(stop));
    return std::unique_ptr<RowWriter>(std::move(writer));
}

} // namespace causeway::mysql
