// asan-core
#include "mysql/Parts.h"
#include "servers/TestServer.h"

#include <QTest>

#include <future>

using namespace causeway;
using namespace causeway::mysql;
using test::Product;
using test::TestServer;

namespace {
template <class T> T must(Result<T> r)
{
    if (!r)
        qFatal("%s", qPrintable(r.error().describe()));
    return std::move(*r);
}
void must(const Status &s)
{
    if (!s)
        qFatal("%s", qPrintable(s.error().describe()));
}
std::unique_ptr<TestServer> start(Product product)
{
    test::ServerOptions options;
    options.product = product;
    return std::make_unique<TestServer>(options);
}
const QString kMigration = QStringLiteral("0a1b2c3d");
} // namespace

/// The state tables and the lease, on both products.
class LedgerTest : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<TestServer> m_servers[2];
    TestServer &server()
    {
        QFETCH_GLOBAL(int, product);
        return *m_servers[product];
    }
    // Not innodb_trx: reading it more often than every 100 ms shows an old copy of it.
    bool somebodyWaitsForARow()
    {
        return server()
                   .query(QStringLiteral("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"))
                   .at(0)
                   .at(1) != "0";
    }
    Address root(const QString &database = {}) { return server().address({}, {}, database); }

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<int>("product");
        QTest::newRow("MariaDB") << 0;
        QTest::newRow("MySQL") << 1;
    }
    void initTestCase()
    {
        m_servers[0] = start(Product::MariaDb);
        m_servers[1] = start(Product::MySql);
    }
    void init()
    {
        server().exec(QStringLiteral(
            "DROP DATABASE IF EXISTS _causeway; DROP DATABASE IF EXISTS d; CREATE DATABASE d; "
            "CREATE TABLE d.t (id INT PRIMARY KEY, v INT) ENGINE=InnoDB"));
    }

    void keepsFactsChunksRestorationsAndPosition();
    void createIsIdempotentAndShowsItsSql();
    void usesTablesInTheDatabaseWhereNoSchemaMayBeCreated();
    void namesTheDatabaseAsTheFixWhereNoneIsGiven();
    void takeoverEndsRegisteredSessions();
    void takeoverSparesASessionThatReusesTheId();
    void oldHolderCannotWriteAfterTakeover();
    void oldHolderBlockedOnItsStreamRowFailsInsteadOfCommitting();
    void takeoverWaitsForATransactionThatItMayNotEnd();
    void lastMigrationOutDropsTheSchema();
    void keysSurvivePacking();
};

void LedgerTest::keepsFactsChunksRestorationsAndPosition()
{
    auto ledger = must(makeLedger(root(), kMigration, {}));
    QVERIFY(!must(ledger->exists({})));
    must(ledger->create({}));
    QVERIFY(must(ledger->exists({})));
    const Lease lease = must(ledger->takeLease(QStringLiteral("host, pid 1"), {}));
    QCOMPARE(lease.epoch, 1ULL);

    QVERIFY(!must(ledger->fact(QStringLiteral("low"), {})).has_value());
    const QString odd = QStringLiteral("a'b\\c\n\"%1 \u00e4\U0001F600");
    must(ledger->setFact(lease, QStringLiteral("low"), odd, {}));
    QCOMPARE(must(ledger->fact(QStringLiteral("low"), {})).value(), odd);
    must(ledger->setFact(lease, QStringLiteral("low"), QStringLiteral("2"), {}));
    QCOMPARE(must(ledger->fact(QStringLiteral("low"), {})).value(), QStringLiteral("2"));
    must(ledger->clearFact(lease, QStringLiteral("low"), {}));
    QVERIFY(!must(ledger->fact(QStringLiteral("low"), {})).has_value());

    QVERIFY(must(ledger->appliedPosition({})).isEmpty());
    must(ledger->openStreams(lease, {QStringLiteral("apply"), QStringLiteral("copy0")}, {}));
    QVERIFY(must(ledger->appliedPosition({})).isEmpty());
    must(ledger->setAppliedPosition(lease, {QStringLiteral("gtid:x")}, {}));
    must(ledger->openStreams(lease, {QStringLiteral("apply"), QStringLiteral("copy0")}, {}));
    QCOMPARE(must(ledger->appliedPosition({})).text, QStringLiteral("gtid:x"));

    const TableName t{QStringLiteral("d"), QStringLiteral("t")};
    const Row key{Value{std::string("\0\xff'x", 4)}, Value{}};
    server().exec(QStringLiteral("INSERT INTO _causeway.chunk VALUES "
                                 "('0a1b2c3d','d','t',0,NULL,0x%1,7),"
                                 "('0a1b2c3d','d','t',1,0x%1,NULL,8),"
                                 "('ffffffff','d','t',2,NULL,NULL,9)")
                      .arg(QString::fromLatin1(QByteArray::fromStdString(packRow(key)).toHex())));
    auto chunks = must(ledger->chunks(t, {}));
    QCOMPARE(chunks.size(), std::size_t(2));
    QVERIFY(!chunks[0].mark.range.after && chunks[0].mark.range.upTo == key);
    QVERIFY(chunks[1].mark.range.after == key && !chunks[1].mark.range.upTo);
    QCOMPARE(chunks[1].rows, 8);
    must(ledger->forgetChunks(lease, t, {}));
    QVERIFY(must(ledger->chunks(t, {})).empty());

    const Restoration r{QStringLiteral("trigger d.a"), QStringLiteral("trigger"),
                        QStringLiteral("CREATE TRIGGER ..."), QStringLiteral("{}")};
    must(ledger->remember(lease, r, {}));
    Restoration second = r;
    second.putBack = QStringLiteral("what we had set ourselves");
    must(ledger->remember(lease, second, {}));
    const auto all = must(ledger->restorations({}));
    QCOMPARE(all.size(), std::size_t(1));
    QCOMPARE(all[0].putBack, r.putBack);
    must(ledger->forget(lease, r.id, {}));
    QVERIFY(must(ledger->restorations({})).empty());
}

