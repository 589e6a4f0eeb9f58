#include "mysql/checks/Fixes.h"

#include <QRegularExpression>

#include <algorithm>

/// What there is, and what of it is handled apart: for whoever plans the move. Little here is in
/// its way, and nothing blocks.
namespace causeway::mysql {

namespace {

/// "shop.t.c" of the columns for which `wanted` holds.
Result<QStringList> columnsWhere(Look &look, const std::function<bool(const ColumnFacts &)> &wanted)
{
    CW_TRY_ASSIGN(const auto *columns, look.here.columns(look.stop));
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    QSet<TableName> base;
    for (const TableBrief &t : *tables)
        base.insert(t.name);
    QStringList out;
    for (const ColumnFacts &c : *columns) {
        if (base.contains(c.table) && wanted(c))
            out << c.table.display() + QLatin1Char('.') + c.name;
    }
    return out;
}

Status list(Look &look, const QStringList &objects, Text none)
{
    look.out.objects = objects;
    return objects.isEmpty()
               ? look.pass(std::move(none))
               : look.info(cwText("core", "%1: %2.", static_cast<qint64>(objects.size()),
                                  someOf(objects)));
}

Status lookSize(Look &look)
{
    constexpr qint64 kMiB = 1'048'576, kSlow = 20'000'000, kFast = 80'000'000;
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    std::vector<TableBrief> largest = *tables;
    std::stable_sort(largest.begin(), largest.end(),
                     [](const auto &a, const auto &b) { return a.bytes > b.bytes; });
    qint64 bytes = 0;
    for (const TableBrief &t : largest)
        bytes += t.bytes;
    for (std::size_t i = 0; i < std::min<std::size_t>(largest.size(), 10); ++i)
        look.out.objects << QStringLiteral("%1 (%2 MiB)")
                                .arg(largest[i].name.display())
                                .arg(largest[i].bytes / kMiB);
    const qint64 throttle = look.options.bytesPerSecond;
    const auto minutes = [&](qint64 rate) {
        return bytes / (throttle > 0 ? std::min(throttle, rate) : rate) / 60 + 1;
    };
    return look.info(cwText("core",
                            "%1 tables, about %2 MiB of rows. The copy takes %3 to %4 minutes, by "
                            "network and disks.",
                            static_cast<qint64>(tables->size()), bytes / kMiB, minutes(kFast),
                            minutes(kSlow)));
}

Status lookLogFiles(Look &look)
{
    CW_TRY_ASSIGN(const QString on, look.here.variable("log_bin", look.stop));
    if (on != QLatin1String("ON"))
        return look.skip(cwText("core", "The binary log is off."));
    CW_TRY_ASSIGN(const auto rows, look.here.query(QStringLiteral("SHOW BINARY LOGS"), look.stop));
    qint64 bytes = 0;
    for (std::size_t i = 0; i < rows.rows.size(); ++i)
        bytes += rows.text(i, std::size_t{1}).toLongLong();
    return look.info(cwText("core", "%1 files of the binary log, %2 MiB.",
                            static_cast<qint64>(rows.rows.size()), bytes / 1'048'576));
}

/// By their readers of the log: SHOW REPLICAS asks for a right of its own on MariaDB.
Status lookReaders(Look &look)
{
    CW_TRY_ASSIGN(const auto rows, look.here.query(QStringLiteral("SHOW PROCESSLIST"), look.stop));
    const QString self = look.here.address().user;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        if (rows.text(i, "Command").startsWith(QLatin1String("Binlog Dump")) &&
            rows.text(i, "User") != self)
            look.out.objects << rows.text(i, "User") + QLatin1Char('@') + rows.text(i, "Host");
    }
    if (look.out.objects.isEmpty())
        return look.pass(cwText("core", "Nobody else is seen reading its log."));
    look.out.fix.platform = platformOf(look);
    look.out.fix.text = cwText("core", "After the switch let them read the new server, or make new "
                                       "ones there before.");
    return look.info(cwText("core", "Its log is read by %1.", someOf(look.out.objects)));
}

/// Users of the source that have something to do with the schemas that move: by their rights, where
/// those may be read, and by who is connected.
Result<QSet<QString>> applicationUsers(ServerContext &source, const std::stop_token &stop)
{
    QSet<QString> out;
    const QStringList schemas = source.schemaNames();
    const auto rights = source.query(
        QStringLiteral("SELECT DISTINCT d.User FROM mysql.db d JOIN information_schema.schemata s "
                       "ON s.schema_name LIKE d.Db WHERE s.schema_name IN (%1)")
            .arg(source.schemaList()),
        stop);
    if (!rights && rights.error().code != ErrorCode::Server)
        return fail(rights.error());
    for (std::size_t i = 0; rights && i < rights->rows.size(); ++i)
        out.insert(rights->text(i, std::size_t{0}));
    CW_TRY_ASSIGN(const auto rows, source.query(QStringLiteral("SHOW PROCESSLIST"), stop));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        if (schemas.contains(rows.text(i, "db")))
            out.insert(rows.text(i, "User"));
    }
    for (const char *nobody : {"", "system user", "event_scheduler", "unauthenticated user"})
        out.remove(QString::fromLatin1(nobody));
    return out;
}

