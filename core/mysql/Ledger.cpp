#include "base/Json.h"
#include "base/Log.h"
#include "base/Stop.h"
#include "mysql/ApplierFacts.h"
#include "mysql/Parts.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace causeway::mysql {

namespace {

const char *const kTables[] = {"migration", "stream", "chunk", "fact", "restoration"};

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

/// The server refuses to let this account make a database, or has no such statement (Vitess).
bool mayNotCreateSchema(const Error &e)
{
    switch (e.number) {
    case 1044: // access denied to database
    case 1142: // command denied
    case 1227: // access denied, needs a privilege
    case 1105: // Vitess: anything it does not do
    case 1235: // not supported
    case 3973: // some hosted servers: database creation is disabled
        return true;
    default:
        return false;
    }
}

Result<bool> tableExists(Session &s, const TableName &name, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT 1 FROM information_schema.tables WHERE "
                                         "table_schema=%1 AND table_name=%2")
                              .arg(quoteText(name.schema), quoteText(name.name)),
                          stop));
    return !r.rows.empty();
}

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

Result<Session *> MySqlLedger::session(std::stop_token stop)
{
    if (!m_session || m_session->isDead()) {
        CW_TRY_ASSIGN(m_session, Session::open(m_address, Use::Control, stop));
        CW_TRY_ASSIGN(m_names, findStateNames(*m_session, stop));
    }
    return m_session.get();
}

