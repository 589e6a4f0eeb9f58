#pragma once

#include "mysql/Session.h"
#include "schema/Model.h"
#include "schema/Selection.h"

#include <QSet>
#include <QStringList>

namespace causeway::mysql {

/// Databases that belong to the server or to Causeway and never move.
bool isSystemSchema(const QString &schema);
/// "COLUMN IN ('a', 'b')" for the schemas of a query.
QString schemaCondition(const char *column, const QStringList &schemas);

/// Asks information_schema. MariaDB leaves out what it knows of a table that is being changed just
/// then (a TRUNCATE, a trigger that is made), and only warns: asked again, it tells all.
Result<ResultSet> askCatalog(Session &, const QString &sql, std::stop_token);

/// The catalog, with those tables only that are named in `shown`: a SHOW CREATE each is a question
/// each, and MariaDB opens every table that information_schema is asked about. `all`: whose
/// triggers are wanted.
Result<Catalog> readCatalogOf(Session &, const Selection &, const QSet<TableName> &shown,
                              const std::vector<TableName> &all, std::stop_token);
/// Tables with a column, index or check out of the ordinary (SchemaUnusual.cpp), by a few questions
/// however many tables there are: expressions, types that only one product has, indexes of a
/// special kind. The others, unless their engine or options are special, can be made by every MySQL
/// and MariaDB as they are.
Result<QSet<TableName>> unusualTables(Session &, const QStringList &schemas, std::stop_token);

/// The parts of a column that follow from its type: class, labels, length (for readers and for
/// translated types).
void describeType(Column &column);
/// Column `column` is GENERATED ALWAYS AS ROW END: MariaDB's system versioning with a period that
/// the table names itself. The server adds it to every unique key.
bool isRowEnd(const Table &table, std::size_t column);
/// Chooses Table::rowKey. Keys in `avoid` (which the optimizer may not use) come last.
void chooseRowKey(Table &table, const QStringList &avoid = {});

/// Views, routines, triggers, events and sequences (SchemaReadObjects.cpp), in an order in which
/// they can be created.
Result<std::vector<SchemaObject>> readObjects(Session &, const QStringList &schemas,
                                              const Selection &, const std::vector<Table> &tables,
                                              const std::vector<TableName> &sequences,
                                              std::stop_token);
/// Names a view's definition reads, each `schema`.`name` of it.
std::vector<TableName> namesInView(const QString &createSql);

/// First cell of the named column of SHOW CREATE ...; empty where the server hides it.
QString shownCreate(const ResultSet &, const char *column);
/// A statement as the server printed it; string literals that are no UTF-8 in hexadecimal.
QString statementText(std::string_view bytes);

} // namespace causeway::mysql
