#pragma once

#include "database/Lease.h"
#include "mysql/ApplierTable.h"
#include "mysql/Parts.h"
#include "mysql/Session.h"

#include <functional>
#include <memory>

namespace causeway::mysql {

/// One writing session of the applier with its stream row. One thread at a time, except
/// interrupt().
class ApplierSession {
public:
    static Result<std::unique_ptr<ApplierSession>> open(const Address &, const Lease &,
                                                        const QString &stream, std::stop_token);

    /// START TRANSACTION, stream row (lease), `body`, COMMIT. Deadlocks and lock time-outs: all of
    /// it again, so `body` must be repeatable from the start. On any other error rolled back.
    Status transaction(const std::function<Status(Session &)> &body, std::stop_token);

    [[nodiscard]] Session &session() { return *m_session; }
    [[nodiscard]] const StatementLimits &limits() const { return m_limits; }
    [[nodiscard]] const StateNames &names() const { return m_names; }
    [[nodiscard]] const Lease &lease() const { return m_lease; }
    void interrupt() noexcept { m_session->interrupt(); }

private:
    Status once(const std::function<Status(Session &)> &body, std::stop_token);

    std::unique_ptr<Session> m_session;
    StateNames m_names;
    Lease m_lease;
    QString m_stream;
    StatementLimits m_limits;
};

} // namespace causeway::mysql
