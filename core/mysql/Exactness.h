#pragma once

#include "mysql/ApplierSession.h"
#include "mysql/Cascade.h"

#include <chrono>
#include <memory>

namespace causeway::mysql {

/// Whether rows of the follower may be newer than the recorded position (ALGORITHMS 3.3): copied
/// late, written before a crash, or read anew from the leader. While they may, a cascade must not
/// follow the follower's own rows. Belongs to the applier, on its thread; everything referred to
/// outlives it.
class Exactness {
public:
    /// `leader` null: nobody can look, so nobody does.
    Exactness(ApplierSession &main, const CascadeGraph &graph, LeaderRows *leader,
              std::function<CascadeContext(Session &, std::stop_token)> context);

    /// `recorded`: applierFact::exact as it was found on the follower.
    void open(bool recorded) { m_recorded = recorded; }

    /// Rows on the follower may be ahead of the change being applied.
    [[nodiscard]] bool mustReread() const { return isOfUse() && !m_exact; }

    /// Applier::settle().
    Status settle(const Position &applied, std::stop_token);
    /// Before changes are applied: as long as the copy is not behind it, nothing that was true of
    /// an earlier time counts.
    Status beforeChanges(std::stop_token);
    /// Before work that a crash may leave torn.
    Status beforeTearing(std::stop_token);
    /// The end of such work, in the transaction that records the position; done() once committed.
    Status endTearing(Session &, std::stop_token);
    void done() { m_recorded = m_exact && isOfUse(); }
    /// In the transaction in which rows newer than the position are written; readAhead() once it is
    /// committed.
    Status beforeNewerRows(Session &, std::stop_token) const;
    void newerRowsWritten();
    /// Rows were read from the leader just now and written.
    Status readAhead(std::stop_token);
    /// To be called when the position has moved. A row read anew is as new as the reading: the
    /// follower is exact once it has got there. What was read ahead may have taken away, too early,
    /// the row in the middle of a chain of actions that the log brought later: once everything has
    /// arrived, what such a chain missed is found by what it left behind. Before anybody is told of
    /// the position, so that nobody compares it.
    Status reached(const Position &applied, std::stop_token);

private:
    /// Only who would have to read rows of the leader gains by it.
    [[nodiscard]] bool isOfUse() const;
    Status sweepOrphans(const Position &applied, std::stop_token);
    Status sweepAgain(const Position &applied, std::stop_token);
    Status record(std::stop_token);

    ApplierSession &m_main;
    const CascadeGraph &m_graph;
    LeaderRows *m_leader;
    std::function<CascadeContext(Session &, std::stop_token)> m_context;
    bool m_settled = false;
    bool m_exact = false;
    bool m_recorded = false;  ///< the same, as on the follower
    Position m_readUpTo;      ///< of the newest row read anew
    bool m_readAhead = false; ///< rows were read anew since orphans were looked for
    std::chrono::steady_clock::time_point m_sweepNotBefore;
};

} // namespace causeway::mysql
