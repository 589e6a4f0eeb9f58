#include "mysql/checks/Needs.h"

#include "mysql/checks/Fixes.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

/// Server-wide: reading the log.
void addFollowNeeds(std::vector<Need> &needs, bool required, const Text &purpose)
{
    needs.push_back({{},
                     {QStringLiteral("REPLICATION SLAVE"), QStringLiteral("REPLICATION CLIENT")},
                     {},
                     required,
                     purpose,
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
    return grantScope(schema, wildcards);
}

QStringList Need::grantScopes() const
{
    constexpr std::size_t kFew = 20;
    if (onTables.empty() || onTables.size() > kFew)
        return {scope()};
    QStringList out;
    for (const TableName &t : onTables)
        out << quoteName(t);
    return out;
}

QStringList grantSql(const Need &need, const QStringList &missing, const QString &account)
{
    QStringList out;
    const QStringList scopes = need.grantScopes();
    for (const QString &scope : scopes) {
        out << QStringLiteral("GRANT %1 ON %2 TO %3;")
                   .arg(missing.join(QStringLiteral(", ")), scope, account);
    }
    return out;
}

QStringList Need::missingFrom(const Grants &grants) const
{
    if (!orInSchema.isEmpty() && std::all_of(all.begin(), all.end(), [&](const QString &p) {
            return grants.has(p, orInSchema);
        }))
        return {};
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

namespace {

/// What the rows' way back asks of the old source: everything that the target's log can bring.
Need followerNeeds(const QString &schema, std::vector<TableName> tables)
{
    return {schema,
            {QStringLiteral("INSERT"), QStringLiteral("UPDATE"), QStringLiteral("DELETE"),
             QStringLiteral("DROP")}, // TRUNCATE asks for DROP
            {},
            false,
            cwText("core", "to let it follow after the switch, so that one can go back"),
            std::move(tables)};
}

/// A schema change that is let through (--on-ddl apply) is made on the old source too.
Need schemaChangeNeeds(const QString &schema)
{
    Need n{schema,
           {QStringLiteral("CREATE"), QStringLiteral("ALTER"), QStringLiteral("INDEX"),
            QStringLiteral("REFERENCES")},
           {},
           false,
           cwText("core", "to carry schema changes back to it after the switch"),
           {}};
    n.comfort = true;
    return n;
}

bool anyRoutine(const std::vector<ObjectBrief> &objects)
{
    return std::any_of(objects.begin(), objects.end(), [](const ObjectBrief &o) {
        return o.kind == ObjectKind::Procedure || o.kind == ObjectKind::Function;
    });
}

/// Without a right to it an object is not shown at all, and would be left behind without a word.
void addVisibility(std::vector<Need> &needs, const QString &schema, const ServerFacts &facts)
{
    needs.push_back({schema,
                     {QStringLiteral("EVENT")},
                     {},
                     true,
                     cwText("core", "to see events, and to take them off at the switch"),
                     {}});
    QStringList any{QStringLiteral("EXECUTE"), QStringLiteral("ALTER ROUTINE"),
                    QStringLiteral("CREATE ROUTINE")};
    if (!facts.isMariaDb)
        any << QStringLiteral("SHOW_ROUTINE");
    needs.push_back({schema, {}, any, true, cwText("core", "to see that there are routines"), {}});
}

/// The text of somebody else's routine.
void addRoutineBodies(std::vector<Need> &needs, const ServerFacts &facts, bool required)
{
    if (!facts.isMariaDb && facts.versionNumber >= 80020) {
        Need n{{},
               {},
               {QStringLiteral("SHOW_ROUTINE"), QStringLiteral("SELECT")},
               required,
               cwText("core", "to read the bodies of routines"),
               {}};
        n.comfort = !required;
        needs.push_back(std::move(n));
        return;
    }
    Need n{QStringLiteral("mysql"),
           {QStringLiteral("SELECT")},
           {},
           required,
           cwText("core", "to read the bodies of routines"),
           {{QStringLiteral("mysql"), QStringLiteral("proc")}}};
    n.comfort = !required;
    needs.push_back(std::move(n));
}

void addSourceNeeds(std::vector<Need> &needs, const QString &schema, ServerContext &here,
                    const CheckOptions &options, const ServerFacts &facts, std::stop_token stop)
{
    const bool whole = options.selection.wholeSchema(schema);
    std::vector<TableName> tables;
    if (!whole) {
        if (const auto t = here.tables(std::move(stop))) {
            for (const TableBrief &b : **t) {
                if (b.name.schema == schema)
                    tables.push_back(b.name);
            }
        }
    }
    needs.push_back(
        {schema, {QStringLiteral("SELECT")}, {}, true, cwText("core", "to read the rows"), tables});
    needs.push_back({schema,
                     {QStringLiteral("SHOW VIEW"), QStringLiteral("TRIGGER")},
                     {},
                     true,
                     cwText("core", "to read definitions, and to fence with triggers"),
                     tables});
    if (whole)
        addVisibility(needs, schema, facts);
    needs.push_back({schema,
                     {QStringLiteral("LOCK TABLES")},
                     {},
                     true,
                     cwText("core", "to hold writes at the switch"),
                     {}});
    if (options.once)
        return;
    needs.push_back(followerNeeds(schema, tables));
    needs.push_back(schemaChangeNeeds(schema));
}

} // namespace

/// Tables `_causeway_*` in the database of the URL do as well as a schema of our own.
Need stateNeed(const Address &address)
{
    const QStringList all{QStringLiteral("SELECT"), QStringLiteral("INSERT"),
                          QStringLiteral("UPDATE"), QStringLiteral("DELETE"),
                          QStringLiteral("CREATE"), QStringLiteral("DROP")};
    Need n{QStringLiteral("_causeway"),
           all,
           {},
           true,
           cwText("core", "to keep the state of the migration on the server"),
           {}};
    n.orInSchema = address.database;
    return n;
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
        addFollowNeeds(needs, true, cwText("core", "to read the binary log"));
    } else if (live) {
        addFollowNeeds(needs, false,
                       cwText("core", "to follow it after the switch, so that "
                                      "one can go back"));
    }
    if (facts->isMariaDb && facts->versionNumber >= 100502) {
        needs.push_back({{},
                         {},
                         {QStringLiteral("SLAVE MONITOR"), QStringLiteral("SUPER"),
                          QStringLiteral("REPLICATION SLAVE ADMIN")},
                         true, // a check that cannot be made blocks
                         cwText("core", "to see whether it is a replica"),
                         {}});
    } else {
        needs.push_back({{},
                         {},
                         {QStringLiteral("REPLICATION CLIENT"), QStringLiteral("SUPER")},
                         true,
                         cwText("core", "to see whether it is a replica"),
                         {}});
    }
    Need process{{},
                 {QStringLiteral("PROCESS")},
                 {},
                 source && live,
                 cwText("core", "to see who is connected and what holds a lock up"),
                 {}};
    process.comfort = !process.required;
    needs.push_back(std::move(process));
    if (source && options.selection.wholeSchemas())
        addRoutineBodies(needs, *facts, anyRoutine(objects));
    if (!facts->isMariaDb && facts->versionNumber >= 80000) {
        Need xa{{},
                {QStringLiteral("XA_RECOVER_ADMIN")},
                {},
                false,
                cwText("core", "to see prepared XA transactions"),
                {}};
        xa.comfort = true;
        needs.push_back(std::move(xa));
    }
    for (const QString &schema : here.schemaNames()) {
        if (source) {
            addSourceNeeds(needs, schema, here, options, *facts, stop);
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
    needs.push_back(stateNeed(here.address()));
    CW_TRY_ASSIGN(const QString partial, here.variable("partial_revokes", stop));
    for (Need &n : needs)
        n.wildcards = partial != QLatin1String("ON");
    return needs;
}

} // namespace causeway::mysql
