#pragma once
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/solver.hpp"
#include "constellm/split/plan.hpp"

namespace constellm::split {

/// What plans are weighed against each other by; smaller is better.
enum class Criterion { delay, bytes, error, energy };

struct Front {
  std::vector<Plan> plans;  ///< by the first criterion, best first; none dominates another
  core::Status status =
      core::Status::optimal;  ///< or infeasible; time_limit, interrupted: plans may be missing
};

/// Two plans closer than this in a criterion, relatively, count as equal in a front.
inline constexpr double kFrontStep = 1e-9;

/// The plans that no other beats in every criterion, by exact searches for the first criterion
/// under ever tighter limits on the others (delay, where asked for, is searched for first: it is
/// the one that is no sum along the path). Each limit is the last value divided by 1 + step.
///
/// With two criteria and `epsilon` 0 the front is exact but for points closer than kFrontStep.
/// With `epsilon` > 0 it is an epsilon-front: for every plan there is one in it that is no worse
/// in the first criterion and at most 1 + epsilon times as large in each other one.
Front pareto_front(const Problem& problem, const std::vector<Criterion>& criteria, double epsilon,
                   core::StopToken& stop, search::Workspace& workspace);

}  // namespace constellm::split
