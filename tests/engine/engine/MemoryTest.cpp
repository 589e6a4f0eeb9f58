// long-run only: gigabytes go through it.
//
// The program's memory stays under 200 MiB whatever the data: wide rows, one huge transaction, also
// one that MySQL compresses into a single event, many tables.

#include "engine/engine/MigrationSupport.h"

#include <QElapsedTimer>

using namespace causeway;
using namespace causeway::test;

namespace {

constexpr double kMostMiB = 200;

struct Size {
    int wideRows = 24, wideBytes = 2'000'000;
    int rows = 400'000, rowBytes = 1'000; ///< of the transaction
    int tables = 100;
};

Size sizes()
{
    Size s;
    if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
        s.wideRows = 300;
        s.rows = 900'000; // a compressed transaction of nearly a gigabyte is one event
        s.tables = 1'000;
    }
    return s;
}

void create(TestServer &server, const Size &size)
{
    server.exec(QStringLiteral(
        "CREATE DATABASE shop CHARACTER SET utf8mb4;"
        "CREATE TABLE shop.wide (id INT PRIMARY KEY, body LONGBLOB NOT NULL, note LONGTEXT);"
        "CREATE TABLE shop.big (id INT PRIMARY KEY, body VARBINARY(2000) NOT NULL, n INT);"
        "CREATE TABLE shop.digits (d INT PRIMARY KEY);"
        "INSERT INTO shop.digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);"
        "CREATE TABLE shop.numbers (n INT PRIMARY KEY);"));
    server.exec(QStringLiteral("INSERT INTO shop.numbers SELECT * FROM (SELECT 1 + a.d + 10 * b.d +"
                               " 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d AS n FROM"
                               " shop.digits a, shop.digits b, shop.digits c, shop.digits d,"
                               " shop.digits e, shop.digits f) x WHERE n <= %1")
                    .arg(size.rows));
    server.exec(QStringLiteral("INSERT INTO shop.wide SELECT n, REPEAT(UNHEX(SHA2(n, 256)), %1),"
                               " REPEAT('\u00E4', 1000) FROM shop.numbers WHERE n <= %2")
                    .arg(size.wideBytes / 32)
                    .arg(size.wideRows));
    for (int i = 0; i < size.tables; ++i) {
        server.exec(
            QStringLiteral("CREATE TABLE shop.t%1 (id INT PRIMARY KEY, a VARCHAR(40), b"
                           " DATETIME, c DECIMAL(20,4), KEY a (a)); INSERT INTO shop.t%1 (id,"
                           " a) VALUES (1, 'one'), (2, 'two')")
                .arg(i));
    }
}

} // namespace

class MemoryTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void staysSmallWhateverTheData_data()
    {
        QTest::addColumn<int>("from");
        QTest::addColumn<QStringList>("settings");
        QTest::addColumn<int>("to");
        const int maria = static_cast<int>(Product::MariaDb);
        const int mysql = static_cast<int>(Product::MySql);
        QTest::newRow("MySQL, compressed")
            << mysql << QStringList{QStringLiteral("--binlog-transaction-compression=ON")} << mysql;
        QTest::newRow("MariaDB to MySQL") << maria << QStringList() << mysql;
        QTest::newRow("MySQL to MariaDB") << mysql << QStringList() << maria;
    }

    void staysSmallWhateverTheData()
    {
        QFETCH(const int, from);
        QFETCH(const QStringList, settings);
        QFETCH(const int, to);
        const Size size = sizes();
        ServerOptions source;
        source.product = static_cast<Product>(from);
        source.settings = settings + QStringList{QStringLiteral("--max-allowed-packet=1G")};
        ServerOptions target;
        target.product = static_cast<Product>(to);
        target.settings << QStringLiteral("--max-allowed-packet=64M");
        for (ServerOptions *o : {&source, &target}) {
            if (o->product == Product::MySql)
                o->settings << QStringLiteral("--innodb-redo-log-capacity=512M");
            else
                o->settings << QStringLiteral("--innodb-log-file-size=512M");
        }
        Pair pair(source, target);
        create(pair.source, size);
        QVERIFY(Journal::create(pair.file, pair.settings).has_value());
        double peak = 0;
        const auto run = [&](const char *what, const QStringList &arguments) {
            QProcess process;
            process.setProcessEnvironment(cliEnvironment());
            process.setProcessChannelMode(QProcess::MergedChannels);
            QElapsedTimer timer;
            timer.start();
            process.start(QStringLiteral(CAUSEWAY_CLI), arguments);
            double most = 0;
            while (!process.waitForFinished(20) && process.state() != QProcess::NotRunning)
                most = std::max(most, peakMemoryOf(process.processId()));
            peak = std::max(peak, most);
            qInfo("%s: %.1f s, %.0f MiB", what, static_cast<double>(timer.elapsed()) / 1000, most);
            const QByteArray output = process.readAll().right(4000);
            QVERIFY2(process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0,
                     output.constData());
            QVERIFY2(most < kMostMiB, what);
        };
        const QStringList toReplica{QStringLiteral("run"), pair.file, QStringLiteral("--to"),
                                    QStringLiteral("replica"), QStringLiteral("--json")};
#define NEXT(step)                                                                                 \
    do {                                                                                           \
        step;                                                                                      \
        if (QTest::currentTestFailed())                                                            \
            return;                                                                                \
    } while (false)
        NEXT(run("copy", toReplica));
        // Each in one transaction.
        pair.source.exec(QStringLiteral("INSERT INTO shop.big SELECT n, RANDOM_BYTES(%1), n FROM "
                                        "shop.numbers")
                             .arg(size.rowBytes));
        NEXT(run("follow a huge insert", toReplica));
        pair.source.exec(QStringLiteral(
            "UPDATE shop.wide SET note = 'changed'; DELETE FROM shop.big WHERE id % 2 = 0"));
        NEXT(run("follow wide updates and a huge delete", toReplica));
        NEXT(run("verify", {QStringLiteral("verify"), pair.file, QStringLiteral("--json")}));
        NEXT(run("switch", {QStringLiteral("run"), pair.file, QStringLiteral("--to"),
                            QStringLiteral("primary"), QStringLiteral("--json")}));
#undef NEXT
        const QStringList differences =
            compareServers(pair.source, pair.target, {QStringLiteral("shop")}, rowsOnly());
        QVERIFY2(differences.isEmpty(), qPrintable(differences.join(QLatin1Char('\n'))));
        qInfo("most memory: %.0f MiB", peak);
    }
};

QTEST_GUILESS_MAIN(MemoryTest)
#include "MemoryTest.moc"
