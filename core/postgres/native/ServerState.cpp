#include "postgres/native/Server.h"

#include "base/Log.h"
#include "postgres/TargetDatabase.h"

#include <QCoreApplication>
#include <QSysInfo>

namespace causeway::postgres {

namespace {
/// One migration makes or removes the shared schema at a time.
const QString kOneAtATime = QStringLiteral("SELECT pg_catalog.pg_advisory_xact_lock(7305798412)");

Error leaseLost(const QString &server)
{
    Error e;
    e.code = ErrorCode::LeaseLost;
    e.id = QStringLiteral("lease-lost");
    e.message = cwText("core", "Another Causeway has taken this migration over on %1.", server);
    e.fix =
        cwText("core", "Only one may conduct it: close this one, or run it again to take over.");
    return e;
}
} // namespace

Result<bool> Server::hasState(std::stop_token stop)
{
    const auto there = query(
        QStringLiteral("SELECT pg_catalog.to_regclass('_causeway.migration') IS NOT NULL"), stop);
    if (!there && isMissingDatabase(there.error()))
        return false;
    if (!there)
        return fail(there.error());
    if (!there->isTrue(0, 0))
        return false;
    CW_TRY_ASSIGN(const auto row,
                  query(QStringLiteral("SELECT 1 FROM _causeway.migration WHERE id = %1")
                            .arg(quoteText(m_names.migration())),
                        stop));
    return !row.rows.empty();
}

QStringList Server::createStateSql() const
{
    return {QStringLiteral("CREATE SCHEMA IF NOT EXISTS _causeway"),
            QStringLiteral("CREATE TABLE IF NOT EXISTS _causeway.migration (id text PRIMARY KEY, "
                           "epoch bigint NOT NULL, holder text NOT NULL, seq bigint NOT NULL "
                           "DEFAULT 0, since timestamptz NOT NULL DEFAULT clock_timestamp())"),
            QStringLiteral("CREATE TABLE IF NOT EXISTS _causeway.session (migration text NOT NULL, "
                           "pid int NOT NULL, started timestamptz NOT NULL, PRIMARY KEY "
                           "(migration, pid, started))"),
            QStringLiteral("CREATE TABLE IF NOT EXISTS _causeway.fact (migration text NOT NULL, "
                           "name text NOT NULL, value text NOT NULL, PRIMARY KEY (migration, "
                           "name))"),
            QStringLiteral("CREATE TABLE IF NOT EXISTS _causeway.%1 (id int PRIMARY KEY, nonce "
                           "text NOT NULL)")
                .arg(m_names.barrierTable())};
}

Status Server::createState(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    QStringList sql{QStringLiteral("BEGIN"), kOneAtATime};
    sql += createStateSql();
    sql << QStringLiteral("INSERT INTO _causeway.migration (id, epoch, holder) VALUES (%1, 0, '') "
                          "ON CONFLICT (id) DO NOTHING")
               .arg(quoteText(m_names.migration()))
        << QStringLiteral("COMMIT");
    if (const Status done = s->exec(sql.join(QStringLiteral(";\n")), stop); !done) {
        dropSession();
        return done;
    }
    return takeLease(stop);
}

Status Server::takeLease(std::stop_token stop)
{
    CW_TRY_ASSIGN(Session *const s, session(stop));
    if (m_epoch)
        return m_recorded ? Status() : enlistConducting(*s, stop);
    const QString id = quoteText(m_names.migration());
    CW_TRY_ASSIGN(
        const auto ended,
        s->query(QStringLiteral("SELECT count(pg_catalog.pg_terminate_backend(a.pid)) FROM "
                                "_causeway.session o JOIN pg_catalog.pg_stat_activity a ON a.pid = "
                                "o.pid AND a.backend_start = o.started WHERE o.migration = %1 AND "
                                "a.pid <> pg_catalog.pg_backend_pid()")
                     .arg(id),
                 stop));
    if (ended.text(0, 0).toInt() > 0)
        logInfo(QStringLiteral("Ended %1 sessions of an earlier run on %2.")
                    .arg(ended.text(0, 0), display()));
    const QString holder = QStringLiteral("%1 (process %2)")
                               .arg(QSysInfo::machineHostName())
                               .arg(QCoreApplication::applicationPid());
    CW_TRY_ASSIGN(const auto taken,
                  s->query(QStringLiteral("WITH forgotten AS (DELETE FROM _causeway.session WHERE "
                                          "migration = %1) UPDATE _causeway.migration SET epoch = "
                                          "epoch + 1, holder = %2, since = clock_timestamp() WHERE "
                                          "id = %1 RETURNING epoch")
                               .arg(id, quoteText(holder)),
                           stop));
    if (taken.rows.empty()) {
        return fail(ErrorCode::NotReady,
                    cwText("core", "%1 has no state of this migration.", display()),
                    QStringLiteral("no-state"));
    }
    m_epoch = taken.text(0, 0).toLongLong();
    return enlistConducting(*s, stop);
}

Status Server::enlistConducting(Session &s, std::stop_token stop)
{
    CW_TRY(enlist(s, std::move(stop)));
    m_recorded = true;
    return {};
}

Status Server::enlist(Session &s, std::stop_token stop)
{
    if (!m_epoch)
        CW_TRY(takeLease(stop));
    CW_TRY_ASSIGN(
        const auto row,
        s.query(QStringLiteral("INSERT INTO _causeway.session (migration, pid, started) SELECT "
                               "m.id, a.pid, a.backend_start FROM _causeway.migration m, "
                               "pg_catalog.pg_stat_activity a WHERE m.id = %1 AND m.epoch = %2 AND "
                               "a.pid = pg_catalog.pg_backend_pid() ON CONFLICT "
                               "(migration, pid, started) DO UPDATE SET pid = EXCLUDED.pid "
                               "RETURNING 1")
                    .arg(quoteText(m_names.migration()))
                    .arg(*m_epoch),
                stop));
    if (row.rows.empty())
        return fail(leaseLost(display()));
    return {};
}

Status Server::act(const QStringList &statements, std::stop_token stop)
{
    CW_TRY(takeLease(stop));
    CW_TRY_ASSIGN(Session *const s, session(stop));
    const auto run = [&]() -> Status {
        CW_TRY(s->exec(QStringLiteral("BEGIN"), stop));
        CW_TRY(proveIn(*s, stop));
        for (const QString &sql : statements)
            CW_TRY(s->exec(sql, stop));
        return s->exec(QStringLiteral("COMMIT"), stop);
    };
    Status done = run();
    // Whatever went wrong in it, or in its end: nobody knows what the session holds.
    if (!done)
        dropSession();
    return done;
}

Status Server::proveIn(Session &s, std::stop_token stop)
{
    if (!m_epoch)
        CW_TRY(takeLease(stop));
    CW_TRY_ASSIGN(const auto mine,
                  s.query(QStringLiteral("UPDATE _causeway.migration SET seq = seq + 1 WHERE id = "
                                         "%1 AND epoch = %2 RETURNING 1")
                              .arg(quoteText(m_names.migration()))
                              .arg(*m_epoch),
                          stop));
    if (mine.rows.empty())
        return fail(leaseLost(display()));
    return {};
}

Status Server::proveLease(std::stop_token stop)
{
    return act({}, std::move(stop));
}

Result<std::optional<QString>> Server::fact(const QString &name, std::stop_token stop)
{
    CW_TRY_ASSIGN(const bool there, hasState(stop));
    if (!there)
        return std::optional<QString>{};
    CW_TRY_ASSIGN(const auto row,
                  query(QStringLiteral("SELECT value FROM _causeway.fact WHERE migration = %1 AND "
                                       "name = %2")
                            .arg(quoteText(m_names.migration()), quoteText(name)),
                        stop));
    if (row.rows.empty())
        return std::optional<QString>{};
    return std::optional<QString>{row.text(0, 0)};
}

QString Server::setFactSql(const QString &name, const QString &value) const
{
    return QStringLiteral("INSERT INTO _causeway.fact (migration, name, value) VALUES (%1, %2, %3) "
                          "ON CONFLICT (migration, name) DO UPDATE SET value = EXCLUDED.value")
        .arg(quoteText(m_names.migration()), quoteText(name), quoteText(value));
}

QString Server::clearFactSql(const QString &name) const
{
    return QStringLiteral("DELETE FROM _causeway.fact WHERE migration = %1 AND name = %2")
        .arg(quoteText(m_names.migration()), quoteText(name));
}

Status Server::setFact(const QString &name, const QString &value, std::stop_token stop)
{
    return act({setFactSql(name, value)}, std::move(stop));
}

Status Server::clearFact(const QString &name, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto there, fact(name, stop));
    if (!there)
        return {};
    return act({clearFactSql(name)}, std::move(stop));
}

Status Server::removeState(std::stop_token stop)
{
    CW_TRY_ASSIGN(const bool there, hasState(stop));
    if (!there)
        return {};
    const QString id = quoteText(m_names.migration());
    CW_TRY(act({kOneAtATime,
                QStringLiteral("DROP TABLE IF EXISTS _causeway.%1").arg(m_names.barrierTable()),
                QStringLiteral("DELETE FROM _causeway.fact WHERE migration = %1").arg(id),
                QStringLiteral("DELETE FROM _causeway.session WHERE migration = %1").arg(id),
                // Made by the restore of the schema, on the target only.
                QStringLiteral("DO $$ BEGIN IF pg_catalog.to_regclass('_causeway.restored') IS NOT "
                               "NULL THEN DELETE FROM _causeway.restored WHERE migration = %1; END "
                               "IF; END $$")
                    .arg(id),
                QStringLiteral("DELETE FROM _causeway.migration WHERE id = %1").arg(id),
                QStringLiteral("DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM _causeway.migration) THEN "
                               "DROP SCHEMA _causeway CASCADE; END IF; END $$")},
               stop));
    m_epoch.reset();
    m_recorded = false;
    return {};
}

} // namespace causeway::postgres
