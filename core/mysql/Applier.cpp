#include "base/Log.h"
#include "base/Stop.h"
#include "mysql/ApplierBatch.h"
#include "mysql/ApplierFacts.h"
#include "mysql/ApplierSession.h"
#include "mysql/Exactness.h"
#include "mysql/KeyGuard.h"
#include "mysql/KeylessRows.h"
#include "mysql/Parts.h"
#include "mysql/SessionWatch.h"

#include <QCryptographicHash>

#include <algorithm>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

/// Applies changes to a MySQL or MariaDB follower.
///
/// Why a batch may be torn anywhere and applied again from the old position:
///  - Per key the last full image wins, and it is written by REPLACE, so writing it twice, or
///    writing an older one over a newer one, ends with the newest as soon as the log has been
///    applied to where it was before: each row that was ahead has a later event with its full
///    image.
///  - REPLACE also deletes rows that hold the same value in another unique key. Rows of one segment
///    are all present on the leader at one moment, so none of them holds a value of another. A row
///    outside the segment that is deleted so was ahead (copied late, or written before a crash):
///    the leader could hold both only one after the other, so that row has a later event, which
///    brings it back.
///  - Deletes are committed on all workers before the first REPLACE: a key that differs in bytes
///    may be equal in the follower's collation, and a delete of 'a' must not hit the new 'A'.
///  - What cannot be repeated is in one transaction with the record of how far it is: rows of
///    tables without key, and cascades. A cascade follows references through the follower's rows;
///    repeated over rows that are ahead, it would find other references. So nothing before a
///    cascade is ever applied again after it (RowMark), and after settle() every cascade meets the
///    follower exactly as the leader was. Before that, rows copied late are ahead: see
///    CascadeReread.cpp. Once no row is ahead any more, that is on record beside the position
///    (applierFact::exact), and is taken back before anything that a crash could leave ahead.
namespace causeway::mysql {

namespace {

constexpr std::size_t kBytesPerTransaction = 4'000'000;

/// What one worker does in one phase.
struct TableStatement {
    const ApplierTable *table = nullptr; ///< null: a DELETE
    WriteStatement write;
    std::vector<const Row *> guarded; ///< instead of the statement: rows for KeyGuard
    [[nodiscard]] std::size_t bytes() const
    {
        std::size_t n = write.sql.size();
        for (const Row *row : guarded) {
            for (const Value &v : *row)
                n += v ? v->size() + 4 : 4;
        }
        return n;
    }
};
using Statements = std::vector<TableStatement>;

/// An approved statement was carried out before: the server says that there is nothing left to do.
bool isAlreadyDone(int number)
{
    switch (number) {
    case 1007: // database exists
    case 1008: // database does not exist (DROP)
    case 1050: // table exists
    case 1051: // unknown table (DROP)
    case 1060: // duplicate column
    case 1061: // duplicate key name
    case 1068: // multiple primary key
    case 1091: // cannot drop column or key: not there
    case 1146: // table does not exist (RENAME)
    case 1826: // duplicate foreign key name
        return true;
    default:
        return false;
    }
}

/// The modes that decide how a statement is read, and what it may contain, as far as this server
/// knows them. Ours stays strict: an ALTER that would shorten values is refused.
Status setSqlMode(Session &s, const QString &modes, std::stop_token stop)
{
    static const QStringList wanted{
        QStringLiteral("ANSI_QUOTES"),        QStringLiteral("NO_BACKSLASH_ESCAPES"),
        QStringLiteral("PIPES_AS_CONCAT"),    QStringLiteral("IGNORE_SPACE"),
        QStringLiteral("REAL_AS_FLOAT"),      QStringLiteral("NO_UNSIGNED_SUBTRACTION"),
        QStringLiteral("ALLOW_INVALID_DATES")};
    QStringList use;
    for (const QString &mode : modes.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        if (wanted.contains(mode.trimmed()))
            use << mode.trimmed();
    }
    if (use.isEmpty())
        return {};
    return s.exec(
        QStringLiteral("SET sql_mode=CONCAT(@@sql_mode, ',%1')").arg(use.join(QLatin1Char(','))),
        std::move(stop));
}

class MySqlApplier final : public Applier {
public:
    MySqlApplier(Address address, Lease lease, ApplierOptions options)
        : m_address(std::move(address)), m_lease(std::move(lease)), m_options(std::move(options))
    {
    }

