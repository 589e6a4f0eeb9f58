// Verification between PostgreSQL servers of different majors, against real differences and none.

#include "postgres/PostgresDatabase.h"
#include "postgres/RangeHasher.h"
#include "servers/ExoticPostgres.h"
#include "servers/TestServer.h"
#include "verify/Verifier.h"

#include <QtTest>

#include <algorithm>
#include <set>

using namespace causeway;
using namespace causeway::postgres;
using namespace causeway::test;

namespace {

const QString kEx = QStringLiteral("ex");

ServerOptions serverOf(const QString &major)
{
    ServerOptions o;
    o.product = Product::Postgres;
    o.postgresMajor = major;
    return o;
}

} // namespace

class PostgresHasherTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void findsNothingInEqualData();
    void findsEachDifference_data();
    void findsEachDifference();
    void rangesTileWhateverTheKey_data();
    void rangesTileWhateverTheKey();
    void findsTheSameUnderAnotherCollation();
    void partitionedOnOneSideOnly();
    void largeValuesAreHashed();
    void readsRowsByKey();
    void isInterrupted();

private:
    std::unique_ptr<TestServer> m_leader, m_follower;

    Catalog catalog(TestServer &server) const
    {
        PostgresDatabase db(server.address({}, {}, kEx));
        auto catalog = db.catalog(Selection(), {});
        if (!catalog)
            qFatal("%s", qPrintable(catalog.error().describe()));
        return std::move(*catalog);
    }
    std::vector<TablePlan> plans(const QString &only = {}) const
    {
        const Catalog here = catalog(*m_leader), there = catalog(*m_follower);
        std::vector<TablePlan> out;
        for (const Table &t : here.tables) {
            const Table *other = there.find(t.name);
            if (other && (only.isEmpty() || t.name.display() == only))
                out.push_back({std::make_shared<Table>(t), std::make_shared<Table>(*other)});
        }
        return out;
    }
    VerifyReport verify(const QString &only = {}) const
    {
        PostgresDatabase leader(m_leader->address({}, {}, kEx));
        PostgresDatabase follower(m_follower->address({}, {}, kEx));
        VerifyOptions options;
        options.rowsPerRange = 40;
        auto report = verifyTables(leader, follower, plans(only), true, options, {});
        if (!report)
            qFatal("%s", qPrintable(report.error().describe()));
        return std::move(*report);
    }
};

void PostgresHasherTest::initTestCase()
{
    m_leader = std::make_unique<TestServer>(serverOf(QStringLiteral("15")));
    m_follower = std::make_unique<TestServer>(serverOf(QStringLiteral("18")));
    for (TestServer *s : {m_leader.get(), m_follower.get()}) {
        s->exec(QStringLiteral("CREATE DATABASE ex"));
        s->exec(exoticPostgresSchema(15), kEx);
        s->exec(
            QStringLiteral(
                "CREATE TABLE public.ci (k shop.citext, n integer, v text, PRIMARY "
                "KEY (k, n));"
                "INSERT INTO public.ci SELECT CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN "
                "'B' ELSE 'c' END || CASE WHEN i % 2 = 0 THEN 'X' ELSE 'y' END || i, "
                "i, 'v' FROM generate_series(1, 300) i;"
                "CREATE TABLE public.\"per%1cent\" (\"k%2\" integer, \"%3\" text, \"50%4\" bytea, "
                "PRIMARY KEY (\"k%2\", \"%3\"));"
                "INSERT INTO public.\"per%1cent\" SELECT i, '%1 %9', '\\x00' FROM "
                "generate_series(1, 50) i;"
                "CREATE TABLE public.pattern (k text, v text);"
                "CREATE UNIQUE INDEX pattern_k ON public.pattern (k text_pattern_ops);"
                "ALTER TABLE public.pattern ALTER k SET NOT NULL;"
                "INSERT INTO public.pattern SELECT md5(i::text), 'v' FROM "
                "generate_series(1, 300) i"),
            kEx);
    }
}

