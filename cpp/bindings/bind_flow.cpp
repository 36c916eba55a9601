#include <cmath>

#include "columns.hpp"
#include "constellm/flow/greedy.hpp"
#include "constellm/flow/maximum_flow.hpp"
#include "constellm/flow/problem.hpp"
#include "constellm/flow/quickest.hpp"
#include "constellm/flow/time_cut.hpp"
#include "register.hpp"
#include "solver_call.hpp"
#include "stoppable.hpp"

namespace constellm::bindings {
namespace {

using flow::Problem;

constexpr std::int32_t kMostNodes = 1 << 28;

Problem make_problem(const network::ContactPlan& contacts, std::vector<double> supply_bytes,
                     std::vector<double> storage_bytes, std::vector<double> demand_bytes,
                     std::vector<std::int32_t> sinks) {
  return {contacts,
          {std::move(supply_bytes), std::move(storage_bytes), std::move(demand_bytes), std::move(sinks)}};
}

template <class T>
py::array column(std::vector<T>&& values) {
  const auto count = static_cast<py::ssize_t>(values.size());
  return moved(std::move(values), {count});
}

/// Truth values as numpy has them.
py::array truths(std::vector<std::uint8_t>&& values, std::vector<py::ssize_t> shape) {
  return moved(std::move(values), std::move(shape)).attr("view")("bool").cast<py::array>();
}

py::object cut_of(flow::Cut&& cut, std::size_t nodes) {
  if (cut.start_s.empty()) return py::none();
  const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(cut.start_s.size()),
                                       static_cast<py::ssize_t>(nodes)};
  return py::make_tuple(column(std::move(cut.start_s)), truths(std::move(cut.inside), shape));
}

py::tuple plan_of(flow::Plan&& plan, std::size_t nodes) {
  flow::Flows& flows = plan.flows;
  return py::make_tuple(
      std::string(core::to_text(plan.status)), plan.finish_s, plan.lower_bound_s,
      py::make_tuple(column(std::move(flows.contact)), column(std::move(flows.start_s)),
                     column(std::move(flows.end_s)), column(std::move(flows.sent_bytes))),
      cut_of(std::move(plan.cut), nodes),
      py::make_tuple(plan.counters.flows, plan.counters.rounds, plan.counters.nodes, plan.counters.arcs));
}

/// What a solver finds in time.
template <class Solver>
py::tuple solved(const Problem& problem, double time_limit_s, Solver solver) {
  core::StopToken stop(time_limit_s, &interrupted);
  flow::Plan plan = [&] {
    const GilReleased no_gil;
    return solver(stop);
  }();
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return plan_of(std::move(plan), problem.node_count());
}

py::tuple quickest(const Problem& problem, double time_limit_s, std::size_t first_cells) {
  return solved(problem, time_limit_s,
                [&](core::StopToken& stop) { return flow::quickest(problem, stop, first_cells); });
}

py::tuple greedy(const Problem& problem, const std::vector<double>& moments_s, double time_limit_s) {
  return solved(problem, time_limit_s,
                [&](core::StopToken& stop) { return flow::greedy(problem, moments_s, stop); });
}

std::vector<std::int64_t> integers(const py::object& value, const char* name) {
  const py::array array = numbers(value, name, "iu", "integers");
  if (array.ndim() != 1)
    throw core::InvalidInput(std::string(name) + ": expected one dimension, got shape " + shape_text(array));
  if (array.dtype().kind() == 'u' && array.size() > 0) {  // above 2^63 it would turn negative
    const auto most = py::int_(array.attr("max")());
    if (most.attr("bit_length")().cast<int>() > 63)
      throw core::InvalidInput(std::string(name) + ": " + std::string(py::str(most)) + " is not below 2^63");
  }
  const auto values = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>(array);
  return {values.data(), values.data() + values.size()};
}

std::int32_t node_of(const py::object& value, const char* name) {
  const std::int64_t node = FromPython<std::int64_t>::get(value, name);
  if (node < 0 || node >= kMostNodes) {
    throw core::InvalidInput(std::string(name) + ": " + std::to_string(node) + " is not in [0, " +
                             std::to_string(kMostNodes) + ")");
  }
  return static_cast<std::int32_t>(node);
}

py::tuple maximum_flow(const py::object& from, const py::object& to, const py::object& capacity,
                       const py::object& source, const py::object& target) {
  flow::Arcs arcs{positions(from, "from_", kMostNodes), positions(to, "to", kMostNodes),
                  integers(capacity, "capacity")};
  const std::int32_t s = node_of(source, "source");
  const std::int32_t t = node_of(target, "target");
  flow::MaximumFlow found =
      stoppable([&](core::StopToken& stop) { return flow::maximum_flow(arcs, s, t, stop); });
  const auto nodes = static_cast<py::ssize_t>(found.on_source_side.size());
  return py::make_tuple(found.value, column(std::move(found.flow)),
                        truths(std::move(found.on_source_side), {nodes}));
}

}  // namespace

