#include "base/Stop.h"
#include "mysql/ApplierTable.h"
#include "mysql/Parts.h"
#include "mysql/binlog/LogPosition.h"

#include <algorithm>

/// Rows of the leader for an applier that must look (ALGORITHMS 3.3).
///
/// The log shows a transaction before the tables do (seen with a stalled semi-sync commit), so each
/// read waits for the event that caused it. By the position's form:
///   "gtid:..."              WAIT_FOR_EXECUTED_GTID_SET: executed is set after the engine's commit
///   "mariadb:...;file:pos"  consistent snapshots until binlog_snapshot_* has reached it; the read
///   "file:..." on MariaDB   is made in that same snapshot
///   "file:..." on MySQL     a locking read: the transaction holds locks on the rows it changed,
///                           its cascades included, until the engine has committed
namespace causeway::mysql {

namespace {

struct FilePosition {
    QString file;
    quint64 offset = 0;
    [[nodiscard]] bool isValid() const { return !file.isEmpty(); }
};

/// The number behind the last dot: names are padded with zeros only up to six digits.
quint64 fileNumber(const QString &file)
{
    return file.mid(file.lastIndexOf(QLatin1Char('.')) + 1).toULongLong();
}

bool reaches(const FilePosition &a, const FilePosition &b)
{
    const quint64 x = fileNumber(a.file), y = fileNumber(b.file);
    return x != y ? x > y : a.offset >= b.offset;
}

/// The file and offset in a position, where it has one.
FilePosition fileOf(const Position &p)
{
    const auto parsed = LogPosition::parse(p);
    if (!parsed || parsed->kind == LogPosition::Kind::MySqlGtid)
        return {};
    return {QString::fromStdString(parsed->file), parsed->offset};
}

constexpr std::size_t kTuplesAtOnce = 200;

class MySqlLeaderRows final : public LeaderRows {
public:
    explicit MySqlLeaderRows(Address address) : m_address(std::move(address)) {}

    Result<std::vector<Row>> read(const Table &table, const std::vector<int> &columns,
                                  const std::vector<Row> &tuples, const Position &visible,
                                  std::stop_token stop) override
    {
        CW_TRY(connect(stop));
        bool locking = false;
        if (m_session->isMariaDb()) {
            FilePosition wanted = fileOf(visible);
            if (visible.isEmpty()) {
                CW_TRY_ASSIGN(wanted, endOfLog(stop));
            }
            CW_TRY(openSnapshot(wanted, stop));
        } else {
            Position wanted = visible;
            if (visible.isEmpty()) {
                CW_TRY_ASSIGN(wanted, now(stop));
            }
            if (wanted.text.startsWith(QLatin1String("gtid:"))) {
                CW_TRY_ASSIGN(const LogPosition parsed, LogPosition::parse(wanted));
                CW_TRY(waitForGtids(QString::fromStdString(parsed.executed.text()), stop));
            } else {
                locking = true;
            }
        }
        auto rows = select(table, columns, tuples, locking, stop);
        if (m_session->isMariaDb() && !m_session->isDead())
            CW_TRY(m_session->execBytes("COMMIT", stop));
        return rows;
    }

