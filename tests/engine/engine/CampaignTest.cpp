// Whole migrations of a large and awkward database by the command line, in every mode, while an
// application writes as fast as real ones do. By default small; CAUSEWAY_LONG makes it 1,000
// tables, ten of them of 200,000 rows, and 500 transactions a second.

#include "engine/engine/MigrationSupport.h"
#include "servers/AsFound.h"
#include "servers/CampaignSql.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {

bool isLong()
{
    return qEnvironmentVariableIsSet("CAUSEWAY_LONG");
}

CampaignSize sizeOfCampaign()
{
    CampaignSize size;
    if (isLong()) {
        size.tables = 1'000;
        size.largeRows = 200'000;
        size.triggers = 50;
    }
    return size;
}

WorkloadOptions writes(const CampaignSize &size)
{
    WorkloadOptions options = CampaignSql::workload(size);
    options.connections = isLong() ? 6 : 4; // with the long transaction and the idle one: pooled 8
    options.rate = isLong() ? 550 : 120;
    options.longTransaction = isLong() ? 10s : 2s;
    return options;
}

ServerOptions serverOptions(int product, const QStringList &settings)
{
    ServerOptions options;
    options.product = static_cast<Product>(product);
    options.settings = settings;
    if (isLong())
        options.settings << QStringLiteral("--innodb-buffer-pool-size=512M");
    return options;
}

struct Ended {
    int status = -1;
    QByteArray output;
    QJsonObject last; ///< the last line, where it is JSON
    double seconds = 0;
    double peakMiB = 0; ///< of the program's memory
};

Ended cli(const QStringList &arguments)
{
    QProcess process;
    process.setProcessEnvironment(cliEnvironment());
    process.setProcessChannelMode(QProcess::MergedChannels);
    QElapsedTimer timer;
    timer.start();
    process.start(QStringLiteral(CAUSEWAY_CLI), arguments);
    Ended ended;
    const qint64 limit = isLong() ? 3'600'000 : 240'000;
    while (!process.waitForFinished(50) && process.state() != QProcess::NotRunning) {
        ended.peakMiB = std::max(ended.peakMiB, peakMemoryOf(process.processId()));
        if (timer.elapsed() > limit) {
            process.kill();
            process.waitForFinished();
            ended.output = "did not end in time\n" + process.readAll().right(4000);
            return ended;
        }
    }
    ended.seconds = static_cast<double>(timer.elapsed()) / 1000;
    ended.status = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    ended.output = process.readAll();
    const QByteArrayList lines = ended.output.trimmed().split('\n');
    ended.last = QJsonDocument::fromJson(lines.last()).object();
    ended.output = ended.output.right(8000);
    return ended;
}

/// The steps of the last switch with their times, longest first.
QString slowSteps(const QJsonObject &status, double pause)
{
    std::vector<std::pair<qint64, QString>> steps;
    for (const QJsonValue &v : status.value(QStringLiteral("steps")).toArray()) {
        const QJsonObject o = v.toObject();
        const qint64 ms = o.value(QStringLiteral("finished_ms")).toInteger() -
                          o.value(QStringLiteral("started_ms")).toInteger();
        steps.emplace_back(ms, o.value(QStringLiteral("id")).toString());
    }
    std::sort(steps.rbegin(), steps.rend());
    QStringList words;
    for (const auto &[ms, id] : steps) {
        if (words.size() < 12)
            words << QStringLiteral("%1 %2").arg(id).arg(ms);
    }
    return QStringLiteral("pause %1 s; steps in ms: %2")
        .arg(pause, 0, 'f', 3)
        .arg(words.join(QStringLiteral(", ")));
}

/// One migration of the campaign's database, with the application that goes on writing.
struct Campaign {
    Pair pair;
    const CampaignSize size;
    Workload writer;
    double peakMiB = 0;

    Campaign(const ServerOptions &source, const ServerOptions &target,
             const CampaignSize &campaignSize)
        : pair(source, target, CampaignSql::schemas()), size(campaignSize),
          writer({Workload::address(pair.source), Workload::address(pair.target)}, writes(size))
    {
        CampaignSql::create(pair.source, size);
        CampaignSql::createAccount(pair.target);
        if (const auto made = Journal::create(pair.file, pair.settings); !made)
            qFatal("%s", qPrintable(made.error().describe()));
    }

    Ended run(const QString &to, const QStringList &more = {})
    {
        Ended ended = cli(QStringList{QStringLiteral("run"), pair.file, QStringLiteral("--to"), to,
                                      QStringLiteral("--json")} +
                          more);
        peakMiB = std::max(peakMiB, ended.peakMiB);
        qInfo(
            "run --to %s: %.1f s, %.0f MiB, %lld transactions so far (%.0f/s), longest gap %lld ms",
            qPrintable(to), ended.seconds, ended.peakMiB, static_cast<long long>(writer.commits()),
            writer.transactionsPerSecond(), static_cast<long long>(writer.longestGap().count()));
        return ended;
    }

