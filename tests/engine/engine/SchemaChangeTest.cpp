// Schema changes of each kind, while the rows are copied and while changes are followed, and what
// each --on-ddl and `answer` make of them. Both sides must be equal in the end. All pairs of
// product and way with CAUSEWAY_LONG, for some minutes; by default a few.

#include "engine/engine/CliSupport.h"

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
bool isLong()
{
    return qEnvironmentVariableIsSet("CAUSEWAY_LONG");
}

/// Tables that a change is made to, in a schema of its own that takes the place of `shop`.
const char *const kTables =
    "CREATE TABLE shop.t (id INT PRIMARY KEY, a VARCHAR(20), b INT NOT NULL DEFAULT 7, "
    "c INT, UNIQUE KEY u (c), KEY kb (b)); "
    "CREATE TABLE shop.other (id INT PRIMARY KEY, v VARCHAR(20)); "
    "INSERT INTO shop.t (id, a, c) WITH RECURSIVE s AS (SELECT 1 i UNION ALL SELECT i + 1 FROM s "
    "WHERE i < 300) SELECT i, CONCAT('row ', i), i FROM s; "
    "INSERT INTO shop.other VALUES (1, 'one'), (2, 'two')";

struct Change {
    const char *name;
    /// Run one after the other on the source, each in a session with `shop` as its database.
    std::vector<const char *> sql;
    bool stops = true; ///< with --on-ddl stop a person is asked
};

ServerOptions server(int product)
{
    ServerOptions options;
    options.product = static_cast<Product>(product);
    return options;
}

void makeTables(Pair &pair)
{
    pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
    pair.source.exec(QString::fromUtf8(kTables));
}

QStringList toReplica(const Pair &pair, const QString &onDdl)
{
    return runArguments(pair, "replica",
                        {QStringLiteral("--json"), QStringLiteral("--on-ddl"), onDdl});
}

