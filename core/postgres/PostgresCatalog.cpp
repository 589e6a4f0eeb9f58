#include "postgres/PostgresDatabase.h"

#include <QHash>

namespace causeway::postgres {

namespace {

TypeClass classOf(const QString &type)
{
    static const QHash<QString, TypeClass> classes{
        {QStringLiteral("int2"), TypeClass::Integer},
        {QStringLiteral("int4"), TypeClass::Integer},
        {QStringLiteral("int8"), TypeClass::Integer},
        {QStringLiteral("numeric"), TypeClass::Decimal},
        {QStringLiteral("float4"), TypeClass::Float},
        {QStringLiteral("float8"), TypeClass::Double},
        {QStringLiteral("date"), TypeClass::Temporal},
        {QStringLiteral("time"), TypeClass::Temporal},
        {QStringLiteral("timetz"), TypeClass::Temporal},
        {QStringLiteral("timestamp"), TypeClass::Temporal},
        {QStringLiteral("timestamptz"), TypeClass::Temporal},
        {QStringLiteral("text"), TypeClass::Text},
        {QStringLiteral("varchar"), TypeClass::Text},
        {QStringLiteral("bpchar"), TypeClass::Text},
        {QStringLiteral("bytea"), TypeClass::Binary},
        {QStringLiteral("json"), TypeClass::Json},
        {QStringLiteral("jsonb"), TypeClass::Json},
    };
    return classes.value(type, TypeClass::Other);
}

RefAction actionOf(const QString &letter)
{
    if (letter == QLatin1String("r"))
        return RefAction::Restrict;
    if (letter == QLatin1String("c"))
        return RefAction::Cascade;
    if (letter == QLatin1String("n"))
        return RefAction::SetNull;
    if (letter == QLatin1String("d"))
        return RefAction::SetDefault;
    return RefAction::NoAction;
}

class Reader {
public:
    Reader(Session &session, const Selection &selection, std::stop_token stop)
        : m_session(session), m_selection(selection), m_stop(std::move(stop))
    {
    }

    Result<Catalog> read()
    {
        CW_TRY(readTables());
        CW_TRY(readColumns());
        CW_TRY(readKeys());
        CW_TRY(readForeignKeys());
        for (Table &t : m_catalog.tables)
            chooseRowKey(t);
        return std::move(m_catalog);
    }

private:
    Result<ResultSet> query(const char *sql)
    {
        return m_session.query(QString::fromLatin1(sql).arg(schemaCondition(
                                   QStringLiteral("n.nspname"), m_selection.schemas)),
                               m_stop);
    }

    /// The partitions of a table move with it: only roots are listed.
    Status readTables()
    {
        CW_TRY_ASSIGN(const auto r,
                      query("SELECT c.oid, n.nspname, c.relname, c.relkind='p', "
                            "GREATEST(c.reltuples,0)::bigint, pg_catalog.pg_table_size(c.oid), "
                            "pg_catalog.pg_indexes_size(c.oid), "
                            "COALESCE(pg_catalog.obj_description(c.oid,'pg_class'),'') FROM "
                            "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
                            "n.oid=c.relnamespace WHERE c.relkind IN ('r','p') AND NOT "
                            "c.relispartition AND c.relpersistence <> 't' AND %1 ORDER BY 2,3"));
        for (std::size_t i = 0; i < r.rows.size(); ++i) {
            Table t;
            t.name = {r.text(i, 1), r.text(i, 2)};
            if (!m_selection.matches(t.name))
                continue;
            t.partitioned = r.isTrue(i, 3);
            t.rowsEstimate = r.text(i, 4).toLongLong();
            t.dataBytes = r.text(i, 5).toLongLong();
            t.indexBytes = r.text(i, 6).toLongLong();
            t.comment = r.text(i, 7);
            m_index.insert(r.text(i, 0), m_catalog.tables.size());
            m_catalog.tables.push_back(std::move(t));
        }
        return {};
    }

    Table *tableAt(const QString &oid)
    {
        const auto it = m_index.constFind(oid);
        return it == m_index.cend() ? nullptr : &m_catalog.tables[*it];
    }

