// The copy of several tables at once, and what goes wrong on its way.

#include "engine/mysql/CopyFixture.h"
#include "servers/Compare.h"

#include <QElapsedTimer>

#include <future>

using namespace causeway;
using namespace causeway::test;

namespace {

const QString kSchema = QStringLiteral("many");

void createMany(TestServer &server)
{
    server.exec(QStringLiteral(
        "DROP DATABASE IF EXISTS many; CREATE DATABASE many CHARACTER SET utf8mb4; USE many;"
        "CREATE TABLE a (id INT PRIMARY KEY, t VARCHAR(200), n INT, KEY (n));"
        "CREATE TABLE b (x VARCHAR(20), y INT, t VARCHAR(200), PRIMARY KEY (x, y));"
        "CREATE TABLE c (id BIGINT PRIMARY KEY, d DOUBLE, u INT UNIQUE);"
        "CREATE TABLE empty_ (id INT PRIMARY KEY)"));
}

void fillMany(TestServer &server, int thousands)
{
    const QString digits = QStringLiteral(
        "SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 "
        "UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9");
    server.exec(
        QStringLiteral(
            "USE many; CREATE TABLE s (n INT PRIMARY KEY); INSERT INTO s SELECT "
            "a.n+10*b.n+100*c.n+1000*d.n+10000*e.n FROM (%1) a, (%1) b, (%1) c, (%1) d, "
            "(%1) e WHERE a.n+10*b.n+100*c.n+1000*d.n+10000*e.n < %2;"
            "INSERT INTO a SELECT n, REPEAT(SHA2(n, 256), 3), n % 100 FROM s;"
            "INSERT INTO b SELECT CONCAT('k', MOD(n,97)), n, REPEAT(SHA2(n, 256), 2) FROM s;"
            "INSERT INTO c SELECT n * 10000000000, n / 7, n FROM s; DROP TABLE s")
            .arg(digits, QString::number(thousands * 1000)));
}

/// Small chunks, so that there are many of them.
CopyOptions smallChunks()
{
    CopyOptions o;
    o.readers = 2;
    o.writers = 3;
    o.limits.rowsPerBatch = 200;
    o.limits.rowsPerQuery = 1000;
    o.queueBytes = 400'000;
    o.firstPause = std::chrono::milliseconds(50);
    o.longestPause = std::chrono::milliseconds(1000);
    return o;
}

qint64 committedRows(const CopyPool &pool)
{
    qint64 rows = 0;
    for (const CopyProgress &p : pool.progress())
        rows += p.rows;
    return rows;
}

/// The run's result while it goes on beside the test.
struct Running {
    std::stop_source stop;
    std::future<Result<CopyPool::End>> result;
    Running(CopyPool &pool, const std::vector<TablePlan> &plans)
        : result(std::async(std::launch::async, [&pool, plans, token = stop.get_token()] {
              return pool.run(plans, token);
          }))
    {
    }
    [[nodiscard]] bool isDone() const
    {
        return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    }
};

QString joined(const QStringList &lines)
{
    return lines.join(QLatin1Char('\n'));
}

} // namespace

