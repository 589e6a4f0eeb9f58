#include "mysql/checks/Fixes.h"

#include <QRegularExpression>

#include <algorithm>
#include <limits>

namespace causeway::mysql {

namespace {

/// Fixes list at most so many statements' objects in a sentence; objects and SQL hold all of them.
QStringList names(const std::vector<TableBrief> &tables)
{
    QStringList out;
    for (const TableBrief &t : tables)
        out << t.name.display();
    return out;
}

bool isPlanetScale(Look &look)
{
    if (look.options.targetKind == TargetKind::PlanetScale)
        return true;
    if (!look.other)
        return false;
    const auto facts = look.other->facts(look.stop);
    return facts &&
           ((*facts)->platform == Platform::PlanetScale || (*facts)->platform == Platform::Vitess);
}

/// Whether a pattern of --tables, or a whole schema, picks anything: a mistyped name would move
/// nothing and look like success.
Status lookSelection(Look &look)
{
    CW_TRY_ASSIGN(const auto *schemas, look.here.schemas(look.stop));
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    CW_TRY_ASSIGN(const auto *objects, look.here.objects(look.stop));
    const Selection &selection = look.options.selection;
    CW_TRY_ASSIGN(const QString folds, look.here.variable("lower_case_table_names", look.stop));
    const Qt::CaseSensitivity cs =
        folds == QLatin1String("0") ? Qt::CaseSensitive : Qt::CaseInsensitive;
    QStringList unknown, idle, empty;
    for (const QString &schema : look.here.schemaNames()) {
        if (!schemas->contains(schema, cs))
            unknown << schema;
        else if (std::none_of(tables->begin(), tables->end(),
                              [&](const TableBrief &t) { return t.name.schema == schema; }) &&
                 std::none_of(objects->begin(), objects->end(),
                              [&](const ObjectBrief &o) { return o.schema == schema; }))
            empty << schema;
    }
    for (const QString &pattern : selection.patterns) {
        if (pattern.startsWith(QLatin1Char('!')))
            continue;
        Selection one;
        one.patterns << pattern;
        if (std::none_of(tables->begin(), tables->end(),
                         [&](const TableBrief &t) { return one.matches(t.name); }))
            idle << pattern;
    }
    look.out.objects = unknown + idle;
    look.out.fix.text =
        cwText("core", "Mend the name in the URL or in --tables, or let the account "
                       "see it: a server does not show what one may not use.");
    if (!unknown.isEmpty())
        return look.block(
            cwText("core", "There is no such database here, or this account may not see it: %1.",
                   someOf(unknown)));
    if (!idle.isEmpty())
        return look.block(cwText("core", "No table matches: %1.", someOf(idle)));
    if (!empty.isEmpty()) {
        look.out.objects = empty;
        return empty.size() == look.here.schemaNames().size()
                   ? look.block(cwText("core", "There is nothing in it: %1.", someOf(empty)))
                   : look.warn(cwText("core", "There is nothing in it: %1.", someOf(empty)));
    }
    look.out.fix = {};
    return look.pass(cwText("core", "%1 tables, %2 views, routines, triggers and events.",
                            static_cast<qint64>(tables->size()),
                            static_cast<qint64>(objects->size())));
}

Status lookEngine(Look &look)
{
    // Made InnoDB on the target; the others hold their rows elsewhere, or not at all.
    static const QStringList convertible{QStringLiteral("MyISAM"), QStringLiteral("Aria"),
                                         QStringLiteral("MEMORY"), QStringLiteral("ARCHIVE"),
                                         QStringLiteral("CSV"),    QStringLiteral("ROCKSDB"),
                                         QStringLiteral("TokuDB"), QStringLiteral("ndbcluster")};
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    CW_TRY_ASSIGN(const auto *columns, look.here.specialColumns(look.stop));
    // MyISAM counts within a group by a column that is second in its index; InnoDB wants it first.
    QHash<TableName, QString> countsInGroups;
    for (const ColumnBrief &c : *columns) {
        if (!c.leadsAnIndex && c.extra.contains(QLatin1String("auto_increment")))
            countsInGroups.insert(c.table, c.name);
    }
    std::vector<TableBrief> other, foreign;
    QStringList sql;
    for (const TableBrief &t : *tables) {
        if (t.engine == QLatin1String("InnoDB") || t.type == QLatin1String("SEQUENCE"))
            continue;
        other.push_back(t);
        if (!convertible.contains(t.engine, Qt::CaseInsensitive)) {
            foreign.push_back(t);
            continue;
        }
        // InnoDB in strict mode refuses ROW_FORMAT=FIXED.
        const bool fixed =
            t.createOptions.contains(QLatin1String("row_format=fixed"), Qt::CaseInsensitive);
        const QString counter = countsInGroups.value(t.name);
        sql << QStringLiteral("ALTER TABLE %1 ENGINE=InnoDB%2%3;")
                   .arg(quoteName(t.name),
                        fixed ? QStringLiteral(", ROW_FORMAT=DYNAMIC") : QString(),
                        counter.isEmpty() ? QString()
                                          : QStringLiteral(", ADD KEY (%1)").arg(quoteId(counter)));
    }
    if (other.empty())
        return look.pass(cwText("core", "All tables are InnoDB."));
    // ARCHIVE knows neither UPDATE nor DELETE, so that as the old source it could not follow.
    std::vector<TableBrief> noWayBack;
    std::copy_if(other.begin(), other.end(), std::back_inserter(noWayBack),
                 [](const TableBrief &t) { return t.engine == QLatin1String("ARCHIVE"); });
    look.out.objects = names(other);
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Convert them before, while nobody needs them: each "
                                         "statement rebuilds its table."),
                          QStringLiteral("ALTER, CREATE, INSERT"));
    if (!foreign.empty()) {
        look.out.fix.text =
            cwText("core", "Leave these out of the selection: their rows are not in "
                           "this server. The others can be converted.");
        return look.block(
            cwText("core", "Tables whose engine cannot be moved: %1.", someOf(names(foreign))));
    }
    if (!noWayBack.empty() && !look.options.once) {
        return look.block(cwText("core",
                                 "ARCHIVE tables cannot follow after the switch, so that there "
                                 "would be no way back: %1.",
                                 someOf(names(noWayBack))));
    }
    return look.warn(cwText("core",
                            "Tables that are not InnoDB and become InnoDB on the target: %1.",
                            someOf(names(other))));
}

