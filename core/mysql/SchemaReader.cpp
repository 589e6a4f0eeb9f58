#include "base/Stop.h"
#include "mysql/Parts.h"
#include "mysql/SchemaCollations.h"
#include "mysql/SchemaRead.h"
#include "mysql/TableDdl.h"

#include <QHash>
#include <QSet>
#include <QStringDecoder>

#include <algorithm>

namespace causeway::mysql {

namespace {

bool has(const QString &text, const char *part)
{
    return text.contains(QLatin1String(part), Qt::CaseInsensitive);
}

TypeClass classOf(const QString &dataType)
{
    static const QHash<QString, TypeClass> classes = [] {
        QHash<QString, TypeClass> m;
        const auto all = [&m](TypeClass c, std::initializer_list<const char *> names) {
            for (const char *n : names)
                m.insert(QString::fromLatin1(n), c);
        };
        all(TypeClass::Integer,
            {"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year"});
        all(TypeClass::Decimal, {"decimal", "numeric"});
        all(TypeClass::Float, {"float"});
        all(TypeClass::Double, {"double", "real"});
        all(TypeClass::Bit, {"bit"});
        all(TypeClass::Temporal, {"date", "time", "datetime", "timestamp"});
        all(TypeClass::Text, {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"});
        all(TypeClass::Binary,
            {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"});
        all(TypeClass::Json, {"json"});
        all(TypeClass::Enum, {"enum"});
        all(TypeClass::Set, {"set"});
        all(TypeClass::Geometry,
            {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
             "multipolygon", "geometrycollection", "geomcollection"});
        all(TypeClass::Vector, {"vector"});
        return m;
    }();
    return classes.value(dataType, TypeClass::Other);
}

RefAction actionOf(const QString &rule)
{
    if (rule == QLatin1String("CASCADE"))
        return RefAction::Cascade;
    if (rule == QLatin1String("SET NULL"))
        return RefAction::SetNull;
    if (rule == QLatin1String("SET DEFAULT"))
        return RefAction::SetDefault;
    if (rule == QLatin1String("RESTRICT"))
        return RefAction::Restrict;
    return RefAction::NoAction;
}

/// Tables that Causeway keeps inside a database where it may not create a schema.
bool isStateTable(const QString &name)
{
    return name.startsWith(QLatin1String("_causeway_"));
}

Column columnOf(const ResultSet &r, std::size_t i)
{
    Column c;
    c.name = r.text(i, "COLUMN_NAME");
    c.typeText = r.text(i, "COLUMN_TYPE");
    c.dataType = r.text(i, "DATA_TYPE").toLower();
    c.nullable = r.text(i, "IS_NULLABLE") == QLatin1String("YES");
    const QString extra = r.text(i, "EXTRA");
    // MySQL marks a column with a DEFAULT expression DEFAULT_GENERATED: it is not a generated one.
    // MariaDB before 10.2 and its forks say only VIRTUAL or PERSISTENT.
    const QString words = QString(extra).remove(QLatin1String("DEFAULT_GENERATED"));
    c.generated = !r.text(i, "GENERATION_EXPRESSION").isEmpty() || has(words, "VIRTUAL") ||
                  has(words, "PERSISTENT") || has(words, "STORED GENERATED");
    c.invisible = has(extra, "INVISIBLE");
    c.autoIncrement = has(extra, "auto_increment");
    c.onUpdateNow = has(extra, "on update");
    c.charset = r.text(i, "CHARACTER_SET_NAME");
    c.collation = r.text(i, "COLLATION_NAME");
    c.length = static_cast<int>(
        std::min<quint64>(r.text(i, "CHARACTER_MAXIMUM_LENGTH").toULongLong(), 0x7fffffff));
    c.precision = r.text(i, "NUMERIC_PRECISION").toInt();
    c.scale = r.text(i, "NUMERIC_SCALE").toInt();
    if (c.dataType == QLatin1String("bit"))
        c.length = c.precision;
    describeType(c);
    if (c.typeClass == TypeClass::Temporal)
        c.scale = r.text(i, "DATETIME_PRECISION").toInt();
    return c;
}

struct Reading {
    Session &session;
    const Selection &selection;
    std::stop_token stop;
    QStringList schemas;
    Catalog catalog;
    QHash<TableName, std::size_t> index; ///< into catalog.tables
    std::vector<TableName> sequences;
    QHash<TableName, QStringList> hiddenKeys; ///< invisible or ignored indexes
    QString only;                             ///< " AND TABLE_NAME IN (...)"

    Table *table(const ResultSet &r, std::size_t i)
    {
        const auto it = index.constFind({r.text(i, "TABLE_SCHEMA"), r.text(i, "TABLE_NAME")});
        return it == index.constEnd() ? nullptr : &catalog.tables[*it];
    }
    Result<ResultSet> ask(const char *view, const char *condition, const char *order)
    {
        return askCatalog(session,
                          QStringLiteral("SELECT * FROM information_schema.%1 WHERE %2%3%4")
                              .arg(QLatin1String(view), schemaCondition(condition, schemas), only,
                                   QLatin1String(order)),
                          stop);
    }

    Status readSchemas();
    Status readTables();
    Status readColumns();
    Status readKeys();
    Status readForeignKeys();
    Status readCreate(Table &);
};

Status Reading::readSchemas()
{
    CW_TRY_ASSIGN(const auto r,
                  session.query(QStringLiteral("SELECT * FROM information_schema.SCHEMATA"), stop));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        SchemaInfo s;
        s.name = r.text(i, "SCHEMA_NAME");
        s.charset = r.text(i, "DEFAULT_CHARACTER_SET_NAME");
        s.collation = r.text(i, "DEFAULT_COLLATION_NAME");
        const bool wanted = selection.schemas.isEmpty() ? !isSystemSchema(s.name)
                                                        : selection.schemas.contains(s.name);
        if (wanted) {
            schemas << s.name;
            catalog.schemas.push_back(s);
        }
    }
    for (const QString &wanted : selection.schemas) {
        if (!schemas.contains(wanted)) {
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("mysql-schema-missing");
            e.object = wanted;
            e.message = cwText("core",
                               "There is no database \"%1\" on %2, or this account may not "
                               "see it.",
                               wanted, session.address().display());
            return fail(std::move(e));
        }
    }
    return {};
}

Status Reading::readTables()
{
    CW_TRY_ASSIGN(const auto r,
                  ask("TABLES", "TABLE_SCHEMA", " ORDER BY TABLE_SCHEMA, TABLE_NAME"));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        Table t;
        t.name = {r.text(i, "TABLE_SCHEMA"), r.text(i, "TABLE_NAME")};
        const QString type = r.text(i, "TABLE_TYPE");
        // The condition compares names as the server's catalog does, on MariaDB without case.
        if (!schemas.contains(t.name.schema) || isStateTable(t.name.name) ||
            !selection.matches(t.name))
            continue;
        if (type == QLatin1String("SEQUENCE")) {
            sequences.push_back(t.name);
            continue;
        }
        if (type != QLatin1String("BASE TABLE") && type != QLatin1String("SYSTEM VERSIONED"))
            continue;
        t.engine = r.text(i, "ENGINE");
        t.collation = r.text(i, "TABLE_COLLATION");
        t.charset = charsetOfCollation(t.collation);
        t.comment = r.text(i, "TABLE_COMMENT");
        t.createOptions = r.text(i, "CREATE_OPTIONS");
        t.partitioned = has(t.createOptions, "partitioned");
        if (type == QLatin1String("SYSTEM VERSIONED"))
            t.createOptions =
                (t.createOptions + QLatin1String(" WITH SYSTEM VERSIONING")).trimmed();
        t.rowFormat = r.text(i, "ROW_FORMAT");
        t.rowsEstimate = r.text(i, "TABLE_ROWS").toLongLong();
        t.dataBytes = r.text(i, "DATA_LENGTH").toLongLong();
        t.indexBytes = r.text(i, "INDEX_LENGTH").toLongLong();
        const QString next = r.text(i, "AUTO_INCREMENT");
        if (!next.isEmpty())
            t.autoIncrement = next.toULongLong();
        index.insert(t.name, catalog.tables.size());
        catalog.tables.push_back(std::move(t));
    }
    return {};
}

Status Reading::readColumns()
{
    CW_TRY_ASSIGN(const auto r, ask("COLUMNS", "TABLE_SCHEMA",
                                    " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        if (Table *t = table(r, i))
            t->columns.push_back(columnOf(r, i));
    }
    return {};
}

Status Reading::readKeys()
{
    CW_TRY_ASSIGN(const auto r,
                  ask("STATISTICS", "TABLE_SCHEMA",
                      " ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        Table *t = table(r, i);
        if (!t)
            continue;
        const QString name = r.text(i, "INDEX_NAME");
        auto key = std::find_if(t->keys.begin(), t->keys.end(),
                                [&](const Key &k) { return k.name == name; });
        if (key == t->keys.end()) {
            Key k;
            k.name = name;
            k.primary = name == QLatin1String("PRIMARY");
            k.unique = r.text(i, "NON_UNIQUE").toInt() == 0;
            k.method = r.text(i, "INDEX_TYPE");
            t->keys.push_back(std::move(k));
            key = std::prev(t->keys.end());
            if (r.text(i, "IS_VISIBLE") == QLatin1String("NO") ||
                r.text(i, "IGNORED") == QLatin1String("YES"))
                hiddenKeys[t->name] << name;
        }
        KeyPart part;
        part.column = t->columnIndex(r.text(i, "COLUMN_NAME"));
        // MySQL reports the 32 bytes of a bounding box as the prefix of a spatial key.
        if (key->method != QLatin1String("SPATIAL"))
            part.prefix = r.text(i, "SUB_PART").toInt();
        part.descending = r.text(i, "COLLATION") == QLatin1String("D");
        if (part.column < 0)
            part.expression = r.text(i, "EXPRESSION");
        key->parts.push_back(std::move(part));
    }
    return {};
}

Status Reading::readForeignKeys()
{
    CW_TRY_ASSIGN(const auto rules, ask("REFERENTIAL_CONSTRAINTS", "CONSTRAINT_SCHEMA", ""));
    QHash<QString, std::pair<RefAction, RefAction>> actions; // on update, on delete
    const QChar separator(0x1f);
    for (std::size_t i = 0; i < rules.rows.size(); ++i) {
        actions.insert(
            rules.text(i, "CONSTRAINT_SCHEMA") + separator + rules.text(i, "TABLE_NAME") +
                separator + rules.text(i, "CONSTRAINT_NAME"),
            {actionOf(rules.text(i, "UPDATE_RULE")), actionOf(rules.text(i, "DELETE_RULE"))});
    }
    CW_TRY_ASSIGN(const auto r,
                  ask("KEY_COLUMN_USAGE", "TABLE_SCHEMA",
                      " AND REFERENCED_TABLE_NAME IS NOT NULL"
                      " ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION"));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        Table *t = table(r, i);
        if (!t)
            continue;
        const QString name = r.text(i, "CONSTRAINT_NAME");
        if (t->foreignKeys.empty() || t->foreignKeys.back().name != name) {
            ForeignKey k;
            k.name = name;
            k.refTable = {r.text(i, "REFERENCED_TABLE_SCHEMA"), r.text(i, "REFERENCED_TABLE_NAME")};
            std::tie(k.onUpdate, k.onDelete) =
                actions.value(t->name.schema + separator + t->name.name + separator + name,
                              {RefAction::NoAction, RefAction::NoAction});
            t->foreignKeys.push_back(std::move(k));
        }
        ForeignKey &k = t->foreignKeys.back();
        k.columns.push_back(t->columnIndex(r.text(i, "COLUMN_NAME")));
        k.refColumns << r.text(i, "REFERENCED_COLUMN_NAME");
    }
    return {};
}

Status Reading::readCreate(Table &t)
{
    CW_TRY_ASSIGN(const auto r,
                  session.query(QStringLiteral("SHOW CREATE TABLE ") + quoteName(t.name), stop));
    t.createSql = shownCreate(r, "Create Table");
    CW_TRY_ASSIGN(const auto ddl, TableDdl::parse(t.createSql));
    // The catalog sorts keys by name; their order in the statement is the one that the optimizer
    // and REPLACE go by.
    QHash<QString, int> place;
    for (const TableItem &item : ddl.items) {
        if (item.kind == ItemKind::Key)
            place.insert(item.name.toLower(), static_cast<int>(place.size()));
    }
    std::stable_sort(t.keys.begin(), t.keys.end(), [&](const Key &a, const Key &b) {
        return place.value(a.name.toLower(), 9999) < place.value(b.name.toLower(), 9999);
    });
    for (Key &key : t.keys) {
        std::erase_if(key.parts, [&t](const KeyPart &p) {
            return p.column >= 0 && isRowEnd(t, static_cast<std::size_t>(p.column));
        });
    }
    chooseRowKey(t, hiddenKeys.value(t.name));
    return {};
}

} // namespace

Result<ResultSet> askCatalog(Session &session, const QString &sql, std::stop_token stop)
{
    constexpr int kMost = 30;
    for (int attempt = 1;; ++attempt) {
        CW_TRY_ASSIGN(ResultSet found, session.query(sql, stop));
        if (!session.isMariaDb() || session.warningCount() == 0 || attempt == kMost)
            return found;
        CW_TRY_ASSIGN(const ResultSet warnings,
                      session.query(QStringLiteral("SHOW WARNINGS"), stop));
        bool skipped = false;
        for (std::size_t i = 0; i < warnings.rows.size(); ++i)
            skipped = skipped || warnings.text(i, "Code") == QLatin1String("1684");
        if (!skipped)
            return found;
        if (!pauseFor(stop, std::chrono::milliseconds(100)))
            return fail(cancelledError());
    }
}

/// Names in quotes; and MySQL 8.0.30 and later can hide the primary key that they generated, which
/// the log has nevertheless.
static Status showEverything(Session &session, std::stop_token stop)
{
    CW_TRY_ASSIGN(
        const auto r,
        session.query(QStringLiteral("SHOW SESSION VARIABLES WHERE Variable_name IN "
                                     "('sql_quote_show_create', "
                                     "'show_gipk_in_create_table_and_information_schema')"),
                      stop));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        if (r.text(i, std::size_t{1}) == QLatin1String("OFF")) {
            CW_TRY(session.exec(
                QStringLiteral("SET SESSION %1 = ON").arg(r.text(i, std::size_t{0})), stop));
        }
    }
    return {};
}

bool isSystemSchema(const QString &schema)
{
    static const QSet<QString> system = {
        QStringLiteral("mysql"),   QStringLiteral("information_schema"),
        QStringLiteral("sys"),     QStringLiteral("performance_schema"),
        QStringLiteral("ndbinfo"), QStringLiteral("_causeway"),
        QStringLiteral("_vt"),     QStringLiteral("mysql_innodb_cluster_metadata")};
    return system.contains(schema.toLower());
}

QString schemaCondition(const char *column, const QStringList &schemas)
{
    // One name is compared by "=": MariaDB and MySQL 5.x then look at that one folder only.
    QStringList quoted;
    for (const QString &s : schemas)
        quoted << quoteText(s);
    if (quoted.isEmpty())
        return QStringLiteral("1=0");
    if (quoted.size() == 1)
        return QLatin1String(column) + QLatin1String(" = ") + quoted.first();
    return QLatin1String(column) + QLatin1String(" IN (") + quoted.join(QLatin1String(", ")) +
           QLatin1Char(')');
}

QString shownCreate(const ResultSet &r, const char *column)
{
    const int at = r.columnIndex(column);
    if (r.rows.empty() || at < 0)
        return {};
    const Value &cell = r.rows.front()[static_cast<std::size_t>(at)];
    return cell ? statementText(*cell) : QString();
}

QString statementText(std::string_view bytes)
{
    const auto isUtf8 = [](std::string_view b) {
        QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
        const QString decoded = decoder(QByteArrayView(b.data(), static_cast<qsizetype>(b.size())));
        return !decoder.hasError() && !decoded.isNull();
    };
    if (bytes.empty() || isUtf8(bytes))
        return QString::fromUtf8(bytes.data(), static_cast<qsizetype>(bytes.size()));
    // Only MariaDB's DEFAULT of a binary column is bytes: as a hexadecimal literal it is text.
    std::string out;
    for (std::size_t i = 0; i < bytes.size();) {
        const char quote = bytes[i];
        if (quote != '\'' && quote != '`' && quote != '"') {
            out.push_back(bytes[i++]);
            continue;
        }
        std::string value;
        std::size_t end = i + 1;
        for (; end < bytes.size(); ++end) {
            if (bytes[end] == '\\' && quote != '`' && end + 1 < bytes.size()) {
                const char c = bytes[++end];
                value.push_back(c == '0'   ? '\0'
                                : c == 'n' ? '\n'
                                : c == 'r' ? '\r'
                                : c == 't' ? '\t'
                                : c == 'b' ? '\b'
                                : c == 'Z' ? '\x1a'
                                           : c);
            } else if (bytes[end] == quote) {
                if (end + 1 >= bytes.size() || bytes[end + 1] != quote)
                    break;
                value.push_back(bytes[++end]);
            } else {
                value.push_back(bytes[end]);
            }
        }
        end = std::min(end + 1, bytes.size());
        const std::string_view literal = bytes.substr(i, end - i);
        if (quote == '`' || isUtf8(literal))
            out += literal;
        else
            out += "x'" +
                   QByteArray(value.data(), static_cast<qsizetype>(value.size()))
                       .toHex()
                       .toStdString() +
                   '\'';
        i = end;
    }
    return QString::fromStdString(out);
}

void describeType(Column &c)
{
    c.typeClass = classOf(c.dataType);
    c.labels.clear();
    const QString type = c.typeText.toLower();
    c.isUnsigned = false;
    const Tokens t(c.typeText);
    for (int i = t.next(0); i < t.size(); i = t.next(i + 1)) {
        if (t.isWord(i, QLatin1String("unsigned")) || t.isWord(i, QLatin1String("zerofill")))
            c.isUnsigned = true;
        else if (t.isString(i) && (c.typeClass == TypeClass::Enum || c.typeClass == TypeClass::Set))
            c.labels << t.string(i);
        else if (c.typeClass == TypeClass::Vector && t.at(i).kind == TokenKind::Number)
            c.length = t.text(i).toInt() * 4;
    }
    if (c.typeClass != TypeClass::Decimal) {
        c.precision = 0;
        if (c.typeClass != TypeClass::Temporal)
            c.scale = 0;
    }
    const bool sized = c.typeClass == TypeClass::Bit || c.typeClass == TypeClass::Vector ||
                       c.dataType.endsWith(QLatin1String("char")) ||
                       c.dataType.endsWith(QLatin1String("binary"));
    if (!sized)
        c.length = 0;
}

bool isRowEnd(const Table &table, std::size_t column)
{
    if (!table.columns[column].generated ||
        !table.createSql.contains(QLatin1String("AS ROW END"), Qt::CaseInsensitive))
        return false;
    const auto ddl = TableDdl::parse(table.createSql);
    if (!ddl)
        return false;
    return std::any_of(ddl->items.begin(), ddl->items.end(), [&](const TableItem &item) {
        if (item.kind != ItemKind::Column || item.name != table.columns[column].name)
            return false;
        const Tokens t(item.text);
        for (int i = t.next(0); i < t.size(); i = t.next(i + 1)) {
            const int second = t.next(i + 1);
            if (t.isWord(i, QLatin1String("AS")) && t.isWord(second, QLatin1String("ROW")) &&
                t.isWord(t.next(second + 1), QLatin1String("END")))
                return true;
        }
        return false;
    });
}

void chooseRowKey(Table &t, const QStringList &avoid)
{
    t.rowKey.reset();
    const auto usable = [&t](const Key &k) {
        return k.unique && !k.parts.empty() &&
               std::all_of(k.parts.begin(), k.parts.end(), [&t](const KeyPart &p) {
                   if (p.column < 0 || p.prefix != 0)
                       return false;
                   const Column &c = t.columns[static_cast<std::size_t>(p.column)];
                   // A value of FLOAT or DOUBLE cannot be named exactly in a condition; a generated
                   // one is not among the values that are copied.
                   return !c.nullable && !c.generated && c.typeClass != TypeClass::Float &&
                          c.typeClass != TypeClass::Double;
               });
    };
    int best = -1, bestRank = 3;
    for (std::size_t i = 0; i < t.keys.size(); ++i) {
        const Key &k = t.keys[i];
        const int rank = k.primary ? 0 : avoid.contains(k.name) ? 2 : 1;
        if (rank < bestRank && usable(k)) {
            best = static_cast<int>(i);
            bestRank = rank;
        }
    }
    if (best >= 0)
        t.rowKey = best;
}

Result<QStringList> readSchemaNames(Session &session, std::stop_token stop)
{
    CW_TRY_ASSIGN(const auto r,
                  session.query(QStringLiteral("SELECT SCHEMA_NAME FROM "
                                               "information_schema.SCHEMATA ORDER BY SCHEMA_NAME"),
                                stop));
    QStringList out;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        const QString name = r.text(i, std::size_t{0});
        if (!isSystemSchema(name))
            out << name;
    }
    return out;
}

static Result<Catalog> readCatalog(Session &session, const Selection &selection,
                                   const QSet<TableName> *shown, const std::vector<Table> *all,
                                   const std::stop_token &stop)
{
    CW_TRY(showEverything(session, stop));
    Reading reading{session, selection, stop, {}, {}, {}, {}, {}, {}};
    CW_TRY(reading.readSchemas());
    if (reading.schemas.isEmpty())
        return std::move(reading.catalog);
    if (shown) {
        QStringList names{QStringLiteral("''")};
        for (const TableName &n : *shown)
            names << quoteText(n.name);
        reading.only = QStringLiteral(" AND TABLE_NAME IN (%1)").arg(names.join(QLatin1Char(',')));
    }
    CW_TRY(reading.readTables());
    if (!reading.catalog.tables.empty()) {
        CW_TRY(reading.readColumns());
        CW_TRY(reading.readKeys());
        CW_TRY(reading.readForeignKeys());
    }
    for (Table &t : reading.catalog.tables)
        CW_TRY(reading.readCreate(t));
    CW_TRY_ASSIGN(reading.catalog.objects,
                  readObjects(session, reading.schemas, selection,
                              all ? *all : reading.catalog.tables, reading.sequences, stop));
    return std::move(reading.catalog);
}

Result<Catalog> readCatalog(Session &session, const Selection &selection, std::stop_token stop)
{
    return readCatalog(session, selection, nullptr, nullptr, stop);
}

Result<Catalog> readCatalogOf(Session &session, const Selection &selection,
                              const QSet<TableName> &shown, const std::vector<TableName> &all,
                              std::stop_token stop)
{
    std::vector<Table> names(all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        names[i].name = all[i];
    return readCatalog(session, selection, &shown, &names, stop);
}

Result<Counters> readCounters(Session &session, const Selection &selection, std::stop_token stop)
{
    Counters out;
    const QString scope =
        selection.schemas.isEmpty()
            ? QString()
            : QLatin1String(" AND ") + schemaCondition("TABLE_SCHEMA", selection.schemas);
    CW_TRY_ASSIGN(
        const auto r,
        session.query(QStringLiteral("SELECT TABLE_SCHEMA, TABLE_NAME, AUTO_INCREMENT FROM "
                                     "information_schema.TABLES WHERE AUTO_INCREMENT IS NOT "
                                     "NULL") +
                          scope,
                      stop));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
        const TableName name{r.text(i, std::size_t{0}), r.text(i, std::size_t{1})};
        if (!isSystemSchema(name.schema) && !isStateTable(name.name) && selection.matches(name))
            out.emplace(name, r.text(i, std::size_t{2}).toULongLong());
    }
    return out;
}

} // namespace causeway::mysql
