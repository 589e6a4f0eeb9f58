#include "mysql/checks/Fixes.h"
#include "mysql/checks/Needs.h"

#include <algorithm>
#include <functional>

namespace causeway::mysql {

namespace {

/// What is missing of the needs that `wanted` picks, as objects and fix of the finding; false where
/// nothing is.
Result<bool> listMissing(Look &look, const std::function<bool(const Need &)> &wanted,
                         bool &requiredMissing)
{
    CW_TRY_ASSIGN(const auto *mine, look.here.grants(look.stop));
    CW_TRY_ASSIGN(const auto needs, neededGrants(look.here, look.other, look.options, look.stop));
    QStringList sql;
    for (const Need &need : needs) {
        if (!wanted(need))
            continue;
        const QStringList missing = need.missingFrom(mine->grants);
        if (missing.isEmpty())
            continue;
        requiredMissing = requiredMissing || need.required;
        const QString scope = need.grantScopes().join(QStringLiteral(", "));
        for (const QString &p : missing)
            look.out.objects
                << QStringLiteral("%1 ON %2: %3").arg(p, scope, need.purpose.english());
        sql += grantSql(need, missing, mine->account);
    }
    if (sql.isEmpty())
        return false;
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Run by an administrator of this server, or let "
                                         "\"causeway-cli user-script\" print a whole account."),
                          QStringLiteral("GRANT OPTION"));
    return true;
}

Status lookGrants(Look &look)
{
    CW_TRY_ASSIGN(const auto *mine, look.here.grants(look.stop));
    bool blocks = false;
    CW_TRY_ASSIGN(const bool lacks,
                  listMissing(
                      look, [](const Need &n) { return n.required || n.comfort; }, blocks));
    if (!lacks)
        return look.pass(cwText("core", "%1 has all the privileges needed.", mine->account));
    const Text found =
        cwText("core", "%1 lacks privileges: %2.", mine->account, someOf(look.out.objects));
    return blocks ? look.block(found) : look.warn(found);
}

Status lookReverseGrants(Look &look)
{
    CW_TRY_ASSIGN(const auto *mine, look.here.grants(look.stop));
    bool required = false;
    CW_TRY_ASSIGN(const bool lacks,
                  listMissing(
                      look, [](const Need &n) { return !n.required && !n.comfort; }, required));
    if (!lacks)
        return look.pass(cwText("core", "%1 may do what the way back asks for.", mine->account));
    const Text found = cwText("core", "%1 lacks privileges for the way back: %2.", mine->account,
                              someOf(look.out.objects));
    if (look.options.oneWay)
        return look.info(found);
    look.out.fix.text = cwText("core", "Run by an administrator of this server; or accept that "
                                       "there will be no way back after the switch (--one-way).");
    return look.block(found);
}

/// The account may create programs with another definer.
bool maySetDefiner(const Grants &grants, const ServerFacts &facts)
{
    if (grants.has(QStringLiteral("SUPER")))
        return true;
    if (facts.isMariaDb)
        return grants.has(QStringLiteral("SET USER"));
    return grants.hasAny({QStringLiteral("SET_ANY_DEFINER"), QStringLiteral("SET_USER_ID")});
}

/// Accounts that only a holder of SYSTEM_USER may name as definer (MySQL 8.0.16). Empty where we
/// may not see them.
QSet<QString> systemAccounts(ServerContext &here, std::stop_token stop)
{
    QSet<QString> out;
    const auto rows = here.query(QStringLiteral("SELECT CONCAT(user,'@',host) FROM "
                                                "mysql.global_grants WHERE priv='SYSTEM_USER'"),
                                 std::move(stop));
    for (std::size_t i = 0; rows && i < rows->rows.size(); ++i)
        out.insert(rows->text(i, std::size_t{0}));
    return out;
}

