#include "mysql/Parts.h"
#include "mysql/checks/Fixes.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

const QString kVars = QStringLiteral("SHOW GLOBAL VARIABLES");

Status lookLogBin(Look &look)
{
    CW_TRY_ASSIGN(const QString value, look.here.variable("log_bin", look.stop));
    if (value == QLatin1String("ON"))
        return look.pass(cwText("core", "The binary log is on."));
    Fix &fix = look.out.fix;
    fix.platform = platformOf(look);
    fix.restart = true;
    switch (fix.platform) {
    case Platform::Rds:
        fix.text = cwText("core", "Turn automatic backups on: that turns the binary log on.");
        fix.command << QStringLiteral(
            "aws rds modify-db-instance --db-instance-identifier INSTANCE "
            "--backup-retention-period 1 --apply-immediately");
        break;
    case Platform::Aurora:
        fix =
            settingFix(look, {{QStringLiteral("binlog_format"), QStringLiteral("ROW"), true}},
                       cwText("core", "Set binlog_format in the parameter group of the cluster and "
                                      "reboot the writer: that turns the binary log on. Backups "
                                      "do not."));
        break;
    case Platform::CloudSql:
        fix.text =
            cwText("core", "Turn automatic backups and point-in-time recovery on: that turns "
                           "the binary log on. The instance restarts.");
        fix.command << QStringLiteral("gcloud sql instances patch INSTANCE --backup-start-time "
                                      "02:00 --enable-bin-log");
        break;
    case Platform::SelfManaged: {
        QString id;
        if (const auto v = look.here.variable("server_id", look.stop))
            id = *v;
        fix.text = cwText("core", "Add the lines to the server's configuration and restart it.");
        fix.config << QStringLiteral("[mysqld]") << QStringLiteral("log_bin = binlog")
                   << QStringLiteral("binlog_format = ROW")
                   << QStringLiteral("binlog_row_image = FULL")
                   << QStringLiteral("server_id = %1")
                          .arg(id.toULongLong() > 0 ? id : QStringLiteral("1"));
        break;
    }
    default:
        fix.text = cwText("core", "This service must turn the binary log on: ask its support.");
    }
    return look.block(cwText("core", "The binary log is off."));
}

Status lookFormat(Look &look)
{
    CW_TRY_ASSIGN(const QString value, look.here.variable("binlog_format", look.stop));
    // Where the variable is gone, ROW is all there is.
    if (value.isEmpty() || value == QLatin1String("ROW"))
        return look.pass(cwText("core", "Changes are logged as rows."));
    look.out.fix = settingFix(look, {{QStringLiteral("binlog_format"), QStringLiteral("ROW")}});
    return look.block(cwText("core", "binlog_format is %1.", value));
}

Status lookRowImage(Look &look)
{
    CW_TRY_ASSIGN(const QString value, look.here.variable("binlog_row_image", look.stop));
    if (value.isEmpty() || value.toUpper() == QLatin1String("FULL"))
        return look.pass(cwText("core", "Rows are logged whole."));
    look.out.fix = settingFix(look, {{QStringLiteral("binlog_row_image"), QStringLiteral("FULL")}});
    return look.block(cwText("core", "binlog_row_image is %1.", value));
}

Status lookRowValueOptions(Look &look)
{
    CW_TRY_ASSIGN(const QString value, look.here.variable("binlog_row_value_options", look.stop));
    if (value.isEmpty())
        return look.pass(cwText("core", "JSON values are logged whole."));
    look.out.fix = settingFix(look, {{QStringLiteral("binlog_row_value_options"), QString()}});
    return look.warn(cwText("core", "binlog_row_value_options is %1.", value));
}

