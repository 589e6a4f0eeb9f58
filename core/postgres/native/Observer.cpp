#include "postgres/native/Observer.h"

#include <QSet>

#include <algorithm>

namespace causeway::postgres {

namespace {
using Clock = std::chrono::steady_clock;
constexpr auto kEvery = std::chrono::milliseconds(1000);
constexpr std::size_t kSamples = 3600;
/// A worker that fails comes again every few seconds, for a moment. So many looks without it, or so
/// many failures, are no moment any more.
constexpr int kAwayTooLong = 15;
constexpr qint64 kFailures = 2;
/// Failures before that were overcome.
constexpr int kSteady = 15;
} // namespace

quint64 lsnValue(const QString &lsn)
{
    const qsizetype slash = lsn.indexOf(QLatin1Char('/'));
    if (slash < 0)
        return 0;
    return (lsn.left(slash).toULongLong(nullptr, 16) << 32U) |
           lsn.mid(slash + 1).toULongLong(nullptr, 16);
}

void Observer::raise(RouteHost &host, const QString &id, const QString &text)
{
    if (m_raised.contains(id))
        return;
    m_raised.insert(id);
    host.event(QStringLiteral("warning"), text);
}

double Observer::lagSeconds(const SlotState &slot)
{
    if (slot.lagBytes < 0)
        return -1;
    const quint64 confirmed = lsnValue(slot.confirmed);
    m_samples.push_back({Clock::now(), lsnValue(slot.insertLsn)});
    // The newest moment whose end of the log the follower has passed: everything since is behind.
    while (m_samples.size() > 1 && m_samples[1].lsn <= confirmed)
        m_samples.pop_front();
    if (m_samples.size() > kSamples)
        m_samples.pop_front();
    if (slot.lagBytes == 0)
        return 0;
    return std::chrono::duration<double>(Clock::now() - m_samples.front().at).count();
}

void Observer::weigh(const Health &health, const SubscriptionState &subscription)
{
    const qint64 errors = std::max<qint64>(subscription.applyErrors, 0) +
                          std::max<qint64>(subscription.syncErrors, 0);
    m_there = subscription.running ? m_there + 1 : 0;
    m_away = subscription.enabled && !subscription.running ? m_away + 1 : std::max(0, m_away - 2);
    if (m_firstErrors < 0 || m_there >= kSteady)
        m_firstErrors = errors;
    m_failure.reset();
    for (const Trouble &t : health.lasting) {
        if (t.id != QLatin1String("pg-slot-near-limit"))
            m_failure = troubleError(t);
    }
    const bool fails = errors - m_firstErrors >= kFailures;
    if (health.worker && subscription.enabled && (fails || m_away >= kAwayTooLong))
        m_failure = troubleError(*health.worker);
}

void Observer::look(RouteHost &host, Server &leader, Server &follower, Tables tables)
{
    const auto now = Clock::now();
    if (tables == Tables::WhileCopying && m_last != Clock::time_point{} && now - m_last < kEvery)
        return;
    m_last = now;
    const bool copying = host.shown()->phase == Phase::Copying;
    const Side from = leader.side();
    const auto slot = readSlot(leader, from, {});
    const auto subscription = readSubscription(follower, from, {});
    if (copying || tables == Tables::Now)
        lookAtTables(host, follower, from);
    const double seconds = slot ? lagSeconds(*slot) : -1;
    std::vector<Trouble> troubles;
    if (slot && subscription) {
        const Health health =
            healthOf(*slot, *subscription, from, leader.display(), follower.display());
        weigh(health, *subscription);
        troubles = health.lasting;
        if (m_failure && health.worker)
            troubles.push_back(*health.worker);
    }
    for (const Trouble &t : troubles)
        raise(host, t.id, t.text.english());
    host.show([&](Snapshot &s) {
        s.lagSeconds = copying ? -1 : seconds;
        s.lagBytes = slot ? slot->lagBytes : -1;
        s.logKeptBytes = slot ? slot->retainedBytes : -1;
        s.logLeftBytes = slot ? slot->safeBytes : -1;
        s.troubles = troubles;
        const bool alive =
            slot && subscription && (subscription->running || !subscription->enabled);
        if (s.runState == RunState::Running || s.runState == RunState::Stalled)
            s.runState = alive ? RunState::Running : RunState::Stalled;
        if (s.phase == Phase::Replica || s.phase == Phase::Primary) {
            for (TableProgress &t : s.tables) {
                if (t.state == TableState::Copied || t.state == TableState::Waiting)
                    t.state = TableState::Following;
            }
        }
    });
}

void Observer::lookAtTables(RouteHost &host, Server &follower, Side leader)
{
    const auto relations = readRelations(follower, leader, {});
    if (!relations)
        return;
    // Partitions count for the table that a person sees; names are the same on both sides.
    const auto scope = readScope(follower, host.selectionOn(follower.side()), {});
    if (!scope)
        return;
    struct Sum {
        int waiting = 0, copying = 0, done = 0;
        qint64 rows = 0, bytes = 0;
    };
    std::map<QString, Sum> sums;
    for (const auto &[name, progress] : *relations) {
        const ScopeTable *table = scope->find(name);
        Sum &sum = sums[(table ? table->root : name).display()];
        sum.rows += std::max<qint64>(progress.rows, 0);
        sum.bytes += std::max<qint64>(progress.bytes, 0);
        switch (progress.state) {
        case RelationState::Waiting:
            ++sum.waiting;
            break;
        case RelationState::Copying:
            ++sum.copying;
            break;
        default:
            ++sum.done;
        }
    }
    qint64 rows = 0, bytes = 0;
    for (const auto &[name, sum] : sums) {
        rows += sum.rows;
        bytes += sum.bytes;
    }
    const auto now = Clock::now();
    const double passed = std::chrono::duration<double>(now - m_tablesAt).count();
    const bool rated = m_rows >= 0 && passed > 0.2;
    const double rowRate =
        rated ? std::max<double>(0, static_cast<double>(rows - m_rows) / passed) : 0;
    const double byteRate =
        rated ? std::max<double>(0, static_cast<double>(bytes - m_bytes) / passed) : 0;
    m_tablesAt = now;
    m_rows = rows;
    m_bytes = bytes;
    host.show([&](Snapshot &s) {
        const bool copying = s.phase == Phase::Copying;
        s.rateRows = copying ? rowRate : 0;
        s.rateBytes = copying ? byteRate : 0;
        double done = 0, total = 0;
        for (TableProgress &t : s.tables) {
            const auto it = sums.find(t.name);
            if (it == sums.end())
                continue;
            const Sum &sum = it->second;
            // What the server counts while it copies is forgotten when it has; statistics come
            // later.
            t.rows = std::max(t.rows, sum.rows);
            t.bytes = std::max(t.bytes, sum.bytes);
            t.rowsEstimate = std::max(t.rowsEstimate, t.rows);
            t.bytesEstimate = std::max(t.bytesEstimate, t.bytes);
            if (sum.done > 0 && sum.copying + sum.waiting == 0)
                t.bytes = t.bytesEstimate; // what was counted is of the last copy, the estimate of
                                           // the leader's size
            if (t.state == TableState::Verified || t.state == TableState::Different)
                continue;
            t.state = sum.copying > 0 || (sum.done > 0 && sum.waiting > 0) ? TableState::Copying
                      : sum.waiting > 0                                    ? TableState::Waiting
                                                                           : TableState::Copied;
            total += static_cast<double>(std::max<qint64>(t.bytesEstimate, 1));
            done += t.state == TableState::Copied
                        ? static_cast<double>(std::max<qint64>(t.bytesEstimate, 1))
                        : static_cast<double>(t.bytes);
        }
        s.etaLow = s.etaHigh = -1;
        if (copying && s.rateBytes > 0 && total > done) {
            const double left = (total - done) / s.rateBytes;
            s.etaLow = static_cast<qint64>(left * 0.8);
            s.etaHigh = static_cast<qint64>(left * 1.4);
        }
    });
}

} // namespace causeway::postgres
