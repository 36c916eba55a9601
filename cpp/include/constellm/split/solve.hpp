#pragma once
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/solver.hpp"
#include "constellm/split/compile.hpp"
#include "constellm/split/evaluate.hpp"
#include "constellm/split/plan.hpp"

namespace constellm::split {

struct SolveOptions {
  bool unroll = true;  ///< routes as positions where they are few; else remember visited nodes
  search::SolveOptions search;
};

/// The best plan by exact search, with its proof: status, bound and counters. With a time limit
/// or an interruption, the best plan so far and a true bound.
Plan solve(const Problem& problem, const SolveOptions& options, core::StopToken& stop, search::Workspace& workspace);

/// The k best distinct plans, best first; fewer where there are not as many. The bound of each
/// is what is proven of the plan at its rank.
std::vector<Plan> k_best(const Problem& problem, std::int64_t k, core::StopToken& stop, search::Workspace& workspace);

/// Keeps the best plans offered, as the evaluator sees them.
class PlanJudge : public search::Judge {
 public:
  /// `worth` is in the units of the search's goal: cost + peak_rate * peak.
  using Worth = double (*)(const Problem&, const Evaluation&);

  PlanJudge(const Problem& problem, const Compiled& compiled, Worth worth, std::int64_t keep = 1)
      : problem_(&problem), compiled_(&compiled), worth_(worth), keep_(static_cast<std::size_t>(keep)) {}

  /// Plans whose bottleneck is longer do not count.
  void set_peak_cap(double cap_s) { peak_cap_s_ = cap_s; }

  void offer(const search::Walk& walk) override;
  [[nodiscard]] double cutoff() const override { return cutoff_; }

  struct Kept {
    double worth;
    Assignment assignment;
    Evaluation evaluation;
  };
  [[nodiscard]] const std::vector<Kept>& kept() const { return kept_; }

 private:
  const Problem* problem_;
  const Compiled* compiled_;
  Worth worth_;
  std::size_t keep_;
  double peak_cap_s_ = search::kInfinity;
  double cutoff_ = search::kInfinity;
  std::vector<Kept> kept_;  ///< best first
  Assignment assignment_;
  Evaluation evaluation_;
};

/// A plan with the evaluator's figures.
Plan to_plan(const Assignment& assignment, const Evaluation& evaluation);

}  // namespace constellm::split
