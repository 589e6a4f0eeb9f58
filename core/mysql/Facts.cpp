#include "base/Log.h"
#include "mysql/Errors.h"
#include "mysql/FencePlan.h"
#include "mysql/OwnSessions.h"
#include "mysql/Parts.h"

#include <QHash>
#include <QSet>

namespace causeway::mysql {

namespace {

using Variables = QHash<QString, QString>;

/// One round trip that does not fail on a variable that this server does not know.
Result<Variables> readVariables(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const ResultSet r,
        s.query(QStringLiteral(
                    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'version_comment', "
                    "'basedir', 'datadir', 'hostname', 'port', 'server_id', 'server_uuid', "
                    "'read_only', 'super_read_only', 'innodb_read_only', 'aurora_version', "
                    "'aad_auth_only', 'log_bin', 'binlog_format', 'local_infile', "
                    "'log_bin_trust_function_creators', 'innodb_native_foreign_keys')"),
                stop));
    Variables v;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        v.insert(r.text(i, std::size_t(0)).toLower(), r.text(i, 1));
    return v;
}

bool isOn(const Variables &v, const char *name)
{
    const QString value = v.value(QString::fromLatin1(name), QStringLiteral("OFF"));
    return value != QLatin1String("OFF") && value != QLatin1String("0");
}

Platform recognise(const Session &s, const Variables &v, bool hasRdsRoutines)
{
    const QString version = v.value(QStringLiteral("version"), s.versionText());
    const QString comment = v.value(QStringLiteral("version_comment"));
    const QString places = v.value(QStringLiteral("basedir")) + v.value(QStringLiteral("datadir"));
    const auto says = [&](const char *word) {
        return version.contains(QLatin1String(word), Qt::CaseInsensitive) ||
               comment.contains(QLatin1String(word), Qt::CaseInsensitive);
    };
    const Platform byName = platformOfHost(s.address().host);
    if (says("planetscale") || byName == Platform::PlanetScale)
        return Platform::PlanetScale;
    if (says("vitess"))
        return Platform::Vitess;
    if (v.contains(QStringLiteral("aurora_version")) || byName == Platform::Aurora)
        return Platform::Aurora;
    if (places.contains(QLatin1String("/rdsdb")) || hasRdsRoutines || byName == Platform::Rds)
        return Platform::Rds;
    if (says("-google"))
        return Platform::CloudSql;
    if (says("azure") || v.contains(QStringLiteral("aad_auth_only")))
        return Platform::Azure;
    return byName; // DigitalOcean and Azure behind their own names, else self-managed
}

QString productOf(const Session &s, const Variables &v)
{
    if (s.isMariaDb())
        return QStringLiteral("MariaDB");
    if (v.value(QStringLiteral("version_comment")).contains(QLatin1String("Percona")))
        return QStringLiteral("Percona Server");
    return QStringLiteral("MySQL");
}

Support yes(Text why = {})
{
    return {true, std::move(why)};
}
Support no(Text why)
{
    return {false, std::move(why)};
}

Support followSupport(const Session &s, const Variables &v, const Grants &grants)
{
    const QString where = s.address().display();
    if (v.value(QStringLiteral("version")).contains(QLatin1String("vitess"), Qt::CaseInsensitive))
        return no(cwText("core", "%1 is Vitess, whose row log cannot be read.", where));
    if (!isOn(v, "log_bin"))
        return no(cwText("core", "%1 writes no binary log (log_bin is off).", where));
    // MySQL's next versions have no other format and no such variable.
    if (v.value(QStringLiteral("binlog_format"), QStringLiteral("ROW")) != QLatin1String("ROW"))
        return no(cwText("core", "%1 does not log rows: binlog_format is %2.", where,
                         v.value(QStringLiteral("binlog_format"))));
    if (!grants.has(QStringLiteral("REPLICATION SLAVE")))
        return no(cwText("core", "The account %1 lacks REPLICATION SLAVE.", s.address().user));
    return yes();
}

Support triggerSupport(const Session &s, const Variables &v, const Grants &grants)
{
    const bool super = grants.has(QStringLiteral("SUPER"));
    if (isOn(v, "log_bin") && !isOn(v, "log_bin_trust_function_creators") && !super) {
        return no(cwText("core", "Creating triggers needs SUPER or "
                                 "log_bin_trust_function_creators=1 while the binary log is on "
                                 "(error 1419)."));
    }
    const bool anyDefiner =
        super || grants.hasAny({QStringLiteral("SET_USER_ID"), QStringLiteral("SET_ANY_DEFINER"),
                                QStringLiteral("SET USER")});
    return anyDefiner ? yes()
                      : yes(cwText("core", "Only with the account %1 itself as DEFINER.",
                                   s.address().user));
}

Text sealText(const QString &kind)
{
    if (kind == QLatin1String("read_only"))
        return cwText("core", "By read_only.");
    if (kind == QLatin1String("provider"))
        return cwText("core", "By mysql.rds_set_read_only.");
    return cwText("core", "By triggers that refuse every other account.");
}

} // namespace

