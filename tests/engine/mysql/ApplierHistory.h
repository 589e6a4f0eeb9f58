#pragma once

#include "mysql/Parts.h"
#include "schema/Model.h"

#include <QtTest>

#include <array>
#include <random>

/// Random histories on a real leader for the applier's property test: rows are changed one by one,
/// and what the leader's log would say (ROW, FULL image, no cascades) is noted beside it.
namespace causeway::test {

inline void check(const Status &s)
{
    if (!s)
        qFatal("%s", qPrintable(s.error().describe()));
}
template <class T> T check(Result<T> r)
{
    if (!r)
        qFatal("%s", qPrintable(r.error().describe()));
    return std::move(*r);
}

using Random = std::mt19937_64;
inline int pick(Random &random, int most) // 0 .. most-1
{
    return static_cast<int>(random() % static_cast<quint64>(most));
}
inline bool chance(Random &random, int percent)
{
    return pick(random, 100) < percent;
}

struct LoggedTransaction {
    std::vector<RowChange> rows;
    Position before, after;
    QString id;
};

inline Position positionAt(std::size_t n)
{
    return {QStringLiteral("file:log.000001:%1").arg(n + 100)};
}

/// The leader: one session that changes rows, and its log.
class Leader {
public:
    /// `fromBinlog`: what is applied is read from the leader's real log, and must be what was
    /// noted.
    Leader(const Address &address, Catalog catalog, bool fromBinlog = false)
        : m_address(address), m_fromBinlog(fromBinlog),
          m_session(check(mysql::Session::open(address, mysql::Use::Data, {}))),
          m_catalog(std::move(catalog))
    {
        check(m_session->execBytes("SET SESSION foreign_key_checks=1, unique_checks=1"));
        for (const Table &t : m_catalog.tables)
            m_tables.emplace(t.name.name, std::make_shared<const Table>(t));
    }

    [[nodiscard]] const std::vector<LoggedTransaction> &log() const { return m_log; }
    [[nodiscard]] Position end() const { return at(m_log.size()); }
    /// The position after `n` transactions of the log.
    [[nodiscard]] Position at(std::size_t n) const
    {
        if (!m_fromBinlog)
            return positionAt(n);
        return n == 0 ? m_start : m_log[n - 1].after;
    }
    [[nodiscard]] bool isFromBinlog() const { return m_fromBinlog; }
    [[nodiscard]] const std::map<QString, std::shared_ptr<const Table>> &tables() const
    {
        return m_tables;
    }
    [[nodiscard]] bool isBusy(const Table &t) const
    {
        return m_busy.find(t.name.name.toStdString()) != std::string::npos;
    }
    mysql::Session &session() { return *m_session; }
    void forget()
    {
        m_log.clear();
        m_stream.reset();
    }
    /// The log that is applied begins here.
    void beginLog()
    {
        forget();
        if (!m_fromBinlog)
            return;
        m_start = check(mysql::readCurrentPosition(*m_session, {}, {}));
        const auto resolve = [this](const TableName &name) -> std::shared_ptr<const Table> {
            const auto it = m_tables.find(name.name);
            return it == m_tables.end() || it->second->name != name ? nullptr : it->second;
        };
        m_stream = check(mysql::makeChangeStream(m_address, m_start, {}, resolve, {}));
    }
    /// Where the changes go this time: all over, or where one kind of cascade is.
    void chooseTables(Random &r)
    {
        static const std::array<std::string, 8> kinds{"ppccgghtsoqn", "pcg",     "ppcch", "tttq",
                                                      "sssn",         "ppccggh", "ppo",   "nnpc"};
        m_busy = kinds[static_cast<std::size_t>(pick(r, int(kinds.size())))];
    }

    /// Rows to begin with, parents first; those that the leader refuses are left out.
    void populate(Random &r)
    {
        for (const char n : std::string("pcghotsqn")) {
            if (m_busy.find(n) == std::string::npos)
                continue;
            const QString name(QLatin1Char{n});
            std::string sql = "INSERT IGNORE INTO " +
                              mysql::quoteName(m_tables.at(name)->name).toStdString() + " VALUES ";
            for (int id = 1; id <= kIds; ++id) {
                const std::string key = n == 'q'   ? someName(r)
                                        : n == 'h' ? std::to_string(id) + ",1"
                                                   : std::to_string(id);
                sql += (id > 1 ? ",(" : "(") + key + ',' + insertRest(std::string(1, n), r) + ')';
            }
            check(m_session->execBytes(sql));
        }
    }

