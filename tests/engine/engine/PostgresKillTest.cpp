// SIGKILL at each mark of each step of the native route, then run again: it must go on to the end
// with both sides equal and no slot left behind. And what a kill under the fence means for those
// who write.

#include "engine/engine/CliSupport.h"
#include "engine/engine/PostgresMigrationSupport.h"

#include <QRandomGenerator>

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
/// The steps of a stage, in the order in which they come.
QStringList stepsOf(const QString &stage)
{
    const auto list = [](std::initializer_list<const char *> names, const QString &prefix = {}) {
        QStringList out;
        for (const char *name : names)
            out << prefix + QString::fromLatin1(name);
        return out;
    };
    if (stage == QLatin1String("copy")) {
        return list({"copy.state-source", "copy.state-target", "copy.account-source",
                     "copy.account-target", "copy.reach-source", "copy.reach-target",
                     "copy.publication", "copy.tables", "copy.close-target", "copy.slot",
                     "copy.subscription", "copy.indexes", "replica.constraints",
                     "replica.foreign-keys", "replica.triggers", "replica.last", "replica.views",
                     "replica.analyze", "replica.read-only"});
    }
    if (stage == QLatin1String("finish")) {
        return list({"finish.stream-back", "finish.stream", "finish.target", "finish.source",
                     "detach.state-source", "detach.state-target"});
    }
    return list({"publication", "slot", "subscription", "hold", "drain", "compare", "sequences",
                 "seal", "stop-stream", "advance", "lead"},
                stage + QLatin1Char('.')) +
           list({"complete.open", "complete.follow", "complete.drop-stream", "complete.tidy"});
}

PostgresWorkloadOptions fewWrites()
{
    PostgresWorkloadOptions options;
    options.connections = 3;
    options.rate = 60;
    options.longTransaction = 0ms;
    options.documentBytes = 10'000;
    return options;
}

/// Writers on the source, and the file of a migration that was not run yet.
struct Scene {
    PostgresPair pair;
    std::unique_ptr<PostgresWorkload> writer;

    Scene()
    {
        PostgresWorkload::createSchema(pair.source, fewWrites());
        PostgresWorkload::createAccount(pair.target, QString::fromLatin1(PostgresPair::kRole));
        if (!Journal::create(pair.file, pair.settings))
            qFatal("no journal");
        writer = std::make_unique<PostgresWorkload>(
            std::vector<Address>{PostgresWorkload::address(pair.source),
                                 PostgresWorkload::address(pair.target)},
            fewWrites());
        writer->start();
    }
    [[nodiscard]] QStringList run(const char *to) const
    {
        return {QStringLiteral("run"),          pair.file,
                QStringLiteral("--to"),         QString::fromLatin1(to),
                QStringLiteral("--old-source"), QStringLiteral("open")};
    }
};
} // namespace