Result<ServerFacts> readFacts(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Variables v, readVariables(s, stop));
    CW_TRY_ASSIGN(const ResultSet rds,
                  s.query(QStringLiteral("SELECT 1 FROM information_schema.routines WHERE "
                                         "routine_schema='mysql' AND "
                                         "routine_name='rds_show_configuration'"),
                          stop));
    CW_TRY_ASSIGN(const ResultSet tls,
                  s.query(QStringLiteral("SHOW SESSION STATUS WHERE Variable_name IN "
                                         "('Ssl_cipher', 'Ssl_version')"),
                          stop));
    ServerFacts f;
    f.product = productOf(s, v);
    f.version = v.value(QStringLiteral("version"), s.versionText());
    f.versionNumber = s.version();
    f.isMariaDb = s.isMariaDb();
    f.platform = recognise(s, v, !rds.rows.empty());
    // MariaDB has no uuid.
    f.identity = v.value(QStringLiteral("server_uuid"));
    if (f.identity.isEmpty()) {
        f.identity =
            QStringLiteral("%1@%2:%3:%4")
                .arg(v.value(QStringLiteral("server_id")), v.value(QStringLiteral("hostname")),
                     v.value(QStringLiteral("port")), v.value(QStringLiteral("datadir")));
    }
    for (std::size_t i = 0; i < tls.rows.size(); ++i) {
        (tls.text(i, std::size_t(0)).toLower() == QLatin1String("ssl_cipher") ? f.tlsCipher
                                                                              : f.tlsVersion) =
            tls.text(i, 1);
    }
    // The applier goes by what each event says of itself; this is for people.
    f.logsCascades = v.contains(QStringLiteral("innodb_native_foreign_keys")) &&
                     !isOn(v, "innodb_native_foreign_keys");
    f.readOnly = isOn(v, "read_only") || isOn(v, "innodb_read_only");
    return f;
}

Result<Capabilities> readCapabilities(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const Variables v, readVariables(s, stop));
    CW_TRY_ASSIGN(const Grants grants, readGrants(s, stop));
    Capabilities c;
    c.follow = followSupport(s, v, grants);
    c.reverse = c.follow;
    // The rights on each table are looked at when the fence is made for a selection.
    CW_TRY_ASSIGN(SealFacts sealFacts, readSealFacts(s, {}, stop));
    sealFacts.others.clear();
    sealFacts.tables.clear();
    CW_TRY_ASSIGN(const SealChoice seal, chooseSeal(s, sealFacts, FenceKind::Auto, stop));
    c.seal = seal.kind.isEmpty() ? no(seal.limitation) : yes(sealText(seal.kind));
    c.sessionFence =
        seal.kind == QLatin1String("triggers")
            ? yes(cwText("core", "By LOCK TABLES on the tables that move."))
            : (seal.kind.isEmpty() ? no(seal.limitation)
                                   : yes(cwText("core", "By FLUSH TABLES WITH READ LOCK.")));
    c.triggers = triggerSupport(s, v, grants);
    c.bulkLoad =
        s.isMariaDb() || isOn(v, "local_infile")
            ? yes()
            : no(cwText("core", "LOAD DATA LOCAL is off (local_infile): rows are inserted, "
                                "which takes about half as long again."));
    return c;
}

bool isBackground(const QString &user, const QString &command)
{
    return user == QLatin1String("system user") || user == QLatin1String("event_scheduler") ||
           user == QLatin1String("rdsadmin") || command == QLatin1String("Daemon") ||
           command.startsWith(QLatin1String("Binlog Dump"));
}

Result<std::vector<LiveClient>> readLiveClients(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet list, s.query(QStringLiteral("SHOW FULL PROCESSLIST"), stop));
    QList<quint64> ids;
    for (std::size_t i = 0; i < list.rows.size(); ++i) {
        if (list.text(i, "User") == s.address().user)
            ids << list.text(i, "Id").toULongLong();
    }
    CW_TRY_ASSIGN(const QSet<quint64> ours, causewaySessions(s, ids, stop));
    QSet<quint64> inTransaction;
    const auto open =
        s.query(QStringLiteral("SELECT trx_mysql_thread_id FROM information_schema.innodb_trx"),
                stop); // needs PROCESS
    if (!open && open.error().code != ErrorCode::Server)
        return fail(open.error());
    for (std::size_t i = 0; open && i < open->rows.size(); ++i)
        inTransaction.insert(open->text(i, std::size_t(0)).toULongLong());

    std::vector<LiveClient> out;
    for (std::size_t i = 0; i < list.rows.size(); ++i) {
        const QString user = list.text(i, "User");
        const QString command = list.text(i, "Command");
        if (isBackground(user, command))
            continue;
        const quint64 id = list.text(i, "Id").toULongLong();
        LiveClient c;
        c.id = static_cast<qint64>(id);
        c.account = user;
        // "host:port"; the port of a client means nothing to a person.
        c.host = list.text(i, "Host");
        if (const qsizetype colon = c.host.lastIndexOf(QLatin1Char(':')); colon > 0)
            c.host.truncate(colon);
        c.database = list.text(i, "db");
        c.state = list.text(i, "State").isEmpty() ? command : list.text(i, "State");
        c.seconds = list.text(i, "Time").toLongLong();
        c.statement = redact(list.text(i, "Info")).left(200);
        c.ours = ours.contains(id);
        c.holdsTransaction = inTransaction.contains(id);
        out.push_back(std::move(c));
    }
    return out;
}

} // namespace causeway::mysql
