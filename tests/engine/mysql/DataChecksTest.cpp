// Looking at the rows on request: what the target could refuse, counted and shown without a value;
// mended by the SQL as printed; and nothing is written.

#include "mysql/checks/CheckList.h"
#include "servers/TestServer.h"

#include <QFile>
#include <QtTest>

#include <map>

using namespace causeway;
using namespace causeway::test;
namespace my = causeway::mysql;

class DataChecksTest : public QObject {
    Q_OBJECT

    std::map<QString, std::unique_ptr<TestServer>> m_servers;
    TestServer *m_source = nullptr, *m_target = nullptr;

    TestServer &server(const QString &product, const char *side)
    {
        auto &s = m_servers[product + QLatin1String(side)];
        if (!s) {
            ServerOptions o;
            o.product = product == QLatin1String("mysql") ? Product::MySql : Product::MariaDb;
            s = std::make_unique<TestServer>(o);
        }
        return *s;
    }

    void use(const QString &from, const QString &to)
    {
        m_source = &server(from, " source");
        m_target = &server(to, " target");
        for (TestServer *s : {m_source, m_target})
            s->exec(QStringLiteral("SET GLOBAL sql_mode=DEFAULT; DROP DATABASE IF EXISTS shop"));
        m_source->exec(QStringLiteral("CREATE DATABASE shop"));
    }

    static CheckOptions options()
    {
        CheckOptions o;
        o.selection.schemas << QStringLiteral("shop");
        o.data.wanted = true;
        return o;
    }

    Finding find(const char *id, const CheckOptions &o = options())
    {
        my::Servers s;
        s.source = std::make_shared<my::ServerContext>(Endpoint{m_source->address(), {}, {}},
                                                       Side::Source, o);
        s.target = std::make_shared<my::ServerContext>(Endpoint{m_target->address(), {}, {}},
                                                       Side::Target, o);
        auto checks = my::allChecks(s, o);
        std::erase_if(checks, [&](const Check &c) { return c.id != QLatin1String(id); });
        return checks.size() == 1 ? runChecks(checks, o, {}, {}).front() : Finding{};
    }