    Result<Position> now(std::stop_token stop) override
    {
        CW_TRY(connect(stop));
        Session &s = *m_session;
        if (s.isMariaDb()) {
            // A snapshot of its own: it also covers what others (the verifier's repairs, an applier
            // before this one) have read from the leader until now.
            CW_TRY(openSnapshot({}, stop));
            CW_TRY(s.execBytes("COMMIT", stop));
            // The place alone: BINLOG_GTID_POS would read the whole log file, at every change of a
            // row that is referred to.
            return Position{QStringLiteral("file:%1:%2")
                                .arg(m_snapshot.file, QString::number(m_snapshot.offset))};
        }
        CW_TRY_ASSIGN(const ResultSet gtid,
                      s.queryBytes("SELECT @@global.gtid_mode, @@global.gtid_executed, "
                                   "@@global.gtid_owned",
                                   stop));
        if (gtid.text(0, std::size_t{0}).startsWith(QLatin1String("ON"))) {
            // A commit shows its rows a moment before it moves its GTID from owned to executed.
            QString set = gtid.text(0, std::size_t{1}).remove(QLatin1Char('\n'));
            const QStringList owned = ownedGtids(gtid.text(0, std::size_t{2}));
            if (!owned.isEmpty()) {
                set = (set.isEmpty() ? QStringList() : QStringList{set} + owned)
                          .join(QLatin1Char(','));
            }
            return Position{QLatin1String("gtid:") + set};
        }
        CW_TRY_ASSIGN(const FilePosition end, endOfLog(stop));
        if (!end.isValid())
            return Position{};
        return Position{QStringLiteral("file:%1:%2").arg(end.file, QString::number(end.offset))};
    }

private:
    Status connect(std::stop_token stop)
    {
        if (m_session && !m_session->isDead())
            return {};
        CW_TRY_ASSIGN(m_session, Session::open(m_address, Use::Data, stop));
        // WITH CONSISTENT SNAPSHOT means nothing below it.
        return m_session->execBytes("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                                    stop);
    }

    Result<FilePosition> endOfLog(std::stop_token stop)
    {
        CW_TRY_ASSIGN(const QString end, readLogEnd(*m_session, stop));
        return end.isEmpty() ? FilePosition{} : fileOf(Position{QStringLiteral("file:") + end});
    }

    /// "uuid:5#12:6#13, uuid2:7#4" (thread ids behind #), as GTIDs.
    static QStringList ownedGtids(const QString &owned)
    {
        QStringList out;
        QString uuid;
        for (QString part : owned.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
            const QStringList pieces = part.remove(QLatin1Char('\n')).trimmed().split(u':');
            for (const QString &piece : pieces) {
                const QString number = piece.section(QLatin1Char('#'), 0, 0);
                if (piece.contains(QLatin1Char('#')))
                    out << uuid + QLatin1Char(':') + number;
                else
                    uuid = piece; // tags (8.3) are part of the prefix
            }
        }
        return out;
    }

    Status waitForGtids(const QString &set, std::stop_token stop)
    {
        if (set.isEmpty() || set == m_waitedFor)
            return {};
        const bool canWait = m_session->version() >= 50705;
        const QString sql = canWait
                                ? QStringLiteral("SELECT WAIT_FOR_EXECUTED_GTID_SET(%1, 1)=0")
                                : QStringLiteral("SELECT GTID_SUBSET(%1, @@global.gtid_executed)");
        for (;;) {
            CW_TRY_ASSIGN(const ResultSet r, m_session->query(sql.arg(quoteText(set)), stop));
            if (r.text(0, std::size_t{0}) == QLatin1String("1"))
                break;
            if (stop.stop_requested() ||
                (!canWait && !pauseFor(stop, std::chrono::milliseconds(20))))
                return fail(cancelledError());
        }
        m_waitedFor = set;
        return {};
    }

    /// Leaves a transaction open whose snapshot has reached `wanted`.
    Status openSnapshot(const FilePosition &wanted, std::stop_token stop)
    {
        for (;;) {
            CW_TRY(m_session->execBytes("START TRANSACTION WITH CONSISTENT SNAPSHOT", stop));
            CW_TRY_ASSIGN(const ResultSet r,
                          m_session->queryBytes("SHOW STATUS LIKE 'binlog_snapshot_%'", stop));
            FilePosition at;
            for (std::size_t i = 0; i < r.rows.size(); ++i) {
                const QString name = r.text(i, std::size_t{0}).toLower();
                if (name == QLatin1String("binlog_snapshot_file"))
                    at.file = r.text(i, std::size_t{1});
                else if (name == QLatin1String("binlog_snapshot_position"))
                    at.offset = r.text(i, std::size_t{1}).toULongLong();
            }
            m_snapshot = at;
            if (!wanted.isValid() || !at.isValid() || reaches(at, wanted))
                return {};
            CW_TRY(m_session->execBytes("COMMIT", stop));
            if (!pauseFor(stop, std::chrono::milliseconds(10)))
                return fail(cancelledError());
        }
    }

    Result<std::vector<Row>> select(const Table &table, const std::vector<int> &columns,
                                    const std::vector<Row> &tuples, bool locking,
                                    std::stop_token stop)
    {
        const bool mariaDb = m_session->isMariaDb();
        std::string head = "SELECT ";
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            const Column &c = table.columns[i];
            if (i > 0)
                head.push_back(',');
            // A generated column is read only where it is part of the key.
            const std::vector<int> key = table.rowKeyColumns();
            const bool wanted =
                !c.generated || std::find(key.begin(), key.end(), static_cast<int>(i)) != key.end();
            head += wanted ? wireExpression(c, mariaDb).toStdString() : "NULL";
        }
        head += " FROM " + quoteName(table.name).toStdString() + " WHERE ";
        std::vector<std::string> ids;
        std::vector<const Column *> types;
        for (const int c : columns) {
            types.push_back(&table.columns[static_cast<std::size_t>(c)]);
            ids.push_back(quoteId(types.back()->name).toStdString());
        }
        std::vector<Row> out;
        for (std::size_t i = 0; i < tuples.size(); i += kTuplesAtOnce) {
            std::string sql = head;
            appendTupleCondition(sql, ids, types, tuples, i,
                                 std::min(kTuplesAtOnce, tuples.size() - i), mariaDb);
            if (locking)
                sql += " LOCK IN SHARE MODE";
            CW_TRY_ASSIGN(ResultSet r, m_session->queryBytes(sql, stop));
            for (Row &row : r.rows) {
                for (std::size_t c = 0; c < row.size(); ++c) {
                    const TypeClass type = table.columns[c].typeClass;
                    if (row[c] && (type == TypeClass::Float || type == TypeClass::Double))
                        row[c] = canonicalReal(*row[c], type == TypeClass::Float);
                }
                out.push_back(std::move(row));
            }
        }
        return out;
    }

    Address m_address;
    std::unique_ptr<Session> m_session;
    QString m_waitedFor;
    FilePosition m_snapshot;
};

} // namespace

Result<std::unique_ptr<LeaderRows>> makeLeaderRows(const Address &leader, std::stop_token)
{
    // Connects with the first read: most migrations never need one.
    return std::make_unique<MySqlLeaderRows>(leader);
}

} // namespace causeway::mysql
