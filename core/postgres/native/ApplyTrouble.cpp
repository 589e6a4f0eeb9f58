#include "postgres/native/ApplyTrouble.h"

#include "base/Stop.h"
#include "postgres/native/Observer.h"
#include "postgres/native/OutputPlugin.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <algorithm>
#include <limits>
#include <map>

namespace causeway::postgres {

namespace {
/// A failing worker comes back every wal_retrieve_retry_interval (5 s); between, the slot is free.
constexpr int kAttempts = 100;
constexpr std::chrono::milliseconds kBetween{100};
/// Transactions from the slot's place on that are looked at: the first ones may be applied already.
constexpr int kChanges = 2'000;
constexpr int kRowsInTheWay = 1'000;

Result<ResultSet> peek(Server &leader, std::stop_token stop)
{
    const QString name = leader.names().stream(leader.side());
    const QString sql =
        QStringLiteral("SELECT data FROM pg_catalog.pg_logical_slot_peek_binary_changes(%1, NULL, "
                       "%2, 'proto_version', '1', 'publication_names', %3)")
            .arg(quoteText(name))
            .arg(kChanges)
            .arg(quoteText(quoteId(name)));
    for (int attempt = 0;; ++attempt) {
        auto rows = leader.query(sql, stop);
        if (rows || rows.error().sqlState != QLatin1String("55006") || attempt == kAttempts)
            return rows; // 55006: the slot is in use just now
        if (!pauseFor(stop, kBetween))
            return fail(cancelledError());
    }
}

/// Does what the stream asks, and tells what is in the way.
class Replay {
public:
    Replay(Session &session, std::map<quint32, StreamRelation> &relations)
        : m_session(session), m_relations(relations)
    {
    }

    /// False once the reason is found that nobody can clear away.
    Result<bool> apply(const StreamChange &change, ApplyTrouble &trouble, std::stop_token stop)
    {
        using Kind = StreamChange::Kind;
        if (change.kind == Kind::Truncate) {
            for (const quint32 id : change.truncated)
                CW_TRY(m_session.exec(QStringLiteral("DELETE FROM ") + nameOf(id), stop));
            return true;
        }
        const QString sql = statement(change);
        if (sql.isEmpty())
            return true;
        for (bool cleared = false;; cleared = true) {
            CW_TRY(m_session.exec(QStringLiteral("SAVEPOINT change"), stop));
            const Status done = m_session.exec(sql, stop);
            if (done) {
                CW_TRY(m_session.exec(QStringLiteral("RELEASE SAVEPOINT change"), stop));
                return true;
            }
            if (m_session.isDead())
                return fail(done.error());
            CW_TRY(m_session.exec(QStringLiteral("ROLLBACK TO SAVEPOINT change"), stop));
            if (trouble.words.isEmpty()) {
                trouble.words = done.error().serverWords;
                trouble.table = m_relations[change.relation].name;
            }
            // A unique or exclusion violation; of the latter no index tells which rows.
            const bool unique = done.error().sqlState == QLatin1String("23505");
            if (!unique || cleared || trouble.overwrite.size() >= kRowsInTheWay) {
                trouble.overwrite.clear();
                return false;
            }
            CW_TRY_ASSIGN(const QStringList removals, inTheWay(change, stop));
            for (const QString &removal : removals) {
                CW_TRY(m_session.exec(removal, stop));
                trouble.overwrite << removal;
            }
        }
    }

private:
    [[nodiscard]] QString nameOf(quint32 relation) { return quoteName(m_relations[relation].name); }

    /// Literals without a type: the column that they meet gives them its own.
    static QString literal(const StreamValue &v)
    {
        return v.kind == StreamValue::Kind::Text ? quoteText(QString::fromUtf8(v.text))
                                                 : QStringLiteral("NULL");
    }

    QString condition(const StreamRelation &relation, const StreamTuple &tuple)
    {
        QStringList out;
        for (std::size_t i = 0; i < relation.columns.size() && i < tuple.size(); ++i) {
            if (!relation.columns[i].key || tuple[i].kind == StreamValue::Kind::Unchanged)
                continue;
            const QString column = quoteId(relation.columns[i].name);
            out << (tuple[i].kind == StreamValue::Kind::Null
                        ? column + QStringLiteral(" IS NULL")
                        : column + QStringLiteral(" = ") + literal(tuple[i]));
        }
        return out.join(QStringLiteral(" AND "));
    }

