#include "postgres/native/Scope.h"

#include "postgres/PostgresDatabase.h"

#include <algorithm>

namespace causeway::postgres {

QString quoteName(const TableName &name)
{
    return quoteId(name.schema) + QLatin1Char('.') + quoteId(name.name);
}

QString ScopeTable::quoted() const
{
    return quoteName(name);
}

QString ScopeSequence::quoted() const
{
    return quoteName(name);
}

const ScopeTable *Scope::find(const TableName &name) const
{
    const auto it = std::find_if(tables.begin(), tables.end(),
                                 [&](const ScopeTable &t) { return t.name == name; });
    return it == tables.end() ? nullptr : &*it;
}

QStringList Scope::published(int version) const
{
    QStringList out;
    for (const ScopeTable &t : tables) {
        if (t.logged && (version >= 130000 ? !t.partition : !t.partitioned))
            out << t.quoted();
    }
    return out;
}

QStringList Scope::writable() const
{
    QStringList out;
    for (const ScopeTable &t : tables)
        out << t.quoted();
    return out;
}

namespace {
// Replica identity: an index, FULL, or the default with a primary key that is checked at once. A
// deferrable one does not count: the *application's* UPDATE would fail once the table is published.
const char *const kTables =
    "WITH RECURSIVE tree AS (SELECT c.oid, c.oid AS root FROM pg_catalog.pg_class c WHERE "
    "c.relkind IN ('r','p') AND NOT c.relispartition UNION ALL SELECT i.inhrelid, tree.root FROM "
    "tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid JOIN pg_catalog.pg_class k ON "
    "k.oid = i.inhrelid AND k.relispartition AND k.relkind IN ('r','p')) "
    "SELECT c.oid, n.nspname, c.relname, rn.nspname, r.relname, c.relkind = 'p', c.relispartition, "
    "c.relpersistence = 'p', CASE c.relreplident WHEN 'f' THEN true WHEN 'n' THEN false WHEN 'i' "
    "THEN EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND "
    "i.indisreplident AND i.indisvalid) ELSE EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE "
    "i.indrelid = c.oid AND i.indisprimary AND i.indisvalid AND i.indimmediate) END, "
    "pg_catalog.pg_table_size(c.oid), GREATEST(c.reltuples, 0)::bigint "
    "FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid JOIN pg_catalog.pg_namespace n ON "
    "n.oid = c.relnamespace JOIN pg_catalog.pg_class r ON r.oid = tree.root JOIN "
    "pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace WHERE c.relpersistence <> 't' AND "
    "%1 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = "
    "'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = r.oid AND d.deptype = 'e') "
    "ORDER BY n.nspname, c.relname";

const char *const kSequences =
    "SELECT n.nspname, c.relname, tn.nspname, t.relname FROM pg_catalog.pg_class c JOIN "
    "pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_depend o ON "
    "o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid AND o.objsubid = 0 "
    "AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype IN ('a','i') AND "
    "o.refobjsubid > 0 LEFT JOIN pg_catalog.pg_class t ON t.oid = o.refobjid LEFT JOIN "
    "pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace WHERE c.relkind = 'S' AND "
    "c.relpersistence <> 't' AND %1 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE "
    "d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = "
    "'e') ORDER BY 1, 2";
} // namespace

Result<Scope> readScope(Server &server, const Selection &selection, std::stop_token stop)
{
    Scope out;
    CW_TRY_ASSIGN(const auto rows,
                  server.query(QString::fromLatin1(kTables).arg(schemaCondition(
                                   QStringLiteral("rn.nspname"), selection.schemas)),
                               stop));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        ScopeTable t;
        t.oid = rows.text(i, 0).toLongLong();
        t.name = {rows.text(i, 1), rows.text(i, 2)};
        t.root = {rows.text(i, 3), rows.text(i, 4)};
        t.partitioned = rows.isTrue(i, 5);
        t.partition = rows.isTrue(i, 6);
        t.logged = rows.isTrue(i, 7);
        t.hasIdentity = rows.isTrue(i, 8);
        t.bytes = rows.text(i, 9).toLongLong();
        t.rows = rows.text(i, 10).toLongLong();
        if (selection.matches(t.root))
            out.tables.push_back(std::move(t));
    }
    CW_TRY_ASSIGN(
        const auto sequences,
        server.query(QString::fromLatin1(kSequences)
                         .arg(schemaCondition(QStringLiteral("n.nspname"), selection.schemas)),
                     stop));
    for (std::size_t i = 0; i < sequences.rows.size(); ++i) {
        const ScopeSequence s{{sequences.text(i, 0), sequences.text(i, 1)}};
        // One of a table moves with it; one that stands alone with its schema.
        const bool owned = !sequences.isNull(i, 3);
        const TableName table{sequences.text(i, 2), sequences.text(i, 3)};
        if (owned ? out.find(table) != nullptr
                  : selection.wholeSchemas() || selection.matches(s.name))
            out.sequences.push_back(s);
    }
    return out;
}

} // namespace causeway::postgres