class CopyTest : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<TestServer> m_servers[2];
    TestServer &source(int to) { return *m_servers[1 - to]; }
    TestServer &target(int to) { return *m_servers[to]; }
    void forgetState(int to)
    {
        target(to).exec(QStringLiteral("DROP DATABASE IF EXISTS _causeway"));
        createMany(target(to));
    }
    void compare(int to)
    {
        CompareOptions o;
        o.objects = false;
        const QStringList d = compareServers(source(to), target(to), {kSchema}, o);
        QVERIFY2(d.isEmpty(), qPrintable(joined(d)));
    }
    static void targets()
    {
        QTest::addColumn<int>("to");
        QTest::newRow("to MariaDB") << 0;
        QTest::newRow("to MySQL") << 1;
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_servers[0] = startServer(Product::MariaDb);
        m_servers[1] = startServer(Product::MySql);
        for (const auto &s : m_servers) {
            createMany(*s);
            fillMany(*s, 20);
        }
    }
    // The rows of the server that is the target go at the start of each test.
    void init()
    {
        QFETCH(int, to);
        createMany(source(to));
        fillMany(source(to), 20);
        forgetState(to);
    }

    void copiesSeveralTables_data() { targets(); }
    void copiesSeveralTables()
    {
        QFETCH(int, to);
        Pair pair(source(to), target(to));
        CopyOptions options = smallChunks();
        QStringList copied;
        options.onCopied = [&](const TablePlan &plan, std::stop_token) -> Status {
            copied << plan.leader->name.name;
            return {};
        };
        CopyPool pool(pair.leader, pair.follower, pair.lease, options);
        QCOMPARE(must(pool.run(pair.plans(kSchema), {})), CopyPool::End::Copied);
        compare(to);
        copied.sort();
        QCOMPARE(copied, QStringList({QStringLiteral("a"), QStringLiteral("b"), QStringLiteral("c"),
                                      QStringLiteral("empty_")}));
        QCOMPARE(committedRows(pool), qint64(60'000));
        for (const CopyProgress &p : pool.progress())
            QCOMPARE(p.state, CopyState::Copied);
        // Again: nothing is left to read.
        CopyPool again(pair.leader, pair.follower, pair.lease, options);
        QCOMPARE(must(again.run(pair.plans(kSchema), {})), CopyPool::End::Copied);
        for (const CopyProgress &p : again.progress())
            QCOMPARE(p.bytes, qint64(0));
    }

    void resumesAfterTheTargetIsKilled_data() { targets(); }
    void resumesAfterTheTargetIsKilled()
    {
        QFETCH(int, to);
        Pair pair(source(to), target(to));
        const std::vector<TablePlan> plans = pair.plans(kSchema);
        CopyOptions options = smallChunks();
        options.connectionAttempts = 2;
        for (int round = 0; round < 3; ++round) {
            CopyPool pool(pair.leader, pair.follower, pair.lease, options);
            Running run(pool, plans);
            const qint64 before = committedRows(pool);
            QTRY_VERIFY_WITH_TIMEOUT(committedRows(pool) > before + 4'000 || run.isDone(), 60'000);
            target(to).kill();
            const auto result = run.result.get();
            target(to).start();
            if (result)
                break;
            QVERIFY2(result.error().isTransient(), qPrintable(result.error().describe()));
        }
        // Another process takes over: another lease, another pool.
        pair.takeLease();
        CopyPool pool(pair.leader, pair.follower, pair.lease, options);
        QCOMPARE(must(pool.run(plans, {})), CopyPool::End::Copied);
        compare(to);
        QCOMPARE(committedRows(pool), qint64(60'000));
    }

    void goesOnThroughLostConnections_data() { targets(); }
    void goesOnThroughLostConnections()
    {
        QFETCH(int, to);
        TcpProxy toSource(source(to).port());
        TcpProxy toTarget(target(to).port());
        Address leader = source(to).address();
        leader.port = toSource.port();
        Address follower = target(to).address();
        follower.port = toTarget.port();
        Pair pair(source(to), target(to), leader, follower);
        CopyPool pool(pair.leader, pair.follower, pair.lease, smallChunks());
        Running run(pool, pair.plans(kSchema));
        int cuts = 0;
        while (!run.isDone() && cuts < 12) {
            const qint64 before = committedRows(pool);
            QTRY_VERIFY_WITH_TIMEOUT(committedRows(pool) > before + 2'000 || run.isDone(), 60'000);
            toTarget.cutAfter(0);
            if (cuts % 3 == 2)
                toTarget.cutAfter(200'000); // in the middle of a statement, or of a COMMIT's answer
            else
                (cuts % 2 == 0 ? toSource : toTarget).cut();
            ++cuts;
        }
        const auto result = run.result.get();
        QVERIFY2(result.has_value(), result ? "" : qPrintable(result.error().describe()));
        QVERIFY(cuts > 3);
        compare(to);
        QCOMPARE(committedRows(pool), qint64(60'000));
    }

    void pausesAndGoesOn_data() { targets(); }
    void pausesAndGoesOn()
    {
        QFETCH(int, to);
        Pair pair(source(to), target(to));
        const std::vector<TablePlan> plans = pair.plans(kSchema);
        CopyPool pool(pair.leader, pair.follower, pair.lease, smallChunks());
        Running run(pool, plans);
        QTRY_VERIFY_WITH_TIMEOUT(committedRows(pool) > 2'000, 60'000);
        pool.pause();
        QCOMPARE(must(run.result.get()), CopyPool::End::Paused);
        const qint64 paused = committedRows(pool);
        QVERIFY(paused < 60'000);
        QCOMPARE(must(pool.run(plans, {})), CopyPool::End::Copied);
        compare(to);
        QCOMPARE(committedRows(pool), qint64(60'000));
    }

    void stopsWithinASecond_data() { targets(); }
    void stopsWithinASecond()
    {
        QFETCH(int, to);
        TcpProxy toTarget(target(to).port());
        Address follower = target(to).address();
        follower.port = toTarget.port();
        Pair pair(source(to), target(to), source(to).address(), follower);
        CopyPool pool(pair.leader, pair.follower, pair.lease, smallChunks());
        Running run(pool, pair.plans(kSchema));
        QTRY_VERIFY_WITH_TIMEOUT(committedRows(pool) > 2'000, 60'000);
        toTarget.stall(true);
        QElapsedTimer timer;
        timer.start();
        run.stop.request_stop();
        const auto result = run.result.get();
        QVERIFY(timer.elapsed() < 1000);
        QVERIFY(!result);
        QCOMPARE(result.error().code, ErrorCode::Cancelled);
    }

    void endsWhenTheLeaseIsLost_data() { targets(); }
    void endsWhenTheLeaseIsLost()
    {
        QFETCH(int, to);
        Pair pair(source(to), target(to));
        CopyOptions options = smallChunks();
        options.bytesPerSecond = 1'000'000;
        CopyPool pool(pair.leader, pair.follower, pair.lease, options);
        Running run(pool, pair.plans(kSchema));
        QTRY_VERIFY_WITH_TIMEOUT(committedRows(pool) > 1'000, 60'000);
        pair.takeLease();
        const auto result = run.result.get();
        QVERIFY(!result);
        QCOMPARE(result.error().code, ErrorCode::LeaseLost);
    }

    void oneBadTableLeavesTheOthers_data() { targets(); }
    void oneBadTableLeavesTheOthers()
    {
        QFETCH(int, to);
        target(to).exec(QStringLiteral("ALTER TABLE many.b MODIFY t VARCHAR(20)"));
        Pair pair(source(to), target(to));
        CopyPool pool(pair.leader, pair.follower, pair.lease, smallChunks());
        auto result = pool.run(pair.plans(kSchema), {});
        QVERIFY(!result);
        QCOMPARE(result.error().object, QStringLiteral("many.b"));
        for (const CopyProgress &p : pool.progress())
            QCOMPARE(p.state,
                     p.name.name == QLatin1String("b") ? CopyState::Failed : CopyState::Copied);
        // Mended, it is copied by the next run.
        target(to).exec(QStringLiteral("ALTER TABLE many.b MODIFY t VARCHAR(200)"));
        QCOMPARE(must(pool.run(pair.plans(kSchema), {})), CopyPool::End::Copied);
        compare(to);
    }

    void readsGapsAgainExactly_data() { targets(); }
    void readsGapsAgainExactly()
    {
        QFETCH(int, to);
        Pair pair(source(to), target(to));
        CopyPool pool(pair.leader, pair.follower, pair.lease, smallChunks());
        const std::vector<TablePlan> plans = pair.plans(kSchema);
        QCOMPARE(must(pool.run(plans, {})), CopyPool::End::Copied);
        // As a crash leaves it: some chunks did not commit, one after the other and apart.
        for (const QString &table : {QStringLiteral("a"), QStringLiteral("b")}) {
            const auto chunks = must(pair.ledger()->chunks({kSchema, table}, {}));
            QVERIFY(chunks.size() > 50);
            for (const std::size_t i : {std::size_t(0), std::size_t(7), std::size_t(8),
                                        std::size_t(9), std::size_t(20), chunks.size() - 1}) {
                target(to).exec(
                    QStringLiteral(
                        "DELETE FROM _causeway.chunk WHERE table_name='%1' AND number=%2")
                        .arg(table, QString::number(chunks[i].mark.number)));
            }
        }
        target(to).exec(QStringLiteral("DELETE FROM many.a WHERE id < 200 OR id BETWEEN 1400 AND "
                                       "1999 OR id BETWEEN 4000 AND 4199"));
        source(to).exec(QStringLiteral("UPDATE many.a SET t='changed' WHERE id=10000"));
        QCOMPARE(must(pool.run(plans, {})), CopyPool::End::Copied);
        QCOMPARE(target(to).scalar(QStringLiteral("SELECT COUNT(*) FROM many.a")),
                 QStringLiteral("20000"));
        // What was committed is not read again: replication brings its changes.
        QVERIFY(target(to).scalar(QStringLiteral("SELECT t FROM many.a WHERE id=10000")) !=
                QStringLiteral("changed"));
        for (const QString &table : {QStringLiteral("a"), QStringLiteral("b")}) {
            qint64 rows = 0;
            for (const ChunkRecord &c : must(pair.ledger()->chunks({kSchema, table}, {})))
                rows += c.rows;
            QCOMPARE(rows, qint64(20'000));
        }
    }
};

QTEST_GUILESS_MAIN(CopyTest)
#include "CopyTest.moc"