    std::vector<Row> rows(const Table &t, const std::string &where)
    {
        std::string sql = "SELECT ";
        for (std::size_t i = 0; i < t.columns.size(); ++i) {
            sql += i > 0 ? "," : "";
            sql += mysql::wireExpression(t.columns[i], m_session->isMariaDb()).toStdString();
        }
        sql += " FROM " + mysql::quoteName(t.name).toStdString() + " WHERE " + where;
        std::vector<Row> out = check(m_session->queryBytes(sql)).rows;
        for (Row &row : out) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                const TypeClass type = t.columns[i].typeClass;
                if (row[i] && (type == TypeClass::Float || type == TypeClass::Double))
                    row[i] = mysql::canonicalReal(*row[i], type == TypeClass::Float);
            }
        }
        return out;
    }

    /// One transaction of a few changes; those that the leader refuses did not happen.
    void change(Random &random)
    {
        LoggedTransaction transaction;
        const bool off = chance(random, 3);
        check(m_session->execBytes(off ? "SET foreign_key_checks=0" : "SET foreign_key_checks=1"));
        check(m_session->execBytes("START TRANSACTION"));
        for (int n = 1 + pick(random, 4); n > 0; --n)
            changeRow(random, transaction, off);
        check(m_session->execBytes("COMMIT"));
        if (transaction.rows.empty())
            return;
        transaction.before = end();
        if (m_stream) {
            readFromLog(transaction);
        } else {
            transaction.id = QStringLiteral("t%1").arg(m_log.size());
            transaction.after = positionAt(m_log.size() + 1);
        }
        m_log.push_back(std::move(transaction));
    }

