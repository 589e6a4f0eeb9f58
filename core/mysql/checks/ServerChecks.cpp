#include "mysql/checks/Fixes.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

const QString kVars = QStringLiteral("SHOW GLOBAL VARIABLES");

QStringList modesOf(const QString &value)
{
    // Only those that change what a statement does or accepts; the others come and go with
    // versions.
    static const QStringList relevant{
        QStringLiteral("STRICT_TRANS_TABLES"),   QStringLiteral("STRICT_ALL_TABLES"),
        QStringLiteral("NO_ZERO_IN_DATE"),       QStringLiteral("NO_ZERO_DATE"),
        QStringLiteral("ONLY_FULL_GROUP_BY"),    QStringLiteral("ERROR_FOR_DIVISION_BY_ZERO"),
        QStringLiteral("ANSI_QUOTES"),           QStringLiteral("PIPES_AS_CONCAT"),
        QStringLiteral("NO_BACKSLASH_ESCAPES"),  QStringLiteral("NO_UNSIGNED_SUBTRACTION"),
        QStringLiteral("IGNORE_SPACE"),          QStringLiteral("HIGH_NOT_PRECEDENCE"),
        QStringLiteral("NO_AUTO_VALUE_ON_ZERO"), QStringLiteral("PAD_CHAR_TO_FULL_LENGTH")};
    QStringList out;
    for (const QString &m : value.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        if (relevant.contains(m.trimmed()))
            out << m.trimmed();
    }
    return out;
}

bool isVitess(Platform p)
{
    return p == Platform::PlanetScale || p == Platform::Vitess;
}

Status lookSqlMode(Look &look)
{
    CW_TRY_ASSIGN(const QString mine, look.here.variable("sql_mode", look.stop));
    const QStringList have = modesOf(mine);
    QStringList wanted, unwanted;
    bool vitess = look.options.targetKind == TargetKind::PlanetScale;
    if (look.other) {
        CW_TRY_ASSIGN(const QString theirs, look.other->variable("sql_mode", look.stop));
        wanted = modesOf(theirs);
        if (const auto f = look.other->facts(look.stop))
            vitess = vitess || isVitess((*f)->platform);
    } else {
        // What the servers set themselves when nobody chooses.
        CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
        wanted << QStringLiteral("STRICT_TRANS_TABLES");
        if (!facts->isMariaDb) {
            wanted << QStringLiteral("NO_ZERO_IN_DATE") << QStringLiteral("NO_ZERO_DATE")
                   << QStringLiteral("ONLY_FULL_GROUP_BY");
        }
    }
    vitess = vitess && look.here.side() == Side::Source;
    if (vitess) {
        wanted = {QStringLiteral("NO_ZERO_IN_DATE"), QStringLiteral("NO_ZERO_DATE"),
                  QStringLiteral("ONLY_FULL_GROUP_BY")};
        if (have.contains(QStringLiteral("ANSI_QUOTES")))
            unwanted << QStringLiteral("ANSI_QUOTES");
    }
    QStringList missing;
    for (const QString &m : wanted) {
        if (!have.contains(m))
            missing << m;
    }
    // Either strict mode is as good as the other where all tables are InnoDB.
    if (have.contains(QStringLiteral("STRICT_ALL_TABLES")))
        missing.removeAll(QStringLiteral("STRICT_TRANS_TABLES"));
    if (have.contains(QStringLiteral("STRICT_TRANS_TABLES")))
        missing.removeAll(QStringLiteral("STRICT_ALL_TABLES"));
    if (missing.isEmpty() && unwanted.isEmpty())
        return look.pass(cwText("core", "sql_mode is %1.", mine));
    QStringList all = mine.split(QLatin1Char(','), Qt::SkipEmptyParts);
    for (const QString &m : unwanted)
        all.removeAll(m);
    all.removeAll(QStringLiteral("ANSI")); // a name for a group that holds ANSI_QUOTES
    all += missing;
    look.out.fix = settingFix(
        look, {{QStringLiteral("sql_mode"), all.join(QLatin1Char(','))}},
        cwText("core", "What is set now and what is missing. Test the application with it first: "
                       "statements that were let through may be refused. Sessions that are open "
                       "keep the old value."));
    look.out.fix.canApply = false;
    look.out.objects = missing + unwanted;
    const Text found = unwanted.isEmpty() ? cwText("core", "sql_mode lacks %1.",
                                                   missing.join(QStringLiteral(", ")))
                                          : cwText("core", "sql_mode is %1.", mine);
    return vitess ? look.block(found) : look.warn(found);
}

