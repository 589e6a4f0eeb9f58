// Steps run in order, are recorded, and are undone newest first where one fails.

#include "journal/Journal.h"
#include "journal/Step.h"

#include <QTemporaryDir>
#include <QtTest>

using namespace causeway;

namespace {
Error refused(const char *words)
{
    Error e;
    e.code = ErrorCode::Server;
    e.id = QStringLiteral("refused");
    e.message = cwText("test", "The server refused.");
    e.serverWords = QString::fromLatin1(words);
    return e;
}
} // namespace

class StepRunnerTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    std::unique_ptr<Journal> m_journal;
    QStringList m_done;

    Step step(const char *id, bool fails = false, bool undoFails = false)
    {
        Step s;
        s.id = QString::fromLatin1(id);
        s.title = cwText("test", "Step");
        s.act = [this, id = s.id, fails](std::stop_token) -> Status {
            m_done << id;
            return fails ? Status(fail(refused("no act"))) : Status();
        };
        s.undo = [this, id = s.id, undoFails](std::stop_token) -> Status {
            m_done << QLatin1Char('-') + id;
            return undoFails ? Status(fail(refused("no undo"))) : Status();
        };
        return s;
    }
    StepRecord recorded(const char *id)
    {
        const auto all = m_journal->steps();
        for (const StepRecord &r : *all) {
            if (r.id == QLatin1String(id))
                return r;
        }
        return {};
    }

private Q_SLOTS:
    void init()
    {
        m_done.clear();
        m_journal.reset();
        const QString path = m_folder.filePath(QStringLiteral("m.causeway"));
        QFile::remove(path);
        auto made = Journal::create(path, {});
        QVERIFY(made.has_value());
        m_journal = std::move(*made);
    }

    void undoesNewestFirst()
    {
        const Status ended =
            StepRunner(*m_journal).run({step("a"), step("b"), step("c", true), step("d")}, {});
        QVERIFY(!ended);
        QCOMPARE(ended.error().serverWords, QStringLiteral("no act"));
        QCOMPARE(m_done.join(QLatin1Char(' ')), QStringLiteral("a b c -c -b -a"));
        QVERIFY(recorded("a").state == StepState::Undone);
        QVERIFY(recorded("a").error.isEmpty());
    }

    void keepsTheErrorOfTheStepThatFailed()
    {
        QVERIFY(!StepRunner(*m_journal).run({step("a"), step("b", true)}, {}));
        QVERIFY(recorded("b").state == StepState::Undone);
        QVERIFY2(recorded("b").error.contains(QLatin1String("no act")),
                 qPrintable(recorded("b").error));
        // And of an undoing that fails as well.
        QVERIFY(!StepRunner(*m_journal).run({step("a", false, true), step("b", true, true)}, {}));
        QVERIFY(recorded("b").error.contains(QLatin1String("no act")));
        QVERIFY(recorded("b").error.contains(QLatin1String("no undo")));
        QVERIFY(recorded("a").error.contains(QLatin1String("no undo")));
    }

    void undoesNothingBeforeThePointOfNoReturn()
    {
        Step point = step("b");
        point.noReturn = true;
        QVERIFY(!StepRunner(*m_journal).run({step("a"), point, step("c"), step("d", true)}, {}));
        QCOMPARE(m_done.join(QLatin1Char(' ')), QStringLiteral("a b c d -d -c"));
        QVERIFY(recorded("a").state == StepState::Done);
    }

    void passesOverWhatIsDone()
    {
        Step done = step("a");
        done.check = [](std::stop_token) -> Result<bool> { return true; };
        QVERIFY(StepRunner(*m_journal).run({done, step("b")}, {}).has_value());
        QCOMPARE(m_done.join(QLatin1Char(' ')), QStringLiteral("b"));
        QVERIFY(recorded("a").state == StepState::Skipped);
    }
};

QTEST_GUILESS_MAIN(StepRunnerTest)
#include "StepRunnerTest.moc"
