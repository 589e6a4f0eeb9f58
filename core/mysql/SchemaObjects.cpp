#include "mysql/SchemaTarget.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

/// Where the parts of a CREATE statement of an object are, as token numbers; -1 = not there.
struct Header {
    int definer = -1, definerEnd = -1;
    int security = -1; ///< the word behind SQL SECURITY
    int kind = -1;
    int name = -1, nameEnd = -1;
    int table = -1, tableEnd = -1; ///< triggers
    int order = -1, orderEnd = -1; ///< FOLLOWS or PRECEDES and its name
};

/// Token after a name that may have its schema before it.
int afterName(const Tokens &t, int first)
{
    const int point = t.next(first + 1);
    if (!t.isMark(point, '.'))
        return first + 1;
    return std::min(t.next(point + 1) + 1, t.size());
}

bool isKind(const Tokens &t, int i)
{
    for (const char *kind :
         {"VIEW", "PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "SEQUENCE", "PACKAGE"}) {
        if (t.isWord(i, QLatin1String(kind)))
            return true;
    }
    return false;
}

Header readHeader(const Tokens &t)
{
    Header h;
    int i = t.next(0);
    for (; i < t.size() && !isKind(t, i); i = t.next(i + 1)) {
        if (t.isWord(i, QLatin1String("DEFINER")) && h.definer < 0) {
            h.definer = i;
            i = t.next(t.next(i + 1) + 1); // the "=", then the user
            h.definerEnd = i + 1;
            const int host = t.next(i + 1);
            if (host < t.size() && t.at(host).kind == TokenKind::Variable) {
                h.definerEnd = host + 1;
                i = host;
            } else if (t.isMark(host, '(')) {
                h.definerEnd = t.afterParenthesis(host);
                i = h.definerEnd - 1;
            }
        } else if (t.isWord(i, QLatin1String("SECURITY"))) {
            h.security = t.next(i + 1);
        }
    }
    h.kind = i;
    i = t.next(i + 1);
    if (t.isWord(i, QLatin1String("BODY")))
        i = t.next(i + 1);
    if (t.isWord(i, QLatin1String("IF"))) // IF NOT EXISTS
        i = t.next(t.next(t.next(i + 1) + 1) + 1);
    h.name = i;
    h.nameEnd = afterName(t, i);
    if (!t.isWord(h.kind, QLatin1String("TRIGGER")))
        return h;
    i = t.next(h.nameEnd);
    while (i < t.size() && !t.isWord(i, QLatin1String("ON")))
        i = t.next(i + 1);
    h.table = t.next(i + 1);
    h.tableEnd = afterName(t, h.table);
    i = t.next(h.tableEnd);
    // FOR EACH ROW, then the order.
    if (t.isWord(i, QLatin1String("FOR")))
        i = t.next(t.next(t.next(i + 1) + 1) + 1);
    if (t.isWord(i, QLatin1String("FOLLOWS")) || t.isWord(i, QLatin1String("PRECEDES"))) {
        h.order = i;
        h.orderEnd = t.next(i + 1) + 1;
    }
    return h;
}

/// Before which token SQL SECURITY INVOKER belongs in a routine: the server prints the parameters
/// and RETURNS on the first line and the characteristics, then the body, on lines of their own.
int characteristics(const Tokens &t, const Header &h)
{
    int i = t.next(h.nameEnd);
    if (t.isMark(i, '('))
        i = t.afterParenthesis(i);
    if (t.isWord(t.next(i), QLatin1String("RETURNS")))
        i = t.next(i) + 1;
    for (; i < t.size(); ++i) {
        if (t.isMark(i, '(')) {
            i = t.afterParenthesis(i) - 1;
        } else if (t.at(i).kind == TokenKind::Space && t.text(i).contains(QLatin1Char('\n'))) {
            break;
        }
    }
    return i;
}

struct ObjectBuilder {
    const SchemaObject &o;
    const Catalog &leader;
    const SchemaTarget &target;
    Adjustments &adjustments;

    [[nodiscard]] QString label() const
    {
        return toString(o.kind) + QLatin1Char(' ') + o.display();
    }
    void note(Text what) { adjustments.add(label(), std::move(what)); }
    bool exists(const QString &schema, const QString &name) const;
    void renameSchemas(const Tokens &, int from, Rewriter &);
    void renameSchema(const Tokens &, int from, const QString &old, Rewriter &);
    void mapCollations(const Tokens &, int from, Rewriter &);
    QString sessionSetup(const QString &schema);
    QString rewrite();
};

bool ObjectBuilder::exists(const QString &schema, const QString &name) const
{
    return leader.find({schema, name}) != nullptr ||
           std::any_of(leader.objects.begin(), leader.objects.end(), [&](const SchemaObject &x) {
               return x.schema == schema && x.name.compare(name, Qt::CaseInsensitive) == 0;
           });
}

void ObjectBuilder::renameSchema(const Tokens &t, int from, const QString &old, Rewriter &edit)
{
    // A table, an alias or OLD of a trigger may have the schema's name: then `old`.x is undecided
    // unless a third part follows or x is known to be a thing of that schema.
    bool undecided = false, dynamic = false, inText = false;
    const bool asAlias = [&] {
        for (int i = from; i < t.size(); ++i) {
            if (!t.isName(i) || t.name(i).compare(old, Qt::CaseInsensitive) != 0)
                continue;
            const int before = t.previous(i);
            if (!t.isMark(t.next(i + 1), '.') ||
                (before >= 0 && (t.isMark(before, '.') || t.isWord(before, QLatin1String("AS")))))
                return true;
        }
        return o.kind == ObjectKind::Trigger &&
               (old.compare(QLatin1String("old"), Qt::CaseInsensitive) == 0 ||
                old.compare(QLatin1String("new"), Qt::CaseInsensitive) == 0);
    }();
    for (int i = from; i < t.size(); ++i) {
        const int next = t.next(i + 1);
        if (t.isString(i)) {
            const QString value = t.string(i);
            if (value.contains(old + QLatin1Char('.'), Qt::CaseInsensitive) ||
                value.contains(QLatin1Char('`') + old + QLatin1Char('`'), Qt::CaseInsensitive))
                inText = true;
        } else if (t.isWord(i, QLatin1String("PREPARE")) ||
                   (t.isWord(i, QLatin1String("EXECUTE")) &&
                    t.isWord(next, QLatin1String("IMMEDIATE")))) {
            dynamic = true;
        } else if (t.isName(i) && t.isMark(next, '.') && !t.isMark(t.previous(i), '.')) {
            const QString name = t.name(i);
            const int second = t.next(next + 1);
            if (name.compare(old, Qt::CaseInsensitive) != 0 || !t.isName(second))
                continue;
            const bool threeParts = t.isMark(t.next(second + 1), '.');
            // In another case it is another name to servers that tell case apart.
            if (name == old && (threeParts || !asAlias || exists(old, t.name(second))))
                edit.replace(i, quoteId(target.selection.schemaOnTarget(old)));
            else
                undecided = true;
        }
    }
    if (dynamic)
        note(cwText("core",
                    "CHECK BY HAND: it runs SQL that it puts together itself; names of "
                    "schema \"%1\" in there cannot be changed to \"%2\".",
                    old, target.selection.schemaOnTarget(old)));
    if (inText)
        note(cwText("core",
                    "CHECK BY HAND: a text in it names schema \"%1\" and was left as it is.", old));
    if (undecided)
        note(cwText("core",
                    "CHECK BY HAND: \"%1\" in it may mean the schema or something else and "
                    "was left as it is.",
                    old));
}

void ObjectBuilder::renameSchemas(const Tokens &t, int from, Rewriter &edit)
{
    const QStringList names = target.selection.renames.keys();
    for (const QString &old : names) {
        if (target.selection.schemaOnTarget(old) != old)
            renameSchema(t, from, old, edit);
    }
}

void ObjectBuilder::mapCollations(const Tokens &t, int from, Rewriter &edit)
{
    for (int i = from; i < t.size(); ++i) {
        if (!t.isWord(i, QLatin1String("COLLATE")))
            continue;
        int name = t.next(i + 1);
        if (t.isMark(name, '='))
            name = t.next(name + 1);
        if (!t.isName(name) && !t.isString(name))
            continue;
        const QString old = t.isString(name) ? t.string(name) : t.name(name);
        const QString here = target.collations.nearest(old);
        if (!here.isEmpty() && here != old.toLower()) {
            edit.replace(name, here);
            if (!Collations::same(here, old))
                note(cwText("core",
                            "Collation %1 becomes %2: order and equality of texts may "
                            "differ.",
                            old, here));
        }
    }
}

QString ObjectBuilder::sessionSetup(const QString &schema)
{
    // The default schema counts while the statement is parsed: an unqualified call of a stored
    // function is looked up in it.
    QString sql = QLatin1String("USE ") + quoteId(schema);
    QStringList sets;
    if (o.kind != ObjectKind::View && o.kind != ObjectKind::Sequence) {
        QStringList lost;
        sets << QLatin1String("sql_mode=") + quoteText(mapSqlMode(o.sqlMode, target, &lost));
        if (!lost.isEmpty())
            note(cwText("core", "sql_mode %1 does not exist on the target.",
                        lost.join(QLatin1String(", "))));
    }
    const QString charset = target.collations.charset(o.characterSetClient);
    const QString collation = target.collations.nearest(o.collationConnection);
    if (!charset.isEmpty() && !collation.isEmpty()) {
        sets << QLatin1String("character_set_client=") + charset
             << QLatin1String("collation_connection=") + collation;
        if (!Collations::same(collation, o.collationConnection))
            note(cwText("core", "Collation %1 becomes %2: order and equality of texts may differ.",
                        o.collationConnection, collation));
    }
    if (o.kind == ObjectKind::Event)
        sets << QLatin1String("time_zone=") + quoteText(o.timeZone);
    if (!sets.isEmpty())
        sql += QLatin1String("; SET ") + sets.join(QLatin1String(", "));
    return sql;
}

QString ObjectBuilder::rewrite()
{
    // A view is printed in our session's quoting, everything else as its author wrote it.
    const Tokens t(o.createSql, o.kind == ObjectKind::View || o.kind == ObjectKind::Sequence
                                    ? TokenMode{}
                                    : TokenMode::fromSqlMode(o.sqlMode));
    const Header h = readHeader(t);
    Rewriter edit(t);
    const QString schema = target.selection.schemaOnTarget(o.schema);
    edit.replace(h.name, h.nameEnd, quoteName({schema, o.name}));
    if (h.table >= 0)
        edit.replace(h.table, h.tableEnd, quoteName({schema, o.table}));
    // Objects are created in ACTION_ORDER; a clause that names another trigger would undo that
    // where the order was made by later triggers, or name one that is not there yet.
    if (h.order >= 0)
        edit.replace(h.order, h.orderEnd, QString());

    if (!o.definer.isEmpty() && h.definer >= 0) {
        if (const auto why = target.definers.obstacle(o.definer)) {
            edit.replace(h.definer, t.next(h.definerEnd), QString());
            const bool hasSecurity = o.kind == ObjectKind::View ||
                                     o.kind == ObjectKind::Procedure ||
                                     o.kind == ObjectKind::Function;
            if (hasSecurity && !o.invoker) {
                if (o.kind == ObjectKind::View && h.security >= 0)
                    edit.replace(h.security, QStringLiteral("INVOKER"));
                else
                    edit.insertBefore(characteristics(t, h),
                                      QStringLiteral("\n    SQL SECURITY INVOKER"));
            }
            if (hasSecurity)
                note(cwText("core", "DEFINER %1 is removed and SQL SECURITY INVOKER set: %2",
                            o.definer, why->english()));
            else
                note(cwText("core", "DEFINER %1 is removed, our own account takes its place: %2",
                            o.definer, why->english()));
        }
    }
    const int body = h.tableEnd >= 0 ? (h.orderEnd >= 0 ? h.orderEnd : h.tableEnd) : h.nameEnd;
    renameSchemas(t, body, edit);
    mapCollations(t, body, edit);
    // MySQL 8.2 and later say REPLICA where everybody else says SLAVE.
    if (o.kind == ObjectKind::Event) {
        for (int i = t.next(body); i < t.size() && !t.isWord(i, QLatin1String("DO"));
             i = t.next(i + 1)) {
            if (t.isWord(i, QLatin1String("REPLICA")) && (target.mariaDb || target.version < 80200))
                edit.replace(i, QStringLiteral("SLAVE"));
            else if (t.isWord(i, QLatin1String("SLAVE")) && !target.mariaDb &&
                     target.version >= 80400)
                edit.replace(i, QStringLiteral("REPLICA"));
        }
    }
    return edit.result();
}

} // namespace

