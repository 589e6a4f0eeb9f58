#include "base/Stop.h"
#include "preflight/Check.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonObject>
#include <QtTest>

#include <thread>

#include <condition_variable>
#include <mutex>

using namespace causeway;

namespace {

Check check(const char *id, std::function<Result<Finding>(std::stop_token)> run)
{
    Check c;
    c.id = QString::fromLatin1(id);
    c.title = cwText("core", "A check");
    c.why = cwText("core", "Because");
    c.run = std::move(run);
    return c;
}

Result<Finding> passes(std::stop_token)
{
    Finding f;
    f.status = FindingStatus::Pass;
    return f;
}

/// Comes back only when it is stopped, as a query does on a server that does not answer.
Result<Finding> hangs(std::stop_token stop)
{
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait(lock, stop, [] { return false; });
    return fail(cancelledError());
}

Finding finding(const char *id, FindingStatus status)
{
    Finding f;
    f.id = QString::fromLatin1(id);
    f.status = status;
    return f;
}

} // namespace

class RunnerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keepsTheOrderGiven()
    {
        std::vector<Check> checks;
        for (int i = 0; i < 50; ++i)
            checks.push_back(check(QByteArray::number(i).constData(), passes));
        int reported = 0;
        const auto out = runChecks(checks, {}, [&](const Finding &) { ++reported; }, {});
        QCOMPARE(out.size(), std::size_t{50});
        for (int i = 0; i < 50; ++i)
            QCOMPARE(out[static_cast<std::size_t>(i)].id, QString::number(i));
        QCOMPARE(reported, 50);
        QCOMPARE(out.front().title.english(), QStringLiteral("A check"));
    }

    void anErrorIsUnknownWithTheServersWords()
    {
        const auto out = runChecks({check("x",
                                          [](std::stop_token) -> Result<Finding> {
                                              Error e;
                                              e.code = ErrorCode::Server;
                                              e.message = cwText("core", "Refused.");
                                              e.serverWords = QStringLiteral("PROCESS is missing");
                                              return fail(e);
                                          })},
                                   {}, {}, {});
        QCOMPARE(toString(out.front().status), QStringLiteral("unknown"));
        QVERIFY(out.front().found.english().contains(QStringLiteral("PROCESS is missing")));
    }

    void aCheckThatHangsTimesOutAndTheOthersGoOn()
    {
        CheckOptions options;
        options.timeoutPerCheck = std::chrono::milliseconds(200);
        std::vector<Check> checks{check("stuck", hangs)};
        for (int i = 0; i < 10; ++i)
            checks.push_back(check("fine", passes));
        QElapsedTimer timer;
        timer.start();
        const auto out = runChecks(checks, options, {}, {});
        QVERIFY(timer.elapsed() >= 200);
        QVERIFY(timer.elapsed() < 5'000);
        QCOMPARE(toString(out[0].status), QStringLiteral("unknown"));
        QVERIFY(out[0].found.english().contains(QStringLiteral("did not end within")));
        for (std::size_t i = 1; i < out.size(); ++i)
            QCOMPARE(toString(out[i].status), QStringLiteral("pass"));
    }

    void cancelEndsEverythingWithinASecond()
    {
        std::vector<Check> checks;
        for (int i = 0; i < 20; ++i)
            checks.push_back(check("stuck", hangs));
        std::stop_source stop;
        QElapsedTimer timer;
        const std::jthread canceller([&] {
            pauseFor({}, std::chrono::milliseconds(100));
            timer.start();
            stop.request_stop();
        });
        const auto out = runChecks(checks, {}, {}, stop.get_token());
        QVERIFY(timer.isValid());
        QVERIFY(timer.elapsed() < 1'000);
        for (const Finding &f : out)
            QCOMPARE(toString(f.status), QStringLiteral("unknown"));
    }

    void probesAreSkippedUnlessAskedFor()
    {
        Check c = check("probe", passes);
        c.isProbe = true;
        QCOMPARE(toString(runChecks({c}, {}, {}, {}).front().status), QStringLiteral("skipped"));
        CheckOptions options;
        options.probes = true;
        QCOMPARE(toString(runChecks({c}, options, {}, {}).front().status), QStringLiteral("pass"));
    }

    void verdictOfBlockersAndUnknowns()
    {
        CheckReport r;
        QCOMPARE(r.verdict(), QStringLiteral("ready"));
        r.findings = {finding("a", FindingStatus::Pass), finding("b", FindingStatus::Info),
                      finding("c", FindingStatus::Skipped)};
        QCOMPARE(r.verdict(), QStringLiteral("ready"));
        r.findings.push_back(finding("d", FindingStatus::Warning));
        QCOMPARE(r.verdict(), QStringLiteral("warnings"));
        r.findings.push_back(finding("e", FindingStatus::Unknown));
        QCOMPARE(r.verdict(), QStringLiteral("warnings")); // the source alone starts nothing
        r.target = ServerFacts{};
        QCOMPARE(r.verdict(), QStringLiteral("blocked"));
        r.findings.back().blocksMigration = false;
        QCOMPARE(r.verdict(), QStringLiteral("warnings"));
        r.findings.push_back(finding("f", FindingStatus::Blocker));
        QCOMPARE(r.verdict({QStringLiteral("f")}), QStringLiteral("blocked"));
        r.findings.back().acceptable = true;
        QCOMPARE(r.verdict(), QStringLiteral("blocked"));
        QCOMPARE(r.verdict({QStringLiteral("f")}), QStringLiteral("warnings"));
    }

    void jsonHasThePublishedMembers()
    {
        CheckReport r;
        r.source = ServerFacts{};
        Finding f = finding("mysql-gtid-mode", FindingStatus::Warning);
        f.fix.sql << QStringLiteral("SET PERSIST gtid_mode = ON;");
        f.fix.restart = true;
        r.findings = {f};
        const QJsonObject json = r.toJson();
        QCOMPARE(json.value(QStringLiteral("verdict")).toString(), QStringLiteral("warnings"));
        QVERIFY(json.value(QStringLiteral("source")).isObject());
        QVERIFY(json.value(QStringLiteral("target")).isNull());
        const QJsonObject out = json.value(QStringLiteral("findings")).toArray().first().toObject();
        for (const char *name :
             {"id", "side", "status", "title", "found", "needed", "why", "objects", "fix"})
            QVERIFY2(out.contains(QString::fromLatin1(name)), name);
        const QJsonObject fix = out.value(QStringLiteral("fix")).toObject();
        for (const char *name :
             {"platform", "text", "sql", "config", "command", "restart", "privilege", "can_apply"})
            QVERIFY2(fix.contains(QString::fromLatin1(name)), name);
        QCOMPARE(fix.value(QStringLiteral("restart")).toBool(), true);
        QCOMPARE(out.value(QStringLiteral("status")).toString(), QStringLiteral("warning"));
    }
};

QTEST_GUILESS_MAIN(RunnerTest)
#include "RunnerTest.moc"
