#pragma once

#include "schema/Model.h"

#include <QStringList>

#include <vector>

namespace causeway::mysql {

/// LIKE without a collation, as schemas of grants and hosts of accounts are matched: % any, _ one
/// character, \ takes the next one literally.
bool likeMatch(QStringView pattern, QStringView text);

/// What an account may do, as SHOW GRANTS tells it: information_schema.USER_PRIVILEGES shows
/// nothing useful on hosted servers. Knows global, schema and table grants, wildcard schemas with
/// escaped underscores, and MySQL's partial revokes; privileges on single columns do not count.
class Grants {
public:
    /// `lines`: of SHOW GRANTS, those of active roles included. `wildcards`: false where the server
    /// runs with partial_revokes, which makes % and _ in schema names literal.
    static Grants parse(const QStringList &lines, bool wildcards = true);

    [[nodiscard]] bool has(const QString &privilege) const; ///< on *.*
    [[nodiscard]] bool has(const QString &privilege, const QString &schema) const;
    [[nodiscard]] bool has(const QString &privilege, const TableName &table) const;
    /// Any one of these on *.*.
    [[nodiscard]] bool hasAny(const QStringList &privileges) const;

private:
    struct Entry {
        QStringList privileges; ///< upper case, aliases resolved
        QString schema;         ///< empty = *.*
        QString table;          ///< empty = schema.*
        bool revoke = false;
    };
    [[nodiscard]] bool schemaMatches(const Entry &, const QString &schema) const;
    std::vector<Entry> m_entries;
    bool m_wildcards = true;
};

} // namespace causeway::mysql