/// The lowest versions that are tried and can do what is needed.
Status lookVersion(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    const QString name = facts->product + QLatin1Char(' ') + facts->version;
    if (facts->versionNumber < (facts->isMariaDb ? 100200 : 50700)) {
        look.out.fix.text = cwText("core", "Upgrade the server first.");
        return look.block(cwText("core", "%1 is older than what is supported.", name));
    }
    if (!look.other || look.here.side() == Side::Source)
        return look.pass(cwText("core", "%1.", name));
    CW_TRY_ASSIGN(const auto *source, look.other->facts(look.stop));
    if (source->isMariaDb != facts->isMariaDb) {
        return look.warn(cwText("core",
                                "From %1 to %2: another product. Some statements, functions "
                                "and defaults differ.",
                                source->product + QLatin1Char(' ') + source->version, name));
    }
    // Since 8 a MySQL series is major.minor, as MariaDB's is.
    if (facts->versionNumber / 100 < source->versionNumber / 100) {
        look.out.fix.text =
            cwText("core", "Use a target of at least the source's version, or accept "
                           "this: what only the newer version knows will be refused.");
        return look.block(cwText("core", "The target (%1) is older than the source (%2).",
                                 facts->version, source->version));
    }
    return look.pass(cwText("core", "%1.", name));
}

Status lookReplica(Look &look)
{
    CW_TRY_ASSIGN(const auto *replicas, look.here.replicas(look.stop));
    CW_TRY_ASSIGN(const QString innodbReadOnly, look.here.variable("innodb_read_only", look.stop));
    QStringList running, all;
    for (const ReplicaBrief &r : *replicas) {
        all << r.source;
        if (r.running)
            running << r.source;
    }
    const bool source = look.here.side() == Side::Source;
    const bool auroraReader = innodbReadOnly == QLatin1String("ON");
    if (all.isEmpty() && !auroraReader)
        return look.pass(cwText("core", "It is not a replica."));
    look.out.objects = all;
    look.out.fix.platform = platformOf(look);
    if (source) {
        look.out.fix.text = cwText("core", "Use the primary as the source, or name it with "
                                           "--source-writer: it is what must be fenced. If it does "
                                           "not replicate any more, make it forget its primary.");
    } else {
        look.out.fix.text = cwText("core", "Use a server of its own as the target, or end its "
                                           "replication.");
    }
    if (running.isEmpty() && !all.isEmpty() && !auroraReader) {
        CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
        if (look.out.fix.platform == Platform::SelfManaged)
            look.out.fix.sql << (facts->isMariaDb ? QStringLiteral("RESET SLAVE ALL;")
                                 : facts->versionNumber >= 80022
                                     ? QStringLiteral("RESET REPLICA ALL;")
                                     : QStringLiteral("RESET SLAVE ALL;"));
        look.out.fix.privilege = QStringLiteral("REPLICATION_SLAVE_ADMIN / SUPER");
        return look.warn(
            cwText("core", "It was a replica of %1; the replication is stopped.", someOf(all)));
    }
    if (auroraReader && all.isEmpty())
        return look.block(cwText("core", "It is a reader of a cluster (innodb_read_only is ON)."));
    return look.block(cwText("core", "It is a replica of %1.", someOf(running)));
}

Status lookMultiWriter(Look &look)
{
    CW_TRY_ASSIGN(const QString wsrep, look.here.variable("wsrep_on", look.stop));
    CW_TRY_ASSIGN(const auto *status, look.here.status(look.stop));
    QStringList members;
    if (wsrep == QLatin1String("ON")) {
        const int nodes = status->value(QStringLiteral("wsrep_cluster_size")).toInt();
        if (nodes > 1)
            members << QStringLiteral("Galera (%1)").arg(nodes);
    }
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    if (!facts->isMariaDb) {
        // Absent on old versions and hosted relatives: then there is no group either.
        const auto rows = look.here.query(
            QStringLiteral("SELECT member_host,member_port FROM performance_schema."
                           "replication_group_members WHERE member_state <> 'OFFLINE'"),
            look.stop);
        for (std::size_t i = 0; rows && i < rows->rows.size(); ++i)
            members << rows->text(i, std::size_t{0}) + QLatin1Char(':') + rows->text(i, 1);
        if (members.size() == 1)
            members.clear(); // a group of its own alone
    }
    if (members.isEmpty())
        return look.pass(cwText("core", "Only this server can write."));
    look.out.objects = members;
    if (look.here.side() == Side::Source && look.here.endpoint().writer)
        return look.warn(cwText("core", "Other nodes can write: %1. Only %2 will be fenced.",
                                someOf(members), look.here.endpoint().writer->display()));
    look.out.fix.text = cwText("core", "Let one node alone take writes, and name it with "
                                       "--source-writer.");
    return look.block(cwText("core", "Other nodes can write: %1.", someOf(members)));
}