    Ended verify()
    {
        Ended ended = cli({QStringLiteral("verify"), pair.file, QStringLiteral("--json")});
        peakMiB = std::max(peakMiB, ended.peakMiB);
        qInfo("verify: %.1f s, %.0f MiB", ended.seconds, ended.peakMiB);
        for (const QJsonValue &v : ended.last.value(QStringLiteral("tables")).toArray()) {
            const QJsonObject t = v.toObject();
            for (const char *what : {"differing", "extra", "missing"}) {
                if (t.value(QLatin1String(what)).toInteger() != 0) {
                    qWarning("unequal: %s",
                             QJsonDocument(t).toJson(QJsonDocument::Compact).left(600).constData());
                    break;
                }
            }
        }
        return ended;
    }

    /// Both sides equal, each answered COMMIT there once. The writer stands still meanwhile.
    QStringList problems(const QString &goal, TestServer &leader)
    {
        writer.stop();
        QStringList out;
        const Ended caughtUp = run(goal);
        if (caughtUp.status != 0)
            return {QStringLiteral("catching up: ") + QString::fromUtf8(caughtUp.output)};
        out += compareServers(pair.source, pair.target, CampaignSql::schemas(), rowsOnly());
        for (const std::string &uuid : writer.lostOn(leader))
            out << QStringLiteral("lost: ") + QString::fromStdString(uuid);
        for (const std::string &uuid : writer.twiceOn(leader))
            out << QStringLiteral("twice: ") + QString::fromStdString(uuid);
        // Each transaction counted itself; those without an answer may be there or not.
        const qint64 counted =
            leader.scalar(QStringLiteral("SELECT SUM(n) FROM camp.tally")).toLongLong();
        const qint64 rows =
            leader.scalar(QStringLiteral("SELECT COUNT(*) FROM camp.journal")).toLongLong();
        if (counted != rows)
            out << QStringLiteral("%1 counted, %2 in the journal").arg(counted).arg(rows);
        return out.mid(0, 30);
    }
};

} // namespace

class CampaignTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyModeUnderLiveWrites_data()
    {
        QTest::addColumn<int>("from");
        QTest::addColumn<QStringList>("fromSettings");
        QTest::addColumn<int>("to");
        QTest::addColumn<QStringList>("toSettings");
        const int maria = static_cast<int>(Product::MariaDb);
        const int mysql = static_cast<int>(Product::MySql);
        const QStringList native{QStringLiteral("--innodb-native-foreign-keys=ON")};
        QTest::newRow("MariaDB to MySQL") << maria << QStringList() << mysql << QStringList();
        if (!isLong())
            return;
        QTest::newRow("MariaDB to MariaDB") << maria << QStringList() << maria << QStringList();
        QTest::newRow("MySQL to MySQL") << mysql << QStringList() << mysql << QStringList();
        QTest::newRow("MySQL to MySQL, native foreign keys") << mysql << native << mysql << native;
        QTest::newRow("MySQL to MariaDB") << mysql << QStringList() << maria << QStringList();
    }

    void everyModeUnderLiveWrites()
    {
        QFETCH(const int, from);
        QFETCH(const QStringList, fromSettings);
        QFETCH(const int, to);
        QFETCH(const QStringList, toSettings);
        Campaign c(serverOptions(from, fromSettings), serverOptions(to, toSettings),
                   sizeOfCampaign());
        const QStringList sourceBefore = asFound(c.pair.source);
        const QStringList targetBefore = asFound(c.pair.target);
        const qint64 some = isLong() ? 5'000 : 100;

        c.writer.start();
        QVERIFY(c.writer.waitForCommits(some, 120s));
        c.writer.resetGap();
        Ended ended = c.run(QStringLiteral("replica"));
        QVERIFY2(ended.status == 0, ended.output.constData());
        c.writer.resetGap();
        ended = c.verify();
        QVERIFY2(ended.status == 0, ended.output.constData());
        qInfo("writer while comparing: longest gap %lld ms",
              static_cast<long long>(c.writer.longestGap().count()));
        QStringList problems = c.problems(QStringLiteral("replica"), c.pair.source);
        QVERIFY2(problems.isEmpty(), qPrintable(problems.join(QLatin1Char('\n'))));

        const auto turn = [&](const QString &goal, TestServer &leader, std::size_t host) {
            c.writer.start();
            QVERIFY(c.writer.waitForCommits(some, 120s));
            c.writer.resetGap();
            const Ended switched = c.run(goal);
            QVERIFY2(switched.status == 0, switched.output.constData());
            const qint64 there = c.writer.commitsOn(host);
            QVERIFY(c.writer.waitForCommitsOn(host, there + some, 120s));
            const double pause =
                switched.last.value(QStringLiteral("write_pause_seconds")).toDouble();
            const auto gap = c.writer.longestGap();
            qInfo("%s; longest gap seen by the writer %lld ms",
                  qPrintable(slowSteps(switched.last, pause)), static_cast<long long>(gap.count()));
            const QStringList wrong = c.problems(goal, leader);
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join(QLatin1Char('\n'))));
            // Loose: machines that build and test at the same time are slow. The aim is 2 s.
            QVERIFY2(gap < 6s, qPrintable(slowSteps(switched.last, pause)));
        };
        for (int i = 0; i < 3; ++i) {
            const bool there = i % 2 == 0;
            turn(there ? QStringLiteral("primary") : QStringLiteral("replica"),
                 there ? c.pair.target : c.pair.source, there ? 1 : 0);
            if (QTest::currentTestFailed())
                return;
        }

        ended = c.run(QStringLiteral("finished"),
                      {QStringLiteral("--old-source"), QStringLiteral("open")});
        QVERIFY2(ended.status == 0, ended.output.constData());
        QStringList changed = changedSince(sourceBefore, asFound(c.pair.source));
        QVERIFY2(changed.isEmpty(), qPrintable(changed.join(QLatin1Char('\n'))));
        changed = changedSince(targetBefore, asFound(c.pair.target, CampaignSql::schemas()));
        QVERIFY2(changed.isEmpty(), qPrintable(changed.join(QLatin1Char('\n'))));
        CompareOptions all;
        all.definitions = from == to;
        const QStringList differences =
            compareServers(c.pair.source, c.pair.target, CampaignSql::schemas(), all);
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        qInfo("most memory: %.0f MiB", c.peakMiB);
        QVERIFY2(c.peakMiB < 200, "more memory than 200 MiB");
    }

    void cancelLeavesBothServersAsFound_data()
    {
        QTest::addColumn<int>("product");
        QTest::newRow("MariaDB") << static_cast<int>(Product::MariaDb);
        QTest::newRow("MySQL") << static_cast<int>(Product::MySql);
    }

    void cancelLeavesBothServersAsFound()
    {
        QFETCH(const int, product);
        Campaign c(serverOptions(product, {}), serverOptions(product, {}), few());
        const QStringList sourceBefore = asFound(c.pair.source);
        const QStringList targetBefore = asFound(c.pair.target);
        c.writer.start();
        QVERIFY(c.writer.waitForCommits(20, 60s));
        const Ended ended = c.run(QStringLiteral("replica"));
        QVERIFY2(ended.status == 0, ended.output.constData());
        const Ended cancelled =
            cli({QStringLiteral("cancel"), c.pair.file, QStringLiteral("--discard")});
        QVERIFY2(cancelled.status == 0, cancelled.output.constData());
        QVERIFY(c.writer.waitForCommits(20, 60s)); // nobody stands in its way
        c.writer.stop();
        QStringList changed = changedSince(sourceBefore, asFound(c.pair.source));
        QVERIFY2(changed.isEmpty(), qPrintable(changed.join(QLatin1Char('\n'))));
        changed = changedSince(targetBefore, asFound(c.pair.target));
        QVERIFY2(changed.isEmpty(), qPrintable(changed.join(QLatin1Char('\n'))));
    }

    void finishLeavesTheSealAloneAndTheReportSaysHowToOpenIt_data()
    {
        cancelLeavesBothServersAsFound_data();
    }

    void finishLeavesTheSealAloneAndTheReportSaysHowToOpenIt()
    {
        QFETCH(const int, product);
        Campaign c(serverOptions(product, {}), serverOptions(product, {}), few());
        const QStringList sourceBefore = asFound(c.pair.source);
        const QStringList targetBefore = asFound(c.pair.target);
        for (const char *goal : {"primary", "finished"}) {
            const Ended ended = c.run(QString::fromLatin1(goal));
            QVERIFY2(ended.status == 0, ended.output.constData());
        }
        QStringList changed = changedSince(sourceBefore, asFound(c.pair.source));
        QVERIFY(!changed.isEmpty());
        for (const QString &line : changed)
            QVERIFY2(line.contains(QLatin1String("read_only")), qPrintable(line));
        changed = changedSince(targetBefore, asFound(c.pair.target, CampaignSql::schemas()));
        QVERIFY2(changed.isEmpty(), qPrintable(changed.join(QLatin1Char('\n'))));

        const QString out = c.pair.folder.filePath(QStringLiteral("report.json"));
        const Ended reported =
            cli({QStringLiteral("report"), c.pair.file, QStringLiteral("--json"), out});
        QVERIFY2(reported.status == 0, reported.output.constData());
        QFile file(out);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonObject report = QJsonDocument::fromJson(file.readAll()).object();
        const QString sql = report.value(QStringLiteral("old_source_open_sql")).toString();
        QVERIFY2(!sql.isEmpty(), QJsonDocument(report).toJson().constData());
        c.pair.source.exec(sql);
        changed = changedSince(sourceBefore, asFound(c.pair.source));
        QVERIFY2(changed.isEmpty(), qPrintable(changed.join(QLatin1Char('\n'))));
    }

private:
    static CampaignSize few()
    {
        CampaignSize size;
        size.tables = 30;
        size.largeRows = 300;
        size.triggers = 9;
        return size;
    }
};

QTEST_GUILESS_MAIN(CampaignTest)
#include "CampaignTest.moc"
