#include "constellm/split/solve.hpp"

#include <algorithm>
#include <functional>

#include "constellm/split/judge.hpp"

namespace constellm::split {
namespace {

using search::kInfinity;

using GoalOf = std::function<search::Goal(const Compiled&)>;

/// One exact search. Where routes have cycles, their forward part is searched first: there the
/// bounds are those of simple paths, and its plans are incumbents for the whole.
search::Answer search_plans(const Problem& problem, const Compiled& compiled, const GoalOf& goal_of,
                            const search::SolveOptions& options, PlanJudge& judge, core::StopToken& stop,
                            search::Workspace& workspace, search::Counters& counters) {
  if (!compiled.graph.acyclic) {
    const Compiled part = compile(problem, forward_part(compiled.routes));
    PlanJudge scout = judge.on(part);
    core::StopToken half = stop.for_half();
    search::solve(part.graph, goal_of(part), options, scout, half, workspace, counters);
    stop.heed(half);
    for (const PlanJudge::Kept& kept : scout.kept()) judge.consider(kept.assignment);
  }
  return search::solve(compiled.graph, goal_of(compiled), options, judge, stop, workspace, counters);
}

search::Goal bottleneck_goal(const Compiled& compiled, const Problem& problem) {
  search::Goal goal;
  goal.peak_rate = 1.0;
  add_limits(compiled, problem, goal);
  return goal;
}

/// Smallest bottleneck first; then, among the plans that have it, the smallest delay.
Plan solve_throughput(const Problem& problem, const Compiled& compiled, const search::SolveOptions& options,
                      core::StopToken& stop, search::Workspace& workspace) {
  search::Counters counters;
  PlanJudge judge(problem, compiled, bottleneck_of);
  const auto goal_of = [&](const Compiled& routes) { return bottleneck_goal(routes, problem); };
  const search::Answer answer =
      search_plans(problem, compiled, goal_of, options, judge, stop, workspace, counters);
  Plan plan = to_plan(judge, answer, counters);
  if (plan.status != core::Status::optimal) return plan;

  const double lower_bound_s = plan.lower_bound_s;
  const double cap_s = plan.bottleneck_s;
  PlanJudge tie_judge(problem, compiled, [cap_s](const Assignment&, const Evaluation& e) {
    return e.bottleneck_s <= cap_s ? e.delay_s : kInfinity;
  });
  tie_judge.consider(*plan.assignment);
  const auto tie_goal_of = [&](const Compiled& routes) {
    search::Goal goal = delay_goal(routes, problem);
    goal.peak_cap = cap_s;
    return goal;
  };
  const search::Answer tie_answer =
      search_plans(problem, compiled, tie_goal_of, options, tie_judge, stop, workspace, counters);
  plan = to_plan(tie_judge, tie_answer, counters);
  plan.lower_bound_s = std::min(lower_bound_s, plan.bottleneck_s);
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
    const auto goal_of = [&](const Compiled& routes) { return delay_goal(routes, problem); };
    const search::Answer answer =
        search_plans(problem, *compiled, goal_of, options.search, judge, stop, workspace, counters);
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
  const bool throughput = problem.spec().objective == Objective::throughput;
  const auto goal_of = [&](const Compiled& routes) {
    return throughput ? bottleneck_goal(routes, problem) : delay_goal(routes, problem);
  };
  search::SolveOptions options;
  options.labels.copies = k;
  search::Counters counters;
  PlanJudge judge(problem, *compiled, throughput ? bottleneck_of : delay_of, k);
  const search::Answer answer =
      search_plans(problem, *compiled, goal_of, options, judge, stop, workspace, counters);
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
