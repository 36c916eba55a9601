#pragma once
#include <cstddef>

#include "constellm/core/stop.hpp"
#include "constellm/flow/plan.hpp"
#include "constellm/flow/problem.hpp"

namespace constellm::flow {

/// How many cells the time of a node has at first. Results do not depend on it, time does.
inline constexpr std::size_t kFirstCells = 16;

/// The quickest transfer, proven; told to stop, the best plan so far and a true bound. `first_cells` of 0:
/// at once as fine as can be, for tests.
Plan quickest(const Problem& problem, core::StopToken& stop, std::size_t first_cells = kFirstCells);

}  // namespace constellm::flow
