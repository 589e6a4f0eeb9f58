#include "mysql/Parts.h"
#include "mysql/checks/Fixes.h"

#include <algorithm>

/// Whether every table and object can be made on the target at all, by the very code that will make
/// them: the run must not be the first to find out.
namespace causeway::mysql {

namespace {

Status lookTranslation(Look &look)
{
    CW_TRY_ASSIGN(const ServerFacts *const facts, look.here.facts(look.stop));
    CW_TRY_ASSIGN(const auto source, Session::open(look.here.address(), Use::Control, look.stop));
    CW_TRY_ASSIGN(const auto target, Session::open(look.other->address(), Use::Control, look.stop));
    CW_TRY_ASSIGN(const Catalog catalog, readCatalog(*source, look.options.selection, look.stop));
    CW_TRY_ASSIGN(const SchemaForecast forecast,
                  forecastSchema(*target, catalog, look.options.selection, *facts, look.stop));
    if (!forecast.obstacles.empty()) {
        QStringList why, fixes;
        for (const Error &e : forecast.obstacles) {
            look.out.objects << e.object;
            why << e.message.english();
            if (const QString fix = e.fix.english(); !fix.isEmpty() && !fixes.contains(fix))
                fixes << fix;
        }
        look.out.fix.platform = platformOf(look);
        look.out.fix.text = cwText("core", "%1", fixes.join(QLatin1Char(' ')));
        return look.block(
            cwText("core", "The target cannot hold these as they are: %1", someOf(why)));
    }
    if (forecast.adjustments.empty())
        return look.pass(cwText("core", "Everything is made on the target as it is here."));
    for (const SchemaAdjustment &a : forecast.adjustments)
        look.out.objects << a.object + QLatin1String(": ") + a.what.english();
    return look.info(
        cwText("core", "Made on the target with these differences: %1", someOf(look.out.objects)));
}

} // namespace

void addTranslationChecks(CheckList &list)
{
    list.add(
        {.id = QStringLiteral("mysql-schema-translation"),
         .title = cwText("core", "The same schema on the target"),
         .needed = cwText("core", "The target has every type, kind of key and table that is in "
                                  "use."),
         .why = cwText("core", "What cannot be made there cannot move."),
         .acceptable = true,
         .needsTarget = true,
         .sql = {QStringLiteral(
             "SELECT table_schema,table_name FROM information_schema.tables WHERE "
             "table_schema IN ({db})")},
         .look = lookTranslation});
}

} // namespace causeway::mysql
