#include "engine/mysql/BinlogTestSupport.h"

#include <thread>

using namespace causeway;
using namespace causeway::test;

namespace {

QString describe(const std::optional<Error> &e)
{
    return e ? e->describe() : QStringLiteral("no error");
}

QString textOf(const Value &v)
{
    return v ? QString::fromStdString(*v) : QStringLiteral("NULL");
}

} // namespace

/// Transactions, statements and positions of the stream, on each kind of server and position.
class BinlogStreamTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void givesTransactionsInOrder_data() { servers(); }
    void givesTransactionsInOrder();
    void resumesWithoutLossOrRepetition_data() { servers(); }
    void resumesWithoutLossOrRepetition();
    void marksOurTransactions_data() { servers(); }
    void marksOurTransactions();
    void tellsSchemaChanges_data() { servers(); }
    void tellsSchemaChanges();
    void tellsStatements_data() { servers(); }
    void tellsStatements();
    void keepsRowsOfCreateTableSelect_data() { servers(); }
    void keepsRowsOfCreateTableSelect();
    void leavesOutRolledBackRows_data() { servers(); }
    void leavesOutRolledBackRows();
    void refusesMinimalImage_data() { servers(); }
    void refusesMinimalImage();
    void refusesDrift_data() { servers(); }
    void refusesDrift();
    void leavesPreparedXaOutAndStopsAtItsCommit_data() { servers(); }
    void leavesPreparedXaOutAndStopsAtItsCommit();
    void advancesWithoutRowsInScope_data() { servers(); }
    void advancesWithoutRowsInScope();
    void tellsPurgedLog_data() { servers(); }
    void tellsPurgedLog();
    void followsAcrossFiles_data() { servers(); }
    void followsAcrossFiles();
    void noticesLostConnection_data() { servers(); }
    void noticesLostConnection();
    void endsWithinASecondWhenInterrupted_data() { servers(); }
    void endsWithinASecondWhenInterrupted();
    void readsLargeTransactionsInParts_data() { servers(); }
    void readsLargeTransactionsInParts();
    void retention();
    void positionWaitsForOpenStatementWithoutGtid();
    void taggedTransactionsAreNotSentAgain();
    void appliesPartialJson();
    void tellsThatCascadesAreInTheLog();

private:
    static void servers();
    /// The server of this row of data, with an empty schema `app` and table app.t.
    TestServer &server();
    std::shared_ptr<const Table> table(const QString &name)
    {
        return readTable(server(), QStringLiteral("app"), name);
    }
    TableResolver resolver(const QStringList &names)
    {
        auto known = std::make_shared<QMap<TableName, std::shared_ptr<const Table>>>();
        for (const QString &n : names)
            known->insert({QStringLiteral("app"), n}, table(n));
        return [known](const TableName &n) { return known->value(n); };
    }
    Selection selection() const
    {
        Selection s;
        s.schemas = QStringList{QStringLiteral("app")};
        return s;
    }

    std::map<QString, std::unique_ptr<TestServer>> m_servers;
};

void BinlogStreamTest::initTestCase()
{
    const auto make = [this](const char *name, Product product, bool gtid, QStringList settings) {
        ServerOptions o;
        o.product = product;
        o.gtid = gtid;
        o.settings = std::move(settings);
        m_servers[QLatin1String(name)] = std::make_unique<TestServer>(o);
    };
    make("MariaDB", Product::MariaDb, true, {});
    make("MySQL", Product::MySql, true, {});
    make("MySQL without GTID", Product::MySql, false, {});
    make("MySQL compressed", Product::MySql, true,
         {QStringLiteral("--binlog-transaction-compression=ON")});
}

void BinlogStreamTest::servers()
{
    QTest::addColumn<QString>("name");
    for (const char *name : {"MariaDB", "MySQL", "MySQL without GTID", "MySQL compressed"})
        QTest::newRow(name) << QString::fromLatin1(name);
}

TestServer &BinlogStreamTest::server()
{
    QString name = QString::fromLatin1(QTest::currentDataTag());
    if (name.isEmpty())
        name = QStringLiteral("MySQL");
    return *m_servers.at(name);
}

#define FRESH                                                                                      \
    server().exec(QStringLiteral("DROP DATABASE IF EXISTS app; CREATE DATABASE app; "              \
                                 "CREATE TABLE app.t (id int primary key, v varchar(30)); "        \
                                 "CREATE TABLE app.other (id int primary key, v varchar(30))"))

