#pragma once

#include "postgres/native/Server.h"
#include "schema/Model.h"

#include <optional>

/// Why a follower does not get on. Servers tell that applying failed (since 15) and never what: the
/// words are in a log that clients cannot read. So what failed is tried once more here, with the
/// changes as the slot holds them, in a transaction that is rolled back.
namespace causeway::postgres {

struct ApplyTrouble {
    QString words;   ///< the server's
    TableName table; ///< where the change belongs
    /// Statements that remove rows of the follower's own that are in the way of the leader's; empty
    /// where that is not what is wrong.
    QStringList overwrite;
};

/// Nothing where it cannot be found out: the account may not see how far the follower has got, or
/// every change can be applied by now. Needs a moment at which the slot is not in use.
Result<std::optional<ApplyTrouble>> findApplyTrouble(Server &leader, Server &follower,
                                                     std::stop_token);
/// Runs `overwrite`.
Status removeRowsInTheWay(Server &follower, const ApplyTrouble &, std::stop_token);

} // namespace causeway::postgres
