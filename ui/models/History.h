#pragma once

#include <QtGlobal>

#include <deque>
#include <vector>

namespace causeway::ui {

/// What a migration measured, over time: each second of the last minutes, each ten seconds of the
/// last day, so that it stays small however long the window is open. GUI thread.
class History {
public:
    struct Sample {
        qint64 atMs = 0;       ///< Unix time
        double rateBytes = 0;  ///< per second
        double lagSeconds = 0; ///< negative: not known then
        bool operator==(const Sample &) const = default;
    };
    static constexpr qint64 fineMs = 1'000, coarseMs = 10'000;
    static constexpr qint64 fineSpanMs = 600'000, coarseSpanMs = 86'400'000;

    void clear();
    /// At most one a second is kept; of ten seconds the highest lag and the mean rate. True where
    /// it was kept.
    bool add(const Sample &);
    /// Of the last `spanMs` before the newest one, oldest first; 0 = all there are.
    [[nodiscard]] std::vector<Sample> last(qint64 spanMs) const;
    [[nodiscard]] bool isEmpty() const { return m_fine.empty(); }

private:
    void addCoarse(const Sample &);

    std::deque<Sample> m_fine, m_coarse;
    Sample m_open; ///< ten seconds that are not over
    int m_openCount = 0;
};

} // namespace causeway::ui
