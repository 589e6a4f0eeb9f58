// asan-core
#include "ApplierHistory.h"

#include "servers/TestServer.h"

#include <QtTest>

#include <thread>

using namespace causeway;
using namespace causeway::mysql;
using namespace causeway::test;

/// The applier on real servers, one behaviour at a time.
class ApplierTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void keylessRowsOfEveryType_data() { products(); }
    void keylessRowsOfEveryType();
    void keylessMismatchStops_data() { products(); }
    void keylessMismatchStops();
    void swapsKeysThroughAUniqueKey_data() { products(); }
    void swapsKeysThroughAUniqueKey();
    void oldHolderOfTheLeaseWritesNothing_data() { products(); }
    void oldHolderOfTheLeaseWritesNothing();
    void retriesAfterADeadlockOrLockTimeout_data() { products(); }
    void retriesAfterADeadlockOrLockTimeout();
    void statementIsNotRunTwiceAfterACrash_data() { products(); }
    void statementIsNotRunTwiceAfterACrash();
    void setNullLeavesTimestamps_data() { products(); }
    void setNullLeavesTimestamps();
    void convertsCharsets_data() { products(); }
    void convertsCharsets();
    void stopsWithinASecond_data() { products(); }
    void stopsWithinASecond();
    void leaderRowsWaitForTheirPosition_data() { products(); }
    void leaderRowsWaitForTheirPosition();
    void exactnessOutlivesTheApplier_data() { products(); }
    void exactnessOutlivesTheApplier();
    void whatAChainLeftBehindIsSweptOnRequest_data() { products(); }
    void whatAChainLeftBehindIsSweptOnRequest();

private:
    static void products();
    void makeTables(const char *leader, const char *follower = nullptr);
    std::shared_ptr<const Table> leader(const char *name) const;
    void open(bool emulate = true, std::shared_ptr<LeaderRows> rows = {}, qint64 inlineRows = 0);
    RowChange change(const char *table, RowOp op, Row before, Row after, int index = 0) const;
    Row rowOf(const char *where, const char *table) const;
    QString follower(const char *sql);
    Status apply(std::vector<RowChange> rows, int position);

    std::unique_ptr<TestServer> m_servers[2];
    TestServer *m_server = nullptr;
    std::unique_ptr<Session> m_control;
    std::unique_ptr<Session> m_data;
    std::unique_ptr<Ledger> m_ledger;
    Lease m_lease;
    std::vector<TablePlan> m_plans;
    std::unique_ptr<Applier> m_applier;
};

void ApplierTest::products()
{
    QTest::addColumn<int>("product");
    QTest::newRow("MariaDB") << 0;
    QTest::newRow("MySQL") << 1;
}

void ApplierTest::initTestCase()
{
    for (int i : {0, 1}) {
        ServerOptions options;
        options.product = i == 0 ? Product::MariaDb : Product::MySql;
        m_servers[i] = std::make_unique<TestServer>(options);
    }
}

void ApplierTest::init()
{
    QFETCH(int, product);
    m_applier.reset();
    m_server = m_servers[product].get();
    for (const char *schema : {"l", "f"}) {
        m_server->exec(QStringLiteral("DROP DATABASE IF EXISTS %1; CREATE DATABASE %1")
                           .arg(QLatin1String(schema)));
    }
    m_control = check(Session::open(m_server->address(), Use::Control, {}));
    m_data = check(Session::open(m_server->address(), Use::Data, {}));
    m_ledger = check(makeLedger(m_server->address(), QStringLiteral("0badcafe"), {}));
    check(m_ledger->create({}));
    check(m_ledger->remove({}));
    check(m_ledger->create({}));
}

/// `leader`: statements with table names t..., in schema l; the same in f unless given.
void ApplierTest::makeTables(const char *leaderSql, const char *followerSql)
{
    m_server->exec(QLatin1String(leaderSql), QStringLiteral("l"));
    m_server->exec(QLatin1String(followerSql ? followerSql : leaderSql), QStringLiteral("f"));
    Selection selection;
    selection.schemas = QStringList{QStringLiteral("l"), QStringLiteral("f")};
    const Catalog catalog = check(readCatalog(*m_control, selection, {}));
    m_plans.clear();
    for (const Table &t : catalog.tables) {
        if (t.name.schema == QLatin1String("l"))
            m_plans.push_back(
                {std::make_shared<const Table>(t),
                 std::make_shared<const Table>(*catalog.find({QStringLiteral("f"), t.name.name}))});
    }
    open();
    check(m_ledger->setAppliedPosition(m_lease, positionAt(0), {}));
    open();
}

