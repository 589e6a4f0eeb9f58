#include "engine/mysql/BinlogTestSupport.h"

using namespace causeway;
using namespace causeway::test;

/// Every type of column, written with its extremes on a real server: the row images of the stream
/// are byte for byte what SELECT with wireExpression() gives.
class BinlogTypesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void imagesEqualSelect_data();
    void imagesEqualSelect();

private:
    struct Sample {
        QString type;
        QStringList values;
    };
    static std::vector<Sample> samples(bool mariaDb);
};

std::vector<BinlogTypesTest::Sample> BinlogTypesTest::samples(bool mariaDb)
{
    const auto s = [](const char *t) { return QString::fromUtf8(t); };
    const auto list = [](std::initializer_list<const char *> v) {
        QStringList out;
        for (const char *t : v)
            out += QString::fromUtf8(t);
        return out;
    };
    std::vector<Sample> out{
        {s("tinyint"), list({"-128", "127", "0"})},
        {s("tinyint unsigned"), list({"0", "255"})},
        {s("smallint"), list({"-32768", "32767"})},
        {s("smallint unsigned"), list({"65535"})},
        {s("mediumint"), list({"-8388608", "8388607", "-1"})},
        {s("mediumint unsigned"), list({"16777215"})},
        {s("int"), list({"-2147483648", "2147483647"})},
        {s("int unsigned"), list({"4294967295"})},
        {s("int(7) zerofill"), list({"42"})},
        {s("bigint"), list({"-9223372036854775808", "9223372036854775807"})},
        {s("bigint unsigned"), list({"18446744073709551615"})},
        {s("decimal(10,2)"), list({"-99999999.99", "0.05", "-0.01", "0", "123"})},
        {s("decimal(65,30)"), list({"-99999999999999999999999999999999999."
                                    "999999999999999999999999999999",
                                    "0.000000000000000000000000000001"})},
        {s("decimal(5,5)"), list({"0.00001", "-0.99999"})},
        {s("decimal(65,0)"),
         list({"99999999999999999999999999999999999999999999999999999999999999999"})},
        {s("decimal(8,3) zerofill"), list({"1.5"})},
        {s("float"), list({"0.1", "-3.4028234e38", "1.1754944e-38", "1e-45", "16777217", "-0e0",
                           "1e15", "1e16"})},
        {s("float(7,3)"), list({"1.5"})},
        {s("double"),
         list({"0.1", "-1.7976931348623157e308", "5e-324", "2.2250738585072014e-308",
               "9007199254740993", "1e15", "1e16", "1e-5", "5.684341886080802e-14", "-0e0"})},
        {s("double(9,2)"), list({"1234567.5"})},
        {s("bit(1)"), list({"b'1'"})},
        {s("bit(10)"), list({"b'1010101010'", "0"})},
        {s("bit(64)"), list({"18446744073709551615"})},
        {s("year"), list({"1901", "2155", "0"})},
        {s("date"), list({"'0000-00-00'", "'1000-01-01'", "'9999-12-31'", "'2024-00-00'"})},
        {s("time"), list({"'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"})},
        {s("time(1)"), list({"'-00:00:00.1'", "'12:34:56.9'"})},
        {s("time(3)"), list({"'-838:59:58.999'", "'-12:34:56.001'"})},
        {s("time(6)"), list({"'-00:00:00.000001'", "'838:59:58.999999'"})},
        {s("datetime"),
         list({"'0000-00-00 00:00:00'", "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"})},
        {s("datetime(2)"), list({"'2024-02-29 12:34:56.78'"})},
        {s("datetime(4)"), list({"'2024-02-29 12:34:56.0001'"})},
        {s("datetime(6)"), list({"'9999-12-31 23:59:59.999999'", "'0000-00-00 00:00:00'"})},
        {s("timestamp null"),
         list({"'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'0000-00-00 00:00:00'"})},
        {s("timestamp(3) null"), list({"'2024-02-29 12:34:56.789'", "'0000-00-00 00:00:00'"})},
        {s("timestamp(6) null"), list({"'2000-03-01 00:00:00.000001'"})},
        {s("char(10)"), list({"'ab  '", "''", "'é😀'"})},
        {s("char(255) character set utf8mb4"), list({"repeat('😀',255)"})},
        {s("char(5) character set latin1"), list({"'é'"})},
        {s("char(5) character set utf16"), list({"'é  '"})},
        {s("varchar(50)"), list({"'a b '", "''", "'\\0\\n'"})},
        {s("varchar(300) character set latin1"), list({"repeat('ÿ',300)"})},
        {s("tinytext"), list({"'tiny'"})},
        {s("text"), list({"repeat('x',60000)"})},
        {s("mediumtext"), list({"repeat('é',70000)"})},
        {s("longtext"), list({"'long'"})},
        {s("binary(8)"),
         list({"x'0102000000000000'", "x'0000000000000000'", "'abcdefgh'", "x'20'"})},
        {s("binary(255)"), list({"'a'"})},
        {s("varbinary(20)"), list({"x'010200'", "''"})},
        {s("varbinary(500)"), list({"repeat(x'00',500)"})},
        {s("tinyblob"), list({"x'00ff'"})},
        {s("blob"), list({"repeat(x'ff',300)"})},
        {s("mediumblob"), list({"x''"})},
        {s("longblob"), list({"x'0001'"})},
        {s("enum('a','b','c''d')"), list({"'b'", "3", "0"})},
        {s("set('a','b','c','d','e','f','g','h','i')"), list({"'a,i'", "''", "511"})},
        {s("json"),
         list({"'{\"k\": [1, -2.5, \"é\\\\n\", null, true], \"longer key\": {}}'", "'null'", "'[]'",
               "'\"text\"'", "'[1e300, 0.1, 18446744073709551615, -9223372036854775808, 65536]'",
               "concat('[\"', repeat('x', 70000), '\", 1, {\"a\": 100000, \"b\": [70000]}]')"})},
        {s("geometry"),
         list({"ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('LINESTRING(0 0,1 1,2 3)')"})},
    };
    QStringList manyLabels;
    for (int i = 0; i < 300; ++i)
        manyLabels += QStringLiteral("'v%1'").arg(i);
    out.push_back({QStringLiteral("enum(%1)").arg(manyLabels.join(QLatin1Char(','))),
                   {QStringLiteral("'v299'"), QStringLiteral("'v0'")}});
    QStringList bits;
    for (int i = 0; i < 64; ++i)
        bits += QStringLiteral("'b%1'").arg(i);
    out.push_back({QStringLiteral("set(%1)").arg(bits.join(QLatin1Char(','))),
                   {QStringLiteral("'b0,b63'"), QStringLiteral("18446744073709551615")}});
    if (mariaDb) {
        QStringList uuids{s("'123e4567-e89b-12d3-a456-426655440000'")};
        for (const char *version : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "f"}) {
            for (const char *variant : {"0", "7", "8", "a", "f"})
                uuids += QLatin1String("'00112233-4455-") + QLatin1String(version) +
                         QLatin1String("677-") + QLatin1String(variant) +
                         QLatin1String("899-aabbccddee00'");
        }
        uuids += s("'00000000-0000-0000-0000-000000000000'");
        uuids += s("'12345678-0000-0000-0000-000000000000'");
        out.push_back({s("uuid"), uuids});
        out.push_back({s("inet6"), list({"'::'", "'::1'", "'::1.2.3.4'", "'::ffff:1.2.3.4'",
                                         "'2001:db8::1'", "'1:0:2:0:0:3:0:0'", "'1:2:3:4:5:6:7:0'",
                                         "'fe80::'", "'1::2:3:4:5:6:7'", "'0:1:2:3:4:5:6:7'",
                                         "'0:0:0:0:0:ffff:0:0'", "'::ffff:0:0:0'"})});
        out.push_back({s("inet4"), list({"'0.0.0.0'", "'255.1.0.0'", "'10.0.0.1'"})});
        out.push_back({s("text compressed"), list({"''", "'short'", "repeat('long ',2000)"})});
        out.push_back(
            {s("varchar(300) compressed"), list({"''", "'short'", "repeat('long ',50)"})});
        out.push_back({s("blob compressed"), list({"repeat(x'00',5000)"})});
    } else {
        out.push_back({s("vector(3)"), list({"string_to_vector('[1,2.5,-3]')"})});
        out.push_back(
            {s("json"),
             list({"json_array(1e0, 1e20, -0e0, 1e15, 1e14, 1e-5, 1e-15, 1e-16, 5e-324, 0.1e0)",
                   "json_array(1.50, -0.0, 123456789.123450, -99.99)",
                   "json_array(date'2015-01-15', timestamp'2015-01-15 23:24:25.12', "
                   "time'-23:24:25.12', time'838:59:59')",
                   "json_array(x'0102', repeat(x'00',200), b'101')",
                   "json_object('b', 1, 'aa', 2, 'a', 3, '', 4, 'é\\t\"', 5)",
                   "json_array(concat(char(1), char(31), char(127)), '\\\\\\'/')",
                   "json_array(32767, 32768, -32768, -32769, 65535, 65536, 4294967295, 4294967296, "
                   "2147483647, -2147483648)",
                   "json_array(st_geomfromtext('point(1 2)'))", "'{}'",
                   "cast(concat(repeat('[',99),repeat(']',99)) as json)"})});
    }
    return out;
}

