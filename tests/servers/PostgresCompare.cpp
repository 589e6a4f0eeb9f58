#include "servers/PostgresCompare.h"

#include "servers/PostgresClient.h"
#include "servers/Support.h"

#include <QCryptographicHash>

#include <algorithm>
#include <iterator>
#include <map>
#include <thread>

namespace causeway::test {
namespace {

// Rows of a catalog query: what it is, and how it is there. Both names and values may not hold
// OIDs.
using Facts = std::map<std::string, std::string>;

constexpr const char kNamespaces[] =
    "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '_causeway')";
constexpr const char kNotOfExtension[] = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = "
                                         "%1.oid AND d.deptype = 'e' AND d.classid = "
                                         "'%2'::regclass)";

class Side {
public:
    Side(TestServer &server, const QString &database)
    {
        const PgOutcome outcome = m_client.connect(server.address({}, {}, database));
        if (!outcome.ok())
            fatal(QString::fromStdString(outcome.words));
        // What is printed depends on these. With an empty path all names are qualified.
        rows("SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle "
             "= 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex'; SET xmloption = "
             "content; SET lc_monetary = 'C'; SET row_security = off");
        m_major = std::stoi(*rows("SELECT current_setting('server_version_num')")[0][0]) / 10000;
    }

    std::vector<TestRow> rows(const std::string &sql)
    {
        std::vector<TestRow> result;
        check(m_client.run(sql, &result), sql);
        return result;
    }

    Facts facts(const QString &sql)
    {
        Facts result;
        for (TestRow &row : rows(sql.toStdString())) {
            std::string value = row[1].value_or("(null)");
            // One name, several facts (comments of a table and its columns have names of their
            // own).
            std::string &there = result[row[0].value_or("(null)")];
            if (!there.empty())
                there += " | ";
            there += value;
        }
        return result;
    }

    /// Hash of each row -> how many of them.
    std::map<std::string, int> content(const std::string &select)
    {
        std::map<std::string, int> result;
        check(m_client.stream(
                  select,
                  [&result](const TestRow &row) {
                      const std::string &text = *row[0];
                      // Short rows are kept as they are, to be shown.
                      if (text.size() <= 200) {
                          ++result[text];
                          return;
                      }
                      const QByteArray hash = QCryptographicHash::hash(
                          QByteArray::fromRawData(text.data(), static_cast<qsizetype>(text.size())),
                          QCryptographicHash::Sha256);
                      ++result[text.substr(0, 100) + "... " + hash.toHex().toStdString()];
                  }),
              select);
        return result;
    }

    [[nodiscard]] int major() const { return m_major; }

private:
    static void check(const PgOutcome &outcome, const std::string &sql)
    {
        if (!outcome.ok())
            fatal(QStringLiteral("%1 [%2] in: %3")
                      .arg(QString::fromStdString(outcome.words),
                           QString::fromStdString(outcome.sqlState),
                           QString::fromStdString(sql).left(2000)));
    }

    PostgresClient m_client;
    int m_major = 0;
};

QString notOfExtension(const char *alias, const char *catalog)
{
    return QString::fromLatin1(kNotOfExtension).arg(QLatin1String(alias), QLatin1String(catalog));
}

class Comparison {
public:
    Comparison(TestServer &source, const QString &sourceDatabase, TestServer &target,
               const QString &targetDatabase, const PostgresCompareOptions &options)
        : m_a(source, sourceDatabase), m_b(target, targetDatabase), m_options(options)
    {
    }

    QStringList run()
    {
        compareTables();
        if (m_options.sequences)
            compareSequences();
        if (m_options.objects)
            compareObjects();
        return m_found;
    }

private:
    void add(const QString &sentence)
    {
        if (m_found.size() < m_options.maxDifferences)
            m_found << sentence;
    }