Status lookApplicationAccounts(Look &look)
{
    if (!look.other)
        return look.skip(cwText("core", "Compared where the source is known."));
    CW_TRY_ASSIGN(QSet<QString> users, applicationUsers(*look.other, look.stop));
    const auto there = look.here.accounts(look.stop);
    if (!there && (there.error().number == 1142 || there.error().number == 1143))
        return look.info(cwText("core", "This account may not see which accounts the target has."));
    CW_TRY_ASSIGN(const auto *accounts, there);
    for (const QString &account : *accounts)
        users.remove(account.left(account.lastIndexOf(QLatin1Char('@'))));
    users.remove(look.other->address().user);
    if (users.isEmpty())
        return look.pass(cwText("core", "Whoever uses the source is known to the target."));
    look.out.objects = QStringList(users.begin(), users.end());
    look.out.objects.sort();
    look.out.fix.platform = platformOf(look);
    look.out.fix.text = cwText(
        "core", "Accounts and their rights do not move with the data. Before the switch create "
                "them on the target with the passwords that the application has; SHOW CREATE USER "
                "and SHOW GRANTS on the source show them.");
    return look.info(
        cwText("core", "Not on the target, so that they could not sign in after the switch: %1.",
               someOf(look.out.objects)));
}

Status lookLogCompression(Look &look)
{
    CW_TRY_ASSIGN(const auto *v, look.here.variables(look.stop));
    for (const char *name : {"binlog_transaction_compression", "log_bin_compress"}) {
        if (v->value(QString::fromLatin1(name)) != QLatin1String("ON"))
            continue;
        look.out.fix = settingFix(look, {{QString::fromLatin1(name), QStringLiteral("OFF")}},
                                  cwText("core", "Nothing needs to be done; without it the source "
                                                 "and Causeway have a little less to do."));
        return look.info(cwText("core", "%1 is ON.", QString::fromLatin1(name)));
    }
    return look.pass(cwText("core", "It is not compressed."));
}

Status lookRowMetadata(Look &look)
{
    CW_TRY_ASSIGN(const QString value, look.here.variable("binlog_row_metadata", look.stop));
    if (value.isEmpty() || value.toUpper() == QLatin1String("FULL"))
        return look.pass(value.isEmpty()
                             ? cwText("core", "This server does not log names of columns.")
                             : cwText("core", "Names of columns are logged."));
    look.out.fix =
        settingFix(look, {{QStringLiteral("binlog_row_metadata"), QStringLiteral("FULL")}},
                   cwText("core", "Takes effect at once; the log grows by the names."));
    return look.info(cwText("core", "binlog_row_metadata is %1.", value));
}

Status lookTimeouts(Look &look)
{
    CW_TRY_ASSIGN(const auto *v, look.here.variables(look.stop));
    for (const char *name : {"max_execution_time", "max_statement_time"}) {
        const QString value = v->value(QString::fromLatin1(name));
        if (value.toDouble() > 0)
            look.out.objects << QStringLiteral("%1 = %2").arg(QString::fromLatin1(name), value);
    }
    if (look.out.objects.isEmpty())
        return look.pass(cwText("core", "Statements may take their time."));
    return look.info(
        cwText("core", "%1; Causeway's own sessions are without it.", someOf(look.out.objects)));
}

