#pragma once
#include <cstdint>
#include <limits>

#include "constellm/core/status.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/moe/hosting.hpp"

namespace constellm::moe {

struct HostingPlan {
  core::Status status = core::Status::infeasible;
  Copies placement;  ///< empty without a plan
  double token_latency_s = std::numeric_limits<double>::quiet_NaN();
  double lower_bound_s = std::numeric_limits<double>::quiet_NaN();
  /// What any number of copies leaves: every layer placed anew in every slot.
  double anew_s = std::numeric_limits<double>::quiet_NaN();
  std::uint64_t nodes = 0;  ///< of the search trees
};

/// The best placement that was found, and a bound of all. With one copy of each expert, no limits, and queues
/// of two picks at most, it is Problem's solver on the places of the satellites; else annealing, bounded by
/// what holds of it, and a search tree where that soon ends.
HostingPlan host(const Hosting& hosting, std::uint64_t seed, core::StopToken& stop);

}  // namespace constellm::moe
