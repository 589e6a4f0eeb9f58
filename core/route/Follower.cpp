#include "route/Follower.h"

#include "base/Log.h"
#include "base/Stop.h"
#include "route/LogPurged.h"

#include <algorithm>
#include <deque>

namespace causeway {

namespace {
/// Where nothing is to be applied, the follower is asked this often whether it still lets us.
constexpr std::chrono::seconds kBetweenProofs{5};

qint64 nowUs()
{
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

qint64 sizeOf(const Row &row)
{
    qint64 n = 0;
    for (const Value &v : row)
        n += static_cast<qint64>(sizeof(Value)) + (v ? static_cast<qint64>(v->size()) : 0);
    return n;
}
qint64 sizeOf(const RowChange &c)
{
    return 128 + sizeOf(c.before) + sizeOf(c.after);
}
} // namespace

QString placeOf(const DdlChange &ddl)
{
    return ddl.after.text + QLatin1Char(' ') + ddl.statement;
}

/// A whole transaction or a part of a large one, or what stands between transactions.
struct Follower::Item {
    std::vector<RowChange> rows;
    QString id;                    ///< of the transaction
    Position before;               ///< `after` of the one before it; empty where the stream began
    std::optional<Position> after; ///< absent: a part, more follows
    std::optional<DdlChange> ddl;
    std::optional<StatementLogged> statement;
    std::vector<RowsUnreadable> unreadable;
    std::optional<Error> error; ///< the stream ended
    qint64 timestampUs = 0;
    bool transaction = false;
    bool idle = false; ///< the stream had nothing more just then
    qint64 bytes = 0;
};

/// Bounded by bytes: a leader far ahead must not fill this workstation's memory.
class Follower::Queue {
public:
    explicit Queue(qint64 limit) : m_limit(limit) {}
    bool push(Item item, std::stop_token stop)
    {
        std::unique_lock lock(m_mutex);
        if (!m_space.wait(lock, stop, [&] { return m_bytes < m_limit || m_items.empty(); }))
            return false;
        m_bytes += item.bytes;
        m_items.push_back(std::move(item));
        m_filled.notify_all();
        return true;
    }
    /// Everything there is, up to the limits of one batch; empty when woken for a task or stopped.
    std::vector<Item> take(qint64 rows, qint64 bytes, std::stop_token stop)
    {
        std::unique_lock lock(m_mutex);
        m_filled.wait(lock, stop, [&] { return !m_items.empty() || m_woken; });
        m_woken = false;
        std::vector<Item> out;
        qint64 takenRows = 0, takenBytes = 0;
        while (!m_items.empty() && takenRows < rows && takenBytes < bytes) {
            Item &front = m_items.front();
            // A schema change, an odd statement or the end of the stream is handled alone.
            const bool alone =
                front.ddl || front.statement || front.error || !front.unreadable.empty();
            if (alone && !out.empty())
                break;
            takenRows += static_cast<qint64>(front.rows.size());
            takenBytes += front.bytes;
            m_bytes -= front.bytes;
            out.push_back(std::move(front));
            m_items.pop_front();
            if (alone)
                break;
        }
        m_space.notify_all();
        return out;
    }
    qint64 bytes()
    {
        const std::lock_guard lock(m_mutex);
        return m_bytes;
    }
    void wake()
    {
        const std::lock_guard lock(m_mutex);
        m_woken = true;
        m_filled.notify_all();
    }

private:
    const qint64 m_limit;
    std::mutex m_mutex;
    std::condition_variable_any m_space, m_filled;
    std::deque<Item> m_items;
    qint64 m_bytes = 0;
    bool m_woken = false;
};

/// The reading half of one stretch: decodes until stopped or until the stream ends with an error.
struct Follower::Reader {
    Reader(Follower &f, std::unique_ptr<ChangeStream> s, Queue &q, qint64 partBytes)
        : owner(f), stream(std::move(s)), queue(q), limit(partBytes),
          thread([this](std::stop_token stop) { run(std::move(stop)); })
    {
    }
    ~Reader()
    {
        thread.request_stop();
        stream->interrupt();
    }
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;

