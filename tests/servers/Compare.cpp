#include "servers/Compare.h"

#include "servers/MySqlClient.h"
#include "servers/Support.h"

#include <QCryptographicHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSet>

#include <algorithm>
#include <iterator>
#include <map>
#include <thread>
#include <tuple>

namespace causeway::test {
namespace {

struct Column {
    QString name;
    QString type; ///< DATA_TYPE
    bool key = false;
};

QString quoted(const QString &name)
{
    return u'`' + QString(name).replace(u'`', QStringLiteral("``")) + u'`';
}

QString literal(const QString &text)
{
    return u'\'' +
           QString(text)
               .replace(u'\\', QStringLiteral("\\\\"))
               .replace(u'\'', QStringLiteral("''")) +
           u'\'';
}

QString text(const std::optional<std::string> &value)
{
    return value ? QString::fromStdString(*value) : QStringLiteral("NULL");
}

QStringList tablesOf(TestServer &server, const QString &schema, const CompareOptions &options)
{
    QStringList result;
    const auto rows = server.query(
        QStringLiteral("SELECT table_name FROM information_schema.tables WHERE table_schema = %1 "
                       "AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') "
                       "AND table_name NOT LIKE '\\_causeway%' ORDER BY BINARY table_name")
            .arg(literal(schema)));
    for (const TestRow &row : rows) {
        const QString name = text(row[0]);
        if (!options.ignoreTables.contains(schema + u'.' + name))
            result << name;
    }
    return result;
}

std::vector<Column> columnsOf(TestServer &server, const QString &schema, const QString &table)
{
    // MariaDB's JSON is LONGTEXT with a check of that form.
    const bool mariaDb = server.product() == Product::MariaDb;
    const QString json =
        mariaDb ? QStringLiteral("EXISTS (SELECT 1 FROM information_schema.check_constraints k "
                                 "WHERE k.constraint_schema = c.table_schema AND k.table_name = "
                                 "c.table_name AND k.check_clause = CONCAT('json_valid(`', "
                                 "c.column_name, '`)'))")
                : QStringLiteral("c.data_type = 'json'");
    const auto rows = server.query(
        QStringLiteral("SELECT c.column_name, IF(%1, 'json', c.data_type), c.column_key = 'PRI' "
                       "FROM information_schema.columns c WHERE c.table_schema = %2 AND "
                       "c.table_name = %3 ORDER BY c.ordinal_position")
            .arg(json, literal(schema), literal(table)));
    std::vector<Column> result;
    result.reserve(rows.size());
    for (const TestRow &row : rows)
        result.push_back({text(row[0]), text(row[1]).toLower(), row[2] == "1"});
    return result;
}

// How a value is selected, so that equal bytes mean equal values.
QString expression(const Column &column)
{
    static const QSet<QString> texts{QStringLiteral("char"),       QStringLiteral("varchar"),
                                     QStringLiteral("tinytext"),   QStringLiteral("text"),
                                     QStringLiteral("mediumtext"), QStringLiteral("longtext")};
    static const QSet<QString> plain{
        QStringLiteral("tinyint"),  QStringLiteral("smallint"),  QStringLiteral("mediumint"),
        QStringLiteral("int"),      QStringLiteral("bigint"),    QStringLiteral("decimal"),
        QStringLiteral("double"),   QStringLiteral("date"),      QStringLiteral("time"),
        QStringLiteral("datetime"), QStringLiteral("timestamp"), QStringLiteral("year"),
        QStringLiteral("uuid"),     QStringLiteral("inet4"),     QStringLiteral("inet6")};
    QString name = quoted(column.name);
    if (column.type == QLatin1String("float"))
        return name + QStringLiteral("+0e0"); // its text has six digits only
    // By its label alone ENUM's invalid value '' is one with a label ''.
    if (column.type == QLatin1String("enum") || column.type == QLatin1String("set"))
        return QStringLiteral("CONCAT(CAST(%1 AS UNSIGNED), ':', HEX(CONVERT(%1 USING utf8mb4)))")
            .arg(name);
    if (texts.contains(column.type))
        return QStringLiteral("HEX(CONVERT(%1 USING utf8mb4))").arg(name);
    if (column.type == QLatin1String("json"))
        return QStringLiteral("CONVERT(%1 USING utf8mb4)").arg(name);
    if (plain.contains(column.type))
        return name;
    return QStringLiteral("HEX(%1)").arg(name); // bits, bytes, geometry, vectors
}

QByteArray canonicalJson(const char *bytes, unsigned long size)
{
    // In an array, because QJsonDocument takes no scalar.
    const QByteArray wrapped = '[' + QByteArray(bytes, static_cast<qsizetype>(size)) + ']';
    const QJsonDocument document = QJsonDocument::fromJson(wrapped);
    return document.isNull() ? QByteArray(bytes, static_cast<qsizetype>(size))
                             : document.toJson(QJsonDocument::Compact);
}

// The servers print the same number differently, and only MySQL stores -0.
QByteArray canonicalNumber(const QByteArray &text)
{
    const double number = text.toDouble();
    return number == 0 ? QByteArray("0") : QByteArray::number(number, 'g', 17);
}

struct TableRows {
    std::vector<QByteArray> hashes; ///< sorted; one for each row
    std::map<QByteArray, std::vector<TestRow>> picked;
    QString error;
};

// One pass over a table: the hash of each row, or the rows whose hash is wanted.
TableRows readTable(const Address &address, const QString &from, const std::vector<Column> &columns,
                    const QSet<QByteArray> *wanted)
{
    TableRows result;
    QStringList expressions;
    for (const Column &column : columns)
        expressions << expression(column);
    MySqlClient client;
    SqlOutcome outcome = client.connect(address);
    if (outcome.ok())
        outcome = client.run("SET time_zone = '+00:00'");
    if (outcome.ok()) {
        const QString sql = QStringLiteral("SELECT %1 FROM %2").arg(expressions.join(u','), from);
        outcome = client.stream(
            sql.toStdString(), [&](char **values, const unsigned long *lengths, unsigned count) {
                QCryptographicHash hash(QCryptographicHash::Sha1);
                TestRow row(wanted != nullptr ? count : 0);
                for (unsigned i = 0; i < count; ++i) {
                    if (values[i] == nullptr) {
                        hash.addData(QByteArrayView("N"));
                        continue;
                    }
                    QByteArray value(values[i], static_cast<qsizetype>(lengths[i]));
                    if (columns[i].type == QLatin1String("json"))
                        value = canonicalJson(values[i], lengths[i]);
                    if (columns[i].type == QLatin1String("double") ||
                        columns[i].type == QLatin1String("float"))
                        value = canonicalNumber(value);
                    hash.addData(QByteArray::number(value.size()) + ':');
                    hash.addData(value);
                    if (wanted != nullptr)
                        row[i] = value.toStdString();
                }
                const QByteArray digest = hash.result();
                if (wanted == nullptr)
                    result.hashes.push_back(digest);
                else if (wanted->contains(digest))
                    result.picked[digest].push_back(std::move(row));
            });
    }
    if (!outcome.ok())
        result.error = QString::fromStdString(outcome.words);
    std::sort(result.hashes.begin(), result.hashes.end());
    MySqlClient::endThread();
    return result;
}

class Comparison {
public:
    Comparison(TestServer &source, TestServer &target, CompareOptions options)
        : m_source(source), m_target(target), m_options(std::move(options))
    {
    }