Status lookTableOptions(Look &look)
{
    static const QRegularExpression special(
        QStringLiteral("key_block_size=[1-9]|row_format=(compressed|fixed|page)|"
                       "page_compressed[`'\"]*=['\"]*(1|on|yes)|compression=['\"]*(zlib|lz4)|"
                       "encrypt\\w*[`'\"]*=['\"]*y|tablespace|data directory"),
        QRegularExpression::CaseInsensitiveOption);
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    QStringList sql;
    for (const TableBrief &t : *tables) {
        const bool format = t.rowFormat == QLatin1String("Compressed") ||
                            t.rowFormat == QLatin1String("Fixed") ||
                            t.rowFormat == QLatin1String("Page");
        const bool option = special.match(t.createOptions).hasMatch();
        if (t.type == QLatin1String("SEQUENCE") || t.engine != QLatin1String("InnoDB") ||
            (!format && !option))
            continue;
        look.out.objects << QStringLiteral("%1 (%2)").arg(
            t.name.display(), t.createOptions.isEmpty() ? t.rowFormat : t.createOptions);
        QStringList changes;
        if (format ||
            t.createOptions.contains(QLatin1String("key_block_size"), Qt::CaseInsensitive))
            changes << QStringLiteral("ROW_FORMAT=DYNAMIC") << QStringLiteral("KEY_BLOCK_SIZE=0");
        if (t.createOptions.contains(QLatin1String("page_compressed"), Qt::CaseInsensitive))
            changes << QStringLiteral("PAGE_COMPRESSED=0");
        else if (t.createOptions.contains(QLatin1String("compression="), Qt::CaseInsensitive))
            changes << QStringLiteral("COMPRESSION='none'");
        if (!changes.isEmpty())
            sql << QStringLiteral("ALTER TABLE %1 %2;")
                       .arg(quoteName(t.name),
                            changes.join(facts->isMariaDb ? QStringLiteral(" ")
                                                          : QStringLiteral(", ")));
    }
    if (look.out.objects.isEmpty())
        return look.pass(cwText("core", "No table is stored in a special way."));
    const Text found =
        cwText("core", "Tables that are stored in a special way: %1.", someOf(look.out.objects));
    bool alike = false;
    if (look.other) {
        CW_TRY_ASSIGN(const auto *theirs, look.other->facts(look.stop));
        alike = theirs->isMariaDb == facts->isMariaDb && theirs->platform != Platform::Aurora &&
                theirs->platform != Platform::PlanetScale && theirs->platform != Platform::Vitess;
    }
    if (alike)
        return look.info(found);
    look.out.fix =
        sqlFix(look, sql,
               cwText("core", "The target may not have it, and then stores the table plainly: look "
                              "at its free space. The SQL makes it plain on the source already; it "
                              "rebuilds the table."),
               QStringLiteral("ALTER, CREATE, INSERT"));
    return look.warn(found);
}

Status lookGenerated(Look &look)
{
    CW_TRY_ASSIGN(const QStringList found,
                  columnsWhere(look, [](const ColumnFacts &c) { return c.generated; }));
    return list(look, found, cwText("core", "No generated columns."));
}

Status lookInvisible(Look &look)
{
    CW_TRY_ASSIGN(const QStringList found, columnsWhere(look, [](const ColumnFacts &c) {
                      return c.extra.contains(QLatin1String("INVISIBLE"), Qt::CaseInsensitive);
                  }));
    return list(look, found, cwText("core", "No invisible columns."));
}

Status lookSpecialTypes(Look &look)
{
    static const QStringList types{
        QStringLiteral("json"),           QStringLiteral("float"),
        QStringLiteral("double"),         QStringLiteral("bit"),
        QStringLiteral("geometry"),       QStringLiteral("point"),
        QStringLiteral("linestring"),     QStringLiteral("polygon"),
        QStringLiteral("multipoint"),     QStringLiteral("multilinestring"),
        QStringLiteral("multipolygon"),   QStringLiteral("geometrycollection"),
        QStringLiteral("geomcollection"), QStringLiteral("vector")};
    CW_TRY_ASSIGN(const QStringList found, columnsWhere(look, [](const ColumnFacts &c) {
                      return types.contains(c.dataType);
                  }));
    return list(look, found, cwText("core", "Only plain types."));
}

