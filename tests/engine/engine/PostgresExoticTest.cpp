// A database with a bit of everything that PostgreSQL can hold, moved there, back, there, and
// finished, while each kind of row changes in each direction.

#include "engine/engine/PostgresMigrationSupport.h"
#include "servers/ExoticPostgres.h"

using namespace causeway;
using namespace causeway::test;

namespace {
/// Changes of every kind; `round` keeps new keys apart.
QString changes(int round)
{
    return QString::fromUtf8(R"sql(
        UPDATE shop.every_type SET c_text = COALESCE(c_text, '') || '!', c_numeric = 1.10 WHERE id % 2 = 0;
        INSERT INTO shop.every_type (c_text, c_double) VALUES ('new', 1/7.0);
        DELETE FROM shop.every_type WHERE c_text LIKE 'row 1@%';
        INSERT INTO shop.serials (t) VALUES ('more'), ('more');
        UPDATE shop.computed SET price = price + 1, n = NULL WHERE id % 3 = @;
        UPDATE shop.customers SET name = name || 'x' WHERE id < 20;
        DELETE FROM shop.customers WHERE id = 190 + @;
        UPDATE shop.customers SET id = id + 1000 WHERE id = 5 + @;
        INSERT INTO shop.orders (customer, note) VALUES (30, 'again');
        UPDATE shop.orders SET note = 'n@' WHERE id > 20 AND id < 60;
        UPDATE shop.reservations SET room = room + 100;
        UPDATE shop.no_key SET b = 'y@' WHERE a = 3;
        DELETE FROM shop.no_key WHERE a = 4 + @;
        UPDATE shop.by_list SET kind = 'b' WHERE id = 4 * @ AND kind = 'a';
        UPDATE shop.by_range SET at = at + 400 WHERE id < 20;
        INSERT INTO shop.by_range VALUES ('2030-01-01', 100@, 'new');
        DELETE FROM shop.by_hash WHERE id % 11 = @;
        UPDATE shop.parent SET v = v || '@';
        UPDATE "Größe & Maß"."Tab ""q"" 'x'" SET "select" = "select" + 1;
        UPDATE "Größe & Maß".toast SET small = small + 1;
        UPDATE "Größe & Maß".toast SET big = repeat('@', 9000) WHERE id = @;
        INSERT INTO public.empty_one VALUES (@);
        TRUNCATE public.uuid_key;
        INSERT INTO public.uuid_key SELECT md5(i::text || '@')::uuid, timestamptz 'epoch' FROM generate_series(1, 50) i;
        UPDATE public.text_key SET e = 'ok' WHERE f < 5 * @;
        UPDATE shop.tenants SET v = 'w@' WHERE id % 2 = 0;
        UPDATE shop.since14 SET m = '{[@,30)}';
        UPDATE shop.since15 SET a = 10 * @ WHERE id = 2;
        SELECT nextval('shop.down'), nextval('shop.small'))sql")
        .replace(QLatin1Char('@'), QString::number(round));
}
} // namespace

class PostgresExoticTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void movesABitOfEverything()
    {
        PostgresPair pair(postgres(QStringLiteral("15")), postgres(QStringLiteral("18")));
        const QString db = QStringLiteral("shop");
        pair.source.exec(QStringLiteral("CREATE DATABASE shop"));
        pair.source.exec(exoticPostgresSchema(15), db);
        const auto migration = pair.open();
        PostgresCompareOptions rows;
        rows.objects = rows.sequences = false;
        // What they hold is of their last refresh.
        rows.ignoreTables << QStringLiteral("shop.per_customer")
                          << QStringLiteral("shop.over_matview");
        const auto equalAfter = [&](TestServer &leader, Goal goal, int round) {
            leader.exec(changes(round), db);
            CW_VERIFY(runTo(*migration, goal));
            const QStringList found = comparePostgres(pair.source, pair.target, db, rows);
            QVERIFY2(found.isEmpty(), qPrintable(found.join(QLatin1Char('\n'))));
        };
        CW_VERIFY(runTo(*migration, Goal::Replica));
        equalAfter(pair.source, Goal::Replica, 1);
        const Outcome verified = carryOut(*migration, command::Verify{});
        QVERIFY2(verified.status.has_value(), describe(verified).constData());
        QVERIFY(verified.verify->equal());
        CW_VERIFY(runTo(*migration, Goal::Primary));
        QCOMPARE(pair.target.scalar(QStringLiteral("SELECT sum(n) FROM shop.per_customer"), db),
                 pair.source.scalar(QStringLiteral("SELECT count(*) FROM shop.orders"), db));
        equalAfter(pair.target, Goal::Primary, 2);
        CW_VERIFY(runTo(*migration, Goal::Replica));
        equalAfter(pair.source, Goal::Replica, 3);
        CW_VERIFY(runTo(*migration, Goal::Primary));
        equalAfter(pair.target, Goal::Primary, 4);
        CW_VERIFY(runTo(*migration, Goal::Finished, true));
        PostgresCompareOptions everything;
        everything.ignoreTables = rows.ignoreTables;
        const QStringList found = comparePostgres(pair.source, pair.target, db, everything);
        QVERIFY2(found.isEmpty(), qPrintable(found.join(QLatin1Char('\n'))));
        for (TestServer *server : {&pair.source, &pair.target})
            QCOMPARE(PostgresPair::leftOn(*server), QStringList());
    }
};

QTEST_GUILESS_MAIN(PostgresExoticTest)
#include "PostgresExoticTest.moc"
