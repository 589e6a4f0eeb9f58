#include "mysql/checks/DataScan.h"

#include <QMap>

#include <algorithm>

namespace causeway::mysql {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSamples = 3;

bool isNumber(const ColumnFacts &c)
{
    static const QStringList numbers{
        QStringLiteral("tinyint"), QStringLiteral("smallint"), QStringLiteral("mediumint"),
        QStringLiteral("int"),     QStringLiteral("bigint"),   QStringLiteral("decimal"),
        QStringLiteral("float"),   QStringLiteral("double"),   QStringLiteral("year")};
    return numbers.contains(c.dataType);
}

/// The columns by which a row of each table is named.
QHash<TableName, std::vector<ColumnFacts>>
rowKeys(const std::vector<UniqueKeyBrief> &keys,
        const QMap<TableName, std::vector<ColumnFacts>> &columns)
{
    QHash<TableName, std::vector<ColumnFacts>> out;
    for (const UniqueKeyBrief &k : keys) {
        if (!k.usable || (out.contains(k.table) && k.name != QLatin1String("PRIMARY")))
            continue;
        std::vector<ColumnFacts> parts;
        for (const ColumnFacts &c : columns.value(k.table)) {
            if (k.columns.contains(c.name))
                parts.push_back(c);
        }
        out.insert(k.table, parts);
    }
    return out;
}

QString scanSql(const TableName &table, const std::vector<RowQuestion> &questions,
                const std::vector<ColumnFacts> &key, qint64 limit)
{
    QStringList inner, outer{QStringLiteral("COUNT(*)")};
    for (std::size_t i = 0; i < questions.size(); ++i) {
        inner << QStringLiteral("COALESCE((%1), 0) AS p%2").arg(questions[i].condition).arg(i);
        outer << QStringLiteral("COALESCE(SUM(p%1), 0), SUBSTRING_INDEX(GROUP_CONCAT(CASE WHEN "
                                "p%1 THEN k END SEPARATOR '\n'), '\n', %2)")
                     .arg(i)
                     .arg(kSamples);
    }
    inner << QStringLiteral("%1 AS k").arg(redactedKey(key));
    return QStringLiteral("SELECT %1 FROM (SELECT %2 FROM %3 LIMIT %4) q")
        .arg(outer.join(QStringLiteral(", ")), inner.join(QStringLiteral(", ")), quoteName(table),
             QString::number(limit));
}

} // namespace

QString redactedKey(const std::vector<ColumnFacts> &key)
{
    if (key.empty())
        return QStringLiteral("''");
    QStringList parts;
    for (const ColumnFacts &c : key) {
        const QString id = quoteId(c.name), name = quoteText(c.name + QLatin1Char('='));
        parts << (isNumber(c) ? QStringLiteral("CONCAT(%1, %2)").arg(name, id)
                  : c.charset.isEmpty()
                      ? QStringLiteral("CONCAT(%1, '...(', OCTET_LENGTH(%2), ')')").arg(name, id)
                      : QStringLiteral("CONCAT(%1, CONVERT(LEFT(%2, 1) USING utf8mb4), '...(', "
                                       "CHAR_LENGTH(%2), ')')")
                            .arg(name, id));
    }
    return QStringLiteral("CONCAT_WS(', ', %1)").arg(parts.join(QStringLiteral(", ")));
}

QString limited(bool mariaDb, const QString &select, std::chrono::milliseconds limit)
{
    const qint64 ms = std::max<qint64>(limit.count(), 1);
    // Without a privilege for either.
    return mariaDb ? QStringLiteral("SET STATEMENT max_statement_time=%1 FOR ")
                             .arg(static_cast<double>(ms) / 1000, 0, 'f', 3) +
                         select
                   : QString(select).replace(
                         0, 6, QStringLiteral("SELECT /*+ MAX_EXECUTION_TIME(%1) */").arg(ms));
}

bool ranOutOfTime(const Error &e)
{
    return e.number == 3024 || e.number == 1969;
}

QStringList DataScan::objects() const
{
    QStringList out;
    for (const RowAnswer &a : found) {
        QString text = a.table.display();
        if (!a.question.column.name.isEmpty())
            text += QLatin1Char('.') + a.question.column.name;
        text += QStringLiteral(": %1 rows").arg(a.rows);
        if (!a.keys.isEmpty())
            text += QStringLiteral(", such as ") + a.keys.join(QStringLiteral("; "));
        out << text;
    }
    return out;
}

QString DataScan::extent() const
{
    QString text = QStringLiteral("%1 rows looked at").arg(rows);
    if (!partly.isEmpty())
        text += QStringLiteral("; not all of %1").arg(someOf(partly));
    return text;
}

Result<DataScan> scanRows(
    Look &look,
    const std::function<std::vector<RowQuestion>(const std::vector<ColumnFacts> &)> &questionsOf)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    CW_TRY_ASSIGN(const auto *columns, look.here.columns(look.stop));
    CW_TRY_ASSIGN(const auto *keys, look.here.uniqueKeys(look.stop));
    QMap<TableName, std::vector<ColumnFacts>> byTable;
    for (const ColumnFacts &c : *columns)
        byTable[c.table].push_back(c);
    const auto names = rowKeys(*keys, byTable);
    const auto until = Clock::now() + look.options.data.timeout;
    DataScan out;
    for (const TableBrief &t : *tables) {
        if (t.type == QLatin1String("SEQUENCE"))
            continue;
        const std::vector<RowQuestion> questions = questionsOf(byTable.value(t.name));
        if (questions.empty())
            continue;
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        if (left.count() <= 0) {
            out.partly << t.name.display();
            continue;
        }
        const QString sql =
            scanSql(t.name, questions, names.value(t.name), look.options.data.rowLimit);
        const auto r = look.here.query(limited(facts->isMariaDb, sql, left), look.stop);
        if (!r && ranOutOfTime(r.error())) {
            out.partly << t.name.display();
            continue;
        }
        CW_TRY_ASSIGN(const ResultSet rows, r);
        const qint64 seen = rows.text(0, std::size_t{0}).toLongLong();
        out.rows += seen;
        if (seen >= look.options.data.rowLimit)
            out.partly << t.name.display();
        for (std::size_t i = 0; i < questions.size(); ++i) {
            const qint64 count = rows.text(0, 1 + 2 * i).toLongLong();
            if (count > 0)
                out.found.push_back(
                    {questions[i], t.name, count,
                     rows.text(0, 2 + 2 * i).split(QLatin1Char('\n'), Qt::SkipEmptyParts)});
        }
    }
    return out;
}

} // namespace causeway::mysql