void BinlogStreamTest::givesTransactionsInOrder()
{
    FRESH;
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral(
        "BEGIN; INSERT INTO app.t VALUES (1,'a'),(2,'b'); INSERT INTO app.other VALUES (1,'x'); "
        "UPDATE app.t SET v='c' WHERE id=2; COMMIT; "
        "SET foreign_key_checks=0; DELETE FROM app.t WHERE id=1; "));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolver({QStringLiteral("t")}));
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    QStringList seen;
    for (const ChangeEvent &e : f.events) {
        if (std::get_if<TransactionBegin>(&e)) {
            seen += QStringLiteral("begin");
        } else if (const auto *r = std::get_if<RowChange>(&e)) {
            const Row &image = r->op == RowOp::Delete ? r->before : r->after;
            seen += QStringLiteral("%1 %2 %3 %4%5")
                        .arg(static_cast<int>(r->op))
                        .arg(r->indexInTransaction)
                        .arg(textOf(image[0]), textOf(image[1]),
                             r->foreignKeyChecksOff ? QStringLiteral(" unchecked") : QString());
        } else if (const auto *c = std::get_if<TransactionCommit>(&e)) {
            seen += c->ours ? QStringLiteral("ours") : QStringLiteral("commit");
        }
    }
    // MySQL 9.6 and later perform every referential action in sight of the log and say so.
    if (server().product() == Product::MySql)
        seen.replaceInStrings(QStringLiteral(" unchecked"), QString())
            .replaceInStrings(QStringLiteral("2 0 1 a"), QStringLiteral("2 0 1 a unchecked"));
    QCOMPARE(seen, QStringList({QStringLiteral("begin"), QStringLiteral("0 0 1 a"),
                                QStringLiteral("0 1 2 b"), QStringLiteral("1 2 2 c"),
                                QStringLiteral("commit"), QStringLiteral("begin"),
                                QStringLiteral("2 0 1 a unchecked"), QStringLiteral("commit")}));
    const auto begin = f.all<TransactionBegin>();
    QVERIFY(begin[0].id != begin[1].id);
    QVERIFY(std::abs(begin[0].commitTimestampUs / 1000 - QDateTime::currentMSecsSinceEpoch()) <
            60'000);
}

void BinlogStreamTest::resumesWithoutLossOrRepetition()
{
    FRESH;
    const Position from = currentPosition(server(), selection());
    for (int i = 0; i < 40; ++i)
        server().exec(
            QStringLiteral("INSERT INTO app.t VALUES (%1,'a'),(%2,'b')").arg(2 * i).arg(2 * i + 1));
    const Position to = currentPosition(server(), selection());
    // A new stream after each commit: every transaction once.
    QStringList ids, rows;
    Position at = from;
    while (!mysql::positionReached(at, to)) {
        Follow f(server(), at, resolver({QStringLiteral("t")}));
        while (!f.error && f.all<TransactionCommit>().size() < 7 &&
               !mysql::positionReached(f.at, to))
            f.one();
        QVERIFY2(!f.error, qPrintable(describe(f.error)));
        for (const TransactionBegin &b : f.all<TransactionBegin>())
            ids += b.id;
        for (const RowChange &r : f.all<RowChange>())
            rows += textOf(r.after[0]);
        at = f.at;
    }
    QCOMPARE(ids.size(), 40);
    QCOMPARE(QSet<QString>(ids.begin(), ids.end()).size(), 40);
    QCOMPARE(rows.size(), 80);
    for (int i = 0; i < 80; ++i)
        QCOMPARE(rows[i], QString::number(i));
}

