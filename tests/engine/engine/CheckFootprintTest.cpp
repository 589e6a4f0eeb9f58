// What `causeway-cli check` does to a server, by the server's own log of statements: it reads, and
// it asks no more of many tables than of few.

#include "engine/engine/CliRun.h"
#include "engine/engine/PostgresMigrationSupport.h"

#include <QRegularExpression>

using namespace causeway;
using namespace causeway::test;

namespace {

int manyTables()
{
    return qEnvironmentVariableIsSet("CAUSEWAY_LONG") ? 10'000 : 220;
}

/// Tables as most are, and one of each kind that is read apart.
QString tablesSql(int count)
{
    QString sql = QStringLiteral(
        "CREATE TABLE odd (id INT PRIMARY KEY, a INT, b INT GENERATED ALWAYS AS (a + 1) STORED, t "
        "TEXT, CHECK (a > 0), FULLTEXT KEY (t)); CREATE VIEW v AS SELECT id FROM odd; CREATE "
        "TRIGGER tr BEFORE INSERT ON odd FOR EACH ROW SET NEW.a = 1; CREATE PROCEDURE p() SELECT "
        "1; CREATE TABLE child (id INT PRIMARY KEY, CONSTRAINT c1 FOREIGN KEY (id) REFERENCES odd "
        "(id) ON DELETE CASCADE);");
    for (int i = 0; i < count; ++i)
        sql += QStringLiteral("CREATE TABLE t%1 (id INT AUTO_INCREMENT PRIMARY KEY, name "
                              "VARCHAR(40) NOT NULL DEFAULT '', kind ENUM('a','b'), at DATETIME "
                              "DEFAULT CURRENT_TIMESTAMP, UNIQUE KEY (name, kind));")
                   .arg(i);
    return sql;
}

/// Reads, or sets something of its own session.
bool onlyReads(const QString &statement)
{
    static const QRegularExpression reads(
        QStringLiteral("^\\s*(SELECT|SHOW|EXPLAIN|XA\\s+RECOVER|CALL\\s+mysql\\.rds_show_)"),
        QRegularExpression::CaseInsensitiveOption);
    static const QRegularExpression writes(
        QStringLiteral("\\bINTO\\s+(OUTFILE|DUMPFILE)\\b|\\bFOR\\s+(UPDATE|SHARE)\\b"),
        QRegularExpression::CaseInsensitiveOption);
    static const QRegularExpression sets(QStringLiteral("^\\s*SET\\s"),
                                         QRegularExpression::CaseInsensitiveOption);
    static const QRegularExpression ofTheServer(
        QStringLiteral("\\b(GLOBAL|PERSIST|PERSIST_ONLY|PASSWORD|DEFAULT\\s+ROLE)\\b"),
        QRegularExpression::CaseInsensitiveOption);
    if (reads.match(statement).hasMatch())
        return !writes.match(statement).hasMatch();
    // Reads the server's, for the session's.
    QString set = statement;
    set.remove(QLatin1String("@@global."), Qt::CaseInsensitive);
    return sets.match(set).hasMatch() && !ofTheServer.match(set).hasMatch();
}

void startLog(TestServer &s)
{
    s.exec(QStringLiteral("SET GLOBAL log_output='TABLE'; SET GLOBAL general_log=OFF; TRUNCATE "
                          "mysql.general_log; SET GLOBAL general_log=ON"));
}

/// Statements since then, of clients that came over the network: the tests' own come by socket.
QStringList logged(TestServer &s, QStringList &commands)
{
    s.exec(QStringLiteral("SET GLOBAL general_log=OFF"));
    QStringList out;
    for (const TestRow &row :
         s.query(QStringLiteral("SELECT command_type, CONVERT(argument USING utf8mb4) FROM "
                                "mysql.general_log WHERE user_host LIKE '%127.0.0.1%'"))) {
        const QString command = QString::fromStdString(*row[0]);
        commands << command;
        if (command == QLatin1String("Query") || command == QLatin1String("Execute"))
            out << QString::fromStdString(row[1].value_or(""));
    }
    return out;
}

} // namespace