    void schema(const QString &schema)
    {
        const QStringList here = tablesOf(m_source, schema, m_options);
        const QStringList there = tablesOf(m_target, schema, m_options);
        lists(schema, QStringLiteral("table"), here, there);
        for (const QString &name : here) {
            if (there.contains(name) && !full())
                table(schema, name);
        }
        if (m_options.objects)
            objects(schema);
        if (m_options.definitions)
            structure(schema);
    }

    QStringList found;

private:
    [[nodiscard]] bool full() const { return found.size() >= m_options.maxDifferences; }
    void say(const QString &sentence)
    {
        if (!full())
            found << sentence;
    }

    void lists(const QString &schema, const QString &kind, const QStringList &here,
               const QStringList &there)
    {
        for (const QString &name : here) {
            if (!there.contains(name))
                say(QStringLiteral("%1 %2.%3 is missing on the target").arg(kind, schema, name));
        }
        for (const QString &name : there) {
            if (!here.contains(name))
                say(QStringLiteral("%1 %2.%3 is on the target only").arg(kind, schema, name));
        }
    }

    void table(const QString &schema, const QString &name)
    {
        const QString label = schema + u'.' + name;
        const QString from = quoted(schema) + u'.' + quoted(name);
        std::vector<Column> columns = columnsOf(m_source, schema, name);
        std::vector<Column> others = columnsOf(m_target, schema, name);
        const auto names = [](const std::vector<Column> &list) {
            QStringList result;
            for (const Column &column : list)
                result << column.name;
            return result.join(u',');
        };
        if (names(columns) != names(others)) {
            say(QStringLiteral("%1 has columns (%2) on the source and (%3) on the target")
                    .arg(label, names(columns), names(others)));
            return;
        }
        for (std::size_t i = 0; i < columns.size(); ++i) {
            // JSON on one side only (another product) is compared as JSON on both.
            if (columns[i].type == QLatin1String("json") || others[i].type == QLatin1String("json"))
                columns[i].type = others[i].type = QStringLiteral("json");
        }
        const auto [here, there] = both(from, columns, others, nullptr, nullptr);
        if (!here.error.isEmpty() || !there.error.isEmpty()) {
            say(QStringLiteral("%1 cannot be read: %2 %3").arg(label, here.error, there.error));
            return;
        }
        if (here.hashes == there.hashes)
            return;
        if (here.hashes.size() != there.hashes.size())
            say(QStringLiteral("%1 has %2 rows on the source and %3 on the target")
                    .arg(label)
                    .arg(here.hashes.size())
                    .arg(there.hashes.size()));
        rows(label, from, columns, others, here, there);
    }

