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

int CutoverFacts::badTables(const Snapshot &s)
{
    return static_cast<int>(
        std::count_if(s.tables.begin(), s.tables.end(), [](const TableProgress &t) {
            return t.state == TableState::Different || t.state == TableState::Failed;
        }));
}

bool CutoverFacts::differsBy(const Snapshot &s)
{
    return std::any_of(s.tables.begin(), s.tables.end(),
                       [](const TableProgress &t) { return t.state == TableState::Different; }) ||
           (s.error && s.error->code == ErrorCode::Differences &&
            s.error->id != QLatin1String("foreign-write")); // that one is the alarm
}

std::vector<std::pair<Mark, QString>> CutoverFacts::troubles(const Snapshot &s)
{
    std::vector<std::pair<Mark, QString>> out;
    if (s.alarm) {
        const QString follower =
            Words::ltr(s.alarm->side == Side::Source ? s.sourceName : s.targetName);
        const QString tables = s.alarm->tables.join(QStringLiteral(", "));
        QString text =
            s.alarm->count == 0
                ? tr("Others may have written on %1, which follows: its log was gone before it was "
                     "looked at.")
                      .arg(follower)
            : tables.isEmpty()
                ? tr("Somebody else wrote on %1, which follows: %n transaction(s).", nullptr,
                     static_cast<int>(s.alarm->count))
                      .arg(follower)
                : tr("Somebody else wrote on %1, which follows: %n transaction(s), in %2.", nullptr,
                     static_cast<int>(s.alarm->count))
                      .arg(follower, tables);
        if (s.alarm->lastMs > 0)
            text += QLatin1Char(' ') + tr("Seen last at %1.").arg(Words::time(s.alarm->lastMs));
        out.emplace_back(Mark::Blocked,
                         text + QLatin1Char(' ') +
                             tr("Find out who it is; a comparison that finds both sides equal "
                                "clears this."));
    }
    for (const Trouble &t : s.troubles) {
        QString text = t.text.translated();
        if (!t.fix.isEmpty())
            text += QLatin1Char('\n') + tr("What to do: %1").arg(Words::fix(t.fix));
        out.emplace_back(Mark::Blocked, text);
    }
    if (differsBy(s)) {
        QStringList names;
        int n = 0;
        for (const TableProgress &t : s.tables) {
            if (t.state == TableState::Different && ++n <= 10)
                names << t.name;
        }
        if (n > 10)
            names << QStringLiteral("...");
        if (n == 0 && s.error)
            names << s.error->object;
        out.emplace_back(Mark::Blocked,
                         tr("Source and target differ: %1.").arg(names.join(QStringLiteral(", "))));
    }
    return out;
}

void CutoverFacts::update(const Snapshot &s, qint64 nowMs)
{
    m_facts.clear();
    m_ageMs = s.atMs > 0 ? std::max<qint64>(0, nowMs - s.atMs) : 0;
    const auto add = [this](const char *id, bool met, Mark whenMet, Mark otherwise,
                            const QString &text) {
        m_facts.push_back({QString::fromLatin1(id), met, met ? whenMet : otherwise, text});
    };

    // Before all else: rows of somebody else would be taken for ours by whoever switches.
    for (const auto &[mark, text] : troubles(s))
        add("trouble", false, Mark::Done, mark, text);

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

    m_verified = 0;
    int failed = 0;
    for (const TableProgress &t : s.tables) {
        m_verified += t.state == TableState::Verified;
        failed += t.state == TableState::Failed;
    }
    const int all = static_cast<int>(s.tables.size());
    if (failed > 0)
        add("verified", false, Mark::Done, Mark::Blocked,
            tr("%n table(s) failed.", nullptr, failed));
    else if (differsBy(s))
        add("verified", false, Mark::Done, Mark::Blocked,
            tr("Not every table is equal: press \"Compare and repair\"."));
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
