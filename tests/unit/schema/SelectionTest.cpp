#include "schema/Selection.h"

#include <QTest>

using namespace causeway;

namespace {

TableName table(const char *schema, const char *name)
{
    return {QString::fromUtf8(schema), QString::fromUtf8(name)};
}

} // namespace

class SelectionTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void takesWholeSchemasWithoutPatterns()
    {
        Selection s;
        s.schemas = {QStringLiteral("shop")};
        QVERIFY(s.wholeSchemas());
        QVERIFY(s.matches(table("shop", "orders")));
        QVERIFY(!s.matches(table("other", "orders")));
    }
    void leavesOutWithoutLosingTheRest()
    {
        Selection s;
        s.schemas = {QStringLiteral("shop")};
        s.patterns = {QStringLiteral("!shop.tmp_*")};
        QVERIFY(s.wholeSchemas());
        QVERIFY(!s.matches(table("shop", "tmp_1")));
        QVERIFY(s.matches(table("shop", "tmp1")));
    }
    void includesByPattern()
    {
        Selection s;
        s.patterns = {QStringLiteral("shop.o*"), QStringLiteral("shop.item?"),
                      QStringLiteral("!shop.old")};
        QVERIFY(!s.wholeSchemas());
        QVERIFY(s.matches(table("shop", "orders")));
        QVERIFY(s.matches(table("shop", "o/ld")));
        QVERIFY(s.matches(table("shop", "items")));
        QVERIFY(!s.matches(table("shop", "item")));
        QVERIFY(!s.matches(table("shop", "old")));
        QVERIFY(!s.matches(table("shop2", "orders")));
    }
    void renamesThereAndBack()
    {
        Selection s;
        s.renames.insert(QStringLiteral("a"), QStringLiteral("b"));
        QCOMPARE(s.onTarget(table("a", "t")), table("b", "t"));
        QCOMPARE(s.onSource(table("b", "t")), table("a", "t"));
        QCOMPARE(s.onTarget(table("c", "t")), table("c", "t"));
    }
    void refusesBadRenames()
    {
        QVERIFY(Selection::parseRenames({QStringLiteral("a=b"), QStringLiteral("c=d")}));
        for (const QStringList &bad :
             {QStringList{QStringLiteral("a")}, QStringList{QStringLiteral("=b")},
              QStringList{QStringLiteral("a=b"), QStringLiteral("a=c")},
              QStringList{QStringLiteral("a=b"), QStringLiteral("c=b")}}) {
            const auto r = Selection::parseRenames(bad);
            QVERIFY(!r);
            QCOMPARE(r.error().code, ErrorCode::Usage);
        }
    }
};

QTEST_GUILESS_MAIN(SelectionTest)
#include "SelectionTest.moc"