Status lookGtidMode(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    if (facts->isMariaDb)
        return look.pass(cwText("core", "MariaDB always has GTIDs."));
    CW_TRY_ASSIGN(const QString value, look.here.variable("gtid_mode", look.stop));
    if (value == QLatin1String("ON"))
        return look.pass(cwText("core", "GTIDs are on."));
    if (value.isEmpty() || facts->versionNumber < 50706) {
        look.out.fix = settingFix(
            look, {{QStringLiteral("gtid_mode"), QStringLiteral("ON"), true},
                   {QStringLiteral("enforce_gtid_consistency"), QStringLiteral("ON"), true}});
        return look.warn(cwText("core", "GTIDs are off."));
    }
    // A direct OFF -> ON is error 1788: one step at a time, each on every server of the topology
    // before the next. Done here are only those that are still missing.
    CW_TRY_ASSIGN(const QString enforce, look.here.variable("enforce_gtid_consistency", look.stop));
    std::vector<Setting> steps;
    if (enforce == QLatin1String("OFF"))
        steps.push_back({QStringLiteral("enforce_gtid_consistency"), QStringLiteral("WARN")});
    if (enforce != QLatin1String("ON"))
        steps.push_back({QStringLiteral("enforce_gtid_consistency"), QStringLiteral("ON")});
    const QStringList order{QStringLiteral("OFF"), QStringLiteral("OFF_PERMISSIVE"),
                            QStringLiteral("ON_PERMISSIVE"), QStringLiteral("ON")};
    for (qsizetype i = order.indexOf(value) + 1; i < order.size(); ++i)
        steps.push_back({QStringLiteral("gtid_mode"), order[i]});
    look.out.fix = settingFix(
        look, steps,
        cwText("core",
               "One step after the other, each on every server of the topology before the next "
               "one is begun; no restart is needed on a server of your own. Between the steps: "
               "after enforce_gtid_consistency = WARN let a normal day's work pass and read the "
               "error log, which names statements that GTIDs do not allow; mend those before ON. "
               "After gtid_mode = ON_PERMISSIVE wait until SHOW GLOBAL STATUS LIKE "
               "'Ongoing_anonymous_transaction_count' is 0 on every server, and until every "
               "replica has applied all that was written before: only then gtid_mode = ON. "
               "Afterwards let the replicas follow with auto position."));
    Fix &fix = look.out.fix;
    // Not ours to hurry: the replicas of this server take part, and the waits between are for eyes.
    fix.canApply = false;
    if (!fix.config.isEmpty()) {
        fix.config = {QStringLiteral("[mysqld]"), QStringLiteral("enforce_gtid_consistency = ON"),
                      QStringLiteral("gtid_mode = ON")};
    }
    return look.warn(cwText("core", "gtid_mode is %1.", value));
}

Status lookEnforceGtid(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    if (facts->isMariaDb)
        return look.pass(cwText("core", "MariaDB always has GTIDs."));
    CW_TRY_ASSIGN(const QString value, look.here.variable("enforce_gtid_consistency", look.stop));
    if (value == QLatin1String("ON"))
        return look.pass(cwText("core", "enforce_gtid_consistency is ON."));
    const QString name = QStringLiteral("enforce_gtid_consistency");
    std::vector<Setting> steps;
    if (value == QLatin1String("OFF"))
        steps.push_back({name, QStringLiteral("WARN")});
    steps.push_back({name, QStringLiteral("ON")});
    look.out.fix = settingFix(
        look, steps,
        cwText("core", "Set it to WARN first and watch the error log for statements that GTIDs do "
                       "not allow; ON makes those fail."));
    look.out.fix.canApply = false; // the application's statements may begin to fail
    if (!look.out.fix.config.isEmpty())
        look.out.fix.config = {QStringLiteral("[mysqld]"),
                               QStringLiteral("enforce_gtid_consistency = ON")};
    return look.warn(cwText("core", "enforce_gtid_consistency is %1.", value));
}

constexpr qint64 kLeastRetention = 172'800;
/// Bytes of tables copied in a second, where no throttle says less: a cautious figure for a network
/// between two data centres. The forecast gates the start; while copying, the measured rate counts.
constexpr qint64 kCautiousRate = 20'000'000;

/// How long the log must be kept, and how long the copy is forecast to take.
struct LogNeed {
    qint64 copySeconds = 0;
    [[nodiscard]] qint64 seconds() const { return std::max(kLeastRetention, 3 * copySeconds); }
};