void PostgresHasherTest::findsNothingInEqualData()
{
    const VerifyReport report = verify();
    QVERIFY(report.tables.size() > 20);
    for (const TableVerdict &t : report.tables) {
        QVERIFY2(t.equal(), qPrintable(t.name));
        QCOMPARE(t.rowsTarget, t.rowsSource);
        const TableName name{t.name.section(u'.', 0, 0), t.name.section(u'.', 1)};
        // Inherited rows are not the parent's own; partitions' rows are the root's.
        const bool inherited = name.name == QLatin1String("parent");
        QString quoted = name.name;
        quoted.replace(u'"', QStringLiteral("\"\""));
        QCOMPARE(QString::number(t.rowsSource),
                 m_leader->scalar(
                     QStringLiteral("SELECT count(*) FROM %1\"%2\".\"%3\"")
                         .arg(inherited ? QStringLiteral("ONLY ") : QString(), name.schema, quoted),
                     kEx));
    }
}

void PostgresHasherTest::findsEachDifference_data()
{
    QTest::addColumn<QString>("table");
    QTest::addColumn<QString>("change");
    QTest::addColumn<QString>("back");
    QTest::addColumn<QString>("kind");
    const auto row = [](const char *name, const char *table, const char *change, const char *back,
                        const char *kind = "differing") {
        QTest::newRow(name) << QString::fromUtf8(table) << QString::fromUtf8(change)
                            << QString::fromUtf8(back) << QString::fromUtf8(kind);
    };
    row("the last bit of a float", "shop.every_type",
        "UPDATE shop.every_type SET c_double = 0.14285714285714288 WHERE c_text = 'row 7'",
        "UPDATE shop.every_type SET c_double = 1/7::float8 WHERE c_text = 'row 7'");
    row("NULL and empty", "shop.every_type",
        "UPDATE shop.every_type SET c_text = NULL WHERE c_text = ''",
        "UPDATE shop.every_type SET c_text = '' WHERE id = 15");
    row("a numeric's scale", "shop.every_type",
        "UPDATE shop.every_type SET c_numeric = 1.00 WHERE c_text = 'row 1'",
        "UPDATE shop.every_type SET c_numeric = (1.0/1)::numeric(40,30) WHERE c_text = 'row 1'");
    row("a value moved to the next column", "shop.no_key",
        "UPDATE shop.no_key SET b = 'y' WHERE ctid = (SELECT min(ctid) FROM shop.no_key WHERE a = "
        "3)",
        "UPDATE shop.no_key SET b = 'x'", "multiset");
    row("one of two equal rows", "shop.no_key",
        "DELETE FROM shop.no_key WHERE ctid = (SELECT min(ctid) FROM shop.no_key WHERE a = 3)",
        "INSERT INTO shop.no_key VALUES (3, 'x')", "multiset");
    row("case of a citext", "shop.customers",
        "UPDATE shop.customers SET mail = 'c5@example.ORG' WHERE id = 5",
        "UPDATE shop.customers SET mail = 'C5@example.org' WHERE id = 5");
    row("a row less", "shop.lines", "DELETE FROM shop.lines WHERE order_id = 3 AND line_no = 2",
        "INSERT INTO shop.lines VALUES (3, 2, 'l')", "missing");
    row("a row more", "shop.lines", "INSERT INTO shop.lines VALUES (3, 99, 'l')",
        "DELETE FROM shop.lines WHERE line_no = 99", "extra");
    row("behind the last row", "public.uuid_key",
        "INSERT INTO public.uuid_key VALUES ('ffffffff-ffff-ffff-ffff-ffffffffffff', 'epoch')",
        "DELETE FROM public.uuid_key WHERE id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'", "extra");
    row("in a nested partition", "shop.by_range", "UPDATE shop.by_range SET v = 'w' WHERE id = 150",
        "UPDATE shop.by_range SET v = 'v150' WHERE id = 150");
    row("a key of an extension's type", "public.ci", "DELETE FROM public.ci WHERE n = 77",
        "INSERT INTO public.ci SELECT 'cy77', 77, 'v'", "missing");
    row("a key with another operator class", "public.pattern",
        "UPDATE public.pattern SET v = 'w' WHERE k = md5('77')",
        "UPDATE public.pattern SET v = 'v' WHERE k = md5('77')");
    row("under names that look like placeholders", "public.per%1cent",
        "UPDATE public.\"per%1cent\" SET \"50%4\" = '\\x01' WHERE \"k%2\" = 7",
        "UPDATE public.\"per%1cent\" SET \"50%4\" = '\\x00' WHERE \"k%2\" = 7");
    row("in the end of a large value", "Größe & Maß.toast",
        "UPDATE \"Größe & Maß\".toast SET big = overlay(big placing 'x' from 50000) WHERE id = 4",
        "UPDATE \"Größe & Maß\".toast SET big = repeat(md5('4'), 2000) WHERE id = 4");
}

