// How settings are changed at hosted services, as command lines.

#include "mysql/checks/Fixes.h"

#include <QtTest>

using namespace causeway;
using namespace causeway::mysql;

class FixesTest : public QObject {
    Q_OBJECT
    static Fix amazon(Platform platform, const std::vector<Setting> &settings)
    {
        Fix fix;
        fix.platform = platform;
        amazonFix(settings, fix);
        return fix;
    }
    static Setting set(const char *name, const char *value)
    {
        return {QString::fromLatin1(name), QString::fromLatin1(value)};
    }

private Q_SLOTS:
    void dynamicParametersTakeEffectAtOnceAtRds()
    {
        const Fix fix = amazon(Platform::Rds, {set("binlog_row_image", "FULL")});
        QCOMPARE(fix.command,
                 QStringList(QStringLiteral(
                     "aws rds modify-db-parameter-group --db-parameter-group-name GROUP "
                     "--parameters \"ParameterName=binlog_row_image,ParameterValue='FULL',"
                     "ApplyMethod=immediate\"")));
        QVERIFY(!fix.restart);
    }

    void auroraHasAGroupForTheClusterAndReboots()
    {
        const Fix fix = amazon(Platform::Aurora, {set("binlog_format", "ROW")});
        QCOMPARE(fix.command.size(), 2);
        QVERIFY(fix.command[0].startsWith(
            QStringLiteral("aws rds modify-db-cluster-parameter-group --db-cluster-parameter")));
        QVERIFY(fix.command[0].contains(QStringLiteral("pending-reboot")));
        QVERIFY(fix.command[1].contains(QStringLiteral("reboot-db-instance")));
        QVERIFY(fix.restart);
    }

    void aParameterThatGoesInStepsIsSetInOneCallEach()
    {
        const Fix fix =
            amazon(Platform::Rds,
                   {set("enforce_gtid_consistency", "WARN"), set("enforce_gtid_consistency", "ON"),
                    set("gtid_mode", "OFF_PERMISSIVE"), set("gtid_mode", "ON_PERMISSIVE"),
                    set("gtid_mode", "ON")});
        QStringList modified;
        for (const QString &c : fix.command) {
            if (!c.contains(QStringLiteral("modify")))
                continue;
            modified << c;
            QVERIFY2(c.count(QStringLiteral("ParameterName=gtid-mode")) <= 1, qPrintable(c));
            QVERIFY2(c.count(QStringLiteral("ParameterName=enforce_gtid_consistency")) <= 1,
                     qPrintable(c));
            QVERIFY(!c.contains(QStringLiteral("gtid_mode"))); // as the parameter group spells it
        }
        QCOMPARE(modified.size(), 4);
        QVERIFY(modified.last().contains(QStringLiteral("'ON'")));
        QVERIFY(fix.restart);
    }

    void anEmptyValueIsTheDefault()
    {
        const Fix fix = amazon(Platform::Rds, {set("binlog_row_value_options", "")});
        QCOMPARE(fix.command,
                 QStringList(QStringLiteral(
                     "aws rds reset-db-parameter-group --db-parameter-group-name GROUP "
                     "--parameters \"ParameterName=binlog_row_value_options,ApplyMethod="
                     "immediate\"")));
    }

    void gcloudNeedsAnotherSeparatorForCommas()
    {
        QCOMPARE(cloudSqlFlags({QStringLiteral("a=1"), QStringLiteral("b=2")}),
                 QStringLiteral("a=1,b=2"));
        QCOMPARE(cloudSqlFlags({QStringLiteral("sql_mode=X,Y"), QStringLiteral("b=2")}),
                 QStringLiteral("'^~^sql_mode=X,Y~b=2'"));
    }

    void wildcardsInSchemaNamesAreEscapedInGrants()
    {
        QCOMPARE(grantScope(QStringLiteral("my_db"), true), QStringLiteral("`my\\_db`.*"));
        QCOMPARE(grantScope(QStringLiteral("my_db"), false), QStringLiteral("`my_db`.*"));
        QCOMPARE(grantScope(QStringLiteral("a`b%"), true), QStringLiteral("`a``b\\%`.*"));
    }
};

QTEST_GUILESS_MAIN(FixesTest)
#include "FixesTest.moc"
