#pragma once

#include "postgres/PostgresSession.h"
#include "postgres/native/Names.h"

#include <QStringList>

#include <memory>
#include <optional>
#include <stop_token>

namespace causeway::postgres {

/// One server of a native migration: the session that conducts it, and Causeway's state there.
///
/// What decides correctness is in the schema `_causeway` of each server: who holds the lease, who
/// leads, what is half done. All that changes a server goes through act(), which proves the lease
/// in the same transaction: after another Causeway took over, nothing of ours can commit any more.
/// Engine thread only.
class Server {
public:
    Server(Side side, Address address, Names names);

    [[nodiscard]] Side side() const { return m_side; }
    [[nodiscard]] const Address &address() const { return m_address; }
    [[nodiscard]] const Names &names() const { return m_names; }
    [[nodiscard]] QString display() const { return m_address.display(); }
    Result<int> version(std::stop_token); ///< 150020

    /// The conducting session, opened (again) on demand.
    Result<Session *> session(std::stop_token);
    /// Another one: for what blocks, and for a transaction that lasts.
    Result<std::unique_ptr<Session>> another(std::stop_token);
    Result<ResultSet> query(const QString &sql, std::stop_token);
    /// After an error: the next call opens anew, and proves the lease anew.
    void dropSession();

    // The state. (ServerState.cpp)
    Result<bool> hasState(std::stop_token);
    [[nodiscard]] QStringList createStateSql() const;
    /// Creates schema and tables where missing; takes the lease.
    Status createState(std::stop_token);
    /// Takes the lease, if this process does not hold it: ends the sessions of the old holder by
    /// their recorded ids, then raises the epoch.
    Status takeLease(std::stop_token);
    /// A session that a successor must end before it takes over. Proves the lease.
    Status enlist(Session &, std::stop_token);
    /// Statements in one transaction that first proves the lease; Error{LeaseLost} where another
    /// Causeway has taken over. Durable when it returns.
    Status act(const QStringList &statements, std::stop_token);
    /// The same proof inside a transaction of another session; nothing else of ours can act until
    /// that ends.
    Status proveIn(Session &, std::stop_token);
    /// Before a statement that cannot stand in a transaction.
    Status proveLease(std::stop_token);

    Result<std::optional<QString>> fact(const QString &name, std::stop_token);
    Status setFact(const QString &name, const QString &value, std::stop_token);
    Status clearFact(const QString &name, std::stop_token);
    [[nodiscard]] QString setFactSql(const QString &name, const QString &value) const;
    [[nodiscard]] QString clearFactSql(const QString &name) const;
    /// Removes this migration's state; the last one out drops the schema.
    Status removeState(std::stop_token);

private:
    Status enlistConducting(Session &, std::stop_token);
    Side m_side;
    Address m_address;
    Names m_names;
    std::unique_ptr<Session> m_session;
    std::optional<qint64> m_epoch;
    bool m_recorded = false; ///< this session's id is in `_causeway.session`
};

} // namespace causeway::postgres
