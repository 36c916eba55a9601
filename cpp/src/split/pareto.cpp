#include "constellm/split/pareto.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "constellm/core/error.hpp"
#include "constellm/split/goals.hpp"
#include "constellm/split/solve.hpp"

namespace constellm::split {
namespace {

using search::kInfinity;

double value_of(const Figures& figures, Criterion criterion) {
  switch (criterion) {
    case Criterion::delay: return figures.delay_s;
    case Criterion::bytes: return figures.bytes;
    case Criterion::error: return figures.error;
    case Criterion::energy: return figures.energy_j;
  }
  return kInfinity;
}

class FrontSearch {
 public:
  FrontSearch(const Problem& problem, const Compiled& compiled, const std::vector<Criterion>& criteria,
              double epsilon, core::StopToken& stop, search::Workspace& workspace)
      : problem_(problem),
        compiled_(compiled),
        criteria_(criteria),
        step_(1.0 + std::max(epsilon, kFrontStep)),
        stop_(stop),
        workspace_(workspace),
        limits_(criteria.size(), kInfinity),
        first_(first_plan(problem, compiled, stop, workspace)) {
    goal_ = criteria.front() == Criterion::delay
                ? delay_goal(compiled, problem)
                : resource_goal(resource(criteria.front()), compiled, problem);
    for (std::size_t i = 1; i < criteria.size(); ++i) limited_.push_back(limit_of(criteria[i]));
  }

  Front run() {
    descend(criteria_.size() - 1);
    keep_undominated();
    if (front_.plans.empty()) front_.status = core::Status::infeasible;
    if (stop_.reason() == core::StopReason::time_limit) front_.status = core::Status::time_limit;
    if (stop_.reason() == core::StopReason::interrupted) front_.status = core::Status::interrupted;
    return std::move(front_);
  }

 private:
  search::Resource resource(Criterion criterion) const {
    switch (criterion) {
      case Criterion::bytes: return bytes_resource(problem_);
      case Criterion::error: return error_resource(compiled_, problem_);
      default: return energy_resource(compiled_, problem_);
    }
  }

  /// Where in the goal a criterion is limited; the problem's own limit may stand there already.
  std::size_t limit_of(Criterion criterion) {
    if (criterion == Criterion::error && error_limited(problem_)) return 0;
    if (criterion == Criterion::energy && energy_limited(problem_)) return error_limited(problem_) ? 1 : 0;
    goal_.resources.push_back(resource(criterion));
    goal_.limits.push_back(kInfinity);
    return goal_.resources.size() - 1;
  }

  double in_goal_units(Criterion criterion, double value) const {
    return criterion == Criterion::error ? codec::to_resource(problem_.spec().limits.error_rule, value)
                                         : value;
  }

  /// All limits on criteria up to `i`, from loose to tight, under the present limits on the
  /// others. Returns the largest value of criterion `i + 1` that a plan found has, or a negative
  /// number when there was none.
  double descend(std::size_t i) {
    const std::size_t outer = i + 1;
    if (i == 0) {
      const Plan* plan = best();
      return plan == nullptr ? -1.0 : (outer < criteria_.size() ? value_of(*plan, criteria_[outer]) : 0.0);
    }
    double most_outer = -1.0;
    limits_[i] = kInfinity;
    while (true) {
      const std::size_t before = front_.plans.size();
      const double most = descend(i - 1);
      if (most < 0.0) break;
      if (outer < criteria_.size()) {
        for (std::size_t p = before; p < front_.plans.size(); ++p) {
          most_outer = std::max(most_outer, value_of(front_.plans[p], criteria_[outer]));
        }
      }
      if (most == 0.0) break;
      limits_[i] = std::min(most / step_, std::nextafter(most, 0.0));
    }
    limits_[i] = kInfinity;
    return most_outer;
  }

