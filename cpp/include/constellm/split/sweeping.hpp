#pragma once
#include <cstdint>
#include <string>

#include "constellm/search/solver.hpp"
#include "constellm/split/answer.hpp"
#include "constellm/sweep/run.hpp"

namespace constellm::split {

/// Figures of a plan in a sweep.
struct PlanRow : Figures {
  double lower_bound_s = kNone;
  double seconds = kNone;
  std::int64_t stages = 0;
  std::int64_t labels = 0;
  core::Status status = core::Status::interrupted;
};

constexpr auto fields(const PlanRow*) {
  using core::optional;
  return core::record(
      "PlanRow", "Figures of a plan in a sweep.", figures<PlanRow>(),
      optional("lower_bound_s", &PlanRow::lower_bound_s,
               "no plan has a smaller objective; infinite where no plan exists", "s"),
      optional("seconds", &PlanRow::seconds, "spent by the solver", "s"),
      optional("stages", &PlanRow::stages, "nodes that host layers; 0 where there is no plan"),
      optional("labels", &PlanRow::labels, "partial plans that the search kept"),
      optional("status", &PlanRow::status, "what was found"));
}

/// Problems and their plans, for `sweep::run`.
struct Sweeping {
  using Record = ProblemSpec;
  using Question = Problem;
  using Memory = search::Workspace;
  using Row = PlanRow;
  using Answer = split::Answer;

  [[nodiscard]] Problem question(ProblemSpec spec) const { return Problem(std::move(spec)); }
  [[nodiscard]] Answer answer(const Problem& problem, const std::string& method, core::StopToken& stop,
                              search::Workspace& workspace) const;
  [[nodiscard]] PlanRow row(const Answer& answer) const;

  /// Throws core::InvalidInput with the known names for a method that `answer` does not know.
  static void check_method(const std::string& method);
};

}  // namespace constellm::split
