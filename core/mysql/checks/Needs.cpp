#include "mysql/checks/Needs.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

/// Server-wide: reading the log and seeing whom the fence stops.
void addFollowNeeds(std::vector<Need> &needs, const ServerFacts &facts, bool required,
                    const Text &purpose)
{
    needs.push_back({{},
                     {QStringLiteral("REPLICATION SLAVE"), QStringLiteral("REPLICATION CLIENT")},
                     {},
                     required,
                     purpose,
                     {},
                     true});
    if (facts.isMariaDb && facts.versionNumber >= 100502)
        needs.push_back({{},
                         {},
                         {QStringLiteral("SLAVE MONITOR"), QStringLiteral("SUPER"),
                          QStringLiteral("REPLICATION SLAVE ADMIN")},
                         false,
                         cwText("core", "to see whether it is a replica"),
                         {},
                         true});
}

QStringList objectPrivileges(const std::vector<ObjectBrief> &objects, const QString &schema,
                             const CheckOptions &options)
{
    QStringList out;
    const auto add = [&out](const QStringList &more) {
        for (const QString &p : more) {
            if (!out.contains(p))
                out << p;
        }
    };
    for (const ObjectBrief &o : objects) {
        if (options.selection.schemaOnTarget(o.schema) != schema)
            continue;
        switch (o.kind) {
        case ObjectKind::View:
            add({QStringLiteral("CREATE VIEW"), QStringLiteral("SHOW VIEW")});
            break;
        case ObjectKind::Procedure:
        case ObjectKind::Function:
            add({QStringLiteral("CREATE ROUTINE"), QStringLiteral("ALTER ROUTINE"),
                 QStringLiteral("EXECUTE")});
            break;
        case ObjectKind::Trigger:
            add({QStringLiteral("TRIGGER")});
            break;
        case ObjectKind::Event:
            add({QStringLiteral("EVENT")});
            break;
        case ObjectKind::Sequence:
            break;
        }
    }
    return out;
}

} // namespace

QString Need::scope() const
{
    if (schema.isEmpty())
        return QStringLiteral("*.*");
    // In a grant on a schema _ and % are wildcards.
    QString pattern = schema;
    if (!wildcards)
        return quoteId(pattern) + QStringLiteral(".*");
    pattern.replace(QLatin1Char('\\'), QLatin1String("\\\\"));
    pattern.replace(QLatin1Char('_'), QLatin1String("\\_"));
    pattern.replace(QLatin1Char('%'), QLatin1String("\\%"));
    return quoteId(pattern) + QStringLiteral(".*");
}

QStringList Need::missingFrom(const Grants &grants) const
{
    const auto holds = [&](const QString &p) {
        if (schema.isEmpty())
            return grants.has(p);
        if (grants.has(p, schema))
            return true;
        return !onTables.empty() &&
               std::all_of(onTables.begin(), onTables.end(),
                           [&](const TableName &t) { return grants.has(p, t); });
    };
    QStringList missing;
    for (const QString &p : all) {
        if (!holds(p))
            missing << p;
    }
    if (!oneOf.isEmpty() && std::none_of(oneOf.begin(), oneOf.end(), holds))
        missing << oneOf.first();
    return missing;
}