QString mapSqlMode(const QString &sqlMode, const SchemaTarget &target, QStringList *lost)
{
    static const QSet<QString> common = {QStringLiteral("REAL_AS_FLOAT"),
                                         QStringLiteral("PIPES_AS_CONCAT"),
                                         QStringLiteral("ANSI_QUOTES"),
                                         QStringLiteral("IGNORE_SPACE"),
                                         QStringLiteral("ONLY_FULL_GROUP_BY"),
                                         QStringLiteral("NO_UNSIGNED_SUBTRACTION"),
                                         QStringLiteral("NO_DIR_IN_CREATE"),
                                         QStringLiteral("NO_AUTO_VALUE_ON_ZERO"),
                                         QStringLiteral("NO_BACKSLASH_ESCAPES"),
                                         QStringLiteral("STRICT_TRANS_TABLES"),
                                         QStringLiteral("STRICT_ALL_TABLES"),
                                         QStringLiteral("NO_ZERO_IN_DATE"),
                                         QStringLiteral("NO_ZERO_DATE"),
                                         QStringLiteral("ALLOW_INVALID_DATES"),
                                         QStringLiteral("TRADITIONAL"),
                                         QStringLiteral("ERROR_FOR_DIVISION_BY_ZERO"),
                                         QStringLiteral("ANSI"),
                                         QStringLiteral("HIGH_NOT_PRECEDENCE"),
                                         QStringLiteral("NO_ENGINE_SUBSTITUTION"),
                                         QStringLiteral("PAD_CHAR_TO_FULL_LENGTH")};
    // Gone in MySQL 8.0, still there in MySQL 5 and MariaDB.
    static const QSet<QString> old = {QStringLiteral("NO_AUTO_CREATE_USER"),
                                      QStringLiteral("NO_FIELD_OPTIONS"),
                                      QStringLiteral("NO_KEY_OPTIONS"),
                                      QStringLiteral("NO_TABLE_OPTIONS"),
                                      QStringLiteral("MYSQL323"),
                                      QStringLiteral("MYSQL40"),
                                      QStringLiteral("DB2"),
                                      QStringLiteral("MAXDB"),
                                      QStringLiteral("MSSQL"),
                                      QStringLiteral("POSTGRESQL"),
                                      QStringLiteral("ORACLE")};
    static const QSet<QString> ofMariaDb = {
        QStringLiteral("EMPTY_STRING_IS_NULL"), QStringLiteral("SIMULTANEOUS_ASSIGNMENT"),
        QStringLiteral("TIME_ROUND_FRACTIONAL"), QStringLiteral("IGNORE_BAD_TABLE_OPTIONS")};
    QStringList kept;
    QStringList modes = sqlMode.toUpper().split(QLatin1Char(','), Qt::SkipEmptyParts);
    // MariaDB tells a routine's mode by the name that it has in its system table, and takes only
    // the other one.
    for (QString &mode : modes) {
        if (mode == QLatin1String("INVALID_DATES"))
            mode = QStringLiteral("ALLOW_INVALID_DATES");
    }
    for (const QString &mode : modes) {
        const bool truncates = mode == QLatin1String("TIME_TRUNCATE_FRACTIONAL");
        const bool known = common.contains(mode) ||
                           (old.contains(mode) && (target.mariaDb || target.version < 80000)) ||
                           (ofMariaDb.contains(mode) && target.mariaDb) ||
                           (truncates && !target.mariaDb && target.version >= 80001);
        if (known) {
            // MariaDB's ORACLE is a language of its own, MySQL 5's only a set of modes.
            if (mode == QLatin1String("ORACLE") && target.crosses() && lost)
                *lost << mode;
            kept << mode;
        } else if (lost && !truncates && (!old.contains(mode) || mode == QLatin1String("ORACLE")) &&
                   mode != QLatin1String("IGNORE_BAD_TABLE_OPTIONS")) {
            // MariaDB always truncates fractions; the others of `old` only changed SHOW CREATE.
            *lost << mode;
        }
    }
    return kept.join(QLatin1Char(','));
}

