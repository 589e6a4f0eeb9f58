#include "mysql/checks/Fixes.h"

namespace causeway::mysql {

namespace {

Status lookSameServer(Look &look)
{
    CW_TRY_ASSIGN(const auto *source, look.here.facts(look.stop));
    CW_TRY_ASSIGN(const auto *target, look.other->facts(look.stop));
    if (source->identity != target->identity)
        return look.pass(cwText("core", "Two servers."));
    look.out.fix.text = cwText("core", "Name another server as the target.");
    return look.block(cwText("core", "Source and target are one and the same server."));
}

Status lookCollation(Look &look)
{
    CW_TRY_ASSIGN(const auto *columns, look.here.columnCollations(look.stop));
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    CW_TRY_ASSIGN(const auto *theirs, look.other->collations(look.stop));
    QSet<TableName> base;
    for (const TableBrief &t : *tables)
        base.insert(t.name);
    QStringList impossible, without, sql, changes;
    bool padChanges = false;
    for (const ColumnCollation &c : *columns) {
        if (!base.contains(c.table))
            continue;
        const QString nearest = theirs->nearest(c.collation);
        if (!nearest.isEmpty() && Collations::same(nearest, c.collation))
            continue;
        look.out.objects
            << QStringLiteral("%1.%2 (%3)").arg(c.table.display(), c.firstColumn, c.collation);
        const QString alter = QStringLiteral("ALTER TABLE %1 CONVERT TO CHARACTER SET utf8mb4 "
                                             "COLLATE utf8mb4_unicode_520_ci;")
                                  .arg(quoteName(c.table));
        if (!sql.contains(alter))
            sql << alter;
        if (nearest.isEmpty()) {
            impossible << c.collation;
            without << look.out.objects.back();
            continue;
        }
        const QString change = c.collation + QStringLiteral(" -> ") + nearest;
        if (!changes.contains(change))
            changes << change;
        padChanges = padChanges || (isNoPad(c.collation) && !isNoPad(nearest));
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "The target has every collation in use."));
    impossible.removeDuplicates();
    look.out.fix =
        sqlFix(look, sql,
               cwText("core",
                      "On the source, to a collation that both servers have: texts that differ in "
                      "accents, case or trailing spaces only may become equal, so that unique keys "
                      "can refuse it. Or use a target that has the collation."),
               QStringLiteral("ALTER, CREATE, INSERT"));
    if (!impossible.isEmpty()) {
        look.out.objects = without; // not those that have a substitute
        return look.block(cwText("core",
                                 "The target has neither these collations nor anything like "
                                 "them: %1.",
                                 impossible.join(QStringLiteral(", "))));
    }
    return look.warn(
        padChanges ? cwText("core",
                            "Collations are replaced by the nearest: %1. Trailing spaces no longer "
                            "count there: two keys that differ in them only become one.",
                            changes.join(QStringLiteral(", ")))
                   : cwText("core", "Collations are replaced by the nearest: %1.",
                            changes.join(QStringLiteral(", "))));
}

} // namespace

void addPairChecks(CheckList &list)
{
    list.add({.id = QStringLiteral("mysql-same-server"),
              .on = On::Pair,
              .title = cwText("core", "Two servers"),
              .needed = cwText("core", "Source and target differ."),
              .why = cwText("core", "The fence around the source would shut the target too."),
              .sql = {QStringLiteral("SELECT @@hostname,@@port,@@datadir")},
              .look = lookSameServer});
    list.add(
        {.id = QStringLiteral("mysql-collation"),
         .on = On::Source,
         .title = cwText("core", "Collations"),
         .needed = cwText("core", "The target has every collation in use."),
         .why = cwText("core", "A collation decides which texts are equal: with another one two "
                               "rows can become one, and sort in another order. Unique keys "
                               "are searched for such rows before anything is copied, and the "
                               "migration does not start where there are any."),
         .needsTarget = true,
         .sql = {QStringLiteral("SELECT DISTINCT table_schema,table_name,collation_name FROM "
                                "information_schema.columns WHERE table_schema IN ({db})")},
         .look = lookCollation});
}

} // namespace causeway::mysql
