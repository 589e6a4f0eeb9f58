// Situations that are wrong: each is told by an id of its own and by the exit status, and after it
// was mended the migration goes on to equal sides. By default each with one product, with
// CAUSEWAY_LONG with both.

#include "engine/engine/CliSupport.h"
#include "servers/MySqlClient.h"

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
ServerOptions server(Product product, const QStringList &settings = {})
{
    ServerOptions options;
    options.product = product;
    options.settings = settings;
    return options;
}

/// `shop.a` with a number of rows.
void makeTable(TestServer &source, int rows = 500, int padding = 20)
{
    source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY KEY, n "
                               "VARCHAR(4000), KEY (n(10)))"));
    for (int from = 0; from < rows; from += 900) {
        source.exec(QStringLiteral("INSERT INTO shop.a WITH RECURSIVE s AS (SELECT 1 i UNION ALL "
                                   "SELECT i + 1 FROM s WHERE i < %1) SELECT i + %2, CONCAT('row "
                                   "', i, REPEAT('x', %3)) FROM s")
                        .arg(std::min(900, rows - from))
                        .arg(from)
                        .arg(padding));
    }
}

QJsonObject finding(const Pair &pair, const QString &id)
{
    const Ended ended = cli({QStringLiteral("check"), QStringLiteral("--source"),
                             pair.settings.source.fromHere.toUrl(), QStringLiteral("--target"),
                             pair.settings.target.fromHere.toUrl(), QStringLiteral("--json")});
    QJsonObject found;
    for (const QJsonValue &v : ended.json().value(QStringLiteral("findings")).toArray()) {
        const QJsonObject f = v.toObject();
        // The worse one of two sides.
        if (f.value(QStringLiteral("id")).toString() == id &&
            (found.isEmpty() ||
             f.value(QStringLiteral("status")).toString() != QLatin1String("pass")))
            found = f;
    }
    return found;
}

QString statusOfFinding(const Pair &pair, const char *id)
{
    return finding(pair, QString::fromLatin1(id)).value(QStringLiteral("status")).toString();
}

QStringList replica(const Pair &pair, const QStringList &more = {})
{
    return runArguments(pair, "replica", QStringList{QStringLiteral("--json")} + more);
}

Ended answerRecopy(const Pair &pair)
{
    return cli(
        {QStringLiteral("answer"), pair.file, QStringLiteral("recopy"), QStringLiteral("recopy")});
}

QString decisionOf(const Pair &pair)
{
    return statusOf(pair.file)
        .value(QStringLiteral("decision"))
        .toObject()
        .value(QStringLiteral("id"))
        .toString();
}

bool isLong()
{
    return qEnvironmentVariableIsSet("CAUSEWAY_LONG");
}

/// Both, or by default one of them.
void addProducts(Product one = Product::MariaDb)
{
    const bool both = isLong();
    const bool mySql = one == Product::MySql;
    QTest::addColumn<int>("product");
    if (both || !mySql)
        QTest::newRow("MariaDB") << static_cast<int>(Product::MariaDb);
    if (both || mySql)
        QTest::newRow("MySQL") << static_cast<int>(Product::MySql);
}
} // namespace

/// What takes long, or is alike to another that is not left out.
#define CW_LONG                                                                                    \
    if (!isLong())                                                                                 \
    QSKIP("With CAUSEWAY_LONG only.")

#define CW_PRODUCT                                                                                 \
    QFETCH(const int, product);                                                                    \
    const auto kind = static_cast<Product>(product)

class WrongSituationTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    // ---- before anything is written

    void aReplicaAsSourceIsBlocked()
    {
        Pair pair({}, {});
        TestServer primary;
        makeTable(pair.source);
        pair.source.exec(QStringLiteral("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%1, "
                                        "MASTER_USER='root', MASTER_PASSWORD='root-secret'; START "
                                        "SLAVE")
                             .arg(primary.port()));
        makeFile(pair);
        const Ended ended = cli(replica(pair));
        QCOMPARE(ended.status, 1);
        QCOMPARE(ended.errorId(), QStringLiteral("preflight-blocked"));
        QVERIFY2(ended.output.contains("mysql-replica"), ended.tail().constData());
        pair.source.exec(QStringLiteral("STOP SLAVE; RESET SLAVE ALL"));
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
    }

    void tablesWithRowsOnTheTargetAreBlocked_data() { addProducts(); }
    void tablesWithRowsOnTheTargetAreBlocked()
    {
        CW_PRODUCT;
        Pair pair(server(kind), server(kind));
        makeTable(pair.source);
        makeFile(pair);
        makeTable(pair.target, 1);
        QCOMPARE(statusOfFinding(pair, "mysql-target-tables"), QStringLiteral("blocker"));
        CW_FAILS(cli(replica(pair)), 1, "preflight-blocked");
        // Empty, of another shape: what is different is said.
        pair.target.exec(QStringLiteral("DELETE FROM shop.a; ALTER TABLE shop.a MODIFY id BIGINT"));
        QVERIFY(finding(pair, QStringLiteral("mysql-target-tables"))
                    .value(QStringLiteral("found"))
                    .toString()
                    .contains(QLatin1String("column id has type")));
        CW_FAILS(cli(replica(pair)), 1, "preflight-blocked");
        // Empty, of the same shape: used as it is.
        pair.target.exec(QStringLiteral("ALTER TABLE shop.a MODIFY id INT"));
        QCOMPARE(statusOfFinding(pair, "mysql-target-tables"), QStringLiteral("warning"));
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
        // And left behind empty.
        CW_EXITS(cli({QStringLiteral("cancel"), pair.file, QStringLiteral("--discard")}), 0);
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.a")),
                 QStringLiteral("0"));
    }

    void aTableWithoutKeyWantsAWord()
    {
        Pair pair({}, {});
        makeTable(pair.source);
        pair.source.exec(QStringLiteral("CREATE TABLE shop.k (a INT, b VARCHAR(10)); INSERT INTO "
                                        "shop.k VALUES (1, 'x'), (1, 'x'), (NULL, NULL)"));
        makeFile(pair);
        const Ended ended = cli(replica(pair));
        QCOMPARE(ended.status, 1);
        QVERIFY(ended.output.contains("mysql-unique-key"));
        CW_EXITS(
            cli(replica(pair, {QStringLiteral("--accept"), QStringLiteral("mysql-unique-key")})),
            0);
        pair.source.exec(QStringLiteral("DELETE FROM shop.k WHERE a=1 LIMIT 1; UPDATE shop.k SET "
                                        "b='y' WHERE a IS NULL"));
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
    }

    void aTargetWithoutBinlogSwitchesOneWay_data() { addProducts(); }
    void aTargetWithoutBinlogSwitchesOneWay()
    {
        CW_PRODUCT;
        ServerOptions without = server(kind);
        without.binlog = false;
        Pair pair(server(kind), without);
        makeTable(pair.source);
        makeFile(pair);
        const QJsonObject found = finding(pair, QStringLiteral("mysql-reverse"));
        QCOMPARE(found.value(QStringLiteral("status")).toString(), QStringLiteral("warning"));
        const QStringList run = runArguments(pair, "primary", {QStringLiteral("--json")});
        // Said before the copy, not after it.
        CW_FAILS(cli(run), 1, "one-way");
        QCOMPARE(chunksOn(pair.target), 0);
        CW_EXITS(cli(replica(pair)), 0);
        QCOMPARE(statusOf(pair.file).value(QStringLiteral("follower_watched")), QJsonValue(false));
        QCOMPARE(statusOf(pair.file).value(QStringLiteral("one_way")), QJsonValue(true));
        CW_EXITS(cli(run + QStringList{QStringLiteral("--accept"), QStringLiteral("one-way")}), 0);
        QCOMPARE(statusOf(pair.file).value(QStringLiteral("phase")).toString(),
                 QStringLiteral("primary"));
        CW_EQUAL(pair);
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("0"));
        QCOMPARE(pair.source.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("1"));
        CW_FAILS(cli(replica(pair)), 1, "one-way");
        CW_EXITS(cli(runArguments(pair, "finished",
                                  {QStringLiteral("--old-source"), QStringLiteral("open")})),
                 0);
        QCOMPARE(pair.source.scalar(QStringLiteral("SELECT @@global.read_only")),
                 QStringLiteral("0"));
    }

    // ---- the log

    void aLogPurgedWhilePausedIsCopiedAnew_data() { addProducts(Product::MySql); }
    void aLogPurgedWhilePausedIsCopiedAnew()
    {
        CW_PRODUCT;
        Pair pair(server(kind), server(kind));
        makeTable(pair.source);
        makeFile(pair);
        CW_EXITS(cli(replica(pair)), 0);
        pair.source.exec(QStringLiteral("UPDATE shop.a SET n='lost' WHERE id=1; DELETE FROM shop.a "
                                        "WHERE id=2; FLUSH BINARY LOGS; INSERT INTO shop.a VALUES "
                                        "(100001, 'new'); FLUSH BINARY LOGS"));
        pair.source.exec(QStringLiteral("PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY"));
        CW_FAILS(cli(replica(pair)), 1, "mysql-binlog-purged");
        const QJsonObject decision =
            statusOf(pair.file).value(QStringLiteral("decision")).toObject();
        QCOMPARE(decision.value(QStringLiteral("id")).toString(), QStringLiteral("recopy"));
        CW_FAILS(cli(replica(pair)), 1, "mysql-binlog-purged");
        CW_EXITS(answerRecopy(pair), 0);
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT COUNT(*) FROM "
                                                   "information_schema.statistics WHERE "
                                                   "table_schema='shop'")),
                 QStringLiteral("2"));
        pair.source.exec(QStringLiteral("UPDATE shop.a SET n='followed' WHERE id=3"));
        CW_EXITS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 0);
        CW_EQUAL(pair);
    }

    void aLogBegunAnewWhilePausedIsCopiedAnew_data()
    {
        QTest::addColumn<int>("product");
        QTest::addColumn<bool>("gtid");
        QTest::addColumn<bool>("quiet");
        QTest::newRow("MariaDB") << static_cast<int>(Product::MariaDb) << true << false;
        QTest::newRow("MySQL") << static_cast<int>(Product::MySql) << true << false;
        if (isLong()) {
            // Nothing was read but the place where the copy began.
            QTest::newRow("MariaDB, quiet") << static_cast<int>(Product::MariaDb) << true << true;
            QTest::newRow("MySQL, quiet") << static_cast<int>(Product::MySql) << true << true;
            QTest::newRow("MySQL without GTID")
                << static_cast<int>(Product::MySql) << false << false;
        }
    }
    /// Once it has grown beyond what was read, all its numbers fit.
    void aLogBegunAnewWhilePausedIsCopiedAnew()
    {
        CW_PRODUCT;
        QFETCH(const bool, gtid);
        QFETCH(const bool, quiet);
        ServerOptions options = server(kind);
        options.gtid = gtid;
        Pair pair(options, options);
        makeTable(pair.source);
        makeFile(pair);
        CW_EXITS(cli(replica(pair)), 0);
        if (!quiet) {
            pair.source.exec(QStringLiteral("UPDATE shop.a SET n='read' WHERE id=1"));
            CW_EXITS(cli(replica(pair)), 0);
        }
        beginAnew(pair.source);
        CW_FAILS(cli(replica(pair)), 1, "mysql-log-replaced");
        QCOMPARE(decisionOf(pair), QStringLiteral("recopy"));
        CW_EXITS(answerRecopy(pair), 0);
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
        pair.source.exec(QStringLiteral("UPDATE shop.a SET n='followed' WHERE id=3"));
        CW_EXITS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 0);
        CW_EQUAL(pair);
        // The new leader's: the way back is lost, and said to be.
        beginAnew(pair.target);
        const Ended ended = cli(runArguments(pair, "primary", {QStringLiteral("--json")}));
        QVERIFY2(ended.status == 1 && ended.errorId() == QLatin1String("mysql-log-replaced"),
                 ended.tail().constData());
        QVERIFY(ended.output.contains("--accept one-way"));
        CW_EXITS(cli(runArguments(pair, "finished",
                                  {QStringLiteral("--accept"), QStringLiteral("one-way")})),
                 0);
    }

    /// Known when the copy is gone on with, not after hours of it.
    void aLogPurgedDuringTheCopyIsCopiedAnew()
    {
        CW_LONG;
        Pair pair({}, {});
        makeTable(pair.source, 5000, 600);
        makeFile(pair);
        {
            CliProcess copy(replica(pair, {QStringLiteral("--throttle"), QStringLiteral("500K")}));
            QVERIFY(QTest::qWaitFor([&] { return !copy.isRunning() || chunksOn(pair.target) > 0; },
                                    30'000));
            copy.signal(SIGKILL);
            QVERIFY(copy.wait().killed);
        }
        pair.source.exec(QStringLiteral("UPDATE shop.a SET n='lost'; FLUSH BINARY LOGS; INSERT "
                                        "INTO shop.a VALUES (100001, 'new'); FLUSH BINARY LOGS"));
        pair.source.exec(QStringLiteral("PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY"));
        CW_FAILS(cli(replica(pair)), 1, "mysql-binlog-purged");
        QCOMPARE(decisionOf(pair), QStringLiteral("recopy"));
        CW_EXITS(answerRecopy(pair), 0);
        CW_EXITS(cli(replica(pair, {QStringLiteral("--throttle"), QStringLiteral("100M")})), 0);
        CW_EQUAL(pair);
    }

    /// In primary mode: the way back is lost, and can be given up.
    void aPurgedLogOfTheNewLeaderEndsTheWayBack()
    {
        Pair pair({}, {});
        makeTable(pair.source);
        makeFile(pair);
        CW_EXITS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 0);
        pair.target.exec(
            QStringLiteral("UPDATE shop.a SET n='lost' WHERE id=1; FLUSH BINARY LOGS; "
                           "UPDATE shop.a SET n='kept' WHERE id=2; FLUSH BINARY LOGS"));
        pair.target.exec(QStringLiteral("PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY"));
        const Ended ended = cli(runArguments(pair, "primary", {QStringLiteral("--json")}));
        QCOMPARE(ended.errorId(), QStringLiteral("mysql-binlog-purged"));
        QCOMPARE(ended.status, 1);
        QVERIFY(ended.output.contains("--accept one-way"));
        // Finishing does not pass over what waits for a person.
        const QStringList finish = runArguments(pair, "finished", {QStringLiteral("--json")});
        const Ended refused = cli(finish);
        QCOMPARE(refused.errorId(), QStringLiteral("mysql-binlog-purged"));
        QCOMPARE(refused.status, 1);
        QVERIFY(refused.output.contains("run --to finished --accept one-way"));
        QCOMPARE(statusOf(pair.file).value(QStringLiteral("phase")).toString(),
                 QStringLiteral("primary"));
        CW_EXITS(cli(finish + QStringList{QStringLiteral("--accept"), QStringLiteral("one-way")}),
                 0);
    }

    void rowsLoggedAsStatementAreCopiedAnew_data() { addProducts(); }
    void rowsLoggedAsStatementAreCopiedAnew()
    {
        CW_PRODUCT;
        Pair pair(server(kind), server(kind));
        makeTable(pair.source);
        pair.source.exec(
            QStringLiteral("CREATE DATABASE elsewhere; CREATE TABLE elsewhere.t (id INT)"));
        makeFile(pair);
        CW_EXITS(cli(replica(pair)), 0);
        // In another schema it is of no matter.
        pair.source.exec(QStringLiteral("SET SESSION binlog_format=STATEMENT; INSERT INTO "
                                        "elsewhere.t VALUES (1)"));
        CW_EXITS(cli(replica(pair)), 0);
        pair.source.exec(QStringLiteral("SET SESSION binlog_format=STATEMENT; UPDATE shop.a SET "
                                        "n=CONCAT('s', n) WHERE id < 10"));
        CW_FAILS(cli(replica(pair)), 1, "mysql-statement-logged");
        CW_EXITS(answerRecopy(pair), 0);
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
    }

    void anIncompleteRowImageIsCopiedAnew_data() { addProducts(); }
    void anIncompleteRowImageIsCopiedAnew()
    {
        CW_LONG;
        CW_PRODUCT;
        Pair pair(server(kind), server(kind));
        makeTable(pair.source);
        pair.source.exec(QStringLiteral("CREATE TABLE shop.b (id INT PRIMARY KEY, v INT); INSERT "
                                        "INTO shop.b VALUES (1, 1)"));
        makeFile(pair);
        CW_EXITS(cli(replica(pair)), 0);
        pair.source.exec(QStringLiteral("UPDATE shop.b SET v=2; SET SESSION "
                                        "binlog_row_image=MINIMAL; UPDATE shop.a SET n='minimal' "
                                        "WHERE id=4; SET SESSION binlog_row_image=FULL; UPDATE "
                                        "shop.b SET v=3"));
        CW_FAILS(cli(replica(pair)), 1, "mysql-binlog-row-image");
        QVERIFY(statusOf(pair.file)
                    .value(QStringLiteral("decision"))
                    .toObject()
                    .value(QStringLiteral("objects"))
                    .toArray()
                    .contains(QStringLiteral("shop.a")));
        CW_EXITS(answerRecopy(pair), 0);
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
    }

    // ---- the follower

    void aTableDroppedOnTheTargetIsCopiedAnew_data() { addProducts(); }
    void aTableDroppedOnTheTargetIsCopiedAnew()
    {
        CW_LONG;
        CW_PRODUCT;
        Pair pair(server(kind), server(kind));
        makeTable(pair.source);
        pair.source.exec(QStringLiteral("CREATE TABLE shop.quiet (id INT PRIMARY KEY); INSERT INTO "
                                        "shop.quiet VALUES (1)"));
        makeFile(pair);
        const QStringList recopy{QStringLiteral("answer"), pair.file, QStringLiteral("recopy"),
                                 QStringLiteral("recopy")};
        CW_EXITS(cli(replica(pair)), 0);
        CW_EXITS(cli({QStringLiteral("verify"), pair.file}), 0);
        // One that nobody writes to: its loss is seen all the same, and stands in the switch's way.
        pair.target.exec(QStringLiteral("DROP TABLE shop.quiet"));
        CW_FAILS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 1,
                 "mysql-target-table-missing");
        CW_EXITS(cli(recopy), 0);
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
        // One that is written, while it runs.
        CliProcess follower(
            runArguments(pair, "replica", {QStringLiteral("--json"), QStringLiteral("--follow")}));
        pair.source.exec(QStringLiteral("UPDATE shop.a SET n='one' WHERE id=1"));
        QTRY_COMPARE_WITH_TIMEOUT(
            pair.target.scalar(QStringLiteral("SELECT n FROM shop.a WHERE id=1")),
            QStringLiteral("one"), 20'000);
        pair.target.exec(QStringLiteral("DROP TABLE shop.a"));
        pair.source.exec(QStringLiteral("UPDATE shop.a SET n='two' WHERE id=1"));
        CW_FAILS(follower.wait(30'000), 1, "mysql-target-table-missing");
        CW_EXITS(cli(recopy), 0);
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
    }

    void aWriteOfOthersOnTheFollowerRaisesAnAlarm_data() { addProducts(); }
    void aWriteOfOthersOnTheFollowerRaisesAnAlarm()
    {
        CW_PRODUCT;
        Pair pair(server(kind), server(kind));
        makeTable(pair.source);
        pair.source.exec(QStringLiteral("CREATE DATABASE elsewhere"));
        pair.target.exec(
            QStringLiteral("CREATE DATABASE elsewhere; CREATE TABLE elsewhere.t (id INT "
                           "PRIMARY KEY)"));
        // With another database beside, triggers would close the target, also for root.
        pair.settings.targetFence = FenceKind::ReadOnly;
        makeFile(pair);
        CW_EXITS(cli(replica(pair)), 0);
        CW_EXITS(cli({QStringLiteral("verify"), pair.file}), 0);
        const auto alarm = [&] {
            return statusOf(pair.file).value(QStringLiteral("alarm")).toObject();
        };
        {
            CliProcess follower(runArguments(
                pair, "replica", {QStringLiteral("--json"), QStringLiteral("--follow")}));
            // Ours, and what does not concern the migration.
            pair.source.exec(
                QStringLiteral("UPDATE shop.a SET n='ours' WHERE id < 100; TRUNCATE "
                               "TABLE shop.a; INSERT INTO shop.a VALUES (7, 'seven')"));
            pair.target.exec(QStringLiteral("INSERT INTO elsewhere.t VALUES (1)"));
            QTRY_COMPARE_WITH_TIMEOUT(
                pair.target.scalar(QStringLiteral("SELECT n FROM shop.a WHERE id=7")),
                QStringLiteral("seven"), 20'000);
            QVERIFY(alarm().isEmpty());
            pair.target.exec(QStringLiteral("UPDATE shop.a SET n='foreign' WHERE id=7"));
            QTRY_VERIFY_WITH_TIMEOUT(!alarm().isEmpty(), 20'000);
            QCOMPARE(alarm().value(QStringLiteral("tables")).toArray(),
                     QJsonArray{QStringLiteral("shop.a")});
            QCOMPARE(alarm().value(QStringLiteral("side")).toString(), QStringLiteral("target"));
            QCOMPARE(cli({QStringLiteral("status"), pair.file}).status, 1);
            follower.signal(SIGINT);
            CW_EXITS(follower.wait(20'000), 0);
        }
        // In the way of the switch until it is mended.
        CW_FAILS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 1, "sides-differ");
        CW_EXITS(cli({QStringLiteral("verify"), pair.file}), 1);
        QVERIFY(!alarm().isEmpty());
        CW_EXITS(cli({QStringLiteral("verify"), pair.file, QStringLiteral("--repair")}), 0);
        QVERIFY(alarm().isEmpty());
        QCOMPARE(cli({QStringLiteral("status"), pair.file}).status, 0);
        CW_EXITS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 0);
        QVERIFY(alarm().isEmpty());

        // The same while nobody looks, on the old source after the switch: the next run tells it.
        pair.source.exec(QStringLiteral("INSERT INTO shop.a VALUES (8, 'foreign')"));
        // Nothing runs, and it is told all the same.
        QCOMPARE(cli({QStringLiteral("status"), pair.file}).status, 1);
        QCOMPARE(alarm().value(QStringLiteral("tables")).toArray(),
                 QJsonArray{QStringLiteral("shop.a")});
        CW_FAILS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 1,
                 "foreign-write");
        QCOMPARE(alarm().value(QStringLiteral("side")).toString(), QStringLiteral("source"));
        QCOMPARE(cli({QStringLiteral("status"), pair.file}).status, 1);
        CW_FAILS(cli(replica(pair)), 1, "sides-differ");
        CW_EXITS(cli({QStringLiteral("verify"), pair.file, QStringLiteral("--repair")}), 0);
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
        QVERIFY(alarm().isEmpty());

        // And where the next run is the switch back itself, which compares nothing as a whole.
        CW_EXITS(cli(runArguments(pair, "primary", {})), 0);
        pair.source.exec(QStringLiteral("INSERT INTO shop.a VALUES (9, 'foreign')"));
        CW_FAILS(cli(replica(pair)), 1, "foreign-write");
        QCOMPARE(statusOf(pair.file).value(QStringLiteral("leader")).toString(),
                 QStringLiteral("target"));
        QVERIFY(!alarm().isEmpty());
        CW_EXITS(cli({QStringLiteral("verify"), pair.file, QStringLiteral("--repair")}), 0);
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
    }

    // ---- servers that refuse

    /// In a log, without a terminal: it moves, or why it does not.
    void aLongCatchUpTellsHowFarItIs()
    {
        CW_LONG;
        Pair pair({}, {});
        makeTable(pair.source);
        makeFile(pair);
        CW_EXITS(cli(replica(pair)), 0);
        MySqlClient holder;
        Address address = pair.settings.target.fromHere;
        address.password = Secret(pair.password);
        QVERIFY(holder.connect(address).ok());
        QVERIFY(holder.run("BEGIN; SELECT * FROM shop.a WHERE id=1 FOR UPDATE").ok());
        pair.source.exec(QStringLiteral("UPDATE shop.a SET n='late' WHERE id=1"));
        CliProcess process(runArguments(pair, "replica"));
        QVERIFY(QTest::qWaitFor([&] { return process.says(" s behind"); }, 40'000));
        QVERIFY(process.says(" rows/s"));
        holder.close();
        CW_EXITS(process.wait(), 0);
    }

    void aServerWithoutAFreeConnectionIsNamedWhileItIsAskedAgain()
    {
        Pair pair({}, {});
        makeTable(pair.source);
        makeFile(pair);
        CW_EXITS(cli(replica(pair)), 0);
        pair.target.exec(QStringLiteral("SET GLOBAL max_connections=10"));
        Address address = pair.settings.target.fromHere;
        address.password = Secret(pair.password);
        std::vector<std::unique_ptr<MySqlClient>> others;
        bool full = false;
        while (!full && others.size() < 20) {
            others.push_back(std::make_unique<MySqlClient>());
            full = !others.back()->connect(address).ok();
        }
        QVERIFY(full);
        CliProcess process(runArguments(pair, "replica"));
        QVERIFY(QTest::qWaitFor([&] { return process.says("Trying again."); }, 10'000));
        QVERIFY(process.says("Too many connections"));
        QVERIFY(process.says(qPrintable(pair.settings.target.fromHere.display())));
        QTRY_VERIFY_WITH_TIMEOUT(statusOf(pair.file)
                                     .value(QStringLiteral("retrying"))
                                     .toString()
                                     .contains(QLatin1String("Too many connections")),
                                 10'000);
        others.clear();
        CW_EXITS(process.wait(), 0);
        QCOMPARE(statusOf(pair.file).value(QStringLiteral("retrying")).toString(), QString());
    }

    void aRowTooLargeForTheTargetIsNamed_data() { addProducts(); }
    void aRowTooLargeForTheTargetIsNamed()
    {
        CW_PRODUCT;
        Pair pair(server(kind, {QStringLiteral("--max-allowed-packet=32M")}),
                  server(kind, {QStringLiteral("--max-allowed-packet=1M")}));
        makeTable(pair.source);
        pair.source.exec(QStringLiteral("CREATE TABLE shop.l (id INT PRIMARY KEY, b LONGBLOB); "
                                        "INSERT INTO shop.l VALUES (1, REPEAT('x', 3000000)), "
                                        "(9, REPEAT('z', 9000000))"));
        makeFile(pair);
        const QStringList run =
            replica(pair, {QStringLiteral("--accept"), QStringLiteral("mysql-max-allowed-packet")});
        const Ended ended = cli(run);
        // LOAD DATA would take it in pieces; but then no client could read it there.
        QVERIFY2(ended.status == 3 && ended.errorId() == QLatin1String("mysql-max-allowed-packet"),
                 ended.tail().constData());
        QVERIFY(ended.output.contains("shop.l"));
        pair.target.exec(QStringLiteral("SET GLOBAL max_allowed_packet=33554432"));
        CW_EXITS(cli(run), 0);
        CW_EQUAL(pair);
        // And while following.
        pair.target.exec(QStringLiteral("SET GLOBAL max_allowed_packet=1048576"));
        pair.source.exec(QStringLiteral("INSERT INTO shop.l VALUES (2, REPEAT('y', 3000000))"));
        CW_FAILS(cli(run), 3, "mysql-max-allowed-packet");
        pair.target.exec(QStringLiteral("SET GLOBAL max_allowed_packet=33554432"));
        CW_EXITS(cli(run), 0);
        CW_EQUAL(pair);
    }

    void aFullTargetIsNamed_data() { addProducts(); }
    void aFullTargetIsNamed()
    {
        CW_LONG;
        CW_PRODUCT;
        // All tables in one file that may not grow, and somebody else's take a good part of it.
        Pair pair(server(kind),
                  server(kind, {QStringLiteral("--innodb-file-per-table=OFF"),
                                QStringLiteral("--innodb-data-file-path=ibdata1:12M:autoextend:max:"
                                               "80M")}));
        makeTable(pair.source, 6500, 3000);
        makeTable(pair.target, 18000, 3000);
        pair.target.exec(QStringLiteral("CREATE DATABASE filler; RENAME TABLE shop.a TO filler.a; "
                                        "DROP DATABASE shop"));
        makeFile(pair);
        const Ended ended = cli(replica(pair));
        QVERIFY2(ended.status == 3 && ended.errorId() == QLatin1String("mysql-disk-full"),
                 ended.tail().constData());
        QVERIFY(ended.output.contains("shop.a"));
        pair.target.exec(QStringLiteral("DROP DATABASE filler"));
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
    }

    void tooManyConnectionsInTheMiddleIsNamed_data() { addProducts(Product::MySql); }
    void tooManyConnectionsInTheMiddleIsNamed()
    {
        CW_PRODUCT;
        Pair pair(server(kind), server(kind, {QStringLiteral("--max-connections=40")}));
        pair.target.exec(QStringLiteral("CREATE USER 'plain'@'%' IDENTIFIED BY 'p'"));
        makeTable(pair.source);
        makeFile(pair);
        CW_EXITS(cli(replica(pair)), 0);
        std::vector<std::unique_ptr<MySqlClient>> others;
        for (int i = 0; i < 60; ++i) {
            auto client = std::make_unique<MySqlClient>();
            if (!client->connect(pair.target.address(QStringLiteral("plain"), QStringLiteral("p")))
                     .ok())
                break;
            others.push_back(std::move(client));
        }
        pair.source.exec(QStringLiteral("UPDATE shop.a SET n='after' WHERE id=1"));
        {
            CliProcess waiting(replica(pair));
            QTRY_COMPARE_WITH_TIMEOUT(
                statusOf(pair.file).value(QStringLiteral("run_state")).toString(),
                QStringLiteral("stalled"), 30'000);
            if (isLong()) { // after a minute
                const Ended ended = waiting.wait();
                QVERIFY2(ended.status == 3 &&
                             ended.errorId() == QLatin1String("mysql-too-many-connections"),
                         ended.tail().constData());
            }
            others.clear();
            if (!isLong())
                CW_EXITS(waiting.wait(), 0);
        }
        CW_EXITS(cli(replica(pair)), 0);
        CW_EQUAL(pair);
    }

    void anAccountThatIsLockedInTheMiddleIsNamed_data() { addProducts(); }
    void anAccountThatIsLockedInTheMiddleIsNamed()
    {
        CW_PRODUCT;
        Pair pair(server(kind), server(kind));
        makeTable(pair.source);
        makeFile(pair);
        CW_EXITS(cli(replica(pair)), 0);
        const auto breakAndMend = [&](TestServer &broken, const char *sql, const char *id,
                                      const char *mend) {
            CliProcess follower(runArguments(
                pair, "replica", {QStringLiteral("--json"), QStringLiteral("--follow")}));
            pair.source.exec(QStringLiteral("UPDATE shop.a SET n=CONCAT(n, 'y') WHERE id=1"));
            QTRY_COMPARE_WITH_TIMEOUT(
                pair.target.scalar(QStringLiteral("SELECT n FROM shop.a WHERE id=1")),
                pair.source.scalar(QStringLiteral("SELECT n FROM shop.a WHERE id=1")), 20'000);
            broken.exec(QString::fromLatin1(sql));
            // Sessions that are open go on: as after a cut of the network.
            for (const TestRow &row :
                 broken.query(QStringLiteral("SELECT id FROM information_schema.processlist WHERE "
                                             "user='mover'")))
                killSession(broken, *row.front());
            // Also where nothing is to be written just then.
            const Ended ended = follower.wait(30'000);
            broken.exec(QString::fromLatin1(mend));
            QVERIFY2(ended.status == 3 && ended.errorId() == QLatin1String(id),
                     ended.tail().constData());
            pair.source.exec(QStringLiteral("UPDATE shop.a SET n=CONCAT(n, 'z') WHERE id=1"));
            CW_EXITS(cli(replica(pair)), 0);
            CW_EQUAL(pair);
        };
        breakAndMend(pair.source, "ALTER USER 'mover'@'%' ACCOUNT LOCK", "mysql-account-locked",
                     "ALTER USER 'mover'@'%' ACCOUNT UNLOCK");
        breakAndMend(pair.target, "ALTER USER 'mover'@'%' IDENTIFIED BY 'changed'",
                     "mysql-access-denied", "ALTER USER 'mover'@'%' IDENTIFIED BY 'mover-secret'");
    }

    void sessionsThatAnAdministratorEndsAreOpenedAnew_data() { addProducts(); }
    void sessionsThatAnAdministratorEndsAreOpenedAnew()
    {
        CW_LONG;
        CW_PRODUCT;
        Pair pair(server(kind), server(kind));
        makeTable(pair.source, 20'000, 600);
        makeFile(pair);
        CliProcess run(replica(pair, {QStringLiteral("--throttle"), QStringLiteral("1M")}));
        QVERIFY(
            QTest::qWaitFor([&] { return !run.isRunning() || chunksOn(pair.target) > 0; }, 30'000));
        int killed = 0;
        for (int round = 0; run.isRunning() && killed < 40; ++round) {
            for (TestServer *server : {&pair.source, &pair.target}) {
                for (const TestRow &row : server->query(QStringLiteral(
                         "SELECT id FROM information_schema.processlist WHERE user='mover'"))) {
                    // The one in work, or its statement only.
                    killSession(*server, (round % 2 == 0 ? "" : "QUERY ") + *row.front());
                    ++killed;
                }
            }
            QTest::qWait(100);
        }
        const Ended ended = run.wait();
        QVERIFY2(ended.status == 0 && killed > 10, ended.tail().constData());
        CW_EQUAL(pair);
    }

private:
    /// Somebody resets the log; writes that are lost to us follow, and it grows to where it was.
    static void beginAnew(TestServer &server)
    {
        const bool mariaDb = server.product() == Product::MariaDb;
        const QString status = mariaDb ? QStringLiteral("SHOW MASTER STATUS")
                                       : QStringLiteral("SHOW BINARY LOG STATUS");
        const auto place = [&] {
            const TestRow row = server.query(status).front();
            return std::pair(*row[0], std::stoull(*row[1]));
        };
        const auto [file, offset] = place();
        // Its identity is the second in which it began.
        const auto second = QDateTime::currentSecsSinceEpoch();
        QTRY_VERIFY(QDateTime::currentSecsSinceEpoch() > second);
        server.exec(mariaDb ? QStringLiteral("RESET MASTER")
                            : QStringLiteral("RESET BINARY LOGS AND GTIDS"));
        server.exec(QStringLiteral("UPDATE shop.a SET n='lost' WHERE id=2"));
        for (int i = 0; i < 50 && place().first != file; ++i)
            server.exec(QStringLiteral("FLUSH BINARY LOGS"));
        QCOMPARE(place().first, file);
        for (int i = 0; i < 100 || place().second <= offset; ++i)
            server.exec(QStringLiteral("REPLACE INTO shop.a VALUES (%1, REPEAT('y', 3000))")
                            .arg(200000 + i));
    }
    static void killSession(TestServer &server, const std::string &what)
    {
        MySqlClient client;
        QVERIFY(client.connect(server.address()).ok());
        (void)client.run("KILL " + what); // it may have ended meanwhile
    }
};

QTEST_GUILESS_MAIN(WrongSituationTest)
#include "WrongSituationTest.moc"
