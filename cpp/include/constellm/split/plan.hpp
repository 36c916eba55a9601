#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "constellm/core/status.hpp"
#include "constellm/search/counters.hpp"
#include "constellm/split/infeasibility.hpp"
#include "constellm/split/problem.hpp"

namespace constellm::split {

/// One hosting node's share, in positions of the problem's lists.
struct StageChoice {
  std::int32_t node = 0;
  std::int32_t first_layer = 0;
  std::int32_t last_layer = 0;    ///< inclusive
  std::int32_t codec = kNoCodec;  ///< of what it sends on; kNoCodec after the last layer

  auto operator<=>(const StageChoice&) const = default;
};

/// The decision: a simple path and the blocks along it. Says nothing of its value.
struct Assignment {
  std::vector<std::int32_t> path;  ///< node positions, source to sink
  std::vector<StageChoice> stages;

  auto operator<=>(const Assignment&) const = default;
};

/// A solver's answer. Figures are those of the evaluator, and absent where there is no plan.
struct Plan {
  core::Status status = core::Status::no_plan_found;
  std::optional<Assignment> assignment;
  double delay_s = 0.0;
  double bottleneck_s = 0.0;
  double lower_bound_s = 0.0;  ///< of the objective
  double error = 0.0;
  double energy_j = 0.0;
  double bytes = 0.0;
  std::string method;
  std::int32_t added_codecs = 0;  ///< how many at the end of the problem's menu the method brought along
  std::vector<std::string> broken_limits;      ///< of a plan that a method found and that is none
  std::optional<Infeasibility> infeasibility;  ///< why there is no plan, where that was asked
  search::Counters counters;
  double seconds = 0.0;  ///< spent by the solver
};

}  // namespace constellm::split
