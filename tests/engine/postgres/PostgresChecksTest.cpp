#include "base/Stop.h"
#include "postgres/checks/Context.h"
#include "servers/ServerProcess.h"
#include "servers/Support.h"
#include "servers/TestServer.h"

#include <QElapsedTimer>
#include <QtTest>

#include <csignal>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace causeway;
using namespace causeway::test;
namespace pg = causeway::postgres;

/// Each check in its failing and its passing state, on a real server; what mends is the printed
/// SQL.
class PostgresChecksTest : public QObject {
    Q_OBJECT

    static constexpr const char *kDatabase = "postgres";
    std::unique_ptr<TestServer> m_source, m_target;

    static quint16 freePort()
    {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof a;
        if (::bind(fd, reinterpret_cast<sockaddr *>(&a), size) != 0 ||
            ::getsockname(fd, reinterpret_cast<sockaddr *>(&a), &size) != 0)
            qFatal("no port");
        ::close(fd);
        return ntohs(a.sin_port);
    }
    static ServerOptions options(const QStringList &settings)
    {
        ServerOptions o;
        o.product = Product::Postgres;
        o.settings = settings;
        return o;
    }
    static Endpoint endpoint(const TestServer &s, const QString &user = {},
                             const QString &password = {})
    {
        return Endpoint{s.address(user, password, QString::fromLatin1(kDatabase)), {}, {}};
    }

    Finding find(const QString &id, FindingSide side = FindingSide::Source,
                 const QString &user = {}, const CheckOptions &o = {})
    {
        pg::Servers servers;
        servers.source = std::make_shared<pg::ServerContext>(
            endpoint(*m_source, user, user.isEmpty() ? QString() : QStringLiteral("mig-secret")),
            Side::Source, o);
        if (m_target)
            servers.target =
                std::make_shared<pg::ServerContext>(endpoint(*m_target), Side::Target, o);
        auto checks = pg::allChecks(servers, o);
        std::erase_if(checks, [&](const Check &c) { return c.id != id || c.side != side; });
        if (checks.size() != 1)
            return {};
        return runChecks(checks, o, {}, {}).front();
    }

    void mend(TestServer &server, const Finding &f)
    {
        // One statement at a time: ALTER SYSTEM may not share a transaction.
        for (const QString &sql : f.fix.sql)
            server.exec(sql, QString::fromLatin1(kDatabase));
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_source =
            std::make_unique<TestServer>(options({QStringLiteral("max_prepared_transactions=5")}));
        m_target = std::make_unique<TestServer>(options({}));
    }

    void settingsAreMendedByTheirSqlAndARestart()
    {
        // Not by the command line, which would win over what the fix sets.
        m_source->exec(QStringLiteral("ALTER SYSTEM SET max_wal_senders = 2"));
        m_source->exec(QStringLiteral("ALTER SYSTEM SET max_replication_slots = 2"));
        m_target->exec(QStringLiteral("ALTER SYSTEM SET max_logical_replication_workers = 1"));
        const auto restart = [this] {
            for (TestServer *s : {m_source.get(), m_target.get()}) {
                s->stop();
                s->start();
            }
        };
        restart();
        for (const char *id : {"pg-wal-senders", "pg-replication-slots"}) {
            const Finding f = find(QString::fromLatin1(id));
            QVERIFY2(f.status == FindingStatus::Blocker, id);
            QVERIFY2(f.fix.restart && !f.fix.sql.isEmpty(), id);
            mend(*m_source, f);
        }
        const Finding workers = find(QStringLiteral("pg-workers"), FindingSide::Target);
        QCOMPARE(toString(workers.status), QStringLiteral("warning"));
        mend(*m_target, workers);
        restart();
        for (const char *id : {"pg-wal-level", "pg-wal-senders", "pg-replication-slots"})
            QVERIFY2(find(QString::fromLatin1(id)).status == FindingStatus::Pass, id);
        QCOMPARE(toString(find(QStringLiteral("pg-workers"), FindingSide::Target).status),
                 QStringLiteral("pass"));
        QCOMPARE(toString(find(QStringLiteral("pg-wal-level"), FindingSide::Target).status),
                 QStringLiteral("pass"));
    }

    void walLevelIsSetForTheNextStart()
    {
        // The fixture names wal_level on the command line: what the next start would take is in the
        // server's own view of its files.
        auto replica = std::make_unique<TestServer>(options({QStringLiteral("wal_level=replica")}));
        std::swap(m_source, replica);
        const Finding f = find(QStringLiteral("pg-wal-level"));
        mend(*m_source, f);
        const QString next = m_source->scalar(
            QStringLiteral("SELECT setting FROM pg_file_settings WHERE name = 'wal_level'"));
        std::swap(m_source, replica);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QVERIFY(f.fix.restart);
        QCOMPARE(next, QStringLiteral("logical"));
    }

