#include "mysql/binlog/LoggedStatement.h"

#include "mysql/SqlTokens.h"

#include <algorithm>
#include <initializer_list>

namespace causeway::mysql {

namespace {

/// A statement with a million values names its tables at its beginning.
constexpr qsizetype mostCharacters = qsizetype(1) << 20;

/// A token that means something.
struct Part {
    enum class Kind { Word, Quoted, Mark, Literal } kind = Kind::Literal;
    QString text; ///< names without their quotes
    qsizetype begin = 0;
    [[nodiscard]] bool isWord(const char *upper) const
    {
        return kind == Kind::Word && text.compare(QLatin1String(upper), Qt::CaseInsensitive) == 0;
    }
    [[nodiscard]] bool isSymbol(char c) const
    {
        return kind == Kind::Mark && text.size() == 1 && text[0] == QLatin1Char(c);
    }
    [[nodiscard]] bool isName() const { return kind == Kind::Word || kind == Kind::Quoted; }
};

std::vector<Part> partsOf(const QString &sql, const StatementSyntax &syntax)
{
    const Tokens tokens(sql.left(mostCharacters), {syntax.ansiQuotes, syntax.noBackslashEscapes});
    std::vector<Part> out;
    for (int i = tokens.next(0); i < tokens.size(); i = tokens.next(i + 1)) {
        Part p;
        p.begin = tokens.at(i).start;
        switch (tokens.at(i).kind) {
        case TokenKind::Word:
            p.kind = Part::Kind::Word;
            p.text = tokens.text(i).toString();
            break;
        case TokenKind::QuotedId:
            p.kind = Part::Kind::Quoted;
            p.text = tokens.name(i);
            break;
        case TokenKind::Mark:
            p.kind = Part::Kind::Mark;
            p.text = tokens.text(i).toString();
            break;
        default:
            p.text = tokens.text(i).toString();
        }
        out.push_back(std::move(p));
    }
    return out;
}

class Classifier {
public:
    Classifier(const QString &sql, const StatementSyntax &syntax)
        : m_sql(sql), m_syntax(syntax), m_tokens(partsOf(sql, syntax))
    {
        m_out.text = sql;
    }

    LoggedStatement run()
    {
        using Kind = LoggedStatement::Kind;
        skipSettings();
        if (accept("BEGIN") || (is("START") && isAhead(1, "TRANSACTION")))
            m_out.kind = Kind::Begin;
        else if (accept("COMMIT"))
            m_out.kind = Kind::Commit;
        else if (accept("ROLLBACK"))
            rollback();
        else if (accept("SAVEPOINT"))
            savepoint(Kind::Savepoint);
        else if (accept("RELEASE"))
            m_out.kind = Kind::ReleaseSavepoint;
        else if (accept("XA"))
            xa();
        else if (accept("CREATE"))
            create();
        else if (accept("ALTER"))
            alter();
        else if (accept("DROP"))
            drop();
        else if (accept("RENAME"))
            rename();
        else if (accept("TRUNCATE"))
            truncate();
        else
            dml();
        return std::move(m_out);
    }

private:
    [[nodiscard]] bool more() const { return m_at < m_tokens.size(); }
    [[nodiscard]] bool isAhead(std::size_t n, const char *word) const
    {
        return m_at + n < m_tokens.size() && m_tokens[m_at + n].isWord(word);
    }
    [[nodiscard]] bool is(const char *word) const { return isAhead(0, word); }
    bool accept(const char *word)
    {
        if (!is(word))
            return false;
        ++m_at;
        return true;
    }
    bool acceptAny(std::initializer_list<const char *> words)
    {
        return std::any_of(words.begin(), words.end(), [this](const char *w) { return accept(w); });
    }
    [[nodiscard]] bool isAny(std::initializer_list<const char *> words) const
    {
        return std::any_of(words.begin(), words.end(), [this](const char *w) { return is(w); });
    }
    bool symbol(char c)
    {
        if (!more() || !m_tokens[m_at].isSymbol(c))
            return false;
        ++m_at;
        return true;
    }
    void ifExists()
    {
        if (accept("IF")) {
            accept("NOT");
            accept("EXISTS");
        }
    }

