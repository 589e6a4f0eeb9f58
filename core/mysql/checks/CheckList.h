#pragma once

#include "mysql/checks/Context.h"
#include "preflight/CheckList.h"

namespace causeway::mysql {

using Look = CheckLook<ServerContext>;
using CheckList = CheckListOf<ServerContext>;
using Servers = CheckServers<ServerContext>;

void addBinlogChecks(CheckList &);
void addBinlogProbe(CheckList &); ///< BinlogProbe.cpp
void addServerChecks(CheckList &);
void addSchemaChecks(CheckList &);
void addGrantChecks(CheckList &);
void addTargetChecks(CheckList &);
void addPairChecks(CheckList &);
void addFenceChecks(CheckList &);
void addTranslationChecks(CheckList &);
void addAdviceChecks(CheckList &);
void addInventoryChecks(CheckList &);
void addDataChecks(CheckList &);
void addCollisionCheck(CheckList &); ///< DataCollisions.cpp

/// All of them, in the order in which they are shown.
std::vector<Check> allChecks(const Servers &, const CheckOptions &);

/// Of the replica that is read in place of the source's primary; `source` is the replica, `target`
/// the primary. (ReplicaChecks.cpp)
std::vector<Check> replicaChecks(const Servers &replicaAndPrimary, const CheckOptions &);

/// The least-privilege account (UserScript.cpp).
Result<QStringList> userScript(ServerContext &, const QString &account, std::stop_token);

} // namespace causeway::mysql
