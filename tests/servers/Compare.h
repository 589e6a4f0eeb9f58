#pragma once

#include "servers/TestServer.h"

namespace causeway::test {

struct CompareOptions {
    /// Also what tables, views, triggers, routines and events are made of, not just their names.
    bool definitions = false;
    bool objects = true;      ///< triggers, routines, views, events
    QStringList ignoreTables; ///< "schema.table"
    int maxDifferences = 20;
};

/// The tests' own comparison of two servers of the MySQL family, written apart from the
/// verification that it checks: every row of every table of these schemas, as multisets of exact
/// values. Tables named _causeway* are not looked at. Nobody may write meanwhile. Empty = equal;
/// else sentences.
QStringList compareServers(TestServer &source, TestServer &target, const QStringList &schemas,
                           const CompareOptions & = {});

} // namespace causeway::test
