#include "base/Log.h"
#include "base/Stop.h"
#include "mysql/MySqlDatabase.h"
#include "mysql/Session.h"

#include <mysql.h>

#include <chrono>
#include <thread>

/// A user lock of the server, held by a session that is pinged: it goes with the process that held
/// it. The lease itself (Ledger) still decides who may write; this only keeps a second Causeway,
/// with a copy of the file, from taking it from one that is at work.
namespace causeway::mysql {

namespace {
constexpr std::chrono::milliseconds kBetweenPings{2'000};
/// The server ends the session when we are stopped for so long.
constexpr int kIdleSeconds = 12;
/// Somebody who did not ping for so long is stopped or cut off.
constexpr int kSilentSeconds = 6;
/// Long enough to see whether it pings.
constexpr std::chrono::seconds kObserve{8};

class MySqlLeaseHold final : public LeaseHold {
public:
    MySqlLeaseHold(Address address, QString lock, std::unique_ptr<Session> session)
        : m_address(std::move(address)), m_lock(std::move(lock)), m_session(std::move(session)),
          m_pinger([this](const std::stop_token &stop) { run(stop); })
    {
    }

    static Result<bool> take(Session &s, const QString &lock, std::stop_token stop)
    {
        CW_TRY(s.exec(QStringLiteral("SET SESSION wait_timeout=%1").arg(kIdleSeconds), stop));
        CW_TRY_ASSIGN(const ResultSet r,
                      s.query(QStringLiteral("SELECT GET_LOCK(%1, 0)").arg(quoteText(lock)), stop));
        return !r.rows.empty() && r.text(0, std::size_t(0)) == QLatin1String("1");
    }

private:
    void run(const std::stop_token &stop)
    {
        mysql_thread_init();
        while (pauseFor(stop, kBetweenPings)) {
            if (m_session && m_session->exec(QStringLiteral("DO 1"), stop))
                continue;
            // Lost: taken again, unless somebody else was there first; then the lease is theirs.
            m_session.reset();
            auto again = Session::open(m_address, Use::Control, stop);
            if (!again)
                continue;
            const auto taken = take(**again, m_lock, stop);
            if (taken && *taken)
                m_session = std::move(*again);
            else if (taken)
                break;
        }
        mysql_thread_end();
    }

    Address m_address;
    QString m_lock;
    std::unique_ptr<Session> m_session;
    std::jthread m_pinger; ///< last: ends before what it uses
};

Error held(const Address &address, const QString &who)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("lease-held");
    e.object = address.display();
    e.message = cwText("core", "Another Causeway is at work on this migration: %1.", who);
    e.fix = cwText("core", "Use that one, or end it first. (Was its file copied?)");
    return e;
}
} // namespace

Result<std::unique_ptr<LeaseHold>> MySqlDatabase::holdLease(const QString &migration,
                                                            std::stop_token stop)
{
    const QString lock = QStringLiteral("causeway.") + migration;
    CW_TRY_ASSIGN(auto session, Session::open(m_address, Use::Control, stop));
    const auto until = std::chrono::steady_clock::now() + kObserve;
    for (;;) {
        const auto taken = MySqlLeaseHold::take(*session, lock, stop);
        if (!taken && taken.error().code == ErrorCode::Server) {
            logDebug(taken.error().describe()); // a server without user locks (some proxies)
            return std::unique_ptr<LeaseHold>();
        }
        CW_TRY(taken);
        if (*taken) {
            return std::unique_ptr<LeaseHold>(
                new MySqlLeaseHold(m_address, lock, std::move(session)));
        }
        CW_TRY_ASSIGN(
            const ResultSet holder,
            session->query(QStringLiteral("SELECT IS_USED_LOCK(%1)").arg(quoteText(lock)), stop));
        CW_TRY_ASSIGN(const ResultSet list,
                      session->query(QStringLiteral("SHOW PROCESSLIST"), stop));
        QString who;
        for (std::size_t i = 0; i < list.rows.size(); ++i) {
            if (list.text(i, "Id") != holder.text(0, std::size_t(0)))
                continue;
            who = list.text(i, "Host");
            if (list.text(i, "Time").toInt() >= kSilentSeconds)
                (void)session->exec(QStringLiteral("KILL CONNECTION ") + list.text(i, "Id"), stop);
        }
        if (std::chrono::steady_clock::now() > until)
            return fail(held(m_address, who));
        if (!pauseFor(stop, std::chrono::milliseconds(300)))
            return fail(cancelledError());
    }
}

} // namespace causeway::mysql
