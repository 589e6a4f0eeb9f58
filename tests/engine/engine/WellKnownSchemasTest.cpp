// Schemas as many people have them, on servers that are set up well: whatever the check complains
// of must be true. `wellknown/*.sql` are in the shape of the schemas that they name.

#include "engine/Engine.h"
#include "engine/engine/PostgresMigrationSupport.h"

#include <QFile>

using namespace causeway;
using namespace causeway::test;

namespace {

QString fileText(const QString &name)
{
    QFile file(QStringLiteral(CAUSEWAY_TEST_DATA "/engine/engine/wellknown/") + name);
    if (!file.open(QIODevice::ReadOnly))
        qFatal("no file %s", qPrintable(file.fileName()));
    return QString::fromUtf8(file.readAll());
}

/// A shop of 200 tables, with a bit of everything that an application framework makes.
QString shopSql()
{
    QString sql;
    for (int i = 0; i < 200; ++i) {
        const QString n = QStringLiteral("%1").arg(i, 3, 10, QLatin1Char('0'));
        switch (i % 5) {
        case 0:
            sql += QStringLiteral("CREATE TABLE customer_%1 (id BIGINT UNSIGNED NOT NULL "
                                  "AUTO_INCREMENT PRIMARY KEY, email VARCHAR(190) NOT NULL, "
                                  "name VARCHAR(255) DEFAULT NULL, locale CHAR(5) CHARACTER SET "
                                  "ascii NOT NULL DEFAULT 'en_GB', created_at DATETIME(6) NOT "
                                  "NULL DEFAULT CURRENT_TIMESTAMP(6), UNIQUE KEY uq_email (email), "
                                  "KEY k_name (name(100)));")
                       .arg(n);
            break;
        case 1:
            sql += QStringLiteral("CREATE TABLE order_%1 (id BIGINT UNSIGNED NOT NULL "
                                  "AUTO_INCREMENT, customer_id BIGINT UNSIGNED NOT NULL, status "
                                  "ENUM('new','paid','sent') NOT NULL DEFAULT 'new', net "
                                  "DECIMAL(12,2) NOT NULL, tax DECIMAL(12,2) NOT NULL DEFAULT 0, "
                                  "gross DECIMAL(13,2) GENERATED ALWAYS AS (net + tax) STORED, "
                                  "placed DATE NOT NULL, month INT GENERATED ALWAYS AS "
                                  "(YEAR(placed) * 100 + MONTH(placed)) VIRTUAL, PRIMARY KEY (id), "
                                  "KEY (status, placed), CONSTRAINT fk_order_%1 FOREIGN KEY "
                                  "(customer_id) REFERENCES customer_%2 (id), CONSTRAINT "
                                  "ck_order_%1 CHECK (net >= 0));")
                       .arg(n, QStringLiteral("%1").arg(i - 1, 3, 10, QLatin1Char('0')));
            break;
        case 2:
            sql += QStringLiteral("CREATE TABLE product_%1 (sku VARCHAR(40) NOT NULL, variant INT "
                                  "NOT NULL, title VARCHAR(200) NOT NULL, description TEXT, "
                                  "attributes JSON, weight DOUBLE, flags SET('a','b','c'), photo "
                                  "MEDIUMBLOB, PRIMARY KEY (sku, variant), FULLTEXT KEY ft (title, "
                                  "description));")
                       .arg(n);
            break;
        case 3:
            sql += QStringLiteral("CREATE TABLE log_%1 (id BIGINT NOT NULL, at DATE NOT NULL, bits "
                                  "BIT(8) DEFAULT b'0', message TEXT, PRIMARY KEY (id, at)) "
                                  "PARTITION BY RANGE COLUMNS (at) (PARTITION p0 VALUES LESS THAN "
                                  "('2026-01-01'), PARTITION pm VALUES LESS THAN (MAXVALUE));")
                       .arg(n);
            break;
        default:
            sql += QStringLiteral("CREATE TABLE place_%1 (id INT NOT NULL AUTO_INCREMENT PRIMARY "
                                  "KEY, uuid BINARY(16) NOT NULL UNIQUE, spot POINT NOT NULL, "
                                  "opened TIME, since YEAR, SPATIAL KEY (spot)); CREATE VIEW "
                                  "v_place_%1 AS SELECT id, opened FROM place_%1;")
                       .arg(n);
        }
    }
    return sql + QStringLiteral("CREATE TRIGGER touch BEFORE UPDATE ON customer_000 FOR EACH ROW "
                                "SET NEW.name = TRIM(NEW.name); CREATE EVENT nightly ON SCHEDULE "
                                "EVERY 1 DAY DO DELETE FROM log_003 WHERE at < '2000-01-01'; "
                                "INSERT INTO customer_000 (email) VALUES ('a@example.org')");
}

QString postgresShopSql()
{
    QString sql = QStringLiteral("CREATE SCHEMA sales; CREATE TYPE sales.state AS ENUM "
                                 "('new','paid');");
    for (int i = 0; i < 200; ++i) {
        sql +=
            QStringLiteral("CREATE TABLE sales.t%1 (id bigint GENERATED ALWAYS AS IDENTITY "
                           "PRIMARY KEY, parent bigint%2, state sales.state NOT NULL DEFAULT "
                           "'new', doc jsonb, net numeric(12,2) NOT NULL DEFAULT 0, tags text[], "
                           "at timestamptz NOT NULL DEFAULT now()); CREATE INDEX ON sales.t%1 "
                           "USING gin (doc); CREATE UNIQUE INDEX ON sales.t%1 (at, id);")
                .arg(i)
                .arg(i > 0 ? QStringLiteral(" REFERENCES sales.t%1").arg(i - 1) : QString());
    }
    return sql;
}

/// As somebody who knows their server sets it up; what the fixture sets is not repeated.
ServerOptions wellConfigured(Product product)
{
    ServerOptions o;
    o.product = product;
    if (product == Product::Postgres)
        return o;
    o.settings = {QStringLiteral("--character-set-server=utf8mb4"),
                  QStringLiteral("--max-connections=200"),
                  QStringLiteral("--max-allowed-packet=64M"),
                  QStringLiteral("--sync-binlog=1"),
                  QStringLiteral("--event-scheduler=ON"),
                  QStringLiteral("--slow-query-log=ON"),
                  QStringLiteral("--log-bin-trust-function-creators=ON")};
    if (product == Product::MariaDb) {
        o.settings << QStringLiteral("--log-slave-updates=ON")
                   << QStringLiteral("--gtid-strict-mode=ON")
                   << QStringLiteral("--expire-logs-days=7");
    } else {
        o.settings << QStringLiteral("--binlog-expire-logs-seconds=604800")
                   << QStringLiteral("--innodb-dedicated-server=OFF");
    }
    return o;
}

Product productOf(const QString &name)
{
    return name == QLatin1String("mysql") ? Product::MySql : Product::MariaDb;
}

/// "mysql-charset (source): Character sets in use: ..." of all that is not in order.
QStringList complaints(const CheckReport &report)
{
    QStringList out;
    for (const Finding &f : report.findings) {
        if (f.status != FindingStatus::Pass && f.status != FindingStatus::Info &&
            f.status != FindingStatus::Skipped)
            out << QStringLiteral("%1 (%2, %3): %4")
                       .arg(f.id, toString(f.side), toString(f.status), f.found.english());
    }
    return out;
}

} // namespace