    void hostedServersGetTheirOwnFixes()
    {
        auto rds = std::make_unique<TestServer>(options(
            {QStringLiteral("wal_level=replica"), QStringLiteral("rds.logical_replication=off"),
             QStringLiteral("rds.extensions=hstore")}));
        std::swap(m_source, rds);
        const Finding f = find(QStringLiteral("pg-wal-level"));
        std::swap(m_source, rds);
        QCOMPARE(toString(f.fix.platform), QStringLiteral("rds"));
        QVERIFY(f.fix.sql.isEmpty());
        QVERIFY(f.fix.command.first().contains(QStringLiteral("rds.logical_replication")));
        // As it is after that command: and there the right to replicate is a membership.
        auto after =
            std::make_unique<TestServer>(options({QStringLiteral("rds.logical_replication=on"),
                                                  QStringLiteral("rds.extensions=hstore")}));
        after->exec(QStringLiteral("CREATE ROLE rds_replication; CREATE ROLE mig LOGIN PASSWORD "
                                   "'mig-secret'"));
        std::swap(m_source, after);
        QVERIFY(find(QStringLiteral("pg-wal-level")).status == FindingStatus::Pass);
        const Finding without =
            find(QStringLiteral("pg-grants"), FindingSide::Source, QStringLiteral("mig"));
        m_source->exec(without.fix.sql.filter(QStringLiteral("GRANT rds_replication")).value(0));
        const Finding with =
            find(QStringLiteral("pg-grants"), FindingSide::Source, QStringLiteral("mig"));
        std::swap(m_source, after);
        QVERIFY(!without.fix.sql.filter(QStringLiteral("GRANT rds_replication")).isEmpty());
        QVERIFY2(with.fix.sql.filter(QStringLiteral("rds_replication")).isEmpty(),
                 qPrintable(with.fix.sql.join(QLatin1Char('\n'))));
    }

    void tablesWithoutReplicaIdentity()
    {
        const QString id = QStringLiteral("pg-replica-identity");
        QCOMPARE(toString(find(id).status), QStringLiteral("pass"));
        m_source->exec(QStringLiteral(
            "CREATE TABLE good(id int PRIMARY KEY); CREATE TABLE keyless(a int); CREATE TABLE "
            "indexed(a int NOT NULL UNIQUE); CREATE TABLE \"De f\"(id int PRIMARY KEY "
            "DEFERRABLE)"));
        const Finding f = find(id);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QCOMPARE(f.objects,
                 QStringList({QStringLiteral("public.De f"), QStringLiteral("public.indexed"),
                              QStringLiteral("public.keyless")}));
        QVERIFY(f.fix.sql.join(QLatin1Char(' ')).contains(QStringLiteral("USING INDEX")));
        mend(*m_source, f);
        QCOMPARE(toString(find(id).status), QStringLiteral("pass"));
        CheckOptions once;
        once.once = true;
        QCOMPARE(toString(find(id, FindingSide::Source, {}, once).status),
                 QStringLiteral("skipped"));
    }

    void unloggedTablesLargeObjectsAndSequences()
    {
        for (const char *id :
             {"pg-unlogged-tables", "pg-large-objects", "pg-sequences", "pg-prepared-xacts"})
            QVERIFY2(find(QString::fromLatin1(id)).status == FindingStatus::Pass, id);
        m_source->exec(QStringLiteral("CREATE UNLOGGED TABLE fleeting(id int PRIMARY KEY)"));
        m_source->exec(QStringLiteral("SELECT lo_create(0)"));
        m_source->exec(QStringLiteral("CREATE SEQUENCE tight AS smallint; SELECT "
                                      "setval('tight', 32000)"));
        m_source->exec(QStringLiteral("BEGIN; CREATE TABLE p(id int PRIMARY KEY); PREPARE "
                                      "TRANSACTION 'left over'"));
        const Finding prepared = find(QStringLiteral("pg-prepared-xacts"));
        QCOMPARE(toString(prepared.status), QStringLiteral("blocker"));
        QCOMPARE(prepared.objects, QStringList(QStringLiteral("left over (postgres)")));
        m_source->exec(QStringLiteral("ROLLBACK PREPARED 'left over'"));
        QCOMPARE(toString(find(QStringLiteral("pg-large-objects")).status),
                 QStringLiteral("warning"));
        for (const char *id : {"pg-unlogged-tables", "pg-sequences"}) {
            const Finding f = find(QString::fromLatin1(id));
            QVERIFY2(f.status == FindingStatus::Warning, id);
            mend(*m_source, f);
            QVERIFY2(find(QString::fromLatin1(id)).status == FindingStatus::Pass, id);
        }
    }