Status lookTriggerRights(Look &look)
{
    ServerContext &source = look.here.side() == Side::Source ? look.here : *look.other;
    CW_TRY_ASSIGN(const auto *objects, source.objects(look.stop));
    CW_TRY_ASSIGN(const auto *mine, look.here.grants(look.stop));
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    CW_TRY_ASSIGN(const auto *v, look.here.variables(look.stop));
    const bool target = look.here.side() == Side::Target;
    // The source's triggers and events are taken off and must come back; its other objects stay.
    bool programs = false;
    std::vector<ObjectBrief> created;
    QStringList shown, missing, sql;
    const QString self = QString(mine->account).remove(QLatin1Char('\''));
    const bool wildcards = v->value(QStringLiteral("partial_revokes")) != QLatin1String("ON");
    for (const ObjectBrief &o : *objects) {
        const bool moves = o.kind == ObjectKind::Trigger || o.kind == ObjectKind::Event;
        if (!target && !moves)
            continue;
        shown << o.display();
        programs = programs || o.kind == ObjectKind::Trigger || o.kind == ObjectKind::Function ||
                   o.kind == ObjectKind::Procedure;
        created.push_back(o);
        const QString schema = target ? look.options.selection.schemaOnTarget(o.schema) : o.schema;
        const QString needed = o.kind == ObjectKind::Trigger ? QStringLiteral("TRIGGER")
                               : o.kind == ObjectKind::Event ? QStringLiteral("EVENT")
                               : o.kind == ObjectKind::View  ? QStringLiteral("CREATE VIEW")
                                                             : QStringLiteral("CREATE ROUTINE");
        const QString grant = QStringLiteral("GRANT %1 ON %2 TO %3;")
                                  .arg(needed, grantScope(schema, wildcards), mine->account);
        if (!mine->grants.has(needed, schema) && !sql.contains(grant)) {
            missing << QStringLiteral("%1 ON %2.*").arg(needed, quoteId(schema));
            sql << grant;
        }
    }
    if (shown.isEmpty())
        return look.pass(cwText("core", "Nothing has to be created with a definer."));
    QString privilege = QStringLiteral("GRANT OPTION");
    // 1419: with a binary log, SUPER or this setting is needed to create a trigger or a function,
    // and nothing of the kind is asked for dropping one.
    const bool trusted =
        v->value(QStringLiteral("log_bin")) != QLatin1String("ON") ||
        v->value(QStringLiteral("log_bin_trust_function_creators")) == QLatin1String("ON") ||
        mine->grants.has(QStringLiteral("SUPER"));
    Fix setting;
    if (programs && !trusted) {
        setting = settingFix(
            look, {{QStringLiteral("log_bin_trust_function_creators"), QStringLiteral("ON")}});
        missing << QStringLiteral("log_bin_trust_function_creators = ON");
    }
    CW_TRY_ASSIGN(const QStringList rights, definerRights(look.here, created, self, look.stop));
    for (const QString &p : rights) {
        const bool held = p.startsWith(QLatin1String("SET")) ? maySetDefiner(mine->grants, *facts)
                                                             : mine->grants.has(p);
        if (held)
            continue;
        missing << p;
        sql << QStringLiteral("GRANT %1 ON *.* TO %2;").arg(p, mine->account);
    }
    if (missing.isEmpty())
        return look.pass(cwText("core", "Views, routines, triggers and events can be created with "
                                        "their definers."));
    look.out.objects = shown;
    look.out.fix = setting;
    look.out.fix.canApply = setting.canApply && sql.isEmpty();
    look.out.fix.platform = platformOf(look);
    look.out.fix.sql = setting.sql + sql;
    look.out.fix.privilege = setting.privilege.isEmpty()
                                 ? privilege
                                 : setting.privilege + QLatin1String(", ") + privilege;
    look.out.fix.text = cwText("core", "Run by an administrator of this server.");
    const Text found = cwText("core",
                              "Needed to create %1 objects with their definers, and missing: "
                              "%2.",
                              static_cast<qint64>(shown.size()), someOf(missing));
    return look.block(found);
}

} // namespace

Result<QStringList> definerRights(ServerContext &here, const std::vector<ObjectBrief> &objects,
                                  const QString &self, std::stop_token stop)
{
    QStringList out;
    if (std::all_of(objects.begin(), objects.end(),
                    [&](const ObjectBrief &o) { return o.definer == self; }))
        return out;
    CW_TRY_ASSIGN(const auto *facts, here.facts(stop));
    if (facts->isMariaDb) {
        out << (facts->versionNumber >= 100502 ? QStringLiteral("SET USER")
                                               : QStringLiteral("SUPER"));
        return out;
    }
    out << (facts->versionNumber >= 80200   ? QStringLiteral("SET_ANY_DEFINER")
            : facts->versionNumber >= 80000 ? QStringLiteral("SET_USER_ID")
                                            : QStringLiteral("SUPER"));
    if (facts->versionNumber < 80016)
        return out;
    // What the target lacks of definers is left out there (mysql-definers), so that only the
    // source, which must take back what it had, has to do with them.
    const QSet<QString> system = systemAccounts(here, stop);
    const auto accounts = here.accounts(stop);
    bool asSystem = false, dangling = false;
    for (const ObjectBrief &o : objects) {
        asSystem = asSystem || (o.definer != self && system.contains(o.definer));
        dangling = dangling || (accounts && !(*accounts)->contains(o.definer));
    }
    if (here.side() == Side::Target)
        return out;
    if (asSystem)
        out << QStringLiteral("SYSTEM_USER");
    if (dangling && facts->versionNumber >= 80200)
        out << QStringLiteral("ALLOW_NONEXISTENT_DEFINER");
    return out;
}

