#include "verify/Verifier.h"

#include "base/Stop.h"
#include "verify/Alignment.h"

#include <QDateTime>
#include <QJsonArray>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace causeway {

namespace {

constexpr std::size_t mostSamples = 100;
/// A row that the application changes all the time may differ at any one look.
constexpr int looksAtMovingRow = 8;
constexpr int looksAtMovingTable = 20;
/// Looks at which the leader's row stood still and the follower's was another one: at a single one
/// it could have gone there and back.
constexpr int looksAtStillRow = 2;
constexpr int mostAttempts = 6;
/// Rows that wait to be looked at again: what a wait for the follower costs is shared by them.
constexpr std::size_t keysPerLook = 2'000;
constexpr std::size_t repairsAtOnce = 200;

/// Work on one table, shared by the workers.
struct TableWork {
    const TablePlan *plan = nullptr;
    AlignedTables tables;
    TableVerdict verdict;

    std::mutex walk; ///< held while the next range is looked for
    std::optional<Row> walkedTo;
    bool walked = false;
    int rangesOpen = 0; ///< under Verification::m_mutex, like verdict
    /// The last range differed in some row: the next one is read row by row at once.
    std::atomic<bool> moving{false};
    /// Keys counted as extra: where collations differ, ranges overlap on the follower.
    std::set<Row> extras;
};

enum class Kind { Extra, Differing, Missing };

class Verification {
public:
    Verification(Database &leader, Database &follower, bool leaderIsSource,
                 const VerifyOptions &options)
        : m_leader(leader), m_follower(follower), m_leaderIsSource(leaderIsSource),
          m_options(options)
    {
    }

    Result<VerifyReport> run(const std::vector<TablePlan> &plans, std::stop_token stop);

private:
    struct Hashers {
        std::unique_ptr<RangeHasher> leader, follower;
    };
    /// Leader's and follower's hash of one row as last seen; empty where there is no such row.
    struct Seen {
        QString leader, follower;
    };

    using Differences = std::vector<std::pair<Row, Seen>>;
    /// Rows of one table that differed at the first look, when nobody waited for the follower.
    struct Suspects {
        std::set<Row> onLeader;     ///< found in a range of the leader
        std::set<Row> followerOnly; ///< found in a range of the follower alone
        int ranges = 0;             ///< whose verdict waits for them
    };
    /// Of one worker. Looked at again together: under a busy application nearly every range has
    /// some, and a wait for the follower for each of them would be most of the time.
    struct Pending {
        std::map<TableWork *, Suspects> tables;
        std::size_t keys = 0;
    };

    Status work(std::stop_token stop);
    Status compareTable(TableWork &, Hashers &, Pending &, const std::stop_token &);
    Status compareRange(TableWork &, Hashers &, const ChunkRange &, Pending &,
                        const std::stop_token &);
    Status compareKeyless(TableWork &, Hashers &, const std::stop_token &);
    Status settle(Pending &, Hashers &, const std::stop_token &);
    Result<std::map<TableWork *, Differences>>
    confirm(const std::map<TableWork *, std::vector<Row>> &, Hashers &, const std::stop_token &);
    Status count(TableWork &, Hashers &, Differences, const std::stop_token &);
    Status waitApplied(const std::stop_token &);
    void addRows(TableWork &, qint64 leaderRows, qint64 differing, qint64 missing, qint64 extra,
                 qint64 repaired, std::vector<RowDifference> samples);
    void report(TableWork &, bool finished);
    void rangesDone(TableWork &, int ranges);

