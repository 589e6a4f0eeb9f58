#include "mysql/checks/Fixes.h"
#include "mysql/checks/Needs.h"

#include <algorithm>

/// What a replica must be to be read in place of its primary (mysql/ReplicaSource.h). `here` is the
/// replica, `other` the primary.
namespace causeway::mysql {

namespace {

Error unknownPrimary(const Look &look)
{
    Error e;
    e.code = ErrorCode::Internal;
    e.message =
        cwText("core", "The primary of %1 is not known here.", look.here.address().display());
    return e;
}

Status lookReplicates(Look &look)
{
    if (!look.other)
        return fail(unknownPrimary(look));
    const QString here = look.here.address().display(), there = look.other->address().display();
    CW_TRY_ASSIGN(const auto *replicas, look.here.replicas(look.stop));
    CW_TRY_ASSIGN(const auto *facts, look.other->facts(look.stop));
    CW_TRY_ASSIGN(const QString serverId, look.other->variable("server_id", look.stop));
    CW_TRY_ASSIGN(const QString uuid, look.other->variable("server_uuid", look.stop));
    const auto it = std::find_if(replicas->begin(), replicas->end(), [&](const ReplicaBrief &r) {
        return facts->isMariaDb ? r.sourceId == serverId : r.sourceUuid == uuid;
    });
    if (it == replicas->end()) {
        for (const ReplicaBrief &r : *replicas)
            look.out.objects << r.source;
        look.out.fix.text = cwText("core",
                                   "Name the server that %1 replicates from with "
                                   "--source-writer, or use %2 itself as the source.",
                                   here, there);
        return look.block(replicas->empty()
                              ? cwText("core", "%1 is no replica.", here)
                              : cwText("core", "%1 does not replicate from %2 but from %3.", here,
                                       there, someOf(look.out.objects)));
    }
    if (!it->wholly) {
        look.out.fix.sql << (facts->isMariaDb || facts->versionNumber < 80022
                                 ? QStringLiteral("START SLAVE;")
                                 : QStringLiteral("START REPLICA;"));
        look.out.fix.privilege = QStringLiteral("REPLICATION_SLAVE_ADMIN / SUPER");
        look.out.fix.platform = platformOf(look);
        return look.block(cwText("core", "The replication of %1 is stopped.", here));
    }
    if (!it->filters.isEmpty()) {
        look.out.objects = it->filters;
        look.out.fix.text =
            cwText("core", "Take the filters off, or use %1 itself as the source.", there);
        return look.block(
            cwText("core", "%1 replicates only a part: %2.", here, someOf(it->filters)));
    }
    CW_TRY_ASSIGN(const auto *v, look.here.variables(look.stop));
    if (!look.options.once &&
        v->value(QStringLiteral("log_replica_updates"),
                 v->value(QStringLiteral("log_slave_updates"))) == QLatin1String("OFF")) {
        CW_TRY_ASSIGN(const auto *mine, look.here.facts(look.stop));
        const bool renamed = !mine->isMariaDb && mine->versionNumber >= 80026;
        look.out.fix.restart = true;
        look.out.fix.platform = platformOf(look);
        look.out.fix.config << QStringLiteral("[mysqld]")
                            << (renamed ? QStringLiteral("log_replica_updates = ON")
                                        : QStringLiteral("log_slave_updates = ON"));
        return look.block(cwText("core", "It does not log what it replicates: "
                                         "log_replica_updates is OFF."));
    }
    if (it->behindSeconds > 60) {
        look.out.fix.text = cwText("core", "It may catch up by itself; at the switch writes are "
                                           "held until it has, for 30 seconds at most.");
        return look.warn(cwText("core", "It is %1 seconds behind its primary.", it->behindSeconds));
    }
    return look.pass(
        cwText("core", "It replicates all of %1, which is closed at the switch.", there));
}

/// Of what the source's account needs, only reading.
Status lookReadRights(Look &look)
{
    CW_TRY_ASSIGN(const auto *mine, look.here.grants(look.stop));
    CW_TRY_ASSIGN(const auto needs, neededGrants(look.here, look.other, look.options, look.stop));
    static const QStringList kReading{QStringLiteral("SELECT"), QStringLiteral("REPLICATION SLAVE"),
                                      QStringLiteral("REPLICATION CLIENT")};
    QStringList sql;
    for (const Need &need : needs) {
        if (!need.required)
            continue;
        QStringList missing = need.missingFrom(mine->grants);
        missing.removeIf([](const QString &p) { return !kReading.contains(p); });
        if (missing.isEmpty())
            continue;
        for (const QString &p : missing)
            look.out.objects
                << QStringLiteral("%1 ON %2").arg(p, need.grantScopes().join(QStringLiteral(", ")));
        sql += grantSql(need, missing, mine->account);
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "%1 may read rows and log.", mine->account));
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Run by an administrator: on the primary, from where it "
                                         "replicates, unless accounts are made on each server."),
                          QStringLiteral("GRANT OPTION"));
    return look.block(
        cwText("core", "%1 lacks privileges: %2.", mine->account, someOf(look.out.objects)));
}

} // namespace

std::vector<Check> replicaChecks(const Servers &replicaAndPrimary, const CheckOptions &options)
{
    CheckList list(replicaAndPrimary, options);
    list.add({.id = QStringLiteral("mysql-source-writer"),
              .title = cwText("core", "Replica in place of its primary"),
              .needed = cwText("core", "It replicates all of the primary and logs it again."),
              .why = cwText("core", "Rows and changes are read from the replica, while the primary "
                                    "is what applications write to and what is closed: what does "
                                    "not arrive at the replica would be missed."),
              .sql = {QStringLiteral("SHOW REPLICA STATUS")},
              .look = lookReplicates});
    list.add({.id = QStringLiteral("mysql-grants"),
              .title = cwText("core", "Privileges for reading"),
              .needed = cwText("core", "The account may read the tables and the binary log."),
              .why = cwText("core", "Rows and changes come from this server."),
              .sql = {QStringLiteral("SHOW GRANTS")},
              .look = lookReadRights});
    addBinlogChecks(list);
    addBinlogProbe(list);
    std::vector<Check> checks = list.take();
    std::erase_if(checks, [](const Check &c) { return c.side != FindingSide::Source; });
    for (Check &c : checks)
        c.server = replicaAndPrimary.source->address().display();
    return checks;
}

} // namespace causeway::mysql