class PostgresKillTest : public QObject {
    Q_OBJECT

private:
    /// One migration through all phases; each step is killed once, at one of its marks.
    void goesOnAfterKills(const QString &mark)
    {
        Scene scene;
        PostgresPair &pair = scene.pair;
        PostgresWorkload &writer = *scene.writer;
        QVERIFY(writer.waitForCommits(50, 60s));
        QStringList killed;
        const auto drive = [&](const char *to, const QString &stage) {
            const QStringList run = scene.run(to);
            for (const QString &step : stage.isEmpty() ? QStringList() : stepsOf(stage)) {
                const Ended ended = cli(run, step + QLatin1Char(':') + mark);
                if (ended.killed) {
                    killed << QString::fromLatin1(to) + QLatin1Char(':') + step;
                    continue;
                }
                QVERIFY2(ended.status == 0, (step.toUtf8() + '\n' + ended.tail()).constData());
            }
            const Ended last = cli(run);
            QVERIFY2(last.status == 0, last.output.constData());
        };
        const std::vector<std::pair<const char *, const char *>> way{{"replica", "copy"},
                                                                     {"primary", "switch"},
                                                                     {"replica", "switch-back"},
                                                                     {"primary", "switch"}};
        for (const auto &[to, stage] : way) {
            drive(to, QString::fromLatin1(stage));
            if (QTest::currentTestFailed())
                return;
            QVERIFY(writer.waitForCommits(30, 60s));
        }
        writer.stop();
        drive("primary", QString());
        const QStringList differences = pair.differences();
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        const auto lost = writer.lostOn(pair.target);
        QVERIFY2(lost.empty(), lost.empty() ? "" : lost.front().c_str());
        QVERIFY2(writer.oddErrors().isEmpty(),
                 qPrintable(writer.oddErrors().join(QLatin1Char('\n'))));
        drive("finished", QStringLiteral("finish"));
        if (QTest::currentTestFailed())
            return;
        for (TestServer *server : {&pair.source, &pair.target})
            QCOMPARE(PostgresPair::leftOn(*server), QStringList());
        qInfo("%lld kills", static_cast<long long>(killed.size()));
        QVERIFY2(killed.size() >= 60, qPrintable(killed.join(QLatin1Char(' '))));
    }

private Q_SLOTS:
    void goesOnAfterAKillAtEachStep_data()
    {
        QTest::addColumn<QString>("mark");
        QTest::newRow("during") << QStringLiteral("during");
        if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
            QTest::newRow("before") << QStringLiteral("before");
            QTest::newRow("after") << QStringLiteral("after");
        }
    }
    void goesOnAfterAKillAtEachStep()
    {
        QFETCH(const QString, mark);
        goesOnAfterKills(mark);
    }

    /// SIGKILL at any moment, of whatever phase the migration is in by then.
    void goesOnAfterRandomKills()
    {
        const int kills = qEnvironmentVariableIsSet("CAUSEWAY_LONG") ? 25 : 2;
        const quint32 seed = QRandomGenerator::global()->generate();
        QRandomGenerator random(seed);
        qInfo("seed %u", seed);
        Scene scene;
        PostgresPair &pair = scene.pair;
        PostgresWorkload &writer = *scene.writer;
        QVERIFY(writer.waitForCommits(50, 60s));
        const char *goals[] = {"replica", "primary"};
        int done = 0, at = 0;
        for (int round = 0; done < kills; ++round) {
            // How long an undisturbed run takes is not known beforehand: from near nothing on.
            CliProcess process(scene.run(goals[at]));
            if (!process.waitForEnd(random.bounded(200, round == 0 ? 2'500 : 5'000))) {
                process.signal(SIGKILL);
                ++done;
                (void)process.wait();
                // The application never waits for long for somebody who is not there any more.
                QVERIFY(at == 1 || writer.waitForCommits(1, 30s));
                continue;
            }
            const Ended ended = process.wait();
            QVERIFY2(ended.status == 0, ended.tail().constData());
            at = 1 - at; // there, and back, and there
        }
        const Ended last = cli(scene.run("primary"));
        QVERIFY2(last.status == 0, last.tail().constData());
        QVERIFY(writer.waitForCommitsOn(1, writer.commitsOn(1) + 20, 60s));
        writer.stop();
        CW_EXITS(cli(scene.run("primary")), 0);
        const QStringList differences = pair.differences();
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        const auto lost = writer.lostOn(pair.target);
        QVERIFY2(lost.empty(), lost.empty() ? "" : lost.front().c_str());
        QVERIFY2(writer.oddErrors().isEmpty(),
                 qPrintable(writer.oddErrors().join(QLatin1Char('\n'))));
        CW_EXITS(cli(scene.run("finished")), 0);
        for (TestServer *server : {&pair.source, &pair.target})
            QCOMPARE(PostgresPair::leftOn(*server), QStringList());
    }

    void theSourceTakesWritesAgainAfterAKillUnderTheFence()
    {
        Scene scene;
        const Ended killed = cli(scene.run("primary"), QStringLiteral("switch.hold:after"));
        QVERIFY2(killed.killed, killed.output.constData());
        QVERIFY(scene.writer->waitForCommits(5, 10s));
        QCOMPARE(scene.writer->commitsOn(1), 0);
    }

    void unfenceOpensASealedSourceAndRefusesOnceSwitched()
    {
        Scene scene;
        const QStringList unfence{QStringLiteral("unfence"), QStringLiteral("--source"),
                                  scene.pair.settings.source.fromHere.toUrl(),
                                  QStringLiteral("--target"),
                                  scene.pair.settings.target.fromHere.toUrl()};
        const Ended killed = cli(scene.run("primary"), QStringLiteral("switch.stop-stream:after"));
        QVERIFY2(killed.killed, killed.output.constData());
        const qint64 before = scene.writer->commits();
        QVERIFY(!scene.writer->waitForCommits(1, 1s));
        QCOMPARE(scene.writer->commits(), before);
        const Ended opened = cli(unfence);
        QVERIFY2(opened.status == 0, opened.output.constData());
        QVERIFY(scene.writer->waitForCommits(5, 10s));
        QCOMPARE(scene.writer->commitsOn(1), 0);
        // The target goes on following, without the file.
        const qint64 soFar = scene.writer->commits();
        QTRY_VERIFY_WITH_TIMEOUT(
            scene.pair.target
                    .scalar(QStringLiteral("SELECT count(*) FROM shop.journal_entries"),
                            QStringLiteral("shop"))
                    .toLongLong() >= soFar,
            60'000);
        const Ended switched = cli(scene.run("primary"));
        QVERIFY2(switched.status == 0, switched.output.constData());
        QVERIFY(scene.writer->waitForCommitsOn(1, 5, 30s));
        const Ended refused = cli(unfence);
        QVERIFY2(refused.status == 1, refused.output.constData());
        scene.writer->stop();
        QVERIFY(scene.writer->lostOn(scene.pair.target).empty());
    }

    void theNextStartOpensASealedSource()
    {
        Scene scene;
        const Ended killed = cli(scene.run("primary"), QStringLiteral("switch.advance:after"));
        QVERIFY2(killed.killed, killed.output.constData());
        const Ended opened = cli(scene.run("replica"));
        QVERIFY2(opened.status == 0, opened.output.constData());
        QVERIFY(scene.writer->waitForCommits(5, 10s));
        QCOMPARE(scene.writer->commitsOn(1), 0);
        QCOMPARE(
            scene.pair.target.scalar(QStringLiteral("SELECT count(*) FROM pg_replication_slots")),
            QStringLiteral("0"));
    }
};

QTEST_GUILESS_MAIN(PostgresKillTest)
#include "PostgresKillTest.moc"