void ApplierTest::open(bool emulate, std::shared_ptr<LeaderRows> rows, qint64 inlineRows)
{
    m_applier.reset();
    m_lease = check(m_ledger->takeLease(QStringLiteral("test"), {}));
    ApplierOptions options;
    options.workers = 2;
    options.inlineRows = inlineRows;
    options.emulateCascades = emulate;
    options.leader = std::move(rows);
    m_applier = check(makeApplier(m_server->address(), m_lease, options, {}));
    m_applier->setPlans(m_plans);
}

std::shared_ptr<const Table> ApplierTest::leader(const char *name) const
{
    for (const TablePlan &p : m_plans) {
        if (p.leader->name.name == QLatin1String(name))
            return p.leader;
    }
    return {};
}

RowChange ApplierTest::change(const char *table, RowOp op, Row before, Row after, int index) const
{
    RowChange c;
    c.table = leader(table);
    c.op = op;
    c.before = std::move(before);
    c.after = std::move(after);
    c.indexInTransaction = index;
    return c;
}

/// A row of the leader in wire form.
Row ApplierTest::rowOf(const char *where, const char *table) const
{
    Leader reading(m_server->address(), Catalog{});
    const auto rows = reading.rows(*leader(table), where);
    return rows.empty() ? Row{} : rows.front();
}

QString ApplierTest::follower(const char *sql)
{
    return m_server->scalar(QLatin1String(sql), QStringLiteral("f"));
}

Status ApplierTest::apply(std::vector<RowChange> rows, int position)
{
    ChangeBatch batch;
    batch.rows = std::move(rows);
    batch.after = positionAt(static_cast<std::size_t>(position));
    return m_applier->apply(batch, {});
}

void ApplierTest::keylessRowsOfEveryType()
{
    makeTables("CREATE TABLE t (n INT, i BIGINT UNSIGNED, d DECIMAL(10,3), f FLOAT, g DOUBLE, "
               "b BIT(10), e ENUM('x','y'), s SET('p','q'), c CHAR(5), v VARCHAR(9) "
               "COLLATE utf8mb4_general_ci, x BINARY(4), y BLOB, dt DATETIME(3), ts TIMESTAMP NULL,"
               " tm TIME, ye YEAR, j JSON, p POINT) CHARACTER SET utf8mb4;");
    // Rows that a careless comparison holds for equal, and one of NULLs.
    m_server->exec(
        QStringLiteral(
            "INSERT INTO t VALUES (1, 18446744073709551615, 1.5, 0.1, 0.1, b'101', 'y', 'p,q', "
            "'a', 'A ', 'zz', 'B\\\\\\'', '2020-01-02 03:04:05.678', '2020-01-02 03:04:05', "
            "'-10:00:00', 1999, '{\"k\": [1, 2.5, \"x\"]}', POINT(1, 2)), "
            "(2, 18446744073709551615, 1.5, 0.1, 0.1, b'101', 'y', 'p,q', "
            "'a', 'a', 'zz', 'B\\\\\\'', '2020-01-02 03:04:05.678', '2020-01-02 03:04:05', "
            "'-10:00:00', 1999, '{\"k\": [1, 2.5, \"x\"]}', POINT(1, 2)), "
            "(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
            "NULL, NULL, NULL, NULL)"),
        QStringLiteral("l"));
    const Row one = rowOf("n=1", "t"), two = rowOf("n=2", "t"), three = rowOf("n=3", "t");
    check(apply({change("t", RowOp::Insert, {}, one, 0), change("t", RowOp::Insert, {}, two, 1),
                 change("t", RowOp::Insert, {}, three, 2)},
                1));
    const auto asLeader = [&] {
        return m_server->scalar(QStringLiteral(
            "SELECT CONCAT((SELECT GROUP_CONCAT(CONCAT_WS('|', n, i, d, f*1e0, g, b+0, e, s, c, v, "
            "HEX(x), y, dt, ts, tm, ye, j, HEX(p)) ORDER BY n) FROM l.t) = (SELECT "
            "GROUP_CONCAT(CONCAT_WS('|', n, i, d, f*1e0, g, b+0, e, s, c, v, HEX(x), y, dt, ts, "
            "tm, ye, j, HEX(p)) ORDER BY n) FROM f.t))"));
    };
    QCOMPARE(asLeader(), QStringLiteral("1"));
    // Each is found again by its whole image.
    m_server->exec(QStringLiteral("UPDATE t SET d=d+1, ts=ts WHERE n=1; DELETE FROM t WHERE n=3"),
                   QStringLiteral("l"));
    check(apply({change("t", RowOp::Update, one, rowOf("n=1", "t"), 0),
                 change("t", RowOp::Delete, three, {}, 1)},
                2));
    QCOMPARE(asLeader(), QStringLiteral("1"));
    QCOMPARE(follower("SELECT COUNT(*) FROM t"), QStringLiteral("2"));
    check(apply({change("t", RowOp::Delete, two, {}, 0)}, 3));
    QCOMPARE(follower("SELECT n FROM t"), QStringLiteral("1"));
}