    QString statement(const StreamChange &change)
    {
        using Kind = StreamChange::Kind;
        if (change.kind != Kind::Insert && change.kind != Kind::Update &&
            change.kind != Kind::Delete)
            return {};
        const StreamRelation &relation = m_relations[change.relation];
        const StreamTuple &key = change.before ? *change.before : change.after;
        if (change.kind == Kind::Delete)
            return QStringLiteral("DELETE FROM %1 WHERE %2")
                .arg(nameOf(change.relation), condition(relation, key));
        QStringList names, values, sets;
        for (std::size_t i = 0; i < relation.columns.size() && i < change.after.size(); ++i) {
            if (change.after[i].kind == StreamValue::Kind::Unchanged)
                continue;
            const QString name = quoteId(relation.columns[i].name);
            names << name;
            values << literal(change.after[i]);
            sets << name + QStringLiteral(" = ") + literal(change.after[i]);
        }
        if (change.kind == Kind::Insert)
            return QStringLiteral("INSERT INTO %1 (%2) OVERRIDING SYSTEM VALUE VALUES (%3)")
                .arg(nameOf(change.relation), names.join(QStringLiteral(", ")),
                     values.join(QStringLiteral(", ")));
        return QStringLiteral("UPDATE %1 SET %2 WHERE %3")
            .arg(nameOf(change.relation), sets.join(QStringLiteral(", ")),
                 condition(relation, key));
    }

    /// Rows that are equal to the new one in a unique key, other than the one that it replaces.
    Result<QStringList> inTheWay(const StreamChange &change, std::stop_token stop)
    {
        const StreamRelation &relation = m_relations[change.relation];
        CW_TRY_ASSIGN(
            const auto keys,
            m_session.query(
                QStringLiteral(
                    "SELECT (SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum) FROM "
                    "pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY "
                    "(i.indkey::int2[])) FROM pg_catalog.pg_index i WHERE i.indrelid = "
                    "%1::pg_catalog.regclass AND i.indisunique AND i.indisvalid AND i.indpred IS "
                    "NULL AND i.indexprs IS NULL")
                    .arg(quoteText(nameOf(change.relation))),
                stop));
        QStringList out;
        for (std::size_t k = 0; k < keys.rows.size(); ++k) {
            const QJsonArray columns = QJsonDocument::fromJson(keys.text(k, 0).toUtf8()).array();
            QStringList equal;
            bool whole = true;
            for (const QJsonValue &column : columns) {
                const auto it = std::find_if(
                    relation.columns.begin(), relation.columns.end(),
                    [&](const StreamColumn &c) { return c.name == column.toString(); });
                const auto at = static_cast<std::size_t>(it - relation.columns.begin());
                whole = whole && at < change.after.size() &&
                        change.after[at].kind == StreamValue::Kind::Text;
                if (whole)
                    equal << quoteId(it->name) + QStringLiteral(" = ") + literal(change.after[at]);
            }
            if (!whole || equal.isEmpty())
                continue;
            QString sql = QStringLiteral("DELETE FROM %1 WHERE %2")
                              .arg(nameOf(change.relation), equal.join(QStringLiteral(" AND ")));
            if (change.kind == StreamChange::Kind::Update) {
                sql += QStringLiteral(" AND NOT (%1)")
                           .arg(condition(relation, change.before ? *change.before : change.after));
            }
            out << sql;
        }
        return out;
    }

