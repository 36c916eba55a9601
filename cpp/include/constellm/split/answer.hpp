#pragma once
#include <string>
#include <tuple>
#include <vector>

#include "constellm/split/evaluate.hpp"
#include "constellm/split/naming.hpp"

namespace constellm::split {

/// A plan together with the problem that it answers: what Python and files know as a Plan. They say names
/// where the plan has positions.
struct Answer {
  Problem problem;  ///< its menu completed by codecs that the method brings along
  Plan plan;
};

/// Same problem, status, path and stages; what was counted, proven and spent does not matter.
bool operator==(const Answer& a, const Answer& b);

/// NaN without a plan, as the figures are.
double objective_s(const Answer& answer);
double gap(const Answer& answer);

/// Empty without a plan. Setting an empty path is setting no plan; `set` throws core::InvalidInput for what
/// is not of the problem.
struct PathIds {
  std::vector<std::string> operator()(const Answer& answer) const;
  void set(Answer& answer, const std::vector<std::string>& path) const;
};
struct NamedStages {
  std::vector<Stage> operator()(const Answer& answer) const;
  void set(Answer& answer, const std::vector<Stage>& stages) const;
};
/// They stand at the end of the problem's menu.
struct AddedCodecs {
  std::vector<codec::Codec> operator()(const Answer& answer) const;
  void set(Answer& answer, const std::vector<codec::Codec>& codecs) const;
};

constexpr auto fields(const Answer*) {
  using core::found;
  using core::lifted;
  using core::optional;
  using core::required;
  constexpr auto kFound = [](const auto&... figure) {
    return std::tuple{found(&Answer::plan, figure).left_out_if_none()...};
  };
  constexpr auto kSolver = [](const auto& field) { return lifted(&Answer::plan, field, "solver"); };
  return core::record(
      "Plan",
      "A solver's answer: what it found, and what it proved. Figures are the evaluator's; NaN where there\n"
      "is no plan.",
      required("problem", &Answer::problem, "the problem it answers").not_in_files(),
      lifted(&Answer::plan, required("status", &Plan::status,
                                     "'optimal', 'feasible', 'infeasible', 'no_plan_found', 'time_limit' or "
                                     "'interrupted'")),
      std::apply(kFound, figures<Plan>()),
      found<Answer>("objective_s", static_cast<double (*)(const Answer&)>(&objective_s),
                    "the problem's objective: delay or bottleneck", "s", core::kNonNegative)
          .not_in_files(),
      lifted(&Answer::plan,
             optional("lower_bound_s", &Plan::lower_bound_s,
                      "no plan has a smaller objective; NaN where nothing was proven, infinite where no plan "
                      "exists",
                      "s")
                 .left_out_if_none()),
      found<Answer>("gap", &gap, "(objective - lower bound) / objective").not_in_files(),
      found<Answer>("path", PathIds{}, "ids of the nodes from source to sink").left_out_if_none(),
      found<Answer>("stages", NamedStages{}, "the hosting nodes' shares, in path order").left_out_if_none(),
      found<Answer>("codecs", AddedCodecs{},
                    "that the method brought along: used by the plan, and added to the menu of `problem`")
          .left_out_if_none(),
      kSolver(optional("method", &Plan::method, "name of the method that made it").left_out_if_none()),
      kSolver(optional("infeasibility", &Plan::infeasibility,
                       "why the problem has no plan, and how much would do; None where there is one, or it "
                       "is not proven")
                  .left_out_if_none()),
      kSolver(optional("broken_limits", &Plan::broken_limits,
                       "limits that the plan of a benchmark method breaks, for which it is none")
                  .left_out_if_none()),
      kSolver(optional("counters", &Plan::counters,
                       "labels made, dominated, expanded; most waiting; backward passes; intervals")
                  .not_in_files()),
      kSolver(optional("seconds", &Plan::seconds, "spent by the solver", "s").left_out_if_none()));
}

}  // namespace constellm::split
