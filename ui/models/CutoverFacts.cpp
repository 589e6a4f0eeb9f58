#include "models/CutoverFacts.h"

#include <algorithm>

namespace causeway::ui {

QString CutoverFacts::obstacle() const
{
    for (const Fact &f : m_facts) {
        if (!f.met)
            return f.text;
    }
    return {};
}

void CutoverFacts::update(const Snapshot &s, qint64 nowMs)
{
    m_facts.clear();
    m_ageMs = s.atMs > 0 ? std::max<qint64>(0, nowMs - s.atMs) : 0;
    const auto add = [this](const char *id, bool met, Mark whenMet, Mark otherwise,
                            const QString &text) {
        m_facts.push_back({QString::fromLatin1(id), met, met ? whenMet : otherwise, text});
    };

    // Engine and window share a clock, so the age of a snapshot says how long nothing was heard.
    const bool fresh = m_ageMs <= staleAfterMs;
    add("fresh", fresh, Mark::Done, Mark::Warning,
        fresh ? tr("Both servers were heard from %1 ago.")
                    .arg(Words::seconds(static_cast<double>(m_ageMs) / 1000))
              : tr("The figures are %1 old: wait until both servers are heard from again.")
                    .arg(Words::seconds(static_cast<double>(m_ageMs) / 1000)));

    const bool following = s.phase == Phase::Replica || s.phase == Phase::Primary;
    const bool running = s.runState == RunState::Running;
    add("follows", following && running, Mark::Done, Mark::Blocked,
        !following ? tr("%1 does not follow yet (%2).")
                         .arg(Words::ltr(Words::follower(s)), Words::phase(s.phase))
        : running
            ? tr("%1 follows %2.").arg(Words::ltr(Words::follower(s)), Words::ltr(Words::leader(s)))
            : tr("Replication does not run (%1): press Resume on the page Copy and replicate.")
                  .arg(Words::runState(s.runState)));

    if (s.lagSeconds >= 0 && s.lagSeconds <= lagThresholdSeconds) {
        if (m_lagSmallSinceMs == 0)
            m_lagSmallSinceMs = std::max<qint64>(nowMs, 1);
    } else {
        m_lagSmallSinceMs = 0;
    }
    const qint64 held = m_lagSmallSinceMs == 0 ? -1 : nowMs - m_lagSmallSinceMs;
    const QString limit = Words::seconds(lagThresholdSeconds);
    add("lag", held >= lagHeldMs, Mark::Done, held >= 0 ? Mark::Running : Mark::Warning,
        held >= lagHeldMs ? tr("Lag %1, under %2 for %3.")
                                .arg(Words::lag(s.lagSeconds), limit,
                                     Words::seconds(static_cast<double>(held) / 1000))
        : held >= 0 ? tr("Lag %1; it must stay under %2 for %3.")
                          .arg(Words::lag(s.lagSeconds), limit,
                               Words::seconds(static_cast<double>(lagHeldMs) / 1000))
                    : tr("Lag %1; it must come under %2.").arg(Words::lag(s.lagSeconds), limit));

    int bad = 0;
    m_verified = 0;
    for (const TableProgress &t : s.tables) {
        m_verified += t.state == TableState::Verified;
        bad += t.state == TableState::Different || t.state == TableState::Failed;
    }
    const int all = static_cast<int>(s.tables.size());
    if (bad > 0)
        add("verified", false, Mark::Done, Mark::Blocked,
            tr("%n table(s) failed or differ.", nullptr, bad));
    else if (m_verified == all)
        add("verified", true, Mark::Done, Mark::Pending,
            tr("All %n table(s) compared by hashes of every row, and equal.", nullptr, all));
    else
        add("verified", true, Mark::Info, Mark::Pending,
            tr("%1 of %2 tables compared; the switch compares the others before it holds writes.")
                .arg(Words::number(m_verified), Words::number(all)));

    const bool schemaQuiet = !s.decision && s.runState != RunState::NeedsDecision;
    add("schema", schemaQuiet, Mark::Done, Mark::Blocked,
        schemaQuiet ? tr("No schema change is waiting for your decision.")
                    : tr("A decision is waiting on the page Copy and replicate."));

    if (s.roles.leader == Side::Source)
        add("wayBack", true, s.oneWay ? Mark::Warning : Mark::Done, Mark::Pending,
            s.oneWay
                ? tr("No way back: you accepted that in the plan.")
                : tr("The way back is prepared: %1 will follow.").arg(Words::ltr(s.sourceName)));

    if (s.retentionSeconds >= 0)
        add("retention", true, Mark::Info, Mark::Pending,
            tr("%1 keeps its log for %2.")
                .arg(Words::ltr(Words::leader(s)),
                     Words::seconds(static_cast<double>(s.retentionSeconds))));
}

} // namespace causeway::ui
