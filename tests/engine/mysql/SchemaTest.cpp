#include "mysql/Parts.h"
#include "mysql/SchemaDiff.h"
#include "mysql/SqlTokens.h"
#include "mysql/TableDdl.h"
#include "servers/TestServer.h"

#include <QTest>

#include <thread>

using namespace causeway;
using namespace causeway::mysql;
using namespace causeway::test;

namespace {

/// What both products can do, with names that hurt.
const char *const common = R"sql(
CREATE DATABASE `shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;
CREATE DATABASE `back office` CHARACTER SET latin1 COLLATE latin1_german1_ci;
USE `shop`;
CREATE TABLE `types` (
  `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  `ti` TINYINT(1) DEFAULT -1, `si` SMALLINT UNSIGNED, `mi` MEDIUMINT, `i` INT NOT NULL DEFAULT 7,
  `z` INT(6) UNSIGNED ZEROFILL, `dec` DECIMAL(20,6) NOT NULL DEFAULT 1.500000, `f` FLOAT, `d` DOUBLE,
  `bits` BIT(11) DEFAULT b'101', `da` DATE, `t3` TIME(3), `dt6` DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6)
     ON UPDATE CURRENT_TIMESTAMP(6),
  `ts` TIMESTAMP(2) NULL DEFAULT NULL, `ts2` TIMESTAMP NOT NULL DEFAULT '2001-02-03 04:05:06', `y` YEAR,
  `c` CHAR(7) CHARACTER SET latin1 COLLATE latin1_bin, `vc` VARCHAR(120) NOT NULL DEFAULT 'it''s \\ "q"',
  `tx` MEDIUMTEXT, `b4` BINARY(4), `vb` VARBINARY(30) DEFAULT 0x00ff, `bl` LONGBLOB,
  `en` ENUM('a','b''c','d,e','f\\g','ünï','') NOT NULL DEFAULT 'b''c',
  `se` SET('x','y z','(q)') CHARACTER SET latin1, `ascii_only` VARCHAR(9) CHARACTER SET ascii,
  `g` GEOMETRY, `pt` POINT NOT NULL,
  `gv` INT GENERATED ALWAYS AS (`i` + 1) VIRTUAL COMMENT 'virt; "ual"',
  `gs` VARCHAR(200) GENERATED ALWAYS AS (CONCAT(`vc`, '), KEY `x` (', 'é')) STORED,
  `1st` INT, `select` INT COMMENT 'it''s a "comment", -- really \\ /* */ \n two lines',
  `na``me $` INT, `größe` INT,
  PRIMARY KEY (`id`), UNIQUE KEY `u vc` (`vc`), UNIQUE KEY `u2` (`i`,`da`),
  KEY `k pre` (`tx`(10),`vb`(3)), KEY `kdesc` (`si`,`mi`), KEY `kc` (`c`) COMMENT 'index ''comment''',
  FULLTEXT KEY `ft` (`vc`,`tx`), FULLTEXT KEY `ft2` (`tx`), SPATIAL KEY `sp` (`pt`), KEY `kg` (`gv`),
  CONSTRAINT `positive, "dec"` CHECK (`dec` > 0),
  CONSTRAINT `txt` CHECK (`vc` <> 'FOREIGN KEY (`x`)')
) ENGINE=InnoDB AUTO_INCREMENT=4711 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci
  ROW_FORMAT=DYNAMIC STATS_PERSISTENT=1 COMMENT='ta''ble; `shop`.x';
CREATE TABLE `Käufer 表` (`id` INT NOT NULL, `boss` INT, `partner` INT, PRIMARY KEY (`id`), KEY `p` (`partner`),
  CONSTRAINT `self` FOREIGN KEY (`boss`) REFERENCES `Käufer 表` (`id`) ON DELETE SET NULL)
  ENGINE=InnoDB DEFAULT CHARSET=latin1;
CREATE TABLE `cy1` (`a` INT NOT NULL, `b` INT NOT NULL, `r` INT, PRIMARY KEY (`a`,`b`), UNIQUE KEY `ur` (`r`))
  ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE `cy2` (`id` INT NOT NULL PRIMARY KEY, `a` INT, `b` INT,
  CONSTRAINT `comp` FOREIGN KEY (`a`,`b`) REFERENCES `cy1` (`a`,`b`) ON DELETE CASCADE ON UPDATE CASCADE)
  ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
ALTER TABLE `cy1` ADD CONSTRAINT `cycle` FOREIGN KEY (`r`) REFERENCES `cy2` (`id`);
CREATE TABLE `back office`.`far` (`id` INT NOT NULL PRIMARY KEY, `who` INT, `note` VARCHAR(30),
  FOREIGN KEY (`who`) REFERENCES `shop`.`Käufer 表` (`id`) ON UPDATE CASCADE) ENGINE=InnoDB;
CREATE TABLE `parts` (`id` INT NOT NULL, `at` DATE NOT NULL, `v` INT, PRIMARY KEY (`id`,`at`), KEY `v` (`v`))
  ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 PARTITION BY RANGE (YEAR(`at`)) SUBPARTITION BY HASH (`id`) SUBPARTITIONS 2
  (PARTITION `p0` VALUES LESS THAN (2000) COMMENT='o''ld', PARTITION `p 1` VALUES LESS THAN MAXVALUE);
CREATE TABLE `parts_list` (`id` INT NOT NULL PRIMARY KEY) ENGINE=InnoDB PARTITION BY LIST (`id`)
  (PARTITION a VALUES IN (1,2,3), PARTITION b VALUES IN (NULL,9));