    bool tableName(TableName &out)
    {
        // MySQL takes ".name" for a name in the default schema.
        symbol('.');
        if (!more() || !m_tokens[m_at].isName())
            return false;
        out = {m_syntax.defaultSchema, m_tokens[m_at++].text};
        if (m_at + 1 < m_tokens.size() && m_tokens[m_at].isSymbol('.') &&
            m_tokens[m_at + 1].isName()) {
            out = {out.name, m_tokens[m_at + 1].text};
            m_at += 2;
        }
        return true;
    }
    bool addTable()
    {
        TableName name;
        if (!tableName(name))
            return false;
        if (std::find(m_out.tables.begin(), m_out.tables.end(), name) == m_out.tables.end())
            m_out.tables.push_back(std::move(name));
        return true;
    }
    void addTableList()
    {
        do {
            if (!addTable())
                return;
        } while (symbol(','));
    }
    void ddl(DdlKind kind)
    {
        m_out.kind = LoggedStatement::Kind::Ddl;
        m_out.ddl = kind;
    }
    void schema(DdlKind kind)
    {
        ddl(kind);
        ifExists();
        // ALTER DATABASE without a name changes the default one.
        QString name = m_syntax.defaultSchema;
        if (more() && m_tokens[m_at].isName() &&
            !isAny({"CHARACTER", "CHARSET", "COLLATE", "DEFAULT", "UPGRADE", "READ", "ENCRYPTION"}))
            name = m_tokens[m_at].text;
        m_out.tables.push_back({name, {}});
    }

    /// MariaDB: SET STATEMENT name = value, ... FOR statement. It is the statement that counts, and
    /// the other server does not know the rest.
    void skipSettings()
    {
        if (!is("SET") || !isAhead(1, "STATEMENT"))
            return;
        std::size_t at = m_at + 2;
        for (int depth = 0; at < m_tokens.size(); ++at) {
            if (m_tokens[at].isSymbol('('))
                ++depth;
            else if (m_tokens[at].isSymbol(')'))
                --depth;
            else if (depth == 0 && m_tokens[at].isWord("FOR"))
                break;
        }
        if (at + 1 >= m_tokens.size())
            return;
        m_at = at + 1;
        m_out.text = m_sql.mid(m_tokens[m_at].begin);
    }

    void rollback()
    {
        m_out.kind = LoggedStatement::Kind::Rollback;
        accept("WORK");
        if (accept("TO")) {
            accept("SAVEPOINT");
            savepoint(LoggedStatement::Kind::RollbackTo);
        }
    }
    void savepoint(LoggedStatement::Kind kind)
    {
        m_out.kind = kind;
        if (more())
            m_out.savepoint = m_tokens[m_at].text;
    }
    void xa()
    {
        using Kind = LoggedStatement::Kind;
        if (acceptAny({"START", "BEGIN"}))
            m_out.kind = Kind::XaStart;
        else if (accept("END"))
            m_out.kind = Kind::XaEnd;
        else if (accept("PREPARE"))
            m_out.kind = Kind::XaPrepare;
        else if (accept("COMMIT"))
            m_out.kind = Kind::XaCommit;
        else {
            accept("ROLLBACK");
            m_out.kind = Kind::XaRollback;
        }
        if (more())
            m_out.xid = m_sql.mid(m_tokens[m_at].begin).remove(QLatin1Char(' ')).toUpper();
    }

    /// DEFINER = user[@host], ALGORITHM = x, SQL SECURITY x: before the kind of the object.
    void skipAttributes()
    {
        for (;;) {
            if (accept("OR")) {
                accept("REPLACE");
            } else if (accept("DEFINER")) {
                symbol('=');
                ++m_at; // user, which may be named like a kind of object
                if (symbol('('))
                    symbol(')');
                // The host is one token with its "@", or two.
                if (more() && m_tokens[m_at].text.startsWith(QLatin1Char('@'))) {
                    if (m_tokens[m_at++].isSymbol('@'))
                        ++m_at;
                }
            } else if (accept("ALGORITHM")) {
                symbol('=');
                ++m_at;
            } else if (accept("SQL")) {
                accept("SECURITY");
                ++m_at;
            } else if (!acceptAny({"UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "ONLINE", "OFFLINE",
                                   "IGNORE", "AGGREGATE"})) {
                return;
            }
        }
    }

    void create()
    {
        skipAttributes();
        m_out.temporary = accept("TEMPORARY");
        if (accept("TABLE")) {
            createTable();
        } else if (accept("INDEX")) {
            ddl(DdlKind::Index);
            indexOn();
        } else if (acceptAny({"DATABASE", "SCHEMA"})) {
            schema(DdlKind::Create);
        }
    }
    void createTable()
    {
        ddl(DdlKind::Create);
        ifExists();
        addTable();
        if (m_out.temporary) {
            other();
            return;
        }
        const std::size_t n = m_tokens.size();
        if (n >= 2 && m_tokens[n - 2].isWord("START") && m_tokens[n - 1].isWord("TRANSACTION")) {
            m_out.rowsFollow = true;
            m_out.text = m_sql.left(m_tokens[n - 2].begin).trimmed();
        }
    }
    void indexOn()
    {
        while (more() && !is("ON"))
            ++m_at;
        accept("ON");
        addTable();
    }

