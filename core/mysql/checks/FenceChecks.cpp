#include "mysql/checks/Fixes.h"
#include "mysql/checks/Needs.h"

namespace causeway::mysql {

namespace {

QStringList grantLines(const QStringList &rights, const QString &account)
{
    QStringList out;
    for (const QString &right : rights) // "RELOAD ON *.*"
        out << QStringLiteral("GRANT %1 TO %2;").arg(right, account);
    return out;
}

/// The tables of a target are not there yet: those of the source, under their names to be.
Result<SealFacts> factsFor(Look &look)
{
    CW_TRY_ASSIGN(const auto *read, look.here.sealFacts(look.stop));
    SealFacts f = *read;
    if (look.here.side() == Side::Target && look.other) {
        CW_TRY_ASSIGN(const auto *tables, look.other->tables(look.stop));
        f.tables.clear();
        for (const TableBrief &t : *tables) {
            if (t.type != QLatin1String("SEQUENCE"))
                f.tables.push_back(look.options.selection.onTarget(t.name));
        }
    }
    return f;
}

/// What would make `choice` possible, as the finding's fix.
void mend(Look &look, const QString &account, const QStringList &missing, bool trust)
{
    Fix fix;
    if (trust) {
        fix = settingFix(
            look, {{QStringLiteral("log_bin_trust_function_creators"), QStringLiteral("ON")}});
        fix.canApply = fix.canApply && missing.isEmpty();
    }
    fix.platform = platformOf(look);
    fix.sql += grantLines(missing, account);
    if (!missing.isEmpty())
        fix.privilege = fix.privilege.isEmpty() ? QStringLiteral("GRANT OPTION")
                                                : fix.privilege + QStringLiteral(", GRANT OPTION");
    look.out.fix = fix;
}

Status lookFence(Look &look)
{
    CW_TRY_ASSIGN(const auto *mine, look.here.grants(look.stop));
    CW_TRY_ASSIGN(const SealFacts facts, factsFor(look));
    const FenceKind wish = look.here.fenceKind();
    const SealChoice choice = chooseSeal(facts, wish);
    const FenceForecast forecast = forecastOf(facts, choice);
    look.out.objects = facts.others;
    if (choice.kind.isEmpty()) {
        mend(look, mine->account, choice.missing, choice.needsTrust);
        look.out.fix.text =
            cwText("core", "Run by an administrator of this server, or let \"causeway-cli "
                           "user-script\" print a whole account.");
        return look.block(choice.limitation);
    }
    if (forecast.closesOthers() && wish == FenceKind::Auto) {
        const bool trust = facts.untrusted && !facts.grants.has(QStringLiteral("SUPER"));
        mend(look, mine->account, missingForTriggers(facts), trust);
        look.out.fix.text =
            cwText("core", "With what is missing only the tables that move are closed. Or accept "
                           "it, or say --fence read_only, if nobody needs to write elsewhere on "
                           "this server meanwhile.");
        look.out.why = choice.instead;
        return look.block(forecast.words());
    }
    if (forecast.closesOthers()) {
        look.out.fix.text = cwText("core", "With --fence triggers only the tables that move are "
                                           "closed.");
        return look.warn(forecast.words());
    }
    if (forecast.forgotten)
        return look.warn(forecast.words());
    return forecast.kind == QLatin1String("triggers") ? look.info(forecast.words())
                                                      : look.pass(forecast.words());
}

/// Accounts that this server's read_only does not stop, other than ours.
Status lookPrivilegedAccounts(Look &look)
{
    CW_TRY_ASSIGN(const SealFacts facts, factsFor(look));
    if (chooseSeal(facts, look.here.fenceKind()).kind == QLatin1String("triggers"))
        return look.pass(cwText("core", "It is closed by triggers, which stop every account but "
                                        "Causeway's."));
    CW_TRY_ASSIGN(const auto *known, look.here.serverAccounts(look.stop));
    CW_TRY_ASSIGN(const auto *sessions, look.here.clientSessions(look.stop));
    QStringList used;
    for (const ClientSession &c : *sessions) {
        const ServerAccount *account = known->signedInAs(c.user, c.host);
        if (account && account->privileged && !account->locked && !used.contains(account->name()))
            used << account->name();
    }
    QStringList idle;
    const QString own = look.here.address().user;
    for (const ServerAccount &a : known->all()) {
        if (a.privileged && !a.locked && a.user != own && !used.contains(a.name()) &&
            !a.user.startsWith(QLatin1String("mysql.")) && a.user != QLatin1String("mariadb.sys"))
            idle << a.name();
    }
    look.out.objects = used + idle;
    if (used.isEmpty() && idle.isEmpty())
        return look.pass(cwText("core", "No account but Causeway's may write under read_only."));
    CW_TRY_ASSIGN(const auto *mine, look.here.grants(look.stop));
    const bool mayLock = known->canBeLocked() && mine->grants.has(QStringLiteral("CREATE USER"));
    look.out.fix.platform = platformOf(look);
    look.out.fix.text =
        mayLock ? cwText("core", "Those that are seen writing are locked for the time of the "
                                 "switch and their sessions ended; name others with "
                                 "--lock-account. Better: give the application an account "
                                 "without such privileges, or close the tables with --fence "
                                 "triggers, which stops every account.")
                : cwText("core", "Give the application an account without such privileges, or "
                                 "close the tables with --fence triggers, which stops every "
                                 "account. With CREATE USER, Causeway could lock them for the "
                                 "time of the switch.");
    if (used.isEmpty())
        return look.info(cwText("core",
                                "These accounts may write under read_only, and are not "
                                "connected now: %1.",
                                someOf(idle)));
    return look.warn(cwText("core", "Connected with an account that may write under read_only: %1.",
                            someOf(used)));
}

} // namespace

void addFenceChecks(CheckList &list)
{
    list.add(
        {.id = QStringLiteral("mysql-fence"),
         .on = On::Both,
         .title = cwText("core", "Closing it for writes"),
         .needed = cwText("core", "A way to close what moves, and nothing else."),
         .why = cwText("core", "At the switch nobody may write on the old side any more; until "
                               "then nobody but Causeway on the target."),
         .acceptable = true,
         .sql = {QStringLiteral("SHOW GRANTS FOR CURRENT_USER()"),
                 QStringLiteral("SELECT table_schema, table_name FROM "
                                "information_schema.tables"),
                 QStringLiteral("SELECT @@log_bin, "
                                "@@global.log_bin_trust_function_creators")},
         .look = lookFence});
    list.add({.id = QStringLiteral("mysql-privileged-accounts"),
              .on = On::Both,
              .title = cwText("core", "Accounts that read_only does not stop"),
              .needed = cwText("core", "The application uses none of them."),
              .why = cwText("core", "Whoever has SUPER, CONNECTION_ADMIN or READ ONLY ADMIN goes "
                                    "on writing on the closed side, and those rows would be "
                                    "lost. On MariaDB GRANT ALL holds it."),
              .blocking = false,
              .sql = {QStringLiteral("SELECT grantee FROM information_schema.user_privileges WHERE "
                                     "privilege_type IN ('SUPER', 'CONNECTION_ADMIN', "
                                     "'READ_ONLY ADMIN')"),
                      QStringLiteral("SHOW FULL PROCESSLIST")},
              .look = lookPrivilegedAccounts});
}

} // namespace causeway::mysql