    Status open(std::stop_token stop)
    {
        m_options.workers = std::clamp(m_options.workers, 1, 64);
        QStringList streams{QStringLiteral("apply")};
        for (int i = 0; i < m_options.workers; ++i)
            streams << QStringLiteral("apply%1").arg(i);
        CW_TRY_ASSIGN(const auto ledger, makeLedger(m_address, m_lease.migration, stop));
        CW_TRY(ledger->openStreams(m_lease, streams, stop));
        CW_TRY_ASSIGN(m_recorded, ledger->appliedPosition(stop));
        CW_TRY_ASSIGN(const auto mark, ledger->fact(applierFact::mark, stop));
        if (mark)
            m_mark = RowMark::fromText(*mark);
        CW_TRY_ASSIGN(m_statementIntent, ledger->fact(applierFact::statement, stop));
        CW_TRY_ASSIGN(m_groupStatement, ledger->fact(applierFact::group, stop));
        CW_TRY_ASSIGN(const auto exact, ledger->fact(applierFact::exact, stop));
        CW_TRY_ASSIGN(m_main, ApplierSession::open(m_address, m_lease, streams.front(), stop));
        m_ahead = std::make_unique<Exactness>(
            *m_main, m_graph, m_options.leader.get(),
            [this](Session &s, std::stop_token token) { return context(s, std::move(token)); });
        m_ahead->open(exact.has_value());
        for (int i = 0; i < m_options.workers; ++i) {
            CW_TRY_ASSIGN(auto worker,
                          ApplierSession::open(m_address, m_lease, streams[i + 1], stop));
            m_workers.push_back(std::move(worker));
        }
        return {};
    }

    void setPlans(std::vector<TablePlan> plans) override
    {
        m_tables.clear();
        m_plansError.reset();
        std::vector<std::shared_ptr<const ApplierTable>> all;
        for (TablePlan &plan : plans) {
            const TableName name = plan.leader->name;
            auto table = ApplierTable::make(std::move(plan.leader), std::move(plan.follower));
            if (!table) {
                m_plansError = std::move(table).error();
                continue;
            }
            all.push_back(std::make_shared<const ApplierTable>(std::move(*table)));
            m_tables.insert_or_assign(name, all.back());
        }
        m_graph = m_options.emulateCascades ? CascadeGraph(all) : CascadeGraph();
    }

    Status apply(const ChangeBatch &batch, std::stop_token stop) override
    {
        if (m_plansError)
            return fail(*m_plansError);
        const BatchPlanner planner{
            [this](const std::shared_ptr<const Table> &leader) { return find(leader); }, &m_graph};
        CW_TRY_ASSIGN(const std::vector<Segment> segments, planner.plan(batch, m_mark, m_recorded));
        CW_TRY(m_ahead->beforeChanges(stop));
        // The batch was read from the log to its end, so its end is about to be visible too; of a
        // transaction that comes in parts only the beginning is known.
        const Position visible = segments.back().mark ? Position{} : batch.after;
        const bool rows = !batch.rows.empty();
        for (std::size_t i = 0; i < segments.size();) {
            const std::size_t n = smallOnes(std::span(segments).subspan(i));
            if (n > 0)
                CW_TRY(applySmall(std::span(segments).subspan(i, n), visible, rows, stop));
            else
                CW_TRY(applyLarge(segments[i], visible, rows, stop));
            i += std::max<std::size_t>(1, n);
        }
        return m_ahead->reached(m_recorded, stop);
    }