    Database &m_leader;
    Database &m_follower;
    bool m_leaderIsSource;
    const VerifyOptions &m_options;
    std::vector<std::unique_ptr<TableWork>> m_tables;
    std::mutex m_mutex;  ///< verdicts, counters of open ranges, onProgress
    std::mutex m_repair; ///< repairRows: one caller at a time
};

Status Verification::waitApplied(const std::stop_token &stop)
{
    return m_options.waitApplied ? m_options.waitApplied(stop) : Status{};
}

void Verification::report(TableWork &t, bool finished)
{
    if (m_options.onProgress)
        m_options.onProgress(t.verdict, finished);
}

void Verification::addRows(TableWork &t, qint64 leaderRows, qint64 differing, qint64 missing,
                           qint64 extra, qint64 repaired, std::vector<RowDifference> samples)
{
    const std::lock_guard lock(m_mutex);
    TableVerdict &v = t.verdict;
    v.differing += differing;
    v.missing += missing;
    v.extra += extra;
    v.repaired += repaired;
    // Not counted on the follower: where collations differ, a range there is not the same rows.
    const qint64 followerRows = leaderRows - missing + extra;
    v.rowsSource += m_leaderIsSource ? leaderRows : followerRows;
    v.rowsTarget += m_leaderIsSource ? followerRows : leaderRows;
    for (RowDifference &d : samples) {
        if (v.samples.size() < mostSamples)
            v.samples.push_back(std::move(d));
    }
    report(t, false);
}

/// First without waiting for the follower: most ranges are not being written. Where they are, the
/// rows that differ are put aside. Repeatable until it succeeds: it counts at its end.
Status Verification::compareRange(TableWork &t, Hashers &h, const ChunkRange &range,
                                  Pending &pending, const std::stop_token &stop)
{
    if (!t.moving) {
        CW_TRY_ASSIGN(const HashedRange l, h.leader->hash(t.tables.leader, range, stop));
        CW_TRY_ASSIGN(const HashedRange f, h.follower->hash(t.tables.follower, range, stop));
        if (l.rows == f.rows && l.hash == f.hash) {
            addRows(t, l.rows, 0, 0, 0, 0, {});
            rangesDone(t, 1);
            return {};
        }
    }
    CW_TRY_ASSIGN(const auto leaderRows, h.leader->rowHashes(t.tables.leader, range, stop));
    CW_TRY_ASSIGN(const auto followerRows, h.follower->rowHashes(t.tables.follower, range, stop));
    std::map<Row, QString> there(followerRows.begin(), followerRows.end());
    std::vector<Row> suspects;
    std::vector<Row> followerOnly;
    for (const auto &[key, hash] : leaderRows) {
        const auto it = there.find(key);
        if (it == there.end() || it->second != hash)
            suspects.push_back(key);
        if (it != there.end())
            there.erase(it);
    }
    followerOnly.reserve(there.size());
    for (const auto &[key, hash] : there)
        followerOnly.push_back(key);
    addRows(t, static_cast<qint64>(leaderRows.size()), 0, 0, 0, 0, {});
    t.moving = !suspects.empty() || !followerOnly.empty();
    if (!t.moving) {
        rangesDone(t, 1);
        return {};
    }
    Suspects &of = pending.tables[&t];
    pending.keys += suspects.size() + followerOnly.size();
    of.onLeader.insert(suspects.begin(), suspects.end());
    of.followerOnly.insert(followerOnly.begin(), followerOnly.end());
    ++of.ranges;
    return {};
}

/// Looks at what was put aside until it agrees or is known to differ.
Status Verification::settle(Pending &pending, Hashers &h, const std::stop_token &stop)
{
    std::map<TableWork *, std::vector<Row>> keys;
    for (const auto &[t, suspects] : pending.tables) {
        std::vector<Row> &of = keys[t];
        std::set_union(suspects.onLeader.begin(), suspects.onLeader.end(),
                       suspects.followerOnly.begin(), suspects.followerOnly.end(),
                       std::back_inserter(of));
    }
    CW_TRY_ASSIGN(auto differences, confirm(keys, h, stop));
    // Each table leaves when it has been counted: after a lost connection only the rest is done
    // again.
    for (const auto &[t, unused] : keys) {
        const Suspects &suspects = pending.tables[t];
        Differences found = std::move(differences[t]);
        // A key of the follower that the leader finds too (equal to it but for its bytes, or in
        // another range) is counted under the leader's key; one that is nowhere on the leader only
        // once, though ranges overlap on the follower.
        {
            const std::lock_guard lock(m_mutex);
            std::erase_if(found, [&, table = t](const auto &d) {
                return d.second.leader.isEmpty() ? table->extras.contains(d.first)
                                                 : !suspects.onLeader.contains(d.first);
            });
        }
        CW_TRY(count(*t, h, found, stop));
        {
            const std::lock_guard lock(m_mutex);
            for (const auto &[key, seen] : found) {
                if (seen.leader.isEmpty())
                    t->extras.insert(key);
            }
        }
        rangesDone(*t, suspects.ranges);
        pending.tables.erase(t);
    }
    pending = {};
    return {};
}

/// A row counts once the follower, which has applied what the leader had at the look before, shows
/// none of the states that the leader was seen in. Looked up by key on both sides: another
/// collation puts rows into other ranges. A row that changes at each look, and does so on the
/// follower too, does not count: it is written whole at each change, and compared again when writes
/// are held.
Result<std::map<TableWork *, Verification::Differences>>
Verification::confirm(const std::map<TableWork *, std::vector<Row>> &keys, Hashers &h,
                      const std::stop_token &stop)
{
    struct Open {
        Row key;
        std::set<QString> states; ///< the leader's
        QString before, there;
        int still = 0;
        bool followerMoved = false;
    };
    const auto keysOf = [](const std::vector<Open> &rows) {
        std::vector<Row> out;
        out.reserve(rows.size());
        for (const Open &o : rows)
            out.push_back(o.key);
        return out;
    };
    std::map<TableWork *, std::vector<Open>> open;
    std::map<TableWork *, Differences> out;
    for (const auto &[t, list] : keys) {
        for (const Row &key : list)
            open[t].push_back({key, {}, {}, {}, 0, false});
    }
    for (int look = 1; !open.empty(); ++look) {
        for (auto &[t, rows] : open) {
            CW_TRY_ASSIGN(const auto now, h.leader->hashesOf(t->tables.leader, keysOf(rows), stop));
            for (std::size_t i = 0; i < rows.size(); ++i) {
                rows[i].before = now[i];
                rows[i].states.insert(now[i]);
            }
        }
        CW_TRY(waitApplied(stop));
        for (auto &[t, rows] : open) {
            CW_TRY_ASSIGN(const auto there,
                          h.follower->hashesOf(t->tables.follower, keysOf(rows), stop));
            std::vector<Open> left;
            for (std::size_t i = 0; i < rows.size(); ++i) {
                if (rows[i].states.contains(there[i]))
                    continue;
                rows[i].followerMoved =
                    rows[i].followerMoved || (look > 1 && rows[i].there != there[i]);
                rows[i].there = there[i];
                left.push_back(std::move(rows[i]));
            }
            std::vector<QString> after;
            after.reserve(left.size());
            for (const Open &o : left)
                after.push_back(o.before);
            if (m_options.waitApplied && !left.empty()) {
                CW_TRY_ASSIGN(after, h.leader->hashesOf(t->tables.leader, keysOf(left), stop));
            }
            rows.clear();
            for (std::size_t i = 0; i < left.size(); ++i) {
                Open &o = left[i];
                o.states.insert(after[i]);
                if (o.states.contains(o.there))
                    continue;
                const bool still = o.before == after[i];
                o.still = still ? o.still + 1 : 0;
                const bool differs = !m_options.waitApplied || o.still >= looksAtStillRow ||
                                     (look >= looksAtMovingRow && !o.followerMoved);
                if (differs)
                    out[t].emplace_back(std::move(o.key), Seen{after[i], o.there});
                else if (look < looksAtMovingRow || still)
                    rows.push_back(std::move(o));
            }
        }
        std::erase_if(open, [](const auto &entry) { return entry.second.empty(); });
    }
    return out;
}

/// Repairs where asked to, and counts what is left. All counting is done at the end, so that a lost
/// connection on the way lets it be done again.
Status Verification::count(TableWork &t, Hashers &h, Differences found, const std::stop_token &stop)
{
    const auto kindOf = [](const Seen &s) {
        return s.leader.isEmpty()     ? Kind::Extra
               : s.follower.isEmpty() ? Kind::Missing
                                      : Kind::Differing;
    };
    std::set<Row> left;
    if (m_options.repair && m_options.repairRows && !found.empty()) {
        // Rows that should not be there go first: they may hold a unique value that another needs.
        std::stable_sort(found.begin(), found.end(), [&](const auto &a, const auto &b) {
            return kindOf(a.second) < kindOf(b.second);
        });
        std::vector<Row> keys;
        for (const auto &[key, seen] : found)
            keys.push_back(key);
        for (std::size_t from = 0; from < keys.size(); from += repairsAtOnce) {
            const std::vector<Row> some(keys.begin() + static_cast<std::ptrdiff_t>(from),
                                        keys.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                           keys.size(), from + repairsAtOnce)));
            const std::lock_guard lock(m_repair);
            CW_TRY(m_options.repairRows(*t.plan, some, stop));
        }
        CW_TRY_ASSIGN(const auto unrepaired, confirm({{&t, std::move(keys)}}, h, stop));
        for (const auto &[table, rows] : unrepaired) {
            for (const auto &[key, seen] : rows)
                left.insert(key);
        }
    } else {
        for (const auto &[key, seen] : found)
            left.insert(key);
    }
    std::map<Kind, qint64> counts;
    qint64 repaired = 0;
    std::vector<RowDifference> samples;
    for (const auto &[key, seen] : found) {
        const Kind kind = kindOf(seen);
        if (left.contains(key))
            ++counts[kind];
        else
            ++repaired;
        if (samples.size() < mostSamples)
            samples.push_back({printableKey(t.tables.leader, key),
                               kind == Kind::Extra     ? QStringLiteral("extra")
                               : kind == Kind::Missing ? QStringLiteral("missing")
                                                       : QStringLiteral("differing")});
    }
    addRows(t, 0, counts[Kind::Differing], counts[Kind::Missing], counts[Kind::Extra], repaired,
            std::move(samples));
    return {};
}