std::vector<TableBrief> keylessTables(const std::vector<TableBrief> &tables,
                                      const std::vector<UniqueKeyBrief> &keys)
{
    QSet<TableName> keyed;
    for (const UniqueKeyBrief &k : keys) {
        if (k.usable)
            keyed.insert(k.table);
    }
    std::vector<TableBrief> out;
    for (const TableBrief &t : tables) {
        if (t.type != QLatin1String("SEQUENCE") && !keyed.contains(t.name))
            out.push_back(t);
    }
    return out;
}

Status lookUniqueKey(Look &look)
{
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    CW_TRY_ASSIGN(const auto *keys, look.here.uniqueKeys(look.stop));
    const auto keyless = keylessTables(*tables, *keys);
    if (keyless.empty())
        return look.pass(cwText("core", "Every table has a key that identifies its rows."));
    CW_TRY_ASSIGN(const auto *columns, look.here.specialColumns(look.stop));
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    const bool invisible =
        facts->isMariaDb ? facts->versionNumber >= 100303 : facts->versionNumber >= 80023;
    QStringList sql;
    for (const TableBrief &t : keyless) {
        QString counter, name = QStringLiteral("my_row_id");
        for (const ColumnBrief &c : *columns) {
            if (c.table != t.name)
                continue;
            if (c.extra.contains(QLatin1String("auto_increment"), Qt::CaseInsensitive))
                counter = c.name;
            if (c.name.compare(name, Qt::CaseInsensitive) == 0)
                name = QStringLiteral("causeway_row_id");
        }
        // A primary key over the beginning of a text identifies nothing, and is the only one.
        const bool hasPrimary =
            std::any_of(keys->begin(), keys->end(), [&](const UniqueKeyBrief &k) {
                return k.table == t.name && k.name == QLatin1String("PRIMARY");
            });
        const QString key =
            hasPrimary ? QStringLiteral("UNIQUE KEY") : QStringLiteral("PRIMARY KEY");
        // A table may have one AUTO_INCREMENT column only.
        sql << (counter.isEmpty()
                    ? QStringLiteral("ALTER TABLE %1 ADD COLUMN %2 BIGINT UNSIGNED NOT NULL "
                                     "AUTO_INCREMENT%3 %4;")
                          .arg(quoteName(t.name), quoteId(name),
                               invisible ? QStringLiteral(" INVISIBLE") : QString(), key)
                    : QStringLiteral("ALTER TABLE %1 ADD %2 (%3);")
                          .arg(quoteName(t.name), key, quoteId(counter)));
    }
    look.out.objects = names(keyless);
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Best a primary key that means something. The SQL adds a "
                                         "number (invisible where the server can, so that SELECT * "
                                         "stays as it is); it rebuilds the table."),
                          QStringLiteral("ALTER, CREATE, INSERT"));
    // Without a key a change must be applied exactly once, which takes a transaction.
    std::vector<TableBrief> noWayBack;
    std::copy_if(keyless.begin(), keyless.end(), std::back_inserter(noWayBack),
                 [](const TableBrief &t) { return t.engine != QLatin1String("InnoDB"); });
    if (!noWayBack.empty() && !look.options.once) {
        return look.block(cwText("core",
                                 "Tables without a key that identifies a row: %1. These are not "
                                 "InnoDB either, so that after the switch they cannot follow: %2.",
                                 someOf(names(keyless)), someOf(names(noWayBack))));
    }
    return look.block(
        cwText("core", "Tables without a key that identifies a row: %1.", someOf(names(keyless))));
}

