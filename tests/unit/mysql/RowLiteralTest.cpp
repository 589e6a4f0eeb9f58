#include "mysql/JsonCanonical.h"
#include "mysql/KeyRange.h"
#include "mysql/Parts.h"

#include <QtTest>

#include <cmath>
#include <random>

using namespace causeway;
using namespace causeway::mysql;

namespace {

Column column(TypeClass type, const char *typeText = "", const char *charset = "")
{
    Column c;
    c.name = QStringLiteral("c`1");
    c.typeClass = type;
    c.typeText = QString::fromLatin1(typeText);
    c.dataType = c.typeText.section(QLatin1Char('('), 0, 0).section(QLatin1Char(' '), 0, 0);
    c.charset = QString::fromLatin1(charset);
    return c;
}

std::string literal(const Column &c, const Value &v, bool comparable = false, bool mariaDb = false)
{
    std::string out;
    appendLiteral(out, c, v, comparable, mariaDb);
    return out;
}

} // namespace

class RowLiteralTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void writesEachClassOfValue()
    {
        using T = TypeClass;
        QCOMPARE(literal(column(T::Text), std::nullopt), std::string("NULL"));
        QCOMPARE(literal(column(T::Integer), "-5"), std::string("-5"));
        QCOMPARE(literal(column(T::Enum), "0"), std::string("0"));
        QCOMPARE(literal(column(T::Set), "18446744073709551615"),
                 std::string("18446744073709551615"));
        QCOMPARE(literal(column(T::Bit), std::string("\x01\x00", 2)), std::string("256"));
        QCOMPARE(literal(column(T::Text), "a'\\\n"), std::string("'a\\'\\\\\n'"));
        QCOMPARE(literal(column(T::Text, "", "latin1"), "a", true), std::string("_latin1'a'"));
        QCOMPARE(literal(column(T::Text, "", "gbk"), "\x81\x5c", true),
                 std::string("_gbk x'815c'"));
        QCOMPARE(literal(column(T::Text, "", "utf16"), std::string("\0a", 2), true),
                 std::string("_utf16 x'0061'"));
        QCOMPARE(literal(column(T::Json), "{}"), std::string("_utf8mb4'{}'"));
        QCOMPARE(literal(column(T::Json), "{}", false, true), std::string("'{}'"));
    }

    // A literal without exponent would be a DECIMAL or an integer to the server.
    void writesRealsAsFloatingPointLiterals()
    {
        std::mt19937_64 random(1);
        for (int i = 0; i < 20'000; ++i) {
            const std::uint64_t bits = random();
            double d = 0;
            memcpy(&d, &bits, sizeof d);
            if (!std::isfinite(d))
                continue;
            const std::string wire = canonicalReal(d);
            const std::string text = literal(column(TypeClass::Double), wire);
            QVERIFY(text.find('e') != std::string::npos);
            QCOMPARE(std::strtod(text.c_str(), nullptr), d);
            const auto bits32 = static_cast<std::uint32_t>(bits);
            float f = 0;
            memcpy(&f, &bits32, sizeof f);
            if (!std::isfinite(f))
                continue;
            // As the server does it: text to double, double to float.
            const std::string single = literal(column(TypeClass::Float), canonicalReal(f));
            QCOMPARE(static_cast<float>(std::strtod(single.c_str(), nullptr)), f);
        }
    }

    void hasOneTextForOneReal()
    {
        // What the server prints of FLOAT as a double, and the log's four bytes.
        QCOMPARE(canonicalReal("0.10000000149011612", true), canonicalReal(0.1F));
        QCOMPARE(canonicalReal("3.4028234663852886e38", true), canonicalReal(3.4028234e38F));
        QCOMPARE(canonicalReal("1.401298464324817e-45", true), canonicalReal(1e-45F));
        QCOMPARE(canonicalReal("1.7976931348623157e308", false),
                 canonicalReal(1.7976931348623157e308));
        QCOMPARE(canonicalReal("5e-324", false), canonicalReal(5e-324));
        QCOMPARE(canonicalReal("0.00001", false), canonicalReal(1e-5));
        QCOMPARE(canonicalReal("-0", false), canonicalReal(-0.0));
        QCOMPARE(canonicalReal("100000000000000", false), canonicalReal(1e14));
    }

    void selectsWhatHidesInTheServersText()
    {
        using T = TypeClass;
        QCOMPARE(wireExpression(column(T::Integer, "int(5) unsigned zerofill"), false),
                 QStringLiteral("`c``1`+0"));
        QCOMPARE(wireExpression(column(T::Integer, "int"), false), QStringLiteral("`c``1`"));
        QCOMPARE(wireExpression(column(T::Integer, "year(4)"), true), QStringLiteral("`c``1`+0"));
        QCOMPARE(wireExpression(column(T::Float, "float"), false), QStringLiteral("`c``1`*1e0"));
        QCOMPARE(wireExpression(column(T::Double, "double(20,5)"), false),
                 QStringLiteral("`c``1`*1e0"));
        QCOMPARE(wireExpression(column(T::Double, "double"), false), QStringLiteral("`c``1`"));
        QCOMPARE(wireExpression(column(T::Set, "set('a')"), false),
                 QStringLiteral("CAST(`c``1` AS UNSIGNED)"));
        QCOMPARE(wireExpression(column(T::Json, "json"), true), QStringLiteral("`c``1`"));
    }

    void boundsKeysSoThatTheIndexIsUsed()
    {
        Table t;
        for (const char *name : {"a", "b", "c"}) {
            Column c = column(TypeClass::Integer, "int");
            c.name = QString::fromLatin1(name);
            t.columns.push_back(c);
        }
        Key k;
        k.name = QStringLiteral("PRIMARY");
        for (int i = 0; i < 3; ++i)
            k.parts.push_back({i, 0, false, {}});
        t.keys.push_back(k);
        t.rowKey = 0;
        std::string sql;
        appendRangeCondition(sql, t, {Row{"1", "2", "3"}, std::nullopt}, false);
        QCOMPARE(sql,
                 std::string("`a`>=1 AND (`a`>1 OR (`a`=1 AND (`b`>2 OR (`b`=2 AND `c`>3))))"));
        sql.clear();
        appendRangeCondition(sql, t, {std::nullopt, Row{"1", "2", "3"}}, false);
        QCOMPARE(sql,
                 std::string("`a`<=1 AND (`a`<1 OR (`a`=1 AND (`b`<2 OR (`b`=2 AND `c`<=3))))"));
        sql.clear();
        appendRangeCondition(sql, t, {}, false);
        QCOMPARE(sql, std::string("TRUE"));
    }

    void canonicalisesJson_data()
    {
        QTest::addColumn<QString>("a");
        QTest::addColumn<QString>("b");
        QTest::addColumn<bool>("same");
        const auto row = [](const char *name, const char *a, const char *b, bool same) {
            QTest::newRow(name) << QString::fromUtf8(a) << QString::fromUtf8(b) << same;
        };
        row("order and spaces", "{\"b\":1,\"a\":[1,2]}", "{ \"a\": [1, 2], \"b\": 1 }", true);
        row("order in arrays", "[1,2]", "[2,1]", false);
        row("exponent", "1e2", "100.0", true);
        row("whole and fraction", "1", "1.0", true);
        row("last of equal names", "{\"a\":1,\"a\":2}", "{\"a\":2}", true);
        row("escapes", "\"\\u00e9\\/\\ud83d\\ude00\"", "\"é/😀\"", true);
        row("number and text", "1", "\"1\"", false);
        row("digits of doubles", "0.1", "0.10000000000000002", false);
        row("large integers", "9223372036854775807", "9223372036854775806", false);
        row("unsigned", "18446744073709551615", "18446744073709551614", false);
        row("null and nothing", "null", "\"\"", false);
        row("quotes in names", "{\"a\\\"\":1}", "{\"a\":1}", false);
    }
    void canonicalisesJson()
    {
        QFETCH(QString, a);
        QFETCH(QString, b);
        QFETCH(bool, same);
        const auto x = canonicalJson(a.toStdString());
        const auto y = canonicalJson(b.toStdString());
        QVERIFY(x && y);
        QCOMPARE(*x == *y, same);
    }
    void refusesWhatIsNoJson()
    {
        for (const char *text : {"", "{", "[1,]", "{\"a\"}", "\"a", "tru", "1 2", "{'a':1}", "\\"})
            QVERIFY2(!canonicalJson(text), text);
        QVERIFY(!canonicalJson(std::string(100'000, '[')));
    }
};

QTEST_GUILESS_MAIN(RowLiteralTest)
#include "RowLiteralTest.moc"
