#pragma once

#include "journal/Journal.h"

#include <QJsonObject>

namespace causeway {

/// Where the servers replicate without us, the file does not know what happened meanwhile: puts
/// what they say now into a `status`. `source` and `target` with their passwords. Does nothing
/// where rows and changes pass through Causeway.
Status lookAtServers(const Settings &, const Address &source, const Address &target,
                     QJsonObject &status, std::stop_token);
/// Whether that says anything for this migration.
bool replicatesWithoutUs(const Settings &);

} // namespace causeway