Status Verification::compareKeyless(TableWork &t, Hashers &h, const std::stop_token &stop)
{
    HashedRange l;
    HashedRange f;
    const int looks = m_options.waitApplied ? looksAtMovingTable : 1;
    for (int look = 0; look < looks; ++look) {
        CW_TRY_ASSIGN(l, h.leader->hashAll(t.tables.leader, stop));
        if (look > 0)
            CW_TRY(waitApplied(stop));
        CW_TRY_ASSIGN(f, h.follower->hashAll(t.tables.follower, stop));
        if (l.rows == f.rows && l.hash == f.hash) {
            addRows(t, l.rows, 0, 0, 0, 0, {});
            return {};
        }
        // At rest and still different: the rows cannot be told apart, so looking on says nothing
        // new.
        if (look > 0) {
            CW_TRY_ASSIGN(const HashedRange again, h.leader->hashAll(t.tables.leader, stop));
            if (again.hash == l.hash && again.rows == l.rows)
                break;
        }
    }
    // Which rows differ cannot be said without a key; that some do, and how many more or fewer
    // there are, can.
    const qint64 more = f.rows - l.rows;
    addRows(t, l.rows, more == 0 ? 1 : 0, std::max<qint64>(0, -more), std::max<qint64>(0, more), 0,
            {});
    return {};
}