Status lookCharset(Look &look)
{
    // binary: an ENUM of a table whose default it is has it; bytes are bytes everywhere.
    static const QStringList known{QStringLiteral("utf8"),    QStringLiteral("utf8mb3"),
                                   QStringLiteral("utf8mb4"), QStringLiteral("latin1"),
                                   QStringLiteral("ascii"),   QStringLiteral("binary")};
    CW_TRY_ASSIGN(const auto *columns, look.here.columnCollations(look.stop));
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    QSet<TableName> base;
    for (const TableBrief &t : *tables)
        base.insert(t.name);
    QStringList sql, charsets;
    for (const ColumnCollation &c : *columns) {
        if (known.contains(c.charset) || !base.contains(c.table))
            continue;
        look.out.objects
            << QStringLiteral("%1.%2 (%3)").arg(c.table.display(), c.firstColumn, c.charset);
        if (!charsets.contains(c.charset))
            charsets << c.charset;
        const QString alter = QStringLiteral("ALTER TABLE %1 CONVERT TO CHARACTER SET utf8mb4;")
                                  .arg(quoteName(c.table));
        if (!sql.contains(alter))
            sql << alter;
    }
    if (sql.isEmpty())
        return look.pass(cwText("core", "Only the usual character sets are in use."));
    const Text found =
        cwText("core", "Character sets in use: %1.", charsets.join(QStringLiteral(", ")));
    if (look.other && !isPlanetScale(look)) {
        // The target is known, and asked itself. What it does with a collation that it does not
        // have says mysql-collation.
        CW_TRY_ASSIGN(const auto *theirs, look.other->collations(look.stop));
        const bool all = std::all_of(charsets.begin(), charsets.end(),
                                     [&](const QString &c) { return theirs->knowsCharset(c); });
        if (all)
            return look.info(found);
    }
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "Converts all text columns of the table and blocks writes "
                                         "meanwhile; an index on a long column may have to be made "
                                         "shorter first."),
                          QStringLiteral("ALTER, CREATE, INSERT"));
    return isPlanetScale(look) ? look.block(found) : look.warn(found);
}

