#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "constellm/split/answer.hpp"
#include "constellm/split/pareto.hpp"
#include "constellm/split/solve.hpp"
#include "register.hpp"
#include "solver_call.hpp"

namespace constellm::bindings {
namespace {

using split::Answer;
using split::Plan;
using split::Problem;

split::Criterion criterion_of(const std::string& name) {
  if (name == "delay_s") return split::Criterion::delay;
  if (name == "bytes") return split::Criterion::bytes;
  if (name == "error") return split::Criterion::error;
  if (name == "energy_j") return split::Criterion::energy;
  throw core::InvalidInput("criteria: '" + name + "' is not one of 'delay_s', 'bytes', 'error', 'energy_j'");
}

}  // namespace

void explain_infeasible(split::Answer& found, double time_limit_s) {
  if (found.plan.status != core::Status::infeasible) return;
  const double left_s = std::max(0.0, time_limit_s - found.plan.seconds);
  const double most_s = std::max(1.0, found.plan.seconds);
  found.plan.infeasibility =
      run_solver(std::min(left_s, most_s), [&](core::StopToken& stop, search::Workspace& workspace) {
        return split::explain(found.problem, stop, workspace);
      });
}

void register_solve(py::module_& m) {
  m.def(
      "solve",
      [](const Problem& problem, double time_limit_s, bool intervals, bool heuristic, bool dominance,
         bool resource_bound, bool unroll) {
        split::SolveOptions options;
        options.compile.unroll = unroll;
        options.search.intervals = intervals;
        options.search.labels.heuristic = heuristic;
        options.search.labels.dominance = dominance;
        options.search.labels.resource_bound = resource_bound;
        Answer found = run_solver(time_limit_s, [&](core::StopToken& stop, search::Workspace& workspace) {
          return Answer{problem, split::solve(problem, options, stop, workspace)};
        });
        explain_infeasible(found, time_limit_s);
        return found;
      },
      py::arg("problem"), py::kw_only(), py::arg("time_limit_s"), py::arg("intervals"), py::arg("heuristic"),
      py::arg("dominance"), py::arg("resource_bound"), py::arg("unroll"),
      "The exact search; see `constellm.split.solve`.");
  m.def(
      "k_best",
      [](const Problem& problem, std::int64_t k, double time_limit_s) {
        core::StopReason reason{};
        std::vector<Plan> plans =
            run_solver(time_limit_s, [&](core::StopToken& stop, search::Workspace& workspace) {
              std::vector<Plan> found = split::k_best(problem, k, stop, workspace);
              reason = stop.reason();
              return found;
            });
        py::list views;
        for (Plan& plan : plans) views.append(Answer{problem, std::move(plan)});
        // Without any plan the list alone would not tell.
        return std::tuple(views, reason == core::StopReason::interrupted);
      },
      py::arg("problem"), py::arg("k"), py::kw_only(), py::arg("time_limit_s"),
      "See `constellm.split.k_best`.");
  m.def(
      "pareto_front",
      [](const Problem& problem, const std::vector<std::string>& names, double epsilon, double time_limit_s) {
        std::vector<split::Criterion> criteria;
        for (const std::string& name : names) criteria.push_back(criterion_of(name));
        split::Front front =
            run_solver(time_limit_s, [&](core::StopToken& stop, search::Workspace& workspace) {
              return split::pareto_front(problem, criteria, epsilon, stop, workspace);
            });
        py::list views;
        for (Plan& plan : front.plans) views.append(Answer{problem, std::move(plan)});
        return py::make_tuple(views, std::string(core::to_text(front.status)));
      },
      py::arg("problem"), py::arg("criteria"), py::kw_only(), py::arg("epsilon"), py::arg("time_limit_s"),
      "See `constellm.split.pareto_front`.");
}

}  // namespace constellm::bindings
