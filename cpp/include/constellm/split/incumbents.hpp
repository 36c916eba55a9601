#pragma once
#include <functional>
#include <vector>

#include "constellm/search/solver.hpp"
#include "constellm/split/compile.hpp"
#include "constellm/split/evaluate.hpp"

namespace constellm::split {

/// Keeps the best distinct plans among the walks that a search offers, as the evaluator sees them.
class IncumbentPlans : public search::Incumbents {
 public:
  /// A plan's value in the units of the search's goal (objective + bottleneck_rate * bottleneck);
  /// infinite for a plan that must not be kept. Limits of the problem are seen to already.
  using ObjectiveValue = std::function<double(const Assignment&, const Evaluation&)>;

  IncumbentPlans(const Problem& problem, const Compiled& compiled, ObjectiveValue objective_value,
                 std::int64_t keep = 1)
      : problem_(&problem),
        compiled_(&compiled),
        objective_value_(std::move(objective_value)),
        keep_(static_cast<std::size_t>(keep)) {}

  /// Incumbents of the same kind for a search over other routes; none yet.
  [[nodiscard]] IncumbentPlans on(const Compiled& compiled) const {
    return {*problem_, compiled, objective_value_, static_cast<std::int64_t>(keep_)};
  }

  void offer(const search::Walk& walk) override;
  /// A well-formed plan that another search found.
  void consider(const Assignment& assignment);
  [[nodiscard]] double cutoff() const override { return cutoff_; }

  struct Kept {
    double objective_value;
    Assignment assignment;
    Evaluation evaluation;
  };
  /// Best first.
  [[nodiscard]] const std::vector<Kept>& kept() const { return kept_; }

 private:
  const Problem* problem_;
  const Compiled* compiled_;
  ObjectiveValue objective_value_;
  std::size_t keep_;
  double cutoff_ = search::kInfinity;
  std::vector<Kept> kept_;
  Assignment assignment_;
  Evaluation evaluation_;
};

double delay_of(const Assignment&, const Evaluation& e);
double bottleneck_of(const Assignment&, const Evaluation& e);

/// A search's outcome in the words of a plan.
core::Status status_of(search::Outcome outcome, bool found);

/// A plan with the evaluator's figures.
Plan to_plan(const Assignment& assignment, const Evaluation& evaluation);

/// The best of the incumbents with the search's verdict.
Plan to_plan(const IncumbentPlans& incumbents, const search::Answer& answer,
             const search::Counters& counters);

}  // namespace constellm::split
