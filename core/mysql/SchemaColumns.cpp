#include "mysql/SchemaRead.h"
#include "mysql/SchemaTarget.h"

#include <QHash>

#include <algorithm>

namespace causeway::mysql {

namespace {

tl::unexpected<Error> typeUnknown(const Table &table, const QString &column, const QString &type)
{
    Error e;
    e.code = ErrorCode::NotReady;
    e.id = QStringLiteral("mysql-type-unknown");
    e.object = table.name.display() + QLatin1Char('.') + column;
    e.message = cwText("core",
                       "Column \"%1\" of table %2 has the type %3, which the target does "
                       "not have.",
                       column, table.name.display(), type);
    e.fix = cwText("core", "Change the column's type on the source, or leave the table out.");
    return fail(std::move(e));
}

/// Since which version a server has a type; 0 = always, -1 = never.
bool hasType(const QString &type, const SchemaTarget &target)
{
    struct Since {
        int mysql, mariaDb;
    };
    static const QHash<QString, Since> since = {
        {QStringLiteral("json"), {50708, 100207}},   {QStringLiteral("uuid"), {-1, 100700}},
        {QStringLiteral("inet6"), {-1, 100500}},     {QStringLiteral("inet4"), {-1, 101000}},
        {QStringLiteral("vector"), {90000, 110701}}, {QStringLiteral("xmltype"), {-1, 120300}},
    };
    const auto it = since.constFind(type);
    if (it == since.constEnd())
        return true;
    const int from = target.mariaDb ? it->mariaDb : it->mysql;
    return from >= 0 && target.version >= from;
}

/// Types whose DEFAULT must be an expression in parentheses on MySQL.
bool needsDefaultExpression(const Column &c)
{
    return c.typeClass == TypeClass::Json || c.typeClass == TypeClass::Geometry ||
           c.dataType.endsWith(QLatin1String("text")) || c.dataType.endsWith(QLatin1String("blob"));
}

/// `CHECK (json_valid(`name`))` at token `at`, as MariaDB writes it for its alias JSON.
bool isJsonCheck(const Tokens &t, int at, const QString &column)
{
    const int open = t.next(at + 1);
    const int function = t.next(open + 1);
    const int argument = t.next(t.next(function + 1) + 1);
    const int close = t.next(argument + 1);
    return t.isMark(open, '(') && t.isWord(function, QLatin1String("json_valid")) &&
           t.isName(argument) && t.name(argument) == column && t.isMark(close, ')') &&
           t.isMark(t.next(close + 1), ')');
}

struct Translation {
    const Table &table;
    Column &column;
    const SchemaTarget &target;
    Adjustments &adjustments;
    Tokens t;
    Rewriter edit;
    bool json = false; ///< MariaDB's JSON becomes MySQL's
    bool hasCharset = false, hasCollation = false, hasDefault = false;
    int charsetAt = -1; ///< name of CHARACTER SET
    int typeEnd = 0;    ///< token after the type
    int visibleAt = -1; ///< first of the tokens that make it invisible
    int visibleEnd = -1;

