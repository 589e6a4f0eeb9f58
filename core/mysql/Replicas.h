#pragma once

#include "mysql/Session.h"

#include <QStringList>

#include <vector>

/// What a server replicates from elsewhere, under whichever name this version shows it.
namespace causeway::mysql {

struct ReplicaBrief {
    QString source;               ///< host:port it replicates from
    QString sourceId, sourceUuid; ///< of that server; uuid empty on MariaDB
    bool running = false;         ///< something of it
    bool wholly = false;          ///< all of it
    QString error;                ///< of the part that does not run
    qint64 behindSeconds = -1;    ///< -1 unknown
    QStringList filters;          ///< "Replicate_Do_DB: shop"
};

Result<std::vector<ReplicaBrief>> readReplicas(Session &, std::stop_token);

} // namespace causeway::mysql
