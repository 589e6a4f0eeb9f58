#include "mysql/Parts.h"
#include "mysql/SchemaRead.h"
#include "mysql/SqlTokens.h"

#include <QHash>
#include <QSet>

#include <algorithm>
#include <functional>
#include <optional>

namespace causeway::mysql {

namespace {

struct Reader {
    Session &session;
    const QStringList &schemas;
    const Selection &selection;
    std::stop_token stop;
    std::vector<SchemaObject> out;

    Result<ResultSet> ask(const char *view, const char *schemaColumn, const char *order)
    {
        return session.query(QStringLiteral("SELECT * FROM information_schema.%1 WHERE %2%3")
                                 .arg(QLatin1String(view), schemaCondition(schemaColumn, schemas),
                                      QLatin1String(order)),
                             stop);
    }
    /// The text is empty where the server does not show it to this account or the object is
    /// broken; who creates it elsewhere decides what that means.
    Status show(SchemaObject &o, const char *kind, const char *column)
    {
        auto r = session.query(QStringLiteral("SHOW CREATE %1 %2")
                                   .arg(QLatin1String(kind), quoteName({o.schema, o.name})),
                               stop);
        if (!r && r.error().code != ErrorCode::Server)
            return tl::unexpected<Error>(std::move(r).error());
        if (!r)
            return {};
        o.createSql = shownCreate(*r, column);
        if (o.kind == ObjectKind::View && session.warningCount() > 0) {
            CW_TRY_ASSIGN(const auto warnings,
                          session.query(QStringLiteral("SHOW WARNINGS"), stop));
            for (std::size_t i = 0; i < warnings.rows.size(); ++i)
                o.invalid = o.invalid || warnings.text(i, "Code").toInt() == 1356;
        }
        return {};
    }
    Status sequences(const std::vector<TableName> &names);
    /// Of both kinds, or of one: each is shown by a question of its own.
    Status routines(std::optional<ObjectKind> only = std::nullopt);
    Status views();
    Status keepRead(QHash<TableName, QSet<TableName>> &reads);
    Status triggers(const std::function<bool(const TableName &)> &ofTable);
    Status events();
};

void readContext(SchemaObject &o, const ResultSet &r, std::size_t i)
{
    o.definer = r.text(i, "DEFINER");
    o.invoker = r.text(i, "SECURITY_TYPE") == QLatin1String("INVOKER");
    o.sqlMode = r.text(i, "SQL_MODE");
    o.characterSetClient = r.text(i, "CHARACTER_SET_CLIENT");
    o.collationConnection = r.text(i, "COLLATION_CONNECTION");
    o.databaseCollation = r.text(i, "DATABASE_COLLATION");
}

Status Reader::sequences(const std::vector<TableName> &names)
{
    for (const TableName &n : names) {
        SchemaObject o;
        o.kind = ObjectKind::Sequence;
        o.schema = n.schema;
        o.name = n.name;
        CW_TRY(show(o, "SEQUENCE", "Create Table"));
        out.push_back(std::move(o));
    }
    return {};
}

Status Reader::routines(std::optional<ObjectKind> only)
{
    // FUNCTION sorts before PACKAGE, PACKAGE BODY and PROCEDURE: the order in which one may need
    // the other while it is created (a body needs its package).
    CW_TRY_ASSIGN(const auto r, ask("ROUTINES", "ROUTINE_SCHEMA",
                                    " ORDER BY ROUTINE_TYPE, ROUTINE_SCHEMA, ROUTINE_NAME"));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        SchemaObject o;
        o.schema = r.text(i, "ROUTINE_SCHEMA");
        o.name = r.text(i, "ROUTINE_NAME");
        if (!schemas.contains(o.schema) || !selection.wholeSchema(o.schema) ||
            o.name.startsWith(QLatin1String("causeway_sealed")))
            continue;
        const QString type = r.text(i, "ROUTINE_TYPE");
        o.kind = type == QLatin1String("FUNCTION") ? ObjectKind::Function : ObjectKind::Procedure;
        if (only && o.kind != *only)
            continue;
        readContext(o, r, i);
        const QByteArray kind = type.toLatin1();
        const QByteArray column =
            "Create " + type.left(1).toLatin1() + type.mid(1).toLower().toLatin1();
        CW_TRY(show(o, kind.constData(), column.constData()));
        out.push_back(std::move(o));
    }
    return {};
}

Status Reader::views()
{
    CW_TRY_ASSIGN(const auto r, ask("VIEWS", "TABLE_SCHEMA", " ORDER BY TABLE_SCHEMA, TABLE_NAME"));
    std::vector<SchemaObject> found;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        SchemaObject o;
        o.kind = ObjectKind::View;
        o.schema = r.text(i, "TABLE_SCHEMA");
        o.name = r.text(i, "TABLE_NAME");
        if (!schemas.contains(o.schema) || !selection.matches({o.schema, o.name}))
            continue;
        readContext(o, r, i);
        CW_TRY(show(o, "VIEW", "Create View"));
        found.push_back(std::move(o));
    }
    QHash<TableName, QSet<TableName>> reads;
    for (const SchemaObject &v : found) {
        for (const TableName &n : namesInView(v.createSql))
            reads[{v.schema, v.name}].insert(n);
    }
    // MySQL 8.0.13 and later keep the same facts in their catalog; a query that the account may not
    // ask loses nothing, since the definitions themselves were read.
    if (!session.isMariaDb() && session.version() >= 80013) {
        const auto usage = ask("VIEW_TABLE_USAGE", "VIEW_SCHEMA", "");
        if (!usage && usage.error().code != ErrorCode::Server)
            return tl::unexpected<Error>(usage.error());
        for (std::size_t i = 0; usage && i < usage->rows.size(); ++i) {
            reads[{usage->text(i, "VIEW_SCHEMA"), usage->text(i, "VIEW_NAME")}].insert(
                {usage->text(i, "TABLE_SCHEMA"), usage->text(i, "TABLE_NAME")});
        }
    }
    CW_TRY(keepRead(reads));
    for (SchemaObject &v : found) {
        const auto &names = reads[{v.schema, v.name}];
        v.reads.assign(names.begin(), names.end());
        std::sort(v.reads.begin(), v.reads.end());
    }
    // Each round takes the views that read no view still waiting. A circle cannot be created by any
    // server; names that only look like one (an alias) are broken up by taking the first.
    int order = 0;
    while (!found.empty()) {
        QSet<TableName> waiting;
        for (const SchemaObject &v : found)
            waiting.insert({v.schema, v.name});
        std::vector<SchemaObject> later;
        bool took = false;
        for (SchemaObject &v : found) {
            const TableName name{v.schema, v.name};
            const auto &needs = reads[name];
            const bool free = std::none_of(needs.begin(), needs.end(), [&](const TableName &n) {
                return n != name && waiting.contains(n);
            });
            if (free) {
                v.order = ++order;
                out.push_back(std::move(v));
                took = true;
            } else {
                later.push_back(std::move(v));
            }
        }
        if (!took) {
            later.front().order = ++order;
            out.push_back(std::move(later.front()));
            later.erase(later.begin());
        }
        found = std::move(later);
    }
    return {};
}