    void grantsAndRowSecurityOfAnOrdinaryAccount()
    {
        m_source->exec(QStringLiteral(
            "CREATE ROLE boss; CREATE ROLE mig LOGIN PASSWORD 'mig-secret'; CREATE SCHEMA hidden; "
            "CREATE TABLE hidden.t(id int PRIMARY KEY, b bigserial); ALTER TABLE hidden.t ENABLE "
            "ROW "
            "LEVEL SECURITY; GRANT USAGE ON SCHEMA hidden TO boss; ALTER TABLE hidden.t OWNER TO "
            "boss; ALTER TABLE hidden.t FORCE ROW LEVEL SECURITY"));
        const QString user = QStringLiteral("mig");
        const Finding security =
            find(QStringLiteral("pg-row-level-security"), FindingSide::Source, user);
        QCOMPARE(toString(security.status), QStringLiteral("blocker"));
        QCOMPARE(security.objects, QStringList(QStringLiteral("hidden.t")));
        const Finding grants = find(QStringLiteral("pg-grants"), FindingSide::Source, user);
        QCOMPARE(toString(grants.status), QStringLiteral("blocker"));
        mend(*m_source, security);
        mend(*m_source, grants);
        QCOMPARE(
            toString(
                find(QStringLiteral("pg-row-level-security"), FindingSide::Source, user).status),
            QStringLiteral("pass"));
        const Finding after = find(QStringLiteral("pg-grants"), FindingSide::Source, user);
        QVERIFY2(after.status == FindingStatus::Pass, qPrintable(after.found.english()));
    }

    void theUserScriptGivesWhatTheGrantsCheckAsksFor()
    {
        pg::ServerContext server(endpoint(*m_source), Side::Source, {});
        const auto script = pg::userScript(server, QStringLiteral("scripted"), {});
        QVERIFY(script.has_value());
        for (QString sql : *script)
            m_source->exec(
                sql.replace(QStringLiteral("${password}"), QStringLiteral("mig-secret")));
        // Tables of the superuser need the superuser; the test's own are given away.
        for (const TestRow &row : m_source->query(QStringLiteral(
                 "SELECT format('ALTER TABLE %I.%I OWNER TO boss', schemaname, tablename) FROM "
                 "pg_tables WHERE schemaname NOT LIKE 'pg\\_%' AND schemaname <> "
                 "'information_schema'")))
            m_source->exec(QString::fromStdString(*row[0]));
        const Finding f =
            find(QStringLiteral("pg-grants"), FindingSide::Source, QStringLiteral("scripted"));
        QVERIFY2(f.status == FindingStatus::Pass, qPrintable(f.found.english()));
    }

    void aTargetThatIsNotEmptyIsEmptiedByTheSql()
    {
        const QString id = QStringLiteral("pg-target-tables");
        QCOMPARE(toString(find(id, FindingSide::Target).status), QStringLiteral("pass"));
        m_target->exec(QStringLiteral("CREATE TABLE a(id serial PRIMARY KEY); CREATE TABLE b(id "
                                      "int REFERENCES a); CREATE VIEW "
                                      "v AS SELECT * FROM a; CREATE SEQUENCE s"));
        const Finding f = find(id, FindingSide::Target);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QVERIFY(f.objects.contains(QStringLiteral("public.a")));
        mend(*m_target, f);
        QCOMPARE(toString(find(id, FindingSide::Target).status), QStringLiteral("pass"));
    }

    void pairChecks()
    {
        QCOMPARE(toString(find(QStringLiteral("pg-same-server"), FindingSide::Pair).status),
                 QStringLiteral("pass"));
        QCOMPARE(toString(find(QStringLiteral("pg-locale"), FindingSide::Pair).status),
                 QStringLiteral("pass"));
        QCOMPARE(toString(find(QStringLiteral("pg-extensions")).status), QStringLiteral("pass"));
        QCOMPARE(toString(find(QStringLiteral("pg-version"), FindingSide::Target).status),
                 QStringLiteral("pass"));
        pg::Servers same;
        same.source =
            std::make_shared<pg::ServerContext>(endpoint(*m_source), Side::Source, CheckOptions{});
        same.target =
            std::make_shared<pg::ServerContext>(endpoint(*m_source), Side::Target, CheckOptions{});
        for (const Finding &f : runChecks(pg::allChecks(same, {}), {}, {}, {})) {
            if (f.id == QLatin1String("pg-same-server"))
                QCOMPARE(toString(f.status), QStringLiteral("blocker"));
            if (f.id == QLatin1String("pg-target-tables"))
                QVERIFY2(f.fix.sql.isEmpty(), "it would throw the source's rows away");
        }
    }

