// asan-core
// Reading rows of one server and writing them to another one, with nothing between.

#include "engine/mysql/CopyFixture.h"
#include "servers/Compare.h"

#include <QElapsedTimer>

#include <thread>

using namespace causeway;
using namespace causeway::test;

namespace {

RowBatch rowsOf(Database &db, const Table &table)
{
    RowBatch all(static_cast<int>(table.writableColumns().size()));
    const auto reader = must(db.reader({}));
    must(reader->read(table, {}, {},
                      [&](RowBatch &&batch, const ChunkRange &) -> Status {
                          for (std::size_t r = 0; r < batch.rows(); ++r) {
                              for (int i = 0; i < batch.columns(); ++i) {
                                  if (batch.isNull(r, i))
                                      all.appendNull();
                                  else
                                      all.append(batch.at(r, i));
                              }
                          }
                          return {};
                      },
                      {}));
    return all;
}

/// The servers' collations order them differently.
std::vector<Row> sortedRows(const RowBatch &batch)
{
    std::vector<Row> out;
    for (std::size_t r = 0; r < batch.rows(); ++r) {
        Row row;
        for (int i = 0; i < batch.columns(); ++i)
            row.push_back(batch.value(r, i));
        out.push_back(std::move(row));
    }
    std::sort(out.begin(), out.end());
    return out;
}

Row keyAt(const Table &table, const RowBatch &batch, std::size_t row)
{
    Row key;
    const std::vector<int> columns = table.writableColumns();
    for (const int k : table.rowKeyColumns()) {
        const auto at = std::find(columns.begin(), columns.end(), k) - columns.begin();
        key.push_back(batch.value(row, static_cast<int>(at)));
    }
    return key;
}

} // namespace

class RowsTest : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<TestServer> m_servers[4]; ///< MariaDB, MySQL, MariaDB, MySQL

    TestServer &server(int i)
    {
        if (!m_servers[i])
            m_servers[i] = startServer(i % 2 == 0 ? Product::MariaDb : Product::MySql);
        return *m_servers[i];
    }
    /// The target's counters of statements, to see which way the rows went.
    static qint64 counter(TestServer &s, const char *name)
    {
        return QString::fromStdString(
                   *s.query(QStringLiteral("SHOW GLOBAL STATUS LIKE '%1'").arg(QLatin1String(name)))
                        .at(0)
                        .at(1))
            .toLongLong();
    }
    WriteCount copyTable(Pair &pair, const TablePlan &plan, int number = 16)
    {
        const RowBatch rows = rowsOf(pair.leader, *plan.leader);
        const auto writer = must(pair.follower.writer(pair.lease, QStringLiteral("copy0"), {}));
        return must(writer->write(plan, rows, {number, {}}, {}));
    }
    static QString joined(const QStringList &differences)
    {
        return differences.join(QLatin1Char('\n'));
    }

