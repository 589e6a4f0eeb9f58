#include "cli/Arguments.h"
#include "cli/Commands.h"
#include "cli/Output.h"
#include "cli/Standing.h"
#include "endpoint/NewPassword.h"
#include "engine/Engine.h"
#include "preflight/FixPlan.h"
#include "report/Report.h"

#include <QFile>

namespace causeway::cli {

namespace {
void printFinding(const Output &out, const Finding &f, bool accepted)
{
    QString mark = toString(f.status);
    if (accepted)
        mark += QStringLiteral(", accepted");
    const QString where = f.server.isEmpty()
                              ? toString(f.side)
                              : QStringLiteral("%1, replica %2").arg(toString(f.side), f.server);
    out.say(QStringLiteral("[%1] %2 (%3): %4").arg(mark, f.id, where, f.title.english()));
    if (f.status == FindingStatus::Pass || f.status == FindingStatus::Skipped)
        return;
    const auto line = [&](const char *name, const QString &text) {
        if (!text.isEmpty())
            out.say(QStringLiteral("    %1 %2").arg(QLatin1String(name), -8).arg(text));
    };
    line("found", f.found.english());
    line("needed", f.needed.english());
    line("why", f.why.english());
    if (!f.objects.isEmpty()) {
        constexpr qsizetype kShown = 10;
        QString names = f.objects.mid(0, kShown).join(QStringLiteral(", "));
        if (f.objects.size() > kShown)
            names += QStringLiteral(" and %1 more").arg(f.objects.size() - kShown);
        line("objects", names);
    }
    line("fix", f.fix.text.english());
    for (const QString &sql : f.fix.sql)
        line("sql", sql);
    for (const QString &config : f.fix.config)
        line("config", config);
    for (const QString &command : f.fix.command)
        line("command", command);
    if (f.fix.restart)
        line("note", QStringLiteral("takes effect after a restart"));
    line("needs", f.fix.privilege);
    if (f.fix.canApply)
        line("apply", QStringLiteral("causeway-cli check --apply %1 ...").arg(f.id));
}

QString effortText(FixPlan::Effort effort)
{
    switch (effort) {
    case FixPlan::Effort::UnderAnHour:
        return QStringLiteral("under an hour");
    case FixPlan::Effort::Hours:
        return QStringLiteral("one to four hours");
    case FixPlan::Effort::More:
        break;
    }
    return QStringLiteral("more than four hours");
}

/// Everything for one server in one go. A single finding says that itself.
void printPlan(const Output &out, const FixPlan &plan)
{
    QStringList ids;
    for (const FixPlan::Step &s : plan.steps)
        ids += s.findings;
    ids.removeDuplicates();
    if (ids.size() < 2)
        return;
    out.say(plan.side == FindingSide::Pair
                ? QStringLiteral("To mend what concerns both servers, in this order:")
                : QStringLiteral("To mend the %1, %2, in this order:")
                      .arg(toString(plan.side), plan.server));
    int number = 0;
    for (const FixPlan::Step &s : plan.steps) {
        out.say(QStringLiteral("  %1. %2 (%3; %4%5)")
                    .arg(++number)
                    .arg(s.text.english(), s.findings.join(QStringLiteral(", ")),
                         effortText(s.effort),
                         s.restart ? QStringLiteral("; restarts the server") : QString()));
        for (const QStringList &lines : {s.sql, s.config, s.command}) {
            for (const QString &line : lines)
                out.say(QStringLiteral("         ") + line);
        }
        if (!s.privilege.isEmpty())
            out.say(QStringLiteral("     needs %1").arg(s.privilege));
    }
    out.say(QStringLiteral("  %1. Check again.").arg(++number));
}

void printServer(const Output &out, const char *side, const std::optional<ServerFacts> &facts,
                 const QString &address)
{
    if (!facts)
        return;
    out.say(QStringLiteral("%1  %2: %3 %4, %5, %6")
                .arg(QLatin1String(side), address, facts->product, facts->version,
                     toString(facts->platform),
                     facts->tlsVersion.isEmpty() ? cwText("cli", "not encrypted").translated()
                                                 : facts->tlsVersion));
}

/// The last words: what has to be mended, and what may be waved through.
QString verdictText(const CheckReport &report, const QStringList &accepted)
{
    const QString verdict = report.verdict(accepted);
    if (verdict == QLatin1String("ready"))
        return cwText("cli", "Ready.").translated();
    int warnings = 0;
    QStringList blocking, acceptable;
    for (const Finding &f : report.findings) {
        const bool waved = f.acceptable && accepted.contains(f.id);
        const bool blocks =
            f.status == FindingStatus::Blocker ||
            (f.status == FindingStatus::Unknown && f.blocksMigration && report.target);
        if (f.status == FindingStatus::Warning || f.status == FindingStatus::Unknown || waved)
            ++warnings;
        if (!blocks || waved)
            continue;
        if (!blocking.contains(f.id))
            blocking << f.id;
        if (f.acceptable && !acceptable.contains(f.id))
            acceptable << f.id;
    }
    if (verdict == QLatin1String("warnings"))
        return cwText("cli", "Ready, with warnings (%1).", warnings).translated();
    QString text =
        cwText("cli", "Blocked by %1.", blocking.join(QStringLiteral(", "))).translated();
    if (!acceptable.isEmpty())
        text += QLatin1Char(' ') + cwText("cli", "Can be accepted (--accept ID): %1.",
                                          acceptable.join(QStringLiteral(", ")))
                                       .translated();
    return text;
}

Result<DataScanOptions> dataFrom(const Arguments &args)
{
    DataScanOptions data;
    data.wanted = args.isSet(QStringLiteral("data"));
    const auto number = [&](const QString &name, qint64 unset) -> Result<qint64> {
        if (!args.isSet(name))
            return unset;
        bool ok = false;
        const qint64 n = args.value(name).toLongLong(&ok);
        if (!ok || n < 1 || n > 1'000'000'000) {
            return fail(ErrorCode::Usage, cwText("cli", "--%1 takes a number from 1 on.", name));
        }
        if (!data.wanted)
            return fail(ErrorCode::Usage,
                        cwText("cli", "--%1 says something with --data only.", name));
        return n;
    };
    CW_TRY_ASSIGN(data.rowLimit, number(QStringLiteral("data-limit"), data.rowLimit));
    CW_TRY_ASSIGN(const qint64 seconds,
                  number(QStringLiteral("data-timeout"), data.timeout.count() / 1000));
    data.timeout = std::chrono::seconds(seconds);
    return data;
}

Result<int> check(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("check"),
                   QStringLiteral("Says whether a source (and a target) is ready, and how to mend "
                                  "what is not. Writes nothing, unless --probes or --apply."));
    args.option(QStringLiteral("source"), QStringLiteral("source server"), QStringLiteral("URL"));
    args.option(QStringLiteral("source-writer"),
                QStringLiteral("the primary, where the source is a replica"),
                QStringLiteral("URL"));
    args.option(QStringLiteral("target"), QStringLiteral("target server"), QStringLiteral("URL"));
    args.option(QStringLiteral("target-kind"),
                QStringLiteral("kind of target, where it does not exist yet: planetscale, "
                               "aurora-mysql, rds-mysql, cloudsql-mysql, aurora-postgres"),
                QStringLiteral("KIND"));
    args.option(QStringLiteral("tables"),
                QStringLiteral("what moves: SCHEMA.TABLE with * and ?, ! leaves out (repeatable)"),
                QStringLiteral("PATTERN"));
    args.option(QStringLiteral("rename"), QStringLiteral("OLD=NEW schema name (repeatable)"),
                QStringLiteral("A=B"));
    args.option(QStringLiteral("mode"), QStringLiteral("live (default) or once"),
                QStringLiteral("MODE"));
    args.option(QStringLiteral("route"), QStringLiteral("auto (default), relay or native"),
                QStringLiteral("ROUTE"));
    addFenceOptions(args);
    args.option(QStringLiteral("one-way"),
                QStringLiteral("there need be no way back after the switch"));
    args.option(QStringLiteral("probes"),
                QStringLiteral("also run the functional probes, which write"));
    args.option(QStringLiteral("data"),
                QStringLiteral("also look at the rows: zero dates, invalid values and texts, keys "
                               "that collide, rows too large (only reads)"));
    args.option(QStringLiteral("data-limit"),
                QStringLiteral("with --data: rows of each table that are looked at (100000)"),
                QStringLiteral("ROWS"));
    args.option(QStringLiteral("data-timeout"),
                QStringLiteral("with --data: time for each kind of look (60)"),
                QStringLiteral("SECONDS"));
    args.option(QStringLiteral("accept"),
                QStringLiteral("count this finding as accepted (repeatable)"),
                QStringLiteral("ID"));
    args.option(QStringLiteral("apply"), QStringLiteral("run the fix of this finding"),
                QStringLiteral("ID"));
    args.option(QStringLiteral("print-sql"),
                QStringLiteral("print the queries that would be run, and run nothing"));
    args.option(QStringLiteral("json"), QStringLiteral("result as JSON on standard output"));
    args.option(QStringLiteral("html"), QStringLiteral("write the result as HTML"),
                QStringLiteral("FILE"));
    CW_TRY(args.parse(arguments));

