// Whole migrations with accounts that may do only what they were given: what `user-script` prints,
// and what hosted services hand out.

#include "engine/engine/MigrationSupport.h"

#include "servers/Certificates.h"
#include <QRegularExpression>

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
const QString kHosted = QStringLiteral(
    // How a server is recognised as a service that keeps the great rights to itself; its
    // parameter group lets functions and triggers be made.
    "CREATE PROCEDURE mysql.rds_show_configuration() SELECT 'binlog retention hours' AS name, "
    "'168' AS value, '' AS description; SET GLOBAL log_bin_trust_function_creators=1");

struct Ended {
    int status = -1;
    QByteArray output;
};

Ended cli(const QStringList &arguments, const QProcessEnvironment &env)
{
    QProcess process;
    process.setProcessEnvironment(env);
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(QStringLiteral(CAUSEWAY_CLI), arguments);
    Ended ended;
    if (!process.waitForFinished(180'000)) {
        process.kill();
        process.waitForFinished();
    }
    ended.status = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    ended.output = process.readAll();
    return ended;
}

/// Makes the account 'causeway' on both servers by what `causeway-cli user-script` prints, run as
/// printed by an administrator.
void runUserScript(Pair &pair, const QStringList &more = {})
{
    QStringList arguments{QStringLiteral("user-script"), QStringLiteral("--source"),
                          pair.source.url(QStringLiteral("shop")), QStringLiteral("--target"),
                          pair.target.url(QStringLiteral("shop"))};
    QProcessEnvironment env = QProcessEnvironment::systemEnvironment();
    env.remove(QStringLiteral("CAUSEWAY_SOURCE_PASSWORD"));
    env.remove(QStringLiteral("CAUSEWAY_TARGET_PASSWORD"));
    const Ended printed = cli(arguments + more, env);
    if (printed.status != 0)
        qFatal("user-script: %s", printed.output.constData());
    TestServer *server = nullptr;
    const QList<QByteArray> lines = printed.output.split('\n');
    for (const QByteArray &line : lines) {
        if (line.startsWith("-- On the source"))
            server = &pair.source;
        else if (line.startsWith("-- On the target"))
            server = &pair.target;
        else if (!line.isEmpty() && !line.startsWith("--"))
            server->exec(QString::fromUtf8(line));
    }
    static const QRegularExpression made(QStringLiteral("IDENTIFIED BY '([^']*)'"));
    pair.password = made.match(QString::fromUtf8(printed.output)).captured(1);
    if (pair.password.size() < 24 || pair.password.contains(QLatin1Char('$')))
        qFatal("no password was generated: %s", printed.output.constData());
}

/// The migration signs in with the account of the script.
void useScriptAccount(Pair &pair)
{
    const QString password = pair.password;
    pair.settings.source.fromHere =
        pair.source.address(QStringLiteral("causeway"), password, QStringLiteral("shop"));
    pair.settings.target.fromHere =
        pair.target.address(QStringLiteral("causeway"), password, QStringLiteral("shop"));
}

/// TRUNCATE passes triggers: an account that may not end whoever waits with one cannot keep it out
/// once the lock is gone. A limit of the trigger seal, named in README.
WorkloadOptions someWrites(bool truncates)
{
    WorkloadOptions options;
    options.connections = 3;
    options.rate = 90;
    options.longTransaction = 1s;
    if (!truncates)
        options.truncateEvery = 0ms;
    return options;
}

QString leftovers(TestServer &server)
{
    return server.scalar(QStringLiteral(
        "SELECT CONCAT_WS(' ', (SELECT GROUP_CONCAT(schema_name) FROM information_schema.schemata "
        "WHERE schema_name='_causeway'), (SELECT GROUP_CONCAT(table_name) FROM "
        "information_schema.tables WHERE table_name LIKE '\\_causeway%'), (SELECT "
        "GROUP_CONCAT(trigger_name) FROM information_schema.triggers WHERE trigger_name LIKE "
        "'causeway%'), IF(@@global.read_only, 'read_only', NULL))"));
}
} // namespace

class RightsTest : public QObject {
    Q_OBJECT

