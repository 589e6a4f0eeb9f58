// The schema of a PostgreSQL database through pg_dump and back, beside real replication of its
// rows.

#include "base/Secret.h"
#include "postgres/ChildProcess.h"
#include "postgres/Schema.h"
#include "servers/ExoticPostgres.h"
#include "servers/PostgresClient.h"
#include "servers/PostgresCompare.h"

#include <QtTest>

#include <thread>

using namespace causeway;
using namespace causeway::postgres;
using namespace causeway::test;

namespace {

const QString kEx = QStringLiteral("ex");

ServerOptions serverOf(const QString &major)
{
    ServerOptions o;
    o.product = Product::Postgres;
    o.postgresMajor = major;
    return o;
}

QString all(const QStringList &list)
{
    return list.join(u'\n');
}

DumpTool tool(int sourceMajor, int targetMajor)
{
    std::vector<DumpTool> tools = findDumpTools({}, {});
    // Those of Debian 12 alone do not do for 18.
    if (sourceMajor > 15) {
        for (DumpTool &t : findDumpTools(postgresClientFolder(QStringLiteral("18")), {}))
            tools.push_back(t);
    }
    if (sourceMajor == targetMajor && sourceMajor < 15 && sourceMajor != 13)
        tools.clear(); // only a newer one is to be had
    auto chosen = chooseDumpTool(tools, sourceMajor, targetMajor);
    if (!chosen)
        qFatal("%s", qPrintable(chosen.error().describe()));
    return *chosen;
}

RestoreOptions restoreOptions()
{
    RestoreOptions o;
    o.migration = QStringLiteral("0123abcd");
    return o;
}

} // namespace

#define OK(expression)                                                                             \
    do {                                                                                           \
        if (const auto &ok_ = (expression); !ok_)                                                  \
            QFAIL(qPrintable(ok_.error().describe() + QStringLiteral(" ") + ok_.error().object));  \
    } while (false)

class PostgresSchemaTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void movesEverythingWithItsRows_data();
    void movesEverythingWithItsRows();
    void ownersAndGrantsCome();
    void asksForEachObjectThatFails();
    void goesOnWhereItWasCut();
    void dropsWhatItMade();
    void takesOnlyWhatIsSelected_data();
    void takesOnlyWhatIsSelected();
    void otherSchemasAreNotNeededToRead();
    void findsDifferencesOfAnExistingSchema();
    void textThatLooksLikeTheArchive();
    void passwordIsNowhere();
    void stopsWithinASecond();
    void saysWhatIsWrong();
    void choosesTheTool_data();
    void choosesTheTool();
    void findsTools();

private:
    std::unique_ptr<TestServer> m_source, m_target;
    Address source(const QString &database = kEx) const
    {
        return m_source->address({}, {}, database);
    }
    /// A fresh database with `_causeway`.
    Address fresh(const QString &name)
    {
        m_target->exec(QStringLiteral("DROP DATABASE IF EXISTS %1").arg(name));
        m_target->exec(QStringLiteral("CREATE DATABASE %1").arg(name));
        m_target->exec(QStringLiteral("CREATE SCHEMA _causeway"), name);
        return m_target->address({}, {}, name);
    }
};

void PostgresSchemaTest::initTestCase()
{
    m_source = std::make_unique<TestServer>(serverOf(QStringLiteral("15")));
    m_target = std::make_unique<TestServer>(serverOf(QStringLiteral("15")));
    m_source->exec(QStringLiteral("CREATE DATABASE ex"));
    m_source->exec(exoticPostgresSchema(15), kEx);
}

void PostgresSchemaTest::movesEverythingWithItsRows_data()
{
    QTest::addColumn<int>("from");
    QTest::addColumn<int>("to");
    const auto row = [](int from, int to) { QTest::addRow("%d to %d", from, to) << from << to; };
    row(15, 18);
    row(18, 18);
    if (qEnvironmentVariableIsSet("CAUSEWAY_LONG")) {
        row(12, 13);
        row(13, 14);
        row(14, 14); // with a newer pg_dump than the target
        row(14, 15);
        row(15, 16);
        row(16, 17);
        row(17, 18);
        row(13, 17);
        row(12, 18);
    }
}

