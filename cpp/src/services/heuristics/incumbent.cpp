#include "constellm/services/heuristics/incumbent.hpp"

#include <cmath>

namespace constellm::services::heuristics {

/// Less by more than rounding: a state's sums are not those of the evaluator.
bool Incumbent::beats(double first, double second) const {
  constexpr double kRounding = 1e-11;
  if (!found_) return true;
  const double room = kRounding * std::abs(first_);
  if (first < first_ - room) return true;
  return first <= first_ + room && second < second_ - kRounding * std::abs(second_);
}

bool Incumbent::offer(State& state) {
  if (state.broken() > 0 || !beats(state.first(), state.second())) return false;
  if (offer(slots_->assignment_of(state.node_of()))) return true;
  state.watch_links();
  return false;
}

bool Incumbent::offer(const Assignment& assignment) {
  const Problem& problem = slots_->problem();
  const Placement placement{replicas_of(problem, assignment), assignment};
  const Evaluation evaluation = evaluate(problem, slots_->routes(), placement);
  const Objective objective = problem.objective();
  if (!beats(evaluation.first(objective), evaluation.second(objective))) return false;
  if (!keeps_limits(problem, slots_->routes(), placement, evaluation)) return false;
  found_ = true;
  first_ = evaluation.first(objective);
  second_ = evaluation.second(objective);
  node_of_ = slots_->nodes_of(assignment);
  return true;
}

void Incumbent::offer(const Incumbent& other) {
  if (other.found_ && beats(other.first_, other.second_)) *this = other;
}

Answer Incumbent::answer(std::int64_t steps, const core::StopToken& stop) const {
  Answer answer = stopped(stop);
  answer.steps = steps;
  if (!found_) return answer;
  if (answer.status != core::Status::interrupted) answer.status = core::Status::feasible;
  const Assignment assignment = slots_->assignment_of(node_of_);
  answer.placement = {replicas_of(slots_->problem(), assignment), assignment};
  return answer;
}

}  // namespace constellm::services::heuristics
