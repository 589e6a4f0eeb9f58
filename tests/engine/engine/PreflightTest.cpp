#include "base/Stop.h"
#include "engine/Engine.h"
#include "servers/TestServer.h"

#include <QElapsedTimer>
#include <QtTest>

#include <thread>

using namespace causeway;
using namespace causeway::test;

class PreflightTest : public QObject {
    Q_OBJECT

    std::unique_ptr<TestServer> m_server;

    [[nodiscard]] Endpoint source() const
    {
        return {m_server->address({}, {}, QStringLiteral("shop")), {}, {}};
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_server = std::make_unique<TestServer>();
        m_server->exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.t(id INT PRIMARY "
                                      "KEY); CREATE DATABASE unrelated; CREATE TABLE "
                                      "unrelated.keyless(a INT)"));
    }

    void aSoundSourceIsReadyAndOnlyItsDatabaseIsLookedAt()
    {
        int reported = 0;
        const auto report =
            runPreflight(source(), {}, {}, [&](const Finding &) { ++reported; }, {});
        QVERIFY(report.has_value());
        QCOMPARE(static_cast<int>(report->findings.size()), reported);
        QVERIFY(report->source && !report->target);
        QVERIFY(report->verdict() != QLatin1String("blocked"));
        for (const Finding &f : report->findings)
            QVERIFY2(f.status != FindingStatus::Blocker && f.status != FindingStatus::Unknown,
                     qPrintable(f.id + f.found.english()));
    }

    void applyMendsWhatIsSafeAndChecksAgain()
    {
        m_server->exec(QStringLiteral("SET GLOBAL binlog_row_image='MINIMAL'"));
        const auto report = runPreflight(source(), {}, {}, {}, {});
        QVERIFY(report.has_value());
        QCOMPARE(report->verdict(), QStringLiteral("blocked"));
        const auto after = applyFix(source(), {}, {}, QStringLiteral("mysql-binlog-row-image"), {});
        QVERIFY(after.has_value());
        QCOMPARE(toString(after->after.status), QStringLiteral("pass"));
        QVERIFY(after->ran);
        QVERIFY(after->before.found.english().contains(QStringLiteral("MINIMAL")));
        QCOMPARE(m_server->scalar(QStringLiteral("SELECT @@GLOBAL.binlog_row_image")),
                 QStringLiteral("FULL"));
        m_server->exec(QStringLiteral("CREATE TABLE shop.keyless(a INT)"));
        const auto refused = applyFix(source(), {}, {}, QStringLiteral("mysql-unique-key"), {});
        QVERIFY(!refused && refused.error().code == ErrorCode::NotReady);
        m_server->exec(QStringLiteral("DROP TABLE shop.keyless"));
        const auto nothing = applyFix(source(), {}, {}, QStringLiteral("no-such"), {});
        QVERIFY(!nothing && nothing.error().code == ErrorCode::Usage);
    }

    void theSqlOfAllChecksIsShown()
    {
        const auto sql = preflightSql(source(), {}, {}, {});
        QVERIFY(sql.has_value());
        const QString all = sql->join(QLatin1Char('\n'));
        QVERIFY(all.contains(QStringLiteral("-- mysql-unique-key (source)")));
        QVERIFY(all.contains(QStringLiteral("'shop'")));
        QVERIFY(!all.contains(QStringLiteral("{db}")));
    }

    void aServerThatCannotBeReachedIsOneError()
    {
        Endpoint e = source();
        e.fromHere.port = 1;
        const auto report = runPreflight(e, {}, {}, {}, {});
        QVERIFY(!report);
        QCOMPARE(report.error().exitStatus(), 3);
    }

    void cancelAgainstAServerThatSaysNothingTakesLessThanASecond()
    {
        TcpProxy proxy(m_server->port());
        proxy.stall(true);
        Endpoint e = source();
        e.fromHere.port = proxy.port();
        std::stop_source stop;
        QElapsedTimer timer;
        const std::jthread canceller([&] {
            pauseFor({}, std::chrono::milliseconds(300));
            timer.start();
            stop.request_stop();
        });
        const auto report = runPreflight(e, {}, {}, {}, stop.get_token());
        QVERIFY(!report);
        QVERIFY2(timer.elapsed() < 1'000, qPrintable(QString::number(timer.elapsed())));
    }

    void otherEnginesCannotBeMixed()
    {
        Endpoint other = source();
        other.fromHere.engine = Engine::Postgres;
        const auto report = runPreflight(source(), other, {}, {}, {});
        QVERIFY(!report && report.error().code == ErrorCode::Usage);
    }

    void theUserScriptHoldsAPlaceForThePassword()
    {
        Selection s;
        s.schemas << QStringLiteral("shop");
        CheckOptions whole;
        whole.selection = s;
        const auto script = userScript(source(), Side::Source, whole, QStringLiteral("mover"), {});
        QVERIFY(script.has_value());
        QVERIFY(script->first().contains(QStringLiteral("'mover'@'%'")));
        QVERIFY(script->first().contains(QStringLiteral("${password}")));
    }
};

QTEST_GUILESS_MAIN(PreflightTest)
#include "PreflightTest.moc"
