#include "mysql/FencePlan.h"
#include "mysql/Parts.h"
#include "mysql/SchemaDiff.h"
#include "mysql/checks/Fixes.h"

#include <QRandomGenerator>

#include <algorithm>

namespace causeway::mysql {

namespace {

const QString kVars = QStringLiteral("SHOW GLOBAL VARIABLES");

/// What keeps tables that are there from being used: rows, another shape, triggers that would fire.
/// Empty: nothing does.
Result<QStringList> reasonsAgainst(Look &look, const std::vector<TableName> &there)
{
    QStringList out;
    constexpr std::size_t kAtOnce = 200; // tables to a question
    for (std::size_t from = 0; from < there.size(); from += kAtOnce) {
        QStringList parts;
        for (std::size_t i = from; i < std::min(there.size(), from + kAtOnce); ++i)
            parts << QStringLiteral("SELECT %1 AS n, EXISTS (SELECT 1 FROM %2) AS e")
                         .arg(QString::number(i), quoteName(there[i]));
        CW_TRY_ASSIGN(const auto rows,
                      look.here.query(parts.join(QStringLiteral(" UNION ALL ")), look.stop));
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            if (rows.text(i, "e") == QLatin1String("1"))
                out << QStringLiteral("%1: it has rows")
                           .arg(there[rows.text(i, "n").toULongLong()].display());
        }
    }
    if (!out.isEmpty() || !look.other)
        return out;
    CW_TRY_ASSIGN(const auto target, Session::open(look.here.address(), Use::Control, look.stop));
    CW_TRY_ASSIGN(const auto source, Session::open(look.other->address(), Use::Control, look.stop));
    CW_TRY_ASSIGN(const ServerFacts facts, readFacts(*source, look.stop));
    CW_TRY_ASSIGN(const Catalog leader, readCatalog(*source, look.options.selection, look.stop));
    CW_TRY_ASSIGN(const SchemaScript script,
                  writeSchemaScript(*target, leader, look.options.selection, facts, look.stop));
    // As they would be made, against as they are.
    Catalog wanted;
    for (const TablePlan &plan : script.plans) {
        if (std::find(there.begin(), there.end(), plan.follower->name) != there.end())
            wanted.tables.push_back(*plan.follower);
    }
    Selection here;
    here.schemas = look.here.schemaNames();
    CW_TRY_ASSIGN(const Catalog existing, readCatalog(*target, here, look.stop));
    return diffSchemas(wanted, existing, Selection{});
}

Status lookTables(Look &look)
{
    CW_TRY_ASSIGN(
        const auto rows,
        look.here.query(QStringLiteral("SELECT table_schema,table_name,table_type FROM "
                                       "information_schema.tables WHERE table_schema IN (%1) AND "
                                       "table_type <> 'SYSTEM VIEW' ORDER BY 1,2")
                            .arg(look.here.schemaList()),
                        look.stop));
    QStringList sql, others;
    std::vector<TableName> tables;
    bool onlyTables = true;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        const TableName name{rows.text(i, std::size_t{0}), rows.text(i, 1)};
        // The state of a migration, where no schema of ours was allowed.
        if (name.name.startsWith(QLatin1String("_causeway_")))
            continue;
        const QString type = rows.text(i, 2);
        if (!look.here.inScope(name)) {
            others << name.display();
            continue;
        }
        look.out.objects << name.display();
        tables.push_back(name);
        onlyTables = onlyTables && type == QLatin1String("BASE TABLE");
        sql << QStringLiteral("DROP %1 %2;")
                   .arg(type == QLatin1String("VIEW")       ? QStringLiteral("VIEW")
                        : type == QLatin1String("SEQUENCE") ? QStringLiteral("SEQUENCE")
                                                            : QStringLiteral("TABLE"),
                        quoteName(name));
    }
    // Routines and events of the same name would stay as they are, whatever is in them.
    if (look.options.selection.wholeSchemas()) {
        CW_TRY_ASSIGN(const auto *objects, look.here.objects(look.stop));
        for (const ObjectBrief &o : *objects) {
            if (o.kind != ObjectKind::Procedure && o.kind != ObjectKind::Function &&
                o.kind != ObjectKind::Event)
                continue;
            look.out.objects << o.display();
            sql << QStringLiteral("DROP %1 %2;")
                       .arg(o.kind == ObjectKind::Event      ? QStringLiteral("EVENT")
                            : o.kind == ObjectKind::Function ? QStringLiteral("FUNCTION")
                                                             : QStringLiteral("PROCEDURE"),
                            quoteName({o.schema, o.name}));
        }
    }
    if (sql.isEmpty()) {
        return others.isEmpty()
                   ? look.pass(cwText("core", "The target is empty."))
                   : look.info(cwText("core",
                                      "None of the tables exists; the schema holds others: "
                                      "%1.",
                                      someOf(others)));
    }
    QStringList reasons;
    if (onlyTables) {
        CW_TRY_ASSIGN(reasons, reasonsAgainst(look, tables));
        if (reasons.isEmpty()) {
            return look.warn(cwText("core",
                                    "Already on the target, empty and of the same shape, so that "
                                    "they are used as they are: %1.",
                                    someOf(look.out.objects)));
        }
    }
    // Named by mistake as its own target: no statement that throws its rows away.
    if (look.other) {
        CW_TRY_ASSIGN(const auto *here, look.here.facts(look.stop));
        CW_TRY_ASSIGN(const auto *there, look.other->facts(look.stop));
        if (here->identity == there->identity) {
            look.out.fix.text = cwText("core", "This is the source itself. Name another server as "
                                               "the target, or another name for the schema there.");
            return look.block(
                cwText("core", "Already on the target: %1.", someOf(look.out.objects)));
        }
    }
    // Tables that refer to one another cannot be dropped one by one.
    sql.prepend(QStringLiteral("SET SESSION foreign_key_checks = 0;"));
    sql.append(QStringLiteral("SET SESSION foreign_key_checks = 1;"));
    look.out.fix = sqlFix(look, sql,
                          cwText("core", "If nobody needs them: the SQL throws them away with all "
                                         "their rows. Else give the schema another name on the "
                                         "target (--rename)."),
                          QStringLiteral("DROP, ALTER ROUTINE, EVENT"));
    if (reasons.isEmpty())
        return look.block(cwText("core", "Already on the target: %1.", someOf(look.out.objects)));
    return look.block(
        cwText("core", "Already on the target, and not usable: %1.", someOf(reasons)));
}