    Status applyStatement(const FollowerStatement &statement, const Position &after,
                          std::stop_token stop) override
    {
        // DDL commits by itself, so the position can only follow it. TRUNCATE may run twice:
        // everything after it is applied again. Any other statement is announced first; if it was,
        // and the server now says that there is nothing left to do, it had been done.
        const QString intent = QString::fromLatin1(
            QCryptographicHash::hash((statement.sql + QLatin1Char('\n') + after.text).toUtf8(),
                                     QCryptographicHash::Sha256)
                .toHex());
        const bool again = m_statementIntent == intent;
        CW_TRY(m_ahead->beforeChanges(stop));
        // One whose rows follow in the same transaction is met again before the position moves.
        const bool rowsFollow = after == m_recorded;
        if (rowsFollow && m_groupStatement == intent)
            return {};
        CW_TRY(m_main->transaction(
            [&](Session &s) { return writeFact(s, applierFact::statement, intent, stop); }, stop));
        m_statementIntent = intent;
        CW_TRY_ASSIGN(auto session, Session::open(m_address, Use::Control, stop));
        own::changesSchema(m_address.display(), session->connectionId());
        {
            const std::lock_guard lock(m_statementMutex);
            m_statementSession = session.get();
        }
        Status done = setSqlMode(*session, statement.sqlMode, stop);
        if (done && !statement.defaultSchema.isEmpty())
            done = session->exec(QLatin1String("USE ") + quoteId(statement.defaultSchema), stop);
        if (done)
            done = session->execBytes(markOwn(statement.sql.toStdString()), stop);
        {
            const std::lock_guard lock(m_statementMutex);
            m_statementSession = nullptr;
        }
        if (!done) {
            if (!again || !isAlreadyDone(done.error().number))
                return done;
            logInfo(QLatin1String("Carried out before: ") + done.error().serverWords);
        }
        const auto record = [&](Session &s) -> Status {
            CW_TRY(writePosition(s, after, stop));
            CW_TRY(clearFact(s, applierFact::mark, stop));
            if (rowsFollow)
                CW_TRY(writeFact(s, applierFact::group, intent, stop));
            return clearFact(s, applierFact::statement, stop);
        };
        CW_TRY(m_main->transaction(record, stop));
        m_recorded = after;
        m_mark.reset();
        m_statementIntent.reset();
        if (rowsFollow)
            m_groupStatement = intent;
        return m_ahead->reached(m_recorded, stop);
    }

    Status repair(const std::vector<RowChange> &rows, std::stop_token stop) override
    {
        if (m_plansError)
            return fail(*m_plansError);
        // Not through apply(): there a batch that leaves the position where it is counts as the
        // beginning of the next transaction, whose first rows would then be passed over.
        const BatchPlanner planner{
            [this](const std::shared_ptr<const Table> &leader) { return find(leader); }, nullptr};
        ChangeBatch batch;
        batch.rows = rows;
        batch.after = m_recorded;
        batch.starts.push_back({0, QStringLiteral("repair"), m_recorded});
        CW_TRY_ASSIGN(const std::vector<Segment> segments,
                      planner.plan(batch, std::nullopt, m_recorded));
        CW_TRY(applyOutside(segments, stop));
        const auto write = [&](Session &s) -> Status {
            CW_TRY(m_ahead->beforeNewerRows(s, stop));
            for (const Segment &segment : segments) {
                CW_TRY(execute(s, statementsFor(segment, true, 0, 1), stop));
                CW_TRY(execute(s, statementsFor(segment, false, 0, 1), stop));
            }
            return {};
        };
        CW_TRY(m_main->transaction(write, stop));
        m_ahead->newerRowsWritten();
        return m_ahead->mustReread() ? m_ahead->readAhead(stop) : Status{};
    }

    Status settle(std::stop_token stop) override { return m_ahead->settle(m_recorded, stop); }

    void interrupt() noexcept override
    {
        if (m_main)
            m_main->interrupt();
        for (const auto &worker : m_workers)
            worker->interrupt();
        const std::lock_guard lock(m_statementMutex);
        if (m_statementSession)
            m_statementSession->interrupt();
    }

private:
    Result<std::shared_ptr<const ApplierTable>> find(const std::shared_ptr<const Table> &leader)
    {
        const auto it = m_tables.find(leader->name);
        if (it == m_tables.end())
            return std::shared_ptr<const ApplierTable>();
        if (it->second->leader != leader &&
            it->second->leader->fingerprint() != leader->fingerprint()) {
            Error e;
            e.code = ErrorCode::Internal;
            e.id = QStringLiteral("mysql-plan-differs");
            e.message = cwText("core", "%1 was decoded with other columns than it is applied with.",
                               leader->name.display());
            e.object = leader->name.display();
            return fail(std::move(e));
        }
        return it->second;
    }