std::vector<Change> changes(Product product)
{
    std::vector<Change> out{
        {"add a column",
         {"ALTER TABLE shop.t ADD COLUMN d VARCHAR(10) DEFAULT 'new'",
          "INSERT INTO shop.t VALUES (1001, 'x', 1, 1001, 'given')"}},
        {"add a column in front",
         {"ALTER TABLE t ADD d INT FIRST, ADD e INT AFTER a",
          "INSERT INTO t VALUES (5, 1001, 'x', 6, 1, 1001)"}},
        {"drop a column",
         {"ALTER TABLE shop.t DROP COLUMN a", "INSERT INTO shop.t VALUES (1001, 1, 1001)"}},
        {"modify a column",
         {"ALTER TABLE shop.t MODIFY COLUMN a VARCHAR(60) NOT NULL DEFAULT ''",
          "INSERT INTO shop.t VALUES (1001, REPEAT('x', 50), 1, 1001)"}},
        {"change the type of a column",
         {"ALTER TABLE shop.t MODIFY b BIGINT", "UPDATE shop.t SET b=5000000000 WHERE id=3"}},
        {"convert the charset",
         {"ALTER TABLE shop.t CONVERT TO CHARACTER SET latin1",
          "INSERT INTO shop.t VALUES (1001, 'gr\xc3\xbc\xc3\x9f', 1, 1001)"}},
        {"rename a column",
         {"ALTER TABLE shop.t RENAME COLUMN a TO z", "UPDATE shop.t SET z='renamed' WHERE id=3"}},
        {"change a column",
         {"ALTER TABLE shop.t CHANGE a z TEXT", "UPDATE shop.t SET z='renamed' WHERE id=3"}},
        {"add an index",
         {"ALTER TABLE shop.t ADD INDEX ka (a)", "UPDATE shop.t SET a='after' WHERE id=3"}},
        {"create and drop an index",
         {"CREATE INDEX ka ON shop.t (a)", "DROP INDEX kb ON shop.t",
          "UPDATE shop.t SET a='after' WHERE id=3"}},
        {"create a unique index",
         {"CREATE UNIQUE INDEX ua ON t (a)", "UPDATE t SET a='after' WHERE id=3"}},
        {"another primary key",
         {"ALTER TABLE shop.t DROP PRIMARY KEY, ADD PRIMARY KEY (id, b)",
          "UPDATE shop.t SET b=9 WHERE id=3"}},
        {"rename a table",
         {"RENAME TABLE shop.t TO shop.t2", "INSERT INTO shop.t2 VALUES (1001, 'x', 1, 1001)"}},
        {"rename by alter",
         {"ALTER TABLE t RENAME TO t2", "INSERT INTO t2 VALUES (1001, 'x', 1, 1001)"}},
        {"swap two tables",
         {"RENAME TABLE shop.t TO shop.x, shop.other TO shop.t, shop.x TO "
          "shop.other",
          "INSERT INTO shop.t VALUES (9, 'nine')",
          "INSERT INTO shop.other VALUES (1001, 'x', 1, 1001)"}},
        {"online schema change",
         {"CREATE TABLE shop._t_new LIKE shop.t", "ALTER TABLE shop._t_new ADD d INT DEFAULT 4",
          "INSERT INTO shop._t_new (id, a, b, c) SELECT * FROM shop.t",
          "RENAME TABLE shop.t TO shop._t_old, shop._t_new TO shop.t",
          "UPDATE shop.t SET d=8 WHERE id=5", "DROP TABLE shop._t_old"}},
        {"a new table",
         {"CREATE TABLE shop.n (id INT PRIMARY KEY, v INT)", "INSERT INTO shop.n VALUES (1, 2)"}},
        {"a new table like another",
         {"CREATE TABLE n LIKE t", "INSERT INTO n VALUES (1, 'x', 2, 3)"}},
        {"a new table from a query",
         {"CREATE TABLE shop.n (PRIMARY KEY (id)) SELECT id, a FROM "
          "shop.t WHERE id < 50",
          "INSERT INTO shop.n VALUES (1001, 'x')"}},
        {"drop a table", {"DROP TABLE shop.t"}},
        {"drop and create anew",
         {"DROP TABLE shop.t", "CREATE TABLE shop.t (k INT PRIMARY KEY)",
          "INSERT INTO shop.t VALUES (1), (2)"}},
        {"truncate", {"TRUNCATE TABLE shop.t", "INSERT INTO shop.t VALUES (1, 'x', 2, 3)"}, false},
        {"truncate without TABLE", {"/* all */ TRUNCATE t"}, false},
        {"a comment, quotes, the default schema",
         {"/* ALTER TABLE shop.other */ ALTER /*!50000 TABLE */ `t` -- DROP TABLE other\n ADD "
          "`select` INT DEFAULT 3",
          "UPDATE t SET `select`=4 WHERE id=3"}},
        {"ANSI quotes",
         {"SET sql_mode='ANSI_QUOTES'; ALTER TABLE \"shop\".\"t\" ADD \"d\" INT",
          "UPDATE shop.t SET d=4 WHERE id=3"}},
        {"a temporary table",
         {"CREATE TEMPORARY TABLE shop.tmp (id INT); INSERT INTO shop.tmp "
          "VALUES (1); DROP TEMPORARY TABLE shop.tmp"},
         false},
        {"another schema",
         {"CREATE DATABASE elsewhere", "CREATE TABLE elsewhere.t (id INT PRIMARY KEY)",
          "INSERT INTO elsewhere.t VALUES (1)", "ALTER TABLE elsewhere.t ADD d INT",
          "DROP DATABASE elsewhere"},
         false},
        {"a view, a routine, an event",
         {"CREATE VIEW shop.v AS SELECT id FROM shop.t", "DROP VIEW shop.v",
          "CREATE PROCEDURE shop.p() SELECT 1", "DROP PROCEDURE shop.p",
          "CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DO SELECT 1", "DROP EVENT shop.e"},
         false},
        {"comments and options",
         {"ALTER TABLE shop.t COMMENT 'about', AUTO_INCREMENT=5000",
          "UPDATE shop.t SET a='after' WHERE id=3"}},
        {"a foreign key",
         {"ALTER TABLE shop.other ADD t_id INT, ADD CONSTRAINT fk_t FOREIGN KEY "
          "(t_id) REFERENCES shop.t (id) ON DELETE CASCADE",
          "UPDATE shop.other SET t_id=3 WHERE id=1", "DELETE FROM shop.t WHERE id=3"}},
        {"two in a row",
         {"ALTER TABLE shop.t ADD d INT", "UPDATE shop.t SET d=1 WHERE id=1",
          "ALTER TABLE shop.t ADD e INT", "UPDATE shop.t SET e=2 WHERE id=2"}},
    };
    if (product == Product::MariaDb) {
        out.push_back({"if exists",
                       {"ALTER TABLE IF EXISTS shop.t ADD COLUMN IF NOT EXISTS d INT",
                        "UPDATE shop.t SET d=1 WHERE id=1"}});
        out.push_back({"create or replace",
                       {"CREATE OR REPLACE TABLE shop.t (k INT PRIMARY KEY)",
                        "INSERT INTO shop.t VALUES (1)"}});
    } else {
        out.push_back({"instant",
                       {"ALTER TABLE shop.t ADD COLUMN d INT DEFAULT 3, ALGORITHM=INSTANT",
                        "UPDATE shop.t SET a='after' WHERE id=3",
                        "ALTER TABLE shop.t DROP COLUMN a, ALGORITHM=INSTANT",
                        "UPDATE shop.t SET b=9 WHERE id=4"}});
    }
    // By default some of them, others for each product.
    if (!isLong()) {
        std::size_t n = product == Product::MariaDb ? 0 : 2;
        std::erase_if(out, [&n](const Change &) { return n++ % 6 != 0; });
    }
    return out;
}