CREATE TABLE `uniq_key` (`x` INT NOT NULL, `y` VARCHAR(20) NOT NULL, `n` INT, UNIQUE KEY `n` (`n`),
  UNIQUE KEY `xy` (`x`,`y`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE `keyless` (`x` INT, `f` FLOAT NOT NULL, `p` VARCHAR(20) NOT NULL, UNIQUE KEY `f` (`f`),
  UNIQUE KEY `pre` (`p`(5))) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE `counter` (`k` INT NOT NULL PRIMARY KEY, `n` INT NOT NULL AUTO_INCREMENT, KEY `n` (`n`), KEY `z` (`k`,`n`))
  ENGINE=InnoDB AUTO_INCREMENT=50 DEFAULT CHARSET=utf8mb4;
CREATE FUNCTION `fn`(`a` VARCHAR(20) CHARSET latin1, b INT) RETURNS VARCHAR(40) CHARSET utf8mb4
  DETERMINISTIC COMMENT 'fn''s' RETURN CONCAT(a, 'é', b);
CREATE VIEW `a_last` AS SELECT `fn`('x', `n`) AS `z y`, `k` FROM `counter` WHERE `k` IN (1,2) AND 'é' <> '\\';
CREATE VIEW `m_mid` AS SELECT `z y` AS `q`, `k` FROM `a_last`;
CREATE VIEW `aa_first` (`one`,`two`) AS SELECT m.`q`, f.`note` FROM `m_mid` m JOIN `back office`.`far` f ON f.`id` = m.`k`;
CREATE SQL SECURITY INVOKER VIEW `checked` AS SELECT `x`, `y` FROM `uniq_key` WHERE `x` > 1 WITH CHECK OPTION;
CREATE PROCEDURE `back office`.`pr ä`(IN a INT, OUT b VARCHAR(30) CHARSET latin1, INOUT c DECIMAL(5,2))
  SQL SECURITY INVOKER MODIFIES SQL DATA
  BEGIN -- a comment; with ' quote
    DECLARE done INT DEFAULT 0; SET b = "dou""ble", c = c + 1; SELECT `one` FROM shop.aa_first; END;
SET sql_mode='ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES';
CREATE PROCEDURE "ansi"() BEGIN SELECT "x" FROM "uniq_key" WHERE "y" = '\' || 'a'; END;
SET sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION';
CREATE TRIGGER `tr1` BEFORE INSERT ON `counter` FOR EACH ROW SET NEW.k = NEW.k + 1;
CREATE TRIGGER `tr3` BEFORE INSERT ON `counter` FOR EACH ROW FOLLOWS `tr1` SET NEW.k = NEW.k * 3;
CREATE TRIGGER `tr2` BEFORE INSERT ON `counter` FOR EACH ROW PRECEDES `tr3` BEGIN SET NEW.k = NEW.k * 2; END;
CREATE TRIGGER `tr ä` AFTER DELETE ON `Käufer 表` FOR EACH ROW DELETE FROM `back office`.`far` WHERE who = OLD.id;
CREATE EVENT `ev` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE
  COMMENT 'it''s' DO DELETE FROM `uniq_key` WHERE `x` < 0;
SET time_zone='+05:00';
CREATE EVENT `ev2` ON SCHEDULE EVERY 2 HOUR ENABLE DO BEGIN DELETE FROM `parts` WHERE `v` = 'ä'; END;
SET time_zone='SYSTEM', character_set_client=latin1, collation_connection=latin1_swedish_ci;
CREATE PROCEDURE `latin`() SELECT 'plain';
SET NAMES utf8mb4;
)sql";

const char *const mariaOnly = R"sql(
USE `shop`;
CREATE SEQUENCE `numbers` START WITH 100 INCREMENT BY 5;
CREATE TABLE `maria` (`id` INT NOT NULL DEFAULT NEXTVAL(`shop`.`numbers`), `j` JSON, `u` UUID DEFAULT UUID(), `ip` INET6,
  `inv` INT INVISIBLE DEFAULT 3, `ex` DATETIME DEFAULT (NOW() + INTERVAL 1 DAY), `tx` TEXT DEFAULT 'abc',
  `col` INT CHECK (`col` > 1), PRIMARY KEY (`id` DESC), UNIQUE KEY `long` (`tx`) USING HASH, KEY `ig` (`col`) IGNORED,
  CONSTRAINT CHECK (`inv` > 0)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_as_cs;
CREATE TABLE `versioned` (`id` INT PRIMARY KEY) ENGINE=InnoDB WITH SYSTEM VERSIONING;
)sql";

const char *const mysqlOnly = R"sql(
USE `shop`;
CREATE TABLE `my` (`id` INT NOT NULL, `j` JSON, `v` VECTOR(3), `inv` INT NOT NULL INVISIBLE DEFAULT 3, `ex` DATETIME DEFAULT (NOW() + INTERVAL 1 DAY),
  `tx` TEXT DEFAULT ('abc'), `uu` BINARY(16) DEFAULT (UUID_TO_BIN(UUID())), `geo` POINT NOT NULL SRID 4326,
  `zh` VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_zh_0900_as_cs, PRIMARY KEY (`id` DESC),
  UNIQUE KEY `ufun` ((LOWER(`zh`))), KEY `hid` (`inv`) INVISIBLE, KEY `fun` ((CAST(`j`->'$.a' AS UNSIGNED)), `id`), SPATIAL KEY `g` (`geo`),
  CONSTRAINT `soft` CHECK (`inv` > 0) NOT ENFORCED) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
SET sql_generate_invisible_primary_key=ON;
CREATE TABLE `gipk` (`a` INT) ENGINE=InnoDB;
SET sql_generate_invisible_primary_key=OFF;
)sql";

std::unique_ptr<Session> open(const TestServer &server)
{
    auto s = Session::open(server.address(), Use::Control, {});
    if (!s)
        qFatal("%s", qPrintable(s.error().describe()));
    return std::move(*s);
}

