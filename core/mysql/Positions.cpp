#include "base/Stop.h"
#include "mysql/Parts.h"
#include "mysql/binlog/DumpConnection.h"
#include "mysql/binlog/LogPosition.h"

#include <algorithm>
#include <chrono>

namespace causeway::mysql {

namespace {

constexpr int lockAttempts = 10;
constexpr int lockWaitTimeout = 1205;
constexpr int accessDenied = 1227;

tl::unexpected<Error> noLog(const Session &s)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-log-bin");
    e.object = s.address().display();
    e.message = cwText("core", "%1 writes no binary log.", s.address().display());
    e.fix = cwText("core", "Switch the binary log on (log_bin) and restart the server.");
    return fail(std::move(e));
}

Result<Position> filePosition(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const QString end, readLogEnd(s, stop));
    return end.isEmpty() ? Result<Position>(noLog(s)) : Position{QStringLiteral("file:") + end};
}

/// The snapshot and the place in the log are taken together inside the server's commit order,
/// without any lock.
Result<Position> mariaDbPosition(Session &s, std::stop_token stop)
{
    // WITH CONSISTENT SNAPSHOT gives a snapshot under REPEATABLE READ only.
    CW_TRY(s.exec(QStringLiteral("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"), stop));
    CW_TRY(s.exec(QStringLiteral("START TRANSACTION WITH CONSISTENT SNAPSHOT"), stop));
    auto status = s.query(QStringLiteral("SHOW STATUS LIKE 'binlog_snapshot_%'"), stop);
    CW_TRY(s.exec(QStringLiteral("ROLLBACK"), stop));
    CW_TRY(status);
    LogPosition p;
    for (std::size_t i = 0; i < status->rows.size(); ++i) {
        const QString name = status->text(i, std::size_t(0));
        if (name.compare(QLatin1String("binlog_snapshot_file"), Qt::CaseInsensitive) == 0)
            p.file = status->text(i, 1).toStdString();
        else if (name.compare(QLatin1String("binlog_snapshot_position"), Qt::CaseInsensitive) == 0)
            p.offset = status->text(i, 1).toULongLong();
    }
    if (p.file.empty())
        return noLog(s);
    // BINLOG_GTID_POS reads the file from its beginning: half a second for 100 MB (measured on
    // 10.11), with writes held at a switch. The place alone is as exact.
    constexpr quint64 kWorthSearching = 16'000'000;
    if (p.offset > kWorthSearching)
        return p.position();
    CW_TRY_ASSIGN(const ResultSet gtid, s.query(QStringLiteral("SELECT BINLOG_GTID_POS(%1,%2)")
                                                    .arg(quoteText(QString::fromStdString(p.file)))
                                                    .arg(p.offset),
                                                stop));
    // NULL where the file cannot be searched: then the place alone has to do.
    if (!gtid.rows.empty() && !gtid.isNull(0, 0)) {
        p.kind = LogPosition::Kind::MariaDb;
        CW_TRY_ASSIGN(p.domains,
                      MariaDbGtidList::parse(gtid.text(0, std::size_t(0)).toStdString()));
    }
    return p.position();
}

Result<QString> lockTablesSql(Session &s, const Selection &selection, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const ResultSet r,
        s.query(QStringLiteral("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES "
                               "WHERE TABLE_TYPE='BASE TABLE' AND TABLE_SCHEMA NOT IN "
                               "('mysql','sys','information_schema','performance_schema')"),
                stop));
    QStringList tables;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        const TableName name{r.text(i, std::size_t(0)), r.text(i, 1)};
        if (selection.matches(name))
            tables += quoteName(name) + QLatin1String(" READ");
    }
    return tables.isEmpty() ? QString()
                            : QStringLiteral("LOCK TABLES ") + tables.join(QLatin1String(", "));
}

/// Without GTID: the log shows a transaction before InnoDB does (seen with a commit that waits for
/// its semi-synchronous replica), so that the place alone would lose rows. The lock waits until
/// every commit under way is done in the engine as well.
Result<Position> lockedPosition(Session &s, const Selection &selection, std::stop_token stop)
{
    // Waiting for it blocks all writers behind it, hence short and repeated.
    CW_TRY(s.exec(QStringLiteral("SET SESSION lock_wait_timeout=2"), stop));
    QString lock = QStringLiteral("FLUSH TABLES WITH READ LOCK");
    Status locked;
    for (int attempt = 0; attempt < lockAttempts; ++attempt) {
        locked = s.exec(lock, stop);
        if (locked)
            break;
        const Error &e = locked.error();
        if (e.number == accessDenied || e.number == 1045) {
            CW_TRY_ASSIGN(const QString tables, lockTablesSql(s, selection, stop));
            if (tables.isEmpty() || lock == tables)
                break;
            lock = tables;
        } else if (e.number != lockWaitTimeout) {
            break;
        } else if (!pauseFor(stop, std::chrono::milliseconds(500))) {
            return fail(cancelledError());
        }
    }
    if (!locked) {
        Error e = std::move(locked).error();
        if (e.number == lockWaitTimeout) {
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("mysql-position-lock");
            e.message =
                cwText("core", "A long statement or an open transaction kept the short lock "
                               "that a position without GTID needs.");
            e.fix = cwText("core", "End it and try again, or switch gtid_mode on.");
        }
        return fail(std::move(e));
    }
    auto position = filePosition(s, stop);
    CW_TRY(s.exec(QStringLiteral("UNLOCK TABLES"), stop));
    return position;
}