private Q_SLOTS:
    void init()
    {
        for (const auto &s : m_servers) {
            if (s)
                s->exec(QStringLiteral("DROP DATABASE IF EXISTS _causeway"));
        }
    }

    void copiesEveryTypeExactly_data()
    {
        QTest::addColumn<int>("from");
        QTest::addColumn<int>("to");
        QTest::newRow("MariaDB to MySQL") << 0 << 1;
        QTest::newRow("MySQL to MariaDB") << 1 << 0;
        QTest::newRow("MariaDB to MariaDB") << 0 << 2;
        QTest::newRow("MySQL to MySQL") << 1 << 3;
    }
    void copiesEveryTypeExactly()
    {
        QFETCH(int, from);
        QFETCH(int, to);
        const QString schema = QStringLiteral("types");
        createTypes(server(from), schema);
        createTypes(server(to), schema);
        fillTypes(server(from), schema);
        Pair pair(server(from), server(to));

        // First the fast way of that target, which must have been taken for all of it.
        const bool bulk = to % 2 == 0;
        const char *const fast = bulk ? "Com_stmt_execute" : "Com_load";
        const std::vector<TablePlan> plans = pair.plans(schema);
        QCOMPARE(plans.size(), std::size_t(7));
        for (const TablePlan &plan : plans) {
            const qint64 before = counter(server(to), fast);
            const qint64 rolledBack = counter(server(to), "Com_rollback");
            const WriteCount n = copyTable(pair, plan);
            QVERIFY(n.inserted > 0);
            QCOMPARE(n.alreadyThere + n.collisions, qint64(0));
            QVERIFY2(counter(server(to), fast) > before, qPrintable(plan.leader->name.display()));
            QVERIFY2(counter(server(to), "Com_rollback") == rolledBack,
                     qPrintable(plan.leader->name.display()));
        }
        CompareOptions options;
        options.objects = false;
        QStringList differences = compareServers(server(from), server(to), {schema}, options);
        QVERIFY2(differences.isEmpty(), qPrintable(joined(differences)));

        // Then by INSERT: one row is there already, so that the fast way refuses.
        for (const TablePlan &plan : plans) {
            const QString name = plan.follower->name.display();
            const auto rows = server(to).scalar(QStringLiteral("SELECT COUNT(*) FROM ") + name);
            server(to).exec(QStringLiteral("DELETE FROM %1 LIMIT %2")
                                .arg(name, QString::number(rows.toInt() - 1)));
            const WriteCount n = copyTable(pair, plan, 32);
            QCOMPARE(n.alreadyThere, qint64(1));
            QCOMPARE(n.inserted, qint64(rows.toInt() - 1));
            QCOMPARE(n.collisions, qint64(0));
        }
        differences = compareServers(server(from), server(to), {schema}, options);
        QVERIFY2(differences.isEmpty(), qPrintable(joined(differences)));

        // And what is read from either side is the same, byte for byte.
        for (const TablePlan &plan : plans) {
            const auto a = sortedRows(rowsOf(pair.leader, *plan.leader));
            const auto b = sortedRows(rowsOf(pair.follower, *plan.follower));
            QCOMPARE(a.size(), b.size());
            for (std::size_t r = 0; r < a.size(); ++r) {
                for (std::size_t i = 0; i < a[r].size(); ++i)
                    QVERIFY2(
                        a[r][i] == b[r][i],
                        qPrintable(QStringLiteral("%1 row %2 column %3: %4 and %5")
                                       .arg(plan.leader->name.display())
                                       .arg(r)
                                       .arg(i)
                                       .arg(QString::fromStdString(a[r][i].value_or("NULL")),
                                            QString::fromStdString(b[r][i].value_or("NULL")))));
            }
        }
    }

    void copiesTypesOfOneProduct_data()
    {
        QTest::addColumn<int>("from");
        QTest::addColumn<QString>("definition");
        QTest::addColumn<QString>("values");
        QTest::newRow("MySQL VECTOR and gb18030")
            << 1
            << QStringLiteral("v VECTOR(3), g VARCHAR(20) CHARACTER SET gb18030, d DOUBLE, f FLOAT")
            << QStringLiteral("(1,TO_VECTOR('[1,-2.5,3e10]'),_gb18030 x'815C81308130','-0','-0'),"
                              "(2,NULL,NULL,NULL,NULL)");
        QTest::newRow("MariaDB UUID and INET")
            << 0 << QStringLiteral("u UUID, i INET6, j INET4")
            << QStringLiteral("(1,'6ccd780c-baba-1026-9564-5b8c656024db','2001:db8::ff00:42:8329',"
                              "'192.0.2.1'),(2,NULL,NULL,NULL)");
    }
    void copiesTypesOfOneProduct()
    {
        QFETCH(int, from);
        QFETCH(QString, definition);
        QFETCH(QString, values);
        TestServer &source = server(from), &target = server(from + 2);
        for (TestServer *const s : {&source, &target})
            s->exec(QStringLiteral("DROP DATABASE IF EXISTS own; CREATE DATABASE own; CREATE TABLE "
                                   "own.t (id INT PRIMARY KEY, %1)")
                        .arg(definition));
        source.exec(QStringLiteral("INSERT INTO own.t VALUES ") + values);
        Pair pair(source, target);
        const TablePlan plan = pair.plans(QStringLiteral("own")).at(0);
        for (const int number : {16, 32}) {
            QCOMPARE(copyTable(pair, plan, number).inserted, qint64(number == 16 ? 2 : 1));
            const QStringList d = compareServers(source, target, {QStringLiteral("own")});
            QVERIFY2(d.isEmpty(), qPrintable(joined(d)));
            const RowBatch a = rowsOf(pair.leader, *plan.leader);
            const RowBatch b = rowsOf(pair.follower, *plan.follower);
            for (int i = 0; i < a.columns(); ++i)
                QVERIFY(a.value(0, i) == b.value(0, i));
            target.exec(QStringLiteral("DELETE FROM own.t WHERE id=1"));
        }
    }

    // FLOAT(10,3) rounds its largest number up to one that it then refuses.
    void storesTheLargestDeclaredFloat()
    {
        for (const int to : {0, 1}) {
            TestServer &source = server(1 - to), &target = server(to);
            for (TestServer *const s : {&source, &target})
                s->exec(QStringLiteral("DROP DATABASE IF EXISTS own; CREATE DATABASE own; CREATE "
                                       "TABLE own.t (id INT PRIMARY KEY, f FLOAT(10,3), d "
                                       "DOUBLE(20,2))"));
            source.exec(
                QStringLiteral("INSERT INTO own.t VALUES (1,9999999.999,999999999999999999.99),"
                               "(2,-9999999.999,-999999999999999999.99)"));
            QCOMPARE(source.scalar(QStringLiteral("SELECT f+0e0 FROM own.t WHERE id=1")),
                     QStringLiteral("10000000"));
            Pair pair(source, target);
            copyTable(pair, pair.plans(QStringLiteral("own")).at(0));
            const QStringList d = compareServers(source, target, {QStringLiteral("own")});
            QVERIFY2(d.isEmpty(), qPrintable(joined(d)));
        }
    }

    void storesTheInvalidEnumValue()
    {
        for (const int to : {0, 1}) {
            TestServer &source = server(1 - to), &target = server(to);
            for (TestServer *const s : {&source, &target})
                s->exec(
                    QStringLiteral("DROP DATABASE IF EXISTS own; CREATE DATABASE own; CREATE "
                                   "TABLE own.t (id INT PRIMARY KEY, e ENUM('a'), f ENUM('x'))"));
            source.exec(QStringLiteral("SET sql_mode=''; INSERT INTO own.t VALUES (1,'a','x'),"
                                       "(2,0,'x'),(3,0,0),(4,NULL,0)"));
            Pair pair(source, target);
            const TablePlan plan = pair.plans(QStringLiteral("own")).at(0);
            must(pair.ledger()->forgetChunks(pair.lease, plan.leader->name, {}));
            const WriteCount n = copyTable(pair, plan);
            QCOMPARE(n.inserted, qint64(4));
            QCOMPARE(target.scalar(QStringLiteral(
                         "SELECT GROUP_CONCAT(IFNULL(e+0,'N'),f+0 ORDER BY id) FROM own.t")),
                     QStringLiteral("11,01,00,N0"));
        }
    }

    void tilesRangesInKeyOrder_data()
    {
        QTest::addColumn<int>("on");
        QTest::addColumn<QString>("table");
        for (const char *table : {"keyed", "timed", "numbers"}) {
            QTest::addRow("MariaDB %s", table) << 0 << QString::fromLatin1(table);
            QTest::addRow("MySQL %s", table) << 1 << QString::fromLatin1(table);
        }
    }
    void tilesRangesInKeyOrder()
    {
        QFETCH(int, on);
        QFETCH(QString, table);
        TestServer &s = server(on);
        createTypes(s, QStringLiteral("tiles"));
        fillTypes(s, QStringLiteral("tiles"), 700);
        Pair pair(s, s);
        TablePlan plan;
        for (const TablePlan &p : pair.plans(QStringLiteral("tiles"))) {
            if (p.leader->name.name == table)
                plan = p;
        }
        const RowBatch whole = rowsOf(pair.leader, *plan.leader);
        QCOMPARE(QString::number(whole.rows()),
                 s.scalar(QStringLiteral("SELECT COUNT(*) FROM tiles.") + table));

        ReadLimits small;
        small.rowsPerQuery = 23; // neither divides the other
        small.rowsPerBatch = 10;
        std::vector<ChunkRange> ranges;
        std::vector<std::size_t> sizes;
        std::size_t at = 0;
        const auto reader = must(pair.leader.reader({}));
        must(reader->read(*plan.leader, {}, small,
                          [&](RowBatch &&batch, const ChunkRange &range) -> Status {
                              for (std::size_t r = 0; r < batch.rows(); ++r, ++at) {
                                  if (keyAt(*plan.leader, batch, r) !=
                                      keyAt(*plan.leader, whole, at))
                                      qFatal("row %zu is another one", at);
                              }
                              ranges.push_back(range);
                              sizes.push_back(batch.rows());
                              return {};
                          },
                          {}));
        QCOMPARE(at, whole.rows());
        QVERIFY(!ranges.front().after);
        QVERIFY(!ranges.back().upTo);
        for (std::size_t i = 1; i < ranges.size(); ++i)
            QVERIFY(ranges[i].after == ranges[i - 1].upTo);
        // Each range, read again alone, has exactly its rows.
        at = 0;
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            std::size_t rows = 0;
            must(reader->read(
                *plan.leader, ranges[i], {},
                [&](RowBatch &&batch, const ChunkRange &range) -> Status {
                    if (range.after != ranges[i].after || range.upTo != ranges[i].upTo)
                        qFatal("another range");
                    for (std::size_t r = 0; r < batch.rows(); ++r, ++rows) {
                        if (keyAt(*plan.leader, batch, r) != keyAt(*plan.leader, whole, at + rows))
                            qFatal("another row");
                    }
                    return {};
                },
                {}));
            QCOMPARE(rows, sizes[i]);
            at += rows;
        }
    }

    void coversTheWholeRangeOfAnEmptyTable()
    {
        server(0).exec(QStringLiteral("CREATE DATABASE IF NOT EXISTS own; CREATE TABLE own.empty_ "
                                      "(id INT PRIMARY KEY)"));
        Pair pair(server(0), server(0));
        for (const TablePlan &plan : pair.plans(QStringLiteral("own"))) {
            if (plan.leader->name.name != QLatin1String("empty_"))
                continue;
            int calls = 0;
            const auto reader = must(pair.leader.reader({}));
            must(reader->read(*plan.leader, {}, {},
                              [&](RowBatch &&batch, const ChunkRange &range) -> Status {
                                  ++calls;
                                  if (batch.rows() != 0 || range.after || range.upTo)
                                      qFatal("not the whole range");
                                  return {};
                              },
                              {}));
            QCOMPARE(calls, 1);
        }
    }

    void countsWhatWasThereAndWhatCollides()
    {
        for (const int to : {0, 1}) {
            TestServer &source = server(1 - to), &target = server(to);
            for (TestServer *const s : {&source, &target})
                s->exec(QStringLiteral("DROP DATABASE IF EXISTS own; CREATE DATABASE own; CREATE "
                                       "TABLE own.t (id INT PRIMARY KEY, u INT UNIQUE, v INT)"));
            source.exec(QStringLiteral("INSERT INTO own.t VALUES (1,1,1),(2,2,2),(3,3,3),(4,4,4)"));
            target.exec(QStringLiteral("INSERT INTO own.t VALUES (2,2,99),(77,3,3)"));
            Pair pair(source, target);
            const WriteCount n = copyTable(pair, pair.plans(QStringLiteral("own")).at(0));
            QCOMPARE(n.inserted, qint64(2));
            QCOMPARE(n.alreadyThere, qint64(1));
            QCOMPARE(n.collisions, qint64(1));
            QCOMPARE(target.scalar(
                         QStringLiteral("SELECT GROUP_CONCAT(id,':',v ORDER BY id) FROM own.t")),
                     QStringLiteral("1:1,2:99,4:4,77:3"));
        }
    }

    void refusesKeysThatAreOneForTheTarget()
    {
        for (const int to : {0, 1}) {
            TestServer &source = server(1 - to), &target = server(to);
            const QString sql = QStringLiteral(
                "DROP DATABASE IF EXISTS own; CREATE DATABASE own; CREATE TABLE "
                "own.t (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE %1 PRIMARY KEY)");
            source.exec(sql.arg(QStringLiteral("utf8mb4_bin")));
            target.exec(sql.arg(QStringLiteral("utf8mb4_general_ci")));
            source.exec(QStringLiteral("INSERT INTO own.t VALUES ('a'),('A'),('b')"));
            Pair pair(source, target);
            const TablePlan plan = pair.plans(QStringLiteral("own")).at(0);
            const RowBatch rows = rowsOf(pair.leader, *plan.leader);
            const auto writer = must(pair.follower.writer(pair.lease, QStringLiteral("copy0"), {}));
            const auto done = writer->write(plan, rows, {16, {}}, {});
            QVERIFY(!done);
            QCOMPARE(done.error().object, QStringLiteral("own.t"));
            QCOMPARE(target.scalar(QStringLiteral("SELECT COUNT(*) FROM own.t")),
                     QStringLiteral("0"));
            QVERIFY(must(pair.ledger()->chunks(plan.leader->name, {})).empty());
        }
    }

    void refusesToDamageAValue()
    {
        for (const int to : {0, 1}) {
            TestServer &source = server(1 - to), &target = server(to);
            const QString sql = QStringLiteral("DROP DATABASE IF EXISTS own; CREATE DATABASE own; "
                                               "CREATE TABLE own.t (id INT PRIMARY KEY, %1)");
            source.exec(sql.arg(QStringLiteral("v VARCHAR(20)")));
            target.exec(sql.arg(QStringLiteral("v VARCHAR(4)")));
            source.exec(QStringLiteral("INSERT INTO own.t VALUES (1,'abc'),(2,'toolong')"));
            Pair pair(source, target);
            const TablePlan plan = pair.plans(QStringLiteral("own")).at(0);
            const auto writer = must(pair.follower.writer(pair.lease, QStringLiteral("copy0"), {}));
            const auto done = writer->write(plan, rowsOf(pair.leader, *plan.leader), {16, {}}, {});
            QVERIFY(!done);
            QCOMPARE(done.error().number, 1406);
            QCOMPARE(target.scalar(QStringLiteral("SELECT COUNT(*) FROM own.t")),
                     QStringLiteral("0"));
        }
    }

    void writesNothingOnceTheLeaseIsLost()
    {
        for (const int to : {0, 1}) {
            TestServer &source = server(1 - to), &target = server(to);
            for (TestServer *const s : {&source, &target})
                s->exec(QStringLiteral("DROP DATABASE IF EXISTS own; CREATE DATABASE own; CREATE "
                                       "TABLE own.t (id INT PRIMARY KEY)"));
            source.exec(QStringLiteral("INSERT INTO own.t VALUES (1)"));
            Pair pair(source, target);
            const TablePlan plan = pair.plans(QStringLiteral("own")).at(0);
            const RowBatch rows = rowsOf(pair.leader, *plan.leader);
            const auto writer = must(pair.follower.writer(pair.lease, QStringLiteral("copy0"), {}));
            const Lease old = pair.lease;
            pair.takeLease();
            // The takeover ended the writer's session; a new one of the old holder gets no further.
            auto done = writer->write(plan, rows, {16, {}}, {});
            QVERIFY(!done);
            if (done.error().code == ErrorCode::ConnectionLost)
                done = writer->write(plan, rows, {16, {}}, {});
            QVERIFY(!done);
            QCOMPARE(done.error().code, ErrorCode::LeaseLost);
            QCOMPARE(target.scalar(QStringLiteral("SELECT COUNT(*) FROM own.t")),
                     QStringLiteral("0"));
            QVERIFY(!pair.follower.writer(old, QStringLiteral("copy0"), {}));
        }
    }

    void stopsWithinASecond()
    {
        createTypes(server(0), QStringLiteral("stops"));
        fillTypes(server(0), QStringLiteral("stops"), 5000);
        TcpProxy proxy(server(0).port());
        Address through = server(0).address();
        through.port = proxy.port();
        Pair pair(server(0), server(0), through, through);
        TablePlan plan;
        for (const TablePlan &p : pair.plans(QStringLiteral("stops"))) {
            if (p.leader->name.name == QLatin1String("keyed"))
                plan = p;
        }
        ReadLimits limits;
        limits.rowsPerQuery = 100;
        limits.rowsPerBatch = 50;
        const auto reader = must(pair.leader.reader({}));
        std::stop_source stop;
        QElapsedTimer sinceStop;
        int batches = 0;
        std::jthread stopper;
        const Status done = reader->read(
            *plan.leader, {}, limits,
            [&](RowBatch &&, const ChunkRange &) -> Status {
                if (++batches == 2) {
                    proxy.stall(true); // the next statement is never answered
                    stopper = std::jthread([&] {
                        sinceStop.start();
                        stop.request_stop();
                    });
                }
                return {};
            },
            stop.get_token());
        QVERIFY(!done);
        QCOMPARE(done.error().code, ErrorCode::Cancelled);
        QVERIFY(sinceStop.elapsed() < 1000);
    }
};

QTEST_GUILESS_MAIN(RowsTest)
#include "RowsTest.moc"