Status lookVitess(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    if (!isVitess(facts->platform))
        return look.pass(cwText("core", "It is no Vitess gateway."));
    look.out.fix.platform = facts->platform;
    look.out.fix.text =
        cwText("core", "Copy once (--mode once) while the application does not write.");
    return look.block(cwText("core", "A Vitess gateway does not hand out its binary log."));
}

Status lookXa(Look &look)
{
    const auto asked = look.here.query(QStringLiteral("XA RECOVER"), look.stop);
    if (!asked && asked.error().number == 1401) { // what MySQL says without the privilege
        CW_TRY_ASSIGN(const auto *mine, look.here.grants(look.stop));
        look.out.fix = sqlFix(
            look, {QStringLiteral("GRANT XA_RECOVER_ADMIN ON *.* TO %1;").arg(mine->account)},
            cwText("core", "Run by an administrator of this server."),
            QStringLiteral("GRANT OPTION"));
        return look.unknown(
            cwText("core", "%1 may not see prepared XA transactions.", mine->account));
    }
    CW_TRY_ASSIGN(const auto rows, asked);
    if (rows.rows.empty())
        return look.pass(cwText("core", "No prepared XA transaction."));
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        look.out.objects << rows.text(i, "data");
    look.out.fix.platform = platformOf(look);
    look.out.fix.text =
        cwText("core", "Only whoever prepared them knows how they must end: XA COMMIT "
                       "or XA ROLLBACK each of them before the copy begins and before the switch.");
    // What was prepared before the copy stands in the log before its beginning, and in no snapshot.
    if (look.here.side() == Side::Source && !look.options.once)
        return look.block(
            cwText("core", "Prepared XA transactions: %1.", static_cast<qint64>(rows.rows.size())));
    return look.warn(
        cwText("core", "Prepared XA transactions: %1.", static_cast<qint64>(rows.rows.size())));
}

Status lookLongTransactions(Look &look)
{
    CW_TRY_ASSIGN(
        const auto rows,
        look.here.query(QStringLiteral("SELECT trx_mysql_thread_id FROM information_schema."
                                       "innodb_trx WHERE trx_started < NOW() - INTERVAL 60 SECOND"),
                        look.stop));
    if (rows.rows.empty())
        return look.pass(cwText("core", "No transaction is older than a minute."));
    const bool rds = platformOf(look) == Platform::Rds || platformOf(look) == Platform::Aurora;
    QStringList kills;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const QString id = rows.text(i, std::size_t{0});
        look.out.objects << id;
        kills << (rds ? QStringLiteral("CALL mysql.rds_kill(%1);") : QStringLiteral("KILL %1;"))
                     .arg(id);
    }
    look.out.fix = sqlFix(look, kills,
                          cwText("core", "Wait for them to end, or end their sessions: what they "
                                         "changed is rolled back."),
                          rds ? QString() : QStringLiteral("CONNECTION_ADMIN / SUPER"));
    return look.warn(cwText("core", "Transactions open for more than a minute: %1.",
                            static_cast<qint64>(rows.rows.size())));
}

Status lookSharedAccount(Look &look)
{
    CW_TRY_ASSIGN(const auto *sessions, look.here.sameAccountSessions(look.stop));
    if (sessions->empty())
        return look.pass(cwText("core", "Nobody else uses Causeway's account."));
    for (const OtherSession &s : *sessions) {
        look.out.objects << QStringLiteral("%1@%2 #%3%4")
                                .arg(s.user, s.host, QString::number(s.id),
                                     s.database.isEmpty() ? QString()
                                                          : QLatin1Char(' ') + s.database);
    }
    look.out.fix.platform = platformOf(look);
    look.out.fix.text = cwText("core", "Give Causeway an account of its own: \"causeway-cli "
                                       "user-script\" prints what it needs.");
    look.out.fix.command << QStringLiteral("causeway-cli user-script --source URL --target URL");
    return look.block(cwText("core", "Other programs are signed in with Causeway's account: %1.",
                             static_cast<qint64>(sessions->size())));
}

