#include "postgres/native/Subscription.h"

#include "base/Secret.h"
#include "base/Stop.h"
#include "postgres/native/Barrier.h"

namespace causeway::postgres {

namespace {
constexpr std::chrono::milliseconds kLook{20};
constexpr int kWorkerLooks = 1500; ///< 30 s

/// 'a''b\\c' as libpq reads values of a connection string.
QString conninfoValue(const QString &value)
{
    QString v = value;
    v.replace(QLatin1Char('\\'), QLatin1String("\\\\"))
        .replace(QLatin1Char('\''), QLatin1String("\\'"));
    return QLatin1Char('\'') + v + QLatin1Char('\'');
}

QString tlsMode(TlsMode mode)
{
    switch (mode) {
    case TlsMode::Disabled:
        return QStringLiteral("disable");
    case TlsMode::Preferred:
        return QStringLiteral("prefer");
    case TlsMode::Required:
        return QStringLiteral("require");
    case TlsMode::VerifyCa:
        return QStringLiteral("verify-ca");
    case TlsMode::VerifyIdentity:
        return QStringLiteral("verify-full");
    }
    return {};
}

QString withOptions(const QString &name, const QString &stream, const SubscriptionOptions &options,
                    const QString &connection)
{
    QStringList with{
        QStringLiteral("create_slot = false"),
        QStringLiteral("slot_name = %1").arg(quoteText(stream)),
        options.copy ? QStringLiteral("copy_data = true") : QStringLiteral("copy_data = false"),
        options.enabled ? QStringLiteral("enabled = true") : QStringLiteral("enabled = false")};
    if (options.streaming)
        with << QStringLiteral("streaming = on");
    if (options.originNone)
        with << QStringLiteral("origin = none");
    return QStringLiteral("CREATE SUBSCRIPTION %1 CONNECTION %2 PUBLICATION %1 WITH (%3)")
        .arg(quoteId(name), quoteText(connection), with.join(QStringLiteral(", ")));
}

/// Runs a statement that holds a password so that neither the server's list of sessions nor its
/// statistics nor its log see it. They keep the text sent, which is SELECT f($1); an error that is
/// caught inside is written nowhere; and where parameters are logged too (log_statement = all, and
/// an account that may not turn that off for itself) it is not the password that is read there.
/// The statement cannot be one that refuses a transaction.
Status runSecretly(Server &server, const QString &sql, const Error &onFailure, std::stop_token stop)
{
    CW_TRY(server.proveLease(stop));
    CW_TRY_ASSIGN(Session *const session, server.session(stop));
    for (const char *quiet : {"SET log_statement = 'none'", "SET log_min_duration_statement = -1",
                              "SET log_parameter_max_length = 0", "SET track_activities = off",
                              "SET log_min_messages = panic"}) {
        if (!session->exec(QString::fromLatin1(quiet), stop) && session->isDead())
            return fail(cancelledError()); // refused otherwise: not for this account or version
    }
    CW_TRY(session->exec(
        QStringLiteral(
            "CREATE OR REPLACE FUNCTION pg_temp.causeway_run(hex text, OUT state text, "
            "OUT words text) LANGUAGE plpgsql AS $f$ BEGIN EXECUTE "
            "pg_catalog.convert_from(pg_catalog.decode(hex, 'hex'), 'UTF8'); EXCEPTION "
            "WHEN OTHERS THEN GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, words = "
            "MESSAGE_TEXT; END $f$"),
        stop));
    const auto answered =
        session->queryWith(QStringLiteral("SELECT state, words FROM pg_temp.causeway_run($1)"),
                           {QString::fromLatin1(sql.toUtf8().toHex())}, stop);
    server.dropSession(); // and with it those settings
    if (!answered)
        return fail(answered.error());
    const ResultSet &r = *answered;
    if (r.isNull(0, 0))
        return {};
    Error e = onFailure;
    e.sqlState = r.text(0, 0);
    e.serverWords = redact(r.text(0, 1));
    if (e.sqlState == QLatin1String("42501")) {
        e.id = QStringLiteral("pg-privilege");
        e.message =
            cwText("core", "The account may not create a subscription on %1.", server.display());
        e.fix = cwText("core", "Run the check: it prints the grant that is missing.");
    }
    return fail(std::move(e));
}

Error unreachable(const Server &follower, const Address &leader)
{
    Error e;
    e.code = ErrorCode::Connect;
    e.id = QStringLiteral("pg-unreachable-from-peer");
    e.object = leader.display();
    e.message = cwText("core", "%1 cannot connect to %2.", follower.display(), leader.display());
    e.fix = follower.side() == Side::Target
                ? cwText("core", "Say with --source-from-target how the target reaches the source, "
                                 "and let it in there (firewall, pg_hba.conf).")
                : cwText("core", "Say with --target-from-source how the source reaches the target, "
                                 "and let it in there (firewall, pg_hba.conf).");
    return e;
}

Status waitWorkerGone(Server &follower, const QString &name, std::stop_token stop)
{
    for (int look = 0; look < kWorkerLooks; ++look) {
        CW_TRY_ASSIGN(const auto rows,
                      follower.query(QStringLiteral("SELECT 1 FROM pg_catalog.pg_stat_subscription "
                                                    "WHERE subname = %1 AND pid IS NOT NULL")
                                         .arg(quoteText(name)),
                                     stop));
        if (rows.rows.empty())
            return {};
        if (!pauseFor(stop, kLook))
            return fail(cancelledError());
    }
    return fail(ErrorCode::NotReady,
                cwText("core", "The workers of %1 on %2 do not end.", name, follower.display()),
                QStringLiteral("pg-worker-stays"));
}
} // namespace

QString connectionString(const Address &leader, bool password)
{
    QStringList out;
    const auto put = [&out](const char *name, const QString &value) {
        if (!value.isEmpty())
            out << QString::fromLatin1(name) + QLatin1Char('=') + conninfoValue(value);
    };
    put("host", leader.socket.isEmpty() ? leader.host : leader.socket);
    put("port", QString::number(leader.port == 0 ? 5432 : leader.port));
    put("dbname", leader.database);
    put("user", leader.user);
    if (!leader.password.isEmpty()) {
        put("password",
            password ? QString::fromUtf8(leader.password.reveal()) : QStringLiteral("${PASSWORD}"));
    }
    put("sslmode", tlsMode(leader.tls.mode));
    put("sslrootcert", leader.tls.ca);
    put("sslcert", leader.tls.cert);
    put("sslkey", leader.tls.key);
    put("connect_timeout", QStringLiteral("10"));
    // A leader that vanished is noticed within half a minute, not within hours.
    put("keepalives_idle", QStringLiteral("10"));
    put("keepalives_interval", QStringLiteral("5"));
    put("keepalives_count", QStringLiteral("4"));
    // Rows that a policy hides are an error rather than missing. No time-out of the account's own
    // may end the copy: each attempt at a table's slot waits for whoever is writing, and holds up
    // nobody meanwhile. (Servers that put their own options in place of these: AccountSettings.)
    put("options", QStringLiteral("-c row_security=off -c lock_timeout=0 -c statement_timeout=0 "
                                  "-c idle_in_transaction_session_timeout=0 -c datestyle=ISO "
                                  "-c intervalstyle=postgres -c extra_float_digits=3"));
    return out.join(QLatin1Char(' '));
}

QString createSubscriptionSql(const Names &names, const Address &leaderFromFollower, Side leader,
                              const SubscriptionOptions &options)
{
    return withOptions(names.stream(leader), names.stream(leader), options,
                       connectionString(leaderFromFollower, false));
}

Status createSubscription(Server &follower, const Address &leaderFromFollower, Side leader,
                          const SubscriptionOptions &options, std::stop_token stop)
{
    CW_TRY_ASSIGN(const SubscriptionState now, readSubscription(follower, leader, stop));
    if (now.exists)
        return {};
    const QString name = follower.names().stream(leader);
    return runSecretly(follower,
                       withOptions(name, name, options, connectionString(leaderFromFollower, true)),
                       unreachable(follower, leaderFromFollower), std::move(stop));
}

Status probeReach(Server &follower, Server &leader, const Address &leaderFromFollower,
                  std::stop_token stop)
{
    const QString name = follower.names().probe();
    const QString create =
        QStringLiteral("CREATE SUBSCRIPTION %1 CONNECTION %2 PUBLICATION %1 WITH (connect = true, "
                       "create_slot = false, slot_name = NONE, enabled = false, copy_data = false)")
            .arg(quoteId(name), quoteText(connectionString(leaderFromFollower, true)));
    const QString drop = QStringLiteral("DROP SUBSCRIPTION IF EXISTS %1").arg(quoteId(name));
    // A publication that is not there is a warning from 15 on, which the server would log together
    // with the statement and its password: an empty one stands there meanwhile.
    const QString unpublish = QStringLiteral("DROP PUBLICATION IF EXISTS %1").arg(quoteId(name));
    CW_TRY(
        leader.act({unpublish, QStringLiteral("CREATE PUBLICATION %1").arg(quoteId(name))}, stop));
    CW_TRY(follower.query(drop, stop));
    const Status reached =
        runSecretly(follower, create, unreachable(follower, leaderFromFollower), stop);
    CW_TRY(follower.query(drop, stop));
    CW_TRY(leader.act({unpublish}, stop));
    CW_TRY(Status(reached));
    return {};
}

Result<SubscriptionState> readSubscription(Server &follower, Side leader, std::stop_token stop)
{
    CW_TRY_ASSIGN(const int version, follower.version(stop));
    const QString name = quoteText(follower.names().stream(leader));
    const auto looked = follower.query(
        QStringLiteral(
            "SELECT s.subenabled, COALESCE(s.subslotname::text, ''), st.pid IS NOT NULL, "
            "(SELECT count(*) FROM pg_catalog.pg_subscription_rel r WHERE r.srsubid = s.oid), "
            "(SELECT count(*) FROM pg_catalog.pg_subscription_rel r WHERE r.srsubid = s.oid "
            "AND r.srsubstate <> 'r'), st.received_lsn, st.latest_end_lsn, %1, %2, %3 FROM "
            "pg_catalog.pg_subscription s LEFT JOIN pg_catalog.pg_stat_subscription st ON "
            "st.subid = s.oid AND st.relid IS NULL %4 %5 WHERE s.subname = %6 AND s.subdbid = "
            "(SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())")
            .arg(version >= 150000 ? QStringLiteral("ss.apply_error_count") : QStringLiteral("-1"),
                 version >= 150000 ? QStringLiteral("ss.sync_error_count") : QStringLiteral("-1"),
                 version >= 180000
                     ? QStringLiteral("ss.confl_insert_exists + ss.confl_update_exists + "
                                      "ss.confl_update_missing + ss.confl_delete_missing")
                     : QStringLiteral("-1"),
                 version >= 150000 ? QStringLiteral("LEFT JOIN "
                                                    "pg_catalog.pg_stat_subscription_stats ss "
                                                    "ON ss.subid = s.oid")
                                   : QString(),
                 // One row per worker: the leader of parallel workers has no leader itself.
                 version >= 160000 ? QStringLiteral("AND st.leader_pid IS NULL") : QString(), name),
        stop);
    SubscriptionState s;
    if (!looked) {
        // Before 14 ordinary accounts may not see who is who here, and cannot subscribe either.
        if (version < 140000 && looked.error().id == QLatin1String("pg-privilege"))
            return s;
        return fail(looked.error());
    }
    const ResultSet &rows = *looked;
    if (rows.rows.empty())
        return s;
    s.exists = true;
    s.enabled = rows.isTrue(0, 0);
    s.slot = rows.text(0, 1);
    s.running = rows.isTrue(0, 2);
    s.tables = rows.text(0, 3).toInt();
    s.notReady = rows.text(0, 4).toInt();
    s.allReady = s.notReady == 0;
    s.receivedLsn = rows.text(0, 5);
    s.reportedLsn = rows.text(0, 6);
    s.applyErrors = rows.isNull(0, 7) ? 0 : rows.text(0, 7).toLongLong();
    s.syncErrors = rows.isNull(0, 8) ? 0 : rows.text(0, 8).toLongLong();
    s.conflicts = rows.isNull(0, 9) ? 0 : rows.text(0, 9).toLongLong();
    return s;
}

Status enableSubscription(Server &follower, Side leader, std::stop_token stop)
{
    return follower.act({QStringLiteral("ALTER SUBSCRIPTION %1 ENABLE")
                             .arg(quoteId(follower.names().stream(leader)))},
                        std::move(stop));
}

Status disableSubscription(Server &follower, Side leader, std::stop_token stop,
                           Server *leaderServer)
{
    CW_TRY_ASSIGN(const SubscriptionState now, readSubscription(follower, leader, stop));
    if (!now.exists)
        return {};
    if (now.enabled) {
        CW_TRY(follower.act({QStringLiteral("ALTER SUBSCRIPTION %1 DISABLE")
                                 .arg(quoteId(follower.names().stream(leader)))},
                            stop));
        if (leaderServer)
            CW_TRY(Barrier::nudge(*leaderServer, stop));
    }
    return waitWorkerGone(follower, follower.names().stream(leader), stop);
}

Status dropSubscription(Server &follower, Side leader, std::stop_token stop)
{
    CW_TRY_ASSIGN(const SubscriptionState now, readSubscription(follower, leader, stop));
    if (!now.exists)
        return {};
    CW_TRY(disableSubscription(follower, leader, stop));
    const QString name = quoteId(follower.names().stream(leader));
    // Connected to its slot it would go to the leader to drop it, which may not be reachable.
    return follower.act({QStringLiteral("ALTER SUBSCRIPTION %1 SET (slot_name = NONE)").arg(name),
                         QStringLiteral("DROP SUBSCRIPTION %1").arg(name)},
                        stop);
}

Result<std::map<TableName, RelationProgress>> readRelations(Server &follower, Side leader,
                                                            std::stop_token stop)
{
    CW_TRY_ASSIGN(const int version, follower.version(stop));
    CW_TRY_ASSIGN(
        const auto rows,
        follower.query(
            QStringLiteral(
                "SELECT n.nspname, c.relname, r.srsubstate, %1, %2, "
                "GREATEST(c.reltuples::bigint, pg_catalog.pg_stat_get_live_tuples(c.oid), 0), "
                "pg_catalog.pg_table_size(c.oid) FROM pg_catalog.pg_subscription s JOIN "
                "pg_catalog.pg_subscription_rel r ON r.srsubid = s.oid JOIN pg_catalog.pg_class c "
                "ON c.oid = r.srrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace %3 "
                "WHERE s.subname = %4")
                .arg(version >= 140000 ? QStringLiteral("p.tuples_processed")
                                       : QStringLiteral("NULL"),
                     version >= 140000 ? QStringLiteral("p.bytes_processed")
                                       : QStringLiteral("NULL"),
                     version >= 140000
                         ? QStringLiteral("LEFT JOIN pg_catalog.pg_stat_progress_copy p ON p.relid "
                                          "= c.oid AND p.datname = current_database()")
                         : QString(),
                     quoteText(follower.names().stream(leader))),
            std::move(stop)));
    std::map<TableName, RelationProgress> out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const TableName name{rows.text(i, 0), rows.text(i, 1)};
        if (name.schema == QLatin1String("_causeway"))
            continue;
        RelationProgress p;
        const QString state = rows.text(i, 2);
        // i(nit), d(ata), f(inished copy), s(ynchronised), r(eady)
        p.state = state == QLatin1String("i")   ? RelationState::Waiting
                  : state == QLatin1String("d") ? RelationState::Copying
                  : state == QLatin1String("r") ? RelationState::Ready
                                                : RelationState::Copied;
        p.rows = rows.text(i, rows.isNull(i, 3) ? 5 : 3).toLongLong();
        p.bytes = rows.text(i, rows.isNull(i, 4) ? 6 : 4).toLongLong();
        out.emplace(name, p);
    }
    return out;
}

} // namespace causeway::postgres