    void mends(const char *id, FindingStatus status, TestServer &where)
    {
        const Finding bad = find(id);
        QVERIFY2(bad.status == status, qPrintable(QLatin1String(id) + QLatin1Char(' ') +
                                                  toString(bad.status) + bad.found.english()));
        QVERIFY2(!bad.fix.sql.isEmpty(), id);
        where.exec(bad.fix.sql.join(QLatin1Char('\n')));
        const Finding good = find(id);
        QVERIFY2(good.status == FindingStatus::Pass, qPrintable(good.found.english()));
    }

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<QString>("product");
        QTest::newRow("mariadb") << QStringLiteral("mariadb");
        QTest::newRow("mysql") << QStringLiteral("mysql");
    }
    void init()
    {
        QFETCH_GLOBAL(QString, product);
        use(product, product);
    }

    void areMadeOnlyWhenAskedFor()
    {
        CheckOptions o = options();
        o.data.wanted = false;
        for (const char *id : {"mysql-data-zero-dates", "mysql-data-enums", "mysql-data-texts",
                               "mysql-data-row-size", "mysql-data-collisions"}) {
            QVERIFY2(find(id, o).status == FindingStatus::Skipped, id);
            QVERIFY2(find(id).status == FindingStatus::Pass, qPrintable(find(id).found.english()));
        }
    }

    void zeroDatesAndInvalidEnums()
    {
        m_source->exec(QStringLiteral(
            "SET SESSION sql_mode=''; CREATE TABLE shop.z (id INT PRIMARY KEY, a DATE, b DATETIME "
            "NOT NULL, c TIMESTAMP NULL, e ENUM('x','y') NOT NULL, f ENUM('','q')); INSERT INTO "
            "shop.z VALUES (1,'2026-01-02','2026-01-02','2026-01-02','x',''), "
            "(2,'0000-00-00','2026-02-00','0000-00-00','nonsense','other'), "
            "(3,NULL,'0000-00-00',NULL,'y',NULL); CREATE TABLE shop.named (secret VARCHAR(20) "
            "PRIMARY KEY, d DATE); INSERT INTO shop.named VALUES ('hidden words','0000-00-00')"));
        m_target->exec(QStringLiteral("SET GLOBAL sql_mode='NO_ZERO_DATE'"));
        const Finding f = find("mysql-data-zero-dates");
        QCOMPARE(f.objects.size(), 4);
        const QString all = f.objects.join(QLatin1Char('\n')) + f.found.english();
        QVERIFY2(all.contains(QStringLiteral("shop.z.b: 2 rows, such as id=2; id=3")),
                 qPrintable(all));
        QVERIFY2(!all.contains(QStringLiteral("words")) &&
                     all.contains(QStringLiteral("secret=h...(12)")),
                 qPrintable(all));
        mends("mysql-data-zero-dates", FindingStatus::Warning, *m_source);
        QCOMPARE(find("mysql-data-enums").objects,
                 QStringList({QStringLiteral("shop.z.e: 1 rows, such as id=2"),
                              QStringLiteral("shop.z.f: 1 rows, such as id=2")}));
        mends("mysql-data-enums", FindingStatus::Warning, *m_source);
        QCOMPARE(m_source->scalar(QStringLiteral("SELECT CONCAT(a,b,e,f) FROM shop.z WHERE id=1")),
                 QStringLiteral("2026-01-022026-01-02 00:00:00x"));
    }

    /// Bytes that no server would take, put in place as a file.
    void textsThatAreNotValid()
    {
        m_source->exec(QStringLiteral(
            "CREATE TABLE shop.bytes (id INT PRIMARY KEY, t VARBINARY(40)) ENGINE=InnoDB; INSERT "
            "INTO shop.bytes VALUES (1,'fine'),(2,x'E9E9'),(3,NULL),(4,x'C3A9'); CREATE TABLE "
            "shop.texts (id INT PRIMARY KEY, t VARCHAR(10) CHARACTER SET utf8mb4) ENGINE=InnoDB; "
            "ALTER TABLE shop.texts DISCARD TABLESPACE"));
        const QString folder = m_source->dataDir() + QStringLiteral("/shop/");
        {
            const auto session = my::Session::open(m_source->address(), my::Use::Control, {});
            QVERIFY(session);
            QVERIFY((*session)->exec(QStringLiteral("FLUSH TABLES shop.bytes FOR EXPORT")));
            QVERIFY(QFile::copy(folder + QStringLiteral("bytes.ibd"),
                                folder + QStringLiteral("texts.ibd")));
            QVERIFY((*session)->exec(QStringLiteral("UNLOCK TABLES")));
        }
        m_source->exec(QStringLiteral("ALTER TABLE shop.texts IMPORT TABLESPACE"));
        QCOMPARE(m_source->scalar(QStringLiteral("SELECT HEX(t) FROM shop.texts WHERE id=2")),
                 QStringLiteral("E9E9"));
        const Finding f = find("mysql-data-texts");
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QCOMPARE(f.objects, QStringList(QStringLiteral("shop.texts.t: 1 rows, such as id=2")));
        // As the text proposes.
        m_source->exec(QStringLiteral("UPDATE shop.texts SET t = CONVERT(UNHEX(HEX(t)) USING "
                                      "latin1) WHERE id = 2"));
        QCOMPARE(toString(find("mysql-data-texts").status), QStringLiteral("pass"));
    }

    void rowsThatAreTooLarge()
    {
        m_target->exec(QStringLiteral("SET GLOBAL max_allowed_packet=1048576"));
        m_source->exec(QStringLiteral(
            "CREATE TABLE shop.b (id INT PRIMARY KEY, p LONGBLOB); INSERT INTO shop.b VALUES "
            "(1,REPEAT('a',100000)),(2,REPEAT('a',700000))"));
        QCOMPARE(toString(find("mysql-data-row-size").status), QStringLiteral("warning"));
        m_source->exec(QStringLiteral("INSERT INTO shop.b VALUES (3,REPEAT('a',3000000))"));
        QCOMPARE(find("mysql-data-row-size").objects,
                 QStringList(QStringLiteral("shop.b: 1 rows, such as id=3")));
        mends("mysql-data-row-size", FindingStatus::Blocker, *m_target);
        m_target->exec(QStringLiteral("SET GLOBAL max_allowed_packet=16777216"));
    }

    void keysThatCollideInTablesOfTheUsersOwn()
    {
        m_source->exec(QStringLiteral(
            "CREATE TABLE shop.o (id INT PRIMARY KEY, g INT, u VARCHAR(20) COLLATE utf8mb4_bin, "
            "UNIQUE KEY gu (g,u)); INSERT INTO shop.o VALUES (1,1,'ab'),(2,1,'AB'),(3,2,'ab'),"
            "(4,NULL,'ab'),(5,NULL,'AB')"));
        QCOMPARE(toString(find("mysql-data-collisions").status), QStringLiteral("pass"));
        m_target->exec(QStringLiteral(
            "CREATE DATABASE shop; CREATE TABLE shop.o (id INT PRIMARY KEY, g INT, u VARCHAR(20) "
            "COLLATE utf8mb4_general_ci, UNIQUE KEY gu (g,u))"));
        const Finding f = find("mysql-data-collisions");
        QVERIFY2(f.status == FindingStatus::Blocker, qPrintable(f.found.english()));
        QCOMPARE(f.objects.size(), 1);
        QVERIFY2(f.objects.front().startsWith(QStringLiteral("shop.o (gu): 1 values")),
                 qPrintable(f.objects.front()));
        m_source->exec(QStringLiteral("DELETE FROM shop.o WHERE id=2"));
        QCOMPARE(toString(find("mysql-data-collisions").status), QStringLiteral("pass"));
    }

    void keysThatCollideWhereTheTargetKnowsNoSuchCollation()
    {
        QFETCH_GLOBAL(QString, product);
        if (product == QLatin1String("mysql"))
            return;
        // MySQL has no NO PAD twin of it.
        use(QStringLiteral("mariadb"), QStringLiteral("mysql"));
        m_source->exec(QStringLiteral(
            "CREATE TABLE shop.p (k VARCHAR(20) COLLATE utf8mb4_general_nopad_ci PRIMARY KEY); "
            "INSERT INTO shop.p VALUES ('a'),('a '),('b')"));
        const Finding f = find("mysql-data-collisions");
        QVERIFY2(f.status == FindingStatus::Blocker, qPrintable(f.found.english()));
        m_source->exec(QStringLiteral("DELETE FROM shop.p WHERE CHAR_LENGTH(k)=2"));
        QCOMPARE(toString(find("mysql-data-collisions").status), QStringLiteral("pass"));
    }

    void whatIsLeftOutIsNamed()
    {
        m_source->exec(QStringLiteral(
            "SET SESSION sql_mode=''; CREATE TABLE shop.many (id INT PRIMARY KEY, d DATE); INSERT "
            "INTO shop.many VALUES (1,NULL),(2,NULL),(3,'0000-00-00')"));
        CheckOptions o = options();
        o.data.rowLimit = 2;
        Finding f = find("mysql-data-zero-dates", o);
        QCOMPARE(toString(f.status), QStringLiteral("info"));
        QVERIFY2(f.found.english().contains(QStringLiteral("not all of shop.many")),
                 qPrintable(f.found.english()));
        o.data.rowLimit = 100;
        o.data.timeout = std::chrono::milliseconds(0);
        f = find("mysql-data-zero-dates", o);
        QVERIFY2(f.found.english().contains(QStringLiteral("not all of shop.many")),
                 qPrintable(f.found.english()));
    }

    void nothingIsWritten()
    {
        m_source->exec(QStringLiteral(
            "CREATE TABLE shop.t (id INT PRIMARY KEY, d DATE, e ENUM('a'), t TEXT, b LONGBLOB, u "
            "VARCHAR(9) COLLATE utf8mb4_bin UNIQUE); INSERT INTO shop.t VALUES "
            "(1,'2026-01-01','a','t','b','u')"));
        m_target->exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY "
                                      "KEY, u VARCHAR(9) COLLATE utf8mb4_general_ci UNIQUE)"));
        for (TestServer *s : {m_source, m_target})
            s->exec(QStringLiteral("SET GLOBAL log_output='TABLE'; TRUNCATE mysql.general_log; SET "
                                   "GLOBAL general_log=ON"));
        for (const char *id : {"mysql-data-zero-dates", "mysql-data-enums", "mysql-data-texts",
                               "mysql-data-row-size", "mysql-data-collisions"})
            QVERIFY2(find(id).status == FindingStatus::Pass, id);
        int asked = 0;
        for (TestServer *s : {m_source, m_target}) {
            s->exec(QStringLiteral("SET GLOBAL general_log=OFF"));
            for (const TestRow &row : s->query(QStringLiteral(
                     "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE "
                     "command_type IN ('Query','Execute') AND user_host LIKE '%127.0.0.1%'"))) {
                const QString text = QString::fromStdString(*row[0]).trimmed();
                static const QRegularExpression reads(QStringLiteral(
                    "^(SELECT|SHOW|SET STATEMENT max_statement_time=[0-9.]+ FOR SELECT|SET "
                    "(?!GLOBAL|PERSIST|STATEMENT))"));
                QVERIFY2(reads.match(text).hasMatch(), qPrintable(text));
                asked += text.contains(QLatin1String("`shop`.`t`")) ? 1 : 0;
            }
        }
        QVERIFY(asked >= 5);
    }
};

QTEST_GUILESS_MAIN(DataChecksTest)
#include "DataChecksTest.moc"
