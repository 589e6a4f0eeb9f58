// What goes wrong with replication between the servers while nobody looks: found, said, and what
// can be done about it.

#include "engine/engine/CliSupport.h"
#include "engine/engine/PostgresMigrationSupport.h"

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
const QString kDb = QStringLiteral("shop");

/// A small database that is followed.
struct Followed {
    PostgresPair pair;

    explicit Followed(const QString &from = QStringLiteral("15"))
        : pair(postgres(from), postgres(QStringLiteral("18")))
    {
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(
            QStringLiteral("CREATE TABLE a (id int PRIMARY KEY, v text UNIQUE); INSERT "
                           "INTO a SELECT g, 'v' || g FROM generate_series(1, 100) g"),
            kDb);
        if (!Journal::create(pair.file, pair.settings))
            qFatal("no journal");
    }
    QJsonObject ask(int exit)
    {
        // Those of Pair are the ones that cliEnvironment() holds.
        const Ended ended = cli({QStringLiteral("status"), pair.file, QStringLiteral("--json")});
        if (ended.status != exit)
            qWarning("%s", ended.tail().constData());
        return ended.status == exit ? ended.json() : QJsonObject();
    }
    static QString trouble(const QJsonObject &status)
    {
        const QJsonArray all = status.value(QStringLiteral("troubles")).toArray();
        return all.isEmpty() ? QString() : all[0].toObject().value(QStringLiteral("id")).toString();
    }
};
} // namespace

class PostgresTroubleTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("CAUSEWAY_SOURCE_PASSWORD", PostgresPair::kPassword);
        qputenv("CAUSEWAY_TARGET_PASSWORD", PostgresPair::kPassword);
    }

    void aConflictIsNamedAndCanBeOverwritten()
    {
        Followed f;
        PostgresPair &pair = f.pair;
        CW_EXITS(cli(run(pair, "replica")), 0);
        QJsonObject status = f.ask(0);
        QVERIFY(!status.isEmpty());
        QCOMPARE(status.value(QStringLiteral("troubles")).toArray().size(), 0);
        QVERIFY(status.value(QStringLiteral("log_kept_bytes")).isDouble());
        QCOMPARE(status.value(QStringLiteral("tables"))
                     .toArray()[0]
                     .toObject()
                     .value(QStringLiteral("rows"))
                     .toInteger(),
                 100);

        // Rows of the follower's own: one has a key that the leader uses next, another only a value
        // that is unique.
        pair.target.exec(
            QStringLiteral("BEGIN READ WRITE; SET LOCAL session_replication_role = replica; "
                           "INSERT INTO a VALUES (500, 'foreign'), (501, 'taken'); COMMIT"),
            kDb);
        pair.source.exec(
            QStringLiteral("BEGIN; DELETE FROM a WHERE id = 7; INSERT INTO a VALUES (7, "
                           "'again'); INSERT INTO a VALUES (500, 'theirs'); UPDATE a "
                           "SET v = 'taken' WHERE id = 8; COMMIT; INSERT INTO a VALUES "
                           "(600, 'after')"),
            kDb);
        QTRY_COMPARE_WITH_TIMEOUT(Followed::trouble(f.ask(1)), QStringLiteral("apply-error"),
                                  30'000);
        {
            const auto migration = pair.open();
            const Status refused = runTo(*migration, Goal::Replica);
            QVERIFY(!refused);
            QCOMPARE(refused.error().id, QStringLiteral("apply-error"));
            QCOMPARE(refused.error().object, QStringLiteral("public.a"));
            QVERIFY2(refused.error().serverWords.contains(QLatin1String("a_pkey")),
                     qPrintable(refused.error().describe()));
            const auto decision = migration->snapshot()->decision;
            QVERIFY(decision.has_value());
            QCOMPARE(decision->choices.front().id, QStringLiteral("overwrite"));
        }
        CW_EXITS(cli({QStringLiteral("answer"), pair.file, QStringLiteral("apply-error"),
                      QStringLiteral("overwrite")}),
                 0);
        CW_EXITS(cli(run(pair, "replica")), 0);
        QCOMPARE(pair.differences(), QStringList());
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT string_agg(v, ',' ORDER BY id) FROM a "
                                                   "WHERE id IN (7, 8, 500, 501, 600)"),
                                    kDb),
                 QStringLiteral("again,taken,theirs,after"));
        QVERIFY(!f.ask(0).isEmpty());
    }

    /// The server tries it again for ever, and its main worker runs.
    void aTableThatCannotBeCopiedIsNamed()
    {
        Followed f;
        PostgresPair &pair = f.pair;
        pair.target.exec(
            QStringLiteral("CREATE FUNCTION public.mischief() RETURNS event_trigger LANGUAGE "
                           "plpgsql AS $$ BEGIN IF to_regclass('public.a') IS NOT NULL THEN "
                           "INSERT INTO public.a VALUES (1, 'mine') ON CONFLICT DO NOTHING; END "
                           "IF; END $$"),
            kDb);
        pair.target.exec(QStringLiteral("CREATE EVENT TRIGGER mischief ON ddl_command_end WHEN TAG "
                                        "IN ('ALTER TABLE') EXECUTE FUNCTION public.mischief()"),
                         kDb);
        pair.target.exec(QStringLiteral("ALTER EVENT TRIGGER mischief ENABLE ALWAYS"), kDb);
        const Ended refused =
            cli(run(pair, "replica") << QStringLiteral("--json") << QStringLiteral("--accept")
                                     << QStringLiteral("pg-event-triggers"));
        QVERIFY(refused.status != 0);
        QVERIFY2(refused.output.contains("pg-copy-fails"), refused.tail().constData());
        QVERIFY2(refused.output.contains("public.a"), refused.tail().constData());
        pair.target.exec(QStringLiteral("DROP EVENT TRIGGER mischief; SET "
                                        "session_replication_role = replica; TRUNCATE a"),
                         kDb);
        CW_EXITS(cli(run(pair, "replica")), 0);
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT count(*) FROM a"), kDb),
                 QStringLiteral("100"));
        CW_EXITS(cli({QStringLiteral("cancel"), pair.file, QStringLiteral("--discard")}), 0);
    }

    void aLostSlotIsAnAlarm()
    {
        Followed f;
        PostgresPair &pair = f.pair;
        CW_EXITS(cli(run(pair, "replica")), 0);
        pair.target.exec(QStringLiteral("BEGIN READ WRITE; DO $$ BEGIN EXECUTE "
                                        "format('ALTER SUBSCRIPTION %I DISABLE', (SELECT subname "
                                        "FROM pg_subscription)); END $$; COMMIT"),
                         kDb);
        QTRY_COMPARE_WITH_TIMEOUT(
            pair.source.scalar(
                QStringLiteral("SELECT count(*) FROM pg_replication_slots WHERE active"), kDb),
            QStringLiteral("0"), 30'000);
        QCOMPARE(Followed::trouble(f.ask(1)), QStringLiteral("pg-subscription-disabled"));
        pair.source.exec(
            QStringLiteral("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"),
            kDb);
        QCOMPARE(Followed::trouble(f.ask(1)), QStringLiteral("pg-slot-lost"));
        const Ended refused = cli(run(pair, "replica") << QStringLiteral("--json"));
        QCOMPARE(refused.status, 1);
        QCOMPARE(refused.errorId(), QStringLiteral("pg-slot-lost"));
    }

    /// An old source that is gone, or only away, does not keep a migration from ending; what is
    /// left on it is remembered until it is gone.
    void whatIsLeftOnAServerThatIsAwayIsRemembered_data()
    {
        QTest::addColumn<QString>("how");
        QTest::newRow("finish") << QStringLiteral("finish");
        QTest::newRow("cancel") << QStringLiteral("cancel");
        if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
            QTest::newRow("by hand") << QStringLiteral("by hand");
            QTest::newRow("cancel, target away") << QStringLiteral("target");
        }
    }
    void whatIsLeftOnAServerThatIsAwayIsRemembered()
    {
        QFETCH(const QString, how);
        Followed f;
        PostgresPair &pair = f.pair;
        const bool cancels = how == QLatin1String("cancel") || how == QLatin1String("target");
        TestServer &away = how == QLatin1String("target") ? pair.target : pair.source;
        TestServer &here = how == QLatin1String("target") ? pair.source : pair.target;
        CW_EXITS(cli(run(pair, cancels ? "replica" : "primary")), 0);
        away.stop();
        const QStringList end = cancels ? QStringList{QStringLiteral("cancel"), pair.file}
                                        : run(pair, "finished") << QStringLiteral("--old-source")
                                                                << QStringLiteral("open");
        CW_EXITS(cli(end), 0);
        QCOMPARE(PostgresPair::leftOn(here), QStringList());
        here.exec(QStringLiteral("INSERT INTO a VALUES (1000, 'open')"), kDb);
        // Named by every look and every start.
        const QJsonObject status = f.ask(1);
        QCOMPARE(status.value(QStringLiteral("phase")).toString(),
                 cancels ? QStringLiteral("cancelled") : QStringLiteral("finished"));
        QCOMPARE(Followed::trouble(status), QStringLiteral("pg-left-behind"));
        const QString fix = status.value(QStringLiteral("troubles"))
                                .toArray()[0]
                                .toObject()
                                .value(QStringLiteral("fix"))
                                .toString();
        QVERIFY2(fix.contains(QLatin1String("pg_drop_replication_slot")), qPrintable(fix));
        const Ended again = cli(end);
        QVERIFY2(again.status == 3 && again.output.contains("pg_drop_replication_slot"),
                 again.tail().constData());
        const QString report = pair.folder.filePath(QStringLiteral("r.json"));
        CW_EXITS(cli({QStringLiteral("report"), pair.file, QStringLiteral("--json"), report}), 0);
        QFile file(report);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonObject left = QJsonDocument::fromJson(file.readAll())
                                     .object()
                                     .value(QStringLiteral("left_behind"))
                                     .toObject();
        QVERIFY(!left.isEmpty());

        away.start();
        QVERIFY(!PostgresPair::leftOn(away).isEmpty());
        if (how == QLatin1String("by hand")) {
            PostgresClient client;
            QVERIFY(client
                        .connect(away.address(QStringLiteral("postgres"),
                                              QStringLiteral("root-secret"), kDb),
                                 60)
                        .ok());
            for (const QJsonValue &sql : left.value(QStringLiteral("sql")).toArray()) {
                const PgOutcome done = client.run(sql.toString().toStdString());
                QVERIFY2(done.ok(), qPrintable(sql.toString()));
            }
            QCOMPARE(PostgresPair::leftOn(away), QStringList());
        }
        CW_EXITS(cli(end), 0);
        QCOMPARE(PostgresPair::leftOn(away), QStringList());
        QVERIFY(!f.ask(0).isEmpty());
        away.exec(QStringLiteral("INSERT INTO a VALUES (2000, 'open')"), kDb);
    }

    /// Schema changes are not replicated: each is found, named, and carried over when asked to.
    void aSchemaChangeIsFoundAndApplied()
    {
        Followed f;
        PostgresPair &pair = f.pair;
        pair.source.exec(QStringLiteral("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE b (id int "
                                        "PRIMARY KEY, m mood, gone int NOT NULL, n int); INSERT "
                                        "INTO b VALUES (1, 'sad', 1, 1)"),
                         kDb);
        CW_EXITS(cli(run(pair, "replica")), 0);
        QVERIFY(!f.ask(0).isEmpty());
        pair.source.exec(
            QStringLiteral("ALTER TABLE a ADD COLUMN w text NOT NULL DEFAULT 'd'; INSERT INTO a "
                           "VALUES (900, 'x', 'own'); CREATE INDEX a_w ON a (w); ALTER TABLE a ADD "
                           "CONSTRAINT w_short CHECK (length(w) < 20); ALTER TABLE b DROP COLUMN "
                           "gone; ALTER TABLE b ALTER COLUMN n TYPE bigint; ALTER TABLE b ALTER "
                           "COLUMN n SET DEFAULT 7"),
            kDb);
        pair.source.exec(QStringLiteral("ALTER TYPE mood ADD VALUE 'happy'"), kDb);
        pair.source.exec(QStringLiteral("INSERT INTO b VALUES (2, 'happy', 5000000000)"), kDb);
        const QJsonObject status = f.ask(1);
        QVERIFY(!status.isEmpty());
        bool drift = false;
        for (const QJsonValue &t : status.value(QStringLiteral("troubles")).toArray())
            drift =
                drift || t.toObject().value(QStringLiteral("id")) == QLatin1String("schema-drift");
        QVERIFY(drift);
        for (const char *goal : {"replica", "primary"}) {
            const Ended refused = cli(run(pair, goal) << QStringLiteral("--json"));
            QCOMPARE(refused.status, 1);
            QCOMPARE(refused.errorId(), QStringLiteral("schema-drift"));
        }
        CW_EXITS(cli({QStringLiteral("answer"), pair.file, QStringLiteral("schema-drift"),
                      QStringLiteral("apply")}),
                 0);
        CW_EXITS(cli(run(pair, "replica")), 0);
        QCOMPARE(pair.differences(), QStringList());
        QVERIFY(!f.ask(0).isEmpty());
        const auto shape = [](TestServer &server) {
            return server.scalar(
                QStringLiteral("SELECT string_agg(attname || format_type(atttypid, NULL) || "
                               "attnotnull || COALESCE(pg_get_expr(adbin, adrelid), ''), ',' ORDER "
                               "BY attrelid::regclass::text, attname) FROM pg_attribute LEFT JOIN "
                               "pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid "
                               "IN ('a'::regclass, 'b'::regclass) AND attnum > 0 AND NOT "
                               "attisdropped"),
                kDb);
        };
        QCOMPARE(shape(pair.target), shape(pair.source));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT count(*) FROM pg_indexes WHERE "
                                                   "indexname = 'a_w'"),
                                    kDb),
                 QStringLiteral("1"));
        // A new table is in no publication: that takes a person, and the switch does not come.
        pair.source.exec(QStringLiteral("CREATE TABLE c (id int PRIMARY KEY)"), kDb);
        const Ended refused = cli(run(pair, "primary") << QStringLiteral("--json"));
        QCOMPARE(refused.status, 1);
        QCOMPARE(refused.errorId(), QStringLiteral("schema-drift"));
        pair.source.exec(QStringLiteral("DROP TABLE c"), kDb);
        CW_EXITS(cli(run(pair, "primary")), 0);
        // Changed on the new leader for good: finished by the user's word.
        pair.target.exec(QStringLiteral("ALTER TABLE a ADD COLUMN later int"), kDb);
        const Ended stays = cli(run(pair, "finished") << QStringLiteral("--json"));
        QCOMPARE(stays.status, 1);
        QCOMPARE(stays.errorId(), QStringLiteral("schema-drift"));
        CW_EXITS(
            cli(run(pair, "finished") << QStringLiteral("--accept") << QStringLiteral("one-way")),
            0);
        QCOMPARE(PostgresPair::leftOn(pair.target), QStringList());
    }

private:
    static QStringList run(const PostgresPair &pair, const char *goal)
    {
        return {QStringLiteral("run"), pair.file, QStringLiteral("--to"),
                QString::fromLatin1(goal)};
    }
};

QTEST_GUILESS_MAIN(PostgresTroubleTest)
#include "PostgresTroubleTest.moc"
