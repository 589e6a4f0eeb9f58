#include "base/Json.h"
#include "base/Log.h"
#include "mysql/LedgerParts.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

/// Who may write for a migration (ALGORITHMS 1): the lease and the sessions of its holder.
namespace causeway::mysql {

namespace {

/// One connection of the holder, as the process list shows it. The client's host and port are
/// compared as well as the id: ids are used again after a restart of the server.
struct SessionMark {
    quint64 id = 0;
    QString user, host;
};

QString encodeSessions(const std::vector<SessionMark> &marks)
{
    QJsonArray array;
    for (const SessionMark &m : marks) {
        QJsonObject o;
        o.insert(QStringLiteral("id"), QString::number(m.id));
        o.insert(QStringLiteral("user"), m.user);
        o.insert(QStringLiteral("host"), m.host);
        array.append(o);
    }
    return compactJson(array);
}

std::vector<SessionMark> decodeSessions(const QString &json)
{
    std::vector<SessionMark> out;
    const QJsonArray array = QJsonDocument::fromJson(json.toUtf8()).array();
    for (const QJsonValue &v : array) {
        const QJsonObject o = v.toObject();
        out.push_back({o.value(QStringLiteral("id")).toString().toULongLong(),
                       o.value(QStringLiteral("user")).toString(),
                       o.value(QStringLiteral("host")).toString()});
    }
    return out;
}

/// Everybody's sessions with PROCESS, else only those of our own account: enough, since the old
/// holder used it too. SHOW is understood everywhere, information_schema.processlist is on its way
/// out of MySQL.
Result<std::vector<SessionMark>> readSessions(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r, s.query(QStringLiteral("SHOW PROCESSLIST"), stop));
    std::vector<SessionMark> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out.push_back({r.text(i, "Id").toULongLong(), r.text(i, "User"), r.text(i, "Host")});
    return out;
}

const SessionMark *findSession(const std::vector<SessionMark> &live, const SessionMark &wanted)
{
    for (const SessionMark &m : live) {
        if (m.id == wanted.id && m.user == wanted.user && m.host == wanted.host)
            return &m;
    }
    return nullptr;
}

/// Sealed by this very migration: super_read_only refuses even the account that set it, and after a
/// crash the next process must be able to take the lease. Lifts it (read_only stays) for the
/// lifetime of the object, in memory alone.
class SealLifted {
public:
    static Result<std::unique_ptr<SealLifted>> lift(Session &s, const StateNames &names,
                                                    const QString &migration, std::stop_token stop)
    {
        CW_TRY_ASSIGN(
            const ResultSet ours,
            s.query(QStringLiteral("SELECT @@GLOBAL.super_read_only FROM %1 WHERE "
                                   "migration=%2 AND name LIKE 'fence.%.read_only'")
                        .arg(quoteName(names.table(QStringLiteral("fact"))), quoteText(migration)),
                    stop));
        if (ours.rows.empty() || ours.text(0, std::size_t(0)) != QLatin1String("1"))
            return std::unique_ptr<SealLifted>();
        CW_TRY(s.exec(QStringLiteral("SET GLOBAL super_read_only=OFF"), stop));
        return std::unique_ptr<SealLifted>(new SealLifted(s));
    }
    ~SealLifted()
    {
        if (const Status back = m_session.exec(QStringLiteral("SET GLOBAL super_read_only=ON"));
            !back)
            logWarning(back.error().describe());
    }
    SealLifted(const SealLifted &) = delete;
    SealLifted &operator=(const SealLifted &) = delete;

private:
    explicit SealLifted(Session &s) : m_session(s) {}
    Session &m_session;
};

} // namespace

Error leaseLost(const QString &migration)
{
    Error e;
    e.code = ErrorCode::LeaseLost;
    e.id = QStringLiteral("lease-lost");
    e.object = migration;
    e.message = cwText("core",
                       "Another Causeway has taken over migration %1: this one writes "
                       "nothing more.",
                       migration);
    return e;
}

