#pragma once

#include "postgres/Schema.h"

#include <QMap>

#include <tuple>
#include <utility>

/// Between the files that take an archive apart.
namespace causeway::postgres {

// SchemaScript.cpp
struct ArchiveTriple {
    int id = 0;
    quint32 classOid = 0, oid = 0;
    bool operator<(const ArchiveTriple &o) const
    {
        return std::tie(id, classOid, oid) < std::tie(o.id, o.classOid, o.oid);
    }
};
/// Lines of `pg_restore --list`.
std::set<ArchiveTriple> parseList(const QString &list);
/// Entries of what `pg_restore --verbose --file=-` prints, in its order. An error where the text
/// holds what looks like the beginning of an entry that it also has elsewhere (a function may hold
/// anything): then each entry must be printed alone.
Result<std::vector<SchemaEntry>> parseScript(const QString &script,
                                             const std::set<ArchiveTriple> &known);

// SchemaSelection.cpp
/// Tables, phases, and what the selection leaves out.
void assignTables(std::vector<SchemaEntry> &);
void assignPhases(std::vector<SchemaEntry> &);
std::vector<std::pair<QString, Text>> applySelection(std::vector<SchemaEntry> &, const Selection &);
bool isRelation(const SchemaEntry &); ///< table, view, sequence, ...
/// Gives keys that occur twice a number.
void makeKeysUnique(std::vector<SchemaEntry> &);

// SchemaRestore.cpp
/// How the entry is made, and for a foreign key that can be made in two parts the statement that
/// validates it: checking all rows then blocks nobody.
std::pair<QString, QString> foreignKeySql(const SchemaEntry &);
QString validationKey(const SchemaEntry &);

/// "a"."b" at `from` of text that quotes all names; moves `from` behind it. Empty: no name there.
QString quotedNameAt(const QString &text, qsizetype &from);

} // namespace causeway::postgres
