#include "mysql/ApplierSession.h"

#include "base/Log.h"
#include "base/Stop.h"

namespace causeway::mysql {

namespace {

constexpr int kMostAttempts = 40;

/// Another transaction was in the way; the same again can succeed.
bool isCollision(const Error &e)
{
    switch (e.number) {
    case 1213: // deadlock
    case 1205: // lock wait time-out (which rolls back the statement only: the rest is on us)
    case 1020: // MariaDB with innodb_snapshot_isolation: the record has changed
        return true;
    default:
        return false;
    }
}

Status setUp(Session &s, std::stop_token stop)
{
    // unique_checks: with 0 InnoDB may put an entry of a unique secondary index into the change
    // buffer without looking for a duplicate, and REPLACE lives by finding it; MariaDB 10.6+
    // besides locks the whole of an empty table for a bulk insert when both checks are off.
    std::string sql = "SET unique_checks=1";
    // What the leader holds was accepted there.
    if (s.isMariaDb() && s.version() >= 100201)
        sql += ", check_constraint_checks=0";
    CW_TRY(s.execBytes(sql, stop));
    // READ COMMITTED keeps a DELETE from locking the gaps that the other workers insert into. It
    // cannot be used under statement logging (1665).
    auto format = s.queryBytes("SELECT @@log_bin, @@binlog_format", stop);
    if (!format && format.error().number == 0)
        return fail(std::move(format).error());
    const bool statements = format && !format->rows.empty() &&
                            format->text(0, std::size_t{0}) == QLatin1String("1") &&
                            format->text(0, std::size_t{1}) == QLatin1String("STATEMENT");
    if (!statements)
        CW_TRY(s.execBytes("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", stop));
    return {};
}

} // namespace

Result<std::unique_ptr<ApplierSession>> ApplierSession::open(const Address &address,
                                                             const Lease &lease,
                                                             const QString &stream,
                                                             std::stop_token stop)
{
    auto out = std::make_unique<ApplierSession>();
    CW_TRY_ASSIGN(out->m_session, Session::open(address, Use::Data, stop));
    Session &s = *out->m_session;
    CW_TRY(setUp(s, stop));
    CW_TRY_ASSIGN(out->m_names, findStateNames(s, stop));
    CW_TRY(registerSession(s, out->m_names, lease, stop));
    CW_TRY_ASSIGN(const ResultSet packet, s.queryBytes("SELECT @@max_allowed_packet", stop));
    const auto most = static_cast<std::size_t>(packet.text(0, std::size_t{0}).toULongLong());
    // Beyond a megabyte a statement gains nothing; below, leave room for the last row's own size.
    out->m_limits.bytes = std::min<std::size_t>(1'000'000, most / 2);
    out->m_limits.mariaDb = s.isMariaDb();
    out->m_lease = lease;
    out->m_stream = stream;
    return out;
}

Status ApplierSession::once(const std::function<Status(Session &)> &body, std::stop_token stop)
{
    Session &s = *m_session;
    CW_TRY(s.execBytes("START TRANSACTION", stop));
    Status done = touchStream(s, m_names, m_lease, m_stream, stop);
    if (done)
        done = body(s);
    if (done)
        return s.execBytes("COMMIT", stop);
    if (!s.isDead()) {
        // The first error is the one to report; where the rollback fails too, the session is gone
        // and the server rolls back by itself.
        if (const Status rolledBack = s.execBytes("ROLLBACK"); !rolledBack)
            logWarning(rolledBack.error().describe());
    }
    return done;
}

Status ApplierSession::transaction(const std::function<Status(Session &)> &body,
                                   std::stop_token stop)
{
    for (int attempt = 1;; ++attempt) {
        Status done = once(body, stop);
        if (done || !isCollision(done.error()) || attempt >= kMostAttempts)
            return done;
        if (!pauseFor(stop, std::chrono::milliseconds(std::min(5 * attempt, 100))))
            return fail(cancelledError());
    }
}

} // namespace causeway::mysql