Result<QString> variable(Session &s, const char *name, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const ResultSet r,
        s.query(QStringLiteral("SHOW GLOBAL VARIABLES LIKE '%1'").arg(QLatin1String(name)), stop));
    return r.rows.empty() ? QString() : r.text(0, 1);
}

struct LogFile {
    std::string name;
    std::uint64_t size = 0;
};

Result<std::vector<LogFile>> logFiles(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r, s.query(QStringLiteral("SHOW BINARY LOGS"), stop));
    std::vector<LogFile> out;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out.push_back({r.text(i, std::size_t(0)).toStdString(), r.text(i, 1).toULongLong()});
    return out;
}

/// Nothing where the server has none: MySQL without GTID.
Result<std::optional<Position>> positionWithoutLock(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const QString logBin, variable(s, "log_bin", stop));
    if (logBin != QLatin1String("ON"))
        return noLog(s);
    if (s.isMariaDb()) {
        CW_TRY_ASSIGN(const Position position, mariaDbPosition(s, stop));
        return std::optional(position);
    }
    CW_TRY_ASSIGN(const QString gtidMode, variable(s, "gtid_mode", stop));
    if (gtidMode != QLatin1String("ON"))
        return std::optional<Position>();
    // A transaction enters the set after the engine has committed it.
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT @@GLOBAL.gtid_executed"), stop));
    LogPosition p;
    p.kind = LogPosition::Kind::MySqlGtid;
    CW_TRY_ASSIGN(p.executed, GtidSet::parse(r.text(0, std::size_t(0)).toStdString()));
    return std::optional(p.position());
}

} // namespace

QString logStatusSql(bool mariaDb, int version)
{
    return !mariaDb && version >= 80200 ? QStringLiteral("SHOW BINARY LOG STATUS")
                                        : QStringLiteral("SHOW MASTER STATUS");
}

Result<QString> readLogEnd(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r, s.query(logStatusSql(s.isMariaDb(), s.version()), stop));
    if (r.rows.empty())
        return QString();
    return r.text(0, std::size_t(0)) + QLatin1Char(':') + r.text(0, 1);
}

Result<Position> readCurrentPosition(Session &s, const Selection &selection, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto exact, positionWithoutLock(s, stop));
    return exact ? Result<Position>(*exact) : lockedPosition(s, selection, stop);
}

Result<Position> readPositionUnderLock(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto exact, positionWithoutLock(s, stop));
    return exact ? Result<Position>(*exact) : filePosition(s, stop);
}

bool positionReached(const Position &applied, const Position &wanted)
{
    const auto a = LogPosition::parse(applied);
    const auto w = LogPosition::parse(wanted);
    return a && w && a->reached(*w);
}

namespace {
/// Whether this is the log that the position comes from. Numbers and names say little: after a
/// RESET they begin again, and once the log has grown beyond the position all else fits.
Status checkSameLog(Session &s, const LogPosition &p, const std::vector<LogFile> &files,
                    std::stop_token stop)
{
    const QString name = QString::fromStdString(p.file);
    const auto there = std::find_if(files.begin(), files.end(),
                                    [&p](const LogFile &f) { return f.name == p.file; });
    if (there == files.end()) {
        const auto known = LogFileNumber::of(p.file);
        const auto newest = files.empty() ? std::nullopt : LogFileNumber::of(files.back().name);
        if (known && newest && known->base == newest->base && newest->number < known->number)
            return fail(logReplacedError(
                cwText("core",
                       "its files are numbered from the beginning again, %1 comes before "
                       "%2, which was read",
                       QString::fromStdString(files.back().name), name)));
        return {}; // purged, or named otherwise since
    }
    if (there->size < p.offset)
        return fail(logReplacedError(
            cwText("core", "its file %1 is shorter than what was read of it", name)));
    CW_TRY_ASSIGN(const std::uint32_t begun, readFileBegin(s.address(), p.file, std::move(stop)));
    if (begun != 0 && begun != p.created)
        return fail(logReplacedError(cwText("core", "its file %1 was begun anew", name)));
    return {};
}
} // namespace