    /// There, back, there, finish, while an application writes; equal and nothing lost each time.
    void roundTrip(Pair &pair, const QByteArray &seal, bool stateBesideTables = false)
    {
        const WorkloadOptions writes = someWrites(seal == "read_only");
        Workload writer({Workload::address(pair.source), Workload::address(pair.target)}, writes);
        writer.start();
        QVERIFY(writer.waitForCommits(100, 60s));
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        const Outcome verified = carryOut(*migration, command::Verify{});
        QVERIFY2(verified.status.has_value(), describe(verified).constData());
        QVERIFY(verified.verify->equal());
        QCOMPARE(pair.target.scalar(QStringLiteral(
                     "SELECT GROUP_CONCAT(DISTINCT table_schema) FROM information_schema.tables "
                     "WHERE table_name IN ('stream', '_causeway_stream') AND table_schema IN "
                     "('shop', '_causeway')")),
                 stateBesideTables ? QStringLiteral("shop") : QStringLiteral("_causeway"));
        struct Leg {
            Goal goal;
            TestServer *leader;
            std::size_t host;
        };
        const std::vector<Leg> way{{Goal::Primary, &pair.target, 1},
                                   {Goal::Replica, &pair.source, 0},
                                   {Goal::Primary, &pair.target, 1}};
        for (const Leg &leg : way) {
            const qint64 before = writer.commitsOn(leg.host);
            CW_VERIFY(runTo(*migration, leg.goal));
            QVERIFY(writer.waitForCommitsOn(leg.host, before + 50, 60s));
            writer.stop();
            CW_VERIFY(runTo(*migration, leg.goal));
            const QStringList problems = problemsOf(pair, writer, *leg.leader);
            QVERIFY2(problems.isEmpty(), qPrintable(problems.join(QLatin1Char('\n'))));
            writer.start();
        }
        const auto sealed = migration->snapshot()->steps;
        const auto step = std::find_if(sealed.begin(), sealed.end(), [](const StepRecord &s) {
            return s.id == QLatin1String("switch.seal");
        });
        QVERIFY(step != sealed.end());
        QVERIFY2(step->title.english().toUtf8().contains(seal), qPrintable(step->title.english()));
        writer.stop();
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        QCOMPARE(leftovers(pair.source), QString());
        QCOMPARE(leftovers(pair.target), QString());
    }

private Q_SLOTS:
    void theScriptsAccountIsEnough_data()
    {
        QTest::addColumn<int>("from");
        QTest::addColumn<int>("to");
        QTest::addColumn<bool>("hosted");
        QTest::addColumn<bool>("gtid");
        const int mariaDb = static_cast<int>(Product::MariaDb);
        const int mySql = static_cast<int>(Product::MySql);
        QTest::newRow("MariaDB") << mariaDb << mariaDb << false << true;
        QTest::newRow("MySQL") << mySql << mySql << false << true;
        QTest::newRow("MariaDB hosted") << mariaDb << mariaDb << true << true;
        QTest::newRow("MySQL hosted") << mySql << mySql << true << true;
        QTest::newRow("MySQL hosted without GTID") << mySql << mySql << true << false;
    }

    /// The least there can be: a service's rights, no schema of our own, every connection encrypted
    /// and the servers' certificates checked.
    void theStateMayStandBesideTheTables_data()
    {
        QTest::addColumn<int>("from");
        QTest::addColumn<int>("to");
        const int mariaDb = static_cast<int>(Product::MariaDb);
        const int mySql = static_cast<int>(Product::MySql);
        QTest::newRow("MariaDB to MySQL") << mariaDb << mySql;
        QTest::newRow("MySQL to MariaDB") << mySql << mariaDb;
    }

    void theStateMayStandBesideTheTables()
    {
        QFETCH(const int, from);
        QFETCH(const int, to);
        const Certificates certificates;
        ServerOptions source, target;
        source.product = static_cast<Product>(from);
        target.product = static_cast<Product>(to);
        source.settings = target.settings = certificates.serverSettings();
        Pair pair(source, target);
        pair.source.exec(kHosted);
        pair.target.exec(kHosted);
        Workload::createSchema(pair.source, someWrites(false));
        Workload::createAccount(pair.target, someWrites(false));
        runUserScript(pair);
        pair.target.exec(QStringLiteral("CREATE DATABASE IF NOT EXISTS shop"));
        for (TestServer *server : {&pair.source, &pair.target}) {
            server->exec(QStringLiteral(
                "REVOKE ALL PRIVILEGES ON `\\_causeway`.* FROM causeway; GRANT SELECT, INSERT, "
                "UPDATE, DELETE, CREATE, DROP ON shop.* TO causeway; ALTER USER causeway REQUIRE "
                "SSL"));
        }
        useScriptAccount(pair);
        for (Address *address : {&pair.settings.source.fromHere, &pair.settings.target.fromHere}) {
            address->tls.mode = TlsMode::VerifyIdentity;
            address->tls.ca = certificates.path("ca.pem");
        }
        roundTrip(pair, "triggers", true);
    }

    void theScriptsAccountIsEnough()
    {
        QFETCH(const int, from);
        QFETCH(const int, to);
        QFETCH(const bool, hosted);
        QFETCH(const bool, gtid);
        ServerOptions source, target;
        source.product = static_cast<Product>(from);
        target.product = static_cast<Product>(to);
        source.gtid = target.gtid = gtid;
        Pair pair(source, target);
        if (hosted) {
            pair.source.exec(kHosted);
            pair.target.exec(kHosted);
        }
        Workload::createSchema(pair.source, someWrites(!hosted));
        Workload::createAccount(pair.target, someWrites(!hosted));
        runUserScript(pair);
        useScriptAccount(pair);
        roundTrip(pair, hosted ? "triggers" : "read_only");
    }
};

QTEST_GUILESS_MAIN(RightsTest)
#include "RightsTest.moc"