    [[nodiscard]] CascadeContext context(Session &s, std::stop_token stop) const
    {
        return {&s,
                &m_graph,
                m_main->limits(),
                std::move(stop),
                &m_options.onUnlogged,
                m_options.mostUnlogged};
    }

    Status writeFact(Session &s, const QString &name, const QString &value, std::stop_token stop)
    {
        return s.exec(setFactSql(m_main->names(), m_lease.migration, name, value), stop);
    }

    Status clearFact(Session &s, const QString &name, std::stop_token stop)
    {
        return s.exec(clearFactSql(m_main->names(), m_lease.migration, name), stop);
    }

    Status writePosition(Session &s, const Position &after, std::stop_token stop)
    {
        return s.exec(
            QStringLiteral("UPDATE %1 SET position=%2 WHERE migration=%3 AND stream='apply'")
                .arg(stateTable("stream"), quoteText(after.text), quoteText(m_lease.migration)),
            stop);
    }

    [[nodiscard]] QString stateTable(const char *base) const
    {
        return quoteName(m_main->names().table(QString::fromLatin1(base)));
    }

    [[nodiscard]] bool isSmall(const Segment &segment) const
    {
        return static_cast<qint64>(segment.keyedRows) <= m_options.inlineRows;
    }

    /// How many small segments at the front fit into one transaction. Changes that end a batch
    /// (rows referred to with an action) can be frequent; a commit for each would bound the
    /// follower by its disk. One session does them one after the other, so the order is kept.
    [[nodiscard]] std::size_t smallOnes(std::span<const Segment> segments) const
    {
        constexpr std::size_t kRows = 2'000;
        std::size_t n = 0, rows = 0;
        for (const Segment &segment : segments) {
            rows += segment.keyedRows + segment.keyless.size() + segment.alone.size();
            if (!isSmall(segment) || (n > 0 && rows > kRows))
                break;
            ++n;
        }
        return n;
    }

    /// What of a segment belongs into the transaction that records the position.
    Status applyInOrder(Session &s, const Segment &segment, const Position &visible, bool keyed,
                        const std::stop_token &stop)
    {
        if (keyed) {
            if (m_ahead->mustReread() && hasNewParents(segment))
                CW_TRY(rereadStale(s, segment, visible, stop));
            CW_TRY(execute(s, statementsFor(segment, true, 0, 1), stop));
            CW_TRY(execute(s, statementsFor(segment, false, 0, 1), stop));
        }
        for (const PlannedRow &row : segment.keyless)
            CW_TRY(applyKeyless(s, row, m_main->limits().mariaDb, stop));
        for (const PlannedRow &row : segment.alone)
            CW_TRY(applyAlone(s, row, visible, stop));
        return {};
    }

    Status recordEnd(Session &s, const Segment &segment, bool batchHasRows,
                     const std::stop_token &stop)
    {
        CW_TRY(writePosition(s, segment.after, stop));
        if (segment.mark)
            return writeFact(s, applierFact::mark, segment.mark->toText(), stop);
        return m_mark && batchHasRows ? clearFact(s, applierFact::mark, stop) : Status{};
    }

    void recorded(const Segment &segment, bool batchHasRows)
    {
        m_recorded = segment.after;
        if (segment.mark || batchHasRows)
            m_mark = segment.mark;
    }

    Status applySmall(std::span<const Segment> segments, const Position &visible, bool batchHasRows,
                      std::stop_token stop)
    {
        CW_TRY(applyOutside(segments, stop));
        const auto all = [&](Session &s) -> Status {
            for (const Segment &segment : segments)
                CW_TRY(applyInOrder(s, segment, visible, true, stop));
            return recordEnd(s, segments.back(), batchHasRows, stop);
        };
        CW_TRY(m_main->transaction(all, stop));
        recorded(segments.back(), batchHasRows);
        return {};
    }