Result<QString> lockEpoch(Session &s, const StateNames &names, const Lease &lease,
                          std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT epoch, sessions FROM %1 WHERE migration=%2 "
                                         "FOR UPDATE")
                              .arg(quoteName(names.table(QStringLiteral("migration"))),
                                   quoteText(lease.migration)),
                          stop));
    if (r.rows.empty() || r.text(0, std::size_t(0)).toULongLong() != lease.epoch)
        return fail(leaseLost(lease.migration));
    return r.text(0, 1);
}

Status MySqlLedger::endOldSessions(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT sessions FROM %1 WHERE migration=%2")
                              .arg(table("migration"), me()),
                          stop));
    if (r.rows.empty())
        return {};
    const std::vector<SessionMark> old = decodeSessions(r.text(0, std::size_t(0)));
    if (old.empty())
        return {};
    CW_TRY_ASSIGN(const std::vector<SessionMark> live, readSessions(s, stop));
    for (const SessionMark &m : old) {
        if (m.id == s.connectionId() || !findSession(live, m))
            continue;
        Status killed = s.exec(QStringLiteral("KILL CONNECTION %1").arg(m.id), stop);
        // 1094: gone meanwhile. 1095 and the like: another account's, not ours to end; its row
        // locks are waited for, and its writes fail by their epoch.
        if (!killed) {
            if (killed.error().code != ErrorCode::Server)
                return killed;
            logDebug(killed.error().describe());
        }
    }
    return {};
}

Result<Lease> MySqlLedger::takeLease(const QString &holder, std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(const std::vector<SessionMark> live, readSessions(*s, stop));
    std::vector<SessionMark> mine;
    for (const SessionMark &m : live) {
        if (m.id == s->connectionId())
            mine.push_back(m);
    }
    Lease lease{m_migration, 0};
    constexpr int kAttempts = 3;
    std::unique_ptr<SealLifted> lifted;
    for (int attempt = 1;; ++attempt) {
        CW_TRY(endOldSessions(*s, stop));
        CW_TRY(s->exec(QStringLiteral("SET SESSION innodb_lock_wait_timeout=10"), stop));
        // All stream rows get the new epoch in the transaction that raises it. A data transaction
        // of the old holder has its stream row locked: either it ends before us, or it waits for
        // us and then finds no row of its epoch.
        const Status taken = inTransaction(*s, stop, [&]() -> Status {
            CW_TRY_ASSIGN(const ResultSet r,
                          s->query(QStringLiteral("SELECT epoch FROM %1 WHERE migration=%2 "
                                                  "FOR UPDATE")
                                       .arg(table("migration"), me()),
                                   stop));
            lease.epoch = r.rows.empty() ? 1 : r.text(0, std::size_t(0)).toULongLong() + 1;
            CW_TRY(s->exec(
                QStringLiteral("INSERT INTO %1 (migration, epoch, holder, sessions, created_at) "
                               "VALUES (%2, %3, %4, %5, UTC_TIMESTAMP()) ON DUPLICATE KEY UPDATE "
                               "epoch=%3, holder=%4, sessions=%5")
                    .arg(table("migration"), me(), QString::number(lease.epoch),
                         quoteText(holder.left(255)), quoteText(encodeSessions(mine))),
                stop));
            return s->exec(QStringLiteral("UPDATE %1 SET epoch=%2 WHERE migration=%3")
                               .arg(table("stream"), QString::number(lease.epoch), me()),
                           stop);
        });
        if (taken)
            return lease;
        const int number = taken.error().number;
        if (number == 1290 && !lifted && !s->isMariaDb()) {
            CW_TRY_ASSIGN(lifted, SealLifted::lift(*s, m_names, m_migration, stop));
            if (lifted)
                continue;
        }
        if ((number != 1205 && number != 1213) || s->isDead())
            return fail(taken.error());
        if (attempt == kAttempts) {
            Error e = taken.error();
            e.id = QStringLiteral("lease-busy");
            e.object = m_migration;
            e.message = cwText("core",
                               "The Causeway that worked on migration %1 before still has a "
                               "transaction open on %2.",
                               m_migration, m_address.display());
            e.fix = cwText("core", "Stop it, or end its sessions with KILL, and try again.");
            return fail(e);
        }
    }
}