    Session &m_session;
    std::map<quint32, StreamRelation> &m_relations;
};

/// How far the follower has got, in the leader's log; nothing where the account may not see it.
Result<std::optional<quint64>> appliedUpTo(Server &follower, Side leader, std::stop_token stop)
{
    const auto row = follower.query(
        QStringLiteral("SELECT pg_catalog.pg_replication_origin_progress('pg_' || oid, true) FROM "
                       "pg_catalog.pg_subscription WHERE subname = %1")
            .arg(quoteText(follower.names().stream(leader))),
        std::move(stop));
    if (!row) {
        if (row.error().sqlState == QLatin1String("42501"))
            return std::optional<quint64>();
        return fail(row.error());
    }
    if (row->rows.empty())
        return std::optional<quint64>();
    return std::optional<quint64>(row->isNull(0, 0) ? 0 : lsnValue(row->text(0, 0)));
}
/// Tables that are still being copied, and the place in the leader's log from which on their
/// changes come in the stream; those before are in the copy.
Result<std::map<TableName, quint64>> copiedUpTo(Server &follower, Side leader, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto rows,
        follower.query(QStringLiteral("SELECT n.nspname, c.relname, CASE r.srsubstate WHEN 's' "
                                      "THEN r.srsublsn END FROM pg_catalog.pg_subscription_rel r "
                                      "JOIN pg_catalog.pg_subscription s ON s.oid = r.srsubid JOIN "
                                      "pg_catalog.pg_class c ON c.oid = r.srrelid JOIN "
                                      "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
                                      "s.subname = %1 AND r.srsubstate <> 'r'")
                           .arg(quoteText(follower.names().stream(leader))),
                       std::move(stop)));
    std::map<TableName, quint64> out;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        out.emplace(TableName{rows.text(i, 0), rows.text(i, 1)},
                    rows.isNull(i, 2) ? std::numeric_limits<quint64>::max()
                                      : lsnValue(rows.text(i, 2)));
    }
    return out;
}
} // namespace

Result<std::optional<ApplyTrouble>> findApplyTrouble(Server &leader, Server &follower,
                                                     std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto applied, appliedUpTo(follower, leader.side(), stop));
    if (!applied)
        return std::optional<ApplyTrouble>();
    CW_TRY_ASSIGN(const auto copying, copiedUpTo(follower, leader.side(), stop));
    CW_TRY_ASSIGN(const ResultSet messages, peek(leader, stop));
    CW_TRY_ASSIGN(const auto session, follower.another(stop));
    CW_TRY(session->exec(QStringLiteral("BEGIN READ WRITE; SET LOCAL session_replication_role = "
                                        "replica; SET LOCAL lock_timeout = '5s'"),
                         stop));
    std::map<quint32, StreamRelation> relations;
    Replay replay(*session, relations);
    ApplyTrouble trouble;
    bool pending = false;
    quint64 commit = 0;
    const auto inTheCopy = [&](const StreamChange &change) {
        const auto it = copying.find(relations[change.relation].name);
        return it != copying.end() && commit < it->second;
    };
    for (std::size_t i = 0; i < messages.rows.size(); ++i) {
        const QByteArray hex = QByteArray::fromStdString(messages.rows[i][0].value_or("")).mid(2);
        CW_TRY_ASSIGN(const StreamChange change,
                      decodeMessage(QByteArray::fromHex(hex), relations));
        if (change.kind == StreamChange::Kind::Begin) {
            commit = change.commitLsn;
            pending = commit >= *applied;
            continue;
        }
        if (!pending)
            continue;
        if (change.kind == StreamChange::Kind::Commit) {
            if (!trouble.words.isEmpty())
                break; // the transaction that fails; those after it have not been tried
            continue;
        }
        if (change.kind != StreamChange::Kind::Truncate && inTheCopy(change))
            continue;
        CW_TRY_ASSIGN(const bool more, replay.apply(change, trouble, stop));
        if (!more)
            break;
    }
    (void)session->exec(QStringLiteral("ROLLBACK"), stop);
    if (trouble.words.isEmpty())
        return std::optional<ApplyTrouble>();
    // The worker may have come back meanwhile and got past it: then what is in the way is its own.
    CW_TRY_ASSIGN(const auto now, appliedUpTo(follower, leader.side(), stop));
    if (now && *now > commit)
        return std::optional<ApplyTrouble>();
    return std::optional<ApplyTrouble>(std::move(trouble));
}

Status removeRowsInTheWay(Server &follower, const ApplyTrouble &trouble, std::stop_token stop)
{
    QStringList sql{QStringLiteral("SET LOCAL session_replication_role = replica")};
    sql += trouble.overwrite;
    return follower.act(sql, std::move(stop));
}

} // namespace causeway::postgres
