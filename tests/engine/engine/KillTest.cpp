// SIGKILL at each mark of each step that changes a server, then run again: it must go on to the end
// with both sides equal. And what a kill under the fence means for those who write.

#include "engine/engine/MigrationSupport.h"

#include <QRandomGenerator>

#include <csignal>

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
/// The steps of a stage, in the order in which they come.
QStringList stepsOf(const QString &stage)
{
    static const QStringList complete{
        QStringLiteral("complete.events"), QStringLiteral("complete.open"),
        QStringLiteral("complete.admit"),  QStringLiteral("complete.triggers-off"),
        QStringLiteral("complete.arm"),    QStringLiteral("complete.tidy")};
    static const QStringList turn{QStringLiteral("prepare"),  QStringLiteral("events-off"),
                                  QStringLiteral("counters"), QStringLiteral("hold"),
                                  QStringLiteral("drain"),    QStringLiteral("compare"),
                                  QStringLiteral("seal"),     QStringLiteral("drain-sealed"),
                                  QStringLiteral("objects"),  QStringLiteral("lead")};
    if (stage == QLatin1String("copy")) {
        return {QStringLiteral("copy.state"),       QStringLiteral("copy.position"),
                QStringLiteral("copy.intent"),      QStringLiteral("copy.tables"),
                QStringLiteral("copy.indexes"),     QStringLiteral("copy.close-target"),
                QStringLiteral("replica.uniques"),  QStringLiteral("replica.foreign-keys"),
                QStringLiteral("replica.routines"), QStringLiteral("replica.views")};
    }
    if (stage == QLatin1String("finish")) {
        return {QStringLiteral("finish.objects"), QStringLiteral("finish.source"),
                QStringLiteral("detach.state-source"), QStringLiteral("detach.state-target")};
    }
    QStringList out;
    for (const QString &name : turn)
        out << stage + QLatin1Char('.') + name;
    return out + complete;
}

struct Ended {
    int status = -1;
    bool killed = false;
    QByteArray output;
};

Ended cli(const QStringList &arguments, const QString &killAt = {})
{
    QProcess process;
    QProcessEnvironment env = cliEnvironment();
    env.insert(QStringLiteral("CAUSEWAY_LOG"), QStringLiteral("info"));
    if (!killAt.isEmpty())
        env.insert(QStringLiteral("CAUSEWAY_KILL_AT"), killAt);
    process.setProcessEnvironment(env);
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(QStringLiteral(CAUSEWAY_CLI), arguments);
    Ended ended;
    if (!process.waitForFinished(180'000)) {
        process.kill();
        process.waitForFinished();
        ended.output = "did not end in time\n" + process.readAll();
        return ended;
    }
    ended.killed = process.exitStatus() == QProcess::CrashExit;
    ended.status = process.exitCode();
    ended.output = process.readAll();
    return ended;
}

WorkloadOptions fewWrites()
{
    WorkloadOptions options;
    options.connections = 3;
    options.rate = 60;
    options.longTransaction = 0ms;
    return options;
}
} // namespace