    /// The sessions of replication have the account's own defaults.
    void defaultsOfTheAccountAreSeen()
    {
        const QString id = QStringLiteral("pg-account-settings");
        const QString role = QStringLiteral("with_defaults");
        m_source->exec(QStringLiteral("CREATE ROLE with_defaults LOGIN PASSWORD 'mig-secret'"));
        const auto status = [&] { return toString(find(id, FindingSide::Source, role).status); };
        QCOMPARE(status(), QStringLiteral("pass"));
        m_source->exec(QStringLiteral("ALTER ROLE with_defaults SET statement_timeout = '1min'"));
        QCOMPARE(status(), QStringLiteral("warning"));
        m_source->exec(QStringLiteral("ALTER DATABASE %1 SET array_nulls = off")
                           .arg(QString::fromLatin1(kDatabase)));
        const Finding f = find(id, FindingSide::Source, role);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        mend(*m_source, f);
        QCOMPARE(status(), QStringLiteral("pass"));
        m_source->exec(QStringLiteral("ALTER DATABASE %1 RESET array_nulls")
                           .arg(QString::fromLatin1(kDatabase)));
    }

    void aLimitOfTheLogKeptIsSeen()
    {
        const QString id = QStringLiteral("pg-wal-keep");
        QCOMPARE(toString(find(id).status), QStringLiteral("pass"));
        m_source->exec(QStringLiteral("ALTER SYSTEM SET max_slot_wal_keep_size = '3MB'"));
        m_source->exec(QStringLiteral("SELECT pg_reload_conf()"));
        QTRY_COMPARE(toString(find(id).status), QStringLiteral("warning"));
        mend(*m_source, find(id));
        QTRY_COMPARE(toString(find(id).status), QStringLiteral("pass"));
    }

    void moreTablesThanLocksBlock()
    {
        auto small = std::make_unique<TestServer>(
            options({QStringLiteral("max_locks_per_transaction=10"),
                     QStringLiteral("max_connections=12"), QStringLiteral("max_wal_senders=2")}));
        small->exec(
            QStringLiteral("CREATE TABLE p (id int) PARTITION BY RANGE (id); DO $$ BEGIN FOR "
                           "i IN 1..80 LOOP EXECUTE format('CREATE TABLE p%s PARTITION OF p "
                           "FOR VALUES FROM (%s) TO (%s)', i, i, i + 1); END LOOP; END $$"),
            QString::fromLatin1(kDatabase));
        std::swap(m_source, small);
        const Finding warned = find(QStringLiteral("pg-locks"));
        m_source->exec(QStringLiteral("DO $$ BEGIN FOR i IN 81..140 LOOP EXECUTE format('CREATE "
                                      "TABLE p%s PARTITION OF p FOR VALUES FROM (%s) TO (%s)', i, "
                                      "i, i + 1); END LOOP; END $$"),
                       QString::fromLatin1(kDatabase));
        const Finding blocked = find(QStringLiteral("pg-locks"));
        std::swap(m_source, small);
        QCOMPARE(toString(warned.status), QStringLiteral("warning"));
        QCOMPARE(toString(blocked.status), QStringLiteral("blocker"));
        QVERIFY(blocked.fix.restart);
    }

    void anotherProgramWithOurAccountBlocks()
    {
        const QString id = QStringLiteral("pg-shared-account");
        const QString user = QStringLiteral("mig");
        QCOMPARE(toString(find(id, FindingSide::Source, user).status), QStringLiteral("pass"));
        Address app = endpoint(*m_source, user, QStringLiteral("mig-secret")).fromHere;
        app.options.insert(QStringLiteral("fallback_application_name"), QStringLiteral("shop"));
        const auto session = pg::Session::open(app, {});
        QVERIFY(session.has_value());
        QVERIFY((*session)->exec(QStringLiteral("SET application_name = 'shop'")).has_value());
        const Finding f = find(id, FindingSide::Source, user);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QCOMPARE(f.objects.size(), 1);
    }

