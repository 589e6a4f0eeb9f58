// Whole PostgreSQL migrations on the native route, between real servers, while an application
// writes.

#include "engine/engine/PostgresMigrationSupport.h"

#include <algorithm>

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
PostgresWorkloadOptions liveWrites()
{
    PostgresWorkloadOptions options;
    options.connections = 6;
    options.rate = 300;
    options.longTransaction = 1s;
    options.documentBytes = 20'000;
    if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
        options.connections = 8;
        options.rate = 600;
        options.longTransaction = 10s;
    }
    return options;
}

/// A schema that is mostly wide: what is done for each table, while writes are held above all, adds
/// up. Returns the number of tables.
int addManyTables(TestServer &server)
{
    const bool full = qEnvironmentVariableIsSet("CAUSEWAY_LONG");
    const int tables = full ? 1'000 : 12, sequences = full ? 200 : 4;
    server.exec(QStringLiteral("CREATE SCHEMA wide"), QStringLiteral("shop"));
    // In parts: one transaction would need a lock for each of them.
    for (int first = 0; first < tables; first += 200) {
        server.exec(
            QStringLiteral(
                "DO $$ BEGIN FOR i IN %1..%2 LOOP EXECUTE format('CREATE TABLE wide.t%s (id serial "
                "PRIMARY KEY, parent int, v text CHECK (v > ''a''), n numeric DEFAULT 1)', i); "
                "EXECUTE format('CREATE INDEX ON wide.t%s (v)', i); EXECUTE format('INSERT INTO "
                "wide.t%s (parent, v) SELECT g, ''x'' FROM generate_series(1, 20) g', i); IF i % 3 "
                "= 1 THEN EXECUTE format('ALTER TABLE wide.t%s ADD FOREIGN KEY (parent) REFERENCES "
                "wide.t%s', i, i - 1); END IF; END LOOP; END $$")
                .arg(first)
                .arg(std::min(first + 200, tables) - 1),
            QStringLiteral("shop"));
    }
    server.exec(QStringLiteral("DO $$ BEGIN FOR i IN 1..%1 LOOP EXECUTE format('CREATE SEQUENCE "
                               "wide.s%s INCREMENT %s', i, 1 + i % 4); PERFORM "
                               "nextval(format('wide.s%s', i)); END LOOP; END $$")
                    .arg(sequences),
                QStringLiteral("shop"));
    return tables;
}
} // namespace

class PostgresMigrationTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void movesALiveDatabaseThereAndBack_data()
    {
        QTest::addColumn<QString>("from");
        QTest::addColumn<QString>("to");
        const auto row = [](const char *from, const char *to) {
            QTest::addRow("%s to %s", from, to)
                << QString::fromLatin1(from) << QString::fromLatin1(to);
        };
        row("15", "18");
        if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
            row("15", "15");
            row("12", "13");
            row("13", "14");
            row("14", "15");
            row("15", "16");
            row("16", "17");
            row("17", "18");
            row("18", "18");
            row("13", "17");
        }
    }

    void movesALiveDatabaseThereAndBack()
    {
        QFETCH(const QString, from);
        QFETCH(const QString, to);
        PostgresPair pair(postgres(from), postgres(to));
        const PostgresWorkloadOptions writes = liveWrites();
        PostgresWorkload::createSchema(pair.source, writes);
        const int many = addManyTables(pair.source);
        const auto touchMany = [&](TestServer &leader, int round) {
            QStringList sql{QStringLiteral("SELECT nextval('wide.s1')")};
            for (int i = round; i < many; i += 7) {
                sql << QStringLiteral(
                           "UPDATE wide.t%1 SET v = 'round %2' WHERE id < 5; INSERT INTO "
                           "wide.t%1 (n) VALUES (%2)")
                           .arg(i)
                           .arg(round);
            }
            leader.exec(sql.join(QLatin1Char(';')), QStringLiteral("shop"));
        };
        int round = 0;
        PostgresWorkload::createAccount(pair.target, QString::fromLatin1(PostgresPair::kRole));
        PostgresWorkload writer(
            {PostgresWorkload::address(pair.source), PostgresWorkload::address(pair.target)},
            writes);
        writer.start();
        QVERIFY(writer.waitForCommits(200, 60s));

        const auto migration = pair.open();
        const auto bothSidesEqual = [&](Goal goal) {
            writer.stop();
            CW_VERIFY(runTo(*migration, goal)); // catches up with the last writes
            const QStringList differences = pair.differences();
            QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        };
        const auto nothingLostOn = [&](TestServer &leader) {
            const auto lost = writer.lostOn(leader);
            QVERIFY2(lost.empty(), lost.empty() ? "" : lost.front().c_str());
            QVERIFY2(writer.oddErrors().isEmpty(),
                     qPrintable(writer.oddErrors().join(QLatin1Char('\n'))));
        };

        CW_VERIFY(runTo(*migration, Goal::Replica));
        QVERIFY(migration->snapshot()->phase == Phase::Replica);
        const Outcome verified = carryOut(*migration, command::Verify{});
        QVERIFY2(verified.status.has_value(), describe(verified).constData());
        QVERIFY(verified.verify->equal());
        bothSidesEqual(Goal::Replica);
        nothingLostOn(pair.source);

        const auto turn = [&](Goal goal, TestServer &leader, std::size_t host) {
            writer.start();
            touchMany(host == 1 ? pair.source : pair.target, ++round);
            QVERIFY(writer.waitForCommits(100, 60s));
            writer.resetGap();
            const qint64 before = writer.commitsOn(host);
            CW_VERIFY(runTo(*migration, goal));
            QVERIFY(writer.waitForCommitsOn(host, before + 100, 60s));
            qInfo("write pause by the engine %.3f s, longest gap seen by the writer %lld ms",
                  migration->snapshot()->writePauseSeconds,
                  static_cast<long long>(writer.longestGap().count()));
            QStringList times;
            for (const StepRecord &s : migration->snapshot()->steps) {
                if (s.id.startsWith(QLatin1String("switch")) ||
                    s.id.startsWith(QLatin1String("complete")))
                    times << QStringLiteral("%1 %2").arg(s.id).arg(s.finishedMs - s.startedMs);
            }
            qInfo("%s", qPrintable(times.join(QStringLiteral(", "))));
            if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) // a machine of CI may be slow
                QVERIFY(migration->snapshot()->writePauseSeconds < 1.0);
            touchMany(leader, ++round);
            bothSidesEqual(goal);
            nothingLostOn(leader);
        };
        turn(Goal::Primary, pair.target, 1);
        turn(Goal::Replica, pair.source, 0);
        turn(Goal::Primary, pair.target, 1);
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        QVERIFY(migration->snapshot()->phase == Phase::Finished);
        for (TestServer *server : {&pair.source, &pair.target})
            QCOMPARE(PostgresPair::leftOn(*server), QStringList());
    }

    void cancelLeavesBothServersAsFound()
    {
        PostgresPair pair;
        PostgresWorkload::createSchema(pair.source, liveWrites());
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
            const Outcome cancelled = carryOut(*migration, command::Cancel{true});
            QVERIFY2(cancelled.status.has_value(), describe(cancelled).constData());
        }
        for (TestServer *server : {&pair.source, &pair.target})
            QCOMPARE(PostgresPair::leftOn(*server), QStringList());
        QCOMPARE(pair.target.scalar(
                     QStringLiteral("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid "
                                    "= c.relnamespace WHERE n.nspname IN ('public', 'shop')"),
                     QStringLiteral("shop")),
                 QStringLiteral("0"));
    }

    /// What is in no dump of a schema: the database, its settings, and what roles may do.
    void makesTheDatabaseWithRightsAndSettings()
    {
        PostgresPair pair(postgres(QStringLiteral("15")), postgres(QStringLiteral("18")));
        const QString db = QStringLiteral("shop");
        pair.target.exec(QStringLiteral("DROP DATABASE shop"));
        pair.source.exec(QStringLiteral("CREATE DATABASE shop TEMPLATE template0 ENCODING 'UTF8' "
                                        "LOCALE 'C'"));
        pair.source.exec(QStringLiteral(
            "CREATE ROLE owner_there; CREATE ROLE \"app \"\"1\"; CREATE ROLE only_here"));
        pair.target.exec(
            QStringLiteral("CREATE ROLE owner_there; CREATE ROLE \"app \"\"1\" LOGIN"));
        pair.source.exec(
            QStringLiteral(
                "ALTER DATABASE shop SET search_path = shop, public; ALTER DATABASE "
                "shop SET statement_timeout = '7min'; CREATE SCHEMA shop AUTHORIZATION "
                "owner_there; CREATE TABLE shop.a (id serial PRIMARY KEY, v text); ALTER "
                "TABLE shop.a OWNER TO owner_there; CREATE TABLE shop.b (id int PRIMARY "
                "KEY); ALTER TABLE shop.b OWNER TO only_here; GRANT USAGE ON SCHEMA "
                "shop TO \"app \"\"1\", only_here; GRANT SELECT, INSERT ON shop.a TO "
                "\"app \"\"1\", only_here; GRANT SELECT ON shop.b TO PUBLIC; INSERT "
                "INTO shop.a (v) VALUES ('x')"),
            db);
        const auto there = [&](const char *sql) {
            return pair.target.scalar(QString::fromLatin1(sql), db);
        };
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
        }
        QCOMPARE(there("SELECT pg_encoding_to_char(encoding) || datcollate FROM pg_database WHERE "
                       "datname = 'shop'"),
                 QStringLiteral("UTF8C"));
        QCOMPARE(there("SELECT current_setting('search_path') || current_setting("
                       "'statement_timeout')"),
                 QStringLiteral("shop, public7min"));
        QCOMPARE(there("SELECT tableowner FROM pg_tables WHERE tablename = 'a'"),
                 QStringLiteral("owner_there"));
        QCOMPARE(there("SELECT tableowner FROM pg_tables WHERE tablename = 'b'"),
                 QStringLiteral("mover"));
        QCOMPARE(there("SELECT has_table_privilege('app \"1', 'shop.a', 'INSERT') AND NOT "
                       "has_table_privilege('app \"1', 'shop.a', 'DELETE') AND "
                       "has_table_privilege('app \"1', 'shop.b', 'SELECT')"),
                 QStringLiteral("t"));
        QCOMPARE(pair.differences(), QStringList());
        // Made by us, and used by nobody else: it goes again.
        const auto migration = pair.open();
        const Outcome cancelled = carryOut(*migration, command::Cancel{true});
        QVERIFY2(cancelled.status.has_value(), describe(cancelled).constData());
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT count(*) FROM pg_database WHERE datname "
                                                   "= 'shop'")),
                 QStringLiteral("0"));
    }

    void nothingPassesTheFence()
    {
        PostgresPair pair;
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        const QString db = QStringLiteral("shop");
        pair.source.exec(
            QStringLiteral("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE p (id int, k "
                           "int, PRIMARY KEY (id, k)) PARTITION BY LIST (k); CREATE TABLE p1 "
                           "PARTITION OF p FOR VALUES IN (1); INSERT INTO a SELECT g, 'x' FROM "
                           "generate_series(1, 100) g; INSERT INTO p VALUES (1, 1)"),
            db);
        const Address root =
            pair.source.address(QStringLiteral("postgres"), QStringLiteral("root-secret"), db);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        // Nobody but replication writes on the follower either.
        {
            PostgresClient there;
            QVERIFY(there
                        .connect(pair.target.address(QStringLiteral("postgres"),
                                                     QStringLiteral("root-secret"), db),
                                 30)
                        .ok());
            QCOMPARE(
                there.run("BEGIN READ WRITE; INSERT INTO public.a VALUES (1000, 'x')").sqlState,
                std::string("25006"));
        }
        CW_VERIFY(carryOut(*migration, command::Verify{}).status);

        // A transaction with an older snapshot that has not written yet, and one that waits for the
        // lock: a third one holds it until the fence queues for it.
        PostgresClient open, writer;
        QVERIFY(open.connect(root, 60).ok());
        QVERIFY(open.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE; SELECT count(*) FROM "
                         "public.a")
                    .ok());
        QVERIFY(writer.connect(root, 60).ok());
        QVERIFY(writer.run("BEGIN; INSERT INTO public.a VALUES (500, 'before')").ok());
        const quint64 seen = migration->lastOutcome().first;
        migration->post(command::RunTo{Goal::Primary, false, false});
        QTRY_VERIFY_WITH_TIMEOUT(
            pair.source.scalar(QStringLiteral("SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                                              "mode = 'ShareRowExclusiveLock'"),
                               db) == QLatin1String("1"),
            30'000);
        // One transaction after the other, until one is refused: whatever the moment, one of them
        // is in the queue for the lock when the fence gets it.
        std::string queuedState = "none";
        std::vector<int> passed;
        std::jthread queued([&](const std::stop_token &stop) {
            PostgresClient late;
            if (!late.connect(root, 60).ok())
                return;
            for (int id = 600; !stop.stop_requested(); ++id) {
                const PgOutcome o = late.run("INSERT INTO public.a VALUES (" + std::to_string(id) +
                                             ", 'queued'); SELECT pg_sleep(0.02)");
                queuedState = o.sqlState;
                if (!o.ok())
                    return;
                passed.push_back(id);
            }
        });
        QTRY_VERIFY_WITH_TIMEOUT(
            pair.source
                    .scalar(QStringLiteral("SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                                           "mode = 'RowExclusiveLock'"),
                            db)
                    .toInt() >= 1,
            30'000);
        QVERIFY(writer.run("COMMIT").ok());
        const Outcome switched = migration->waitOutcome(seen);
        queued.join();
        QVERIFY2(switched.status.has_value(), describe(switched).constData());
        QCOMPARE(queuedState, std::string("25006"));
        QCOMPARE(open.run("INSERT INTO public.a VALUES (700, 'old snapshot')").sqlState,
                 std::string("25006"));

        PostgresClient after;
        QVERIFY(after.connect(root, 30).ok());
        for (const char *sql :
             {"BEGIN READ WRITE; INSERT INTO public.a VALUES (800, 'x')", "TRUNCATE public.a",
              "UPDATE public.a SET v = 'y' WHERE id = 1", "DELETE FROM public.a WHERE id = 1",
              "INSERT INTO public.p VALUES (2, 1)", "INSERT INTO public.p1 VALUES (2, 1)",
              "TRUNCATE public.p1", "DELETE FROM public.p",
              "SET default_transaction_read_only = off; INSERT INTO public.a VALUES (801, 'x')",
              "WITH w AS (DELETE FROM public.a RETURNING *) SELECT count(*) FROM w"}) {
            const PgOutcome refused = after.run(sql);
            QVERIFY2(refused.sqlState == "25006", sql);
            (void)after.run("ROLLBACK");
        }
        QCOMPARE(pair.source.scalar(QStringLiteral("SELECT count(*) FROM public.a"), db).toULong(),
                 101 + passed.size());
        // What was committed before the fence is on the new leader; what was refused is nowhere.
        QStringList there{QStringLiteral("500")};
        for (const int id : passed)
            there << QString::number(id);
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT string_agg(id::text, ',' ORDER BY id) "
                                                   "FROM public.a WHERE id > 100"),
                                    db),
                 there.join(QLatin1Char(',')));
    }

    void carriesWhatReplicationLeavesOut()
    {
        PostgresPair pair;
        const QString db = QStringLiteral("shop");
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(
            QStringLiteral(
                "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 10); "
                "CREATE UNLOGGED TABLE cache (id int PRIMARY KEY, twice int GENERATED ALWAYS AS "
                "(id * 2) STORED, v text); INSERT INTO cache (id, v) VALUES (1, E'a\\tb\\\\'), (2, "
                "NULL); CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM a; SELECT "
                "lo_from_bytea(4711, 'hello'), lo_from_bytea(4712, decode(repeat('00ff', 3000000), "
                "'hex')); CREATE FUNCTION noise() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
                "INSERT "
                "INTO a VALUES (99); RETURN NULL; END'; CREATE TRIGGER noise AFTER UPDATE ON a "
                "EXECUTE FUNCTION noise(); ALTER TABLE a ENABLE ALWAYS TRIGGER noise"),
            db);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        // A trigger that fires on replicated changes too must not act a second time on the target.
        pair.source.exec(QStringLiteral("UPDATE a SET id = 11 WHERE id = 10"), db);
        CW_VERIFY(runTo(*migration, Goal::Replica));
        CW_VERIFY(carryOut(*migration, command::Verify{}).status);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        const auto onTarget = [&](const char *sql) {
            return pair.target.scalar(QString::fromLatin1(sql), db);
        };
        QCOMPARE(onTarget("SELECT count(*) FROM a"), QStringLiteral("11"));
        QCOMPARE(onTarget("SELECT string_agg(id || ':' || twice || ':' || COALESCE(v, '-'), ',' "
                          "ORDER BY id) FROM cache"),
                 QStringLiteral("1:2:a\tb\\,2:4:-"));
        QCOMPARE(onTarget("SELECT n FROM m"), QStringLiteral("11"));
        QCOMPARE(onTarget("SELECT convert_from(lo_get(4711), 'UTF8') || length(lo_get(4712))"),
                 QStringLiteral("hello6000000"));
        QCOMPARE(onTarget("SELECT tgenabled FROM pg_trigger WHERE tgname = 'noise'"),
                 QStringLiteral("A"));
        // And back: what changed there, and what went.
        pair.target.exec(QStringLiteral("DELETE FROM cache WHERE id = 1; SELECT lo_unlink(4712), "
                                        "lo_put(4711, 0, 'J')"),
                         db);
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QCOMPARE(
            pair.source.scalar(QStringLiteral("SELECT string_agg(id::text, ',') FROM cache"), db),
            QStringLiteral("2"));
        QCOMPARE(pair.source.scalar(
                     QStringLiteral("SELECT string_agg(convert_from(lo_get(oid), 'UTF8'), ',') "
                                    "FROM pg_largeobject_metadata"),
                     db),
                 QStringLiteral("Jello"));
        QCOMPARE(pair.source.scalar(QStringLiteral("SELECT tgenabled FROM pg_trigger WHERE tgname "
                                                   "= 'noise'"),
                                    db),
                 QStringLiteral("A"));
    }

    /// No superuser on either side: REPLICATION and membership of the tables' owner, and what 16
    /// and later have for subscribers.
    void movesThereAndBackWithoutASuperuser()
    {
        PostgresPair pair(postgres(QStringLiteral("18")), postgres(QStringLiteral("18")),
                          QStringLiteral("REPLICATION"));
        PostgresWorkloadOptions writes = liveWrites();
        PostgresWorkload::createSchema(pair.source, writes);
        const QString db = QStringLiteral("shop");
        pair.source.exec(
            QStringLiteral(
                "CREATE ROLE owner_of_all; GRANT owner_of_all TO mover; GRANT "
                "pg_create_subscription TO mover; GRANT CREATE ON DATABASE shop TO mover; ALTER "
                "SCHEMA shop OWNER TO owner_of_all; DO $$ DECLARE x record; BEGIN FOR x IN SELECT "
                "c.oid::regclass AS name, CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN "
                "'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind FROM pg_class c "
                "WHERE relnamespace = 'shop'::regnamespace AND (relkind IN ('r','p','v','m') OR "
                "relkind = 'S' AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND "
                "d.deptype IN ('a','i'))) LOOP EXECUTE format('ALTER %s %s OWNER TO owner_of_all', "
                "x.kind, x.name); END LOOP; END $$"),
            db);
        pair.target.exec(
            QStringLiteral("GRANT pg_create_subscription TO mover; GRANT CREATE ON DATABASE shop "
                           "TO mover; GRANT CREATE ON SCHEMA public TO mover"),
            db);
        PostgresWorkload::createAccount(pair.target, QString::fromLatin1(PostgresPair::kRole));
        PostgresWorkload writer(
            {PostgresWorkload::address(pair.source), PostgresWorkload::address(pair.target)},
            writes);
        writer.start();
        const auto migration = pair.open();
        const auto turn = [&](Goal goal, TestServer &leader) {
            CW_VERIFY(runTo(*migration, goal));
            QVERIFY(writer.waitForCommits(100, 60s));
            writer.stop();
            CW_VERIFY(runTo(*migration, goal));
            const QStringList differences = pair.differences();
            QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
            const auto lost = writer.lostOn(leader);
            QVERIFY2(lost.empty(), lost.empty() ? "" : lost.front().c_str());
            writer.start();
        };
        turn(Goal::Replica, pair.source);
        turn(Goal::Primary, pair.target);
        turn(Goal::Replica, pair.source);
        turn(Goal::Primary, pair.target);
        writer.stop();
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        for (TestServer *server : {&pair.source, &pair.target})
            QCOMPARE(PostgresPair::leftOn(*server), QStringList());
    }

    /// Each account has what its own part takes, and no more: the source's publishes, the target's
    /// subscribes. Then there is no way back, which is said before anything is copied.
    void movesOneWayWithHalfTheRightsOnEachSide()
    {
        PostgresPair pair(postgres(QStringLiteral("18")), postgres(QStringLiteral("18")),
                          QStringLiteral("NOSUPERUSER"));
        const QString db = QStringLiteral("shop");
        pair.source.exec(QStringLiteral("CREATE DATABASE shop OWNER mover"));
        pair.source.exec(QStringLiteral("ALTER ROLE mover REPLICATION"));
        pair.source.exec(QStringLiteral("CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO "
                                        "a SELECT g, 'v' || g FROM generate_series(1, 1000) g; "
                                        "ALTER TABLE a OWNER TO mover"),
                         db);
        pair.target.exec(QStringLiteral("GRANT pg_create_subscription TO mover; ALTER DATABASE "
                                        "shop OWNER TO mover"),
                         db);
        {
            const Status refused = runTo(*pair.open(), Goal::Replica);
            QVERIFY(!refused);
            QVERIFY2(refused.error().describe().contains(QLatin1String("one-way")) ||
                         refused.error().id == QLatin1String("preflight-blocked"),
                     qPrintable(refused.error().describe()));
        }
        QFile::remove(pair.file);
        pair.settings.oneWayAccepted = true;
        pair.settings.accepted << QStringLiteral("one-way");
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        pair.source.exec(QStringLiteral("UPDATE a SET v = 'x' WHERE id < 10; DELETE FROM a WHERE "
                                        "id = 11"),
                         db);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(pair.differences(), QStringList());
        pair.target.exec(QStringLiteral("INSERT INTO a VALUES (2000, 'new')"), db);
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        for (TestServer *server : {&pair.source, &pair.target})
            QCOMPARE(PostgresPair::leftOn(*server), QStringList());
    }

    void noPasswordIsLeftAnywhere()
    {
        // Everything that a server can log is logged.
        const QStringList chatty{QStringLiteral("log_statement=all"),
                                 QStringLiteral("log_min_duration_statement=0"),
                                 QStringLiteral("log_min_error_statement=debug5")};
        PostgresPair pair(postgres(QStringLiteral("15"), chatty),
                          postgres(QStringLiteral("15"), chatty));
        const QString db = QStringLiteral("shop");
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(QStringLiteral("CREATE TABLE a (id int PRIMARY KEY)"), db);
        // The fixture's own CREATE ROLE was logged: from here on it must not come again.
        const auto logged = [](TestServer &server) {
            QFile file(QFileInfo(server.dataDir()).dir().filePath(QStringLiteral("error.log")));
            if (!file.open(QIODevice::ReadOnly))
                qFatal("no log");
            QByteArrayList lines;
            for (const QByteArray &line : file.readAll().split('\n')) {
                if (line.contains(PostgresPair::kPassword))
                    lines << line;
            }
            return lines;
        };
        const auto sourceBefore = logged(pair.source), targetBefore = logged(pair.target);
        const auto migration = pair.open();
        const auto clean = [&] {
            QVERIFY2(logged(pair.source) == sourceBefore,
                     logged(pair.source).join(char(10)).constData());
            QVERIFY2(logged(pair.target) == targetBefore,
                     logged(pair.target).join(char(10)).constData());
            for (const QString &name : {pair.file, pair.file + QStringLiteral("-wal")}) {
                QFile file(name);
                if (file.open(QIODevice::ReadOnly))
                    QVERIFY2(!file.readAll().contains(PostgresPair::kPassword), qPrintable(name));
            }
            for (const StepRecord &step : migration->snapshot()->steps)
                QVERIFY(!step.shownSql.join(QLatin1Char(' '))
                             .contains(QLatin1String(PostgresPair::kPassword)));
        };
        CW_VERIFY(runTo(*migration, Goal::Replica));
        clean();
        CW_VERIFY(carryOut(*migration, command::Verify{}).status);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        clean();
        // The servers themselves keep it, and only until finish.
        QCOMPARE(pair.source.scalar(QStringLiteral("SELECT count(*) FROM pg_subscription WHERE "
                                                   "subconninfo ~ ('mover' || '-secret')")),
                 QStringLiteral("1"));
        CW_VERIFY(runTo(*migration, Goal::Finished));
        clean();
        for (TestServer *server : {&pair.source, &pair.target}) {
            QCOMPARE(server->scalar(QStringLiteral("SELECT count(*) FROM pg_subscription")),
                     QStringLiteral("0"));
        }
    }

    void finishLeavesTheOldSourceSealed()
    {
        PostgresPair pair;
        const QString db = QStringLiteral("shop");
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(QStringLiteral("CREATE TABLE a (id int PRIMARY KEY)"), db);
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
            CW_VERIFY(carryOut(*migration, command::Verify{}).status);
            CW_VERIFY(runTo(*migration, Goal::Primary));
            CW_VERIFY(runTo(*migration, Goal::Finished));
        }
        PostgresClient client;
        QVERIFY(client
                    .connect(pair.source.address(QStringLiteral("postgres"),
                                                 QStringLiteral("root-secret"), db),
                             30)
                    .ok());
        QCOMPARE(client.run("BEGIN READ WRITE; INSERT INTO public.a VALUES (1)").sqlState,
                 std::string("25006"));
        QVERIFY(client.run("ROLLBACK").ok());
        QStringList left = PostgresPair::leftOn(pair.source);
        left.removeDuplicates();
        QVERIFY2(left.filter(QStringLiteral("causeway_sealed_")).size() == 1 && left.size() == 2,
                 qPrintable(left.join(QLatin1Char(' '))));
        QCOMPARE(PostgresPair::leftOn(pair.target), QStringList());
        // The report says how to open it; that SQL, as it is, does.
        const auto journal = Journal::open(pair.file, Journal::Access::Read);
        QVERIFY(journal.has_value());
        const auto sql = (*journal)->value(QStringLiteral("old_source_open_sql"));
        QVERIFY(sql.has_value() && sql->has_value());
        pair.source.exec(**sql, db);
        QCOMPARE(PostgresPair::leftOn(pair.source), QStringList());
        pair.source.exec(QStringLiteral("INSERT INTO a VALUES (1)"), db);
    }
};

QTEST_GUILESS_MAIN(PostgresMigrationTest)
#include "PostgresMigrationTest.moc"
