#include "gui/WizardDriver.h"
#include "journal/Journal.h"
#include "servers/Compare.h"
#include "servers/PostgresClient.h"
#include "servers/PostgresCompare.h"
#include "servers/PostgresWorkload.h"
#include "servers/TestServer.h"
#include "servers/Workload.h"

#include <QProcess>

using namespace causeway;
using namespace causeway::ui;
using namespace causeway::test;

/// The whole wizard, by keyboard and mouse, moving a database under load between two real servers.
class WizardMigrationTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    WizardDriver m_wizard;
    static constexpr const char *kKilled = "CAUSEWAY_WIZARD_TO_BE_KILLED";

    static bool copies(const QString &file)
    {
        if (!QFile::exists(file))
            return false;
        const auto journal = Journal::open(file, Journal::Access::Read);
        if (!journal)
            return false;
        const auto phase = (*journal)->phase();
        return phase && *phase != Phase::Draft && *phase != Phase::Checked;
    }

private Q_SLOTS:
    void initTestCase() { QApplication::installTranslator(new EnglishPlurals(this)); }

    void movesADatabaseUnderLoadAndBackAndFinishes()
    {
        TestServer source, target;
        WorkloadOptions load;
        load.connections = 3;
        load.rate = 60;
        load.longTransaction = std::chrono::milliseconds(0);
        load.truncateEvery = std::chrono::milliseconds(0);
        Workload::createSchema(source, load);
        Workload::createAccount(target, load);
        Workload app({Workload::address(source), Workload::address(target)}, load);
        app.start();
        QVERIFY(app.waitForCommits(20, std::chrono::seconds(30)));

        m_wizard.begin();
        m_wizard.startCopy(source.url(QStringLiteral("shop")), target.url(),
                           m_folder.filePath(QStringLiteral("shop.causeway")));
        QVERIFY(!QTest::currentTestFailed());
        m_wizard.becomeReplica();
        QVERIFY(!QTest::currentTestFailed());
        m_wizard.switchThereAndBack(app);
        QVERIFY(!QTest::currentTestFailed());
        m_wizard.switchAndFinish(app);
        QVERIFY(!QTest::currentTestFailed());

        QVERIFY2(app.lostOn(target).empty(), "a committed transaction is missing");
        const QStringList differences =
            compareServers(source, target, {QStringLiteral("shop")}, [] {
                CompareOptions o;
                o.objects = false; // the old source keeps its own closing triggers
                return o;
            }());
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        QCOMPARE(target.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.schemata "
                                              "WHERE schema_name = '_causeway'")),
                 QStringLiteral("0"));
        m_wizard.end();
    }

    /// The other process of the next test; nothing by itself.
    void beginsAndIsKilled()
    {
        const QStringList words = qEnvironmentVariable(kKilled).split(QLatin1Char(' '));
        if (words.size() != 3)
            return;
        m_wizard.begin();
        m_wizard.startCopy(words[0], words[1], words[2]);
        QVERIFY(!QTest::currentTestFailed());
        QTest::qWait(60'000);
    }

    void movesAPostgresDatabaseAcrossAKill()
    {
        ServerOptions from, to;
        from.product = to.product = Product::Postgres;
        to.postgresMajor = QStringLiteral("18");
        TestServer source(from), target(to);
        PostgresWorkloadOptions load;
        load.connections = 3;
        load.rate = 60;
        load.longTransaction = std::chrono::milliseconds(0);
        PostgresWorkload::createSchema(source, load);
        PostgresWorkload::createAccount(target);
        for (TestServer *server : {&source, &target})
            server->exec(
                QStringLiteral("CREATE ROLE mover LOGIN SUPERUSER PASSWORD 'mover-secret'"));
        target.exec(QStringLiteral("CREATE DATABASE shop"));
        PostgresWorkload app({PostgresWorkload::address(source), PostgresWorkload::address(target)},
                             load);
        app.start();
        QVERIFY(app.waitForCommits(20, std::chrono::seconds(30)));
        const auto url = [](TestServer &server) {
            return QStringLiteral("postgresql://mover:mover-secret@127.0.0.1:%1/shop")
                .arg(server.port());
        };
        const QString file = m_folder.filePath(QStringLiteral("pg.causeway"));
        // Another process begins, and is killed while it copies.
        QProcess first;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QString::fromLatin1(kKilled),
                           QStringList{url(source), url(target), file}.join(QLatin1Char(' ')));
        first.setProcessEnvironment(environment);
        first.setProcessChannelMode(QProcess::ForwardedChannels);
        first.start(QCoreApplication::applicationFilePath(), {QStringLiteral("beginsAndIsKilled")});
        QVERIFY(first.waitForStarted());
        QTRY_VERIFY_WITH_TIMEOUT(copies(file), 120'000);
        first.kill();
        QVERIFY(first.waitForFinished());

        const Secret password(QStringLiteral("mover-secret"));
        m_wizard.begin();
        m_wizard.open(file, password, password);
        QVERIFY(!QTest::currentTestFailed());
        m_wizard.becomeReplica();
        QVERIFY(!QTest::currentTestFailed());
        m_wizard.switchThereAndBack(app);
        QVERIFY(!QTest::currentTestFailed());
        m_wizard.switchAndFinish(app);
        QVERIFY(!QTest::currentTestFailed());
        QVERIFY2(app.lostOn(target).empty(), "a committed transaction is missing");
        PostgresCompareOptions options;
        options.objects = options.sequences = false;
        const QStringList differences =
            comparePostgres(source, target, QStringLiteral("shop"), options);
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        m_wizard.end();
    }
};

QTEST_MAIN(WizardMigrationTest)
#include "WizardMigrationTest.moc"
