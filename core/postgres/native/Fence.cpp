#include "postgres/native/Fence.h"

#include "base/Stop.h"
#include "postgres/native/Publication.h"

#include <QDateTime>
#include <QRandomGenerator>

#include <future>
#include <map>
#include <utility>

namespace causeway::postgres {

namespace {
constexpr std::chrono::milliseconds kLook{15}, kPing{2'000};
constexpr std::chrono::milliseconds kQuietLook{25}, kYoung{200}, kTell{1'000};
/// Longer than a coordinator takes between the two phases.
constexpr std::chrono::milliseconds kPrepared{2'000};
constexpr int kTangles = 40, kTanglesAlone = 12;
/// Longer than pings are apart, short enough that a vanished computer holds nobody up for long.
const QString kIdleLimit = QStringLiteral("10s");
const QString kLimitAsking = QStringLiteral("SET lock_timeout = '5s'");
const QString kReadOnlyBefore = QStringLiteral("read_only_before");

/// An SQL condition: the account may say how soon autovacuum gives way to a lock that waits for it.
QString mayHurryAutovacuum(int version)
{
    return version >= 150000
               ? QStringLiteral("pg_catalog.has_parameter_privilege('deadlock_timeout', 'SET')")
               : QStringLiteral("(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = "
                                "current_user)");
}

QString refuseSql(const QString &schema, const QString &account, const QString &migration)
{
    return QStringLiteral(
               "CREATE OR REPLACE FUNCTION %1.refuse() RETURNS trigger LANGUAGE plpgsql AS $f$ "
               "BEGIN IF session_user = %2 THEN RETURN NULL; END IF; RAISE EXCEPTION 'this "
               "database does not take writes: it is moved by Causeway (migration %3)' USING "
               "ERRCODE = '25006'; END $f$")
        .arg(schema, quoteText(account), migration);
}

QString letSql(const QString &schema)
{
    return QStringLiteral("CREATE OR REPLACE FUNCTION %1.refuse() RETURNS trigger LANGUAGE plpgsql "
                          "AS $f$ BEGIN RETURN NULL; END $f$")
        .arg(schema);
}

QString createTrigger(const QString &name, const QString &table)
{
    return QStringLiteral("CREATE TRIGGER %1 BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %2 "
                          "FOR EACH STATEMENT EXECUTE FUNCTION %1.refuse()")
        .arg(name, table);
}

QStringList lockable(const Scope &scope)
{
    QStringList out;
    for (const ScopeTable &t : scope.tables) {
        if (!t.partition) // locked with its root
            out << t.quoted();
    }
    return out;
}

QString lockSql(const QStringList &tables)
{
    // Conflicts with every writer and no reader, and is what CREATE TRIGGER needs.
    return QStringLiteral("LOCK TABLE %1 IN SHARE ROW EXCLUSIVE MODE")
        .arg(tables.join(QStringLiteral(", ")));
}
} // namespace

Fence::~Fence()
{
    release();
}

QStringList Fence::holdSql(const Scope &scope)
{
    const QStringList tables = lockable(scope);
    if (tables.isEmpty())
        return {};
    return {QStringLiteral("BEGIN"), lockSql(tables)};
}

QStringList Fence::sealSql(const Server &server, const Scope &scope)
{
    const QString name = quoteId(server.names().seal());
    QStringList out{QStringLiteral("CREATE SCHEMA IF NOT EXISTS %1").arg(name),
                    refuseSql(name, server.address().user, server.names().migration())};
    for (const QString &table : scope.writable())
        out << createTrigger(name, table);
    out << QStringLiteral("ALTER DATABASE %1 SET default_transaction_read_only = on")
               .arg(quoteId(server.address().database))
        << QStringLiteral("COMMIT");
    return out;
}

QStringList Fence::openSql(const Server &server)
{
    // Complete as it stands, also in a session that is read only by default.
    return {QStringLiteral("BEGIN READ WRITE"),
            QStringLiteral("DROP SCHEMA %1 CASCADE").arg(quoteId(server.names().seal())),
            QStringLiteral("ALTER DATABASE %1 RESET default_transaction_read_only")
                .arg(quoteId(server.address().database)),
            QStringLiteral("COMMIT")};
}

QString Fence::triggerSql(const QString &table) const
{
    return createTrigger(schema(), table);
}

Status Fence::hold(const Scope &scope, const Patience &patience,
                   const std::function<void(const QString &)> &onWait, std::stop_token stop)
{
    QStringList order = lockable(scope);
    auto limit = patience.first;
    int tangles = 0;
    Wait wait;
    for (int attempt = 0; attempt < patience.attempts;) {
        if (tangles == 0)
            CW_TRY(waitForQuiet(scope, patience.quiet / (attempt + 1), onWait, stop));
        m_heldSinceMs = QDateTime::currentMSecsSinceEpoch();
        CW_TRY_ASSIGN(const Attempt result,
                      tryHold(order, limit, tangles >= kTanglesAlone, wait, stop));
        if (result == Attempt::Held) {
            // Whatever else asks this server meanwhile, and should wait for somebody who waits for
            // us: then the switch is undone.
            CW_TRY(m_server.query(kLimitAsking, stop));
            m_limited = true;
            m_pings = std::jthread([this](const std::stop_token &end) {
                while (pauseFor(end, kPing)) {
                    const std::lock_guard lock(m_mutex);
                    if (m_session)
                        (void)m_session->exec(QStringLiteral("SELECT 1"), end);
                }
            });
            return {};
        }
        if (result == Attempt::Tangled && ++tangles < kTangles) {
            // Somebody who holds a later table waits for an earlier one of ours: that application
            // takes them in another order. The one that we waited for goes first from now on.
            if (!wait.waitedFor.isEmpty()) {
                order.removeAll(wait.waitedFor);
                order.prepend(wait.waitedFor);
            }
            continue;
        }
        ++attempt;
        tangles = 0;
        onWait(wait.inTheWay);
        limit = std::min(limit * 2, patience.longest);
        // Not in step with whoever comes again and again.
        const int ms = 100 + QRandomGenerator::global()->bounded(400);
        if (!pauseFor(stop, std::chrono::milliseconds(ms)))
            return fail(cancelledError());
    }
    return fail(blocked(wait.inTheWay,
                        cwText("core", "Wait for them or end them (SELECT "
                                       "pg_terminate_backend(PID)), then switch again. Nothing was "
                                       "changed.")));
}

Error Fence::blocked(const QString &inTheWay, const Text &fix) const
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("fence-blocked");
    e.object = inTheWay;
    e.message = cwText("core", "Transactions that go on writing are in the way of closing %1: %2",
                       m_server.display(), inTheWay);
    e.fix = fix;
    return e;
}

/// Nobody ends a prepared transaction but whoever prepared it: to wait for the lock would only hold
/// everybody else up.
Error Fence::blockedByPrepared(const QStringList &gids) const
{
    QStringList commit, rollback, names;
    for (const QString &gid : gids) {
        names << cwText("core", "the prepared transaction %1", gid).english();
        commit << QStringLiteral("COMMIT PREPARED %1;").arg(quoteText(gid));
        rollback << QStringLiteral("ROLLBACK PREPARED %1;").arg(quoteText(gid));
    }
    return blocked(names.join(QStringLiteral("; ")),
                   cwText("core",
                          "Whoever prepared it knows how it must end: %1 or %2, in that database. "
                          "Then switch again. Nothing was changed.",
                          commit.join(QLatin1Char(' ')), rollback.join(QLatin1Char(' '))));
}

Status Fence::waitForQuiet(const Scope &scope, std::chrono::milliseconds limit,
                           const std::function<void(const QString &)> &onWait, std::stop_token stop)
{
    QStringList oids;
    for (const ScopeTable &t : scope.tables)
        oids << QString::number(t.oid);
    CW_TRY_ASSIGN(const int version, m_server.version(stop));
    // A lock that waits for a long transaction has every other writer wait behind it, for as long
    // as the attempt lasts. Young ones are over in a moment. Ages are told by when we first saw a
    // transaction hold a lock: when it began is shown to few accounts.
    const QString look =
        QStringLiteral(
            "SELECT DISTINCT l.virtualtransaction, COALESCE(l.pid || ' ' || COALESCE(a.usename, "
            "'?') || '@' || COALESCE(pg_catalog.host(a.client_addr), 'local'), 'the prepared "
            "transaction ' || p.gid || ' of ' || p.owner, '?'), p.gid FROM "
            "pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid LEFT "
            "JOIN pg_catalog.pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = "
            "'transactionid' AND x.virtualtransaction = l.virtualtransaction LEFT JOIN "
            "pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid WHERE l.locktype = "
            "'relation' AND l.granted AND l.database = (SELECT oid FROM pg_catalog.pg_database "
            "WHERE datname = current_database()) AND l.mode IN ('ShareUpdateExclusiveLock', "
            "'RowExclusiveLock', 'ShareLock', "
            "'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') AND l.relation = ANY "
            "(ARRAY[%1]::oid[]) AND NOT (COALESCE(a.backend_type = 'autovacuum worker', false) AND "
            "%2)")
            .arg(oids.join(QLatin1Char(',')), mayHurryAutovacuum(version));
    const auto began = std::chrono::steady_clock::now();
    auto told = began;
    std::map<QString, std::chrono::steady_clock::time_point> firstSeen;
    for (;;) {
        CW_TRY_ASSIGN(const auto rows, m_server.query(look, stop));
        const auto now = std::chrono::steady_clock::now();
        std::map<QString, std::chrono::steady_clock::time_point> seen;
        QString old;
        QStringList prepared;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            const auto before = firstSeen.find(rows.text(i, 0));
            const auto since = before == firstSeen.end() ? now : before->second;
            seen.emplace(rows.text(i, 0), since);
            if (now - since > kYoung)
                old = rows.text(i, 1);
            if (!rows.isNull(i, 2) && now - since > kPrepared)
                prepared << rows.text(i, 2);
        }
        firstSeen = std::move(seen);
        const bool watched = now - began > kYoung; // before that nobody can be old
        if (watched && old.isEmpty())
            return {};
        if (!prepared.isEmpty())
            return fail(blockedByPrepared(prepared));
        if (now - began > limit)
            return {}; // such a moment does not come by itself: then with patience
        if (!old.isEmpty() && now - told > kTell) {
            told = now;
            onWait(old);
        }
        if (!pauseFor(stop, kQuietLook))
            return fail(cancelledError());
    }
}

Result<Fence::Attempt> Fence::tryHold(const QStringList &order, std::chrono::milliseconds patience,
                                      bool cancelOthers, Wait &wait, std::stop_token stop)
{
    CW_TRY_ASSIGN(m_session, m_server.another(stop));
    CW_TRY(m_server.enlist(*m_session, stop));
    // The server's own limits, should this process be frozen in the middle.
    CW_TRY(m_session->exec(
        QStringLiteral("SET idle_in_transaction_session_timeout = '%1'; SET lock_timeout = %2; "
                       "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
            .arg(kIdleLimit)
            .arg(patience.count() + 1'000),
        stop));
    if (order.isEmpty())
        return Attempt::Held;
    // Autovacuum gives way, but only once somebody has waited for as long as this; until then every
    // writer waits behind us. A second by default: the whole pause that a switch may cost.
    CW_TRY(m_session->query(
        QStringLiteral("SELECT pg_catalog.set_config('deadlock_timeout', '30ms', false) WHERE %1")
            .arg(mayHurryAutovacuum(m_session->version())),
        stop));
    const int pid = m_session->backendPid();
    auto locking =
        std::async(std::launch::async, [&] { return m_session->exec(lockSql(order), stop); });
    const QString look =
        QStringLiteral(
            "WITH RECURSIVE ahead(pid) AS (SELECT b FROM "
            "pg_catalog.unnest(pg_catalog.pg_blocking_pids(%1)) AS b UNION SELECT b FROM ahead, "
            "LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(ahead.pid)) AS b) "
            "SELECT EXISTS (SELECT 1 FROM ahead WHERE pid = %1), "
            "(SELECT pg_catalog.quote_ident(n.nspname) || '.' || "
            "pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_locks l JOIN "
            "pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = "
            "c.relnamespace WHERE l.pid = %1 AND NOT l.granted AND l.locktype = 'relation' LIMIT "
            "1)")
            .arg(pid);
    const auto began = std::chrono::steady_clock::now();
    Attempt verdict = Attempt::Held;
    const auto cancel = [&](const QString &who) {
        (void)m_server.query(QStringLiteral("SELECT pg_catalog.pg_cancel_backend(%1)").arg(who),
                             {});
    };
    while (locking.wait_for(kLook) != std::future_status::ready) {
        if (verdict != Attempt::Held)
            continue; // cancelled; its answer is on its way
        const auto seen = m_server.query(look, {});
        if (seen && seen->isTrue(0, 0)) {
            if (cancelOthers) {
                // They wait for our lock and would be refused after it anyhow.
                (void)m_server.query(
                    QStringLiteral(
                        "WITH RECURSIVE ahead(pid) AS (SELECT b FROM "
                        "pg_catalog.unnest(pg_catalog.pg_blocking_pids(%1)) AS b UNION SELECT b "
                        "FROM ahead, LATERAL "
                        "pg_catalog.unnest(pg_catalog.pg_blocking_pids(ahead.pid)) AS b) SELECT "
                        "pg_catalog.pg_cancel_backend(pid) FROM ahead WHERE pid <> %1 AND %1 = ANY "
                        "(pg_catalog.pg_blocking_pids(pid))")
                        .arg(pid),
                    {});
            } else {
                if (!seen->isNull(0, 1)) {
                    wait.waitedFor = seen->text(0, 1);
                    verdict = Attempt::Tangled;
                    cancel(QString::number(pid));
                }
                continue;
            }
        }
        if (std::chrono::steady_clock::now() - began > patience) {
            if (const auto who = whoBlocks(m_server, pid, {}))
                wait.inTheWay = who->join(QStringLiteral("; "));
            verdict = Attempt::TimedOut;
            cancel(QString::number(pid));
        }
    }
    const Status locked = locking.get();
    if (locked && verdict == Attempt::Held)
        return Attempt::Held;
    release();
    if (stop.stop_requested())
        return fail(cancelledError());
    if (locked) // it came through while it was being cancelled
        return verdict;
    const QString &state = locked.error().sqlState;
    if (state == QLatin1String("40P01"))
        return Attempt::Tangled;
    if (state == QLatin1String("57014") || state == QLatin1String("55P03"))
        return verdict == Attempt::Held ? Attempt::TimedOut : verdict;
    return fail(locked.error());
}

void Fence::release()
{
    m_pings.request_stop();
    if (m_pings.joinable())
        m_pings.join();
    {
        const std::lock_guard lock(m_mutex);
        m_session.reset(); // and with it the transaction
    }
    if (std::exchange(m_limited, false))
        (void)m_server.query(QStringLiteral("SET lock_timeout = 0"), {});
}

Result<QStringList> Fence::missingTriggers(Session &session, const Scope &scope,
                                           std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto rows,
        session.query(QStringLiteral("SELECT n.nspname, c.relname FROM pg_catalog.pg_trigger t "
                                     "JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN "
                                     "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
                                     "t.tgname = %1 AND NOT t.tgisinternal")
                          .arg(quoteText(m_server.names().seal())),
                      stop));
    QStringList missing = scope.writable();
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        missing.removeAll(quoteName({rows.text(i, 0), rows.text(i, 1)}));
    return missing;
}

Result<bool> Fence::ownsDatabase(Session &session, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto owns,
        session.query(QStringLiteral("SELECT pg_catalog.pg_has_role(current_user, datdba, 'USAGE') "
                                     "FROM pg_catalog.pg_database WHERE datname = "
                                     "current_database()"),
                      std::move(stop)));
    return owns.isTrue(0, 0);
}

Status Fence::seal(const Scope &scope, std::stop_token stop)
{
    // The setting that is found is kept before it changes: a commit of the other session.
    CW_TRY(closeDefault(stop));
    const std::lock_guard lock(m_mutex);
    if (!m_session)
        return fail(ErrorCode::Internal, cwText("core", "There is no hold to be sealed."));
    CW_TRY(m_server.proveIn(*m_session, stop));
    CW_TRY_ASSIGN(const QStringList missing, missingTriggers(*m_session, scope, stop));
    QStringList sql{QStringLiteral("CREATE SCHEMA IF NOT EXISTS %1").arg(schema()),
                    refuseSql(schema(), m_server.address().user, m_server.names().migration())};
    for (const QString &table : missing)
        sql << triggerSql(table);
    CW_TRY(m_session->exec(sql.join(QStringLiteral(";\n")), stop));
    return m_session->exec(QStringLiteral("COMMIT"), stop);
}

Status Fence::asHolder(const std::function<Status(Session &)> &act)
{
    const std::lock_guard lock(m_mutex);
    if (!m_session)
        return fail(ErrorCode::Internal, cwText("core", "Writes are not held."));
    return act(*m_session);
}

Status Fence::closeDefault(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const session, m_server.session(stop));
    CW_TRY_ASSIGN(const bool owns, ownsDatabase(*session, stop));
    if (!owns)
        return {}; // the triggers do it; drivers that look for a writable server are not told
    CW_TRY_ASSIGN(const auto kept, m_server.fact(kReadOnlyBefore, stop));
    QStringList sql;
    if (!kept) {
        CW_TRY_ASSIGN(
            const auto now,
            session->query(
                QStringLiteral("SELECT pg_catalog.split_part(c, '=', 2) FROM "
                               "pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS "
                               "c WHERE s.setrole = 0 AND s.setdatabase = (SELECT oid FROM "
                               "pg_catalog.pg_database WHERE datname = current_database()) AND c "
                               "LIKE 'default_transaction_read_only=%'"),
                stop));
        sql << m_server.setFactSql(kReadOnlyBefore, now.text(0, 0));
    }
    sql << QStringLiteral("ALTER DATABASE %1 SET default_transaction_read_only = on")
               .arg(quoteId(m_server.address().database));
    return m_server.act(sql, stop);
}

Result<bool> Fence::closedDefault(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto before, m_server.fact(kReadOnlyBefore, std::move(stop)));
    return before.has_value();
}

