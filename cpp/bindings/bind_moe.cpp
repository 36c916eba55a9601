#include <memory>
#include <optional>

#include "columns.hpp"
#include "constellm/moe/evaluate.hpp"
#include "constellm/moe/solve.hpp"
#include "register.hpp"
#include "solver_call.hpp"

namespace constellm::bindings {
namespace {

using moe::Placement;
using moe::Problem;

/// Numbers in rows, as they lie in C++.
py::array_t<double> rows_of(const py::object& value, const char* name) {
  const py::array array = numbers(value, name, "iuf", "numbers");
  if (array.ndim() != 2)
    throw core::InvalidInput(std::string(name) + ": expected shape (slots, satellites), got shape " +
                             shape_text(array));
  return py::array_t<double, py::array::c_style | py::array::forcecast>(array);
}

std::vector<double> column_of(const py::object& value, const char* name) {
  const py::array array = numbers(value, name, "iuf", "numbers");
  if (array.ndim() != 1)
    throw core::InvalidInput(std::string(name) + ": expected one dimension, got shape " + shape_text(array));
  return figures(array, name, static_cast<std::size_t>(array.size()));
}

Problem make_problem(std::string name, std::int32_t top_k, std::vector<std::string> satellites,
                     std::optional<double> unreachable_s, const py::list& layers) {
  std::vector<moe::LayerFields> fields;
  py::ssize_t slots = 0;
  for (const py::handle& given : layers) {
    const auto layer = given.cast<py::tuple>();
    const std::string where = "layers[" + std::to_string(fields.size()) + "].";
    const py::array_t<double> latency_s = rows_of(layer[1], (where + "latency_s").c_str());
    if (fields.empty()) slots = latency_s.shape(0);
    if (latency_s.shape(0) != slots || latency_s.shape(1) != static_cast<py::ssize_t>(satellites.size())) {
      throw core::InvalidInput(where + "latency_s: shape " + shape_text(latency_s) + " is not (" +
                               std::to_string(slots) + ", " + std::to_string(satellites.size()) +
                               "), the slots of layers[0] and the satellites");
    }
    fields.push_back({column_of(layer[0], (where + "weights").c_str()),
                      {latency_s.data(), latency_s.data() + latency_s.size()},
                      layer[2].cast<double>()});
  }
  return {std::move(name),  top_k, std::move(satellites), unreachable_s, static_cast<std::int32_t>(slots),
          std::move(fields)};
}

py::tuple plan_of(const moe::Plan& plan) {
  return py::make_tuple(std::string(core::to_text(plan.status)), plan.placement, plan.token_latency_s,
                        plan.lower_bound_s, plan.nodes);
}

template <class Solver>
py::tuple solved(const Problem& problem, double time_limit_s, Solver solver) {
  core::StopToken stop(time_limit_s, &interrupted);
  const moe::Plan plan = [&] {
    const GilReleased no_gil;
    return solver(problem, stop);
  }();
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return plan_of(plan);
}

py::tuple evaluated(const Problem& problem, const Placement& placement) {
  moe::Evaluation found = moe::evaluate(problem, placement);
  const auto layers = static_cast<py::ssize_t>(found.layer_latency_s.size());
  return py::make_tuple(
      found.token_latency_s, moved(std::move(found.layer_latency_s), {layers}),
      moved(std::move(found.slot_latency_s), {layers, static_cast<py::ssize_t>(problem.slots())}));
}

double expected_latency_s(const py::object& weights, const py::object& latency_s, std::int32_t top_k) {
  const moe::Picks picks(column_of(weights, "weights"), top_k);
  const std::vector<double> placed = column_of(latency_s, "latency_s");
  if (placed.size() != picks.weights().size()) {
    throw core::InvalidInput("latency_s: " + std::to_string(placed.size()) + " numbers for " +
                             std::to_string(picks.weights().size()) + " weights");
  }
  for (std::size_t i = 0; i < placed.size(); ++i)
    core::require_non_negative("latency_s[" + std::to_string(i) + "]", placed[i]);
  return moe::expected_latency_s(picks, placed);
}

py::array activation_shares(const py::object& weights, std::int32_t top_k) {
  std::vector<double> shares = moe::Picks(column_of(weights, "weights"), top_k).inclusion();
  for (double& share : shares) share /= top_k;
  const auto count = static_cast<py::ssize_t>(shares.size());
  return moved(std::move(shares), {count});
}

py::array sampling_weights(const py::object& shares, std::int32_t top_k) {
  std::vector<double> weights = moe::weights_of_shares(column_of(shares, "shares"), top_k);
  const auto count = static_cast<py::ssize_t>(weights.size());
  return moved(std::move(weights), {count});
}

}  // namespace

void register_moe(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string like = "numpy.typing.ArrayLike";
  const std::string array = "numpy.typing.NDArray[numpy.float64]";
  const std::string plan = "tuple[str, list[list[int]], float, float, int]";
  py::class_<Problem>(m, "Problem", "Experts of several layers that want satellites.")
      .def(py::init(&make_problem), py::arg("name"), py::arg("top_k"), py::arg("satellites"),
           py::arg("unreachable_s"), py::arg("layers"),
           ("__init__(self, name: str, top_k: int, satellites: list[str], unreachable_s: float | None, "
            "layers: "
            "list[tuple[" +
            like + ", " + like + ", float]]) -> None")
               .c_str());
  const std::string call = "(problem: Problem, time_limit_s: float) -> " + plan;
  const std::string told = "\n\nStatus, placement, token_latency_s, lower_bound_s, nodes.";
  const auto limited = [&](const char* name, moe::Plan (*solver)(const Problem&, core::StopToken&)) {
    m.def(
        name,
        [solver](const Problem& problem, double time_limit_s) {
          return solved(problem, time_limit_s, solver);
        },
        py::arg("problem"), py::arg("time_limit_s"), (name + call + told).c_str());
  };
  limited("solve", &moe::solve);
  limited("exchange", &moe::exchange);
  m.def(
      "sorted", [](const Problem& problem) { return plan_of(moe::sorted(problem)); }, py::arg("problem"),
      ("sorted(problem: Problem) -> " + plan + told).c_str());
  m.def("evaluate", &evaluated, py::arg("problem"), py::arg("placement"),
        ("evaluate(problem: Problem, placement: list[list[int]]) -> tuple[float, " + array + ", " + array +
         "]\n\nToken latency, by layer (layers,), by slot (layers, slots).")
            .c_str());
  m.def("expected_latency_s", &expected_latency_s, py::arg("weights"), py::arg("latency_s"), py::arg("top_k"),
        ("expected_latency_s(weights: " + like + ", latency_s: " + like +
         ", top_k: int) -> float\n\nExpected maximum over the picks.")
            .c_str());
  m.def("activation_shares", &activation_shares, py::arg("weights"), py::arg("top_k"),
        ("activation_shares(weights: " + like + ", top_k: int) -> " + array).c_str());
  m.def("sampling_weights", &sampling_weights, py::arg("shares"), py::arg("top_k"),
        ("sampling_weights(shares: " + like + ", top_k: int) -> " + array).c_str());
}

}  // namespace constellm::bindings
