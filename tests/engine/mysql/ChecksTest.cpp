#include "mysql/OwnSessions.h"
#include "mysql/Parts.h"
#include "mysql/checks/CheckList.h"
#include "servers/TestServer.h"

#include <QProcess>
#include <QtTest>

#include <thread>

#include <map>

using namespace causeway;
using namespace causeway::test;
namespace my = causeway::mysql;

/// Each check in its failing and its passing state, on real servers; what mends is the printed SQL.
class ChecksTest : public QObject {
    Q_OBJECT

    struct Pair {
        std::unique_ptr<TestServer> source, target;
    };
    std::map<QString, Pair> m_pairs;
    Pair *m_pair = nullptr;

    static CheckOptions options()
    {
        CheckOptions o;
        o.selection.schemas << QStringLiteral("shop");
        return o;
    }

    my::Servers servers(const CheckOptions &o, const QString &user = {})
    {
        const QString password = user.isEmpty() ? QString() : QStringLiteral("mig-secret");
        my::Servers s;
        s.source = std::make_shared<my::ServerContext>(
            Endpoint{m_pair->source->address(user, password), {}, {}}, Side::Source, o);
        s.target = std::make_shared<my::ServerContext>(
            Endpoint{m_pair->target->address(user, password), {}, {}}, Side::Target, o);
        return s;
    }

    Finding find(const char *id, FindingSide side = FindingSide::Source, const QString &user = {},
                 const CheckOptions &o = options(), bool alone = false)
    {
        my::Servers s = servers(o, user);
        if (alone)
            s.target.reset();
        auto checks = my::allChecks(s, o);
        std::erase_if(checks,
                      [&](const Check &c) { return c.id != QLatin1String(id) || c.side != side; });
        if (checks.size() != 1)
            return {};
        return runChecks(checks, o, {}, {}).front();
    }

    TestServer &server(FindingSide side)
    {
        return side == FindingSide::Target ? *m_pair->target : *m_pair->source;
    }

    /// Found as `status`; its SQL, run as printed, makes it pass.
    void mends(const char *id, FindingStatus status, FindingSide side = FindingSide::Source,
               const QString &user = {})
    {
        const Finding bad = find(id, side, user);
        QVERIFY2(bad.status == status,
                 qPrintable(
                     QStringLiteral("%1 is %2: %3")
                         .arg(QString::fromLatin1(id), toString(bad.status), bad.found.english())));
        QVERIFY2(!bad.fix.sql.isEmpty(), id);
        server(side).exec(bad.fix.sql.join(QLatin1Char('\n')));
        const Finding good = find(id, side, user);
        QVERIFY2(good.status == FindingStatus::Pass || good.status == FindingStatus::Info,
                 qPrintable(QStringLiteral("%1 still: %2; tried %3")
                                .arg(QString::fromLatin1(id), good.found.english(),
                                     bad.fix.sql.join(QLatin1Char(' ')))));
    }

    /// An info whose printed SQL makes it pass.
    void passesAfterItsSql(const char *id, FindingSide side = FindingSide::Source)
    {
        const Finding f = find(id, side);
        QVERIFY2(f.status == FindingStatus::Info,
                 qPrintable(QLatin1String(id) + QLatin1Char(' ') + f.found.english()));
        server(side).exec(f.fix.sql.join(QLatin1Char('\n')));
        QVERIFY2(find(id, side).status == FindingStatus::Pass, id);
    }

    /// What another migration closed is named, not offered to be opened.
    void closedByAnotherMigration(TestServer &t)
    {
        const QString other = QStringLiteral("00c0ffee");
        const auto ledger = my::makeLedger(t.address(), other, {});
        QVERIFY(ledger && (*ledger)->create({}));
        const auto lease = (*ledger)->takeLease(QStringLiteral("db-mover, process 7"), {});
        QVERIFY(lease);
        FenceRequest request;
        request.selection = options().selection;
        request.lease = *lease;
        request.isTarget = true;
        request.kind = FenceKind::ReadOnly;
        const auto fence = my::makeFence(t.address(), request, {});
        QVERIFY(fence && (*fence)->seal({}));
        const Finding f = find("mysql-target-writable", FindingSide::Target);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QCOMPARE(f.objects, QStringList(QStringLiteral("00c0ffee (db-mover, process 7)")));
        QVERIFY(f.fix.sql.isEmpty() && f.fix.config.isEmpty());
        QVERIFY((*fence)->open({}));
        QVERIFY((*ledger)->remove({}));
        QCOMPARE(toString(find("mysql-target-writable", FindingSide::Target).status),
                 QStringLiteral("pass"));
    }

    [[nodiscard]] bool isMariaDb() const { return m_pair->source->product() == Product::MariaDb; }