Status lookWritable(Look &look)
{
    CW_TRY_ASSIGN(const auto *v, look.here.variables(look.stop));
    const auto on = [&](const char *name) {
        return v->value(QString::fromLatin1(name)) == QLatin1String("ON");
    };
    if (on("innodb_read_only")) {
        look.out.fix.platform = platformOf(look);
        look.out.fix.text = cwText("core", "Use the endpoint of the cluster's writer.");
        return look.block(cwText("core", "innodb_read_only is ON: it is a reader."));
    }
    std::vector<Setting> settings;
    // super_read_only pulls read_only along when it is set, not when it is cleared.
    if (on("super_read_only"))
        settings.push_back({QStringLiteral("super_read_only"), QStringLiteral("OFF")});
    const QString readOnly = v->value(QStringLiteral("read_only"));
    if (!readOnly.isEmpty() && readOnly != QLatin1String("OFF") && readOnly != QLatin1String("0"))
        settings.push_back({QStringLiteral("read_only"), QStringLiteral("OFF")});
    if (settings.empty())
        return look.pass(cwText("core", "It takes writes."));
    const QString value = settings.size() > 1 ? QStringLiteral("ON") : readOnly;
    // To open what another migration counts on being closed would let its rows be overwritten.
    CW_TRY_ASSIGN(const auto session, Session::open(look.here.address(), Use::Control, look.stop));
    const auto closers = readClosers(*session, look.stop);
    if (!closers && closers.error().code != ErrorCode::Server)
        return fail(closers.error());
    if (closers && !closers->empty()) {
        for (const MigrationOnServer &m : *closers)
            look.out.objects << (m.holder.isEmpty()
                                     ? m.lease.migration
                                     : QStringLiteral("%1 (%2)").arg(m.lease.migration, m.holder));
        look.out.fix.platform = platformOf(look);
        look.out.fix.text =
            cwText("core", "Switch, finish or cancel that migration first: it opens the server "
                           "itself. Two migrations can share a target where both close only their "
                           "own tables (--target-fence triggers).");
        return look.block(cwText("core", "%1 is %2: migration %3 keeps it closed.",
                                 settings.front().name, value, someOf(look.out.objects)));
    }
    look.out.fix =
        settingFix(look, settings,
                   cwText("core", "First make sure that nothing holds it read-only for a "
                                  "reason, such as being a replica."));
    look.out.fix.canApply = false;
    return look.block(cwText("core", "%1 is %2.", settings.front().name, value));
}

