#include "mysql/binlog/BinlogStream.h"

#include "base/Stop.h"
#include "mysql/Parts.h"
#include "mysql/SessionWatch.h"

#include <mysql.h>

#include <utility>

namespace causeway::mysql {

namespace {

constexpr std::size_t queueBytes = std::size_t(16) << 20;
constexpr std::chrono::milliseconds progressPeriod{1000};
/// While much passes that is of no interest, the position is told this often.
constexpr std::chrono::milliseconds skippedPeriod{200};
/// Nothing more came for this long: the end of the log, for which a drain under the fence waits.
constexpr std::chrono::milliseconds quietPeriod{5};
/// The server sends a heartbeat each second: after this long the link is dead.
constexpr std::chrono::seconds silenceLimit{30};

qint64 nowUs()
{
    using namespace std::chrono;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::optional<EventType> typeOf(std::string_view event)
{
    if (event.size() < EventHeader::size)
        return std::nullopt;
    return static_cast<EventType>(static_cast<unsigned char>(event[4]));
}

bool isHeartbeat(std::string_view event)
{
    const auto type = typeOf(event);
    return type == EventType::Heartbeat || type == EventType::HeartbeatV2;
}

} // namespace

BinlogStream::BinlogStream(std::unique_ptr<DumpConnection> connection,
                           TransactionAssembler::Options options)
    : m_connection(std::move(connection)), m_assembler(std::move(options)),
      m_reader([this](const std::stop_token &stop) { readAll(stop); })
{
}

BinlogStream::~BinlogStream()
{
    m_reader.request_stop();
    interrupt();
}

void BinlogStream::interrupt() noexcept
{
    m_connection->interrupt();
    const std::lock_guard lock(m_mutex);
    m_interrupted = true;
    m_arrived.notify_all();
    m_room.notify_all();
}

void BinlogStream::readAll(const std::stop_token &stop)
{
    mysql_thread_init();
    Arrived next;
    bool inParts = false; // a compressed transaction, handed on as it comes; others are gathered
    while (!stop.stop_requested()) {
        const auto piece = m_connection->read();
        if (piece && piece->begins)
            inParts = !piece->ends && typeOf(piece->bytes) == EventType::TransactionPayload;
        if (piece) {
            next.begins = piece->begins || !inParts;
            next.ends = piece->ends;
            next.bytes += piece->bytes;
        }
        std::unique_lock lock(m_mutex);
        m_lastArrival = Clock::now();
        if (!piece) {
            m_ended = piece.error();
            m_arrived.notify_all();
            break;
        }
        if (!piece->ends && !inParts)
            continue;
        // One event may be larger than the whole queue.
        m_room.wait(lock, [&] { return m_interrupted || m_bytes < queueBytes; });
        if (m_interrupted)
            break;
        m_bytes += next.bytes.size();
        m_events.push_back(std::exchange(next, {}));
        m_arrived.notify_one();
    }
    mysql_thread_end();
}

Result<std::optional<BinlogStream::Arrived>> BinlogStream::waitForEvent(Clock::time_point until)
{
    std::unique_lock lock(m_mutex);
    m_arrived.wait_until(lock, until,
                         [this] { return m_interrupted || m_ended || !m_events.empty(); });
    if (m_interrupted)
        return fail(cancelledError());
    if (!m_events.empty()) {
        std::optional<Arrived> out(std::move(m_events.front()));
        m_events.pop_front();
        m_bytes -= out->bytes.size();
        m_room.notify_one();
        return out;
    }
    if (m_ended)
        return fail(*m_ended);
    if (Clock::now() - m_lastArrival > silenceLimit) {
        Error e;
        e.code = ErrorCode::ConnectionLost;
        e.id = QStringLiteral("mysql-connection-lost");
        e.message = cwText("core", "The server has sent nothing, not even a heartbeat, for %1 s.",
                           silenceLimit.count());
        return fail(std::move(e));
    }
    return std::nullopt;
}

Result<ChangeEvent> BinlogStream::nextChange()
{
    for (;;) {
        if (auto change = m_assembler.take())
            return std::move(*change);
        {
            const std::lock_guard lock(m_mutex);
            if (m_interrupted)
                return fail(cancelledError());
        }
        const auto sinceGiven = Clock::now() - m_lastGiven;
        if (sinceGiven >= progressPeriod || (m_assembler.hasMoved() && sinceGiven >= skippedPeriod))
            return ChangeEvent(m_assembler.progress());
        if (m_assembler.hasPacked()) {
            CW_TRY(m_assembler.unpackOne());
            continue;
        }
        const bool moved = m_assembler.hasMoved();
        CW_TRY_ASSIGN(const auto event, waitForEvent(moved ? Clock::now() + quietPeriod
                                                           : m_lastGiven + progressPeriod));
        if (!event && moved)
            return ChangeEvent(m_assembler.progress());
        if (!event)
            continue;
        if (!event->begins) {
            CW_TRY(m_assembler.feedMore(event->bytes));
            continue;
        }
        if (!event->ends) {
            CW_TRY(m_assembler.feedFirst(event->bytes));
            continue;
        }
        if (isHeartbeat(event->bytes))
            m_assembler.caughtUp(nowUs());
        CW_TRY(m_assembler.feed(event->bytes));
    }
}

Result<ChangeEvent> BinlogStream::next(std::stop_token stop)
{
    if (m_failed)
        return fail(*m_failed);
    if (stop.stop_requested())
        return fail(cancelledError());
    Result<ChangeEvent> out = [&] {
        const std::stop_callback onStop(stop, [this] { interrupt(); });
        return nextChange();
    }();
    m_lastGiven = Clock::now();
    if (!out)
        m_failed = out.error();
    return out;
}

namespace {
Result<std::unique_ptr<ChangeStream>> makeStream(const Address &address, const Position &from,
                                                 const Lease &ours, const TableResolver &resolve,
                                                 bool watch, std::stop_token stop)
{
    TransactionAssembler::Options options;
    CW_TRY_ASSIGN(options.from, LogPosition::parse(from));
    options.watch = watch;
    options.isOwnSession = [server = address.display()](std::uint32_t id) {
        return own::hasChangedSchema(server, id);
    };
    CW_TRY_ASSIGN(auto connection, DumpConnection::open(address, options.from, stop));
    options.migration = ours.migration;
    options.resolve = resolve;
    options.mariaDb = connection->isMariaDb();
    return std::make_unique<BinlogStream>(std::move(connection), std::move(options));
}
} // namespace

Result<std::unique_ptr<ChangeStream>> makeChangeStream(const Address &address, const Position &from,
                                                       const Lease &ours,
                                                       const TableResolver &resolve,
                                                       std::stop_token stop)
{
    return makeStream(address, from, ours, resolve, false, std::move(stop));
}

Result<std::unique_ptr<ChangeStream>> makeForeignStream(const Address &address,
                                                        const Position &from, const Lease &ours,
                                                        const TableResolver &resolve,
                                                        std::stop_token stop)
{
    return makeStream(address, from, ours, resolve, true, std::move(stop));
}

} // namespace causeway::mysql
