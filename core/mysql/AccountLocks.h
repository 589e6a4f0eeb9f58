#pragma once

#include "database/Database.h"
#include "database/Lease.h"
#include "mysql/PrivilegedAccounts.h"

namespace causeway::mysql {

/// Accounts locked for the time of a fence. Who was locked is kept on the server first, so that
/// whoever opens it, with or without the file, unlocks them again.
class AccountLocks {
public:
    AccountLocks(Address address, Lease lease, bool onTarget)
        : m_address(std::move(address)), m_lease(std::move(lease)), m_onTarget(onTarget)
    {
    }

    /// What is recorded on the server, by an earlier process too.
    Status load(Session &, std::stop_token);
    [[nodiscard]] const QStringList &locked() const { return m_locked; } ///< user@host
    /// Seen writing, not stopped by read_only, and not locked yet.
    Result<QStringList> passing(Session &, std::chrono::milliseconds look, std::stop_token);
    /// Those of `wanted` that this server has and that read_only does not stop. Returns those that
    /// it may not lock.
    Result<QStringList> lock(Session &, const QStringList &wanted, std::stop_token);
    /// Ends the sessions of the locked accounts, which a lock alone does not. Returns those that
    /// it may not end.
    Result<QStringList> endSessions(Session &, std::stop_token);
    /// `ledger`: of the lease; none for `unfence`.
    Status unlock(Session &, Ledger *ledger, std::stop_token);

private:
    [[nodiscard]] QString factName() const;
    /// The accounts, or none where this one may not see them: the check says so beforehand. Read
    /// once, before the hold, under which every query lengthens the pause.
    Result<const ServerAccounts *> accounts(Session &, std::stop_token);
    Address m_address;
    Lease m_lease;
    bool m_onTarget;
    std::optional<ServerAccounts> m_accounts;
    bool m_read = false;
    QStringList m_locked;
    QStringList m_refused; ///< may not be locked: known, and told once
};

} // namespace causeway::mysql