namespace {

/// On the source: definers that are dangling already. On the target: those that are missing there.
Status lookDefiners(Look &look)
{
    const bool target = look.here.side() == Side::Target;
    ServerContext &source = target ? *look.other : look.here;
    CW_TRY_ASSIGN(const auto *objects, source.objects(look.stop));
    if (objects->empty())
        return look.pass(cwText("core", "No views, routines, triggers or events."));
    const auto read = look.here.accounts(look.stop);
    if (!read && (read.error().number == 1142 || read.error().number == 1143)) {
        CW_TRY_ASSIGN(const auto *mine, look.here.grants(look.stop));
        look.out.fix = sqlFix(
            look,
            {QStringLiteral("GRANT SELECT (User, Host) ON mysql.user TO %1;").arg(mine->account)},
            cwText("core", "Run by an administrator: it shows the names of accounts, not their "
                           "passwords."),
            QStringLiteral("GRANT OPTION"));
        return look.unknown(
            cwText("core", "%1 may not see which accounts there are.", mine->account));
    }
    CW_TRY_ASSIGN(const auto *accounts, read);
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    CW_TRY_ASSIGN(const QString partial, look.here.variable("partial_revokes", look.stop));
    QMap<QString, QStringList> missing, schemas;
    for (const ObjectBrief &o : *objects) {
        // A role as definer (MariaDB) has no host.
        if (!o.definer.contains(QLatin1Char('@')) || accounts->contains(o.definer))
            continue;
        missing[o.definer] << o.display();
        const QString schema = target ? look.options.selection.schemaOnTarget(o.schema) : o.schema;
        if (!schemas[o.definer].contains(schema))
            schemas[o.definer] << schema;
    }
    if (missing.isEmpty())
        return look.pass(cwText("core", "Every definer exists."));
    // A password that nobody knows, where the server can make one: rules for passwords may refuse
    // an empty one even of a locked account.
    const QString secret = !facts->isMariaDb && facts->versionNumber >= 80018
                               ? QStringLiteral(" IDENTIFIED BY RANDOM PASSWORD")
                               : QString();
    const bool canLock = !facts->isMariaDb || facts->versionNumber >= 100402;
    QStringList sql;
    for (auto it = missing.cbegin(); it != missing.cend(); ++it) {
        look.out.objects += it.value();
        const QString account = quoteAccount(it.key());
        sql << QStringLiteral("CREATE USER %1%2%3;")
                   .arg(account, secret, canLock ? QStringLiteral(" ACCOUNT LOCK") : QString());
        for (const QString &schema : schemas.value(it.key()))
            sql << QStringLiteral("GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON %1 TO %2;")
                       .arg(grantScope(schema, partial != QLatin1String("ON")), account);
    }
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Creates the accounts, locked, so that nobody can sign in "
                                         "with them."),
                          QStringLiteral("CREATE USER, GRANT OPTION"));
    return look.warn(cwText("core", "Definers that do not exist: %1.", someOf(missing.keys())));
}

} // namespace

void addGrantChecks(CheckList &list)
{
    const QString grants = QStringLiteral("SHOW GRANTS FOR CURRENT_USER()");
    const QString definers = QStringLiteral(
        "SELECT definer FROM information_schema.views WHERE table_schema IN ({db}) "
        "UNION SELECT definer FROM information_schema.triggers WHERE trigger_schema IN "
        "({db}) UNION SELECT definer FROM information_schema.events WHERE "
        "event_schema IN ({db}) UNION SELECT definer FROM "
        "information_schema.routines WHERE routine_schema IN ({db})");
    list.add({.id = QStringLiteral("mysql-grants"),
              .on = On::Both,
              .title = cwText("core", "Privileges"),
              .needed = cwText("core", "What the steps of this migration need."),
              .why = cwText("core", "Better to know now than in the middle."),
              .sql = {grants},
              .look = lookGrants});
    list.add({.id = QStringLiteral("mysql-reverse-grants"),
              .on = On::Both,
              .title = cwText("core", "Privileges for the way back"),
              .needed = cwText("core", "The target's log can be read, the old source written."),
              .why = cwText("core", "After the switch the old source follows the target, so that "
                                    "going back loses nothing."),
              .acceptable = true,
              .onlyLive = true,
              .sql = {grants},
              .look = lookReverseGrants});
    list.add(
        {.id = QStringLiteral("mysql-trigger-rights"),
         .on = On::Both,
         .title = cwText("core", "Creating triggers, events and routines"),
         .needed = cwText("core", "The account can create them with their definers."),
         .why = cwText("core", "A server lets one drop a trigger that one may not create again: "
                               "it could not be put back, or would be missing on the target."),
         .acceptable = true,
         .sql = {grants, QStringLiteral("SHOW GLOBAL VARIABLES LIKE "
                                        "'log_bin_trust_function_creators'")},
         .look = lookTriggerRights});
    list.add(
        {.id = QStringLiteral("mysql-definers"),
         .on = On::Both,
         .title = cwText("core", "Definers"),
         .needed = cwText("core", "Every account that an object of the source names exists."),
         .why = cwText("core", "A view, routine, trigger or event whose definer is missing fails "
                               "when it is used."),
         .blocking = false,
         .sql = {definers, QStringLiteral("SELECT CONCAT(user,'@',host) FROM mysql.user")},
         .look = lookDefiners});
}

} // namespace causeway::mysql