void ApplierTest::keylessMismatchStops()
{
    makeTables("CREATE TABLE t (a INT, b VARCHAR(5)); INSERT INTO t VALUES (1, 'x');");
    const Status done =
        apply({change("t", RowOp::Delete, {std::string("1"), std::string("X")}, {})}, 1);
    QVERIFY(!done);
    QCOMPARE(done.error().id, QStringLiteral("mysql-keyless-mismatch"));
    QCOMPARE(follower("SELECT COUNT(*) FROM t"), QStringLiteral("1"));
    QCOMPARE(check(m_ledger->appliedPosition({})), positionAt(0));
}

void ApplierTest::swapsKeysThroughAUniqueKey()
{
    makeTables("CREATE TABLE t (id INT PRIMARY KEY, u INT, UNIQUE (u)); "
               "INSERT INTO t VALUES (1, 10), (2, 20);");
    const Row one{"1", "10"}, oneFree{"1", std::nullopt}, two{"2", "20"}, twoTook{"2", "10"},
        oneTook{"1", "20"};
    check(apply({change("t", RowOp::Update, one, oneFree, 0),
                 change("t", RowOp::Update, two, twoTook, 1),
                 change("t", RowOp::Update, oneFree, oneTook, 2)},
                1));
    QCOMPARE(follower("SELECT GROUP_CONCAT(id, ':', u ORDER BY id) FROM t"),
             QStringLiteral("1:20,2:10"));
}

void ApplierTest::oldHolderOfTheLeaseWritesNothing()
{
    makeTables("CREATE TABLE t (id INT PRIMARY KEY, v INT);");
    // Raised without ending the old one's sessions: a takeover from where it may not KILL.
    m_server->exec(QStringLiteral("UPDATE _causeway.migration SET epoch=epoch+1; "
                                  "UPDATE _causeway.stream SET epoch=epoch+1"));
    const Status done =
        apply({change("t", RowOp::Insert, {}, {std::string("1"), std::string("1")})}, 1);
    QVERIFY(!done);
    QCOMPARE(done.error().code, ErrorCode::LeaseLost);
    QCOMPARE(follower("SELECT COUNT(*) FROM t"), QStringLiteral("0"));
}

