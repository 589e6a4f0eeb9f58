#include "mysql/FencePlan.h"
#include "mysql/binlog/LoggedStatement.h"

#include <QSet>

#include <algorithm>

namespace causeway::mysql {

namespace {

/// Connection ids that hold a metadata lock on one of the tables, or on the server as a whole.
/// MySQL only, and only where performance_schema may be read.
QSet<quint64> lockHolders(Session &s, const std::vector<TableName> &tables, std::stop_token stop)
{
    QSet<quint64> out;
    const auto r =
        s.query(QStringLiteral(
                    "SELECT t.processlist_id, m.object_type, m.object_schema, m.object_name FROM "
                    "performance_schema.metadata_locks m JOIN performance_schema.threads t ON "
                    "t.thread_id=m.owner_thread_id WHERE m.lock_status='GRANTED' AND "
                    "m.object_type IN ('TABLE', 'GLOBAL', 'COMMIT')"),
                std::move(stop));
    if (!r)
        return out; // no right to look, or MariaDB: the caller has other signs
    for (std::size_t i = 0; i < r->rows.size(); ++i) {
        const TableName name{r->text(i, 2), r->text(i, 3)};
        if (r->text(i, 1) != QLatin1String("TABLE") ||
            std::find(tables.begin(), tables.end(), name) != tables.end())
            out.insert(r->text(i, std::size_t(0)).toULongLong());
    }
    return out;
}

/// Connection ids with an open InnoDB transaction, and its age in seconds. Needs PROCESS.
QHash<quint64, qint64> openTransactions(Session &s, std::stop_token stop)
{
    QHash<quint64, qint64> out;
    // trx_started is in the server's system time zone, our session is in UTC.
    const auto aged =
        s.query(QStringLiteral("SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, "
                               "CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) FROM "
                               "information_schema.innodb_trx"),
                std::move(stop));
    if (!aged)
        return out;
    for (std::size_t i = 0; i < aged->rows.size(); ++i)
        out.insert(aged->text(i, std::size_t(0)).toULongLong(), aged->text(i, 1).toLongLong());
    return out;
}

} // namespace

Result<std::vector<WaitingStatement>>
readWaitingDdl(Session &s, const std::vector<TableName> &tables, std::stop_token stop)
{
    std::vector<WaitingStatement> out;
    CW_TRY_ASSIGN(const ResultSet r, s.query(QStringLiteral("SHOW FULL PROCESSLIST"), stop));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        if (r.text(i, "State") != QLatin1String("Waiting for table metadata lock"))
            continue;
        StatementSyntax syntax;
        syntax.defaultSchema = r.text(i, "db");
        const LoggedStatement what = classifyStatement(r.text(i, "Info"), syntax);
        if (what.kind != LoggedStatement::Kind::Ddl)
            continue;
        const bool ours = std::any_of(what.tables.begin(), what.tables.end(), [&](const auto &t) {
            return std::any_of(tables.begin(), tables.end(), [&](const TableName &fenced) {
                return t == fenced || (t.name.isEmpty() && t.schema == fenced.schema);
            });
        });
        if (ours)
            out.push_back({r.text(i, "Id").toULongLong(),
                           QStringLiteral("%1@%2").arg(r.text(i, "User"), r.text(i, "Host")),
                           what.text.isEmpty() ? r.text(i, "Info").left(80) : what.text.left(80)});
    }
    return out;
}

Status endConnection(Session &s, quint64 id, std::stop_token stop)
{
    Status ended = s.exec(QStringLiteral("KILL CONNECTION %1").arg(id), stop);
    if (ended || ended.error().number == 1094) // gone meanwhile
        return {};
    if (ended.error().code != ErrorCode::Server)
        return ended;
    const Status byRoutine = s.exec(QStringLiteral("CALL mysql.rds_kill(%1)").arg(id), stop);
    return byRoutine ? byRoutine : ended;
}

Error fenceBlocked(const Address &address, const std::vector<TableName> &tables,
                   const std::vector<quint64> &ours, const Error &cause, std::stop_token stop)
{
    Error e = cause;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-fence-blocked");
    QStringList who;
    if (const auto s = Session::open(address, Use::Control, stop)) {
        const QSet<quint64> holders = lockHolders(**s, tables, stop);
        const QHash<quint64, qint64> open = openTransactions(**s, stop);
        const auto list = (*s)->query(QStringLiteral("SHOW FULL PROCESSLIST"), stop);
        for (std::size_t i = 0; list && i < list->rows.size(); ++i) {
            const quint64 id = list->text(i, "Id").toULongLong();
            const QString command = list->text(i, "Command");
            if (id == (*s)->connectionId() || std::find(ours.begin(), ours.end(), id) != ours.end())
                continue;
            // A known holder; else an open transaction; else, with no right to see either,
            // whoever is doing something.
            const bool suspect = !holders.isEmpty() ? holders.contains(id)
                                 : !open.isEmpty()  ? open.contains(id)
                                                    : command == QLatin1String("Query");
            if (!suspect)
                continue;
            who << QStringLiteral("%1@%2 (connection %3, %4 s)")
                       .arg(list->text(i, "User"), list->text(i, "Host"))
                       .arg(id)
                       .arg(std::max(open.value(id, 0), list->text(i, "Time").toLongLong()));
        }
    }
    e.object = who.join(QStringLiteral(", "));
    if (who.isEmpty()) {
        e.message = cwText("core",
                           "Writes on %1 could not be held: somebody's transaction or long "
                           "statement stands in the way. This account may not see whose.",
                           address.display());
    } else {
        e.message = cwText("core", "Writes on %1 could not be held; in the way: %2.",
                           address.display(), who.join(QStringLiteral(", ")));
    }
    e.fix = cwText("core", "Let those transactions end, or end the connections with KILL (on RDS: "
                           "CALL mysql.rds_kill), and try again. Nothing was changed.");
    return e;
}

} // namespace causeway::mysql
