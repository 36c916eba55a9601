#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "constellm/core/status.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/moe/drift/drift.hpp"

namespace constellm::moe {

struct Schedule {
  core::Status status = core::Status::infeasible;
  std::vector<Placement> placements;  ///< [windows], empty without a schedule
  double lower_bound_s = std::numeric_limits<double>::quiet_NaN();
  std::uint64_t nodes = 0;  ///< of the search trees
};

/// Placements over the windows, so that the tokens' latencies and the moves cost the least, and a bound; or
/// what was found of both until it was told to stop. Throws core::InvalidInput.
Schedule replan(const Drift& drift, core::StopToken& stop);

}  // namespace constellm::moe
