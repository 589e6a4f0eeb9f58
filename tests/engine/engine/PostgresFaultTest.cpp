// Servers that die while writes are held, and after the switch: run again, everything is there.

#include "engine/engine/CliSupport.h"
#include "engine/engine/PostgresMigrationSupport.h"

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
        QTest::addColumn<QString>("when");
        const bool all = qEnvironmentVariableIsSet("CAUSEWAY_LONG");
        for (const char *when : {"fence", "primary"}) {
            for (const bool source : {true, false}) {
                if (all || qstrcmp(when, "fence") == 0)
                    QTest::addRow("%s, %s", source ? "source" : "target", when)
                        << source << QString::fromLatin1(when);
            }
        }
    }
    void goesOnAfterServersDied()
    {
        QFETCH(const bool, source);
        QFETCH(const QString, when);
        PostgresPair pair(postgres(QStringLiteral("15")), postgres(QStringLiteral("18")));
        PostgresWorkload::createSchema(pair.source, someWrites());
        pair.source.exec(QStringLiteral("CREATE TABLE shop.bulk (id int PRIMARY KEY, v text); "
                                        "INSERT INTO shop.bulk SELECT g, repeat(md5(g::text), 10) "
                                        "FROM generate_series(1, 20000) g"),
                         QStringLiteral("shop"));
        PostgresWorkload::createAccount(pair.target, QString::fromLatin1(PostgresPair::kRole));
        TestServer &dies = source ? pair.source : pair.target;
        const QString once = pair.folder.filePath(QStringLiteral("died"));
        if (when == QLatin1String("fence")) {
            // The hook runs between seal and the new leader: at once there, and only once.
            pair.settings.onSwitched = QStringLiteral("test -e %1 || { touch %1; kill -QUIT %2; }")
                                           .arg(once)
                                           .arg(dies.pid());
        }
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
        QVERIFY(until("replica"));
        if (when == QLatin1String("fence")) {
            const Ended ended = cli(run(pair, "primary"));
            QVERIFY2(QFile::exists(once), ended.tail().constData());
            again();
        }
        QVERIFY(until("primary"));
        QVERIFY(writer.waitForCommitsOn(1, 50, 60s));
        if (when == QLatin1String("primary")) {
            again();
            QVERIFY(until("primary"));
            QVERIFY(writer.waitForCommitsOn(1, writer.commitsOn(1) + 20, 60s));
        }
        writer.stop();
        QVERIFY(until("primary"));
        QStringList differences = pair.differences();
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        const auto lost = writer.lostOn(pair.target);
        QVERIFY2(lost.empty(), lost.empty() ? "" : lost.front().c_str());
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