    void whatThereIs()
    {
        const char *const lists[] = {
            "pg-not-valid-constraints", "pg-foreign-tables", "pg-materialized-views",
            "pg-always-triggers",       "pg-partitions",     "pg-generated-columns"};
        CheckOptions o;
        o.selection.schemas << QStringLiteral("inventory");
        const auto look = [&](const char *id) {
            return find(QString::fromLatin1(id), FindingSide::Source, {}, o);
        };
        m_source->exec(QStringLiteral("CREATE SCHEMA inventory; CREATE TABLE inventory.t (id int "
                                      "PRIMARY KEY, a int)"));
        for (const char *id : lists)
            QVERIFY2(look(id).status == FindingStatus::Pass, id);
        QVERIFY(look("pg-size").found.english().startsWith(QStringLiteral("1 tables")));
        m_source->exec(QStringLiteral(
            "INSERT INTO inventory.t VALUES (1, -1); ALTER TABLE inventory.t ADD CONSTRAINT c "
            "CHECK (a > 0) NOT VALID; CREATE MATERIALIZED VIEW inventory.m AS SELECT 1 AS x; "
            "CREATE TABLE inventory.g (id int PRIMARY KEY, b int GENERATED ALWAYS AS (id + 1) "
            "STORED); CREATE TABLE inventory.p (id int PRIMARY KEY) PARTITION BY RANGE (id); "
            "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE "
            "FOREIGN TABLE inventory.f (x text) SERVER files OPTIONS (filename '/dev/null'); "
            "CREATE FUNCTION inventory.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RETURN NEW; END $$; CREATE TRIGGER always BEFORE INSERT ON inventory.t FOR EACH ROW "
            "EXECUTE FUNCTION inventory.nothing(); ALTER TABLE inventory.t ENABLE ALWAYS TRIGGER "
            "always"));
        for (const char *id : lists) {
            const Finding f = look(id);
            QVERIFY2(f.status == FindingStatus::Info && f.objects.size() == 1, id);
        }
        mend(*m_source, look("pg-always-triggers"));
        QCOMPARE(toString(look("pg-always-triggers").status), QStringLiteral("pass"));
        m_source->exec(QStringLiteral("DROP SCHEMA inventory CASCADE; DROP EXTENSION file_fdw "
                                      "CASCADE"));
    }

    void rolesTheDatabaseAndTheWayBack()
    {
        const QString roles = QStringLiteral("pg-roles"), back = QStringLiteral("pg-way-back");
        QCOMPARE(toString(find(QStringLiteral("pg-dump-tool"), FindingSide::Pair).status),
                 QStringLiteral("pass"));
        QCOMPARE(toString(find(QStringLiteral("pg-standby")).status), QStringLiteral("pass"));
        QCOMPARE(toString(find(back).status), QStringLiteral("pass"));
        m_source->exec(QStringLiteral("CREATE ROLE solo; CREATE TABLE of_solo (id int PRIMARY "
                                      "KEY); ALTER TABLE of_solo OWNER TO solo; CREATE ROLE "
                                      "plain_one LOGIN PASSWORD 'mig-secret'"));
        const Finding f = find(roles, FindingSide::Pair);
        QCOMPARE(toString(f.status), QStringLiteral("warning"));
        QVERIFY(f.objects.contains(QStringLiteral("solo")));
        mend(*m_target, f);
        QCOMPARE(toString(find(roles, FindingSide::Pair).status), QStringLiteral("pass"));

        const QString user = QStringLiteral("plain_one");
        const Finding oneWay = find(back, FindingSide::Source, user);
        QCOMPARE(toString(oneWay.status), QStringLiteral("warning"));
        mend(*m_source, oneWay);
        QCOMPARE(toString(find(back, FindingSide::Source, user).status), QStringLiteral("pass"));

        m_target->exec(QStringLiteral("CREATE ROLE maker LOGIN PASSWORD 'mig-secret'"));
        const auto database = [this](const QString &role) {
            pg::Servers servers;
            servers.source = std::make_shared<pg::ServerContext>(endpoint(*m_source), Side::Source,
                                                                 CheckOptions{});
            Endpoint there = endpoint(*m_target, role, QStringLiteral("mig-secret"));
            there.fromHere.database = QStringLiteral("not yet");
            servers.target =
                std::make_shared<pg::ServerContext>(there, Side::Target, CheckOptions{});
            auto checks = pg::allChecks(servers, {});
            std::erase_if(
                checks, [](const Check &c) { return c.id != QLatin1String("pg-target-database"); });
            return runChecks(checks, {}, {}, {}).front();
        };
        const Finding none = database(QStringLiteral("maker"));
        QVERIFY2(none.status == FindingStatus::Blocker, qPrintable(none.found.english()));
        mend(*m_target, none);
        QCOMPARE(toString(database(QStringLiteral("maker")).status), QStringLiteral("pass"));
        m_target->exec(QStringLiteral("DROP DATABASE \"not yet\""));
        m_source->exec(QStringLiteral("DROP TABLE of_solo"));
    }