  /// The plan that is best in the first criterion under the present limits.
  const Plan* best() {
    search::Goal goal = goal_;
    for (std::size_t i = 1; i < criteria_.size(); ++i) {
      double& limit = goal.limits[limited_[i - 1]];
      limit = std::min(limit, in_goal_units(criteria_[i], limits_[i]));
    }
    // A resource without a limit bounds nothing and only makes labels incomparable.
    for (std::size_t r = goal.limits.size(); r-- > 0;) {
      if (goal.limits[r] < kInfinity) continue;
      goal.limits.erase(goal.limits.begin() + static_cast<std::ptrdiff_t>(r));
      goal.resources.erase(goal.resources.begin() + static_cast<std::ptrdiff_t>(r));
    }
    IncumbentPlans incumbents(problem_, compiled_, [this](const Assignment&, const Evaluation& e) {
      for (std::size_t i = 1; i < criteria_.size(); ++i) {
        if (value_of(e, criteria_[i]) > limits_[i]) return kInfinity;
      }
      return in_goal_units(criteria_.front(), value_of(e, criteria_.front()));
    });
    if (first_) incumbents.consider(*first_);
    search::Counters counters;
    const search::Answer answer =
        search::solve({compiled_.graph, goal, incumbents, stop_, workspace_, counters}, {});
    if (answer.outcome != search::Outcome::proven || incumbents.kept().empty()) return nullptr;
    Plan plan = to_plan(incumbents, answer, counters);
    plan.method = "pareto";
    // Best under the limits of its place in the front, which proves nothing of the objective.
    plan.status = core::Status::feasible;
    plan.lower_bound_s = std::numeric_limits<double>::quiet_NaN();
    front_.plans.push_back(std::move(plan));
    return &front_.plans.back();
  }

  void keep_undominated() {
    std::vector<Plan>& plans = front_.plans;
    const auto no_worse = [this](const Plan& a, const Plan& b) {
      return std::all_of(criteria_.begin(), criteria_.end(),
                         [&](Criterion c) { return value_of(a, c) <= value_of(b, c); });
    };
    std::vector<Plan> kept;
    for (std::size_t i = 0; i < plans.size(); ++i) {
      bool dominated = false;
      for (std::size_t j = 0; j < plans.size() && !dominated; ++j) {
        // Of two with equal values the first stays.
        dominated = j != i && no_worse(plans[j], plans[i]) && (j < i || !no_worse(plans[i], plans[j]));
      }
      if (!dominated) kept.push_back(plans[i]);
    }
    plans = std::move(kept);
  }

  const Problem& problem_;
  const Compiled& compiled_;
  const std::vector<Criterion>& criteria_;
  double step_;
  core::StopToken& stop_;
  search::Workspace& workspace_;
  std::vector<double> limits_;        ///< [criteria] present limits, in the criterion's own units
  std::optional<Assignment> first_;   ///< for searches to start from
  std::vector<std::size_t> limited_;  ///< [criteria - 1] in the goal
  search::Goal goal_;
  Front front_;
};

}  // namespace

Front pareto_front(const Problem& problem, const std::vector<Criterion>& criteria, double epsilon,
                   core::StopToken& stop, search::Workspace& workspace) {
  if (criteria.size() < 2 || criteria.size() > 4) {
    throw core::InvalidInput("criteria: " + std::to_string(criteria.size()) + " given, 2 to 4 are needed");
  }
  for (std::size_t i = 0; i < criteria.size(); ++i) {
    if (std::find(criteria.begin(), criteria.begin() + static_cast<std::ptrdiff_t>(i), criteria[i]) !=
        criteria.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw core::InvalidInput("criteria: one is given twice");
    }
  }
  std::vector<Criterion> ordered = criteria;
  const auto delay = std::find(ordered.begin(), ordered.end(), Criterion::delay);
  if (delay != ordered.end()) std::rotate(ordered.begin(), delay, delay + 1);
  if (!(epsilon >= 0.0 && epsilon < kInfinity)) core::throw_out_of_range("epsilon", epsilon, "[0, inf)");
  if (criteria.size() > 2 && epsilon <= 0.0) {
    throw core::InvalidInput("epsilon: 0 is for two criteria; beyond two it must be > 0");
  }
  const std::optional<Compiled> compiled = compile(problem, {}, stop);
  if (!compiled) return {{}, core::Status::infeasible};
  Front front = FrontSearch(problem, *compiled, ordered, epsilon, stop, workspace).run();
  std::stable_sort(front.plans.begin(), front.plans.end(), [&](const Plan& a, const Plan& b) {
    return value_of(a, criteria.front()) < value_of(b, criteria.front());
  });
  return front;
}

}  // namespace constellm::split
