#include <tuple>
#include <utility>

#include "columns.hpp"
#include "constellm/services/evaluate.hpp"
#include "register.hpp"
#include "services_answer.hpp"
#include "stoppable.hpp"

namespace constellm::bindings {
namespace {

using services::Evaluation;
using services::Placement;
using services::Problem;
using services::Routes;

using ServiceFigures = std::tuple<std::string, double, double, double, std::vector<std::int32_t>>;
using StageFigures = std::pair<std::int32_t, std::vector<std::pair<std::int32_t, double>>>;

std::vector<services::Service> services_of(std::vector<ServiceFigures> given) {
  std::vector<services::Service> made;
  for (auto& [name, flop, memory_bytes, cost, hosts] : given)
    made.push_back({std::move(name), flop, memory_bytes, cost, std::move(hosts)});
  return made;
}

/// name, rate_per_s, deviation_per_s, source, sink, stages, output_bytes, deadline_s, weight of each.
std::vector<services::Task> tasks_of(const py::list& given) {
  std::vector<services::Task> made;
  for (const py::handle& each : given) {
    const auto of = each.cast<py::tuple>();
    if (of.size() != 9) throw py::type_error("tasks: expected nine values of each");
    services::Task task{.name = of[0].cast<std::string>(),
                        .rate_per_s = of[1].cast<double>(),
                        .deviation_per_s = of[2].cast<double>(),
                        .source = of[3].cast<std::int32_t>(),
                        .sink = of[4].cast<std::int32_t>(),
                        .stages = {},
                        .output_bytes = of[6].cast<double>(),
                        .deadline_s = of[7].cast<double>(),
                        .weight = of[8].cast<double>()};
    for (const auto& [service, inputs] : of[5].cast<std::vector<StageFigures>>()) {
      services::Stage stage{.service = service, .inputs = {}};
      for (const auto& [from, bytes] : inputs) stage.inputs.push_back({from, bytes});
      task.stages.push_back(std::move(stage));
    }
    made.push_back(std::move(task));
  }
  return made;
}

Problem make_problem(const network::Graph& graph, std::vector<ServiceFigures> given, const py::list& tasks,
                     double max_utilisation, double budget, double max_cost, const std::string& objective,
                     std::vector<double> life_s,
                     std::optional<std::pair<std::vector<double>, std::int32_t>> samples) {
  std::optional<services::Samples> drawn;
  if (samples) drawn = services::Samples{std::move(samples->first), samples->second};
  return {graph,
          services_of(std::move(given)),
          tasks_of(tasks),
          {max_utilisation, budget, max_cost},
          FromPython<services::Objective>::get(py::str(objective), "objective"),
          std::move(life_s),
          std::move(drawn)};
}

py::list transfers_of(const Problem& problem) {
  py::list made;
  for (const services::Transfer& transfer : problem.transfers())
    made.append(py::make_tuple(transfer.task, transfer.from, transfer.to, transfer.bytes));
  return made;
}

py::tuple limits_of(const Problem& problem) {
  std::vector<double> node;
  std::vector<double> link;
  std::vector<double> memory;
  std::vector<double> deadline;
  for (std::int32_t v = 0; v < problem.node_count(); ++v) {
    node.push_back(problem.node_capacity_flop_per_s(v));
    memory.push_back(problem.memory_limit_bytes(v));
  }
  for (std::int32_t a = 0; a < problem.link_count(); ++a) link.push_back(problem.link_capacity_bps(a));
  for (std::size_t t = 0; t < problem.tasks().size(); ++t)
    deadline.push_back(problem.deadline_limit_s(static_cast<std::int32_t>(t)));
  return py::make_tuple(py::cast(node), py::cast(link), py::cast(memory), py::cast(deadline),
                        problem.cost_limit());
}

std::vector<std::vector<std::int32_t>> hosts_of(const Problem& problem) {
  std::vector<std::vector<std::int32_t>> hosts;
  for (const services::Service& service : problem.services()) hosts.push_back(service.hosts);
  return hosts;
}

template <class T>
py::array column(std::vector<T>&& values) {
  const auto count = static_cast<py::ssize_t>(values.size());
  return moved(std::move(values), {count});
}

Placement placement_from(services::Replicas replicas, services::Assignment assignment) {
  return {std::move(replicas), std::move(assignment)};
}

py::tuple evaluated(const Problem& problem, const BoundRoutes& routes, services::Replicas replicas,
                    services::Assignment assignment) {
  Evaluation found =
      services::evaluate(problem, routes.routes, placement_from(std::move(replicas), std::move(assignment)));
  return py::make_tuple(found.cost, found.delay_s, found.rejected_weight,
                        column(std::move(found.task_delay_s)), column(std::move(found.node_load_flop_per_s)),
                        column(std::move(found.link_load_bps)), column(std::move(found.memory_bytes)),
                        found.broken_samples);
}

std::vector<std::string> broken(const Problem& problem, const BoundRoutes& routes,
                                services::Replicas replicas, services::Assignment assignment) {
  return services::broken(problem, routes.routes, placement_from(std::move(replicas), std::move(assignment)));
}

bool keeps_limits(const Problem& problem, const BoundRoutes& routes, services::Replicas replicas,
                  services::Assignment assignment) {
  const Placement placement = placement_from(std::move(replicas), std::move(assignment));
  return services::keeps_limits(problem, routes.routes, placement,
                                services::evaluate(problem, routes.routes, placement));
}

BoundRoutes routes_of(const Problem& problem) {
  return {problem, stoppable([&](core::StopToken& stop) { return Routes(problem, stop); })};
}

py::array seconds(const BoundRoutes& self, std::int32_t transfer, std::int32_t origin) {
  self.check(transfer, origin, origin);
  const std::span<const double> row = self.routes.seconds(transfer, origin);
  return column(std::vector<double>(row.begin(), row.end()));
}

py::array links(const BoundRoutes& self, std::int32_t transfer, std::int32_t origin, std::int32_t target) {
  self.check(transfer, origin, target);
  if (self.routes.seconds(transfer, origin, target) == services::kNone)
    throw core::InvalidInput("target: no way leads to node " + std::to_string(target));
  const std::span<const std::int32_t> path = self.routes.links(transfer, origin, target);
  return column(std::vector<std::int32_t>(path.begin(), path.end()));
}

}  // namespace

void register_services(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string placed =
      "(problem: Problem, routes: Routes, replicas: collections.abc.Sequence[collections.abc.Sequence[int]], "
      "assignment: collections.abc.Sequence[collections.abc.Sequence[int]]) -> ";
  const auto array = [](const char* kind) { return std::string("numpy.typing.NDArray[numpy.") + kind + "]"; };
  py::class_<Problem>(m, "Problem", "What is to be placed where, by positions.")
      .def(py::init(&make_problem), py::arg("graph"), py::arg("services"), py::arg("tasks"), py::kw_only(),
           py::arg("max_utilisation"), py::arg("budget"), py::arg("max_cost"), py::arg("objective"),
           py::arg("life_s"), py::arg("samples"),
           "__init__(self, graph: constellm._core.network.Graph, services: "
           "list[tuple[str, float, float, float, list[int]]], tasks: list[tuple[str, float, float, int, int, "
           "list[tuple[int, list[tuple[int, float]]]], float, float, float]], *, max_utilisation: float, "
           "budget: float, max_cost: float, objective: str, life_s: list[float], "
           "samples: tuple[list[float], int] | None) -> None")
      .def_property_readonly(
          "transfers",
          py::cpp_function(&transfers_of, "transfers(self) -> list[tuple[int, int, int, float]]"),
          "Task, stage it comes from, stage it goes to, bytes; -1: source, sink.")
      .def_property_readonly("first_transfer",
                             py::cpp_function([](const Problem& self) { return self.first_transfer(); },
                                              "first_transfer(self) -> list[int]"),
                             "Where each task's transfers begin, and where all end.")
      .def_property_readonly("hosts", py::cpp_function(&hosts_of, "hosts(self) -> list[list[int]]"),
                             "Of each service the nodes that may host it and compute.")
      .def("limits", &limits_of,
           "limits(self) -> tuple[list[float], list[float], list[float], list[float], float]\n\n"
           "With their room: of nodes' loads, links' loads, memory, deadlines, cost; infinite: none.");
  py::class_<BoundRoutes>(m, "Routes", "Ways of the least time for a problem's transfers.")
      .def(py::init(&routes_of), py::arg("problem"), "__init__(self, problem: Problem) -> None")
      .def(
          "seconds", &seconds, py::arg("transfer"), py::arg("origin"),
          ("seconds(self, transfer: int, origin: int) -> " + array("float64") + "\n\nTo every node.").c_str())
      .def("links", &links, py::arg("transfer"), py::arg("origin"), py::arg("target"),
           ("links(self, transfer: int, origin: int, target: int) -> " + array("int32") +
            "\n\nIn the order of travel.")
               .c_str());
  const std::string floats = array("float64");
  m.def("evaluate", &evaluated, py::arg("problem"), py::arg("routes"), py::arg("replicas"),
        py::arg("assignment"),
        ("evaluate" + placed + "tuple[float, float, float, " + floats + ", " + floats + ", " + floats + ", " +
         floats +
         ", int]\n\ncost, delay_s, rejected_weight, task_delay_s, node_load_flop_per_s, link_load_bps, "
         "memory_bytes, broken_samples.")
            .c_str());
  m.def("broken", &broken, py::arg("problem"), py::arg("routes"), py::arg("replicas"), py::arg("assignment"),
        ("broken" + placed + "list[str]\n\nEvery rule that a placement breaks.").c_str());
  m.def("keeps_limits", &keeps_limits, py::arg("problem"), py::arg("routes"), py::arg("replicas"),
        py::arg("assignment"), ("keeps_limits" + placed + "bool\n\nThe same as one answer.").c_str());
}

}  // namespace constellm::bindings
