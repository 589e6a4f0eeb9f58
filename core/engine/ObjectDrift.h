#pragma once

#include "engine/Context.h"

namespace causeway {

/// Views, routines, sequences, triggers and events are no rows: nothing carries it over when they
/// are created, changed or dropped on the leader while the other side follows. What the leader has
/// is noted when both sides are alike, and compared with itself before the next switch: independent
/// of product, definer and names on the other side. Triggers and events are read anew for the first
/// switch and carried by it, so that those count from then on only.
///
/// Notes what `leader` has now. Engine thread.
Status noteObjects(Context &, Side leader, std::stop_token);
/// Nothing is known of this side any more: another has led meanwhile.
Status forgetObjects(Context &, Side);
/// Error{NotReady, "changed-objects"} naming what changed since, unless that was accepted.
Status checkObjects(Context &, Roles, bool firstSwitch, std::stop_token);

/// The leader's sequences, whether there are any and what makes those on the follower that it does
/// not have: a switch carries their values, which needs them to be there.
struct SequencesToCarry {
    bool any = false;
    std::vector<SchemaObject> missing; ///< named as on the follower
    std::vector<SchemaStatement> create;
};
Result<SequencesToCarry> sequencesToCarry(Context &, Roles, std::stop_token);

} // namespace causeway
