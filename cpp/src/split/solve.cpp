#include "constellm/split/solve.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "constellm/search/congestion.hpp"
#include "constellm/search/tolerance.hpp"
#include "constellm/split/cheap_plans.hpp"
#include "constellm/split/goals.hpp"
#include "constellm/split/route_parts.hpp"

namespace constellm::split {
namespace {

using search::kInfinity;

/// What all searches of one solve share.
struct Session {
  const Problem& problem;
  const Compiled& compiled;
  const search::SolveOptions& options;
  core::StopToken& stop;
  search::Workspace& workspace;
  search::Counters& counters;
};

// How long paths are made longer, by trial on grids of 16 to 64 nodes.
constexpr int kFruitless = 4;      // times in a row that it may bring nothing, once there is a plan
constexpr std::size_t kTries = 8;  // from the shortest path on, until there is a plan

constexpr std::size_t kCore = 160;  // vertices, chosen by trial on grids of up to 1,584 satellites

search::Answer search_on(const Session& session, const GoalOf& goal_of, const Compiled& compiled,
                         IncumbentPlans& incumbents, core::StopToken& stop) {
  const search::Goal goal = goal_of(compiled, session.problem);
  return search::solve({compiled.graph, goal, incumbents, stop, session.workspace, session.counters},
                       session.options);
}

/// An exact search on a part of the routes, whose plans are incumbents for the whole.
void search_part(const Session& session, const GoalOf& goal_of, Routes part, IncumbentPlans& incumbents,
                 core::StopToken& stop) {
  const Compiled compiled = compile(session.problem, std::move(part), session.compiled.graph.allowed, stop);
  IncumbentPlans found = incumbents.on(compiled);
  for (const IncumbentPlans::Kept& kept : incumbents.kept()) found.consider(kept.assignment);
  search_on(session, goal_of, compiled, found, stop);
  for (const IncumbentPlans::Kept& kept : found.kept()) incumbents.consider(kept.assignment);
}

/// Plans along simple paths of a part of the routes with cycles that look promising, each the best
/// along its path.
void search_along_paths(const Session& session, const GoalOf& goal_of, Routes part,
                        IncumbentPlans& incumbents, core::StopToken& stop) {
  const Compiled compiled = compile(session.problem, std::move(part), session.compiled.graph.allowed, stop);
  IncumbentPlans found = incumbents.on(compiled);
  for (const IncumbentPlans::Kept& kept : incumbents.kept()) found.consider(kept.assignment);
  const search::Goal goal = goal_of(compiled, session.problem);
  search::simple_paths({compiled.graph, goal, found, stop, session.workspace, session.counters},
                       [&](const std::vector<std::int32_t>& path) {
                         search_part(session, goal_of, along(compiled.routes, path), found, stop);
                       });
  for (const IncumbentPlans::Kept& kept : found.kept()) incumbents.consider(kept.assignment);
}

/// Whether every layer runs where it is allowed to.
bool keeps(const HostMask& allowed, const Assignment& plan, std::int32_t layers) {
  return allowed.empty() || std::all_of(plan.stages.begin(), plan.stages.end(), [&](const StageChoice& s) {
           const auto row = allowed.begin() + static_cast<std::ptrdiff_t>(s.node) * layers;
           return std::find(row + s.first_layer, row + s.last_layer + 1, 0) == row + s.last_layer + 1;
         });
}

/// Offers what cheap methods find.
void consider_cheap_plans(const Session& session, IncumbentPlans& incumbents) {
  for (const Assignment& plan : cheap_plans(session.problem, session.stop, session.workspace)) {
    if (keeps(session.compiled.graph.allowed, plan, session.problem.layer_count())) incumbents.consider(plan);
  }
}

/// The path as vertices of routes whose vertices are the nodes.
std::vector<std::int32_t> on_routes(const Routes& routes, const std::vector<std::int32_t>& nodes) {
  std::vector<std::int32_t> path;
  for (const std::int32_t node : nodes) {
    const auto v = std::find(routes.node.begin(), routes.node.end(), node);
    path.push_back(static_cast<std::int32_t>(v - routes.node.begin()));
  }
  return path;
}

/// The best plans along a path that grows by one detour after the other, while that pays.
void search_along_longer_paths(const Session& session, const GoalOf& goal_of, std::vector<std::int32_t> path,
                               std::size_t start, IncumbentPlans& incumbents, core::StopToken& stop) {
  const Routes& routes = session.compiled.routes;
  // Of very long paths most nodes only relay.
  const std::size_t longest = path.size() + static_cast<std::size_t>(session.problem.layer_count());
  for (int fruitless = 0; !path.empty() && path.size() <= longest && fruitless < kFruitless;) {
    if (stop.should_stop(routes.node.size())) return;
    const double before = incumbents.cutoff();
    search_part(session, goal_of, along(routes, path), incumbents, stop);
    fruitless = incumbents.kept().empty() || incumbents.cutoff() < before ? 0 : fruitless + 1;
    path = lengthened(routes, path, start);
  }
}

/// From the shortest path on, until there is a plan, in half of the time.
void search_from_shortest_path(const Session& session, const GoalOf& goal_of, IncumbentPlans& incumbents,
                               core::StopToken& stop) {
  const std::vector<std::int32_t> shortest = shortest_path(session.compiled.routes);
  core::StopToken half = stop.with_half_the_time();
  for (std::size_t start = 0; start < kTries && incumbents.kept().empty(); ++start)
    search_along_longer_paths(session, goal_of, shortest, start, incumbents, half);
  stop.take_interrupt_from(half);
}

/// From the path of the best plan on.
void search_from_best_path(const Session& session, const GoalOf& goal_of, IncumbentPlans& incumbents,
                           core::StopToken& stop) {
  if (incumbents.kept().empty()) return;
  const std::vector<std::int32_t> path =
      on_routes(session.compiled.routes, incumbents.kept().front().assignment.path);
  search_along_longer_paths(session, goal_of, path, 0, incumbents, stop);
}

/// What two passes over all routes prove. Taken early, so that a search that is cut short has a bound.
double bound_of_passes(const Session& session, const search::Goal& goal) {
  const search::LayeredGraph& graph = session.compiled.graph;
  search::Workspace& workspace = session.workspace;
  workspace.reach.set(graph, goal.bottleneck_cap_s, session.stop);
  search::bottleneck_pass(graph, workspace.reach, session.stop, workspace.bottleneck_pass,
                          workspace.bottleneck);
  search::CostToGo table;
  table.resource = goal.objective;
  search::cost_pass(graph, workspace.reach, session.stop, workspace.cost_pass, table);
  session.counters.passes += 2;
  const double bound = std::max(table.total, 0.0) + goal.bottleneck_rate * workspace.bottleneck.total;
  return bound * (1.0 - 2.0 * search::kRoundingRoom);
}

/// Whether one limit alone forbids every plan: even walks that may repeat nodes use more.
bool forbidden_by_a_limit(const Session& session, const search::Goal& goal) {
  const search::LayeredGraph& graph = session.compiled.graph;
  search::Workspace& workspace = session.workspace;
  workspace.reach.set(graph, goal.bottleneck_cap_s, session.stop);
  search::CostToGo table;
  for (std::size_t r = 0; r < goal.resources.size(); ++r) {
    table.resource = goal.resources[r];
    search::cost_pass(graph, workspace.reach, session.stop, workspace.cost_pass, table);
    ++session.counters.passes;
    if (session.stop.reason() != core::StopReason::none) return false;
    if (table.total > search::with_room(goal.limits[r])) return true;
  }
  return false;
}

/// Good plans of routes with cycles, in half of the time: if there are none yet, along paths that grow until
/// there is one; along paths near source and sink, or anywhere if there is none still; along longer paths
/// than that of the best; and in the forward part, where the bounds are those of simple paths.
void search_parts(const Session& session, const GoalOf& goal_of, IncumbentPlans& incumbents) {
  const Routes& routes = session.compiled.routes;
  core::StopToken half = session.stop.with_half_the_time();
  search_from_shortest_path(session, goal_of, incumbents, half);
  search_along_paths(session, goal_of, core_part(routes, kCore), incumbents, half);
  if (incumbents.kept().empty()) search_along_paths(session, goal_of, routes, incumbents, half);
  search_from_best_path(session, goal_of, incumbents, half);
  search_part(session, goal_of, forward_part(routes), incumbents, half);
  session.stop.take_interrupt_from(half);
}

/// One exact search. Where routes have cycles the bounds are weak, so that good plans are made first.
search::Answer search_plans(const Session& session, const GoalOf& goal_of, IncumbentPlans& incumbents) {
  double bound = 0.0;
  if (!session.compiled.routes.acyclic) {
    const search::Goal goal = goal_of(session.compiled, session.problem);
    if (forbidden_by_a_limit(session, goal)) return {search::Outcome::proven, kInfinity};
    consider_cheap_plans(session, incumbents);
    bound = bound_of_passes(session, goal);
    search_parts(session, goal_of, incumbents);
  }
  search::Answer answer = search_on(session, goal_of, session.compiled, incumbents, session.stop);
  if (answer.outcome != search::Outcome::proven) answer.lower_bound = std::max(answer.lower_bound, bound);
  return answer;
}

/// Smallest bottleneck first; then, among the plans that have it, the smallest delay.
Plan solve_throughput(const Session& session) {
  IncumbentPlans incumbents(session.problem, session.compiled, bottleneck_of);
  Plan plan = to_plan(incumbents, search_plans(session, bottleneck_goal, incumbents), session.counters);
  if (plan.status != core::Status::optimal) return plan;

  const double lower_bound_s = plan.lower_bound_s;
  const double cap_s = plan.bottleneck_s;
  IncumbentPlans tied(session.problem, session.compiled, [cap_s](const Assignment&, const Evaluation& e) {
    return e.bottleneck_s <= cap_s ? e.delay_s : kInfinity;
  });
  tied.consider(*plan.assignment);
  const auto capped = [cap_s](const Compiled& compiled, const Problem& problem) {
    search::Goal goal = delay_goal(compiled, problem);
    goal.bottleneck_cap_s = cap_s;
    return goal;
  };
  const search::Answer answer = search_plans(session, capped, tied);
  plan = to_plan(tied, answer, session.counters);
  plan.lower_bound_s = std::min(lower_bound_s, plan.bottleneck_s);
  return plan;
}

/// Offers the plans that differ from `plan` in one codec, or in where two blocks meet.
void consider_neighbours(const Problem& problem, const Assignment& plan, core::StopToken& stop,
                         IncumbentPlans& incumbents) {
  // An evaluation looks at every layer.
  const auto consider = [&](const Assignment& near) {
    if (!stop.should_stop(static_cast<std::uint64_t>(problem.layer_count()) / 8 + 1))
      incumbents.consider(near);
    return stop.reason() == core::StopReason::none;
  };
  Assignment near = plan;
  for (std::size_t i = 0; i + 1 < plan.stages.size(); ++i) {
    for (std::int32_t codec = 0; codec < problem.codec_count(); ++codec) {
      near.stages[i].codec = codec;
      if (!consider(near)) return;
    }
    near.stages[i] = plan.stages[i];
    const std::int32_t first = plan.stages[i].first_layer;
    const std::int32_t last = plan.stages[i + 1].last_layer;
    for (std::int32_t end = first; end < last; ++end) {
      near.stages[i].last_layer = end;
      near.stages[i + 1].first_layer = end + 1;
      if (!consider(near)) return;
    }
    near.stages[i] = plan.stages[i];
    near.stages[i + 1] = plan.stages[i + 1];
  }
}

/// Fills the incumbents with good plans, best first from `best`, so that the search for the k best has
/// something to prune with from the start.
void seed(const Problem& problem, const Assignment& best, core::StopToken& stop, IncumbentPlans& incumbents) {
  incumbents.consider(best);
  constexpr std::size_t kMostLooked = 200;
  std::set<Assignment> looked;
  while (looked.size() < kMostLooked && stop.reason() == core::StopReason::none) {
    const auto& kept = incumbents.kept();
    const auto next = std::find_if(kept.begin(), kept.end(), [&](const IncumbentPlans::Kept& k) {
      return !looked.contains(k.assignment);
    });
    if (next == kept.end()) return;
    const Assignment plan = next->assignment;
    looked.insert(plan);
    consider_neighbours(problem, plan, stop, incumbents);
  }
}

}  // namespace

Plan solve(const Problem& problem, const SolveOptions& options, core::StopToken& stop,
           search::Workspace& workspace) {
  Plan plan;
  const std::optional<Compiled> compiled = compile(problem, options.compile, stop);
  if (!compiled) {
    plan.status = core::Status::infeasible;
    plan.lower_bound_s = kInfinity;
  } else {
    search::Counters counters;
    const Session session{problem, *compiled, options.search, stop, workspace, counters};
    if (problem.spec().objective == Objective::throughput) {
      plan = solve_throughput(session);
    } else {
      IncumbentPlans incumbents(problem, *compiled, delay_of);
      const search::Answer answer = search_plans(session, delay_goal, incumbents);
      plan = to_plan(incumbents, answer, counters);
    }
  }
  plan.method = "optimal";
  plan.seconds = stop.elapsed_s();
  return plan;
}

void consider_first_plans(const Problem& problem, const Compiled& compiled, const GoalOf& goal_of,
                          IncumbentPlans& incumbents, core::StopToken& stop, search::Workspace& workspace) {
  if (compiled.routes.acyclic) return;
  search::Counters counters;
  const search::SolveOptions options;
  const Session session{problem, compiled, options, stop, workspace, counters};
  consider_cheap_plans(session, incumbents);
  search_parts(session, goal_of, incumbents);
}

std::optional<Assignment> first_plan(const Problem& problem, const Compiled& compiled, core::StopToken& stop,
                                     search::Workspace& workspace) {
  IncumbentPlans incumbents(problem, compiled, delay_of);
  consider_first_plans(problem, compiled, delay_goal, incumbents, stop, workspace);
  if (incumbents.kept().empty()) return std::nullopt;
  return incumbents.kept().front().assignment;
}

std::vector<Plan> k_best(const Problem& problem, std::int64_t k, core::StopToken& stop,
                         search::Workspace& workspace) {
  std::vector<Plan> plans;
  const std::optional<Compiled> compiled = compile(problem, {}, stop);
  if (!compiled) return plans;
  const bool throughput = problem.spec().objective == Objective::throughput;
  search::SolveOptions options;
  options.labels.copies = k;
  search::Counters counters;
  IncumbentPlans incumbents(problem, *compiled, throughput ? bottleneck_of : delay_of, k);
  if (k > 1) {
    core::StopToken half = stop.with_half_the_time();
    const Plan best = solve(problem, {}, half, workspace);
    if (best.assignment) seed(problem, *best.assignment, half, incumbents);
    stop.take_interrupt_from(half);
  }
  const Session session{problem, *compiled, options, stop, workspace, counters};
  const search::Answer answer = search_plans(session, throughput ? bottleneck_goal : delay_goal, incumbents);
  for (const IncumbentPlans::Kept& kept : incumbents.kept()) {
    Plan plan = to_plan(kept.assignment, kept.evaluation);
    plan.status = status_of(answer.outcome, true);
    plan.method = "k-best";
    plan.lower_bound_s = std::min(answer.lower_bound, kept.objective_value);
    plan.counters = counters;
    plan.seconds = stop.elapsed_s();
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace constellm::split
