#pragma once

#include <QString>

namespace causeway::ui {

/// Where a file dialog starts: the documents folder, or the home folder where there is none. A
/// desktop names the first also where nobody made it.
QString filesFolder();
QString filesFolder(const QString &documents, const QString &home);

} // namespace causeway::ui
