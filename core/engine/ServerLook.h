#pragma once

#include "database/Database.h"
#include "journal/Journal.h"

#include <QJsonObject>

namespace causeway {

/// Where the servers replicate without us, the file does not know what happened meanwhile: puts
/// what they say now into a `status`. `source` and `target` with their passwords. Where rows and
/// changes pass through Causeway only whether somebody else wrote on the follower.
Status lookAtServers(const Settings &, const Address &source, const Address &target,
                     QJsonObject &status, std::stop_token);
/// Whether that says anything for this migration.
bool replicatesWithoutUs(const Settings &);

/// Whether the source could follow the target after a switch, known before anything is copied.
Result<Support> wayBack(const Address &source, const Address &target, std::stop_token);

} // namespace causeway