void LedgerTest::createIsIdempotentAndShowsItsSql()
{
    auto ledger = must(makeLedger(root(), kMigration, {}));
    const QStringList sql = ledger->createSql();
    QVERIFY(sql.constFirst().contains(QStringLiteral("CREATE DATABASE")));
    must(ledger->create({}));
    must(ledger->create({}));
    server().exec(QStringLiteral("DROP DATABASE _causeway"));
    server().exec(sql.join(QStringLiteral(";\n"))); // as shown, it works
    QCOMPARE(server().scalar(QStringLiteral(
                 "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='_causeway'")),
             QStringLiteral("5"));
}

void LedgerTest::usesTablesInTheDatabaseWhereNoSchemaMayBeCreated()
{
    server().exec(QStringLiteral("DROP USER IF EXISTS small; CREATE USER small IDENTIFIED BY "
                                 "'small-pass'; GRANT ALL ON d.* TO small"));
    const Address a = server().address(QStringLiteral("small"), QStringLiteral("small-pass"),
                                       QStringLiteral("d"));
    auto ledger = must(makeLedger(a, kMigration, {}));
    must(ledger->create({}));
    QCOMPARE(server().scalar(QStringLiteral("SELECT COUNT(*) FROM d._causeway_migration")),
             QStringLiteral("1"));
    const Lease lease = must(ledger->takeLease(QStringLiteral("x"), {}));
    must(ledger->setFact(lease, QStringLiteral("a"), QStringLiteral("b"), {}));
    auto again = must(makeLedger(a, kMigration, {})); // found again by a new process
    QCOMPARE(must(again->fact(QStringLiteral("a"), {})).value(), QStringLiteral("b"));
    must(again->remove({}));
    QCOMPARE(server().scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.tables WHERE "
                                            "table_schema='d'")),
             QStringLiteral("1"));
}

void LedgerTest::namesTheDatabaseAsTheFixWhereNoneIsGiven()
{
    server().exec(QStringLiteral("DROP USER IF EXISTS small; CREATE USER small IDENTIFIED BY "
                                 "'small-pass'; GRANT ALL ON d.* TO small"));
    auto ledger = must(makeLedger(
        server().address(QStringLiteral("small"), QStringLiteral("small-pass")), kMigration, {}));
    const Status made = ledger->create({});
    QVERIFY(!made);
    QCOMPARE(made.error().id, QStringLiteral("mysql-state-schema"));
    QVERIFY(!made.error().fix.isEmpty());
}

