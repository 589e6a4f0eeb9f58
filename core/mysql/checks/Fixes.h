#pragma once

#include "mysql/checks/CheckList.h"

namespace causeway::mysql {

struct Setting {
    QString name, value; ///< value bare, as in a configuration file
    bool restart = false;
};

/// How global variables are changed where this server runs: SQL and configuration lines on a server
/// of one's own, command lines at the hosted ones. Complete: executed as printed, it mends.
Fix settingFix(Look &, const std::vector<Setting> &, const Text &text = {});
/// Plain SQL, the same everywhere. Never applied by Causeway itself.
Fix sqlFix(Look &, const QStringList &sql, const Text &text, const QString &privilege);
/// Platform of the server looked at; self-managed where it could not be told.
Platform platformOf(Look &);
/// 'user'@'host' from user@host.
QString quoteAccount(const QString &account);

} // namespace causeway::mysql