void BinlogStreamTest::marksOurTransactions()
{
    FRESH;
    for (const char *name : {"_causeway.stream", "app._causeway_stream"}) {
        const QString stream = QLatin1String(name);
        server().exec(
            QStringLiteral("CREATE DATABASE IF NOT EXISTS _causeway; DROP TABLE IF EXISTS %1; "
                           "CREATE TABLE %1 (migration char(8), stream varchar(32), epoch bigint "
                           "unsigned, seq bigint unsigned, position longtext, primary key "
                           "(migration, stream)) character set utf8mb4 collate utf8mb4_bin; "
                           "INSERT INTO %1 VALUES ('aaaabbbb','apply',1,1,null),"
                           "('ccccdddd','apply',1,1,null)")
                .arg(stream));
        const Position from = currentPosition(server(), selection());
        const int base = stream.size() * 100;
        const QString insert = QStringLiteral("INSERT INTO app.t VALUES (%1,'x'); ");
        server().exec(
            // ours; another migration's; ours but not first; our row inserted, not updated
            QStringLiteral("BEGIN; UPDATE %1 SET seq=seq+1 WHERE migration='aaaabbbb'; ")
                .arg(stream) +
            insert.arg(base) +
            QStringLiteral("COMMIT; BEGIN; UPDATE %1 SET seq=seq+1 WHERE migration='ccccdddd'; ")
                .arg(stream) +
            insert.arg(base + 1) + QStringLiteral("COMMIT; BEGIN; ") + insert.arg(base + 2) +
            QStringLiteral("UPDATE %1 SET seq=seq+1 WHERE migration='aaaabbbb'; COMMIT; ")
                .arg(stream) +
            QStringLiteral("BEGIN; INSERT INTO %1 VALUES ('aaaabbbb','copy0',1,1,null); ")
                .arg(stream) +
            insert.arg(base + 3) + QStringLiteral("COMMIT"));
        const Position to = currentPosition(server(), selection());
        Follow f(server(), from, resolver({QStringLiteral("t")}));
        QVERIFY2(f.until(to), qPrintable(describe(f.error)));
        QList<bool> ours;
        for (const TransactionCommit &c : f.all<TransactionCommit>())
            ours += c.ours;
        QCOMPARE(ours, QList<bool>({true, false, false, false}));
        QVERIFY(f.all<DdlChange>().empty());
    }
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral("DROP DATABASE _causeway; DROP TABLE app._causeway_stream"));
    Follow f(server(), from, resolver({QStringLiteral("t")}));
    QVERIFY2(f.until(currentPosition(server(), selection())), qPrintable(describe(f.error)));
    QVERIFY(f.all<DdlChange>().empty());
}

void BinlogStreamTest::tellsSchemaChanges()
{
    FRESH;
    const auto resolve = resolver({QStringLiteral("t")});
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral("USE app; ALTER TABLE t ADD COLUMN n int; "
                                 "RENAME TABLE t TO t2, other TO t; TRUNCATE t; "
                                 "CREATE INDEX i ON t2 (v); CREATE TEMPORARY TABLE tmp (i int); "
                                 "DROP TEMPORARY TABLE tmp; CREATE VIEW w AS SELECT 1 AS x; "
                                 "DROP TABLE t2"));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolve);
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    QStringList seen;
    Position last = from;
    for (const DdlChange &d : f.all<DdlChange>()) {
        if (d.kind == DdlKind::Other)
            continue;
        QStringList names;
        for (const TableName &n : d.tables)
            names += n.display();
        seen +=
            QStringLiteral("%1 %2").arg(static_cast<int>(d.kind)).arg(names.join(QLatin1Char(' ')));
        QVERIFY(mysql::positionReached(d.before, last));
        QVERIFY(mysql::positionReached(d.after, d.before));
        QVERIFY(!mysql::positionReached(d.before, d.after));
        QCOMPARE(d.defaultSchema, QStringLiteral("app"));
        QVERIFY(d.sqlMode.contains(QLatin1String("STRICT")));
        last = d.after;
    }
    QCOMPARE(seen,
             QStringList({QStringLiteral("1 app.t"), QStringLiteral("3 app.t app.t2 app.other"),
                          QStringLiteral("4 app.t"), QStringLiteral("5 app.t2"),
                          QStringLiteral("2 app.t2")}));
}

void BinlogStreamTest::tellsStatements()
{
    FRESH;
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral("SET binlog_format=STATEMENT; INSERT INTO app.t VALUES (1,'s'); "
                                 "UPDATE app.t SET v='t'"));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolver({QStringLiteral("t")}));
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    const auto statements = f.all<StatementLogged>();
    QCOMPARE(statements.size(), std::size_t(2));
    QCOMPARE(statements[0].statement, QStringLiteral("INSERT INTO app.t VALUES (1,'s')"));
    QVERIFY(mysql::positionReached(from, statements[0].before));
    QCOMPARE(statements[1].tables,
             std::vector<TableName>({{QStringLiteral("app"), QStringLiteral("t")}}));
}

