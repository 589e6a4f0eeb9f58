#include "cli/Arguments.h"
#include "cli/Commands.h"
#include "cli/Output.h"
#include "engine/Migration.h"

namespace causeway::cli {

namespace {
Result<int> unfenceServers(const QStringList &arguments, Output &out)
{
    Arguments args(QStringLiteral("unfence"),
                   QStringLiteral("Opens a source that an interrupted switch left closed. Works "
                                  "without the migration's file; refuses once the target leads."));
    args.option(QStringLiteral("source"), QStringLiteral("source server"), QStringLiteral("URL"));
    args.option(QStringLiteral("target"), QStringLiteral("target server"), QStringLiteral("URL"));
    args.option(QStringLiteral("json"), QStringLiteral("errors as JSON"));
    CW_TRY(args.parse(arguments));
    Endpoint source, target;
    CW_TRY_ASSIGN(const QString sourceUrl, args.requiredOption(QStringLiteral("source")));
    CW_TRY_ASSIGN(const QString targetUrl, args.requiredOption(QStringLiteral("target")));
    CW_TRY_ASSIGN(source.fromHere, addressFrom(sourceUrl, Side::Source));
    CW_TRY_ASSIGN(target.fromHere, addressFrom(targetUrl, Side::Target));
    CW_TRY_ASSIGN(const QStringList done, unfence(source, target, {}));
    for (const QString &line : done)
        out.say(line);
    return Exit::Done;
}
} // namespace

int unfenceCommand(const QStringList &a)
{
    return guarded(unfenceServers, a);
}

} // namespace causeway::cli