Result<std::vector<Need>> neededGrants(ServerContext &here, ServerContext *other,
                                       const CheckOptions &options, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto *facts, here.facts(stop));
    const bool source = here.side() == Side::Source;
    ServerContext *from = source ? &here : other;
    std::vector<ObjectBrief> objects;
    // Without the source's objects (no right to see them yet) only the tables' needs are asked.
    if (from) {
        if (const auto o = from->objects(stop))
            objects = **o;
    }
    std::vector<Need> needs;
    const bool live = !options.once;
    if (source && live) {
        addFollowNeeds(needs, *facts, true, cwText("core", "to read the binary log"));
    } else if (live) {
        addFollowNeeds(needs, *facts, false,
                       cwText("core", "to follow it after the switch, so that "
                                      "one can go back"));
    }
    needs.push_back({{},
                     {QStringLiteral("PROCESS")},
                     {},
                     source && live,
                     cwText("core", "to see who is connected and what holds a lock up"),
                     {},
                     true});
    if (source && !facts->isMariaDb && facts->versionNumber >= 80020 &&
        std::any_of(objects.begin(), objects.end(), [](const ObjectBrief &o) {
            return o.kind == ObjectKind::Procedure || o.kind == ObjectKind::Function;
        })) {
        needs.push_back({{},
                         {},
                         {QStringLiteral("SHOW_ROUTINE"), QStringLiteral("SELECT")},
                         true,
                         cwText("core", "to read the bodies of routines"),
                         {},
                         true});
    }
    if (!facts->isMariaDb && facts->versionNumber >= 80000)
        needs.push_back({{},
                         {QStringLiteral("XA_RECOVER_ADMIN")},
                         {},
                         false,
                         cwText("core", "to see prepared XA transactions"),
                         {},
                         true});
    for (const QString &schema : here.schemaNames()) {
        if (source) {
            std::vector<TableName> tables;
            if (!options.selection.wholeSchemas()) {
                if (const auto t = here.tables(stop)) {
                    for (const TableBrief &b : **t) {
                        if (b.name.schema == schema)
                            tables.push_back(b.name);
                    }
                }
            }
            needs.push_back({schema,
                             {QStringLiteral("SELECT")},
                             {},
                             true,
                             cwText("core", "to read the rows"),
                             tables});
            needs.push_back({schema,
                             {QStringLiteral("SHOW VIEW"), QStringLiteral("TRIGGER")},
                             {},
                             true,
                             cwText("core", "to read definitions, and to fence with triggers"),
                             tables});
            if (options.selection.wholeSchemas() &&
                std::any_of(objects.begin(), objects.end(), [&](const ObjectBrief &o) {
                    return o.kind == ObjectKind::Event && o.schema == schema;
                }))
                needs.push_back({schema,
                                 {QStringLiteral("EVENT")},
                                 {},
                                 true,
                                 cwText("core", "to take events off at the switch"),
                                 {},
                                 true});
            if (live) {
                needs.push_back({schema,
                                 {QStringLiteral("LOCK TABLES")},
                                 {},
                                 true,
                                 cwText("core", "to hold writes at the switch"),
                                 {},
                                 true});
                needs.push_back(
                    {schema,
                     {QStringLiteral("INSERT"), QStringLiteral("UPDATE"), QStringLiteral("DELETE")},
                     {},
                     false,
                     cwText("core", "to let it follow after the switch, so that one can "
                                    "go back"),
                     tables});
            }
            continue;
        }
        QStringList build{
            QStringLiteral("SELECT"),  QStringLiteral("INSERT"),     QStringLiteral("UPDATE"),
            QStringLiteral("DELETE"),  QStringLiteral("CREATE"),     QStringLiteral("DROP"),
            QStringLiteral("ALTER"),   QStringLiteral("INDEX"),      QStringLiteral("REFERENCES"),
            QStringLiteral("TRIGGER"), QStringLiteral("LOCK TABLES")};
        for (const QString &p : objectPrivileges(objects, schema, options)) {
            if (!build.contains(p))
                build << p;
        }
        needs.push_back(
            {schema, build, {}, true, cwText("core", "to build and fill the tables"), {}});
    }
    if (live || !source) {
        needs.push_back(
            {QStringLiteral("_causeway"),
             {QStringLiteral("SELECT"), QStringLiteral("INSERT"), QStringLiteral("UPDATE"),
              QStringLiteral("DELETE"), QStringLiteral("CREATE"), QStringLiteral("DROP")},
             {},
             // Hosted servers that allow no schema of ours get tables in the database.
             facts->platform != Platform::PlanetScale,
             cwText("core", "to keep the state of the migration on the server"),
             {},
             true});
    }
    CW_TRY_ASSIGN(const QString partial, here.variable("partial_revokes", stop));
    for (Need &n : needs)
        n.wildcards = partial != QLatin1String("ON");
    return needs;
}

} // namespace causeway::mysql
