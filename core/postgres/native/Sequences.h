#pragma once

#include "postgres/native/Scope.h"

namespace causeway::postgres {

/// Lifts the follower's sequences to where the leader's stand, and past that by a margin: nextval
/// passes every fence, and a value that somebody took just before the switch must not be given out
/// twice. Never MAX(column): a sequence can be ahead of its table, and can serve several.
Status carrySequences(Session &leader, Server &follower, const Scope &leaderScope, std::stop_token);

/// The statement for one sequence, from what the leader's says. Pure.
struct SequenceState {
    TableName name;
    qint64 last = 0;
    bool called = false; ///< last was given out
    qint64 increment = 1, cache = 1, min = 1, max = 1;
    bool cycles = false;
};
/// Values given out beyond `last` by sessions that hold a cache each, or that ask while it is read.
qint64 sequenceMargin(const SequenceState &, int connections);
QString setvalSql(const SequenceState &, int connections);

} // namespace causeway::postgres
