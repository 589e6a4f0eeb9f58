// The switch compares every row that changed since the last comparison, also those that an earlier
// process, an earlier attempt, or a replication before a pause has carried over.

#include "engine/engine/MigrationSupport.h"

using namespace causeway;
using namespace causeway::test;

namespace {
void makeSource(TestServer &source)
{
    source.exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.a (id INT PRIMARY KEY, n "
                               "VARCHAR(20)); INSERT INTO shop.a SELECT seq, 'x' FROM "
                               "mysql.seq_1_to_100"));
}

/// Wrong on the follower, without a trace in its log.
void damage(TestServer &follower)
{
    follower.exec(QStringLiteral("SET SESSION sql_log_bin=0; UPDATE shop.a SET n='wrong' "
                                 "WHERE id=7"));
}
} // namespace

class ComparisonGapTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void changesSeenByAnEarlierProcessAreComparedAtTheSwitch()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
            const Outcome verified = carryOut(*migration, command::Verify{});
            QVERIFY2(verified.status.has_value(), describe(verified).constData());
            pair.source.exec(QStringLiteral("UPDATE shop.a SET n='new' WHERE id=7"));
            CW_VERIFY(runTo(*migration, Goal::Replica));
        }
        damage(pair.target);
        const auto migration = pair.open();
        for (int attempt = 1; attempt <= 2; ++attempt) {
            const Status refused = runTo(*migration, Goal::Primary);
            QVERIFY2(!refused, "the switch went through with a row that differs");
            QCOMPARE(refused.error().id, QStringLiteral("sides-differ"));
            QCOMPARE(refused.error().exitStatus(), 1);
            QCOMPARE(pair.source.scalar(QStringLiteral("SELECT @@global.read_only")),
                     QStringLiteral("0"));
        }
        const Outcome repaired = carryOut(*migration, command::Verify{true});
        QVERIFY2(repaired.status.has_value(), describe(repaired).constData());
        CW_VERIFY(runTo(*migration, Goal::Primary));
    }

    void changesBeforeAPauseAreComparedOnTheWayBack()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        const auto migration = pair.open();
        CW_VERIFY(runTo(*migration, Goal::Primary));
        pair.target.exec(QStringLiteral("UPDATE shop.a SET n='new' WHERE id=7"));
        CW_VERIFY(runTo(*migration, Goal::Primary));
        (void)carryOut(*migration, command::Pause{});
        damage(pair.source);
        for (int attempt = 1; attempt <= 2; ++attempt) {
            const Status refused = runTo(*migration, Goal::Replica);
            QVERIFY2(!refused, "the switch went through with a row that differs");
            QCOMPARE(refused.error().id, QStringLiteral("sides-differ"));
        }
    }

    void aCleanComparisonOfAnotherProcessIsNotRepeated()
    {
        Pair pair({}, {});
        makeSource(pair.source);
        const auto lastComparison = [&pair] {
            const auto journal = Journal::open(pair.file, Journal::Access::Read);
            return (*journal)->value(QStringLiteral("verify")).value().value_or(QString());
        };
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Replica));
            const Outcome verified = carryOut(*migration, command::Verify{});
            QVERIFY2(verified.status.has_value(), describe(verified).constData());
            pair.source.exec(QStringLiteral("UPDATE shop.a SET n='new' WHERE id=8"));
            CW_VERIFY(runTo(*migration, Goal::Replica));
        }
        const QString before = lastComparison();
        QVERIFY(!before.isEmpty());
        {
            const auto migration = pair.open();
            CW_VERIFY(runTo(*migration, Goal::Primary));
        }
        QCOMPARE(lastComparison(), before);
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT n FROM shop.a WHERE id=8")),
                 QStringLiteral("new"));
    }
};

QTEST_GUILESS_MAIN(ComparisonGapTest)
#include "ComparisonGapTest.moc"
