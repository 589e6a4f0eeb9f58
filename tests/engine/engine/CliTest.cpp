// causeway-cli as a user and a script see it: what it prints, its JSON and its exit statuses.

#include "engine/engine/CliRun.h"

using namespace causeway;
using namespace causeway::test;
using namespace std::chrono_literals;

namespace {
QString arg(const char *text)
{
    return QString::fromLatin1(text);
}
QStringList args(const char *words)
{
    return QString::fromUtf8(words).split(QLatin1Char(' '), Qt::SkipEmptyParts);
}
} // namespace

class CliTest : public QObject {
    Q_OBJECT

    std::unique_ptr<Pair> m_pair;
    std::unique_ptr<Cli> m_cli;
    QTemporaryDir m_dir;
    int m_files = 0;

    [[nodiscard]] QString newFile()
    {
        return m_dir.filePath(QStringLiteral("m%1.causeway").arg(++m_files));
    }
    [[nodiscard]] QString sourceUrl(const QString &password = {}) const
    {
        return url(m_pair->source, password);
    }
    [[nodiscard]] QString targetUrl(const QString &password = {}) const
    {
        return url(m_pair->target, password);
    }
    static QString url(const TestServer &server, const QString &password)
    {
        return QStringLiteral("mysql://mover%1@127.0.0.1:%2/shop")
            .arg(password.isEmpty() ? QString() : QLatin1Char(':') + password)
            .arg(server.port());
    }
    /// Both URLs as options.
    [[nodiscard]] QStringList servers() const
    {
        return {arg("--source"), sourceUrl(), arg("--target"), targetUrl()};
    }
    /// A migration file for the pair.
    QString made(const QStringList &more = {})
    {
        QString file = newFile();
        const CliRun run = (*m_cli)(QStringList{arg("new"), file} + servers() + more);
        if (run.status != 0)
            qFatal("%s", run.all().constData());
        return file;
    }
    void fill(int bigRows = 0)
    {
        m_pair->source.exec(
            QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.t(id INT PRIMARY KEY, v "
                           "VARCHAR(40)); INSERT INTO shop.t VALUES (1,'a'),(2,'b'),(3,'c'); "
                           "CREATE TABLE shop.k(id INT PRIMARY KEY, t INT, FOREIGN KEY (t) "
                           "REFERENCES shop.t(id)); INSERT INTO shop.k VALUES (1,1)"));
        if (bigRows > 0)
            m_pair->source.exec(
                QStringLiteral("CREATE TABLE big(id INT PRIMARY KEY, a VARCHAR(300)); INSERT INTO "
                               "big SELECT seq, REPEAT(MD5(seq),8) FROM seq_1_to_%1")
                    .arg(bigRows),
                arg("shop"));
    }
    [[nodiscard]] QStringList leftOn(TestServer &server) const
    {
        QStringList out;
        for (const TestRow &row :
             server.query(QStringLiteral("SELECT schema_name FROM information_schema.schemata "
                                         "WHERE schema_name LIKE '%causeway%'")))
            out << QString::fromStdString(*row[0]);
        if (server.scalar(QStringLiteral("SELECT @@global.read_only")) != QLatin1String("0"))
            out << QStringLiteral("read_only");
        return out;
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_pair = std::make_unique<Pair>(ServerOptions{}, ServerOptions{});
        m_cli = std::make_unique<Cli>();
    }
    void init()
    {
        for (TestServer *server : {&m_pair->source, &m_pair->target}) {
            server->exec(QStringLiteral("SET GLOBAL read_only=OFF; DROP DATABASE IF EXISTS shop; "
                                        "DROP DATABASE IF EXISTS _causeway"));
        }
    }

    void helpIsShownForEachCommand()
    {
        CW_STATUS((*m_cli)({arg("--help")}), 0);
        CW_STATUS((*m_cli)({arg("--version")}), 0);
        for (const char *command : {"check", "new", "run", "status", "answer", "verify", "cancel",
                                    "unfence", "report", "user-script"}) {
            const CliRun run = (*m_cli)({arg(command), arg("--help")});
            CW_STATUS(run, 0);
            QVERIFY2(run.out.startsWith(QByteArray("Usage: causeway-cli ") + command),
                     run.out.constData());
            QVERIFY(run.err.isEmpty());
            QVERIFY(!run.out.contains("Qt"));
        }
    }