void BinlogStreamTest::keepsRowsOfCreateTableSelect()
{
    FRESH;
    server().exec(QStringLiteral("INSERT INTO app.t VALUES (1,'a'),(2,'b')"));
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral("CREATE TABLE app.made AS SELECT * FROM app.t ORDER BY id"));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolver({QStringLiteral("made")}));
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    const auto ddl = f.all<DdlChange>();
    QCOMPARE(ddl.size(), std::size_t(1));
    QVERIFY2(!ddl[0].statement.contains(QLatin1String("START TRANSACTION")),
             qPrintable(ddl[0].statement));
    QCOMPARE(f.all<RowChange>().size(), std::size_t(2));
    // Beginning again after the statement must not lose the rows.
    Follow again(server(), ddl[0].after, resolver({QStringLiteral("made")}));
    QVERIFY2(again.until(to), qPrintable(describe(again.error)));
    QCOMPARE(again.all<RowChange>().size(), std::size_t(2));
}

void BinlogStreamTest::leavesOutRolledBackRows()
{
    FRESH;
    server().exec(
        QStringLiteral("CREATE TABLE app.plain (id int primary key, v int) ENGINE=MyISAM"));
    // With GTID, MySQL refuses to mix the two kinds of tables.
    const QString tag = QString::fromLatin1(QTest::currentDataTag());
    const bool mixes = tag == QLatin1String("MariaDB") || tag.endsWith(QLatin1String("GTID"));
    const auto plain = [mixes](int id) {
        return mixes ? QStringLiteral("INSERT INTO app.plain VALUES (%1,1); ").arg(id) : QString();
    };
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral("BEGIN; INSERT INTO app.t VALUES (1,'stays'); SAVEPOINT s; "
                                 "INSERT INTO app.t VALUES (2,'goes'); ") +
                  plain(1) +
                  QStringLiteral("ROLLBACK TO s; INSERT INTO app.t VALUES (3,'stays'); COMMIT; "
                                 "BEGIN; INSERT INTO app.t VALUES (4,'goes'); "
                                 "CREATE TEMPORARY TABLE app.tmp (i int); "
                                 "DROP TEMPORARY TABLE app.tmp; ") +
                  plain(2) + QStringLiteral("ROLLBACK"));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolver({QStringLiteral("t"), QStringLiteral("plain")}));
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    QStringList rows;
    for (const RowChange &r : f.all<RowChange>())
        rows += r.table->name.name + textOf(r.after[0]);
    rows.sort();
    QStringList expected{QStringLiteral("t1"), QStringLiteral("t3")};
    if (mixes)
        expected = QStringList{QStringLiteral("plain1"), QStringLiteral("plain2")} + expected;
    QCOMPARE(rows, expected);
}

void BinlogStreamTest::refusesMinimalImage()
{
    FRESH;
    server().exec(QStringLiteral("INSERT INTO app.t VALUES (1,'a')"));
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral("SET binlog_row_image=MINIMAL; UPDATE app.other SET v='b'; "
                                 "UPDATE app.t SET v='b'"));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolver({QStringLiteral("t")}));
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    // Told, not decided: the table may have been copied since.
    const auto unreadable = f.all<RowsUnreadable>();
    QCOMPARE(unreadable.size(), std::size_t(1));
    QCOMPARE(unreadable[0].why.id, QStringLiteral("mysql-binlog-row-image"));
    QCOMPARE(unreadable[0].table.display(), QStringLiteral("app.t"));
    QVERIFY(f.all<RowChange>().empty());
}

void BinlogStreamTest::refusesDrift()
{
    FRESH;
    const auto stale = resolver({QStringLiteral("t")});
    server().exec(QStringLiteral("ALTER TABLE app.t ADD COLUMN n int"));
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral("INSERT INTO app.t VALUES (1,'a',2)"));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, stale);
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    const auto unreadable = f.all<RowsUnreadable>();
    QCOMPARE(unreadable.size(), std::size_t(1));
    QCOMPARE(unreadable[0].why.id, QStringLiteral("mysql-schema-drift"));
}