void LedgerTest::takeoverEndsRegisteredSessions()
{
    auto first = must(makeLedger(root(), kMigration, {}));
    must(first->create({}));
    const Lease old = must(first->takeLease(QStringLiteral("first"), {}));
    auto worker = must(Session::open(root(), Use::Data, {}));
    const StateNames names = must(findStateNames(*worker, {}));
    must(registerSession(*worker, names, old, {}));

    auto second = must(makeLedger(root(), kMigration, {}));
    const Lease now = must(second->takeLease(QStringLiteral("second"), {}));
    QVERIFY(now.epoch > old.epoch);
    const auto dead = worker->query(QStringLiteral("SELECT 1"));
    QVERIFY(!dead);
    QCOMPARE(dead.error().code, ErrorCode::ConnectionLost);
    // The first ledger's own session was ended too; it comes back and is told.
    Status lost = first->checkLease(old, {});
    if (!lost && lost.error().code == ErrorCode::ConnectionLost)
        lost = first->checkLease(old, {});
    QVERIFY(!lost);
    QCOMPARE(lost.error().code, ErrorCode::LeaseLost);
    // Nor can it register anew, or list as a session of the new holder.
    auto late = must(Session::open(root(), Use::Control, {}));
    QCOMPARE(registerSession(*late, names, old, {}).error().code, ErrorCode::LeaseLost);
    const auto known = must(readMigrations(*late, {}));
    QCOMPARE(known.size(), std::size_t(1));
    QVERIFY(known[0].lease == now);
    QCOMPARE(known[0].holder, QStringLiteral("second"));
}

void LedgerTest::takeoverSparesASessionThatReusesTheId()
{
    auto first = must(makeLedger(root(), kMigration, {}));
    must(first->create({}));
    must(first->takeLease(QStringLiteral("first"), {}));
    auto bystander = must(Session::open(root(), Use::Control, {}));
    // As if the server had been restarted and given the recorded id to somebody else.
    server().exec(QStringLiteral("UPDATE _causeway.migration SET sessions='[{\"id\":\"%1\","
                                 "\"user\":\"root\",\"host\":\"192.0.2.7:4711\"}]'")
                      .arg(bystander->connectionId()));
    auto second = must(makeLedger(root(), kMigration, {}));
    must(second->takeLease(QStringLiteral("second"), {}));
    QVERIFY(bystander->query(QStringLiteral("SELECT 1")).has_value());
}

void LedgerTest::oldHolderCannotWriteAfterTakeover()
{
    auto first = must(makeLedger(root(), kMigration, {}));
    must(first->create({}));
    const Lease old = must(first->takeLease(QStringLiteral("first"), {}));
    must(first->openStreams(old, {QStringLiteral("copy0")}, {}));
    auto worker = must(Session::open(root(), Use::Data, {})); // a zombie that never registered
    const StateNames names = must(findStateNames(*worker, {}));
    must(worker->exec(QStringLiteral("START TRANSACTION")));
    must(touchStream(*worker, names, old, QStringLiteral("copy0"), {}));
    must(worker->exec(QStringLiteral("INSERT INTO d.t VALUES (1,1)")));
    must(worker->exec(QStringLiteral("COMMIT")));

    auto second = must(makeLedger(root(), kMigration, {}));
    const Lease now = must(second->takeLease(QStringLiteral("second"), {}));
    must(second->openStreams(now, {QStringLiteral("copy0")}, {}));
    must(worker->exec(QStringLiteral("START TRANSACTION")));
    const Status touched = touchStream(*worker, names, old, QStringLiteral("copy0"), {});
    QVERIFY(!touched);
    QCOMPARE(touched.error().code, ErrorCode::LeaseLost);
    must(worker->exec(QStringLiteral("ROLLBACK")));
    for (int i = 0; i < 2; ++i) { // the first try may only find its session ended
        const Status refused = first->setFact(old, QStringLiteral("a"), QStringLiteral("b"), {});
        QVERIFY(!refused);
        if (refused.error().code == ErrorCode::ConnectionLost)
            continue;
        QCOMPARE(refused.error().code, ErrorCode::LeaseLost);
    }
    QCOMPARE(first->openStreams(old, {QStringLiteral("copy0")}, {}).error().code,
             ErrorCode::LeaseLost);
    QCOMPARE(first->setAppliedPosition(old, {QStringLiteral("x")}, {}).error().code,
             ErrorCode::LeaseLost);
    must(touchStream(*worker, names, now, QStringLiteral("copy0"), {}));
}

