#pragma once

#include "postgres/native/Health.h"
#include "postgres/native/Publication.h"
#include "postgres/native/Subscription.h"
#include "route/RouteHost.h"

#include <QSet>
#include <chrono>

#include <deque>

namespace causeway::postgres {

/// Puts what the servers say of a stream into what is shown: lag in bytes and seconds, what the
/// slot keeps, rows and bytes of each table, and what is wrong.
class Observer {
public:
    enum class Tables { WhileCopying, Now };
    /// At most once a second (with Tables::Now at once); failures to look are shown, not returned:
    /// what matters fails louder where it is done.
    void look(RouteHost &, Server &leader, Server &follower, Tables = Tables::WhileCopying);
    /// Applying fails again and again: nobody need wait for it any longer.
    [[nodiscard]] const std::optional<Error> &failure() const { return m_failure; }
    void forget() { *this = Observer(); }

private:
    void lookAtTables(RouteHost &, Server &follower, Side leader);
    double lagSeconds(const SlotState &);
    void raise(RouteHost &, const QString &id, const QString &text);

    struct Sample {
        std::chrono::steady_clock::time_point at;
        quint64 lsn = 0;
    };
    std::chrono::steady_clock::time_point m_last;
    std::deque<Sample> m_samples; ///< where the leader's log ended, by our clock
    void weigh(const Health &, const SubscriptionState &);

    QSet<QString> m_raised;
    qint64 m_firstErrors = -1;
    int m_away = 0;  ///< looks that found no worker, more than those that did
    int m_there = 0; ///< looks in a row that found it
    std::optional<Error> m_failure;
    std::chrono::steady_clock::time_point m_tablesAt;
    qint64 m_rows = -1, m_bytes = -1; ///< of all tables at the last look
};

/// "16/B374D848" as a number.
quint64 lsnValue(const QString &);

} // namespace causeway::postgres