    Endpoint source;
    CW_TRY_ASSIGN(const QString sourceUrl, args.requiredOption(QStringLiteral("source")));
    CW_TRY_ASSIGN(source.fromHere, addressFrom(sourceUrl, Side::Source));
    if (args.isSet(QStringLiteral("source-writer"))) {
        CW_TRY_ASSIGN(source.writer,
                      addressFrom(args.value(QStringLiteral("source-writer")), Side::Source));
    }
    std::optional<Endpoint> target;
    if (args.isSet(QStringLiteral("target"))) {
        target.emplace();
        CW_TRY_ASSIGN(target->fromHere,
                      addressFrom(args.value(QStringLiteral("target")), Side::Target));
    }
    CheckOptions options;
    CW_TRY_ASSIGN(options.selection,
                  selectionFrom(args.values(QStringLiteral("tables")),
                                args.values(QStringLiteral("rename")), source.fromHere,
                                target ? std::optional(target->fromHere) : std::nullopt));
    if (args.isSet(QStringLiteral("target-kind"))) {
        if (target) {
            return fail(ErrorCode::Usage,
                        cwText("cli", "--target-kind is for a target that does not exist yet; with "
                                      "--target the server itself is asked."));
        }
        CW_TRY_ASSIGN(options.targetKind,
                      targetKindFrom(args.value(QStringLiteral("target-kind"))));
    }
    CW_TRY_ASSIGN(const FenceWishes wishes, fenceWishesFrom(args));
    options.fence = wishes.fence;
    options.targetFence = wishes.targetFence;
    options.lockAccounts = wishes.lockAccounts;
    options.oneWay = args.isSet(QStringLiteral("one-way"));
    options.probes = args.isSet(QStringLiteral("probes"));
    CW_TRY_ASSIGN(options.data, dataFrom(args));
    if (options.data.wanted && !source.fromHere.isMySqlFamily()) {
        return fail(ErrorCode::Usage,
                    cwText("cli", "--data is for MySQL and MariaDB: PostgreSQL lets no such value "
                                  "in."));
    }
    CW_TRY_ASSIGN(options.once, onceFrom(args));
    if (options.once && !source.fromHere.isMySqlFamily())
        return fail(ErrorCode::Usage, cwText("cli", "Mode once is not built for PostgreSQL."));
    CW_TRY_ASSIGN(options.route, routeFrom(args, source.fromHere.engine));
    CW_TRY_ASSIGN(const QStringList accepted, acceptedFrom(args, source.fromHere.engine));

