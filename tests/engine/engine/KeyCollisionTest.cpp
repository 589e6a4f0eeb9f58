// Keys that the leader tells apart and the follower's collation does not (ALGORITHMS 2.6): found
// before the copy, and stopped at while following; never one row instead of two.

#include "engine/engine/CliRun.h"

using namespace causeway;
using namespace causeway::test;

namespace {

ServerOptions product(Product p)
{
    ServerOptions o;
    o.product = p;
    return o;
}

QString text(const char *s)
{
    return QString::fromUtf8(s);
}

} // namespace

class KeyCollisionTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsThemBeforeTheCopy_data()
    {
        QTest::addColumn<int>("source");
        QTest::addColumn<int>("target");
        QTest::addColumn<QString>("tables"); ///< on the source, with rows that will meet
        QTest::addColumn<QString>("there");  ///< on the target beforehand
        QTest::addColumn<QString>("apart");  ///< on the source: what mends it
        QTest::addColumn<QStringList>("samples");
        const int maria = static_cast<int>(Product::MariaDb), my = static_cast<int>(Product::MySql);
        // MySQL has no NO PAD twin of it: trailing spaces no longer count.
        QTest::newRow("padding")
            << maria << my
            << text("CREATE TABLE shop.p (k VARCHAR(20) COLLATE utf8mb4_general_nopad_ci PRIMARY "
                    "KEY, n INT); INSERT INTO shop.p VALUES ('a',1),('a ',2),('b',3);"
                    "CREATE TABLE shop.l (id INT PRIMARY KEY, g INT, u VARCHAR(20) CHARACTER SET "
                    "latin1 COLLATE latin1_swedish_nopad_ci, UNIQUE KEY gu (g,u)); INSERT INTO "
                    "shop.l VALUES (1,1,'x'),(2,2,'x '),(3,1,'x '),(4,1,NULL),(5,1,NULL)")
            << QString() << text("DELETE FROM shop.p WHERE n=2; UPDATE shop.l SET u='y' WHERE id=3")
            << QStringList{text("shop.p PRIMARY: ('a') = ('a ')"),
                           text("shop.l gu: (1, 'x') = (1, 'x ')")};
        for (const int to : {maria, my}) {
            QTest::newRow(to == my ? "a table of the user's own, MySQL"
                                   : "a table of the user's own, MariaDB")
                << to << to
                << text("CREATE TABLE shop.o (id INT PRIMARY KEY, u VARCHAR(20) COLLATE "
                        "utf8mb4_bin, p VARCHAR(40) COLLATE utf8mb4_bin, v VARCHAR(20) COLLATE "
                        "utf8mb4_bin AS (CONCAT(u,'!')) STORED, UNIQUE KEY u (u), UNIQUE KEY p "
                        "(p(3)), UNIQUE KEY v (v)); INSERT INTO shop.o (id,u,p) VALUES "
                        "(1,'ab','abcd'),(2,'AB','ABCe'),(3,'c','abd')")
                << text("CREATE TABLE shop.o (id INT PRIMARY KEY, u VARCHAR(20) COLLATE "
                        "utf8mb4_general_ci, p VARCHAR(40) COLLATE utf8mb4_general_ci, v "
                        "VARCHAR(20) COLLATE utf8mb4_general_ci AS (CONCAT(u,'!')) STORED, UNIQUE "
                        "KEY u (u), UNIQUE KEY p (p(3)), UNIQUE KEY v (v))")
                << text("UPDATE shop.o SET u='d', p='def' WHERE id=2")
                << QStringList{text("shop.o u: ('ab') = ('AB')"),
                               text("shop.o p: ('abcd') = ('ABCe')"),
                               text("shop.o v: ('ab!') = ('AB!')")};
        }
    }

    void findsThemBeforeTheCopy()
    {
        QFETCH(const int, source);
        QFETCH(const int, target);
        QFETCH(const QString, tables);
        QFETCH(const QString, there);
        QFETCH(const QString, apart);
        QFETCH(const QStringList, samples);
        Pair pair(product(static_cast<Product>(source)), product(static_cast<Product>(target)));
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(tables);
        pair.target.exec(QStringLiteral("CREATE DATABASE shop"));
        if (!there.isEmpty())
            pair.target.exec(there);
        const QString tablesBefore = pair.target.scalar(QStringLiteral(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='shop'"));

        Cli cli;
        const QString file = pair.file;
        CW_STATUS(cli({QStringLiteral("new"), file, QStringLiteral("--source"),
                       pair.source.url(QStringLiteral("shop"), QStringLiteral("mover")),
                       QStringLiteral("--target"),
                       pair.target.url(QStringLiteral("shop"), QStringLiteral("mover"))}),
                  0);
        const QStringList run{QStringLiteral("run"),      file,
                              QStringLiteral("--to"),     QStringLiteral("replica"),
                              QStringLiteral("--accept"), QStringLiteral("mysql-target-tables"),
                              QStringLiteral("--json")};
        const CliRun stopped = cli(run);
        CW_STATUS(stopped, 1);
        QVERIFY2(stopped.out.contains("\"mysql-key-collision\""), stopped.all().constData());
        for (const QString &sample : samples)
            QVERIFY2(stopped.all().contains(sample.toUtf8()), stopped.all().constData());
        QCOMPARE(pair.target.scalar(QStringLiteral(
                     "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='shop'")),
                 tablesBefore);
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.tables "
                                                   "WHERE table_name LIKE '%keys\\_%' AND "
                                                   "table_schema='_causeway'")),
                 QStringLiteral("0"));

        pair.source.exec(apart);
        CW_STATUS(cli(run), 0);
        const QStringList differences =
            compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly());
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(u'\n')));
    }

    void stopsAtThemWhileFollowing_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("MySQL") << static_cast<int>(Product::MySql);
        QTest::newRow("MariaDB") << static_cast<int>(Product::MariaDb);
    }

    void stopsAtThemWhileFollowing()
    {
        QFETCH(const int, kind);
        Pair pair(product(static_cast<Product>(kind)), product(static_cast<Product>(kind)));
        const QString ddl =
            text("CREATE DATABASE shop; CREATE TABLE shop.k (k VARCHAR(20) COLLATE %1 PRIMARY KEY, "
                 "n INT); CREATE TABLE shop.u (id INT PRIMARY KEY, u VARCHAR(20) COLLATE %1, f "
                 "VARCHAR(20) COLLATE %1, UNIQUE KEY u (u), UNIQUE KEY f (f(2)))");
        pair.source.exec(ddl.arg(QStringLiteral("utf8mb4_bin")));
        pair.target.exec(ddl.arg(QStringLiteral("utf8mb4_general_ci")));
        pair.source.exec(text("INSERT INTO shop.k VALUES ('a',1),('b',1),('c',1); INSERT INTO "
                              "shop.u VALUES (1,'a','aa1'),(2,'b','bb1'),(3,'c','cc1')"));
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        const auto equal = [&] {
            return compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly())
                .join(u'\n');
        };

        // Both were there for a while; in the end each key has one row.
        pair.source.exec(
            text("INSERT INTO shop.k VALUES ('A',2); DELETE FROM shop.k WHERE k='a';"
                 "INSERT INTO shop.k VALUES ('B',2); UPDATE shop.k SET n=3 WHERE k='B'; DELETE "
                 "FROM shop.k WHERE k='B';"
                 "UPDATE shop.k SET k='C' WHERE k='c'; UPDATE shop.k SET n=9 WHERE k='C';"
                 "UPDATE shop.u SET u='B' WHERE id=1; UPDATE shop.u SET u='q' WHERE id=2; UPDATE "
                 "shop.u SET u='tmp' WHERE id=1; UPDATE shop.u SET u='a' WHERE id=2; UPDATE shop.u "
                 "SET u='B' WHERE id=1;"
                 "UPDATE shop.u SET f='BBx' WHERE id=3; UPDATE shop.u SET f='zz' WHERE id=2"));
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QCOMPARE(equal(), QString());

        const auto stopsAt = [&](const char *rows, const char *key, const char *mend) {
            pair.source.exec(text(rows));
            const Status stopped = runTo(*migration, Goal::Replica);
            QVERIFY(!stopped);
            QCOMPARE(stopped.error().id, QStringLiteral("mysql-key-collision"));
            QCOMPARE(stopped.error().exitStatus(), 1);
            QVERIFY2(stopped.error().describe().contains(QString::fromLatin1(key)),
                     qPrintable(stopped.error().describe()));
            pair.source.exec(text(mend));
            CW_VERIFY(runTo(*migration, Goal::Replica));
            QCOMPARE(equal(), QString());
        };
        stopsAt("INSERT INTO shop.k VALUES ('x',1),('X',2)", "PRIMARY",
                "DELETE FROM shop.k WHERE k='X'");
        stopsAt("INSERT INTO shop.k VALUES ('y',1),('B',2)", "PRIMARY",
                "UPDATE shop.k SET k='bb' WHERE k='b'");
        stopsAt("INSERT INTO shop.u VALUES (7,'A','h')", "key u",
                "UPDATE shop.u SET u='g' WHERE id=2");
        stopsAt("INSERT INTO shop.u VALUES (8,'n','HH'),(9,'m','hhz')", "key f",
                "DELETE FROM shop.u WHERE id=8");

        // The comparison at a switch looks rows up by keys that are another row's here.
        pair.source.exec(text("UPDATE shop.k SET k='c' WHERE k='C'; INSERT INTO shop.k VALUES "
                              "('w',1); DELETE FROM shop.k WHERE k='w'; INSERT INTO shop.k VALUES "
                              "('W',2)"));
        CW_VERIFY(runTo(*migration, Goal::Primary));
        pair.target.exec(text("UPDATE shop.k SET k='C' WHERE k='c'; UPDATE shop.k SET k='w' WHERE "
                              "k='w'; DELETE FROM shop.k WHERE k='X'"));
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QCOMPARE(equal(), QString());
    }
};

QTEST_GUILESS_MAIN(KeyCollisionTest)
#include "KeyCollisionTest.moc"