/// Keeps of the pairs of names in definitions those that are tables or views here: `alias`.`column`
/// looks the same.
Status Reader::keepRead(QHash<TableName, QSet<TableName>> &reads)
{
    QStringList named;
    for (const auto &names : std::as_const(reads)) {
        for (const TableName &n : names) {
            if (!named.contains(n.schema))
                named << n.schema;
        }
    }
    CW_TRY_ASSIGN(const auto r, session.query(QStringLiteral("SELECT TABLE_SCHEMA, TABLE_NAME FROM "
                                                             "information_schema.TABLES WHERE ") +
                                                  schemaCondition("TABLE_SCHEMA", named),
                                              stop));
    QSet<TableName> there;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        there.insert({r.text(i, std::size_t{0}), r.text(i, std::size_t{1})});
    for (auto &names : reads)
        names.intersect(there);
    return {};
}

Status Reader::triggers(const std::function<bool(const TableName &)> &ofTable)
{
    CW_TRY_ASSIGN(const auto r, ask("TRIGGERS", "TRIGGER_SCHEMA",
                                    " ORDER BY TRIGGER_SCHEMA, EVENT_OBJECT_TABLE, "
                                    "ACTION_TIMING, EVENT_MANIPULATION"));
    std::vector<SchemaObject> found;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        SchemaObject o;
        o.kind = ObjectKind::Trigger;
        o.schema = r.text(i, "TRIGGER_SCHEMA");
        o.name = r.text(i, "TRIGGER_NAME");
        o.table = r.text(i, "EVENT_OBJECT_TABLE");
        // The triggers of a sealed source are Causeway's own.
        if (!ofTable({o.schema, o.table}) || o.name.startsWith(QLatin1String("causeway_sealed")))
            continue;
        readContext(o, r, i);
        o.timing = r.text(i, "ACTION_TIMING");
        o.event = r.text(i, "EVENT_MANIPULATION");
        o.order = r.text(i, "ACTION_ORDER").toInt();
        CW_TRY(show(o, "TRIGGER", "SQL Original Statement"));
        found.push_back(std::move(o));
    }
    std::stable_sort(found.begin(), found.end(), [](const SchemaObject &a, const SchemaObject &b) {
        return std::tie(a.schema, a.table, a.timing, a.event, a.order) <
               std::tie(b.schema, b.table, b.timing, b.event, b.order);
    });
    std::move(found.begin(), found.end(), std::back_inserter(out));
    return {};
}