void ApplierTest::retriesAfterADeadlockOrLockTimeout()
{
    makeTables("CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1);");
    m_server->exec(QStringLiteral("SET GLOBAL innodb_lock_wait_timeout=1"));
    open();
    m_server->exec(QStringLiteral("SET GLOBAL innodb_lock_wait_timeout=50"));
    const auto lockWaits = [&] {
        return m_server
            ->scalar(QStringLiteral("SELECT VARIABLE_VALUE FROM %1 WHERE "
                                    "VARIABLE_NAME='Innodb_row_lock_waits'")
                         .arg(m_control->isMariaDb()
                                  ? QStringLiteral("information_schema.GLOBAL_STATUS")
                                  : QStringLiteral("performance_schema.global_status")))
            .toInt();
    };
    const int before = lockWaits();
    check(m_data->execBytes("START TRANSACTION"));
    check(m_data->execBytes("UPDATE f.t SET v=7 WHERE id=1"));
    Status done;
    std::jthread applying([&] {
        done = apply({change("t", RowOp::Update, {std::string("1"), std::string("1")},
                             {std::string("1"), std::string("2")})},
                     1);
    });
    // Longer than the time-out: it is seen waiting a second time.
    QTRY_VERIFY_WITH_TIMEOUT(lockWaits() >= before + 2, 10'000);
    check(m_data->execBytes("COMMIT"));
    applying.join();
    check(done);
    QCOMPARE(follower("SELECT v FROM t"), QStringLiteral("2"));
}

void ApplierTest::statementIsNotRunTwiceAfterACrash()
{
    makeTables("CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1);");
    const QString sql = QStringLiteral("ALTER TABLE t ADD COLUMN w INT");
    check(m_applier->applyStatement({sql, QStringLiteral("f"), {}}, positionAt(1), {}));
    QCOMPARE(check(m_ledger->appliedPosition({})), positionAt(1));
    // Run by itself, the same statement fails and is not taken for done.
    QVERIFY(!m_applier->applyStatement({sql, QStringLiteral("f"), {}}, positionAt(2), {}));
    // It died after the ALTER, before the position: announced, and there is nothing left to do.
    open();
    check(m_applier->applyStatement({sql, QStringLiteral("f"), {}}, positionAt(2), {}));
    QCOMPARE(check(m_ledger->appliedPosition({})), positionAt(2));
    check(m_applier->applyStatement({QStringLiteral("TRUNCATE TABLE t"), QStringLiteral("f"), {}},
                                    positionAt(3), {}));
    QCOMPARE(follower("SELECT COUNT(*) FROM t"), QStringLiteral("0"));
}

void ApplierTest::setNullLeavesTimestamps()
{
    const char *sql =
        "CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (id INT PRIMARY KEY, p INT, "
        "ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
        "FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL); INSERT INTO p VALUES (1); "
        "INSERT INTO c VALUES (5, 1, '2001-02-03 04:05:06');";
    makeTables(sql);
    check(apply({change("p", RowOp::Delete, {std::string("1")}, {})}, 1));
    QCOMPARE(follower("SELECT CONCAT(p IS NULL, ' ', ts) FROM c"),
             QStringLiteral("1 2001-02-03 04:05:06"));
    QCOMPARE(follower("SELECT COUNT(*) FROM p"), QStringLiteral("0"));
}

void ApplierTest::convertsCharsets()
{
    makeTables("CREATE TABLE t (k VARCHAR(9) CHARACTER SET latin1 PRIMARY KEY, v VARCHAR(9) "
               "CHARACTER SET latin1);",
               "CREATE TABLE t (k VARCHAR(9) CHARACTER SET utf8mb4 PRIMARY KEY, v VARCHAR(9) "
               "CHARACTER SET utf8mb4);");
    const Row image{std::string("\xe4"), std::string("\xfc'\\")}; // ä, ü
    check(apply({change("t", RowOp::Insert, {}, image)}, 1));
    QCOMPARE(follower("SELECT CONCAT(HEX(k), ' ', HEX(v)) FROM t"),
             QStringLiteral("C3A4 C3BC275C"));
    check(apply({change("t", RowOp::Delete, image, {})}, 2));
    QCOMPARE(follower("SELECT COUNT(*) FROM t"), QStringLiteral("0"));
}

void ApplierTest::stopsWithinASecond()
{
    makeTables("CREATE TABLE t (id INT PRIMARY KEY, v INT);");
    check(m_data->execBytes("LOCK TABLES f.t WRITE"));
    std::stop_source source;
    Status done;
    ChangeBatch batch;
    batch.rows = {change("t", RowOp::Insert, {}, {std::string("1"), std::string("1")})};
    batch.after = positionAt(1);
    std::jthread applying([&] { done = m_applier->apply(batch, source.get_token()); });
    QTRY_VERIFY(m_server
                    ->scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.PROCESSLIST "
                                            "WHERE STATE LIKE 'Waiting for table%'"))
                    .toInt() > 0);
    QElapsedTimer timer;
    timer.start();
    source.request_stop();
    applying.join();
    QVERIFY(timer.elapsed() < 1000);
    QCOMPARE(done.error().code, ErrorCode::Cancelled);
    check(m_data->execBytes("UNLOCK TABLES"));
}

