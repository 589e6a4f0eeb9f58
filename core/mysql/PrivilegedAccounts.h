#pragma once

#include "mysql/Session.h"

#include <QStringList>

#include <chrono>
#include <stop_token>
#include <vector>

/// Accounts that go on writing under read_only: SUPER, CONNECTION_ADMIN, READ ONLY ADMIN (on
/// MariaDB, GRANT ALL holds it). A fence that closes the whole server does not stop them, so those
/// that applications write with are locked for its time (ALGORITHMS 4.1).
namespace causeway::mysql {

struct ServerAccount {
    QString user, host; ///< as in mysql.user; the host may be a pattern
    bool privileged = false;
    bool locked = false;
    bool system = false; ///< MySQL: holds SYSTEM_USER, so that only such a holder may alter it
    [[nodiscard]] QString name() const { return user + QLatin1Char('@') + host; }
    [[nodiscard]] QString quoted() const
    {
        return quoteText(user) + QLatin1Char('@') + quoteText(host);
    }
};

class ServerAccounts {
public:
    /// Needs SELECT on mysql.user and what stands beside it.
    static Result<ServerAccounts> read(Session &, std::stop_token);

    [[nodiscard]] const std::vector<ServerAccount> &all() const { return m_all; }
    /// The account that a client of this name from this host is signed in with: the server takes
    /// the most specific host. `host` as the process list shows it, with or without a port.
    [[nodiscard]] const ServerAccount *signedInAs(const QString &user, const QString &host) const;
    [[nodiscard]] const ServerAccount *named(const QString &name) const; ///< user@host
    /// There is ACCOUNT LOCK on this server.
    [[nodiscard]] bool canBeLocked() const { return m_canBeLocked; }

private:
    std::vector<ServerAccount> m_all;
    bool m_canBeLocked = true;
};

struct ClientSession {
    quint64 id = 0;
    QString user, host;
    bool writes = false; ///< changes rows, or waits to, at this moment
};
/// Sessions of clients other than those of `ourUser`. To see others takes PROCESS.
Result<std::vector<ClientSession>> readClientSessions(Session &, const QString &ourUser,
                                                      std::stop_token);

/// Privileged accounts seen writing while one looks for so long (zero: once), user@host. Accounts
/// of the name `ourUser` never.
Result<QStringList> privilegedWriters(Session &, const ServerAccounts &, const QString &ourUser,
                                      std::chrono::milliseconds look, std::stop_token);

QStringList lockSql(const QStringList &accounts);
QStringList unlockSql(const QStringList &accounts);

} // namespace causeway::mysql