    if (args.isSet(QStringLiteral("print-sql"))) {
        CW_TRY_ASSIGN(const QStringList sql, preflightSql(source, target, options, {}));
        for (const QString &line : sql)
            out.say(line);
        return Exit::Done;
    }
    if (args.isSet(QStringLiteral("apply"))) {
        CW_TRY_ASSIGN(const AppliedFix done,
                      applyFix(source, target, options, args.value(QStringLiteral("apply")), {}));
        if (done.ran) {
            // What was there before, for whoever wants it back.
            out.say(QStringLiteral("before: %1").arg(done.before.found.english()));
            for (const QString &sql : done.before.fix.sql)
                out.say(QStringLiteral("ran:    %1").arg(sql));
        }
        const Finding &after = done.after;
        printFinding(out, after, false);
        return after.status == FindingStatus::Blocker ? Exit::NotReady : Exit::Done;
    }
    CW_TRY_ASSIGN(const CheckReport report, runPreflight(source, target, options, {}, {}));
    if (args.isSet(QStringLiteral("html"))) {
        CW_TRY(writeFile(args.value(QStringLiteral("html")), checkReportHtml(report, accepted)));
    }
    const QString verdict = report.verdict(accepted);
    if (out.json()) {
        out.emitJson(report.toJson(accepted));
    } else {
        printServer(out, "source", report.source, report.sourceAddress);
        printServer(out, "target", report.target, report.targetAddress);
        for (const FindingStatus status :
             {FindingStatus::Pass, FindingStatus::Skipped, FindingStatus::Info,
              FindingStatus::Warning, FindingStatus::Unknown, FindingStatus::Blocker}) {
            for (const Finding &f : report.findings) {
                if (f.status == status)
                    printFinding(out, f, f.acceptable && accepted.contains(f.id));
            }
        }
        for (const FixPlan &plan : fixPlans(report, accepted))
            printPlan(out, plan);
        out.say(verdictText(report, accepted));
        if (target && verdict != QLatin1String("blocked"))
            out.say(cwText("cli",
                           "Next: causeway-cli new NAME.causeway --source %1 --target %2   "
                           "(and what else was said here)",
                           shellWord(source.fromHere.toUrl()), shellWord(target->fromHere.toUrl()))
                        .translated());
    }
    return verdict == QLatin1String("blocked") ? Exit::NotReady : Exit::Done;
}

Result<int> userScript(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("user-script"),
                   QStringLiteral("Prints the SQL that creates an account with just the rights "
                                  "that this migration needs."));
    args.option(QStringLiteral("source"), QStringLiteral("source server"), QStringLiteral("URL"));
    args.option(QStringLiteral("target"), QStringLiteral("target server"), QStringLiteral("URL"));
    args.option(QStringLiteral("tables"), QStringLiteral("what moves"), QStringLiteral("PATTERN"));
    args.option(QStringLiteral("rename"), QStringLiteral("OLD=NEW"), QStringLiteral("A=B"));
    addFenceOptions(args);
    args.option(QStringLiteral("account"), QStringLiteral("name of the account (causeway)"),
                QStringLiteral("NAME"));
    args.option(QStringLiteral("json"), QStringLiteral("errors as JSON"));
    CW_TRY(args.parse(arguments));
    Endpoint source;
    CW_TRY_ASSIGN(const QString sourceUrl, args.requiredOption(QStringLiteral("source")));
    CW_TRY_ASSIGN(source.fromHere, addressFrom(sourceUrl, Side::Source));
    std::optional<Endpoint> target;
    if (args.isSet(QStringLiteral("target"))) {
        target.emplace();
        CW_TRY_ASSIGN(target->fromHere,
                      addressFrom(args.value(QStringLiteral("target")), Side::Target));
    }
    CW_TRY_ASSIGN(const Selection selection,
                  selectionFrom(args.values(QStringLiteral("tables")),
                                args.values(QStringLiteral("rename")), source.fromHere,
                                target ? std::optional(target->fromHere) : std::nullopt));
    const QString account = args.isSet(QStringLiteral("account"))
                                ? args.value(QStringLiteral("account"))
                                : QStringLiteral("causeway");
    CheckOptions options;
    options.selection = selection;
    CW_TRY_ASSIGN(const FenceWishes wishes, fenceWishesFrom(args));
    options.fence = wishes.fence;
    options.targetFence = wishes.targetFence;
    options.lockAccounts = wishes.lockAccounts;
    CW_TRY_ASSIGN(const QStringList onSource,
                  causeway::userScript(source, Side::Source, options, account, {}));
    out.say(QStringLiteral("-- On the source, %1").arg(source.fromHere.display()));
    // One account, one password; kept nowhere but by whoever reads this.
    const auto withPassword = [password = newPassword()](const QStringList &lines) {
        return lines.join(QLatin1Char('\n')).replace(QLatin1String("${password}"), password);
    };
    out.say(withPassword(onSource));
    if (target) {
        CW_TRY_ASSIGN(const QStringList onTarget,
                      causeway::userScript(*target, Side::Target, options, account, {}));
        out.say(QStringLiteral("-- On the target, %1").arg(target->fromHere.display()));
        out.say(withPassword(onTarget));
    }
    return Exit::Done;
}
} // namespace

int checkCommand(const QStringList &arguments)
{
    return guarded(check, arguments);
}

int userScriptCommand(const QStringList &arguments)
{
    return guarded(userScript, arguments);
}

} // namespace causeway::cli
