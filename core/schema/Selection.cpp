#include "schema/Selection.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

#include <algorithm>

namespace causeway {

namespace {
// Not wildcardToRegularExpression(): there '*' stops at a '/', which a table name may contain.
bool wildcardMatch(const QString &pattern, const QString &text)
{
    QString regex = QRegularExpression::escape(pattern);
    regex.replace(QLatin1String("\\*"), QLatin1String(".*"));
    regex.replace(QLatin1String("\\?"), QLatin1String("."));
    return QRegularExpression(QRegularExpression::anchoredPattern(regex),
                              QRegularExpression::DotMatchesEverythingOption)
        .match(text)
        .hasMatch();
}
} // namespace

bool Selection::wholeSchema(const QString &schema) const
{
    if (!schemas.isEmpty() && !schemas.contains(schema))
        return false;
    const QString name = patternNames.value(schema, schema);
    bool any = false;
    for (const QString &p : patterns) {
        if (p.startsWith(QLatin1Char('!')))
            continue;
        any = true;
        if (p.endsWith(QLatin1String(".*")) && wildcardMatch(p.chopped(2), name))
            return true;
    }
    return !any;
}

bool Selection::wholeSchemas() const
{
    const bool any = std::any_of(patterns.begin(), patterns.end(),
                                 [](const QString &p) { return !p.startsWith(QLatin1Char('!')); });
    return !any ||
           (!schemas.isEmpty() && std::all_of(schemas.begin(), schemas.end(),
                                              [this](const QString &s) { return wholeSchema(s); }));
}

bool Selection::matches(const TableName &name) const
{
    if (!schemas.isEmpty() && !schemas.contains(name.schema))
        return false;
    const QString full =
        TableName{patternNames.value(name.schema, name.schema), name.name}.display();
    bool any = false, in = false;
    for (const QString &p : patterns) {
        if (p.startsWith(QLatin1Char('!'))) {
            if (wildcardMatch(p.mid(1), full))
                return false;
            continue;
        }
        any = true;
        in = in || wildcardMatch(p, full);
    }
    return in || !any;
}

Selection Selection::onTargetSide() const
{
    Selection s;
    s.patterns = patterns;
    for (const QString &schema : schemas) {
        s.schemas << schemaOnTarget(schema);
        if (schemaOnTarget(schema) != schema)
            s.patternNames.insert(schemaOnTarget(schema), schema);
    }
    return s;
}

QStringList Selection::schemasOf(const QString &pattern, const QStringList &all)
{
    QStringList out;
    for (qsizetype dot = pattern.indexOf(QLatin1Char('.')); dot > 0;
         dot = pattern.indexOf(QLatin1Char('.'), dot + 1)) {
        const QString schema = pattern.left(dot);
        for (const QString &name : all) {
            if (wildcardMatch(schema, name) && !out.contains(name))
                out << name;
        }
    }
    return out;
}

QString Selection::schemaOnTarget(const QString &s) const
{
    return renames.value(s, s);
}

QString Selection::schemaOnSource(const QString &s) const
{
    return renames.key(s, s);
}

TableName Selection::onTarget(const TableName &n) const
{
    return {schemaOnTarget(n.schema), n.name};
}

TableName Selection::onSource(const TableName &n) const
{
    return {schemaOnSource(n.schema), n.name};
}

QString Selection::encode() const
{
    const auto object = [](const QMap<QString, QString> &map) {
        QJsonObject out;
        for (auto it = map.begin(); it != map.end(); ++it)
            out.insert(it.key(), it.value());
        return out;
    };
    return QString::fromUtf8(
        QJsonDocument(
            QJsonObject{{QStringLiteral("schemas"), QJsonArray::fromStringList(schemas)},
                        {QStringLiteral("patterns"), QJsonArray::fromStringList(patterns)},
                        {QStringLiteral("renames"), object(renames)},
                        {QStringLiteral("pattern_names"), object(patternNames)}})
            .toJson(QJsonDocument::Compact));
}

Selection Selection::decode(const QString &text)
{
    const QJsonObject json = QJsonDocument::fromJson(text.toUtf8()).object();
    Selection s;
    for (const QJsonValue &v : json.value(QStringLiteral("schemas")).toArray())
        s.schemas << v.toString();
    for (const QJsonValue &v : json.value(QStringLiteral("patterns")).toArray())
        s.patterns << v.toString();
    const auto map = [&json](const char *key) {
        const QJsonObject names = json.value(QLatin1String(key)).toObject();
        QMap<QString, QString> out;
        for (auto it = names.begin(); it != names.end(); ++it)
            out.insert(it.key(), it.value().toString());
        return out;
    };
    s.renames = map("renames");
    s.patternNames = map("pattern_names");
    return s;
}

Result<QMap<QString, QString>> Selection::parseRenames(const QStringList &args)
{
    QMap<QString, QString> out;
    for (const QString &arg : args) {
        const auto parts = arg.split(QLatin1Char('='));
        if (parts.size() != 2 || parts[0].isEmpty() || parts[1].isEmpty()) {
            return fail(
                ErrorCode::Usage,
                cwText("core", "\"%1\" is no rename: write OLD=NEW with two schema names.", arg));
        }
        if (out.contains(parts[0]) || out.values().contains(parts[1])) {
            return fail(ErrorCode::Usage,
                        cwText("core",
                               "The rename \"%1\" names a schema that another one already "
                               "names.",
                               arg));
        }
        out.insert(parts[0], parts[1]);
    }
    return out;
}

} // namespace causeway
