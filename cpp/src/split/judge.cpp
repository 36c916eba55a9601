#include "constellm/split/judge.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "constellm/search/tolerance.hpp"

namespace constellm::split {
namespace {

bool is_simple(const std::vector<std::int32_t>& path) {
  std::unordered_set<std::int32_t> seen;
  return std::all_of(path.begin(), path.end(), [&](std::int32_t v) { return seen.insert(v).second; });
}

}  // namespace

double delay_of(const Assignment&, const Evaluation& e) { return e.delay_s; }
double bottleneck_of(const Assignment&, const Evaluation& e) { return e.bottleneck_s; }

core::Status status_of(search::Outcome outcome, bool found) {
  switch (outcome) {
    case search::Outcome::time_limit: return core::Status::time_limit;
    case search::Outcome::interrupted: return core::Status::interrupted;
    case search::Outcome::proven: break;
  }
  return found ? core::Status::optimal : core::Status::infeasible;
}

void PlanJudge::offer(const search::Walk& walk) {
  to_assignment(*compiled_, walk, assignment_);
  if (!compiled_->graph.acyclic && !is_simple(assignment_.path)) return;  // a relaxed walk of a bound
  consider(assignment_);
}

void PlanJudge::consider(const Assignment& assignment) {
  evaluate_into(*problem_, assignment, evaluation_);
  if (!within_limits(*problem_, evaluation_)) return;
  const double worth = worth_(assignment, evaluation_);
  if (!(worth < search::kInfinity)) return;
  if (kept_.size() == keep_ && !(worth < kept_.back().worth)) return;
  const auto same = [&](const Kept& k) { return k.assignment == assignment; };
  if (std::any_of(kept_.begin(), kept_.end(), same)) return;
  const auto place = std::upper_bound(kept_.begin(), kept_.end(), worth,
                                      [](double w, const Kept& k) { return w < k.worth; });
  kept_.insert(place, {worth, assignment, evaluation_});
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

Plan to_plan(const PlanJudge& judge, const search::Answer& answer, const search::Counters& counters) {
  Plan plan;
  if (!judge.kept().empty()) plan = to_plan(judge.kept().front().assignment, judge.kept().front().evaluation);
  plan.status = status_of(answer.outcome, plan.assignment.has_value());
  plan.counters = counters;
  plan.lower_bound_s =
      judge.kept().empty() ? answer.lower_bound : std::min(answer.lower_bound, judge.kept().front().worth);
  return plan;
}

}  // namespace constellm::split
