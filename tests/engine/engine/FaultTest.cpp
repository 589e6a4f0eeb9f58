// Kills at random moments, servers that die, links that break, a process that is stopped, a file
// that is copied: through whole migrations, under writes, each gone on with to equal sides and
// nothing lost. Some of it by default; all of it, for many minutes, with CAUSEWAY_LONG.

#include "engine/engine/CliSupport.h"
#include "servers/BlackHole.h"
#include "servers/MySqlClient.h"

#include <QRandomGenerator>

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
bool isLong()
{
    return qEnvironmentVariableIsSet("CAUSEWAY_LONG");
}

WorkloadOptions someWrites()
{
    WorkloadOptions options;
    // Servers that are restarted forget that they are closed, and what stands by for that stops no
    // TRUNCATE: an application that truncates there differs by its own doing.
    options.truncateEvery = 0ms;
    options.connections = 3;
    options.rate = 60;
    options.longTransaction = 0ms;
    return options;
}

ServerOptions server(Product product, const QStringList &settings = {})
{
    ServerOptions options;
    options.product = product;
    options.settings = settings;
    return options;
}

void addProducts()
{
    QTest::addColumn<int>("product");
    QTest::newRow("MariaDB") << static_cast<int>(Product::MariaDb);
    if (isLong())
        QTest::newRow("MySQL") << static_cast<int>(Product::MySql);
}

/// Two servers, an application that writes, and some ballast that makes the copy take a while.
struct Live : Pair {
    WorkloadOptions writes = someWrites();
    std::unique_ptr<TcpProxy> sourceProxy, targetProxy;
    std::unique_ptr<Workload> writer;

    Live(const ServerOptions &sourceOptions, const ServerOptions &targetOptions,
         bool proxies = false)
        : Pair(sourceOptions, targetOptions)
    {
        if (proxies) {
            sourceProxy = std::make_unique<TcpProxy>(source.port());
            targetProxy = std::make_unique<TcpProxy>(target.port());
            settings.source.fromHere.port = sourceProxy->port();
            settings.target.fromHere.port = targetProxy->port();
        }
        Workload::createSchema(source, writes);
        Workload::createAccount(target, writes);
        source.exec(QStringLiteral(
            "CREATE TABLE shop.ballast (id INT PRIMARY KEY, pad VARCHAR(2000)); INSERT INTO "
            "shop.ballast WITH RECURSIVE s AS (SELECT 1 i UNION ALL SELECT i + 1 FROM s WHERE i < "
            "900) SELECT i, REPEAT('x', 2000) FROM s; INSERT INTO shop.ballast SELECT id + 1000, "
            "pad FROM shop.ballast; INSERT INTO shop.ballast SELECT id + 2000, pad FROM "
            "shop.ballast"));
        makeFile(*this);
        writer = std::make_unique<Workload>(
            std::vector<Address>{Workload::address(source), Workload::address(target)}, writes);
        writer->start();
    }

