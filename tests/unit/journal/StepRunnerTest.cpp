// Steps: recorded before and after, undone newest first until the point of no return.

#include "journal/Journal.h"
#include "journal/Step.h"

#include <QTemporaryDir>
#include <QtTest>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace causeway;

class StepRunnerTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_dir;
    int m_files = 0;
    std::unique_ptr<Journal> m_journal;
    QStringList m_log; ///< what the steps did, in order

    Step make(const char *id, const Status &outcome = {}, bool undo = true)
    {
        Step s;
        s.id = QString::fromLatin1(id);
        s.title = cwText("core", "Step %1", s.id);
        s.act = [this, name = s.id, outcome](std::stop_token) {
            m_log << name;
            return outcome;
        };
        if (undo) {
            s.undo = [this, name = s.id](std::stop_token) -> Status {
                m_log << QStringLiteral("undo ") + name;
                return {};
            };
        }
        return s;
    }
    static Status refused(const char *words = "no room")
    {
        Error e;
        e.code = ErrorCode::Server;
        e.id = QStringLiteral("full");
        e.message = cwText("core", "Refused.");
        e.serverWords = QString::fromLatin1(words);
        return fail(std::move(e));
    }
    StepRecord recorded(const char *id)
    {
        const auto steps = m_journal->steps();
        for (const StepRecord &r : *steps) {
            if (r.id == QLatin1String(id))
                return r;
        }
        return {};
    }

