#include "base/Stop.h"
#include "mysql/MySqlDatabase.h"
#include "mysql/Parts.h"

namespace causeway::mysql {

namespace {
constexpr int kAttempts = 10;
constexpr std::chrono::milliseconds kPause{500};
} // namespace

Status MySqlDatabase::readLocked(const Table &table, const ReadLimits &limits,
                                 const BatchSink &sink,
                                 const std::function<Status(const Position &)> &at,
                                 std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto locker, Session::open(m_address, Use::Control, stop));
    // Two seconds at most: whoever queues behind our waiting lock waits with us.
    CW_TRY(locker->exec(QStringLiteral("SET lock_wait_timeout=2"), stop));
    const QString lock = QStringLiteral("LOCK TABLES %1 READ").arg(quoteName(table.name));
    for (int attempt = 1;; ++attempt) {
        const Status locked = locker->exec(lock, stop);
        if (locked)
            break;
        if (locked.error().number != 1205 || attempt == kAttempts)
            return locked;
        if (!pauseFor(stop, kPause))
            return fail(cancelledError());
    }
    CW_TRY_ASSIGN(auto snapshot, Session::open(m_address, Use::Data, stop));
    CW_TRY(snapshot->exec(QStringLiteral("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
                          stop));
    CW_TRY(snapshot->exec(QStringLiteral("START TRANSACTION WITH CONSISTENT SNAPSHOT"), stop));
    CW_TRY_ASSIGN(const auto asker, Session::open(m_address, Use::Control, stop));
    CW_TRY_ASSIGN(const Position position, readPositionUnderLock(*asker, stop));
    // Other engines have no snapshot: there the lock must stay until the last row is read.
    const bool transactional =
        table.engine.compare(QLatin1String("InnoDB"), Qt::CaseInsensitive) == 0;
    if (transactional)
        CW_TRY(locker->exec(QStringLiteral("UNLOCK TABLES"), stop));
    CW_TRY(at(position));
    const auto reader = makeRowReaderOn(std::move(snapshot));
    CW_TRY(reader->readAll(table, limits, sink, stop));
    if (!transactional)
        CW_TRY(locker->exec(QStringLiteral("UNLOCK TABLES"), stop));
    return {};
}

} // namespace causeway::mysql
