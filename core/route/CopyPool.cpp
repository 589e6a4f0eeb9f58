#include "route/CopyPool.h"

#include "base/Log.h"
#include "base/Stop.h"
#include "route/CopyGaps.h"

#include <algorithm>
#include <set>
#include <thread>

namespace causeway {

namespace {

/// Chunks up to this size are written several to a transaction, so many at most: with a thousand
/// small tables the commits would be most of the time.
constexpr qint64 smallChunk = 128'000;
constexpr std::size_t mostTogether = 32;

/// Tells a reader's sink from a failure: the copy is paused.
Error pausedError()
{
    Error e = cancelledError();
    e.id = QStringLiteral("paused");
    return e;
}
bool isPaused(const Error &e)
{
    return e.id == QLatin1String("paused");
}

void appendRows(RowBatch &to, const RowBatch &from)
{
    for (std::size_t r = 0; r < from.rows(); ++r) {
        for (int i = 0; i < from.columns(); ++i) {
            if (from.isNull(r, i))
                to.appendNull();
            else
                to.append(from.at(r, i));
        }
    }
}

/// Waits longer after each failure in a row; says when it is enough.
class BackOff {
public:
    explicit BackOff(const CopyOptions &o) : m_options(o), m_pause(o.firstPause) {}
    void progressed()
    {
        m_attempts = 0;
        m_pause = m_options.firstPause;
    }
    /// The error to end with, or nothing: try again.
    Status again(const Error &e, const std::stop_token &stop)
    {
        if (!e.isTransient() || ++m_attempts > m_options.connectionAttempts)
            return fail(e);
        logInfo(e.describe());
        if (m_options.onTrouble)
            m_options.onTrouble(e);
        if (!pauseFor(stop, m_pause))
            return fail(cancelledError());
        m_pause = std::min(m_options.longestPause, m_pause * 2);
        return {};
    }

private:
    const CopyOptions &m_options;
    std::chrono::milliseconds m_pause;
    int m_attempts = 0;
};

} // namespace

/// One call of run(): its tables, and the threads' shared state.
struct CopyPool::Run {
    struct TableRun {
        TablePlan plan;
        CopyProgress progress;
        int chunksOpen = 0;    ///< read and not yet committed
        bool readDone = false; ///< its last chunk is in the queue
        std::optional<Error> error;
    };

    Run(CopyPool &p, const std::vector<TablePlan> &plans, std::stop_token pauseToken)
        : pool(p), options(p.m_options), pause(std::move(pauseToken)), queue(p.m_options.queueBytes)
    {
        for (const TablePlan &plan : plans) {
            tables.push_back({});
            tables.back().plan = plan;
            tables.back().progress.name = plan.leader->name;
        }
    }

    CopyPool &pool;
    const CopyOptions &options;
    const std::stop_token pause;
    CopyQueue queue;
    std::stop_source all; ///< stops every thread of this run
    mutable std::mutex mutex;
    std::vector<TableRun> tables; ///< its length is fixed; contents under mutex, plan read-only
    std::size_t nextTable = 0;    ///< under mutex
    std::optional<Error> error;   ///< what ends the whole run; under mutex
    std::mutex copiedMutex;       ///< one onCopied at a time
    std::set<TableName> begun;    ///< with chunks from before this run; read-only while threads run

    void endAll(const Error &e)
    {
        const std::lock_guard lock(mutex);
        if (!error)
            error = e;
        all.request_stop();
    }
    /// Errors of a table stay with it; those of the migration or of a server end the run.
    void failed(std::size_t table, const Error &e)
    {
        if (isPaused(e))
            return;
        if (e.code == ErrorCode::LeaseLost || e.code == ErrorCode::Cancelled || e.isTransient()) {
            endAll(e);
            return;
        }
        logWarning(e.describe());
        const std::lock_guard lock(mutex);
        TableRun &t = tables[table];
        if (!t.error)
            t.error = e;
        t.progress.state = CopyState::Failed;
        t.progress.error = e.describe();
    }
    bool hasFailed(std::size_t table)
    {
        const std::lock_guard lock(mutex);
        return tables[table].error.has_value();
    }
    /// After a change of readDone or chunksOpen.
    void finishIfComplete(std::size_t table)
    {
        {
            const std::lock_guard lock(mutex);
            TableRun &t = tables[table];
            if (!t.readDone || t.chunksOpen != 0 || t.error ||
                t.progress.state == CopyState::Copied)
                return;
            t.progress.state = CopyState::Copied;
        }
        if (!options.onCopied)
            return;
        const std::lock_guard lock(copiedMutex);
        if (const Status done = options.onCopied(tables[table].plan, all.get_token()); !done)
            endAll(done.error());
    }