private:
    /// The next transaction of the real log; the same changes as noted.
    void readFromLog(LoggedTransaction &transaction)
    {
        const std::vector<RowChange> noted = std::move(transaction.rows);
        transaction.rows.clear();
        for (;;) {
            ChangeEvent event = check(m_stream->next({}));
            if (auto *begin = std::get_if<TransactionBegin>(&event))
                transaction.id = begin->id;
            else if (auto *row = std::get_if<RowChange>(&event))
                transaction.rows.push_back(std::move(*row));
            else if (auto *commit = std::get_if<TransactionCommit>(&event)) {
                if (transaction.rows.empty())
                    continue;
                transaction.after = commit->after;
                break;
            }
        }
        const bool same =
            std::equal(noted.begin(), noted.end(), transaction.rows.begin(), transaction.rows.end(),
                       [](const RowChange &a, const RowChange &b) {
                           return a.table == b.table && a.op == b.op && a.before == b.before &&
                                  a.after == b.after &&
                                  a.foreignKeyChecksOff == b.foreignKeyChecksOff &&
                                  a.indexInTransaction == b.indexInTransaction;
                       });
        if (!same)
            qFatal("The log of %s says%s\nbut done was%s", qPrintable(transaction.id),
                   qPrintable(show(transaction.rows)), qPrintable(show(noted)));
    }

    static QString show(const std::vector<RowChange> &changes)
    {
        QString out;
        for (const RowChange &c : changes) {
            out += QStringLiteral("\n  %1 op %2 off %3 index %4:")
                       .arg(c.table->name.display())
                       .arg(int(c.op))
                       .arg(c.foreignKeyChecksOff)
                       .arg(c.indexInTransaction);
            for (const Row *row : {&c.before, &c.after}) {
                for (const Value &v : *row)
                    out +=
                        QLatin1Char(' ') + (v ? QString::fromStdString(*v) : QStringLiteral("-"));
                out += QLatin1String(" |");
            }
        }
        return out;
    }

    static constexpr int kIds = 5;

    static std::string someId(Random &r, int percentNull = 0)
    {
        return chance(r, percentNull) ? "NULL" : std::to_string(1 + pick(r, kIds));
    }
    static std::string someName(Random &r)
    {
        static const char *const names[] = {"'a'", "'A'", "'b'", "'B'", "'c'", "'d'"};
        return names[pick(r, 6)];
    }
    static std::string someUnique(Random &r) { return someId(r, 30); }

    void changeRow(Random &r, LoggedTransaction &transaction, bool off)
    {
        const auto it = m_tables.find(
            QString(QLatin1Char(m_busy[static_cast<std::size_t>(pick(r, int(m_busy.size())))])));
        const Table &t = *it->second;
        const std::string name = mysql::quoteName(t.name).toStdString();
        const std::string n = t.name.name.toStdString();
        // The row is named by a key (or, without one, by a value and LIMIT 1 over equal rows).
        const std::string keyColumn = n == "q" ? "name" : n == "h" ? "(p_id,n)" : "id";
        std::string key = n == "q"   ? someName(r)
                          : n == "h" ? '(' + someId(r) + ',' + std::to_string(1 + pick(r, 2)) + ')'
                                     : someId(r);
        const std::string where = keyColumn + '=' + key;
        const int what = pick(r, 100);
        RowChange c;
        c.table = it->second;
        c.foreignKeyChecksOff = off;
        c.indexInTransaction = static_cast<int>(transaction.rows.size());
        if (what < 50) {
            c.op = RowOp::Insert;
            const auto had = rows(t, where);
            if (!had.empty() && n != "n")
                return;
            const std::string values = n == "h" ? key.substr(1, key.size() - 2) : key;
            if (!m_session->execBytes("INSERT INTO " + name + " VALUES (" + values + ',' +
                                      insertRest(n, r) + ')'))
                return;
            if (n == "n") {
                // Any of equal rows: the one inserted is one of them, by its serial number.
                const auto now = rows(t, "serial=" + std::to_string(m_serial));
                c.after = now.at(0);
            } else {
                c.after = rows(t, where).at(0);
            }
        } else {
            const std::vector<Row> had = rows(t, where);
            if (had.empty() || (n == "n" && had.size() != 1))
                return;
            c.before = had.at(0);
            if (what < 70) {
                c.op = RowOp::Delete;
                if (!m_session->execBytes("DELETE FROM " + name + " WHERE " + where))
                    return;
            } else {
                c.op = RowOp::Update;
                std::string newWhere = where;
                const std::string set = assignment(n, r, newWhere);
                if (!m_session->execBytes("UPDATE " + name + " SET " + set + " WHERE " + where))
                    return;
                if (m_session->affectedRows() == 0)
                    return;
                c.after = rows(t, newWhere).at(0);
            }
        }
        transaction.rows.push_back(std::move(c));
    }

    std::string insertRest(const std::string &n, Random &r)
    {
        const std::string v = std::to_string(pick(r, 1000));
        if (n == "p")
            return someUnique(r) + ',' + v;
        if (n == "c")
            return someId(r, 20) + ',' + someId(r, 40) + ',' + someUnique(r) + ',' + v + ",NOW(6)";
        if (n == "g" || n == "o")
            return someId(r) + ',' + v;
        if (n == "h")
            return someId(r) + ',' + v;
        if (n == "t" || n == "s")
            return someId(r, 40) + ',' + v;
        if (n == "n")
            return std::to_string(++m_serial) + ",0.1,'x '," + (chance(r, 50) ? "NULL" : "1e0");
        return someUnique(r) + ',' + v; // q
    }

    static std::string assignment(const std::string &n, Random &r, std::string &where)
    {
        std::string v = "v=" + std::to_string(pick(r, 1000));
        const auto newId = [&] {
            const std::string id = someId(r);
            where = "id=" + id;
            return "id=" + id;
        };
        const int which = pick(r, 100);
        if (n == "p")
            return which < 35 ? newId() : which < 70 ? "k=" + someUnique(r) : v;
        if (n == "c") {
            return which < 25   ? newId()
                   : which < 50 ? "p_id=" + someId(r, 20)
                   : which < 65 ? "p_k=" + someId(r, 20)
                   : which < 80 ? "u=" + someUnique(r)
                                : v;
        }
        if (n == "g")
            return which < 30 ? newId() : which < 70 ? "c_id=" + someId(r) : v;
        if (n == "o")
            return which < 30 ? newId() : which < 70 ? "p_id=" + someId(r) : v;
        if (n == "h") {
            if (which < 50)
                return v;
            const std::string p = someId(r);
            const std::string tail = where.substr(where.rfind(','));
            where = "(p_id,n)=(" + p + tail;
            return "p_id=" + p;
        }
        if (n == "t" || n == "s")
            return which < 70 ? "parent=" + someId(r, 20) : v;
        if (n == "n")
            return chance(r, 50) ? "f=0.2" : "d=2.5e0";
        // q: a key that is text, and its case
        if (which < 40) {
            const std::string name = someName(r);
            where = "name=" + name;
            return "name=" + name;
        }
        return which < 80 ? "u=" + someUnique(r) : v;
    }

    Address m_address;
    bool m_fromBinlog;
    std::unique_ptr<ChangeStream> m_stream;
    Position m_start;
    std::unique_ptr<mysql::Session> m_session;
    Catalog m_catalog;
    std::map<QString, std::shared_ptr<const Table>> m_tables;
    std::vector<LoggedTransaction> m_log;
    int m_serial = 0;
    std::string m_busy = "p";
};

