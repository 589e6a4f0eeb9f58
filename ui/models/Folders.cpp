#include "models/Folders.h"

#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

namespace causeway::ui {

QString filesFolder(const QString &documents, const QString &home)
{
    return !documents.isEmpty() && QFileInfo(documents).isDir() ? documents : home;
}

QString filesFolder()
{
    return filesFolder(QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation),
                       QDir::homePath());
}

} // namespace causeway::ui
