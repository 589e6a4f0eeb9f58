#include "mysql/checks/Fixes.h"

namespace causeway::mysql {

namespace {

QString sqlLiteral(const QString &value)
{
    bool number = false;
    value.toLongLong(&number);
    if (number || value == QLatin1String("ON") || value == QLatin1String("OFF"))
        return value;
    return quoteText(value);
}

bool isPersistable(const ServerFacts *facts)
{
    return facts && !facts->isMariaDb && facts->versionNumber >= 80000;
}

QString privilegeFor(const ServerFacts *facts, const QString &name)
{
    if (isPersistable(facts))
        return QStringLiteral("SYSTEM_VARIABLES_ADMIN");
    // MariaDB 10.5 took some settings out of SUPER.
    if (facts && facts->isMariaDb && facts->versionNumber >= 100502) {
        if (name.startsWith(QLatin1String("binlog_")) ||
            name == QLatin1String("expire_logs_days") ||
            name == QLatin1String("log_bin_trust_function_creators"))
            return QStringLiteral("BINLOG ADMIN");
        if (name == QLatin1String("read_only"))
            return QStringLiteral("READ_ONLY ADMIN");
    }
    return QStringLiteral("SUPER");
}

void selfManaged(Look &look, const std::vector<Setting> &settings, const ServerFacts *facts,
                 Fix &fix)
{
    const auto grants = look.here.grants(look.stop);
    // Those that MySQL keeps in no file of its own (error 1238).
    static const QStringList volatileOnes{QStringLiteral("restrict_fk_on_non_standard_key")};
    bool kept = isPersistable(facts);
    fix.canApply = true;
    fix.config << QStringLiteral("[mysqld]");
    for (const Setting &s : settings) {
        fix.config << QStringLiteral("%1 = %2").arg(s.name, s.value);
        fix.privilege = privilegeFor(facts, s.name);
        if (s.restart) {
            fix.restart = true;
            fix.canApply = false;
            continue;
        }
        const bool persists = isPersistable(facts) && !volatileOnes.contains(s.name);
        kept = kept && persists;
        fix.sql << QStringLiteral("SET %1 %2 = %3;")
                       .arg(persists ? QStringLiteral("PERSIST") : QStringLiteral("GLOBAL"), s.name,
                            sqlLiteral(s.value));
        fix.canApply =
            fix.canApply && grants &&
            (*grants)->grants.hasAny({QStringLiteral("SUPER"), privilegeFor(facts, s.name)});
    }
    // SET PERSIST writes the configuration itself.
    if (kept && !fix.restart)
        fix.config.clear();
}

/// The parameter groups spell some names their own way.
QString amazonName(const QString &name)
{
    return name == QLatin1String("gtid_mode") ? QStringLiteral("gtid-mode") : name;
}

} // namespace

void amazonFix(const std::vector<Setting> &settings, Fix &fix)
{
    const bool aurora = fix.platform == Platform::Aurora;
    const QString group = aurora ? QStringLiteral("--db-cluster-parameter-group-name CLUSTER_GROUP")
                                 : QStringLiteral("--db-parameter-group-name GROUP");
    const QString verb = aurora ? QStringLiteral("db-cluster-parameter-group")
                                : QStringLiteral("db-parameter-group");
    const QString reboot =
        QStringLiteral("aws rds reboot-db-instance --db-instance-identifier INSTANCE");
    QStringList names, parameters;
    bool needsReboot = false;
    const auto flush = [&] {
        if (parameters.isEmpty())
            return;
        fix.command << QStringLiteral("aws rds modify-%1 %2 --parameters %3")
                           .arg(verb, group, parameters.join(QLatin1Char(' ')));
        if (needsReboot)
            fix.command << reboot;
        fix.restart = fix.restart || needsReboot;
        names.clear();
        parameters.clear();
        needsReboot = false;
    };
    for (const Setting &s : settings) {
        const QString name = amazonName(s.name);
        if (names.contains(name))
            flush();
        // GTIDs are static parameters at Amazon, whatever MySQL itself allows.
        const bool later = s.restart || aurora || s.name.contains(QLatin1String("gtid"));
        const QString method =
            later ? QStringLiteral("pending-reboot") : QStringLiteral("immediate");
        if (s.value.isEmpty()) {
            // There is no way to set an empty value; the default is empty.
            flush();
            fix.command << QStringLiteral("aws rds reset-%1 %2 --parameters "
                                          "\"ParameterName=%3,ApplyMethod=%4\"")
                               .arg(verb, group, name, method);
            if (later)
                fix.command << reboot;
            fix.restart = fix.restart || later;
            continue;
        }
        names << name;
        needsReboot = needsReboot || later;
        parameters << QStringLiteral("\"ParameterName=%1,ParameterValue='%2',ApplyMethod=%3\"")
                          .arg(name, s.value, method);
    }
    flush();
}

Platform platformOf(Look &look)
{
    const auto facts = look.here.facts(look.stop);
    return facts ? (*facts)->platform : Platform::SelfManaged;
}

Fix settingFix(Look &look, const std::vector<Setting> &settings, const Text &text)
{
    Fix fix;
    const auto facts = look.here.facts(look.stop);
    fix.platform = platformOf(look);
    fix.text = text;
    const auto sayUnlessSaid = [&fix](Text t) {
        if (fix.text.isEmpty())
            fix.text = std::move(t);
    };
    fix.settings = settings;
    QStringList flags;
    for (const Setting &s : settings)
        flags << s.name + QLatin1Char('=') + s.value;
    switch (fix.platform) {
    case Platform::SelfManaged:
        selfManaged(look, settings, facts ? *facts : nullptr, fix);
        sayUnlessSaid(
            fix.restart
                ? cwText("core", "Add the lines to the server's configuration and restart it.")
                : cwText("core",
                         "Run the SQL; where configuration lines are shown, add them too, so "
                         "that the setting survives a restart. Sessions that are open keep "
                         "the old value: let the application reconnect."));
        break;
    case Platform::Rds:
    case Platform::Aurora:
        amazonFix(settings, fix);
        for (Setting &s : fix.settings)
            s.name = amazonName(s.name);
        sayUnlessSaid(cwText("core",
                             "Change the parameter group of the instance (Aurora: of the "
                             "cluster); the default group cannot be changed, so make one of "
                             "your own first."));
        break;
    case Platform::CloudSql:
        fix.command << QStringLiteral("gcloud sql instances patch INSTANCE --database-flags=%1")
                           .arg(cloudSqlFlags(flags));
        fix.restart = true;
        sayUnlessSaid(cwText("core", "Set the database flag. The command replaces all flags: name "
                                     "those that are set already as well."));
        break;
    case Platform::Azure:
        for (const Setting &s : settings) {
            fix.restart = fix.restart || s.restart;
            fix.command << QStringLiteral("az mysql flexible-server parameter set --resource-group "
                                          "GROUP --server-name SERVER --name %1 --value \"%2\"")
                               .arg(s.name, s.value);
        }
        sayUnlessSaid(cwText("core", "Set the server parameter."));
        break;
    case Platform::DigitalOcean: {
        QStringList members;
        for (const Setting &s : settings)
            members << QStringLiteral("\"%1\":\"%2\"").arg(s.name, s.value);
        fix.command << QStringLiteral("doctl databases configuration update DATABASE_ID --engine "
                                      "mysql --config-json '{%1}'")
                           .arg(members.join(QLatin1Char(',')));
        sayUnlessSaid(cwText("core", "Change the cluster's configuration; what it does not offer "
                                     "there, its support sets."));
        break;
    }
    default:
        sayUnlessSaid(cwText("core", "Needed: %1. This service sets it for you: ask its support.",
                             flags.join(QStringLiteral(", "))));
    }
    return fix;
}

Fix sqlFix(Look &look, const QStringList &sql, const Text &text, const QString &privilege)
{
    Fix fix;
    fix.platform = platformOf(look);
    fix.sql = sql;
    fix.text = text;
    fix.privilege = privilege;
    return fix;
}

QString grantScope(const QString &schema, bool wildcards)
{
    QString pattern = schema;
    if (!wildcards)
        return quoteId(pattern) + QStringLiteral(".*");
    pattern.replace(QLatin1Char('\\'), QLatin1String("\\\\"));
    pattern.replace(QLatin1Char('_'), QLatin1String("\\_"));
    pattern.replace(QLatin1Char('%'), QLatin1String("\\%"));
    return quoteId(pattern) + QStringLiteral(".*");
}

QString quoteAccount(const QString &account)
{
    return quoteText(account.section(QLatin1Char('@'), 0, -2)) + QLatin1Char('@') +
           quoteText(account.section(QLatin1Char('@'), -1));
}

} // namespace causeway::mysql