Result<LogNeed> logNeed(Look &look)
{
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    qint64 bytes = 0;
    for (const TableBrief &t : *tables)
        bytes += t.bytes;
    const qint64 throttle = look.options.bytesPerSecond;
    const qint64 rate = throttle > 0 ? std::min(throttle, kCautiousRate) : kCautiousRate;
    return LogNeed{bytes / rate};
}

Status tooShort(Look &look, const LogNeed &need, qint64 keptSeconds)
{
    if (need.seconds() > kLeastRetention) {
        return look.block(cwText("core",
                                 "The binary log is kept for %1 hours; the copy is forecast to "
                                 "take about %2 hours, and three times as much is asked for.",
                                 keptSeconds / 3600, (need.copySeconds + 3599) / 3600));
    }
    return look.block(cwText("core", "The binary log is kept for %1 hours.", keptSeconds / 3600));
}

/// RDS and Aurora purge on their own, whatever the variables say. False: no such procedure here.
Result<bool> lookRdsRetention(Look &look, const LogNeed &need)
{
    CW_TRY_ASSIGN(const auto procedure,
                  look.here.query(QStringLiteral("SELECT 1 FROM information_schema.routines WHERE "
                                                 "routine_schema='mysql' AND routine_name="
                                                 "'rds_show_configuration'"),
                                  look.stop));
    const Platform platform = platformOf(look);
    if (procedure.rows.empty() && platform != Platform::Rds && platform != Platform::Aurora)
        return false;
    const auto called =
        look.here.query(QStringLiteral("CALL mysql.rds_show_configuration"), look.stop);
    if (!called && called.error().number == 1370) {
        CW_TRY_ASSIGN(const auto *mine, look.here.grants(look.stop));
        look.out.fix = sqlFix(look,
                              {QStringLiteral("GRANT EXECUTE ON PROCEDURE "
                                              "mysql.rds_show_configuration TO %1;")
                                   .arg(mine->account)},
                              cwText("core", "Run by an administrator of this server."),
                              QStringLiteral("GRANT OPTION"));
        CW_TRY(look.block(
            cwText("core", "%1 may not ask how long this service keeps its log.", mine->account)));
        return true;
    }
    CW_TRY_ASSIGN(const auto rows, called);
    QString hours;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        if (rows.text(i, std::size_t{0}) == QLatin1String("binlog retention hours"))
            hours = rows.text(i, 1);
    }
    const qint64 kept = hours.toLongLong() * 3600;
    if (kept >= need.seconds()) {
        CW_TRY(look.pass(cwText("core", "The binary log is kept for %1 hours.", hours)));
        return true;
    }
    // The most that the service takes: a week, at Aurora ninety days.
    const qint64 most = platform == Platform::Aurora ? 2160 : 168;
    const qint64 wanted = std::min(most, std::max<qint64>(48, (need.seconds() + 3599) / 3600));
    look.out.fix.platform = platform == Platform::SelfManaged ? Platform::Rds : platform;
    look.out.fix.text =
        cwText("core", "Takes effect at once, without a restart. The log takes up storage of the "
                       "instance meanwhile: look at its free space, and set the old value again "
                       "afterwards.");
    look.out.fix.sql << QStringLiteral(
                            "CALL mysql.rds_set_configuration('binlog retention hours', %1);")
                            .arg(wanted);
    look.out.fix.privilege = QStringLiteral("EXECUTE on mysql.rds_set_configuration");
    if (hours.isEmpty()) {
        CW_TRY(
            look.block(cwText("core", "\"binlog retention hours\" is not set: the service purges "
                                      "the binary log as soon as it can.")));
    } else {
        CW_TRY(tooShort(look, need, kept));
    }
    return true;
}