void PostgresSchemaTest::movesEverythingWithItsRows()
{
    QFETCH(int, from);
    QFETCH(int, to);
    TestServer a(serverOf(QString::number(from)));
    TestServer b(serverOf(QString::number(to)));
    a.exec(QStringLiteral("CREATE DATABASE ex"));
    a.exec(exoticPostgresSchema(from), kEx);
    b.exec(QStringLiteral("CREATE DATABASE ex"));
    b.exec(QStringLiteral("CREATE SCHEMA _causeway"), kEx);
    a.exec(QStringLiteral("CREATE PUBLICATION p FOR ALL TABLES"), kEx);
    const Address target = b.address({}, {}, kEx);
    const DumpTool t = tool(from, to);
    qInfo() << "pg_dump" << t.version << (t.newerThanTarget ? "newer than the target" : "");
    DumpOptions options;
    options.owners = options.grants = true;
    const auto archive = dumpSchema(t, a.address({}, {}, kEx), options, {});
    OK(archive);
    QVERIFY(archive->leftOut().empty());
    QVERIFY(archive->ofPhase(SchemaPhase::Indexes).size() > 10);
    OK(restorePhase(*archive, SchemaPhase::Before, target, restoreOptions(), {}));
    b.exec(QStringLiteral("CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=%1 user=postgres "
                          "password=root-secret dbname=ex' PUBLICATION p")
               .arg(a.port()),
           kEx);
    QTRY_COMPARE_WITH_TIMEOUT(
        b.scalar(QStringLiteral("SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'"),
                 kEx),
        QStringLiteral("0"), 60'000);
    for (const SchemaPhase phase :
         {SchemaPhase::Indexes, SchemaPhase::Constraints, SchemaPhase::ForeignKeys,
          SchemaPhase::Triggers, SchemaPhase::Last}) {
        const auto made = restorePhase(*archive, phase, target, restoreOptions(), {});
        OK(made);
        QCOMPARE(made->skipped, 0);
    }
    OK(refreshMaterializedViews(*archive, target, false, restoreOptions(), {}));
    for (const TestRow &row : a.query(
             QStringLiteral("SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences"),
             kEx)) {
        const QString name = QString::fromStdString(*row[0]);
        const auto at =
            a.query(QStringLiteral("SELECT last_value, is_called FROM %1").arg(name), kEx);
        b.exec(QStringLiteral("SELECT setval('%1', %2, '%3')")
                   .arg(QString(name).replace(u'\'', QStringLiteral("''")),
                        QString::fromStdString(*at[0][0]), QString::fromStdString(*at[0][1])),
               kEx);
    }
    PostgresCompareOptions exact;
    exact.owners = true;
    exact.sequencesMayBeAhead = false;
    const QStringList found = comparePostgres(a, b, kEx, exact);
    QVERIFY2(found.isEmpty(), qPrintable(all(found)));
    // The customer's own publications stay where they are.
    QCOMPARE(b.scalar(QStringLiteral("SELECT count(*) FROM pg_publication"), kEx),
             QStringLiteral("0"));
}

void PostgresSchemaTest::ownersAndGrantsCome()
{
    for (TestServer *s : {m_source.get(), m_target.get()})
        s->exec(QStringLiteral("CREATE ROLE \"the owner\"; CREATE ROLE reader; CREATE ROLE maker"));
    m_source->exec(QStringLiteral("CREATE DATABASE rights"));
    m_source->exec(
        QStringLiteral("CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY, a int);"
                       "ALTER TABLE s.t OWNER TO \"the owner\"; GRANT SELECT (a) ON s.t TO reader;"
                       "GRANT USAGE ON SCHEMA s TO reader; ALTER DEFAULT PRIVILEGES FOR ROLE maker "
                       "GRANT SELECT ON TABLES TO reader"),
        QStringLiteral("rights"));
    DumpOptions options;
    const auto bare = dumpSchema(tool(15, 15), source(QStringLiteral("rights")), options, {});
    OK(bare);
    QVERIFY(bare->roles().isEmpty());
    QCOMPARE(bare->find(QStringLiteral("TABLE s.t"))->owner, QStringLiteral("the owner"));
    options.owners = options.grants = true;
    const auto archive = dumpSchema(tool(15, 15), source(QStringLiteral("rights")), options, {});
    OK(archive);
    QCOMPARE(archive->roles(),
             (QStringList{QStringLiteral("maker"), QStringLiteral("postgres"),
                          QStringLiteral("reader"), QStringLiteral("the owner")}));
    const Address target = fresh(QStringLiteral("rights"));
    for (const SchemaPhase phase : {SchemaPhase::Before, SchemaPhase::Last})
        OK(restorePhase(*archive, phase, target, restoreOptions(), {}));
    QCOMPARE(m_target->scalar(QStringLiteral("SELECT tableowner FROM pg_tables WHERE tablename = "
                                             "'t'"),
                              QStringLiteral("rights")),
             QStringLiteral("the owner"));
    QCOMPARE(m_target->scalar(QStringLiteral("SELECT has_column_privilege('reader', 's.t', 'a', "
                                             "'SELECT')"),
                              QStringLiteral("rights")),
             QStringLiteral("t"));
    QCOMPARE(m_target->scalar(QStringLiteral("SELECT count(*) FROM pg_default_acl"),
                              QStringLiteral("rights")),
             QStringLiteral("1"));
}

void PostgresSchemaTest::asksForEachObjectThatFails()
{
    m_source->exec(QStringLiteral("CREATE DATABASE failing"));
    m_source->exec(
        QStringLiteral("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE TABLE b (id int PRIMARY "
                       "KEY, v int); CREATE INDEX ia ON a (v); CREATE UNIQUE INDEX ib ON b (v)"),
        QStringLiteral("failing"));
    const auto archive =
        dumpSchema(tool(15, 15), source(QStringLiteral("failing")), DumpOptions(), {});
    OK(archive);
    const Address target = fresh(QStringLiteral("failing"));
    OK(restorePhase(*archive, SchemaPhase::Before, target, restoreOptions(), {}));
    m_target->exec(QStringLiteral("INSERT INTO b VALUES (1, 7), (2, 7); CREATE TABLE ia (x int)"),
                   QStringLiteral("failing"));
    // Nobody to ask: an error that names the object.
    auto made = restorePhase(*archive, SchemaPhase::Indexes, target, restoreOptions(), {});
    QVERIFY(!made);
    QCOMPARE(made.error().code, ErrorCode::NeedsDecision);
    QCOMPARE(made.error().id, QStringLiteral("pg-object-failed"));
    QVERIFY(archive->find(made.error().object));
    QVERIFY(!made.error().serverWords.isEmpty());
    // One is mended and tried again, the other one left out.
    RestoreOptions options = restoreOptions();
    QStringList asked;
    options.onError = [&](const SchemaEntry &e, const Error &error) {
        asked << e.key() + u' ' + error.sqlState;
        if (e.name == QLatin1String("ib"))
            return RestoreChoice::Skip;
        m_target->exec(QStringLiteral("DROP TABLE ia"), QStringLiteral("failing"));
        return RestoreChoice::Retry;
    };
    made = restorePhase(*archive, SchemaPhase::Indexes, target, options, {});
    OK(made);
    asked.sort();
    QCOMPARE(asked, (QStringList{QStringLiteral("INDEX public.ia 42P07"),
                                 QStringLiteral("INDEX public.ib 23505")}));
    QCOMPARE(made->done, 1);
    QCOMPARE(made->skippedKeys, QStringList{QStringLiteral("INDEX public.ib")});
    // What was decided holds.
    made = restorePhase(*archive, SchemaPhase::Indexes, target, restoreOptions(), {});
    OK(made);
    QCOMPARE(made->alreadyDone, 2);
    const auto skipped = restoredKeys(target, restoreOptions(), true, {});
    OK(skipped);
    QCOMPARE(*skipped, std::set<QString>{QStringLiteral("INDEX public.ib")});
}

void PostgresSchemaTest::goesOnWhereItWasCut()
{
    const auto archive = dumpSchema(tool(15, 15), source(), DumpOptions(), {});
    OK(archive);
    const Address address = fresh(QStringLiteral("cut"));
    TcpProxy proxy(m_target->port());
    Address target = address;
    target.port = proxy.port();
    int cuts = 0;
    for (const SchemaPhase phase :
         {SchemaPhase::Before, SchemaPhase::Indexes, SchemaPhase::Constraints,
          SchemaPhase::ForeignKeys, SchemaPhase::Triggers, SchemaPhase::Last}) {
        for (int round = 0;; ++round) {
            QVERIFY(round < 200);
            proxy.cutAfter(round < 60 ? 4'000 + 500 * round : 0);
            const auto made = restorePhase(*archive, phase, target, restoreOptions(), {});
            if (made)
                break;
            QVERIFY2(made.error().isTransient() || made.error().code == ErrorCode::Connect,
                     qPrintable(made.error().describe()));
            ++cuts;
        }
    }
    proxy.cutAfter(0);
    QVERIFY(cuts > 10);
    OK(refreshMaterializedViews(*archive, address, false, restoreOptions(), {}));
    PostgresCompareOptions objects;
    objects.sequences = false;
    objects.maxDifferences = 1000;
    QStringList rest = comparePostgres(*m_source, kEx, *m_target, QStringLiteral("cut"), objects);
    // There are no rows here.
    rest.erase(std::remove_if(rest.begin(), rest.end(),
                              [](const QString &s) {
                                  return s.contains(QLatin1String(" more on source: ")) ||
                                         s.contains(QLatin1String(" more on target: "));
                              }),
               rest.end());
    QVERIFY2(rest.isEmpty(), qPrintable(all(rest)));
}

void PostgresSchemaTest::dropsWhatItMade()
{
    const auto archive = dumpSchema(tool(15, 15), source(), DumpOptions(), {});
    OK(archive);
    const Address target = fresh(QStringLiteral("dropped"));
    m_target->exec(QStringLiteral("CREATE TABLE public.theirs (id int PRIMARY KEY);"
                                  "CREATE EXTENSION btree_gist SCHEMA public"),
                   QStringLiteral("dropped"));
    for (const SchemaPhase phase :
         {SchemaPhase::Before, SchemaPhase::Indexes, SchemaPhase::Constraints,
          SchemaPhase::ForeignKeys, SchemaPhase::Triggers, SchemaPhase::Last})
        OK(restorePhase(*archive, phase, target, restoreOptions(), {}));
    const auto made = restoredKeys(target, restoreOptions(), false, {});
    OK(made);
    const auto sql = archive->dropSql(*made, {});
    OK(sql);
    m_target->exec(*sql, QStringLiteral("dropped"));
    QCOMPARE(m_target->scalar(QStringLiteral("SELECT string_agg(relname, ',') FROM pg_class c JOIN "
                                             "pg_namespace n ON n.oid = relnamespace WHERE nspname "
                                             "!~ '^pg_' AND nspname NOT IN ('information_schema', "
                                             "'_causeway') AND relkind = 'r'"),
                              QStringLiteral("dropped")),
             QStringLiteral("theirs"));
    QCOMPARE(
        m_target->scalar(QStringLiteral("SELECT string_agg(extname, ',' ORDER BY extname) FROM "
                                        "pg_extension"),
                         QStringLiteral("dropped")),
        QStringLiteral("btree_gist,plpgsql"));
    QCOMPARE(m_target->scalar(QStringLiteral("SELECT count(*) FROM pg_namespace WHERE nspname IN "
                                             "('shop', 'Größe & Maß')"),
                              QStringLiteral("dropped")),
             QStringLiteral("0"));
}

void PostgresSchemaTest::takesOnlyWhatIsSelected_data()
{
    QTest::addColumn<QStringList>("schemas");
    QTest::addColumn<QStringList>("patterns");
    QTest::addColumn<QStringList>("tables"); // all and only these
    QTest::addColumn<QStringList>("also");
    QTest::addColumn<QStringList>("leftOut");
    QTest::newRow("a schema") << QStringList{QStringLiteral("Größe & Maß")} << QStringList{}
                              << QStringList{QStringLiteral("Größe & Maß.Tab \"q\" 'x'"),
                                             QStringLiteral("Größe & Maß.toast")}
                              << QStringList{QStringLiteral("SCHEMA Größe & Maß")} << QStringList{};
    QTest::newRow("orders alone")
        << QStringList{} << QStringList{QStringLiteral("shop.orders")}
        << QStringList{QStringLiteral("shop.orders")}
        << QStringList{QStringLiteral("SCHEMA shop"),
                       QStringLiteral("TYPE shop.mood"),
                       QStringLiteral("SEQUENCE shop.orders_id_seq"),
                       QStringLiteral("CONSTRAINT shop.orders orders_pkey"),
                       QStringLiteral("FK CONSTRAINT shop.orders orders_parent_fkey"),
                       QStringLiteral("FUNCTION shop.write_audit()"),
                       QStringLiteral("TRIGGER shop.orders audit_orders")}
        << QStringList{QStringLiteral("FK CONSTRAINT shop.orders orders_customer_fkey")};
    QTest::newRow("a serial and its sequences")
        << QStringList{} << QStringList{QStringLiteral("shop.serials")}
        << QStringList{QStringLiteral("shop.serials")}
        << QStringList{QStringLiteral("SEQUENCE shop.serials_big_seq"),
                       QStringLiteral("SEQUENCE OWNED BY shop.serials_big_seq"),
                       QStringLiteral("DEFAULT shop.serials big"),
                       QStringLiteral("SEQUENCE shop.serials_by_default_seq")}
        << QStringList{};
    QTest::newRow("a partitioned table with all below it")
        << QStringList{} << QStringList{QStringLiteral("shop.by_range")}
        << QStringList{QStringLiteral("shop.by_range"), QStringLiteral("shop.by_range_20"),
                       QStringLiteral("shop.by_range_21"), QStringLiteral("shop.by_range_21_0"),
                       QStringLiteral("shop.by_range_21_1")}
        << QStringList{QStringLiteral("INDEX ATTACH shop.by_range_21_0_v_idx"),
                       QStringLiteral("TABLE ATTACH shop.by_range_21_1")}
        << QStringList{};
    QTest::newRow("an extension's type")
        << QStringList{} << QStringList{QStringLiteral("shop.customers")}
        << QStringList{QStringLiteral("shop.customers")}
        << QStringList{QStringLiteral("EXTENSION citext"), QStringLiteral("COLLATION shop.plain"),
                       QStringLiteral("FUNCTION shop.slug(\"text\")"),
                       QStringLiteral("STATISTICS shop.customer_stats")}
        << QStringList{};
    QTest::newRow("all but one") << QStringList{QStringLiteral("public")}
                                 << QStringList{QStringLiteral("!public.text_key")}
                                 << QStringList{QStringLiteral("public.empty_one"),
                                                QStringLiteral("public.uuid_key")}
                                 << QStringList{} << QStringList{};
}

void PostgresSchemaTest::takesOnlyWhatIsSelected()
{
    QFETCH(QStringList, schemas);
    QFETCH(QStringList, patterns);
    QFETCH(QStringList, tables);
    QFETCH(QStringList, also);
    QFETCH(QStringList, leftOut);
    DumpOptions options;
    options.selection.schemas = schemas;
    options.selection.patterns = patterns;
    const auto archive = dumpSchema(tool(15, 15), source(), options, {});
    OK(archive);
    QStringList taken;
    for (const SchemaEntry &e : archive->entries()) {
        if (e.type == QLatin1String("TABLE"))
            taken << e.table.display();
    }
    taken.sort();
    QCOMPARE(taken, tables);
    for (const QString &key : std::as_const(also))
        QVERIFY2(archive->find(key), qPrintable(key));
    QStringList out;
    for (const auto &[key, why] : archive->leftOut())
        out << key;
    for (const QString &key : std::as_const(leftOut))
        QVERIFY2(out.contains(key), qPrintable(key + u'\n' + all(out)));
    // And it can be made.
    const Address target = fresh(QStringLiteral("selected"));
    for (const SchemaPhase phase :
         {SchemaPhase::Before, SchemaPhase::Indexes, SchemaPhase::Constraints,
          SchemaPhase::ForeignKeys, SchemaPhase::Triggers, SchemaPhase::Last})
        OK(restorePhase(*archive, phase, target, restoreOptions(), {}));
}

void PostgresSchemaTest::otherSchemasAreNotNeededToRead()
{
    m_source->exec(QStringLiteral("CREATE DATABASE narrow; "));
    m_source->exec(QStringLiteral("CREATE ROLE narrow LOGIN PASSWORD 'narrow-pw'"));
    m_source->exec(QStringLiteral("CREATE SCHEMA mine; CREATE TABLE mine.t (id int PRIMARY KEY); "
                                  "CREATE SCHEMA \"their's\"; CREATE TABLE \"their's\".u (id int); "
                                  "GRANT USAGE ON SCHEMA mine TO narrow; GRANT SELECT ON mine.t TO "
                                  "narrow"),
                   QStringLiteral("narrow"));
    const Address address = m_source->address(QStringLiteral("narrow"), QStringLiteral("narrow-pw"),
                                              QStringLiteral("narrow"));
    DumpOptions options;
    const auto everything = dumpSchema(tool(15, 15), address, options, {});
    QVERIFY(!everything);
    QCOMPARE(everything.error().id, QStringLiteral("pg-dump-privilege"));
    options.selection.schemas = QStringList{QStringLiteral("mine")};
    const auto archive = dumpSchema(tool(15, 15), address, options, {});
    OK(archive);
    QVERIFY(archive->find(QStringLiteral("TABLE mine.t")));
}

void PostgresSchemaTest::findsDifferencesOfAnExistingSchema()
{
    const DumpTool t = tool(15, 15);
    const auto here = dumpSchema(t, source(), DumpOptions(), {});
    OK(here);
    const Address target = fresh(QStringLiteral("there"));
    for (const SchemaPhase phase :
         {SchemaPhase::Before, SchemaPhase::Indexes, SchemaPhase::Constraints,
          SchemaPhase::ForeignKeys, SchemaPhase::Triggers, SchemaPhase::Last})
        OK(restorePhase(*here, phase, target, restoreOptions(), {}));
    auto there = dumpSchema(t, target, DumpOptions(), {});
    OK(there);
    const auto none = compareSchemas(*here, *there);
    QVERIFY2(none.empty(), none.empty() ? "" : qPrintable(none[0].key));
    m_target->exec(
        QStringLiteral("DROP INDEX shop.customers_gin; ALTER TABLE shop.lines ALTER what SET NOT "
                       "NULL; CREATE TABLE shop.more (id int)"),
        QStringLiteral("there"));
    there = dumpSchema(t, target, DumpOptions(), {});
    OK(there);
    QStringList found;
    std::set<QString> present;
    for (const SchemaEntry &e : there->entries())
        present.insert(e.key());
    for (const SchemaDifference &d : compareSchemas(*here, *there)) {
        found << QString::number(int(d.kind)) + u' ' + d.key;
        present.erase(d.key);
    }
    found.sort();
    QCOMPARE(found, (QStringList{QStringLiteral("0 INDEX shop.customers_gin"),
                                 QStringLiteral("1 TABLE shop.lines"),
                                 QStringLiteral("2 TABLE shop.more")}));
    // What is there already is left alone.
    RestoreOptions options = restoreOptions();
    options.migration = QStringLiteral("ffffffff");
    options.present = present;
    const auto made = restorePhase(*here, SchemaPhase::Indexes, target, options, {});
    OK(made);
    QCOMPARE(made->done, 1);
}

// A function may hold anything, also a piece of this very archive.
void PostgresSchemaTest::textThatLooksLikeTheArchive()
{
    m_source->exec(QStringLiteral("CREATE DATABASE trap"));
    const QString db = QStringLiteral("trap");
    m_source->exec(QStringLiteral("CREATE TABLE t (id int PRIMARY KEY)"), db);
    const QString oid = m_source->scalar(QStringLiteral("SELECT 't'::regclass::oid"), db);
    // The number that the archive gives the table is a small one; all that it can be are in there.
    QString body;
    for (int id = 1; id < 400; ++id)
        body += QStringLiteral("--\n-- TOC entry %1 (class 1259 OID %2)\n-- Name: x; Type: TABLE; "
                               "Schema: public; Owner: y\n--\n\nSELECT 1;\n")
                    .arg(id)
                    .arg(oid);
    m_source->exec(QStringLiteral("CREATE FUNCTION a_trap() RETURNS text LANGUAGE plpgsql AS "
                                  "$f$ BEGIN\n%1RETURN 'x'; END $f$")
                       .arg(body),
                   db);
    const auto archive = dumpSchema(tool(15, 15), source(db), DumpOptions(), {});
    OK(archive);
    QVERIFY(archive->find(QStringLiteral("TABLE public.t"))
                ->sql.startsWith(QLatin1String("CREATE TABLE")));
    QVERIFY(
        archive->find(QStringLiteral("FUNCTION public.a_trap()"))->sql.contains(body.trimmed()));
    const Address target = fresh(db);
    OK(restorePhase(*archive, SchemaPhase::Before, target, restoreOptions(), {}));
    const QString read = QStringLiteral("SELECT prosrc FROM pg_proc WHERE proname = 'a_trap'");
    QCOMPARE(m_target->scalar(read, db), m_source->scalar(read, db));
}

void PostgresSchemaTest::passwordIsNowhere()
{
    qputenv("CAUSEWAY_SOURCE_PASSWORD", "in-our-environment");
    const Secret secret(QStringLiteral("pa:ss\\word 'x'"));
    // A program that shows how it was started.
    const QString show = QStringLiteral(
        "tr '\\0' '\\n' < /proc/self/environ; tr '\\0' ' ' < /proc/$$/cmdline; echo; stat -Lc '%a "
        "%F' \"$PGPASSFILE\"; cat \"$PGPASSFILE\" | wc -l; ls -l /proc/$$/fd >&2");
    const auto run = runChild(QStringLiteral("/bin/sh"), {QStringLiteral("-c"), show}, secret, {});
    qunsetenv("CAUSEWAY_SOURCE_PASSWORD");
    OK(run);
    const QString out = QString::fromUtf8(run->output);
    QVERIFY(!out.contains(QLatin1String("pa:ss")) && !out.contains(QLatin1String("pa\\:ss")));
    QVERIFY(!out.contains(QLatin1String("in-our-environment")));
    QVERIFY2(out.contains(QLatin1String("600 regular file\n1")), qPrintable(out));
    // And the password arrives.
    m_source->exec(QStringLiteral("CREATE ROLE odd LOGIN SUPERUSER PASSWORD 'pa:ss\\word ''x'''"));
    Address odd = source();
    odd.user = QStringLiteral("odd");
    odd.password = secret;
    OK(dumpSchema(tool(15, 15), odd, DumpOptions(), {}));
}

void PostgresSchemaTest::stopsWithinASecond()
{
    // Somebody changes a table, and pg_dump waits.
    m_source->exec(QStringLiteral("CREATE DATABASE waits"));
    const QString db = QStringLiteral("waits");
    m_source->exec(QStringLiteral("CREATE TABLE t (id int PRIMARY KEY)"), db);
    PostgresClient holder;
    QVERIFY(holder.connect(source(db)).ok());
    QVERIFY(holder.run("BEGIN; LOCK TABLE t").ok());
    const QString waiting = QStringLiteral("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                                           "'waits' AND wait_event_type = 'Lock'");
    std::stop_source stop;
    Result<SchemaArchive> result = SchemaArchive();
    std::jthread dump(
        [&] { result = dumpSchema(tool(15, 15), source(db), DumpOptions(), stop.get_token()); });
    QTRY_COMPARE(m_source->scalar(waiting), QStringLiteral("1"));
    QElapsedTimer timer;
    timer.start();
    stop.request_stop();
    dump.join();
    QVERIFY(timer.elapsed() < 1000);
    QVERIFY(!result);
    QCOMPARE(result.error().code, ErrorCode::Cancelled);
    // Its statement is gone from the server as well.
    QTRY_COMPARE(m_source->scalar(waiting), QStringLiteral("0"));
    // Not stopped, it gives up by itself and says why.
    DumpOptions options;
    options.lockWait = std::chrono::milliseconds(200);
    const auto gaveUp = dumpSchema(tool(15, 15), source(db), options, {});
    QVERIFY(!gaveUp);
    QCOMPARE(gaveUp.error().id, QStringLiteral("pg-dump-locked"));
}

void PostgresSchemaTest::saysWhatIsWrong()
{
    Address address = source();
    address.password = Secret(QStringLiteral("not-the-password"));
    const auto denied = dumpSchema(tool(15, 15), address, DumpOptions(), {});
    QVERIFY(!denied);
    QCOMPARE(denied.error().id, QStringLiteral("pg-access-denied"));
    TestServer newer(serverOf(QStringLiteral("18")));
    const auto old =
        dumpSchema(tool(15, 15), newer.address({}, {}, QStringLiteral("postgres")), {}, {});
    QVERIFY(!old);
    QCOMPARE(old.error().id, QStringLiteral("pg-dump-version"));
    DumpOptions options;
    options.selection.renames.insert(QStringLiteral("a"), QStringLiteral("b"));
    const auto renamed = dumpSchema(tool(15, 15), source(), options, {});
    QVERIFY(!renamed);
    QCOMPARE(renamed.error().code, ErrorCode::Usage);
}

void PostgresSchemaTest::choosesTheTool_data()
{
    QTest::addColumn<QList<int>>("there");
    QTest::addColumn<int>("source");
    QTest::addColumn<int>("target");
    QTest::addColumn<int>("chosen"); // negative: newer than the target; 0: none
    const QList<int> some{13, 15, 18};
    QTest::newRow("newest that fits") << some << 13 << 17 << 15;
    QTest::newRow("the target's own") << some << 13 << 18 << 18;
    QTest::newRow("the source's own") << some << 15 << 16 << 15;
    QTest::newRow("only newer ones") << some << 14 << 14 << -15;
    QTest::newRow("the oldest of those") << some << 16 << 17 << -18;
    QTest::newRow("none") << QList<int>{13, 15} << 16 << 18 << 0;
    QTest::newRow("not installed") << QList<int>{} << 16 << 18 << 0;
}

void PostgresSchemaTest::choosesTheTool()
{
    QFETCH(QList<int>, there);
    QFETCH(int, source);
    QFETCH(int, target);
    QFETCH(int, chosen);
    std::vector<DumpTool> tools;
    for (const int major : std::as_const(there))
        tools.push_back({QStringLiteral("/x"), major, QString::number(major), false});
    const auto found = chooseDumpTool(tools, source, target);
    if (chosen == 0) {
        QVERIFY(!found);
        QCOMPARE(found.error().id, QStringLiteral("pg-dump-missing"));
        QVERIFY(found.error().fix.english().contains(QLatin1String("postgresql-client-18")));
        return;
    }
    OK(found);
    QCOMPARE(found->major, std::abs(chosen));
    QCOMPARE(found->newerThanTarget, chosen < 0);
}

void PostgresSchemaTest::findsTools()
{
    const QString folder = postgresClientFolder(QStringLiteral("18"));
    const auto tools = findDumpTools(folder + QStringLiteral("/pg_dump"), {});
    QVERIFY(tools.size() >= 2);
    QCOMPARE(tools[0].major, 18);
    QCOMPARE(tools[0].folder, folder);
    QVERIFY(std::any_of(tools.begin(), tools.end(), [](const DumpTool &t) {
        return t.major == 15 && t.folder == QLatin1String("/usr/lib/postgresql/15/bin");
    }));
}

QTEST_GUILESS_MAIN(PostgresSchemaTest)
#include "PostgresSchemaTest.moc"
