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
    return forecast.kind == QLatin1String("triggers") ? look.info(forecast.words())
                                                      : look.pass(forecast.words());
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
}

} // namespace causeway::mysql
