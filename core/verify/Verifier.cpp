#include "verify/Verifier.h"

#include "base/Stop.h"
#include "verify/Alignment.h"

#include <QDateTime>
#include <QJsonArray>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace causeway {

namespace {

constexpr std::size_t mostSamples = 100;
/// Rows that the application changes all the time may differ at any one look.
constexpr int looksAtMovingRow = 20;
constexpr int looksAtMovingRange = 2;
constexpr int mostAttempts = 6;
constexpr std::size_t keysPerLook = 500;

/// Work on one table, shared by the workers.
struct TableWork {
    const TablePlan *plan = nullptr;
    AlignedTables tables;
    TableVerdict verdict;

    std::mutex walk; ///< held while the next range is looked for
    std::optional<Row> walkedTo;
    bool walked = false;
    int rangesOpen = 0; ///< under Verification::m_mutex, like verdict
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

    Status work(std::stop_token stop);
    Status compareTable(TableWork &, Hashers &, const std::stop_token &);
    Status compareRange(TableWork &, Hashers &, const ChunkRange &, const std::stop_token &);
    Status compareKeyless(TableWork &, Hashers &, const std::stop_token &);
    Status narrow(TableWork &, Hashers &, const ChunkRange &, const std::stop_token &);
    Result<std::vector<std::pair<Row, Seen>>>
    confirm(const TableWork &, Hashers &, std::vector<Row> keys, const std::stop_token &);
    Status count(TableWork &, Hashers &, qint64 leaderRows, std::vector<std::pair<Row, Seen>>,
                 const std::stop_token &);
    Status waitApplied(const std::stop_token &);
    void addRows(TableWork &, qint64 leaderRows, qint64 differing, qint64 missing, qint64 extra,
                 qint64 repaired, std::vector<RowDifference> samples);
    void report(TableWork &, bool finished);