Status lookTableNames(Look &look)
{
    static const QRegularExpression plain(QStringLiteral("^[0-9A-Za-z_$]+$"));
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    QStringList taken, odd, mixed, clashing, sql;
    QHash<QString, QString> byLower;
    for (const TableBrief &t : *tables)
        taken << t.name.display();
    for (const TableBrief &t : *tables) {
        const QString shown = t.name.display(), lower = shown.toLower();
        if (byLower.contains(lower))
            clashing << byLower.value(lower) << shown;
        byLower.insert(lower, shown);
        const QString onTarget = look.options.selection.onTarget(t.name).display();
        if (onTarget != onTarget.toLower())
            mixed << shown;
        if (plain.match(t.name.name).hasMatch())
            continue;
        odd << shown;
        QString better;
        for (const QChar c : t.name.name) {
            const bool ok = c.unicode() < 128 && (c.isLetterOrNumber() || c == QLatin1Char('_') ||
                                                  c == QLatin1Char('$'));
            better += ok ? c : QLatin1Char('_');
        }
        while (taken.contains(TableName{t.name.schema, better}.display(), Qt::CaseInsensitive))
            better += QLatin1Char('_');
        taken << TableName{t.name.schema, better}.display();
        sql << QStringLiteral("RENAME TABLE %1 TO %2;")
                   .arg(quoteName(t.name), quoteName({t.name.schema, better}));
    }
    if (look.other) {
        CW_TRY_ASSIGN(const QString here, look.here.variable("lower_case_table_names", look.stop));
        CW_TRY_ASSIGN(const QString there,
                      look.other->variable("lower_case_table_names", look.stop));
        const bool folds = here == QLatin1String("0") && there != QLatin1String("0");
        if (folds && !clashing.isEmpty()) {
            look.out.objects = clashing;
            look.out.fix.text = cwText("core", "Rename one of each pair, or use a target with "
                                               "lower_case_table_names = 0.");
            return look.block(cwText("core",
                                     "The target ignores case in names, and these differ in "
                                     "case only: %1.",
                                     someOf(clashing)));
        }
        if (folds && !mixed.isEmpty()) {
            look.out.objects = mixed;
            look.out.fix.text =
                cwText("core", "Use a target that was initialised with "
                               "lower_case_table_names = 0, which cannot be changed "
                               "later; or give the tables (and with --rename the "
                               "schema) names in lower case.");
            const Text found = cwText("core",
                                      "The target ignores case in names "
                                      "(lower_case_table_names = %1), which this one does not: %2.",
                                      there, someOf(mixed));
            // 1 stores them in lower case: no name of one side is then one of the other.
            return there == QLatin1String("1") ? look.block(found) : look.warn(found);
        }
        if (!folds && here != there && there == QLatin1String("0")) {
            return look.warn(cwText("core",
                                    "The target tells upper from lower case in names, which "
                                    "the source does not: statements must write them as "
                                    "they are."));
        }
    }
    if (odd.isEmpty())
        return look.pass(cwText("core", "All table names are plain."));
    look.out.objects = odd;
    const Text found = cwText("core",
                              "Table names with other characters than letters, digits, _ and "
                              "$: %1.",
                              someOf(odd));
    // Every MySQL and MariaDB takes them: nothing to mend where the target is one.
    if (look.other && !isPlanetScale(look))
        return look.info(found);
    look.out.fix = sqlFix(look, sql, cwText("core", "The application must use the new names too."),
                          QStringLiteral("ALTER, DROP, CREATE, INSERT"));
    return isPlanetScale(look) ? look.block(found) : look.warn(found);
}

