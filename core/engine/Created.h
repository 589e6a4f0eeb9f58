#pragma once

#include "database/Database.h"

#include <QString>

#include <vector>

namespace causeway {

/// What did not exist on the target before the migration and will be made by it. Written down on
/// the target before anything is created, so that discarding drops nothing that was there.
struct Created {
    QStringList schemas;
    std::vector<TableName> tables;
    std::vector<TableName> filled;     ///< there before, and empty: emptied again, not dropped
    std::vector<SchemaObject> objects; ///< kind, schema and name only

    [[nodiscard]] QString encode() const; ///< JSON
    static Created parse(const QString &json);
    /// Drops of objects and tables; schemas only after looking whether they are empty.
    [[nodiscard]] std::vector<SchemaStatement> dropSql(const Database &) const;
    /// Everything in `wanted` (under its target name) that `existing` does not have.
    static Created difference(const Catalog &wanted, const Selection &, const Catalog &existing,
                              const QStringList &existingSchemas);
};

} // namespace causeway
