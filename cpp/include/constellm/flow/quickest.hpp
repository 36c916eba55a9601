#pragma once
#include "constellm/core/stop.hpp"
#include "constellm/flow/plan.hpp"
#include "constellm/flow/problem.hpp"

namespace constellm::flow {

/// The quickest transfer, proven; told to stop, the best plan so far and a true bound.
Plan quickest(const Problem& problem, core::StopToken& stop);

}  // namespace constellm::flow
