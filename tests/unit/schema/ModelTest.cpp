#include "schema/Model.h"

#include <QTest>

#include <functional>

using namespace causeway;

namespace {

Table table()
{
    Table t;
    t.name = {QStringLiteral("shop"), QStringLiteral("orders")};
    for (const char *name : {"id", "Total", "sum"}) {
        Column c;
        c.name = QString::fromLatin1(name);
        c.typeText = QStringLiteral("int");
        c.nullable = false;
        t.columns.push_back(c);
    }
    t.columns[2].generated = true;
    Key k;
    k.name = QStringLiteral("PRIMARY");
    k.primary = k.unique = true;
    k.parts = {{1, 0, false, {}}, {0, 0, false, {}}};
    t.keys.push_back(k);
    t.rowKey = 0;
    return t;
}

} // namespace

class ModelTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsColumnsWithoutCase()
    {
        QCOMPARE(table().columnIndex(QStringLiteral("TOTAL")), 1);
        QCOMPARE(table().columnIndex(QStringLiteral("none")), -1);
    }
    void leavesGeneratedColumnsUnwritten()
    {
        QCOMPARE(table().writableColumns(), (std::vector<int>{0, 1}));
    }
    void givesTheRowKeyInKeyOrder()
    {
        QCOMPARE(table().rowKeyColumns(), (std::vector<int>{1, 0}));
        Table keyless = table();
        keyless.rowKey.reset();
        QVERIFY(keyless.rowKeyColumns().empty());
    }
    void fingerprintTellsWhatMattersApart()
    {
        const QString before = table().fingerprint();
        Table t = table();
        t.comment = QStringLiteral("another");
        t.name.schema = QStringLiteral("elsewhere");
        QCOMPARE(t.fingerprint(), before);
        for (const auto &change : std::vector<std::function<void(Table &)>>{
                 [](Table &x) { x.columns[0].name = QStringLiteral("id2"); },
                 [](Table &x) { x.columns[0].typeText = QStringLiteral("bigint"); },
                 [](Table &x) { x.columns[0].nullable = true; },
                 [](Table &x) { x.columns[0].collation = QStringLiteral("utf8mb4_bin"); },
                 [](Table &x) { x.columns[1].generated = true; },
                 [](Table &x) { x.rowKey.reset(); }}) {
            Table other = table();
            change(other);
            QVERIFY(other.fingerprint() != before);
        }
    }
};

QTEST_GUILESS_MAIN(ModelTest)
#include "ModelTest.moc"