    [[nodiscard]] QStringList to(const char *goal, const QStringList &more = {}) const
    {
        return runArguments(*this, goal, QStringList{QStringLiteral("--json")} + more);
    }
    /// A copy that is going on.
    std::unique_ptr<CliProcess> copying(const char *goal = "replica")
    {
        auto process = std::make_unique<CliProcess>(
            to(goal, {QStringLiteral("--throttle"), QStringLiteral("2M")}));
        (void)QTest::qWaitFor([&] { return !process->isRunning() || chunksOn(target) > 0; },
                              60'000);
        return process;
    }
    /// One that has begun to follow.
    std::unique_ptr<CliProcess> following(const char *goal)
    {
        auto process = std::make_unique<CliProcess>(to(goal, {QStringLiteral("--follow")}));
        TestServer &follower = QByteArray(goal) == "primary" ? source : target;
        const QString epochs = QStringLiteral("SELECT seq FROM _causeway.stream WHERE "
                                              "stream='apply'");
        const QString before = follower.scalar(epochs);
        (void)QTest::qWaitFor(
            [&] { return !process->isRunning() || follower.scalar(epochs) != before; }, 60'000);
        return process;
    }
    QStringList endOn(const char *goal)
    {
        writer->stop();
        const Ended last = cli(to(goal));
        if (last.status != 0)
            return {QString::fromUtf8(last.tail())};
        QStringList wrong = compareServers(source, target, {QStringLiteral("shop")}, rowsOnly());
        const bool primary = QByteArray(goal) == "primary";
        for (const std::string &uuid : writer->lostOn(primary ? target : source))
            wrong << QStringLiteral("lost ") + QString::fromStdString(uuid);
        writer->start();
        return wrong;
    }
};

/// Runs until it is done, however often it has to be started again.
Ended persist(const QStringList &arguments, int most = 6)
{
    Ended ended;
    for (int i = 0; i < most; ++i) {
        ended = cli(arguments);
        if (ended.status == 0)
            return ended;
    }
    return ended;
}
} // namespace

#define CW_PRODUCT                                                                                 \
    QFETCH(const int, product);                                                                    \
    const auto kind = static_cast<Product>(product)

#define CW_ENDS_EQUAL(live, goal)                                                                  \
    do {                                                                                           \
        const QStringList cwWrong_ = (live).endOn(goal);                                           \
        QVERIFY2(cwWrong_.isEmpty(), qPrintable(cwWrong_.join(QLatin1Char('\n'))));                \
    } while (false)

class FaultTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    // ---- kills at random moments

    void goesOnAfterKillsAtRandomMoments_data() { addProducts(); }
    void goesOnAfterKillsAtRandomMoments()
    {
        CW_PRODUCT;
        Live live(server(kind), server(kind));
        const int wanted = isLong() ? 25 : 2;
        const quint32 seed = QRandomGenerator::system()->generate();
        QRandomGenerator random(seed);
        qInfo("seed %u", seed);
        int kills = 0;
        // There and back until there were enough of them.
        const std::size_t legs = isLong() ? 5 : 2;
        for (std::size_t leg = 0; leg < legs || kills < wanted; ++leg) {
            const char *goal = leg % 2 == 1 ? "primary" : "replica";
            for (int i = 0; i < (wanted + 4) / 5; ++i) {
                CliProcess process(live.to(goal));
                // What it does in the first second is the densest; later moments come too.
                const int ms =
                    static_cast<int>(random.bounded(random.bounded(3) == 0 ? 4000 : 1200));
                if (process.waitForEnd(ms))
                    continue;
                process.signal(SIGKILL);
                kills += process.wait().killed ? 1 : 0;
            }
            const Ended reached = cli(live.to(goal));
            QVERIFY2(reached.status == 0, reached.tail().constData());
            CW_ENDS_EQUAL(live, goal);
        }
        qInfo("%d kills", kills);
    }

    // ---- servers that die

    void goesOnAfterBothServersDied_data() { addProducts(); }
    void goesOnAfterBothServersDied()
    {
        CW_PRODUCT;
        Live live(server(kind), server(kind));
        const auto dieTogether = [&] {
            live.source.kill();
            live.target.kill();
            live.source.start();
            live.target.start();
        };
        { // while rows are copied
            const auto process = live.copying();
            QVERIFY(process->isRunning());
            // The target is open until the copy has ended: an application that changes over to it
            // now would write there.
            live.writer->stop();
            dieTogether();
            live.writer->start();
            const Ended ended = process->wait();
            QVERIFY2(ended.status == 0 || ended.status == 3, ended.tail().constData());
            const Ended again = persist(live.to("replica"));
            QVERIFY2(again.status == 0, again.tail().constData());
        }
        CW_ENDS_EQUAL(live, "replica");
        { // while changes are followed
            const auto process = live.following("replica");
            QVERIFY(process->isRunning());
            dieTogether();
            QVERIFY(live.writer->waitForCommits(30, 60s));
            process->signal(SIGINT);
            CW_EXITS(process->wait(), 0);
        }
        CW_ENDS_EQUAL(live, "replica");
        CW_EXITS(cli(live.to("primary")), 0);
        { // in primary mode
            const auto process = live.following("primary");
            QVERIFY(process->isRunning());
            dieTogether();
            QVERIFY(live.writer->waitForCommits(30, 60s));
            process->signal(SIGINT);
            CW_EXITS(process->wait(), 0);
        }
        CW_ENDS_EQUAL(live, "primary");
        CW_EXITS(cli(live.to("replica")), 0);
        CW_ENDS_EQUAL(live, "replica");
    }

