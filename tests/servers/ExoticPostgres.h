#pragma once

#include <QString>

namespace causeway::test {

/// A PostgreSQL schema with a bit of everything that a database can hold, and rows in it: every
/// built-in type, arrays, enums, domains, composites, ranges, identity and serial columns,
/// generated columns, partitions of all kinds, exclusion constraints, partial and expression
/// indexes, views, materialised views, functions, triggers, row-level security, rules, comments,
/// quoted and non-ASCII names. `major`: of the server that it is created on; newer ones hold more.
/// One string of statements for TestServer::exec(), in a fresh database. All tables can be
/// replicated.
QString exoticPostgresSchema(int major);

} // namespace causeway::test