Status lookReverse(Look &look)
{
    CW_TRY_ASSIGN(const auto *v, look.here.variables(look.stop));
    CW_TRY_ASSIGN(const auto *facts, look.here.facts(look.stop));
    if (facts->platform == Platform::PlanetScale || facts->platform == Platform::Vitess)
        return look.warn(cwText("core", "Its binary log cannot be read: the switch is one-way."));
    QStringList wrong;
    std::vector<Setting> settings;
    const auto need = [&](const char *name, const QString &value, bool restart = false) {
        const QString variable = QString::fromLatin1(name);
        const QString is = v->value(variable);
        // A variable the server does not have has no other value either.
        if ((is.isEmpty() && !restart) || is.toUpper() == value)
            return;
        wrong << variable + QLatin1Char('=') + is;
        settings.push_back({variable, value, restart});
    };
    if (v->value(QStringLiteral("log_bin")) != QLatin1String("ON")) {
        wrong << QStringLiteral("log_bin=OFF");
        settings.push_back({QStringLiteral("log_bin"), QStringLiteral("binlog"), true});
    }
    need("binlog_format", QStringLiteral("ROW"));
    need("binlog_row_image", QStringLiteral("FULL"));
    if (wrong.isEmpty())
        return look.pass(cwText("core", "Its binary log can carry the way back."));
    look.out.fix = settingFix(look, settings);
    return look.warn(cwText("core",
                            "Its binary log cannot carry the way back (%1): the switch would "
                            "be one-way.",
                            wrong.join(QStringLiteral(", "))));
}

Status lookLocalInfile(Look &look)
{
    CW_TRY_ASSIGN(const QString value, look.here.variable("local_infile", look.stop));
    if (value != QLatin1String("OFF"))
        return look.pass(cwText("core", "LOAD DATA LOCAL is allowed."));
    look.out.fix = settingFix(look, {{QStringLiteral("local_infile"), QStringLiteral("ON")}});
    return look.info(cwText("core",
                            "LOAD DATA LOCAL is off; rows are inserted instead, which takes "
                            "about half as long again."));
}

Status lookKeyPolicy(Look &look)
{
    CW_TRY_ASSIGN(const auto *v, look.here.variables(look.stop));
    const auto on = [&](const char *name) {
        return v->value(QString::fromLatin1(name)) == QLatin1String("ON");
    };
    const bool demands = on("sql_require_primary_key");
    const bool adds = on("sql_generate_invisible_primary_key");
    if (!demands && !adds)
        return look.pass(cwText("core", "Tables may be created as they are."));
    CW_TRY_ASSIGN(const auto *tables, look.other->tables(look.stop));
    CW_TRY_ASSIGN(const auto *keys, look.other->uniqueKeys(look.stop));
    QSet<TableName> primary;
    for (const UniqueKeyBrief &k : *keys) {
        if (k.name == QLatin1String("PRIMARY"))
            primary.insert(k.table);
    }
    for (const TableBrief &t : *tables) {
        if (t.type != QLatin1String("SEQUENCE") && !primary.contains(t.name))
            look.out.objects << t.name.display();
    }
    if (look.out.objects.isEmpty())
        return look.pass(cwText("core", "Every table has a primary key."));
    std::vector<Setting> settings;
    if (adds)
        settings.push_back(
            {QStringLiteral("sql_generate_invisible_primary_key"), QStringLiteral("OFF")});
    if (demands)
        settings.push_back({QStringLiteral("sql_require_primary_key"), QStringLiteral("OFF")});
    look.out.fix = settingFix(look, settings);
    return look.block(cwText("core", "%1, and these have no primary key: %2.",
                             demands ? QStringLiteral("sql_require_primary_key is ON")
                                     : QStringLiteral("sql_generate_invisible_primary_key is ON"),
                             someOf(look.out.objects)));
}

