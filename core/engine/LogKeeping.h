#pragma once

#include "engine/Context.h"

namespace causeway {

/// Whether the leader's log lasts as long as it is needed: no change is applied before its table is
/// copied, so that the log must hold everything since the start (ALGORITHMS 2.3).

/// Reads how long the leader keeps its log, for showing and for watchLog(). Where it cannot be
/// read, nothing is shown.
void readRetention(Context &, Side leader, std::stop_token);
/// Before the copy is gone on with: Error{NeedsDecision, "mysql-binlog-purged"} where the log from
/// the noted position on is gone already. Known now, not after hours of copying.
Status checkLogKept(Context &, std::stop_token);
/// From waiting loops, without I/O: puts the warning into the snapshot that the log is near its end
/// or ends before the copy will, and takes it away again.
void watchLog(Context &);
/// The same from what is shown, at `nowMs`; empty where there is nothing to warn of.
Text retentionWarning(const Snapshot &, qint64 nowMs);

} // namespace causeway
