// The live writer and the comparison that the proofs of no lost row stand on. (asan-core)

#include "servers/Workload.h"
#include "servers/Compare.h"
#include "servers/MySqlClient.h"

#include <QtTest>

#include <algorithm>

using namespace causeway;
using namespace causeway::test;

Q_DECLARE_METATYPE(causeway::test::Product)

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ServerOptions options(Product product)
{
    ServerOptions o;
    o.product = product;
    return o;
}

WorkloadOptions brisk()
{
    WorkloadOptions o;
    o.longTransaction = seconds(3);
    o.truncateEvery = milliseconds(500);
    return o;
}

QString all(const QStringList &list)
{
    return list.join(u'\n');
}

} // namespace

class WorkloadTest : public QObject {
    Q_OBJECT

    static void products()
    {
        QTest::addColumn<Product>("product");
        QTest::newRow("MariaDB") << Product::MariaDb;
        QTest::newRow("MySQL") << Product::MySql;
    }

private Q_SLOTS:
    void writesAndRemembersWhatWasAnswered_data() { products(); }
    void writesAndRemembersWhatWasAnswered();
    void noticesALostTransaction();
    void movesToTheOtherHostWhenRefused_data() { products(); }
    void movesToTheOtherHostWhenRefused();
    void movesWhenTriggersRefuse();
    void keepsUnknownOutcomesApart();
    void survivesAKilledServer();
    void findsEqualServersEqual_data() { products(); }
    void findsEqualServersEqual();
    void findsEachDifference_data();
    void findsEachDifference();
    void comparesAcrossProducts();
    void cleanupTestCase() { m_pair.clear(); }

private:
    std::vector<std::unique_ptr<TestServer>> m_pair;
};

void WorkloadTest::writesAndRemembersWhatWasAnswered()
{
    QFETCH(Product, product);
    TestServer server(options(product));
    Workload::createSchema(server, brisk());
    Workload workload({Workload::address(server)}, brisk());
    workload.start();
    QVERIFY(workload.waitForCommits(4000, seconds(60)));
    workload.stop();
    qInfo() << workload.transactionsPerSecond() << "transactions/s, longest gap"
            << workload.longestGap().count() << "ms";
    QVERIFY(workload.transactionsPerSecond() > 50);
    QVERIFY(workload.longestGap() < milliseconds(2500)); // nobody waits for the long transaction
    QCOMPARE(workload.switches(), 0);
    QVERIFY2(workload.oddErrors().isEmpty(), qPrintable(all(workload.oddErrors())));
    QVERIFY(workload.unknown().empty());
    QVERIFY(workload.lostOn(server).empty());
    QCOMPARE(server.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.journal_entries")),
             QString::number(workload.commits()));
    // Everything that the proofs are about has happened.
    const auto count = [&server](const char *sql) {
        return server.scalar(QLatin1String(sql)).toInt();
    };
    QVERIFY(count("SELECT COUNT(*) FROM shop.journal_entries WHERE writer = 1000") > 0);
    QVERIFY(count("SELECT COUNT(*) FROM shop.customers WHERE name LIKE 'again %'") > 0);
    QVERIFY(count("SELECT COUNT(*) FROM shop.orders WHERE customer_id BETWEEN 10000 AND 999999") >
            0);
    QVERIFY(count("SELECT COUNT(*) FROM shop.categories WHERE parent_id IS NULL") > 1);
    QVERIFY(count("SELECT COUNT(*) FROM shop.tags WHERE slug <> CONCAT('tag ', id)") > 0);
    QVERIFY(count("SELECT COUNT(*) FROM shop.order_lines WHERE line_no > 1000") > 0);
    QVERIFY(count("SELECT COUNT(*) FROM shop.scratch") < 4000 / 20);
    QCOMPARE(count("SELECT COUNT(*) FROM shop.tags"), 400);
}