QStringList MySqlLedger::tableSql() const
{
    const QString tail =
        QStringLiteral(") ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    const QString head = QStringLiteral("CREATE TABLE IF NOT EXISTS %1 (");
    return {
        head.arg(table("migration")) +
            QStringLiteral("migration CHAR(8) NOT NULL PRIMARY KEY, "
                           "epoch BIGINT UNSIGNED NOT NULL, holder VARCHAR(255) NOT NULL, "
                           "sessions MEDIUMTEXT NOT NULL, created_at DATETIME NOT NULL") +
            tail,
        head.arg(table("stream")) +
            QStringLiteral("migration CHAR(8) NOT NULL, stream VARCHAR(32) NOT NULL, "
                           "epoch BIGINT UNSIGNED NOT NULL, seq BIGINT UNSIGNED NOT NULL, "
                           "position LONGTEXT NULL, PRIMARY KEY (migration, stream)") +
            tail,
        head.arg(table("chunk")) +
            QStringLiteral("migration CHAR(8) NOT NULL, table_schema VARCHAR(64) NOT NULL, "
                           "table_name VARCHAR(64) NOT NULL, number INT NOT NULL, "
                           "after_key LONGBLOB NULL, upto_key LONGBLOB NULL, "
                           "row_count BIGINT NOT NULL, "
                           "PRIMARY KEY (migration, table_schema, table_name, number)") +
            tail,
        head.arg(table("fact")) +
            QStringLiteral("migration CHAR(8) NOT NULL, name VARCHAR(190) NOT NULL, "
                           "value LONGTEXT NOT NULL, PRIMARY KEY (migration, name)") +
            tail,
        head.arg(table("restoration")) +
            QStringLiteral("migration CHAR(8) NOT NULL, id VARCHAR(190) NOT NULL, "
                           "kind VARCHAR(32) NOT NULL, put_back LONGTEXT NOT NULL, "
                           "payload LONGTEXT NOT NULL, PRIMARY KEY (migration, id)") +
            tail,
    };
}

QStringList MySqlLedger::createSql() const
{
    QStringList sql;
    if (m_names.ownSchema) {
        sql << QStringLiteral("CREATE DATABASE IF NOT EXISTS %1 CHARACTER SET utf8mb4 COLLATE "
                              "utf8mb4_bin")
                   .arg(quoteId(m_names.schema));
    }
    return sql + tableSql();
}

Status MySqlLedger::createIn(Session &s, std::stop_token stop)
{
    const QStringList sql = tableSql();
    for (qsizetype i = 0; i < sql.size(); ++i) {
        // CREATE ... IF NOT EXISTS asks for the right to create and logs an event even where the
        // table is there; a DBA may have made the tables and withheld that right.
        CW_TRY_ASSIGN(const bool there,
                      tableExists(s, m_names.table(QString::fromLatin1(kTables[i])), stop));
        if (!there)
            CW_TRY(s.exec(sql[i], stop));
    }
    // The row is what keeps another migration's remove() from dropping the tables.
    return s.exec(QStringLiteral("INSERT INTO %1 (migration, epoch, holder, sessions, created_at) "
                                 "VALUES (%2, 0, '', '[]', UTC_TIMESTAMP()) "
                                 "ON DUPLICATE KEY UPDATE migration=migration")
                      .arg(table("migration"), me()),
                  stop);
}

/// Held while tables are created or dropped, so that the last migration out and the first one in
/// do not meet half way. A server without user locks (some proxies) goes without.
class StateLock {
public:
    explicit StateLock(Session &s, std::stop_token stop) : m_session(s)
    {
        const auto r =
            s.query(QStringLiteral("SELECT GET_LOCK('causeway.state', 10)"), std::move(stop));
        m_held = r && !r->rows.empty() && r->text(0, std::size_t(0)) == QLatin1String("1");
        if (!r)
            logDebug(r.error().describe());
    }
    ~StateLock()
    {
        if (!m_held || m_session.isDead())
            return;
        if (const auto r = m_session.query(QStringLiteral("SELECT RELEASE_LOCK('causeway.state')"));
            !r)
            logDebug(r.error().describe());
    }
    StateLock(const StateLock &) = delete;
    StateLock &operator=(const StateLock &) = delete;

private:
    Session &m_session;
    bool m_held = false;
};

Status MySqlLedger::create(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    const StateLock lock(*s, stop);
    CW_TRY_ASSIGN(m_names, findStateNames(*s, stop));
    if (m_names.ownSchema) {
        Status made;
        CW_TRY_ASSIGN(const ResultSet there,
                      s->query(QStringLiteral("SELECT 1 FROM information_schema.schemata WHERE "
                                              "schema_name=%1")
                                   .arg(quoteText(m_names.schema)),
                               stop));
        if (there.rows.empty())
            made = s->exec(createSql().constFirst(), stop);
        if (made)
            made = createIn(*s, stop);
        if (made || !mayNotCreateSchema(made.error()))
            return made;
        if (m_address.database.isEmpty()) {
            Error e = made.error();
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("mysql-state-schema");
            e.object = m_names.schema;
            e.message = cwText("core",
                               "The account %1 may not create the database `%2` on %3, in which "
                               "Causeway keeps its state.",
                               m_address.user, m_names.schema, m_address.display());
            e.fix = cwText("core",
                           "Name a database in the URL of this server, so that the state goes into "
                           "tables `_causeway_*` there, or let an administrator run: GRANT ALL ON "
                           "`\\_causeway`.* TO the migration account.");
            return fail(e);
        }
        m_names = StateNames{false, m_address.database};
    }
    return createIn(*s, stop);
}

Result<bool> MySqlLedger::exists(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(m_names, findStateNames(*s, stop));
    CW_TRY_ASSIGN(const bool there,
                  tableExists(*s, m_names.table(QStringLiteral("migration")), stop));
    if (!there)
        return false;
    CW_TRY_ASSIGN(
        const ResultSet r,
        s->query(
            QStringLiteral("SELECT 1 FROM %1 WHERE migration=%2").arg(table("migration"), me()),
            stop));
    return !r.rows.empty();
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

Result<Position> MySqlLedger::appliedPosition(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SELECT position FROM %1 WHERE migration=%2 AND "
                                          "stream='apply'")
                               .arg(table("stream"), me()),
                           stop));
    return Position{r.rows.empty() ? QString() : r.text(0, std::size_t(0))};
}

Status MySqlLedger::setAppliedPosition(const Lease &lease, const Position &position,
                                       std::stop_token stop)
{
    CW_TRY(clearFact(lease, applierFact::exact, stop));
    return writeUnderLease(
        lease,
        QStringLiteral("INSERT INTO %1 (migration, stream, epoch, seq, position) VALUES "
                       "(%2, 'apply', %3, 1, %4) ON DUPLICATE KEY UPDATE seq=seq+1, position=%4")
            .arg(table("stream"), quoteText(lease.migration), QString::number(lease.epoch),
                 quoteText(position.text)),
        stop);
}

Result<std::optional<QString>> MySqlLedger::fact(const QString &name, std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SELECT value FROM %1 WHERE migration=%2 AND name=%3")
                               .arg(table("fact"), me(), quoteText(name)),
                           stop));
    if (r.rows.empty())
        return std::optional<QString>();
    return std::optional<QString>(r.text(0, std::size_t(0)));
}

