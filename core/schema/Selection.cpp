#include "schema/Selection.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

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

bool Selection::wholeSchemas() const
{
    for (const QString &p : patterns) {
        if (!p.startsWith(QLatin1Char('!')))
            return false;
    }
    return true;
}

bool Selection::matches(const TableName &name) const
{
    if (!schemas.isEmpty() && !schemas.contains(name.schema))
        return false;
    const QString full = name.display();
    bool in = wholeSchemas();
    for (const QString &p : patterns) {
        if (p.startsWith(QLatin1Char('!'))) {
            if (wildcardMatch(p.mid(1), full))
                return false;
        } else if (!in && wildcardMatch(p, full)) {
            in = true;
        }
    }
    return in;
}

QString Selection::schemaOnTarget(const QString &s) const
{
    return renames.value(s, s);
}

Selection Selection::underTargetNames() const
{
    Selection s;
    for (const QString &schema : schemas)
        s.schemas << schemaOnTarget(schema);
    // Patterns speak of the source's names: rewritten schema by schema.
    for (QString pattern : patterns) {
        const bool out = pattern.startsWith(QLatin1Char('!'));
        if (out)
            pattern.remove(0, 1);
        const qsizetype dot = pattern.indexOf(QLatin1Char('.'));
        if (dot > 0)
            pattern = schemaOnTarget(pattern.left(dot)) + pattern.mid(dot);
        s.patterns << (out ? QStringLiteral("!") + pattern : pattern);
    }
    return s;
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
    QJsonObject names;
    for (auto it = renames.begin(); it != renames.end(); ++it)
        names.insert(it.key(), it.value());
    return QString::fromUtf8(
        QJsonDocument(
            QJsonObject{{QStringLiteral("schemas"), QJsonArray::fromStringList(schemas)},
                        {QStringLiteral("patterns"), QJsonArray::fromStringList(patterns)},
                        {QStringLiteral("renames"), names}})
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
    const QJsonObject names = json.value(QStringLiteral("renames")).toObject();
    for (auto it = names.begin(); it != names.end(); ++it)
        s.renames.insert(it.key(), it.value().toString());
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