    Status push(std::size_t table, RowBatch &&batch, const ChunkMark &mark)
    {
        const std::stop_token stop = all.get_token();
        if (pause.stop_requested())
            return fail(pausedError());
        if (const std::optional<Error> e = [&]() -> std::optional<Error> {
                const std::lock_guard lock(mutex);
                return tables[table].error;
            }())
            return fail(*e);
        if (!pool.m_throttle.pass(static_cast<qint64>(batch.bytes()), stop))
            return fail(cancelledError());
        {
            const std::lock_guard lock(mutex);
            ++tables[table].chunksOpen;
        }
        if (!queue.push({table, std::move(batch), mark}, stop))
            return fail(cancelledError());
        return {};
    }

    /// What a reader keeps from one table to the next.
    struct ReaderSessions {
        std::unique_ptr<RowReader> rows;
        std::unique_ptr<Ledger> ledger;
    };
    Status findBegun();
    void readTables();
    Status readTable(std::size_t table, ReaderSessions &sessions);
    Result<std::vector<ChunkRecord>> chunksOf(const TableName &table,
                                              std::unique_ptr<Ledger> &ledger);
    Status readGap(std::size_t table, const CopyGap &gap, std::unique_ptr<RowReader> &reader);
    void writeChunks(int worker);
    Status writeChunk(const CopyItem &item, const QString &stream,
                      std::unique_ptr<RowWriter> &writer, bool maybeThere);
    bool writeTogether(const std::vector<CopyItem> &items, const QString &stream,
                       std::unique_ptr<RowWriter> &writer);
    void written(const CopyItem &item, const WriteCount &count);
    void writeOne(const CopyItem &item, const QString &stream, std::unique_ptr<RowWriter> &writer,
                  bool maybeThere);
    Result<bool> isRecorded(const CopyItem &item);
};

/// One question for all tables instead of one for each: most have none.
Status CopyPool::Run::findBegun()
{
    const std::stop_token stop = all.get_token();
    BackOff backOff(options);
    for (;;) {
        const auto names = [&]() -> Result<std::vector<TableName>> {
            CW_TRY_ASSIGN(const auto ledger, pool.m_follower.ledger(pool.m_lease.migration, stop));
            return ledger->tablesWithChunks(stop);
        }();
        if (names) {
            begun.insert(names->begin(), names->end());
            return {};
        }
        CW_TRY(backOff.again(names.error(), stop));
    }
}

void CopyPool::Run::readTables()
{
    ReaderSessions sessions;
    while (!all.stop_requested() && !pause.stop_requested()) {
        std::size_t table = 0;
        {
            const std::lock_guard lock(mutex);
            if (nextTable == tables.size())
                return;
            table = nextTable++;
            tables[table].progress.state = CopyState::Copying;
        }
        if (const Status done = readTable(table, sessions); !done) {
            failed(table, done.error());
            continue;
        }
        {
            const std::lock_guard lock(mutex);
            tables[table].readDone = true;
        }
        finishIfComplete(table);
    }
}

Result<std::vector<ChunkRecord>> CopyPool::Run::chunksOf(const TableName &table,
                                                         std::unique_ptr<Ledger> &ledger)
{
    if (!begun.contains(table))
        return std::vector<ChunkRecord>{};
    const std::stop_token stop = all.get_token();
    BackOff backOff(options);
    for (;;) {
        auto read = [&]() -> Result<std::vector<ChunkRecord>> {
            if (!ledger) {
                CW_TRY_ASSIGN(ledger, pool.m_follower.ledger(pool.m_lease.migration, stop));
            }
            return ledger->chunks(table, stop);
        }();
        if (read)
            return read;
        ledger.reset();
        CW_TRY(backOff.again(read.error(), stop));
    }
}

Status CopyPool::Run::readTable(std::size_t table, ReaderSessions &sessions)
{
    const TablePlan &plan = tables[table].plan;
    const std::stop_token stop = all.get_token();
    if (!plan.leader->rowKey) {
        if (!options.copyKeyless) {
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("mysql-unique-key");
            e.object = plan.leader->name.display();
            e.message =
                cwText("core", "%1 has no key that identifies a row.", plan.leader->name.display());
            return fail(e);
        }
        int number = 0;
        return options.copyKeyless(
            plan,
            [&](RowBatch &&batch, const ChunkRange &) {
                return push(table, std::move(batch), {number += chunkNumberStep, {}});
            },
            stop);
    }

    CW_TRY_ASSIGN(const auto chunks, chunksOf(plan.leader->name, sessions.ledger));
    CW_TRY_ASSIGN(const std::vector<CopyGap> gaps, gapsOf(plan.leader->name, chunks));
    {
        const std::lock_guard lock(mutex);
        for (const ChunkRecord &c : chunks)
            tables[table].progress.rows += c.rows;
    }
    for (const CopyGap &gap : gaps)
        CW_TRY(readGap(table, gap, sessions.rows));
    return {};
}

Status CopyPool::Run::readGap(std::size_t table, const CopyGap &gap,
                              std::unique_ptr<RowReader> &reader)
{
    const Table &leader = *tables[table].plan.leader;
    const std::stop_token stop = all.get_token();
    ChunkRange rest = gap.range;
    int chunksMade = 0;
    bool atEnd = false;
    // Of a gap with limited room, the rows of its last chunk are gathered here.
    std::optional<RowBatch> gathered;
    std::optional<Row> gatheredAfter;
    BackOff backOff(options);

    const auto sink = [&](RowBatch &&batch, const ChunkRange &range) -> Status {
        // Where the last row of the gap is its very end, the reader still reports nothing behind.
        if (atEnd)
            return {};
        const bool lastRoom = gap.mostChunks > 0 && chunksMade + 1 >= gap.mostChunks;
        const bool last = range.upTo == gap.range.upTo;
        if (lastRoom && (!last || gathered)) {
            if (!gathered) {
                gathered.emplace(batch.columns());
                gatheredAfter = range.after;
            }
            appendRows(*gathered, batch);
        }
        if (!lastRoom || last) {
            const ChunkMark mark{gap.firstNumber + chunksMade * gap.step,
                                 {gathered ? gatheredAfter : range.after, range.upTo}};
            CW_TRY(push(table, gathered ? std::move(*gathered) : std::move(batch), mark));
            ++chunksMade;
        }
        rest.after = range.upTo;
        atEnd = last;
        backOff.progressed();
        return {};
    };
    for (;;) {
        const Status done = [&]() -> Status {
            if (!reader) {
                CW_TRY_ASSIGN(reader, pool.m_leader.reader(stop));
            }
            return reader->read(leader, rest, options.limits, sink, stop);
        }();
        if (done || atEnd)
            return {};
        reader.reset();
        if (pause.stop_requested())
            return fail(pausedError());
        // Goes on behind the last batch that was handed over.
        CW_TRY(backOff.again(done.error(), stop));
    }
}

/// Whether the chunk is on record: the answer to a COMMIT may have been lost on the way.
Result<bool> CopyPool::Run::isRecorded(const CopyItem &item)
{
    const std::stop_token stop = all.get_token();
    CW_TRY_ASSIGN(const auto ledger, pool.m_follower.ledger(pool.m_lease.migration, stop));
    CW_TRY_ASSIGN(const auto chunks, ledger->chunks(tables[item.table].plan.leader->name, stop));
    return std::any_of(chunks.begin(), chunks.end(), [&](const ChunkRecord &c) {
        return c.mark.number == item.mark.number && c.mark.range.after == item.mark.range.after &&
               c.mark.range.upTo == item.mark.range.upTo;
    });
}

Status CopyPool::Run::writeChunk(const CopyItem &item, const QString &stream,
                                 std::unique_ptr<RowWriter> &writer, bool maybeThere)
{
    const std::stop_token stop = all.get_token();
    const TablePlan &plan = tables[item.table].plan;
    BackOff backOff(options);
    for (;;) {
        const Result<WriteCount> done = [&]() -> Result<WriteCount> {
            if (maybeThere) {
                CW_TRY_ASSIGN(const bool recorded, isRecorded(item));
                if (recorded)
                    return WriteCount{};
            }
            if (!writer) {
                CW_TRY_ASSIGN(writer, pool.m_follower.writer(pool.m_lease, stream, stop));
            }
            return writer->write(plan, item.batch, item.mark, stop);
        }();
        if (done) {
            written(item, *done);
            return {};
        }
        const Error &e = done.error();
        if (e.code == ErrorCode::ConnectionLost || e.code == ErrorCode::Connect)
            writer.reset();
        // The lost session may still be committing: then writing the chunk again waits for it (its
        // stream row is locked) and finds the record already there. Looked up once more.
        if (!e.isTransient()) {
            if (!maybeThere)
                return fail(e);
            CW_TRY_ASSIGN(const bool recorded, isRecorded(item));
            if (!recorded)
                return fail(e);
            continue;
        }
        CW_TRY(backOff.again(e, stop));
        maybeThere = true;
    }
}

void CopyPool::Run::writeChunks(int worker)
{
    const QString stream = QStringLiteral("copy%1").arg(worker);
    const std::stop_token stop = all.get_token();
    std::unique_ptr<RowWriter> writer;
    while (std::optional<CopyItem> first = queue.pop(stop)) {
        std::vector<CopyItem> items;
        items.push_back(std::move(*first));
        if (items.front().size() <= smallChunk) {
            while (items.size() < mostTogether) {
                std::optional<CopyItem> next = queue.popSmall(smallChunk);
                if (!next)
                    break;
                items.push_back(std::move(*next));
            }
        }
        std::erase_if(items, [this](const CopyItem &item) { return hasFailed(item.table); });
        if (items.size() > 1 && writeTogether(items, stream, writer))
            continue;
        for (const CopyItem &item : items)
            writeOne(item, stream, writer, items.size() > 1);
    }
}

/// Counts what has been committed.
void CopyPool::Run::written(const CopyItem &item, const WriteCount &count)
{
    const std::lock_guard lock(mutex);
    CopyProgress &p = tables[item.table].progress;
    p.rows += static_cast<qint64>(item.batch.rows());
    p.bytes += static_cast<qint64>(item.batch.bytes());
    p.collisions += count.collisions;
}

/// False where each must be written alone; its transaction may have been committed nevertheless.
bool CopyPool::Run::writeTogether(const std::vector<CopyItem> &items, const QString &stream,
                                  std::unique_ptr<RowWriter> &writer)
{
    const std::stop_token stop = all.get_token();
    std::vector<ChunkWrite> chunks;
    chunks.reserve(items.size());
    for (const CopyItem &item : items)
        chunks.push_back({&tables[item.table].plan, &item.batch, item.mark});
    const auto done = [&]() -> Result<std::vector<WriteCount>> {
        if (!writer) {
            CW_TRY_ASSIGN(writer, pool.m_follower.writer(pool.m_lease, stream, stop));
        }
        return writer->writeTogether(chunks, stop);
    }();
    if (!done) {
        logDebug(done.error().describe());
        writer.reset();
        return false;
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
        written(items[i], (*done)[i]);
        {
            const std::lock_guard lock(mutex);
            --tables[items[i].table].chunksOpen;
        }
        finishIfComplete(items[i].table);
    }
    return true;
}

void CopyPool::Run::writeOne(const CopyItem &item, const QString &stream,
                             std::unique_ptr<RowWriter> &writer, bool maybeThere)
{
    if (hasFailed(item.table))
        return;
    if (const Status done = writeChunk(item, stream, writer, maybeThere); !done) {
        failed(item.table, done.error());
        writer.reset();
        return;
    }
    {
        const std::lock_guard lock(mutex);
        --tables[item.table].chunksOpen;
    }
    finishIfComplete(item.table);
}

CopyPool::CopyPool(Database &leader, Database &follower, Lease lease, CopyOptions options)
    : m_leader(leader), m_follower(follower), m_lease(std::move(lease)),
      m_options(std::move(options))
{
    m_throttle.setRate(m_options.bytesPerSecond);
}

CopyPool::~CopyPool() = default;

Result<CopyPool::End> CopyPool::run(const std::vector<TablePlan> &plans, std::stop_token stop)
{
    std::shared_ptr<Run> run;
    {
        const std::lock_guard lock(m_mutex);
        m_roomWaitSeen = m_itemWaitSeen = 0;
        run = std::make_shared<Run>(*this, plans, m_pause.get_token());
        m_run = run;
    }
    const std::stop_callback onStop(stop, [&run] { run->all.request_stop(); });
    if (const Status found = run->findBegun(); !found)
        run->endAll(found.error());
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < std::max(1, m_options.writers); ++i)
            writers.emplace_back([&run, i] { run->writeChunks(i); });
        {
            std::vector<std::jthread> readers;
            for (int i = 0; i < std::max(1, m_options.readers); ++i)
                readers.emplace_back([&run] { run->readTables(); });
        }
        run->queue.close();
    }
    {
        const std::lock_guard lock(m_mutex);
        m_pause = {}; // here and not at the start: a pause() just before run() counts
    }
    const std::lock_guard lock(run->mutex);
    if (stop.stop_requested())
        return fail(cancelledError());
    if (run->error)
        return fail(*run->error);
    bool complete = true;
    for (const Run::TableRun &t : run->tables) {
        if (t.error)
            return fail(*t.error);
        complete = complete && t.progress.state == CopyState::Copied;
    }
    return complete ? End::Copied : End::Paused;
}

