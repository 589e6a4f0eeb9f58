// How long the copy takes, beside the tools that people use today.

#include "mysql/MySqlDatabase.h"
#include "mysql/Parts.h"
#include "route/CopyPool.h"
#include "servers/TestServer.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>

#include <cstdio>
#include <future>
#include <thread>

using namespace causeway;
using namespace causeway::test;

namespace {

const QString kSchema = QStringLiteral("bench");

void say(const QString &line)
{
    std::printf("%s\n", qPrintable(line));
    std::fflush(stdout);
}

template <class T> T must(Result<T> r)
{
    if (!r)
        qFatal("%s", qPrintable(r.error().describe()));
    return std::move(*r);
}
void must(const Status &s)
{
    if (!s)
        qFatal("%s", qPrintable(s.error().describe()));
}

void fill(TestServer &server, int tables, qint64 rows)
{
    server.exec(QStringLiteral(
        "CREATE DATABASE bench CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; CREATE TABLE "
        "bench.digits (n BIGINT PRIMARY KEY); INSERT INTO bench.digits "
        "VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)"));
    QStringList from;
    QStringList number;
    qint64 scale = 1;
    for (int i = 0; scale < rows; ++i, scale *= 10) {
        from << QStringLiteral("bench.digits d%1").arg(i);
        number << QStringLiteral("d%1.n*%2").arg(QString::number(i), QString::number(scale));
    }
    for (int t = 0; t < tables; ++t) {
        server.exec(
            QStringLiteral(
                "CREATE TABLE bench.t%1 (id BIGINT NOT NULL AUTO_INCREMENT, customer INT NOT NULL,"
                " created DATETIME NOT NULL, amount DECIMAL(12,2), rate DOUBLE, note VARCHAR(120),"
                " payload VARBINARY(60), PRIMARY KEY (id), KEY customer (customer),"
                " KEY created (created));"
                "INSERT INTO bench.t%1 SELECT x.n + 1, CRC32(x.n) MOD 50000, '2020-01-01' + "
                "INTERVAL CRC32(x.n) MOD 100000000 SECOND, x.n / 7, x.n / 3,"
                " CONCAT('note ', SHA2(x.n, 224), ' of row ', x.n), UNHEX(SHA2(x.n, 256)) FROM"
                " (SELECT %2 AS n FROM %3) x WHERE x.n < %4;")
                .arg(QString::number(t), number.join(QLatin1Char('+')), from.join(QLatin1Char(',')),
                     QString::number(rows)));
    }
    server.exec(QStringLiteral("DROP TABLE bench.digits"));
}

double seconds(const std::function<void()> &work)
{
    QElapsedTimer timer;
    timer.start();
    work();
    return static_cast<double>(timer.elapsed()) / 1000;
}

void run(const QString &program, const QStringList &arguments,
         const QProcessEnvironment &environment = QProcessEnvironment::systemEnvironment())
{
    QProcess p;
    p.setProcessChannelMode(QProcess::MergedChannels);
    p.setProcessEnvironment(environment);
    p.start(program, arguments);
    p.waitForFinished(-1);
    if (p.exitStatus() != QProcess::NormalExit || p.exitCode() != 0)
        qFatal("%s: exit %d: %s", qPrintable(program), p.exitCode(),
               p.readAll().right(2000).constData());
}

/// Largest resident size of this process so far, in MiB.
double peakMemory()
{
    QFile status(QStringLiteral("/proc/self/status"));
    if (!status.open(QIODevice::ReadOnly))
        return 0;
    for (const QByteArray &line : status.readAll().split('\n')) {
        if (line.startsWith("VmHWM:"))
            return line.mid(6).simplified().split(' ').value(0).toDouble() / 1024;
    }
    return 0;
}

/// Schema, rows, indexes: what `run --to copied` does, in this process.
double byLibrary(TestServer &source, TestServer &target, int writers)
{
    mysql::MySqlDatabase leader(source.address());
    mysql::MySqlDatabase follower(target.address());
    double rowsTime = 0;
    const double all = seconds([&] {
        const QString id = QStringLiteral("be9c4001");
        const auto ledger = must(follower.ledger(id, {}));
        must(ledger->create({}));
        const Lease lease = must(ledger->takeLease(QStringLiteral("bench"), {}));
        QStringList streams;
        for (int i = 0; i < writers; ++i)
            streams << QStringLiteral("copy%1").arg(i);
        must(ledger->openStreams(lease, streams, {}));
        Selection selection;
        selection.schemas << kSchema;
        const Catalog catalog = must(leader.catalog(selection, {}));
        const SchemaScript script =
            must(follower.schemaScript(catalog, selection, must(leader.facts({})), {}));
        must(follower.execute(script.schemas, {}));
        must(follower.execute(script.tables, {}));
        CopyOptions options;
        options.writers = writers;
        CopyPool pool(leader, follower, lease, options);
        rowsTime = seconds([&] { must(pool.run(CopyPool::biggestFirst(script.plans), {})); });
        // Two at a time, as the engine does on two processors.
        std::vector<std::future<void>> builds;
        std::atomic<std::size_t> next{0};
        for (int i = 0; i < 2; ++i)
            builds.push_back(std::async(std::launch::async, [&] {
                for (std::size_t at = next++; at < script.indexes.size(); at = next++)
                    must(follower.execute({script.indexes[at]}, {}));
            }));
    });
    say(QStringLiteral("  of it rows: %1 s; memory at most %2 MiB")
            .arg(rowsTime, 0, 'f', 1)
            .arg(peakMemory(), 0, 'f', 0));
    return all;
}

double byCommandLine(const QString &cli, TestServer &source, TestServer &target)
{
    const QTemporaryDir folder;
    const QString file = folder.filePath(QStringLiteral("bench.causeway"));
    run(cli, {QStringLiteral("new"), file, QStringLiteral("--source"), source.url(kSchema),
              QStringLiteral("--target"), target.url(kSchema)});
    QProcessEnvironment e = QProcessEnvironment::systemEnvironment();
    e.insert(QStringLiteral("CAUSEWAY_SOURCE_PASSWORD"), QStringLiteral("root-secret"));
    e.insert(QStringLiteral("CAUSEWAY_TARGET_PASSWORD"), QStringLiteral("root-secret"));
    return seconds([&] {
        run(cli, {QStringLiteral("run"), file, QStringLiteral("--to"), QStringLiteral("copied")},
            e);
    });
}

QStringList account(const TestServer &server)
{
    return {QStringLiteral("-h"),
            QStringLiteral("127.0.0.1"),
            QStringLiteral("-P"),
            QString::number(server.port()),
            QStringLiteral("-u"),
            QStringLiteral("root"),
            QStringLiteral("--password=root-secret")};
}

double byMydumper(TestServer &source, TestServer &target, bool logged)
{
    const QTemporaryDir folder;
    const QString dump = folder.filePath(QStringLiteral("dump"));
    const QStringList threads{QStringLiteral("-t"), QStringLiteral("2")};
    return seconds([&] {
        run(QStringLiteral("mydumper"),
            account(source) + threads +
                QStringList{QStringLiteral("-B"), kSchema, QStringLiteral("-o"), dump});
        QStringList load = account(target) + threads +
                           QStringList{QStringLiteral("-B"), kSchema, QStringLiteral("-d"), dump};
        if (logged)
            load << QStringLiteral("-e");
        run(QStringLiteral("myloader"), load);
    });
}

double byDump(TestServer &source, TestServer &target)
{
    return seconds([&] {
        QProcess dump;
        QProcess client;
        dump.setStandardOutputProcess(&client);
        client.setProcessChannelMode(QProcess::MergedChannels);
        dump.start(QStringLiteral("mariadb-dump"),
                   QStringList{QStringLiteral("--no-defaults")} + account(source) +
                       QStringList{QStringLiteral("--single-transaction"), kSchema});
        client.start(QStringLiteral("mariadb"), QStringList{QStringLiteral("--no-defaults")} +
                                                    account(target) + QStringList{kSchema});
        dump.waitForFinished(-1);
        client.waitForFinished(-1);
        if (dump.exitCode() != 0 || client.exitCode() != 0)
            qFatal("dump %s: %s", dump.readAllStandardError().constData(),
                   client.readAll().constData());
    });
}

void checkRows(TestServer &target, int tables, qint64 rows)
{
    for (int t = 0; t < tables; ++t) {
        if (target.scalar(QStringLiteral("SELECT COUNT(*) FROM bench.t%1").arg(t)).toLongLong() !=
            rows)
            qFatal("rows are missing");
        if (target.scalar(QStringLiteral("SELECT COUNT(DISTINCT index_name) FROM "
                                         "information_schema.statistics WHERE "
                                         "table_schema='bench' AND table_name='t%1'")
                              .arg(t)) != QLatin1String("3"))
            qFatal("indexes are missing");
    }
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    const auto option = [&](const char *name, const char *standard) {
        parser.addOption({QString::fromLatin1(name),
                          {},
                          QStringLiteral("value"),
                          QString::fromLatin1(standard)});
    };
    option("from", "mariadb");
    option("to", "mysql");
    option("rows", "500000");
    option("tables", "4");
    option("writers", "4");
    option("cli", "");
    parser.addHelpOption();
    parser.process(app);
    const auto value = [&](const char *name) { return parser.value(QString::fromLatin1(name)); };
    const auto product = [&](const char *name) {
        return value(name) == QLatin1String("mysql") ? Product::MySql : Product::MariaDb;
    };
    const int tables = value("tables").toInt();
    const qint64 rows = value("rows").toLongLong();

    ServerOptions options;
    options.settings = QStringList{QStringLiteral("--innodb-buffer-pool-size=1G"),
                                   QStringLiteral("--max-allowed-packet=64M"),
                                   QStringLiteral("--local-infile=ON")};
    options.product = product("from");
    TestServer source(options);
    options.product = product("to");
    TestServer target(options);
    say(QStringLiteral("%1 -> %2, %3 tables of %4 rows")
            .arg(value("from"), value("to"))
            .arg(tables)
            .arg(rows));
    fill(source, tables, rows);

    const auto fresh = [&](bool withSchema) {
        target.exec(QStringLiteral("DROP DATABASE IF EXISTS bench; DROP DATABASE IF EXISTS "
                                   "_causeway"));
        if (withSchema)
            target.exec(QStringLiteral(
                "CREATE DATABASE bench CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"));
    };
    // Both servers warm, and nobody the first to read.
    for (int t = 0; t < tables; ++t)
        source.exec(QStringLiteral("SELECT SUM(rate) FROM bench.t%1").arg(t));

    const auto measure = [&](const QString &name, bool withSchema,
                             const std::function<double()> &work) {
        fresh(withSchema);
        const double time = work();
        checkRows(target, tables, rows);
        say(QStringLiteral("%1 %2 s").arg(name, -28).arg(time, 7, 'f', 1));
        return time;
    };
    const QString cli = value("cli");
    const double ours = measure(QStringLiteral("Causeway"), false, [&] {
        return cli.isEmpty() ? byLibrary(source, target, value("writers").toInt())
                             : byCommandLine(cli, source, target);
    });
    const auto ratio = [&](const QString &name, double time) {
        say(QStringLiteral("  %1 / Causeway = %2").arg(name).arg(time / ours, 0, 'f', 2));
    };
    ratio(QStringLiteral("mydumper+myloader"),
          measure(QStringLiteral("mydumper+myloader"), true,
                  [&] { return byMydumper(source, target, false); }));
    ratio(QStringLiteral("mydumper+myloader -e"),
          measure(QStringLiteral("mydumper+myloader -e"), true,
                  [&] { return byMydumper(source, target, true); }));
    ratio(QStringLiteral("dump | client"),
          measure(QStringLiteral("dump | client"), true, [&] { return byDump(source, target); }));
    return 0;
}
