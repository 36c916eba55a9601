#include "constellm/split/solve.hpp"

#include <algorithm>
#include <unordered_set>

#include "constellm/search/tolerance.hpp"

namespace constellm::split {
namespace {

using search::kInfinity;

double delay_of(const Problem&, const Evaluation& e) { return e.delay_s; }
double bottleneck_of(const Problem&, const Evaluation& e) { return e.bottleneck_s; }

bool is_simple(const std::vector<std::int32_t>& path) {
  std::unordered_set<std::int32_t> seen;
  return std::all_of(path.begin(), path.end(), [&](std::int32_t v) { return seen.insert(v).second; });
}

search::Goal delay_goal(const Compiled& compiled, const Problem& problem) {
  search::Goal goal;
  goal.cost = time_meter(compiled, problem);
  goal.peak_rate = static_cast<double>(problem.spec().micro_batches) - 1.0;
  add_limits(compiled, problem, goal);
  return goal;
}

core::Status status_of(search::Outcome outcome, bool found) {
  switch (outcome) {
    case search::Outcome::time_limit: return core::Status::time_limit;
    case search::Outcome::interrupted: return core::Status::interrupted;
    case search::Outcome::proven: break;
  }
  return found ? core::Status::optimal : core::Status::infeasible;
}

Counters counters_of(const search::Counters& c) {
  return {c.labels, c.dominated, c.expanded, c.peak_open, c.passes, c.intervals};
}

Plan finished(const PlanJudge& judge, const search::Answer& answer, const search::Counters& counters) {
  Plan plan;
  if (!judge.kept().empty()) plan = to_plan(judge.kept().front().assignment, judge.kept().front().evaluation);
  plan.status = status_of(answer.outcome, plan.assignment.has_value());
  plan.counters = counters_of(counters);
  plan.lower_bound_s = judge.kept().empty() ? answer.lower_bound : std::min(answer.lower_bound, judge.kept().front().worth);
  return plan;
}

/// Smallest bottleneck first; then, among the plans that have it, the smallest delay.
Plan solve_throughput(const Problem& problem, const Compiled& compiled, const search::SolveOptions& options, core::StopToken& stop,
                      search::Workspace& workspace) {
  search::Counters counters;
  search::Goal goal;
  goal.peak_rate = 1.0;
  add_limits(compiled, problem, goal);
  PlanJudge judge(problem, compiled, &bottleneck_of);
  const search::Answer answer = search::solve(compiled.graph, goal, options, judge, stop, workspace, counters);
  Plan plan = finished(judge, answer, counters);
  if (plan.status != core::Status::optimal) return plan;

  const double lower_bound_s = plan.lower_bound_s;
  search::Goal tie = delay_goal(compiled, problem);
  tie.peak_cap = plan.bottleneck_s;
  PlanJudge tie_judge(problem, compiled, &delay_of);
  tie_judge.set_peak_cap(plan.bottleneck_s);
  const search::Answer tie_answer = search::solve(compiled.graph, tie, options, tie_judge, stop, workspace, counters);
  if (!tie_judge.kept().empty()) {
    plan = finished(tie_judge, tie_answer, counters);
    plan.status = status_of(tie_answer.outcome, true);
  }
  plan.lower_bound_s = std::min(lower_bound_s, plan.bottleneck_s);
  plan.counters = counters_of(counters);
  return plan;
}

}  // namespace

void PlanJudge::offer(const search::Walk& walk) {
  to_assignment(*compiled_, walk, assignment_);
  if (!compiled_->graph.acyclic && !is_simple(assignment_.path)) return;  // a relaxed walk of a bound
  evaluate_into(*problem_, assignment_, evaluation_);
  if (!within_limits(*problem_, evaluation_) || evaluation_.bottleneck_s > peak_cap_s_) return;
  const double worth = worth_(*problem_, evaluation_);
  if (kept_.size() == keep_ && !(worth < kept_.back().worth)) return;
  const auto same = [&](const Kept& k) { return k.assignment == assignment_; };
  if (std::any_of(kept_.begin(), kept_.end(), same)) return;
  const auto place = std::upper_bound(kept_.begin(), kept_.end(), worth, [](double w, const Kept& k) { return w < k.worth; });
  kept_.insert(place, {worth, assignment_, evaluation_});
  if (kept_.size() > keep_) kept_.pop_back();
  if (kept_.size() == keep_) cutoff_ = kept_.back().worth - std::abs(kept_.back().worth) * search::kPruneRoom;
}

Plan to_plan(const Assignment& assignment, const Evaluation& evaluation) {
  Plan plan;
  plan.assignment = assignment;
  plan.delay_s = evaluation.delay_s;
  plan.bottleneck_s = evaluation.bottleneck_s;
  plan.error = evaluation.error;
  plan.energy_j = evaluation.energy_j;
  plan.bytes = evaluation.bytes;
  return plan;
}

Plan solve(const Problem& problem, const SolveOptions& options, core::StopToken& stop, search::Workspace& workspace) {
  Plan plan;
  const std::optional<Compiled> compiled = compile(problem, options.unroll);
  if (!compiled) {
    plan.status = core::Status::infeasible;
    plan.lower_bound_s = kInfinity;
  } else if (problem.spec().objective == Objective::throughput) {
    plan = solve_throughput(problem, *compiled, options.search, stop, workspace);
  } else {
    search::Counters counters;
    PlanJudge judge(problem, *compiled, &delay_of);
    const search::Answer answer =
        search::solve(compiled->graph, delay_goal(*compiled, problem), options.search, judge, stop, workspace, counters);
    plan = finished(judge, answer, counters);
  }
  plan.method = "optimal";
  plan.seconds = stop.elapsed_s();
  return plan;
}

std::vector<Plan> k_best(const Problem& problem, std::int64_t k, core::StopToken& stop, search::Workspace& workspace) {
  std::vector<Plan> plans;
  const std::optional<Compiled> compiled = compile(problem);
  if (!compiled) return plans;
  search::Goal goal;
  PlanJudge::Worth worth = &delay_of;
  if (problem.spec().objective == Objective::throughput) {
    goal.peak_rate = 1.0;
    add_limits(*compiled, problem, goal);
    worth = &bottleneck_of;
  } else {
    goal = delay_goal(*compiled, problem);
  }
  search::SolveOptions options;
  options.labels.copies = k;
  search::Counters counters;
  PlanJudge judge(problem, *compiled, worth, k);
  const search::Answer answer = search::solve(compiled->graph, goal, options, judge, stop, workspace, counters);
  for (const PlanJudge::Kept& kept : judge.kept()) {
    Plan plan = to_plan(kept.assignment, kept.evaluation);
    plan.status = status_of(answer.outcome, true);
    plan.method = "k-best";
    plan.lower_bound_s = std::min(answer.lower_bound, kept.worth);
    plan.counters = counters_of(counters);
    plan.seconds = stop.elapsed_s();
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace constellm::split
