#include "mysql/binlog/GtidSet.h"
#include "mysql/Parts.h"
#include "mysql/binlog/LogPosition.h"

#include <QtTest>

#include <set>

using namespace causeway;
using namespace causeway::mysql;

namespace {

const char *const a = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
const char *const b = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

GtidSet set(const std::string &text)
{
    const auto s = GtidSet::parse(text);
    if (!s)
        qFatal("%s", text.c_str());
    return *s;
}

std::string in(const char *uuid, const char *rest)
{
    return std::string(uuid) + ':' + rest;
}

QByteArray hex(const std::string &bytes)
{
    return QByteArray::fromStdString(bytes).toHex();
}

} // namespace

class GtidSetTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void parsesWhatServersPrint();
    void refusesWhatIsNoSet();
    void addsAndJoinsIntervals();
    void matchesAModel();
    void tellsSubsets();
    void encodesLikeTheServer();
    void parsesMariaDbLists();
    void keepsWhatTellsOneLogFromAnother();
    void comparesPositions();
};

void GtidSetTest::parsesWhatServersPrint()
{
    QCOMPARE(set("").text(), std::string());
    QCOMPARE(set(in(a, "1-5:7,\n") + in(b, "1")).text(), in(a, "1-5:7,") + in(b, "1"));
    QCOMPARE(set(" AAAAAAAA-aaaa-aaaa-aaaaaaaaaaaaaaaa : 3 - 4 : 1-2 ").text(), in(a, "1-4"));
    QCOMPARE(set(in(a, "1-5:Tag_1:1-3:8:zz:2,") + in(a, "6")).text(),
             in(a, "1-6:tag_1:1-3:8:zz:2"));
    QCOMPARE(set(in(a, "tag:5")).text(), in(a, "tag:5"));
    QVERIFY(set(in(a, "tag:5")).hasTags());
    QVERIFY(!set(in(a, "5")).hasTags());
    QVERIFY(set(in(a, "5-3")).isEmpty());
}

void GtidSetTest::refusesWhatIsNoSet()
{
    for (const std::string &text :
         {std::string("x"), std::string(a) + "a:1", in(a, "0"), in(a, "-1"), in(a, "1-"),
          in(a, "1-2-3"), in(a, "1x"), in(a, "t-g:1"), in(a, "9223372036854775808")})
        QVERIFY2(!GtidSet::parse(text), text.c_str());
}

void GtidSetTest::addsAndJoinsIntervals()
{
    GtidSet s;
    const GtidSource source = [] {
        GtidSource out;
        out.uuid.fill(0xaa);
        return out;
    }();
    for (const std::int64_t n : {5, 3, 4, 1, 10, 2, 10})
        s.add(Gtid{source, n});
    QCOMPARE(s.text(), in(a, "1-5:10"));
    s.add(source, {4, 12});
    QCOMPARE(s.text(), in(a, "1-12"));
    s.add(set(in(a, "20-30:tag:1,") + in(b, "7")));
    QCOMPARE(s.text(), in(a, "1-12:20-30:tag:1,") + in(b, "7"));
    s.add(set(in(a, "13-19")));
    QCOMPARE(s.text(), in(a, "1-30:tag:1,") + in(b, "7"));
}

void GtidSetTest::matchesAModel()
{
    QRandomGenerator random(20240229);
    GtidSource source;
    source.uuid.fill(0xbb);
    for (int round = 0; round < 300; ++round) {
        std::set<std::int64_t> model;
        GtidSet s, other;
        for (int i = 0; i < 20; ++i) {
            const std::int64_t first = random.bounded(1, 60), last = first + random.bounded(0, 5);
            s.add(source, {first, last});
            for (std::int64_t n = first; n <= last; ++n)
                model.insert(n);
        }
        for (std::int64_t n = 1; n < 70; ++n)
            QCOMPARE(s.contains(Gtid{source, n}), model.contains(n));
        QVERIFY(set(s.text()) == s);
        QVERIFY(GtidSet::decode(s.encode()).value() == s);
    }
}

void GtidSetTest::tellsSubsets()
{
    QVERIFY(set(in(a, "1-5")).contains(set("")));
    QVERIFY(!set("").contains(set(in(a, "1"))));
    QVERIFY(set(in(a, "1-5:8-9")).contains(set(in(a, "2-3:9"))));
    QVERIFY(!set(in(a, "1-5:8-9")).contains(set(in(a, "5-8"))));
    QVERIFY(!set(in(a, "1-5")).contains(set(in(a, "tag:1"))));
    QVERIFY(!set(in(a, "1-5")).contains(set(in(b, "1"))));
}

