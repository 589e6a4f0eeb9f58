#include "preflight/FixPlan.h"

#include <QJsonArray>
#include <QMap>
#include <QRegularExpression>

#include <algorithm>

namespace causeway {

namespace {

/// Several values of one setting are rounds of a procedure (gtid_mode); set with a restart, only
/// the last one counts.
std::vector<Setting> finalValues(const std::vector<const Finding *> &findings)
{
    std::vector<Setting> out;
    for (const Finding *f : findings) {
        for (const Setting &s : f->fix.settings) {
            const auto same = std::find_if(out.begin(), out.end(),
                                           [&](const Setting &o) { return o.name == s.name; });
            if (same == out.end()) {
                out.push_back(s);
            } else {
                same->value = s.value;
                same->restart = same->restart || s.restart;
            }
        }
    }
    return out;
}

void addUnlessThere(QStringList &to, const QStringList &lines)
{
    for (const QString &line : lines) {
        if (!to.contains(line))
            to << line;
    }
}

QStringList idsOf(const std::vector<const Finding *> &findings)
{
    QStringList out;
    for (const Finding *f : findings)
        addUnlessThere(out, {f->id});
    return out;
}

bool hasRounds(const Finding &f)
{
    const auto &settings = f.fix.settings;
    return std::any_of(settings.begin(), settings.end(), [&](const Setting &s) {
        return std::count_if(settings.begin(), settings.end(),
                             [&](const Setting &o) { return o.name == s.name; }) > 1;
    });
}

bool anyRestart(const std::vector<const Finding *> &findings)
{
    return std::any_of(findings.begin(), findings.end(),
                       [](const Finding *f) { return f->fix.restart; });
}

class Planner {
public:
    Planner(FixPlan &plan, const ServerFacts *facts) : m_plan(plan), m_facts(facts) {}

    void settings(const std::vector<const Finding *> &findings)
    {
        if (findings.empty())
            return;
        m_ids = idsOf(findings);
        m_values = finalValues(findings);
        switch (m_plan.platform) {
        case Platform::SelfManaged:
            return ownServer(findings);
        case Platform::Rds:
        case Platform::Aurora:
            return amazon();
        case Platform::CloudSql:
            return cloudSql();
        default:
            for (const Finding *f : findings)
                other(*f);
        }
    }

    /// A step as the finding itself has it.
    void other(const Finding &f)
    {
        for (FixPlan::Step &s : m_plan.steps) {
            const bool same = s.sql == f.fix.sql && s.command == f.fix.command &&
                              s.config == f.fix.config && s.text == f.fix.text;
            if (same)
                return addUnlessThere(s.findings, {f.id});
        }
        FixPlan::Step s;
        s.text = f.fix.text;
        s.sql = f.fix.sql;
        s.config = f.fix.config;
        s.command = f.fix.command;
        s.privilege = f.fix.privilege;
        s.restart = f.fix.restart;
        s.findings << f.id;
        const bool changesTables = std::any_of(s.sql.begin(), s.sql.end(), [](const QString &sql) {
            return sql.startsWith(QLatin1String("ALTER TABLE"), Qt::CaseInsensitive);
        });
        // Words alone mean that somebody has to find out what to do.
        s.effort = s.restart || changesTables ? FixPlan::Effort::Hours
                   : s.sql.isEmpty() && s.config.isEmpty() && s.command.isEmpty()
                       ? FixPlan::Effort::More
                       : FixPlan::Effort::UnderAnHour;
        m_plan.steps.push_back(std::move(s));
    }

private:
    FixPlan::Step &step(Text text)
    {
        FixPlan::Step s;
        s.text = std::move(text);
        s.findings = m_ids;
        m_plan.steps.push_back(std::move(s));
        return m_plan.steps.back();
    }

    [[nodiscard]] bool isPostgres() const
    {
        return m_facts && m_facts->product == QLatin1String("PostgreSQL");
    }

