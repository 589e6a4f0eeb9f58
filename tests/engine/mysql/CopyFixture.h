#pragma once

// What tests of copying and comparing rows share: servers, plans, and a table of every type.

#include "mysql/MySqlDatabase.h"
#include "mysql/Parts.h"
#include "route/CopyPool.h"
#include "servers/TestServer.h"

#include <QtTest>

#include <memory>

namespace causeway::test {

template <class T> T must(Result<T> r)
{
    if (!r)
        qFatal("%s", qPrintable(r.error().describe()));
    return std::move(*r);
}
inline void must(const Status &s)
{
    if (!s)
        qFatal("%s", qPrintable(s.error().describe()));
}

inline std::unique_ptr<TestServer> startServer(Product product, const QStringList &settings = {})
{
    ServerOptions options;
    options.product = product;
    options.settings = settings;
    if (product == Product::MySql)
        options.settings << QStringLiteral("--local-infile=ON");
    return std::make_unique<TestServer>(options);
}

/// A migration between two servers with its lease taken and streams copy0..copy3 open.
struct Pair {
    TestServer &source, &target;
    mysql::MySqlDatabase leader, follower;
    Lease lease;

    Pair(TestServer &s, TestServer &t, const Address &leaderAddress, const Address &followerAddress)
        : source(s), target(t), leader(leaderAddress), follower(followerAddress)
    {
        const auto ledger = must(mysql::makeLedger(t.address(), QStringLiteral("0a1b2c3d"), {}));
        must(ledger->create({}));
        takeLease();
    }
    Pair(TestServer &s, TestServer &t) : Pair(s, t, s.address(), t.address()) {}