Status Fence::close(const Scope &scope, std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const session, m_server.session(stop));
    CW_TRY_ASSIGN(const QStringList missing, missingTriggers(*session, scope, stop));
    CW_TRY(
        m_server.act({QStringLiteral("CREATE SCHEMA IF NOT EXISTS %1").arg(schema()),
                      refuseSql(schema(), m_server.address().user, m_server.names().migration())},
                     stop));
    for (const QString &table : missing) {
        for (int attempt = 0;; ++attempt) {
            Status made = m_server.act(
                {QStringLiteral("SET LOCAL lock_timeout = '2s'"), triggerSql(table)}, stop);
            if (made)
                break;
            const bool busy = made.error().sqlState == QLatin1String("55P03") ||
                              made.error().sqlState == QLatin1String("40P01");
            if (!busy || attempt >= 30)
                return made;
        }
    }
    return {};
}

Status Fence::letWrite(std::stop_token stop)
{
    release();
    CW_TRY_ASSIGN(const bool there, exists(stop));
    QStringList sql;
    if (there)
        sql << letSql(schema());
    CW_TRY_ASSIGN(const auto before, m_server.fact(kReadOnlyBefore, stop));
    if (before) {
        const QString database = quoteId(m_server.address().database);
        sql << (before->isEmpty()
                    ? QStringLiteral("ALTER DATABASE %1 RESET default_transaction_read_only")
                          .arg(database)
                    : QStringLiteral("ALTER DATABASE %1 SET default_transaction_read_only = %2")
                          .arg(database, quoteText(*before)))
            << m_server.clearFactSql(kReadOnlyBefore);
    }
    if (sql.isEmpty())
        return {};
    return m_server.act(sql, stop);
}

