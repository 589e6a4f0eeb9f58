#include "mysql/SqlTokens.h"

#include <algorithm>

namespace causeway::mysql {

namespace {

// The servers' rule for bare identifiers: everything from U+0080 on belongs to a name.
bool isNameChar(QChar c)
{
    return c.isDigit() || (c >= QLatin1Char('a') && c <= QLatin1Char('z')) ||
           (c >= QLatin1Char('A') && c <= QLatin1Char('Z')) || c == QLatin1Char('_') ||
           c == QLatin1Char('$') || c.unicode() >= 0x80;
}

bool isAsciiDigit(QChar c)
{
    return c >= QLatin1Char('0') && c <= QLatin1Char('9');
}

bool isSpace(QChar c)
{
    return c.unicode() <= 0x20;
}

} // namespace

TokenMode TokenMode::fromSqlMode(const QString &sqlMode)
{
    TokenMode mode;
    const QStringList names = sqlMode.toUpper().split(QLatin1Char(','));
    for (const QString &raw : names) {
        const QString name = raw.trimmed();
        // MySQL 5.7 and MariaDB print a combined mode together with its parts; somebody who gives
        // only the combined one means its parts.
        static const QStringList combined = {QStringLiteral("ANSI"),
                                             QStringLiteral("DB2"),
                                             QStringLiteral("MAXDB"),
                                             QStringLiteral("MSSQL"),
                                             QStringLiteral("ORACLE"),
                                             QStringLiteral("POSTGRESQL"),
                                             QStringLiteral("MYSQL323_ANSI_QUOTES")};
        if (name == QLatin1String("ANSI_QUOTES") || combined.contains(name))
            mode.ansiQuotes = true;
        if (name == QLatin1String("NO_BACKSLASH_ESCAPES"))
            mode.noBackslashEscapes = true;
    }
    return mode;
}

Tokens::Tokens(QString sql, TokenMode mode) : m_sql(std::move(sql)), m_mode(mode)
{
    cut();
}

void Tokens::add(TokenKind kind, qsizetype start, qsizetype end, int version)
{
    m_tokens.push_back({kind, start, end - start, version});
}

qsizetype Tokens::endOfQuoted(qsizetype at, QChar quote, bool backslashes) const
{
    const qsizetype n = m_sql.size();
    for (qsizetype i = at + 1; i < n; ++i) {
        if (backslashes && m_sql[i] == QLatin1Char('\\')) {
            ++i;
        } else if (m_sql[i] == quote) {
            if (i + 1 < n && m_sql[i + 1] == quote)
                ++i;
            else
                return i + 1;
        }
    }
    return n; // never closed: the rest
}

void Tokens::cut()
{
    const qsizetype n = m_sql.size();
    const auto at = [&](qsizetype i) { return i < n ? m_sql[i] : QChar(); };
    const bool backslashes = !m_mode.noBackslashEscapes;
    int openVersions = 0;
    bool afterPoint = false; // "t.1a": what follows the point of a name is a name
    const auto afterName = [this] {
        return !m_tokens.empty() && (m_tokens.back().kind == TokenKind::Word ||
                                     m_tokens.back().kind == TokenKind::QuotedId);
    };
    qsizetype i = 0;
    while (i < n) {
        const QChar c = m_sql[i];
        const qsizetype start = i;
        const bool nameExpected = std::exchange(afterPoint, false);
        if (isSpace(c)) {
            while (i < n && isSpace(m_sql[i]))
                ++i;
            add(TokenKind::Space, start, i);
            afterPoint = nameExpected;
        } else if (c == QLatin1Char('#') ||
                   (c == QLatin1Char('-') && at(i + 1) == QLatin1Char('-') &&
                    (i + 2 >= n || isSpace(m_sql[i + 2])))) {
            while (i < n && m_sql[i] != QLatin1Char('\n'))
                ++i;
            add(TokenKind::Comment, start, i);
        } else if (c == QLatin1Char('/') && at(i + 1) == QLatin1Char('*')) {
            const bool maria = at(i + 2) == QLatin1Char('M') && at(i + 3) == QLatin1Char('!');
            if (maria || at(i + 2) == QLatin1Char('!')) {
                i += maria ? 4 : 3;
                const qsizetype digits = i;
                while (i < n && i - digits < 6 && isAsciiDigit(m_sql[i]))
                    ++i;
                // Five digits, or six: with six-digit versions 101106 is MariaDB 10.11.6. Fewer are
                // no version but text.
                if (i - digits < 5)
                    i = digits;
                add(TokenKind::VersionOpen, start, i,
                    QStringView(m_sql).mid(digits, i - digits).toInt());
                ++openVersions;
            } else {
                const qsizetype close = m_sql.indexOf(QLatin1String("*/"), i + 2);
                i = close < 0 ? n : close + 2;
                add(TokenKind::Comment, start, i);
            }
        } else if (openVersions > 0 && c == QLatin1Char('*') && at(i + 1) == QLatin1Char('/')) {
            i += 2;
            --openVersions;
            add(TokenKind::VersionClose, start, i);
        } else if (c == QLatin1Char('`')) {
            i = endOfQuoted(i, c, false);
            add(TokenKind::QuotedId, start, i);
        } else if (c == QLatin1Char('"') && m_mode.ansiQuotes) {
            i = endOfQuoted(i, c, false);
            add(TokenKind::QuotedId, start, i);
        } else if (c == QLatin1Char('"') || c == QLatin1Char('\'')) {
            i = endOfQuoted(i, c, backslashes);
            add(TokenKind::String, start, i);
        } else if (c == QLatin1Char('@')) {
            ++i;
            if (at(i) == QLatin1Char('@'))
                ++i;
            const QChar q = at(i);
            if (q == QLatin1Char('`') || q == QLatin1Char('"') || q == QLatin1Char('\'')) {
                i = endOfQuoted(i, q, backslashes && q != QLatin1Char('`'));
            } else {
                // A host after a user name may hold points: root@10.0.0.1. In a variable a point
                // belongs to the name as well (@a.b is one variable), but not in @@global.x.
                const bool system = i - start == 2;
                while (i < n && (isNameChar(m_sql[i]) || (!system && m_sql[i] == QLatin1Char('.'))))
                    ++i;
            }
            add(TokenKind::Variable, start, i);
        } else if (!nameExpected &&
                   (c == QLatin1Char('x') || c == QLatin1Char('X') || c == QLatin1Char('b') ||
                    c == QLatin1Char('B')) &&
                   at(i + 1) == QLatin1Char('\'')) {
            i = endOfQuoted(i + 1, QLatin1Char('\''), false);
            add(TokenKind::HexOrBit, start, i);
        } else if (!nameExpected && (isAsciiDigit(c) || (c == QLatin1Char('.') && !afterName() &&
                                                         isAsciiDigit(at(i + 1))))) {
            // A name may begin with digits (2fa_codes) but not be a number. 1e5 is a number, 1e5x
            // and 0xzz are names.
            qsizetype word = i;
            while (word < n && isNameChar(m_sql[word]))
                ++word;
            const QStringView run = QStringView(m_sql).mid(i, word - i);
            const bool hex = run.size() > 2 && run[0] == QLatin1Char('0') &&
                             (run[1] == QLatin1Char('x') || run[1] == QLatin1Char('b')) &&
                             std::all_of(run.begin() + 2, run.end(), [&](QChar d) {
                                 return run[1] == QLatin1Char('b')
                                            ? d == QLatin1Char('0') || d == QLatin1Char('1')
                                            : QStringLiteral("0123456789abcdefABCDEF").contains(d);
                             });
            if (hex) {
                i = word;
                add(TokenKind::HexOrBit, start, i);
                continue;
            }
            qsizetype end = i;
            while (end < n && isAsciiDigit(m_sql[end]))
                ++end;
            if (at(end) == QLatin1Char('.')) {
                ++end;
                while (end < n && isAsciiDigit(m_sql[end]))
                    ++end;
            }
            if (at(end) == QLatin1Char('e') || at(end) == QLatin1Char('E')) {
                qsizetype exponent = end + 1;
                if (at(exponent) == QLatin1Char('+') || at(exponent) == QLatin1Char('-'))
                    ++exponent;
                if (isAsciiDigit(at(exponent))) {
                    while (exponent < n && isAsciiDigit(m_sql[exponent]))
                        ++exponent;
                    end = exponent;
                }
            }
            const bool name = word > end;
            i = name ? word : end;
            add(name ? TokenKind::Word : TokenKind::Number, start, i);
        } else if (isNameChar(c)) {
            while (i < n && isNameChar(m_sql[i]))
                ++i;
            add(TokenKind::Word, start, i);
        } else {
            ++i;
            if (c == QLatin1Char('.') && !m_tokens.empty())
                afterPoint = true;
            add(TokenKind::Mark, start, i);
        }
    }
}

QString Tokens::text(int first, int last) const
{
    if (first >= last || first >= size())
        return {};
    return m_sql.mid(at(first).start, at(last - 1).end() - at(first).start);
}

int Tokens::next(int i) const
{
    while (i < size() &&
           (at(i).kind == TokenKind::Space || at(i).kind == TokenKind::Comment ||
            at(i).kind == TokenKind::VersionOpen || at(i).kind == TokenKind::VersionClose))
        ++i;
    return i;
}

int Tokens::previous(int i) const
{
    --i;
    while (i >= 0 &&
           (at(i).kind == TokenKind::Space || at(i).kind == TokenKind::Comment ||
            at(i).kind == TokenKind::VersionOpen || at(i).kind == TokenKind::VersionClose))
        --i;
    return i;
}

bool Tokens::isWord(int i, QLatin1String word) const
{
    return i >= 0 && i < size() && at(i).kind == TokenKind::Word &&
           text(i).compare(word, Qt::CaseInsensitive) == 0;
}

bool Tokens::isMark(int i, char mark) const
{
    return i >= 0 && i < size() && at(i).kind == TokenKind::Mark &&
           m_sql[at(i).start] == QLatin1Char(mark);
}

bool Tokens::isName(int i) const
{
    return i >= 0 && i < size() &&
           (at(i).kind == TokenKind::Word || at(i).kind == TokenKind::QuotedId);
}

bool Tokens::isString(int i) const
{
    return i >= 0 && i < size() && at(i).kind == TokenKind::String;
}

QString Tokens::name(int i) const
{
    const QStringView t = text(i);
    if (at(i).kind != TokenKind::QuotedId || t.size() < 2)
        return t.toString();
    const QChar quote = t[0];
    return t.mid(1, t.size() - 2).toString().replace(QString(2, quote), QString(quote));
}

QString Tokens::string(int i) const
{
    const QStringView t = text(i);
    if (t.size() < 2)
        return {};
    const QChar quote = t[0];
    QString out;
    for (qsizetype k = 1; k < t.size() - 1; ++k) {
        QChar c = t[k];
        if (c == quote) {
            ++k; // doubled
        } else if (c == QLatin1Char('\\') && !m_mode.noBackslashEscapes && k + 1 < t.size() - 1) {
            c = t[++k];
            switch (c.unicode()) {
            case '0':
                c = QChar();
                break;
            case 'b':
                c = QLatin1Char('\b');
                break;
            case 'n':
                c = QLatin1Char('\n');
                break;
            case 'r':
                c = QLatin1Char('\r');
                break;
            case 't':
                c = QLatin1Char('\t');
                break;
            case 'Z':
                c = QLatin1Char('\x1a');
                break;
            case '%':
            case '_':
                out += QLatin1Char('\\'); // kept for LIKE
                break;
            default:
                break;
            }
        }
        out += c;
    }
    return out;
}

int Tokens::afterParenthesis(int i) const
{
    int depth = 0;
    for (; i < size(); ++i) {
        if (isMark(i, '('))
            ++depth;
        else if (isMark(i, ')') && --depth == 0)
            return i + 1;
    }
    return size();
}

std::vector<QString> Tokens::canonical(int from) const
{
    std::vector<QString> out;
    for (int i = next(from); i < size(); i = next(i + 1)) {
        switch (at(i).kind) {
        case TokenKind::Word:
        case TokenKind::QuotedId:
            out.push_back(name(i).toLower());
            break;
        case TokenKind::String:
            out.push_back(QLatin1Char('\'') + string(i));
            break;
        default:
            out.push_back(text(i).toString());
        }
    }
    return out;
}

void Rewriter::replace(int first, int last, const QString &by)
{
    const qsizetype start =
        first < m_tokens.size() ? m_tokens.at(first).start : m_tokens.sql().size();
    const qsizetype end = last > first ? m_tokens.at(last - 1).end() : start;
    m_edits.push_back({start, end, by});
}

QString Rewriter::result() const
{
    std::vector<Edit> edits = m_edits;
    // An insertion stands before what replaces the token at the same place.
    std::stable_sort(edits.begin(), edits.end(), [](const Edit &a, const Edit &b) {
        return a.start != b.start ? a.start < b.start : a.end < b.end;
    });
    QString out;
    qsizetype done = 0;
    for (const Edit &e : edits) {
        out += QStringView(m_tokens.sql()).mid(done, e.start - done);
        out += e.by;
        done = e.end;
    }
    out += QStringView(m_tokens.sql()).mid(done);
    return out;
}

} // namespace causeway::mysql