Status lookConnections(Look &look)
{
    constexpr qint64 kNeeded = 12; // workers of copy and apply, and the sessions that conduct
    CW_TRY_ASSIGN(const QString most, look.here.variable("max_connections", look.stop));
    CW_TRY_ASSIGN(const auto *status, look.here.status(look.stop));
    const QString used = status->value(QStringLiteral("threads_connected"));
    if (most.isEmpty() || used.isEmpty())
        return look.skip(cwText("core", "This server does not say how many connections it takes."));
    const qint64 free = most.toLongLong() - used.toLongLong();
    if (free >= kNeeded)
        return look.pass(cwText("core", "%1 of %2 connections are free.", free, most));
    look.out.fix = settingFix(look, {{QStringLiteral("max_connections"),
                                      QString::number(most.toLongLong() + 2 * kNeeded)}});
    return look.block(cwText("core", "Only %1 of %2 connections are free.", free, most));
}

Status lookTls(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    if (!facts->tlsCipher.isEmpty())
        return look.pass(cwText("core", "Encrypted: %1, %2.", facts->tlsVersion, facts->tlsCipher));
    const Address &a = look.here.address();
    const bool local = !a.socket.isEmpty() || a.host == QLatin1String("localhost") ||
                       a.host.startsWith(QLatin1String("127.")) || a.host == QLatin1String("::1");
    if (local)
        return look.pass(cwText("core", "Not encrypted, on this machine."));
    look.out.fix.platform = platformOf(look);
    switch (look.out.fix.platform) {
    case Platform::SelfManaged:
        look.out.fix.text = cwText("core", "Give the server a certificate, and ask for encryption "
                                           "in the URL: ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE.");
        look.out.fix.config << QStringLiteral("[mysqld]")
                            << QStringLiteral("ssl_ca = /etc/mysql/ca.pem")
                            << QStringLiteral("ssl_cert = /etc/mysql/server-cert.pem")
                            << QStringLiteral("ssl_key = /etc/mysql/server-key.pem");
        look.out.fix.restart = true;
        break;
    case Platform::Rds:
    case Platform::Aurora:
        look.out.fix.text =
            cwText("core", "The service offers it; ask for it in the URL: "
                           "ssl-mode=VERIFY_IDENTITY&ssl-ca=global-bundle.pem, with the file from "
                           "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem.");
        break;
    default:
        look.out.fix.text =
            cwText("core", "The service offers it; ask for it in the URL: "
                           "ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE, with the certificate that its "
                           "console hands out.");
    }
    return look.warn(cwText("core", "The connection is not encrypted."));
}

Status lookPacket(Look &look)
{
    constexpr qint64 kLeast = 16 * 1024 * 1024;
    CW_TRY_ASSIGN(const QString text, look.here.variable("max_allowed_packet", look.stop));
    const qint64 value = text.toLongLong();
    qint64 needed = kLeast;
    if (look.here.side() == Side::Target && look.other) {
        CW_TRY_ASSIGN(const QString other, look.other->variable("max_allowed_packet", look.stop));
        needed = std::max(needed, other.toLongLong());
    }
    look.out.needed = cwText("core", "At least %1 bytes.", needed);
    if (value >= needed)
        return look.pass(cwText("core", "%1 bytes.", value));
    look.out.fix =
        settingFix(look, {{QStringLiteral("max_allowed_packet"), QString::number(needed)}});
    return look.warn(cwText("core", "%1 bytes.", value));
}

} // namespace