Status lookPartitions(Look &look)
{
    CW_TRY_ASSIGN(const auto *tables, look.here.tables(look.stop));
    QStringList found;
    for (const TableBrief &t : *tables) {
        if (t.createOptions.contains(QLatin1String("partitioned"), Qt::CaseInsensitive))
            found << t.name.display();
    }
    return list(look, found, cwText("core", "No partitioned tables."));
}

Status lookFunctionalIndexes(Look &look)
{
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    QStringList found;
    if (!facts->isMariaDb && facts->versionNumber >= 80013) {
        CW_TRY_ASSIGN(
            const auto rows,
            look.here.query(QStringLiteral("SELECT DISTINCT table_schema, table_name, index_name "
                                           "FROM information_schema.statistics WHERE table_schema "
                                           "IN (%1) AND expression IS NOT NULL ORDER BY 1, 2, 3")
                                .arg(look.here.schemaList()),
                            look.stop));
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            const TableName name{rows.text(i, std::size_t{0}), rows.text(i, 1)};
            if (look.here.inScope(name))
                found << QStringLiteral("%1 (%2)").arg(name.display(), rows.text(i, 2));
        }
    }
    return list(look, found, cwText("core", "No index over an expression."));
}

Status lookTriggersAndEvents(Look &look)
{
    CW_TRY_ASSIGN(const auto *objects, look.here.objects(look.stop));
    QStringList found;
    for (const ObjectBrief &o : *objects) {
        if (o.kind == ObjectKind::Trigger || o.kind == ObjectKind::Event)
            found << o.display();
    }
    return list(look, found, cwText("core", "No triggers and no events."));
}

/// Foreign keys whose parent is found by something less than a whole unique key.
Status lookForeignKeyParents(Look &look)
{
    CW_TRY_ASSIGN(const auto *any, look.here.foreignKeys(look.stop));
    if (any->empty())
        return look.pass(cwText("core", "No foreign keys."));
    // MariaDB opens every table that it is asked about.
    QStringList children;
    for (const ForeignKeyBrief &k : *any)
        children << quoteText(k.table.name);
    children.removeDuplicates();
    CW_TRY_ASSIGN(
        const auto rows,
        look.here.query(
            QStringLiteral("SELECT constraint_schema, table_name, constraint_name, "
                           "referenced_table_schema, referenced_table_name, referenced_column_name "
                           "FROM information_schema.key_column_usage WHERE table_schema IN (%1) "
                           "AND table_name IN (%2) AND referenced_table_name IS NOT NULL ORDER BY "
                           "1, 2, 3, position_in_unique_constraint")
                .arg(look.here.schemaList(), children.join(QLatin1Char(','))),
            look.stop));
    CW_TRY_ASSIGN(const auto *keys, look.here.uniqueKeys(look.stop));
    struct Reference {
        TableName table, parent;
        QString name;
        QSet<QString> columns;
    };
    std::vector<Reference> references;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const TableName table{rows.text(i, std::size_t{0}), rows.text(i, 1)};
        if (!look.here.inScope(table))
            continue;
        if (references.empty() || references.back().table != table ||
            references.back().name != rows.text(i, 2))
            references.push_back({table, {rows.text(i, 3), rows.text(i, 4)}, rows.text(i, 2), {}});
        references.back().columns.insert(rows.text(i, 5).toLower());
    }
    QHash<TableName, std::vector<QSet<QString>>> unique;
    for (const UniqueKeyBrief &k : *keys) {
        QSet<QString> columns;
        for (const QString &c : k.columns)
            columns.insert(c.toLower());
        const bool whole = std::all_of(k.prefixes.begin(), k.prefixes.end(),
                                       [](int prefix) { return prefix == 0; });
        if (whole)
            unique[k.table].push_back(columns);
    }
    for (const Reference &r : references) {
        const auto of = unique.value(r.parent);
        // A parent outside the selection is another check's affair (mysql-foreign-keys).
        if (look.here.inScope(r.parent) && std::find(of.begin(), of.end(), r.columns) == of.end())
            look.out.objects << QStringLiteral("%1 (%2 -> %3)")
                                    .arg(r.name, r.table.display(), r.parent.display());
    }
    if (look.out.objects.isEmpty())
        return look.pass(cwText("core", "All of them refer to a unique key."));
    const Text found = cwText("core", "Foreign keys that do not refer to a unique key: %1.",
                              someOf(look.out.objects));
    if (!look.other)
        return look.options.targetKind == TargetKind::PlanetScale ? look.warn(found)
                                                                  : look.info(found);
    CW_TRY_ASSIGN(const QString strict,
                  look.other->variable("restrict_fk_on_non_standard_key", look.stop));
    if (strict != QLatin1String("ON"))
        return look.info(found);
    Look there{*look.other, &look.here, look.options, look.stop, {}};
    look.out.fix = settingFix(
        there, {{QStringLiteral("restrict_fk_on_non_standard_key"), QStringLiteral("OFF")}},
        cwText("core", "On the target; or give the parent a unique key over these columns. "
                       "Causeway creates them all the same."));
    look.out.fix.canApply = false;
    return look.warn(found);
}