void ApplierTest::leaderRowsWaitForTheirPosition()
{
    makeTables("CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 1);");
    const auto rows = check(makeLeaderRows(m_server->address(), {}));
    const Table &t = *leader("t");
    const Position before = check(rows->now({}));
    const std::vector<Row> tuples{{std::string("1")}};
    QCOMPARE(check(rows->read(t, {1}, tuples, before, {})).size(), std::size_t(2));
    QCOMPARE(check(rows->read(t, {0}, tuples, Position{}, {})).size(), std::size_t(1));
    m_server->exec(QStringLiteral("UPDATE t SET v=2 WHERE id=2"), QStringLiteral("l"));
    const auto now = check(rows->read(t, {1}, tuples, Position{}, {}));
    QCOMPARE(now.size(), std::size_t(1));
    const Position after = check(rows->now({}));
    QVERIFY(positionReached(after, before));
    QVERIFY(!positionReached(before, after));
    // What others wrote and may have read counts too, without a read() of ours.
    m_server->exec(QStringLiteral("UPDATE t SET v=3 WHERE id=2"), QStringLiteral("l"));
    QVERIFY(!positionReached(after, check(rows->now({}))));
    // A position that is never reached: waits until it is stopped.
    const bool mariaDb = m_control->isMariaDb();
    const Position never{mariaDb ? QStringLiteral("file:x.999999:4")
                                 : QStringLiteral("gtid:11111111-1111-1111-1111-111111111111:1")};
    std::stop_source source;
    Result<std::vector<Row>> got = std::vector<Row>();
    std::jthread reading([&] { got = rows->read(t, {1}, tuples, never, source.get_token()); });
    QTRY_VERIFY(
        m_server->scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.PROCESSLIST"))
            .toInt() > 0);
    source.request_stop();
    reading.join();
    QCOMPARE(got.error().code, ErrorCode::Cancelled);
}

namespace {
/// Counts what is asked of the leader, whose log is the test's own.
class Asked final : public LeaderRows {
public:
    explicit Asked(const Address &address) : m_rows(check(makeLeaderRows(address, {}))) {}
    Result<std::vector<Row>> read(const Table &table, const std::vector<int> &columns,
                                  const std::vector<Row> &tuples, const Position &,
                                  std::stop_token stop) override
    {
        ++reads;
        const Position none{QStringLiteral("file:x.000000:0")};
        return m_rows->read(table, columns, tuples, none, stop);
    }
    Result<Position> now(std::stop_token) override
    {
        return positionAt(static_cast<std::size_t>(end));
    }
    int reads = 0;
    int end = 0; ///< of the leader's log

private:
    std::unique_ptr<LeaderRows> m_rows;
};

const char *const kFamily =
    "CREATE TABLE p (id INT PRIMARY KEY); "
    "CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE "
    "CASCADE); "
    "CREATE TABLE g (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES c (id) ON DELETE "
    "CASCADE); "
    "INSERT INTO p VALUES (1), (2), (3), (4), (5), (6), (7); INSERT INTO c SELECT id, id FROM p; "
    "INSERT INTO g SELECT id, id FROM p;";
} // namespace

