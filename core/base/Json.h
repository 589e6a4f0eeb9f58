#pragma once

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

/// JSON as it is kept: in one line.
namespace causeway {

inline QString compactJson(const QJsonObject &json)
{
    return QString::fromUtf8(QJsonDocument(json).toJson(QJsonDocument::Compact));
}
inline QString compactJson(const QJsonArray &json)
{
    return QString::fromUtf8(QJsonDocument(json).toJson(QJsonDocument::Compact));
}

} // namespace causeway
