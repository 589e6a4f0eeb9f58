// Who is in the way of the fence, and who waits for it. A transaction that may still end is waited
// for patiently, a minute long: that is part of the full size.

#include "engine/engine/CliSupport.h"
#include "engine/engine/PostgresMigrationSupport.h"

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

class PostgresPatienceTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aWriterThatStaysInTheWayStopsTheSwitchAndIsNamed()
    {
        if (!qEnvironmentVariableIsSet("CAUSEWAY_LONG"))
            QSKIP("With CAUSEWAY_LONG only.");
        PostgresPair pair;
        const QString db = QStringLiteral("shop");
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(QStringLiteral("CREATE TABLE a (id int PRIMARY KEY)"), db);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        CW_VERIFY(carryOut(*migration, command::Verify{}).status);
        PostgresClient writer;
        QVERIFY(writer
                    .connect(pair.source.address(QStringLiteral("postgres"),
                                                 QStringLiteral("root-secret"), db),
                             60)
                    .ok());
        QVERIFY(writer.run("BEGIN; INSERT INTO public.a VALUES (1)").ok());
        const Status refused = runTo(*migration, Goal::Primary);
        QVERIFY(!refused);
        QCOMPARE(refused.error().id, QStringLiteral("fence-blocked"));
        QVERIFY2(refused.error().object.contains(QString::number(writer.backendPid())),
                 qPrintable(refused.error().describe()));
        QVERIFY(migration->snapshot()->phase == Phase::Replica);
        QVERIFY(writer.run("COMMIT").ok());
        // Nothing of the attempt stays: the source takes writes, and there is no way back half
        // made.
        QVERIFY(writer.run("INSERT INTO public.a VALUES (2)").ok());
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT count(*) FROM pg_replication_slots")),
                 QStringLiteral("0"));
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT count(*) FROM public.a"), db),
                 QStringLiteral("2"));
    }

    /// Who waits for the hold with a stronger lock has everybody else wait behind it, who reads the
    /// schema and the sequences too. No server sees that as a deadlock.
    void aTruncateThatWaitsForTheHoldHoldsUpNobody()
    {
        qputenv("CAUSEWAY_SOURCE_PASSWORD", PostgresPair::kPassword);
        qputenv("CAUSEWAY_TARGET_PASSWORD", PostgresPair::kPassword);
        const QString db = QStringLiteral("shop");
        PostgresPair pair(postgres(), postgres(QStringLiteral("18")));
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(
            QStringLiteral("CREATE TABLE a (id serial PRIMARY KEY, v text DEFAULT 'x' CHECK "
                           "(length(v) < 10)); CREATE INDEX ON a (upper(v)); INSERT INTO a (v) "
                           "VALUES ('1'); CREATE UNLOGGED TABLE u (id int PRIMARY KEY); INSERT "
                           "INTO u VALUES (7)"),
            db);
        if (!Journal::create(pair.file, pair.settings))
            qFatal("no journal");
        const auto run = [&](const char *goal) {
            return QStringList{QStringLiteral("run"), pair.file, QStringLiteral("--to"),
                               QString::fromLatin1(goal)};
        };
        CW_EXITS(cli(run("replica")), 0);
        CliProcess switching(run("primary"), {}, QStringLiteral("switch.hold:after"));
        QTRY_VERIFY_WITH_TIMEOUT(switching.isStopped(), 60'000);
        const Address root =
            pair.source.address(QStringLiteral("postgres"), QStringLiteral("root-secret"), db);
        std::string state;
        std::jthread truncating([&] {
            PostgresClient client;
            if (client.connect(root, 120).ok())
                state = client.run("TRUNCATE public.a, public.u RESTART IDENTITY").sqlState;
        });
        QTRY_COMPARE_WITH_TIMEOUT(
            pair.source.scalar(QStringLiteral("SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                                              "mode = 'AccessExclusiveLock'"),
                               db),
            QStringLiteral("1"), 5'000);
        switching.signal(SIGCONT);
        const Ended ended = switching.wait(60'000);
        truncating.join();
        QVERIFY2(ended.status == 0, ended.tail().constData());
        QCOMPARE(state, std::string("25006"));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT (SELECT count(*) FROM a) + (SELECT id "
                                                   "FROM u)"),
                                    db),
                 QStringLiteral("8"));
    }

    /// It gives way to who waits for a second, which is all that a switch may cost the application.
    void autovacuumMakesNoPause()
    {
        const QString db = QStringLiteral("shop");
        PostgresPair pair(
            postgres(QStringLiteral("15"), {QStringLiteral("autovacuum_naptime=1"),
                                            QStringLiteral("autovacuum_vacuum_cost_limit=1"),
                                            QStringLiteral("autovacuum_vacuum_cost_delay=100ms")}),
            postgres(QStringLiteral("18")));
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(QStringLiteral("CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO "
                                        "a SELECT g, repeat('x', 500) FROM generate_series(1, "
                                        "20000) g"),
                         db);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        CW_VERIFY(carryOut(*migration, command::Verify{}).status);
        pair.source.exec(QStringLiteral("UPDATE a SET v = repeat('y', 500)"), db);
        QTRY_COMPARE_WITH_TIMEOUT(
            pair.source.scalar(QStringLiteral("SELECT count(*) FROM pg_locks l JOIN "
                                              "pg_stat_activity USING (pid) WHERE relation = "
                                              "'a'::regclass AND backend_type = 'autovacuum "
                                              "worker' AND mode = 'ShareUpdateExclusiveLock'"),
                               db),
            QStringLiteral("1"), 30'000);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        const double pause = migration->snapshot()->writePauseSeconds;
        QVERIFY2(pause < 0.9, qPrintable(QString::number(pause)));
    }

    void aPreparedTransactionIsNamedAtOnce_data()
    {
        QTest::addColumn<QString>("from");
        QTest::newRow("15") << QStringLiteral("15");
        if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
            for (const char *major : {"13", "14", "16", "17", "18"})
                QTest::newRow(major) << QString::fromLatin1(major);
        }
    }
    /// Nobody ends a prepared transaction but who prepared it: waiting is of no use.
    void aPreparedTransactionIsNamedAtOnce()
    {
        QFETCH(const QString, from);
        const QString db = QStringLiteral("shop");
        PostgresPair pair(postgres(from, {QStringLiteral("max_prepared_transactions=5")}),
                          postgres(QStringLiteral("18")));
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(QStringLiteral("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES "
                                        "(1); CREATE TABLE p (id int PRIMARY KEY) PARTITION BY "
                                        "RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES "
                                        "FROM (0) TO (100)"),
                         db);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        CW_VERIFY(carryOut(*migration, command::Verify{}).status);
        pair.source.exec(
            QStringLiteral("BEGIN; INSERT INTO a VALUES (2); PREPARE TRANSACTION 'left ''over'"),
            db);
        pair.source.exec(
            QStringLiteral("BEGIN; INSERT INTO p1 VALUES (2); PREPARE TRANSACTION 'leaf'"), db);
        // One that has only read is in nobody's way.
        pair.source.exec(
            QStringLiteral("BEGIN; SELECT count(*) FROM a; PREPARE TRANSACTION 'reader'"), db);
        QElapsedTimer time;
        time.start();
        const Status refused = runTo(*migration, Goal::Primary);
        QVERIFY2(time.elapsed() < 15'000, qPrintable(QString::number(time.elapsed())));
        QVERIFY(!refused);
        QCOMPARE(refused.error().id, QStringLiteral("fence-blocked"));
        const QString told = refused.error().describe();
        for (const char *part : {"prepared transaction left 'over", "prepared transaction leaf",
                                 "COMMIT PREPARED 'left ''over'", "ROLLBACK PREPARED 'leaf'"})
            QVERIFY2(told.contains(QLatin1String(part)), qPrintable(told));
        QVERIFY2(!told.contains(QLatin1String("reader")), qPrintable(told));
        pair.source.exec(QStringLiteral("INSERT INTO a VALUES (3)"), db); // it takes writes
        pair.source.exec(QStringLiteral("COMMIT PREPARED 'left ''over'"), db);
        pair.source.exec(QStringLiteral("ROLLBACK PREPARED 'leaf'"), db);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT string_agg(id::text, ',' ORDER BY id) "
                                                   "FROM a"),
                                    db),
                 QStringLiteral("1,2,3"));
        pair.source.exec(QStringLiteral("ROLLBACK PREPARED 'reader'"), db);
    }
};

QTEST_GUILESS_MAIN(PostgresPatienceTest)
#include "PostgresPatienceTest.moc"