    void whatMakesNoSenseIsExit2_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QString>("id");
        const QString url = arg("mysql://u@127.0.0.1:1/x");
        const QStringList both{arg("--source"), url, arg("--target"),
                               arg("mysql://u@127.0.0.1:2/x")};
        const auto row = [](const char *name, const QStringList &arguments,
                            const char *id = "usage") {
            QTest::newRow(name) << arguments << QString::fromLatin1(id);
        };
        const QStringList check{arg("check"), arg("--source"), url};
        const QStringList create =
            QStringList{arg("new"), m_dir.filePath(arg("x.causeway"))} + both;
        row("check without source", args("check"));
        row("unknown option", check + args("--sorce a"));
        row("option without value", check + args("--mode"));
        row("no URL", args("check --source 127.0.0.1"), "bad-url");
        row("unknown scheme", args("check --source oracle://h/x"), "bad-url");
        row("no database", args("check --source mysql://u@127.0.0.1:1"));
        row("bad port", args("check --source mysql://u@h:99999/x"), "bad-url");
        row("bad ssl-mode", args("check --source mysql://u@h/x?ssl-mode=SOMETIMES"), "bad-url");
        row("unknown URL parameter", args("check --source mysql://u@h/x?frob=1"), "bad-url");
        row("bad mode", check + args("--mode sometimes"));
        row("native route", check + args("--route native"));
        row("bad route", check + args("--route scenic"));
        row("bad target kind", check + args("--target-kind mainframe"));
        row("kind of a target that is there",
            QStringList{arg("check")} + both + args("--target-kind rds-mysql"));
        row("bad rename", check + args("--rename ab"));
        row("bad pattern", check + args("--tables x."));
        row("accepts what is no check", check + args("--accept mysql-nonsense"), "no-such-check");
        row("two engines", args("check --source postgresql://u@h/x --target mysql://u@h/x"),
            "engines-differ");
        row("one argument too many", check + args("extra"));
        row("new without file", QStringList{arg("new")} + both);
        row("new onto itself",
            QStringList{arg("new"), m_dir.filePath(arg("x.causeway")), arg("--source"), url,
                        arg("--target"), arg("mariadb://other@127.0.0.1:1/y")},
            "same-server");
        row("new native", create + args("--route native"));
        row("new bad mode", create + args("--mode sometimes"));
        row("new no workers", create + args("--workers 0"));
        row("new too many workers", create + args("--workers 65"));
        row("new in no folder", QStringList{arg("new"), arg("/nonexistent/a.causeway")} + both);
        row("run without file", args("run --to replica"));
        row("run without goal", args("run /nonexistent/x"));
        row("run to nowhere", args("run /nonexistent/x --to mars"));
        row("run bad ddl", args("run /nonexistent/x --to replica --on-ddl pray"));
        row("run bad throttle", args("run /nonexistent/x --to replica --throttle fast"));
        row("run bad old source", args("run /nonexistent/x --to finished --old-source ajar"));
        row("run follows to the end", args("run /nonexistent/x --to finished --follow"));
        row("no such file", args("status /nonexistent/x"), "file-unreadable");
        row("no migration", args("status /etc/passwd"), "not-a-migration");
        row("run no migration", args("run /etc/passwd --to replica"), "not-a-migration");
        row("a folder", args("status /etc"), "not-a-migration");
        row("answer without choice", args("answer /nonexistent/x ddl"));
        row("unfence without target", args("unfence --source mysql://u@h/x"));
        row("user-script without source", args("user-script"));
    }

    void whatMakesNoSenseIsExit2()
    {
        QFETCH(const QStringList, arguments);
        QFETCH(const QString, id);
        const CliRun plain = (*m_cli)(arguments);
        CW_STATUS(plain, 2);
        QVERIFY(plain.out.isEmpty());
        QVERIFY(plain.err.startsWith("causeway-cli: "));
        const CliRun json = (*m_cli)(arguments + args("--json"));
        CW_STATUS(json, 2);
        // An option without its value swallows --json; then there is no JSON to ask for.
        if (arguments.last() == QLatin1String("--mode"))
            return;
        QCOMPARE(json.json().size(), std::size_t(1));
        const QJsonObject error = json.last().value(arg("error")).toObject();
        QCOMPARE(text(error, "id"), id);
        QCOMPARE(error.value(arg("exit_status")).toInt(), 2);
        QVERIFY(!text(error, "message").isEmpty());
        QVERIFY(!QFile::exists(m_dir.filePath(arg("x.causeway"))));
    }

    void reportWithoutAFormatAndUnknownCommands()
    {
        CW_STATUS((*m_cli)({}), 2);
        CW_STATUS((*m_cli)({arg("frobnicate")}), 2);
        const QString file = newFile();
        fill();
        CW_STATUS((*m_cli)(QStringList{arg("new"), file} + servers()), 0);
        CW_STATUS((*m_cli)({arg("report"), file}), 2);
        CW_STATUS((*m_cli)({arg("report"), file, arg("--html"), arg("/nonexistent/r.html")}), 3);
        CW_STATUS((*m_cli)(QStringList{arg("new"), file} + servers()), 2);
    }

    void checkSaysWhatItFound()
    {
        fill();
        const CliRun ready = (*m_cli)(QStringList{arg("check")} + servers() + args("--json"));
        CW_STATUS(ready, 0);
        QCOMPARE(ready.json().size(), std::size_t(1));
        const QJsonObject o = ready.last();
        QVERIFY(text(o, "verdict") == QLatin1String("ready") ||
                text(o, "verdict") == QLatin1String("warnings"));
        for (const char *side : {"source", "target"})
            QVERIFY(o.value(QLatin1String(side)).isObject());
        const QJsonArray findings = o.value(arg("findings")).toArray();
        QVERIFY(findings.size() > 30);
        for (const QJsonValue &v : findings) {
            const QJsonObject f = v.toObject();
            QVERIFY(text(f, "id").startsWith(QLatin1String("mysql-")));
            for (const char *field : {"side", "status", "title", "found", "why"})
                QVERIFY2(!text(f, field).isEmpty(), qPrintable(text(f, "id") + arg(field)));
            QVERIFY(f.value(arg("objects")).isArray());
            const QJsonObject fix = f.value(arg("fix")).toObject();
            for (const char *list : {"sql", "config", "command"})
                QVERIFY(fix.value(QLatin1String(list)).isArray());
            QVERIFY(fix.value(arg("restart")).isBool());
            QVERIFY(fix.value(arg("can_apply")).isBool());
        }
        const CliRun sourceOnly =
            (*m_cli)({arg("check"), arg("--source"), sourceUrl(), arg("--json")});
        CW_STATUS(sourceOnly, 0);
        QVERIFY(sourceOnly.last().value(arg("target")).isNull());

        const QString html = m_dir.filePath(arg("c.html"));
        const CliRun written =
            (*m_cli)(QStringList{arg("check")} + servers() + args("--html") + QStringList{html});
        CW_STATUS(written, 0);
        QVERIFY(QFileInfo(html).size() > 1000);
        const CliRun sql =
            (*m_cli)({arg("check"), arg("--source"), sourceUrl(), arg("--print-sql")});
        CW_STATUS(sql, 0);
        QVERIFY(sql.out.contains("SHOW GLOBAL VARIABLES"));
    }

    // Scripts read it: the published schema names every field, and no other may appear.
    void checkKeepsToItsPublishedSchema_data()
    {
        QTest::addColumn<bool>("withTarget");
        QTest::newRow("source and target") << true;
        QTest::newRow("source alone, for a target that refuses more") << false;
    }
    void checkKeepsToItsPublishedSchema()
    {
        QFETCH(const bool, withTarget);
        fill();
        m_pair->source.exec(arg("SET GLOBAL binlog_row_image='MINIMAL'; SET GLOBAL sql_mode=''; "
                                "CREATE TABLE shop.loose (a INT)"));
        const CliRun run = (*m_cli)(
            withTarget ? QStringList{arg("check"), arg("--json")} + servers()
                       : QStringList{arg("check"), arg("--json"), arg("--source"), sourceUrl(),
                                     arg("--target-kind"), arg("planetscale")});
        m_pair->source.exec(arg("SET GLOBAL binlog_row_image='FULL'; SET GLOBAL sql_mode=DEFAULT; "
                                "DROP TABLE shop.loose"));
        CW_STATUS(run, 1);
        QVERIFY(run.last().value(arg("plan")).toArray().size() > 0);
        QProcess validator;
        validator.start(
            arg("python3"),
            {arg("-c"),
             arg("import json,sys,jsonschema; jsonschema.validate(json.load(sys.stdin), "
                 "json.load(open(sys.argv[1])))"),
             arg(CAUSEWAY_TEST_DATA "/../resources/schemas/check.schema.json")});
        QVERIFY(validator.waitForStarted());
        validator.write(run.out);
        validator.closeWriteChannel();
        QVERIFY(validator.waitForFinished(60'000));
        QVERIFY2(validator.exitCode() == 0, validator.readAllStandardError().constData());
    }

    void checkBlocksOnAMistypedName_data()
    {
        QTest::addColumn<QString>("database");
        QTest::addColumn<QStringList>("more");
        QTest::newRow("no such database") << arg("shpo") << QStringList();
        QTest::newRow("no such table") << arg("shop") << args("--tables shop.odrers");
        QTest::newRow("nothing in it") << arg("bare") << QStringList();
    }

    void checkBlocksOnAMistypedName()
    {
        QFETCH(const QString, database);
        QFETCH(const QStringList, more);
        fill();
        m_pair->source.exec(QStringLiteral("CREATE DATABASE IF NOT EXISTS bare"));
        const QString source = QStringLiteral("mysql://mover@127.0.0.1:%1/%2")
                                   .arg(m_pair->source.port())
                                   .arg(database);
        const CliRun run =
            (*m_cli)(QStringList{arg("check"), arg("--source"), source, arg("--json")} + more);
        CW_STATUS(run, 1);
        bool said = false;
        for (const QJsonValue &v : run.last().value(arg("findings")).toArray())
            said = said || (text(v.toObject(), "id") == QLatin1String("mysql-selection") &&
                            text(v.toObject(), "status") == QLatin1String("blocker"));
        QVERIFY(said);
        m_pair->source.exec(QStringLiteral("DROP DATABASE bare"));
    }

    void severalFindingsOfAServerAreMendedInOneGo()
    {
        fill();
        m_pair->source.exec(QStringLiteral("SET GLOBAL binlog_row_image=MINIMAL; SET GLOBAL "
                                           "sql_mode=''"));
        const CliRun run = (*m_cli)({arg("check"), arg("--source"), sourceUrl()});
        CW_STATUS(run, 1);
        const qsizetype plan = run.out.indexOf("To mend the source");
        QVERIFY2(plan > 0, run.out);
        // What it prints, run as printed, mends.
        QString sql;
        for (const QByteArray &line : run.out.mid(plan).split('\n')) {
            if (line.trimmed().startsWith("SET GLOBAL"))
                sql += QString::fromUtf8(line.trimmed());
        }
        QVERIFY(sql.contains(arg("binlog_row_image")) && sql.contains(arg("sql_mode")));
        m_pair->source.exec(sql);
        CW_STATUS((*m_cli)({arg("check"), arg("--source"), sourceUrl()}), 0);
    }

    void explainsAnErrorMessage()
    {
        const CliRun run =
            (*m_cli)({arg("explain"), arg("\"gtid_mode\" must be \"ON\", but found: \"OFF\"")});
        CW_STATUS(run, 0);
        QVERIFY2(run.out.contains("mysql-gtid-mode"), run.out);
        CW_STATUS((*m_cli)({arg("explain"), arg("it is raining")}), 1);
        CW_STATUS((*m_cli)({arg("explain")}), 2);
        const CliRun json = (*m_cli)({arg("explain"), arg("log_bin must be ON"), arg("--json")});
        CW_STATUS(json, 0);
        QCOMPARE(
            json.last().value(arg("explanations")).toArray().first().toObject().value(arg("id")),
            QJsonValue(arg("mysql-log-bin")));
    }

    void aFixIsAppliedWhereItMay()
    {
        fill();
        m_pair->source.exec(QStringLiteral("SET GLOBAL binlog_row_image=MINIMAL"));
        const QStringList check{arg("check"), arg("--source"), sourceUrl()};
        CW_STATUS((*m_cli)(check), 1);
        const CliRun apply = (*m_cli)(check + args("--apply mysql-binlog-row-image"));
        CW_STATUS(apply, 0);
        QVERIFY2(apply.out.contains("before:") && apply.out.contains("MINIMAL"), apply.out);
        QVERIFY2(apply.out.contains("ran:    SET GLOBAL binlog_row_image"), apply.out);
        QCOMPARE(m_pair->source.scalar(QStringLiteral("SELECT @@global.binlog_row_image")),
                 arg("FULL"));
        CW_STATUS((*m_cli)(check + args("--apply mysql-nonsense")), 2);
        // A whole table is rebuilt by nobody's side effect.
        m_pair->source.exec(QStringLiteral("CREATE TABLE shop.nokey(a INT)"));
        CW_STATUS((*m_cli)(check + args("--apply mysql-unique-key")), 1);
    }

    void connectionFailuresAreExit3AndNameTheServer_data()
    {
        QTest::addColumn<QString>("user");
        QTest::addColumn<QString>("host");
        QTest::addColumn<bool>("live");
        QTest::addColumn<QString>("id");
        QTest::newRow("password") << arg("mover") << arg("127.0.0.1") << true
                                  << arg("mysql-access-denied");
        QTest::newRow("account") << arg("nobody") << arg("127.0.0.1") << true
                                 << arg("mysql-access-denied");
        QTest::newRow("port") << arg("mover") << arg("127.0.0.1") << false
                              << arg("mysql-connection-refused");
        QTest::newRow("name") << arg("mover") << arg("nowhere.invalid") << true
                              << arg("mysql-unknown-host");
    }

    void connectionFailuresAreExit3AndNameTheServer()
    {
        QFETCH(const QString, user);
        QFETCH(const QString, host);
        QFETCH(const bool, live);
        QFETCH(const QString, id);
        Cli cli;
        cli.environment().insert(arg("CAUSEWAY_SOURCE_PASSWORD"), arg("not-the-password"));
        const QString url = QStringLiteral("mysql://%1@%2:%3/shop")
                                .arg(user, host)
                                .arg(live ? m_pair->source.port() : 1);
        const CliRun run = cli({arg("check"), arg("--source"), url, arg("--json")});
        CW_STATUS(run, 3);
        const QJsonObject error = run.last().value(arg("error")).toObject();
        QCOMPARE(text(error, "id"), id);
        QVERIFY(run.err.contains(host.toUtf8()));
        QVERIFY(!text(error, "fix").isEmpty());
        QVERIFY(!run.all().contains("not-the-password"));
    }

    void walksThroughAMigration()
    {
        fill();
        const QString file = newFile();
        const CliRun create = (*m_cli)(QStringList{arg("new"), file} + servers());
        CW_STATUS(create, 0);
        QVERIFY(create.out.contains("--to replica"));
        const QJsonObject draft = m_cli->status(file);
        QCOMPARE(text(draft, "phase"), arg("draft"));
        QCOMPARE(text(draft, "leader"), arg("source"));

        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("copied")}), 0);
        const QJsonObject copied = m_cli->status(file);
        QCOMPARE(copied.value(arg("tables")).toArray().size(), 2);
        for (const QJsonValue &v : copied.value(arg("tables")).toArray()) {
            QCOMPARE(text(v.toObject(), "status"), arg("copied"));
            QVERIFY(v.toObject().value(arg("rows")).toInteger() > 0);
        }

        const CliRun replica =
            (*m_cli)({arg("run"), file, arg("--to"), arg("replica"), arg("--json")});
        CW_STATUS(replica, 0);
        QVERIFY(!replica.json().empty()); // every line is JSON
        QCOMPARE(text(replica.last(), "phase"), arg("replica"));
        QVERIFY(text(replica.last(), "run_state") != QLatin1String("running"));
        const QJsonObject status = m_cli->status(file);
        for (const char *field :
             {"phase", "run_state", "leader", "route", "decision", "tables", "lag_seconds",
              "lag_bytes", "rate_rows", "rate_bytes", "eta_seconds", "retention_seconds",
              "write_pause_seconds", "steps"})
            QVERIFY2(status.contains(QLatin1String(field)), field);
        QCOMPARE(text(status, "route"), arg("relay"));
        QVERIFY(status.value(arg("decision")).isNull());
        QVERIFY(status.value(arg("lag_seconds")).isDouble());
        for (const QJsonValue &v : status.value(arg("tables")).toArray()) {
            const QJsonObject t = v.toObject();
            for (const char *field : {"name", "status", "rows", "rows_estimate", "bytes", "error"})
                QVERIFY2(t.contains(QLatin1String(field)), field);
        }
        bool sql = false;
        for (const QJsonValue &v : status.value(arg("steps")).toArray()) {
            QCOMPARE(text(v.toObject(), "state"), arg("done"));
            sql = sql || !v.toObject().value(arg("sql")).toArray().isEmpty();
        }
        QVERIFY(sql);
        // A person must not think that it goes on by itself.
        const CliRun said = (*m_cli)({arg("status"), file});
        CW_STATUS(said, 0);
        QVERIFY2(said.out.contains("--follow"), said.out.constData());
        // And what it has is as old as it is.
        QVERIFY2(!said.out.contains("until now"), said.out.constData());
        const qint64 until = status.value(arg("log_needed_from_ms")).toInteger();
        QVERIFY(until > 0);
        QVERIFY2(said.out.contains(
                     "has what was committed until " +
                     QDateTime::fromMSecsSinceEpoch(until).toString(arg("HH:mm:ss")).toUtf8()),
                 said.out.constData());

        const CliRun verify = (*m_cli)({arg("verify"), file, arg("--json")});
        CW_STATUS(verify, 0);
        QVERIFY(verify.last().value(arg("equal")).toBool());
        for (const QJsonValue &v : verify.last().value(arg("tables")).toArray()) {
            for (const char *field : {"name", "rows_source", "rows_target", "differing", "missing",
                                      "extra", "repaired"})
                QVERIFY2(v.toObject().contains(QLatin1String(field)), field);
        }

        const CliRun finishEarly = (*m_cli)({arg("run"), file, arg("--to"), arg("finished")});
        CW_STATUS(finishEarly, 1); // never switches by itself
        // It was refused; the migration is as well as before.
        CW_STATUS((*m_cli)({arg("status"), file}), 0);
        QVERIFY(m_cli->status(file).value(arg("error")).isNull());
        const CliRun primary = (*m_cli)({arg("run"), file, arg("--to"), arg("primary")});
        CW_STATUS(primary, 0);
        QVERIFY2(primary.out.contains("Writes were held for"), primary.out.constData());
        QVERIFY(primary.err.contains("Hold writes"));      // steps, with what they do
        QVERIFY(primary.err.contains("there is no undo")); // also those too quick to be seen
        QCOMPARE(text(m_cli->status(file), "leader"), arg("target"));
        QVERIFY(m_cli->status(file).value(arg("write_pause_seconds")).toDouble() > 0);
        const CliRun cancel = (*m_cli)({arg("cancel"), file, arg("--json")});
        CW_STATUS(cancel, 1); // it would throw away what the new leader took
        QCOMPARE(text(cancel.last().value(arg("error")).toObject(), "id"), arg("target-leads"));
        const CliRun unfence = (*m_cli)(QStringList{arg("unfence")} + servers() + args("--json"));
        CW_STATUS(unfence, 1);
        QCOMPARE(text(unfence.last().value(arg("error")).toObject(), "id"), arg("switched"));

        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("replica")}), 0);
        QCOMPARE(text(m_cli->status(file), "leader"), arg("source"));
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("primary")}), 0);
        const CliRun finished = (*m_cli)({arg("run"), file, arg("--to"), arg("finished")});
        CW_STATUS(finished, 0);
        QVERIFY2(finished.out.contains("read_only=OFF"), finished.out.constData());
        QVERIFY2(finished.out.contains("A restart of that server opens it"),
                 finished.out.constData());

        // Finished is finished, and says who leads whoever asks.
        const CliRun again = (*m_cli)({arg("run"), file, arg("--to"), arg("finished")});
        CW_STATUS(again, 0);
        QVERIFY2(again.out.contains(QByteArray::number(m_pair->target.port()) + " takes writes"),
                 again.out.constData());
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("replica")}), 1);
        CW_STATUS((*m_cli)({arg("cancel"), file}), 1);
        CW_STATUS((*m_cli)({arg("verify"), file}), 1);
        CW_STATUS((*m_cli)({arg("answer"), file, arg("ddl"), arg("apply")}), 1);
        QCOMPARE(text(m_cli->status(file), "phase"), arg("finished"));
        QCOMPARE(text(m_cli->status(file), "leader"), arg("target"));

        const QString out = m_dir.filePath(arg("r"));
        CW_STATUS((*m_cli)({arg("report"), file, arg("--html"), out + arg(".html"), arg("--json"),
                            out + arg(".json"), arg("--csv"), out + arg(".csv")}),
                  0);
        QFile csv(out + arg(".csv"));
        QVERIFY(csv.open(QIODevice::ReadOnly));
        QCOMPARE(csv.readAll().trimmed().split('\n').size(), 3);
        QFile json(out + arg(".json"));
        QVERIFY(json.open(QIODevice::ReadOnly));
        const QJsonObject report = QJsonDocument::fromJson(json.readAll()).object();
        int holds = 0;
        for (const QJsonValue &v : report.value(arg("steps")).toArray())
            holds += text(v.toObject(), "id") == QLatin1String("switch.hold") ? 1 : 0;
        QCOMPARE(holds, 2); // both switches are told of
        m_pair->source.exec(QStringLiteral("SET GLOBAL read_only=OFF"));
        QCOMPARE(leftOn(m_pair->source), QStringList());
        QCOMPARE(leftOn(m_pair->target), QStringList());
        for (const char *helper : {"-wal", "-shm", "-owner"})
            QVERIFY2(!QFile::exists(file + arg(helper)), helper);
    }

    void anOpenDifferenceBlocksTheSwitchEitherWay()
    {
        fill();
        const QString file = made();
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("primary")}), 0);
        // Root passes read_only: a foreign write on the side that follows.
        m_pair->source.exec(QStringLiteral("INSERT INTO shop.t VALUES (99,'foreign')"));
        const CliRun found = (*m_cli)({arg("verify"), file, arg("--json")});
        CW_STATUS(found, 1);
        QVERIFY(!found.last().value(arg("equal")).toBool(true));
        const CliRun back =
            (*m_cli)({arg("run"), file, arg("--to"), arg("replica"), arg("--json")});
        CW_STATUS(back, 1);
        QCOMPARE(text(back.last().value(arg("error")).toObject(), "id"), arg("sides-differ"));
        QCOMPARE(text(m_cli->status(file), "leader"), arg("target"));
        CW_STATUS((*m_cli)({arg("status"), file}), 1);
        // Nor is the old source thrown away as a witness without a word.
        const CliRun finish =
            (*m_cli)({arg("run"), file, arg("--to"), arg("finished"), arg("--json")});
        CW_STATUS(finish, 1);
        QCOMPARE(text(finish.last().value(arg("error")).toObject(), "id"), arg("sides-differ"));
        const CliRun repair = (*m_cli)({arg("verify"), file, arg("--repair")});
        CW_STATUS(repair, 0);
        QVERIFY(repair.out.contains("repaired"));
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("replica")}), 0);
        QCOMPARE(m_pair->source.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.t")), arg("3"));
        CW_STATUS((*m_cli)({arg("cancel"), file}), 0);
    }

    // Killed between seal and opening, nobody takes writes, and whoever asks is told so.
    void aSwitchThatWasCutShortIsNotSaidToBeWell()
    {
        fill();
        const QString file = made();
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("replica")}), 0);
        const CliRun killed = (*m_cli)({arg("run"), file, arg("--to"), arg("primary"),
                                        arg("--on-switched"), arg("kill -9 $PPID")});
        QVERIFY2(killed.status != 0, killed.out.constData());
        QCOMPARE(m_pair->source.scalar(QStringLiteral("SELECT @@GLOBAL.read_only")), arg("1"));
        const CliRun said = (*m_cli)({arg("status"), file});
        CW_STATUS(said, 1);
        QVERIFY2(said.out.contains("cut short") && said.out.contains("unfence") &&
                     !said.out.contains("<- takes writes"),
                 said.out.constData());
        // And the command that it names opens the source.
        const QByteArray line = said.out.mid(said.out.indexOf("causeway-cli unfence"));
        const QStringList words = QString::fromUtf8(line.left(line.indexOf("   (")))
                                      .split(QLatin1Char(' '), Qt::SkipEmptyParts);
        CW_STATUS((*m_cli)(words.mid(1)), 0);
        QCOMPARE(m_pair->source.scalar(QStringLiteral("SELECT @@GLOBAL.read_only")), arg("0"));
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("primary"), arg("--on-switched"),
                            arg("true")}),
                  0);
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("finished"), arg("--old-source"),
                            arg("open")}),
                  0);
    }

    void aSchemaChangeIsADecision()
    {
        fill();
        const QString file = made();
        const auto owner =
            m_cli->start({arg("run"), file, arg("--to"), arg("replica"), arg("--follow")});
        QVERIFY(m_cli->waitForStatus(file, [](const QJsonObject &s) {
            return text(s, "phase") == QLatin1String("replica") &&
                   text(s, "run_state") == QLatin1String("running");
        }));
        CW_STATUS((*m_cli)({arg("answer"), file, arg("ddl"), arg("apply")}), 1); // none waits
        m_pair->source.exec(QStringLiteral("ALTER TABLE shop.t ADD COLUMN extra INT DEFAULT 7; "
                                           "INSERT INTO shop.t VALUES (4,'d',8)"));
        const CliRun ended = Cli::finish(*owner);
        CW_STATUS(ended, 1);
        QVERIFY2(ended.err.contains("answer"), ended.err.constData());
        const QJsonObject decision = m_cli->status(file).value(arg("decision")).toObject();
        const CliRun compared = (*m_cli)({arg("verify"), file});
        CW_STATUS(compared, 1);
        QVERIFY2(compared.err.contains("answer"), compared.err.constData());
        QCOMPARE(text(decision, "id"), arg("ddl"));
        QVERIFY(text(decision, "detail").contains(QLatin1String("ADD COLUMN")));
        QCOMPARE(decision.value(arg("choices")).toArray().size(), 3);
        QCOMPARE(text(m_cli->status(file), "run_state"), arg("needs-decision"));
        const CliRun said = (*m_cli)({arg("status"), file});
        CW_STATUS(said, 1);
        QVERIFY(said.out.contains("ddl apply"));
        // What is refused takes nothing of that away.
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("finished")}), 1);
        QCOMPARE(m_cli->status(file).value(arg("decision")).toObject(), decision);
        CW_STATUS((*m_cli)({arg("answer"), file, arg("ddl"), arg("pray")}), 2);
        CW_STATUS((*m_cli)({arg("answer"), file, arg("dll"), arg("apply")}), 1);
        // Left as it is, it is still not well.
        CW_STATUS((*m_cli)({arg("answer"), file, arg("ddl"), arg("stop")}), 0);
        QCOMPARE(m_cli->status(file).value(arg("decision")).toObject(), decision);
        CW_STATUS((*m_cli)({arg("status"), file}), 1);
        CW_STATUS((*m_cli)({arg("answer"), file, arg("ddl"), arg("apply")}), 0);
        QVERIFY(m_cli->status(file).value(arg("decision")).isNull());
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("replica")}), 0);
        QCOMPARE(m_pair->target.scalar(QStringLiteral("SELECT SUM(extra) FROM shop.t")), arg("29"));
        CW_STATUS((*m_cli)({arg("cancel"), file}), 0);
        const CliRun late = (*m_cli)({arg("cancel"), file, arg("--discard"), arg("--json")});
        CW_STATUS(late, 1);
        QCOMPARE(text(late.last().value(arg("error")).toObject(), "id"), arg("kept-by-cancel"));
        CW_STATUS((*m_cli)({arg("cancel"), file}), 0);
        CW_STATUS((*m_cli)({arg("status"), file}), 0);
    }

    void cancelReachesAnOwnerAndIsDoneWithoutOne_data()
    {
        QTest::addColumn<bool>("copying");
        QTest::newRow("while copying") << true;
        QTest::newRow("while following") << false;
    }

    void cancelReachesAnOwnerAndIsDoneWithoutOne()
    {
        QFETCH(const bool, copying);
        fill(copying ? 40'000 : 0);
        const QString file = made();
        QStringList run{arg("run"),      file,         arg("--to"), arg("replica"),
                        arg("--follow"), arg("--json")};
        if (copying)
            run += args("--throttle 1M");
        const auto owner = m_cli->start(run);
        QVERIFY(m_cli->waitForStatus(file, [&](const QJsonObject &s) {
            return copying ? text(s, "activity").startsWith(QLatin1String("Copying"))
                           : text(s, "phase") == QLatin1String("replica");
        }));
        const CliRun cancel = (*m_cli)({arg("cancel"), file, arg("--discard")}, 30);
        CW_STATUS(cancel, 0);
        const CliRun ended = Cli::finish(*owner, 30);
        CW_STATUS(ended, 1);
        QCOMPARE(text(ended.last().value(arg("error")).toObject(), "id"),
                 arg("cancelled-by-another"));
        QCOMPARE(text(m_cli->status(file), "phase"), arg("cancelled"));
        QCOMPARE(leftOn(m_pair->source), QStringList());
        QCOMPARE(leftOn(m_pair->target), QStringList());
        QCOMPARE(m_pair->target.scalar(QStringLiteral("SELECT COUNT(*) FROM "
                                                      "information_schema.tables WHERE "
                                                      "table_schema='shop'")),
                 arg("0"));
        CW_STATUS((*m_cli)({arg("cancel"), file}), 0); // already
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("replica")}), 1);
    }

    void aKilledOwnerIsNoOwner()
    {
        fill(40'000);
        const QString file = made();
        const auto owner = m_cli->start(
            {arg("run"), file, arg("--to"), arg("replica"), arg("--throttle"), arg("1M")});
        QVERIFY(m_cli->waitForStatus(file, [](const QJsonObject &s) {
            return text(s, "run_state") == QLatin1String("running") &&
                   text(s, "activity").startsWith(QLatin1String("Copying"));
        }));
        const CliRun second =
            (*m_cli)({arg("run"), file, arg("--to"), arg("replica"), arg("--json")});
        CW_STATUS(second, 1);
        QCOMPARE(text(second.last().value(arg("error")).toObject(), "id"), arg("file-in-use"));
        QVERIFY(second.err.contains(QByteArray::number(owner->processId())));
        CW_STATUS((*m_cli)({arg("verify"), file}), 1);
        owner->kill();
        owner->waitForFinished();
        QCOMPARE(text(m_cli->status(file), "run_state"), arg("idle"));
        CW_STATUS((*m_cli)({arg("cancel"), file}), 0);
        QCOMPARE(leftOn(m_pair->target), QStringList());
    }

    void aSignalPausesAndRunGoesOn_data()
    {
        QTest::addColumn<bool>("follow");
        QTest::addColumn<int>("signal");
        QTest::newRow("Ctrl+C with --follow") << true << SIGINT;
        QTest::newRow("SIGTERM with --follow") << true << SIGTERM;
        QTest::newRow("Ctrl+C before the goal") << false << SIGINT;
    }

    void aSignalPausesAndRunGoesOn()
    {
        QFETCH(const bool, follow);
        QFETCH(const int, signal);
        fill(40'000);
        const QString file = made();
        QStringList run{arg("run"), file, arg("--to"), arg("replica")};
        const auto owner =
            m_cli->start(run + args("--throttle 2M") + (follow ? args("--follow") : QStringList()));
        QVERIFY(m_cli->waitForStatus(file, [](const QJsonObject &s) {
            qint64 rows = 0;
            for (const QJsonValue &t : s.value(arg("tables")).toArray())
                rows += t.toObject().value(arg("rows")).toInteger();
            return rows > 0;
        }));
        ::kill(static_cast<pid_t>(owner->processId()), signal);
        // Where the goal was not reached, nobody may take it for reached.
        const CliRun paused = Cli::finish(*owner, 30);
        CW_STATUS(paused, follow ? 0 : 1);
        QVERIFY(paused.all().contains("Paused"));
        const QJsonObject status = m_cli->status(file);
        QCOMPARE(text(status, "phase"), arg("copying"));
        QCOMPARE(text(status, "run_state"), arg("paused"));
        CW_STATUS((*m_cli)(run + args("--throttle 0")), 0);
        QCOMPARE(m_pair->target.scalar(QStringLiteral("SELECT COUNT(*) FROM shop.big")),
                 arg("40000"));
        const auto following = m_cli->start(run + args("--follow"));
        QVERIFY(m_cli->waitForStatus(file, [](const QJsonObject &s) {
            return text(s, "run_state") == QLatin1String("running") &&
                   s.value(arg("lag_seconds")).isDouble();
        }));
        ::kill(static_cast<pid_t>(following->processId()), signal);
        CW_STATUS(Cli::finish(*following, 30), 0);
        QCOMPARE(text(m_cli->status(file), "run_state"), arg("paused"));
        CW_STATUS((*m_cli)({arg("cancel"), file}), 0);
    }

    void movesOnceAndSaysSo()
    {
        fill();
        const QString file = made(args("--mode once"));
        const CliRun run = (*m_cli)({arg("run"), file, arg("--to"), arg("replica")});
        CW_STATUS(run, 0);
        QVERIFY2(run.out.contains("closed"), run.out.constData());
        QVERIFY(!run.out.contains("follows"));
        QElapsedTimer paused;
        paused.start();
        QTest::qWait(1'500); // time in which nobody can write
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("primary")}), 0);
        QVERIFY(m_cli->status(file).value(arg("write_pause_seconds")).toDouble() >= 1.5);
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("replica")}), 1); // no way back
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("finished"), arg("--old-source"),
                            arg("open")}),
                  0);
        QCOMPARE(leftOn(m_pair->source), QStringList());
    }

    void aHookThatFailsUndoesTheSwitchAndCanBeReplaced()
    {
        fill();
        const QString file = made(args("--on-switched false"));
        const CliRun refused =
            (*m_cli)({arg("run"), file, arg("--to"), arg("primary"), arg("--json")});
        CW_STATUS(refused, 1);
        QCOMPARE(text(refused.last().value(arg("error")).toObject(), "id"), arg("hook-failed"));
        QCOMPARE(m_pair->source.scalar(QStringLiteral("SELECT @@global.read_only")), arg("0"));
        QString error;
        for (const QJsonValue &v : m_cli->status(file).value(arg("steps")).toArray()) {
            if (text(v.toObject(), "id") == QLatin1String("switch.hook"))
                error = text(v.toObject(), "error");
        }
        QVERIFY2(error.contains(QLatin1String("status 1")), qPrintable(error));
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("primary"), arg("--on-switched"),
                            arg("true")}),
                  0);
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("finished"), arg("--old-source"),
                            arg("open")}),
                  0);
    }

    void aLogThatIsGoneIsSaidBeforeTheCopyGoesOn()
    {
        fill(40'000);
        const QString file = made();
        const QStringList run{arg("run"), file, arg("--to"), arg("replica")};
        const auto owner = m_cli->start(run + args("--throttle 1M"));
        QVERIFY(m_cli->waitForStatus(file, [](const QJsonObject &s) {
            return text(s, "activity").startsWith(QLatin1String("Copying"));
        }));
        ::kill(static_cast<pid_t>(owner->processId()), SIGINT);
        CW_STATUS(Cli::finish(*owner, 30), 1);
        // While paused the server purges its log.
        m_pair->source.exec(
            QStringLiteral("INSERT INTO shop.t VALUES (10,'x'); FLUSH BINARY LOGS; "
                           "INSERT INTO shop.t VALUES (11,'y'); FLUSH BINARY LOGS"));
        const auto logs = m_pair->source.query(QStringLiteral("SHOW BINARY LOGS"));
        m_pair->source.exec(QStringLiteral("PURGE BINARY LOGS TO '%1'")
                                .arg(QString::fromStdString(*logs.back()[0])));
        const CliRun gone = (*m_cli)(run + args("--json"), 30);
        CW_STATUS(gone, 1);
        const QJsonObject error = gone.last().value(arg("error")).toObject();
        QCOMPARE(text(error, "id"), arg("mysql-binlog-purged"));
        QVERIFY(text(error, "fix").contains(QLatin1String("retention")));
        CW_STATUS((*m_cli)({arg("cancel"), file, arg("--discard")}), 0);
        // What was copied is gone, and is not said to be there.
        QCOMPARE(m_cli->status(file).value(arg("tables")).toArray(), QJsonArray());
        const CliRun said = (*m_cli)({arg("status"), file});
        CW_STATUS(said, 0);
        QVERIFY2(said.out.contains("nothing of what was copied is left"), said.out.constData());
    }

    void theLogsRetentionIsShownAndWarnedOf()
    {
        fill();
        m_pair->source.exec(QStringLiteral("SET GLOBAL binlog_expire_logs_seconds=259200"));
        const QString file = made();
        CW_STATUS((*m_cli)({arg("run"), file, arg("--to"), arg("copied")}), 0);
        const QJsonObject status = m_cli->status(file);
        QCOMPARE(status.value(arg("retention_seconds")).toInteger(), qint64(259'200));
        QVERIFY(text(status, "warning").isEmpty());
        // Two and a half days later.
        {
            const auto journal = Journal::open(file, Journal::Access::Own);
            QVERIFY(journal.has_value());
            QJsonObject then =
                QJsonDocument::fromJson((*(*journal)->value(arg("snapshot")))->toUtf8()).object();
            then.insert(arg("log_needed_from_ms"),
                        QDateTime::currentMSecsSinceEpoch() - qint64(216'000'000));
            QVERIFY((*journal)
                        ->setValue(arg("snapshot"), QString::fromUtf8(QJsonDocument(then).toJson()))
                        .has_value());
        }
        QVERIFY2(text(m_cli->status(file), "warning").contains(QLatin1String("12 hours")) ||
                     text(m_cli->status(file), "warning").contains(QLatin1String("11 hours")),
                 qPrintable(text(m_cli->status(file), "warning")));
        QVERIFY((*m_cli)({arg("status"), file}).out.contains("warning"));
        CW_STATUS((*m_cli)({arg("cancel"), file}), 0);
        m_pair->source.exec(QStringLiteral("SET GLOBAL binlog_expire_logs_seconds=0"));
    }

    void aForecastOfTheCopyGatesTheStart()
    {
        fill(20'000);
        m_pair->source.exec(QStringLiteral("ANALYZE TABLE shop.big; SET GLOBAL "
                                           "binlog_expire_logs_seconds=259200"));
        const QString file = made();
        // 5 MB at 20 bytes a second take days.
        const CliRun slow = (*m_cli)({arg("run"), file, arg("--to"), arg("copied"),
                                      arg("--throttle"), arg("20"), arg("--json")});
        CW_STATUS(slow, 1);
        const QJsonObject error = slow.last().value(arg("error")).toObject();
        QCOMPARE(text(error, "id"), arg("preflight-blocked"));
        QVERIFY(text(error, "object").contains(QLatin1String("mysql-binlog-retention")));
        CW_STATUS(
            (*m_cli)({arg("run"), file, arg("--to"), arg("copied"), arg("--throttle"), arg("0")}),
            0);
        CW_STATUS((*m_cli)({arg("cancel"), file}), 0);
        m_pair->source.exec(QStringLiteral("SET GLOBAL binlog_expire_logs_seconds=0"));
    }
};

QTEST_GUILESS_MAIN(CliTest)
#include "CliTest.moc"
