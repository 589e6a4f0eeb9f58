#pragma once

#include "postgres/native/Scope.h"

#include <functional>

namespace causeway::postgres {

/// The leader's part of a stream: the publication, and the slot that keeps what was not sent yet.
/// The publication is made before the slot: decoding looks it up as it was at each change, and a
/// slot without its publication would fail for ever.

/// Statements that create it for these tables and the barrier, which each stream carries.
QStringList createPublicationSql(const Server &leader, const Scope &, int version);
Result<bool> hasPublication(Server &leader, std::stop_token);
/// Error{"pg-replica-identity"} where a table has none: once published, the *application's* UPDATE
/// and DELETE of it would fail at once.
Status createPublication(Server &leader, const Scope &, std::stop_token);
Status dropPublication(Server &leader, Side streamOf, std::stop_token);
/// Root tables in scope that the publication lacks.
Result<QStringList> unpublished(Server &leader, const Scope &, std::stop_token);

struct SlotState {
    bool exists = false;
    bool active = false;
    QString walStatus; ///< reserved | extended | unreserved | lost (13 and later)
    qint64 retainedBytes = -1, safeBytes = -1;
    QString confirmed; ///< LSN
    qint64 lagBytes = -1;
    QString insertLsn; ///< of the leader, now
};
Result<SlotState> readSlot(Server &leader, Side streamOf, std::stop_token);

QString createSlotSql(const QString &name);
/// Waits for every transaction that is writing, in any database of the server: `onWait` hears who
/// they are. Does nothing where it exists.
Status createSlot(Server &leader, const std::function<void(const QString &)> &onWait,
                  std::stop_token);
/// To where the leader has flushed: what was applied there before is never sent back.
Status advanceSlot(Server &leader, std::stop_token);
Status dropSlot(Server &leader, Side streamOf, std::stop_token);

/// Who blocks a backend, for people: "4711 app@10.0.0.5 (reports), idle in transaction for 12 s".
Result<QStringList> whoBlocks(Server &, int pid, std::stop_token);

} // namespace causeway::postgres