    void rowsThatCannotBeCompared()
    {
        const QString id = QStringLiteral("pg-replica-identity-full");
        QCOMPARE(toString(find(id).status), QStringLiteral("pass"));
        m_source->exec(QStringLiteral(
            "CREATE TABLE docs (d json, p point, n int); ALTER TABLE docs REPLICA IDENTITY FULL; "
            "CREATE TABLE plain (d jsonb, n int); ALTER TABLE plain REPLICA IDENTITY FULL"));
        const Finding f = find(id);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
        QVERIFY2(f.objects.contains(QStringLiteral("public.docs.d")) &&
                     !f.objects.join(QLatin1Char(' ')).contains(QLatin1String("plain")),
                 qPrintable(f.objects.join(QLatin1Char(' '))));
        mend(*m_source, f);
        QCOMPARE(toString(find(id).status), QStringLiteral("pass"));
        QCOMPARE(toString(find(QStringLiteral("pg-replica-identity")).status),
                 QStringLiteral("pass"));
        m_source->exec(QStringLiteral("DROP TABLE docs, plain"));
    }

    void slotsThatAreLostAndThoseOfOtherMigrations()
    {
        TestServer &s = *m_source;
        const QString health = QStringLiteral("pg-slot-health"),
                      clash = QStringLiteral("pg-name-clash");
        for (const QString &id : {health, clash})
            QCOMPARE(toString(find(id).status), QStringLiteral("pass"));
        s.exec(QStringLiteral("SELECT pg_create_logical_replication_slot('causeway_0000_fwd', "
                              "'pgoutput')"));
        s.exec(QStringLiteral("CREATE PUBLICATION causeway_0000_fwd"));
        const Finding f = find(clash);
        QCOMPARE(toString(f.status), QStringLiteral("warning"));
        QCOMPARE(f.objects.size(), 2);
        mend(s, f);
        QCOMPARE(toString(find(clash).status), QStringLiteral("pass"));

        s.exec(QStringLiteral("SELECT pg_create_logical_replication_slot('somebody', 'pgoutput')"));
        QCOMPARE(toString(find(health).status), QStringLiteral("pass"));
        s.exec(QStringLiteral("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'"));
        s.exec(QStringLiteral("SELECT pg_reload_conf()"));
        for (int i = 0; i < 3; ++i) {
            s.exec(QStringLiteral("CREATE TABLE filler AS SELECT generate_series(1, 1000) AS g"));
            s.exec(QStringLiteral("SELECT pg_switch_wal()"));
            s.exec(QStringLiteral("DROP TABLE filler"));
        }
        s.exec(QStringLiteral("CHECKPOINT"));
        const Finding lost = find(health);
        QVERIFY2(lost.status == FindingStatus::Warning, qPrintable(lost.found.english()));
        QVERIFY2(lost.objects.front().startsWith(QLatin1String("somebody (")),
                 qPrintable(lost.objects.front()));
        mend(s, lost);
        QCOMPARE(toString(find(health).status), QStringLiteral("pass"));
        s.exec(QStringLiteral("ALTER SYSTEM RESET max_slot_wal_keep_size"));
        s.exec(QStringLiteral("SELECT pg_reload_conf()"));
    }