    Translation(const QString &text, const Table &tab, Column &col, const SchemaTarget &to,
                Adjustments &a)
        : table(tab), column(col), target(to), adjustments(a), t(text), edit(t)
    {
    }
    void drop(int first, int last) { edit.replace(first, last, QString()); }
    void note(Text what)
    {
        adjustments.add(table.name.display() + QLatin1Char('.') + column.name, std::move(what));
    }
    Status type();
    Status attributes();
    int versioned(int open);
    Status charset(int at);
    Status collation(int at);
    Status defaultValue(int at);
    void finish();
};

Status Translation::type()
{
    const int at = t.next(t.next(0) + 1);
    const QString word = t.name(at).toLower();
    typeEnd = at + 1;
    if (const int open = t.next(typeEnd); t.isMark(open, '('))
        typeEnd = t.afterParenthesis(open);
    if (!hasType(word, target))
        return typeUnknown(table, column.name, column.typeText);
    if (target.fromMariaDb && !target.mariaDb && word == QLatin1String("longtext") &&
        column.collation == QLatin1String("utf8mb4_bin") && target.version >= 50708) {
        for (int i = t.next(typeEnd); i < t.size(); i = t.next(i + 1)) {
            if (t.isWord(i, QLatin1String("CHECK")) && isJsonCheck(t, i, column.name)) {
                json = true;
                drop(i, t.afterParenthesis(i));
                edit.replace(at, QStringLiteral("json"));
                note(cwText("core", "LONGTEXT with CHECK (json_valid(...)) becomes JSON."));
                break;
            }
        }
    }
    if (json) {
        column.typeText = column.dataType = QStringLiteral("json");
        column.typeClass = TypeClass::Json;
        column.charset.clear();
        column.collation.clear();
    } else if (!target.fromMariaDb && target.mariaDb && word == QLatin1String("json")) {
        // The alias: the server itself writes LONGTEXT COLLATE utf8mb4_bin with the CHECK.
        note(cwText("core", "JSON becomes LONGTEXT with CHECK (json_valid(...))."));
        column.typeText = column.dataType = QStringLiteral("longtext");
        column.typeClass = TypeClass::Text;
        column.charset = QStringLiteral("utf8mb4");
        column.collation = QStringLiteral("utf8mb4_bin");
    } else if (word == QLatin1String("geomcollection") && target.mariaDb) {
        edit.replace(at, QStringLiteral("geometrycollection"));
        column.typeText = column.dataType = QStringLiteral("geometrycollection");
    } else if (word == QLatin1String("year")) {
        if (!target.mariaDb && target.version >= 80019)
            edit.replace(at, typeEnd, QStringLiteral("year"));
    }
    return {};
}

int Translation::versioned(int open)
{
    const VersionedPart part = versionedPart(t, open);
    const bool compressed = part.firstWord == QLatin1String("COMPRESSED");
    if (!target.crosses() && readsVersion(target, part.version)) {
        if (part.firstWord == QLatin1String("INVISIBLE")) {
            visibleAt = open;
            visibleEnd = part.end;
        }
        return part.end;
    }
    drop(open, part.end);
    if (part.firstWord == QLatin1String("INVISIBLE") && target.crosses()) {
        visibleAt = open;
        visibleEnd = part.end;
    } else if (part.firstWord != QLatin1String("VISIBLE")) {
        note(cwText("core", "%1 is left out: the target does not have it.", part.content));
    }
    if (compressed)
        column.typeText = column.typeText.section(QLatin1String(" /*"), 0, 0);
    if (part.firstWord == QLatin1String("INVISIBLE") && !target.crosses())
        column.invisible = false;
    return part.end;
}

Status Translation::charset(int at)
{
    hasCharset = true;
    charsetAt = t.next(t.next(at + 1) + 1);
    if (json) {
        drop(at, charsetAt + 1);
        return {};
    }
    const QString here = target.collations.charset(t.name(charsetAt));
    if (here.isEmpty())
        return mapCollation(column.collation, table.name.display(), target, adjustments)
            .map([](const QString &) {});
    edit.replace(charsetAt, here);
    return {};
}

Status Translation::collation(int at)
{
    hasCollation = true;
    const int name = t.next(at + 1);
    if (json) {
        drop(at, name + 1);
        return {};
    }
    CW_TRY_ASSIGN(const QString here,
                  mapCollation(t.name(name), table.name.display(), target, adjustments));
    // MySQL tells a collation of the table's from the same one asked for by the column: written out
    // here, it would print it otherwise than the source does.
    if (!hasCharset && column.collation == table.collation)
        drop(at, name + 1);
    else
        edit.replace(name, here);
    return {};
}

Status Translation::defaultValue(int at)
{
    hasDefault = true;
    const int first = t.next(at + 1);
    // nextval(`schema`.`sequence`) is the one default that names an object.
    const int open = t.next(first + 1);
    const bool call = t.at(first).kind == TokenKind::Word && t.isMark(open, '(');
    if (call && t.isWord(first, QLatin1String("nextval"))) {
        if (!target.mariaDb) {
            Error e;
            e.code = ErrorCode::NotReady;
            e.id = QStringLiteral("mysql-sequence-default");
            e.object = table.name.display() + QLatin1Char('.') + column.name;
            e.message = cwText("core",
                               "Column \"%1\" of table %2 takes its default from a "
                               "sequence, which MySQL does not have.",
                               column.name, table.name.display());
            e.fix = cwText("core", "Make the column AUTO_INCREMENT on the source, or drop its "
                                   "default.");
            return fail(std::move(e));
        }
        const int schema = t.next(open + 1);
        if (t.isName(schema) && t.isMark(t.next(schema + 1), '.'))
            edit.replace(schema, quoteId(target.selection.schemaOnTarget(t.name(schema))));
        return {};
    }
    if (target.mariaDb || !target.fromMariaDb)
        return {};
    if (t.isMark(first, '(') || t.isWord(first, QLatin1String("NULL")))
        return {};
    const bool now = t.isWord(first, QLatin1String("current_timestamp")) ||
                     t.isWord(first, QLatin1String("now"));
    if (now && (column.dataType == QLatin1String("timestamp") ||
                column.dataType == QLatin1String("datetime")))
        return {};
    int end = first + 1;
    if (call) {
        end = t.afterParenthesis(open);
    } else {
        // An introducer or a sign before the literal.
        const int second = t.next(first + 1);
        const bool sign = t.isMark(first, '-') || t.isMark(first, '+');
        const bool introducer =
            t.at(first).kind == TokenKind::Word && t.text(first).startsWith(QLatin1Char('_'));
        if (sign || introducer)
            end = second + 1;
        if (!needsDefaultExpression(column))
            return {};
    }
    edit.insertBefore(first, QStringLiteral("("));
    edit.insertBefore(end, QStringLiteral(")"));
    return {};
}

Status Translation::attributes()
{
    dropIntroducers(t, edit, target);
    for (int i = typeEnd; i < t.size();) {
        if (t.at(i).kind == TokenKind::VersionOpen) {
            i = versioned(i);
            continue;
        }
        const int next = t.next(i + 1);
        if (t.isMark(i, '(')) {
            i = t.afterParenthesis(i);
            continue;
        }
        if (t.isWord(i, QLatin1String("CHARACTER")) && t.isWord(next, QLatin1String("SET"))) {
            CW_TRY(charset(i));
            i = charsetAt;
        } else if (t.isWord(i, QLatin1String("COLLATE"))) {
            CW_TRY(collation(i));
            i = next;
        } else if (t.isWord(i, QLatin1String("DEFAULT"))) {
            CW_TRY(defaultValue(i));
        } else if (t.isWord(i, QLatin1String("INVISIBLE"))) {
            visibleAt = i;
            visibleEnd = i + 1;
        } else if (t.isWord(i, QLatin1String("PERSISTENT")) && !target.mariaDb) {
            edit.replace(i, QStringLiteral("STORED"));
        } else if (t.isWord(i, QLatin1String("AS")) && t.isWord(next, QLatin1String("ROW"))) {
            if (!target.mariaDb)
                return typeUnknown(table, column.name, QStringLiteral("GENERATED ALWAYS AS ROW"));
        } else if ((t.isWord(i, QLatin1String("WITH")) || t.isWord(i, QLatin1String("WITHOUT"))) &&
                   t.isWord(next, QLatin1String("SYSTEM")) && !target.mariaDb) {
            const int last = t.next(next + 1);
            drop(i, last + 1);
            i = last;
        } else if (t.isWord(i, QLatin1String("NOT")) && t.isWord(next, QLatin1String("NULL")) &&
                   column.generated && target.mariaDb && !target.fromMariaDb) {
            // MariaDB's grammar has no NOT NULL behind GENERATED ALWAYS AS.
            drop(i, next + 1);
            column.nullable = true;
            note(cwText("core", "NOT NULL of the generated column is left out: MariaDB does not "
                                "allow it."));
            i = next;
        }
        ++i;
    }
    return {};
}

void Translation::finish()
{
    if (visibleAt >= 0 && target.crosses()) {
        const bool maria = target.mariaDb;
        const bool able = maria ? target.version >= 100300 : target.version >= 80023;
        // MariaDB: error 4108 for an invisible column that an INSERT would have to name.
        const bool allowed = able && (!maria || column.nullable || hasDefault ||
                                      column.autoIncrement || column.generated);
        if (allowed) {
            if (t.at(visibleAt).kind == TokenKind::VersionOpen)
                edit.insertBefore(visibleAt, QStringLiteral("INVISIBLE"));
        } else {
            if (t.at(visibleAt).kind == TokenKind::Word)
                drop(visibleAt, visibleEnd);
            column.invisible = false;
            note(cwText("core", "The column becomes visible: the target does not allow an "
                                "invisible column here."));
        }
    }
    if (!column.collation.isEmpty() && column.typeClass != TypeClass::Json) {
        // Servers print the collation only where it is not the character set's default, and the
        // defaults differ between them (utf8mb4: general_ci, 0900_ai_ci, uca1400_ai_ci).
        const QString here = target.collations.nearest(column.collation);
        if (hasCharset && !hasCollation)
            edit.insertBefore(charsetAt + 1, QLatin1String(" COLLATE ") + here);
        else if (!hasCharset && !hasCollation && column.collation != table.collation &&
                 !(target.mariaDb && t.isWord(t.next(t.next(0) + 1), QLatin1String("json"))))
            edit.insertBefore(typeEnd, QLatin1String(" CHARACTER SET ") +
                                           target.collations.charset(charsetOfCollation(here)) +
                                           QLatin1String(" COLLATE ") + here);
        column.collation = here;
        column.charset = target.collations.charset(column.charset);
    }
}

} // namespace

VersionedPart versionedPart(const Tokens &t, int open)
{
    VersionedPart part;
    part.version = t.at(open).version;
    int depth = 0;
    int i = open;
    for (; i < t.size(); ++i) {
        if (t.at(i).kind == TokenKind::VersionOpen)
            ++depth;
        else if (t.at(i).kind == TokenKind::VersionClose && --depth == 0)
            break;
    }
    part.content = t.text(open + 1, i).trimmed();
    part.end = std::min(i + 1, t.size());
    const int first = t.next(open + 1);
    if (first < i)
        part.firstWord = t.name(first).toUpper();
    return part;
}

void dropIntroducers(const Tokens &t, Rewriter &edit, const SchemaTarget &target)
{
    if (target.fromMariaDb || !target.mariaDb)
        return;
    for (int i = 0; i + 1 < t.size(); ++i) {
        if (t.at(i).kind != TokenKind::Word || !t.text(i).startsWith(QLatin1Char('_')) ||
            !t.isString(t.next(i + 1)))
            continue;
        const QString charset = t.text(i).mid(1).toString().toLower();
        const QString literal = t.string(t.next(i + 1));
        const bool ascii =
            std::all_of(literal.begin(), literal.end(), [](QChar c) { return c.unicode() < 0x80; });
        if (charset == QLatin1String("utf8mb4") ||
            (ascii && target.collations.knowsCharset(charset) &&
             charset != QLatin1String("binary")))
            edit.replace(i, QString());
    }
}

bool readsVersion(const SchemaTarget &target, int version)
{
    return version <= target.version;
}

Result<QString> mapCollation(const QString &collation, const QString &object,
                             const SchemaTarget &target, Adjustments &adjustments)
{
    const QString here = target.collations.nearest(collation);
    if (here.isEmpty()) {
        Error e;
        e.code = ErrorCode::NotReady;
        e.id = QStringLiteral("mysql-charset");
        e.object = object;
        e.message = cwText("core", "%1 uses the character set %2, which the target does not have.",
                           object, charsetOfCollation(collation));
        e.fix = cwText("core", "Convert it to utf8mb4 on the source.");
        return fail(std::move(e));
    }
    if (!Collations::same(here, collation)) {
        adjustments.add(object, cwText("core",
                                       "Collation %1 becomes %2: order and equality of "
                                       "texts may differ.",
                                       collation, here));
    }
    return here;
}

QString comparableType(const QString &typeText)
{
    static const QStringList integers = {QStringLiteral("tinyint"),   QStringLiteral("smallint"),
                                         QStringLiteral("mediumint"), QStringLiteral("int"),
                                         QStringLiteral("bigint"),    QStringLiteral("year")};
    const Tokens t(typeText);
    const int first = t.next(0);
    if (first >= t.size())
        return typeText;
    QString word = t.name(first).toLower();
    int rest = first + 1;
    if (word == QLatin1String("geomcollection"))
        word = QStringLiteral("geometrycollection");
    if (integers.contains(word) && t.isMark(t.next(rest), '('))
        rest = t.afterParenthesis(t.next(rest));
    QString out = word;
    for (int i = rest; i < t.size(); ++i) {
        if (t.at(i).kind == TokenKind::VersionOpen || t.at(i).kind == TokenKind::Comment)
            break; // COMPRESSED
        out +=
            t.at(i).kind == TokenKind::Word ? t.text(i).toString().toLower() : t.text(i).toString();
    }
    return out.trimmed();
}

Result<QString> translateColumn(const QString &definition, const Table &table, Column &column,
                                const SchemaTarget &target, Adjustments &adjustments)
{
    Translation work(definition, table, column, target, adjustments);
    CW_TRY(work.type());
    CW_TRY(work.attributes());
    work.finish();
    return work.edit.result();
}

} // namespace causeway::mysql