    Database &m_leader;
    Database &m_follower;
    bool m_leaderIsSource;
    const VerifyOptions &m_options;
    std::vector<std::unique_ptr<TableWork>> m_tables;
    std::mutex m_mutex; ///< verdicts, counters of open ranges, onProgress
    std::mutex m_apply; ///< waitApplied and repairRow: one caller at a time
};

Status Verification::waitApplied(const std::stop_token &stop)
{
    if (!m_options.waitApplied)
        return {};
    const std::lock_guard lock(m_apply);
    return m_options.waitApplied(stop);
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

Status Verification::compareRange(TableWork &t, Hashers &h, const ChunkRange &range,
                                  const std::stop_token &stop)
{
    const int looks = m_options.waitApplied ? 1 + looksAtMovingRange : 1;
    for (int look = 0; look < looks; ++look) {
        CW_TRY_ASSIGN(const HashedRange l, h.leader->hash(t.tables.leader, range, stop));
        // What differs only because the follower is behind costs no waiting on the first look:
        // most ranges are not being written.
        if (look > 0)
            CW_TRY(waitApplied(stop));
        CW_TRY_ASSIGN(const HashedRange f, h.follower->hash(t.tables.follower, range, stop));
        if (l.rows == f.rows && l.hash == f.hash) {
            addRows(t, l.rows, 0, 0, 0, 0, {});
            return {};
        }
    }
    return narrow(t, h, range, stop);
}

Status Verification::narrow(TableWork &t, Hashers &h, const ChunkRange &range,
                            const std::stop_token &stop)
{
    CW_TRY_ASSIGN(const auto leaderRows, h.leader->rowHashes(t.tables.leader, range, stop));
    CW_TRY(waitApplied(stop));
    CW_TRY_ASSIGN(const auto followerRows, h.follower->rowHashes(t.tables.follower, range, stop));
    std::map<Row, QString> there(followerRows.begin(), followerRows.end());
    std::vector<Row> suspects;
    std::set<Row> followerOnly;
    for (const auto &[key, hash] : leaderRows) {
        const auto it = there.find(key);
        if (it == there.end() || it->second != hash)
            suspects.push_back(key);
        if (it != there.end())
            there.erase(it);
    }
    for (const auto &[key, hash] : there) {
        suspects.push_back(key);
        followerOnly.insert(key);
    }
    // Looked up one by one, on both sides: another collation puts rows into other ranges.
    CW_TRY_ASSIGN(auto differences, confirm(t, h, std::move(suspects), stop));
    // A key of the follower that the leader finds too (equal to it but for its bytes, or in another
    // range) is counted under the leader's key.
    std::erase_if(differences, [&](const auto &d) {
        return followerOnly.contains(d.first) && !d.second.leader.isEmpty();
    });
    {
        const std::lock_guard lock(m_mutex);
        std::erase_if(differences, [&](const auto &d) {
            return d.second.leader.isEmpty() && !t.extras.insert(d.first).second;
        });
    }
    return count(t, h, static_cast<qint64>(leaderRows.size()), std::move(differences), stop);
}

/// A row counts once the follower, which has applied what the leader had at the look before, shows
/// none of the states that the leader was seen in.
Result<std::vector<std::pair<Row, Verification::Seen>>>
Verification::confirm(const TableWork &t, Hashers &h, std::vector<Row> keys,
                      const std::stop_token &stop)
{
    std::vector<std::pair<Row, Seen>> out;
    for (std::size_t from = 0; from < keys.size(); from += keysPerLook) {
        std::vector<Row> open(
            keys.begin() + static_cast<std::ptrdiff_t>(from),
            keys.begin() + static_cast<std::ptrdiff_t>(std::min(keys.size(), from + keysPerLook)));
        std::vector<std::set<QString>> states(open.size());
        for (int look = 1; !open.empty(); ++look) {
            CW_TRY_ASSIGN(const auto before, h.leader->hashesOf(t.tables.leader, open, stop));
            CW_TRY(waitApplied(stop));
            CW_TRY_ASSIGN(const auto there, h.follower->hashesOf(t.tables.follower, open, stop));
            std::vector<QString> after = before;
            if (m_options.waitApplied) {
                CW_TRY_ASSIGN(after, h.leader->hashesOf(t.tables.leader, open, stop));
            }
            std::vector<Row> moving;
            std::vector<std::set<QString>> movingStates;
            for (std::size_t i = 0; i < open.size(); ++i) {
                states[i].insert(before[i]);
                states[i].insert(after[i]);
                if (states[i].contains(there[i]))
                    continue;
                if (before[i] != after[i] && look < looksAtMovingRow) {
                    moving.push_back(std::move(open[i]));
                    movingStates.push_back(std::move(states[i]));
                } else {
                    out.emplace_back(std::move(open[i]), Seen{after[i], there[i]});
                }
            }
            open = std::move(moving);
            states = std::move(movingStates);
        }
    }
    return out;
}

/// Repairs where asked to, and counts what is left. All counting is done at the end, so that a lost
/// connection on the way lets the range be done again.
Status Verification::count(TableWork &t, Hashers &h, qint64 leaderRows,
                           std::vector<std::pair<Row, Seen>> found, const std::stop_token &stop)
{
    const auto kindOf = [](const Seen &s) {
        return s.leader.isEmpty()     ? Kind::Extra
               : s.follower.isEmpty() ? Kind::Missing
                                      : Kind::Differing;
    };
    std::set<Row> left;
    if (m_options.repair && m_options.repairRow && !found.empty()) {
        // Rows that should not be there go first: they may hold a unique value that another needs.
        std::stable_sort(found.begin(), found.end(), [&](const auto &a, const auto &b) {
            return kindOf(a.second) < kindOf(b.second);
        });
        std::vector<Row> keys;
        for (const auto &[key, seen] : found) {
            const std::lock_guard lock(m_apply);
            CW_TRY(m_options.repairRow(*t.plan, key, stop));
            keys.push_back(key);
        }
        CW_TRY_ASSIGN(const auto unrepaired, confirm(t, h, std::move(keys), stop));
        for (const auto &[key, seen] : unrepaired)
            left.insert(key);
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
    addRows(t, leaderRows, counts[Kind::Differing], counts[Kind::Missing], counts[Kind::Extra],
            repaired, std::move(samples));
    return {};
}

Status Verification::compareKeyless(TableWork &t, Hashers &h, const std::stop_token &stop)
{
    HashedRange l;
    HashedRange f;
    const int looks = m_options.waitApplied ? looksAtMovingRow : 1;
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

Status Verification::compareTable(TableWork &t, Hashers &h, const std::stop_token &stop)
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
        CW_TRY(patiently(stop, [&] {
            return keyed ? compareRange(t, h, range, stop) : compareKeyless(t, h, stop);
        }));
        const std::lock_guard walk(t.walk);
        const std::lock_guard lock(m_mutex);
        if (--t.rangesOpen == 0 && t.walked)
            report(t, true);
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
    for (const auto &t : m_tables)
        CW_TRY(compareTable(*t, h, stop));
    return {};
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
