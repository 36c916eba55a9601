#include "constellm/split/solve.hpp"

#include <algorithm>
#include <functional>
#include <set>

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

/// Offers the plans that differ from `plan` in one codec, or in where two blocks meet.
void consider_neighbours(const Problem& problem, const Assignment& plan, PlanJudge& judge) {
  Assignment near = plan;
  for (std::size_t i = 0; i + 1 < plan.stages.size(); ++i) {
    for (std::int32_t codec = 0; codec < problem.codec_count(); ++codec) {
      near.stages[i].codec = codec;
      judge.consider(near);
    }
    near.stages[i] = plan.stages[i];
    const std::int32_t first = plan.stages[i].first_layer;
    const std::int32_t last = plan.stages[i + 1].last_layer;
    for (std::int32_t end = first; end < last; ++end) {
      near.stages[i].last_layer = end;
      near.stages[i + 1].first_layer = end + 1;
      judge.consider(near);
    }
    near.stages[i] = plan.stages[i];
    near.stages[i + 1] = plan.stages[i + 1];
  }
}

/// Fills the judge with good plans, best first from `best`, so that the search for the k best has
/// something to prune with from the start.
void seed(const Problem& problem, const Assignment& best, PlanJudge& judge) {
  judge.consider(best);
  constexpr std::size_t kMostLooked = 200;
  std::set<Assignment> looked;
  while (looked.size() < kMostLooked) {
    const auto& kept = judge.kept();
    const auto next = std::find_if(kept.begin(), kept.end(),
                                   [&](const PlanJudge::Kept& k) { return !looked.contains(k.assignment); });
    if (next == kept.end()) return;
    const Assignment plan = next->assignment;
    looked.insert(plan);
    consider_neighbours(problem, plan, judge);
  }
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
  if (k > 1) {
    core::StopToken half = stop.for_half();
    const Plan best = solve(problem, {}, half, workspace);
    stop.heed(half);
    if (best.assignment) seed(problem, *best.assignment, judge);
  }
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
