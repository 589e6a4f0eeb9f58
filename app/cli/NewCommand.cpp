#include "cli/Arguments.h"
#include "cli/Commands.h"
#include "cli/Output.h"
#include "cli/Standing.h"
#include "engine/Engine.h"
#include "journal/Journal.h"

namespace causeway::cli {

namespace {
Result<int> create(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("new"),
                   QStringLiteral("Writes a migration file; connects to nothing (but the source "
                                  "where a schema is given as a wildcard), changes nothing."));
    args.positional(QStringLiteral("FILE"), QStringLiteral("NAME.causeway, made by this"));
    args.option(QStringLiteral("source"), QStringLiteral("source server"), QStringLiteral("URL"));
    args.option(QStringLiteral("target"), QStringLiteral("target server"), QStringLiteral("URL"));
    args.option(QStringLiteral("source-writer"),
                QStringLiteral("the primary, where the source is a replica"),
                QStringLiteral("URL"));
    args.option(QStringLiteral("source-from-target"),
                QStringLiteral("the source as the target reaches it"), QStringLiteral("URL"));
    args.option(QStringLiteral("target-from-source"),
                QStringLiteral("the target as the source reaches it"), QStringLiteral("URL"));
    args.option(QStringLiteral("tables"),
                QStringLiteral("what moves: SCHEMA.TABLE with * and ?, ! leaves out (repeatable); "
                               "without it all of the source URL's database"),
                QStringLiteral("PATTERN"));
    args.option(QStringLiteral("rename"), QStringLiteral("OLD=NEW schema name (repeatable)"),
                QStringLiteral("A=B"));
    args.option(QStringLiteral("route"), QStringLiteral("auto (default), relay or native"),
                QStringLiteral("ROUTE"));
    args.option(QStringLiteral("mode"),
                QStringLiteral("live (default), or once: the source is closed during the copy"),
                QStringLiteral("MODE"));
    args.option(QStringLiteral("workers"), QStringLiteral("parallel sessions (default 4)"),
                QStringLiteral("N"));
    args.option(QStringLiteral("on-switched"),
                QStringLiteral("command run at the switch before the new leader opens"),
                QStringLiteral("CMD"));
    args.option(QStringLiteral("on-before-switch"),
                QStringLiteral("command run before writes are held"), QStringLiteral("CMD"));
    args.option(QStringLiteral("one-way"),
                QStringLiteral("accept that there will be no way back after the switch"));
    addFenceOptions(args);
    args.option(QStringLiteral("json"), QStringLiteral("errors as JSON"));
    CW_TRY(args.parse(arguments));
    CW_TRY_ASSIGN(const QString path, args.required(0));

    Settings s;
    CW_TRY_ASSIGN(const QString sourceUrl, args.requiredOption(QStringLiteral("source")));
    CW_TRY_ASSIGN(const QString targetUrl, args.requiredOption(QStringLiteral("target")));
    CW_TRY_ASSIGN(s.source.fromHere, storedAddressFrom(sourceUrl, Side::Source));
    CW_TRY_ASSIGN(s.target.fromHere, storedAddressFrom(targetUrl, Side::Target));
    if (s.source.fromHere.isMySqlFamily() != s.target.fromHere.isMySqlFamily()) {
        return fail(ErrorCode::Usage,
                    cwText("cli", "Source and target are different engines; Causeway moves MySQL "
                                  "and MariaDB among each other, and PostgreSQL to PostgreSQL."));
    }
    if (s.source.fromHere.display().compare(s.target.fromHere.display(), Qt::CaseInsensitive) ==
        0) {
        return fail(ErrorCode::Usage,
                    cwText("cli",
                           "Source and target are one and the same server, %1: its own fence would "
                           "shut both sides.",
                           s.source.fromHere.display()),
                    QStringLiteral("same-server"));
    }
    if (args.isSet(QStringLiteral("source-writer"))) {
        CW_TRY_ASSIGN(s.source.writer,
                      storedAddressFrom(args.value(QStringLiteral("source-writer")), Side::Source));
        CW_TRY(checkWriter(s.source));
    }
    if (args.isSet(QStringLiteral("source-from-target"))) {
        CW_TRY_ASSIGN(
            s.source.fromPeer,
            storedAddressFrom(args.value(QStringLiteral("source-from-target")), Side::Source));
    }
    if (args.isSet(QStringLiteral("target-from-source"))) {
        CW_TRY_ASSIGN(
            s.target.fromPeer,
            storedAddressFrom(args.value(QStringLiteral("target-from-source")), Side::Target));
    }
    CW_TRY_ASSIGN(s.route, routeFrom(args, s.source.fromHere.engine));
    CW_TRY_ASSIGN(const bool once, onceFrom(args));
    s.mode = once ? Mode::Once : Mode::Live;
    if (s.source.fromHere.engine == Engine::Postgres) {
        if (s.route == QLatin1String("relay")) {
            return fail(ErrorCode::Usage, cwText("cli", "The relay route is not built for "
                                                        "PostgreSQL: use --route native."));
        }
        if (once)
            return fail(ErrorCode::Usage, cwText("cli", "Mode once is not built for PostgreSQL."));
        if (args.isSet(QStringLiteral("rename"))) {
            return fail(ErrorCode::Usage,
                        cwText("cli", "Schemas of PostgreSQL cannot be renamed on the way: "
                                      "replication knows a table by one name. Rename afterwards "
                                      "with ALTER SCHEMA."));
        }
    }
    if (args.isSet(QStringLiteral("workers"))) {
        bool ok = false;
        s.workers = args.value(QStringLiteral("workers")).toInt(&ok);
        if (!ok || s.workers < 1 || s.workers > 64) {
            return fail(ErrorCode::Usage, cwText("cli", "--workers takes a number from 1 to 64."));
        }
    }
    s.onSwitched = args.value(QStringLiteral("on-switched"));
    s.onBeforeSwitch = args.value(QStringLiteral("on-before-switch"));
    CW_TRY_ASSIGN(const FenceWishes wishes, fenceWishesFrom(args));
    s.fence = wishes.fence;
    s.targetFence = wishes.targetFence;
    s.lockAccounts = wishes.lockAccounts;
    s.oneWayAccepted = args.isSet(QStringLiteral("one-way"));
    Address source = s.source.fromHere;
    bool needsConnection = false;
    for (const QString &pattern : args.values(QStringLiteral("tables")))
        needsConnection |= needsSchemaNames(pattern);
    if (needsConnection) {
        CW_TRY_ASSIGN(source, addressFrom(sourceUrl, Side::Source));
    }
    CW_TRY_ASSIGN(s.selection,
                  selectionFrom(args.values(QStringLiteral("tables")),
                                args.values(QStringLiteral("rename")), source, s.target.fromHere));
    CW_TRY_ASSIGN(const auto journal, Journal::create(path, s));
    CW_TRY_ASSIGN(const Settings stored, journal->settings());
    out.say(QStringLiteral("%1: migration %2 of %3 from %4 to %5.")
                .arg(path, stored.id,
                     s.selection.schemas.isEmpty() ? QStringLiteral("everything")
                                                   : s.selection.schemas.join(QStringLiteral(", ")),
                     s.source.fromHere.display(), s.target.fromHere.display()));
    Standing standing;
    standing.file = path;
    standing.settings = stored;
    for (const QString &line : standing.next())
        out.say(QStringLiteral("Next: ") + line);
    return Exit::Done;
}
} // namespace

int newCommand(const QStringList &arguments)
{
    return guarded(create, arguments);
}

} // namespace causeway::cli
