#include "mysql/ApplierBatch.h"

#include <QtTest>

using namespace causeway;
using namespace causeway::mysql;

/// How a batch is cut up, without a server.
class ApplierBatchTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void lastImageOfAKeyWins();
    void aChangedKeyIsADeleteAndAWrite();
    void aReferencedDeleteEndsTheSegment();
    void aChangeOfOtherColumnsDoesNot();
    void foreignKeyChecksOffPerformsNoCascade();
    void skipsWhatTheMarkCovers();
    void aPartOfATransactionIsMarked();
    void refusesExactlyOnceWithoutStarts();
    void marksSurviveTheirText();
    void deletesAndReplacesKeepTheLimits();
    void generatedColumnsAreNotWritten();
    void wholeRowsAreComparedByTheirTypes();
};

namespace {

Column column(const char *name, TypeClass type = TypeClass::Integer)
{
    Column c;
    c.name = QLatin1String(name);
    c.typeClass = type;
    if (type == TypeClass::Text)
        c.charset = QStringLiteral("utf8mb4");
    return c;
}

std::shared_ptr<Table> table(const char *name, bool keyed = true)
{
    auto t = std::make_shared<Table>();
    t->name = {QStringLiteral("s"), QLatin1String(name)};
    t->columns = {column("id"), column("ref")};
    if (keyed) {
        Key key;
        key.primary = key.unique = true;
        key.parts = {KeyPart{0, 0, false, {}}};
        t->keys = {key};
        t->rowKey = 0;
    }
    return t;
}

std::shared_ptr<const ApplierTable> planned(const std::shared_ptr<Table> &t)
{
    return std::make_shared<const ApplierTable>(*ApplierTable::make(t, t));
}

Row row(int id, int ref)
{
    return {std::to_string(id), std::to_string(ref)};
}

/// Tables p <- c (ON DELETE CASCADE), and n without a key.
struct World {
    std::shared_ptr<Table> p = table("p"), c = table("c"), n = table("n", false);
    std::vector<std::shared_ptr<const ApplierTable>> all;
    CascadeGraph graph;
    ChangeBatch batch;

    World()
    {
        ForeignKey fk;
        fk.name = QStringLiteral("fk");
        fk.columns = {1};
        fk.refTable = p->name;
        fk.refColumns = QStringList{QStringLiteral("id")};
        fk.onDelete = RefAction::Cascade;
        c->foreignKeys = {fk};
        all = {planned(p), planned(c), planned(n)};
        graph = CascadeGraph(all);
        batch.after.text = QStringLiteral("after");
    }
    RowChange &add(const std::shared_ptr<Table> &t, RowOp op, Row before, Row after)
    {
        RowChange change;
        change.table = t;
        change.op = op;
        change.before = std::move(before);
        change.after = std::move(after);
        change.indexInTransaction = static_cast<int>(batch.rows.size());
        batch.rows.push_back(std::move(change));
        return batch.rows.back();
    }
    Result<std::vector<Segment>> plan(const std::optional<RowMark> &done = {})
    {
        const BatchPlanner planner{[this](const std::shared_ptr<const Table> &t)
                                       -> Result<std::shared_ptr<const ApplierTable>> {
                                       for (const auto &a : all) {
                                           if (a->leader == t)
                                               return a;
                                       }
                                       return std::shared_ptr<const ApplierTable>();
                                   },
                                   &graph};
        return planner.plan(batch, done, Position{QStringLiteral("recorded")});
    }
};

std::map<std::string, bool> outcome(const Segment &s)
{
    std::map<std::string, bool> out; // key -> is there
    for (const KeyedChanges &changes : s.keyed) {
        for (const auto &[packed, entry] : changes.byKey)
            out[*entry.key.front()] = entry.image != nullptr;
    }
    return out;
}

} // namespace