    void ownServer(const std::vector<const Finding *> &all)
    {
        const bool restart = anyRestart(all);
        std::vector<const Finding *> findings;
        for (const Finding *f : all) {
            // Rounds with waiting between them, which the finding's own words explain; a restart
            // makes them unnecessary.
            if (restart || !hasRounds(*f))
                findings.push_back(f);
            else
                other(*f);
        }
        if (findings.empty())
            return;
        m_ids = idsOf(findings);
        QStringList sql, config;
        QString privilege;
        for (const Finding *f : findings) {
            addUnlessThere(sql, f->fix.sql);
            addUnlessThere(config, f->fix.config);
            if (!f->fix.privilege.isEmpty() && !privilege.contains(f->fix.privilege))
                privilege += QLatin1String(privilege.isEmpty() ? "" : ", ") + f->fix.privilege;
        }
        if (isPostgres()) {
            // Read once, after the last of them.
            const QString reload = QStringLiteral("SELECT pg_reload_conf();");
            const bool reloads = sql.removeAll(reload) > 0;
            if (reloads && !restart)
                sql << reload;
            FixPlan::Step &s =
                step(restart ? cwText("core", "Run the SQL, then restart the server once.")
                             : cwText("core", "Run the SQL; it takes effect at once."));
            s.sql = sql;
            s.privilege = privilege;
            s.restart = restart;
            s.effort = restart ? FixPlan::Effort::Hours : FixPlan::Effort::UnderAnHour;
            return;
        }
        if (!restart) {
            FixPlan::Step &s = step(cwText(
                "core", "Run the SQL; where configuration lines are shown, add them too, so that "
                        "the settings survive a restart. Let the application reconnect afterwards: "
                        "open sessions keep the old values."));
            s.sql = sql;
            s.config = config;
            s.privilege = privilege;
            return;
        }
        FixPlan::Step &s = step(cwText(
            "core", "Add these lines to the server's configuration and restart it once. Where it "
                    "has replicas, change gtid_mode there step by step instead: see the finding."));
        s.config << QStringLiteral("[mysqld]");
        for (const Setting &v : m_values)
            s.config << QStringLiteral("%1 = %2").arg(v.name, v.value);
        s.restart = true;
        s.effort = FixPlan::Effort::Hours;
    }

    void cloudSql()
    {
        QStringList flags;
        for (const Setting &v : m_values)
            flags << v.name + QLatin1Char('=') + v.value;
        FixPlan::Step &s =
            step(cwText("core", "Set all database flags in one change; the instance restarts once. "
                                "The command replaces all flags: name those that are set already "
                                "as well (gcloud sql instances describe INSTANCE)."));
        s.command << QStringLiteral("gcloud sql instances patch INSTANCE --database-flags=") +
                         cloudSqlFlags(flags);
        s.restart = true;
        s.effort = FixPlan::Effort::Hours;
    }

    /// "aurora-mysql8.0", "mysql8.4", "mariadb10.11", "aurora-postgresql16", "postgres16".
    [[nodiscard]] QString family() const
    {
        if (!m_facts)
            return QStringLiteral("FAMILY");
        const bool aurora = m_plan.platform == Platform::Aurora;
        const int major = m_facts->versionNumber / 10000,
                  minor = m_facts->versionNumber / 100 % 100;
        if (isPostgres())
            return QStringLiteral("%1%2")
                .arg(aurora ? QStringLiteral("aurora-postgresql") : QStringLiteral("postgres"))
                .arg(major);
        return QStringLiteral("%1%2.%3")
            .arg(aurora               ? QStringLiteral("aurora-mysql")
                 : m_facts->isMariaDb ? QStringLiteral("mariadb")
                                      : QStringLiteral("mysql"))
            .arg(major)
            .arg(minor);
    }