    Status applyLarge(const Segment &segment, const Position &visible, bool batchHasRows,
                      std::stop_token stop)
    {
        if (m_ahead->mustReread() && hasNewParents(segment)) {
            const auto reread = [&](Session &s) { return rereadStale(s, segment, visible, stop); };
            CW_TRY(m_main->transaction(reread, stop));
        }
        // A crash would leave it torn.
        CW_TRY(m_ahead->beforeTearing(stop));
        CW_TRY(applyOutside(std::span(&segment, 1), stop));
        CW_TRY(inParallel(segment, true, stop));
        CW_TRY(inParallel(segment, false, stop));
        const auto last = [&](Session &s) -> Status {
            CW_TRY(applyInOrder(s, segment, visible, false, stop));
            CW_TRY(m_ahead->endTearing(s, stop));
            return recordEnd(s, segment, batchHasRows, stop);
        };
        CW_TRY(m_main->transaction(last, stop));
        m_ahead->done();
        recorded(segment, batchHasRows);
        return {};
    }

    [[nodiscard]] bool hasNewParents(const Segment &segment) const
    {
        return std::any_of(segment.keyed.begin(), segment.keyed.end(), [&](const KeyedChanges &c) {
            return !m_graph.chainedOf(c.table->leader->name).empty() &&
                   std::any_of(c.byKey.begin(), c.byKey.end(),
                               [](const auto &e) { return e.second.inserted && e.second.image; });
        });
    }

    Status rereadStale(Session &s, const Segment &segment, const Position &visible,
                       std::stop_token stop)
    {
        CW_TRY_ASSIGN(const bool read, rereadStaleChildren(context(s, stop), *m_options.leader,
                                                           segment.keyed, visible));
        return read ? m_ahead->readAhead(stop) : Status{};
    }

    void append(Statements &out, const ApplierTable &table, bool deletes,
                const std::vector<const Row *> &rows) const
    {
        if (deletes) {
            for (std::string &sql : deleteStatements(table, rows, m_main->limits()))
                out.push_back({nullptr, {std::move(sql), 0}, {}});
            return;
        }
        if (table.isGuarded()) {
            constexpr std::size_t kRows = 100;
            for (std::size_t from = 0; from < rows.size(); from += kRows) {
                const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(from);
                const auto n = static_cast<std::ptrdiff_t>(std::min(kRows, rows.size() - from));
                out.push_back({&table, {}, {begin, begin + n}});
            }
            return;
        }
        for (WriteStatement &w : replaceStatements(table, rows, m_main->limits()))
            out.push_back({&table, std::move(w), {}});
    }

    /// What worker `index` of `count` writes in one phase. A key always goes to the same worker.
    Statements statementsFor(const Segment &segment, bool deletes, std::size_t index,
                             std::size_t count, bool transactional = true) const
    {
        Statements out;
        for (const KeyedChanges &changes : segment.keyed) {
            if (changes.table->transactional != transactional)
                continue;
            // Rows with different bytes may be in each other's way: one session sees them all.
            const bool whole = changes.table->isGuarded();
            if (whole && std::hash<std::string>{}(changes.table->name) % count != index)
                continue;
            // In one order everywhere: fewer deadlocks, and neighbouring pages together.
            std::vector<const std::pair<const std::string, KeyedChanges::Entry> *> mine;
            for (const auto &entry : changes.byKey) {
                if ((entry.second.image == nullptr) == deletes &&
                    (count == 1 || whole || std::hash<std::string>{}(entry.first) % count == index))
                    mine.push_back(&entry);
            }
            std::sort(mine.begin(), mine.end(),
                      [](const auto *a, const auto *b) { return a->first < b->first; });
            std::vector<const Row *> rows;
            rows.reserve(mine.size());
            for (const auto *entry : mine)
                rows.push_back(deletes ? &entry->second.key : entry->second.image);
            append(out, *changes.table, deletes, rows);
        }
        return out;
    }

    /// Tables that know no transaction: an old source may have MyISAM. Under GTIDs MySQL refuses to
    /// write them in one with others (1785), and what is written stays when it is rolled back. So
    /// they are written before it, each statement by itself; that may be repeated after a crash for
    /// the reason why a batch may be torn anywhere.
    Status applyOutside(std::span<const Segment> segments, const std::stop_token &stop)
    {
        const bool any = std::any_of(segments.begin(), segments.end(), [](const Segment &s) {
            return std::any_of(s.keyed.begin(), s.keyed.end(),
                               [](const KeyedChanges &c) { return !c.table->transactional; });
        });
        if (!any)
            return {};
        // The lease is looked at as near as can be.
        CW_TRY(m_main->transaction([](Session &) { return Status{}; }, stop));
        for (const Segment &segment : segments) {
            for (const bool deletes : {true, false})
                CW_TRY(
                    execute(m_main->session(), statementsFor(segment, deletes, 0, 1, false), stop));
        }
        return {};
    }

