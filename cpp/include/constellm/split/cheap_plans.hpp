#pragma once
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/context.hpp"
#include "constellm/split/plan.hpp"

namespace constellm::split {

/// Plans of the cheap benchmark methods that know the problem's own menu: shares of the layers along
/// shortest routes, and the scalar search where that is small. Some may break limits. For graphs
/// with cycles, where the exact search has nothing to prune with for long; takes at most a quarter
/// of the time that `stop` leaves.
std::vector<Assignment> cheap_plans(const Problem& problem, core::StopToken& stop,
                                    search::Workspace& workspace);

}  // namespace constellm::split