void WorkloadTest::noticesALostTransaction()
{
    TestServer server;
    Workload::createSchema(server, brisk());
    Workload workload({Workload::address(server)}, brisk());
    workload.start();
    QVERIFY(workload.waitForCommits(200, seconds(60)));
    workload.stop();
    QVERIFY(workload.lostOn(server).empty());
    const std::string victim = *workload.committed().begin();
    server.exec(QStringLiteral("DELETE FROM shop.journal_entries WHERE id = '%1'")
                    .arg(QString::fromStdString(victim)));
    QCOMPARE(workload.lostOn(server), std::vector<std::string>{victim});
}

void WorkloadTest::movesToTheOtherHostWhenRefused()
{
    QFETCH(Product, product);
    TestServer source(options(product));
    TestServer target(options(product));
    Workload::createSchema(source, brisk());
    Workload::createAccount(target, brisk()); // and no schema yet
    Workload workload({Workload::address(source), Workload::address(target)}, brisk());
    workload.start();
    QVERIFY(workload.waitForCommits(500, seconds(60)));
    QCOMPARE(workload.commitsOn(1), qint64(0));

    source.exec(QStringLiteral("SET GLOBAL read_only = ON"));
    QTRY_VERIFY_WITH_TIMEOUT(workload.errors().contains(1290), 30'000);
    target.exec(QStringLiteral("SET GLOBAL read_only = ON")); // nobody writes to half a schema
    Workload::createSchema(target, brisk());
    target.exec(QStringLiteral("SET GLOBAL read_only = OFF"));
    QVERIFY(workload.waitForCommitsOn(1, 500, seconds(60)));
    workload.stop();
    QCOMPARE(workload.switches(), 1);
    QVERIFY(workload.longestGap() > milliseconds(0));
    QVERIFY(workload.longestGap() < seconds(30));
    // What was answered on the source is not on this target: nobody moved it.
    QCOMPARE(static_cast<qint64>(workload.lostOn(target).size()), workload.commitsOn(0));
    QCOMPARE(static_cast<qint64>(workload.lostOn(source).size()), workload.commitsOn(1));
}

void WorkloadTest::movesWhenTriggersRefuse()
{
    TestServer source;
    TestServer target;
    Workload::createSchema(source, brisk());
    Workload::createSchema(target, brisk());
    Workload workload({Workload::address(source), Workload::address(target)}, brisk());
    workload.start();
    QVERIFY(workload.waitForCommits(200, seconds(60)));
    source.exec(QStringLiteral("CREATE TRIGGER shop.no BEFORE INSERT ON shop.journal_entries FOR "
                               "EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'sealed'"));
    QVERIFY(workload.waitForCommitsOn(1, 200, seconds(60)));
    workload.stop();
    QVERIFY(workload.errors().contains(1644));
    QCOMPARE(workload.switches(), 1);
}

void WorkloadTest::keepsUnknownOutcomesApart()
{
    TestServer server;
    TcpProxy proxy(server.port());
    Workload::createSchema(server, brisk());
    Workload workload({Workload::address(server, proxy.port())}, brisk());
    workload.start();
    QVERIFY(workload.waitForCommits(100, seconds(60)));
    proxy.cutAfter(30'000);
    QTRY_VERIFY_WITH_TIMEOUT(!workload.unknown().empty(), 30'000);
    proxy.cutAfter(0);
    QVERIFY(workload.waitForCommits(100, seconds(60)));
    workload.stop();
    QVERIFY(workload.lostOn(server).empty());
    // What is in the ledger was answered, or is known as unknown.
    const std::set<std::string> committed = workload.committed();
    const std::set<std::string> unknown = workload.unknown();
    for (const TestRow &row : server.query(QStringLiteral("SELECT id FROM shop.journal_entries")))
        QVERIFY(committed.contains(*row[0]) || unknown.contains(*row[0]));
    QVERIFY(std::none_of(unknown.begin(), unknown.end(),
                         [&](const std::string &uuid) { return committed.contains(uuid); }));
}

void WorkloadTest::survivesAKilledServer()
{
    TestServer server;
    Workload::createSchema(server, brisk());
    Workload workload({Workload::address(server)}, brisk());
    workload.start();
    QVERIFY(workload.waitForCommits(500, seconds(60)));
    server.kill();
    server.start();
    QVERIFY(workload.waitForCommits(500, seconds(60)));
    workload.stop();
    QVERIFY(workload.lostOn(server).empty());
}

namespace {

const char *const kZoo =
    "CREATE DATABASE zoo CHARACTER SET utf8mb4;"
    "CREATE TABLE zoo.t (id INT PRIMARY KEY, f FLOAT, d DOUBLE, n DECIMAL(30,10), s VARCHAR(40), "
    "l VARCHAR(20) CHARACTER SET latin1, b VARBINARY(20), bits BIT(9), j JSON, g GEOMETRY, "
    "e ENUM('a','b'), ts TIMESTAMP(6) NULL, "
    "c INT GENERATED ALWAYS AS (id * 2) VIRTUAL);"
    "INSERT INTO zoo.t (id, f, d, n, s, l, b, bits, j, g, e, ts) VALUES "
    "(1, 0.1, 0.1, 1.5, 'a', 'x', x'0001ff', b'101', '{\"a\": 1, \"b\": [1, null]}', "
    "ST_GeomFromText('POINT(1 2)'), 'a', '2026-01-02 03:04:05.000001'),"
    "(2, 16777216, 1e300, NULL, '', NULL, x'', b'0', '7', NULL, 'b', NULL),"
    "(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);"
    "CREATE TABLE zoo.keyless (a INT, b VARCHAR(10));"
    "INSERT INTO zoo.keyless VALUES (1, 'x'), (1, 'x'), (2, NULL);"
    "CREATE VIEW zoo.v AS SELECT id FROM zoo.t;"
    "CREATE TRIGGER zoo.tr BEFORE INSERT ON zoo.keyless FOR EACH ROW SET NEW.a = NEW.a + 1;"
    "CREATE PROCEDURE zoo.p() SELECT 1;"
    "CREATE EVENT zoo.ev ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO SELECT 1";

} // namespace

void WorkloadTest::findsEqualServersEqual()
{
    QFETCH(Product, product);
    TestServer source(options(product));
    TestServer target(options(product));
    source.exec(QLatin1String(kZoo));
    target.exec(QLatin1String(kZoo));
    CompareOptions compare;
    compare.definitions = true;
    const QStringList found = compareServers(source, target, {QStringLiteral("zoo")}, compare);
    QVERIFY2(found.isEmpty(), qPrintable(all(found)));
}

void WorkloadTest::findsEachDifference_data()
{
    QTest::addColumn<QString>("change");
    QTest::addColumn<QString>("found");
    const auto row = [](const char *change, const char *found) {
        QTest::newRow(change) << QString::fromLatin1(change) << QString::fromLatin1(found);
    };
    row("UPDATE t SET f = 16777218 WHERE id = 2", "zoo.t (id=2) column f");
    row("UPDATE t SET d = 0.10000000000000002 WHERE id = 1", "zoo.t (id=1) column d");
    row("UPDATE t SET n = 1.5000000001 WHERE id = 1", "column n");
    row("UPDATE t SET s = 'A' WHERE id = 1", "column s");
    row("UPDATE t SET s = 'a ' WHERE id = 1", "column s");
    row("UPDATE t SET s = NULL WHERE id = 2", "column s: ");
    row("UPDATE t SET l = _latin1 x'e4' WHERE id = 1", "column l");
    row("UPDATE t SET b = x'0001fe' WHERE id = 1", "column b");
    row("UPDATE t SET b = x'000000' WHERE id = 2", "column b");
    row("UPDATE t SET bits = b'111' WHERE id = 1", "column bits");
    row("UPDATE t SET j = '{\"a\": 1, \"b\": [1, 0]}' WHERE id = 1", "column j");
    row("UPDATE t SET j = '8' WHERE id = 2", "column j");
    row("UPDATE t SET g = ST_GeomFromText('POINT(1 3)') WHERE id = 1", "column g");
    row("UPDATE t SET e = 'b' WHERE id = 1", "column e");
    row("UPDATE t SET ts = '2026-01-02 03:04:05.000002' WHERE id = 1", "column ts");
    row("DELETE FROM t WHERE id = 3", "zoo.t (id=3) is on the source only");
    row("INSERT INTO t (id) VALUES (9)", "zoo.t (id=9) is on the target only");
    row("UPDATE t SET id = 8 WHERE id = 1", "zoo.t (id=8) is on the target only");
    row("ALTER TABLE t DROP COLUMN c", "zoo.t has columns");
    row("DELETE FROM keyless WHERE a = 1 LIMIT 1", "zoo.keyless has 3 rows on the source and 2");
    row("UPDATE keyless SET b = '' WHERE a = 2", "zoo.keyless (a=2");
    row("DROP TABLE keyless", "table zoo.keyless is missing");
    row("CREATE TABLE more (a INT)", "table zoo.more is on the target only");
    row("DROP VIEW v", "view zoo.v is missing");
    row("DROP TRIGGER tr", "trigger zoo.tr is missing");
    row("DROP PROCEDURE p", "routine zoo.PROCEDURE p is missing");
    row("DROP EVENT ev", "event zoo.ev is missing");
    row("CREATE OR REPLACE VIEW v AS SELECT f FROM t", "view zoo.v differs");
    row("ALTER TABLE t ADD KEY (s)", "index zoo.t.s is on the target only");
    row("ALTER TABLE t MODIFY s VARCHAR(41)", "column zoo.t.s differs");
}

void WorkloadTest::findsEachDifference()
{
    QFETCH(QString, change);
    QFETCH(QString, found);
    if (m_pair.empty()) {
        m_pair.push_back(std::make_unique<TestServer>());
        m_pair.push_back(std::make_unique<TestServer>());
        m_pair[0]->exec(QLatin1String(kZoo));
    }
    m_pair[1]->exec(QStringLiteral("DROP DATABASE IF EXISTS zoo"));
    m_pair[1]->exec(QLatin1String(kZoo));
    CompareOptions compare;
    compare.definitions = true;
    QCOMPARE(compareServers(*m_pair[0], *m_pair[1], {QStringLiteral("zoo")}, compare),
             QStringList());
    m_pair[1]->exec(change, QStringLiteral("zoo"));
    const QStringList list =
        compareServers(*m_pair[0], *m_pair[1], {QStringLiteral("zoo")}, compare);
    QVERIFY2(all(list).contains(found), qPrintable(all(list)));
}

void WorkloadTest::comparesAcrossProducts()
{
    TestServer source(options(Product::MySql));
    TestServer target(options(Product::MariaDb));
    source.exec(QLatin1String(kZoo));
    target.exec(QLatin1String(kZoo));
    QStringList found = compareServers(source, target, {QStringLiteral("zoo")});
    QVERIFY2(found.isEmpty(), qPrintable(all(found)));
    target.exec(QStringLiteral("UPDATE zoo.t SET j = '{\"b\": [1, null], \"a\": 1}' WHERE id = 1"));
    found = compareServers(source, target, {QStringLiteral("zoo")});
    QVERIFY2(found.isEmpty(), qPrintable(all(found)));
    target.exec(QStringLiteral("UPDATE zoo.t SET j = '{\"b\": [1], \"a\": 1}' WHERE id = 1"));
    found = compareServers(source, target, {QStringLiteral("zoo")});
    QCOMPARE(found.size(), 1);
}

QTEST_GUILESS_MAIN(WorkloadTest)
#include "WorkloadTest.moc"