/// Events that the source runs would stand still after the switch.
Status lookEventScheduler(Look &look)
{
    CW_TRY_ASSIGN(const auto *objects, look.other->objects(look.stop));
    for (const ObjectBrief &o : *objects) {
        if (o.kind == ObjectKind::Event)
            look.out.objects << o.display();
    }
    if (look.out.objects.isEmpty())
        return look.pass(cwText("core", "No events."));
    CW_TRY_ASSIGN(const QString there, look.other->variable("event_scheduler", look.stop));
    CW_TRY_ASSIGN(const QString here, look.here.variable("event_scheduler", look.stop));
    if (here == QLatin1String("ON") || there != QLatin1String("ON"))
        return look.pass(
            cwText("core", "The event scheduler is %1 here and %2 on the source.", here, there));
    const bool disabled = here == QLatin1String("DISABLED");
    look.out.fix = settingFix(
        look, {{QStringLiteral("event_scheduler"), QStringLiteral("ON"), disabled}},
        cwText("core", "Events are created at the switch; until then there is nothing to run."));
    return look.warn(cwText("core", "event_scheduler is %1 here; on the source it is ON.", here));
}

/// NOW(), CURRENT_TIMESTAMP and events go by the server's zone unless a session sets its own.
Status lookTimeZone(Look &look)
{
    const auto offset = [&](ServerContext &server) -> Result<QString> {
        CW_TRY_ASSIGN(const auto rows, server.query(QStringLiteral("SELECT @@global.time_zone,"
                                                                   "@@global.system_time_zone"),
                                                    look.stop));
        const QString zone = rows.text(0, std::size_t{0});
        return zone == QLatin1String("SYSTEM") ? rows.text(0, 1) : zone;
    };
    CW_TRY_ASSIGN(const QString here, offset(look.here));
    CW_TRY_ASSIGN(const QString there, offset(*look.other));
    const auto isUtc = [](const QString &z) {
        return z == QLatin1String("UTC") || z == QLatin1String("+00:00") ||
               z == QLatin1String("GMT") || z == QLatin1String("Etc/UTC");
    };
    if (here == there || (isUtc(here) && isUtc(there)))
        return look.pass(cwText("core", "Both servers are in %1.", here));
    look.out.fix.platform = platformOf(look);
    look.out.fix.text =
        cwText("core", "Give the target the source's zone (default-time-zone in its configuration "
                       "or parameter group), or let the application set time_zone itself.");
    return look.warn(
        cwText("core", "The server's time zone is %1 here and %2 on the source.", here, there));
}

/// Writes: a table of its own in a schema of its own, which is dropped again if it was not there.
Status probeWrite(Look &look)
{
    CW_TRY_ASSIGN(const auto *schemas, look.here.schemas(look.stop));
    const bool had = schemas->contains(QLatin1String("_causeway"));
    const QString table = QStringLiteral("`_causeway`.`probe_%1`")
                              .arg(QRandomGenerator::global()->generate(), 8, 16, QLatin1Char('0'));
    const auto write = [&]() -> Status {
        CW_TRY(
            look.here.exec(QStringLiteral("CREATE DATABASE IF NOT EXISTS `_causeway`"), look.stop));
        CW_TRY(look.here.exec(
            QStringLiteral("CREATE TABLE %1 (id INT PRIMARY KEY) ENGINE=InnoDB").arg(table),
            look.stop));
        return look.here.exec(QStringLiteral("INSERT INTO %1 VALUES (1)").arg(table), look.stop);
    };
    const Status written = write();
    // Tidied up whatever happened; without the caller's stop, which may have been requested.
    const Status dropped =
        look.here.exec(QStringLiteral("DROP TABLE IF EXISTS %1").arg(table), std::stop_token());
    if (!had)
        (void)look.here.exec(QStringLiteral("DROP DATABASE IF EXISTS `_causeway`"),
                             std::stop_token());
    CW_TRY(written);
    CW_TRY(dropped);
    return look.pass(cwText("core", "A table was created, written and dropped."));
}

} // namespace

