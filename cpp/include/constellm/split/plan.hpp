#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
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

/// What a plan is worth, as the evaluator says it; NaN where there is no plan.
struct Figures {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  double delay_s = kNone;
  double bottleneck_s = kNone;
  double error = kNone;
  double energy_j = kNone;
  double bytes = kNone;

  bool operator==(const Figures&) const = default;
};

/// What is said of the figures, in every T that has them.
template <class T>
constexpr auto figures() {
  using core::kNonNegative;
  using core::required;
  return std::tuple{
      required<T, double>("delay_s", &T::delay_s, "from the start until the sink has the last result", "s",
                          kNonNegative),
      required<T, double>("bottleneck_s", &T::bottleneck_s, "longest stage or hop per micro-batch", "s",
                          kNonNegative),
      required<T, double>("error", &T::error, "accumulated error", "", kNonNegative),
      required<T, double>("energy_j", &T::energy_j, "of all micro-batches", "J", kNonNegative),
      required<T, double>("bytes", &T::bytes, "over all hops and micro-batches", "B", kNonNegative)};
}

/// The objective's figure [s]: delay, or the bottleneck.
inline double objective_s(const Problem& problem, const Figures& figures) {
  return problem.spec().objective == Objective::delay ? figures.delay_s : figures.bottleneck_s;
}

/// A solver's answer.
struct Plan : Figures {
  core::Status status = core::Status::no_plan_found;
  std::optional<Assignment> assignment;
  double lower_bound_s = 0.0;  ///< of the objective
  std::string method;
  std::int32_t added_codecs = 0;  ///< how many at the end of the problem's menu the method brought along
  std::vector<std::string> broken_limits;      ///< of a plan that a method found and that is none
  std::optional<Infeasibility> infeasibility;  ///< why there is no plan, where that was asked
  search::Counters counters;
  double seconds = 0.0;  ///< spent by the solver
};

}  // namespace constellm::split