Result<std::vector<SchemaStatement>> buildObject(const SchemaObject &o, const Catalog &leader,
                                                 const SchemaTarget &target,
                                                 Adjustments &adjustments)
{
    ObjectBuilder b{o, leader, target, adjustments};
    std::vector<SchemaStatement> out;
    if (o.kind == ObjectKind::Sequence && !target.mariaDb) {
        b.note(cwText("core", "The sequence is left out: MySQL has none."));
        return out;
    }
    if (o.createSql.isEmpty()) {
        if (o.kind == ObjectKind::View) {
            b.note(cwText("core", "The view is left out: its definition cannot be read on the "
                                  "source (it is broken, or hidden from this account)."));
            return out;
        }
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("mysql-object-unreadable");
        e.object = b.label();
        e.message = cwText("core", "The definition of %1 is hidden from this account.", b.label());
        e.fix = cwText("core", "Grant the account the right to read it (SHOW_ROUTINE or SELECT on "
                               "mysql.proc; TRIGGER; EVENT) and check again.");
        return fail(std::move(e));
    }
    const QString schema = target.selection.schemaOnTarget(o.schema);
    SchemaStatement create{toString(o.kind) + QLatin1Char(' ') + schema + QLatin1Char('.') + o.name,
                           b.rewrite(), b.sessionSetup(schema), o.invalid};
    if (o.invalid)
        b.note(cwText("core", "The view is invalid on the source: it is left out where the target "
                              "refuses it."));
    // Parameters and variables without a character set take that of the schema *when the routine
    // was created*; a schema that was changed since is set back for the moment.
    const auto info = std::find_if(leader.schemas.begin(), leader.schemas.end(),
                                   [&](const SchemaInfo &s) { return s.name == o.schema; });
    const QString then = target.collations.nearest(o.databaseCollation);
    const bool changed = info != leader.schemas.end() && !then.isEmpty() &&
                         !Collations::same(o.databaseCollation, info->collation);
    const auto setSchema = [&](const QString &collation) {
        return SchemaStatement{QLatin1String("schema ") + schema,
                               QStringLiteral("ALTER DATABASE %1 CHARACTER SET %2 COLLATE %3")
                                   .arg(quoteId(schema),
                                        target.collations.charset(charsetOfCollation(collation)),
                                        collation),
                               {}};
    };
    if (changed)
        out.push_back(setSchema(then));
    out.push_back(std::move(create));
    if (changed)
        out.push_back(setSchema(target.collations.nearest(info->collation)));
    return out;
}

} // namespace causeway::mysql
