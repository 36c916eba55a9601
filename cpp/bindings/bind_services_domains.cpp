#include <limits>

#include "columns.hpp"
#include "constellm/services/domains/domains.hpp"
#include "register.hpp"
#include "services_answer.hpp"

namespace constellm::bindings {
namespace {

namespace domains = services::domains;
using Bytes = py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>;

/// Allowed nodes, least and most replicas, whether there is none, whether all was seen, a placement or None,
/// branches, whether Ctrl-C ended it.
py::tuple shaved(const services::Problem& problem, const BoundRoutes& routes, const Bytes& allowed,
                 std::vector<double> deadline_s, std::vector<std::int32_t> least,
                 std::vector<std::int32_t> most, double cost_limit, double time_limit_s,
                 std::int64_t branches) {
  core::StopToken stop(time_limit_s, &interrupted);
  domains::Domains found;
  domains::Outcome outcome;
  std::vector<std::uint8_t> flat(allowed.data(), allowed.data() + allowed.size());
  {
    const GilReleased no_gil;
    const domains::Rules rules(problem, routes.routes, std::move(deadline_s), cost_limit);
    if (flat.size() !=
        static_cast<std::size_t>(rules.slot_count()) * static_cast<std::size_t>(rules.node_count()))
      throw core::InvalidInput("allowed: expected a row of the nodes for every stage");
    found = rules.start(std::move(flat), std::move(least), std::move(most));
    found.is_empty = !domains::shave(rules, found, stop);
    if (!found.is_empty && branches > 0) outcome = domains::search(rules, found, cost_limit, branches, stop);
  }
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  const auto count = static_cast<py::ssize_t>(found.allowed.size());
  return py::make_tuple(
      moved(std::move(found.allowed), {count}), found.least, found.most, found.is_empty, outcome.is_complete,
      outcome.is_found ? py::object(placement_of(outcome.placement)) : py::object(py::none()),
      outcome.branches, stop.reason() == core::StopReason::interrupted);
}

}  // namespace

void register_services_domains(py::module_& m) {
  m.def(
      "shaved", &shaved, py::arg("problem"), py::arg("routes"), py::arg("allowed"), py::arg("deadline_s"),
      py::arg("least"), py::arg("most"), py::arg("cost_limit"), py::arg("time_limit_s"), py::arg("branches"),
      "Nodes that plans within the limits can have, and the search for one: allowed (stages · nodes,), least "
      "and most replicas, whether there is none, whether all was seen, a placement, branches, whether Ctrl-C "
      "ended it.");
}

}  // namespace constellm::bindings
