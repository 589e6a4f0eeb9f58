// Messages that people paste, and the checks that know their cure.

#include "engine/Explain.h"
#include "engine/Engine.h"

#include <QtTest>

#include <algorithm>

using namespace causeway;

class ExplainTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsTheCheck_data()
    {
        QTest::addColumn<QString>("message");
        QTest::addColumn<QString>("id");
        const auto row = [](const char *id, const char *message) {
            QTest::addRow("%s: %.40s", id, message)
                << QString::fromUtf8(message) << QString::fromLatin1(id);
        };
        row("mysql-gtid-mode", "\"gtid_mode\" must be \"ON\", but found: \"OFF_PERMISSIVE\"");
        row("mysql-log-bin", "log_bin must be ON");
        row("mysql-log-bin", "ERROR 1381 (HY000): You are not using binary logging");
        row("mysql-binlog-format", "\"binlog_format\" must be \"ROW\", but found: \"MIXED\"");
        row("mysql-binlog-retention",
            "Got fatal error 1236 from source when reading data from binary log: 'Could not find "
            "first log file name in binary log index file'");
        row("mysql-sql-mode", "Data truncation: Incorrect datetime value: '0000-00-00 00:00:00'");
        row("mysql-vitess-source", "keyspace shop fetch error");
        row("mysql-unique-key", "table orders: no primary key");
        row("mysql-collation", "ERROR 1273 (HY000): Unknown collation: 'utf8mb4_0900_ai_ci'");
        row("mysql-definers",
            "ERROR 1449 (HY000): The user specified as a definer ('app'@'%') does not exist");
        row("mysql-target-writable",
            "The MySQL server is running with the --read-only option so it cannot execute this "
            "statement");
        row("mysql-grants",
            "Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s) for this "
            "operation");
        row("mysql-access-denied",
            "ER_ACCESS_DENIED_ERROR: Access denied for user 'mig'@'1.2.3.4'");
        row("mysql-access-denied",
            "ERROR 1045 (28000): Access denied for user 'mig'@'10.0.0.1' (using password: YES)");
        row("mysql-database-denied", "ER_DBACCESS_DENIED_ERROR");
        row("mysql-host-not-allowed", "Host '10.0.0.9' is not allowed to connect to this server");
        row("mysql-unknown-host", "getaddrinfo ENOTFOUND db.example.net");
        row("pg-wal-level", "ERROR:  logical decoding requires wal_level >= logical");
        row("pg-replication-slots", "ERROR:  all replication slots are in use");
        row("pg-wal-senders", "FATAL: number of requested standby connections exceeds "
                              "max_wal_senders (currently 10)");
        row("pg-replica-identity",
            "cannot update table \"t\" because it does not have a replica identity and publishes "
            "updates");
        row("pg-wal-keep",
            "requested WAL segment 0000000100000000000000A1 has already been removed");
        row("pg-dump-tool", "pg_dump: error: aborting because of server version mismatch");
        row("pg-grants", "must be superuser to create subscriptions");
        row("pg-roles", "ERROR:  role \"shop_owner\" does not exist");
    }

    void findsTheCheck()
    {
        QFETCH(const QString, message);
        QFETCH(const QString, id);
        QStringList ids;
        for (const Explanation &e : explain(message)) {
            ids << e.id;
            QVERIFY2(!e.title.isEmpty(), qPrintable(e.id));
            QVERIFY2(!e.why.isEmpty(), qPrintable(e.id));
        }
        QVERIFY2(ids.contains(id), qPrintable(ids.join(QStringLiteral(", "))));
    }

    void saysNothingToWhatItDoesNotKnow()
    {
        QVERIFY(explain(QStringLiteral("The cat sat on the mat.")).empty());
        QVERIFY(explain(QString()).empty());
    }

    void everyCheckThatIsNamedExists()
    {
        QStringList known;
        for (const Engine engine : {Engine::MySql, Engine::Postgres}) {
            for (const CheckInfo &c : describeChecks(engine))
                known << c.id;
        }
        for (const QString &id : explainedChecks())
            QVERIFY2(known.contains(id), qPrintable(id));
    }
};

QTEST_GUILESS_MAIN(ExplainTest)
#include "ExplainTest.moc"