    void amazon()
    {
        const bool aurora = m_plan.platform == Platform::Aurora;
        const auto where = AmazonEndpoint::fromHost(m_plan.server.section(QLatin1Char(':'), 0, 0));
        const QString region =
            where.region.isEmpty() ? QString() : QStringLiteral(" --region ") + where.region;
        const auto ask = [&](const QString &what) {
            return QStringLiteral("\"$(aws rds %1 --output text%2)\"").arg(what, region);
        };
        QString instance = where.instance, cluster = where.cluster;
        if (aurora && cluster.isEmpty() && !instance.isEmpty()) {
            cluster =
                ask(QStringLiteral("describe-db-instances --db-instance-identifier %1 --query "
                                   "'DBInstances[0].DBClusterIdentifier'")
                        .arg(instance));
        }
        if (aurora && !cluster.isEmpty()) {
            instance =
                ask(QStringLiteral("describe-db-clusters --db-cluster-identifier %1 --query "
                                   "'DBClusters[0].DBClusterMembers[?IsClusterWriter]."
                                   "DBInstanceIdentifier'")
                        .arg(where.cluster.isEmpty() ? QStringLiteral("CLUSTER") : where.cluster));
        }
        if (cluster.isEmpty())
            cluster = QStringLiteral("CLUSTER");
        if (instance.isEmpty())
            instance = QStringLiteral("INSTANCE");
        const QString noun = aurora ? QStringLiteral("db-cluster-parameter-group")
                                    : QStringLiteral("db-parameter-group");
        const QString group =
            QStringLiteral("causeway-") +
            (aurora ? (where.cluster.isEmpty() ? where.instance : where.cluster) : where.instance);
        const QString name = QStringLiteral("--%1-name %2").arg(noun, group);

        step(aurora
                 ? cwText("core",
                          "Make a parameter group of your own, since the default one cannot be "
                          "changed. Leave this out if the cluster has one. In the console: RDS > "
                          "Parameter groups > Create, type DB Cluster Parameter Group, family %1.",
                          family())
                 : cwText("core",
                          "Make a parameter group of your own, since the default one cannot be "
                          "changed. Leave this out if the instance has one. In the console: RDS > "
                          "Parameter groups > Create, type DB Parameter Group, family %1.",
                          family()))
                .command
            << QStringLiteral("aws rds create-%1 %2 --%3-family %4 --description "
                              "\"Made for a migration\"%5")
                   .arg(noun, name, QStringLiteral("db-parameter-group"), family(), region);
        // A parameter may be named once in a call, and a call takes twenty.
        constexpr qsizetype kOfOneCall = 20;
        QStringList parameters, resets;
        for (const Setting &v : m_values) {
            if (v.value.isEmpty()) {
                resets << QStringLiteral("\"ParameterName=%1,ApplyMethod=pending-reboot\"")
                              .arg(v.name);
                continue;
            }
            parameters << QStringLiteral("\"ParameterName=%1,ParameterValue='%2',"
                                         "ApplyMethod=pending-reboot\"")
                              .arg(v.name, v.value);
        }
        FixPlan::Step &edit = step(cwText(
            "core", "Set all of them in one change. In the console: open the group > Edit."));
        for (qsizetype i = 0; i < parameters.size(); i += kOfOneCall) {
            edit.command << QStringLiteral("aws rds modify-%1 %2 --parameters %3%4")
                                .arg(noun, name,
                                     parameters.mid(i, kOfOneCall).join(QLatin1Char(' ')), region);
        }
        if (!resets.isEmpty()) {
            edit.command << QStringLiteral("aws rds reset-%1 %2 --parameters %3%4")
                                .arg(noun, name, resets.join(QLatin1Char(' ')), region);
        }
        step(aurora
                 ? cwText("core", "Give the group to the cluster. In the console: Databases > the "
                                  "cluster > Modify > DB cluster parameter group > Apply "
                                  "immediately.")
                 : cwText("core", "Give the group to the instance. In the console: Databases > "
                                  "the instance > Modify > DB parameter group > Apply "
                                  "immediately."))
                .command
            << (aurora ? QStringLiteral("aws rds modify-db-cluster --db-cluster-identifier "
                                        "%1 %2 --apply-immediately%3")
                             .arg(cluster, name, region)
                       : QStringLiteral("aws rds modify-db-instance "
                                        "--db-instance-identifier %1 %2 "
                                        "--apply-immediately%3")
                             .arg(instance, name, region));
        FixPlan::Step &reboot = step(
            aurora
                ? cwText("core", "Reboot the writer, once. Whoever is connected is thrown out for "
                                 "the time of the restart.")
                : cwText("core", "Reboot the instance, once. Whoever is connected is thrown out "
                                 "for the time of the restart."));
        reboot.command << QStringLiteral("aws rds reboot-db-instance --db-instance-identifier ") +
                              instance + region;
        reboot.restart = true;
        reboot.effort = FixPlan::Effort::Hours;
    }