Status lookForeignKeys(Look &look)
{
    CW_TRY_ASSIGN(const auto *keys, look.here.foreignKeys(look.stop));
    CW_TRY_ASSIGN(const auto *incoming, look.here.foreignKeysFromOutside(look.stop));
    if (keys->empty() && incoming->empty())
        return look.pass(cwText("core", "No foreign keys."));
    QStringList outside, acting, sql, from;
    const auto show = [](const ForeignKeyBrief &k) {
        return QStringLiteral("%1 (%2 -> %3)")
            .arg(k.name, k.table.display(), k.referenced.display());
    };
    for (const ForeignKeyBrief &k : *incoming)
        from << show(k);
    for (const ForeignKeyBrief &k : *keys) {
        const QString shown = show(k);
        if (!look.here.inScope(k.referenced)) {
            outside << shown;
            sql << QStringLiteral("ALTER TABLE %1 DROP FOREIGN KEY %2;")
                       .arg(quoteName(k.table), quoteId(k.name));
        }
        const auto acts = [](const QString &rule) {
            return rule == QLatin1String("CASCADE") || rule == QLatin1String("SET NULL");
        };
        if (acts(k.onDelete) || acts(k.onUpdate))
            acting << shown;
    }
    const qint64 count = static_cast<qint64>(keys->size());
    if (!outside.isEmpty()) {
        look.out.objects = outside;
        look.out.fix = sqlFix(look, sql,
                              cwText("core", "Best add the table referred to to the selection. The "
                                             "SQL gives the foreign key up instead."),
                              QStringLiteral("ALTER"));
        return look.block(
            cwText("core", "Foreign keys that point outside the selection: %1.", someOf(outside)));
    }
    if (!from.isEmpty()) {
        look.out.objects = from;
        look.out.why = cwText("core", "After the switch nobody asks these tables: a row that they "
                                      "refer to can be deleted on the new leader, and the deletion "
                                      "is carried back to the old source without asking them.");
        look.out.fix.platform = platformOf(look);
        look.out.fix.text = cwText("core", "Best add the tables that refer to it to the selection, "
                                           "or let the application do without these foreign keys.");
        return look.warn(
            cwText("core", "Tables that do not move refer to tables that do: %1.", someOf(from)));
    }
    if (acting.isEmpty())
        return look.info(cwText("core", "Foreign keys: %1.", count));
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    look.out.objects = acting;
    look.out.needed = cwText("core", "Nothing: this is for you to know.");
    look.out.why = cwText("core", "Most servers change the rows of the other table inside the "
                                  "storage engine, unseen by the log. Causeway performs the same "
                                  "actions on the other side, which makes such changes slower to "
                                  "carry over.");
    look.out.fix.text = cwText("core", "Nothing needs to be done.");
    if (facts->logsCascades) {
        return look.warn(
            cwText("core",
                   "Foreign keys: %1. Of them %2 change rows of other tables (CASCADE, "
                   "SET NULL). As this server is set now, its log shows them.",
                   count, static_cast<qint64>(acting.size())));
    }
    return look.warn(cwText("core",
                            "Foreign keys: %1. Of them %2 change rows of other tables (CASCADE, "
                            "SET NULL), which the binary log does not show.",
                            count, static_cast<qint64>(acting.size())));
}

Status lookAutoIncrement(Look &look)
{
    static const QHash<QString, double> most{{QStringLiteral("tinyint"), 127},
                                             {QStringLiteral("smallint"), 32767},
                                             {QStringLiteral("mediumint"), 8388607},
                                             {QStringLiteral("int"), 2147483647},
                                             {QStringLiteral("bigint"), 9223372036854775807.0}};
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    CW_TRY_ASSIGN(const auto *columns, look.here.specialColumns(look.stop));
    QHash<TableName, quint64> next;
    for (const TableBrief &t : *tables) {
        if (t.autoIncrement)
            next.insert(t.name, *t.autoIncrement);
    }
    QStringList sql;
    for (const ColumnBrief &c : *columns) {
        if (!c.extra.contains(QLatin1String("auto_increment"), Qt::CaseInsensitive) ||
            !most.contains(c.dataType))
            continue;
        const bool isUnsigned = c.columnType.contains(QLatin1String("unsigned"));
        const double limit = most.value(c.dataType) * (isUnsigned ? 2 : 1);
        if (static_cast<double>(next.value(c.table)) <= 0.8 * limit)
            continue;
        look.out.objects << QStringLiteral("%1.%2").arg(c.table.display(), c.name);
        if (c.dataType != QLatin1String("bigint"))
            sql << QStringLiteral("ALTER TABLE %1 MODIFY COLUMN %2 BIGINT%3 NOT NULL "
                                  "AUTO_INCREMENT%4;")
                       .arg(quoteName(c.table), quoteId(c.name),
                            isUnsigned ? QStringLiteral(" UNSIGNED") : QString(),
                            c.comment.isEmpty()
                                ? QString()
                                : QStringLiteral(" COMMENT ") + quoteText(c.comment));
    }
    if (look.out.objects.isEmpty())
        return look.pass(cwText("core", "Enough numbers are left everywhere."));
    look.out.fix =
        sqlFix(look, sql,
               cwText("core", "Widen the column before the migration; it rebuilds the "
                              "table. Columns that refer to it must be widened as well."),
               QStringLiteral("ALTER, CREATE, INSERT"));
    return look.warn(
        cwText("core", "More than 80 % of the numbers are used: %1.", someOf(look.out.objects)));
}

