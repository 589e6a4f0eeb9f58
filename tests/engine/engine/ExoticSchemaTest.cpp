// Whole migrations of schemas as odd as the servers allow, there and back: every type with its
// extremes through the copy and through both logs, every kind of key, partition, engine, name and
// object. What moves is in the files beside this one; statements stand between lines of ";;", and
// one that begins with /* mysql */ or /* mariadb */ is for that product only.

#include "engine/engine/MigrationSupport.h"

#include "servers/MySqlClient.h"

#include <QJsonDocument>

using namespace causeway;
using namespace causeway::test;

namespace {

/// Runs a file's statements in one session, as an application would send them.
void runFile(TestServer &server, const QString &name)
{
    QFile file(QStringLiteral(CAUSEWAY_TEST_DATA "/engine/engine/exotic/") + name);
    QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(file.fileName()));
    MySqlClient client;
    QVERIFY(client.connect(server.address()).ok());
    const QString other = server.product() == Product::MySql ? QStringLiteral("/* mariadb */")
                                                             : QStringLiteral("/* mysql */");
    const QStringList statements =
        QString::fromUtf8(file.readAll()).split(QStringLiteral("\n;;\n"));
    QStringList failed;
    for (const QString &sql : statements) {
        if (sql.startsWith(other))
            continue;
        const SqlOutcome outcome = client.run(sql.toStdString());
        if (!outcome.ok())
            failed << sql.left(200) + QStringLiteral(" -- ") +
                          QString::fromStdString(outcome.words);
    }
    QVERIFY2(failed.isEmpty(), qPrintable(failed.join(u'\n')));
}

} // namespace

class ExoticSchemaTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void movesThereAndBack_data()
    {
        QTest::addColumn<int>("source");
        QTest::addColumn<int>("target");
        QTest::addColumn<QStringList>("files");
        QTest::addColumn<QStringList>("schemas");
        const QStringList common{QStringLiteral("types"), QStringLiteral("objects")};
        const QStringList schemas{QStringLiteral("x1"), QStringLiteral("x-2 y.z")};
        const auto row = [&](const char *name, Product from, Product to, const QStringList &files,
                             const QStringList &names) {
            QTest::newRow(name) << static_cast<int>(from) << static_cast<int>(to) << files << names;
        };
        if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
            row("MariaDB to MariaDB", Product::MariaDb, Product::MariaDb, common, schemas);
            row("MySQL to MySQL", Product::MySql, Product::MySql, common, schemas);
        }
        row("MariaDB to MySQL", Product::MariaDb, Product::MySql, common, schemas);
        row("MySQL to MariaDB", Product::MySql, Product::MariaDb, common, schemas);
        const QStringList keys{QStringLiteral("keys")};
        const QStringList theirs{QStringLiteral("k`1'\""), QStringLiteral("k2")};
        row("odd keys, MariaDB to MySQL", Product::MariaDb, Product::MySql, keys, theirs);
        row("odd keys, MySQL to MariaDB", Product::MySql, Product::MariaDb, keys, theirs);
        if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
            row("odd keys, MariaDB", Product::MariaDb, Product::MariaDb, keys, theirs);
            row("odd keys, MySQL", Product::MySql, Product::MySql, keys, theirs);
        }
        row("what only MariaDB has", Product::MariaDb, Product::MariaDb,
            {QStringLiteral("mariadb")}, {QStringLiteral("m1")});
        row("what only MySQL has", Product::MySql, Product::MySql, {QStringLiteral("mysql")},
            {QStringLiteral("y1")});
    }

    void movesThereAndBack()
    {
        QFETCH(const int, source);
        QFETCH(const int, target);
        QFETCH(const QStringList, files);
        QFETCH(const QStringList, schemas);
        const auto options = [](int product) {
            ServerOptions o;
            o.product = static_cast<Product>(product);
            // Definitions are many; what a power cut would do to them is not looked at here.
            o.settings << QStringLiteral("--innodb-flush-log-at-trx-commit=2")
                       << QStringLiteral("--log-bin-trust-function-creators=ON");
            return o;
        };
        Pair pair(options(source), options(target));
        pair.settings.selection.schemas = schemas;
        pair.settings.accepted << QStringLiteral("mysql-unique-key");
        for (const QString &file : files)
            runFile(pair.source, file + QStringLiteral(".sql"));
        if (QTest::currentTestFailed())
            return;

        QStringList sequences;
        for (const TestRow &r : pair.source.query(
                 QStringLiteral("SELECT table_schema, table_name FROM information_schema.tables "
                                "WHERE table_type = 'SEQUENCE'")))
            sequences << QString::fromStdString(*r[0] + '.' + *r[1]);

        const auto migration = pair.open();
        const auto runUpTo = [&](Goal goal) {
            command::RunTo wanted;
            wanted.goal = goal;
            wanted.oldSourceOpen = true;
            CW_VERIFY(carryOut(*migration, wanted).status);
        };
        const auto equal = [&](const char *when) {
            CompareOptions rows = rowsOnly();
            // Sequences are carried over at a switch, with a margin; a row version begins when its
            // row is written.
            rows.ignoreTables = sequences + QStringList{QStringLiteral("m1.sv2")};
            const QStringList differences = compareServers(pair.source, pair.target, schemas, rows);
            QVERIFY2(differences.isEmpty(),
                     qPrintable(QLatin1String(when) + u'\n' + differences.join(u'\n')));
            const Outcome verified = carryOut(*migration, command::Verify{});
            QVERIFY2(verified.status.has_value(), describe(verified).constData());
            QVERIFY2(verified.verify->equal(),
                     QJsonDocument(verified.verify->toJson()).toJson().constData());
        };
        const auto changes = [&](TestServer &leader, const char *suffix) {
            for (const QString &file : files)
                runFile(leader, file + QLatin1String(suffix));
        };
#define NEXT(step)                                                                                 \
    do {                                                                                           \
        step;                                                                                      \
        if (QTest::currentTestFailed())                                                            \
            return;                                                                                \
    } while (false)
        NEXT(runUpTo(Goal::Replica));
        NEXT(equal("after the copy"));
        NEXT(changes(pair.source, "-changes.sql"));
        NEXT(runUpTo(Goal::Replica));
        NEXT(equal("after changes on the source"));
        NEXT(runUpTo(Goal::Primary));
        NEXT(changes(pair.target, "-changes-back.sql"));
        NEXT(runUpTo(Goal::Primary));
        NEXT(equal("after changes on the target"));
        NEXT(runUpTo(Goal::Replica));
        NEXT(equal("after the switch back"));
#undef NEXT
    }
};

QTEST_GUILESS_MAIN(ExoticSchemaTest)
#include "ExoticSchemaTest.moc"