    void goesOnAfterServersDiedAtTheFence_data()
    {
        QTest::addColumn<int>("product");
        QTest::addColumn<QString>("which");
        for (const char *which : {"both", "source", "target"}) {
            if (!isLong() && QByteArray(which) != "both")
                continue;
            QTest::addRow("MariaDB, %s", which)
                << static_cast<int>(Product::MariaDb) << QString::fromLatin1(which);
            if (isLong())
                QTest::addRow("MySQL, %s", which)
                    << static_cast<int>(Product::MySql) << QString::fromLatin1(which);
        }
    }
    /// The hook between seal and opening holds the switch while the servers die.
    void goesOnAfterServersDiedAtTheFence()
    {
        CW_PRODUCT;
        QFETCH(const QString, which);
        Live live(server(kind), server(kind));
        CW_EXITS(cli(live.to("replica")), 0);
        const QString reached = live.folder.filePath(QStringLiteral("reached"));
        const QString goOn = live.folder.filePath(QStringLiteral("go-on"));
        {
            auto journal = Journal::open(live.file, Journal::Access::Own);
            QVERIFY(journal.has_value());
            Settings settings = *(*journal)->settings();
            settings.onSwitched = QStringLiteral("touch %1; while [ ! -e %2 ]; do sleep 0.05; done")
                                      .arg(reached, goOn);
            QVERIFY((*journal)->setSettings(settings).has_value());
        }
        CliProcess process(live.to("primary"));
        QVERIFY(QTest::qWaitFor([&] { return QFile::exists(reached) || !process.isRunning(); },
                                60'000));
        QVERIFY(process.isRunning());
        const bool source = which != QLatin1String("target");
        const bool target = which != QLatin1String("source");
        if (source)
            live.source.kill();
        if (target)
            live.target.kill();
        if (source)
            live.source.start();
        if (target)
            live.target.start();
        // These servers forget that they are closed (MariaDB always, MySQL without option files):
        // the application writes on its old host again. None of that may be lost by the switch that
        // is under way.
        if (source)
            QVERIFY(live.writer->waitForCommits(5, 30s));
        QFile file(goOn);
        QVERIFY(file.open(QIODevice::WriteOnly));
        const Ended ended = process.wait();
        QVERIFY2(ended.status == 0 || ended.status == 3, ended.tail().constData());
        const Ended again = persist(live.to("primary"));
        QVERIFY2(again.status == 0, again.tail().constData());
        QVERIFY(live.writer->waitForCommitsOn(1, 10, 60s));
        CW_ENDS_EQUAL(live, "primary");
        // What is refused, or found, must not have been a write of the application.
        CW_EXITS(cli({QStringLiteral("verify"), live.file}), 0);
    }

    /// A restart of MariaDB loses the setting that closes it, and so does one of MySQL without an
    /// option file. Triggers stand by for that; once we are connected again the setting is back,
    /// and what triggers do not stop is found.
    void keepsAFollowerClosedThatWasRestarted_data() { addProducts(); }
    void keepsAFollowerClosedThatWasRestarted()
    {
        CW_PRODUCT;
        Live live(server(kind), server(kind));
        live.writer->stop();
        CW_EXITS(cli(live.to("replica")), 0);
        const auto readOnly = QStringLiteral("SELECT @@global.read_only");
        const auto restarted = [&](TestServer &follower, const char *goal) {
            const auto process = live.following(goal);
            QVERIFY(process->isRunning());
            QCOMPARE(follower.scalar(readOnly), QStringLiteral("1"));
            process->signal(SIGSTOP);
            follower.kill();
            follower.start();
            QCOMPARE(follower.scalar(readOnly), QStringLiteral("0"));
            MySqlClient application;
            QVERIFY(application.connect(Workload::address(follower)).ok());
            for (const char *sql :
                 {"INSERT INTO shop.journal_entries (id, writer, number) VALUES ('foreign', 1, 1)",
                  "UPDATE shop.ballast SET pad='foreign' WHERE id=1",
                  "DELETE FROM shop.ballast WHERE id=1"}) {
                const auto refused = application.run(sql);
                QVERIFY2(!refused.ok() && refused.words.find("Causeway") != std::string::npos, sql);
            }
            follower.exec(QStringLiteral("TRUNCATE TABLE shop.ballast"));
            process->signal(SIGCONT);
            const bool closed = QTest::qWaitFor(
                [&] { return follower.scalar(readOnly) == QLatin1String("1"); }, 30'000);
            const bool told = QTest::qWaitFor(
                [&] {
                    return !statusOf(live.file).value(QStringLiteral("alarm")).toObject().isEmpty();
                },
                30'000);
            if (process->isRunning())
                process->signal(SIGINT);
            const Ended ended = process->wait();
            QVERIFY2(closed && told && ended.status == 0, ended.tail().constData());
            CW_EXITS(cli({QStringLiteral("verify"), live.file, QStringLiteral("--repair")}), 0);
        };
        const auto standingBy = [](TestServer &server) {
            return server.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.triggers "
                                                "WHERE trigger_name LIKE 'causeway\\_sealed%'"));
        };
        restarted(live.target, "replica");
        if (QTest::currentTestFailed())
            return;
        CW_EXITS(cli(live.to("primary")), 0);
        QCOMPARE(standingBy(live.target), QStringLiteral("0"));
        const double pause =
            statusOf(live.file).value(QStringLiteral("write_pause_seconds")).toDouble(-1);
        QVERIFY(pause >= 0);
        if (isLong())
            restarted(live.source, "primary");
        if (QTest::currentTestFailed())
            return;
        // Of the last switch, whatever process is asked.
        QCOMPARE(statusOf(live.file).value(QStringLiteral("write_pause_seconds")).toDouble(-1),
                 pause);
        CW_EXITS(cli(live.to("replica")), 0);
        QCOMPARE(standingBy(live.source), QStringLiteral("0"));
        CW_EQUAL(live);
        CW_EXITS(cli(live.to("primary")), 0);
        CW_EXITS(cli(live.to("finished")), 0);
        QCOMPARE(standingBy(live.source), QStringLiteral("0"));
        QCOMPARE(standingBy(live.target), QStringLiteral("0"));
    }

    // ---- links that break

    void goesOnOverBrokenLinks_data()
    {
        QTest::addColumn<int>("product");
        QTest::addColumn<QString>("how");
        for (const char *how : {"cut", "stalled", "half-open"}) {
            if (!isLong() && QByteArray(how) != "cut")
                continue;
            QTest::addRow("MariaDB, %s", how)
                << static_cast<int>(Product::MariaDb) << QString::fromLatin1(how);
            if (isLong())
                QTest::addRow("MySQL, %s", how)
                    << static_cast<int>(Product::MySql) << QString::fromLatin1(how);
        }
    }
    void goesOnOverBrokenLinks()
    {
        CW_PRODUCT;
        QFETCH(const QString, how);
        Live live(server(kind), server(kind), true);
        const auto breakThem = [&] {
            for (TcpProxy *proxy : {live.sourceProxy.get(), live.targetProxy.get()}) {
                if (how == QLatin1String("cut")) {
                    proxy->cut();
                } else if (how == QLatin1String("half-open")) {
                    proxy->halfOpen();
                } else {
                    proxy->stall(true);
                    QTest::qWait(1500);
                    proxy->stall(false);
                }
            }
        };
        { // while rows are copied
            const auto process = live.copying();
            QVERIFY(process->isRunning());
            breakThem();
            CW_EXITS(process->wait(), 0);
        }
        CW_ENDS_EQUAL(live, "replica");
        { // while changes are followed
            CliProcess process(live.to("replica", {QStringLiteral("--follow")}));
            QVERIFY(live.writer->waitForCommits(30, 60s));
            breakThem();
            QVERIFY(live.writer->waitForCommits(30, 60s));
            // It has gone on by itself: what was written since arrives.
            live.source.exec(QStringLiteral("INSERT INTO shop.ballast VALUES (777777, 'after')"));
            QTRY_COMPARE_WITH_TIMEOUT(
                live.target.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.ballast WHERE "
                                                  "id=777777")),
                QStringLiteral("1"), 60'000);
            process.signal(SIGINT);
            CW_EXITS(process.wait(), 0);
        }
        CW_ENDS_EQUAL(live, "replica");
        // In the middle of the switch, at several moments.
        for (const int ms : isLong() ? std::vector{300, 700, 1200} : std::vector{700}) {
            CliProcess process(live.to("primary"));
            if (!process.waitForEnd(ms))
                breakThem();
            const Ended ended = process.wait();
            QVERIFY2(ended.status == 0 || ended.status == 3, ended.tail().constData());
            const Ended again = persist(live.to("primary"));
            QVERIFY2(again.status == 0, again.tail().constData());
            CW_ENDS_EQUAL(live, "primary");
            const Ended back = persist(live.to("replica"));
            QVERIFY2(back.status == 0, back.tail().constData());
            CW_ENDS_EQUAL(live, "replica");
        }
    }

    void cancellingTakesASecondAgainstAServerThatDoesNotAnswer_data()
    {
        QTest::addColumn<QString>("when");
        for (const char *when : {"copy", "follow", "verify", "switch"}) {
            if (isLong() || QByteArray(when) == "follow")
                QTest::newRow(when) << QString::fromLatin1(when);
        }
    }
    void cancellingTakesASecondAgainstAServerThatDoesNotAnswer()
    {
        QFETCH(const QString, when);
        Live live({}, {}, true);
        const auto stalled = [&](bool on) {
            live.sourceProxy->stall(on);
            live.targetProxy->stall(on);
        };
        std::unique_ptr<CliProcess> process;
        if (when == QLatin1String("copy")) {
            process = live.copying();
        } else {
            CW_EXITS(cli(live.to("replica")), 0);
            process = std::make_unique<CliProcess>(
                when == QLatin1String("verify") ? QStringList{QStringLiteral("verify"), live.file}
                : when == QLatin1String("switch")
                    ? live.to("primary")
                    : live.to("replica", {QStringLiteral("--follow")}));
            if (when == QLatin1String("follow"))
                QVERIFY(live.writer->waitForCommits(30, 60s));
            else
                process->waitForEnd(when == QLatin1String("switch") ? 900 : 300);
        }
        QVERIFY(process->isRunning());
        stalled(true);
        process->waitForEnd(700); // until all of it waits
        QElapsedTimer timer;
        timer.start();
        process->signal(SIGINT);
        const Ended ended = process->wait(30'000);
        const qint64 took = timer.elapsed();
        stalled(false);
        qInfo("%s: %lld ms", qPrintable(when), static_cast<long long>(took));
        if (took >= 1500)
            QFAIL(ended.tail().constData());
        const Ended again = persist(live.to("primary"));
        QVERIFY2(again.status == 0, again.tail().constData());
        CW_ENDS_EQUAL(live, "primary");
    }

    /// The same at every step, in the order in which a whole migration comes to them; by default
    /// at those where most depends on it.
    void cancellingTakesASecondAtEveryStep()
    {
        Live live({}, {}, true);
        QStringList wrong;
        const auto at = [&](const char *goal, const QString &step, const char *id) {
            CliProcess process(live.to(goal), {}, step + QStringLiteral(":before"));
            (void)QTest::qWaitFor([&] { return process.isStopped() || !process.isRunning(); },
                                  60'000);
            if (!process.isRunning()) {
                wrong << step + QStringLiteral(": not reached");
                return;
            }
            live.sourceProxy->stall(true);
            live.targetProxy->stall(true);
            process.signal(SIGCONT);
            process.waitForEnd(700); // until all of it waits
            QElapsedTimer timer;
            timer.start();
            process.signal(SIGINT);
            const Ended ended = process.wait(30'000);
            const qint64 took = timer.elapsed();
            live.sourceProxy->stall(false);
            live.targetProxy->stall(false);
            qInfo("%s: %lld ms, exit %d %s", qPrintable(step), static_cast<long long>(took),
                  ended.status, qPrintable(ended.errorId()));
            const QString said = ended.errorId();
            if (took >= 1500 || said != QLatin1String(id) || ended.status != (*id ? 3 : 1))
                wrong << QStringLiteral("%1: %2 ms %3")
                             .arg(step)
                             .arg(took)
                             .arg(QString::fromUtf8(ended.tail()));
        };
        const auto nothing = "", notUndone = "not-undone", unfinished = "switch-unfinished";
        if (isLong()) {
            for (const char *step :
                 {"copy.state", "copy.position", "copy.intent", "copy.tables", "copy.indexes"})
                at("replica", QString::fromLatin1(step), nothing);
            at("replica", QStringLiteral("copy.close-target"), notUndone);
            for (const char *step : {"replica.uniques", "replica.foreign-keys", "replica.views"})
                at("replica", QString::fromLatin1(step), nothing);
        }
        CW_EXITS(persist(live.to("replica")), 0);
        if (isLong()) {
            at("primary", QStringLiteral("switch.prepare"), nothing);
            for (const char *step : {"events-off", "counters", "ease", "compare-before", "hold",
                                     "drain", "compare", "objects", "lead"})
                at("primary", QStringLiteral("switch.") + QString::fromLatin1(step), notUndone);
        }
        at("primary", QStringLiteral("switch.seal"), notUndone);
        QCOMPARE(statusOf(live.file).value(QStringLiteral("phase")).toString(),
                 QStringLiteral("switching"));
        // Not closed for good: the server lets go by itself. (How soon is KillTest's to say.)
        if (!live.writer->waitForCommits(10, 30s)) {
            QString state = QStringLiteral("read_only ") +
                            live.source.scalar(QStringLiteral("SELECT @@GLOBAL.read_only"));
            for (const auto &row : live.source.query(QStringLiteral("SHOW FULL PROCESSLIST"))) {
                state += QLatin1Char('\n');
                for (const auto &cell : row)
                    state += QString::fromStdString(cell.value_or("NULL")) + QLatin1Char(' ');
            }
            QFAIL(qPrintable(state));
        }
        at("primary", QStringLiteral("switch.drain-sealed"), notUndone);
        const QJsonObject left = statusOf(live.file).value(QStringLiteral("error")).toObject();
        QCOMPARE(left.value(QStringLiteral("id")).toString(), QStringLiteral("not-undone"));
        QVERIFY(left.value(QStringLiteral("fix"))
                    .toString()
                    .contains(QLatin1String("causeway-cli unfence")));
        CW_EXITS(cli({QStringLiteral("unfence"), QStringLiteral("--source"),
                      live.settings.source.fromHere.toUrl(), QStringLiteral("--target"),
                      live.settings.target.fromHere.toUrl()}),
                 0);
        QVERIFY(live.writer->waitForCommits(10, 15s));
        if (isLong())
            at("primary", QStringLiteral("complete.events"), unfinished);
        at("primary", QStringLiteral("complete.open"), unfinished);
        QCOMPARE(statusOf(live.file).value(QStringLiteral("leader")).toString(),
                 QStringLiteral("target"));
        if (isLong()) {
            for (const char *step : {"admit", "triggers-off", "arm", "tidy"})
                at("primary", QStringLiteral("complete.") + QString::fromLatin1(step), unfinished);
        }
        CW_EXITS(persist(live.to("primary")), 0);
        if (isLong()) {
            for (const char *step : {"hold", "seal", "objects"})
                at("replica", QStringLiteral("switch-back.") + QString::fromLatin1(step),
                   notUndone);
        }
        CW_ENDS_EQUAL(live, "primary");
        if (isLong()) {
            for (const char *step :
                 {"finish.objects", "finish.source", "detach.state-source", "detach.state-target"})
                at("finished", QString::fromLatin1(step), nothing);
            CW_EXITS(persist(live.to("finished")), 0);
        }
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join(QLatin1Char('\n'))));
    }

    void aLeaderThatDiedIsNamedSo()
    {
        Pair pair({}, {});
        pair.source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY "
                                        "KEY); INSERT INTO shop.a VALUES (1)"));
        makeFile(pair);
        CW_EXITS(cli(runArguments(pair, "primary")), 0);
        CliProcess process(runArguments(pair, "replica"), {},
                           QStringLiteral("switch-back.compare-before:before"));
        QVERIFY(
            QTest::qWaitFor([&] { return process.isStopped() || !process.isRunning(); }, 60'000));
        QVERIFY(process.isStopped());
        pair.target.kill();
        process.signal(SIGCONT);
        const Ended ended = process.wait();
        QVERIFY2(ended.status == 3, ended.tail().constData());
        QVERIFY2(ended.output.contains("which takes the writes, answered before and does not now"),
                 ended.tail().constData());
        QVERIFY2(!ended.output.contains("Check that it is a MySQL"), ended.tail().constData());
        pair.target.start();
        CW_EXITS(cli(runArguments(pair, "replica")), 0);
    }

    /// Also where one process held writes and another one completed the switch.
    void theWritePauseIsThatOfThisSwitch()
    {
        Pair pair({}, {});
        pair.source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY "
                                        "KEY); INSERT INTO shop.a VALUES (1)"));
        makeFile(pair);
        const auto pause = [&] {
            return statusOf(pair.file).value(QStringLiteral("write_pause_seconds")).toDouble(-1);
        };
        CW_EXITS(cli(runArguments(pair, "primary")), 0);
        QVERIFY(pause() >= 0);
        CW_EXITS(cli(runArguments(pair, "replica")), 0);
        const double before = pause();
        QVERIFY(before >= 0);
        QVERIFY(cli(runArguments(pair, "primary"), QStringLiteral("switch.lead:after")).killed);
        QElapsedTimer closed;
        closed.start();
        QTest::qWait(static_cast<int>(before * 1000) + 1000); // longer than the pause before
        const double least = static_cast<double>(closed.elapsed()) / 1000.0;
        CW_EXITS(cli(runArguments(pair, "primary")), 0);
        QVERIFY2(pause() >= least, QByteArray::number(pause()).constData());
        if (!isLong())
            return;
        // Opened, and cut off before it was noted: writes have been possible since.
        QVERIFY(cli(runArguments(pair, "replica"), QStringLiteral("complete.admit:before")).killed);
        closed.start();
        QTest::qWait(3000);
        CW_EXITS(cli(runArguments(pair, "replica")), 0);
        QVERIFY2(pause() >= 0 && pause() < 3, QByteArray::number(pause()).constData());
    }

