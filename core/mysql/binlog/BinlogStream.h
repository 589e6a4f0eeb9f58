#pragma once

#include "database/Database.h"
#include "mysql/binlog/DumpConnection.h"
#include "mysql/binlog/TransactionAssembler.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace causeway::mysql {

/// The log of one server as changes. A thread of its own reads the socket, so that a slow reader
/// of next() and the network do not wait for each other, and so that a silent link is seen.
/// After an error the stream is over: a new one begins at the last commit.
///
/// A TransactionBegin that follows another without a commit between means that the leader died and
/// rolled the first one back.
class BinlogStream final : public ChangeStream {
public:
    BinlogStream(std::unique_ptr<DumpConnection>, TransactionAssembler::Options);
    ~BinlogStream() override;
    BinlogStream(const BinlogStream &) = delete;
    BinlogStream &operator=(const BinlogStream &) = delete;

    Result<ChangeEvent> next(std::stop_token) override;
    void interrupt() noexcept override;
    [[nodiscard]] QString place() const override { return m_assembler.place(); }

private:
    using Clock = std::chrono::steady_clock;
    void readAll(const std::stop_token &);
    Result<ChangeEvent> nextChange();
    /// An event, or a part of a compressed transaction.
    struct Arrived {
        std::string bytes;
        bool begins = true, ends = true;
    };
    /// Waits for an event of the log, at most until `until`; nothing at that time.
    Result<std::optional<Arrived>> waitForEvent(Clock::time_point until);

    std::unique_ptr<DumpConnection> m_connection;
    TransactionAssembler m_assembler;
    std::optional<Error> m_failed;
    Clock::time_point m_lastGiven = Clock::now();

    std::mutex m_mutex;
    std::condition_variable m_arrived, m_room;
    std::deque<Arrived> m_events;
    std::size_t m_bytes = 0;
    std::optional<Error> m_ended;
    Clock::time_point m_lastArrival = Clock::now();
    bool m_interrupted = false;
    std::jthread m_reader; ///< last: ends before what it uses
};

} // namespace causeway::mysql
