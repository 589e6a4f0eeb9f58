#pragma once

#include "database/Database.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>

namespace causeway {

/// A batch on its way from a reader to a writer.
struct CopyItem {
    std::size_t table = 0;
    RowBatch batch;
    ChunkMark mark;
    /// In memory: cells cost as well, a batch of many small columns is larger than its bytes.
    [[nodiscard]] qint64 size() const;
};

/// Between readers and writers, bounded by bytes: a slow target holds up the readers, not the
/// memory of this process. Thread-safe.
class CopyQueue {
public:
    explicit CopyQueue(qint64 mostBytes) : m_mostBytes(mostBytes) {}

    /// Waits for room; an item larger than the whole queue goes in alone. False when stopped.
    bool push(CopyItem &&, std::stop_token);
    /// Waits for an item. Nothing when stopped, or when closed and empty.
    std::optional<CopyItem> pop(std::stop_token);
    /// The next item if one is there and not larger than that; does not wait.
    std::optional<CopyItem> popSmall(qint64 mostBytes);
    /// No more items will come.
    void close();

    /// Time that readers, and writers, have spent waiting here since the queue was made.
    [[nodiscard]] std::chrono::nanoseconds waitedForRoom() const
    {
        return std::chrono::nanoseconds(m_roomWait.load());
    }
    [[nodiscard]] std::chrono::nanoseconds waitedForItems() const
    {
        return std::chrono::nanoseconds(m_itemWait.load());
    }

private:
    const qint64 m_mostBytes;
    std::mutex m_mutex;
    std::condition_variable_any m_room, m_items;
    std::deque<CopyItem> m_queue;
    qint64 m_bytes = 0;
    bool m_closed = false;
    std::atomic<qint64> m_roomWait{0}, m_itemWait{0};
};

/// Bytes per second over all readers; each pays before it goes on. Thread-safe.
class Throttle {
public:
    void setRate(qint64 bytesPerSecond); ///< 0 = none
    [[nodiscard]] bool isOn() const { return m_rate.load() > 0; }
    /// Returns when these bytes may pass; false when stopped.
    bool pass(qint64 bytes, std::stop_token);

private:
    std::atomic<qint64> m_rate{0};
    std::mutex m_mutex;
    std::condition_variable_any m_changed;
    std::chrono::steady_clock::time_point m_paidUntil{};
};

} // namespace causeway