    std::pair<TableRows, TableRows> both(const QString &from, const std::vector<Column> &columns,
                                         const std::vector<Column> &others,
                                         const QSet<QByteArray> *wantedHere,
                                         const QSet<QByteArray> *wantedThere)
    {
        TableRows there;
        std::thread reader(
            [&] { there = readTable(m_target.address(), from, others, wantedThere); });
        TableRows here;
        // On a thread of its own too: endThread() in readTable() is for those.
        std::thread([&] {
            here = readTable(m_source.address(), from, columns, wantedHere);
        }).join();
        reader.join();
        return {std::move(here), std::move(there)};
    }

    // Fetches the rows that differ and says what differs, by key.
    void rows(const QString &label, const QString &from, const std::vector<Column> &columns,
              const std::vector<Column> &others, const TableRows &here, const TableRows &there)
    {
        std::vector<QByteArray> onlyHere;
        std::vector<QByteArray> onlyThere;
        std::set_difference(here.hashes.begin(), here.hashes.end(), there.hashes.begin(),
                            there.hashes.end(), std::back_inserter(onlyHere));
        std::set_difference(there.hashes.begin(), there.hashes.end(), here.hashes.begin(),
                            here.hashes.end(), std::back_inserter(onlyThere));
        const QSet<QByteArray> wantedHere(onlyHere.begin(), onlyHere.end());
        const QSet<QByteArray> wantedThere(onlyThere.begin(), onlyThere.end());
        const auto [a, b] = both(from, columns, others, &wantedHere, &wantedThere);

        const bool keyed =
            std::any_of(columns.begin(), columns.end(), [](const Column &c) { return c.key; });
        const auto byKey = [&](const TableRows &side) {
            std::multimap<QString, TestRow> result;
            for (const auto &[hash, list] : side.picked) {
                for (const TestRow &row : list)
                    result.emplace(describe(columns, row, keyed), row);
            }
            return result;
        };
        const auto source = byKey(a);
        auto target = byKey(b);
        for (const auto &[key, row] : source) {
            const auto other = target.find(key);
            if (other == target.end()) {
                say(QStringLiteral("%1 (%2) is on the source only").arg(label, key));
                continue;
            }
            for (std::size_t i = 0; i < columns.size(); ++i) {
                if (row[i] != other->second[i])
                    say(QStringLiteral("%1 (%2) column %3: %4 on the source, %5 on the target")
                            .arg(label, key, columns[i].name, text(row[i]).left(120),
                                 text(other->second[i]).left(120)));
            }
            if (row == other->second) // the same row, another number of times
                say(QStringLiteral("%1 (%2) is there more often on the source").arg(label, key));
            target.erase(other);
        }
        for (const auto &[key, row] : target)
            say(QStringLiteral("%1 (%2) is on the target only").arg(label, key));
    }