class WellKnownSchemasTest : public QObject {
    Q_OBJECT

    struct Servers {
        std::unique_ptr<TestServer> source, target;
    };
    std::map<QString, Servers> m_servers;

    /// With the account that user-script makes, by an administrator who owns the objects.
    static Endpoint scripted(TestServer &server, Side side, const QString &schema)
    {
        CheckOptions o;
        o.selection.schemas << schema;
        const auto script = userScript({server.address({}, {}, schema), {}, {}}, side, o,
                                       QStringLiteral("causeway"), {});
        if (!script)
            qFatal("%s", qPrintable(script.error().describe()));
        server.exec(QStringLiteral("DROP USER IF EXISTS causeway@'%'"));
        for (const QString &sql : *script)
            server.exec(sql);
        return {server.address(QStringLiteral("causeway"), QStringLiteral("${password}"), schema),
                {},
                {}};
    }

    TestServer &server(const QString &product, Side side)
    {
        Servers &s = m_servers[product];
        auto &one = side == Side::Source ? s.source : s.target;
        if (one)
            return *one;
        one = std::make_unique<TestServer>(wellConfigured(productOf(product)));
        one->exec(QStringLiteral("CREATE USER app@'%' IDENTIFIED BY 'app-secret'"));
        if (side == Side::Target)
            return *one;
        const std::pair<const char *, QString> schemas[] = {
            {"sakila", fileText(QStringLiteral("sakila.sql"))},
            {"employees", fileText(QStringLiteral("employees.sql"))},
            {"wordpress", fileText(QStringLiteral("wordpress.sql"))},
            {"mediawiki", fileText(QStringLiteral("mediawiki.sql"))},
            {"shop", shopSql()}};
        for (const auto &[name, sql] : schemas) {
            const QString schema = QString::fromLatin1(name);
            one->exec(
                QStringLiteral("CREATE DATABASE %1; GRANT ALL ON %1.* TO app@'%'").arg(schema));
            one->exec(sql, schema);
        }
        return *one;
    }

private Q_SLOTS:
    void complainsOfNothingThatIsNotSo_data()
    {
        QTest::addColumn<QString>("source");
        QTest::addColumn<QString>("target");
        QTest::addColumn<QString>("schema");
        QTest::addColumn<QStringList>("isSo");
        const QString mariaDb = QStringLiteral("mariadb"), mySql = QStringLiteral("mysql");
        for (const QString &from : {mariaDb, mySql}) {
            for (const QString &to : {mariaDb, mySql}) {
                if (from != to && !qEnvironmentVariableIsSet("CAUSEWAY_LONG"))
                    continue; // half a minute
                for (const char *schema :
                     {"sakila", "employees", "wordpress", "mediawiki", "shop"}) {
                    QStringList so;
                    const QLatin1String name(schema);
                    // Actions of foreign keys, which the log does not show.
                    if (name == QLatin1String("sakila") || name == QLatin1String("employees"))
                        so << QStringLiteral("mysql-foreign-keys");
                    // Zero dates, which MySQL refuses by default, and MariaDB does not.
                    if (name == QLatin1String("wordpress") && to == mySql)
                        so << QStringLiteral("mysql-zero-date-defaults");
                    if (from != to)
                        so << QStringLiteral("mysql-version") << QStringLiteral("mysql-sql-mode")
                           << QStringLiteral("mysql-collation");
                    QTest::addRow("%s %s %s", qPrintable(from), qPrintable(to), schema)
                        << from << to << QString(name) << so;
                }
            }
        }
    }