    Status readColumns()
    {
        CW_TRY_ASSIGN(
            const auto r,
            query(
                "SELECT a.attrelid, a.attnum, a.attname, "
                "pg_catalog.format_type(a.atttypid,a.atttypmod), t.typname, a.attnotnull, "
                "a.attgenerated <> '', a.attidentity <> '' OR "
                "COALESCE(pg_catalog.pg_get_expr(d.adbin,d.adrelid) LIKE 'nextval(%',false), "
                "COALESCE(co.collname,''), ARRAY_TO_STRING(ARRAY(SELECT e.enumlabel FROM "
                "pg_catalog.pg_enum e WHERE e.enumtypid=t.oid ORDER BY e.enumsortorder), "
                "E'\\001') FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON "
                "c.oid=a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace JOIN "
                "pg_catalog.pg_type t ON t.oid=a.atttypid LEFT JOIN pg_catalog.pg_attrdef d ON "
                "d.adrelid=a.attrelid AND d.adnum=a.attnum LEFT JOIN pg_catalog.pg_collation co ON "
                "co.oid=a.attcollation WHERE c.relkind IN ('r','p') AND NOT c.relispartition AND "
                "a.attnum>0 AND NOT a.attisdropped AND %1 ORDER BY a.attrelid, a.attnum"));
        for (std::size_t i = 0; i < r.rows.size(); ++i) {
            Table *t = tableAt(r.text(i, 0));
            if (!t)
                continue;
            Column c;
            c.name = r.text(i, 2);
            c.typeText = r.text(i, 3);
            c.dataType = r.text(i, 4);
            c.typeClass = classOf(c.dataType);
            c.nullable = !r.isTrue(i, 5);
            c.generated = r.isTrue(i, 6);
            c.autoIncrement = r.isTrue(i, 7);
            c.collation = r.text(i, 8);
            c.labels = r.text(i, 9).split(QChar(1), Qt::SkipEmptyParts);
            // Attribute numbers have gaps where columns were dropped.
            m_columns.insert({r.text(i, 0), r.text(i, 1)}, static_cast<int>(t->columns.size()));
            t->columns.push_back(std::move(c));
        }
        return {};
    }

    Status readKeys()
    {
        CW_TRY_ASSIGN(
            const auto r,
            query(
                "SELECT i.indrelid, x.relname, i.indisprimary, i.indisunique, am.amname, "
                "ARRAY_TO_STRING(i.indkey::int[],','), i.indimmediate AND i.indisvalid AND "
                "i.indpred IS NULL, i.indnkeyatts, "
                "COALESCE(pg_catalog.pg_get_expr(i.indexprs,i.indrelid),'') FROM "
                "pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid=i.indrelid JOIN "
                "pg_catalog.pg_namespace n ON n.oid=c.relnamespace JOIN pg_catalog.pg_class x ON "
                "x.oid=i.indexrelid JOIN pg_catalog.pg_am am ON am.oid=x.relam WHERE c.relkind IN "
                "('r','p') AND %1 ORDER BY i.indrelid, NOT i.indisprimary, x.relname"));
        for (std::size_t i = 0; i < r.rows.size(); ++i) {
            Table *t = tableAt(r.text(i, 0));
            if (!t)
                continue;
            Key k;
            k.name = r.text(i, 1);
            k.primary = r.isTrue(i, 2);
            // Deferrable and partial ones do not identify a row: UNIQUE in name only here.
            k.unique = r.isTrue(i, 3) && r.isTrue(i, 6);
            k.method = r.text(i, 4).toUpper();
            const QStringList numbers = r.text(i, 5).split(QLatin1Char(','));
            for (int part = 0; part < r.text(i, 7).toInt(); ++part) {
                KeyPart p;
                p.column = m_columns.value({r.text(i, 0), numbers.value(part)}, -1);
                if (p.column < 0)
                    p.expression = r.text(i, 8);
                k.parts.push_back(p);
            }
            t->keys.push_back(std::move(k));
        }
        return {};
    }

