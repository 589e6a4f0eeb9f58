#include "models/History.h"

#include <algorithm>

namespace causeway::ui {

void History::clear()
{
    *this = History();
}

bool History::add(const Sample &s)
{
    // A clock that was set back begins anew.
    if (!m_fine.empty() && s.atMs < m_fine.back().atMs)
        clear();
    if (!m_fine.empty() && s.atMs - m_fine.back().atMs < fineMs)
        return false;
    m_fine.push_back(s);
    while (m_fine.back().atMs - m_fine.front().atMs > fineSpanMs)
        m_fine.pop_front();
    addCoarse(s);
    return true;
}

void History::addCoarse(const Sample &s)
{
    if (m_openCount > 0 && s.atMs - m_open.atMs >= coarseMs) {
        m_open.rateBytes /= m_openCount;
        m_coarse.push_back(m_open);
        while (m_coarse.back().atMs - m_coarse.front().atMs > coarseSpanMs)
            m_coarse.pop_front();
        m_openCount = 0;
    }
    if (m_openCount == 0) {
        m_open = s;
    } else {
        m_open.rateBytes += s.rateBytes;
        m_open.lagSeconds = std::max(m_open.lagSeconds, s.lagSeconds);
    }
    ++m_openCount;
}

std::vector<History::Sample> History::last(qint64 spanMs) const
{
    std::vector<Sample> out;
    if (m_fine.empty())
        return out;
    const qint64 from = spanMs > 0         ? m_fine.back().atMs - spanMs
                        : m_coarse.empty() ? m_fine.front().atMs
                                           : std::min(m_coarse.front().atMs, m_fine.front().atMs);
    for (const Sample &s : m_coarse) {
        if (s.atMs >= from && s.atMs < m_fine.front().atMs)
            out.push_back(s);
    }
    for (const Sample &s : m_fine) {
        if (s.atMs >= from)
            out.push_back(s);
    }
    return out;
}

} // namespace causeway::ui