    void run(std::stop_token stop)
    {
        Item open;
        Position last;
        auto told = std::chrono::steady_clock::time_point();
        while (!stop.stop_requested()) {
            Result<ChangeEvent> event = stream->next(stop);
            const auto now = std::chrono::steady_clock::now();
            if (now - told > std::chrono::milliseconds(500)) {
                told = now;
                owner.setReadPlace(stream->place());
            }
            if (!event) {
                Item end;
                end.error = event.error();
                queue.push(std::move(end), stop);
                return;
            }
            if (auto *begin = std::get_if<TransactionBegin>(&*event)) {
                open = Item{};
                open.id = begin->id;
                open.before = last;
                open.timestampUs = begin->commitTimestampUs;
            } else if (auto *row = std::get_if<RowChange>(&*event)) {
                open.bytes += sizeOf(*row);
                open.rows.push_back(std::move(*row));
                if (open.bytes >= limit) {
                    // A very large transaction goes over in parts; the position stays at its start.
                    Item rest;
                    rest.id = open.id;
                    rest.before = open.before;
                    rest.timestampUs = open.timestampUs;
                    if (!queue.push(std::move(open), stop))
                        return;
                    open = std::move(rest);
                }
            } else if (auto *unreadable = std::get_if<RowsUnreadable>(&*event)) {
                open.unreadable.push_back(std::move(*unreadable));
            } else if (auto *commit = std::get_if<TransactionCommit>(&*event)) {
                open.after = commit->after;
                last = commit->after;
                open.transaction = true;
                if (!queue.push(std::move(open), stop))
                    return;
                open = Item{};
            } else {
                Item item;
                if (auto *ddl = std::get_if<DdlChange>(&*event)) {
                    last = ddl->after;
                    item.ddl = std::move(*ddl);
                } else if (auto *statement = std::get_if<StatementLogged>(&*event)) {
                    item.statement = std::move(*statement);
                } else if (auto *progress = std::get_if<Progress>(&*event)) {
                    last = progress->upTo;
                    item.after = progress->upTo;
                    item.timestampUs = progress->timestampUs;
                    item.idle = true;
                }
                if (!queue.push(std::move(item), stop))
                    return;
            }
        }
    }

