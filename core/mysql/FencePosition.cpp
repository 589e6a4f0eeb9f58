#include "base/Stop.h"
#include "mysql/FencePlan.h"
#include "mysql/Parts.h"

namespace causeway::mysql {

namespace {

constexpr std::chrono::milliseconds kBetweenReads{20};
constexpr std::chrono::seconds kDrainLimit{30};

Error notDrained(const Session &s)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-writers-not-drained");
    e.object = s.address().display();
    e.message = cwText("core",
                       "Transactions that were committing on %1 did not finish within %2 "
                       "seconds (a semi-synchronous replica that does not answer?).",
                       s.address().display(), static_cast<int>(kDrainLimit.count()));
    return e;
}

QString withoutBlanks(QString text)
{
    text.remove(QLatin1Char('\n'));
    return text.remove(QLatin1Char(' '));
}

Result<Position> mariaDbPosition(Session &s, std::stop_token stop)
{
    const auto until = std::chrono::steady_clock::now() + kDrainLimit;
    QString last;
    for (bool first = true;; first = false) {
        CW_TRY_ASSIGN(const ResultSet r,
                      s.query(QStringLiteral("SELECT @@GLOBAL.gtid_binlog_pos"), stop));
        CW_TRY_ASSIGN(const QString file, readLogEnd(s, stop));
        if (file.isEmpty())
            return Position{};
        const QString gtid = withoutBlanks(r.text(0, std::size_t(0)));
        const QString now = gtid.isEmpty() ? QStringLiteral("file:") + file
                                           : QStringLiteral("mariadb:%1;%2").arg(gtid, file);
        if (!first && now == last)
            return Position{now};
        last = now;
        if (std::chrono::steady_clock::now() > until)
            return fail(notDrained(s));
        if (!pauseFor(stop, kBetweenReads))
            return fail(cancelledError());
    }
}

/// MariaDB has no list of what is committing. Where other tables go on being written the position
/// never stands still; but a transaction gives up its table locks only when it has committed, so
/// that with the tables locked every write to them is in the log already.
Result<Position> mariaDbPositionOnce(Session &s, std::stop_token stop)
{
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SELECT @@GLOBAL.gtid_binlog_pos"), stop));
    CW_TRY_ASSIGN(const QString file, readLogEnd(s, stop));
    if (file.isEmpty())
        return Position{};
    const QString gtid = withoutBlanks(r.text(0, std::size_t(0)));
    return Position{gtid.isEmpty() ? QStringLiteral("file:") + file
                                   : QStringLiteral("mariadb:%1;%2").arg(gtid, file)};
}

/// `gtid_owned` is "uuid:number#thread:number#thread,...": who is committing what.
QStringList owners(const QString &gtidOwned)
{
    QStringList out;
    for (const QString &perServer :
         withoutBlanks(gtidOwned).split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        const QStringList parts = perServer.split(QLatin1Char(':'));
        for (const QString &p : parts.mid(1)) {
            if (p.contains(QLatin1Char('#')))
                out << parts[0] + QLatin1Char(':') + p;
        }
    }
    return out;
}

Result<Position> gtidPosition(Session &s, bool wholeServer, std::stop_token stop)
{
    const auto until = std::chrono::steady_clock::now() + kDrainLimit;
    std::optional<QStringList> waitingFor;
    QString last;
    for (;;) {
        // Owned before executed: what is between the two lists at the first read is then in one of
        // them.
        CW_TRY_ASSIGN(
            const ResultSet r,
            s.query(QStringLiteral("SELECT @@GLOBAL.gtid_owned, @@GLOBAL.gtid_executed"), stop));
        const QStringList now = owners(r.text(0, std::size_t(0)));
        const QString executed = withoutBlanks(r.text(0, 1));
        if (wholeServer) {
            if (now.isEmpty() && last == executed && waitingFor)
                return Position{QStringLiteral("gtid:") + executed};
            waitingFor = now;
        } else {
            // Others go on writing: enough that whoever was committing when we came is done.
            QStringList rest;
            for (const QString &owner : waitingFor.value_or(now)) {
                if (now.contains(owner))
                    rest << owner;
            }
            waitingFor = rest;
            if (rest.isEmpty())
                return Position{QStringLiteral("gtid:") + executed};
        }
        last = executed;
        if (std::chrono::steady_clock::now() > until)
            return fail(notDrained(s));
        if (!pauseFor(stop, kBetweenReads))
            return fail(cancelledError());
    }
}

} // namespace

Result<Position> positionUnderFence(Session &s, bool wholeServer, std::stop_token stop)
{
    if (s.isMariaDb())
        return wholeServer ? mariaDbPosition(s, stop) : mariaDbPositionOnce(s, stop);
    CW_TRY_ASSIGN(const ResultSet r,
                  s.query(QStringLiteral("SHOW GLOBAL VARIABLES WHERE Variable_name IN "
                                         "('gtid_mode', 'log_bin')"),
                          stop));
    bool gtid = false, binlog = false;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        const bool on = r.text(i, 1) == QLatin1String("ON");
        (r.text(i, std::size_t(0)) == QLatin1String("gtid_mode") ? gtid : binlog) = on;
    }
    if (!binlog)
        return Position{};
    if (gtid)
        return gtidPosition(s, wholeServer, stop);
    CW_TRY_ASSIGN(const QString file, readLogEnd(s, stop));
    return Position{QStringLiteral("file:") + file};
}

} // namespace causeway::mysql