void CopyPool::pause()
{
    const std::lock_guard lock(m_mutex);
    m_pause.request_stop();
}

void CopyPool::setBytesPerSecond(qint64 rate)
{
    m_throttle.setRate(rate);
}

std::vector<CopyProgress> CopyPool::progress() const
{
    std::shared_ptr<Run> run;
    {
        const std::lock_guard lock(m_mutex);
        run = m_run;
    }
    std::vector<CopyProgress> out;
    if (!run)
        return out;
    const std::lock_guard lock(run->mutex);
    for (const Run::TableRun &t : run->tables)
        out.push_back(t.progress);
    return out;
}

QString CopyPool::limitedBy()
{
    const std::lock_guard lock(m_mutex);
    if (!m_run || m_throttle.isOn())
        return {};
    const qint64 room = m_run->queue.waitedForRoom().count();
    const qint64 items = m_run->queue.waitedForItems().count();
    // Per thread: a reader that always waits weighs as much as all writers together when they do.
    const double readers =
        static_cast<double>(room - m_roomWaitSeen) / std::max(1, m_options.readers);
    const double writers =
        static_cast<double>(items - m_itemWaitSeen) / std::max(1, m_options.writers);
    m_roomWaitSeen = room;
    m_itemWaitSeen = items;
    if (readers < 1e6 && writers < 1e6)
        return {};
    return readers > writers ? QStringLiteral("target") : QStringLiteral("source");
}

std::vector<TablePlan> CopyPool::biggestFirst(std::vector<TablePlan> plans)
{
    std::stable_sort(plans.begin(), plans.end(), [](const TablePlan &a, const TablePlan &b) {
        return a.leader->dataBytes > b.leader->dataBytes;
    });
    return plans;
}

} // namespace causeway