void addServerChecks(CheckList &list)
{
    list.add(
        {.id = QStringLiteral("mysql-version"),
         .on = On::Both,
         .title = cwText("core", "Version"),
         .needed = cwText("core", "MySQL 5.7 or MariaDB 10.2 or later; the target not older than "
                                  "the source."),
         .why = cwText("core", "An older target does not know everything that the source may "
                               "hold."),
         .acceptable = true,
         .sql = {QStringLiteral("SELECT VERSION()")},
         .look = lookVersion});
    list.add({.id = QStringLiteral("mysql-vitess-source"),
              .title = cwText("core", "Vitess as the source"),
              .needed = cwText("core", "A source whose binary log can be read."),
              .why = cwText("core", "Without it changes cannot be followed."),
              .onlyLive = true,
              .look = lookVitess});
    list.add({.id = QStringLiteral("mysql-replica-source"),
              .on = On::Both,
              .title = cwText("core", "Replication from elsewhere"),
              .needed = cwText("core", "No replica, or its primary is named."),
              .why = cwText("core", "Writes that arrive by replication pass every fence: at the "
                                    "switch they would be lost, and a target that replicates would "
                                    "be written by two."),
              .sql = {QStringLiteral("SHOW REPLICA STATUS")},
              .look = lookReplica});
    list.add({.id = QStringLiteral("mysql-multi-writer"),
              .on = On::Both,
              .title = cwText("core", "Other nodes that write"),
              .needed = cwText("core", "One writing node."),
              .why = cwText("core", "A fence on one node does not stop the others."),
              .onlyLive = true,
              .sql = {QStringLiteral("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'"),
                      QStringLiteral("SELECT member_host,member_port FROM performance_schema."
                                     "replication_group_members")},
              .look = lookMultiWriter});
    list.add({.id = QStringLiteral("mysql-shared-account"),
              .on = On::Both,
              .title = cwText("core", "An account of our own"),
              .needed = cwText("core", "No other program uses Causeway's account."),
              .why = cwText("core", "The fence lets Causeway's account pass: an application that "
                                    "uses it would go on writing on the closed side, and its rows "
                                    "would be lost."),
              .sql = {QStringLiteral("SHOW PROCESSLIST")},
              .look = lookSharedAccount});
    list.add({.id = QStringLiteral("mysql-sql-mode"),
              .on = On::Both,
              .title = cwText("core", "SQL mode"),
              .needed = cwText("core", "What the other side demands of statements."),
              .why = cwText("core", "Statements that one server lets through are refused, or mean "
                                    "something else, on the other one after the switch."),
              .blocking = false,
              .sql = {kVars},
              .look = lookSqlMode});
    list.add({.id = QStringLiteral("mysql-max-allowed-packet"),
              .on = On::Both,
              .title = cwText("core", "Largest packet"),
              .why = cwText("core", "A row that the source holds but the target may not receive "
                                    "stops the copy."),
              .blocking = false,
              .sql = {kVars},
              .look = lookPacket});
    list.add({.id = QStringLiteral("mysql-connections"),
              .on = On::Both,
              .title = cwText("core", "Free connections"),
              .needed = cwText("core", "At least 12."),
              .why = cwText("core", "Causeway's workers would take the application's connections."),
              .acceptable = true,
              .sql = {kVars, QStringLiteral("SHOW GLOBAL STATUS LIKE 'Threads_connected'")},
              .look = lookConnections});
    list.add({.id = QStringLiteral("mysql-tls"),
              .on = On::Both,
              .title = cwText("core", "Encryption"),
              .needed = cwText("core", "An encrypted connection."),
              .why = cwText("core", "Every row and every password passes this connection."),
              .blocking = false,
              .sql = {QStringLiteral("SHOW SESSION STATUS LIKE 'Ssl_cipher'")},
              .look = lookTls});
    list.add(
        {.id = QStringLiteral("mysql-xa"),
         .on = On::Both,
         .title = cwText("core", "Prepared XA transactions"),
         .needed = cwText("core", "None when the copy begins, and none at the switch."),
         .why = cwText("core", "The rows of a prepared transaction stand in the log before its "
                               "COMMIT: one that was prepared before the copy would be missed, and "
                               "following stops at its COMMIT. XA COMMIT also passes even "
                               "super_read_only."),
         .blocking = false,
         .acceptable = true,
         .sql = {QStringLiteral("XA RECOVER")},
         .look = lookXa});
    list.add(
        {.id = QStringLiteral("mysql-long-transactions"),
         .title = cwText("core", "Long transactions"),
         .needed = cwText("core", "None open for more than a minute."),
         .why = cwText("core", "The lock at the switch waits for them, and everybody else for "
                               "the lock."),
         .blocking = false,
         .sql = {QStringLiteral("SELECT trx_mysql_thread_id FROM information_schema.innodb_trx")},
         .look = lookLongTransactions});
}

} // namespace causeway::mysql
