#pragma once

#include "base/Error.h"
#include "schema/Model.h"
#include "schema/Selection.h"

#include <QStringList>

namespace causeway::mysql {

/// What makes tables that are already on the target unfit to receive the leader's rows: one English
/// sentence each, beginning with the table's name on the target. Empty: usable. Names in `leader`
/// are the source's, those in `existing` the target's. Collations are not compared: a collision
/// scan deals with those of unique keys.
Result<QStringList> diffSchemas(const Catalog &leader, const Catalog &existing, const Selection &);

} // namespace causeway::mysql
