#include "route/CopyQueue.h"

#include <algorithm>

namespace causeway {

using Clock = std::chrono::steady_clock;

qint64 CopyItem::size() const
{
    return static_cast<qint64>(
        batch.bytes() + batch.rows() * static_cast<std::size_t>(std::max(0, batch.columns())) * 16);
}

namespace {
qint64 since(Clock::time_point start)
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}
} // namespace

bool CopyQueue::push(CopyItem &&item, std::stop_token stop)
{
    const qint64 bytes = item.size();
    const auto start = Clock::now();
    std::unique_lock lock(m_mutex);
    const bool room =
        m_room.wait(lock, stop, [&] { return m_queue.empty() || m_bytes + bytes <= m_mostBytes; });
    m_roomWait += since(start);
    if (!room || stop.stop_requested())
        return false;
    m_bytes += bytes;
    m_queue.push_back(std::move(item));
    m_items.notify_one();
    return true;
}

std::optional<CopyItem> CopyQueue::pop(std::stop_token stop)
{
    const auto start = Clock::now();
    std::unique_lock lock(m_mutex);
    m_items.wait(lock, stop, [&] { return !m_queue.empty() || m_closed; });
    m_itemWait += since(start);
    if (m_queue.empty() || stop.stop_requested())
        return std::nullopt;
    CopyItem item = std::move(m_queue.front());
    m_queue.pop_front();
    m_bytes -= item.size();
    m_room.notify_all();
    return item;
}

std::optional<CopyItem> CopyQueue::popSmall(qint64 mostBytes)
{
    const std::lock_guard lock(m_mutex);
    if (m_queue.empty() || m_queue.front().size() > mostBytes)
        return std::nullopt;
    CopyItem item = std::move(m_queue.front());
    m_queue.pop_front();
    m_bytes -= item.size();
    m_room.notify_all();
    return item;
}

void CopyQueue::close()
{
    const std::lock_guard lock(m_mutex);
    m_closed = true;
    m_items.notify_all();
}

void Throttle::setRate(qint64 bytesPerSecond)
{
    const std::lock_guard lock(m_mutex);
    m_rate = bytesPerSecond;
    m_paidUntil = {};
    m_changed.notify_all();
}

bool Throttle::pass(qint64 bytes, std::stop_token stop)
{
    std::unique_lock lock(m_mutex);
    const qint64 rate = m_rate.load();
    if (rate <= 0)
        return !stop.stop_requested();
    // Each caller takes the next stretch of time and waits for its beginning: a pause of one reader
    // saves up nothing.
    const auto begin = std::max(Clock::now(), m_paidUntil);
    m_paidUntil = begin + std::chrono::nanoseconds(static_cast<qint64>(
                              1e9 * static_cast<double>(bytes) / static_cast<double>(rate)));
    m_changed.wait_until(lock, stop, begin, [&] { return m_rate.load() != rate; });
    return !stop.stop_requested();
}

} // namespace causeway