void BinlogTypesTest::imagesEqualSelect_data()
{
    QTest::addColumn<bool>("mariaDb");
    QTest::addColumn<QStringList>("settings");
    const auto add = [](const char *name, bool mariaDb, std::initializer_list<const char *> list) {
        QStringList settings;
        for (const char *s : list)
            settings += QLatin1String(s);
        QTest::newRow(name) << mariaDb << settings;
    };
    add("MariaDB", true, {});
    add("MariaDB compressed, old temporal types", true,
        {"--log-bin-compress=ON", "--log-bin-compress-min-len=10",
         "--mysql56-temporal-format=OFF"});
    add("MariaDB full metadata", true, {"--binlog-row-metadata=FULL"});
    add("MySQL", false, {});
    add("MySQL compressed, partial JSON, full metadata", false,
        {"--binlog-transaction-compression=ON", "--binlog-row-value-options=PARTIAL_JSON",
         "--binlog-row-metadata=FULL"});
}

void BinlogTypesTest::imagesEqualSelect()
{
    QFETCH(bool, mariaDb);
    QFETCH(QStringList, settings);
    ServerOptions options;
    options.product = mariaDb ? Product::MariaDb : Product::MySql;
    options.settings = settings;
    TestServer server(options);
    server.exec(QStringLiteral("CREATE DATABASE types CHARACTER SET utf8mb4"));

    const std::vector<Sample> all = samples(mariaDb);
    QMap<TableName, std::shared_ptr<const Table>> tables;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const QString name = QStringLiteral("t%1").arg(i);
        // One in the middle shows that the next value begins where it should.
        server.exec(
            QStringLiteral("SET sql_mode=''; CREATE TABLE types.%1 (id int primary key, a %2, "
                           "mid int, b %2, g varchar(30) AS (concat('g', mid)) STORED, "
                           "v int AS (mid + 1) VIRTUAL)")
                .arg(name, all[i].type));
        tables.insert({QStringLiteral("types"), name},
                      readTable(server, QStringLiteral("types"), name));
    }
    const auto session = openSession(server, mysql::Use::Data);
    const Position from = currentPosition(server);
    QMap<TableName, std::vector<Row>> inserted, updated;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const TableName name{QStringLiteral("types"), QStringLiteral("t%1").arg(i)};
        QString sql =
            QStringLiteral("SET NAMES utf8mb4; SET time_zone='+00:00'; SET sql_mode=''; ");
        int id = 0;
        for (const QString &value : all[i].values) {
            ++id;
            sql += QStringLiteral("INSERT INTO types.%1 (id,a,mid,b) VALUES (%2,%3,%2*1000,%4);")
                       .arg(name.name)
                       .arg(id)
                       .arg(value, id % 2 == 0 ? QStringLiteral("NULL") : value);
        }
        sql += QStringLiteral("INSERT INTO types.%1 (id) VALUES (1000)").arg(name.name);
        server.exec(sql);
        inserted[name] = selectWire(*session, *tables[name], QStringLiteral("ORDER BY id"));
        server.exec(QStringLiteral("SET sql_mode=''; UPDATE types.%1 SET b=a, mid=7 ORDER BY id")
                        .arg(name.name));
        updated[name] = selectWire(*session, *tables[name], QStringLiteral("ORDER BY id"));
        server.exec(QStringLiteral("DELETE FROM types.%1 ORDER BY id").arg(name.name));
    }
    const Position to = currentPosition(server);

    Follow follow(server, from, [&tables](const TableName &n) { return tables.value(n); });
    QVERIFY2(!follow.error, qPrintable(follow.error ? follow.error->describe() : QString()));
    QVERIFY2(follow.until(to), qPrintable(follow.error ? follow.error->describe() : QString()));

    QMap<TableName, std::vector<Row>> inserts, befores, afters, deletes;
    for (const RowChange &c : follow.all<RowChange>()) {
        switch (c.op) {
        case RowOp::Insert:
            inserts[c.table->name].push_back(c.after);
            break;
        case RowOp::Update:
            befores[c.table->name].push_back(c.before);
            afters[c.table->name].push_back(c.after);
            break;
        case RowOp::Delete:
            deletes[c.table->name].push_back(c.before);
            break;
        }
    }
    const auto show = [](const Value &v) {
        return v ? QByteArray::fromStdString(*v).left(200).toPercentEncoding(" :{}[]\",")
                 : QByteArray("NULL");
    };
    QStringList wrong;
    const auto compare = [&](const char *what, std::size_t i, const std::vector<Row> &got,
                             const std::vector<Row> &want) {
        if (got.size() != want.size()) {
            wrong += QStringLiteral("%1 %2: %3 rows, not %4")
                         .arg(QLatin1String(what), all[i].type)
                         .arg(got.size())
                         .arg(want.size());
            return;
        }
        for (std::size_t r = 0; r < want.size(); ++r) {
            for (std::size_t c = 0; c < want[r].size(); ++c) {
                if (got[r][c] != want[r][c])
                    wrong += QStringLiteral("%1 %2 row %3 column %4: %5 in the log, %6 by SELECT")
                                 .arg(QLatin1String(what), all[i].type.left(40))
                                 .arg(r)
                                 .arg(c)
                                 .arg(QString::fromUtf8(show(got[r][c])),
                                      QString::fromUtf8(show(want[r][c])));
            }
        }
    };
    for (std::size_t i = 0; i < all.size(); ++i) {
        const TableName name{QStringLiteral("types"), QStringLiteral("t%1").arg(i)};
        compare("insert", i, inserts[name], inserted[name]);
        compare("before", i, befores[name], inserted[name]);
        compare("after", i, afters[name], updated[name]);
        compare("delete", i, deletes[name], updated[name]);
    }
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong.mid(0, 60).join(QLatin1Char('\n'))));
}

QTEST_GUILESS_MAIN(BinlogTypesTest)
#include "BinlogTypesTest.moc"