void GtidSetTest::encodesLikeTheServer()
{
    QCOMPARE(hex(set(in(a, "1-5")).encode()),
             QByteArray("0100000000000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0100000000000000"
                        "01000000000000000600000000000000"));
    // From a PREVIOUS_GTIDS event of MySQL 9.7.
    const QByteArray tagged("0102000000000001aaaaaaaaaaaaaaaaaaaafffffffffff00c6d795f74616701000000"
                            "0000000005000000000000"
                            "000600000000000000f2da54e8e4e911f18d8302fc0000000100010000000000000001"
                            "00000000000000030000000"
                            "0000000");
    const auto decoded = GtidSet::decode(QByteArray::fromHex(tagged).toStdString());
    QVERIFY(decoded);
    QCOMPARE(decoded->text(), std::string("aaaaaaaa-aaaa-aaaa-aaaa-fffffffffff0:my_tag:5,"
                                          "f2da54e8-e4e9-11f1-8d83-02fc00000001:1-2"));
    QCOMPARE(hex(decoded->encode()), tagged);
    QVERIFY(!GtidSet::decode(std::string("\1\0\0\0\0\0\0\0short", 13)));
}

void GtidSetTest::keepsWhatTellsOneLogFromAnother()
{
    for (const QString &text :
         {QStringLiteral("file:binlog.000002:157"), QStringLiteral("file:binlog.000002:157#17"),
          QStringLiteral("file:odd#name.000002:157"), QStringLiteral("mariadb:0-1-5;m.000001:4"),
          QStringLiteral("mariadb:0-1-5;m.000001:4#1764000000"),
          QStringLiteral("mariadb:;m.000001:4#1764000000"),
          QStringLiteral("gtid:%1:1-5").arg(QLatin1String(a)),
          QStringLiteral("gtid:%1:1-5;binlog.000009:5000000000#1764000000")
              .arg(QLatin1String(a))}) {
        const auto p = LogPosition::parse(Position{text});
        QVERIFY2(p.has_value(), qPrintable(text));
        QCOMPARE(p->position().text, text);
        QCOMPARE(p->created, text.endsWith(QLatin1String("#1764000000")) ? 1764000000U
                             : text.endsWith(QLatin1String("#17"))       ? 17U
                                                                         : 0U);
    }
    const auto noted = LogPosition::parse(Position{QStringLiteral("file:binlog.000002:157#17")});
    const auto found = LogPosition::parse(Position{QStringLiteral("file:binlog.000002:157")});
    QVERIFY(noted->reached(*found) && found->reached(*noted));
}

void GtidSetTest::parsesMariaDbLists()
{
    const auto list = MariaDbGtidList::parse("0-1-100, 5-2-7");
    QVERIFY(list);
    QCOMPARE(list->text(), std::string("0-1-100,5-2-7"));
    QVERIFY(list->covers(*MariaDbGtidList::parse("0-9-100")));
    QVERIFY(list->covers(*MariaDbGtidList::parse("")));
    QVERIFY(!list->covers(*MariaDbGtidList::parse("0-1-101")));
    QVERIFY(!list->covers(*MariaDbGtidList::parse("6-1-1")));
    QVERIFY(!MariaDbGtidList::parse("0-1"));
    QVERIFY(!MariaDbGtidList::parse("0-1-x"));
}

void GtidSetTest::comparesPositions()
{
    const auto reached = [](const char *applied, const char *wanted) {
        return positionReached({QString::fromLatin1(applied)}, {QString::fromLatin1(wanted)});
    };
    QVERIFY(reached("file:binlog.000002:4", "file:binlog.000001:900"));
    QVERIFY(reached("file:binlog.1000000:4", "file:binlog.999999:900"));
    QVERIFY(!reached("file:binlog.000002:4", "file:binlog.000002:5"));
    QVERIFY(!reached("file:other.000002:4", "file:binlog.000001:4"));
    QVERIFY(reached("mariadb:0-1-5;b.000001:50", "mariadb:0-1-5;b.000009:4"));
    QVERIFY(reached("mariadb:0-1-5;b.000001:50", "mariadb:;b.000001:50"));
    QVERIFY(!reached("mariadb:0-1-5;b.000001:50", "mariadb:0-1-6;b.000001:90"));
    QVERIFY(reached("mariadb:0-1-7;x.000001:50", "mariadb:0-1-6;b.000001:90"));
    QVERIFY(!reached("file:binlog.000002:4", "gtid:"));
    QVERIFY(!reached("", "gtid:"));
    QVERIFY(reached("gtid:aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1-5",
                    "gtid:aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:4"));
}

QTEST_GUILESS_MAIN(GtidSetTest)
#include "GtidSetTest.moc"
