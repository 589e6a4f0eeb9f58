#pragma once

#include "servers/TestServer.h"

namespace causeway::test {

struct PostgresCompareOptions {
    bool objects = true; ///< everything that is not a row: definitions from the catalogs
    bool owners = false; ///< and grants
    bool sequences = true;
    /// Sequences of `target` may stand further on than those of `source` (a margin), never behind.
    bool sequencesMayBeAhead = true;
    /// Constraints, indexes and triggers are not there yet (while replicating).
    bool tablesOnly = false;
    QStringList ignoreTables; ///< "schema.table"
    int maxDifferences = 20;
};

/// The tests' own comparison of two PostgreSQL databases, written apart from the verification that
/// it checks: every row of every table and materialised view as multisets of exact values,
/// sequences, and the definitions of all objects as the catalogs print them. The schema `_causeway`
/// is not looked at. Nobody may write meanwhile. Empty = equal; else sentences.
QStringList comparePostgres(TestServer &source, TestServer &target, const QString &database,
                            const PostgresCompareOptions & = {});
QStringList comparePostgres(TestServer &source, const QString &sourceDatabase, TestServer &target,
                            const QString &targetDatabase, const PostgresCompareOptions & = {});

} // namespace causeway::test
