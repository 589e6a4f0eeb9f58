#include "mysql/checks/DataScan.h"
#include "mysql/checks/Fixes.h"

#include <algorithm>

/// Values that are two in a unique key of the source and one under the target's collation. Only the
/// target can tell, since most often the source does not know that collation: the keys are sent to
/// it inside a question, as a table of its own making (JSON_TABLE), and nothing is written. What
/// moves for good is looked at whole before the copy (CollisionScan.cpp); this is a look ahead.
namespace causeway::mysql {

namespace {

struct KeyColumn {
    ColumnFacts facts;
    int prefix = 0;
    QString there; ///< collation on the target; empty where it is compared as it is
};

struct LooseKey {
    TableName table;
    QString name;
    std::vector<KeyColumn> columns;
};

/// Unique keys with a text whose collation may make one of two on the target.
Result<std::vector<LooseKey>> looseKeysOf(Look &look)
{
    CW_TRY_ASSIGN(const auto *keys, look.here.uniqueKeys(look.stop));
    CW_TRY_ASSIGN(const auto *columns, look.here.columns(look.stop));
    CW_TRY_ASSIGN(const auto *theirs, look.other->collations(look.stop));
    CW_TRY_ASSIGN(const auto *made, look.other->columns(look.stop)); // by the user, beforehand
    QHash<TableName, QHash<QString, ColumnFacts>> byName, there;
    for (const ColumnFacts &c : *columns)
        byName[c.table].insert(c.name, c);
    for (const ColumnFacts &c : *made)
        there[look.options.selection.onSource(c.table)].insert(c.name, c);
    std::vector<LooseKey> out;
    for (const UniqueKeyBrief &k : *keys) {
        LooseKey key{k.table, k.name, {}};
        bool loose = false, known = true;
        for (qsizetype i = 0; i < k.columns.size(); ++i) {
            const auto table = byName.constFind(k.table);
            if (table == byName.constEnd() || !table->contains(k.columns[i])) {
                known = false; // an expression
                break;
            }
            KeyColumn c{table->value(k.columns[i]), k.prefixes.value(i), {}};
            const bool text = !c.facts.collation.isEmpty() &&
                              c.facts.dataType != QLatin1String("enum") &&
                              c.facts.dataType != QLatin1String("set");
            if (text) {
                const QString own = there.value(k.table).value(c.facts.name).collation;
                c.there = own.isEmpty() ? theirs->nearest(c.facts.collation) : own;
                loose = loose || (!c.there.isEmpty() && !keepsApart(c.facts.collation, c.there));
            }
            key.columns.push_back(std::move(c));
        }
        if (loose && known)
            out.push_back(std::move(key));
    }
    return out;
}

QString shown(const KeyColumn &c)
{
    const QString id = quoteId(c.facts.name);
    if (!c.there.isEmpty())
        return QStringLiteral("CONVERT(%1 USING utf8mb4)")
            .arg(c.prefix > 0 ? QStringLiteral("LEFT(%1, %2)").arg(id).arg(c.prefix) : id);
    return c.facts.charset.isEmpty() ? QStringLiteral("HEX(%1)").arg(id)
                                     : QStringLiteral("%1 + 0").arg(id); // ENUM, SET
}

/// The keys of the first rows, as a JSON array of arrays. `all`: there are no others.
Result<QString> readKeys(Look &look, const LooseKey &key, qint64 mostBytes,
                         std::chrono::milliseconds left, bool &all)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    QStringList parts;
    for (const KeyColumn &c : key.columns)
        parts << shown(c);
    const qint64 limit = look.options.data.rowLimit;
    CW_TRY_ASSIGN(const ResultSet rows,
                  look.here.query(limited(facts->isMariaDb,
                                          QStringLiteral("SELECT JSON_ARRAY(%1) FROM %2 LIMIT %3")
                                              .arg(parts.join(QStringLiteral(", ")),
                                                   quoteName(key.table), QString::number(limit)),
                                          left),
                                  look.stop));
    all = static_cast<qint64>(rows.rows.size()) < limit;
    QString out = QStringLiteral("[");
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const QString row = rows.text(i, std::size_t{0});
        if (out.size() * 2 + row.size() * 2 > mostBytes) {
            all = false;
            break;
        }
        if (i > 0)
            out += QLatin1Char(',');
        out += row;
    }
    return out + QLatin1Char(']');
}