    void compareFacts(const char *what, const QString &sql, const QString &sqlOnOther = {})
    {
        const Facts a = m_a.facts(sql);
        const Facts b = m_b.facts(sqlOnOther.isEmpty() ? sql : sqlOnOther);
        const QString kind = QLatin1String(what);
        for (const auto &[name, value] : a) {
            const auto there = b.find(name);
            if (there == b.end())
                add(QStringLiteral("%1 %2 is missing").arg(kind, QString::fromStdString(name)));
            else if (there->second != value)
                add(QStringLiteral("%1 %2 differs: %3 <> %4")
                        .arg(kind, QString::fromStdString(name), QString::fromStdString(value),
                             QString::fromStdString(there->second)));
        }
        for (const auto &[name, value] : b) {
            if (!a.contains(name))
                add(QStringLiteral("%1 %2 is extra").arg(kind, QString::fromStdString(name)));
        }
    }

    // Columns by name, so that a target whose order differs is not a difference of rows.
    void compareTables()
    {
        const QString columns = QStringLiteral("SELECT quote_ident(n.nspname) || '.' || "
                                               "quote_ident(c.relname), c.relkind::text || ' ' || "
                                               "string_agg(quote_ident(a.attname) || ' ' || "
                                               "format_type(a.atttypid, a.atttypmod), ', ' "
                                               "ORDER BY a.attname) FROM pg_class c JOIN "
                                               "pg_namespace n ON n.oid = c.relnamespace LEFT "
                                               "JOIN pg_attribute a ON a.attrelid = c.oid AND "
                                               "a.attnum > 0 AND NOT a.attisdropped WHERE "
                                               "c.relkind IN ('r', 'p', 'm', 'v') AND "
                                               "c.relpersistence <> 't' AND %1 AND %2 GROUP BY 1, "
                                               "c.relkind");
        const QString sql =
            columns.arg(QLatin1String(kNamespaces), notOfExtension("c", "pg_class"));
        if (!m_options.tablesOnly)
            compareFacts("columns of", sql);
        const QString list = QStringLiteral(
            "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), (CASE WHEN c.relkind "
            "= "
            "'r' THEN 'ONLY ' ELSE '' END) FROM pg_class c JOIN pg_namespace n ON n.oid = "
            "c.relnamespace WHERE (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated) AND "
            "c.relpersistence <> 't' AND %1 AND %2");
        const QString tables =
            list.arg(QLatin1String(kNamespaces), notOfExtension("c", "pg_class"));
        const Facts a = m_a.facts(tables);
        const Facts b = m_b.facts(tables);
        for (const auto &[name, only] : a) {
            if (m_options.ignoreTables.contains(QString::fromStdString(name).remove(u'"')))
                continue;
            if (m_options.tablesOnly && only.empty())
                continue;
            if (!b.contains(name))
                add(QStringLiteral("%1 is missing").arg(QString::fromStdString(name)));
            else
                compareRows(name, only);
        }
        for (const auto &[name, only] : b) {
            if (!a.contains(name))
                add(QStringLiteral("%1 is extra").arg(QString::fromStdString(name)));
        }
    }

    void compareRows(const std::string &name, const std::string &only)
    {
        const std::string quotedName =
            "'" + QString::fromStdString(name).replace(u'\'', QStringLiteral("''")).toStdString() +
            "'";
        const auto names = m_a.rows("SELECT coalesce(string_agg('t.' || quote_ident(attname), ', ' "
                                    "ORDER BY attname), '') FROM pg_attribute WHERE attrelid = " +
                                    quotedName + "::regclass AND attnum > 0 AND NOT attisdropped");
        const std::string select =
            "SELECT ROW(" + *names[0][0] + ")::text FROM " + only + name + " t";
        std::map<std::string, int> a;
        std::map<std::string, int> b;
        {
            const std::jthread other([&] { b = m_b.content(select); });
            a = m_a.content(select);
        }
        if (a == b)
            return;
        int shown = 0;
        const auto show = [&](const std::map<std::string, int> &here,
                              const std::map<std::string, int> &there, const char *where) {
            for (const auto &[text, count] : here) {
                const auto found = there.find(text);
                const int other = found == there.end() ? 0 : found->second;
                if (other < count && shown++ < 6)
                    add(QStringLiteral("%1: %2 more on %3: %4")
                            .arg(QString::fromStdString(name))
                            .arg(count - other)
                            .arg(QLatin1String(where), QString::fromStdString(text)));
            }
        };
        show(a, b, "source");
        show(b, a, "target");
    }

