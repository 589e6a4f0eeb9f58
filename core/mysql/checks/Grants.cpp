#include "mysql/checks/Grants.h"

#include <QHash>

#include <algorithm>

namespace causeway::mysql {

namespace {

/// MariaDB 10.5 renamed some privileges and prints the new names; MySQL keeps the old ones.
QString canonical(const QString &privilege)
{
    static const QHash<QString, QString> aliases{
        {QStringLiteral("BINLOG MONITOR"), QStringLiteral("REPLICATION CLIENT")},
        {QStringLiteral("REPLICATION REPLICA"), QStringLiteral("REPLICATION SLAVE")},
        {QStringLiteral("REPLICA MONITOR"), QStringLiteral("SLAVE MONITOR")},
        {QStringLiteral("ALL"), QStringLiteral("ALL PRIVILEGES")},
    };
    const QString p = privilege.simplified().toUpper();
    return aliases.value(p, p);
}

/// Splits at `separator` outside quotes and parentheses.
QStringList splitOutside(const QString &text, QChar separator)
{
    QStringList out;
    QString part;
    QChar quote;
    int depth = 0;
    for (const QChar c : text) {
        if (!quote.isNull()) {
            if (c == quote)
                quote = QChar();
        } else if (c == QLatin1Char('`') || c == QLatin1Char('\'') || c == QLatin1Char('"')) {
            quote = c;
        } else if (c == QLatin1Char('(')) {
            ++depth;
        } else if (c == QLatin1Char(')')) {
            --depth;
        } else if (c == separator && depth == 0) {
            out << part;
            part.clear();
            continue;
        }
        part += c;
    }
    out << part;
    return out;
}

/// Position of `word` (with its blanks) outside quotes, -1 where it is not.
qsizetype findOutside(const QString &text, const QString &word)
{
    QChar quote;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const QChar c = text[i];
        if (!quote.isNull()) {
            if (c == quote)
                quote = QChar();
        } else if (c == QLatin1Char('`') || c == QLatin1Char('\'') || c == QLatin1Char('"')) {
            quote = c;
        } else if (QStringView(text).mid(i).startsWith(word, Qt::CaseInsensitive)) {
            return i;
        }
    }
    return -1;
}

QString unquote(QString name)
{
    name = name.trimmed();
    if (name.size() < 2)
        return name;
    const QChar q = name.front();
    if ((q != QLatin1Char('`') && q != QLatin1Char('\'') && q != QLatin1Char('"')) ||
        name.back() != q)
        return name;
    name = name.mid(1, name.size() - 2);
    return name.replace(QString(2, q), QString(q));
}

} // namespace

bool likeMatch(QStringView pattern, QStringView text)
{
    while (!pattern.isEmpty()) {
        if (pattern.front() == QLatin1Char('%')) {
            pattern = pattern.mid(1);
            for (qsizetype skip = 0; skip <= text.size(); ++skip) {
                if (likeMatch(pattern, text.mid(skip)))
                    return true;
            }
            return false;
        }
        if (text.isEmpty())
            return false;
        const bool escaped = pattern.front() == QLatin1Char('\\') && pattern.size() > 1;
        if (escaped)
            pattern = pattern.mid(1);
        if ((escaped || pattern.front() != QLatin1Char('_')) && pattern.front() != text.front())
            return false;
        pattern = pattern.mid(1);
        text = text.mid(1);
    }
    return text.isEmpty();
}

Grants Grants::parse(const QStringList &lines, bool wildcards)
{
    Grants out;
    out.m_wildcards = wildcards;
    for (const QString &line : lines) {
        Entry e;
        QString rest = line.trimmed();
        QString end;
        if (rest.startsWith(QLatin1String("GRANT "), Qt::CaseInsensitive)) {
            rest = rest.mid(6);
            end = QStringLiteral(" TO ");
        } else if (rest.startsWith(QLatin1String("REVOKE "), Qt::CaseInsensitive)) {
            rest = rest.mid(7);
            end = QStringLiteral(" FROM ");
            e.revoke = true;
        } else {
            continue;
        }
        const qsizetype on = findOutside(rest, QStringLiteral(" ON "));
        if (on < 0)
            continue; // a role granted: its own grants come in lines of their own
        QString object = rest.mid(on + 4);
        object = object.left(findOutside(object, end)).trimmed();
        if (object.startsWith(QLatin1String("TABLE "), Qt::CaseInsensitive))
            object = object.mid(6).trimmed();
        const QStringList parts = splitOutside(object, QLatin1Char('.'));
        if (parts.size() != 2)
            continue; // PROXY
        // Grants on one routine say nothing about a table or schema.
        const QString head = parts[0].trimmed().section(QLatin1Char(' '), 0, 0).toUpper();
        if (head == QLatin1String("PROCEDURE") || head == QLatin1String("FUNCTION") ||
            head == QLatin1String("PACKAGE"))
            continue;
        for (const QString &privilege : splitOutside(rest.left(on), QLatin1Char(','))) {
            if (!privilege.contains(QLatin1Char('(')))
                e.privileges << canonical(privilege);
        }
        if (parts[0] != QLatin1String("*"))
            e.schema = unquote(parts[0]);
        if (parts[1] != QLatin1String("*"))
            e.table = unquote(parts[1]);
        out.m_entries.push_back(std::move(e));
    }
    return out;
}

bool Grants::schemaMatches(const Entry &e, const QString &schema) const
{
    // The schema of a table's grant is a name, that of a schema's grant a pattern.
    if (!e.table.isEmpty() || !m_wildcards)
        return e.schema == schema;
    return likeMatch(e.schema, schema);
}

bool Grants::has(const QString &privilege) const
{
    return has(privilege, QString());
}

bool Grants::has(const QString &privilege, const QString &schema) const
{
    const QString p = canonical(privilege);
    const auto holds = [&p](const Entry &e) {
        return e.privileges.contains(p) || e.privileges.contains(QStringLiteral("ALL PRIVILEGES"));
    };
    bool global = false, revoked = false, local = false;
    for (const Entry &e : m_entries) {
        if (!e.table.isEmpty() || !holds(e))
            continue;
        if (e.schema.isEmpty())
            global = global || !e.revoke;
        else if (!schema.isEmpty() && schemaMatches(e, schema))
            (e.revoke ? revoked : local) = true;
    }
    return local || (global && !revoked);
}

bool Grants::has(const QString &privilege, const TableName &table) const
{
    if (has(privilege, table.schema))
        return true;
    const QString p = canonical(privilege);
    return std::any_of(m_entries.begin(), m_entries.end(), [&](const Entry &e) {
        return !e.revoke && e.table == table.name && e.schema == table.schema &&
               (e.privileges.contains(p) ||
                e.privileges.contains(QStringLiteral("ALL PRIVILEGES")));
    });
}

bool Grants::hasAny(const QStringList &privileges) const
{
    return std::any_of(privileges.begin(), privileges.end(),
                       [this](const QString &p) { return has(p); });
}

} // namespace causeway::mysql
