#include "postgres/native/Publication.h"

#include "base/Stop.h"

#include <algorithm>
#include <future>

namespace causeway::postgres {

namespace {
constexpr std::chrono::milliseconds kLook{250};
/// A slot that is still sending must be let go first; its walsender ends within this.
constexpr int kReleaseLooks = 40;

QString barrier(const Server &server)
{
    return QStringLiteral("_causeway.") + server.names().barrierTable();
}

Result<bool> exists(Server &server, const QString &sql, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto rows, server.query(sql, std::move(stop)));
    return !rows.rows.empty();
}
} // namespace

QStringList createPublicationSql(const Server &leader, const Scope &scope, int version)
{
    QStringList tables = scope.published(version);
    tables << barrier(leader);
    return {
        QStringLiteral("CREATE PUBLICATION %1 FOR TABLE %2")
            .arg(quoteId(leader.names().stream(leader.side())), tables.join(QStringLiteral(", ")))};
}

Result<bool> hasPublication(Server &leader, std::stop_token stop)
{
    return exists(leader,
                  QStringLiteral("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = %1")
                      .arg(quoteText(leader.names().stream(leader.side()))),
                  std::move(stop));
}

Status createPublication(Server &leader, const Scope &scope, std::stop_token stop)
{
    QStringList without;
    for (const ScopeTable &t : scope.tables) {
        if (t.logged && !t.hasIdentity && !t.partitioned)
            without << t.name.display();
    }
    if (!without.isEmpty()) {
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("pg-replica-identity");
        e.object = without.join(QStringLiteral(", "));
        e.message = cwText("core", "Tables of %1 without a replica identity: %2", leader.display(),
                           e.object);
        e.fix = cwText("core", "Give each a primary key, or ALTER TABLE ... REPLICA IDENTITY USING "
                               "INDEX or FULL: once published, the application could not update "
                               "them.");
        return fail(std::move(e));
    }
    CW_TRY_ASSIGN(const bool there, hasPublication(leader, stop));
    if (there)
        return {};
    CW_TRY_ASSIGN(const int version, leader.version(stop));
    return leader.act(createPublicationSql(leader, scope, version), stop);
}

Status dropPublication(Server &leader, Side streamOf, std::stop_token stop)
{
    return leader.act({QStringLiteral("DROP PUBLICATION IF EXISTS %1")
                           .arg(quoteId(leader.names().stream(streamOf)))},
                      std::move(stop));
}

Result<QStringList> unpublished(Server &leader, const Scope &scope, std::stop_token stop)
{
    CW_TRY_ASSIGN(const int version, leader.version(stop));
    CW_TRY_ASSIGN(const auto rows,
                  leader.query(QStringLiteral(
                                   "SELECT n.nspname, c.relname FROM "
                                   "pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication "
                                   "p ON p.oid = r.prpubid JOIN pg_catalog.pg_class c ON c.oid = "
                                   "r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = "
                                   "c.relnamespace WHERE p.pubname = %1")
                                   .arg(quoteText(leader.names().stream(leader.side()))),
                               stop));
    QStringList missing = scope.published(version);
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        missing.removeAll(quoteName({rows.text(i, 0), rows.text(i, 1)}));
    return missing;
}

Result<SlotState> readSlot(Server &leader, Side streamOf, std::stop_token stop)
{
    CW_TRY_ASSIGN(const int version, leader.version(stop));
    CW_TRY_ASSIGN(
        const auto rows,
        leader.query(
            QStringLiteral(
                "SELECT active, %1, %2, pg_catalog.pg_wal_lsn_diff(pg_catalog."
                "pg_current_wal_insert_lsn(), restart_lsn)::bigint, confirmed_flush_lsn, "
                "pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), "
                "confirmed_flush_lsn)::bigint, pg_catalog.pg_current_wal_insert_lsn() FROM "
                "pg_catalog.pg_replication_slots WHERE slot_name = %3 AND database = "
                "current_database()")
                .arg(version >= 130000 ? QStringLiteral("wal_status") : QStringLiteral("NULL"),
                     version >= 130000 ? QStringLiteral("safe_wal_size") : QStringLiteral("NULL"),
                     quoteText(leader.names().stream(streamOf))),
            stop));
    SlotState s;
    if (rows.rows.empty())
        return s;
    const auto number = [&](std::size_t column) {
        return rows.isNull(0, column) ? qint64(-1) : rows.text(0, column).toLongLong();
    };
    s.exists = true;
    s.active = rows.isTrue(0, 0);
    s.walStatus = rows.text(0, 1);
    s.safeBytes = number(2);
    s.retainedBytes = number(3);
    s.confirmed = rows.text(0, 4);
    s.lagBytes = number(5);
    s.insertLsn = rows.text(0, 6);
    return s;
}

