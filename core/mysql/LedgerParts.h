#pragma once

#include "base/Log.h"
#include "database/Database.h"
#include "mysql/Parts.h"
#include "mysql/Session.h"

#include <memory>

namespace causeway::mysql {

Error leaseLost(const QString &migration);

Result<bool> tableExists(Session &, const TableName &, std::stop_token);

/// Runs `work` between START TRANSACTION and COMMIT; rolls back where it fails.
template <class F> Status inTransaction(Session &s, std::stop_token stop, F work)
{
    CW_TRY(s.exec(QStringLiteral("START TRANSACTION"), stop));
    if (Status done = work(); !done) {
        if (!s.isDead()) {
            if (const Status undone = s.exec(QStringLiteral("ROLLBACK")); !undone)
                logDebug(undone.error().describe());
        }
        return done;
    }
    return s.exec(QStringLiteral("COMMIT"), stop);
}

/// Locks the migration's row until the transaction ends, so that a takeover waits for us or we for
/// it: what follows is written under this epoch or not at all. It must be the first statement: a
/// read view opened earlier would make MariaDB's snapshot isolation (11.6.2 on) refuse the read.
Result<QString> lockEpoch(Session &, const StateNames &, const Lease &, std::stop_token);

/// Split by what it is about: Ledger.cpp has what is recorded, LedgerTables.cpp the tables that it
/// is recorded in, LedgerLease.cpp who may record.
class MySqlLedger final : public Ledger {
public:
    MySqlLedger(Address address, QString migration, std::unique_ptr<Session> session,
                StateNames names)
        : m_address(std::move(address)), m_migration(std::move(migration)),
          m_session(std::move(session)), m_names(std::move(names))
    {
    }

    Status create(std::stop_token) override;
    QStringList createSql() const override;
    Result<bool> exists(std::stop_token) override;
    Result<Lease> takeLease(const QString &holder, std::stop_token) override;
    Status checkLease(const Lease &, std::stop_token) override;
    Status openStreams(const Lease &, const QStringList &names, std::stop_token) override;
    Result<Position> appliedPosition(std::stop_token) override;
    Status setAppliedPosition(const Lease &, const Position &, std::stop_token) override;
    Result<std::optional<QString>> fact(const QString &name, std::stop_token) override;
    Status setFact(const Lease &, const QString &name, const QString &value,
                   std::stop_token) override;
    Status clearFact(const Lease &, const QString &name, std::stop_token) override;
    Result<std::vector<ChunkRecord>> chunks(const TableName &, std::stop_token) override;
    Result<std::vector<TableName>> tablesWithChunks(std::stop_token) override;
    Status forgetChunks(const Lease &, const TableName &, std::stop_token) override;
    Status remember(const Lease &, const Restoration &, std::stop_token) override;
    Result<std::vector<Restoration>> restorations(std::stop_token) override;
    Status forget(const Lease &, const QString &restorationId, std::stop_token) override;
    Status remove(std::stop_token) override;

private:
    /// The session, opened again where it was lost; transactions never span two calls.
    Result<Session *> session(std::stop_token);
    QString table(const char *base) const
    {
        return quoteName(m_names.table(QString::fromLatin1(base)));
    }
    QString me() const { return quoteText(m_migration); }
    QStringList tableSql() const;
    Status createIn(Session &, std::stop_token);
    Status endOldSessions(Session &, std::stop_token);
    /// One statement under the epoch, in a transaction of its own.
    Status writeUnderLease(const Lease &, const QString &sql, std::stop_token);
    Status dropAll(Session &, std::stop_token);

    Address m_address;
    QString m_migration;
    std::unique_ptr<Session> m_session;
    StateNames m_names;
};

} // namespace causeway::mysql
