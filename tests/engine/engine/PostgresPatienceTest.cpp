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
};

QTEST_GUILESS_MAIN(PostgresPatienceTest)
#include "PostgresPatienceTest.moc"
