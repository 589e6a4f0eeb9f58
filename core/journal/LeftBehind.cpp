#include "journal/LeftBehind.h"

#include "base/Json.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace causeway {

QString LeftBehind::encode() const
{
    return compactJson(QJsonObject{{QStringLiteral("side"), toString(side)},
                                   {QStringLiteral("server"), server},
                                   {QStringLiteral("open"), open},
                                   {QStringLiteral("sql"), QJsonArray::fromStringList(sql)}});
}

std::optional<LeftBehind> LeftBehind::decode(const QString &text)
{
    const QJsonObject o = QJsonDocument::fromJson(text.toUtf8()).object();
    if (o.isEmpty())
        return std::nullopt;
    LeftBehind out;
    out.side = o.value(QStringLiteral("side")).toString() == toString(Side::Target) ? Side::Target
                                                                                    : Side::Source;
    out.server = o.value(QStringLiteral("server")).toString();
    out.open = o.value(QStringLiteral("open")).toBool();
    for (const QJsonValue &v : o.value(QStringLiteral("sql")).toArray())
        out.sql << v.toString();
    return out;
}

Text LeftBehind::text() const
{
    return cwText("core",
                  "%1 could not be reached when this migration ended: Causeway's objects are left "
                  "there. A replication slot among them keeps that server's log until its disk is "
                  "full.",
                  server);
}

Text LeftBehind::fix() const
{
    return cwText("core",
                  "When %1 can be reached again, run the same command again: it removes them. Or "
                  "remove them there yourself, in the database that moved: %2;",
                  server, sql.join(QStringLiteral("; ")));
}

} // namespace causeway
