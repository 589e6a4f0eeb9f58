// The live writer and the comparison that the proofs of PostgreSQL stand on.

#include "servers/PostgresWorkload.h"
#include "servers/ExoticPostgres.h"
#include "servers/PostgresClient.h"
#include "servers/PostgresCompare.h"

#include <QtTest>

using namespace causeway;
using namespace causeway::test;

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ServerOptions postgres(const QString &major = QStringLiteral("15"))
{
    ServerOptions o;
    o.product = Product::Postgres;
    o.postgresMajor = major;
    return o;
}

PostgresWorkloadOptions brisk()
{
    PostgresWorkloadOptions o;
    o.longTransaction = seconds(2);
    o.truncateEvery = milliseconds(500);
    return o;
}

const QString kShop = QStringLiteral("shop");

QString all(const QStringList &list)
{
    return list.join(u'\n');
}

} // namespace

class PostgresWorkloadTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void writesAndRemembersWhatWasAnswered();
    void noticesALostTransaction();
    void movesToTheOtherHostWhenRefused();
    void keepsUnknownOutcomesApart();
    void noticesASequenceLeftBehind();
    void findsEqualDatabasesEqualAcrossMajors();
    void findsEachDifference_data();
    void findsEachDifference();
    void cleanupTestCase() { m_pair.clear(); }

private:
    std::vector<std::unique_ptr<TestServer>> m_pair;
};

void PostgresWorkloadTest::writesAndRemembersWhatWasAnswered()
{
    TestServer server(postgres());
    PostgresWorkload::createSchema(server, brisk());
    PostgresWorkload workload({PostgresWorkload::address(server)}, brisk());
    workload.start();
    QVERIFY(workload.waitForCommits(4000, seconds(60)));
    workload.stop();
    qInfo() << workload.transactionsPerSecond() << "transactions/s, longest gap"
            << workload.longestGap().count() << "ms";
    QVERIFY(workload.transactionsPerSecond() > 50);
    QVERIFY(workload.longestGap() < milliseconds(1500)); // nobody waits for the long transaction
    QCOMPARE(workload.switches(), 0);
    QVERIFY2(workload.oddErrors().isEmpty(), qPrintable(all(workload.oddErrors())));
    QVERIFY(workload.unknown().empty());
    QVERIFY(workload.lostOn(server).empty());
    const auto count = [&server](const char *sql) {
        return server.scalar(QLatin1String(sql), kShop).toInt();
    };
    QCOMPARE(count("SELECT count(*) FROM shop.journal_entries"), workload.commits());
    // Everything that the proofs are about has happened.
    QVERIFY(count("SELECT count(*) FROM shop.journal_entries WHERE writer = 1000") > 0);
    QVERIFY(count("SELECT count(*) FROM shop.customers WHERE name LIKE 'again %'") > 0);
    QVERIFY(count("SELECT count(*) FROM shop.orders WHERE customer_id BETWEEN 10000 AND 999999") >
            0);
    QVERIFY(count("SELECT count(*) FROM shop.categories WHERE parent_id IS NULL") > 1);
    QVERIFY(count("SELECT count(*) FROM shop.tags WHERE slug <> 'tag ' || id") > 0);
    QVERIFY(count("SELECT count(*) FROM shop.order_lines WHERE line_no > 1000") > 0);
    QVERIFY(count("SELECT count(*) FROM shop.scratch") < 4000 / 20);
    QVERIFY(count("SELECT count(*) FROM shop.documents WHERE reads > 0 AND length(body) > 30000") >
            0);
    QVERIFY(count("SELECT count(*) FROM shop.events_b_new") > 0);
    QCOMPARE(count("SELECT count(*) FROM shop.tags"), 400);
    QVERIFY(count("SELECT last_value FROM shop.tickets") > 1000);
}

