// Commands posted to a migration, and what becomes of them.

#include "engine/engine/MigrationSupport.h"

using namespace causeway;
using namespace causeway::test;

class CommandTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    // Ctrl+C in the first moment: the engine may not have taken up the command yet.
    void aPauseEndsACommandThatHasNotBegun()
    {
        Pair pair({}, {});
        pair.source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY "
                                        "KEY); INSERT INTO shop.a VALUES (1), (2)"));
        const auto migration = pair.open();
        for (int i = 0; i < 10; ++i) {
            const quint64 seen = migration->lastOutcome().first;
            migration->post(command::RunTo{Goal::Replica, true, false});
            migration->post(command::Pause{});
            QTRY_COMPARE_WITH_TIMEOUT(migration->lastOutcome().first, seen + 2, 30'000);
            QCOMPARE(toString(migration->snapshot()->runState), toString(RunState::Paused));
        }
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.a")),
                 QStringLiteral("2"));
    }

    // The file still says so of the process that closed it.
    void nothingRunsInAFileThatIsJustOpened()
    {
        Pair pair({}, {});
        pair.source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY "
                                        "KEY)"));
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
            QCOMPARE(toString(migration->snapshot()->runState), toString(RunState::Running));
        }
        const auto migration = pair.open();
        QCOMPARE(toString(migration->snapshot()->runState), toString(RunState::Idle));
        const auto journal = Journal::open(pair.file, Journal::Access::Read);
        const auto stored =
            (*journal)->value(QStringLiteral("snapshot")).value().value_or(QString());
        QVERIFY2(stored.contains(QStringLiteral("\"run_state\":\"idle\"")), qPrintable(stored));
    }
};

QTEST_GUILESS_MAIN(CommandTest)
#include "CommandTest.moc"