Status lookRetention(Look &look)
{
    CW_TRY_ASSIGN(const LogNeed need, logNeed(look));
    look.out.needed = cwText("core",
                             "At least %1 hours: 48, and three times as long as the copy "
                             "takes.",
                             (need.seconds() + 3599) / 3600);
    CW_TRY_ASSIGN(const bool answered, lookRdsRetention(look, need));
    if (answered)
        return {};
    CW_TRY_ASSIGN(const auto *v, look.here.variables(look.stop));
    if (v->value(QStringLiteral("binlog_expire_logs_auto_purge")) == QLatin1String("OFF"))
        return look.pass(cwText("core", "The binary log is not purged by itself."));
    const auto size = v->value(QStringLiteral("max_binlog_total_size")).toLongLong();
    const QString secondsName = QStringLiteral("binlog_expire_logs_seconds");
    const QString daysName = QStringLiteral("expire_logs_days");
    qint64 seconds = v->value(secondsName).toLongLong();
    if (seconds == 0)
        seconds = static_cast<qint64>(v->value(daysName).toDouble() * 86'400);
    // At Azure 0 does not mean for ever: a file goes as soon as nobody reads it.
    const bool unsetAtAzure = seconds == 0 && platformOf(look) == Platform::Azure;
    if (unsetAtAzure || (seconds != 0 && seconds < need.seconds())) {
        // MariaDB before 10.6 and MySQL 5.7 know days only.
        const qint64 wanted = std::max<qint64>(604'800, need.seconds());
        look.out.fix =
            v->contains(secondsName)
                ? settingFix(look, {{secondsName, QString::number(wanted)}})
                : settingFix(look, {{daysName, QString::number((wanted + 86'399) / 86'400)}});
        return unsetAtAzure
                   ? look.block(cwText("core", "binlog_expire_logs_seconds is 0: the service "
                                               "purges a file of the binary log as soon as nobody "
                                               "reads it."))
                   : tooShort(look, need, seconds);
    }
    if (size > 0) {
        look.out.fix =
            settingFix(look, {{QStringLiteral("max_binlog_total_size"), QStringLiteral("0")}});
        return look.warn(
            cwText("core", "The binary log is purged when it exceeds %1 bytes.", size));
    }
    if (seconds == 0)
        return look.pass(cwText("core", "The binary log is not purged by itself."));
    return look.pass(cwText("core", "The binary log is kept for %1 hours.", seconds / 3600));
}

Status lookFilters(Look &look)
{
    CW_TRY_ASSIGN(const QString on, look.here.variable("log_bin", look.stop));
    if (on != QLatin1String("ON"))
        return look.skip(cwText("core", "The binary log is off."));
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    CW_TRY_ASSIGN(const auto rows,
                  look.here.query(logStatusSql(facts->isMariaDb, facts->versionNumber), look.stop));
    QString filters;
    if (!rows.rows.empty())
        filters = rows.text(0, "Binlog_Do_DB") + rows.text(0, "Binlog_Ignore_DB");
    if (filters.isEmpty())
        return look.pass(cwText("core", "Every schema is logged."));
    look.out.fix.platform = platformOf(look);
    look.out.fix.restart = true;
    look.out.fix.text = cwText("core", "Take binlog-do-db and binlog-ignore-db out of the server's "
                                       "configuration and restart it.");
    return look.block(cwText("core", "The binary log leaves schemas out: %1.", filters));
}

Status lookOrderCommits(Look &look)
{
    CW_TRY_ASSIGN(const QString value, look.here.variable("binlog_order_commits", look.stop));
    if (value != QLatin1String("OFF"))
        return look.pass(cwText("core", "Transactions commit in the order of the log."));
    look.out.fix =
        settingFix(look, {{QStringLiteral("binlog_order_commits"), QStringLiteral("ON")}});
    return look.block(cwText("core", "binlog_order_commits is OFF."));
}

Status lookServerId(Look &look)
{
    CW_TRY_ASSIGN(const QString value, look.here.variable("server_id", look.stop));
    if (value.toULongLong() > 0)
        return look.pass(cwText("core", "server_id is %1.", value));
    look.out.fix =
        settingFix(look, {{QStringLiteral("server_id"), QStringLiteral("1")}},
                   cwText("core", "Any number that no other server of the topology has."));
    look.out.fix.canApply = false;
    return look.block(cwText("core", "server_id is 0, with which a server refuses all replicas."));
}

} // namespace

void addBinlogChecks(CheckList &list)
{
    list.add(
        {.id = QStringLiteral("mysql-log-bin"),
         .title = cwText("core", "Binary log"),
         .needed = cwText("core", "log_bin is ON."),
         .why = cwText("core", "Changes made while the rows are copied are read from the binary "
                               "log; without it they would be lost."),
         .onlyLive = true,
         .sql = {kVars},
         .look = lookLogBin});
    list.add(
        {.id = QStringLiteral("mysql-binlog-format"),
         .title = cwText("core", "Format of the binary log"),
         .needed = cwText("core", "binlog_format is ROW."),
         .why = cwText("core", "Only logged rows can be applied exactly: a logged statement may "
                               "give something else on the other server."),
         .onlyLive = true,
         .sql = {kVars},
         .look = lookFormat});
    list.add(
        {.id = QStringLiteral("mysql-binlog-row-image"),
         .title = cwText("core", "Row images in the binary log"),
         .needed = cwText("core", "binlog_row_image is FULL."),
         .why = cwText("core", "A change is applied as the whole row; columns missing from the "
                               "log would be lost."),
         .onlyLive = true,
         .sql = {kVars},
         .look = lookRowImage});
    list.add(
        {.id = QStringLiteral("mysql-binlog-row-value-options"),
         .title = cwText("core", "Partial JSON in the binary log"),
         .needed = cwText("core", "binlog_row_value_options is empty."),
         .why = cwText("core", "Partial JSON updates are applied too, but more slowly: each one "
                               "needs the row as it was."),
         .blocking = false,
         .onlyLive = true,
         .sql = {kVars},
         .look = lookRowValueOptions});
    list.add(
        {.id = QStringLiteral("mysql-gtid-mode"),
         .title = cwText("core", "GTIDs"),
         .needed = cwText("core", "gtid_mode is ON."),
         .why = cwText("core", "Without GTIDs the place in the log is a file and an offset: a "
                               "failover of the source cannot be followed, and the start needs "
                               "a short lock."),
         .blocking = false,
         .onlyLive = true,
         .sql = {kVars},
         .look = lookGtidMode});
    list.add({.id = QStringLiteral("mysql-enforce-gtid-consistency"),
              .title = cwText("core", "GTID consistency"),
              .needed = cwText("core", "enforce_gtid_consistency is ON."),
              .why = cwText("core", "GTIDs can only be turned on when it is enforced."),
              .blocking = false,
              .onlyLive = true,
              .sql = {kVars},
              .look = lookEnforceGtid});
    list.add(
        {.id = QStringLiteral("mysql-binlog-retention"),
         .title = cwText("core", "How long the binary log is kept"),
         .needed = cwText("core", "At least 48 hours, and three times as long as the copy takes."),
         .why = cwText("core", "The log since the start is read after the copy: what was purged "
                               "by then is lost, and the copy must begin anew."),
         .acceptable = true,
         .onlyLive = true,
         .sql = {kVars, QStringLiteral("CALL mysql.rds_show_configuration")},
         .look = lookRetention});
    list.add({.id = QStringLiteral("mysql-binlog-filter"),
              .title = cwText("core", "Filters of the binary log"),
              .needed = cwText("core", "No binlog-do-db and no binlog-ignore-db."),
              .why = cwText("core", "Changes that are filtered out never arrive."),
              .onlyLive = true,
              .sql = {QStringLiteral("SHOW MASTER STATUS")},
              .look = lookFilters});
    list.add(
        {.id = QStringLiteral("mysql-binlog-order-commits"),
         .title = cwText("core", "Order of commits"),
         .needed = cwText("core", "binlog_order_commits is ON."),
         .why = cwText("core", "Else a row that is read may be newer than the place in the log "
                               "says."),
         .onlyLive = true,
         .sql = {kVars},
         .look = lookOrderCommits});
    list.add({.id = QStringLiteral("mysql-server-id"),
              .title = cwText("core", "Server id"),
              .needed = cwText("core", "server_id is at least 1."),
              .why = cwText("core", "A server with id 0 refuses to send its log."),
              .onlyLive = true,
              .sql = {kVars},
              .look = lookServerId});
}

} // namespace causeway::mysql