void BinlogStreamTest::leavesPreparedXaOutAndStopsAtItsCommit()
{
    FRESH;
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral("XA START 'x'; INSERT INTO app.t VALUES (1,'a'); XA END 'x'; "
                                 "XA COMMIT 'x' ONE PHASE"));
    server().exec(QStringLiteral("XA START 'y'; INSERT INTO app.t VALUES (2,'b'); XA END 'y'; "
                                 "XA PREPARE 'y'; XA ROLLBACK 'y'"));
    server().exec(QStringLiteral("XA START 'z'; INSERT INTO app.t VALUES (3,'c'); XA END 'z'; "
                                 "XA PREPARE 'z'"));
    const Position prepared = currentPosition(server(), selection());
    server().exec(QStringLiteral("XA COMMIT 'z'"));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolver({QStringLiteral("t")}));
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    QCOMPARE(f.all<RowChange>().size(), std::size_t(1)); // of the one in one phase
    auto stops = f.all<StatementLogged>();
    QCOMPARE(stops.size(), std::size_t(1));
    QCOMPARE(stops[0].tables.size(), std::size_t(1));
    QCOMPARE(stops[0].tables[0].display(), QStringLiteral("app.t"));
    // Prepared before the stream began: it may be any table.
    Follow late(server(), prepared, resolver({QStringLiteral("t")}));
    QVERIFY2(late.until(to), qPrintable(describe(late.error)));
    stops = late.all<StatementLogged>();
    QCOMPARE(stops.size(), std::size_t(1));
    QVERIFY(stops[0].tables.empty());
}

void BinlogStreamTest::advancesWithoutRowsInScope()
{
    FRESH;
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral("INSERT INTO app.other VALUES (1,'x')"));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolver({QStringLiteral("t")}));
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    QVERIFY(f.events.empty());
    // Alive while nothing happens.
    const int before = f.progress;
    QElapsedTimer timer;
    timer.start();
    while (f.progress < before + 3 && !f.error)
        f.one();
    QVERIFY2(!f.error, qPrintable(describe(f.error)));
    QVERIFY2(timer.elapsed() < 4500, qPrintable(QString::number(timer.elapsed())));
}

void BinlogStreamTest::tellsPurgedLog()
{
    FRESH;
    const Position from = currentPosition(server(), selection());
    server().exec(QStringLiteral("INSERT INTO app.t VALUES (1,'a'); FLUSH BINARY LOGS"));
    const auto session = openSession(server());
    QVERIFY(mysql::logStillHas(*session, from, {}).value());
    const Position to = currentPosition(server(), selection());
    // A dump that was there a moment ago can still hold the file.
    const QString list = QStringLiteral("SHOW BINARY LOGS");
    QTRY_VERIFY_WITH_TIMEOUT(
        ([&] {
            server().exec(QStringLiteral("PURGE BINARY LOGS TO '%1'")
                              .arg(QString::fromStdString(*server().query(list).back()[0])));
            return server().query(list).size() == 1;
        }()),
        20'000);
    QVERIFY(!mysql::logStillHas(*session, from, {}).value());
    QVERIFY(mysql::logStillHas(*session, to, {}).value());
    Follow f(server(), from, resolver({QStringLiteral("t")}));
    QVERIFY(f.untilError());
    QCOMPARE(f.error->id, QStringLiteral("mysql-binlog-purged"));
    QVERIFY(!f.error->isTransient());
}

void BinlogStreamTest::followsAcrossFiles()
{
    FRESH;
    const Position from = currentPosition(server(), selection());
    for (int i = 0; i < 3; ++i)
        server().exec(
            QStringLiteral("INSERT INTO app.t VALUES (%1,'a'); FLUSH BINARY LOGS").arg(i));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolver({QStringLiteral("t")}));
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    QCOMPARE(f.all<RowChange>().size(), std::size_t(3));
}

void BinlogStreamTest::noticesLostConnection()
{
    FRESH;
    const Position from = currentPosition(server(), selection());
    TcpProxy proxy(server().port());
    Address address = server().address();
    address.port = proxy.port();
    auto stream = mysql::makeChangeStream(address, from, {QStringLiteral("aaaabbbb"), 1},
                                          resolver({QStringLiteral("t")}), {});
    QVERIFY2(stream, qPrintable(stream ? QString() : stream.error().describe()));
    QVERIFY((*stream)->next({}));
    proxy.cut();
    Result<ChangeEvent> e = (*stream)->next({});
    while (e)
        e = (*stream)->next({});
    QVERIFY2(e.error().code == ErrorCode::ConnectionLost, qPrintable(e.error().describe()));
}