    static QString describe(const std::vector<Column> &columns, const TestRow &row, bool keyed)
    {
        QStringList parts;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i].key || !keyed)
                parts << columns[i].name + u'=' + text(row[i]).left(60);
        }
        return parts.join(QStringLiteral(", "));
    }

    // Each query gives a name and what the object is made of.
    void named(const QString &schema, const QString &kind, const QString &sql, bool definitions)
    {
        const auto read = [&](TestServer &server) {
            std::map<QString, TestRow> result;
            for (TestRow &row : server.query(sql.arg(literal(schema)))) {
                const QString name = text(row.front());
                row.erase(row.begin());
                result.emplace(name, std::move(row));
            }
            return result;
        };
        const auto here = read(m_source);
        const auto there = read(m_target);
        const auto names = [](const std::map<QString, TestRow> &map) {
            QStringList result;
            for (const auto &[name, row] : map)
                result << name;
            return result;
        };
        lists(schema, kind, names(here), names(there));
        for (const auto &[name, row] : here) {
            const auto other = there.find(name);
            if (!definitions || other == there.end() || other->second == row)
                continue;
            for (std::size_t i = 0; i < row.size(); ++i) {
                if (row[i] != other->second[i])
                    say(QStringLiteral("%1 %2.%3 differs: %4 on the source, %5 on the target")
                            .arg(kind, schema, name, text(row[i]).left(300),
                                 text(other->second[i]).left(300)));
            }
        }
    }

    void objects(const QString &schema)
    {
        const bool definitions = m_options.definitions;
        named(schema, QStringLiteral("trigger"),
              QStringLiteral("SELECT trigger_name, event_manipulation, event_object_table, "
                             "action_order, action_timing, action_statement, sql_mode, definer, "
                             "character_set_client, collation_connection FROM "
                             "information_schema.triggers WHERE trigger_schema = %1"),
              definitions);
        named(schema, QStringLiteral("routine"),
              QStringLiteral("SELECT CONCAT(routine_type, ' ', routine_name), dtd_identifier, "
                             "routine_definition, is_deterministic, sql_data_access, "
                             "security_type, sql_mode, routine_comment, definer, "
                             "(SELECT GROUP_CONCAT(CONCAT_WS(' ', parameter_mode, parameter_name, "
                             "p.dtd_identifier) ORDER BY ordinal_position) FROM "
                             "information_schema.parameters p WHERE p.specific_schema = "
                             "r.routine_schema AND p.specific_name = r.specific_name AND "
                             "p.routine_type = r.routine_type) "
                             "FROM information_schema.routines r WHERE routine_schema = %1"),
              definitions);
        named(schema, QStringLiteral("view"),
              QStringLiteral("SELECT table_name, view_definition, check_option, definer, "
                             "security_type FROM information_schema.views WHERE table_schema = %1"),
              definitions);
        named(schema, QStringLiteral("event"),
              QStringLiteral("SELECT event_name, event_definition, event_type, execute_at, "
                             "interval_value, interval_field, sql_mode, starts, ends, "
                             "on_completion, time_zone, definer FROM information_schema.events "
                             "WHERE event_schema = %1"),
              definitions);
    }

    void structure(const QString &schema)
    {
        const QString ours = QStringLiteral(" AND table_name NOT LIKE '\\_causeway%'");
        named(schema, QStringLiteral("column"),
              QStringLiteral("SELECT CONCAT(table_name, '.', column_name), column_type, "
                             "is_nullable, column_default, extra, collation_name, column_comment, "
                             "generation_expression FROM information_schema.columns WHERE "
                             "table_schema = %1") +
                  ours,
              true);
        named(schema, QStringLiteral("index"),
              QStringLiteral("SELECT CONCAT(table_name, '.', index_name), MAX(non_unique), "
                             "MAX(index_type), GROUP_CONCAT(CONCAT_WS(' ', column_name, sub_part, "
                             "collation) ORDER BY seq_in_index) FROM "
                             "information_schema.statistics WHERE table_schema = %1") +
                  ours + QStringLiteral(" GROUP BY table_name, index_name"),
              true);
        named(schema, QStringLiteral("foreign key"),
              QStringLiteral("SELECT CONCAT(k.table_name, '.', k.constraint_name), "
                             "MAX(r.update_rule), MAX(r.delete_rule), "
                             "MAX(k.referenced_table_schema), MAX(k.referenced_table_name), "
                             "GROUP_CONCAT(CONCAT_WS('>', k.column_name, k.referenced_column_name) "
                             "ORDER BY k.ordinal_position) FROM "
                             "information_schema.key_column_usage k JOIN "
                             "information_schema.referential_constraints r ON "
                             "r.constraint_schema = k.constraint_schema AND r.constraint_name = "
                             "k.constraint_name AND r.table_name = k.table_name WHERE "
                             "k.table_schema = %1 AND k.table_name NOT LIKE '\\_causeway%' "
                             "GROUP BY k.table_name, k.constraint_name"),
              true);
        named(schema, QStringLiteral("table"),
              QStringLiteral("SELECT table_name, engine, table_collation, table_comment FROM "
                             "information_schema.tables WHERE table_type = 'BASE TABLE' AND "
                             "table_schema = %1") +
                  ours,
              true);
    }

    TestServer &m_source;
    TestServer &m_target;
    const CompareOptions m_options;
};

} // namespace

QStringList compareServers(TestServer &source, TestServer &target, const QStringList &schemas,
                           const CompareOptions &options)
{
    if (source.product() == Product::Postgres || target.product() == Product::Postgres)
        fatal(QStringLiteral("compareServers() is for MySQL and MariaDB"));
    Comparison comparison(source, target, options);
    for (const QString &schema : schemas)
        comparison.schema(schema);
    return comparison.found;
}

} // namespace causeway::test