/// p <- c <- g: chains; c -> p twice, by two keys; h: the referenced key changes its own primary
/// key, composite, and hangs below c too; t, s refer to themselves; o lies in another schema; q has
/// keys to swap; n has none.
inline QStringList historyTables(const QString &schema, const QString &other)
{
    const QString sql = QStringLiteral(R"(
CREATE TABLE %1.p (id INT PRIMARY KEY, k INT UNIQUE, v INT) ENGINE=InnoDB;
CREATE TABLE %1.c (id INT PRIMARY KEY, p_id INT, p_k INT, u INT UNIQUE, v INT,
  ts TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  UNIQUE KEY (p_id, id), KEY (p_k),
  CONSTRAINT c_1 FOREIGN KEY (p_id) REFERENCES %1.p (id) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT c_2 FOREIGN KEY (p_k) REFERENCES %1.p (k) ON DELETE SET NULL ON UPDATE CASCADE
) ENGINE=InnoDB;
CREATE TABLE %1.g (id INT PRIMARY KEY, c_id INT NOT NULL, v INT, KEY (c_id),
  CONSTRAINT g_1 FOREIGN KEY (c_id) REFERENCES %1.c (id) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE=InnoDB;
CREATE TABLE %1.h (p_id INT, n INT, c_id INT, v INT, PRIMARY KEY (p_id, n), KEY (p_id, c_id),
  CONSTRAINT h_1 FOREIGN KEY (p_id, c_id) REFERENCES %1.c (p_id, id)
    ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE=InnoDB;
CREATE TABLE %1.t (id INT PRIMARY KEY, parent INT, v INT, KEY (parent),
  CONSTRAINT t_1 FOREIGN KEY (parent) REFERENCES %1.t (id) ON DELETE CASCADE) ENGINE=InnoDB;
CREATE TABLE %1.s (id INT PRIMARY KEY, parent INT, v INT, KEY (parent),
  CONSTRAINT s_1 FOREIGN KEY (parent) REFERENCES %1.s (id) ON DELETE SET NULL) ENGINE=InnoDB;
CREATE TABLE %2.o (id INT PRIMARY KEY, p_id INT NOT NULL, v INT, KEY (p_id),
  CONSTRAINT o_1 FOREIGN KEY (p_id) REFERENCES %1.p (id) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE=InnoDB;
CREATE TABLE %1.q (name VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY,
  u INT UNIQUE, v INT) ENGINE=InnoDB;
CREATE TABLE %1.n (id INT, serial INT, f FLOAT, x CHAR(5), d DOUBLE) ENGINE=InnoDB)")
                            .arg(schema, other);
    return sql.split(QLatin1Char(';'));
}

} // namespace causeway::test
