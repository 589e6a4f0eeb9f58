// One change and one restart for the settings of many findings.

#include "preflight/FixPlan.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QtTest>

using namespace causeway;

namespace {

Finding finding(const char *id, std::vector<Setting> settings, bool restart = false)
{
    Finding f;
    f.id = QString::fromLatin1(id);
    f.status = FindingStatus::Blocker;
    f.fix.text = cwText("core", "Mend it.");
    for (const Setting &s : settings)
        f.fix.sql << QStringLiteral("SET GLOBAL %1 = %2;").arg(s.name, s.value);
    f.fix.settings = std::move(settings);
    f.fix.restart = restart;
    return f;
}

Setting set(const char *name, const char *value, bool restart = false)
{
    return {QString::fromLatin1(name), QString::fromLatin1(value), restart};
}

CheckReport report(Platform platform, const char *address, std::vector<Finding> findings)
{
    CheckReport r;
    r.source.emplace();
    r.source->product = QStringLiteral("MySQL");
    r.source->versionNumber = 80036;
    r.source->platform = platform;
    r.sourceAddress = QString::fromLatin1(address);
    r.findings = std::move(findings);
    return r;
}

FixPlan only(const CheckReport &r, const QStringList &accepted = {})
{
    const auto plans = fixPlans(r, accepted);
    if (plans.size() != 1)
        qFatal("%d plans", int(plans.size()));
    return plans.front();
}

QString commands(const FixPlan &plan)
{
    QStringList out;
    for (const FixPlan::Step &s : plan.steps)
        out += s.command;
    return out.join(QLatin1Char('\n'));
}

const std::vector<Finding> kThree{
    finding("mysql-gtid-mode",
            {set("enforce_gtid_consistency", "ON"), set("gtid-mode", "OFF_PERMISSIVE"),
             set("gtid-mode", "ON_PERMISSIVE"), set("gtid-mode", "ON")}),
    finding("mysql-binlog-format", {set("binlog_format", "ROW")}),
    finding("mysql-sql-mode", {set("sql_mode", "STRICT_TRANS_TABLES,NO_ZERO_DATE")})};

} // namespace

class FixPlanTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aClusterOfAuroraIsChangedAndRebootedOnce()
    {
        const FixPlan plan = only(report(
            Platform::Aurora, "shop.cluster-abc123.eu-west-1.rds.amazonaws.com:3306", kThree));
        const QString all = commands(plan);
        QCOMPARE(all.count(QStringLiteral("aws rds modify-db-cluster-parameter-group ")), 1);
        QCOMPARE(all.count(QStringLiteral("aws rds reboot-db-instance ")), 1);
        QCOMPARE(all.count(QStringLiteral("ParameterName=gtid-mode,ParameterValue='ON'")), 1);
        QVERIFY(!all.contains(QStringLiteral("PERMISSIVE")));
        for (const char *part :
             {"create-db-cluster-parameter-group", "--db-parameter-group-family aurora-mysql8.0",
              "modify-db-cluster --db-cluster-identifier shop ", "--apply-immediately",
              "--region eu-west-1", "IsClusterWriter",
              "ParameterName=sql_mode,ParameterValue='STRICT_TRANS_TABLES,NO_ZERO_DATE'"})
            QVERIFY2(all.contains(QLatin1String(part)), part);
        QCOMPARE(plan.steps.size(), std::size_t(4));
        QVERIFY(plan.steps.back().restart);
        QCOMPARE(plan.steps.back().findings, QStringList({QStringLiteral("mysql-gtid-mode"),
                                                          QStringLiteral("mysql-binlog-format"),
                                                          QStringLiteral("mysql-sql-mode")}));
    }

    void anInstanceOfRdsHasAGroupOfItsOwn()
    {
        const QString all = commands(
            only(report(Platform::Rds, "shop1.abc123.us-east-2.rds.amazonaws.com:3306", kThree)));
        QVERIFY(!all.contains(QStringLiteral("cluster")));
        for (const char *part :
             {"create-db-parameter-group --db-parameter-group-name causeway-shop1 "
              "--db-parameter-group-family mysql8.0",
              "modify-db-instance --db-instance-identifier shop1 ",
              "reboot-db-instance --db-instance-identifier shop1 --region us-east-2"})
            QVERIFY2(all.contains(QLatin1String(part)), part);
    }

    void aServerOfOnesOwnRestartsOnceWhereItMust()
    {
        std::vector<Finding> findings = kThree;
        findings.push_back(finding("mysql-log-bin", {set("log_bin", "mysql-bin", true)}, true));
        const FixPlan plan = only(report(Platform::SelfManaged, "db:3306", findings));
        QCOMPARE(plan.steps.size(), std::size_t(1));
        QVERIFY(plan.steps[0].restart);
        QCOMPARE(plan.steps[0].config,
                 QStringList(
                     {QStringLiteral("[mysqld]"), QStringLiteral("enforce_gtid_consistency = ON"),
                      QStringLiteral("gtid-mode = ON"), QStringLiteral("binlog_format = ROW"),
                      QStringLiteral("sql_mode = STRICT_TRANS_TABLES,NO_ZERO_DATE"),
                      QStringLiteral("log_bin = mysql-bin")}));
        QVERIFY(plan.steps[0].sql.isEmpty());
    }

    // Without a restart gtid_mode goes in rounds, and its own words say when the next one may come.
    void roundsStayAStepOfTheirOwn()
    {
        const FixPlan plan = only(report(Platform::SelfManaged, "db:3306", kThree));
        QCOMPARE(plan.steps.size(), std::size_t(2));
        QCOMPARE(plan.steps[0].findings, QStringList(QStringLiteral("mysql-gtid-mode")));
        QCOMPARE(plan.steps[0].sql.size(), 4);
        QCOMPARE(plan.steps[1].findings.size(), 2);
        QVERIFY(!plan.steps[1].restart);
    }

    void flagsOfCloudSqlAreSetTogether()
    {
        const FixPlan plan = only(report(Platform::CloudSql, "10.0.0.5:3306", kThree));
        QCOMPARE(plan.steps.size(), std::size_t(1));
        QCOMPARE(plan.steps[0].command.size(), 1);
        QVERIFY(plan.steps[0].command[0].contains(
            QStringLiteral("'^~^enforce_gtid_consistency=ON~gtid-mode=ON~binlog_format=ROW~")));
    }

    void theSameFixForSeveralFindingsIsOneStep()
    {
        Finding a, b;
        a.id = QStringLiteral("a");
        b.id = QStringLiteral("b");
        for (Finding *f : {&a, &b}) {
            f->status = FindingStatus::Warning;
            f->fix.sql << QStringLiteral("GRANT PROCESS ON *.* TO 'mig'@'%';");
        }
        const FixPlan plan = only(report(Platform::SelfManaged, "db:3306", {a, b}));
        QCOMPARE(plan.steps.size(), std::size_t(1));
        QCOMPARE(plan.steps[0].findings, QStringList({QStringLiteral("a"), QStringLiteral("b")}));
    }

    void whatIsAcceptedOrPassesIsNotInIt()
    {
        Finding passed = finding("p", {set("x", "1")});
        passed.status = FindingStatus::Pass;
        Finding accepted = finding("q", {set("y", "1")});
        accepted.acceptable = true;
        const CheckReport r = report(Platform::SelfManaged, "db:3306", {passed, accepted});
        QVERIFY(fixPlans(r, {QStringLiteral("q")}).empty());
        QCOMPARE(fixPlans(r, {}).size(), std::size_t(1));
        QCOMPARE(r.toJson({}).value(QStringLiteral("plan")).toArray().size(), 1);
    }

    void eachServerHasItsOwn()
    {
        CheckReport r = report(Platform::SelfManaged, "old:3306",
                               {finding("a", {set("x", "1")}), finding("b", {set("y", "2")})});
        r.findings[1].side = FindingSide::Target;
        r.target.emplace();
        r.target->product = QStringLiteral("PostgreSQL");
        r.targetAddress = QStringLiteral("new:3306");
        const auto plans = fixPlans(r, {});
        QCOMPARE(plans.size(), std::size_t(2));
        QCOMPARE(plans[0].server, QStringLiteral("old:3306"));
        QCOMPARE(plans[1].server, QStringLiteral("new:3306"));
    }

    void postgresReloadsOnce()
    {
        Finding a = finding("a", {set("x", "1")}), b = finding("b", {set("y", "2")});
        for (Finding *f : {&a, &b})
            f->fix.sql << QStringLiteral("SELECT pg_reload_conf();");
        CheckReport r = report(Platform::SelfManaged, "pg:5432", {a, b});
        r.source->product = QStringLiteral("PostgreSQL");
        const FixPlan plan = only(r);
        QCOMPARE(plan.steps.size(), std::size_t(1));
        QCOMPARE(plan.steps[0].sql.count(QStringLiteral("SELECT pg_reload_conf();")), 1);
        QCOMPARE(plan.steps[0].sql.last(), QStringLiteral("SELECT pg_reload_conf();"));
    }

    void endpointsOfAmazonSayWhatTheyAre()
    {
        auto e = AmazonEndpoint::fromHost(
            QStringLiteral("shop.cluster-ro-abc123.eu-west-1.rds.amazonaws.com"));
        QCOMPARE(e.cluster, QStringLiteral("shop"));
        QCOMPARE(e.region, QStringLiteral("eu-west-1"));
        e = AmazonEndpoint::fromHost(
            QStringLiteral("mine.cluster-custom-abc123.eu-west-1.rds.amazonaws.com"));
        QVERIFY(e.cluster.isEmpty());
        QCOMPARE(e.region, QStringLiteral("eu-west-1"));
        e = AmazonEndpoint::fromHost(QStringLiteral("db.abc123.cn-north-1.rds.amazonaws.com.cn"));
        QCOMPARE(e.instance, QStringLiteral("db"));
        QCOMPARE(e.region, QStringLiteral("cn-north-1"));
        QVERIFY(AmazonEndpoint::fromHost(QStringLiteral("10.0.0.7")).region.isEmpty());
    }
};

QTEST_GUILESS_MAIN(FixPlanTest)
#include "FixPlanTest.moc"
