#include "constellm/split/solve.hpp"

#include <algorithm>

#include "constellm/split/judge.hpp"

namespace constellm::split {
namespace {

using search::kInfinity;

/// Smallest bottleneck first; then, among the plans that have it, the smallest delay.
Plan solve_throughput(const Problem& problem, const Compiled& compiled, const search::SolveOptions& options,
                      core::StopToken& stop, search::Workspace& workspace) {
  search::Counters counters;
  search::Goal goal;
  goal.peak_rate = 1.0;
  add_limits(compiled, problem, goal);
  PlanJudge judge(problem, compiled, bottleneck_of);
  const search::Answer answer =
      search::solve(compiled.graph, goal, options, judge, stop, workspace, counters);
  Plan plan = to_plan(judge, answer, counters);
  if (plan.status != core::Status::optimal) return plan;

  const double lower_bound_s = plan.lower_bound_s;
  search::Goal tie = delay_goal(compiled, problem);
  tie.peak_cap = plan.bottleneck_s;
  PlanJudge tie_judge(problem, compiled, [cap_s = plan.bottleneck_s](const Assignment&, const Evaluation& e) {
    return e.bottleneck_s <= cap_s ? e.delay_s : kInfinity;
  });
  const search::Answer tie_answer =
      search::solve(compiled.graph, tie, options, tie_judge, stop, workspace, counters);
  if (!tie_judge.kept().empty()) plan = to_plan(tie_judge, tie_answer, counters);
  plan.status = status_of(tie_answer.outcome, true);
  plan.lower_bound_s = std::min(lower_bound_s, plan.bottleneck_s);
  plan.counters = counters;
  return plan;
}

}  // namespace

search::Goal delay_goal(const Compiled& compiled, const Problem& problem) {
  search::Goal goal;
  goal.cost = time_meter(compiled, problem);
  goal.peak_rate = static_cast<double>(problem.spec().micro_batches) - 1.0;
  add_limits(compiled, problem, goal);
  return goal;
}

Plan solve(const Problem& problem, const SolveOptions& options, core::StopToken& stop,
           search::Workspace& workspace) {
  Plan plan;
  const std::optional<Compiled> compiled = compile(problem, options.unroll);
  if (!compiled) {
    plan.status = core::Status::infeasible;
    plan.lower_bound_s = kInfinity;
  } else if (problem.spec().objective == Objective::throughput) {
    plan = solve_throughput(problem, *compiled, options.search, stop, workspace);
  } else {
    search::Counters counters;
    PlanJudge judge(problem, *compiled, delay_of);
    const search::Answer answer = search::solve(compiled->graph, delay_goal(*compiled, problem),
                                                options.search, judge, stop, workspace, counters);
    plan = to_plan(judge, answer, counters);
  }
  plan.method = "optimal";
  plan.seconds = stop.elapsed_s();
  return plan;
}

std::vector<Plan> k_best(const Problem& problem, std::int64_t k, core::StopToken& stop,
                         search::Workspace& workspace) {
  std::vector<Plan> plans;
  const std::optional<Compiled> compiled = compile(problem);
  if (!compiled) return plans;
  search::Goal goal;
  PlanJudge::Worth worth = delay_of;
  if (problem.spec().objective == Objective::throughput) {
    goal.peak_rate = 1.0;
    add_limits(*compiled, problem, goal);
    worth = bottleneck_of;
  } else {
    goal = delay_goal(*compiled, problem);
  }
  search::SolveOptions options;
  options.labels.copies = k;
  search::Counters counters;
  PlanJudge judge(problem, *compiled, worth, k);
  const search::Answer answer =
      search::solve(compiled->graph, goal, options, judge, stop, workspace, counters);
  for (const PlanJudge::Kept& kept : judge.kept()) {
    Plan plan = to_plan(kept.assignment, kept.evaluation);
    plan.status = status_of(answer.outcome, true);
    plan.method = "k-best";
    plan.lower_bound_s = std::min(answer.lower_bound, kept.worth);
    plan.counters = counters;
    plan.seconds = stop.elapsed_s();
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace constellm::split
