#include <limits>
#include <optional>

#include "constellm/services/exact/search.hpp"
#include "register.hpp"
#include "services_answer.hpp"

namespace constellm::bindings {
namespace {

using services::Placement;
using services::Problem;
using Positions = std::pair<services::Replicas, services::Assignment>;

py::tuple search(const Problem& problem, const BoundRoutes& routes, double time_limit_s, std::uint64_t,
                 std::int32_t, const std::optional<Positions>& start, std::optional<std::int64_t> nodes) {
  std::optional<Placement> begin;
  if (start) begin = Placement{start->first, start->second};
  return answered(time_limit_s, [&](core::StopToken& stop) {
    return services::exact::search(problem, routes.routes, begin, stop,
                                   nodes.value_or(std::numeric_limits<std::int64_t>::max()));
  });
}

py::tuple explored(const Problem& problem, const BoundRoutes& routes, const services::exact::Hosts& hosts,
                   const std::optional<Positions>& start, std::int64_t most_nodes, double most_gap,
                   double time_limit_s) {
  std::optional<Placement> begin;
  if (start) begin = Placement{start->first, start->second};
  core::StopToken stop(time_limit_s, &interrupted);
  services::exact::Explored found = [&] {
    const GilReleased no_gil;
    return services::exact::explored(problem, routes.routes, hosts, begin, {most_nodes, most_gap}, stop);
  }();
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return py::make_tuple(found.proven, std::move(found.hosts), found.lower_bound,
                        found.placement ? py::object(placement_of(*found.placement)) : py::object(py::none()),
                        found.nodes, stop.reason() == core::StopReason::interrupted);
}

py::tuple reduced_hosts(const Problem& problem, const BoundRoutes& routes, double value, std::int32_t steps,
                        double time_limit_s) {
  core::StopToken stop(time_limit_s, &interrupted);
  services::exact::Reduced found = [&] {
    const GilReleased no_gil;
    return services::exact::reduced_hosts(problem, routes.routes, value, steps, stop);
  }();
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return py::make_tuple(found.possible, std::move(found.hosts), found.lower_bound,
                        found.placement ? py::object(placement_of(*found.placement)) : py::object(py::none()),
                        found.bounds, stop.reason() == core::StopReason::interrupted);
}

}  // namespace

void register_services_bound(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string positions = "tuple[list[list[int]], list[list[int]]] | None";
  m.def("search", &search, py::arg("problem"), py::arg("routes"), py::arg("time_limit_s"),
        py::arg("seed") = 0, py::arg("threads") = 1, py::arg("start") = py::none(),
        py::arg("nodes") = py::none(),
        ("search(problem: Problem, routes: Routes, time_limit_s: float, seed: int = 0, threads: int = 1, "
         "start: " +
         positions + " = None, nodes: int | None = None) -> " + kAnswer +
         "\n\nBranch and bound with Lagrangian bounds, of so many nodes of its tree at most.")
            .c_str());
  m.def(
      "explored", &explored, py::arg("problem"), py::arg("routes"), py::arg("hosts"), py::arg("start"),
      py::arg("most_nodes"), py::arg("most_gap"), py::arg("time_limit_s"),
      ("explored(problem: Problem, routes: Routes, hosts: list[list[int]], start: " + positions +
       ", most_nodes: int, most_gap: float, time_limit_s: float) -> tuple[bool, list[list[int]], float, " +
       positions +
       ", int, bool]\n\nBranch and bound of the first term alone with the given nodes of each slot, so many "
       "nodes of the tree at most, and its root alone where that leaves more than the relative gap: whether "
       "the best plan is proven, what is left of each slot in better "
       "ones, a lower bound, the best plan, nodes of the tree, whether Ctrl-C ended it.")
          .c_str());
  m.def(
      "reduced_hosts", &reduced_hosts, py::arg("problem"), py::arg("routes"), py::arg("value"),
      py::arg("steps"), py::arg("time_limit_s"),
      ("reduced_hosts(problem: Problem, routes: Routes, value: float, steps: int, time_limit_s: float) -> "
       "tuple[bool, list[list[int]], float, " +
       positions +
       ", int, bool]\n\nWhether there can be a plan whose first term is at most the value, the nodes of each "
       "slot in "
       "such plans, a lower bound of all plans, the best plan met, how many bounds, whether Ctrl-C ended "
       "it.")
          .c_str());
}

}  // namespace constellm::bindings
