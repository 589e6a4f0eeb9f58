#pragma once

#include <QString>
#include <QStringList>
#include <QStringView>

#include <vector>

/// The dialect of MySQL and MariaDB as tokens. Statements of a server are rewritten by tokens and
/// never by patterns: a name inside a string, a comment or another quoting must stay as it is.
namespace causeway::mysql {

enum class TokenKind {
    Space,
    Comment,      ///< "-- ", #, /* */, hints too
    VersionOpen,  ///< "/*!", "/*!80023", "/*M!100301": what follows is a part of the statement
    VersionClose, ///< its "*/"
    Word,         ///< keyword or bare identifier
    QuotedId,     ///< `...`, and "..." where the mode has ANSI_QUOTES
    String,       ///< '...', "..."
    Number,
    HexOrBit, ///< 0x1f, 0b01, x'1f', b'01'
    Variable, ///< @name, @`name`, @'name', @@scope (without what follows a point)
    Mark,     ///< one character: an operator, a parenthesis, a comma, a point, a semicolon
};

struct Token {
    TokenKind kind = TokenKind::Space;
    qsizetype start = 0;
    qsizetype length = 0;
    int version = 0; ///< VersionOpen: the number, 0 where there is none
    [[nodiscard]] qsizetype end() const { return start + length; }
};

/// What of sql_mode changes how text is cut into tokens.
struct TokenMode {
    bool ansiQuotes = false;
    bool noBackslashEscapes = false;
    /// From a sql_mode as the server prints it; the combined modes (ANSI, ORACLE, ...) count.
    static TokenMode fromSqlMode(const QString &sqlMode);
};

/// A statement cut into tokens that cover it without gap.
class Tokens {
public:
    explicit Tokens(QString sql, TokenMode mode = {});

    [[nodiscard]] const QString &sql() const { return m_sql; }
    [[nodiscard]] const std::vector<Token> &all() const { return m_tokens; }
    [[nodiscard]] int size() const { return static_cast<int>(m_tokens.size()); }
    [[nodiscard]] const Token &at(int i) const { return m_tokens[static_cast<std::size_t>(i)]; }
    [[nodiscard]] QStringView text(int i) const
    {
        return QStringView(m_sql).mid(at(i).start, at(i).length);
    }
    /// Text from token `first` up to and without token `last`.
    [[nodiscard]] QString text(int first, int last) const;

    /// First token at or after `i` that is neither space nor comment; size() at the end. The marks
    /// of version comments are skipped too: what they hold counts as if written plainly.
    [[nodiscard]] int next(int i) const;
    /// Likewise backwards; -1 at the beginning.
    [[nodiscard]] int previous(int i) const;
    /// Token `i` is this keyword or bare name, in any case. False past the end.
    [[nodiscard]] bool isWord(int i, QLatin1String word) const;
    [[nodiscard]] bool isMark(int i, char mark) const;
    [[nodiscard]] bool isName(int i) const; ///< Word or QuotedId
    [[nodiscard]] bool isString(int i) const;
    /// Identifier without its quotes.
    [[nodiscard]] QString name(int i) const;
    /// Value of a string literal, escapes resolved.
    [[nodiscard]] QString string(int i) const;
    /// The token after the parenthesis that closes the one at `i`; size() where there is none.
    [[nodiscard]] int afterParenthesis(int i) const;
    /// Tokens that mean something, compared without regard to case of words and kind of quoting of
    /// names: two spellings of one statement.
    [[nodiscard]] std::vector<QString> canonical(int from = 0) const;

private:
    void cut();
    qsizetype endOfQuoted(qsizetype at, QChar quote, bool backslashes) const;
    void add(TokenKind kind, qsizetype start, qsizetype end, int version = 0);

    QString m_sql;
    TokenMode m_mode;
    std::vector<Token> m_tokens;
};

/// Replaces ranges of a statement; ranges may be given in any order and must not overlap.
class Rewriter {
public:
    explicit Rewriter(const Tokens &tokens) : m_tokens(tokens) {}
    void replace(int token, const QString &by) { replace(token, token + 1, by); }
    /// Tokens from `first` up to and without `last`.
    void replace(int first, int last, const QString &by);
    void insertBefore(int token, const QString &text) { replace(token, token, text); }
    [[nodiscard]] bool isEmpty() const { return m_edits.empty(); }
    [[nodiscard]] QString result() const;

private:
    struct Edit {
        qsizetype start, end;
        QString by;
    };
    const Tokens &m_tokens;
    std::vector<Edit> m_edits;
};

} // namespace causeway::mysql
