// Verification against real differences, and against none.

#include "engine/mysql/CopyFixture.h"
#include "verify/Verifier.h"

#include <QJsonArray>

using namespace causeway;
using namespace causeway::test;

class HasherTest : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<TestServer> m_servers[4]; ///< MariaDB, MySQL, MariaDB, MySQL
    bool m_equal = false; ///< findsTheSmallestDifference() ended with equal tables
    TestServer &server(int i)
    {
        if (!m_servers[i])
            m_servers[i] = startServer(i % 2 == 0 ? Product::MariaDb : Product::MySql);
        return *m_servers[i];
    }
    static VerifyReport verify(Pair &pair, const QString &schema, VerifyOptions options = {})
    {
        options.rowsPerRange = 50;
        return must(
            verifyTables(pair.leader, pair.follower, pair.plans(schema), true, options, {}));
    }
    static TableVerdict verdictOf(const VerifyReport &r, const QString &name)
    {
        for (const TableVerdict &t : r.tables) {
            if (t.name == name)
                return t;
        }
        qFatal("no verdict of %s", qPrintable(name));
        return {};
    }
    void copyTypes(int from, int to)
    {
        createTypes(server(from), QStringLiteral("types"));
        createTypes(server(to), QStringLiteral("types"));
        fillTypes(server(from), QStringLiteral("types"), 500);
        server(to).exec(QStringLiteral("DROP DATABASE IF EXISTS _causeway"));
        Pair pair(server(from), server(to));
        CopyPool pool(pair.leader, pair.follower, pair.lease, {});
        must(pool.run(pair.plans(QStringLiteral("types")), {}));
    }
    static void directions()
    {
        QTest::addColumn<int>("from");
        QTest::addColumn<int>("to");
        QTest::newRow("MariaDB to MySQL") << 0 << 1;
        QTest::newRow("MySQL to MariaDB") << 1 << 0;
        QTest::newRow("MariaDB to MariaDB") << 0 << 2;
        QTest::newRow("MySQL to MySQL") << 1 << 3;
    }