Status lookFloatKey(Look &look)
{
    CW_TRY_ASSIGN(const auto *keys, look.here.uniqueKeys(look.stop));
    CW_TRY_ASSIGN(const auto *columns, look.here.specialColumns(look.stop));
    QSet<QString> floats;
    for (const ColumnBrief &c : *columns) {
        if (c.dataType == QLatin1String("float") || c.dataType == QLatin1String("double"))
            floats.insert(c.table.display() + QLatin1Char('.') + c.name);
    }
    QSet<TableName> good, bad;
    for (const UniqueKeyBrief &k : *keys) {
        if (!k.usable)
            continue;
        const bool inexact = std::any_of(k.columns.begin(), k.columns.end(), [&](const QString &c) {
            return floats.contains(k.table.display() + QLatin1Char('.') + c);
        });
        // The primary key is taken where there is one.
        if (inexact && k.name == QLatin1String("PRIMARY")) {
            good.remove(k.table);
            bad.insert(k.table);
        } else if (inexact && !good.contains(k.table)) {
            bad.insert(k.table);
        } else if (!inexact && !bad.contains(k.table)) {
            good.insert(k.table);
        }
    }
    if (bad.isEmpty())
        return look.pass(cwText("core", "No key has an inexact number."));
    for (const TableName &t : bad)
        look.out.objects << t.display();
    look.out.objects.sort();
    look.out.fix.platform = platformOf(look);
    look.out.fix.text = cwText("core", "Give the table another primary key, or make the column "
                                       "DECIMAL.");
    return look.block(
        cwText("core", "FLOAT or DOUBLE in the key of: %1.", someOf(look.out.objects)));
}

Status lookMariaDbObjects(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    if (!facts->isMariaDb)
        return look.pass(cwText("core", "Nothing that only MariaDB has."));
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    CW_TRY_ASSIGN(const auto *columns, look.here.specialColumns(look.stop));
    // What MySQL can do without; the rows are the same.
    bool dispensable = true;
    for (const TableBrief &t : *tables) {
        if (t.type == QLatin1String("BASE TABLE"))
            continue;
        look.out.objects << QStringLiteral("%1 (%2)").arg(t.name.display(), t.type.toLower());
        dispensable = dispensable && t.type == QLatin1String("SYSTEM VERSIONED");
    }
    static const QStringList types{QStringLiteral("uuid"), QStringLiteral("inet4"),
                                   QStringLiteral("inet6"), QStringLiteral("xmltype")};
    for (const ColumnBrief &c : *columns) {
        const bool type = types.contains(c.dataType);
        if (!type && !c.columnType.contains(QLatin1String("COMPRESSED")))
            continue;
        look.out.objects
            << QStringLiteral("%1.%2 (%3)").arg(c.table.display(), c.name, c.columnType);
        dispensable = dispensable && !type;
    }
    if (look.out.objects.isEmpty())
        return look.pass(cwText("core", "Nothing that only MariaDB has."));
    bool toMySql = look.options.targetKind != TargetKind::Generic;
    if (look.other) {
        CW_TRY_ASSIGN(const auto *target, look.other->facts(look.stop));
        toMySql = !target->isMariaDb;
    }
    const Text found = cwText("core", "Only MariaDB has: %1.", someOf(look.out.objects));
    if (!toMySql)
        return look.info(found);
    if (dispensable) {
        look.out.fix.text = cwText("core", "Nothing needs to be done. On the target there will be "
                                           "no history of rows, and no compression of columns.");
        return look.warn(found);
    }
    look.out.fix.platform = platformOf(look);
    look.out.fix.text =
        cwText("core", "Change them before: UUID to BINARY(16) or CHAR(36), INET6 to "
                       "VARCHAR(39), a sequence to AUTO_INCREMENT, and give system "
                       "versioning up; or move to MariaDB.");
    return look.block(found);
}

} // namespace

