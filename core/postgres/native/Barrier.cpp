#include "postgres/native/Barrier.h"

#include "base/Stop.h"

#include <QUuid>

namespace causeway::postgres {

namespace {
constexpr std::chrono::milliseconds kFirstLook{2}, kLongestLook{50}, kIdle{250};

/// Deleted and inserted, never updated: an update of a row that the follower lacks (sent before its
/// slot was made) would be passed over there.
QStringList barrierSql(const Server &leader, const QString &nonce)
{
    const QString table = QStringLiteral("_causeway.") + leader.names().barrierTable();
    const int row = Names::barrierRow(leader.side());
    return {QStringLiteral("DELETE FROM %1 WHERE id = %2").arg(table).arg(row),
            QStringLiteral("INSERT INTO %1 (id, nonce) VALUES (%2, %3)")
                .arg(table)
                .arg(row)
                .arg(quoteText(nonce))};
}
} // namespace

Status Barrier::nudge(Server &leader, std::stop_token stop)
{
    return leader.act(barrierSql(leader, QStringLiteral("nudge")), std::move(stop));
}

Status Barrier::pass(std::chrono::milliseconds limit, std::stop_token stop)
{
    const QString table = QStringLiteral("_causeway.") + m_leader.names().barrierTable();
    const int row = Names::barrierRow(m_leader.side());
    const QString nonce = QUuid::createUuid().toString(QUuid::WithoutBraces);
    CW_TRY(m_leader.act(barrierSql(m_leader, nonce), stop));
    const QString look = QStringLiteral("SELECT 1 FROM %1 WHERE id = %2 AND nonce = %3")
                             .arg(table)
                             .arg(row)
                             .arg(quoteText(nonce));
    const auto began = std::chrono::steady_clock::now();
    auto lastIdle = began;
    auto pause = kFirstLook;
    for (;;) {
        CW_TRY_ASSIGN(const auto seen, m_follower.query(look, stop));
        if (!seen.rows.empty())
            return {};
        const auto now = std::chrono::steady_clock::now();
        if (limit.count() > 0 && now - began > limit) {
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("catch-up-timeout");
            e.message = cwText("core", "%1 did not catch up within %2 s.", m_follower.display(),
                               static_cast<qint64>(limit.count() / 1000));
            return fail(std::move(e));
        }
        if (now - lastIdle > kIdle) {
            lastIdle = now;
            CW_TRY(m_idle());
        }
        if (!pauseFor(stop, pause))
            return fail(cancelledError());
        pause = std::min(pause * 2, kLongestLook);
    }
}

Status Barrier::passDurably(std::chrono::milliseconds limit, std::stop_token stop)
{
    CW_TRY(pass(limit, stop));
    // A commit of ours, which waits for its own flush, flushes everything written before it.
    CW_TRY_ASSIGN(
        const auto applied,
        m_follower.query(QStringLiteral("SELECT pg_catalog.pg_current_wal_insert_lsn()"), stop));
    CW_TRY(m_follower.proveLease(stop));
    CW_TRY_ASSIGN(const auto flushed,
                  m_follower.query(QStringLiteral("SELECT pg_catalog.pg_current_wal_flush_lsn() >= "
                                                  "%1::pg_catalog.pg_lsn")
                                       .arg(quoteText(applied.text(0, 0))),
                                   stop));
    if (!flushed.isTrue(0, 0)) {
        return fail(ErrorCode::NotReady,
                    cwText("core",
                           "What %1 has applied is not on its disk (is fsync or "
                           "synchronous_commit off?).",
                           m_follower.display()),
                    QStringLiteral("pg-not-durable"));
    }
    return {};
}

} // namespace causeway::postgres
