#pragma once

#include "mysql/checks/CheckList.h"

#include <vector>

namespace causeway::mysql {

/// Privileges on one scope that some of our steps need; the check and the user script ask the same.
struct Need {
    QString schema;       ///< empty = *.*
    QStringList all;      ///< each of them
    QStringList oneOf;    ///< besides, one of these; the first is what is asked for
    bool required = true; ///< else something is given up (the way back, say)
    Text purpose;
    std::vector<TableName> onTables{}; ///< where grants on single tables suffice as well
    bool wildcards = true;             ///< false: partial_revokes makes _ and % in schemas literal
    bool comfort = false;              ///< not required, and not the way back either: a convenience
    QString orInSchema{};              ///< the same rights there do instead

    [[nodiscard]] QString scope() const; ///< "*.*" or "`schema`.*", underscores escaped
    /// What to name in GRANT: the tables where they are few, else the schema.
    [[nodiscard]] QStringList grantScopes() const;
    [[nodiscard]] QStringList missingFrom(const Grants &) const;
};

/// GRANT statements for what is missing of a need.
QStringList grantSql(const Need &, const QStringList &missing, const QString &account);

/// Privileges that creating these objects with their definers asks for, whoever we are: "SET USER",
/// "SYSTEM_USER". (GrantChecks.cpp)
Result<QStringList> definerRights(ServerContext &here, const std::vector<ObjectBrief> &,
                                  const QString &self, std::stop_token);

/// What `here` must allow for this migration: of the source, to read, follow and fence it; of the
/// target, to build and write it; `_causeway` on both.
Result<std::vector<Need>> neededGrants(ServerContext &here, ServerContext *other,
                                       const CheckOptions &, std::stop_token);

} // namespace causeway::mysql
