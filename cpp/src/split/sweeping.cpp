#include "constellm/split/sweeping.hpp"

#include <string_view>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/split/baselines/propose.hpp"
#include "constellm/split/solve.hpp"

namespace constellm::split {
namespace {

constexpr std::string_view kOptimal = "optimal";

}  // namespace

Sweeping::Answer Sweeping::answer(const Problem& problem, const std::string& method, core::StopToken& stop,
                                  search::Workspace& workspace) const {
  if (method == kOptimal) return {problem, solve(problem, {}, stop, workspace)};
  const Proposal proposal = propose(method, problem, stop, workspace);
  Plan plan = to_plan(proposal);
  return {plan.assignment ? proposal.problem : problem, std::move(plan)};
}

PlanRow Sweeping::row(const Answer& answer) const {
  const Plan& plan = answer.plan;
  PlanRow row{plan};
  if (plan.assignment) row.stages = static_cast<std::int64_t>(plan.assignment->stages.size());
  row.lower_bound_s = plan.lower_bound_s;
  row.seconds = plan.seconds;
  row.labels = plan.counters.labels;
  row.status = plan.status;
  return row;
}

void Sweeping::check_method(const std::string& method) {
  if (method == kOptimal || is_baseline(method)) return;
  std::string known(kOptimal);
  for (const std::string& name : baseline_names()) known += ", " + name;
  throw core::InvalidInput("method: '" + method + "' is not one of " + known + ", fixed:<codec>");
}

}  // namespace constellm::split