QString inSchema(const char *sql, const QString &schema)
{
    QString text = QString::fromUtf8(sql);
    return text.replace(QLatin1String("shop"), schema);
}

/// A pair of servers with a schema for each change.
struct Changing : Pair {
    std::vector<Change> all;
    QStringList schemas;

    explicit Changing(const ServerOptions &options)
        : Pair(options, options), all(changes(options.product))
    {
        settings.selection.schemas.clear();
        for (std::size_t i = 0; i < all.size(); ++i) {
            schemas << QStringLiteral("s%1").arg(i, 2, 10, QLatin1Char('0'));
            source.exec(QStringLiteral("CREATE DATABASE ") + schemas.last());
            source.exec(inSchema(kTables, schemas.last()));
        }
        settings.selection.schemas = schemas;
        settings.source.fromHere.database.clear();
        settings.target.fromHere.database.clear();
    }
    void change()
    {
        for (std::size_t i = 0; i < all.size(); ++i) {
            const QString &schema = schemas[static_cast<qsizetype>(i)];
            for (const char *statement : all[i].sql)
                source.exec(inSchema(statement, schema), schema);
        }
    }
    QString tables(TestServer &server) const
    {
        return server.scalar(
            QStringLiteral("SET SESSION group_concat_max_len=100000; SELECT "
                           "GROUP_CONCAT(table_schema, '.', table_name ORDER BY "
                           "table_schema, table_name) FROM information_schema.tables WHERE "
                           "table_schema IN ('%1')")
                .arg(schemas.join(QLatin1String("','"))));
    }
    /// Sentences; the name of the change stands before what is different.
    QStringList differences()
    {
        QStringList out;
        CompareOptions options = rowsOnly();
        options.maxDifferences = 3;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const QString &schema = schemas[static_cast<qsizetype>(i)];
            for (const QString &d : compareServers(source, target, {schema}, options))
                out << QLatin1String(all[i].name) + QStringLiteral(": ") + d;
        }
        if (tables(source) != tables(target))
            out << QStringLiteral("tables: %1\nagainst %2").arg(tables(source), tables(target));
        return out;
    }
};
} // namespace

class SchemaChangeTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void isCarriedOverWhileFollowing_data()
    {
        QTest::addColumn<int>("product");
        QTest::addColumn<QString>("how");
        for (const Product product : {Product::MariaDb, Product::MySql}) {
            for (const char *how : {"apply", "recopy", "answer apply", "answer recopy"}) {
                // By default one that applies, and one that copies anew.
                if (!isLong() &&
                    QByteArray(how) != (product == Product::MariaDb ? "apply" : "recopy"))
                    continue;
                QTest::addRow("%s, %s", product == Product::MariaDb ? "MariaDB" : "MySQL", how)
                    << static_cast<int>(product) << QString::fromLatin1(how);
            }
        }
    }

    void isCarriedOverWhileFollowing()
    {
        QFETCH(const int, product);
        QFETCH(const QString, how);
        ServerOptions options;
        options.product = static_cast<Product>(product);
        Changing pair(options);
        makeFile(pair);
        const bool answers = how.startsWith(QLatin1String("answer "));
        const QString what = answers ? how.mid(7) : how;
        const QStringList run = runArguments(pair, "replica",
                                             {QStringLiteral("--json"), QStringLiteral("--on-ddl"),
                                              answers ? QStringLiteral("stop") : what});
        CW_EXITS(cli(run), 0);
        pair.change();
        Ended ended = cli(run);
        QString asked;
        for (int n = 0; answers && ended.status == 1 && n < 200; ++n) {
            const QJsonObject decision =
                statusOf(pair.file).value(QStringLiteral("decision")).toObject();
            if (decision.isEmpty())
                break;
            asked += QString::fromUtf8(QJsonDocument(decision).toJson());
            // What cannot be applied is said to be so: the choice is not offered.
            const bool offered = asked.contains(QStringLiteral("\"%1\"").arg(what));
            cli({QStringLiteral("answer"), pair.file,
                 decision.value(QStringLiteral("id")).toString(),
                 offered ? what : QStringLiteral("recopy")});
            ended = cli(run);
        }
        QVERIFY2(ended.status == 0, ended.tail().constData());
        const QStringList differences = pair.differences();
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        // Nothing of this was a write of somebody else: not even where a process before has made
        // the changes, and this one reads them in the target's log.
        if (!answers)
            CW_EXITS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 0);
        for (std::size_t i = 0; answers && i < pair.all.size(); ++i) {
            QVERIFY2(asked.contains(pair.schemas[static_cast<qsizetype>(i)] + QLatin1Char('.')) ==
                         pair.all[i].stops,
                     pair.all[i].name);
        }
    }

    /// A table that comes later is closed like those that were there when the target was closed.
    void isClosedOnTheTargetLikeTheOthers_data()
    {
        QTest::addColumn<int>("product");
        QTest::addColumn<QString>("how");
        QTest::newRow("MariaDB, recopy")
            << static_cast<int>(Product::MariaDb) << QStringLiteral("recopy");
        if (isLong()) {
            QTest::newRow("MySQL, apply")
                << static_cast<int>(Product::MySql) << QStringLiteral("apply");
        }
    }
    void isClosedOnTheTargetLikeTheOthers()
    {
        QFETCH(const int, product);
        QFETCH(const QString, how);
        Pair pair(server(product), server(product));
        makeTables(pair);
        pair.settings.targetFence = FenceKind::Triggers;
        makeFile(pair);
        const QStringList run = toReplica(pair, how);
        CW_EXITS(cli(run), 0);
        pair.source.exec(QStringLiteral(
            "ALTER TABLE shop.t ADD d INT; UPDATE shop.t SET d=1 WHERE id=1; CREATE TABLE shop.n "
            "(id INT PRIMARY KEY); INSERT INTO shop.n VALUES (1)"));
        CW_EXITS(cli(run), 0);
        CW_EQUAL(pair);
        for (const char *table : {"t", "n", "other"}) {
            QCOMPARE(pair.target.scalar(
                         QStringLiteral("SELECT COUNT(*) FROM information_schema.triggers WHERE "
                                        "event_object_schema='shop' AND event_object_table='%1' "
                                        "AND trigger_name LIKE 'causeway\\_sealed%'")
                             .arg(QLatin1String(table))),
                     QStringLiteral("3"));
        }
        CW_EXITS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 0);
        pair.target.exec(QStringLiteral("INSERT INTO shop.n VALUES (2)"));
        CW_EXITS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 0);
        CW_EQUAL(pair);
    }

    /// As pt-online-schema-change and gh-ost end, where only the table itself was chosen.
    void endsWhenATableOutsideTheSelectionTakesThePlace_data()
    {
        QTest::addColumn<int>("product");
        QTest::addColumn<QString>("how");
        QTest::newRow("MariaDB, apply")
            << static_cast<int>(Product::MariaDb) << QStringLiteral("apply");
        if (!isLong())
            return;
        QTest::newRow("MariaDB, recopy")
            << static_cast<int>(Product::MariaDb) << QStringLiteral("recopy");
        QTest::newRow("MySQL, recopy")
            << static_cast<int>(Product::MySql) << QStringLiteral("recopy");
    }
    void endsWhenATableOutsideTheSelectionTakesThePlace()
    {
        QFETCH(const int, product);
        QFETCH(const QString, how);
        Pair pair(server(product), server(product));
        makeTables(pair);
        pair.settings.selection.patterns << QStringLiteral("shop.t");
        makeFile(pair);
        const QStringList run = toReplica(pair, how);
        CW_EXITS(cli(run), 0);
        pair.source.exec(QStringLiteral(
            "CREATE TABLE shop._t_new LIKE shop.t; ALTER TABLE shop._t_new ADD d INT DEFAULT 4; "
            "INSERT INTO shop._t_new (id, a, b, c) SELECT * FROM shop.t; RENAME TABLE shop.t TO "
            "shop._t_old, shop._t_new TO shop.t; UPDATE shop.t SET d=8 WHERE id=5; DROP TABLE "
            "shop._t_old"));
        CliProcess process(run);
        CW_EXITS(process.wait(40'000), 0);
        const QString rows = QStringLiteral("SELECT COUNT(*), SUM(d), SUM(c) FROM shop.t");
        QCOMPARE(pair.target.query(rows), pair.source.query(rows));
        pair.source.exec(QStringLiteral("UPDATE shop.t SET d=9 WHERE id=6"));
        CW_EXITS(cli(run), 0);
        QCOMPARE(pair.target.query(rows), pair.source.query(rows));
        CW_EXITS(cli(runArguments(pair, "primary", {QStringLiteral("--json")})), 0);
    }

    void isRecopiedDuringTheCopy_data()
    {
        QTest::addColumn<int>("product");
        QTest::addColumn<int>("workers");
        QTest::addColumn<QString>("how");
        for (const Product product : {Product::MariaDb, Product::MySql}) {
            const char *name = product == Product::MariaDb ? "MariaDB" : "MySQL";
            if (!isLong() && product == Product::MySql)
                continue; // by default one product
            // One reader is busy with the large table first; with two, the small ones are done.
            if (isLong()) {
                QTest::addRow("%s, before the tables are read", name)
                    << static_cast<int>(product) << 2 << QStringLiteral("recopy");
            }
            QTest::addRow("%s, after the tables were read", name)
                << static_cast<int>(product) << 4 << QStringLiteral("apply");
        }
    }

    /// A large table that is copied first, and slowly, keeps the copy busy meanwhile.
    void isRecopiedDuringTheCopy()
    {
        QFETCH(const int, product);
        QFETCH(const int, workers);
        QFETCH(const QString, how);
        ServerOptions options;
        options.product = static_cast<Product>(product);
        Changing pair(options);
        pair.settings.workers = workers;
        pair.source.exec(QStringLiteral(
            "CREATE TABLE s00.big (id INT PRIMARY KEY, pad VARCHAR(2000)); INSERT INTO s00.big "
            "WITH RECURSIVE s AS (SELECT 1 i UNION ALL SELECT i + 1 FROM s WHERE i < 900) SELECT "
            "i, REPEAT('x', 2000) FROM s; INSERT INTO s00.big SELECT id + 1000, pad FROM s00.big; "
            "INSERT INTO s00.big SELECT id + 2000, pad FROM s00.big; ANALYZE TABLE s00.big"));
        makeFile(pair);
        const QStringList arguments{QStringLiteral("--json"), QStringLiteral("--on-ddl"), how};
        CliProcess first(runArguments(
            pair, "replica",
            arguments + QStringList{QStringLiteral("--throttle"), QStringLiteral("2M")}));
        QVERIFY(QTest::qWaitFor([&] { return !first.isRunning() || chunksOn(pair.target) > 0; },
                                60'000));
        QVERIFY(first.isRunning());
        // The copy waits meanwhile, however slow this machine is.
        first.signal(SIGSTOP);
        pair.change();
        const bool stillCopying =
            first.isRunning() && statusOf(pair.file).value(QStringLiteral("phase")).toString() ==
                                     QLatin1String("copying");
        first.signal(SIGCONT);
        QVERIFY(stillCopying);
        const Ended ended = first.wait();
        QVERIFY2(ended.status == 0, ended.tail().constData());
        const QStringList differences = pair.differences();
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
    }
};

QTEST_GUILESS_MAIN(SchemaChangeTest)
#include "SchemaChangeTest.moc"