Status MySqlLedger::checkLease(const Lease &lease, std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SELECT epoch FROM %1 WHERE migration=%2")
                               .arg(table("migration"), quoteText(lease.migration)),
                           stop));
    if (r.rows.empty() || r.text(0, std::size_t(0)).toULongLong() != lease.epoch)
        return fail(leaseLost(lease.migration));
    return {};
}

Status MySqlLedger::writeUnderLease(const Lease &lease, const QString &sql, std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    return inTransaction(*s, stop, [&]() -> Status {
        CW_TRY(lockEpoch(*s, m_names, lease, stop));
        return s->exec(sql, stop);
    });
}

Status MySqlLedger::openStreams(const Lease &lease, const QStringList &names, std::stop_token stop)
{
    if (names.isEmpty())
        return {};
    QStringList rows;
    for (const QString &name : names)
        rows << QStringLiteral("(%1, %2, %3, 0)")
                    .arg(quoteText(lease.migration), quoteText(name), QString::number(lease.epoch));
    return writeUnderLease(
        lease,
        QStringLiteral("INSERT INTO %1 (migration, stream, epoch, seq) VALUES "
                       "%2 ON DUPLICATE KEY UPDATE epoch=%3")
            .arg(table("stream"), rows.join(QStringLiteral(", ")), QString::number(lease.epoch)),
        stop);
}

Status registerSession(Session &s, const StateNames &names, const Lease &lease,
                       std::stop_token stop)
{
    CW_TRY_ASSIGN(const std::vector<SessionMark> live, readSessions(s, stop));
    return inTransaction(s, stop, [&]() -> Status {
        CW_TRY_ASSIGN(const QString sessions, lockEpoch(s, names, lease, stop));
        std::vector<SessionMark> marks;
        for (const SessionMark &m : decodeSessions(sessions)) {
            if (findSession(live, m) && m.id != s.connectionId())
                marks.push_back(m); // those that ended leave the list, which stays short
        }
        for (const SessionMark &m : live) {
            if (m.id == s.connectionId())
                marks.push_back(m);
        }
        return s.exec(QStringLiteral("UPDATE %1 SET sessions=%2 WHERE migration=%3")
                          .arg(quoteName(names.table(QStringLiteral("migration"))),
                               quoteText(encodeSessions(marks)), quoteText(lease.migration)),
                      stop);
    });
}

Result<std::vector<MigrationOnServer>> readMigrations(Session &s, std::stop_token stop)
{
    std::vector<MigrationOnServer> out;
    CW_TRY_ASSIGN(const StateNames names, findStateNames(s, stop));
    CW_TRY_ASSIGN(const bool there, tableExists(s, names.table(QStringLiteral("migration")), stop));
    if (!there)
        return out;
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT migration, epoch, holder FROM %1")
                              .arg(quoteName(names.table(QStringLiteral("migration")))),
                          stop));
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out.push_back({{r.text(i, std::size_t(0)), r.text(i, 1).toULongLong()}, r.text(i, 2)});
    return out;
}

Result<std::vector<quint64>> readHolderSessions(Session &s, std::stop_token stop)
{
    std::vector<quint64> out;
    CW_TRY_ASSIGN(const StateNames names, findStateNames(s, stop));
    const TableName table = names.table(QStringLiteral("migration"));
    CW_TRY_ASSIGN(const bool there, tableExists(s, table, stop));
    if (!there)
        return out;
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT sessions FROM ") + quoteName(table), stop));
    CW_TRY_ASSIGN(const std::vector<SessionMark> live, readSessions(s, stop));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        for (const SessionMark &m : decodeSessions(r.text(i, std::size_t(0)))) {
            if (findSession(live, m))
                out.push_back(m.id);
        }
    }
    return out;
}

Status touchStream(Session &s, const StateNames &names, const Lease &lease, const QString &stream,
                   std::stop_token stop)
{
    CW_TRY(s.exec(QStringLiteral("UPDATE %1 SET seq=seq+1 WHERE migration=%2 AND stream=%3 AND "
                                 "epoch=%4")
                      .arg(quoteName(names.table(QStringLiteral("stream"))),
                           quoteText(lease.migration), quoteText(stream),
                           QString::number(lease.epoch)),
                  stop));
    if (s.affectedRows() != 1)
        return fail(leaseLost(lease.migration));
    return {};
}

} // namespace causeway::mysql
