#include "constellm/split/incumbents.hpp"

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

void IncumbentPlans::offer(const search::Walk& walk) {
  to_assignment(*compiled_, walk, assignment_);
  if (!compiled_->graph.acyclic && !is_simple(assignment_.path)) return;  // a relaxed walk of a bound
  consider(assignment_);
}

void IncumbentPlans::consider(const Assignment& assignment) {
  evaluate_into(*problem_, assignment, evaluation_);
  if (!within_limits(*problem_, assignment, evaluation_)) return;
  const double value = objective_value_(assignment, evaluation_);
  if (!(value < search::kInfinity)) return;
  if (kept_.size() == keep_ && !(value < kept_.back().objective_value)) return;
  const auto same = [&](const Kept& k) { return k.assignment == assignment; };
  if (std::any_of(kept_.begin(), kept_.end(), same)) return;
  const auto place = std::upper_bound(kept_.begin(), kept_.end(), value,
                                      [](double v, const Kept& k) { return v < k.objective_value; });
  kept_.insert(place, {value, assignment, evaluation_});
  if (kept_.size() > keep_) kept_.pop_back();
  if (kept_.size() == keep_)
    cutoff_ = kept_.back().objective_value - std::abs(kept_.back().objective_value) * search::kPruneRoom;
}

Plan to_plan(const Assignment& assignment, const Evaluation& evaluation) {
  Plan plan;
  static_cast<Figures&>(plan) = evaluation;
  plan.assignment = assignment;
  return plan;
}

Plan to_plan(const IncumbentPlans& incumbents, const search::Answer& answer,
             const search::Counters& counters) {
  Plan plan;
  plan.lower_bound_s = answer.lower_bound;
  if (!incumbents.kept().empty()) {
    const IncumbentPlans::Kept& best = incumbents.kept().front();
    plan = to_plan(best.assignment, best.evaluation);
    plan.lower_bound_s = std::min(answer.lower_bound, best.objective_value);
  }
  plan.status = status_of(answer.outcome, plan.assignment.has_value());
  plan.counters = counters;
  return plan;
}

}  // namespace constellm::split