class CheckFootprintTest : public QObject {
    Q_OBJECT

    std::map<QString, std::unique_ptr<TestServer>> m_servers;
    Cli m_cli;

    /// "mariadb source", ...
    TestServer &server(const QString &name)
    {
        auto &s = m_servers[name];
        if (s)
            return *s;
        ServerOptions o;
        o.product = name.startsWith(QLatin1String("mysql")) ? Product::MySql : Product::MariaDb;
        s = std::make_unique<TestServer>(o);
        if (name.endsWith(QLatin1String("source"))) {
            for (const auto &[schema, count] :
                 {std::pair("few", 10), std::pair("many", manyTables())}) {
                s->exec(QStringLiteral("CREATE DATABASE %1").arg(QString::fromLatin1(schema)));
                s->exec(tablesSql(count), QString::fromLatin1(schema));
            }
        }
        return *s;
    }

    /// How many statements each server saw; all of them only read.
    void check(TestServer &from, TestServer &to, const QString &schema, qsizetype &onSource,
               qsizetype &onTarget)
    {
        for (TestServer *s : {&from, &to})
            startLog(*s);
        QElapsedTimer time;
        time.start();
        const CliRun run =
            m_cli({QStringLiteral("check"), QStringLiteral("--source"), from.url(schema),
                   QStringLiteral("--target"), to.url(schema), QStringLiteral("--json")},
                  300);
        const qint64 took = time.elapsed();
        for (TestServer *s : {&from, &to}) {
            QStringList commands;
            const QStringList statements = logged(*s, commands);
            (s == &from ? onSource : onTarget) = statements.size();
            for (const QString &sql : statements)
                QVERIFY2(onlyReads(sql), qPrintable(sql));
            static const QStringList quiet{
                QStringLiteral("Connect"),     QStringLiteral("Quit"),
                QStringLiteral("Query"),       QStringLiteral("Register Slave"),
                QStringLiteral("Binlog Dump"), QStringLiteral("Binlog Dump GTID"),
                QStringLiteral("Ping"),        QStringLiteral("Register Replica")};
            for (const QString &c : commands)
                QVERIFY2(quiet.contains(c), qPrintable(c));
        }
        QVERIFY2(run.status == 0 || run.status == 1, run.all().constData());
        const QJsonObject report = run.last();
        QVERIFY(!report.isEmpty());
        const QJsonArray findings = report.value(QLatin1String("findings")).toArray();
        for (const QJsonValue &f : findings)
            QVERIFY2(text(f.toObject(), "status") != QLatin1String("unknown"),
                     qPrintable(text(f.toObject(), "id") + text(f.toObject(), "found")));
        qInfo("%s: %lld + %lld statements, %lld ms", qPrintable(schema),
              static_cast<long long>(onSource), static_cast<long long>(onTarget),
              static_cast<long long>(took));
        QVERIFY(took < 60'000);
    }

private Q_SLOTS:
    void readsAndAsksNoMoreOfManyTables_data()
    {
        QTest::addColumn<QString>("source");
        QTest::addColumn<QString>("target");
        const QString mariaDb = QStringLiteral("mariadb"), mySql = QStringLiteral("mysql");
        for (const QString &from : {mariaDb, mySql}) {
            for (const QString &to : {mariaDb, mySql}) {
                if (from == mySql && to == mariaDb && !qEnvironmentVariableIsSet("CAUSEWAY_LONG"))
                    continue; // its way is the same as that of MariaDB to MySQL
                QTest::addRow("%s to %s", qPrintable(from), qPrintable(to)) << from << to;
            }
        }
    }

    void readsAndAsksNoMoreOfManyTables()
    {
        QFETCH(const QString, source);
        QFETCH(const QString, target);
        TestServer &from = server(source + QStringLiteral(" source"));
        TestServer &to = server(target + QStringLiteral(" target"));
        qsizetype few = 0, fewThere = 0, many = 0, manyThere = 0;
        check(from, to, QStringLiteral("few"), few, fewThere);
        check(from, to, QStringLiteral("many"), many, manyThere);
        QVERIFY(few > 5 && fewThere > 5);
        QVERIFY2(many < 100 && manyThere < 100, qPrintable(QString::number(many)));
        // Sessions come and go with the moment.
        QVERIFY2(many <= few + 12 && manyThere <= fewThere + 12, qPrintable(QString::number(many)));
    }

    /// Of many tables only the unusual are read whole: what the target cannot make is among them.
    void whatCannotBeMadeIsFoundAmongMany()
    {
        TestServer &from = server(QStringLiteral("mariadb source"));
        TestServer &to = server(QStringLiteral("mysql target"));
        const auto translation = [&] {
            const CliRun run = m_cli({QStringLiteral("check"), QStringLiteral("--source"),
                                      from.url(QStringLiteral("many")), QStringLiteral("--target"),
                                      to.url(QStringLiteral("many")), QStringLiteral("--json")});
            for (const QJsonValue &f : run.last().value(QLatin1String("findings")).toArray()) {
                if (text(f.toObject(), "id") == QLatin1String("mysql-schema-translation"))
                    return f.toObject();
            }
            return QJsonObject();
        };
        QVERIFY(text(translation(), "status") != QLatin1String("blocker"));
        from.exec(QStringLiteral(
            "CREATE TABLE many.only_here (id INT PRIMARY KEY, d TEXT, c TEXT AS "
            "(JSON_DETAILED(d)) VIRTUAL); CREATE TABLE many.named (id INT PRIMARY KEY, "
            "u UUID)"));
        const QJsonObject found = translation();
        QCOMPARE(text(found, "status"), QStringLiteral("blocker"));
        QVERIFY2(text(found, "found")
                     .contains(QLatin1String("many.only_here uses the function "
                                             "json_detailed()")),
                 qPrintable(text(found, "found")));
        QVERIFY(QJsonDocument(found).toJson().contains("many.named"));
        from.exec(QStringLiteral("DROP TABLE many.only_here, many.named"));
        QVERIFY(text(translation(), "status") != QLatin1String("blocker"));
    }

    void tablesAlreadyThereAreLookedAtTogether()
    {
        TestServer &from = server(QStringLiteral("mariadb source"));
        TestServer &to = server(QStringLiteral("mariadb target"));
        to.exec(QStringLiteral("DROP DATABASE IF EXISTS many; CREATE DATABASE many"));
        QString sql;
        for (int i = 0; i < 250; ++i)
            sql += QStringLiteral("CREATE TABLE t%1 (id INT PRIMARY KEY);").arg(i);
        to.exec(sql + QStringLiteral("INSERT INTO t1 VALUES (1); INSERT INTO t240 VALUES (1)"),
                QStringLiteral("many"));
        qsizetype onSource = 0, onTarget = 0;
        check(from, to, QStringLiteral("many"), onSource, onTarget);
        QVERIFY2(onTarget < 100, qPrintable(QString::number(onTarget)));
        to.exec(QStringLiteral("DROP DATABASE many"));
    }

    void readsOnlyOnPostgres()
    {
        const QStringList log{QStringLiteral("log_statement=all"),
                              QStringLiteral("log_replication_commands=on"),
                              QStringLiteral("log_line_prefix=<%u> ")};
        PostgresPair pair(postgres(QStringLiteral("15"), log), postgres(QStringLiteral("15"), log));
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        const auto make = [&](int from, int count) {
            pair.source.exec(
                QStringLiteral("DO $$ BEGIN FOR i IN %1..%2 LOOP EXECUTE format('CREATE TABLE "
                               "t%s (id serial PRIMARY KEY, name text UNIQUE)', i); END LOOP; "
                               "END $$")
                    .arg(from)
                    .arg(from + count - 1),
                QStringLiteral("shop"));
        };
        const auto xid = [](TestServer &s) {
            return s.scalar(QStringLiteral("SELECT pg_snapshot_xmax(pg_current_snapshot())"));
        };
        const auto statementsOf = [](TestServer &s) {
            QFile file(s.dataDir() + QStringLiteral("/../error.log"));
            if (!file.open(QIODevice::ReadOnly))
                qFatal("no log of the server");
            QStringList out;
            bool ours = false;
            for (const QString &line : QString::fromUtf8(file.readAll()).split(QLatin1Char('\n'))) {
                static const QRegularExpression said(QStringLiteral(
                    "^<mover> LOG:  (statement|execute [^:]*|received replication command): (.*)"));
                const auto match = said.match(line);
                if (match.hasMatch())
                    out << (match.captured(1).startsWith(QLatin1String("received"))
                                ? QStringLiteral("REPLICATION ")
                                : QString()) +
                               match.captured(2);
                else if (line.startsWith(QLatin1Char('\t')) && ours)
                    out.back() += QLatin1Char('\n') + line;
                ours = match.hasMatch() || (ours && line.startsWith(QLatin1Char('\t')));
            }
            return out;
        };
        qsizetype seen[2] = {0, 0}, count[2][2];
        const std::pair<int, int> rounds[] = {{1, 10}, {11, manyTables()}};
        for (int round = 0; round < 2; ++round) {
            make(rounds[round].first, rounds[round].second);
            const QString before[2] = {xid(pair.source), xid(pair.target)};
            m_cli.environment().insert(QStringLiteral("CAUSEWAY_SOURCE_PASSWORD"),
                                       QString::fromLatin1(PostgresPair::kPassword));
            QElapsedTimer time;
            time.start();
            const CliRun run =
                m_cli({QStringLiteral("check"), QStringLiteral("--source"),
                       pair.source.url(QStringLiteral("shop"), QStringLiteral("mover"),
                                       QStringLiteral("mover-secret")),
                       QStringLiteral("--target"),
                       pair.target.url(QStringLiteral("shop"), QStringLiteral("mover"),
                                       QStringLiteral("mover-secret")),
                       QStringLiteral("--json")},
                      120);
            QVERIFY2(run.status == 0 || run.status == 1, run.all().constData());
            QVERIFY(time.elapsed() < 60'000);
            QCOMPARE(xid(pair.source), before[0]);
            QCOMPARE(xid(pair.target), before[1]);
            TestServer *servers[] = {&pair.source, &pair.target};
            for (int s = 0; s < 2; ++s) {
                const QStringList all = statementsOf(*servers[s]);
                for (const QString &sql : all) {
                    static const QRegularExpression reads(
                        QStringLiteral("^\\s*(SELECT|SHOW|SET\\s)"),
                        QRegularExpression::CaseInsensitiveOption);
                    static const QRegularExpression acts(
                        QStringLiteral("nextval|setval|lo_create|lo_put|pg_create_(logical|"
                                       "physical|restore)|pg_drop_|pg_advisory|"
                                       "pg_terminate|pg_cancel|pg_reload|dblink"));
                    QVERIFY2(reads.match(sql).hasMatch() && !acts.match(sql).hasMatch(),
                             qPrintable(sql));
                }
                count[round][s] = all.size() - seen[s];
                seen[s] = all.size();
                QVERIFY2(count[round][s] > 5 && count[round][s] < 100,
                         qPrintable(QString::number(count[round][s])));
            }
        }
        qInfo("%lld + %lld statements", static_cast<long long>(count[1][0]),
              static_cast<long long>(count[1][1]));
        for (int s = 0; s < 2; ++s)
            QVERIFY(count[1][s] <= count[0][s] + 12);
    }
};

QTEST_GUILESS_MAIN(CheckFootprintTest)
#include "CheckFootprintTest.moc"