void PostgresWorkloadTest::noticesALostTransaction()
{
    TestServer server(postgres());
    PostgresWorkload::createSchema(server, brisk());
    PostgresWorkload workload({PostgresWorkload::address(server)}, brisk());
    workload.start();
    QVERIFY(workload.waitForCommits(200, seconds(60)));
    workload.stop();
    QVERIFY(workload.lostOn(server).empty());
    const std::string victim = *workload.committed().begin();
    server.exec(QStringLiteral("DELETE FROM shop.journal_entries WHERE id = '%1'")
                    .arg(QString::fromStdString(victim)),
                kShop);
    QCOMPARE(workload.lostOn(server), std::vector<std::string>{victim});
}

void PostgresWorkloadTest::movesToTheOtherHostWhenRefused()
{
    TestServer a(postgres());
    TestServer b(postgres());
    PostgresWorkload::createSchema(a, brisk());
    PostgresWorkload::createSchema(b, brisk());
    PostgresWorkload workload({PostgresWorkload::address(a), PostgresWorkload::address(b)},
                              brisk());
    workload.start();
    QVERIFY(workload.waitForCommitsOn(0, 300, seconds(60)));
    // As a fence does: a trigger that raises 25006, on the table that every transaction writes to.
    a.exec(QStringLiteral(
               "CREATE FUNCTION shop.closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
               "EXCEPTION 'closed' USING ERRCODE = '25006'; END $$;"
               "CREATE TRIGGER closed BEFORE INSERT ON shop.journal_entries FOR EACH STATEMENT "
               "EXECUTE FUNCTION shop.closed()"),
           kShop);
    QVERIFY(workload.waitForCommitsOn(1, 300, seconds(60)));
    workload.stop();
    QCOMPARE(workload.switches(), 1);
    QVERIFY(workload.errors().contains("25006"));
    QVERIFY2(workload.oddErrors().isEmpty(), qPrintable(all(workload.oddErrors())));
    QCOMPARE(a.scalar(QStringLiteral("SELECT count(*) FROM shop.journal_entries"), kShop),
             QString::number(workload.commitsOn(0)));
}

void PostgresWorkloadTest::keepsUnknownOutcomesApart()
{
    TestServer server(postgres());
    PostgresWorkload::createSchema(server, brisk());
    TcpProxy proxy(server.port());
    PostgresWorkload workload({PostgresWorkload::address(server, proxy.port())}, brisk());
    workload.start();
    for (int i = 0; i < 20; ++i) {
        QVERIFY(workload.waitForCommits(20, seconds(60)));
        proxy.cut();
    }
    server.kill();
    server.start();
    QVERIFY(workload.waitForCommits(50, seconds(60)));
    workload.stop();
    QVERIFY(!workload.unknown().empty());
    QVERIFY(workload.lostOn(server).empty());
    QVERIFY2(workload.oddErrors().isEmpty(), qPrintable(all(workload.oddErrors())));
}