void ApplierBatchTest::lastImageOfAKeyWins()
{
    World w;
    w.add(w.c, RowOp::Insert, {}, row(1, 1));
    w.add(w.c, RowOp::Update, row(1, 1), row(1, 2));
    w.add(w.c, RowOp::Insert, {}, row(2, 1));
    w.add(w.c, RowOp::Delete, row(2, 1), {});
    const auto plan = w.plan();
    QCOMPARE(plan->size(), std::size_t(1));
    QCOMPARE(outcome(plan->front()), (std::map<std::string, bool>{{"1", true}, {"2", false}}));
    for (const auto &[packed, entry] : plan->front().keyed.front().byKey) {
        if (entry.image)
            QCOMPARE(*entry.image, row(1, 2));
    }
    QCOMPARE(plan->front().after, w.batch.after);
    QVERIFY(!plan->front().mark);
}

void ApplierBatchTest::aChangedKeyIsADeleteAndAWrite()
{
    World w;
    w.add(w.c, RowOp::Update, row(1, 1), row(2, 1));
    w.add(w.c, RowOp::Update, row(2, 1), row(3, 1));
    QCOMPARE(outcome(w.plan()->front()),
             (std::map<std::string, bool>{{"1", false}, {"2", false}, {"3", true}}));
}

void ApplierBatchTest::aReferencedDeleteEndsTheSegment()
{
    World w;
    w.add(w.c, RowOp::Insert, {}, row(1, 1));
    w.add(w.p, RowOp::Delete, row(1, 0), {});
    w.add(w.c, RowOp::Insert, {}, row(1, 2));
    const auto plan = w.plan();
    QCOMPARE(plan->size(), std::size_t(2));
    QCOMPARE(plan->at(0).alone.size(), std::size_t(1));
    QCOMPARE(plan->at(0).keyedRows, std::size_t(1));
    QCOMPARE(plan->at(0).mark->row, 1);
    QCOMPARE(plan->at(0).after.text, QStringLiteral("recorded"));
    QCOMPARE(plan->at(1).keyedRows, std::size_t(1));
    QVERIFY(!plan->at(1).mark);
}

void ApplierBatchTest::aChangeOfOtherColumnsDoesNot()
{
    World w;
    w.add(w.p, RowOp::Update, row(1, 0), row(1, 9));
    w.add(w.c, RowOp::Delete, row(1, 1), {});
    const auto plan = w.plan();
    QCOMPARE(plan->size(), std::size_t(1));
    QVERIFY(plan->front().alone.empty());
}

void ApplierBatchTest::foreignKeyChecksOffPerformsNoCascade()
{
    World w;
    w.add(w.p, RowOp::Delete, row(1, 0), {}).foreignKeyChecksOff = true;
    QVERIFY(w.plan()->front().alone.empty());
}

void ApplierBatchTest::skipsWhatTheMarkCovers()
{
    World w;
    w.batch.starts = {{0, QStringLiteral("t1"), Position{QStringLiteral("a")}},
                      {2, QStringLiteral("t2"), Position{QStringLiteral("b")}}};
    w.add(w.n, RowOp::Insert, {}, row(1, 0)).indexInTransaction = 0;
    w.add(w.n, RowOp::Insert, {}, row(2, 0)).indexInTransaction = 1;
    w.add(w.n, RowOp::Insert, {}, row(3, 0)).indexInTransaction = 0;
    const RowMark done{Position{QStringLiteral("elsewhere")}, QStringLiteral("t1"), 0};
    const auto plan = w.plan(done);
    QCOMPARE(plan->front().keyless.size(), std::size_t(2));
    QCOMPARE(plan->front().keyless.front().change->after, row(2, 0));
    // Another transaction's rows are never taken for those of the marked one.
    const RowMark other{Position{QStringLiteral("a")}, QStringLiteral("t0"), 7};
    QCOMPARE(w.plan(other)->front().keyless.size(), std::size_t(3));
}