void LedgerTest::oldHolderBlockedOnItsStreamRowFailsInsteadOfCommitting()
{
    auto first = must(makeLedger(root(), kMigration, {}));
    must(first->create({}));
    const Lease old = must(first->takeLease(QStringLiteral("first"), {}));
    must(first->openStreams(old, {QStringLiteral("copy0")}, {}));
    auto worker = must(Session::open(root(), Use::Data, {}));
    const StateNames names = must(findStateNames(*worker, {}));
    // Its transaction, with an older snapshot, is open before the takeover.
    must(worker->exec(QStringLiteral("START TRANSACTION WITH CONSISTENT SNAPSHOT")));
    must(worker->query(QStringLiteral("SELECT * FROM d.t")));

    // The takeover, stopped between raising the epoch and its commit.
    auto taker = must(Session::open(root(), Use::Control, {}));
    must(taker->exec(QStringLiteral("START TRANSACTION")));
    must(taker->exec(QStringLiteral("UPDATE _causeway.migration SET epoch=2")));
    must(taker->exec(QStringLiteral("UPDATE _causeway.stream SET epoch=2")));
    auto blocked = std::async(std::launch::async, [&] {
        return touchStream(*worker, names, old, QStringLiteral("copy0"), {});
    });
    QTRY_VERIFY(somebodyWaitsForARow());
    must(taker->exec(QStringLiteral("COMMIT")));
    const Status touched = blocked.get();
    QVERIFY(!touched);
    // MariaDB with snapshot isolation says 1020 instead, which writes nothing either.
    QVERIFY(touched.error().code == ErrorCode::LeaseLost || touched.error().number == 1020);
}

void LedgerTest::takeoverWaitsForATransactionThatItMayNotEnd()
{
    auto first = must(makeLedger(root(), kMigration, {}));
    must(first->create({}));
    const Lease old = must(first->takeLease(QStringLiteral("first"), {}));
    must(first->openStreams(old, {QStringLiteral("copy0")}, {}));
    auto worker = must(Session::open(root(), Use::Data, {})); // not registered: cannot be killed
    const StateNames names = must(findStateNames(*worker, {}));
    must(worker->exec(QStringLiteral("START TRANSACTION")));
    must(touchStream(*worker, names, old, QStringLiteral("copy0"), {}));
    must(worker->exec(QStringLiteral("INSERT INTO d.t VALUES (2,2)")));
    auto taken = std::async(std::launch::async, [&] {
        auto second = must(makeLedger(root(), kMigration, {}));
        return second->takeLease(QStringLiteral("second"), {});
    });
    QTRY_VERIFY(somebodyWaitsForARow());
    must(worker->exec(QStringLiteral("COMMIT"))); // before the takeover: it counts
    QCOMPARE(must(taken.get()).epoch, old.epoch + 1);
    QCOMPARE(server().scalar(QStringLiteral("SELECT COUNT(*) FROM d.t WHERE id=2")),
             QStringLiteral("1"));
    must(worker->exec(QStringLiteral("START TRANSACTION")));
    QCOMPARE(touchStream(*worker, names, old, QStringLiteral("copy0"), {}).error().code,
             ErrorCode::LeaseLost);
}

void LedgerTest::lastMigrationOutDropsTheSchema()
{
    auto one = must(makeLedger(root(), kMigration, {}));
    auto two = must(makeLedger(root(), QStringLiteral("ffffffff"), {}));
    must(one->create({}));
    must(two->create({}));
    const Lease lease = must(two->takeLease(QStringLiteral("two"), {}));
    must(two->setFact(lease, QStringLiteral("a"), QStringLiteral("b"), {}));
    must(one->remove({}));
    QVERIFY(!must(one->exists({})));
    QCOMPARE(must(two->fact(QStringLiteral("a"), {})).value(), QStringLiteral("b"));
    must(two->remove({}));
    must(two->remove({})); // again: nothing to do
    QCOMPARE(server().scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata "
                                            "WHERE schema_name='_causeway'")),
             QStringLiteral("0"));
}

void LedgerTest::keysSurvivePacking()
{
    const Row row{Value{std::string()}, Value{}, Value{std::string("\0\1\2", 3)},
                  Value{std::string(70000, 'x')}};
    const std::string packed = packRow(row);
    QVERIFY(must(unpackRow(packed)) == row);
    QVERIFY(must(unpackRow({})).empty());
    QCOMPARE(unpackRow(std::string_view(packed).substr(0, packed.size() - 1)).error().id,
             QStringLiteral("state-damaged"));
}

QTEST_GUILESS_MAIN(LedgerTest)
#include "LedgerTest.moc"
