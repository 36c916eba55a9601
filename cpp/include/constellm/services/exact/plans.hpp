#pragma once
#include "constellm/core/stop.hpp"
#include "constellm/services/exact/incumbent.hpp"
#include "constellm/services/exact/root.hpp"

namespace constellm::services::exact {

/// A plan to begin with, by annealing from the incumbent.
void anneal(const Root& root, Incumbent& incumbent, core::StopToken& stop);

/// Better plans: a few more are annealed, and of each, as of the incumbent, two tasks at a time are placed
/// anew by branch and bound on the nodes that the root has left, while all others stay where they are.
void improve(const Root& root, Incumbent& incumbent, core::StopToken& stop);

}  // namespace constellm::services::exact