    void aServerBehindAFirewallIsNamed()
    {
        Live live({}, {});
        const BlackHole nowhere;
        const QString url = QStringLiteral("mariadb://mover@127.0.0.1:%1/shop").arg(nowhere.port());
        CliProcess process(
            {QStringLiteral("check"), QStringLiteral("--source"), url, QStringLiteral("--json")});
        const Ended ended = process.wait(60'000);
        QCOMPARE(ended.status, 3);
        QCOMPARE(ended.errorId(), QStringLiteral("mysql-connect-timeout"));
        QVERIFY(ended.output.contains("firewall") || ended.output.contains("security group"));

        const QString file = live.folder.filePath(QStringLiteral("nowhere.causeway"));
        CW_EXITS(cli({QStringLiteral("new"), file, QStringLiteral("--source"), url,
                      QStringLiteral("--target"), live.settings.target.fromHere.toUrl()}),
                 0);
        CliProcess run({QStringLiteral("run"), file, QStringLiteral("--to"),
                        QStringLiteral("replica"), QStringLiteral("--json")});
        run.waitForEnd(1000);
        QVERIFY(run.isRunning());
        QElapsedTimer timer;
        timer.start();
        run.signal(SIGINT);
        (void)run.wait(30'000);
        QVERIFY2(timer.elapsed() < 1500, QByteArray::number(timer.elapsed()).constData());
    }

    // ---- a process that is stopped

    void goesOnAfterItWasStoppedForLong_data() { addProducts(); }
    void goesOnAfterItWasStoppedForLong()
    {
        CW_PRODUCT;
        if (!isLong())
            QSKIP("With CAUSEWAY_LONG only.");
        const QStringList impatient{
            QStringLiteral("--wait-timeout=2"), QStringLiteral("--interactive-timeout=2"),
            QStringLiteral("--net-read-timeout=2"), QStringLiteral("--net-write-timeout=2")};
        Live live(server(kind, impatient), server(kind, impatient));
        { // while rows are copied
            const auto process = live.copying();
            QVERIFY(process->isRunning());
            process->signal(SIGSTOP);
            process->waitForEnd(5000);
            process->signal(SIGCONT);
            CW_EXITS(process->wait(), 0);
        }
        CW_ENDS_EQUAL(live, "replica");
        { // while changes are followed
            CliProcess process(live.to("replica", {QStringLiteral("--follow")}));
            QVERIFY(live.writer->waitForCommits(30, 60s));
            process.signal(SIGSTOP);
            process.waitForEnd(5000);
            process.signal(SIGCONT);
            live.source.exec(QStringLiteral("INSERT INTO shop.ballast VALUES (777777, 'after')"));
            QTRY_COMPARE_WITH_TIMEOUT(
                live.target.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.ballast WHERE "
                                                  "id=777777")),
                QStringLiteral("1"), 60'000);
            process.signal(SIGINT);
            CW_EXITS(process.wait(), 0);
        }
        CW_ENDS_EQUAL(live, "replica");
        // With writes held: the server lets go by itself, and the switch is undone.
        CliProcess process(live.to("primary"), {}, QStringLiteral("switch.hold:after"));
        QVERIFY(
            QTest::qWaitFor([&] { return process.isStopped() || !process.isRunning(); }, 60'000));
        QVERIFY(process.isStopped());
        QVERIFY(live.writer->waitForCommits(10, 10s));
        QCOMPARE(live.writer->commitsOn(1), 0);
        process.signal(SIGCONT);
        const Ended undone = process.wait();
        QVERIFY2(undone.status == 3, undone.tail().constData());
        QVERIFY(live.writer->waitForCommits(10, 10s));
        CW_ENDS_EQUAL(live, "replica");
        CW_EXITS(cli(live.to("primary")), 0);
        CW_ENDS_EQUAL(live, "primary");
    }

    // ---- a file that was copied

    void aCopiedFileDoesNotTakeOver()
    {
        Live live({}, {});
        CW_EXITS(cli(live.to("replica")), 0);
        const QString copy = live.folder.filePath(QStringLiteral("copy.causeway"));
        QVERIFY(QFile::copy(live.file, copy));
        const QStringList second{QStringLiteral("run"), copy, QStringLiteral("--to"),
                                 QStringLiteral("replica"), QStringLiteral("--json")};
        CliProcess first(live.to("replica", {QStringLiteral("--follow")}));
        QVERIFY(live.writer->waitForCommits(30, 60s));
        const QString epoch = live.target.scalar(QStringLiteral("SELECT epoch FROM "
                                                                "_causeway.migration"));
        CW_FAILS(cli(second), 1, "lease-held");
        QCOMPARE(live.target.scalar(QStringLiteral("SELECT epoch FROM _causeway.migration")),
                 epoch);
        QVERIFY(first.isRunning());
        // One that is stopped does not count as being at work; woken up, it writes no more.
        first.signal(SIGSTOP);
        CW_EXITS(cli(second), 0);
        QVERIFY(live.target.scalar(QStringLiteral("SELECT epoch FROM _causeway.migration")) !=
                epoch);
        first.signal(SIGCONT);
        const Ended replaced = first.wait(60'000);
        QVERIFY2(replaced.status == 3 && replaced.errorId() == QLatin1String("lease-lost"),
                 replaced.tail().constData());
        QVERIFY(QFile::remove(live.file) && QFile::rename(copy, live.file));
        CW_EXITS(cli(live.to("primary")), 0);
        CW_ENDS_EQUAL(live, "primary");
    }
};

QTEST_GUILESS_MAIN(FaultTest)
#include "FaultTest.moc"