ServerFacts factsOf(const Session &s)
{
    ServerFacts f;
    f.isMariaDb = s.isMariaDb();
    f.versionNumber = s.version();
    return f;
}

template <class T> T must(Result<T> r)
{
    if (!r)
        qFatal("%s",
               qPrintable(r.error().describe() + QLatin1String(" object=") + r.error().object));
    return std::move(*r);
}
void must(const Status &s)
{
    if (!s)
        qFatal("%s",
               qPrintable(s.error().describe() + QLatin1String(" object=") + s.error().object));
}

Selection whole(const QStringList &schemas)
{
    Selection s;
    s.schemas = schemas;
    return s;
}
const QStringList bothSchemas = {QStringLiteral("shop"), QStringLiteral("back office")};

QString withoutCounter(const QString &createSql)
{
    auto ddl = must(TableDdl::parse(createSql));
    const TableOption *o = ddl.option("AUTO_INCREMENT");
    return o ? QString(createSql).remove(QLatin1String(" AUTO_INCREMENT=") + o->value) : createSql;
}

/// Without an ON clause MariaDB reports RESTRICT and MySQL NO ACTION, which InnoDB treats alike.
std::vector<ForeignKey> plainActions(std::vector<ForeignKey> keys)
{
    for (ForeignKey &k : keys) {
        for (RefAction *a : {&k.onUpdate, &k.onDelete}) {
            if (*a == RefAction::Restrict)
                *a = RefAction::NoAction;
        }
    }
    return keys;
}

/// As it is while rows are copied: triggers come at the switch.
QStringList differences(const Catalog &leader, Catalog existing, const Selection &selection)
{
    std::erase_if(existing.objects,
                  [](const SchemaObject &o) { return o.kind == ObjectKind::Trigger; });
    return must(diffSchemas(leader, existing, selection));
}

std::vector<std::vector<SchemaStatement>> groups(const SchemaScript &s)
{
    return {s.schemas,     s.sequences, s.tables, s.indexes,  s.uniques,
            s.foreignKeys, s.routines,  s.views,  s.triggers, s.events};
}

/// MySQL keeps the ";" of a statement that was sent together with others.
QString withoutEnd(QString sql)
{
    while (sql.endsWith(QLatin1Char(';')))
        sql.chop(1);
    return sql;
}

QStringList texts(const SchemaScript &s)
{
    QStringList out;
    for (const SchemaAdjustment &a : s.adjustments)
        out << a.object + QLatin1String(": ") + a.what.english();
    return out;
}

void dropAll(TestServer &server, const QStringList &schemas)
{
    for (const QString &s : schemas)
        server.exec(QLatin1String("SET foreign_key_checks=0; DROP DATABASE IF EXISTS ") +
                    quoteId(s));
}

} // namespace

class SchemaTest : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<TestServer> m_maria, m_maria2, m_my, m_my2;

    SchemaScript build(TestServer &from, TestServer &to, const Selection &selection,
                       Catalog *source = nullptr)
    {
        const auto a = open(from), b = open(to);
        const Catalog catalog = must(readCatalog(*a, selection, {}));
        SchemaScript script = must(writeSchemaScript(*b, catalog, selection, factsOf(*a), {}));
        for (const auto &g : groups(script))
            must(runStatements(*b, g, {}));
        if (source)
            *source = catalog;
        return script;
    }
    void compareTables(const Catalog &want, const Catalog &have)
    {
        QCOMPARE(have.tables.size(), want.tables.size());
        for (const Table &w : want.tables) {
            const Table *h = have.find(w.name);
            QVERIFY2(h, qPrintable(w.name.display()));
            QCOMPARE(withoutCounter(h->createSql), withoutCounter(w.createSql));
            QVERIFY2(h->columns == w.columns, qPrintable(w.name.display()));
            QVERIFY2(h->keys == w.keys, qPrintable(w.name.display()));
            QVERIFY2(h->foreignKeys == w.foreignKeys, qPrintable(w.name.display()));
            QCOMPARE(h->rowKey, w.rowKey);
            QCOMPARE(h->autoIncrement.value_or(1), w.autoIncrement.value_or(1));
            QCOMPARE(h->partitioned, w.partitioned);
            QCOMPARE(h->collation, w.collation);
            QCOMPARE(h->comment, w.comment);
            QCOMPARE(h->fingerprint(), w.fingerprint());
        }
    }
    void compareObjects(const Catalog &want, const Catalog &have)
    {
        QCOMPARE(have.objects.size(), want.objects.size());
        for (std::size_t i = 0; i < want.objects.size(); ++i) {
            const SchemaObject &w = want.objects[i], &h = have.objects[i];
            QVERIFY(h.kind == w.kind);
            QCOMPARE(h.display(), w.display());
            QCOMPARE(h.definer, w.definer);
            QCOMPARE(h.invoker, w.invoker);
            QCOMPARE(h.sqlMode, w.sqlMode);
            QCOMPARE(h.characterSetClient, w.characterSetClient);
            QCOMPARE(h.collationConnection, w.collationConnection);
            QCOMPARE(h.databaseCollation, w.databaseCollation);
            QCOMPARE(h.timeZone, w.timeZone);
            QCOMPARE(h.table, w.table);
            QCOMPARE(h.timing, w.timing);
            QCOMPARE(h.event, w.event);
            QCOMPARE(h.status, w.status);
            QCOMPARE(h.order, w.order);
            QVERIFY(!w.createSql.isEmpty());
            if (w.kind != ObjectKind::Trigger) // MariaDB keeps names and order as written
                QCOMPARE(withoutEnd(h.createSql), withoutEnd(w.createSql));
        }
    }
    void sameProduct(TestServer &from, TestServer &to, const char *extra)
    {
        from.exec(QString::fromUtf8(common));
        from.exec(QString::fromUtf8(extra));
        Catalog source;
        const SchemaScript script = build(from, to, whole(bothSchemas), &source);
        for (const QString &a : texts(script))
            QVERIFY2(a.contains(QLatin1String("System versioning")), qPrintable(a));
        const auto session = open(to);
        const Catalog target = must(readCatalog(*session, whole(bothSchemas), {}));
        compareTables(source, target);
        if (QTest::currentTestFailed())
            return;
        compareObjects(source, target);
        QCOMPARE(differences(source, target, whole(bothSchemas)), QStringList());
        for (const TablePlan &p : script.plans) {
            const Table *h = target.find(p.follower->name);
            QVERIFY(h);
            QVERIFY2(h->columns == p.follower->columns, qPrintable(h->name.display()));
            QVERIFY2(h->keys == p.follower->keys, qPrintable(h->name.display()));
            QCOMPARE(p.follower->fingerprint(), h->fingerprint());
        }
    }
    void crossProduct(TestServer &from, TestServer &to)
    {
        from.exec(QString::fromUtf8(common));
        Catalog source;
        const SchemaScript script = build(from, to, whole(bothSchemas), &source);
        const auto session = open(to);
        const Catalog target = must(readCatalog(*session, whole(bothSchemas), {}));
        QCOMPARE(differences(source, target, whole(bothSchemas)), QStringList());
        for (const TablePlan &p : script.plans) {
            const Table *h = target.find(p.follower->name);
            QVERIFY(h);
            for (std::size_t i = 0; i < h->columns.size(); ++i) {
                const Column &a = h->columns[i], &b = p.follower->columns[i];
                QVERIFY2(a == b, qPrintable(h->name.display() + QLatin1Char('.') + a.name +
                                            QLatin1Char(' ') + a.typeText + QLatin1Char('/') +
                                            b.typeText + QLatin1Char(' ') + a.collation +
                                            QLatin1Char('/') + b.collation));
            }
            QVERIFY2(h->keys == p.follower->keys, qPrintable(h->name.display()));
            QCOMPARE(h->rowKey, p.follower->rowKey);
            QVERIFY(plainActions(h->foreignKeys) == plainActions(p.follower->foreignKeys));
            QCOMPARE(h->collation, p.follower->collation);
        }
        QCOMPARE(target.objects.size(), source.objects.size());
    }