Status MySqlLedger::setFact(const Lease &lease, const QString &name, const QString &value,
                            std::stop_token stop)
{
    return writeUnderLease(
        lease,
        QStringLiteral("INSERT INTO %1 (migration, name, value) VALUES "
                       "(%2, %3, %4) ON DUPLICATE KEY UPDATE value=%4")
            .arg(table("fact"), quoteText(lease.migration), quoteText(name), quoteText(value)),
        stop);
}

Status MySqlLedger::clearFact(const Lease &lease, const QString &name, std::stop_token stop)
{
    return writeUnderLease(lease, clearFactSql(m_names, lease.migration, name), stop);
}

Result<std::vector<ChunkRecord>> MySqlLedger::chunks(const TableName &leaderTable,
                                                     std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(
        const ResultSet r,
        s->query(QStringLiteral("SELECT number, after_key, upto_key, row_count FROM %1 WHERE "
                                "migration=%2 AND table_schema=%3 AND table_name=%4 "
                                "ORDER BY number")
                     .arg(table("chunk"), me(), quoteText(leaderTable.schema),
                          quoteText(leaderTable.name)),
                 stop));
    std::vector<ChunkRecord> out;
    for (const Row &row : r.rows) {
        ChunkRecord c;
        c.table = leaderTable;
        c.mark.number = std::stoi(row[0].value());
        if (row[1]) {
            CW_TRY_ASSIGN(c.mark.range.after, unpackRow(*row[1]));
        }
        if (row[2]) {
            CW_TRY_ASSIGN(c.mark.range.upTo, unpackRow(*row[2]));
        }
        c.rows = std::stoll(row[3].value());
        out.push_back(std::move(c));
    }
    return out;
}

Result<std::vector<TableName>> MySqlLedger::tablesWithChunks(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SELECT DISTINCT table_schema, table_name FROM %1 WHERE "
                                          "migration=%2")
                               .arg(table("chunk"), me()),
                           stop));
    std::vector<TableName> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out.push_back({r.text(i, std::size_t(0)), r.text(i, 1)});
    return out;
}

Status MySqlLedger::forgetChunks(const Lease &lease, const TableName &leaderTable,
                                 std::stop_token stop)
{
    return writeUnderLease(
        lease,
        QStringLiteral("DELETE FROM %1 WHERE migration=%2 AND table_schema=%3 AND table_name=%4")
            .arg(table("chunk"), quoteText(lease.migration), quoteText(leaderTable.schema),
                 quoteText(leaderTable.name)),
        stop);
}

Status MySqlLedger::remember(const Lease &lease, const Restoration &r, std::stop_token stop)
{
    // The first record wins: after a crash between recording and changing, a second attempt would
    // otherwise record what we had set ourselves.
    return writeUnderLease(
        lease,
        QStringLiteral("INSERT INTO %1 (migration, id, kind, put_back, payload) VALUES "
                       "(%2, %3, %4, %5, %6) ON DUPLICATE KEY UPDATE migration=migration")
            .arg(table("restoration"), quoteText(lease.migration), quoteText(r.id),
                 quoteText(r.kind), quoteText(r.putBack), quoteText(r.payload)),
        stop);
}

Result<std::vector<Restoration>> MySqlLedger::restorations(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    CW_TRY_ASSIGN(const ResultSet r,
                  s->query(QStringLiteral("SELECT id, kind, put_back, payload FROM %1 WHERE "
                                          "migration=%2 ORDER BY id")
                               .arg(table("restoration"), me()),
                           stop));
    std::vector<Restoration> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out.push_back({r.text(i, std::size_t(0)), r.text(i, 1), r.text(i, 2), r.text(i, 3)});
    return out;
}

Status MySqlLedger::forget(const Lease &lease, const QString &restorationId, std::stop_token stop)
{
    return writeUnderLease(
        lease,
        QStringLiteral("DELETE FROM %1 WHERE migration=%2 AND id=%3")
            .arg(table("restoration"), quoteText(lease.migration), quoteText(restorationId)),
        stop);
}

