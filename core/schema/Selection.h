#pragma once

#include "base/Error.h"
#include "schema/Model.h"

#include <QList>
#include <QMap>
#include <QString>
#include <QStringList>

namespace causeway {

/// Which tables move, and under which schema name. Patterns are `schema.table`, with * and ? as
/// wildcards; a pattern that begins with "!" leaves out. Without an including pattern, and with
/// "schema.*", everything in a schema moves, with all its routines and events. A view moves where
/// its name matches, triggers with their table.
struct Selection {
    QStringList schemas;            ///< databases that move (MySQL) or schemas (PostgreSQL)
    QStringList patterns;           ///< as given with --tables
    QMap<QString, QString> renames; ///< source schema -> target schema
    /// Of a selection on the target's side: its schema -> the source's, of which patterns speak.
    QMap<QString, QString> patternNames;

    [[nodiscard]] bool matches(const TableName &) const;
    /// True where all of the schema moves, so that its routines and events do too.
    [[nodiscard]] bool wholeSchema(const QString &schema) const;
    /// True where that is so of every schema.
    [[nodiscard]] bool wholeSchemas() const;
    /// The same tables as they are named on the target.
    [[nodiscard]] Selection onTargetSide() const;
    /// Those of `all` that the pattern (without "!") can speak of: a schema's name may have points.
    static QStringList schemasOf(const QString &pattern, const QStringList &all);
    /// Name on the other side. Unknown schemas map to themselves.
    [[nodiscard]] TableName onTarget(const TableName &sourceName) const;
    [[nodiscard]] TableName onSource(const TableName &targetName) const;
    [[nodiscard]] QString schemaOnTarget(const QString &sourceSchema) const;
    [[nodiscard]] QString schemaOnSource(const QString &targetSchema) const;

    /// JSON, to be kept on a server for those who come without the file.
    [[nodiscard]] QString encode() const;
    static Selection decode(const QString &);
    /// Parses "A=B"; errors name the argument.
    static Result<QMap<QString, QString>> parseRenames(const QStringList &args);
};

} // namespace causeway
