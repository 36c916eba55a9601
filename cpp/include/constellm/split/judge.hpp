#pragma once
#include <functional>
#include <vector>

#include "constellm/search/solver.hpp"
#include "constellm/split/compile.hpp"
#include "constellm/split/evaluate.hpp"

namespace constellm::split {

/// Keeps the best distinct plans among the walks that a search offers, as the evaluator sees them.
class PlanJudge : public search::Judge {
 public:
  /// What a plan is worth in the units of the search's goal (cost + peak_rate * peak); infinite
  /// for a plan that must not be kept. Limits of the problem are seen to already.
  using Worth = std::function<double(const Assignment&, const Evaluation&)>;

  PlanJudge(const Problem& problem, const Compiled& compiled, Worth worth, std::int64_t keep = 1)
      : problem_(&problem),
        compiled_(&compiled),
        worth_(std::move(worth)),
        keep_(static_cast<std::size_t>(keep)) {}

  /// A judge of the same plans for a search over other routes.
  [[nodiscard]] PlanJudge on(const Compiled& compiled) const {
    return {*problem_, compiled, worth_, static_cast<std::int64_t>(keep_)};
  }

  void offer(const search::Walk& walk) override;
  /// A well-formed plan that another search found.
  void consider(const Assignment& assignment);
  [[nodiscard]] double cutoff() const override { return cutoff_; }

  struct Kept {
    double worth;
    Assignment assignment;
    Evaluation evaluation;
  };
  /// Best first.
  [[nodiscard]] const std::vector<Kept>& kept() const { return kept_; }

 private:
  const Problem* problem_;
  const Compiled* compiled_;
  Worth worth_;
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

/// The judge's best plan with the search's verdict.
Plan to_plan(const PlanJudge& judge, const search::Answer& answer, const search::Counters& counters);

}  // namespace constellm::split