Status MySqlLedger::dropAll(Session &s, std::stop_token stop)
{
    QStringList names;
    for (const char *base : kTables)
        names << table(base);
    CW_TRY(
        s.exec(QStringLiteral("DROP TABLE IF EXISTS ") + names.join(QStringLiteral(", ")), stop));
    if (!m_names.ownSchema)
        return {};
    // Somebody else's objects in it, or a schema that a DBA made and we may not drop: it stays.
    CW_TRY_ASSIGN(const ResultSet rest,
                  s.query(QStringLiteral("SELECT 1 FROM information_schema.tables WHERE "
                                         "table_schema=%1 LIMIT 1")
                              .arg(quoteText(m_names.schema)),
                          stop));
    if (!rest.rows.empty())
        return {};
    Status dropped =
        s.exec(QStringLiteral("DROP DATABASE IF EXISTS ") + quoteId(m_names.schema), stop);
    if (!dropped && !mayNotCreateSchema(dropped.error()))
        return dropped;
    return {};
}

Status MySqlLedger::remove(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    const StateLock lock(*s, stop);
    CW_TRY_ASSIGN(m_names, findStateNames(*s, stop));
    CW_TRY_ASSIGN(const bool there,
                  tableExists(*s, m_names.table(QStringLiteral("migration")), stop));
    // A crash in the middle of an earlier drop may have left some: then nobody's row is left.
    if (!there)
        return dropAll(*s, stop);
    // The migration row goes first: it is what the lease hangs on, so that an old holder is refused
    // instead of writing into what is being removed.
    const Status emptied = inTransaction(*s, stop, [&]() -> Status {
        for (const char *base : kTables)
            CW_TRY(s->exec(
                QStringLiteral("DELETE FROM %1 WHERE migration=%2").arg(table(base), me()), stop));
        return {};
    });
    CW_TRY(emptied);
    CW_TRY(s->exec(QLatin1String("DROP TABLE IF EXISTS ") +
                       quoteName(m_names.table(scratchBase(m_migration))),
                   stop));
    CW_TRY_ASSIGN(
        const ResultSet others,
        s->query(QStringLiteral("SELECT 1 FROM %1 LIMIT 1").arg(table("migration")), stop));
    if (!others.rows.empty())
        return {};
    return dropAll(*s, stop);
}

} // namespace

Result<StateNames> findStateNames(Session &s, std::stop_token stop)
{
    const StateNames own;
    CW_TRY_ASSIGN(const bool inOwn, tableExists(s, own.table(QStringLiteral("migration")), stop));
    if (inOwn || s.address().database.isEmpty())
        return own;
    const StateNames beside{false, s.address().database};
    CW_TRY_ASSIGN(const bool inDatabase,
                  tableExists(s, beside.table(QStringLiteral("migration")), stop));
    return inDatabase ? beside : own;
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

Result<std::unique_ptr<Ledger>> makeLedger(const Address &address, const QString &migration,
                                           std::stop_token stop)
{
    CW_TRY_ASSIGN(auto session, Session::open(address, Use::Control, stop));
    CW_TRY_ASSIGN(StateNames names, findStateNames(*session, stop));
    return std::unique_ptr<Ledger>(
        new MySqlLedger(address, migration, std::move(session), std::move(names)));
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

std::string packRow(const Row &row)
{
    std::string out;
    for (const Value &v : row) {
        out.push_back(v ? '\1' : '\0');
        const auto size = static_cast<std::uint32_t>(v ? v->size() : 0);
        for (int shift = 0; shift < 32; shift += 8)
            out.push_back(static_cast<char>((size >> shift) & 0xff));
        if (v)
            out += *v;
    }
    return out;
}

Result<Row> unpackRow(std::string_view bytes)
{
    Row row;
    while (!bytes.empty()) {
        std::uint32_t size = 0;
        const bool whole = bytes.size() >= 5;
        for (std::size_t i = 0; whole && i < 4; ++i)
            size |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + 1])) << (8 * i);
        if (!whole || bytes.size() - 5 < size || (bytes[0] != '\0' && bytes[0] != '\1')) {
            return fail(ErrorCode::Internal,
                        cwText("core", "A recorded key is damaged: the state on the server was "
                                       "changed by somebody else."),
                        QStringLiteral("state-damaged"));
        }
        if (bytes[0] == '\1')
            row.emplace_back(std::string(bytes.substr(5, size)));
        else
            row.emplace_back();
        bytes.remove_prefix(5 + size);
    }
    return row;
}

} // namespace causeway::mysql
