#include "constellm/split/baselines/propose.hpp"
#include "constellm/split/baselines/tensor_parallel.hpp"
#include "constellm/split/naming.hpp"
#include "register.hpp"
#include "solver_call.hpp"

namespace constellm::bindings {
namespace {

split::Proposal propose(const std::string& name, const split::Problem& problem, double time_limit_s) {
  return run_solver(time_limit_s, [&](core::StopToken& stop, search::Workspace& workspace) {
    return split::propose(name, problem, stop, workspace);
  });
}

py::dict proposal_to_dict(const split::Proposal& proposal) {
  py::dict d;
  d["problem"] = proposal.problem;
  d["status"] = std::string(core::to_text(proposal.status));
  d["seconds"] = proposal.seconds;
  d["path"] = proposal.assignment ? split::path_ids(proposal.problem, *proposal.assignment)
                                  : std::vector<std::string>{};
  d["stages"] = proposal.assignment ? split::named_stages(proposal.problem, *proposal.assignment)
                                    : std::vector<split::Stage>{};
  return d;
}

py::object tensor_parallel_to_dict(const split::Problem& problem) {
  const std::optional<split::TensorParallel> found = split::tensor_parallel(problem);
  if (!found) return py::none();
  const auto ids = [&](const std::vector<std::int32_t>& nodes) {
    std::vector<std::string> names;
    for (const std::int32_t v : nodes)
      names.push_back(problem.spec().network.nodes[static_cast<std::size_t>(v)].id);
    return names;
  };
  py::dict d;
  d["path"] = ids(found->path);
  d["hosts"] = ids(found->hosts);
  d["share"] = found->share;
  d["compute_s"] = found->compute_s;
  d["group_s"] = found->group_s;
  d["bottleneck_s"] = found->bottleneck_s;
  d["delay_s"] = found->delay_s;
  d["bytes"] = found->bytes;
  return d;
}

}  // namespace

void register_baselines(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  m.def("baseline_names", &split::baseline_names,
        "baseline_names() -> list[str]\n\nBenchmark methods that make a plan, without the family "
        "'fixed:<codec>'.");
  m.def(
      "propose",
      [](const split::Problem& problem, const std::string& method, double time_limit_s) {
        return proposal_to_dict(propose(method, problem, time_limit_s));
      },
      py::arg("problem"), py::arg("method"), py::kw_only(), py::arg("time_limit_s"),
      "propose(problem: Problem, method: str, *, time_limit_s: float) -> dict[str, typing.Any]\n\n"
      "What a benchmark method decides, limits broken or not.");
  m.def(
      "solve_by",
      [](const split::Problem& problem, const std::string& method, double time_limit_s) {
        const split::Proposal proposal = propose(method, problem, time_limit_s);
        split::Plan plan = split::to_plan(proposal);
        split::Answer found{plan.assignment ? proposal.problem : problem, std::move(plan)};
        explain_infeasible(found, time_limit_s);
        return found;
      },
      py::arg("problem"), py::arg("method"), py::kw_only(), py::arg("time_limit_s"),
      "solve_by(problem: Problem, method: str, *, time_limit_s: float) -> Plan\n\n"
      "The plan of a benchmark method; none where that would break a limit.");
  m.def("tensor_parallel", &tensor_parallel_to_dict, py::arg("problem"),
        "tensor_parallel(problem: Problem) -> dict[str, typing.Any] | None\n\n"
        "Galaxy's tensor parallelism by its own delay model; None where it does not apply.");
}

}  // namespace constellm::bindings