/// Again after a lost connection: hashers connect anew by themselves.
template <class F> Status patiently(const std::stop_token &stop, F attempt)
{
    for (int n = 1;; ++n) {
        Status done = attempt();
        if (done || !done.error().isTransient() || n >= mostAttempts)
            return done;
        if (!pauseFor(stop, std::chrono::milliseconds(200) * (1 << n)))
            return fail(cancelledError());
    }
}

void Verification::rangesDone(TableWork &t, int ranges)
{
    const std::lock_guard walk(t.walk);
    const std::lock_guard lock(m_mutex);
    t.rangesOpen -= ranges;
    if (t.rangesOpen == 0 && t.walked)
        report(t, true);
}

Status Verification::compareTable(TableWork &t, Hashers &h, Pending &pending,
                                  const std::stop_token &stop)
{
    const bool keyed = t.tables.leader.rowKey.has_value();
    for (;;) {
        ChunkRange range;
        {
            const std::lock_guard walk(t.walk);
            if (t.walked)
                return {};
            range.after = t.walkedTo;
            if (keyed) {
                CW_TRY(patiently(stop, [&]() -> Status {
                    CW_TRY_ASSIGN(range.upTo, h.leader->bound(t.tables.leader, range.after,
                                                              m_options.rowsPerRange, stop));
                    return {};
                }));
            }
            t.walkedTo = range.upTo;
            t.walked = !range.upTo;
            const std::lock_guard lock(m_mutex);
            ++t.rangesOpen;
        }
        const auto compare = [&]() -> Status {
            if (keyed)
                return compareRange(t, h, range, pending, stop);
            CW_TRY(compareKeyless(t, h, stop));
            rangesDone(t, 1);
            return {};
        };
        CW_TRY(patiently(stop, compare));
        if (pending.keys >= keysPerLook)
            CW_TRY(patiently(stop, [&] { return settle(pending, h, stop); }));
    }
}