Result<Position> identifiedPosition(Session &s, const Position &from, std::stop_token stop)
{
    CW_TRY_ASSIGN(LogPosition p, LogPosition::parse(from));
    if (p.created != 0)
        return from;
    if (p.file.empty()) { // by GTID: any file of this log will do
        CW_TRY_ASSIGN(const Position now, filePosition(s, stop));
        CW_TRY_ASSIGN(const LogPosition place, LogPosition::parse(now));
        p.file = place.file;
        p.offset = place.offset;
    }
    CW_TRY_ASSIGN(p.created, readFileBegin(s.address(), p.file, std::move(stop)));
    return p.created == 0 ? from : p.position();
}

Result<bool> logStillHas(Session &s, const Position &from, std::stop_token stop)
{
    CW_TRY_ASSIGN(const LogPosition p, LogPosition::parse(from));
    CW_TRY_ASSIGN(const std::vector<LogFile> files, logFiles(s, stop));
    if (p.created != 0)
        CW_TRY(checkSameLog(s, p, files, stop));
    const Error lacking = logReplacedError(
        cwText("core", "transactions that were read are not among those that it has"));
    if (p.kind == LogPosition::Kind::MySqlGtid) {
        // What was purged must have been read, and what was read must be known: a server that
        // lacks some of it is another one, or went back in time.
        const QString set = quoteText(QString::fromStdString(p.executed.text()));
        CW_TRY_ASSIGN(const ResultSet r,
                      s.query(QStringLiteral("SELECT GTID_SUBSET(@@GLOBAL.gtid_purged, %1), "
                                             "GTID_SUBSET(%1, @@GLOBAL.gtid_executed)")
                                  .arg(set),
                              stop));
        if (r.text(0, 1) != QLatin1String("1"))
            return fail(lacking);
        return r.text(0, std::size_t(0)) == QLatin1String("1");
    }
    if (files.empty())
        return false;
    if (p.kind == LogPosition::Kind::MariaDb && !p.domains.isEmpty()) {
        // The state at the beginning of the oldest file: all before it is gone.
        CW_TRY_ASSIGN(
            const ResultSet r,
            s.query(QStringLiteral("SELECT BINLOG_GTID_POS(%1,4), @@GLOBAL.gtid_binlog_pos")
                        .arg(quoteText(QString::fromStdString(files.front().name))),
                    stop));
        CW_TRY_ASSIGN(const auto oldest,
                      MariaDbGtidList::parse(r.text(0, std::size_t(0)).toStdString()));
        CW_TRY_ASSIGN(const auto newest, MariaDbGtidList::parse(r.text(0, 1).toStdString()));
        if (!newest.covers(p.domains))
            return fail(lacking);
        return p.domains.covers(oldest);
    }
    return std::any_of(files.begin(), files.end(),
                       [&p](const LogFile &f) { return f.name == p.file && f.size >= p.offset; });
}

Result<qint64> readRetentionSeconds(Session &s, std::stop_token stop)
{
    // RDS and Aurora purge by their own clock, whatever the variables say; the procedure is only
    // seen by accounts that may call it.
    const auto rds =
        s.query(QStringLiteral("SELECT 1 FROM information_schema.ROUTINES WHERE "
                               "ROUTINE_SCHEMA='mysql' AND ROUTINE_NAME='rds_show_configuration'"),
                stop);
    if (rds && !rds->rows.empty()) {
        const auto shown = s.query(QStringLiteral("CALL mysql.rds_show_configuration"), stop);
        if (shown) {
            for (std::size_t i = 0; i < shown->rows.size(); ++i) {
                if (shown->text(i, "name") == QLatin1String("binlog retention hours")) {
                    // NULL: purged as soon as RDS itself needs it no longer.
                    return shown->text(i, "value").toLongLong() * 3600;
                }
            }
        }
    }
    CW_TRY_ASSIGN(const QString autoPurge, variable(s, "binlog_expire_logs_auto_purge", stop));
    if (autoPurge == QLatin1String("OFF"))
        return -1;
    CW_TRY_ASSIGN(const QString seconds, variable(s, "binlog_expire_logs_seconds", stop));
    if (seconds.toLongLong() > 0)
        return seconds.toLongLong();
    CW_TRY_ASSIGN(const QString days, variable(s, "expire_logs_days", stop));
    const double kept = days.toDouble(); // MariaDB has fractions of a day
    return kept > 0 ? static_cast<qint64>(kept * 86400) : -1;
}

Result<qint64> readLogBytesAfter(Session &s, const QString &place, std::stop_token stop)
{
    const std::string file = place.section(QLatin1Char(':'), 0, -2).toStdString();
    const qint64 offset = place.section(QLatin1Char(':'), -1).toLongLong();
    CW_TRY_ASSIGN(const std::vector<LogFile> files, logFiles(s, stop));
    qint64 bytes = -1;
    for (const LogFile &f : files) {
        if (bytes >= 0)
            bytes += static_cast<qint64>(f.size);
        else if (f.name == file)
            bytes = std::max<qint64>(0, static_cast<qint64>(f.size) - offset);
    }
    return bytes;
}

} // namespace causeway::mysql