QString groupsSql(const LooseKey &key, const QString &json)
{
    QStringList columns, groups, notNull, sample;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
        const KeyColumn &c = key.columns[i];
        const QString name = QStringLiteral("c%1").arg(i);
        columns << QStringLiteral("%1 VARCHAR(1000) PATH '$[%2]'").arg(name).arg(i);
        const qsizetype end = c.there.indexOf(QLatin1Char('_'));
        groups << (c.there.isEmpty()
                       ? name
                       : QStringLiteral("CONVERT(%1 USING %2) COLLATE %3")
                             .arg(name, end > 0 ? c.there.left(end) : c.there, c.there));
        notNull << name + QStringLiteral(" IS NOT NULL");
        sample << QStringLiteral("CONCAT(LEFT(%1, 1), '...(', CHAR_LENGTH(%1), ')')").arg(name);
    }
    return QStringLiteral("SELECT COUNT(*), SUBSTRING_INDEX(GROUP_CONCAT(CONCAT_WS(', ', %1) "
                          "SEPARATOR ' = '), ' = ', 2) FROM JSON_TABLE(%2, '$[*]' COLUMNS (%3)) j "
                          "WHERE %4 GROUP BY %5 HAVING COUNT(*) > 1 LIMIT 1000")
        .arg(sample.join(QStringLiteral(", ")), quoteText(json), columns.join(QStringLiteral(", ")),
             notNull.join(QStringLiteral(" AND ")), groups.join(QStringLiteral(", ")));
}

Status lookCollisions(Look &look)
{
    CW_TRY_ASSIGN(const auto *theirs, look.other->facts(look.stop));
    CW_TRY_ASSIGN(const auto keys, looseKeysOf(look));
    if (keys.empty())
        return look.pass(cwText("core", "Every unique key is compared there as it is here."));
    if (theirs->versionNumber < (theirs->isMariaDb ? 100600 : 80004))
        return look.skip(cwText("core", "The target is too old to be asked without writing; its "
                                        "keys are compared before the copy."));
    CW_TRY_ASSIGN(const QString packet, look.other->variable("max_allowed_packet", look.stop));
    // In escaped UTF-8 a character takes up to four bytes.
    const qint64 mostBytes = std::min<qint64>(packet.toLongLong() / 3, 16'000'000);
    const auto until = std::chrono::steady_clock::now() + look.options.data.timeout;
    QStringList partly;
    qint64 collisions = 0;
    for (const LooseKey &key : keys) {
        const QString name = QStringLiteral("%1 (%2)").arg(key.table.display(), key.name);
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            until - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            partly << name;
            continue;
        }
        bool all = false;
        const auto json = readKeys(look, key, mostBytes, left, all);
        const auto groups =
            json ? look.other->query(limited(theirs->isMariaDb, groupsSql(key, *json), left),
                                     look.stop)
                 : Result<ResultSet>(fail(json.error()));
        if (!groups && ranOutOfTime(groups.error())) {
            partly << name;
            continue;
        }
        CW_TRY_ASSIGN(const ResultSet found, groups);
        if (!all)
            partly << name;
        if (found.rows.empty())
            continue;
        collisions += static_cast<qint64>(found.rows.size());
        look.out.objects << QStringLiteral("%1: %2 values, such as %3")
                                .arg(name, QString::number(found.rows.size()),
                                     found.text(0, std::size_t{1}));
    }
    if (collisions == 0) {
        return partly.isEmpty()
                   ? look.pass(cwText("core", "None; keys compared: %1.",
                                      static_cast<qint64>(keys.size())))
                   : look.info(cwText("core", "None in what was looked at; not all of %1.",
                                      someOf(partly)));
    }
    look.out.fix.text =
        cwText("core", "Change or merge these rows on the source, or give the column a collation "
                       "that both servers have: the migration does not start while there are any.");
    return look.block(
        cwText("core", "Values of unique keys that are one value on the target: %1.", collisions));
}

} // namespace

void addCollisionCheck(CheckList &list)
{
    list.add(
        {.id = QStringLiteral("mysql-data-collisions"),
         .title = cwText("core", "Keys that collide under the target's collation"),
         .needed = cwText("core", "None."),
         .why = cwText("core", "Where the target has another collation, two values of a unique "
                               "key can be one there: one of the rows could not be written."),
         .needsTarget = true,
         .readsRows = true,
         .sql = {QStringLiteral("SELECT JSON_ARRAY(COLUMN, ...) FROM TABLE LIMIT ROWS")},
         .look = lookCollisions});
}

} // namespace causeway::mysql
