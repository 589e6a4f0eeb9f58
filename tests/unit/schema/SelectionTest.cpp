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
    void takesWholeSchemasByPattern()
    {
        Selection s;
        s.schemas = {QStringLiteral("shop"), QStringLiteral("a.b"), QStringLiteral("part")};
        s.patterns = {QStringLiteral("shop.*"), QStringLiteral("a.b.*"), QStringLiteral("part.x"),
                      QStringLiteral("!shop.log")};
        QVERIFY(s.wholeSchema(QStringLiteral("shop")));
        QVERIFY(s.wholeSchema(QStringLiteral("a.b")));
        QVERIFY(!s.wholeSchema(QStringLiteral("part")));
        QVERIFY(!s.wholeSchemas());
        QVERIFY(!s.matches(table("shop", "log")));
        QVERIFY(s.matches(table("a.b", "t.u")));
    }
    void findsSchemasWithPointsInTheirNames()
    {
        const QStringList all{QStringLiteral("a"), QStringLiteral("a.b"), QStringLiteral("b")};
        QCOMPARE(Selection::schemasOf(QStringLiteral("a.b.*"), all),
                 (QStringList{QStringLiteral("a"), QStringLiteral("a.b")}));
        QCOMPARE(Selection::schemasOf(QStringLiteral("?.t"), all),
                 (QStringList{QStringLiteral("a"), QStringLiteral("b")}));
    }
    void meansTheSameTablesOnTheTarget()
    {
        Selection s;
        s.schemas = {QStringLiteral("shop1"), QStringLiteral("other")};
        s.patterns = {QStringLiteral("sh*.o*")};
        s.renames.insert(QStringLiteral("shop1"), QStringLiteral("new"));
        const Selection there = Selection::decode(s.onTargetSide().encode());
        QVERIFY(there.matches(table("new", "orders")));
        QVERIFY(!there.matches(table("new", "items")));
        QVERIFY(!there.matches(table("shop1", "orders")));
        QVERIFY(!there.matches(table("other", "orders")));
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
