#pragma once

#include "engine/Context.h"

/// Tables that have to be copied anew while the migration goes on: their definition changed, or the
/// log lacks what is needed to follow them. All of it on the engine's thread, but for
/// noteApplied().
namespace causeway {

/// Keeps what the copy is made from: hashes of the source's definitions as learnSchema() read them.
Status noteDefinitions(Context &, std::stop_token);
/// A schema change was run on the target too: keeps which of its tables there are now. Any thread.
Status noteApplied(Context &, const DdlChange &, std::stop_token);
/// Tables of a register whose copy cannot be found on a follower, by Context::plansFor().
Result<std::vector<TableName>> copiedAmong(Context &, Roles, const std::vector<TableName> &,
                                           std::stop_token);

/// Source tables that are defined otherwise than when their copy was made, that are new or that
/// are gone, by the schema as learnSchema() read it last.
Result<std::vector<TableName>> changedTables(Context &, std::stop_token);
/// Without the statements about these tables.
std::vector<SchemaStatement> ofUnchanged(Context &, const std::vector<TableName> &changed,
                                         const std::vector<SchemaStatement> &);

/// Whether every table is defined as it was when its copy was made (by learnSchema() and
/// noteDefinitions()). Else Error{NeedsDecision, "ddl"}, with the tables in Context::stopped:
/// while rows are copied, and until unique keys are built, a changed table can only be copied anew
/// (ALGORITHMS 3.7).
Status checkUnchanged(Context &, std::stop_token);

/// Drops these tables on the target, makes them as the source has them now (which may be: not at
/// all), and copies them. The follower must not run. Goes on from where an earlier call was cut
/// off: see resumeRecopy(). Afterwards the migration catches up again before anything else.
/// `everything`: all tables, and the stream begins anew where the copy does.
Status recopyTables(Context &, const std::vector<TableName> &sourceNames, bool everything,
                    std::stop_token);
/// Goes on with a recopy that was cut off; does nothing where there is none.
Status resumeRecopy(Context &, std::stop_token);

} // namespace causeway
