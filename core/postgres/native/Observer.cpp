#include "postgres/native/Observer.h"

#include <QSet>

#include <algorithm>

namespace causeway::postgres {

namespace {
using Clock = std::chrono::steady_clock;
constexpr auto kEvery = std::chrono::milliseconds(1000);
constexpr std::size_t kSamples = 3600;
/// A worker ends and comes again when its subscription changes; longer than that is a failure.
constexpr int kLooksWithoutWorker = 8;
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

void Observer::look(RouteHost &host, Server &leader, Server &follower, bool copying)
{
    const auto now = Clock::now();
    if (m_last != Clock::time_point{} && now - m_last < kEvery)
        return;
    m_last = now;
    const Side from = leader.side();
    const auto slot = readSlot(leader, from, {});
    const auto subscription = readSubscription(follower, from, {});
    if (copying)
        lookAtTables(host, follower, from);
    const double seconds = slot ? lagSeconds(*slot) : -1;
    host.show([&](Snapshot &s) {
        s.lagSeconds = copying ? -1 : seconds;
        s.lagBytes = slot ? slot->lagBytes : -1;
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
    if (!slot || !subscription)
        return;
    if (slot->walStatus == QLatin1String("lost")) {
        raise(
            host, QStringLiteral("slot-lost"),
            QStringLiteral("%1 has thrown away changes that %2 has not got: the copy must be made "
                           "again.")
                .arg(leader.display(), follower.display()));
    } else if (slot->walStatus == QLatin1String("unreserved")) {
        raise(host, QStringLiteral("slot-unreserved"),
              QStringLiteral("%1 is about to throw away changes that %2 has not got yet "
                             "(max_slot_wal_keep_size).")
                  .arg(leader.display(), follower.display()));
    }
    m_looksWithoutWorker =
        subscription->enabled && !subscription->running ? m_looksWithoutWorker + 1 : 0;
    if (m_looksWithoutWorker == kLooksWithoutWorker) {
        raise(
            host, QStringLiteral("no-worker"),
            QStringLiteral("The subscription on %1 is enabled but has no worker: its server's log "
                           "says why.")
                .arg(follower.display()));
    }
    if (m_firstErrors < 0)
        m_firstErrors = subscription->applyErrors;
    if (subscription->applyErrors > m_firstErrors) {
        raise(
            host, QStringLiteral("apply-error"),
            QStringLiteral("%1 could not apply a change (%2 attempts): its server's log says why.")
                .arg(follower.display())
                .arg(subscription->applyErrors - m_firstErrors));
    }
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
    host.show([&](Snapshot &s) {
        double done = 0, total = 0;
        for (TableProgress &t : s.tables) {
            const auto it = sums.find(t.name);
            if (it == sums.end())
                continue;
            const Sum &sum = it->second;
            t.rows = sum.rows;
            t.bytes = sum.bytes;
            t.rowsEstimate = std::max(t.rowsEstimate, t.rows);
            t.bytesEstimate = std::max(t.bytesEstimate, t.bytes);
            t.state = sum.copying > 0 || (sum.done > 0 && sum.waiting > 0) ? TableState::Copying
                      : sum.waiting > 0                                    ? TableState::Waiting
                                                                           : TableState::Copied;
            total += static_cast<double>(std::max<qint64>(t.bytesEstimate, 1));
            done += t.state == TableState::Copied
                        ? static_cast<double>(std::max<qint64>(t.bytesEstimate, 1))
                        : static_cast<double>(t.bytes);
        }
        if (s.rateBytes > 0 && total > done) {
            const double left = (total - done) / s.rateBytes;
            s.etaLow = static_cast<qint64>(left * 0.8);
            s.etaHigh = static_cast<qint64>(left * 1.4);
        }
    });
}

} // namespace causeway::postgres