void ApplierBatchTest::aPartOfATransactionIsMarked()
{
    World w;
    w.batch.after.text = QStringLiteral("b");
    w.batch.starts = {{0, QStringLiteral("t1"), Position{QStringLiteral("a")}},
                      {1, QStringLiteral("t2"), Position{QStringLiteral("b")}}};
    w.add(w.n, RowOp::Insert, {}, row(1, 0)).indexInTransaction = 0;
    w.add(w.n, RowOp::Insert, {}, row(2, 0)).indexInTransaction = 4;
    const auto plan = w.plan();
    QVERIFY(plan->back().mark.has_value());
    QCOMPARE(plan->back().mark->id, QStringLiteral("t2"));
    QCOMPARE(plan->back().mark->row, 4);
}

void ApplierBatchTest::refusesExactlyOnceWithoutStarts()
{
    World w;
    w.add(w.c, RowOp::Insert, {}, row(1, 1)).indexInTransaction = 0;
    w.add(w.p, RowOp::Delete, row(1, 0), {}).indexInTransaction = 0;
    w.add(w.c, RowOp::Insert, {}, row(1, 2)).indexInTransaction = 0;
    const auto plan = w.plan();
    QVERIFY(!plan);
    QCOMPARE(plan.error().id, QStringLiteral("batch-without-starts"));
}

void ApplierBatchTest::marksSurviveTheirText()
{
    const RowMark mark{Position{QStringLiteral("mariadb:0-1-5;bin.000001:7\"x")},
                       QStringLiteral("0-1-6"), 12};
    QCOMPARE(*RowMark::fromText(mark.toText()), mark);
    QVERIFY(!RowMark::fromText(QStringLiteral("nonsense")));
}

void ApplierBatchTest::deletesAndReplacesKeepTheLimits()
{
    const auto t = planned(table("c"));
    std::vector<Row> rows;
    std::vector<const Row *> pointers;
    rows.reserve(10);
    pointers.reserve(10);
    for (int i = 0; i < 10; ++i)
        rows.push_back(row(i, i));
    for (const Row &r : rows)
        pointers.push_back(&r);
    StatementLimits limits;
    limits.rows = 4;
    QCOMPARE(replaceStatements(*t, pointers, limits).size(), std::size_t(3));
    limits.rows = 1000;
    limits.bytes = 1;
    QCOMPARE(replaceStatements(*t, pointers, limits).size(), std::size_t(10));
    QCOMPARE(replaceStatements(*t, {&rows[3]}, limits).front().sql,
             std::string("REPLACE INTO `s`.`c` (`id`,`ref`) VALUES (3,3)"));
    limits.bytes = 1000;
    const Row key{std::string("7")};
    QCOMPARE(deleteStatements(*t, {&key}, limits).front(),
             std::string("DELETE FROM `s`.`c` WHERE `id` IN (7)"));
}

void ApplierBatchTest::generatedColumnsAreNotWritten()
{
    auto t = table("c");
    t->columns[1].generated = true;
    std::string sql;
    appendRowValues(sql, *planned(t), row(1, 2), true);
    QCOMPARE(sql, std::string("(1)"));
}

void ApplierBatchTest::wholeRowsAreComparedByTheirTypes()
{
    auto t = table("n", false);
    t->columns = {column("f", TypeClass::Float), column("x", TypeClass::Text),
                  column("j", TypeClass::Json), column("e")};
    const Row image{std::string("0.1"), std::string("A "), std::string("[1]"), std::nullopt};
    const std::string sql = wholeRowCondition(*planned(t), image, {false, false});
    QVERIFY(sql.find("CAST(`x` AS BINARY)<=>'A '") != std::string::npos);
    QVERIFY(sql.find("CAST(CAST(`j` AS CHAR CHARACTER SET utf8mb4) AS BINARY)<=>") !=
            std::string::npos);
    QVERIFY(sql.find("`e` IS NULL") != std::string::npos);
    // The float's exact value, not 0.1.
    QVERIFY(sql.find("`f`<=>1.0000000149011612e-01") != std::string::npos);
}

QTEST_GUILESS_MAIN(ApplierBatchTest)
#include "ApplierBatchTest.moc"