/// What new tables of the application get where they do not say.
Status lookServerCharset(Look &look)
{
    CW_TRY_ASSIGN(const auto *here, look.here.variables(look.stop));
    CW_TRY_ASSIGN(const auto *there, look.other->variables(look.stop));
    const QString charset = QStringLiteral("character_set_server"),
                  collation = QStringLiteral("collation_server");
    const auto plain = [](QString name) {
        return name.replace(QLatin1String("utf8mb3"), QLatin1String("utf8"));
    };
    if (here->value(collation) == there->value(collation))
        return look.pass(cwText("core", "Both have %1.", here->value(collation)));
    const Text found = cwText("core", "%1 here, %2 on the source.", here->value(collation),
                              there->value(collation));
    if (plain(here->value(charset)) == plain(there->value(charset)))
        return look.info(found);
    look.out.fix = settingFix(look, {{charset, there->value(charset)}},
                              cwText("core", "What moves keeps its own; this is for what the "
                                             "application creates later without saying which."));
    look.out.fix.canApply = false;
    return look.warn(found);
}

Status lookDdlDefaults(Look &look)
{
    CW_TRY_ASSIGN(const auto *here, look.here.variables(look.stop));
    CW_TRY_ASSIGN(const auto *there, look.other->variables(look.stop));
    std::vector<Setting> settings;
    for (const char *name : {"explicit_defaults_for_timestamp", "innodb_strict_mode"}) {
        const QString key = QString::fromLatin1(name);
        if (here->contains(key) && there->contains(key) && here->value(key) != there->value(key)) {
            settings.push_back({key, there->value(key)});
            look.out.objects << QStringLiteral("%1 is %2 here, %3 on the source")
                                    .arg(key, here->value(key), there->value(key));
        }
    }
    if (settings.empty())
        return look.pass(cwText("core", "The same on both servers."));
    look.out.fix = settingFix(look, settings,
                              cwText("core", "Causeway creates what moves as it is on the source; "
                                             "this is for what the application creates later."));
    look.out.fix.canApply = false;
    return look.warn(cwText("core", "%1.", look.out.objects.join(QStringLiteral("; "))));
}

} // namespace