Result<bool> Fence::remove(std::chrono::milliseconds patience, std::stop_token stop)
{
    CW_TRY_ASSIGN(const bool there, exists(stop));
    if (!there)
        return true;
    CW_TRY_ASSIGN(
        const auto rows,
        m_server.query(QStringLiteral("SELECT n.nspname, c.relname FROM pg_catalog.pg_trigger t "
                                      "JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN "
                                      "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
                                      "t.tgname = %1 AND NOT t.tgisinternal ORDER BY 1, 2")
                           .arg(quoteText(m_server.names().seal())),
                       stop));
    bool all = true;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        // Each by itself and with little patience: who queues behind an ACCESS EXCLUSIVE lock that
        // waits for a long report is the application.
        const Status gone =
            m_server.act({QStringLiteral("SET LOCAL lock_timeout = %1").arg(patience.count()),
                          QStringLiteral("DROP TRIGGER IF EXISTS %1 ON %2")
                              .arg(schema(), quoteName({rows.text(i, 0), rows.text(i, 1)}))},
                         stop);
        if (gone)
            continue;
        if (gone.error().sqlState != QLatin1String("55P03") &&
            gone.error().sqlState != QLatin1String("40P01"))
            return fail(gone.error());
        all = false;
    }
    if (all)
        CW_TRY(
            m_server.act({QStringLiteral("DROP SCHEMA IF EXISTS %1 CASCADE").arg(schema())}, stop));
    return all;
}

Result<bool> Fence::exists(std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto rows,
                  m_server.query(QStringLiteral("SELECT 1 FROM pg_catalog.pg_namespace WHERE "
                                                "nspname = %1")
                                     .arg(quoteText(m_server.names().seal())),
                                 std::move(stop)));
    return !rows.rows.empty();
}

Result<bool> Fence::isSealed(std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto rows,
        m_server.query(QStringLiteral("SELECT 1 FROM pg_catalog.pg_proc p JOIN "
                                      "pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE "
                                      "n.nspname = %1 AND p.proname = 'refuse' AND p.prosrc LIKE "
                                      "'%RAISE EXCEPTION%' AND EXISTS (SELECT 1 FROM "
                                      "pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid)")
                           .arg(quoteText(m_server.names().seal())),
                       std::move(stop)));
    return !rows.rows.empty();
}

} // namespace causeway::postgres
