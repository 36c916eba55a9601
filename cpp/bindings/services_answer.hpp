#pragma once
#include <string>

#include "constellm/services/answer.hpp"
#include "constellm/services/routes.hpp"
#include "solver_call.hpp"

namespace constellm::bindings {

/// Routes of a problem, whose positions are checked.
struct BoundRoutes {
  services::Problem problem;
  services::Routes routes;

  void check(std::int32_t transfer, std::int32_t origin, std::int32_t target) const {
    const auto transfers = static_cast<std::int32_t>(problem.transfers().size());
    const auto refuse = [](const char* what, std::int32_t value, std::int32_t count) {
      throw py::index_error(std::string(what) + ": " + std::to_string(value) + " is not in [0, " +
                            std::to_string(count) + ")");
    };
    if (transfer < 0 || transfer >= transfers) refuse("transfer", transfer, transfers);
    for (const std::int32_t node : {origin, target})
      if (node < 0 || node >= problem.node_count()) refuse("node", node, problem.node_count());
    if (!routes.starts(transfer, origin))
      throw py::index_error("origin: transfer " + std::to_string(transfer) + " starts at no node " +
                            std::to_string(origin));
  }
};

/// Replicas and assignment by positions, as Python holds them.
inline py::tuple placement_of(const services::Placement& placement) {
  return py::make_tuple(placement.replicas, placement.assignment);
}

/// What `solver(stop)`, a method of the core that gives a services::Answer, finds in time without the GIL:
/// status, placement or None, lower bound, whether the second term is proven, steps, bounds.
template <class Solver>
py::tuple answered(double time_limit_s, Solver solver) {
  core::StopToken stop(time_limit_s, &interrupted);
  const services::Answer found = [&] {
    const GilReleased no_gil;
    return solver(stop);
  }();
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  const bool has_placement = !found.placement.assignment.empty();
  return py::make_tuple(std::string(core::to_text(found.status)),
                        has_placement ? py::object(placement_of(found.placement)) : py::object(py::none()),
                        found.lower_bound, found.second_optimal, found.steps, found.bounds);
}

/// How stubs write what `answered` gives.
inline constexpr const char* kAnswer =
    "tuple[str, tuple[list[list[int]], list[list[int]]] | None, float, bool, int, int]";

}  // namespace constellm::bindings
