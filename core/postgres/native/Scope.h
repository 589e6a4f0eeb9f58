#pragma once

#include "postgres/native/Server.h"
#include "schema/Selection.h"

#include <map>
#include <vector>

namespace causeway::postgres {

/// One relation that holds rows of the selection.
struct ScopeTable {
    TableName name;
    TableName root; ///< the table that a person sees: itself, or what it is a partition of
    bool partitioned = false; ///< holds no rows itself
    bool partition = false;
    bool logged = true; ///< unlogged tables are not replicated
    bool hasIdentity = true;
    qint64 oid = 0, bytes = 0, rows = 0;
    [[nodiscard]] QString quoted() const;
};

struct ScopeSequence {
    TableName name;
    [[nodiscard]] QString quoted() const;
};

/// What of a database takes part, as its catalog has it now: roots and partitions, without what
/// belongs to extensions (CREATE EXTENSION fills those on the other side) and to Causeway.
struct Scope {
    std::vector<ScopeTable> tables; ///< ordered by name
    std::vector<ScopeSequence> sequences;

    [[nodiscard]] const ScopeTable *find(const TableName &) const;
    /// What is put into a publication. Before 13 a partitioned table cannot be published, its
    /// partitions can. From 13 on the root is, so that a partition that is added later is not
    /// silently left out.
    [[nodiscard]] QStringList published(int version) const;
    /// Everything that a statement may write to: roots and partitions, logged and unlogged.
    [[nodiscard]] QStringList writable() const;
};

Result<Scope> readScope(Server &, const Selection &, std::stop_token);

QString quoteName(const TableName &);

} // namespace causeway::postgres
