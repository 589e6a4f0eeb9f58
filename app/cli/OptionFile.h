#pragma once

#include <QString>

#include <optional>

namespace causeway::cli {

/// What ~/.my.cnf says in its section [client].
struct ClientOptions {
    QString user;
    std::optional<QString> password;
};
/// Parses an option file of MySQL and MariaDB: sections, comments, quotes, escapes.
ClientOptions parseClientOptions(const QString &text);
ClientOptions homeClientOptions();

} // namespace causeway::cli
