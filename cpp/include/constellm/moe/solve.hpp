#pragma once
#include <cstdint>
#include <limits>

#include "constellm/core/status.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/moe/problem.hpp"

namespace constellm::moe {

struct Plan {
  core::Status status = core::Status::infeasible;
  Placement placement;  ///< empty without a plan
  double token_latency_s = std::numeric_limits<double>::quiet_NaN();
  double lower_bound_s = std::numeric_limits<double>::quiet_NaN();
  std::uint64_t nodes = 0;  ///< of the search trees
};

/// The best placement and its proof, or what was found of both until it was told to stop, or the last search
/// of layers that compete has done so much work. Layers that share no satellites are placed apart.
Plan solve(const Problem& problem, core::StopToken& stop, std::uint64_t most_work = ~std::uint64_t{0});

/// The same without a proof: the assignment that the bound rests on, improved by exchange.
Plan exchange(const Problem& problem, core::StopToken& stop);

/// Layer by layer, the heaviest expert on the satellite of the least mean latency that is left: optimal for
/// one slot and layers that share no satellites. Status `no_plan_found` where a layer finds too few.
Plan sorted(const Problem& problem);

}  // namespace constellm::moe
