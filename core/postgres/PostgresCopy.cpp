#include "postgres/PostgresSession.h"

#include "base/Stop.h"

#include <libpq-fe.h>

namespace causeway::postgres {

Result<qint64> Session::copyTo(const QString &copyOut, Session &to, const QString &copyIn,
                               std::stop_token stop)
{
    using Clock = std::chrono::steady_clock;
    if (m_interrupted || to.m_interrupted || stop.stop_requested())
        return fail(cancelledError());
    // Writing blocks in libpq: a stop shuts both sockets down, which ends it.
    const std::stop_callback onStop(stop, [&] {
        interrupt();
        to.interrupt();
    });
    const auto begin = [&](Session &s, const QString &sql, ExecStatusType wanted) -> Status {
        if (PQsendQuery(s.m_conn, sql.toUtf8().constData()) == 0)
            return fail(s.resultError(nullptr));
        while (PQisBusy(s.m_conn)) {
            CW_TRY(s.wait(false, Clock::time_point::max(), stop));
            if (PQconsumeInput(s.m_conn) == 0)
                break;
        }
        PGresult *const r = PQgetResult(s.m_conn);
        const bool ok = PQresultStatus(r) == wanted;
        Status status = ok ? Status() : Status(fail(s.resultError(r)));
        PQclear(r);
        if (!ok)
            (void)s.collect(stop);
        return status;
    };
    CW_TRY(begin(*this, copyOut, PGRES_COPY_OUT));
    if (Status begun = begin(to, copyIn, PGRES_COPY_IN); !begun) {
        interrupt(); // nobody reads the rows that it is sending
        return fail(begun.error());
    }
    qint64 bytes = 0;
    bool refused = false;
    for (;;) {
        char *row = nullptr;
        const int n = PQgetCopyData(m_conn, &row, 1);
        if (n > 0) {
            bytes += n;
            // A server that has refused says why at the end; until then the rest is thrown away.
            if (!refused)
                refused = PQputCopyData(to.m_conn, row, n) != 1;
            PQfreemem(row);
            continue;
        }
        if (n < 0)
            break;
        CW_TRY(wait(false, Clock::time_point::max(), stop));
        if (PQconsumeInput(m_conn) == 0)
            break;
    }
    const Result<ResultSet> sent = collect(stop);
    (void)PQputCopyEnd(to.m_conn, sent ? nullptr : "the rows could not be read to their end");
    const Result<ResultSet> taken = to.collect(stop);
    if (!sent)
        return fail(sent.error());
    if (!taken)
        return fail(taken.error());
    return bytes;
}

} // namespace causeway::postgres