private Q_SLOTS:
    /// MariaDB skips it in its catalog, with no more than a warning.
    void readsATableThatIsBeingChanged()
    {
        TestServer server;
        server.exec(QStringLiteral("CREATE DATABASE busy"));
        std::jthread other([&server] {
            const auto s = Session::open(server.address(), Use::Control, {});
            if (s)
                (void)(*s)->exec(QStringLiteral("CREATE TABLE busy.slow (a INT PRIMARY KEY) "
                                                "ENGINE=InnoDB AS SELECT 1 + SLEEP(1) AS a"));
        });
        QTRY_COMPARE(
            server.scalar(QStringLiteral("SELECT COUNT(*) FROM information_schema.processlist "
                                         "WHERE info LIKE 'CREATE TABLE busy.slow%'")),
            QStringLiteral("1"));
        const auto session = Session::open(server.address(), Use::Control, {});
        QVERIFY(session);
        Selection selection;
        selection.schemas << QStringLiteral("busy");
        const auto catalog = readCatalog(**session, selection, {});
        QVERIFY2(catalog, catalog ? "" : qPrintable(catalog.error().describe()));
        for (const Table &t : catalog->tables) {
            QCOMPARE(t.engine, QStringLiteral("InnoDB"));
            QCOMPARE(t.columns.size(), std::size_t(1));
        }
    }

    void initTestCase()
    {
        ServerOptions maria, my;
        my.product = Product::MySql;
        my.settings = {QStringLiteral("--log-bin-trust-function-creators=ON")};
        maria.settings = my.settings;
        m_maria = std::make_unique<TestServer>(maria);
        m_maria2 = std::make_unique<TestServer>(maria);
        m_my = std::make_unique<TestServer>(my);
        m_my2 = std::make_unique<TestServer>(my);
    }
    void cleanup()
    {
        for (TestServer *s : {m_maria.get(), m_maria2.get(), m_my.get(), m_my2.get()}) {
            dropAll(*s, bothSchemas);
            dropAll(*s, {QStringLiteral("renamed")});
        }
    }

    void buildsTheSameSchemaOnMariaDb() { sameProduct(*m_maria, *m_maria2, mariaOnly); }
    void buildsTheSameSchemaOnMySql() { sameProduct(*m_my, *m_my2, mysqlOnly); }
    void movesFromMariaDbToMySql() { crossProduct(*m_maria, *m_my); }
    void movesFromMySqlToMariaDb() { crossProduct(*m_my, *m_maria); }

    void readsEveryKindOfColumn()
    {
        m_my->exec(QString::fromUtf8(common));
        const auto s = open(*m_my);
        const Catalog c = must(readCatalog(*s, whole(bothSchemas), {}));
        const Table *t = c.find({QStringLiteral("shop"), QStringLiteral("types")});
        QVERIFY(t);
        const auto column = [&](const char *name) -> const Column & {
            return t->columns[static_cast<std::size_t>(t->columnIndex(QString::fromUtf8(name)))];
        };
        QCOMPARE(column("en").labels,
                 (QStringList{QStringLiteral("a"), QStringLiteral("b'c"), QStringLiteral("d,e"),
                              QStringLiteral("f\\g"), QString::fromUtf8("ünï"), QString()}));
        QCOMPARE(column("se").labels.value(2), QStringLiteral("(q)"));
        QVERIFY(column("se").charset == QLatin1String("latin1"));
        QVERIFY(column("id").isUnsigned && column("id").autoIncrement && !column("id").nullable);
        QCOMPARE(column("dec").precision, 20);
        QCOMPARE(column("dec").scale, 6);
        QCOMPARE(column("bits").length, 11);
        QCOMPARE(column("b4").length, 4);
        QCOMPARE(column("c").length, 7);
        QCOMPARE(column("t3").scale, 3);
        QCOMPARE(column("dt6").scale, 6);
        QVERIFY(column("dt6").onUpdateNow);
        QVERIFY(column("gv").generated && column("gs").generated && !column("vc").generated);
        QCOMPARE(column("gs").typeClass, TypeClass::Text);
        QCOMPARE(column("pt").typeClass, TypeClass::Geometry);
        QCOMPARE(t->autoIncrement.value_or(0), quint64{4711});
        QCOMPARE(t->keys[static_cast<std::size_t>(*t->rowKey)].name, QStringLiteral("PRIMARY"));
        const Table *unique = c.find({QStringLiteral("shop"), QStringLiteral("uniq_key")});
        QCOMPARE(unique->keys[static_cast<std::size_t>(*unique->rowKey)].name,
                 QStringLiteral("xy"));
        // FLOAT and a prefix identify no row.
        QVERIFY(!c.find({QStringLiteral("shop"), QStringLiteral("keyless")})->rowKey);
        const Table *far = c.find({QStringLiteral("back office"), QStringLiteral("far")});
        QCOMPARE(far->foreignKeys.size(), std::size_t{1});
        QCOMPARE(far->foreignKeys[0].refTable.schema, QStringLiteral("shop"));
        QCOMPARE(far->foreignKeys[0].onUpdate, RefAction::Cascade);
    }

    void ordersViewsAndTriggers()
    {
        m_maria->exec(QString::fromUtf8(common));
        const auto s = open(*m_maria);
        const Catalog c = must(readCatalog(*s, whole(bothSchemas), {}));
        QStringList views, triggers;
        for (const SchemaObject &o : c.objects) {
            if (o.kind == ObjectKind::View)
                views << o.name;
            if (o.kind == ObjectKind::Trigger && o.table == QLatin1String("counter"))
                triggers << o.name;
        }
        QVERIFY(views.indexOf(QStringLiteral("a_last")) < views.indexOf(QStringLiteral("m_mid")));
        QVERIFY(views.indexOf(QStringLiteral("m_mid")) < views.indexOf(QStringLiteral("aa_first")));
        QCOMPARE(triggers, (QStringList{QStringLiteral("tr1"), QStringLiteral("tr2"),
                                        QStringLiteral("tr3")}));
    }

    void keepsUniqueKeysAndForeignKeysForLater()
    {
        m_maria->exec(QString::fromUtf8(common));
        const auto a = open(*m_maria), b = open(*m_maria2);
        const Selection sel = whole(bothSchemas);
        const Catalog catalog = must(readCatalog(*a, sel, {}));
        const SchemaScript script = must(writeSchemaScript(*b, catalog, sel, factsOf(*a), {}));
        must(runStatements(*b, script.schemas, {}));
        must(runStatements(*b, script.sequences, {}));
        must(runStatements(*b, script.tables, {}));
        const Catalog early = must(readCatalog(*b, sel, {}));
        for (const Table &t : early.tables) {
            QVERIFY(t.foreignKeys.empty());
            const Table *leader = catalog.find(t.name);
            const bool counter = t.name.name == QLatin1String("counter");
            QCOMPARE(t.keys.size(), counter ? 2u : leader->rowKey ? 1u : 0u);
            QCOMPARE(t.rowKey.has_value(), leader->rowKey.has_value());
        }
        // Killed before it was noted: the same statements again.
        must(runStatements(*b, script.tables, {}));
        must(runStatements(*b, script.indexes, {}));
        must(runStatements(*b, script.indexes, {}));
        must(runStatements(*b, script.uniques, {}));
        must(runStatements(*b, script.uniques, {}));
        must(runStatements(*b, script.foreignKeys, {}));
        must(runStatements(*b, script.foreignKeys, {}));
        for (int twice = 0; twice < 2; ++twice) {
            must(runStatements(*b, script.routines, {}));
            must(runStatements(*b, script.views, {}));
            must(runStatements(*b, script.triggers, {}));
            must(runStatements(*b, script.events, {}));
        }
    }

    void refusesADifferentObjectOfTheSameName()
    {
        m_my->exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.t (a INT PRIMARY KEY); "
                                  "CREATE VIEW shop.v AS SELECT a FROM shop.t"));
        m_my2->exec(QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.t (a INT PRIMARY KEY); "
                                   "CREATE VIEW shop.v AS SELECT a+1 AS a FROM shop.t"));
        const auto a = open(*m_my), b = open(*m_my2);
        const Selection sel = whole({QStringLiteral("shop")});
        const Catalog catalog = must(readCatalog(*a, sel, {}));
        const SchemaScript script = must(writeSchemaScript(*b, catalog, sel, factsOf(*a), {}));
        const QString mode =
            must(b->query(QStringLiteral("SELECT @@sql_mode"))).text(0, std::size_t{0});
        const Status s = runStatements(*b, script.views, {});
        QVERIFY(!s);
        QCOMPARE(s.error().object, QStringLiteral("view shop.v"));
        QCOMPARE(s.error().number, 1050);
        QVERIFY(!s.error().serverWords.isEmpty());
        // And the session is as before: strict, with its own character set.
        QCOMPARE(must(b->query(QStringLiteral("SELECT @@sql_mode"))).text(0, std::size_t{0}), mode);
        QCOMPARE(
            must(b->query(QStringLiteral("SELECT @@character_set_client"))).text(0, std::size_t{0}),
            QStringLiteral("utf8mb4"));
    }

    void namesTypesTheOtherProductLacks()
    {
        m_maria->exec(QStringLiteral(
            "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY, u UUID)"));
        const auto a = open(*m_maria), b = open(*m_my);
        const Selection sel = whole({QStringLiteral("shop")});
        const Catalog catalog = must(readCatalog(*a, sel, {}));
        const auto script = writeSchemaScript(*b, catalog, sel, factsOf(*a), {});
        QVERIFY(!script);
        QCOMPARE(script.error().id, QStringLiteral("mysql-type-unknown"));
        QCOMPARE(script.error().object, QStringLiteral("shop.t.u"));
    }

    void translatesMariaDbDefinitionsForMySql()
    {
        m_maria->exec(QStringLiteral(
            "CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci;"
            "CREATE TABLE shop.t (id INT PRIMARY KEY, j JSON DEFAULT '{}' COMMENT 'c', "
            "h BINARY(16) DEFAULT UNHEX('00'), x DATE DEFAULT CURDATE(), n INT INVISIBLE DEFAULT 3,"
            "tx TEXT DEFAULT 'abc', cz VARCHAR(10) COLLATE utf8mb4_uca1400_czech_as_cs, z BLOB "
            "COMPRESSED, "
            "KEY ig (n) IGNORED, CHECK (n > 0)) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8;"
            "CREATE TABLE shop.t2 (id INT PRIMARY KEY, n INT, CHECK (n > 0)) PAGE_COMPRESSED=1;"
            "CREATE TABLE shop.v (id INT PRIMARY KEY) WITH SYSTEM VERSIONING;"
            "CREATE SEQUENCE shop.sq;"
            "CREATE TABLE shop.a (g INT NOT NULL, n INT NOT NULL AUTO_INCREMENT, PRIMARY KEY (g, "
            "n)) ENGINE=MyISAM;"
            "CREATE TABLE shop.b (id INT PRIMARY KEY) ENGINE=Aria TRANSACTIONAL=1"));
        const Selection sel = whole({QStringLiteral("shop")});
        Catalog source;
        const SchemaScript script = build(*m_maria, *m_my, sel, &source);
        const auto s = open(*m_my);
        const Catalog target = must(readCatalog(*s, sel, {}));
        QCOMPARE(differences(source, target, sel), QStringList());
        const Table *t = target.find({QStringLiteral("shop"), QStringLiteral("t")});
        QCOMPARE(t->columns[1].dataType, QStringLiteral("json"));
        QVERIFY(t->columns[4].invisible);
        QCOMPARE(t->columns[6].collation, QStringLiteral("utf8mb4_cs_0900_as_cs"));
        QCOMPARE(t->collation, QStringLiteral("utf8mb4_0900_ai_ci"));
        QVERIFY(t->createSql.contains(QLatin1String("DEFAULT (unhex(")));
        QVERIFY(t->createSql.contains(QLatin1String("KEY `ig` (`n`) /*!80000 INVISIBLE */")));
        QVERIFY(t->createSql.contains(QLatin1String("CHECK ((`n` > 0))")));
        for (const Table &x : target.tables)
            QCOMPARE(x.engine, QStringLiteral("InnoDB"));
        const QString all = texts(script).join(QLatin1Char('\n'));
        for (const char *said :
             {"Engine MyISAM", "Engine Aria", "ROW_FORMAT=COMPRESSED", "KEY_BLOCK_SIZE=8",
              "PAGE_COMPRESSED", "System versioning", "sequence shop.sq", "becomes JSON",
              "utf8mb4_0900_ai_ci", "AUTO_INCREMENT to begin a key", "COMPRESSED is left out"})
            QVERIFY2(all.contains(QLatin1String(said)), said);
        for (const TablePlan &p : script.plans) {
            const Table *h = target.find(p.follower->name);
            QVERIFY2(h->columns == p.follower->columns, qPrintable(h->createSql));
        }
    }

    void translatesMySqlDefinitionsForMariaDb()
    {
        m_my->exec(QStringLiteral(
            "CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;"
            "CREATE TABLE shop.t (id INT NOT NULL INVISIBLE, j JSON DEFAULT (JSON_OBJECT()), n INT "
            "INVISIBLE DEFAULT 3, "
            "g INT GENERATED ALWAYS AS (n + 1) STORED NOT NULL, p POINT NOT NULL SRID 4326, "
            "b VARCHAR(9) COLLATE utf8mb4_0900_bin, gc GEOMCOLLECTION, PRIMARY KEY (id), "
            "KEY f ((LOWER(b))), KEY inv (n) INVISIBLE, FULLTEXT KEY ng (b) WITH PARSER ngram, "
            "CONSTRAINT c1 CHECK (n > 0) NOT ENFORCED, "
            "CONSTRAINT c2 CHECK (n < 9)) COMPRESSION='zlib';"
            "CREATE VIEW shop.v AS SELECT b COLLATE utf8mb4_0900_as_cs AS b FROM shop.t"));
        const Selection sel = whole({QStringLiteral("shop")});
        Catalog source;
        const SchemaScript script = build(*m_my, *m_maria, sel, &source);
        const auto s = open(*m_maria);
        const Catalog target = must(readCatalog(*s, sel, {}));
        const Table *t = target.find({QStringLiteral("shop"), QStringLiteral("t")});
        QCOMPARE(t->collation, QStringLiteral("utf8mb4_uca1400_nopad_ai_ci"));
        QCOMPARE(t->columns[5].collation, QStringLiteral("utf8mb4_nopad_bin"));
        QVERIFY(!t->columns[0].invisible && t->columns[2].invisible);
        QVERIFY(t->createSql.contains(QLatin1String("json_valid")));
        QVERIFY(t->createSql.contains(QLatin1String("IGNORED")));
        QVERIFY(!t->createSql.contains(QLatin1String("c1")));
        QVERIFY(t->createSql.contains(QLatin1String("`c2` CHECK")));
        const QString all = texts(script).join(QLatin1Char('\n'));
        for (const char *said : {"Index \"f\"", "SRID 4326", "NOT ENFORCED", "COMPRESSION",
                                 "becomes LONGTEXT", "WITH PARSER", "becomes visible"})
            QVERIFY2(all.contains(QLatin1String(said)), said);
        for (const TablePlan &p : script.plans) {
            QVERIFY2(t->columns == p.follower->columns, qPrintable(t->createSql));
            QVERIFY(t->keys == p.follower->keys);
        }
    }

    void refusesAUniqueKeyThatWouldBeLost()
    {
        m_my->exec(QStringLiteral(
            "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY, b VARCHAR(9), "
            "UNIQUE KEY f ((LOWER(b))))"));
        const auto a = open(*m_my), b = open(*m_maria);
        const Selection sel = whole({QStringLiteral("shop")});
        const auto script =
            writeSchemaScript(*b, must(readCatalog(*a, sel, {})), sel, factsOf(*a), {});
        QVERIFY(!script);
        QCOMPARE(script.error().id, QStringLiteral("mysql-unique-key"));
    }

    void removesDefinersThatAreMissing_data()
    {
        QTest::addColumn<bool>("maria");
        QTest::newRow("MariaDB") << true;
        QTest::newRow("MySQL") << false;
    }
    void removesDefinersThatAreMissing()
    {
        QFETCH(bool, maria);
        TestServer &from = maria ? *m_maria : *m_my, &to = maria ? *m_maria2 : *m_my2;
        for (const char *sql :
             {"CREATE DATABASE shop", "CREATE TABLE shop.t (a INT PRIMARY KEY)",
              "CREATE DEFINER=`gh ost`@`%` FUNCTION shop.f(a ENUM('x)','y')) RETURNS VARCHAR(10) "
              "CHARSET latin1 "
              "DETERMINISTIC RETURN a",
              "CREATE DEFINER=`gh ost`@`%` PROCEDURE shop.p() BEGIN SELECT 1; END",
              "CREATE DEFINER=`gh ost`@`%` PROCEDURE shop.q(a INT) SQL SECURITY INVOKER SELECT a",
              "CREATE DEFINER=`gh ost`@`%` VIEW shop.v AS SELECT a FROM shop.t",
              "CREATE DEFINER=`gh ost`@`%` TRIGGER shop.tr BEFORE INSERT ON shop.t FOR EACH ROW "
              "SET NEW.a=1",
              "CREATE DEFINER=`gh ost`@`%` EVENT shop.e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT "
              "1"})
            from.exec(QString::fromUtf8(sql));
        const Selection sel = whole({QStringLiteral("shop")});
        const SchemaScript script = build(from, to, sel);
        const auto s = open(to);
        const Catalog target = must(readCatalog(*s, sel, {}));
        QCOMPARE(target.objects.size(), std::size_t{6});
        int security = 0;
        for (const SchemaObject &o : target.objects) {
            QVERIFY(o.definer.startsWith(QLatin1String("root@")));
            if (o.invoker)
                ++security;
        }
        QCOMPARE(security, 4);
        QCOMPARE(script.adjustments.size(), std::size_t{6});
    }

    void buildsWithTheRightsOfOneDatabase_data() { removesDefinersThatAreMissing_data(); }
    void buildsWithTheRightsOfOneDatabase()
    {
        QFETCH(bool, maria);
        TestServer &from = maria ? *m_maria : *m_my, &to = maria ? *m_maria2 : *m_my2;
        from.exec(QString::fromUtf8(common));
        to.exec(QStringLiteral(
            "DROP USER IF EXISTS mover; CREATE USER mover IDENTIFIED BY 'mover-secret';"
            "GRANT ALL ON shop.* TO mover; GRANT ALL ON `back office`.* TO mover"));
        const Selection sel = whole(bothSchemas);
        const auto a = open(from);
        const auto b = must(Session::open(
            to.address(QStringLiteral("mover"), QStringLiteral("mover-secret")), Use::Control, {}));
        const Catalog source = must(readCatalog(*a, sel, {}));
        const SchemaScript script = must(writeSchemaScript(*b, source, sel, factsOf(*a), {}));
        for (const auto &g : groups(script))
            must(runStatements(*b, g, {}));
        const auto root = open(to);
        const Catalog target = must(readCatalog(*root, sel, {}));
        compareTables(source, target);
        QCOMPARE(target.objects.size(), source.objects.size());
        for (const SchemaObject &o : target.objects)
            QCOMPARE(o.definer, QStringLiteral("mover@%"));
    }

    void renamesASchemaEverywhere_data() { removesDefinersThatAreMissing_data(); }
    void renamesASchemaEverywhere()
    {
        QFETCH(bool, maria);
        TestServer &from = maria ? *m_maria : *m_my, &to = maria ? *m_maria2 : *m_my2;
        from.exec(QString::fromUtf8(common));
        from.exec(QStringLiteral("CREATE PROCEDURE shop.dyn() BEGIN SET @s = 'DELETE FROM "
                                 "shop.counter'; PREPARE s FROM @s; "
                                 "EXECUTE s; END"));
        from.exec(QStringLiteral("CREATE PROCEDURE shop.moved() BEGIN /* shop.x */ SELECT "
                                 "shop.counter.k, 'a' FROM shop.counter, "
                                 "`shop` . `uniq_key`; CALL `shop`.`latin`(); END"));
        Selection sel = whole(bothSchemas);
        sel.renames.insert(QStringLiteral("shop"), QStringLiteral("renamed"));
        Catalog source;
        const SchemaScript script = build(from, to, sel, &source);
        const auto s = open(to);
        const Selection onTarget =
            whole({QStringLiteral("renamed"), QStringLiteral("back office")});
        const Catalog target = must(readCatalog(*s, onTarget, {}));
        QCOMPARE(differences(source, target, sel), QStringList());
        QVERIFY(!must(readSchemaNames(*s, {})).contains(QStringLiteral("shop")));
        const Table *far = target.find({QStringLiteral("back office"), QStringLiteral("far")});
        QCOMPARE(far->foreignKeys[0].refTable.schema, QStringLiteral("renamed"));
        bool dynamic = false;
        for (const SchemaObject &o : target.objects) {
            const bool named = o.createSql.contains(QLatin1String("shop")) &&
                               o.name != QLatin1String("dyn") && o.name != QLatin1String("moved");
            QVERIFY2(!named, qPrintable(o.createSql));
            if (o.name == QLatin1String("moved"))
                QVERIFY2(o.createSql.contains(QLatin1String(
                             "/* shop.x */ SELECT `renamed`.counter.k, 'a' FROM `renamed`.counter, "
                             "`renamed` . `uniq_key`; CALL `renamed`.`latin`()")),
                         qPrintable(o.createSql));
        }
        for (const SchemaAdjustment &a : script.adjustments)
            dynamic = dynamic || a.object.endsWith(QLatin1String("shop.dyn"));
        QVERIFY(dynamic);
    }

    void keepsTheBytesOfAnotherClientCharset_data() { removesDefinersThatAreMissing_data(); }
    void keepsTheBytesOfAnotherClientCharset()
    {
        QFETCH(bool, maria);
        TestServer &from = maria ? *m_maria : *m_my, &to = maria ? *m_maria2 : *m_my2;
        from.exec(QStringLiteral("CREATE DATABASE shop CHARACTER SET utf8mb4"));
        {
            const auto s = open(from);
            must(s->exec(QStringLiteral(
                "SET character_set_client=latin1, collation_connection=latin1_swedish_ci")));
            must(s->execBytes("CREATE PROCEDURE shop.p() SELECT HEX('\xe4\xf6') AS h"));
            must(s->execBytes(
                "CREATE FUNCTION shop.f() RETURNS VARCHAR(9) DETERMINISTIC RETURN '\xfc'"));
        }
        const Selection sel = whole({QStringLiteral("shop")});
        Catalog source;
        build(from, to, sel, &source);
        const QString call = QStringLiteral("SELECT HEX(shop.f())");
        QCOMPARE(to.scalar(call), from.scalar(call));
        const QString proc = QStringLiteral("CALL shop.p()");
        QCOMPARE(to.scalar(proc), from.scalar(proc));
        const auto s = open(to);
        compareObjects(source, must(readCatalog(*s, sel, {})));
    }

    void keepsWhatTheSchemasCollationWas()
    {
        m_maria->exec(QStringLiteral("CREATE DATABASE shop CHARACTER SET latin1"));
        m_maria->exec(QStringLiteral("CREATE PROCEDURE shop.p(a VARCHAR(9)) SELECT a"));
        m_maria->exec(QStringLiteral("ALTER DATABASE shop CHARACTER SET utf8mb4"));
        const Selection sel = whole({QStringLiteral("shop")});
        Catalog source;
        build(*m_maria, *m_maria2, sel, &source);
        const auto s = open(*m_maria2);
        const Catalog target = must(readCatalog(*s, sel, {}));
        compareObjects(source, target);
        QCOMPARE(target.schemas[0].collation, source.schemas[0].collation);
    }

    void listsWhatDiffersFromAnExistingSchema()
    {
        m_maria->exec(QStringLiteral(
            "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY, a VARCHAR(10) NOT "
            "NULL, "
            "b INT, c CHAR(3) CHARACTER SET latin1); CREATE TABLE shop.u (id INT PRIMARY KEY)"));
        m_my->exec(
            QStringLiteral("CREATE DATABASE shop; CREATE TABLE shop.t (id INT, a VARCHAR(11), "
                           "c CHAR(3) CHARACTER SET utf8mb4, UNIQUE KEY extra (c))"));
        const auto a = open(*m_maria), b = open(*m_my);
        const Selection sel = whole({QStringLiteral("shop")});
        const QStringList diff =
            must(diffSchemas(must(readCatalog(*a, sel, {})), must(readCatalog(*b, sel, {})), sel));
        const QString all = diff.join(QLatin1Char('\n'));
        for (const char *said :
             {"shop.t: column b is missing", "shop.u: the table is missing",
              "column a has type varchar(11) instead of varchar(10)",
              "column a has NULL allowed yes instead of no", "column c has character set utf8mb4",
              "the unique key (id) is missing", "the unique key extra is not on the source"})
            QVERIFY2(all.contains(QLatin1String(said)), qPrintable(all));
    }

    void selectsTablesAndTheirTriggersOnly()
    {
        m_my->exec(QString::fromUtf8(common));
        Selection sel = whole(bothSchemas);
        sel.patterns = {QStringLiteral("shop.coun*")};
        const auto s = open(*m_my);
        const Catalog c = must(readCatalog(*s, sel, {}));
        QCOMPARE(c.tables.size(), std::size_t{1});
        QCOMPARE(c.objects.size(), std::size_t{3});
        for (const SchemaObject &o : c.objects)
            QVERIFY(o.kind == ObjectKind::Trigger);
    }

    void namesAMissingSchema()
    {
        const auto s = open(*m_my);
        const auto c = readCatalog(*s, whole({QStringLiteral("no such")}), {});
        QVERIFY(!c);
        QCOMPARE(c.error().object, QStringLiteral("no such"));
    }
};

QTEST_GUILESS_MAIN(SchemaTest)
#include "SchemaTest.moc"