void PostgresHasherTest::findsEachDifference()
{
    QFETCH(QString, table);
    QFETCH(QString, change);
    QFETCH(QString, back);
    QFETCH(QString, kind);
    m_follower->exec(QStringLiteral("SET session_replication_role = replica;") + change, kEx);
    const VerifyReport found = verify(table);
    m_follower->exec(QStringLiteral("SET session_replication_role = replica;") + back, kEx);
    QCOMPARE(found.tables.size(), std::size_t(1));
    const TableVerdict &t = found.tables[0];
    QVERIFY(!t.equal());
    if (kind != QLatin1String("multiset")) {
        QCOMPARE(t.differing, kind == QLatin1String("differing") ? 1 : 0);
        QCOMPARE(t.missing, kind == QLatin1String("missing") ? 1 : 0);
        QCOMPARE(t.extra, kind == QLatin1String("extra") ? 1 : 0);
    }
    QVERIFY(verify(table).equal());
}

void PostgresHasherTest::rangesTileWhateverTheKey_data()
{
    QTest::addColumn<QString>("table");
    for (const char *name : {"shop.every_type", "shop.lines", "shop.by_list", "shop.by_hash",
                             "public.uuid_key", "public.text_key", "public.per%1cent", "public.ci",
                             "public.pattern", "Größe & Maß.Tab \"q\" 'x'"})
        QTest::newRow(name) << QString::fromUtf8(name);
}

void PostgresHasherTest::rangesTileWhateverTheKey()
{
    QFETCH(QString, table);
    const auto plan = plans(table).at(0);
    const auto hasher = makeRangeHasher(m_leader->address({}, {}, kEx), {});
    QVERIFY(hasher);
    qint64 rows = 0, ranges = 0;
    std::set<Row> seen;
    std::optional<Row> after;
    for (;;) {
        const auto bound = (*hasher)->bound(*plan.leader, after, 7, {});
        QVERIFY2(bound, bound ? "" : qPrintable(bound.error().describe()));
        const ChunkRange range{after, *bound};
        const auto hashed = (*hasher)->hash(*plan.leader, range, {});
        QVERIFY(hashed);
        const auto each = (*hasher)->rowHashes(*plan.leader, range, {});
        QVERIFY(each);
        QCOMPARE(static_cast<qint64>(each->size()), hashed->rows);
        if (*bound)
            QCOMPARE(hashed->rows, 7);
        for (const auto &[key, hash] : *each)
            QVERIFY(seen.insert(key).second);
        rows += hashed->rows;
        QVERIFY(++ranges < 1000);
        if (!*bound)
            break;
        after = *bound;
    }
    const auto all = (*hasher)->hashAll(*plan.leader, {});
    QVERIFY(all);
    QCOMPARE(rows, all->rows);
    // Each row is found by its key, and has the same hash.
    const std::vector<Row> keys(seen.begin(), seen.end());
    const auto found = (*hasher)->hashesOf(*plan.leader, keys, {});
    QVERIFY(found);
    for (const QString &h : *found)
        QVERIFY(!h.isEmpty());
}

