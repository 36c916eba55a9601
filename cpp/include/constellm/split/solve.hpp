#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/solver.hpp"
#include "constellm/split/compile.hpp"
#include "constellm/split/incumbents.hpp"
#include "constellm/split/plan.hpp"

namespace constellm::split {

struct SolveOptions {
  CompileOptions compile;
  search::SolveOptions search;
};

/// The best plan by exact search, with its proof: status, bound and counters. With a time limit
/// or an interruption, the best plan so far and a true bound.
Plan solve(const Problem& problem, const SolveOptions& options, core::StopToken& stop,
           search::Workspace& workspace);

/// What is minimised over some of the routes.
using GoalOf = std::function<search::Goal(const Compiled&, const Problem&)>;

/// Offers plans for another search to start from, where routes have cycles: what `solve` looks at in half of
/// the time before its own exact search. Nothing where routes have none.
void consider_first_plans(const Problem& problem, const Compiled& compiled, const GoalOf& goal_of,
                          IncumbentPlans& incumbents, core::StopToken& stop, search::Workspace& workspace);

/// The one of short delay of these; no value where routes have no cycles.
std::optional<Assignment> first_plan(const Problem& problem, const Compiled& compiled, core::StopToken& stop,
                                     search::Workspace& workspace);

/// The k best distinct plans, best first; fewer where there are not as many. The bound of each
/// is what is proven of the plan at its rank.
std::vector<Plan> k_best(const Problem& problem, std::int64_t k, core::StopToken& stop,
                         search::Workspace& workspace);

}  // namespace constellm::split
