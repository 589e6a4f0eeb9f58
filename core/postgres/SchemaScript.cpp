#include "postgres/SchemaParts.h"

#include <QRegularExpression>

#include <tuple>

namespace causeway::postgres {

namespace {

QString field(const QString &line, const char *name, const char *next)
{
    const QString begin = QLatin1String(name);
    const qsizetype from = line.indexOf(begin);
    if (from < 0)
        return {};
    const qsizetype start = from + begin.size();
    const qsizetype end = next ? line.indexOf(QLatin1String(next), start) : line.size();
    const QString value = line.mid(start, end < 0 ? -1 : end - start);
    return value == QLatin1String("-") ? QString() : value;
}

/// The comment lines before an entry's SQL, from the marker on.
void readHeader(SchemaEntry &e, const QStringList &lines)
{
    for (const QString &line : lines) {
        if (line.startsWith(QLatin1String("-- Name: "))) {
            // A name may hold "; Type: ": the last one counts, since a type never does.
            const qsizetype type = line.lastIndexOf(QLatin1String("; Type: "));
            e.name = line.mid(9, type - 9);
            const QString rest = line.mid(type);
            e.type = field(rest, "; Type: ", "; Schema: ");
            e.schema = field(rest, "; Schema: ", "; Owner: ");
            e.owner = field(rest, "; Owner: ", "; Tablespace: ");
        } else if (line.startsWith(QLatin1String("-- Dependencies: "))) {
            const QStringList numbers = line.mid(17).split(QLatin1Char(' '), Qt::SkipEmptyParts);
            for (const QString &n : numbers)
                e.dependencies.push_back(n.toInt());
        }
    }
}

/// pg_restore writes the settings that an entry needs before that entry's comment, at the end of
/// the text before it: they hold until they are set again.
QString takeTrailingSettings(QString &sql)
{
    static const QRegularExpression last(QStringLiteral(
        "(?:^|\\n)(SET default_(?:table_access_method|tablespace) = [^\\n]*;)\\s*$"));
    QString settings;
    for (auto match = last.match(sql); match.hasMatch(); match = last.match(sql)) {
        settings = match.captured(1) + QLatin1Char('\n') + settings;
        sql.truncate(match.capturedStart());
    }
    return settings;
}

QString settingName(const QString &setting)
{
    return setting.section(QLatin1Char(' '), 1, 1);
}

} // namespace

std::set<ArchiveTriple> parseList(const QString &list)
{
    std::set<ArchiveTriple> out;
    static const QRegularExpression line(QStringLiteral("^(\\d+); (\\d+) (\\d+) "),
                                         QRegularExpression::MultilineOption);
    auto it = line.globalMatch(list);
    while (it.hasNext()) {
        const auto match = it.next();
        out.insert(
            {match.captured(1).toInt(), match.captured(2).toUInt(), match.captured(3).toUInt()});
    }
    return out;
}

Result<std::vector<SchemaEntry>> parseScript(const QString &script,
                                             const std::set<ArchiveTriple> &known)
{
    struct Mark {
        ArchiveTriple triple;
        qsizetype begin = 0;
    };
    std::vector<Mark> marks;
    std::set<ArchiveTriple> seen;
    static const QRegularExpression marker(
        QStringLiteral("(?:^|\\n)--\\n-- TOC entry (\\d+) \\(class (\\d+) OID (\\d+)\\)\\n"));
    auto it = marker.globalMatch(script);
    while (it.hasNext()) {
        const auto match = it.next();
        const ArchiveTriple triple{match.captured(1).toInt(), match.captured(2).toUInt(),
                                   match.captured(3).toUInt()};
        // Text of a function that only looks like one.
        if (!known.contains(triple))
            continue;
        if (!seen.insert(triple).second)
            return fail(ErrorCode::Internal,
                        cwText("core", "An object's text looks like the archive's own."),
                        QStringLiteral("pg-archive-ambiguous"));
        marks.push_back({triple, match.capturedStart()});
    }
    std::vector<SchemaEntry> out;
    QMap<QString, QString> settings; // in force, by name
    for (std::size_t i = 0; i < marks.size(); ++i) {
        const qsizetype end = i + 1 < marks.size() ? marks[i + 1].begin : script.size();
        QString text = script.mid(marks[i].begin, end - marks[i].begin);
        SchemaEntry e;
        e.id = marks[i].triple.id;
        e.classOid = marks[i].triple.classOid;
        e.oid = marks[i].triple.oid;
        for (const QString &value : std::as_const(settings))
            e.setup += value + QLatin1Char('\n');
        // "\n--\n-- TOC entry ...\n ... \n--\n\n" and then the SQL.
        const qsizetype comment = text.indexOf(QLatin1String("-- TOC entry"));
        const qsizetype body = text.indexOf(QLatin1String("\n--\n"), comment);
        readHeader(e, text.mid(comment, body - comment).split(QLatin1Char('\n')));
        QString sql = body < 0 ? QString() : text.mid(body + 4);
        if (i + 1 == marks.size()) {
            const qsizetype tail = sql.lastIndexOf(QLatin1String("\n-- Completed on "));
            const qsizetype complete =
                sql.lastIndexOf(QLatin1String("\n--\n-- PostgreSQL database dump complete\n"));
            const qsizetype cut = tail >= 0 ? tail : complete;
            if (cut >= 0)
                sql.truncate(cut);
        }
        const QStringList changed =
            takeTrailingSettings(sql).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
        e.sql = sql.trimmed();
        for (const QString &setting : changed)
            settings.insert(settingName(setting), setting);
        out.push_back(std::move(e));
    }
    return out;
}

QString quotedNameAt(const QString &text, qsizetype &from)
{
    const qsizetype begin = from;
    qsizetype i = from;
    for (;;) {
        if (i >= text.size() || text[i] != QLatin1Char('"'))
            return {};
        for (++i; i < text.size(); ++i) {
            if (text[i] != QLatin1Char('"'))
                continue;
            if (i + 1 < text.size() && text[i + 1] == QLatin1Char('"'))
                ++i; // a quote within
            else
                break;
        }
        if (i >= text.size())
            return {};
        ++i;
        if (i >= text.size() || text[i] != QLatin1Char('.'))
            break;
        ++i;
    }
    from = i;
    return text.mid(begin, i - begin);
}

} // namespace causeway::postgres