    FixPlan &m_plan;
    const ServerFacts *m_facts;
    QStringList m_ids;
    std::vector<Setting> m_values;
};

bool isOpen(const Finding &f, const QStringList &accepted)
{
    const bool open = f.status == FindingStatus::Blocker || f.status == FindingStatus::Warning ||
                      f.status == FindingStatus::Unknown;
    // Words alone are for reading where the finding stands, unless they are what stands in the way.
    const bool act = f.status == FindingStatus::Blocker ||
                     !(f.fix.sql.isEmpty() && f.fix.config.isEmpty() && f.fix.command.isEmpty());
    return open && act && !f.fix.isEmpty() && !(f.acceptable && accepted.contains(f.id));
}

} // namespace

QString cloudSqlFlags(const QStringList &flags)
{
    const bool commas = flags.join(QString()).contains(QLatin1Char(','));
    return commas ? QStringLiteral("'^~^%1'").arg(flags.join(QLatin1Char('~')))
                  : flags.join(QLatin1Char(','));
}

AmazonEndpoint AmazonEndpoint::fromHost(const QString &host)
{
    static const QRegularExpression shape(
        QStringLiteral(R"(^([a-z0-9-]+)\.(cluster-(?:ro-|custom-)?)?[a-z0-9]+\.([a-z0-9-]+))"
                       R"(\.rds\.amazonaws\.com(?:\.cn)?$)"),
        QRegularExpression::CaseInsensitiveOption);
    AmazonEndpoint out;
    if (const auto m = shape.match(host); m.hasMatch()) {
        // A custom endpoint has a name of its own.
        const QString kind = m.captured(2);
        if (kind.isEmpty())
            out.instance = m.captured(1);
        else if (kind != QLatin1String("cluster-custom-"))
            out.cluster = m.captured(1);
        out.region = m.captured(3);
    }
    return out;
}

QString toString(FixPlan::Effort effort)
{
    switch (effort) {
    case FixPlan::Effort::UnderAnHour:
        return QStringLiteral("under-an-hour");
    case FixPlan::Effort::Hours:
        return QStringLiteral("hours");
    case FixPlan::Effort::More:
        return QStringLiteral("more");
    }
    return QStringLiteral("more");
}

QJsonObject FixPlan::toJson() const
{
    QJsonArray list;
    for (const Step &s : steps) {
        list.append(
            QJsonObject{{QStringLiteral("text"), s.text.english()},
                        {QStringLiteral("sql"), QJsonArray::fromStringList(s.sql)},
                        {QStringLiteral("config"), QJsonArray::fromStringList(s.config)},
                        {QStringLiteral("command"), QJsonArray::fromStringList(s.command)},
                        {QStringLiteral("privilege"), s.privilege},
                        {QStringLiteral("findings"), QJsonArray::fromStringList(s.findings)},
                        {QStringLiteral("restart"), s.restart},
                        {QStringLiteral("effort"), toString(s.effort)}});
    }
    return {{QStringLiteral("side"), toString(side)},
            {QStringLiteral("server"), server},
            {QStringLiteral("platform"), toString(platform)},
            {QStringLiteral("steps"), list}};
}

std::vector<FixPlan> fixPlans(const CheckReport &report, const QStringList &accepted)
{
    struct Group {
        FindingSide side = FindingSide::Source;
        QString server;
        std::vector<const Finding *> settings, others;
    };
    std::vector<Group> groups;
    for (const Finding &f : report.findings) {
        if (!isOpen(f, accepted))
            continue;
        const QString server = !f.server.isEmpty()             ? f.server
                               : f.side == FindingSide::Source ? report.sourceAddress
                               : f.side == FindingSide::Target ? report.targetAddress
                                                               : QString();
        auto group = std::find_if(groups.begin(), groups.end(), [&](const Group &g) {
            return g.side == f.side && g.server == server;
        });
        if (group == groups.end()) {
            groups.push_back({f.side, server, {}, {}});
            group = std::prev(groups.end());
        }
        (f.fix.settings.empty() ? group->others : group->settings).push_back(&f);
    }
    std::vector<FixPlan> out;
    for (const Group &g : groups) {
        FixPlan plan;
        plan.side = g.side;
        plan.server = g.server;
        const auto &facts = g.side == FindingSide::Target ? report.target : report.source;
        plan.platform = facts ? facts->platform : Platform::SelfManaged;
        Planner planner(plan, facts ? &*facts : nullptr);
        planner.settings(g.settings);
        for (const Finding *f : g.others)
            planner.other(*f);
        out.push_back(std::move(plan));
    }
    return out;
}

} // namespace causeway
