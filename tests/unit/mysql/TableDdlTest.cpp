#include "mysql/TableDdl.h"

#include <QTest>

using namespace causeway::mysql;

class TableDdlTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void splitsTheBody()
    {
        const auto ddl = TableDdl::parse(QString::fromUtf8(R"(CREATE TABLE `t``x` (
  `a` enum('b,c)','d') NOT NULL DEFAULT 'x''),' COMMENT 'KEY `k` (',
  `p,q` decimal(10,2) GENERATED ALWAYS AS (concat(`a`,')')) VIRTUAL,
  PRIMARY KEY (`a`) USING BTREE,
  UNIQUE KEY `u` ((lower(`a`)),`p,q` DESC),
  KEY `pre` (`a`(10),`p,q`),
  FULLTEXT KEY `ft` (`a`) /*!50100 WITH PARSER `ngram` */ ,
  SPATIAL KEY `s` (`a`),
  CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `o`.`t` (`b`) ON DELETE CASCADE,
  CONSTRAINT `c` CHECK ((`a` > ',')) /*!80016 NOT ENFORCED */,
  PERIOD FOR SYSTEM_TIME (`s`, `e`)
) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COMMENT='a=b, c' `page_compressed`='ON' DATA DIRECTORY='/x' WITH SYSTEM VERSIONING
/*!50100 PARTITION BY KEY (`a`)
PARTITIONS 3 */)"));
        QVERIFY(ddl);
        QCOMPARE(ddl->name, QStringLiteral("t`x"));
        QCOMPARE(ddl->items.size(), std::size_t{10});
        QCOMPARE(ddl->items[1].name, QStringLiteral("p,q"));
        QVERIFY(ddl->items[2].primary() && ddl->items[2].unique);
        QVERIFY(ddl->items[3].unique && ddl->items[3].expression);
        QVERIFY(!ddl->items[4].unique && !ddl->items[4].expression);
        QCOMPARE(ddl->items[4].firstColumn, QStringLiteral("a"));
        QVERIFY(ddl->items[5].fulltext && ddl->items[6].spatial);
        QCOMPARE(ddl->items[7].kind, ItemKind::ForeignKey);
        QCOMPARE(ddl->items[7].name, QStringLiteral("fk"));
        QCOMPARE(ddl->items[8].kind, ItemKind::Check);
        QCOMPARE(ddl->items[9].kind, ItemKind::Period);
        QCOMPARE(ddl->option("COMMENT")->value, QStringLiteral("'a=b, c'"));
        QCOMPARE(ddl->option("DEFAULT CHARSET")->value, QStringLiteral("utf8mb4"));
        QCOMPARE(ddl->option("PAGE_COMPRESSED")->value, QStringLiteral("'ON'"));
        QCOMPARE(ddl->option("DATA DIRECTORY")->value, QStringLiteral("'/x'"));
        QVERIFY(ddl->option("WITH SYSTEM VERSIONING"));
        QCOMPARE(ddl->partitions, QStringLiteral("PARTITION BY KEY (`a`)\nPARTITIONS 3"));
    }

    void readsOptionsInVersionComments()
    {
        const auto ddl = TableDdl::parse(QStringLiteral(
            "CREATE TABLE `t` (\n  `a` int\n) /*!50100 TABLESPACE `ts` */ /*!50606 STORAGE DISK */ "
            "ENGINE=InnoDB DEFAULT CHARSET=latin1 /*!80016 DEFAULT ENCRYPTION='N' */ "
            "ROW_FORMAT=COMPACT"));
        QVERIFY(ddl);
        QCOMPARE(ddl->option("TABLESPACE")->value, QStringLiteral("`ts`"));
        QVERIFY(ddl->option("STORAGE DISK"));
        QCOMPARE(ddl->option("ROW_FORMAT")->value, QStringLiteral("COMPACT"));
    }

    void joinsPartitionsFromSeveralVersionComments()
    {
        const auto ddl = TableDdl::parse(QStringLiteral(
            "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB\n/*!50100 PARTITION BY LINEAR KEY */ "
            "/*!50611 ALGORITHM = 1 */ /*!50100 (a)\nPARTITIONS 3 */"));
        QVERIFY(ddl);
        QCOMPARE(ddl->partitions.simplified(),
                 QStringLiteral("PARTITION BY LINEAR KEY /*!50611 ALGORITHM = 1 */ (a) "
                                "PARTITIONS 3"));
    }

    void refusesWhatItDoesNotKnow()
    {
        QVERIFY(!TableDdl::parse(QStringLiteral("CREATE TABLE `t` (`a` int")));
        QVERIFY(!TableDdl::parse(QStringLiteral("CREATE VIEW `v` AS SELECT 1")));
        QVERIFY(!TableDdl::parse(QString()));
    }
};

QTEST_GUILESS_MAIN(TableDdlTest)
#include "TableDdlTest.moc"