void BinlogStreamTest::endsWithinASecondWhenInterrupted()
{
    FRESH;
    const Position from = currentPosition(server(), selection());
    TcpProxy proxy(server().port());
    Address address = server().address();
    address.port = proxy.port();
    for (const bool byStop : {false, true}) {
        auto stream = mysql::makeChangeStream(address, from, {QStringLiteral("aaaabbbb"), 1},
                                              resolver({QStringLiteral("t")}), {});
        QVERIFY2(stream, qPrintable(stream ? QString() : stream.error().describe()));
        QVERIFY((*stream)->next({}));
        proxy.stall(true);
        std::stop_source stop;
        std::atomic<qint64> asked{0};
        std::thread other([&] {
            asked = QDateTime::currentMSecsSinceEpoch();
            if (byStop)
                stop.request_stop();
            else
                (*stream)->interrupt();
        });
        Result<ChangeEvent> e = (*stream)->next(stop.get_token());
        while (e)
            e = (*stream)->next(stop.get_token());
        other.join();
        QVERIFY(QDateTime::currentMSecsSinceEpoch() - asked < 1000);
        QCOMPARE(static_cast<int>(e.error().code), static_cast<int>(ErrorCode::Cancelled));
        QElapsedTimer closing;
        closing.start();
        stream->reset();
        QVERIFY(closing.elapsed() < 1000);
        proxy.stall(false);
    }
}

void BinlogStreamTest::readsLargeTransactionsInParts()
{
    FRESH;
    server().exec(
        QStringLiteral("CREATE TABLE app.wide (id int auto_increment primary key, v longtext)"));
    const Position from = currentPosition(server(), selection());
    // 24 rows of 1 MB: more than is held back, and a single row larger than any buffer.
    server().exec(QStringLiteral(
        "BEGIN; INSERT INTO app.wide (v) SELECT REPEAT('x', 1000000) FROM "
        "information_schema.COLUMNS "
        "LIMIT 24; INSERT INTO app.wide (v) VALUES (REPEAT('y', 15000000)); COMMIT"));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolver({QStringLiteral("wide")}));
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    const auto rows = f.all<RowChange>();
    QCOMPARE(rows.size(), std::size_t(25));
    QCOMPARE(rows[24].after[1]->size(), std::size_t(15'000'000));
    for (int i = 0; i < 25; ++i)
        QCOMPARE(rows[static_cast<std::size_t>(i)].indexInTransaction, i);
    QCOMPARE(f.all<TransactionBegin>().size(), std::size_t(1));
    QCOMPARE(f.all<TransactionCommit>().size(), std::size_t(1));
}

void BinlogStreamTest::retention()
{
    TestServer &mysqlServer = *m_servers.at(QStringLiteral("MySQL"));
    const auto session = openSession(mysqlServer);
    const auto seconds = [&] { return mysql::readRetentionSeconds(*session, {}).value(); };
    mysqlServer.exec(QStringLiteral("SET GLOBAL binlog_expire_logs_seconds=7200"));
    QCOMPARE(seconds(), 7200);
    mysqlServer.exec(QStringLiteral("SET GLOBAL binlog_expire_logs_auto_purge=OFF"));
    QCOMPARE(seconds(), -1);
    mysqlServer.exec(QStringLiteral("SET GLOBAL binlog_expire_logs_auto_purge=ON; "
                                    "SET GLOBAL binlog_expire_logs_seconds=0"));
    QCOMPARE(seconds(), -1);
    mysqlServer.exec(
        QStringLiteral("CREATE PROCEDURE mysql.rds_show_configuration() SELECT "
                       "'binlog retention hours' AS name, '24' AS value, '' AS description"));
    QCOMPARE(seconds(), 86400);
    mysqlServer.exec(QStringLiteral("DROP PROCEDURE mysql.rds_show_configuration"));
    TestServer &maria = *m_servers.at(QStringLiteral("MariaDB"));
    maria.exec(QStringLiteral("SET GLOBAL expire_logs_days=1.5"));
    const auto mariaSession = openSession(maria);
    QCOMPARE(mysql::readRetentionSeconds(*mariaSession, {}).value(), 129600);
}

