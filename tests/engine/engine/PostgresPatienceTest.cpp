// A transaction that never ends keeps the fence from closing: how the switch gives up.
// long-run only: it waits patiently, over a minute.

#include "engine/engine/PostgresMigrationSupport.h"

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

class PostgresPatienceTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aWriterThatStaysInTheWayStopsTheSwitchAndIsNamed()
    {
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

    /// Nobody ends a prepared transaction but who prepared it: it is named, and waited for.
    void aPreparedTransactionIsNamed()
    {
        const QString db = QStringLiteral("shop");
        PostgresPair pair(
            postgres(QStringLiteral("15"), {QStringLiteral("max_prepared_transactions=5")}),
            postgres(QStringLiteral("18")));
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(QStringLiteral("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES "
                                        "(1)"),
                         db);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        CW_VERIFY(carryOut(*migration, command::Verify{}).status);
        pair.source.exec(
            QStringLiteral("BEGIN; INSERT INTO a VALUES (2); PREPARE TRANSACTION 'left over'"), db);
        const Status refused = runTo(*migration, Goal::Primary);
        QVERIFY(!refused);
        QCOMPARE(refused.error().id, QStringLiteral("fence-blocked"));
        QVERIFY2(refused.error().object.contains(QLatin1String("left over")),
                 qPrintable(refused.error().describe()));
        pair.source.exec(QStringLiteral("INSERT INTO a VALUES (3)"), db); // it takes writes
        pair.source.exec(QStringLiteral("COMMIT PREPARED 'left over'"), db);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT string_agg(id::text, ',' ORDER BY id) "
                                                   "FROM a"),
                                    db),
                 QStringLiteral("1,2,3"));
    }
};

QTEST_GUILESS_MAIN(PostgresPatienceTest)
#include "PostgresPatienceTest.moc"
