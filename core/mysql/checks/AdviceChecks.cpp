#include "mysql/checks/Fixes.h"

#include "schema/Leftovers.h"

/// What a migration is a good moment to clear up. Nothing here is in its way.
namespace causeway::mysql {

namespace {

const QString kZeroDefaults = QStringLiteral(
    "SELECT table_schema, table_name, column_name, is_nullable FROM information_schema.columns "
    "WHERE table_schema IN ({db}) AND column_default LIKE '%0000-00-00%' ORDER BY 1, 2, "
    "ordinal_position");

Status lookZeroDefaults(Look &look)
{
    QString sql = kZeroDefaults;
    sql.replace(QLatin1String("{db}"), look.here.schemaList());
    CW_TRY_ASSIGN(const auto rows, look.here.query(sql, look.stop));
    QStringList fix;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const TableName table{rows.text(i, "table_schema"), rows.text(i, "table_name")};
        if (!look.here.inScope(table))
            continue;
        look.out.objects << table.display() + QLatin1Char('.') + rows.text(i, "column_name");
        fix << QStringLiteral("ALTER TABLE %1.%2 ALTER COLUMN %3 %4;")
                   .arg(quoteId(table.schema), quoteId(table.name),
                        quoteId(rows.text(i, "column_name")),
                        rows.text(i, "is_nullable") == QLatin1String("YES")
                            ? QStringLiteral("SET DEFAULT NULL")
                            : QStringLiteral("DROP DEFAULT"));
    }
    if (fix.isEmpty())
        return look.pass(cwText("core", "No column has one."));
    // An ALTER looks at the other defaults of the table too.
    fix.prepend(QStringLiteral("SET SESSION sql_mode = '';"));
    look.out.fix =
        sqlFix(look, fix,
               cwText("core", "Changes the definition only, at once. Rows keep what they hold; an "
                              "application that leaves out a column which may not be NULL must "
                              "give a value from then on."),
               QStringLiteral("ALTER"));
    const Text found =
        cwText("core", "Columns whose default is a zero date: %1.", someOf(look.out.objects));
    bool refused = look.options.targetKind == TargetKind::PlanetScale;
    if (look.other) {
        CW_TRY_ASSIGN(const QString theirs, look.other->variable("sql_mode", look.stop));
        refused = refused || theirs.contains(QLatin1String("NO_ZERO_DATE"));
    }
    return refused ? look.warn(found) : look.info(found);
}

Status lookLeftovers(Look &look)
{
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    qint64 bytes = 0;
    QStringList options;
    for (const TableBrief &t : *tables) {
        if (!looksLikeLeftover(t.name.name))
            continue;
        look.out.objects << t.name.display();
        options << QStringLiteral("--tables '!%1'").arg(t.name.display());
        bytes += t.bytes;
    }
    if (options.isEmpty())
        return look.pass(cwText("core", "No table's name says so."));
    look.out.fix.platform = platformOf(look);
    look.out.fix.text =
        cwText("core", "If nobody needs them, leave them out: %1", options.join(QLatin1Char(' ')));
    return look.info(cwText("core", "%1 tables, %2 MiB: %3.", look.out.objects.size(),
                            bytes / 1'048'576, someOf(look.out.objects)));
}

} // namespace

void addAdviceChecks(CheckList &list)
{
    list.add({.id = QStringLiteral("mysql-zero-date-defaults"),
              .title = cwText("core", "Zero dates as defaults"),
              .needed = cwText("core", "No default that the target's sql_mode refuses."),
              .why = cwText("core", "Causeway creates the tables all the same. Later, every ALTER "
                                    "TABLE of the application on them is refused under "
                                    "NO_ZERO_DATE."),
              .blocking = false,
              .sql = {kZeroDefaults},
              .look = lookZeroDefaults});
    list.add({.id = QStringLiteral("mysql-leftover-tables"),
              .title = cwText("core", "Tables that look put aside"),
              .needed = cwText("core", "Only what is used."),
              .why = cwText("core", "Backups and leftovers cost time and space in the copy, and "
                                    "nobody may need them any more."),
              .blocking = false,
              .sql = {QStringLiteral("SELECT table_schema, table_name FROM "
                                     "information_schema.tables WHERE table_schema IN ({db})")},
              .look = lookLeftovers});
}

} // namespace causeway::mysql