    void aTransactionThatWritesForLong()
    {
        const QString id = QStringLiteral("pg-long-transactions");
        QCOMPARE(toString(find(id).status), QStringLiteral("pass"));
        if (!qEnvironmentVariableIsSet("CAUSEWAY_LONG"))
            QSKIP("With CAUSEWAY_LONG only: it takes half a minute to be long.");
        const auto session = pg::Session::open(endpoint(*m_source).fromHere, {});
        QVERIFY(session.has_value());
        QVERIFY(
            (*session)->exec(QStringLiteral("BEGIN; CREATE TABLE open_still (a int)")).has_value());
        QTRY_COMPARE_WITH_TIMEOUT(toString(find(id).status), QStringLiteral("warning"), 60'000);
        mend(*m_source, find(id));
        QTRY_COMPARE(toString(find(id).status), QStringLiteral("pass"));
    }

    void aSlotIsMadeForATrial()
    {
        const QString id = QStringLiteral("pg-slot-probe");
        QCOMPARE(toString(find(id).status), QStringLiteral("skipped"));
        CheckOptions o;
        o.probes = true;
        QCOMPARE(toString(find(id, FindingSide::Source, {}, o).status), QStringLiteral("pass"));
        QCOMPARE(m_source->scalar(QStringLiteral("SELECT count(*) FROM pg_replication_slots")),
                 QStringLiteral("0"));
        m_source->exec(QStringLiteral("CREATE ROLE noslot LOGIN PASSWORD 'mig-secret'"));
        const Finding f = find(id, FindingSide::Source, QStringLiteral("noslot"), o);
        QCOMPARE(toString(f.status), QStringLiteral("blocker"));
    }

    void aPoolerIsRecognised_data()
    {
        QTest::addColumn<QString>("mode");
        QTest::newRow("session") << QStringLiteral("session");
        QTest::newRow("transaction") << QStringLiteral("transaction");
    }
    void aPoolerIsRecognised()
    {
        QVERIFY(find(QStringLiteral("pg-pooler")).status == FindingStatus::Pass);
        if (!qEnvironmentVariableIsSet("CAUSEWAY_LONG"))
            QSKIP("With CAUSEWAY_LONG only: PgBouncer is fetched."); // half a minute
        QFETCH(const QString, mode);
        const QString tree = fetchedTree(QStringLiteral("get-pgbouncer.sh"), {},
                                         sharedCacheFolder() + QStringLiteral("/pgbouncer"));
        QTemporaryDir folder;
        const quint16 port = freePort();
        const auto write = [&](const char *name, const QString &text) {
            QFile file(folder.filePath(QString::fromLatin1(name)));
            if (!file.open(QIODevice::WriteOnly))
                qFatal("cannot write");
            file.write(text.toUtf8());
            return file.fileName();
        };
        const QString users = write("users", QStringLiteral("\"postgres\" \"root-secret\"\n"));
        const QString conf =
            write("conf", QStringLiteral("[databases]\n* = host=127.0.0.1 port=%1\n[pgbouncer]\n"
                                         "listen_addr = 127.0.0.1\nlisten_port = %2\nauth_type = "
                                         "trust\nauth_file = %3\npool_mode = %4\n"
                                         "unix_socket_dir =\n")
                              .arg(m_source->address({}, {}, {}).port)
                              .arg(port)
                              .arg(users, mode));
        giveAway(folder.path());
        ServerProcess pooler;
        pooler.start({{tree + QStringLiteral("/pgbouncer"), conf},
                      folder.filePath(QStringLiteral("log")),
                      SIGINT,
                      SIGKILL,
                      true});
        Endpoint through = endpoint(*m_source);
        through.fromHere.port = port;
        const auto look = [&] {
            pg::Servers servers;
            servers.source =
                std::make_shared<pg::ServerContext>(through, Side::Source, CheckOptions());
            auto checks = pg::allChecks(servers, {});
            std::erase_if(checks,
                          [](const Check &c) { return c.id != QLatin1String("pg-pooler"); });
            return runChecks(checks, {}, {}, {}).front();
        };
        QTRY_VERIFY_WITH_TIMEOUT(look().status == FindingStatus::Blocker, 20'000);
        const Finding f = look();
        QVERIFY(f.found.english().contains(QString::number(port)));
        QVERIFY(f.fix.text.english().contains(QLatin1String("[databases]")));
        pooler.stop();
    }

    void everyCheckRunsAndChangesNothing()
    {
        CheckOptions o;
        pg::Servers servers;
        servers.source = std::make_shared<pg::ServerContext>(endpoint(*m_source), Side::Source, o);
        servers.target = std::make_shared<pg::ServerContext>(endpoint(*m_target), Side::Target, o);
        const QString relations = m_source->scalar(QStringLiteral("SELECT count(*) FROM pg_class"));
        const QString xid =
            m_source->scalar(QStringLiteral("SELECT pg_snapshot_xmax(pg_current_snapshot())"));
        const auto findings = runChecks(pg::allChecks(servers, o), o, {}, {});
        QCOMPARE(m_source->scalar(QStringLiteral("SELECT count(*) FROM pg_class")), relations);
        // A statement that writes takes a transaction id.
        QCOMPARE(m_source->scalar(QStringLiteral("SELECT pg_snapshot_xmax(pg_current_snapshot())")),
                 xid);
        for (const Finding &f : findings)
            QVERIFY2(f.status != FindingStatus::Unknown,
                     qPrintable(f.id + QLatin1Char(' ') + f.found.english()));
    }

    void aBlockedQueryIsCancelledAtOnce()
    {
        const auto session = pg::Session::open(endpoint(*m_source).fromHere, {});
        QVERIFY(session.has_value());
        std::stop_source stop;
        QElapsedTimer timer;
        const std::jthread canceller([&] {
            pauseFor({}, std::chrono::milliseconds(200));
            timer.start();
            stop.request_stop();
        });
        const auto r = (*session)->query(QStringLiteral("SELECT pg_sleep(60)"), stop.get_token());
        QVERIFY(!r && r.error().code == ErrorCode::Cancelled);
        QVERIFY(timer.elapsed() < 1'000);
        // The server's side ends too, and does not sleep on for a minute.
        QTRY_COMPARE_WITH_TIMEOUT(m_source->scalar(QStringLiteral(
                                      "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT "
                                      "pg_sleep(60)' AND state = 'active'")),
                                  QStringLiteral("0"), 5'000);
    }

    void connectingToAHostThatSaysNothingIsCancelledAtOnce()
    {
        TcpProxy proxy(m_source->port());
        proxy.stall(true);
        Address a = endpoint(*m_source).fromHere;
        a.port = proxy.port();
        std::stop_source stop;
        QElapsedTimer timer;
        const std::jthread canceller([&] {
            pauseFor({}, std::chrono::milliseconds(300));
            timer.start();
            stop.request_stop();
        });
        const auto r = pg::Session::open(a, stop.get_token());
        QVERIFY(!r && r.error().code == ErrorCode::Cancelled);
        QVERIFY(timer.elapsed() < 1'000);
    }

    void errorsAreNamedAndHoldNoPassword()
    {
        Address a = m_source->address(QStringLiteral("mig"), QStringLiteral("wrong-password"),
                                      QString::fromLatin1(kDatabase));
        auto r = pg::Session::open(a, {});
        QVERIFY(!r);
        QCOMPARE(r.error().id, QStringLiteral("pg-access-denied"));
        QVERIFY(!r.error().describe().contains(QStringLiteral("wrong-password")));
        a = endpoint(*m_source).fromHere;
        a.database = QStringLiteral("nowhere");
        r = pg::Session::open(a, {});
        QVERIFY(!r);
        QCOMPARE(r.error().sqlState, QStringLiteral("3D000"));
        const auto session = pg::Session::open(endpoint(*m_source).fromHere, {});
        QVERIFY(session.has_value());
        const auto bad = (*session)->query(QStringLiteral("SELEC 1"));
        QCOMPARE(bad.error().sqlState, QStringLiteral("42601"));
    }

    void theCatalogHasTablesKeysAndForeignKeys()
    {
        m_source->exec(QStringLiteral(
            "CREATE SCHEMA shop; CREATE TABLE shop.parent(a int, gone int, b text NOT NULL, "
            "PRIMARY "
            "KEY (a)); ALTER TABLE shop.parent DROP COLUMN gone; CREATE UNIQUE INDEX ON "
            "shop.parent(b); CREATE TABLE shop.child(id bigserial PRIMARY KEY, p int REFERENCES "
            "shop.parent ON DELETE CASCADE); CREATE TABLE shop.parts(id int) PARTITION BY "
            "RANGE(id); "
            "CREATE TABLE shop.parts1 PARTITION OF shop.parts DEFAULT"));
        pg::PostgresDatabase db(endpoint(*m_source).fromHere);
        Selection s;
        s.schemas << QStringLiteral("shop");
        const auto catalog = db.catalog(s, {});
        QVERIFY(catalog.has_value());
        QCOMPARE(catalog->tables.size(), std::size_t{3});
        const Table *parent = catalog->find({QStringLiteral("shop"), QStringLiteral("parent")});
        QVERIFY(parent);
        QCOMPARE(parent->columns.size(), std::size_t{2});
        QCOMPARE(parent->rowKeyColumns(), std::vector<int>{0});
        QCOMPARE(parent->keys[1].parts[0].column, 1);
        const Table *child = catalog->find({QStringLiteral("shop"), QStringLiteral("child")});
        QVERIFY(child && child->columns[0].autoIncrement);
        QCOMPARE(child->foreignKeys.size(), std::size_t{1});
        QCOMPARE(child->foreignKeys[0].onDelete, RefAction::Cascade);
        QCOMPARE(child->foreignKeys[0].refColumns, QStringList(QStringLiteral("a")));
        QVERIFY(!catalog->find({QStringLiteral("shop"), QStringLiteral("parts")})->rowKey);
        QVERIFY(db.schemaNames({})->contains(QStringLiteral("shop")));
        const auto reader = db.reader({});
        QVERIFY(!reader && reader.error().code == ErrorCode::NotReady);
    }
};

QTEST_GUILESS_MAIN(PostgresChecksTest)
#include "PostgresChecksTest.moc"