void BinlogStreamTest::positionWaitsForOpenStatementWithoutGtid()
{
    TestServer &s = *m_servers.at(QStringLiteral("MySQL without GTID"));
    s.exec(QStringLiteral(
        "DROP DATABASE IF EXISTS app; CREATE DATABASE app; "
        "CREATE TABLE app.t (id int primary key, v int); INSERT INTO app.t VALUES (1,1)"));
    QVERIFY(currentPosition(s, selection()).text.startsWith(QLatin1String("file:")));
    // Without RELOAD: LOCK TABLES of the selection, which an open transaction holds up.
    s.exec(QStringLiteral("DROP USER IF EXISTS small; CREATE USER small IDENTIFIED BY 'pw'; "
                          "GRANT SELECT, LOCK TABLES, INSERT ON app.* TO small; "
                          "GRANT REPLICATION CLIENT ON *.* TO small"));
    Address small = s.address();
    small.user = QStringLiteral("small");
    small.password = Secret(QStringLiteral("pw"));
    auto session = mysql::Session::open(small, mysql::Use::Control, {});
    QVERIFY(session);
    auto position = mysql::readCurrentPosition(**session, selection(), {});
    QVERIFY2(position, qPrintable(position ? QString() : position.error().describe()));
    const auto writer = openSession(s);
    QVERIFY(writer->exec(QStringLiteral("BEGIN")));
    QVERIFY(writer->exec(QStringLiteral("INSERT INTO app.t VALUES (2,2)")));
    std::thread later([&] {
        // Until the lock is waited for.
        while (
            s.scalar(QStringLiteral("SELECT COUNT(*) FROM performance_schema.metadata_locks WHERE "
                                    "LOCK_STATUS='PENDING'")) == QLatin1String("0"))
            std::this_thread::yield();
        (void)writer->exec(QStringLiteral("COMMIT"));
    });
    position = mysql::readCurrentPosition(**session, selection(), {});
    later.join();
    QVERIFY2(position, qPrintable(position ? QString() : position.error().describe()));
    // Nothing is left locked.
    s.exec(QStringLiteral("INSERT INTO app.t VALUES (3,3)"));
    Follow f(s, *position,
             [t = readTable(s, QStringLiteral("app"), QStringLiteral("t"))](const TableName &n) {
                 return n == t->name ? t : std::shared_ptr<const Table>();
             });
    QVERIFY2(f.until(currentPosition(s, selection())), qPrintable(describe(f.error)));
    QCOMPARE(f.all<RowChange>().size(), std::size_t(1));
}

void BinlogStreamTest::taggedTransactionsAreNotSentAgain()
{
    FRESH;
    server().exec(
        QStringLiteral("SET gtid_next='aaaaaaaa-aaaa-aaaa-aaaa-fffffffffff0:tag_1:1000000'; "
                       "INSERT INTO app.t VALUES (1,'a'); SET gtid_next=AUTOMATIC"));
    const Position from = currentPosition(server(), selection());
    server().exec(
        QStringLiteral("SET gtid_next='aaaaaaaa-aaaa-aaaa-aaaa-fffffffffff0:tag_1:1000001'; "
                       "INSERT INTO app.t VALUES (2,'b'); SET gtid_next=AUTOMATIC"));
    const Position to = currentPosition(server(), selection());
    Follow f(server(), from, resolver({QStringLiteral("t")}));
    QVERIFY2(f.until(to), qPrintable(describe(f.error)));
    QCOMPARE(f.all<RowChange>().size(), std::size_t(1));
    QCOMPARE(f.all<TransactionBegin>()[0].id,
             QStringLiteral("aaaaaaaa-aaaa-aaaa-aaaa-fffffffffff0:tag_1:1000001"));
    Follow again(server(), f.at, resolver({QStringLiteral("t")}));
    server().exec(QStringLiteral("INSERT INTO app.t VALUES (3,'c')"));
    QVERIFY2(again.until(currentPosition(server(), selection())),
             qPrintable(describe(again.error)));
    QCOMPARE(again.all<RowChange>().size(), std::size_t(1));
}