Status Reader::events()
{
    CW_TRY_ASSIGN(const auto r,
                  ask("EVENTS", "EVENT_SCHEMA", " ORDER BY EVENT_SCHEMA, EVENT_NAME"));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        SchemaObject o;
        o.kind = ObjectKind::Event;
        o.schema = r.text(i, "EVENT_SCHEMA");
        o.name = r.text(i, "EVENT_NAME");
        if (!schemas.contains(o.schema) || !selection.wholeSchema(o.schema))
            continue;
        readContext(o, r, i);
        o.timeZone = r.text(i, "TIME_ZONE");
        o.status = r.text(i, "STATUS");
        CW_TRY(show(o, "EVENT", "Create Event"));
        out.push_back(std::move(o));
    }
    return {};
}

} // namespace

std::vector<TableName> namesInView(const QString &createSql)
{
    std::vector<TableName> out;
    // The session that reads has no default schema, so every name in FROM has its own.
    const Tokens t(createSql);
    int i = t.next(0);
    while (i < t.size() && !t.isWord(i, QLatin1String("VIEW")))
        i = t.next(i + 1);
    i = t.next(i + 1); // behind the view's own name
    while (i < t.size() && !t.isWord(i, QLatin1String("AS")))
        i = t.next(i + 1);
    for (; i < t.size(); i = t.next(i + 1)) {
        if (t.at(i).kind != TokenKind::QuotedId)
            continue;
        const int point = t.next(i + 1);
        const int second = t.next(point + 1);
        if (t.isMark(point, '.') && t.isName(second))
            out.push_back({t.name(i), t.name(second)});
    }
    return out;
}

Result<std::vector<SchemaObject>> readObjects(Session &session, const QStringList &schemas,
                                              const Selection &selection,
                                              const std::vector<Table> &tables,
                                              const std::vector<TableName> &sequences,
                                              std::stop_token stop)
{
    Reader reader{session, schemas, selection, stop, {}};
    CW_TRY(reader.sequences(sequences));
    CW_TRY(reader.routines());
    CW_TRY(reader.views());
    // A table's triggers move with it, even where only some tables are selected.
    QSet<TableName> selected;
    for (const Table &t : tables)
        selected.insert(t.name);
    CW_TRY(reader.triggers([&](const TableName &name) { return selected.contains(name); }));
    CW_TRY(reader.events());
    return std::move(reader.out);
}

Result<std::vector<SchemaObject>> readObjects(Session &session, const Selection &selection,
                                              ObjectKind kind, std::stop_token stop)
{
    QStringList schemas = selection.schemas;
    if (schemas.isEmpty()) {
        CW_TRY_ASSIGN(schemas, readSchemaNames(session, stop));
    }
    Reader reader{session, schemas, selection, stop, {}};
    switch (kind) {
    case ObjectKind::Trigger:
        CW_TRY(reader.triggers([&](const TableName &name) {
            return schemas.contains(name.schema) &&
                   !name.name.startsWith(QLatin1String("_causeway_")) && selection.matches(name);
        }));
        break;
    case ObjectKind::Event:
        CW_TRY(reader.events());
        break;
    case ObjectKind::View:
        CW_TRY(reader.views());
        break;
    case ObjectKind::Procedure:
    case ObjectKind::Function:
        CW_TRY(reader.routines(kind));
        break;
    case ObjectKind::Sequence: {
        CW_TRY_ASSIGN(const auto found,
                      session.query(QStringLiteral("SELECT TABLE_SCHEMA, TABLE_NAME FROM "
                                                   "information_schema.TABLES WHERE "
                                                   "TABLE_TYPE='SEQUENCE' AND %1")
                                        .arg(schemaCondition("TABLE_SCHEMA", schemas)),
                                    stop));
        std::vector<TableName> names;
        for (std::size_t i = 0; i < found.rows.size(); ++i) {
            TableName name{found.text(i, "TABLE_SCHEMA"), found.text(i, "TABLE_NAME")};
            if (schemas.contains(name.schema) && selection.matches(name))
                names.push_back(std::move(name));
        }
        CW_TRY(reader.sequences(names));
        break;
    }
    }
    return std::move(reader.out);
}

} // namespace causeway::mysql