    void alter()
    {
        skipAttributes();
        if (acceptAny({"DATABASE", "SCHEMA"})) {
            schema(DdlKind::Alter);
            return;
        }
        if (!accept("TABLE"))
            return;
        ddl(DdlKind::Alter);
        ifExists();
        addTable();
        // Around the rows of each table in a dump; it changes no table.
        if (isAny({"DISABLE", "ENABLE"}) && isAhead(1, "KEYS") && m_at + 2 == m_tokens.size()) {
            m_out.tables.clear();
            other();
            return;
        }
        for (; more(); ++m_at) {
            if (is("RENAME") && !isAhead(1, "COLUMN") && !isAhead(1, "INDEX") &&
                !isAhead(1, "KEY")) {
                ++m_at;
                acceptAny({"TO", "AS"});
                symbol('=');
                ddl(DdlKind::Rename);
                addTable();
            } else if (is("EXCHANGE") && isAhead(1, "PARTITION")) {
                while (more() && !is("WITH"))
                    ++m_at;
                accept("WITH");
                accept("TABLE");
                addTable();
            } else if (is("CONVERT") && isAhead(1, "PARTITION")) {
                // MariaDB 10.7: a partition becomes a table of its own.
                while (more() && !is("TO"))
                    ++m_at;
                accept("TO");
                accept("TABLE");
                addTable();
            } else if (is("CONVERT") && isAhead(1, "TABLE")) {
                m_at += 2; // ... and a table becomes a partition
                addTable();
            }
            if (!more())
                break;
        }
    }

    void drop()
    {
        m_out.drops = true;
        m_out.temporary = accept("TEMPORARY");
        if (acceptAny({"TABLE", "TABLES"})) {
            ddl(DdlKind::Drop);
            ifExists();
            addTableList();
            if (m_out.temporary)
                other();
        } else if (accept("INDEX")) {
            ddl(DdlKind::Index);
            indexOn();
        } else if (acceptAny({"DATABASE", "SCHEMA"})) {
            schema(DdlKind::Drop);
        }
    }
    void rename()
    {
        if (!acceptAny({"TABLE", "TABLES"}))
            return;
        ddl(DdlKind::Rename);
        ifExists();
        do {
            if (!addTable())
                return;
            if (acceptAny({"WAIT", "NOWAIT"}) && !is("TO"))
                ++m_at; // seconds
            accept("TO");
            addTable();
        } while (symbol(','));
    }
    void truncate()
    {
        accept("TABLE");
        ddl(DdlKind::Truncate);
        addTable();
    }
    void other()
    {
        m_out.ddl = DdlKind::Other;
        m_out.named = std::move(m_out.tables);
        m_out.tables.clear();
    }

    void dml()
    {
        while (symbol('('))
            ;
        // WITH ... UPDATE, EXPLAIN-like prefixes: the verb may come later.
        const bool with = is("WITH");
        if (with) {
            while (more() && !isAny({"INSERT", "UPDATE", "DELETE", "REPLACE"}))
                ++m_at;
        }
        if (acceptAny({"INSERT", "REPLACE"})) {
            m_out.kind = LoggedStatement::Kind::Dml;
            while (acceptAny({"LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE", "INTO"}))
                ;
            addTable();
        } else if (accept("UPDATE")) {
            m_out.kind = LoggedStatement::Kind::Dml;
            namesUntil({"SET"});
        } else if (accept("DELETE")) {
            m_out.kind = LoggedStatement::Kind::Dml;
            namesUntil({"WHERE", "ORDER", "LIMIT", "RETURNING"});
        } else if (accept("LOAD")) {
            m_out.kind = LoggedStatement::Kind::Dml;
            while (more() && !is("INTO"))
                ++m_at;
            accept("INTO");
            accept("TABLE");
            addTable();
        } else if (isAny({"SELECT", "CALL", "DO"})) {
            // Logged only for what it changes, by a function: any table may be meant.
            m_out.kind = LoggedStatement::Kind::Dml;
        }
    }
    /// Every name in the head of a statement over several tables: aliases and columns of join
    /// conditions are taken too, since one name too many only asks a person.
    void namesUntil(std::initializer_list<const char *> ends)
    {
        while (more() && !isAny(ends)) {
            if (isAny({"LOW_PRIORITY",  "IGNORE", "QUICK", "FROM",  "USING", "JOIN",
                       "LEFT",          "RIGHT",  "INNER", "OUTER", "CROSS", "NATURAL",
                       "STRAIGHT_JOIN", "ON",     "AS",    "AND",   "OR",    "NOT",
                       "PARTITION",     "FORCE",  "USE",   "INDEX", "FOR"}) ||
                !m_tokens[m_at].isName() || m_tokens[m_at].text.isEmpty() ||
                m_tokens[m_at].text[0].isDigit())
                ++m_at;
            else
                addTable();
        }
    }

    const QString &m_sql;
    const StatementSyntax &m_syntax;
    std::vector<Part> m_tokens;
    std::size_t m_at = 0;
    LoggedStatement m_out;
};

} // namespace

LoggedStatement classifyStatement(const QString &sql, const StatementSyntax &syntax)
{
    return Classifier(sql, syntax).run();
}

} // namespace causeway::mysql