// Another collation puts other rows into a range: no difference, and differences are found.
void PostgresHasherTest::findsTheSameUnderAnotherCollation()
{
    m_follower->exec(QStringLiteral("ALTER TABLE public.text_key ALTER k TYPE text COLLATE "
                                    "\"und-x-icu\""),
                     kEx);
    const QString table = QStringLiteral("public.text_key");
    QVERIFY(verify(table).equal());
    m_follower->exec(
        QStringLiteral("DELETE FROM public.text_key WHERE d = '2020-02-01'; INSERT INTO "
                       "public.text_key VALUES ('zz', 1, 'ok', '2021-01-01')"),
        kEx);
    const VerifyReport report = verify(table);
    QCOMPARE(report.tables[0].missing, 1);
    QCOMPARE(report.tables[0].extra, 1);
    QCOMPARE(report.tables[0].differing, 0);
    m_follower->exec(QStringLiteral("ALTER TABLE public.text_key ALTER k TYPE text COLLATE "
                                    "\"default\""),
                     kEx);
}

void PostgresHasherTest::partitionedOnOneSideOnly()
{
    m_leader->exec(QStringLiteral("CREATE TABLE public.onesided (id integer PRIMARY KEY, v text);"
                                  "INSERT INTO public.onesided SELECT i, 'v' FROM "
                                  "generate_series(1, 100) i"),
                   kEx);
    m_follower->exec(
        QStringLiteral("CREATE TABLE public.onesided (id integer PRIMARY KEY, v text) "
                       "PARTITION BY RANGE (id);"
                       "CREATE TABLE public.onesided_1 PARTITION OF public.onesided FOR "
                       "VALUES FROM (MINVALUE) TO (50);"
                       "CREATE TABLE public.onesided_2 PARTITION OF public.onesided FOR "
                       "VALUES FROM (50) TO (MAXVALUE);"
                       "INSERT INTO public.onesided SELECT i, 'v' FROM "
                       "generate_series(1, 100) i"),
        kEx);
    const VerifyReport report = verify(QStringLiteral("public.onesided"));
    QCOMPARE(report.tables.size(), std::size_t(1));
    QVERIFY(report.equal());
    QCOMPARE(report.tables[0].rowsTarget, 100);
}

void PostgresHasherTest::largeValuesAreHashed()
{
    for (TestServer *s : {m_leader.get(), m_follower.get()})
        s->exec(
            QStringLiteral("CREATE TABLE public.large (id integer PRIMARY KEY, t text, b bytea, j "
                           "jsonb);"
                           "INSERT INTO public.large SELECT i, repeat('ä', 1000000 * i), "
                           "decode(repeat('00ff', 1000000 * i), 'hex'), "
                           "to_jsonb(repeat('j', 1500000)) FROM generate_series(1, 3) i"),
            kEx);
    const QString table = QStringLiteral("public.large");
    QVERIFY(verify(table).equal());
    m_follower->exec(
        QStringLiteral("UPDATE public.large SET b = set_byte(b, 2999999, 1) WHERE id = "
                       "2"),
        kEx);
    QCOMPARE(verify(table).tables[0].differing, 1);
}

void PostgresHasherTest::readsRowsByKey()
{
    const auto plan = plans(QStringLiteral("shop.computed")).at(0);
    PostgresDatabase db(m_leader->address({}, {}, kEx));
    const auto rows = db.readRows(*plan.leader, {Row{"7"}, Row{"100000"}, Row{"9"}}, {});
    QVERIFY2(rows, rows ? "" : qPrintable(rows.error().describe()));
    QCOMPARE(rows->size(), std::size_t(2));
    std::vector<Row> sorted = *rows;
    std::sort(sorted.begin(), sorted.end());
    QCOMPARE(sorted[0], (Row{"7", "10.50", "15", std::nullopt, "1970-01-01 00:00:00+00"}));
}

void PostgresHasherTest::isInterrupted()
{
    const auto plan = plans(QStringLiteral("shop.lines")).at(0);
    PostgresDatabase db(m_leader->address({}, {}, kEx));
    std::stop_source stop;
    const auto hasher = db.hasher(stop.get_token());
    QVERIFY(hasher);
    stop.request_stop();
    const auto hashed = (*hasher)->hash(*plan.leader, {}, stop.get_token());
    QVERIFY(!hashed);
    QCOMPARE(hashed.error().code, ErrorCode::Cancelled);
}

QTEST_GUILESS_MAIN(PostgresHasherTest)
#include "PostgresHasherTest.moc"
