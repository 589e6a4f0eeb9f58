#include "mysql/TableDdl.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

tl::unexpected<Error> notUnderstood(const QString &sql)
{
    Error e;
    e.code = ErrorCode::Internal;
    e.id = QStringLiteral("mysql-create-table-unknown");
    e.message =
        cwText("core", "The server's CREATE TABLE statement is not understood: %1", sql.left(200));
    return fail(std::move(e));
}

void describeKey(const Tokens &t, int at, TableItem &item)
{
    item.kind = ItemKind::Key;
    for (; at < t.size() && !t.isMark(at, '('); at = t.next(at + 1)) {
        if (t.isWord(at, QLatin1String("UNIQUE")))
            item.unique = true;
        else if (t.isWord(at, QLatin1String("FULLTEXT")))
            item.fulltext = true;
        else if (t.isWord(at, QLatin1String("SPATIAL")))
            item.spatial = true;
        else if (t.isWord(at, QLatin1String("PRIMARY"))) {
            item.unique = true;
            item.name = QStringLiteral("PRIMARY");
        } else if (t.at(at).kind == TokenKind::QuotedId)
            item.name = t.name(at);
    }
    const int first = t.next(at + 1);
    if (t.isName(first))
        item.firstColumn = t.name(first);
    const int end = t.afterParenthesis(at);
    bool atPart = true;
    int depth = 0;
    for (int i = at; i < end; i = t.next(i + 1)) {
        if (t.isMark(i, '(')) {
            // A part that begins with a parenthesis is an expression: ((lower(`a`)), `b`).
            if (depth == 1 && atPart)
                item.expression = true;
            ++depth;
        } else if (t.isMark(i, ')')) {
            --depth;
        }
        atPart = (t.isMark(i, '(') && depth == 1) || (t.isMark(i, ',') && depth == 1);
    }
}

TableItem describe(const QString &text)
{
    TableItem item;
    item.text = text;
    const Tokens t(text);
    int i = t.next(0);
    if (i < t.size() && t.at(i).kind == TokenKind::QuotedId) {
        item.kind = ItemKind::Column;
        item.name = t.name(i);
        return item;
    }
    if (t.isWord(i, QLatin1String("CONSTRAINT"))) {
        i = t.next(i + 1);
        if (t.at(i).kind == TokenKind::QuotedId) {
            item.name = t.name(i);
            i = t.next(i + 1);
        }
    }
    if (t.isWord(i, QLatin1String("FOREIGN"))) {
        item.kind = ItemKind::ForeignKey;
    } else if (t.isWord(i, QLatin1String("CHECK"))) {
        item.kind = ItemKind::Check;
    } else if (t.isWord(i, QLatin1String("PERIOD"))) {
        item.kind = ItemKind::Period;
    } else {
        describeKey(t, i, item);
    }
    return item;
}

} // namespace

Result<TableDdl> TableDdl::parse(const QString &createSql)
{
    // SHOW CREATE TABLE is asked for by sessions without ANSI_QUOTES and NO_BACKSLASH_ESCAPES.
    const Tokens t(createSql);
    TableDdl out;
    int i = t.next(0);
    while (i < t.size() && t.at(i).kind == TokenKind::Word)
        i = t.next(i + 1);
    if (i >= t.size() || t.at(i).kind != TokenKind::QuotedId)
        return notUnderstood(createSql);
    out.name = t.name(i);
    int open = t.next(i + 1);
    if (t.isMark(open, '.')) { // the schema came first
        const int second = t.next(open + 1);
        if (!t.isName(second))
            return notUnderstood(createSql);
        out.name = t.name(second);
        open = t.next(second + 1);
    }
    if (!t.isMark(open, '('))
        return notUnderstood(createSql);
    int depth = 0;
    int itemStart = open + 1;
    for (i = open; i < t.size(); ++i) {
        if (t.isMark(i, '(')) {
            ++depth;
        } else if (t.isMark(i, ')')) {
            --depth;
        }
        if ((depth == 1 && t.isMark(i, ',')) || depth == 0) {
            const QString text = t.text(itemStart, i).trimmed();
            if (!text.isEmpty())
                out.items.push_back(describe(text));
            itemStart = i + 1;
            if (depth == 0)
                break;
        }
    }
    if (i >= t.size())
        return notUnderstood(createSql);

    int version = 0;
    for (++i; i < t.size();) {
        const Token &token = t.at(i);
        if (token.kind == TokenKind::VersionOpen || token.kind == TokenKind::VersionClose) {
            version = token.kind == TokenKind::VersionOpen ? std::max(token.version, 1) : 0;
            ++i;
            continue;
        }
        if (token.kind == TokenKind::Space || token.kind == TokenKind::Comment ||
            t.isMark(i, ',')) {
            ++i;
            continue;
        }
        if (t.isWord(i, QLatin1String("PARTITION"))) {
            // The whole is in one version comment, or (KEY ALGORITHM=1) in several of the same
            // version with another one between them.
            std::vector<bool> outer{true};
            for (int k = i; k < t.size(); ++k) {
                const bool opens = t.at(k).kind == TokenKind::VersionOpen;
                if (opens)
                    outer.push_back(t.at(k).version == version);
                const bool mark =
                    version != 0 && (opens || t.at(k).kind == TokenKind::VersionClose);
                if (!mark || (!outer.empty() && !outer.back()))
                    out.partitions += t.text(k);
                if (t.at(k).kind == TokenKind::VersionClose && !outer.empty())
                    outer.pop_back();
            }
            out.partitions = out.partitions.trimmed();
            out.partitionsVersion = version;
            break;
        }
        TableOption option;
        option.version = version;
        QStringList name;
        // Words up to "=" are the name (DATA DIRECTORY); the few options that print none are given
        // by their first word.
        int after = i; // a version comment that begins behind the option is not skipped
        while (i < t.size() && t.isName(i)) {
            const QString word = t.name(i).toUpper();
            name << word;
            after = i + 1;
            i = t.next(i + 1);
            if (name.size() == 1 && word == QLatin1String("TABLESPACE") && t.isName(i))
                break;
            if (name.join(QLatin1Char(' ')) == QLatin1String("WITH SYSTEM VERSIONING") ||
                name.join(QLatin1Char(' ')) == QLatin1String("START TRANSACTION") ||
                name.join(QLatin1Char(' ')) == QLatin1String("STORAGE DISK") ||
                name.join(QLatin1Char(' ')) == QLatin1String("STORAGE MEMORY"))
                break;
        }
        option.name = name.join(QLatin1Char(' '));
        if (t.isMark(i, '=')) {
            i = t.next(i + 1);
            const int end = t.isMark(i, '(') ? t.afterParenthesis(i) : i + 1;
            option.value = t.text(i, end);
            i = end;
        } else if (option.name == QLatin1String("TABLESPACE")) {
            option.value = t.text(i).toString();
            ++i;
        } else if (name.isEmpty()) {
            return notUnderstood(createSql.mid(token.start));
        } else {
            i = after;
        }
        out.options.push_back(option);
    }
    return out;
}

const TableOption *TableDdl::option(const char *wanted) const
{
    for (const TableOption &o : options) {
        if (o.name == QLatin1String(wanted))
            return &o;
    }
    return nullptr;
}

void TableDdl::removeOption(const char *unwanted)
{
    std::erase_if(options, [&](const TableOption &o) { return o.name == QLatin1String(unwanted); });
}

} // namespace causeway::mysql