    Follower &owner;
    std::unique_ptr<ChangeStream> stream;
    Queue &queue;
    qint64 limit;
    std::jthread thread;
};

Follower::Follower(FollowerConfig config) : m_config(std::move(config)) {}

Follower::~Follower()
{
    stop();
}

void Follower::start()
{
    {
        const std::lock_guard lock(m_mutex);
        m_stats = {};
        m_stats.running = true;
    }
    m_thread = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void Follower::stop()
{
    m_thread.request_stop();
    if (m_thread.joinable())
        m_thread.join();
}

Position Follower::applied() const
{
    const std::lock_guard lock(m_mutex);
    return m_applied;
}

FollowerStats Follower::stats() const
{
    const std::lock_guard lock(m_mutex);
    FollowerStats out = m_stats;
    if (m_queue)
        out.queued = m_queue->bytes();
    return out;
}

void Follower::setReadPlace(const QString &place)
{
    const std::lock_guard lock(m_mutex);
    m_stats.readPlace = place;
}

void Follower::setApplied(const Position &position)
{
    const std::lock_guard lock(m_mutex);
    m_applied = position;
    m_changed.notify_all();
}

Status Follower::waitReached(const Position &wanted, std::chrono::milliseconds limit,
                             std::stop_token stop)
{
    std::unique_lock lock(m_mutex);
    const auto there = [&] {
        return (!m_applied.isEmpty() && m_config.leader->reached(m_applied, wanted)) ||
               !m_stats.running;
    };
    if (limit.count() > 0) {
        m_changed.wait_for(lock, stop, limit, there);
    } else {
        m_changed.wait(lock, stop, there);
    }
    if (!m_applied.isEmpty() && m_config.leader->reached(m_applied, wanted))
        return {};
    if (stop.stop_requested())
        return fail(cancelledError());
    if (m_stats.error)
        return fail(*m_stats.error);
    if (!m_stats.running) {
        return fail(ErrorCode::Internal,
                    cwText("core", "Replication stopped before it caught up."));
    }
    return fail(ErrorCode::NotReady,
                cwText("core", "The follower did not catch up within %1 s.",
                       static_cast<double>(limit.count()) / 1000.0),
                QStringLiteral("catch-up-timeout"));
}

Status Follower::atBoundary(const std::function<Status(Applier &, const Position &)> &work,
                            std::stop_token stop)
{
    Task task{&work, std::nullopt};
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, stop, [&] { return m_task == nullptr || !m_stats.running; });
    if (stop.stop_requested())
        return fail(cancelledError());
    if (m_stats.running) {
        m_task = &task;
        if (m_queue)
            m_queue->wake();
        m_changed.wait(lock, stop, [&] { return task.done.has_value() || !m_stats.running; });
        if (m_task == &task) {
            // Not begun: the follower may be busy with a server that does not answer.
            m_task = nullptr;
            m_changed.notify_all();
            if (stop.stop_requested())
                return fail(cancelledError());
        }
        // Begun: it refers to our stack, and ends by the token that it was given itself.
        m_changed.wait(lock, [&] { return task.done.has_value() || !m_stats.running; });
        m_changed.notify_all();
    }
    if (task.done)
        return *task.done;
    if (m_stats.error)
        return fail(*m_stats.error);
    return fail(cancelledError());
}

Status Follower::runTasks(Applier &applier)
{
    Task *task = nullptr;
    Position at;
    {
        const std::lock_guard lock(m_mutex);
        task = m_task;
        at = m_applied;
        m_task = nullptr;
    }
    if (!task)
        return {};
    Status result = (*task->work)(applier, at);
    m_lastProgress = std::chrono::steady_clock::now(); // it may have taken hours
    const std::lock_guard lock(m_mutex);
    task->done = std::move(result);
    m_changed.notify_all();
    return {};
}

Position Follower::trackedFrom() const
{
    const std::lock_guard lock(m_mutex);
    return m_trackedFrom;
}

std::optional<ChangedKeys> Follower::takeChangedKeys()
{
    const std::lock_guard lock(m_mutex);
    auto keys = takeKeysLocked();
    m_keysLost = false;
    m_trackedFrom = m_applied;
    return keys;
}

std::optional<ChangedKeys> Follower::borrowChangedKeys()
{
    const std::lock_guard lock(m_mutex);
    return takeKeysLocked();
}

std::optional<ChangedKeys> Follower::takeKeysLocked()
{
    ChangedKeys keys = std::move(m_keys);
    m_keys.clear();
    m_keyCount = 0;
    if (m_keysLost)
        return std::nullopt;
    return keys;
}

void Follower::returnChangedKeys(ChangedKeys &&keys)
{
    const std::lock_guard lock(m_mutex);
    merge(m_keys, std::move(keys));
    m_keyCount = countOf(m_keys);
}

bool Follower::waitForChangedKeys(std::size_t count, std::stop_token stop)
{
    std::unique_lock lock(m_mutex);
    return m_changed.wait(lock, stop, [&] { return m_keyCount >= count; });
}

void Follower::noteChanged(const std::vector<RowChange> &rows)
{
    const std::lock_guard lock(m_mutex);
    for (const RowChange &change : rows) {
        if (m_keysLost)
            return;
        m_keyCount += addKeysOf(change, m_keys);
        dropTooManyKeysLocked();
    }
}

void Follower::noteKeys(const TableName &table, const std::vector<Row> &keys)
{
    const std::lock_guard lock(m_mutex);
    if (m_keysLost)
        return;
    std::set<Row> &ofTable = m_keys[table];
    for (const Row &key : keys)
        m_keyCount += ofTable.insert(key).second ? 1 : 0;
    dropTooManyKeysLocked();
}

std::optional<KeptKeys> Follower::keptKeys() const
{
    const std::lock_guard lock(m_mutex);
    if (m_keysLost || m_trackedFrom.isEmpty())
        return std::nullopt;
    KeptKeys kept;
    kept.epoch = m_config.lease.epoch;
    kept.from = m_trackedFrom;
    kept.applied = m_applied;
    kept.keys = m_keys;
    return kept;
}

/// What the one before has seen, where this one goes on behind what that one had compared and not
/// behind where it ended, and nobody has held the lease in between. The position that is recorded
/// may be a little older than the one that was applied.
void Follower::takeOverKeptLocked(const Position &from, const std::vector<TablePlan> &plans)
{
    if (!m_config.kept)
        return;
    KeptKeys kept = std::move(*m_config.kept);
    m_config.kept.reset();
    if ((kept.epoch != m_config.lease.epoch && kept.epoch + 1 != m_config.lease.epoch) ||
        !m_config.leader->reached(kept.applied, from) || !m_config.leader->reached(from, kept.from))
        return;
    // A key of another shape would name no row.
    for (const auto &[name, rows] : kept.keys) {
        const auto plan = std::find_if(plans.begin(), plans.end(), [&, n = name](const auto &p) {
            return p.leader->name == n;
        });
        if (plan == plans.end())
            return;
        const std::size_t cells = plan->leader->rowKeyColumns().size();
        if (std::any_of(rows.begin(), rows.end(), [&](const Row &r) { return r.size() != cells; }))
            return;
    }
    m_trackedFrom = kept.from;
    m_keys = std::move(kept.keys);
    m_keyCount = countOf(m_keys);
}

void Follower::dropTooManyKeysLocked()
{
    if (m_keyCount <= kMostChangedKeys)
        return;
    m_keysLost = true;
    m_keys.clear();
    m_keyCount = 0;
}

bool Follower::inCopyAlready(const TableName &table, const Position &transaction)
{
    const auto it = m_config.tableStarts.find(table);
    if (it == m_config.tableStarts.end())
        return false;
    if (m_config.leader->reached(it->second, transaction))
        return true;
    m_config.tableStarts.erase(it);
    return false;
}

/// A part of a large transaction whose end is not known yet. It is the one right behind `before`,
/// so a table whose start lies beyond `before` has it.
bool Follower::partInCopyAlready(const TableName &table, const Position &before) const
{
    const auto it = m_config.tableStarts.find(table);
    if (it == m_config.tableStarts.end())
        return false;
    const Position from = before.isEmpty() ? applied() : before;
    return m_config.leader->reached(it->second, from) &&
           !m_config.leader->reached(from, it->second);
}

Status Follower::applyItems(Applier &applier, std::vector<Item> &items, std::stop_token stop)
{
    ChangeBatch batch;
    batch.after = applied();
    qint64 lastTimestamp = 0, bytes = 0;
    bool idle = false;
    for (Item &item : items) {
        bytes += item.bytes;
        idle = item.idle;
        if (item.timestampUs > 0)
            lastTimestamp = item.timestampUs;
        if (item.transaction)
            ++batch.transactions;
        if (!m_config.tableStarts.empty()) {
            std::erase_if(item.rows, [&](const RowChange &c) {
                return item.after ? inCopyAlready(c.table->name, *item.after)
                                  : partInCopyAlready(c.table->name, item.before);
            });
        }
        if (item.after)
            batch.after = *item.after;
        if (!item.rows.empty())
            batch.starts.push_back({batch.rows.size(), item.id, item.before});
        std::move(item.rows.begin(), item.rows.end(), std::back_inserter(batch.rows));
    }
    if (!batch.rows.empty() || batch.after != applied()) {
        noteChanged(batch.rows);
        const auto rows = static_cast<qint64>(batch.rows.size());
        // Only the position moved: recording it each second would fill the follower's own log;
        // never recording it would keep a quiet selection behind what the leader purges.
        const auto now = std::chrono::steady_clock::now();
        if (rows > 0 || now - m_lastRecorded > std::chrono::seconds(10)) {
            if (const Status done = applier.apply(batch, stop); !done)
                return fail(explained(done.error()));
            m_lastRecorded = now;
        }
        setApplied(batch.after);
        CW_TRY(settleOnce(applier, stop));
        const std::lock_guard lock(m_mutex);
        m_stats.rows += rows;
        m_stats.bytes += bytes;
        m_stats.transactions += batch.transactions;
    }
    const std::lock_guard lock(m_mutex);
    // Not by opening the stream alone: what is refused again and again must end some time.
    m_lastProgress = std::chrono::steady_clock::now();
    m_stats.connected = true;
    m_stats.trouble.reset();
    if (idle)
        m_stats.lagSeconds = 0;
    else if (lastTimestamp > 0)
        m_stats.lagSeconds =
            std::max(0.0, static_cast<double>(nowUs() - lastTimestamp) / 1'000'000.0);
    if (m_stats.lagSeconds >= 0)
        m_stats.hasUntilMs = nowUs() / 1000 - static_cast<qint64>(m_stats.lagSeconds * 1000);
    return {};
}

Status Follower::settleOnce(Applier &applier, std::stop_token stop)
{
    if (m_settled || !(m_config.copiedUpTo.isEmpty() ||
                       m_config.leader->reached(applied(), m_config.copiedUpTo)))
        return {};
    CW_TRY(applier.settle(std::move(stop)));
    m_settled = true;
    return {};
}

tl::unexpected<Error> Follower::stopAt(Error why, StreamStop at)
{
    why.code = ErrorCode::NeedsDecision;
    if (why.object.isEmpty() || !at.tables.empty()) {
        QStringList names;
        for (const TableName &t : at.tables)
            names << t.display();
        why.object = names.join(QLatin1String(", "));
    }
    const std::lock_guard lock(m_mutex);
    m_stats.stop = std::move(at);
    return fail(std::move(why));
}

Status Follower::handleDdl(Applier &applier, const DdlChange &ddl, std::stop_token stop)
{
    DdlVerdict verdict;
    const bool copied = !ddl.tables.empty() &&
                        std::all_of(ddl.tables.begin(), ddl.tables.end(), [&](const TableName &t) {
                            return inCopyAlready(t, ddl.after);
                        });
    if (copied)
        verdict.kind = DdlVerdict::Kind::Skip;
    else if (m_config.onDdl)
        verdict = m_config.onDdl(ddl);
    switch (verdict.kind) {
    case DdlVerdict::Kind::Skip:
        setApplied(ddl.after);
        return {};
    case DdlVerdict::Kind::Apply:
        return applyDdl(applier, ddl, verdict, std::move(stop));
    case DdlVerdict::Kind::Stop:
        break;
    }
    QStringList names;
    for (const TableName &t : ddl.tables)
        names << t.display();
    Error e;
    e.id = QStringLiteral("ddl");
    e.message =
        cwText("core", "The leader's schema changed (%1).", names.join(QLatin1String(", ")));
    e.serverWords = ddl.statement.left(2000);
    return stopAt(std::move(e), {ddl.tables, false, verdict.canApply, placeOf(ddl)});
}

Status Follower::applyDdl(Applier &applier, const DdlChange &ddl, const DdlVerdict &verdict,
                          std::stop_token stop)
{
    // Rows that follow in the same transaction: the stream begins again before the statement.
    const QString place = placeOf(ddl);
    if (ddl.after == ddl.before && m_groupApplied == place)
        return {};
    Status done = applier.applyStatement({verdict.sql, verdict.defaultSchema, verdict.sqlMode},
                                         ddl.after, stop);
    if (!done) {
        Error e = done.error();
        if (e.code != ErrorCode::Server)
            return done;
        const QString words = e.serverWords;
        e.id = QStringLiteral("ddl");
        e.message = cwText("core",
                           "The leader's schema changed, and the follower refuses the "
                           "statement (%1).",
                           words);
        e.serverWords = ddl.statement.left(2000);
        return stopAt(std::move(e), {ddl.tables, false, false, place});
    }
    setApplied(ddl.after);
    m_lastProgress = std::chrono::steady_clock::now();
    if (ddl.after == ddl.before)
        m_groupApplied = place;
    if (!verdict.changesTables)
        return {};
    if (m_config.onApplied)
        CW_TRY(m_config.onApplied(ddl, stop));
    // The stream decodes with the tables it was opened with: a new stretch, new tables.
    Error again;
    again.code = ErrorCode::ConnectionLost;
    again.id = QStringLiteral("schema-changed");
    again.message = cwText("core", "The schema changed; reading on with the new one.");
    return fail(std::move(again));
}

/// Rows that the log does not hold whole are of no matter where the copy has them already.
Status Follower::checkReadable(const Item &item)
{
    for (const RowsUnreadable &u : item.unreadable) {
        if (item.after ? inCopyAlready(u.table, *item.after)
                       : partInCopyAlready(u.table, item.before))
            continue;
        std::vector<TableName> tables;
        for (const RowsUnreadable &other : item.unreadable)
            tables.push_back(other.table);
        return stopAt(u.why, {tables, false, false, u.why.id + QLatin1Char(' ') + item.id});
    }
    return {};
}

/// What a failure to apply says of the follower's own tables.
Error Follower::explained(Error e)
{
    if (e.id == QLatin1String("mysql-keyless-mismatch")) {
        const auto it = m_leaderNames.find(e.object);
        if (it != m_leaderNames.end()) {
            const Error why = e;
            return stopAt(why, {{it->second}, false, false, why.id + applied().text}).value();
        }
    }
    // Somebody dropped or changed a table of the follower: read again, which says which one.
    const QString here = applied().text + e.serverWords;
    if ((e.number == 1146 || e.number == 1054) && m_tableFailed != here) {
        m_tableFailed = here;
        e.code = ErrorCode::ConnectionLost;
        e.id = QStringLiteral("schema-changed");
    }
    return e;
}

Status Follower::stretch(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto ledger, m_config.follower->ledger(m_config.lease.migration, stop));
    CW_TRY(ledger->checkLease(m_config.lease, stop));
    if (m_config.onConnect)
        CW_TRY(m_config.onConnect(stop));
    CW_TRY_ASSIGN(const Position from, ledger->appliedPosition(stop));
    if (from.isEmpty()) {
        return fail(ErrorCode::Internal,
                    cwText("core", "No position is recorded from which to read the changes."));
    }
    const auto there = m_config.leader->stillHas(from, stop);
    if (!there && isLogGone(there.error()))
        return stopAt(there.error(), {{}, true, false, from.text});
    CW_TRY(there);
    if (!*there)
        return stopAt(logPurgedError(from), {{}, true, false, from.text});
    // Noted as it was found; once it is read, each position has it.
    CW_TRY_ASSIGN(const Position known, m_config.leader->identified(from, stop));
    if (known != from)
        CW_TRY(ledger->setAppliedPosition(m_config.lease, known, stop));
    CW_TRY_ASSIGN(const FollowPlans found, m_config.readPlans(stop));
    if (!found.missing.empty()) {
        Error e;
        e.id = QStringLiteral("mysql-target-table-missing");
        e.message = cwText("core", "Tables that were copied are gone from the follower; somebody "
                                   "dropped or renamed them there.");
        return stopAt(std::move(e), {found.missing, false, false, from.text});
    }
    const std::vector<TablePlan> &plans = found.plans;
    auto tables = std::make_shared<std::map<TableName, std::shared_ptr<const Table>>>();
    m_leaderNames.clear();
    for (const TablePlan &plan : plans) {
        tables->emplace(plan.leader->name, plan.leader);
        m_leaderNames.emplace(plan.follower->name.display(), plan.leader->name);
    }
    ApplierOptions options = m_config.applier;
    options.onUnlogged = [this](const TableName &table, const std::vector<Row> &keys) {
        noteKeys(table, keys);
    };
    options.mostUnlogged = kMostChangedKeys + 1;
    CW_TRY(m_config.leader->serveApplier(options, stop));
    CW_TRY_ASSIGN(const auto applier, m_config.follower->applier(m_config.lease, options, stop));
    applier->setPlans(plans);
    CW_TRY_ASSIGN(auto stream, m_config.leader->changes(
                                   known, m_config.lease,
                                   [tables](const TableName &name) -> std::shared_ptr<const Table> {
                                       const auto it = tables->find(name);
                                       return it == tables->end() ? nullptr : it->second;
                                   },
                                   stop));
    {
        const std::lock_guard lock(m_mutex);
        if (m_trackedFrom.isEmpty()) {
            m_trackedFrom = known;
            takeOverKeptLocked(known, plans);
        }
    }
    setApplied(known);
    m_settled = false;
    CW_TRY(settleOnce(*applier, stop));
    Queue queue(m_config.queueBytes);
    Reader reader(*this, std::move(stream), queue, m_config.batchBytes);
    {
        const std::lock_guard lock(m_mutex);
        m_queue = &queue;
    }
    struct Unset {
        Follower *f;
        ~Unset()
        {
            const std::lock_guard lock(f->m_mutex);
            f->m_queue = nullptr;
        }
    } const unset{this};