private Q_SLOTS:
    void init()
    {
        m_log.clear();
        auto journal =
            Journal::create(m_dir.filePath(QStringLiteral("m%1").arg(++m_files)), Settings{});
        QVERIFY(journal.has_value());
        m_journal = std::move(*journal);
    }

    /// Who cancels does not wait for a server that says nothing, and hears what it was about.
    void aSilentServerIsNotWaitedFor()
    {
        Step far = make("far");
        far.side = Side::Source;
        Step near = make("near");
        near.side = Side::Target;
        std::stop_source user;
        Step last = make("last", {}, false);
        last.act = [&](std::stop_token) -> Status {
            user.request_stop();
            Error e; // whatever an interrupted act says
            e.code = ErrorCode::ConnectionLost;
            return fail(std::move(e));
        };
        StepRunner runner(*m_journal);
        runner.answers = [](Side side) { return side == Side::Target; };
        const Status done = runner.run({far, near, last}, user.get_token());
        QVERIFY(!done);
        QCOMPARE(done.error().id, QStringLiteral("not-undone"));
        QCOMPARE(done.error().object, QStringLiteral("far"));
        QCOMPARE(done.error().exitStatus(), 3);
        QCOMPARE(m_log, (QStringList{QStringLiteral("far"), QStringLiteral("near"),
                                     QStringLiteral("undo near")}));
        QCOMPARE(toString(recorded("far").state), QStringLiteral("failed"));
        QCOMPARE(toString(recorded("near").state), QStringLiteral("undone"));
    }

    /// Nor for one that falls silent while something is undone there.
    void anUndoEndsWhenItsServerFallsSilent()
    {
        std::stop_source user;
        Step hangs = make("hangs");
        hangs.side = Side::Source;
        std::atomic<bool> undoing{false};
        hangs.undo = [&](std::stop_token late) -> Status {
            undoing = true;
            std::mutex mutex;
            std::condition_variable_any never;
            std::unique_lock lock(mutex);
            never.wait(lock, late, [] { return false; });
            Error e;
            e.code = ErrorCode::Cancelled;
            return fail(std::move(e));
        };
        Step last = make("last", refused(), false);
        StepRunner runner(*m_journal);
        runner.answers = [&](Side) { return !undoing; };
        const std::jthread person([&](const std::stop_token &ended) {
            while (!undoing && !ended.stop_requested())
                std::this_thread::yield();
            user.request_stop();
        });
        const Status done = runner.run({hangs, last}, user.get_token());
        QVERIFY(!done);
        QCOMPARE(done.error().id, QStringLiteral("not-undone"));
        QVERIFY(recorded("hangs").error.contains(QLatin1String("does not answer")));
    }

    void runsInOrderAndRecords()
    {
        StepRunner runner(*m_journal);
        QStringList seen;
        runner.onChange = [&](const StepRecord &r) {
            seen << r.id + QLatin1Char(' ') + toString(r.state);
        };
        QVERIFY(runner.run({make("a"), make("b")}, {}).has_value());
        QCOMPARE(m_log, (QStringList{QStringLiteral("a"), QStringLiteral("b")}));
        QCOMPARE(seen, (QStringList{QStringLiteral("a running"), QStringLiteral("a done"),
                                    QStringLiteral("b running"), QStringLiteral("b done")}));
        QCOMPARE(toString(recorded("b").state), QStringLiteral("done"));
        QVERIFY(recorded("b").finishedMs >= recorded("b").startedMs);
    }

    void skipsWhatIsDoneButCanUndoIt()
    {
        Step done = make("a");
        done.check = [](std::stop_token) -> Result<bool> { return true; };
        QVERIFY(!StepRunner(*m_journal).run({done, make("b", refused())}, {}).has_value());
        QCOMPARE(m_log, (QStringList{QStringLiteral("b"), QStringLiteral("undo b"),
                                     QStringLiteral("undo a")}));
    }

    void undoesNewestFirstAndReturnsTheError()
    {
        const Status ended =
            StepRunner(*m_journal)
                .run({make("a"), make("b", {}, false), make("c"), make("d", refused())}, {});
        QVERIFY(!ended.has_value());
        QCOMPARE(ended.error().id, QStringLiteral("full"));
        QCOMPARE(m_log.mid(4), (QStringList{QStringLiteral("undo d"), QStringLiteral("undo c"),
                                            QStringLiteral("undo a")}));
        QCOMPARE(toString(recorded("a").state), QStringLiteral("undone"));
        QCOMPARE(toString(recorded("b").state), QStringLiteral("done"));
    }

    void theFailingStepKeepsItsErrorWhenItIsUndone()
    {
        QVERIFY(!StepRunner(*m_journal).run({make("a"), make("b", refused())}, {}).has_value());
        QCOMPARE(toString(recorded("b").state), QStringLiteral("undone"));
        QVERIFY2(recorded("b").error.contains(QStringLiteral("no room")),
                 qPrintable(recorded("b").error));
        QVERIFY(recorded("a").error.isEmpty());
    }

    void anUndoThatFailsSaysSoAndTheOthersGoOn()
    {
        Step stubborn = make("b");
        stubborn.undo = [this](std::stop_token) {
            m_log << QStringLiteral("undo b");
            return refused("not now");
        };
        const Status ended =
            StepRunner(*m_journal).run({make("a"), stubborn, make("c", refused())}, {});
        QCOMPARE(ended.error().serverWords, QStringLiteral("no room"));
        QVERIFY(m_log.contains(QStringLiteral("undo a")));
        QCOMPARE(toString(recorded("b").state), QStringLiteral("failed"));
        QVERIFY(recorded("b").error.contains(QStringLiteral("not now")));
    }

    void nothingBeforeThePointOfNoReturnIsUndone()
    {
        Step lead = make("lead", {}, false);
        lead.noReturn = true;
        QVERIFY(!StepRunner(*m_journal)
                     .run({make("a"), lead, make("b"), make("c", refused())}, {})
                     .has_value());
        QCOMPARE(m_log.mid(4), (QStringList{QStringLiteral("undo c"), QStringLiteral("undo b")}));
        QCOMPARE(toString(recorded("a").state), QStringLiteral("done"));
    }

    void aStopBetweenStepsUndoesWithATokenOfItsOwn()
    {
        std::stop_source stop;
        Step first = make("a");
        first.act = [&](std::stop_token) -> Status {
            stop.request_stop();
            return {};
        };
        bool undoneWasStopped = true;
        first.undo = [&](std::stop_token token) -> Status {
            undoneWasStopped = token.stop_requested();
            return {};
        };
        const Status ended = StepRunner(*m_journal).run({first, make("b")}, stop.get_token());
        QVERIFY(ended.error().code == ErrorCode::Cancelled);
        QVERIFY(!undoneWasStopped);
        QVERIFY(m_log.isEmpty());
    }

    void aCheckThatFailsUndoesToo()
    {
        Step blind = make("b");
        blind.check = [](std::stop_token) -> Result<bool> {
            return fail(ErrorCode::ConnectionLost, cwText("core", "Gone."));
        };
        const Status ended = StepRunner(*m_journal).run({make("a"), blind}, {});
        QVERIFY(ended.error().code == ErrorCode::ConnectionLost);
        QCOMPARE(m_log, (QStringList{QStringLiteral("a"), QStringLiteral("undo a")}));
    }

    void aFileThatTakesNoMoreLeavesNoServerHalfChanged()
    {
        // The second step's record is refused, as by a full disk.
        const QString path = m_journal->path();
        m_journal.reset();
        auto reader = Journal::open(path, Journal::Access::Read);
        QVERIFY(reader.has_value());
        m_journal = std::move(*reader);
        Step first = make("a");
        const Status ended = StepRunner(*m_journal).run({first, make("b")}, {});
        QVERIFY(!ended.has_value());
        QVERIFY(ended.error().code == ErrorCode::Io);
        QVERIFY(!m_log.contains(QStringLiteral("b")));
    }
};

QTEST_GUILESS_MAIN(StepRunnerTest)
#include "StepRunnerTest.moc"
