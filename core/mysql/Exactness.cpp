#include "mysql/Exactness.h"

#include "mysql/ApplierFacts.h"

#include <utility>

namespace causeway::mysql {

Exactness::Exactness(ApplierSession &main, const CascadeGraph &graph, LeaderRows *leader,
                     std::function<CascadeContext(Session &, std::stop_token)> context)
    : m_main(main), m_graph(graph), m_leader(leader), m_context(std::move(context))
{
}

bool Exactness::isOfUse() const
{
    return m_leader && !m_graph.isEmpty();
}

Status Exactness::settle(const Position &applied, std::stop_token stop)
{
    if (m_recorded)
        m_exact = true;
    if (!mustReread()) {
        m_settled = true;
        return {};
    }
    if (m_settled)
        return sweepAgain(applied, std::move(stop));
    CW_TRY(sweepOrphans(applied, stop));
    // Also covers what an applier before this one has read.
    CW_TRY_ASSIGN(m_readUpTo, m_leader->now(stop));
    m_settled = true;
    return reached(applied, std::move(stop));
}

Status Exactness::beforeChanges(std::stop_token stop)
{
    return m_settled ? Status{} : beforeTearing(std::move(stop));
}

Status Exactness::beforeTearing(std::stop_token stop)
{
    if (!m_recorded)
        return {};
    CW_TRY(m_main.transaction([&](Session &s) { return beforeNewerRows(s, stop); }, stop));
    m_recorded = false;
    return {};
}

Status Exactness::endTearing(Session &s, std::stop_token stop)
{
    if (!m_exact || !isOfUse())
        return {};
    return s.exec(setFactSql(m_main.names(), m_main.lease().migration, applierFact::exact, {}),
                  std::move(stop));
}

Status Exactness::beforeNewerRows(Session &s, std::stop_token stop) const
{
    return s.exec(clearFactSql(m_main.names(), m_main.lease().migration, applierFact::exact),
                  std::move(stop));
}

void Exactness::newerRowsWritten()
{
    m_recorded = false;
    m_exact = false;
}

Status Exactness::readAhead(std::stop_token stop)
{
    CW_TRY_ASSIGN(m_readUpTo, m_leader->now(std::move(stop)));
    m_readAhead = true;
    return {};
}

Status Exactness::reached(const Position &applied, std::stop_token stop)
{
    if (!m_settled || m_exact || !(m_readUpTo.isEmpty() || positionReached(applied, m_readUpTo)))
        return {};
    if (std::exchange(m_readAhead, false)) {
        CW_TRY(sweepOrphans(applied, stop));
        CW_TRY_ASSIGN(m_readUpTo, m_leader->now(stop));
        // Once: a leader that has such rows itself (checks were off) would never come to an end.
        if (!positionReached(applied, m_readUpTo))
            return {};
    }
    m_exact = true;
    return isOfUse() ? record(std::move(stop)) : Status{};
}

Status Exactness::record(std::stop_token stop)
{
    CW_TRY(m_main.transaction([&](Session &s) { return endTearing(s, stop); }, stop));
    m_recorded = true;
    return {};
}

/// Rows that refer to no row although a chain of actions should have reached them.
Status Exactness::sweepOrphans(const Position &applied, std::stop_token stop)
{
    if (m_graph.chained().empty())
        return {};
    const auto sweep = [&](Session &s) -> Status {
        CW_TRY(rereadOrphans(m_context(s, stop), *m_leader, applied));
        return {};
    };
    return m_main.transaction(sweep, stop);
}

/// As at the end, for one who compares before that: under steady cascades the end keeps moving on.
/// Not more than a small part of the time.
Status Exactness::sweepAgain(const Position &applied, std::stop_token stop)
{
    constexpr int kTimesAsLong = 5;
    const auto begin = std::chrono::steady_clock::now();
    if (!m_readAhead || begin < m_sweepNotBefore)
        return {};
    CW_TRY(sweepOrphans(applied, stop));
    CW_TRY_ASSIGN(m_readUpTo, m_leader->now(stop));
    const auto end = std::chrono::steady_clock::now();
    m_sweepNotBefore = end + (end - begin) * kTimesAsLong;
    return {};
}

} // namespace causeway::mysql
