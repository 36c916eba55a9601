#include <optional>

#include "columns.hpp"
#include "constellm/moe/drift/replan.hpp"
#include "register.hpp"
#include "solver_call.hpp"

namespace constellm::bindings {
namespace {

using moe::Drift;
using moe::Placement;

moe::MoveCosts moves_of(const py::object& value) {
  const py::array array = numbers(value, "move_s", "iuf", "numbers");
  if (array.ndim() == 0) return moe::MoveCosts(array.attr("item")().cast<double>());
  if (array.ndim() != 2 || array.shape(0) != array.shape(1)) {
    throw core::InvalidInput("move_s: expected a number or shape (satellites, satellites), got shape " +
                             shape_text(array));
  }
  const auto rows = py::array_t<double, py::array::c_style | py::array::forcecast>(array);
  return {static_cast<std::size_t>(rows.shape(0)), {rows.data(), rows.data() + rows.size()}};
}

Drift drift_of(std::vector<const moe::Problem*> windows, const py::object& tokens, const py::object& move_s,
               std::optional<Placement> start) {
  std::vector<double> counts = figures(tokens, "tokens", windows.size());
  Drift drift{std::move(windows), std::move(counts), moves_of(move_s), std::move(start)};
  moe::require_sound(drift);
  return drift;
}

py::tuple replan(const std::vector<const moe::Problem*>& windows, const py::object& tokens,
                 const py::object& move_s, std::optional<Placement> start, double time_limit_s) {
  const Drift drift = drift_of(windows, tokens, move_s, std::move(start));
  core::StopToken stop(time_limit_s, &interrupted);
  const moe::Schedule found = [&] {
    const GilReleased no_gil;
    return moe::replan(drift, stop);
  }();
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return py::make_tuple(std::string(core::to_text(found.status)), found.placements, found.lower_bound_s,
                        found.nodes);
}

py::tuple evaluated(const std::vector<const moe::Problem*>& windows, const py::object& tokens,
                    const py::object& move_s, std::optional<Placement> start,
                    const std::vector<Placement>& placements) {
  moe::ScheduleCost found = moe::evaluate(drift_of(windows, tokens, move_s, std::move(start)), placements);
  const auto count = static_cast<py::ssize_t>(windows.size());
  return py::make_tuple(found.cost_s, moved(std::move(found.token_latency_s), {count}),
                        moved(std::move(found.move_s), {count}), moved(std::move(found.moved), {count}));
}

void check(const std::vector<const moe::Problem*>& windows, const py::object& tokens,
           const py::object& move_s, std::optional<Placement> start) {
  drift_of(windows, tokens, move_s, std::move(start));
}

}  // namespace

void register_drift(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string like = "numpy.typing.ArrayLike";
  const std::string figures = "numpy.typing.NDArray[numpy.float64]";
  const std::string drift =
      "(windows: list[Problem], tokens: " + like + ", move_s: " + like + ", start: list[list[int]] | None";
  m.def("check_drift", &check, py::arg("windows"), py::arg("tokens"), py::arg("move_s"), py::arg("start"),
        ("check_drift" + drift + ") -> None\n\nRaises ValueError for what does not fit together.").c_str());
  m.def("replan", &replan, py::arg("windows"), py::arg("tokens"), py::arg("move_s"), py::arg("start"),
        py::arg("time_limit_s"),
        ("replan" + drift +
         ", time_limit_s: float) -> tuple[str, list[list[list[int]]], float, int]\n\nStatus, placements, "
         "lower_bound_s, nodes.")
            .c_str());
  m.def("evaluate_schedule", &evaluated, py::arg("windows"), py::arg("tokens"), py::arg("move_s"),
        py::arg("start"), py::arg("placements"),
        ("evaluate_schedule" + drift + ", placements: list[list[list[int]]]) -> tuple[float, " + figures +
         ", " + figures +
         ", numpy.typing.NDArray[numpy.int32]]\n\nCost, latency of a token, cost of moving and experts "
         "moved, by window.")
            .c_str());
}

}  // namespace constellm::bindings