void PostgresWorkloadTest::noticesASequenceLeftBehind()
{
    TestServer server(postgres());
    PostgresWorkload::createSchema(server, brisk());
    PostgresWorkload workload({PostgresWorkload::address(server)}, brisk());
    server.exec(QStringLiteral("SELECT setval('shop.tickets', 1, false)"), kShop);
    workload.start();
    QTRY_VERIFY_WITH_TIMEOUT(!workload.oddErrors().isEmpty(), 60'000);
    workload.stop();
    QVERIFY(workload.oddErrors().first().contains(QLatin1String("23505")));
}

void PostgresWorkloadTest::findsEqualDatabasesEqualAcrossMajors()
{
    TestServer a(postgres());
    TestServer b(postgres(QStringLiteral("18")));
    for (TestServer *server : {&a, &b}) {
        server->exec(QStringLiteral("CREATE DATABASE ex"));
        server->exec(exoticPostgresSchema(15), QStringLiteral("ex"));
    }
    PostgresCompareOptions options;
    options.owners = true;
    const QStringList found = comparePostgres(a, b, QStringLiteral("ex"), options);
    QVERIFY2(found.isEmpty(), qPrintable(all(found)));
}

void PostgresWorkloadTest::findsEachDifference_data()
{
    QTest::addColumn<QString>("sql");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char *name, const char *sql, const char *expected) {
        QTest::newRow(name) << QString::fromUtf8(sql) << QString::fromUtf8(expected);
    };
    row("a value", "UPDATE shop.every_type SET c_real = 0.3 WHERE c_text = 'row 7'", "every_type");
    row("NULL and empty", "UPDATE shop.every_type SET c_text = NULL WHERE c_text = ''",
        "every_type");
    row("a row less", "DELETE FROM shop.lines WHERE order_id = 3 AND line_no = 2", "shop.lines");
    row("a row twice", "INSERT INTO shop.no_key VALUES (1, 'x')", "shop.no_key");
    row("a row in a partition", "UPDATE shop.by_range SET v = 'w' WHERE id = 150", "by_range_21");
    row("a row of the inheriting table", "UPDATE shop.child SET v = 'c' WHERE id = 1", "child");
    row("the end of a large value",
        "UPDATE \"Größe & Maß\".toast SET big = overlay(big placing "
        "'x' from 50000) WHERE id = 4",
        "toast");
    row("a sequence behind", "SELECT setval('shop.small', 3)", "shop.small");
    row("a sequence that goes down", "SELECT setval('shop.down', 60)", "shop.down");
    row("a sequence's definition", "ALTER SEQUENCE shop.never_used CACHE 9", "never_used");
    row("a matview", "REFRESH MATERIALIZED VIEW shop.not_filled", "not_filled");
    row("an index", "DROP INDEX shop.customers_gin", "index shop.customers_gin");
    row("a default", "ALTER TABLE shop.orders ALTER state SET DEFAULT 'sad'", "state");
    row("a check", "ALTER TABLE shop.computed DROP CONSTRAINT sane", "sane");
    row("a validated constraint", "ALTER TABLE shop.lines VALIDATE CONSTRAINT later", "not valid");
    row("a trigger", "ALTER TABLE shop.orders ENABLE TRIGGER audit_orders", "audit_orders");
    row("a function",
        "CREATE OR REPLACE FUNCTION shop.slug(t text) RETURNS text LANGUAGE sql "
        "IMMUTABLE AS 'SELECT t'",
        "slug");
    row("a view",
        "CREATE OR REPLACE VIEW shop.joined AS SELECT o.id, c.name FROM shop.open_orders "
        "o JOIN shop.customers c ON c.id = o.customer WHERE o.id > 0",
        "shop.joined");
    row("a policy", "DROP POLICY own_rows ON shop.tenants", "own_rows");
    row("row security", "ALTER TABLE shop.tenants DISABLE ROW LEVEL SECURITY", "tenants");
    row("an enum label", "ALTER TYPE shop.mood ADD VALUE 'new'", "mood");
    row("a comment", "COMMENT ON COLUMN \"Größe & Maß\".\"Tab \"\"q\"\" 'x'\".\"a b\" IS NULL",
        "comment");
    row("replica identity", "ALTER TABLE shop.orders REPLICA IDENTITY FULL", "shop.orders");
    row("a partition", "ALTER TABLE shop.by_list DETACH PARTITION shop.by_list_a", "by_list");
    row("a schema", "CREATE SCHEMA more", "more");
}

void PostgresWorkloadTest::findsEachDifference()
{
    QFETCH(QString, sql);
    QFETCH(QString, expected);
    if (m_pair.empty()) {
        for (int i = 0; i < 2; ++i) {
            TestServer &s = *m_pair.emplace_back(std::make_unique<TestServer>(postgres()));
            s.exec(QStringLiteral("CREATE DATABASE template_ex"));
            s.exec(exoticPostgresSchema(15), QStringLiteral("template_ex"));
            s.exec(QStringLiteral("CREATE DATABASE ex TEMPLATE template_ex"));
        }
    }
    TestServer &target = *m_pair[1];
    target.exec(QStringLiteral("DROP DATABASE ex"));
    target.exec(QStringLiteral("CREATE DATABASE ex TEMPLATE template_ex"));
    target.exec(sql, QStringLiteral("ex"));
    const QStringList found = comparePostgres(*m_pair[0], target, QStringLiteral("ex"));
    QVERIFY2(all(found).contains(expected), qPrintable(all(found)));
}

QTEST_GUILESS_MAIN(PostgresWorkloadTest)
#include "PostgresWorkloadTest.moc"