private Q_SLOTS:
    void findsNothingInEqualDataOfAllTypes_data() { directions(); }
    void findsNothingInEqualDataOfAllTypes()
    {
        QFETCH(int, from);
        QFETCH(int, to);
        copyTypes(from, to);
        Pair pair(server(from), server(to));
        const VerifyReport report = verify(pair, QStringLiteral("types"));
        for (const TableVerdict &t : report.tables) {
            QVERIFY2(t.equal(), qPrintable(t.name));
            QCOMPARE(QString::number(t.rowsSource),
                     server(from).scalar(QStringLiteral("SELECT COUNT(*) FROM ") + t.name));
            QCOMPARE(t.rowsTarget, t.rowsSource);
        }
        QVERIFY(report.equal());
    }

    void findsTheSmallestDifference_data()
    {
        QTest::addColumn<QString>("change");
        QTest::addColumn<QString>("table");
        QTest::addColumn<QString>("kind");
        const auto row = [](const char *name, const char *change, const char *table,
                            const char *kind) {
            QTest::newRow(name) << QString::fromLatin1(change) << QString::fromLatin1(table)
                                << QString::fromLatin1(kind);
        };
        row("changed", "UPDATE types.keyed SET v=v+1 WHERE v=137", "types.keyed", "differing");
        row("missing", "DELETE FROM types.keyed WHERE v=137", "types.keyed", "missing");
        row("extra", "INSERT INTO types.keyed VALUES ('zzz',1,'',1,1)", "types.keyed", "extra");
        row("first row missing", "DELETE FROM types.numbers WHERE id=0", "types.numbers",
            "missing");
        row("extra behind the last", "INSERT INTO types.numbers (id) VALUES (2147483647)",
            "types.numbers", "extra");
        row("NULL for zero", "UPDATE types.numbers SET tu=NULL WHERE id=0", "types.numbers",
            "differing");
        row("last digit of a float", "UPDATE types.numbers SET f=16777218 WHERE id=3",
            "types.numbers", "differing");
        row("last digit of a double", "UPDATE types.numbers SET d=0.10000000000000002 WHERE id=3",
            "types.numbers", "differing");
        row("decimal", "UPDATE types.numbers SET de=de+0.000000000000000000000000000001 WHERE id=2",
            "types.numbers", "differing");
        row("highest bit", "UPDATE types.numbers SET b64=b64-1 WHERE id=1", "types.numbers",
            "differing");
        row("trailing space", "UPDATE types.texts SET vc='a' WHERE id=2", "types.texts",
            "differing");
        row("letter case", "UPDATE types.texts SET vc='A ' WHERE id=2", "types.texts", "differing");
        row("collation-equal key", "UPDATE types.keyed SET a=UPPER(a) WHERE v=0", "types.keyed",
            "differing");
        row("long text", "UPDATE types.texts SET lt=CONCAT(lt,'x') WHERE id=3", "types.texts",
            "differing");
        row("NUL at the end", "UPDATE types.bytes SET vb=CONCAT(vb,CHAR(0)) WHERE id=3",
            "types.bytes", "differing");
        row("empty for NULL", "UPDATE types.bytes SET lb='' WHERE id=5", "types.bytes",
            "differing");
        row("microsecond", "UPDATE types.times SET t6='-00:00:00.000002' WHERE id=4", "types.times",
            "differing");
        row("time of day", "UPDATE types.times SET ts='2024-03-31 02:30:01' WHERE id=4",
            "types.times", "differing");
        row("enum", "UPDATE types.others SET e=4 WHERE id=1", "types.others", "differing");
        row("set", "UPDATE types.others SET s64=s64-1 WHERE id=3", "types.others", "differing");
        row("json",
            "UPDATE types.others SET j='{\"a\": 1, \"b\": [1, 2.5, 0, \"x\\\\\"y\"]}' "
            "WHERE id=2",
            "types.others", "differing");
        row("geometry", "UPDATE types.others SET g=ST_GeomFromText('POINT(1 3)') WHERE id=1",
            "types.others", "differing");
    }
    void findsTheSmallestDifference()
    {
        QFETCH(QString, change);
        QFETCH(QString, table);
        QFETCH(QString, kind);
        if (!m_equal) // a row that failed left its difference
            copyTypes(1, 0);
        m_equal = false;
        Pair pair(server(1), server(0));
        server(0).exec(QStringLiteral("SET NAMES utf8mb4, sql_mode='NO_AUTO_VALUE_ON_ZERO', "
                                      "time_zone='+00:00'; ") +
                       change);
        const VerifyReport report = verify(pair, QStringLiteral("types"));
        for (const TableVerdict &t : report.tables) {
            if (t.name != table) {
                QVERIFY2(t.equal(), qPrintable(t.name));
                continue;
            }
            QCOMPARE(t.differing, qint64(kind == QLatin1String("differing") ? 1 : 0));
            QCOMPARE(t.missing, qint64(kind == QLatin1String("missing") ? 1 : 0));
            QCOMPARE(t.extra, qint64(kind == QLatin1String("extra") ? 1 : 0));
            QCOMPARE(t.samples.size(), std::size_t(1));
            QCOMPARE(t.samples.at(0).kind, kind);
        }
        QVERIFY(!report.equal());

        // Repaired through what the caller gives; then nothing is left to find.
        VerifyOptions options;
        options.repair = true;
        options.workers = 1; // the way of mending below disturbs whoever else looks
        options.repairRows = [&](const TablePlan &plan, const std::vector<Row> &,
                                 std::stop_token) -> Status {
            if (plan.leader->name.display() != table)
                qFatal("another table");
            // The test's own way of mending: the whole table again.
            server(0).exec(QStringLiteral("DELETE FROM ") + table);
            must(pair.ledger()->forgetChunks(pair.lease, plan.leader->name, {}));
            CopyPool pool(pair.leader, pair.follower, pair.lease, {});
            must(pool.run({plan}, {}));
            return {};
        };
        const VerifyReport repaired = verify(pair, QStringLiteral("types"), options);
        QVERIFY(repaired.equal());
        QCOMPARE(verdictOf(repaired, table).repaired, qint64(1));
        m_equal = verify(pair, QStringLiteral("types")).equal();
        QVERIFY(m_equal);
    }

    void comparesAcrossCollations()
    {
        // MySQL's default collation does not exist on MariaDB and sorts otherwise.
        for (const int from : {0, 1}) {
            TestServer &source = server(from), &target = server(1 - from);
            const auto sql = [](bool mariaDb) {
                return QStringLiteral("DROP DATABASE IF EXISTS coll; CREATE DATABASE coll; CREATE "
                                      "TABLE coll.t (k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE "
                                      "%1 PRIMARY KEY, v INT)")
                    .arg(QLatin1String(mariaDb ? "utf8mb4_bin" : "utf8mb4_0900_as_cs"));
            };
            source.exec(sql(from == 0));
            target.exec(sql(from != 0));
            const QString rows =
                QStringLiteral("INSERT INTO coll.t SELECT "
                               "CONCAT(ELT(1+MOD(n,5),'a','B','_','é','Z'),'-',n DIV 5), n "
                               "FROM (SELECT a.n+10*b.n+100*c.n n FROM (%1) a, (%1) b, (%1) c) x");
            const QString digits = QStringLiteral(
                "SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION "
                "SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9");
            for (TestServer *const s : {&source, &target})
                s->exec(QStringLiteral("SET NAMES utf8mb4; ") + rows.arg(digits));
            Pair pair(source, target);
            TableVerdict t = verify(pair, QStringLiteral("coll")).tables.at(0);
            QVERIFY(t.equal());
            QCOMPARE(t.rowsSource, qint64(1000));
            QCOMPARE(t.rowsTarget, qint64(1000));
            target.exec(QStringLiteral("DELETE FROM coll.t WHERE v=500; INSERT INTO coll.t VALUES "
                                       "('new',1); UPDATE coll.t SET v=-1 WHERE v=3"));
            t = verify(pair, QStringLiteral("coll")).tables.at(0);
            QCOMPARE(t.missing, qint64(1));
            QCOMPARE(t.extra, qint64(1));
            QCOMPARE(t.differing, qint64(1));
        }
    }

    void comparesTablesWithoutKeyAsMultisets()
    {
        for (const int from : {0, 1}) {
            TestServer &source = server(from), &target = server(1 - from);
            for (TestServer *const s : {&source, &target})
                s->exec(QStringLiteral("DROP DATABASE IF EXISTS bare; CREATE DATABASE bare; CREATE "
                                       "TABLE bare.t (a INT, b VARCHAR(20), j JSON); CREATE TABLE "
                                       "bare.p (a INT, b VARCHAR(20))"));
            source.exec(QStringLiteral("INSERT INTO bare.t VALUES (1,'x','{}'),(1,'x','{}'),"
                                       "(2,NULL,'[1]'); INSERT INTO bare.p VALUES (1,'x'),(1,'x'),"
                                       "(2,NULL)"));
            target.exec(QStringLiteral("INSERT INTO bare.t VALUES (2,NULL,'[1]'),(1,'x','{}'),"
                                       "(1,'x','{}'); INSERT INTO bare.p VALUES (2,NULL),(1,'x'),"
                                       "(1,'x')"));
            Pair pair(source, target);
            QVERIFY(verify(pair, QStringLiteral("bare")).equal());
            // Another pair of equal rows: an XOR of hashes would not see it.
            target.exec(QStringLiteral("UPDATE bare.t SET b='y' WHERE a=1; UPDATE bare.p SET b='y' "
                                       "WHERE a=1"));
            const VerifyReport report = verify(pair, QStringLiteral("bare"));
            QVERIFY(!report.tables.at(0).equal());
            QVERIFY(!report.tables.at(1).equal());
        }
    }

    void takesDifferentTextsOfOneJsonForEqual()
    {
        TestServer &mariaDb = server(0), &mySql = server(1);
        for (TestServer *const s : {&mariaDb, &mySql}) {
            s->exec(QStringLiteral("DROP DATABASE IF EXISTS js; CREATE DATABASE js; CREATE TABLE "
                                   "js.t (id INT PRIMARY KEY, j JSON)"));
            s->exec(QStringLiteral(
                "INSERT INTO js.t VALUES (1,'{\"bb\":1,\"a\":[1.0,1e2, \"\\\\u00e9\\\\/\"]}'),"
                "(2,'[]'),(3,NULL),(4,'1.50')"));
        }
        QVERIFY(mariaDb.scalar(QStringLiteral("SELECT j FROM js.t WHERE id=1")) !=
                mySql.scalar(QStringLiteral("SELECT j FROM js.t WHERE id=1")));
        Pair pair(mySql, mariaDb);
        QVERIFY(verify(pair, QStringLiteral("js")).equal());
        mariaDb.exec(QStringLiteral("UPDATE js.t SET j='{\"bb\":1,\"a\":[1.0,1e2,\"e\"]}' WHERE "
                                    "id=1"));
        QCOMPARE(verify(pair, QStringLiteral("js")).tables.at(0).differing, qint64(1));
    }

    void waitsForTheFollowerBeforeItCountsADifference()
    {
        TestServer &source = server(0), &target = server(1);
        for (TestServer *const s : {&source, &target})
            s->exec(QStringLiteral("DROP DATABASE IF EXISTS late; CREATE DATABASE late; CREATE "
                                   "TABLE late.t (id INT PRIMARY KEY, v INT); INSERT INTO late.t "
                                   "VALUES (1,1),(2,2),(3,3)"));
        source.exec(QStringLiteral("UPDATE late.t SET v=20 WHERE id=2; DELETE FROM late.t WHERE "
                                   "id=3; INSERT INTO late.t VALUES (4,4)"));
        Pair pair(source, target);
        VerifyOptions options;
        options.workers = 1;
        options.rowsPerRange = 1; // each row a range of its own
        int waits = 0;
        options.waitApplied = [&](std::stop_token) -> Status {
            if (++waits == 1)
                target.exec(QStringLiteral("UPDATE late.t SET v=20 WHERE id=2; DELETE FROM late.t "
                                           "WHERE id=3; INSERT INTO late.t VALUES (4,4)"));
            return {};
        };
        QVERIFY(verify(pair, QStringLiteral("late"), options).equal());
        QCOMPARE(waits, 1); // for all of them together
        target.exec(QStringLiteral("UPDATE late.t SET v=-1 WHERE id=1"));
        QCOMPARE(verify(pair, QStringLiteral("late"), options).tables.at(0).differing, qint64(1));
    }

    void aRowThatKeepsChangingIsNoDifferenceButAStuckOneIs()
    {
        TestServer &source = server(0), &target = server(1);
        for (TestServer *const s : {&source, &target})
            s->exec(QStringLiteral("DROP DATABASE IF EXISTS hot; CREATE DATABASE hot; CREATE TABLE "
                                   "hot.t (id INT PRIMARY KEY, n INT, v INT); INSERT INTO hot.t "
                                   "VALUES (1,0,0),(2,0,0)"));
        source.exec(QStringLiteral("UPDATE hot.t SET n=n+1"));
        Pair pair(source, target);
        VerifyOptions options;
        int waits = 0;
        bool stuck = false;
        // At each look the leader is in another state, and the follower in one that was not seen.
        options.waitApplied = [&](std::stop_token) -> Status {
            ++waits;
            source.exec(QStringLiteral("UPDATE hot.t SET n=n+10"));
            if (!stuck)
                target.exec(QStringLiteral("UPDATE hot.t SET n=%1").arg(1000 + waits));
            return {};
        };
        QVERIFY(verify(pair, QStringLiteral("hot"), options).equal());
        stuck = true;
        QCOMPARE(verify(pair, QStringLiteral("hot"), options).tables.at(0).differing, qint64(2));
    }
};

QTEST_GUILESS_MAIN(HasherTest)
#include "HasherTest.moc"