void BinlogStreamTest::tellsThatCascadesAreInTheLog()
{
    // ALGORITHMS 3.2: MySQL 9.7 as it is installed logs what a referential action did; what it does
    // natively it does not log, and says nothing of it in the event.
    ServerOptions native;
    native.product = Product::MySql;
    native.settings << QStringLiteral("--innodb-native-foreign-keys=ON");
    TestServer silent(native);
    for (TestServer *s : {&server(), &silent}) {
        s->exec(QStringLiteral(
            "DROP DATABASE IF EXISTS app; CREATE DATABASE app; CREATE TABLE app.t (id int primary "
            "key, v varchar(30)); CREATE TABLE app.c (id int primary key, p int, FOREIGN KEY (p) "
            "REFERENCES app.t (id) ON DELETE CASCADE ON UPDATE CASCADE); INSERT INTO app.t VALUES "
            "(1,'a'),(2,'b'); INSERT INTO app.c VALUES (10,1),(20,2)"));
        const Position from = currentPosition(*s, selection());
        s->exec(QStringLiteral("DELETE FROM app.t WHERE id=1; UPDATE app.t SET id=3 WHERE id=2"));
        const Position to = currentPosition(*s, selection());
        const auto parent = readTable(*s, QStringLiteral("app"), QStringLiteral("t"));
        const auto child = readTable(*s, QStringLiteral("app"), QStringLiteral("c"));
        Follow f(*s, from, [&](const TableName &n) {
            return std::shared_ptr<const Table>(n.name == QLatin1String("t")   ? parent
                                                : n.name == QLatin1String("c") ? child
                                                                               : nullptr);
        });
        QVERIFY2(f.until(to), qPrintable(describe(f.error)));
        QStringList seen;
        for (const RowChange &r : f.all<RowChange>())
            seen << r.table->name.name + (r.foreignKeyChecksOff ? QStringLiteral(" done")
                                                                : QStringLiteral(" to do"));
        const auto text = [](const char *t) { return QString::fromLatin1(t); };
        QCOMPARE(seen, s == &silent ? (QStringList{text("t to do"), text("t to do")})
                                    : (QStringList{text("c done"), text("t done"), text("c done"),
                                                   text("t done")}));
    }
}

void BinlogStreamTest::appliesPartialJson()
{
    FRESH;
    server().exec(QStringLiteral(
        "CREATE TABLE app.j (id int primary key, a json, n int, b json); INSERT INTO app.j VALUES "
        "(1, CONCAT('{\"list\": [1,2,3,{\"x\": 1}], \"name\": \"', REPEAT('n',300), '\", \"k y\": "
        "1, "
        "\"a\": {\"b\": null}}'), 1, '[1,2,3]'), (2, '{\"a\": [1.5, 2]}', 2, NULL)"));
    const auto t = table(QStringLiteral("j"));
    const auto session = openSession(server(), mysql::Use::Data);
    const Position from = currentPosition(server(), selection());
    const char *updates[] = {
        "a=JSON_SET(a, '$.list[3].x', 'changed')",
        "a=JSON_REMOVE(a, '$.list[1]', '$.\"k y\"')",
        "a=JSON_SET(a, '$.a.new', JSON_ARRAY(1,'é\"'), '$.\"z\\\\\"w\"', 1.50)",
        "a=JSON_INSERT(a, '$.aa', CAST('12:00' AS TIME)), b=JSON_SET(b, '$[0]', 7)",
        "a=JSON_ARRAY_INSERT(a, '$.list[0]', 'first'), n=n+1",
        "a=JSON_REPLACE(a, '$.a', CAST('{}' AS JSON)), b='[9]'",
        "n=n+1",
    };
    std::vector<Row> expected;
    for (const char *u : updates) {
        server().exec(
            QStringLiteral("SET NAMES utf8mb4; SET binlog_row_value_options=PARTIAL_JSON; "
                           "UPDATE app.j SET %1 ORDER BY id")
                .arg(QString::fromUtf8(u)));
        for (Row &r : selectWire(*session, *t, QStringLiteral("ORDER BY id")))
            expected.push_back(std::move(r));
    }
    Follow f(server(), from, resolver({QStringLiteral("j")}));
    QVERIFY2(f.until(currentPosition(server(), selection())), qPrintable(describe(f.error)));
    std::map<std::string, Row> now;
    std::size_t checked = 0;
    for (const RowChange &r : f.all<RowChange>()) {
        QVERIFY(std::find(expected.begin(), expected.end(), r.after) != expected.end());
        now[*r.after[0]] = r.after;
        ++checked;
    }
    QVERIFY(checked >= 8);
    const std::size_t n = expected.size();
    QCOMPARE(textOf(now["1"][1]), textOf(expected[n - 2][1]));
    QCOMPARE(now["2"], expected[n - 1]);
}

QTEST_GUILESS_MAIN(BinlogStreamTest)
#include "BinlogStreamTest.moc"