void addSchemaChecks(CheckList &list)
{
    const QString tables =
        QStringLiteral("SELECT table_schema,table_name,table_type,engine,row_format,create_options,"
                       "table_collation,auto_increment FROM information_schema.tables WHERE "
                       "table_schema IN ({db})");
    const QString keys = QStringLiteral(
        "SELECT table_schema,table_name,index_name,column_name,nullable,sub_part FROM "
        "information_schema.statistics WHERE non_unique=0 AND table_schema IN ({db})");
    const QString columns = QStringLiteral(
        "SELECT table_schema,table_name,column_name,data_type,column_type,extra FROM "
        "information_schema.columns WHERE table_schema IN ({db})");
    const QString collations =
        QStringLiteral("SELECT DISTINCT table_schema,table_name,character_set_name,collation_name "
                       "FROM information_schema.columns WHERE table_schema IN ({db})");
    const QString foreign =
        QStringLiteral("SELECT constraint_schema,table_name,unique_constraint_schema,"
                       "referenced_table_name,constraint_name,update_rule,delete_rule FROM "
                       "information_schema.referential_constraints WHERE constraint_schema IN "
                       "({db})");
    list.add(
        {.id = QStringLiteral("mysql-selection"),
         .title = cwText("core", "What moves"),
         .needed = cwText("core", "Every database and table that was named exists."),
         .why = cwText("core", "A mistyped name would move nothing, and look like success."),
         .sql = {QStringLiteral("SELECT schema_name FROM information_schema.schemata"), tables},
         .look = lookSelection});
    list.add({.id = QStringLiteral("mysql-storage-engine"),
              .title = cwText("core", "Storage engines"),
              .needed = cwText("core", "InnoDB."),
              .why = cwText("core", "Only a transactional table can be copied while it is written, "
                                    "and applied to exactly once."),
              .acceptable = true,
              .sql = {tables},
              .look = lookEngine});
    list.add(
        {.id = QStringLiteral("mysql-unique-key"),
         .title = cwText("core", "A key in every table"),
         .needed = cwText("core", "A primary key, or a unique key of whole columns that are NOT "
                                  "NULL."),
         .why = cwText("core", "Rows are found by their key. Without one the table is copied "
                               "under a lock, and each change searches the whole table."),
         .acceptable = true,
         .sql = {keys},
         .look = lookUniqueKey});
    list.add({.id = QStringLiteral("mysql-foreign-keys"),
              .title = cwText("core", "Foreign keys"),
              .needed = cwText("core", "None that points outside the selection."),
              .why = cwText("core", "The table referred to would be missing on the target."),
              .sql = {foreign},
              .look = lookForeignKeys});
    list.add({.id = QStringLiteral("mysql-charset"),
              .title = cwText("core", "Character sets"),
              .needed = cwText("core", "utf8mb4, utf8, latin1 or ascii."),
              .why = cwText("core", "Not every server knows the others, and texts would be cut or "
                                    "refused."),
              .acceptable = true,
              .sql = {collations},
              .look = lookCharset});
    list.add({.id = QStringLiteral("mysql-table-names"),
              .title = cwText("core", "Table names"),
              .needed = cwText("core", "Letters, digits, _ and $; the same rules for case on both "
                                       "sides."),
              .why = cwText("core", "Some servers and tools do not take other names, or take two "
                                    "names for one."),
              .sql = {tables, QStringLiteral("SHOW GLOBAL VARIABLES LIKE "
                                             "'lower_case_table_names'")},
              .look = lookTableNames});
    list.add(
        {.id = QStringLiteral("mysql-auto-increment"),
         .title = cwText("core", "Numbers left in AUTO_INCREMENT"),
         .needed = cwText("core", "At most 80 % used."),
         .why = cwText("core", "The counter is set a little higher at the switch; where it ends, "
                               "the application's inserts fail."),
         .blocking = false,
         .sql = {columns},
         .look = lookAutoIncrement});
    list.add(
        {.id = QStringLiteral("mysql-float-key"),
         .title = cwText("core", "Inexact numbers as keys"),
         .needed = cwText("core", "No FLOAT or DOUBLE in the key of a table."),
         .why = cwText("core", "Such a value cannot be found again by what is printed of it, so "
                               "that changes would miss their row."),
         .acceptable = true,
         .sql = {keys, columns},
         .look = lookFloatKey});
    list.add({.id = QStringLiteral("mysql-mariadb-objects"),
              .title = cwText("core", "What only MariaDB has"),
              .needed = cwText("core", "Nothing, where the target is not MariaDB."),
              .why = cwText("core", "MySQL has no such types and tables."),
              .sql = {tables, columns},
              .look = lookMariaDbObjects});
}

} // namespace causeway::mysql
