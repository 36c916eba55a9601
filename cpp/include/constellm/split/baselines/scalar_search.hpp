#pragma once
#include "constellm/split/baselines/planner.hpp"

namespace constellm::split {

/// A shortest path over (node, layers done, codec in flight) that keeps one label per state,
/// that of the smallest sum + (M - 1) * largest term so far. Not exact: what a plain A* loses.
std::optional<Assignment> scalar_search(const Problem& problem, core::StopToken& stop,
                                        search::Workspace& workspace);

}  // namespace constellm::split