    auto proven = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
        CW_TRY(runTasks(*applier));
        const auto now = std::chrono::steady_clock::now();
        if (now - std::max(proven, m_lastRecorded) > kBetweenProofs) {
            // A lost session, a locked account or a lease that somebody else has is noticed without
            // a write.
            CW_TRY(ledger->checkLease(m_config.lease, stop));
            proven = m_lastProgress = now;
        }
        std::vector<Item> items = queue.take(m_config.batchRows, m_config.batchBytes, stop);
        if (items.empty())
            continue;
        Item &first = items.front();
        if (first.error && isLogGone(*first.error))
            return stopAt(*first.error, {{}, true, false, applied().text});
        if (first.error)
            return fail(*first.error);
        CW_TRY(checkReadable(first));
        if (first.statement) {
            const StatementLogged &statement = *first.statement;
            const bool copied = !statement.tables.empty() &&
                                std::all_of(statement.tables.begin(), statement.tables.end(),
                                            [&](const TableName &t) {
                                                return !tables->contains(t) ||
                                                       partInCopyAlready(t, statement.before);
                                            });
            if (copied || (m_config.concerns && !m_config.concerns(statement)))
                continue;
            Error e;
            e.id = QStringLiteral("mysql-statement-logged");
            e.message = cwText("core", "Rows were logged as a statement, which cannot be applied.");
            e.serverWords = statement.statement.left(2000);
            e.fix = cwText("core", "Set binlog_format=ROW for all sessions and copy the table "
                                   "again.");
            std::vector<TableName> concerned;
            std::copy_if(statement.tables.begin(), statement.tables.end(),
                         std::back_inserter(concerned),
                         [&](const TableName &t) { return tables->contains(t); });
            return stopAt(std::move(e),
                          {concerned, concerned.empty(), false,
                           statement.before.text + QLatin1Char(' ') + statement.statement});
        }
        if (first.ddl)
            CW_TRY(handleDdl(*applier, *first.ddl, stop));
        else
            CW_TRY(applyItems(*applier, items, stop));
    }
    return {};
}

