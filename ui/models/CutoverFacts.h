#pragma once

#include "journal/Snapshot.h"
#include "models/Words.h"

#include <QCoreApplication>
#include <QString>

#include <utility>
#include <vector>

namespace causeway::ui {

/// What must be true before roles are exchanged, each with what says so. Pure, but for remembering
/// since when the lag has been small; the time is given.
class CutoverFacts {
    Q_DECLARE_TR_FUNCTIONS(CutoverFacts)

public:
    static constexpr double lagThresholdSeconds = 10;
    static constexpr qint64 lagHeldMs = 5'000; ///< the lag must have been small for so long
    static constexpr qint64 staleAfterMs = 30'000;

    struct Fact {
        QString id;
        bool met = false;
        Mark mark = Mark::Pending;
        QString text;
    };

    void update(const Snapshot &, qint64 nowMs);
    [[nodiscard]] const std::vector<Fact> &facts() const { return m_facts; }
    /// The first fact that is not met; empty = the button may be pressed.
    [[nodiscard]] QString obstacle() const;
    /// What is wrong with the rows or with replication: writes of others, rows that differ. Also
    /// for pages that show it beside the checklist.
    [[nodiscard]] static std::vector<std::pair<Mark, QString>> troubles(const Snapshot &);
    [[nodiscard]] static int badTables(const Snapshot &); ///< failed, or they differ
    /// Rows differ, as tables say or as the last command ended.
    [[nodiscard]] static bool differsBy(const Snapshot &);
    [[nodiscard]] qint64 ageMs() const { return m_ageMs; }
    [[nodiscard]] int verified() const { return m_verified; } ///< tables compared and equal

private:
    std::vector<Fact> m_facts;
    qint64 m_lagSmallSinceMs = 0; ///< 0 = it is not small now
    qint64 m_ageMs = 0;
    int m_verified = 0;
};

} // namespace causeway::ui