    void compareSequences()
    {
        const QString list = QStringLiteral("SELECT quote_ident(n.nspname) || '.' || "
                                            "quote_ident(c.relname), format_type(s.seqtypid, "
                                            "NULL) || ' start ' || s.seqstart || ' by ' || "
                                            "s.seqincrement || ' from ' || s.seqmin || "
                                            "' to ' || s.seqmax || ' cache ' || s.seqcache || CASE "
                                            "WHEN s.seqcycle THEN ' cycle' ELSE "
                                            "'' END FROM pg_sequence s JOIN pg_class c ON c.oid = "
                                            "s.seqrelid JOIN pg_namespace n ON "
                                            "n.oid = c.relnamespace WHERE %1");
        const QString sql = list.arg(QLatin1String(kNamespaces));
        compareFacts("sequence", sql);
        const Facts b = m_b.facts(sql);
        for (const auto &[name, definition] : m_a.facts(sql)) {
            if (!b.contains(name))
                continue;
            const bool down = definition.find(" by -") != std::string::npos;
            const std::string select = "SELECT last_value, is_called::int FROM " + name;
            const auto here = m_a.rows(select);
            const auto there = m_b.rows(select);
            const std::pair<qint64, int> x{std::stoll(*here[0][0]), std::stoi(*here[0][1])};
            const std::pair<qint64, int> y{std::stoll(*there[0][0]), std::stoi(*there[0][1])};
            const bool behind = down ? y.first > x.first : y.first < x.first;
            if (behind || (y.first == x.first && y.second < x.second) ||
                (!m_options.sequencesMayBeAhead && x != y))
                add(QStringLiteral("sequence %1 stands at %2 (%3) <> %4 (%5)")
                        .arg(QString::fromStdString(name))
                        .arg(x.first)
                        .arg(x.second)
                        .arg(y.first)
                        .arg(y.second));
        }
    }

    void compareObjects();