void register_flow(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string like = "numpy.typing.ArrayLike";
  const auto array = [](const char* kind) { return std::string("numpy.typing.NDArray[numpy.") + kind + "]"; };
  const std::string plan = "tuple[str, float, float, tuple[" + array("int32") + ", " + array("float64") +
                           ", " + array("float64") + ", " + array("float64") + "], tuple[" +
                           array("float64") + ", " + array("bool_") + "] | None, tuple[int, int, int, int]]";
  py::class_<Problem>(m, "Problem", "Where data is, where it is wanted, and who can send to whom when.")
      .def(py::init(&make_problem), py::arg("contacts"), py::kw_only(), py::arg("supply_bytes"),
           py::arg("storage_bytes"), py::arg("demand_bytes"), py::arg("sinks"),
           ("__init__(self, contacts: constellm._core.network.ContactPlan, *, supply_bytes: " + like +
            ", storage_bytes: " + like + ", demand_bytes: " + like + ", sinks: list[int]) -> None")
               .c_str())
      .def_property_readonly("wanted_bytes",
                             py::cpp_function(&Problem::wanted_bytes, "wanted_bytes(self) -> float"));
  m.def(
      "bytes_of",
      [](const py::object& values, const std::string& name, std::size_t nodes) {
        return column(figures(values, name.c_str(), nodes));
      },
      py::arg("values"), py::arg("name"), py::arg("nodes"),
      ("bytes_of(values: " + like + ", name: str, nodes: int) -> " + array("float64")).c_str());
  m.def("quickest", &quickest, py::arg("problem"), py::arg("time_limit_s"),
        py::arg("first_cells") = flow::kFirstCells,
        ("quickest(problem: Problem, time_limit_s: float, first_cells: int = " +
         std::to_string(flow::kFirstCells) + ") -> " + plan +
         "\n\nStatus, finish_s, lower_bound_s, flows, cut, counters.")
            .c_str());
  m.def("greedy", &greedy, py::arg("problem"), py::arg("moments_s"), py::arg("time_limit_s"),
        ("greedy(problem: Problem, moments_s: " + like + ", time_limit_s: float) -> " + plan +
         "\n\nOver the slots between the moments.")
            .c_str());
  m.def(
      "still_bound",
      [](const Problem& problem) {
        flow::Bound bound = flow::still_bound(problem);
        return py::make_tuple(bound.at_s, cut_of(std::move(bound.cut), problem.node_count()));
      },
      py::arg("problem"),
      ("still_bound(problem: Problem) -> tuple[float, tuple[" + array("float64") + ", " + array("bool_") +
       "] | None]\n\nBefore which no plan ends, by cuts that do not change.")
          .c_str());
  m.def("maximum_flow", &maximum_flow, py::arg("from_"), py::arg("to"), py::arg("capacity"),
        py::arg("source"), py::arg("target"),
        ("maximum_flow(from_: " + like + ", to: " + like + ", capacity: " + like +
         ", source: int, target: int) -> tuple[int, " + array("int64") + ", " + array("bool_") + "]")
            .c_str());
}

}  // namespace constellm::bindings