    Status readForeignKeys()
    {
        CW_TRY_ASSIGN(
            const auto r,
            query("SELECT k.conrelid, k.conname, ARRAY_TO_STRING(k.conkey,','), fn.nspname, "
                  "f.relname, ARRAY_TO_STRING(ARRAY(SELECT a.attname FROM "
                  "UNNEST(k.confkey) WITH ORDINALITY u(num,pos) JOIN pg_catalog.pg_attribute a ON "
                  "a.attrelid=k.confrelid AND a.attnum=u.num ORDER BY u.pos), E'\\001'), "
                  "k.confupdtype, k.confdeltype FROM pg_catalog.pg_constraint k JOIN "
                  "pg_catalog.pg_class c ON c.oid=k.conrelid JOIN pg_catalog.pg_namespace n ON "
                  "n.oid=c.relnamespace JOIN pg_catalog.pg_class f ON f.oid=k.confrelid JOIN "
                  "pg_catalog.pg_namespace fn ON fn.oid=f.relnamespace WHERE k.contype='f' AND "
                  "k.conparentid=0 AND %1 ORDER BY k.conrelid, k.conname"));
        for (std::size_t i = 0; i < r.rows.size(); ++i) {
            Table *t = tableAt(r.text(i, 0));
            if (!t)
                continue;
            ForeignKey k;
            k.name = r.text(i, 1);
            for (const QString &number : r.text(i, 2).split(QLatin1Char(',')))
                k.columns.push_back(m_columns.value({r.text(i, 0), number}, -1));
            k.refTable = {r.text(i, 3), r.text(i, 4)};
            k.refColumns = r.text(i, 5).split(QChar(1));
            k.onUpdate = actionOf(r.text(i, 6));
            k.onDelete = actionOf(r.text(i, 7));
            t->foreignKeys.push_back(std::move(k));
        }
        return {};
    }

    static void chooseRowKey(Table &t)
    {
        for (std::size_t i = 0; i < t.keys.size(); ++i) {
            const Key &k = t.keys[i];
            bool whole = k.unique && !k.parts.empty();
            for (const KeyPart &p : k.parts)
                whole = whole && p.column >= 0 &&
                        !t.columns[static_cast<std::size_t>(p.column)].nullable;
            if (whole) {
                t.rowKey = static_cast<int>(i); // the primary key sorts first
                return;
            }
        }
    }

    Session &m_session;
    const Selection &m_selection;
    std::stop_token m_stop;
    Catalog m_catalog;
    QHash<QString, std::size_t> m_index;
    QHash<std::pair<QString, QString>, int> m_columns;
};

} // namespace

QString schemaCondition(const QString &expression, const QStringList &schemas)
{
    if (schemas.isEmpty())
        return expression + QStringLiteral(" !~ '^(pg_|information_schema$|_causeway$|"
                                           "causeway_sealed_)'");
    QStringList quoted;
    for (const QString &s : schemas)
        quoted << quoteText(s);
    return QStringLiteral("%1 IN (%2)").arg(expression, quoted.join(QLatin1Char(',')));
}

Result<QStringList> readSchemaNames(Session &session, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto r,
                  session.query(QStringLiteral("SELECT n.nspname FROM pg_catalog.pg_namespace n "
                                               "WHERE %1 ORDER BY 1")
                                    .arg(schemaCondition(QStringLiteral("n.nspname"), {})),
                                stop));
    QStringList out;
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        out << r.text(i, 0);
    return out;
}

Result<Catalog> readCatalog(Session &session, const Selection &selection, std::stop_token stop)
{
    Selection scope = selection;
    if (scope.schemas.isEmpty()) {
        CW_TRY_ASSIGN(scope.schemas, readSchemaNames(session, stop));
    }
    Result<Catalog> catalog = Reader(session, scope, std::move(stop)).read();
    if (catalog) {
        for (const QString &s : scope.schemas)
            catalog->schemas.push_back({s, {}, {}});
    }
    return catalog;
}

} // namespace causeway::postgres