QString createSlotSql(const QString &name)
{
    return QStringLiteral("SELECT pg_catalog.pg_create_logical_replication_slot(%1, 'pgoutput')")
        .arg(quoteText(name));
}

Result<QStringList> whoBlocks(Server &server, int pid, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto rows,
        server.query(
            QStringLiteral(
                "SELECT a.pid || ' ' || COALESCE(a.usename, '?') || '@' || "
                "COALESCE(pg_catalog.host(a.client_addr), 'local') || COALESCE(' (' || "
                "NULLIF(a.application_name, '') || ')', '') || ', ' || COALESCE(a.state, '?') || "
                "' for ' || COALESCE(EXTRACT(epoch FROM clock_timestamp() - "
                "COALESCE(a.xact_start, a.state_change))::bigint, 0) || ' s' FROM "
                "pg_catalog.unnest(pg_catalog.pg_blocking_pids(%1)) AS b(pid) JOIN "
                "pg_catalog.pg_stat_activity a ON a.pid = b.pid UNION ALL SELECT 'the prepared "
                "transaction ' || gid || ' of ' || owner || ' (' || database || ')' FROM "
                "pg_catalog.pg_prepared_xacts WHERE 0 = ANY (pg_catalog.pg_blocking_pids(%1))")
                .arg(pid),
            std::move(stop)));
    QStringList out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        out << rows.text(i, 0);
    return out;
}

Status createSlot(Server &leader, const std::function<void(const QString &)> &onWait,
                  std::stop_token stop)
{
    CW_TRY_ASSIGN(const SlotState now, readSlot(leader, leader.side(), stop));
    if (now.exists)
        return {};
    CW_TRY(leader.proveLease(stop));
    // Blocks in a session of its own, so that this thread can tell who keeps it waiting. It holds
    // up nobody; a stop ends it, and with it the half-made slot.
    CW_TRY_ASSIGN(const auto session, leader.another(stop));
    CW_TRY(leader.enlist(*session, stop));
    auto made = std::async(std::launch::async, [&]() -> Status {
        return session->exec(createSlotSql(leader.names().stream(leader.side())), stop);
    });
    while (made.wait_for(kLook) != std::future_status::ready) {
        if (const auto who = whoBlocks(leader, session->backendPid(), {}); who && !who->isEmpty())
            onWait(who->join(QStringLiteral("; ")));
    }
    return made.get();
}

Status advanceSlot(Server &leader, std::stop_token stop)
{
    // An applied transaction may not be flushed yet, and a slot goes no further than the flush:
    // this commit is durable, and with it everything before it.
    CW_TRY(leader.proveLease(stop));
    CW_TRY_ASSIGN(
        const auto flushed,
        leader.query(QStringLiteral("SELECT pg_catalog.pg_current_wal_flush_lsn()"), stop));
    CW_TRY_ASSIGN(const auto moved,
                  leader.query(QStringLiteral("SELECT end_lsn >= %1::pg_catalog.pg_lsn FROM "
                                              "pg_catalog.pg_replication_slot_advance(%2, %1)")
                                   .arg(quoteText(flushed.text(0, 0)),
                                        quoteText(leader.names().stream(leader.side()))),
                               stop));
    if (!moved.isTrue(0, 0)) {
        return fail(ErrorCode::Internal,
                    cwText("core", "The slot on %1 could not be advanced to %2.", leader.display(),
                           flushed.text(0, 0)));
    }
    return {};
}

Status dropSlot(Server &leader, Side streamOf, std::stop_token stop)
{
    const QString name = quoteText(leader.names().stream(streamOf));
    for (int look = 0;; ++look) {
        CW_TRY_ASSIGN(const SlotState now, readSlot(leader, streamOf, stop));
        if (!now.exists)
            return {};
        if (!now.active)
            break;
        if (look == kReleaseLooks / 2) {
            // A subscriber that vanished without a word: its walsender waits for a time-out.
            (void)leader.query(QStringLiteral("SELECT pg_catalog.pg_terminate_backend(active_pid) "
                                              "FROM pg_catalog.pg_replication_slots WHERE "
                                              "slot_name = %1 AND active_pid IS NOT NULL")
                                   .arg(name),
                               stop);
        }
        if (look > kReleaseLooks) {
            return fail(ErrorCode::NotReady,
                        cwText("core", "The slot %1 on %2 is still in use.",
                               leader.names().stream(streamOf), leader.display()),
                        QStringLiteral("pg-slot-in-use"));
        }
        if (!pauseFor(stop, kLook))
            return fail(cancelledError());
    }
    CW_TRY(leader.proveLease(stop));
    CW_TRY(leader.query(QStringLiteral("SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM "
                                       "pg_catalog.pg_replication_slots WHERE slot_name = %1")
                            .arg(name),
                        stop));
    return {};
}

} // namespace causeway::postgres
