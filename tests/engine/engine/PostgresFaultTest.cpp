// A server that dies, at each moment of a migration: run again, everything is there.

#include "engine/engine/CliSupport.h"
#include "engine/engine/PostgresMigrationSupport.h"

#include <csignal>

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
PostgresWorkloadOptions someWrites()
{
    PostgresWorkloadOptions options;
    options.connections = 4;
    options.rate = qEnvironmentVariableIsSet("CAUSEWAY_LONG") ? 400 : 100;
    options.longTransaction = 0ms;
    options.documentBytes = 20'000;
    return options;
}
} // namespace

class PostgresFaultTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("CAUSEWAY_SOURCE_PASSWORD", PostgresPair::kPassword);
        qputenv("CAUSEWAY_TARGET_PASSWORD", PostgresPair::kPassword);
    }

    void goesOnAfterServersDied_data()
    {
        QTest::addColumn<bool>("source");
        QTest::addColumn<QString>("from");
        QTest::addColumn<QString>("to");
        QTest::newRow("source") << true << QStringLiteral("15") << QStringLiteral("18");
        QTest::newRow("target") << false << QStringLiteral("15") << QStringLiteral("18");
        if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
            QTest::newRow("source, 13") << true << QStringLiteral("13") << QStringLiteral("14");
            QTest::newRow("target, 13") << false << QStringLiteral("13") << QStringLiteral("14");
        }
    }
    /// One server stops as if its machine had lost power, at each of these moments of one
    /// migration: while the copy runs, between hold and seal, between seal and the new leader, in
    /// primary mode without and (at full size) with Causeway, and on the way back.
    void goesOnAfterServersDied()
    {
        QFETCH(const bool, source);
        QFETCH(const QString, from);
        QFETCH(const QString, to);
        PostgresPair pair((postgres(from)), postgres(to));
        PostgresWorkload::createSchema(pair.source, someWrites());
        pair.source.exec(QStringLiteral("CREATE TABLE shop.bulk (id int PRIMARY KEY, v text); "
                                        "INSERT INTO shop.bulk SELECT g, repeat(md5(g::text), 10) "
                                        "FROM generate_series(1, 200000) g"),
                         QStringLiteral("shop"));
        PostgresWorkload::createAccount(pair.target, QString::fromLatin1(PostgresPair::kRole));
        TestServer &dies = source ? pair.source : pair.target;
        // The hook runs between seal and the new leader: at once there, and only once.
        const QString once = pair.folder.filePath(QStringLiteral("died"));
        pair.settings.onSwitched =
            QStringLiteral(
                "test ! -e %1.pid || test -e %1 || { touch %1; kill -QUIT `cat %1.pid`; }")
                .arg(once);
        if (!Journal::create(pair.file, pair.settings))
            qFatal("no journal");
        PostgresWorkload writer(
            {PostgresWorkload::address(pair.source), PostgresWorkload::address(pair.target)},
            someWrites());
        writer.start();
        QVERIFY(writer.waitForCommits(50, 60s));
        const auto again = [&] {
            dies.kill();
            dies.start();
        };
        const auto until = [&](const char *goal) {
            for (int attempt = 0; attempt < 20; ++attempt) {
                const Ended ended = cli(run(pair, goal));
                if (ended.status == 0)
                    return true;
                // A server that is gone, or comes up: run again. Nothing else is an answer.
                if (ended.status != 3)
                    qWarning("%s: exit %d\n%s", goal, ended.status, ended.tail().constData());
            }
            return false;
        };
        const auto equal = [&] {
            const QStringList differences = pair.differences();
            QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        };

        // While the copy runs.
        {
            CliProcess copying(run(pair, "replica"));
            QElapsedTimer time;
            time.start();
            bool underWay = false;
            while (!underWay && time.elapsed() < 60'000) {
                underWay =
                    pair.target.scalar(
                        QStringLiteral("SELECT EXISTS (SELECT FROM pg_subscription_rel WHERE "
                                       "srsubstate = 'd' AND srrelid = to_regclass('shop.bulk'))"),
                        QStringLiteral("shop")) == QLatin1String("t");
            }
            QVERIFY(underWay);
            again();
            const Ended ended = copying.wait();
            QVERIFY2(ended.status == 0 || ended.status == 3, ended.tail().constData());
        }
        QVERIFY(until("replica"));
        QVERIFY(writer.waitForCommits(20, 60s));

        // Between hold and seal.
        {
            CliProcess switching(run(pair, "primary"), {}, QStringLiteral("switch.compare:after"));
            QTRY_VERIFY_WITH_TIMEOUT(switching.isStopped() || !switching.isRunning(), 120'000);
            QVERIFY(switching.isStopped());
            again();
            switching.signal(SIGCONT);
            const Ended ended = switching.wait();
            QVERIFY2(ended.status == 0 || ended.status == 1 || ended.status == 3,
                     ended.tail().constData());
            // Nothing was sealed: the source takes writes.
            QVERIFY(ended.status == 0 || writer.waitForCommits(20, 60s));
        }

        // Between seal and the new leader.
        {
            QFile pid(once + QStringLiteral(".pid"));
            QVERIFY(pid.open(QIODevice::WriteOnly));
            pid.write(QByteArray::number(dies.pid()));
        }
        QFile::remove(once);
        if (writer.commitsOn(1) > 0)
            QVERIFY(until("replica"));
        const Ended ended = cli(run(pair, "primary"));
        QVERIFY2(QFile::exists(once), ended.tail().constData());
        again();
        QVERIFY(until("primary"));
        QVERIFY(writer.waitForCommitsOn(1, writer.commitsOn(1) + 50, 60s));

        // In primary mode: nobody conducts, then somebody watches.
        again();
        QVERIFY(until("primary"));
        QVERIFY(writer.waitForCommitsOn(1, writer.commitsOn(1) + 20, 60s));
        const bool all = qEnvironmentVariableIsSet("CAUSEWAY_LONG");
        if (all) {
            CliProcess watching(run(pair, "primary") << QStringLiteral("--follow"));
            again();
            QVERIFY(writer.waitForCommitsOn(1, writer.commitsOn(1) + 20, 60s));
            watching.signal(SIGINT);
            (void)watching.wait();
        }
        writer.stop();
        QVERIFY(until("primary"));
        equal();
        auto lost = writer.lostOn(pair.target);
        QVERIFY2(lost.empty(), lost.empty() ? "" : lost.front().c_str());

        if (all) {
            // On the way back, and there again.
            writer.start();
            QVERIFY(until("replica"));
            QVERIFY(writer.waitForCommitsOn(0, writer.commitsOn(0) + 20, 60s));
            QVERIFY(until("primary"));
            writer.stop();
            QVERIFY(until("primary"));
            equal();
            lost = writer.lostOn(pair.target);
            QVERIFY2(lost.empty(), lost.empty() ? "" : lost.front().c_str());
        }
        QVERIFY2(writer.oddErrors().isEmpty(),
                 qPrintable(writer.oddErrors().join(QLatin1Char('\n'))));
        QVERIFY(until("finished"));
        for (TestServer *server : {&pair.source, &pair.target})
            QCOMPARE(PostgresPair::leftOn(*server), QStringList());
    }

private:
    static QStringList run(const PostgresPair &pair, const char *goal)
    {
        return {QStringLiteral("run"),          pair.file,
                QStringLiteral("--to"),         QString::fromLatin1(goal),
                QStringLiteral("--old-source"), QStringLiteral("open")};
    }
};

QTEST_GUILESS_MAIN(PostgresFaultTest)
#include "PostgresFaultTest.moc"
