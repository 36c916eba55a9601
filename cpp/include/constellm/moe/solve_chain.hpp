#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "constellm/core/status.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/moe/chain.hpp"

namespace constellm::moe {

struct ChainPlan {
  core::Status status = core::Status::infeasible;
  std::vector<std::int32_t> hosts;  ///< by expert; empty without a plan
  double token_latency_s = std::numeric_limits<double>::quiet_NaN();
  double lower_bound_s = std::numeric_limits<double>::infinity();
  std::uint64_t nodes = 0;  ///< of the search tree
};

/// A good placement and a bound of all, the best and its proof where the chain is small, or what was found of
/// both until it was told to stop.
ChainPlan solve_chain(const Chain& chain, std::uint64_t seed, core::StopToken& stop);

}  // namespace constellm::moe
