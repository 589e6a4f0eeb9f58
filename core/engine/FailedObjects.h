#pragma once

#include "base/Error.h"

namespace causeway {

class Context;
struct Decision;

/// Views, routines, triggers and events that the target refuses: a statement of another product
/// need not mean anything there, and rows move without it. A person decides whether to do without.

/// A refused object becomes a decision; anything else, tables and keys among it, passes as it is.
Status askAboutObject(Context &, Status done);
[[nodiscard]] bool isAboutObject(const Error &);
Decision decisionAboutObject(const Error &);

/// Takes what was answered, and what was answered before, out of the script.
Status leaveOutObjects(Context &);

} // namespace causeway