    void takeLease()
    {
        const auto ledger =
            must(mysql::makeLedger(target.address(), QStringLiteral("0a1b2c3d"), {}));
        lease = must(ledger->takeLease(QStringLiteral("test"), {}));
        QStringList names;
        for (int i = 0; i < 4; ++i)
            names << QStringLiteral("copy%1").arg(i);
        must(ledger->openStreams(lease, names, {}));
    }
    [[nodiscard]] std::unique_ptr<Ledger> ledger()
    {
        return must(mysql::makeLedger(target.address(), QStringLiteral("0a1b2c3d"), {}));
    }
    /// Tables of one schema as both servers have them, by name; source order.
    [[nodiscard]] std::vector<TablePlan> plans(const QString &schema)
    {
        Selection selection;
        selection.schemas = QStringList{schema};
        const Catalog here = must(mysql::MySqlDatabase(source.address()).catalog(selection, {}));
        const Catalog there = must(mysql::MySqlDatabase(target.address()).catalog(selection, {}));
        std::vector<TablePlan> out;
        for (const Table &t : here.tables) {
            const Table *const other = there.find(t.name);
            if (!other)
                qFatal("%s is not on the target", qPrintable(t.name.display()));
            out.push_back({std::make_shared<Table>(t), std::make_shared<Table>(*other)});
        }
        return out;
    }
};

/// One database with tables of all types that MySQL and MariaDB share, without rows.
inline void createTypes(TestServer &server, const QString &schema)
{
    QStringList manyLabels;
    for (int i = 0; i < 64; ++i)
        manyLabels << QStringLiteral("'m%1'").arg(i);
    server.exec(
        QStringLiteral(
            "DROP DATABASE IF EXISTS %1; CREATE DATABASE %1 CHARACTER SET utf8mb4; USE %1;"
            "CREATE TABLE numbers (id INT PRIMARY KEY, ti TINYINT, tu TINYINT UNSIGNED, si "
            "SMALLINT,"
            " mi MEDIUMINT, zf INT(10) ZEROFILL, bi BIGINT, bu BIGINT UNSIGNED, de DECIMAL(65,30),"
            " dz DECIMAL(10,2) ZEROFILL, f FLOAT, f2 FLOAT(10,3), d DOUBLE, d2 DOUBLE(20,5),"
            " b1 BIT(1), b9 BIT(9), b64 BIT(64), g INT GENERATED ALWAYS AS (ti + 1) VIRTUAL,"
            " gs INT GENERATED ALWAYS AS (ti + 2) STORED);"
            "CREATE TABLE times (id INT PRIMARY KEY, da DATE, t0 TIME, t6 TIME(6), dt DATETIME,"
            " dt6 DATETIME(6), ts TIMESTAMP(3) NULL, ts0 TIMESTAMP NULL, y YEAR);"
            "CREATE TABLE texts (id INT PRIMARY KEY, c CHAR(10), vc VARCHAR(200),"
            " lat VARCHAR(50) CHARACTER SET latin1, gbk VARCHAR(50) CHARACTER SET gbk,"
            " sj VARCHAR(50) CHARACTER SET sjis, b5 VARCHAR(50) CHARACTER SET big5,"
            " u16 VARCHAR(50) CHARACTER SET utf16, u32 VARCHAR(50) CHARACTER SET utf32,"
            " uc VARCHAR(50) CHARACTER SET ucs2, tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT);"
            "CREATE TABLE bytes (id INT PRIMARY KEY, b BINARY(8), vb VARBINARY(300), tb TINYBLOB,"
            " bl BLOB, mb MEDIUMBLOB, lb LONGBLOB);"
            "CREATE TABLE others (id INT PRIMARY KEY, e ENUM('a','b','é','1'),"
            " s SET('x','y','z'), s64 SET(%2), j JSON, g GEOMETRY, p POINT);"
            "CREATE TABLE keyed (a VARCHAR(40) NOT NULL, b DECIMAL(10,3) NOT NULL, c VARBINARY(9)"
            " NOT NULL, d ENUM('one','two') NOT NULL, v INT, PRIMARY KEY (a, b, c, d));"
            "CREATE TABLE timed (t TIMESTAMP(6) NOT NULL, f BIGINT UNSIGNED ZEROFILL NOT NULL, n "
            "BIT(12) NOT NULL,"
            " g VARCHAR(20) CHARACTER SET gbk NOT NULL, v INT, PRIMARY KEY (t, f, n, g));")
            .arg(schema, manyLabels.join(QLatin1Char(','))));
}

/// Extremes, zeros, NULLs, bytes with a meaning to some parser, and `many` ordinary rows.
inline void fillTypes(TestServer &server, const QString &schema, int many = 2000)
{
    server.exec(
        QStringLiteral(
            "SET NAMES utf8mb4, time_zone='+00:00', sql_mode='NO_AUTO_VALUE_ON_ZERO'; USE %1;"
            "INSERT INTO numbers (id,ti,tu,si,mi,zf,bi,bu,de,dz,f,f2,d,d2,b1,b9,b64) VALUES"
            " (0,-128,0,-32768,-8388608,0,-9223372036854775808,0,"
            "-99999999999999999999999999999999999.999999999999999999999999999999,0,-3.4028234e38,"
            "-999999.5,-1.7976931348623157e308,-99999999999999.5,b'0',b'0',0),"
            " (1,127,255,32767,8388607,4294967295,9223372036854775807,18446744073709551615,"
            "99999999999999999999999999999999999.999999999999999999999999999999,99999999.99,"
            "3.4028234e38,999999.5,1.7976931348623157e308,99999999999999.5,b'1',b'111111111',"
            "0xFFFFFFFFFFFFFFFF),"
            " (2,1,39,92,10,13,26,9,0.000000000000000000000000000001,0.01,1e-45,0.001,5e-324,"
            "0.00001,b'1',b'100111',0x00275C0A0D001A09),"
            " (3,1,1,1,1,1,1,1,1.5,1.5,16777217,0.1,0.1,0.1,b'1',b'1',1),"
            " (4,1,1,1,1,1,1,1,1.5,1.5,1e15,123456.789,1e22,1234567890.12345,b'1',b'1',1),"
            " (5,1,1,1,1,1,1,1,1.5,1.5,0.1,0.1,123456789012345680,0.3,b'1',b'1',1),"
            " (6,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);"
            "INSERT INTO times VALUES"
            " (1,'1000-01-01','-838:59:59','-838:59:59.000000','1000-01-01 00:00:00',"
            "'1000-01-01 00:00:00.000001','1970-01-01 00:00:01.001','1970-01-01 00:00:01',1901),"
            " (2,'9999-12-31','838:59:59','838:59:58.999999','9999-12-31 23:59:59',"
            "'9999-12-31 23:59:59.999999','2038-01-19 03:14:07.999','2038-01-19 03:14:07',2155),"
            " (3,'0000-00-00','00:00:00','00:00:00','0000-00-00 00:00:00','0000-00-00 00:00:00',"
            "'0000-00-00 00:00:00','0000-00-00 00:00:00',0),"
            " (4,'2024-02-30','-00:00:01','-00:00:00.000001','2024-00-00 00:00:00',"
            "'2024-03-31 02:30:00.5','2024-03-31 02:30:00.5','2024-10-27 02:30:00',2000),"
            " (5,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);"
            "INSERT INTO texts VALUES"
            " (1,'','','','','','','','','','','','',''),"
            " (2,'a','a ','é',_gbk x'815C',_sjis x'835C',_big5 x'A55C',_utf16 x'00090027D83DDE00',"
            "_utf32 x'0001F6000000005C',_ucs2 x'005C000A','t\\tab','n\\nl\\\\ \\'q\\'','\\0nul',"
            "'\\Z \\r\\n \\\\N \\N'),"
            " (3,'é😀','\\\\N','\\\\',_gbk x'A1A1',_sjis x'95F2',_big5 x'A440',_utf16 x'0061',"
            "_utf32 x'00000061',_ucs2 x'0061','\\'',REPEAT('é',9000),REPEAT('x',70000),"
            "REPEAT('😀',30000)),"
            " (4,'  lead','trail  ','\\t','1','1','1','1','1','1','NULL','\\\\.','0x41','\"q\"'),"
            " (5,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);"
            "INSERT INTO bytes VALUES"
            " (1,'','','','','',''),"
            " (2,x'00','a',x'00',x'5C4E',x'0A',x'09'),"
            " (3,x'00275C0A0D1A09FF',x'00275C0A0D1A09FF00',x'FF00FF',x'C328',x'F0288CBC',"
            "REPEAT(x'00010203',200000)),"
            " (4,'trail   ','a ',' ','1','NULL','\\\\N'),"
            " (5,NULL,NULL,NULL,NULL,NULL,NULL);"
            "INSERT INTO others VALUES"
            " (1,'a','','m0','{}',ST_GeomFromText('POINT(1 2)'),ST_GeomFromText('POINT(-1 "
            "1e300)')),"
            " (2,'1','x,z','m63,m0','{\"a\": 1, \"b\": [1, 2.5, null, \"x\\\\\"y\"]}',"
            "ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0))',4326),NULL),"
            " (3,'é','x,y,z',18446744073709551615,'\"text é 😀\"',"
            "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,9 10))'),NULL),"
            " (4,'b','','','12345678901',NULL,NULL),"
            " (5,NULL,NULL,NULL,NULL,NULL,NULL);"
            "INSERT INTO keyed SELECT CONCAT(ELT(1+MOD(n,7),'a','A','é','ß','ss','Z','z'),'-',n "
            "DIV 9),"
            " n/8, CHAR(MOD(n,256)), 1+MOD(n,2), n FROM (SELECT a.n+10*b.n+100*c.n+1000*d.n n FROM"
            " (%3) a, (%3) b, (%3) c, (%3) d) x WHERE n < %2;"
            "INSERT IGNORE INTO timed SELECT '2024-01-01' + INTERVAL n DIV 3 * 37 MICROSECOND, "
            "18446744073709551615 - n DIV 2, "
            "MOD(n,4096),"
            " CONVERT(CHAR(0x8140 + MOD(n,60) USING gbk) USING gbk), n FROM"
            " (SELECT a.n+10*b.n+100*c.n+1000*d.n n FROM (%3) a, (%3) b, (%3) c, (%3) d) x"
            " WHERE n < %2;")
            .arg(schema, QString::number(many),
                 QStringLiteral("SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION "
                                "SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION "
                                "SELECT 8 UNION SELECT 9")));
}

} // namespace causeway::test