Status Verification::work(std::stop_token stop)
{
    Hashers h;
    CW_TRY_ASSIGN(h.leader, m_leader.hasher(stop));
    CW_TRY_ASSIGN(h.follower, m_follower.hasher(stop));
    const std::stop_callback onStop(stop, [&h] {
        h.leader->interrupt();
        h.follower->interrupt();
    });
    Pending pending;
    for (const auto &t : m_tables)
        CW_TRY(compareTable(*t, h, pending, stop));
    return patiently(stop, [&] { return settle(pending, h, stop); });
}

Result<VerifyReport> Verification::run(const std::vector<TablePlan> &plans, std::stop_token stop)
{
    for (const TablePlan &plan : plans) {
        auto t = std::make_unique<TableWork>();
        t->plan = &plan;
        CW_TRY_ASSIGN(t->tables, alignForHashing(plan));
        t->verdict.name = (m_leaderIsSource ? plan.leader : plan.follower)->name.display();
        m_tables.push_back(std::move(t));
    }
    const int workers = std::max(1, m_options.workers);
    std::stop_source all;
    const std::stop_callback onStop(stop, [&all] { all.request_stop(); });
    std::mutex resultMutex;
    Status result;
    {
        std::vector<std::jthread> threads;
        threads.reserve(static_cast<std::size_t>(workers));
        for (int i = 0; i < workers; ++i) {
            threads.emplace_back([&] {
                Status done = work(all.get_token());
                if (done)
                    return;
                const std::lock_guard lock(resultMutex);
                // The others then end with "cancelled", which is not the reason.
                if (result)
                    result = std::move(done);
                all.request_stop();
            });
        }
    }
    CW_TRY(result);
    VerifyReport out;
    for (const auto &t : m_tables)
        out.tables.push_back(std::move(t->verdict));
    out.atMs = QDateTime::currentMSecsSinceEpoch();
    return out;
}

} // namespace

bool VerifyReport::equal() const
{
    return std::all_of(tables.begin(), tables.end(),
                       [](const TableVerdict &t) { return t.equal(); });
}

QJsonObject VerifyReport::toJson() const
{
    QJsonArray list;
    for (const TableVerdict &t : tables) {
        QJsonArray samples;
        for (const RowDifference &d : t.samples)
            samples.append(
                QJsonObject{{QStringLiteral("key"), d.key}, {QStringLiteral("kind"), d.kind}});
        list.append(QJsonObject{{QStringLiteral("name"), t.name},
                                {QStringLiteral("rows_source"), t.rowsSource},
                                {QStringLiteral("rows_target"), t.rowsTarget},
                                {QStringLiteral("differing"), t.differing},
                                {QStringLiteral("missing"), t.missing},
                                {QStringLiteral("extra"), t.extra},
                                {QStringLiteral("repaired"), t.repaired},
                                {QStringLiteral("samples"), samples}});
    }
    return {{QStringLiteral("equal"), equal()},
            {QStringLiteral("at_ms"), atMs},
            {QStringLiteral("tables"), list}};
}

Result<VerifyReport> verifyTables(Database &leader, Database &follower,
                                  const std::vector<TablePlan> &plans, bool leaderIsSource,
                                  const VerifyOptions &options, std::stop_token stop)
{
    return Verification(leader, follower, leaderIsSource, options).run(plans, std::move(stop));
}

} // namespace causeway