void addTargetChecks(CheckList &list)
{
    list.add(
        {.id = QStringLiteral("mysql-target-tables"),
         .on = On::Target,
         .title = cwText("core", "An empty target"),
         .needed =
             cwText("core", "None of the tables exists yet, or they are empty and of the same "
                            "shape."),
         .why = cwText("core", "Rows that are there already would be mixed with those that are "
                               "copied."),
         .sql = {QStringLiteral("SELECT table_schema,table_name,table_type FROM "
                                "information_schema.tables WHERE table_schema IN ({db})")},
         .look = lookTables});
    list.add({.id = QStringLiteral("mysql-target-writable"),
              .on = On::Target,
              .title = cwText("core", "A target that takes writes"),
              .needed = cwText("core", "read_only, super_read_only and innodb_read_only are OFF."),
              .why = cwText("core", "Nothing could be copied."),
              .sql = {kVars},
              .look = lookWritable});
    list.add(
        {.id = QStringLiteral("mysql-reverse"),
         .on = On::Target,
         .title = cwText("core", "The way back"),
         .needed = cwText("core", "The target logs whole rows."),
         .why = cwText("core", "After the switch the old source follows the target through its "
                               "binary log, so that going back loses nothing."),
         .blocking = false,
         .onlyLive = true,
         .sql = {kVars},
         .look = lookReverse});
    list.add(
        {.id = QStringLiteral("mysql-key-policy"),
         .on = On::Target,
         .title = cwText("core", "Primary keys demanded by the target"),
         .needed = cwText("core", "OFF, or every table has a primary key."),
         .why = cwText("core", "The table would be refused, or get a column that the source does "
                               "not have."),
         .sql = {kVars},
         .look = lookKeyPolicy});
    list.add({.id = QStringLiteral("mysql-local-infile"),
              .on = On::Target,
              .title = cwText("core", "Fast loading"),
              .needed = cwText("core", "local_infile is ON."),
              .why = cwText("core", "The copy is faster."),
              .blocking = false,
              .sql = {kVars},
              .look = lookLocalInfile});
    list.add(
        {.id = QStringLiteral("mysql-event-scheduler"),
         .on = On::Target,
         .title = cwText("core", "Event scheduler"),
         .needed = cwText("core", "ON, where the source runs events."),
         .why = cwText("core", "The source's events would not run after the switch, and nothing "
                               "would say so."),
         .blocking = false,
         .sql = {kVars},
         .look = lookEventScheduler});
    list.add(
        {.id = QStringLiteral("mysql-time-zone"),
         .on = On::Target,
         .title = cwText("core", "Time zone"),
         .needed = cwText("core", "The same on both servers."),
         .why = cwText("core", "Moments that are stored as DATETIME by NOW() would jump at the "
                               "switch, and events would run at another hour. Causeway itself "
                               "copies in UTC: stored values stay as they are."),
         .blocking = false,
         .sql = {QStringLiteral("SELECT @@global.time_zone,@@global.system_time_zone")},
         .look = lookTimeZone});
    list.add({.id = QStringLiteral("mysql-write-probe"),
              .on = On::Target,
              .title = cwText("core", "Writing to the target, tried"),
              .needed = cwText("core", "A table can be created and written."),
              .why = cwText("core", "Privileges say what is allowed, a write says that it works."),
              .isProbe = true,
              .sql = {QStringLiteral("CREATE DATABASE IF NOT EXISTS `_causeway`"),
                      QStringLiteral("CREATE TABLE `_causeway`.`probe_...` (id INT PRIMARY KEY) "
                                     "ENGINE=InnoDB"),
                      QStringLiteral("INSERT INTO `_causeway`.`probe_...` VALUES (1)"),
                      QStringLiteral("DROP TABLE IF EXISTS `_causeway`.`probe_...`")},
              .look = probeWrite});
}

} // namespace causeway::mysql