class KillTest : public QObject {
    Q_OBJECT

private:
    /// One migration through all phases; each step is killed once, at one of its marks.
    void goesOnAfterKills(const QString &mark)
    {
        Pair pair({}, {});
        const WorkloadOptions writes = fewWrites();
        Workload::createSchema(pair.source, writes);
        Workload::createAccount(pair.target, writes);
        pair.source.exec(QStringLiteral(
            "CREATE EVENT shop.tick ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.scratch WHERE 0"));
        {
            const auto created = Journal::create(pair.file, pair.settings);
            QVERIFY(created.has_value());
        }
        Workload writer({Workload::address(pair.source), Workload::address(pair.target)}, writes);
        writer.start();
        QVERIFY(writer.waitForCommits(50, 60s));
        QStringList killed;
        const auto drive = [&](const QString &to, const QString &stage) {
            const QStringList run{QStringLiteral("run"),          pair.file,
                                  QStringLiteral("--to"),         to,
                                  QStringLiteral("--old-source"), QStringLiteral("open")};
            for (const QString &step : stage.isEmpty() ? QStringList() : stepsOf(stage)) {
                const Ended ended = cli(run, step + QLatin1Char(':') + mark);
                if (ended.killed) {
                    killed << to + QLatin1Char(':') + step;
                    continue;
                }
                QVERIFY2(ended.status == 0, (step.toUtf8() + '\n' + ended.output).constData());
            }
            const Ended last = cli(run);
            QVERIFY2(last.status == 0, last.output.constData());
        };
        const std::vector<std::pair<const char *, const char *>> way{{"replica", "copy"},
                                                                     {"primary", "switch"},
                                                                     {"replica", "switch-back"},
                                                                     {"primary", "switch"}};
        for (const auto &[to, stage] : way) {
            drive(QString::fromLatin1(to), QString::fromLatin1(stage));
            if (QTest::currentTestFailed())
                return;
            QVERIFY(writer.waitForCommits(30, 60s));
        }
        writer.stop();
        drive(QStringLiteral("primary"), QString());
        const QStringList differences =
            compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly());
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        const auto lost = writer.lostOn(pair.target);
        QVERIFY2(lost.empty(), lost.empty() ? "" : lost.front().c_str());
        drive(QStringLiteral("finished"), QStringLiteral("finish"));
        if (QTest::currentTestFailed())
            return;
        for (TestServer *server : {&pair.source, &pair.target}) {
            QCOMPARE(
                server->scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata "
                                              "WHERE schema_name='_causeway'")),
                QStringLiteral("0"));
        }
        qInfo("%lld kills", static_cast<long long>(killed.size()));
        QVERIFY2(killed.size() >= 45, qPrintable(killed.join(QLatin1Char(' '))));
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

    void theSourceTakesWritesAgainAfterAKillUnderTheFence()
    {
        Pair pair({}, {});
        const WorkloadOptions writes = fewWrites();
        Workload::createSchema(pair.source, writes);
        Workload::createAccount(pair.target, writes);
        QVERIFY(Journal::create(pair.file, pair.settings).has_value());
        Workload writer({Workload::address(pair.source), Workload::address(pair.target)}, writes);
        writer.start();
        const Ended killed = cli(
            {QStringLiteral("run"), pair.file, QStringLiteral("--to"), QStringLiteral("primary")},
            QStringLiteral("switch.hold:after"));
        QVERIFY2(killed.killed, killed.output.constData());
        QVERIFY(writer.waitForCommits(5, 10s));
        QCOMPARE(writer.commitsOn(1), 0);
    }

    void unfenceOpensASealedSourceAndRefusesOnceSwitched()
    {
        Pair pair({}, {});
        const WorkloadOptions writes = fewWrites();
        Workload::createSchema(pair.source, writes);
        Workload::createAccount(pair.target, writes);
        QVERIFY(Journal::create(pair.file, pair.settings).has_value());
        Workload writer({Workload::address(pair.source), Workload::address(pair.target)}, writes);
        writer.start();
        const QStringList run{QStringLiteral("run"), pair.file, QStringLiteral("--to"),
                              QStringLiteral("primary")};
        const QStringList unfence{QStringLiteral("unfence"), QStringLiteral("--source"),
                                  pair.settings.source.fromHere.toUrl(), QStringLiteral("--target"),
                                  pair.settings.target.fromHere.toUrl()};
        const Ended killed = cli(run, QStringLiteral("switch.seal:after"));
        QVERIFY2(killed.killed, killed.output.constData());
        const Ended opened = cli(unfence);
        QVERIFY2(opened.status == 0, opened.output.constData());
        QVERIFY(writer.waitForCommits(5, 10s));
        QCOMPARE(writer.commitsOn(1), 0);
        const Ended switched = cli(run);
        QVERIFY2(switched.status == 0, switched.output.constData());
        QVERIFY(writer.waitForCommitsOn(1, 5, 30s));
        const Ended refused = cli(unfence);
        QVERIFY2(refused.status == 1, refused.output.constData());
    }
};

QTEST_GUILESS_MAIN(KillTest)
#include "KillTest.moc"