    void complainsOfNothingThatIsNotSo()
    {
        QFETCH(const QString, source);
        QFETCH(const QString, target);
        QFETCH(const QString, schema);
        QFETCH(const QStringList, isSo);
        TestServer &from = server(source, Side::Source), &to = server(target, Side::Target);
        CheckOptions o;
        o.selection.schemas << schema;
        const Endpoint s = scripted(from, Side::Source, schema);
        const Endpoint t = scripted(to, Side::Target, schema);
        const auto report = runPreflight(s, t, o, {}, {});
        QVERIFY2(report, report ? "" : qPrintable(report.error().describe()));
        QStringList untrue, said;
        for (const QString &c : complaints(*report)) {
            said << c.section(QLatin1Char(' '), 0, 0);
            if (!isSo.contains(said.back()))
                untrue << c;
        }
        for (const char *id : {"mysql-foreign-keys", "mysql-zero-date-defaults"})
            QVERIFY2(!isSo.contains(QLatin1String(id)) || said.contains(QLatin1String(id)), id);
        QVERIFY2(untrue.isEmpty(), qPrintable(untrue.join(QLatin1Char('\n'))));
    }

    void complainsOfNothingThatIsNotSoOfPostgres_data()
    {
        QTest::addColumn<QString>("major");
        // Before 16 whoever subscribes is a superuser.
        QTest::newRow("15, superuser") << QStringLiteral("15");
        QTest::newRow("18, user-script") << QStringLiteral("18");
    }

    void complainsOfNothingThatIsNotSoOfPostgres()
    {
        QFETCH(const QString, major);
        TestServer from(postgres(major)), to(postgres(major));
        const QString pgDump = postgresClientFolder(major);
        qputenv("CAUSEWAY_PG_BIN", pgDump.toUtf8());
        const QString role = QStringLiteral("causeway"), password = QStringLiteral("${password}");
        for (TestServer *s : {&from, &to}) {
            s->exec(QStringLiteral("CREATE ROLE app LOGIN PASSWORD 'app-secret'"));
            if (major == QLatin1String("15"))
                s->exec(QStringLiteral("CREATE ROLE causeway LOGIN SUPERUSER PASSWORD "
                                       "'${password}'"));
        }
        const std::pair<const char *, QString> databases[] = {
            {"pagila", fileText(QStringLiteral("pagila.sql"))},
            {"wiki", fileText(QStringLiteral("mediawiki-postgres.sql"))},
            {"shop", postgresShopSql()}};
        QStringList untrue;
        for (const auto &[name, sql] : databases) {
            const QString database = QString::fromLatin1(name);
            for (TestServer *s : {&from, &to})
                s->exec(QStringLiteral("CREATE DATABASE %1 OWNER app").arg(database));
            from.exec(QStringLiteral("SET ROLE app; GRANT CREATE ON SCHEMA public TO app;") + sql,
                      database);
            if (major != QLatin1String("15")) {
                for (const Side side : {Side::Source, Side::Target}) {
                    TestServer &server = side == Side::Source ? from : to;
                    const auto script =
                        userScript({server.address({}, {}, database), {}, {}}, side, {}, role, {});
                    QVERIFY2(script, script ? "" : qPrintable(script.error().describe()));
                    for (const QString &statement : *script) {
                        if (!statement.startsWith(QLatin1String("CREATE ROLE")) ||
                            server.scalar(QStringLiteral("SELECT count(*) FROM pg_roles WHERE "
                                                         "rolname = 'causeway'")) ==
                                QLatin1String("0"))
                            server.exec(statement, database);
                    }
                }
            }
            const auto report =
                runPreflight({from.address(role, password, database), {}, {}},
                             Endpoint{to.address(role, password, database), {}, {}}, {}, {}, {});
            QVERIFY2(report, report ? "" : qPrintable(report.error().describe()));
            for (const QString &c : complaints(*report))
                untrue << database + QLatin1String(": ") + c;
        }
        QVERIFY2(untrue.isEmpty(), qPrintable(untrue.join(QLatin1Char('\n'))));
    }
};

QTEST_GUILESS_MAIN(WellKnownSchemasTest)
#include "WellKnownSchemasTest.moc"
