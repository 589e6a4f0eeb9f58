#include "mysql/AccountLocks.h"

#include "base/Json.h"
#include "mysql/FencePlan.h"
#include "mysql/Parts.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace causeway::mysql {

QString AccountLocks::factName() const
{
    return QStringLiteral("fence.%1.accounts")
        .arg(toString(m_onTarget ? Side::Target : Side::Source));
}

Result<const ServerAccounts *> AccountLocks::accounts(Session &s, std::stop_token stop)
{
    if (!m_read) {
        auto accounts = ServerAccounts::read(s, std::move(stop));
        if (!accounts && accounts.error().code != ErrorCode::Server)
            return fail(accounts.error());
        if (accounts)
            m_accounts = std::move(*accounts);
        m_read = true;
    }
    return m_accounts ? &*m_accounts : nullptr;
}

Status AccountLocks::load(Session &s, std::stop_token stop)
{
    m_locked.clear();
    CW_TRY_ASSIGN(const auto record, readFact(s, m_lease.migration, factName(), std::move(stop)));
    if (!record)
        return {};
    const auto names = QJsonDocument::fromJson(record->toUtf8()).array();
    for (const QJsonValue &name : names)
        m_locked << name.toString();
    return {};
}

Result<QStringList> AccountLocks::passing(Session &s, std::chrono::milliseconds look,
                                          std::stop_token stop)
{
    CW_TRY_ASSIGN(const ServerAccounts *const known, accounts(s, stop));
    if (!known)
        return QStringList{};
    CW_TRY_ASSIGN(QStringList writers,
                  privilegedWriters(s, *known, m_address.user, look, std::move(stop)));
    writers.removeIf(
        [this](const QString &w) { return m_locked.contains(w) || m_refused.contains(w); });
    return writers;
}

Result<QStringList> AccountLocks::lock(Session &s, const QStringList &wanted, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ServerAccounts *const known, accounts(s, stop));
    QStringList add, refused;
    for (const QString &name : wanted) {
        const ServerAccount *account = known ? known->named(name) : nullptr;
        // One that was locked before us stays locked after us.
        if (!account || !account->privileged || account->locked || m_locked.contains(name) ||
            account->user == m_address.user)
            continue;
        if (known->canBeLocked())
            add << name;
        else
            refused << name;
    }
    if (!add.isEmpty()) {
        QJsonArray record = QJsonArray::fromStringList(m_locked + add);
        CW_TRY_ASSIGN(const auto ledger, makeLedger(m_address, m_lease.migration, stop));
        CW_TRY(ledger->setFact(m_lease, factName(), compactJson(record), stop));
    }
    for (const QString &name : std::as_const(add)) {
        const Status locked = s.exec(lockSql({name}).first(), stop);
        if (!locked && locked.error().code != ErrorCode::Server)
            return fail(locked.error());
        (locked ? m_locked : refused) << name;
    }
    m_refused += refused;
    return refused;
}

Result<QStringList> AccountLocks::endSessions(Session &s, std::stop_token stop)
{
    QStringList left;
    if (m_locked.isEmpty())
        return left;
    CW_TRY_ASSIGN(const ServerAccounts *const known, accounts(s, stop));
    CW_TRY_ASSIGN(const auto sessions, readClientSessions(s, m_address.user, stop));
    for (const ClientSession &c : sessions) {
        const ServerAccount *account = known ? known->signedInAs(c.user, c.host) : nullptr;
        if (!account || !m_locked.contains(account->name()))
            continue;
        if (!endConnection(s, c.id, stop))
            left << QStringLiteral("%1@%2 (connection %3)").arg(c.user, c.host).arg(c.id);
    }
    return left;
}

Status AccountLocks::unlock(Session &s, Ledger *ledger, std::stop_token stop)
{
    if (m_locked.isEmpty())
        return {};
    for (const QString &name : std::as_const(m_locked)) {
        Status done = s.exec(unlockSql({name}).first(), stop);
        constexpr unsigned kNoSuchAccount = 1396; // dropped meanwhile
        if (!done && done.error().number != kNoSuchAccount)
            return done;
    }
    m_locked.clear();
    return removeFact(s, ledger, m_lease, factName(), std::move(stop));
}

} // namespace causeway::mysql