    /// One phase on all workers; returns when all of them have committed.
    Status inParallel(const Segment &segment, bool deletes, std::stop_token stop)
    {
        const std::size_t count = m_workers.size();
        std::vector<Status> results(count);
        const auto work = [&](std::size_t i) {
            results[i] = runWorker(*m_workers[i], statementsFor(segment, deletes, i, count), stop);
        };
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 1; i < count; ++i)
                threads.emplace_back(work, i);
            work(0);
        }
        for (Status &result : results) {
            if (!result && result.error().code != ErrorCode::Cancelled)
                return std::move(result);
        }
        for (Status &result : results)
            CW_TRY(std::move(result));
        return {};
    }

    Status execute(Session &s, std::span<const TableStatement> statements,
                   const std::stop_token &stop)
    {
        for (const auto &[table, write, guarded] : statements) {
            if (!guarded.empty()) {
                KeyGuard guard(*table, m_options.leader.get(), m_leaderMutex, m_main->limits());
                CW_TRY(guard.write(s, guarded, stop));
            } else if (table)
                CW_TRY(writeExactly(s, write.sql, *table->follower, table->tolerated,
                                    write.invalidEnums, stop));
            else
                CW_TRY(s.execBytes(write.sql, stop));
        }
        return {};
    }

    Status runWorker(ApplierSession &worker, const Statements &statements, std::stop_token stop)
    {
        for (std::size_t from = 0; from < statements.size();) {
            std::size_t to = from, bytes = 0;
            while (to < statements.size() && (to == from || bytes < kBytesPerTransaction))
                bytes += statements[to++].bytes();
            const auto some = [&](Session &s) {
                return execute(s, std::span(statements).subspan(from, to - from), stop);
            };
            CW_TRY(worker.transaction(some, stop));
            from = to;
        }
        return {};
    }

    /// A row with its referential actions.
    Status applyAlone(Session &s, const PlannedRow &row, const Position &visible,
                      std::stop_token stop)
    {
        const RowChange &change = *row.change;
        if (!row.table->hasKey()) {
            CW_TRY(applyKeyless(s, row, m_main->limits().mariaDb, stop));
        } else {
            const Row oldKey = row.table->keyOf(change.before);
            Statements statements;
            if (change.op == RowOp::Delete || row.table->keyOf(change.after) != oldKey) {
                append(statements, *row.table, true, {&oldKey});
            }
            if (change.op == RowOp::Update)
                append(statements, *row.table, false, {&change.after});
            CW_TRY(execute(s, statements, stop));
        }
        if (!m_ahead->mustReread())
            return performCascade(context(s, stop), change);
        CW_TRY_ASSIGN(const bool read,
                      rereadCascade(context(s, stop), *m_options.leader, change, visible));
        return read ? m_ahead->readAhead(stop) : Status{};
    }

    Address m_address;
    Lease m_lease;
    ApplierOptions m_options;
    std::unique_ptr<ApplierSession> m_main; ///< stream 'apply': position and what is exactly once
    std::vector<std::unique_ptr<ApplierSession>> m_workers;
    std::map<TableName, std::shared_ptr<const ApplierTable>> m_tables;
    std::optional<Error> m_plansError;
    CascadeGraph m_graph;
    Position m_recorded; ///< as on the follower
    std::optional<RowMark> m_mark;
    std::optional<QString> m_statementIntent;
    std::optional<QString> m_groupStatement; ///< run, and its rows are still to come
    std::unique_ptr<Exactness> m_ahead;
    std::mutex m_leaderMutex; ///< m_options.leader while workers write
    std::mutex m_statementMutex;
    Session *m_statementSession = nullptr;
};

} // namespace

Result<std::unique_ptr<Applier>> makeApplier(const Address &address, const Lease &lease,
                                             const ApplierOptions &options, std::stop_token stop)
{
    auto applier = std::make_unique<MySqlApplier>(address, lease, options);
    CW_TRY(applier->open(stop));
    return applier;
}

} // namespace causeway::mysql