    Side m_a, m_b;
    const PostgresCompareOptions m_options;
    QStringList m_found;
};

void Comparison::compareObjects()
{
    const QString ns = QLatin1String(kNamespaces);
    // Servers of different majors print what they parse (views, SQL bodies) differently.
    const bool sameMajor = m_a.major() == m_b.major();
    const QString name = QStringLiteral("quote_ident(n.nspname) || '.' || quote_ident(c.relname)");
    compareFacts("schema",
                 QStringLiteral("SELECT quote_ident(n.nspname), ''::text FROM pg_namespace n "
                                "WHERE %1 AND %2")
                     .arg(ns, notOfExtension("n", "pg_namespace")));
    compareFacts("extension",
                 QStringLiteral("SELECT extname, extnamespace::regnamespace::text FROM "
                                "pg_extension"));
    compareFacts(
        "column",
        QStringLiteral(
            "SELECT %1 || '.' || quote_ident(a.attname), concat_ws(' ', CASE WHEN a.attnotnull "
            "THEN "
            "'not null' END, 'default ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, "
            "''), "
            "nullif(a.attgenerated, ''), 'storage ' || a.attstorage::text, 'collation ' || (SELECT "
            "l.collname FROM pg_collation l WHERE l.oid = a.attcollation), 'statistics ' || "
            "nullif(coalesce("
            "a.attstattarget, -1), -1), CASE WHEN a.attislocal THEN 'local' END) FROM pg_attribute "
            "a "
            "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "LEFT "
            "JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0 "
            "AND "
            "NOT a.attisdropped AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND %2")
            .arg(name, ns));
    compareFacts(
        "table",
        QStringLiteral(
            "SELECT %1, concat_ws(' ', c.relkind, c.relpersistence, c.relreplident, CASE WHEN "
            "c.relrowsecurity THEN 'row security' END, CASE WHEN c.relforcerowsecurity THEN "
            "'forced' "
            "END, c.reloptions::text, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, "
            "c.oid), "
            "'in ' || (SELECT string_agg(i.inhparent::regclass::text, ',' ORDER BY i.inhseqno) "
            "FROM "
            "pg_inherits i WHERE i.inhrelid = c.oid), CASE WHEN c.relkind = 'm' THEN "
            "c.relispopulated::text END) FROM pg_class c JOIN pg_namespace n ON n.oid = "
            "c.relnamespace "
            "WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') AND c.relpersistence <> 't' AND %2 AND "
            "%3")
            .arg(name, ns, notOfExtension("c", "pg_class")));
    compareFacts(
        "enum",
        QStringLiteral("SELECT t.oid::regtype::text, string_agg(e.enumlabel, ',' ORDER BY "
                       "e.enumsortorder) FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid "
                       "JOIN pg_namespace n ON n.oid = t.typnamespace WHERE %1 GROUP BY 1")
            .arg(ns));
    compareFacts(
        "type",
        QStringLiteral(
            "SELECT t.oid::regtype::text, concat_ws(' ', t.typtype, CASE WHEN t.typnotnull THEN "
            "'not "
            "null' END, 'default ' || t.typdefault, 'base ' || format_type(nullif(t.typbasetype, "
            "0), "
            "t.typtypmod), (SELECT string_agg(pg_get_constraintdef(k.oid), ', ' ORDER BY "
            "k.conname) "
            "FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), (SELECT "
            "string_agg("
            "a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) "
            "FROM "
            "pg_attribute a WHERE a.attrelid = t.typrelid AND t.typrelid <> 0)) FROM pg_type t "
            "JOIN "
            "pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid "
            "WHERE "
            "(t.typtype IN ('d', 'e', 'r') OR t.typtype = 'c' AND c.relkind = 'c') AND %1 AND %2")
            .arg(ns, notOfExtension("t", "pg_type")));
    const QString body =
        sameMajor ? QStringLiteral("pg_get_functiondef(p.oid)")
                  // A body in SQL's own form is printed from its parse tree, as views are.
                  : QStringLiteral(
                        "CASE WHEN p.prosrc = '' THEN 'parsed' ELSE pg_get_functiondef(p.oid) END");
    compareFacts(
        "function",
        QStringLiteral("SELECT p.oid::regprocedure::text, CASE WHEN p.prokind = 'a' THEN "
                       "'aggregate' ELSE %1 END FROM pg_proc p JOIN pg_namespace n ON n.oid "
                       "= p.pronamespace WHERE %2 AND %3")
            .arg(body, ns, notOfExtension("p", "pg_proc")));
    compareFacts("operator", QStringLiteral("SELECT o.oid::regoperator::text, o.oprcode::text FROM "
                                            "pg_operator o JOIN pg_namespace n ON n.oid = "
                                            "o.oprnamespace WHERE %1 AND %2")
                                 .arg(ns, notOfExtension("o", "pg_operator")));
    compareFacts("collation", QStringLiteral("SELECT quote_ident(n.nspname) || '.' || l.collname, "
                                             "concat_ws(' ', l.collprovider, l.collcollate) FROM "
                                             "pg_collation l JOIN pg_namespace n ON n.oid = "
                                             "l.collnamespace WHERE %1")
                                  .arg(ns));
    if (sameMajor)
        compareFacts("view",
                     QStringLiteral("SELECT %1, pg_get_viewdef(c.oid) FROM pg_class c JOIN "
                                    "pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind "
                                    "IN ('v', 'm') AND %2 AND %3")
                         .arg(name, ns, notOfExtension("c", "pg_class")));
    compareFacts(
        "comment",
        QStringLiteral("SELECT (pg_identify_object(d.classoid, d.objoid, d.objsubid)).type || "
                       "' ' || (pg_identify_object(d.classoid, d.objoid, d.objsubid)).identity"
                       ", d.description FROM pg_description d WHERE d.objoid >= 16384 AND NOT "
                       "EXISTS (SELECT FROM pg_depend x WHERE x.objid = d.objoid AND x.classid "
                       "= d.classoid AND x.deptype = 'e') AND (pg_identify_object(d.classoid, "
                       "d.objoid, d.objsubid)).schema IS DISTINCT FROM '_causeway'"));
    if (m_options.owners)
        // MAINTAIN (m) is new in 17.
        compareFacts(
            "owner",
            QStringLiteral("SELECT %1, pg_get_userbyid(c.relowner) || ' ' || coalesce((SELECT "
                           "string_agg(regexp_replace(x::text, '=(\\w*)m(\\w*)/', "
                           "'=\\1\\2/'), ',' ORDER BY x::text) FROM unnest(c.relacl) x), '') "
                           "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                           "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND %2 AND %3")
                .arg(name, ns, notOfExtension("c", "pg_class")));
    if (m_options.tablesOnly)
        return;
    // NOT NULL constraints are rows of this catalog since 18.
    compareFacts(
        "constraint",
        QStringLiteral("SELECT coalesce(nullif(k.conrelid, 0)::regclass::text, "
                       "k.contypid::regtype::text) || ' ' || k.conname, pg_get_constraintdef("
                       "k.oid) || CASE WHEN k.convalidated THEN '' ELSE ' (not valid)' END "
                       "FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace "
                       "WHERE k.contype NOT IN ('n', 't') AND %1")
            .arg(ns));
    compareFacts(
        "index",
        QStringLiteral("SELECT %1, concat_ws(' ', pg_get_indexdef(i.indexrelid), CASE WHEN "
                       "i.indisvalid THEN '' ELSE 'INVALID' END, CASE WHEN i.indisclustered "
                       "THEN 'clustered' END, CASE WHEN i.indisreplident THEN 'identity' END, "
                       "CASE WHEN i.indisprimary THEN 'primary' END) FROM pg_index i JOIN "
                       "pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = "
                       "c.relnamespace WHERE %2 AND %3")
            .arg(name, ns, notOfExtension("c", "pg_class")));
    compareFacts(
        "trigger",
        QStringLiteral("SELECT t.tgrelid::regclass::text || ' ' || t.tgname, "
                       "pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text FROM pg_trigger t "
                       "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = "
                       "c.relnamespace WHERE NOT t.tgisinternal AND t.tgname NOT LIKE "
                       "'causeway%' AND %1")
            .arg(ns));
    compareFacts("rule",
                 QStringLiteral("SELECT r.ev_class::regclass::text || ' ' || r.rulename, "
                                "pg_get_ruledef(r.oid) FROM pg_rewrite r JOIN pg_class c ON "
                                "c.oid = r.ev_class JOIN pg_namespace n ON n.oid = "
                                "c.relnamespace WHERE r.rulename <> '_RETURN' AND %1 AND %2")
                     .arg(ns, notOfExtension("c", "pg_class")));
    compareFacts("policy",
                 QStringLiteral("SELECT p.polrelid::regclass::text || ' ' || p.polname, "
                                "concat_ws(' ', p.polcmd, p.polpermissive, pg_get_expr("
                                "p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, "
                                "p.polrelid)) FROM pg_policy p JOIN pg_class c ON c.oid = "
                                "p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
                                "WHERE %1")
                     .arg(ns));
    compareFacts("statistics",
                 QStringLiteral("SELECT quote_ident(n.nspname) || '.' || s.stxname, "
                                "pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s "
                                "JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE %1")
                     .arg(ns));
}

} // namespace

QStringList comparePostgres(TestServer &source, const QString &sourceDatabase, TestServer &target,
                            const QString &targetDatabase, const PostgresCompareOptions &options)
{
    return Comparison(source, sourceDatabase, target, targetDatabase, options).run();
}

QStringList comparePostgres(TestServer &source, TestServer &target, const QString &database,
                            const PostgresCompareOptions &options)
{
    return comparePostgres(source, database, target, database, options);
}

} // namespace causeway::test
