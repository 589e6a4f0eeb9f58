// Time-outs and styles that the account has by default reach what the servers do in its name: the
// copy of a table, the stream of changes.

#include "engine/engine/PostgresMigrationSupport.h"

using namespace causeway;
using namespace causeway::test;

namespace {
const QString kDb = QStringLiteral("shop");

/// Settings of the account in the database, as the server keeps them.
QString kept(TestServer &server)
{
    return server.scalar(QStringLiteral(
        "SELECT COALESCE(string_agg(c, ' ' ORDER BY c), '') FROM pg_db_role_setting s, "
        "unnest(setconfig) AS c WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = 'mover') "
        "AND setdatabase = (SELECT oid FROM pg_database WHERE datname = 'shop')"));
}
} // namespace

class PostgresSettingsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void defaultsOfTheAccountDoNoHarm_data()
    {
        QTest::addColumn<QString>("from");
        QTest::addColumn<QString>("to");
        const auto row = [](const char *from, const char *to) {
            QTest::addRow("%s to %s", from, to)
                << QString::fromLatin1(from) << QString::fromLatin1(to);
        };
        row("15", "18");
        if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
            // Minors that do not pass on the options of a connection string.
            row("15", "15.8");
            row("15.8", "17.5");
            // Majors that do not set the style of values by themselves.
            row("12", "13");
            row("13", "14");
        }
    }
    void defaultsOfTheAccountDoNoHarm()
    {
        QFETCH(const QString, from);
        QFETCH(const QString, to);
        PostgresPair pair(postgres(from), postgres(to));
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(
            QStringLiteral(
                "CREATE TABLE a (id int PRIMARY KEY, d date, t timestamp, i interval, f float8, g "
                "float4, b bytea); INSERT INTO a SELECT g, '2024-02-01'::date + g, "
                "'2024-02-03 04:05:06'::timestamp + g * interval '1.000001 s', g * interval '1 day "
                "-3 hours -0.5 sec' - interval '1 year 2 mons', g / 7.0::float8, g / 3.0::float4, "
                "decode(md5(g::text), 'hex') FROM generate_series(1, %1) g")
                // So many that their copy takes longer than the time-out.
                .arg(qEnvironmentVariableIsSet("CAUSEWAY_LONG") ? 300'000 : 5'000),
            kDb);
        for (TestServer *server : {&pair.source, &pair.target}) {
            server->exec(QStringLiteral(
                "ALTER ROLE mover SET datestyle = 'SQL, DMY'; ALTER ROLE mover SET intervalstyle = "
                "'sql_standard'; ALTER ROLE mover SET extra_float_digits = -3; ALTER ROLE mover "
                "SET statement_timeout = '150ms'; ALTER ROLE mover SET lock_timeout = '1ms'; ALTER "
                "ROLE mover SET idle_in_transaction_session_timeout = '150ms'; ALTER ROLE mover IN "
                "DATABASE shop SET lock_timeout = '7s'; ALTER ROLE mover IN DATABASE shop SET "
                "DateStyle = 'German, YMD'; ALTER ROLE mover IN DATABASE shop SET work_mem = "
                "'5MB'"));
        }
        const QString found = kept(pair.source);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Replica));
        for (TestServer *server : {&pair.source, &pair.target}) {
            for (const char *part : {"row_security=off", "statement_timeout=0", "lock_timeout=0",
                                     "DateStyle=iso", "work_mem=5MB"})
                QVERIFY2(kept(*server).contains(QLatin1String(part)), qPrintable(kept(*server)));
        }
        QCOMPARE(pair.differences(), QStringList());
        const QString change = QStringLiteral(
            "UPDATE a SET d = d + 40, t = t + interval '33.3 days', i = -i, f = f / 3, g = g / 7 "
            "WHERE id % 3 = 0; INSERT INTO a (id, d) SELECT max(id) + 1, '2024-05-06' FROM a");
        pair.source.exec(change, kDb);
        CW_VERIFY(runTo(*migration, Goal::Replica));
        QCOMPARE(pair.differences(), QStringList());
        CW_VERIFY(carryOut(*migration, command::Verify{}).status);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        pair.target.exec(change, kDb);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(pair.differences(), QStringList());
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        for (TestServer *server : {&pair.source, &pair.target}) {
            QCOMPARE(PostgresPair::leftOn(*server), QStringList());
            QCOMPARE(kept(*server), found);
        }
    }
};

QTEST_GUILESS_MAIN(PostgresSettingsTest)
#include "PostgresSettingsTest.moc"
