#include "mysql/checks/Grants.h"

#include <QtTest>

using causeway::TableName;
using causeway::mysql::Grants;

/// Lines as servers print them.
class ChecksGrantsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void globalAndSchemaAndTable()
    {
        const Grants g = Grants::parse(
            {QStringLiteral("GRANT PROCESS, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `m`@`%` "
                            "IDENTIFIED BY PASSWORD '*ON TO'"),
             QStringLiteral("GRANT SELECT, `SHOW VIEW` ON `shop`.* TO `m`@`%`"),
             QStringLiteral("GRANT INSERT, UPDATE (`a`, `b`) ON `other`.`t` TO `m`@`%`"),
             QStringLiteral("GRANT `role`@`%` TO `m`@`%`")});
        QVERIFY(g.has(QStringLiteral("PROCESS")));
        QVERIFY(g.has(QStringLiteral("REPLICATION CLIENT"))); // MariaDB's other name
        QVERIFY(!g.has(QStringLiteral("SELECT")));
        QVERIFY(g.has(QStringLiteral("SELECT"), QStringLiteral("shop")));
        QVERIFY(!g.has(QStringLiteral("SELECT"), QStringLiteral("shop2")));
        const TableName t{QStringLiteral("other"), QStringLiteral("t")};
        QVERIFY(g.has(QStringLiteral("INSERT"), t));
        QVERIFY(!g.has(QStringLiteral("UPDATE"), t)); // two columns are not the table
        QVERIFY(!g.has(QStringLiteral("INSERT"),
                       TableName{QStringLiteral("other"), QStringLiteral("u")}));
    }

    void wildcardsAndEscapedUnderscores()
    {
        const QStringList lines{QStringLiteral("GRANT SELECT ON `app\\_%`.* TO `m`@`%`"),
                                QStringLiteral("GRANT INSERT ON `a_b`.* TO `m`@`%`")};
        const Grants g = Grants::parse(lines);
        QVERIFY(g.has(QStringLiteral("SELECT"), QStringLiteral("app_db")));
        QVERIFY(!g.has(QStringLiteral("SELECT"), QStringLiteral("appxdb")));
        QVERIFY(g.has(QStringLiteral("INSERT"), QStringLiteral("axb")));
        const Grants literal = Grants::parse(lines, false);
        QVERIFY(!literal.has(QStringLiteral("INSERT"), QStringLiteral("axb")));
        QVERIFY(literal.has(QStringLiteral("INSERT"), QStringLiteral("a_b")));
    }

    void partialRevokes()
    {
        const Grants g = Grants::parse({QStringLiteral("GRANT SELECT, INSERT ON *.* TO `m`@`%`"),
                                        QStringLiteral("REVOKE INSERT ON `mysql`.* FROM `m`@`%`")},
                                       false);
        QVERIFY(g.has(QStringLiteral("INSERT"), QStringLiteral("shop")));
        QVERIFY(!g.has(QStringLiteral("INSERT"), QStringLiteral("mysql")));
        QVERIFY(g.has(QStringLiteral("SELECT"), QStringLiteral("mysql")));
    }

    void allPrivilegesAndOddNames()
    {
        const Grants g = Grants::parse(
            {QStringLiteral("GRANT ALL PRIVILEGES ON `a.b``c`.* TO 'm'@'%' WITH GRANT OPTION"),
             QStringLiteral("GRANT EXECUTE ON PROCEDURE `x`.`p` TO 'm'@'%'"),
             QStringLiteral("GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION")});
        QVERIFY(g.has(QStringLiteral("TRIGGER"), QStringLiteral("a.b`c")));
        QVERIFY(!g.has(QStringLiteral("EXECUTE"), QStringLiteral("x")));
        QVERIFY(!g.has(QStringLiteral("SUPER")));
    }
};

QTEST_GUILESS_MAIN(ChecksGrantsTest)
#include "ChecksGrantsTest.moc"
