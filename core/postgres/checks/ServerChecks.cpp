#include "postgres/checks/Context.h"

#include "base/Stop.h"

#include <algorithm>

namespace causeway::postgres {

namespace {

const QString kSettings = QStringLiteral("SELECT name, setting FROM pg_settings");

/// One for the migration, and one for each table that is synchronised at a time.
constexpr qint64 kSlotsNeeded = 3;

Status lookWalLevel(Look &look)
{
    CW_TRY_ASSIGN(const QString level, look.here.setting("wal_level", look.stop));
    if (level == QLatin1String("logical"))
        return look.pass(cwText("core", "wal_level is logical."));
    look.out.fix = settingFix(look, QStringLiteral("wal_level"), QStringLiteral("logical"), true);
    CW_TRY_ASSIGN(const QString pending, look.here.setting("wal_level#pending", look.stop));
    const Text found =
        pending.isEmpty() ? cwText("core", "wal_level is %1.", level)
                          : cwText("core", "wal_level is %1 until the server is restarted.", level);
    // On the target it serves the way back only.
    return look.here.side() == Side::Source ? look.block(found) : look.warn(found);
}

Status lookFree(Look &look, const char *setting, const QString &used, const Text &passText,
                const Text &failText)
{
    CW_TRY_ASSIGN(const QString most, look.here.setting(setting, look.stop));
    CW_TRY_ASSIGN(const auto rows, look.here.query(used, look.stop));
    const qint64 free = most.toLongLong() - rows.text(0, 0).toLongLong();
    Text found = free >= kSlotsNeeded ? passText : failText;
    found.args = {QString::number(std::max<qint64>(free, 0)), most};
    if (free >= kSlotsNeeded)
        return look.pass(found);
    look.out.fix = settingFix(look, QString::fromLatin1(setting),
                              QString::number(most.toLongLong() - free + 10), true);
    return look.here.side() == Side::Source ? look.block(found) : look.warn(found);
}

Status lookSenders(Look &look)
{
    return lookFree(look, "max_wal_senders",
                    QStringLiteral("SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE "
                                   "backend_type='walsender'"),
                    cwText("core", "%1 of %2 WAL senders are free."),
                    cwText("core", "Only %1 of %2 WAL senders are free."));
}

Status lookSlots(Look &look)
{
    CW_TRY(lookFree(look, "max_replication_slots",
                    QStringLiteral("SELECT count(*) FROM pg_catalog.pg_replication_slots"),
                    cwText("core", "%1 of %2 replication slots are free."),
                    cwText("core", "Only %1 of %2 replication slots are free.")));
    return {};
}

Status lookVersion(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    if (facts->versionNumber < 110000) {
        look.out.fix.text = cwText("core", "Upgrade the server first.");
        return look.block(
            cwText("core", "PostgreSQL %1 is older than what is supported.", facts->version));
    }
    if (look.here.side() == Side::Target && look.other) {
        CW_TRY_ASSIGN(const auto *source, look.other->facts(look.stop));
        if (facts->versionNumber / 10000 < source->versionNumber / 10000) {
            look.out.fix.text = cwText("core", "Use a target of at least the source's version.");
            return look.block(cwText("core", "The target (%1) is older than the source (%2).",
                                     facts->version, source->version));
        }
    }
    return look.pass(cwText("core", "PostgreSQL %1.", facts->version));
}

Status lookStandby(Look &look)
{
    CW_TRY_ASSIGN(
        const auto rows,
        look.here.query(QStringLiteral("SELECT pg_catalog.pg_is_in_recovery()"), look.stop));
    if (!rows.isTrue(0, 0))
        return look.pass(cwText("core", "It is a primary."));
    look.out.fix.platform = platformOf(look);
    look.out.fix.text = cwText("core", "Use the primary; with a cluster, its writer endpoint.");
    return look.block(cwText("core", "It is a standby."));
}

/// A server tells each client the number of its process when it connects, and again when asked.
/// What stands between answers the first itself, and passes on the second.
Status lookPooler(Look &look)
{
    CW_TRY_ASSIGN(const auto rows,
                  look.here.query(QStringLiteral("SELECT pg_catalog.pg_backend_pid()"), look.stop));
    if (look.here.ownBackends().contains(rows.text(0, 0)))
        return look.pass(cwText("core", "The server answers itself."));
    look.out.objects << look.here.address().display();
    look.out.fix.platform = platformOf(look);
    look.out.fix.text =
        cwText("core",
               "Give the address of the server itself: with PgBouncer the host and port that its "
               "[databases] section names, at Supabase the direct connection, at Neon the host "
               "without \"-pooler\", at AWS the endpoint of the instance or cluster rather than of "
               "RDS Proxy. Applications may go on using the pooler.");
    return look.block(
        cwText("core", "A connection pooler answers at %1.", look.here.address().display()));
}

Status lookPrepared(Look &look)
{
    CW_TRY_ASSIGN(const auto rows,
                  // Of every database: a slot waits for all that write anywhere on the server.
                  look.here.query(QStringLiteral("SELECT gid || ' (' || database || ')' FROM "
                                                 "pg_catalog.pg_prepared_xacts ORDER BY 1"),
                                  look.stop));
    if (rows.rows.empty())
        return look.pass(cwText("core", "No prepared transaction."));
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        look.out.objects << rows.text(i, 0);
    look.out.fix.platform = platformOf(look);
    look.out.fix.text = cwText("core", "Only whoever prepared them knows how they must end: COMMIT "
                                       "PREPARED or ROLLBACK PREPARED each of them.");
    return look.block(cwText("core", "Prepared transactions: %1.", someOf(look.out.objects)));
}

Status lookSharedAccount(Look &look)
{
    const auto read = [&]() -> Result<QStringList> {
        QStringList own = look.here.ownBackends();
        own << QStringLiteral("0");
        CW_TRY_ASSIGN(
            const auto rows,
            look.here.query(
                QStringLiteral(
                    "SELECT usename||'@'||COALESCE(pg_catalog.host(client_addr),'local')||' "
                    "#'||pid||"
                    "' '||datname FROM pg_catalog.pg_stat_activity WHERE usename = "
                    "current_user AND backend_type = 'client backend' AND "
                    "application_name <> 'causeway' AND pid <> pg_backend_pid() AND pid "
                    "NOT IN (%1) ORDER BY pid")
                    .arg(own.join(QLatin1Char(','))),
                look.stop));
        QStringList out;
        for (std::size_t i = 0; i < rows.rows.size(); ++i)
            out << rows.text(i, 0);
        return out;
    };
    CW_TRY_ASSIGN(QStringList sessions, read());
    if (!sessions.isEmpty()) {
        // One that was just closed can still be listed.
        pauseFor(look.stop, std::chrono::milliseconds(300));
        CW_TRY_ASSIGN(const QStringList again, read());
        sessions.removeIf([&](const QString &s) { return !again.contains(s); });
    }
    if (sessions.isEmpty())
        return look.pass(cwText("core", "Nobody else uses Causeway's account."));
    look.out.objects = sessions;
    look.out.fix.platform = platformOf(look);
    look.out.fix.text = cwText("core", "Give Causeway an account of its own: \"causeway-cli "
                                       "user-script\" prints what it needs.");
    look.out.fix.command << QStringLiteral("causeway-cli user-script --source URL --target URL");
    return look.block(cwText("core", "Other programs are signed in with Causeway's account: %1.",
                             static_cast<qint64>(sessions.size())));
}

Status lookSameServer(Look &look)
{
    CW_TRY_ASSIGN(const bool same, isSameServer(look));
    if (!same)
        return look.pass(cwText("core", "Two servers."));
    const QString sql = QStringLiteral("SELECT current_database()");
    CW_TRY_ASSIGN(const auto here, look.here.query(sql, look.stop));
    CW_TRY_ASSIGN(const auto there, look.other->query(sql, look.stop));
    look.out.fix.text = cwText("core", "Name another server as the target.");
    if (here.text(0, 0) == there.text(0, 0))
        return look.block(cwText("core", "Source and target are one and the same database."));
    return look.block(cwText("core", "Source and target are two databases of one server."));
}

Status lookLocale(Look &look)
{
    const QString sql =
        QStringLiteral("SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype FROM "
                       "pg_catalog.pg_database WHERE datname = current_database()");
    CW_TRY_ASSIGN(const auto source, look.here.query(sql, look.stop));
    CW_TRY_ASSIGN(const bool missing, look.other->databaseMissing(look.stop));
    if (missing)
        return look.pass(cwText("core", "%1, %2; the target's is made so.", source.text(0, 0),
                                source.text(0, 1)));
    CW_TRY_ASSIGN(const auto target, look.other->query(sql, look.stop));
    const QString encoding = source.text(0, 0);
    look.out.fix = sqlFix(look,
                          {QStringLiteral("CREATE DATABASE %1 TEMPLATE template0 ENCODING %2 "
                                          "LC_COLLATE %3 LC_CTYPE %4;")
                               .arg(quoteId(look.other->address().database), quoteText(encoding),
                                    quoteText(source.text(0, 1)), quoteText(source.text(0, 2)))},
                          cwText("core", "Create the target's database anew with the source's "
                                         "encoding and locale; rename the present one first."),
                          QStringLiteral("CREATEDB"));
    if (encoding != target.text(0, 0))
        return look.block(
            cwText("core", "The encodings differ: %1 and %2.", encoding, target.text(0, 0)));
    if (source.text(0, 1) != target.text(0, 1) || source.text(0, 2) != target.text(0, 2))
        return look.warn(
            cwText("core", "The locales differ: %1 and %2.", source.text(0, 1), target.text(0, 1)));
    look.out.fix = {};
    return look.pass(cwText("core", "%1, %2.", encoding, source.text(0, 1)));
}

} // namespace

Result<bool> isSameServer(Look &look)
{
    CW_TRY_ASSIGN(const auto *here, look.here.facts(look.stop));
    CW_TRY_ASSIGN(const auto *there, look.other->facts(look.stop));
    if (here->identity != there->identity)
        return false;
    // A physical copy of a server has its identifier, but was not started in the same microsecond.
    const QString sql = QStringLiteral("SELECT pg_catalog.pg_postmaster_start_time()");
    CW_TRY_ASSIGN(const auto since, look.here.query(sql, look.stop));
    CW_TRY_ASSIGN(const auto others, look.other->query(sql, look.stop));
    return since.text(0, 0) == others.text(0, 0);
}

void addServerChecks(CheckList &list)
{
    list.add(
        {.id = QStringLiteral("pg-version"),
         .on = On::Both,
         .title = cwText("core", "Version"),
         .needed = cwText("core", "PostgreSQL 11 or later; the target not older than the source."),
         .why = cwText("core", "An older target does not know everything that the source may "
                               "hold."),
         .sql = {QStringLiteral("SELECT current_setting('server_version_num')::int")},
         .look = lookVersion});
    list.add({.id = QStringLiteral("pg-standby"),
              .on = On::Both,
              .title = cwText("core", "A primary"),
              .needed = cwText("core", "No standby."),
              .why = cwText("core", "A standby takes no writes, and cannot fence its primary."),
              .sql = {QStringLiteral("SELECT pg_is_in_recovery()")},
              .look = lookStandby});
    list.add({.id = QStringLiteral("pg-pooler"),
              .on = On::Both,
              .title = cwText("core", "A direct connection"),
              .needed = cwText("core", "No connection pooler in between."),
              .why = cwText("core", "A pooler hands one session's settings, locks and transactions "
                                    "to another, and passes no replication on: the fence would "
                                    "hold nobody."),
              .sql = {QStringLiteral("SELECT pg_backend_pid()")},
              .look = lookPooler});
    list.add({.id = QStringLiteral("pg-wal-level"),
              .on = On::Both,
              .title = cwText("core", "Logical replication"),
              .needed = cwText("core", "wal_level is logical."),
              .why = cwText("core", "Without it changes cannot be followed; on the target, the old "
                                    "source could not follow after the switch."),
              .onlyLive = true,
              .sql = {kSettings},
              .look = lookWalLevel});
    list.add({.id = QStringLiteral("pg-wal-senders"),
              .on = On::Both,
              .title = cwText("core", "WAL senders"),
              .needed = cwText("core", "At least 3 free."),
              .why = cwText("core", "Each reader of changes takes one."),
              .onlyLive = true,
              .sql = {kSettings, QStringLiteral("SELECT count(*) FROM pg_stat_activity WHERE "
                                                "backend_type='walsender'")},
              .look = lookSenders});
    list.add({.id = QStringLiteral("pg-replication-slots"),
              .on = On::Both,
              .title = cwText("core", "Replication slots"),
              .needed = cwText("core", "At least 3 free."),
              .why = cwText("core", "A slot keeps the changes until they are applied."),
              .onlyLive = true,
              .sql = {kSettings, QStringLiteral("SELECT count(*) FROM pg_replication_slots")},
              .look = lookSlots});
    list.add({.id = QStringLiteral("pg-shared-account"),
              .on = On::Both,
              .title = cwText("core", "An account of our own"),
              .needed = cwText("core", "No other program uses Causeway's account."),
              .why = cwText("core", "The fence lets Causeway's account pass: an application that "
                                    "uses it would go on writing on the closed side, and its rows "
                                    "would be lost."),
              .sql = {QStringLiteral("SELECT pid FROM pg_stat_activity WHERE usename = "
                                     "current_user AND backend_type = 'client backend'")},
              .look = lookSharedAccount});
    list.add(
        {.id = QStringLiteral("pg-prepared-xacts"),
         .title = cwText("core", "Prepared transactions"),
         .needed = cwText("core", "None."),
         .why = cwText("core", "A slot cannot be created while one is open, and it could commit "
                               "after the switch."),
         .onlyLive = true,
         .sql = {QStringLiteral("SELECT gid FROM pg_prepared_xacts")},
         .look = lookPrepared});
    list.add({.id = QStringLiteral("pg-same-server"),
              .on = On::Pair,
              .title = cwText("core", "Two servers"),
              .needed = cwText("core", "Source and target differ."),
              .why = cwText("core", "A move onto the same server would shut both sides at once."),
              .sql = {QStringLiteral("SELECT system_identifier FROM pg_control_system()")},
              .look = lookSameServer});
    list.add(
        {.id = QStringLiteral("pg-locale"),
         .on = On::Pair,
         .title = cwText("core", "Encoding and locale"),
         .needed = cwText("core", "The same on both sides."),
         .why = cwText("core", "With another encoding texts are refused; with another locale "
                               "they sort otherwise."),
         .sql = {QStringLiteral("SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM "
                                "pg_database WHERE datname = current_database()")},
         .look = lookLocale});
}

} // namespace causeway::postgres
