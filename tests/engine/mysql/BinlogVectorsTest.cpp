#include "unit/mysql/BinlogVectors.h"
#include "engine/mysql/BinlogTestSupport.h"
#include "mysql/binlog/DumpConnection.h"

using namespace causeway;
using namespace causeway::test;

/// The servers of today still send what the recorded vectors of the unit test hold: the same work
/// decodes to the same changes but for ids, times and places. With CAUSEWAY_RECORD_VECTORS=FOLDER
/// it writes the vectors anew.
class BinlogVectorsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void decodesLikeTheRecording_data();
    void decodesLikeTheRecording();
};

void BinlogVectorsTest::decodesLikeTheRecording_data()
{
    QTest::addColumn<bool>("mariaDb");
    QTest::addColumn<bool>("gtid");
    QTest::addColumn<QString>("setting");
    QTest::newRow("mariadb") << true << true << QString();
    QTest::newRow("mariadb-compressed") << true << true << QStringLiteral("--log-bin-compress=ON");
    QTest::newRow("mariadb-annotated")
        << true << true << QStringLiteral("--binlog-row-metadata=FULL");
    QTest::newRow("mysql") << false << true << QString();
    QTest::newRow("mysql-file") << false << false << QString();
    QTest::newRow("mysql-payload")
        << false << true << QStringLiteral("--binlog-transaction-compression=ON");
    QTest::newRow("mysql-partial-json")
        << false << true << QStringLiteral("--binlog-row-value-options=PARTIAL_JSON");
}

void BinlogVectorsTest::decodesLikeTheRecording()
{
    QFETCH(bool, mariaDb);
    QFETCH(bool, gtid);
    QFETCH(QString, setting);
    ServerOptions options;
    options.product = mariaDb ? Product::MariaDb : Product::MySql;
    options.gtid = gtid;
    if (!setting.isEmpty())
        options.settings = QStringList{setting};
    TestServer server(options);
    server.exec(QStringLiteral(
        "CREATE DATABASE app CHARACTER SET utf8mb4; CREATE TABLE app.t (id int unsigned primary "
        "key, "
        "d decimal(9,3), f float, b binary(4), ts timestamp(3) null, tm time(2), e enum('x','y'), "
        "s set('a','b'), bt bit(9), v varchar(400), j json, y year); "
        "CREATE TABLE app._causeway_stream (migration char(8) primary key, seq int)"));
    Vector v;
    v.mariaDb = mariaDb;
    v.from = currentPosition(server);
    const TableName name{QStringLiteral("app"), QStringLiteral("t")};
    v.tables.insert(name, readTable(server, name.schema, name.name));
    server.exec(QStringLiteral(
        "SET NAMES utf8mb4; SET time_zone='+00:00'; USE app; "
        "INSERT INTO t VALUES (1,-1.5,0.1,'a','2024-02-29 12:00:00.123','-01:02:03.45','y','a,b',"
        "b'100000001','é','{\"k\": [1, 2.5, null], \"long\": "
        "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}',"
        "2024),(4294967295,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,REPEAT('w',300),NULL,NULL); "
        "UPDATE t SET j=JSON_SET(j,'$.k[0]','new','$.more',1), v='changed' WHERE id=1; "
        "SET foreign_key_checks=0; DELETE FROM t WHERE id=4294967295; SET foreign_key_checks=1; "
        "INSERT INTO _causeway_stream VALUES ('aaaabbbb',1); "
        "BEGIN; UPDATE _causeway_stream SET seq=2; UPDATE t SET y=2025; COMMIT; "
        "ALTER TABLE t COMMENT 'ALTER TABLE of something'; SET binlog_format=STATEMENT; "
        "INSERT INTO t (id) VALUES (7); SET binlog_format=ROW; "
        "BEGIN; INSERT INTO t (id) VALUES (8); SAVEPOINT a; INSERT INTO t (id) VALUES (9); "
        "ROLLBACK TO a; COMMIT"));
    if (!mariaDb && gtid)
        server.exec(
            QStringLiteral("SET gtid_next='aaaaaaaa-aaaa-aaaa-aaaa-fffffffffff0:tag_1:1000000'; "
                           "DELETE FROM app.t; SET gtid_next=AUTOMATIC"));
    const Position to = currentPosition(server);

    const auto from = mysql::LogPosition::parse(v.from);
    auto dump = mysql::DumpConnection::open(server.address(), *from, {});
    QVERIFY2(dump, qPrintable(dump ? QString() : dump.error().describe()));
    mysql::TransactionAssembler a = v.assembler();
    while (!mysql::positionReached(a.position(), to)) {
        const auto event = (*dump)->read();
        QVERIFY2(event, qPrintable(event ? QString() : event.error().describe()));
        v.events.emplace_back(event->bytes); // none is so large that it comes in pieces
        Status s = a.feed(v.events.back());
        while (s && a.hasPacked())
            s = a.unpackOne();
        QVERIFY2(s, qPrintable(s ? QString() : s.error().describe()));
        while (a.take())
            ;
    }
    v.expected = decodeAll(v);

    const QString file =
        QString::fromLatin1(QTest::currentDataTag()) + QLatin1String(".binlog.txt");
    const QString record = qEnvironmentVariable("CAUSEWAY_RECORD_VECTORS");
    if (!record.isEmpty()) {
        v.save(record + QLatin1Char('/') + file);
        return;
    }
    const Vector recorded = Vector::load(QFINDTESTDATA("../../unit/mysql/vectors/") + file);
    // Rows, statements and marks are the same; ids, times and places are of the server.
    const auto comparable = [](const QStringList &lines) {
        QStringList out;
        for (const QString &l : lines)
            out +=
                l.startsWith(QLatin1String("begin")) || l.startsWith(QLatin1String("position"))
                    ? l.section(QLatin1Char(' '), 0, 0)
                : l.startsWith(QLatin1String("commit"))
                    ? QStringLiteral("commit") +
                          (l.endsWith(QLatin1String("ours")) ? QStringLiteral(" ours") : QString())
                : l.startsWith(QLatin1String("ddl")) ? l.section(QLatin1String(" ("), 0, 0)
                                                     : l;
        return out;
    };
    QCOMPARE(comparable(v.expected), comparable(recorded.expected));
}

QTEST_GUILESS_MAIN(BinlogVectorsTest)
#include "BinlogVectorsTest.moc"