    void use()
    {
        QFETCH_GLOBAL(QString, product);
        m_pair = &m_pairs[product];
        if (!m_pair->source) {
            ServerOptions o;
            o.product = product == QLatin1String("mysql") ? Product::MySql : Product::MariaDb;
            // Off by default in MariaDB, and needed of a replica that is a source.
            if (o.product == Product::MariaDb)
                o.settings << QStringLiteral("--log-slave-updates=ON");
            m_pair->source = std::make_unique<TestServer>(o);
            m_pair->target = std::make_unique<TestServer>(o);
        }
        m_pair->source->exec(QStringLiteral("DROP DATABASE IF EXISTS shop; DROP DATABASE IF EXISTS "
                                            "other; CREATE DATABASE shop"));
        m_pair->target->exec(QStringLiteral("DROP DATABASE IF EXISTS shop"));
    }

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<QString>("product");
        QTest::newRow("mariadb") << QStringLiteral("mariadb");
        QTest::newRow("mysql") << QStringLiteral("mysql");
    }
    void init() { use(); }

    void variablesOfTheBinaryLog()
    {
        TestServer &s = *m_pair->source;
        for (const char *id :
             {"mysql-log-bin", "mysql-binlog-format", "mysql-binlog-row-image", "mysql-gtid-mode",
              "mysql-binlog-row-value-options", "mysql-binlog-retention", "mysql-binlog-filter",
              "mysql-server-id", "mysql-binlog-order-commits"})
            QVERIFY2(find(id).status == FindingStatus::Pass, id);
        s.exec(QStringLiteral("SET GLOBAL binlog_format='MIXED'; SET GLOBAL "
                              "binlog_row_image='MINIMAL'"));
        mends("mysql-binlog-format", FindingStatus::Blocker);
        mends("mysql-binlog-row-image", FindingStatus::Blocker);
        s.exec(QStringLiteral("SET GLOBAL binlog_expire_logs_seconds=3600"));
        mends("mysql-binlog-retention", FindingStatus::Blocker);
        if (!isMariaDb()) {
            s.exec(QStringLiteral("SET GLOBAL binlog_row_value_options='PARTIAL_JSON'; SET GLOBAL "
                                  "binlog_order_commits=OFF"));
            mends("mysql-binlog-row-value-options", FindingStatus::Warning);
            mends("mysql-binlog-order-commits", FindingStatus::Blocker);
            s.exec(QStringLiteral("SET GLOBAL gtid_mode=ON_PERMISSIVE; SET GLOBAL "
                                  "gtid_mode=OFF_PERMISSIVE; SET GLOBAL gtid_mode=OFF; SET GLOBAL "
                                  "enforce_gtid_consistency=OFF"));
            const Finding f = find("mysql-gtid-mode");
            QCOMPARE(f.fix.sql.size(), 5);
            QVERIFY(!f.fix.canApply);
            mends("mysql-gtid-mode", FindingStatus::Warning);
            QCOMPARE(toString(find("mysql-enforce-gtid-consistency").status),
                     QStringLiteral("pass"));
        }
        CheckOptions once = options();
        once.once = true;
        QCOMPARE(toString(find("mysql-binlog-format", FindingSide::Source, {}, once).status),
                 QStringLiteral("skipped"));
    }

    void retentionOfAHostedServer()
    {
        TestServer &s = *m_pair->source;
        s.exec(QStringLiteral(
            "CREATE TABLE IF NOT EXISTS mysql.rds_configuration(name VARCHAR(64) PRIMARY KEY, "
            "value "
            "VARCHAR(64), description VARCHAR(64)); REPLACE INTO mysql.rds_configuration VALUES "
            "('binlog retention hours', NULL, 'x')"));
        s.exec(QStringLiteral("CREATE PROCEDURE mysql.rds_show_configuration() SELECT * FROM "
                              "mysql.rds_configuration"));
        s.exec(QStringLiteral("CREATE PROCEDURE mysql.rds_set_configuration(n VARCHAR(64), v INT) "
                              "UPDATE mysql.rds_configuration SET value=v WHERE name=n"));
        mends("mysql-binlog-retention", FindingStatus::Blocker);
        s.exec(QStringLiteral("DROP PROCEDURE mysql.rds_show_configuration; DROP PROCEDURE "
                              "mysql.rds_set_configuration"));
    }

    void sqlModeIsTheUnion()
    {
        m_pair->source->exec(QStringLiteral("SET GLOBAL sql_mode='PIPES_AS_CONCAT'"));
        const Finding f = find("mysql-sql-mode");
        QVERIFY(f.fix.sql.join(QString()).contains(QStringLiteral("PIPES_AS_CONCAT")));
        mends("mysql-sql-mode", FindingStatus::Warning);
        mends("mysql-sql-mode", FindingStatus::Warning, FindingSide::Target);
        m_pair->source->exec(QStringLiteral("SET GLOBAL sql_mode=DEFAULT"));
        m_pair->target->exec(QStringLiteral("SET GLOBAL sql_mode=DEFAULT"));
    }

    void tablesEnginesAndKeys()
    {
        TestServer &s = *m_pair->source;
        for (const char *id : {"mysql-storage-engine", "mysql-unique-key", "mysql-charset",
                               "mysql-table-names", "mysql-foreign-keys", "mysql-auto-increment",
                               "mysql-float-key", "mysql-mariadb-objects", "mysql-collation"})
            QVERIFY2(find(id).status == FindingStatus::Pass, id);
        s.exec(
            QStringLiteral(
                "CREATE TABLE old(id INT PRIMARY KEY) ENGINE=MyISAM; CREATE TABLE grouped(g INT "
                "NOT "
                "NULL, n INT NOT NULL AUTO_INCREMENT, PRIMARY KEY(g,n)) ENGINE=MyISAM; CREATE "
                "TABLE keyless(a INT, "
                "my_row_id INT, UNIQUE(a)); CREATE TABLE prefixed(t VARCHAR(200) NOT NULL, "
                "UNIQUE(t(10))); CREATE TABLE begun(t TEXT, n INT, PRIMARY KEY(t(20), n)); CREATE "
                "TABLE counted(n INT NOT NULL AUTO_INCREMENT, KEY(n)); "
                "CREATE TABLE swedish(id INT PRIMARY KEY, t VARCHAR(9) CHARACTER SET cp1250); "
                "CREATE TABLE `odd-name`(id INT PRIMARY KEY); CREATE TABLE odd_name(id INT PRIMARY "
                "KEY); CREATE TABLE full(id TINYINT UNSIGNED AUTO_INCREMENT PRIMARY KEY "
                "COMMENT 'it''s') "
                "AUTO_INCREMENT=250"),
            QStringLiteral("shop"));
        mends("mysql-storage-engine", FindingStatus::Warning);
        const Finding keys = find("mysql-unique-key");
        QCOMPARE(keys.objects.size(), 4);
        mends("mysql-unique-key", FindingStatus::Blocker);
        // Nothing to mend for a target that takes them.
        for (const char *id : {"mysql-charset", "mysql-table-names"}) {
            const Finding both = find(id);
            QCOMPARE(toString(both.status), QStringLiteral("info"));
            QVERIFY2(both.fix.isEmpty() && both.objects.size() == 1, id);
            const Finding alone = find(id, FindingSide::Source, {}, options(), true);
            QCOMPARE(toString(alone.status), QStringLiteral("warning"));
            CheckOptions vitess = options();
            vitess.targetKind = TargetKind::PlanetScale;
            const Finding blocked = find(id, FindingSide::Source, {}, vitess, true);
            QCOMPARE(toString(blocked.status), QStringLiteral("blocker"));
            s.exec(blocked.fix.sql.join(QLatin1Char('\n')));
            QCOMPARE(toString(find(id, FindingSide::Source, {}, vitess, true).status),
                     QStringLiteral("pass"));
        }
        mends("mysql-auto-increment", FindingStatus::Warning);
        QCOMPARE(s.scalar(QStringLiteral("SELECT column_comment FROM information_schema.columns "
                                         "WHERE table_schema='shop' AND table_name='full'")),
                 QStringLiteral("it's"));
        s.exec(QStringLiteral("CREATE TABLE inexact(f FLOAT PRIMARY KEY)"), QStringLiteral("shop"));
        QCOMPARE(toString(find("mysql-float-key").status), QStringLiteral("blocker"));
    }

    void whatWasNamedMustExist()
    {
        m_pair->source->exec(QStringLiteral("CREATE TABLE shop.t(id INT PRIMARY KEY)"));
        QCOMPARE(toString(find("mysql-selection").status), QStringLiteral("pass"));
        CheckOptions o = options();
        o.selection.schemas << QStringLiteral("nowhere");
        Finding f = find("mysql-selection", FindingSide::Source, {}, o);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QCOMPARE(f.objects, QStringList(QStringLiteral("nowhere")));
        o = options();
        o.selection.patterns << QStringLiteral("shop.t") << QStringLiteral("shop.x*");
        f = find("mysql-selection", FindingSide::Source, {}, o);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QCOMPARE(f.objects, QStringList(QStringLiteral("shop.x*")));
        o.selection.patterns = {QStringLiteral("shop.?"), QStringLiteral("!shop.x")};
        QCOMPARE(toString(find("mysql-selection", FindingSide::Source, {}, o).status),
                 QStringLiteral("pass"));
    }

    void retentionIsMeasuredAgainstTheForecastOfTheCopy()
    {
        TestServer &s = *m_pair->source;
        s.exec(
            QStringLiteral("CREATE TABLE shop.t(id INT PRIMARY KEY, v VARCHAR(200)); INSERT INTO "
                           "shop.t VALUES (1,REPEAT('x',200)),(2,REPEAT('y',200)); ANALYZE "
                           "TABLE shop.t; SET GLOBAL binlog_expire_logs_seconds=176400"));
        CheckOptions slow = options();
        slow.bytesPerSecond = 1; // 16 KiB then take more than four hours
        QCOMPARE(toString(find("mysql-binlog-retention", FindingSide::Source, {}, slow).status),
                 QStringLiteral("pass"));
        s.exec(QStringLiteral("INSERT INTO shop.t SELECT a.id*1000+b.id*100+c.id*10+d.id+10, "
                              "REPEAT('z',200) FROM shop.t a, shop.t b, shop.t c, shop.t d; INSERT "
                              "INTO shop.t SELECT a.id*100000+b.id, REPEAT('z',200) FROM shop.t a, "
                              "shop.t b; ANALYZE TABLE shop.t"));
        const Finding f = find("mysql-binlog-retention", FindingSide::Source, {}, slow);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QVERIFY2(f.found.english().contains(QStringLiteral("forecast")),
                 qPrintable(f.found.english()));
        QVERIFY(f.acceptable);
        for (const QString &sql : f.fix.sql)
            s.exec(sql);
        QCOMPARE(toString(find("mysql-binlog-retention", FindingSide::Source, {}, slow).status),
                 QStringLiteral("pass"));
    }

    void defaultsThatTheTargetRefuses()
    {
        TestServer &s = *m_pair->source;
        QCOMPARE(toString(find("mysql-zero-date-defaults").status), QStringLiteral("pass"));
        s.exec(QStringLiteral(
            "SET SESSION sql_mode=''; CREATE TABLE shop.z (id INT PRIMARY KEY, a DATETIME NOT NULL "
            "DEFAULT '0000-00-00 00:00:00', b DATE DEFAULT '0000-00-00', c INT); "
            "INSERT INTO shop.z (id) VALUES (1)"));
        m_pair->target->exec(QStringLiteral("SET GLOBAL sql_mode=''"));
        QCOMPARE(toString(find("mysql-zero-date-defaults").status), QStringLiteral("info"));
        m_pair->target->exec(QStringLiteral("SET GLOBAL sql_mode='NO_ZERO_DATE'"));
        QCOMPARE(find("mysql-zero-date-defaults").objects,
                 QStringList({QStringLiteral("shop.z.a"), QStringLiteral("shop.z.b")}));
        mends("mysql-zero-date-defaults", FindingStatus::Warning);
        m_pair->target->exec(QStringLiteral("SET GLOBAL sql_mode=DEFAULT"));
        QCOMPARE(s.scalar(QStringLiteral("SELECT CONCAT(a) FROM shop.z")),
                 QStringLiteral("0000-00-00 00:00:00"));
    }

    // MariaDB hides the key of a table that is being made or changed, and only warns.
    void aTableThatIsBeingMadeIsNotTakenForKeyless()
    {
        std::jthread other([this] {
            const auto s = my::Session::open(m_pair->source->address(), my::Use::Control, {});
            if (s)
                (void)(*s)->exec(QStringLiteral("CREATE TABLE shop.slow (a INT PRIMARY KEY) "
                                                "ENGINE=InnoDB AS SELECT 1 + SLEEP(1) AS a"));
        });
        QTRY_COMPARE(m_pair->source->scalar(
                         QStringLiteral("SELECT COUNT(*) FROM information_schema.processlist "
                                        "WHERE info LIKE 'CREATE TABLE shop.slow%'")),
                     QStringLiteral("1"));
        const Finding f = find("mysql-unique-key");
        QVERIFY2(f.status == FindingStatus::Pass, qPrintable(f.found.english()));
    }

    void tablesThatLookPutAside()
    {
        m_pair->source->exec(QStringLiteral(
            "CREATE TABLE shop.orders (id INT PRIMARY KEY); CREATE TABLE shop.feedback (id INT "
            "PRIMARY KEY)"));
        QCOMPARE(toString(find("mysql-leftover-tables").status), QStringLiteral("pass"));
        m_pair->source->exec(QStringLiteral("CREATE TABLE shop.orders_bak LIKE shop.orders"));
        const Finding f = find("mysql-leftover-tables");
        QCOMPARE(toString(f.status), QStringLiteral("info"));
        QCOMPARE(f.objects, QStringList(QStringLiteral("shop.orders_bak")));
        QVERIFY(f.fix.text.english().contains(QStringLiteral("--tables '!shop.orders_bak'")));
        CheckOptions without = options();
        without.selection.patterns << QStringLiteral("!shop.orders_bak");
        QCOMPARE(toString(find("mysql-leftover-tables", FindingSide::Source, {}, without).status),
                 QStringLiteral("pass"));
    }

    void freeConnections()
    {
        TestServer &s = *m_pair->source;
        QCOMPARE(toString(find("mysql-connections").status), QStringLiteral("pass"));
        s.exec(QStringLiteral("SET GLOBAL max_connections=12"));
        mends("mysql-connections", FindingStatus::Blocker);
        s.exec(QStringLiteral("SET GLOBAL max_connections=151"));
    }

    void withoutABinaryLogThereIsNothingToFollow()
    {
        ServerOptions o;
        o.product = m_pair->source->product();
        o.binlog = false;
        TestServer quiet(o);
        quiet.exec(QStringLiteral("CREATE DATABASE shop"));
        const CheckOptions live = options();
        const auto look = [&](const CheckOptions &wanted) {
            my::Servers servers;
            servers.source = std::make_shared<my::ServerContext>(Endpoint{quiet.address(), {}, {}},
                                                                 Side::Source, wanted);
            auto checks = my::allChecks(servers, wanted);
            std::erase_if(checks,
                          [](const Check &c) { return c.id != QLatin1String("mysql-log-bin"); });
            return runChecks(checks, wanted, {}, {}).front();
        };
        const Finding f = look(live);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QVERIFY(f.fix.restart);
        QVERIFY(f.fix.config.contains(QStringLiteral("log_bin = binlog")));
        CheckOptions once = options();
        once.once = true;
        QCOMPARE(toString(look(once).status), QStringLiteral("skipped"));
        // The lines, as options of the next start, mend it.
        ServerOptions mended = o;
        for (const QString &line : f.fix.config.mid(1))
            mended.settings << QStringLiteral("--") + QString(line).remove(QLatin1Char(' '));
        TestServer loud(mended);
        QCOMPARE(loud.scalar(QStringLiteral("SELECT @@log_bin")), QStringLiteral("1"));
        QCOMPARE(loud.scalar(QStringLiteral("SELECT @@binlog_format")), QStringLiteral("ROW"));
    }

    void eventsNeedAScheduler()
    {
        TestServer &s = *m_pair->source, &t = *m_pair->target;
        s.exec(QStringLiteral("SET GLOBAL event_scheduler=ON"));
        t.exec(QStringLiteral("SET GLOBAL event_scheduler=OFF"));
        QCOMPARE(toString(find("mysql-event-scheduler", FindingSide::Target).status),
                 QStringLiteral("pass"));
        s.exec(QStringLiteral("CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DO SELECT 1"));
        mends("mysql-event-scheduler", FindingStatus::Warning, FindingSide::Target);
        QCOMPARE(toString(find("mysql-time-zone", FindingSide::Target).status),
                 QStringLiteral("pass"));
        t.exec(QStringLiteral("SET GLOBAL time_zone='+05:30'"));
        QCOMPARE(toString(find("mysql-time-zone", FindingSide::Target).status),
                 QStringLiteral("warning"));
        t.exec(QStringLiteral("SET GLOBAL time_zone=DEFAULT"));
    }

    void foreignKeys()
    {
        m_pair->source->exec(QStringLiteral(
            "CREATE DATABASE other; CREATE TABLE other.p(id INT PRIMARY KEY); CREATE TABLE "
            "shop.p(id INT PRIMARY KEY); CREATE TABLE shop.a(id INT PRIMARY KEY, CONSTRAINT a1 "
            "FOREIGN KEY (id) REFERENCES other.p(id)); CREATE TABLE shop.b(id INT PRIMARY KEY, "
            "CONSTRAINT b1 FOREIGN KEY (id) REFERENCES shop.p(id))"));
        mends("mysql-foreign-keys", FindingStatus::Blocker);
        m_pair->source->exec(QStringLiteral(
            "CREATE TABLE shop.c(id INT PRIMARY KEY, CONSTRAINT c1 FOREIGN KEY (id) REFERENCES "
            "shop.p(id) ON DELETE CASCADE)"));
        const Finding f = find("mysql-foreign-keys");
        QCOMPARE(toString(f.status), QStringLiteral("warning"));
        QCOMPARE(f.objects.size(), 1);
        // One that stays behind is asked nothing any more after the switch.
        m_pair->source->exec(QStringLiteral(
            "CREATE TABLE other.stays(id INT PRIMARY KEY, CONSTRAINT s1 FOREIGN KEY (id) "
            "REFERENCES shop.p(id))"));
        const Finding stays = find("mysql-foreign-keys");
        QCOMPARE(toString(stays.status), QStringLiteral("warning"));
        m_pair->source->exec(QStringLiteral("DROP TABLE other.stays"));
        QCOMPARE(stays.objects, QStringList{QStringLiteral("s1 (other.stays -> shop.p)")});
    }

    void definersAndTheRightToSetThem()
    {
        for (TestServer *s : {m_pair->source.get(), m_pair->target.get()}) {
            s->exec(QStringLiteral("DROP USER IF EXISTS ghost@'%'; DROP USER IF EXISTS mig@'%'; "
                                   "CREATE USER mig@'%' IDENTIFIED BY 'mig-secret'"));
        }
        m_pair->source->exec(QStringLiteral(
            "CREATE USER ghost@'%' IDENTIFIED BY 'x-secret-1'; CREATE TABLE shop.t(id INT PRIMARY "
            "KEY); CREATE DEFINER=ghost@'%' VIEW shop.v AS SELECT 1; CREATE DEFINER=ghost@'%' "
            "TRIGGER shop.tr BEFORE INSERT ON shop.t FOR EACH ROW SET NEW.id=NEW.id"));
        QCOMPARE(toString(find("mysql-definers").status), QStringLiteral("pass"));
        // Who may not see the accounts is told what would let them.
        m_pair->source->exec(QStringLiteral("GRANT SELECT, SHOW VIEW ON shop.* TO mig@'%'"));
        mends("mysql-definers", FindingStatus::Unknown, FindingSide::Source, QStringLiteral("mig"));
        mends("mysql-definers", FindingStatus::Warning, FindingSide::Target);
        m_pair->source->exec(QStringLiteral("DROP USER ghost@'%'"));
        mends("mysql-definers", FindingStatus::Warning);
        m_pair->target->exec(QStringLiteral("CREATE DATABASE shop"));
        m_pair->source->exec(
            QStringLiteral("GRANT SELECT, SHOW VIEW, TRIGGER ON shop.* TO mig@'%'"));
        m_pair->source->exec(QStringLiteral("SET GLOBAL log_bin_trust_function_creators=OFF"));
        mends("mysql-trigger-rights", FindingStatus::Blocker, FindingSide::Source,
              QStringLiteral("mig"));
    }

    void grantsMissingAreGrantedByTheSqlAndByTheUserScript()
    {
        const QString user = QStringLiteral("mig");
        m_pair->source->exec(
            QStringLiteral("DROP DATABASE shop; CREATE DATABASE shop; CREATE TABLE shop.t(id INT "
                           "PRIMARY KEY); CREATE PROCEDURE shop.p() SELECT 1"));
        for (TestServer *s : {m_pair->source.get(), m_pair->target.get()})
            s->exec(QStringLiteral("DROP USER IF EXISTS mig@'%'; CREATE USER mig@'%' IDENTIFIED BY "
                                   "'mig-secret'; GRANT SELECT ON `sh\\_p`.* TO mig@'%'"));
        // Seen with the eyes of an account that sees no tables yet, then of one that does.
        mends("mysql-grants", FindingStatus::Blocker, FindingSide::Source, user);
        if (find("mysql-grants", FindingSide::Target, user).status != FindingStatus::Pass)
            mends("mysql-grants", FindingStatus::Blocker, FindingSide::Target, user);

        CheckOptions o = options();
        for (const Side side : {Side::Source, Side::Target}) {
            TestServer &s = side == Side::Source ? *m_pair->source : *m_pair->target;
            my::ServerContext context({s.address(), {}, {}}, side, o);
            const auto script = my::userScript(context, user, {});
            QVERIFY(script.has_value());
            s.exec(QStringLiteral("DROP USER mig@'%'"));
            for (QString sql : *script)
                s.exec(sql.replace(QStringLiteral("${password}"), QStringLiteral("mig-secret")));
        }
        for (const FindingSide side : {FindingSide::Source, FindingSide::Target}) {
            const Finding f = find("mysql-grants", side, user);
            QVERIFY2(f.status == FindingStatus::Pass, qPrintable(f.found.english()));
        }
    }

    void rightsForTheWayBack()
    {
        const QString user = QStringLiteral("mig");
        m_pair->source->exec(QStringLiteral("CREATE TABLE shop.t(id INT PRIMARY KEY)"));
        for (TestServer *s : {m_pair->source.get(), m_pair->target.get()})
            s->exec(QStringLiteral("DROP USER IF EXISTS mig@'%'; CREATE USER mig@'%' IDENTIFIED BY "
                                   "'mig-secret'; GRANT SELECT ON shop.* TO mig@'%'"));
        mends("mysql-reverse-grants", FindingStatus::Blocker, FindingSide::Source, user);
        mends("mysql-reverse-grants", FindingStatus::Blocker, FindingSide::Target, user);
    }

    void accountsThatReadOnlyDoesNotStop()
    {
        TestServer &s = *m_pair->source;
        s.exec(QStringLiteral("DROP USER IF EXISTS boss@'%'; CREATE USER boss@'%' IDENTIFIED BY "
                              "'boss-secret'; GRANT ALL ON *.* TO boss@'%'"));
        const Finding f = find("mysql-privileged-accounts");
        QVERIFY2(f.status == FindingStatus::Info, qPrintable(f.found.english()));
        QVERIFY2(f.objects.contains(QStringLiteral("boss@%")),
                 qPrintable(f.objects.join(QLatin1Char(' '))));
        s.exec(QStringLiteral("DROP USER boss@'%'"));
        QVERIFY(!find("mysql-privileged-accounts").objects.contains(QStringLiteral("boss@%")));
    }

    void transactionsThatAreOpenForLong()
    {
        QCOMPARE(toString(find("mysql-long-transactions").status), QStringLiteral("pass"));
        if (!qEnvironmentVariableIsSet("CAUSEWAY_LONG"))
            QSKIP("With CAUSEWAY_LONG only: it takes a minute to be long.");
        const auto session = my::Session::open(m_pair->source->address(), my::Use::Control, {});
        QVERIFY(session);
        QVERIFY((*session)->exec(QStringLiteral("CREATE TABLE shop.x(id INT PRIMARY KEY)")));
        QVERIFY((*session)->exec(QStringLiteral("BEGIN")));
        QVERIFY((*session)->exec(QStringLiteral("INSERT INTO shop.x VALUES (1)")));
        QTRY_COMPARE_WITH_TIMEOUT(toString(find("mysql-long-transactions").status),
                                  QStringLiteral("warning"), 90'000);
        m_pair->source->exec(find("mysql-long-transactions").fix.sql.join(QLatin1Char('\n')));
        QTRY_COMPARE(toString(find("mysql-long-transactions").status), QStringLiteral("pass"));
    }

    void theTargetMustBeEmptyAndWritable()
    {
        TestServer &t = *m_pair->target;
        QCOMPARE(toString(find("mysql-target-tables", FindingSide::Target).status),
                 QStringLiteral("pass"));
        t.exec(QStringLiteral(
            "CREATE DATABASE shop; CREATE TABLE shop.p(id INT PRIMARY KEY); CREATE "
            "TABLE shop.c(id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES "
            "shop.p(id)); CREATE VIEW shop.v AS SELECT * FROM shop.p; CREATE PROCEDURE "
            "shop.pr() SELECT 1; CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DO "
            "SELECT 1"));
        mends("mysql-target-tables", FindingStatus::Blocker, FindingSide::Target);
        t.exec(QStringLiteral("SET GLOBAL read_only=ON"));
        mends("mysql-target-writable", FindingStatus::Blocker, FindingSide::Target);
        closedByAnotherMigration(t);
        t.exec(QStringLiteral("SET GLOBAL max_allowed_packet=1048576"));
        mends("mysql-max-allowed-packet", FindingStatus::Warning, FindingSide::Target);
        t.exec(QStringLiteral("SET GLOBAL binlog_row_image='MINIMAL'"));
        mends("mysql-reverse", FindingStatus::Warning, FindingSide::Target);
        t.exec(QStringLiteral("SET GLOBAL local_infile=OFF"));
        mends("mysql-local-infile", FindingStatus::Info, FindingSide::Target);
        if (!isMariaDb()) {
            m_pair->source->exec(QStringLiteral("CREATE TABLE shop.k(a INT NOT NULL UNIQUE)"));
            t.exec(QStringLiteral("SET GLOBAL sql_require_primary_key=ON"));
            mends("mysql-key-policy", FindingStatus::Blocker, FindingSide::Target);
        }
        CheckOptions probes = options();
        probes.probes = true;
        QCOMPARE(toString(find("mysql-write-probe", FindingSide::Target).status),
                 QStringLiteral("skipped"));
        QCOMPARE(toString(find("mysql-write-probe", FindingSide::Target, {}, probes).status),
                 QStringLiteral("pass"));
        QCOMPARE(t.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata WHERE "
                                         "schema_name='_causeway'")),
                 QStringLiteral("0"));
    }

    void accountsThatTheTargetDoesNotKnowAreNamed()
    {
        const char *id = "mysql-application-accounts";
        TestServer &s = *m_pair->source, &t = *m_pair->target;
        s.exec(QStringLiteral("DROP USER IF EXISTS webapp@'10.%'; CREATE USER webapp@'10.%' "
                              "IDENTIFIED BY 'app-secret'; GRANT SELECT ON shop.* TO "
                              "webapp@'10.%'"));
        t.exec(QStringLiteral("DROP USER IF EXISTS webapp@'%'"));
        const Finding f = find(id, FindingSide::Target);
        QCOMPARE(toString(f.status), QStringLiteral("info"));
        QVERIFY2(f.objects.contains(QStringLiteral("webapp")),
                 qPrintable(f.objects.join(QLatin1Char(','))));
        t.exec(QStringLiteral("CREATE USER webapp@'%' IDENTIFIED BY 'app-secret'"));
        QVERIFY(!find(id, FindingSide::Target).objects.contains(QStringLiteral("webapp")));
        s.exec(QStringLiteral("DROP USER webapp@'10.%'"));
        t.exec(QStringLiteral("DROP USER webapp@'%'"));
    }

    void oneServerAsBothIsBlocked()
    {
        QCOMPARE(toString(find("mysql-same-server", FindingSide::Pair).status),
                 QStringLiteral("pass"));
        const CheckOptions o = options();
        my::Servers s;
        const Endpoint e{m_pair->source->address(), {}, {}};
        s.source = std::make_shared<my::ServerContext>(e, Side::Source, o);
        s.target = std::make_shared<my::ServerContext>(e, Side::Target, o);
        auto checks = my::allChecks(s, o);
        std::erase_if(checks, [](const Check &c) {
            return c.id != QLatin1String("mysql-same-server") &&
                   c.id != QLatin1String("mysql-target-tables");
        });
        m_pair->source->exec(
            QStringLiteral("CREATE TABLE shop.same (id INT PRIMARY KEY); INSERT INTO shop.same "
                           "VALUES (1)"));
        const auto found = runChecks(checks, o, {}, {});
        m_pair->source->exec(QStringLiteral("DROP TABLE shop.same"));
        QCOMPARE(found.size(), std::size_t(2));
        for (const Finding &f : found) {
            QCOMPARE(toString(f.status), QStringLiteral("blocker"));
            QVERIFY2(f.fix.sql.isEmpty(), "it would throw the source's rows away");
        }
    }

    void theLogIsReadForATrial()
    {
        QCOMPARE(toString(find("mysql-binlog-probe").status), QStringLiteral("pass"));
        TestServer &s = *m_pair->source;
        s.exec(QStringLiteral("DROP USER IF EXISTS nolog@'%'; CREATE USER nolog@'%' IDENTIFIED BY "
                              "'mig-secret'; GRANT SELECT, REPLICATION CLIENT ON *.* TO "
                              "nolog@'%'"));
        const Finding refused =
            find("mysql-binlog-probe", FindingSide::Source, QStringLiteral("nolog"));
        QCOMPARE(toString(refused.status), QStringLiteral("blocker"));
        QVERIFY2(refused.found.english().contains(QLatin1String("REPLICATION SLAVE")),
                 qPrintable(refused.found.english()));
        CheckOptions once = options();
        once.once = true;
        QCOMPARE(toString(find("mysql-binlog-probe", FindingSide::Source, {}, once).status),
                 QStringLiteral("skipped"));
    }

    /// With its primary named: ReplicaSourceTest.
    void aReplicaAsSourceBlocks()
    {
        TestServer &s = *m_pair->source;
        QCOMPARE(toString(find("mysql-replica-source").status), QStringLiteral("pass"));
        // Threads that try in vain to connect are running threads.
        s.exec(isMariaDb() ? QStringLiteral("CHANGE MASTER TO MASTER_HOST='127.0.0.1', "
                                            "MASTER_PORT=1, MASTER_USER='x'; START SLAVE")
                           : QStringLiteral("CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', "
                                            "SOURCE_PORT=1, SOURCE_USER='x'; START REPLICA"));
        QCOMPARE(toString(find("mysql-replica-source").status), QStringLiteral("blocker"));
        s.exec(isMariaDb() ? QStringLiteral("STOP SLAVE") : QStringLiteral("STOP REPLICA"));
        mends("mysql-replica-source", FindingStatus::Warning);
    }

    void preparedXaAndASharedAccount()
    {
        QCOMPARE(toString(find("mysql-xa").status), QStringLiteral("pass"));
        TestServer &s = *m_pair->source;
        s.exec(
            QStringLiteral("CREATE TABLE shop.x(id INT PRIMARY KEY); DROP USER IF EXISTS "
                           "shared@'%'; CREATE USER shared@'%' IDENTIFIED BY 'mig-secret'; GRANT "
                           "ALL ON shop.* TO shared@'%'"));
        s.exec(QStringLiteral("XA START 'one'; INSERT INTO shop.x VALUES (1); XA END 'one'; XA "
                              "PREPARE 'one'"));
        const Finding xa = find("mysql-xa");
        QCOMPARE(toString(xa.status), QStringLiteral("blocker"));
        QCOMPARE(xa.objects, QStringList(QStringLiteral("one")));
        s.exec(QStringLiteral("XA ROLLBACK 'one'"));

        const QString user = QStringLiteral("shared");
        QCOMPARE(toString(find("mysql-shared-account", FindingSide::Source, user).status),
                 QStringLiteral("pass"));
        // A client of another process: the test's own session would count as ours.
        QProcess app;
        app.start(QStringLiteral("mariadb"),
                  {QStringLiteral("-h127.0.0.1"), QStringLiteral("-P%1").arg(s.port()),
                   QStringLiteral("-ushared"), QStringLiteral("-pmig-secret"), QStringLiteral("-e"),
                   QStringLiteral("SELECT SLEEP(60)")});
        QVERIFY2(app.waitForStarted(), "no client program to play the application");
        QTRY_COMPARE_WITH_TIMEOUT(
            s.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.processlist WHERE "
                                    "user='shared'")),
            QStringLiteral("1"), 10'000);
        const Finding f = find("mysql-shared-account", FindingSide::Source, user);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QCOMPARE(f.objects.size(), 1);
        app.kill();
        app.waitForFinished();
        if (!isMariaDb()) // MySQL shows everybody the attributes of their own account's sessions
            return;

        // A session of another Causeway says that it is one, as ours do.
        const auto session = my::Session::open(s.address(), my::Use::Control, {});
        QVERIFY(session);
        QCOMPARE(s.scalar(QStringLiteral("SELECT IS_USED_LOCK('causeway.session.%1')")
                              .arg((*session)->connectionId())),
                 QString::number((*session)->connectionId()));
        s.exec(QStringLiteral("KILL USER shared")); // its client is gone, its statement goes on
        app.start(QStringLiteral("mariadb"),
                  {QStringLiteral("-h127.0.0.1"), QStringLiteral("-P%1").arg(s.port()),
                   QStringLiteral("-ushared"), QStringLiteral("-pmig-secret"),
                   QStringLiteral("--delimiter=//"), QStringLiteral("-e"),
                   QString::fromStdString(my::sessionMarkSql(true)) +
                       QStringLiteral("// SELECT SLEEP(61)//")});
        QTRY_COMPARE_WITH_TIMEOUT(
            s.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.processlist WHERE "
                                    "user='shared' AND info LIKE '%SLEEP(61)%'")),
            QStringLiteral("1"), 10'000);
        const Finding another = find("mysql-shared-account", FindingSide::Source, user);
        QVERIFY2(another.status == FindingStatus::Pass, qPrintable(another.found.english()));
        app.kill();
        app.waitForFinished();
    }

    void settingsThatAreGoodToKnow()
    {
        TestServer &s = *m_pair->source, &t = *m_pair->target;
        for (const char *id : {"mysql-binlog-compression", "mysql-time-limits"})
            QVERIFY2(find(id).status == FindingStatus::Pass, id);
        for (const char *id : {"mysql-server-charset", "mysql-ddl-defaults"})
            QVERIFY2(find(id, FindingSide::Target).status == FindingStatus::Pass, id);
        s.exec(isMariaDb() ? QStringLiteral("SET GLOBAL log_bin_compress=ON")
                           : QStringLiteral("SET GLOBAL binlog_transaction_compression=ON"));
        passesAfterItsSql("mysql-binlog-compression");
        passesAfterItsSql("mysql-binlog-row-metadata");
        const char *limit = isMariaDb() ? "max_statement_time" : "max_execution_time";
        s.exec(QStringLiteral("SET GLOBAL %1=1000").arg(QLatin1String(limit)));
        QCOMPARE(toString(find("mysql-time-limits").status), QStringLiteral("info"));
        s.exec(QStringLiteral("SET GLOBAL %1=0").arg(QLatin1String(limit)));
        t.exec(QStringLiteral("SET GLOBAL character_set_server=cp1251"));
        mends("mysql-server-charset", FindingStatus::Warning, FindingSide::Target);
        t.exec(QStringLiteral("SET GLOBAL innodb_strict_mode=OFF"));
        mends("mysql-ddl-defaults", FindingStatus::Warning, FindingSide::Target);
        s.exec(QStringLiteral("SET GLOBAL character_set_server=DEFAULT; SET GLOBAL "
                              "collation_server=DEFAULT"));
        t.exec(QStringLiteral("SET GLOBAL character_set_server=DEFAULT; SET GLOBAL "
                              "collation_server=DEFAULT"));
    }

    void whatThereIs()
    {
        TestServer &s = *m_pair->source;
        const char *const lists[] = {"mysql-triggers-events",    "mysql-partitions",
                                     "mysql-generated-columns",  "mysql-invisible-columns",
                                     "mysql-functional-indexes", "mysql-special-types"};
        for (const char *id : lists)
            QVERIFY2(find(id).status == FindingStatus::Pass, id);
        s.exec(QStringLiteral(
            "CREATE TABLE shop.g (id INT PRIMARY KEY, a DOUBLE, b INT AS (id + 1) VIRTUAL, c INT "
            "INVISIBLE) PARTITION BY HASH (id) PARTITIONS 2; CREATE TRIGGER shop.tr BEFORE INSERT "
            "ON shop.g FOR EACH ROW SET NEW.a = 1"));
        if (!isMariaDb())
            s.exec(QStringLiteral("CREATE TABLE shop.f (id INT PRIMARY KEY, KEY k ((id + 1)))"));
        for (const char *id : lists) {
            const bool none = isMariaDb() && QLatin1String(id) == QLatin1String(lists[4]);
            const Finding f = find(id);
            QVERIFY2(f.status == (none ? FindingStatus::Pass : FindingStatus::Info), id);
            QVERIFY2(f.objects.size() == (none ? 0 : 1), id);
        }
        QVERIFY(
            find("mysql-size")
                .found.english()
                .startsWith(isMariaDb() ? QStringLiteral("1 tables") : QStringLiteral("2 tables")));
        QCOMPARE(toString(find("mysql-log-files").status), QStringLiteral("info"));
        QCOMPARE(toString(find("mysql-log-readers").status), QStringLiteral("pass"));
    }

    void tablesStoredInASpecialWay()
    {
        TestServer &s = *m_pair->source;
        const auto alone = [this] {
            return find("mysql-table-options", FindingSide::Source, {}, options(), true);
        };
        QCOMPARE(toString(alone().status), QStringLiteral("pass"));
        s.exec(QStringLiteral("CREATE TABLE shop.small (id INT PRIMARY KEY) ROW_FORMAT=COMPRESSED "
                              "KEY_BLOCK_SIZE=8; CREATE TABLE shop.plain (id INT PRIMARY KEY) "
                              "ROW_FORMAT=DYNAMIC"));
        if (isMariaDb())
            s.exec(QStringLiteral("CREATE TABLE shop.pages (id INT PRIMARY KEY) "
                                  "PAGE_COMPRESSED=1"));
        // The same product stores them likewise.
        QCOMPARE(toString(find("mysql-table-options").status), QStringLiteral("info"));
        const Finding f = alone();
        QCOMPARE(toString(f.status), QStringLiteral("warning"));
        QCOMPARE(f.objects.size(), isMariaDb() ? 2 : 1);
        s.exec(f.fix.sql.join(QLatin1Char('\n')));
        QVERIFY2(alone().status == FindingStatus::Pass,
                 qPrintable(alone().objects.join(QLatin1Char(' '))));
    }

    void foreignKeysWhoseParentIsNotUnique()
    {
        TestServer &s = *m_pair->source;
        s.exec(QStringLiteral(
            "CREATE TABLE shop.parent (id INT PRIMARY KEY, a INT, b INT, KEY (a), UNIQUE KEY "
            "(b, a)); CREATE TABLE shop.good (id INT PRIMARY KEY, a INT, b INT, FOREIGN KEY (a, "
            "b) REFERENCES shop.parent (b, a))"));
        QCOMPARE(toString(find("mysql-foreign-key-parents").status), QStringLiteral("pass"));
        s.exec(QStringLiteral("%1CREATE TABLE shop.child (id INT PRIMARY KEY, CONSTRAINT odd "
                              "FOREIGN KEY (id) REFERENCES shop.parent (a))")
                   .arg(isMariaDb()
                            ? QString()
                            : QStringLiteral("SET SESSION restrict_fk_on_non_standard_key=OFF; ")));
        const Finding f = find("mysql-foreign-key-parents");
        QCOMPARE(f.objects, QStringList(QStringLiteral("odd (shop.child -> shop.parent)")));
        QCOMPARE(toString(f.status),
                 isMariaDb() ? QStringLiteral("info") : QStringLiteral("warning"));
        if (isMariaDb())
            return;
        m_pair->target->exec(f.fix.sql.join(QLatin1Char('\n')));
        QCOMPARE(toString(find("mysql-foreign-key-parents").status), QStringLiteral("info"));
        m_pair->target->exec(QStringLiteral("SET GLOBAL restrict_fk_on_non_standard_key=DEFAULT"));
    }

    void aReplicaThatReadsTheLogIsNamed()
    {
        ServerOptions o;
        o.product = m_pair->source->product();
        TestServer replica(o);
        TestServer &s = *m_pair->source;
        s.exec(QStringLiteral("DROP USER IF EXISTS repl@'%'; CREATE USER repl@'%' IDENTIFIED BY "
                              "'repl-secret'; GRANT REPLICATION SLAVE ON *.* TO repl@'%'"));
        replica.exec(
            isMariaDb()
                ? QStringLiteral("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%1, "
                                 "MASTER_USER='repl', MASTER_PASSWORD='repl-secret'; START SLAVE "
                                 "IO_THREAD")
                      .arg(s.port())
                : QStringLiteral("CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', "
                                 "SOURCE_PORT=%1, SOURCE_USER='repl', "
                                 "SOURCE_PASSWORD='repl-secret', GET_SOURCE_PUBLIC_KEY=1; START "
                                 "REPLICA IO_THREAD")
                      .arg(s.port()));
        QTRY_COMPARE_WITH_TIMEOUT(toString(find("mysql-log-readers").status),
                                  QStringLiteral("info"), 15'000);
        QCOMPARE(find("mysql-log-readers").objects.size(), 1);
    }
};

QTEST_GUILESS_MAIN(ChecksTest)
#include "ChecksTest.moc"
