#pragma once

#include "journal/Journal.h"
#include "journal/Step.h"

#include <vector>

namespace causeway {

/// The steps of a whole migration in order, as the plan page shows them before anything is done.
/// Statements that depend on the schema are summed up; each step shows its exact SQL when it comes.
std::vector<StepRecord> planOf(const Settings &);

} // namespace causeway
