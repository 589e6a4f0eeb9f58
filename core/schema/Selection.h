#pragma once

#include "base/Error.h"
#include "schema/Model.h"

#include <QList>
#include <QMap>
#include <QString>
#include <QStringList>

namespace causeway {

/// Which tables move, and under which schema name. Patterns are `schema.table`, with * and ? as
/// wildcards; a pattern that begins with "!" leaves out. Without an including pattern everything in
/// `schemas` moves, with all views, routines, triggers and events.
struct Selection {
    QStringList schemas;            ///< databases that move (MySQL) or schemas (PostgreSQL)
    QStringList patterns;           ///< as given with --tables
    QMap<QString, QString> renames; ///< source schema -> target schema

    [[nodiscard]] bool matches(const TableName &) const;
    /// True where the selection takes whole schemas, so that objects other than tables move too.
    [[nodiscard]] bool wholeSchemas() const;
    /// Name on the other side. Unknown schemas map to themselves.
    [[nodiscard]] TableName onTarget(const TableName &sourceName) const;
    [[nodiscard]] TableName onSource(const TableName &targetName) const;
    [[nodiscard]] QString schemaOnTarget(const QString &sourceSchema) const;
    [[nodiscard]] QString schemaOnSource(const QString &targetSchema) const;
    /// The same selection as it reads on the target.
    [[nodiscard]] Selection underTargetNames() const;

    /// JSON, to be kept on a server for those who come without the file.
    [[nodiscard]] QString encode() const;
    static Selection decode(const QString &);
    /// Parses "A=B"; errors name the argument.
    static Result<QMap<QString, QString>> parseRenames(const QStringList &args);
};

} // namespace causeway
