#include "unit/mysql/BinlogVectors.h"

#include "mysql/binlog/BinaryJson.h"

#include <QDir>
#include <QRandomGenerator>
#include <QRegularExpression>
#include <QtTest>

#include <zlib.h>

using namespace causeway;
using namespace causeway::test;

/// Events recorded from real servers, without one.
class BinlogDecodeTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void decodesRecordedEvents_data() { vectors(); }
    void decodesRecordedEvents();
    void givesTheSameInSmallParts_data() { vectors(); }
    void givesTheSameInSmallParts();
    void seesADamagedByte_data() { vectors(); }
    void seesADamagedByte();
    void survivesAnyBytes_data() { vectors(); }
    void survivesAnyBytes();
    void printsDoublesLikeMySql_data();
    void printsDoublesLikeMySql();

private:
    static void vectors();
};

void BinlogDecodeTest::vectors()
{
    QTest::addColumn<QString>("path");
    const QDir dir(QFINDTESTDATA("vectors"));
    const QStringList files = dir.entryList({QStringLiteral("*.binlog.txt")}, QDir::Files);
    QVERIFY2(files.size() >= 6, qPrintable(dir.path()));
    for (const QString &f : files)
        QTest::newRow(qPrintable(f.section(QLatin1Char('.'), 0, 0))) << dir.filePath(f);
}

void BinlogDecodeTest::decodesRecordedEvents()
{
    QFETCH(QString, path);
    const Vector v = Vector::load(path);
    const QStringList got = decodeAll(v);
    for (int i = 0; i < std::min(got.size(), v.expected.size()); ++i)
        QCOMPARE(got[i], v.expected[i]);
    QCOMPARE(got.size(), v.expected.size());
}

void BinlogDecodeTest::givesTheSameInSmallParts()
{
    QFETCH(QString, path);
    const Vector v = Vector::load(path);
    QCOMPARE(decodeAll(v, 0), v.expected);
    for (const std::size_t bytes : {40, 64, 1000})
        QCOMPARE(decodeAll(v, 0, bytes), v.expected);
}

void BinlogDecodeTest::seesADamagedByte()
{
    QFETCH(QString, path);
    Vector v = Vector::load(path);
    for (std::string &event : v.events) {
        mysql::ByteReader r(event);
        const auto h = mysql::EventHeader::read(r);
        if (h.type != mysql::EventType::TableMap && h.type != mysql::EventType::TransactionPayload)
            continue;
        event[event.size() / 2] = static_cast<char>(event[event.size() / 2] ^ 1);
        QCOMPARE(decodeAll(v).constLast(), QStringLiteral("error mysql-binlog-checksum"));
        // In parts, some of it was unpacked before the checksum came: but nothing was committed.
        const QStringList parts = decodeAll(v, 0, 50);
        QVERIFY(parts.constLast().startsWith(QLatin1String("error mysql-binlog")));
        if (h.type == mysql::EventType::TransactionPayload) {
            QCOMPARE(parts.filter(QRegularExpression(QStringLiteral("^commit"))).size(), 0);
        }
        return;
    }
    // This one has only statements.
    QVERIFY(!v.expected.isEmpty());
}

void BinlogDecodeTest::survivesAnyBytes()
{
    QFETCH(QString, path);
    const Vector v = Vector::load(path);
    QRandomGenerator random(42);
    int errors = 0;
    for (int round = 0; round < 400; ++round) {
        Vector damaged = v;
        std::string &event = damaged.events[static_cast<std::size_t>(
            random.bounded(static_cast<int>(damaged.events.size())))];
        if (event.size() < 24)
            continue;
        const int changes = random.bounded(1, 4);
        for (int i = 0; i < changes; ++i)
            event[static_cast<std::size_t>(random.bounded(
                19, static_cast<int>(event.size()) - 4))] = static_cast<char>(random.bounded(256));
        if (random.bounded(4) == 0) {
            event.resize(
                static_cast<std::size_t>(random.bounded(23, static_cast<int>(event.size()))));
            for (int i = 0; i < 4; ++i)
                event[9 + static_cast<std::size_t>(i)] = static_cast<char>(event.size() >> (8 * i));
        }
        const std::size_t n = event.size() - 4;
        const auto crc =
            ::crc32(0, reinterpret_cast<const Bytef *>(event.data()), static_cast<uInt>(n));
        for (std::size_t i = 0; i < 4; ++i)
            event[n + i] = static_cast<char>(crc >> (8 * i));
        (void)decodeAll(damaged, 0, 50);
        errors += decodeAll(damaged).constLast().startsWith(QLatin1String("error")) ? 1 : 0;
    }
    QVERIFY(errors > 0);
}

void BinlogDecodeTest::printsDoublesLikeMySql_data()
{
    QTest::addColumn<double>("value");
    QTest::addColumn<QString>("text");
    // As MySQL 9.7 prints CAST(x AS JSON).
    QTest::newRow("one") << 1.0 << QStringLiteral("1.0");
    QTest::newRow("minus zero") << -0.0 << QStringLiteral("-0.0");
    QTest::newRow("1e14") << 1e14 << QStringLiteral("100000000000000.0");
    QTest::newRow("1e15") << 1e15 << QStringLiteral("1e15");
    QTest::newRow("1e-15") << 1e-15 << QStringLiteral("0.000000000000001");
    QTest::newRow("1e-16") << 1e-16 << QStringLiteral("1e-16");
    QTest::newRow("digits") << 1.2345678901234568e17 << QStringLiteral("1.2345678901234568e17");
    QTest::newRow("smallest") << 5e-324 << QStringLiteral("5e-324");
    QTest::newRow("fraction") << -1234.5 << QStringLiteral("-1234.5");
}

void BinlogDecodeTest::printsDoublesLikeMySql()
{
    QFETCH(double, value);
    QFETCH(QString, text);
    std::string out;
    mysql::appendJsonDouble(out, value);
    QCOMPARE(QString::fromStdString(out), text);
}

QTEST_GUILESS_MAIN(BinlogDecodeTest)
#include "BinlogDecodeTest.moc"