void addInventoryChecks(CheckList &checks)
{
    const QString columns = QStringLiteral("SELECT table_schema,table_name,column_name,data_type,"
                                           "extra FROM information_schema.columns WHERE "
                                           "table_schema IN ({db})");
    const QString tables = QStringLiteral("SELECT table_schema,table_name,row_format,"
                                          "create_options,data_length FROM "
                                          "information_schema.tables WHERE table_schema IN ({db})");
    const QString variables = QStringLiteral("SHOW GLOBAL VARIABLES");
    const auto add = [&](const char *id, On on, Text title, Text needed, Text why,
                         const QString &sql, Status (*look)(Look &), bool live = false) {
        checks.add({.id = QString::fromLatin1(id),
                    .on = on,
                    .title = std::move(title),
                    .needed = std::move(needed),
                    .why = std::move(why),
                    .blocking = false,
                    .onlyLive = live,
                    .sql = {sql},
                    .look = look});
    };
    const Text nothing = cwText("core", "Nothing: this is for you to know.");
    add("mysql-size", On::Source, cwText("core", "Size"), nothing,
        cwText("core", "The target needs half as much space again."), tables, lookSize);
    add("mysql-log-files", On::Source, cwText("core", "Files of the binary log"), nothing,
        cwText("core", "From when on changes can still be read."),
        QStringLiteral("SHOW BINARY LOGS"), lookLogFiles, true);
    add("mysql-log-readers", On::Source, cwText("core", "Replicas of the source"), nothing,
        cwText("core", "Replicas and other readers of the log do not follow the application to the "
                       "new server by themselves."),
        QStringLiteral("SHOW PROCESSLIST"), lookReaders);
    add("mysql-application-accounts", On::Target, cwText("core", "Accounts of applications"),
        cwText("core", "Whoever uses what moves has an account on the target."),
        cwText("core", "After the switch an application without an account cannot sign in."),
        QStringLiteral("SELECT CONCAT(user,'@',host) FROM mysql.user"), lookApplicationAccounts);
    add("mysql-binlog-compression", On::Source, cwText("core", "Compression of the binary log"),
        nothing, cwText("core", "Compressed transactions are read as well."), variables,
        lookLogCompression, true);
    add("mysql-binlog-row-metadata", On::Source, cwText("core", "Names of columns in the log"),
        cwText("core", "Best binlog_row_metadata = FULL."),
        cwText("core", "With them a change of a table is noticed at the very row that it "
                       "concerns."),
        variables, lookRowMetadata, true);
    add("mysql-time-limits", On::Source, cwText("core", "Time limits of statements"), nothing,
        cwText("core", "Reading a large table takes longer than an application's statement may."),
        variables, lookTimeouts);
    add("mysql-table-options", On::Source, cwText("core", "How tables are stored"),
        cwText("core", "Plainly, where the target does not know otherwise."),
        cwText("core", "Compression, encryption and tablespaces are of one server: on another one "
                       "the table can be several times as large."),
        tables, lookTableOptions);
    add("mysql-foreign-key-parents", On::Source, cwText("core", "Parents of foreign keys"),
        cwText("core", "A unique key, where the target insists on it."),
        cwText("core", "MySQL from 8.4 on refuses the application's later changes of such foreign "
                       "keys."),
        QStringLiteral("SELECT constraint_name,referenced_table_name,referenced_column_name FROM "
                       "information_schema.key_column_usage WHERE constraint_schema IN ({db})"),
        lookForeignKeyParents);
    add("mysql-server-charset", On::Target, cwText("core", "Default character set"),
        cwText("core", "The same on both servers."),
        cwText("core", "Tables that the application creates later without saying which get the "
                       "server's."),
        variables, lookServerCharset);
    add("mysql-ddl-defaults", On::Target, cwText("core", "Defaults for new tables"),
        cwText("core", "The same on both servers."),
        cwText("core", "The same CREATE TABLE of the application would make something else there, "
                       "or be refused."),
        variables, lookDdlDefaults);
    add("mysql-triggers-events", On::Source, cwText("core", "Triggers and events"), nothing,
        cwText("core", "They are created on the target at the switch: until then what they do "
                       "arrives with the changes."),
        QStringLiteral("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema "
                       "IN ({db})"),
        lookTriggersAndEvents);
    add("mysql-partitions", On::Source, cwText("core", "Partitioned tables"), nothing,
        cwText("core", "They move as one table; adding or dropping a partition is a change of the "
                       "schema, which stops the following."),
        tables, lookPartitions);
    add("mysql-generated-columns", On::Source, cwText("core", "Generated columns"), nothing,
        cwText("core", "The target computes them itself."), columns, lookGenerated);
    add("mysql-invisible-columns", On::Source, cwText("core", "Invisible columns"), nothing,
        cwText("core", "They move like the others."), columns, lookInvisible);
    add("mysql-functional-indexes", On::Source, cwText("core", "Indexes over expressions"), nothing,
        cwText("core", "The target makes them anew."),
        QStringLiteral("SELECT table_name,index_name,expression FROM information_schema.statistics "
                       "WHERE table_schema IN ({db})"),
        lookFunctionalIndexes);
    add("mysql-special-types", On::Source, cwText("core", "Types that are compared apart"), nothing,
        cwText("core", "JSON, geometry, bits and inexact numbers are written differently by "
                       "different servers: they are compared by what they mean."),
        columns, lookSpecialTypes);
}

} // namespace causeway::mysql