/// A follower that had nothing ahead of the log need not look at the leader again because the
/// program was started anew, killed or not: under steady cascades that looking would not end.
void ApplierTest::exactnessOutlivesTheApplier()
{
    makeTables(kFamily);
    const auto asked = std::make_shared<Asked>(m_server->address());
    int at = 0;
    const auto leaderDeletes = [&](const char *id) {
        m_server->exec(QStringLiteral("DELETE FROM p WHERE id=") + QLatin1String(id),
                       QStringLiteral("l"));
        asked->end = ++at;
        asked->reads = 0;
        check(apply({change("p", RowOp::Delete, {std::string(id)}, {})}, at));
    };
    open(true, asked, 1'000);
    check(m_applier->settle({}));
    leaderDeletes("1");
    QCOMPARE(asked->reads, 0);
    // As if killed: nobody says good-bye.
    open(true, asked, 1'000);
    check(m_applier->settle({}));
    leaderDeletes("2");
    QCOMPARE(asked->reads, 0);
    // A batch that several workers write may be torn. Until it is whole, nothing is exact.
    open(true, asked, 0);
    check(m_applier->settle({}));
    m_server->exec(QStringLiteral("INSERT INTO p VALUES (20)"), QStringLiteral("l"));
    asked->end = ++at;
    check(apply({change("p", RowOp::Insert, {}, {std::string("20")})}, at));
    open(true, asked, 0);
    check(m_applier->settle({}));
    leaderDeletes("3");
    QCOMPARE(asked->reads, 0);
    check(m_data->execBytes("LOCK TABLES f.p READ"));
    m_server->exec(QStringLiteral("INSERT INTO p VALUES (21)"), QStringLiteral("l"));
    asked->end = at + 1;
    std::stop_source source;
    std::jthread applying([&] {
        ChangeBatch batch;
        batch.rows = {change("p", RowOp::Insert, {}, {std::string("21")})};
        batch.after = positionAt(static_cast<std::size_t>(at + 1));
        QVERIFY(!m_applier->apply(batch, source.get_token()));
    });
    QTRY_VERIFY(m_server
                    ->scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.PROCESSLIST "
                                            "WHERE STATE LIKE 'Waiting for table%'"))
                    .toInt() > 0);
    source.request_stop();
    applying.join();
    check(m_data->execBytes("UNLOCK TABLES"));
    open(true, asked, 1'000);
    check(m_applier->settle({}));
    leaderDeletes("4"); // the same position: what was torn is in it
    QVERIFY(asked->reads > 0);
    // Rows of a copy, or another position: what was true before does not count.
    open(true, asked, 1'000);
    check(m_applier->settle({}));
    leaderDeletes("5");
    QCOMPARE(asked->reads, 0);
    check(m_ledger->openStreams(m_lease, {QStringLiteral("copy0")}, {}));
    (void)check(makeRowWriter(m_server->address(), m_lease, QStringLiteral("copy0"), {}));
    open(true, asked, 1'000);
    asked->end = at + 1;
    check(m_applier->settle({}));
    leaderDeletes("6");
    QVERIFY(asked->reads > 0);
    open(true, asked, 1'000);
    check(m_applier->settle({}));
    check(m_ledger->setAppliedPosition(m_lease, positionAt(static_cast<std::size_t>(at)), {}));
    open(true, asked, 1'000);
    asked->end = at + 1;
    check(m_applier->settle({}));
    leaderDeletes("7");
    QVERIFY(asked->reads > 0);
    QCOMPARE(follower("SELECT CONCAT((SELECT COUNT(*) FROM c), (SELECT COUNT(*) FROM g))"),
             QStringLiteral("00"));
}

/// Rows read anew run ahead; while that goes on, a comparison may ask for what chains left behind.
void ApplierTest::whatAChainLeftBehindIsSweptOnRequest()
{
    makeTables(kFamily);
    const auto asked = std::make_shared<Asked>(m_server->address());
    open(true, asked, 1'000);
    asked->end = 1'000; // always something to come
    check(m_applier->settle({}));
    const std::string one("1");
    m_server->exec(QStringLiteral("DELETE FROM p WHERE id IN (1, 2)"), QStringLiteral("l"));
    check(apply({change("p", RowOp::Delete, {one}, {})}, 1));
    // What the log brings late, after the reading has already taken the middle away.
    check(apply({change("g", RowOp::Insert, {}, {std::string("30"), one})}, 2));
    QCOMPARE(follower("SELECT COUNT(*) FROM g WHERE id=30"), QStringLiteral("1"));
    check(m_applier->settle({}));
    QCOMPARE(follower("SELECT COUNT(*) FROM g WHERE id=30"), QStringLiteral("0"));
}

QTEST_GUILESS_MAIN(ApplierTest)
#include "ApplierTest.moc"