void Follower::run(std::stop_token stop)
{
    std::chrono::milliseconds backOff{200};
    {
        const std::lock_guard lock(m_mutex);
        m_lastProgress = std::chrono::steady_clock::now();
    }
    while (!stop.stop_requested()) {
        const auto before = applied();
        const Status ended = stretch(stop);
        if (ended || stop.stop_requested())
            break;
        if (applied() != before)
            backOff = std::chrono::milliseconds{200};
        if (ended.error().id == QLatin1String("schema-changed"))
            continue;
        std::unique_lock lock(m_mutex);
        m_stats.connected = false;
        const auto quiet = std::chrono::steady_clock::now() - m_lastProgress;
        if (!ended.error().isTransient() || quiet > m_config.retryFor) {
            m_stats.error = ended.error();
            break;
        }
        m_stats.trouble = ended.error();
        logWarning(QStringLiteral("Replication: %1 Trying again.").arg(ended.error().describe()));
        lock.unlock();
        if (!pauseFor(stop, backOff))
            break;
        backOff = std::min(backOff * 2, std::chrono::milliseconds{5'000});
    }
    const std::lock_guard lock(m_mutex);
    m_stats.running = false;
    m_stats.connected = false;
    m_stats.trouble.reset();
    m_changed.notify_all();
}

} // namespace causeway
