#include "mysql/Parts.h"
#include "mysql/SchemaRead.h"
#include "mysql/TableDdl.h"
#include "mysql/checks/Fixes.h"

#include <QMap>

#include <algorithm>

/// Whether every table and object can be made on the target at all, by the very code that will make
/// them: the run must not be the first to find out.
namespace causeway::mysql {

namespace {

/// Names before a parenthesis in a table's expressions (defaults, generated columns, checks, keys),
/// by lower case: functions, and words such as IN and DECIMAL, which the server tells apart.
QMap<QString, QStringList> calledIn(const Catalog &catalog)
{
    QMap<QString, QStringList> out; // name -> tables
    for (const Table &table : catalog.tables) {
        const auto ddl = TableDdl::parse(table.createSql);
        if (!ddl)
            continue;
        for (const TableItem &item : ddl->items) {
            const Tokens t(item.text);
            int depth = 0;
            bool afterDefault = false; // MariaDB writes DEFAULT uuid() without parentheses
            for (int i = t.next(0); i < t.size(); i = t.next(i + 1)) {
                if (t.isMark(i, '(')) {
                    ++depth;
                    const int before = t.previous(i);
                    if (before >= 0 && t.at(before).kind == TokenKind::Word &&
                        (depth > 1 || afterDefault)) {
                        QStringList &tables = out[t.name(before).toLower()];
                        if (!tables.contains(table.name.display()))
                            tables << table.name.display();
                    }
                } else if (t.isMark(i, ')')) {
                    --depth;
                }
                afterDefault = t.isWord(i, QLatin1String("DEFAULT")) ||
                               (afterDefault && t.at(i).kind == TokenKind::Word);
            }
        }
    }
    return out;
}

/// "shop.t uses the function f(), which the target does not have": asked of the target, which
/// explains a call of each and runs none.
Result<QStringList> unknownFunctions(Session &target, const Catalog &catalog, QStringList &objects,
                                     const std::stop_token &stop)
{
    constexpr int unknown = 1305, noDatabaseForIt = 1046;
    QStringList out;
    const auto called = calledIn(catalog);
    for (auto it = called.cbegin(); it != called.cend(); ++it) {
        const auto asked = target.query(QStringLiteral("EXPLAIN SELECT %1()").arg(it.key()), stop);
        if (asked)
            continue;
        if (asked.error().code == ErrorCode::ConnectionLost ||
            asked.error().code == ErrorCode::Cancelled)
            return fail(asked.error());
        if (asked.error().number != unknown && asked.error().number != noDatabaseForIt)
            continue;
        for (const QString &table : it.value()) {
            objects << table;
            out << QStringLiteral("%1 uses the function %2(), which the target does not have.")
                       .arg(table, it.key());
        }
    }
    return out;
}

/// Everything where there is little; else what a target could make otherwise or not at all, because
/// each definition is a question of its own, and thousands of them would outlast the check's time.
Result<Catalog> definitions(Look &look, Session &source)
{
    constexpr std::size_t kFew = 200;
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    if (tables->size() <= kFew)
        return readCatalog(source, look.options.selection, look.stop);
    CW_TRY_ASSIGN(auto unusual, unusualTables(source, look.here.schemaNames(), look.stop));
    std::vector<TableName> all;
    for (const TableBrief &t : *tables) {
        all.push_back(t.name);
        if (t.type != QLatin1String("BASE TABLE") || t.engine != QLatin1String("InnoDB") ||
            !t.createOptions.isEmpty())
            unusual.insert(t.name);
    }
    return readCatalogOf(source, look.options.selection, unusual, all, look.stop);
}

Status lookTranslation(Look &look)
{
    CW_TRY_ASSIGN(const ServerFacts *const facts, look.here.facts(look.stop));
    CW_TRY_ASSIGN(const ServerFacts *const theirs, look.other->facts(look.stop));
    // Reading every definition is a query for each table: only where something can come of it.
    if (facts->isMariaDb == theirs->isMariaDb && facts->versionNumber <= theirs->versionNumber)
        return look.pass(cwText("core", "The target is the same product, and no older."));
    CW_TRY_ASSIGN(const auto source, Session::open(look.here.address(), Use::Control, look.stop));
    CW_TRY_ASSIGN(const auto target, Session::open(look.other->address(), Use::Control, look.stop));
    CW_TRY_ASSIGN(const Catalog catalog, definitions(look, *source));
    CW_TRY_ASSIGN(const SchemaForecast forecast,
                  forecastSchema(*target, catalog, look.options.selection, *facts, look.stop));
    CW_TRY_ASSIGN(QStringList why, unknownFunctions(*target, catalog, look.out.objects, look.stop));
    if (!forecast.obstacles.empty() || !why.isEmpty()) {
        QStringList fixes;
        if (!why.isEmpty())
            fixes << QStringLiteral("Write those expressions with functions that both have.");
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
