#include "columns.hpp"
#include "constellm/moe/host.hpp"
#include "register.hpp"
#include "solver_call.hpp"

namespace constellm::bindings {
namespace {

using moe::Copies;
using moe::Hosting;
using moe::Problem;

/// Figures by slot and satellite, broadcast by the caller.
std::vector<double> by_slot(const py::object& value, const char* name, const Problem& problem) {
  const py::array array = numbers(value, name, "iuf", "numbers");
  const std::vector<py::ssize_t> wanted{problem.slots(), problem.satellite_count()};
  if (array.ndim() != 2 || array.shape(0) != wanted[0] || array.shape(1) != wanted[1]) {
    throw core::InvalidInput(std::string(name) + ": expected shape (" + std::to_string(wanted[0]) + ", " +
                             std::to_string(wanted[1]) + "), got shape " + shape_text(array));
  }
  const auto values = py::array_t<double, py::array::c_style | py::array::forcecast>(array);
  return {values.data(), values.data() + values.size()};
}

Hosting make_hosting(const Problem& problem, std::vector<std::int32_t> places, const py::object& service_s,
                     std::vector<std::vector<std::int32_t>> copies, const py::object& most_activations) {
  return {problem,
          {.places = std::move(places),
           .service_s = by_slot(service_s, "service_s", problem),
           .copies = std::move(copies),
           .most_activations = by_slot(most_activations, "most_activations", problem)}};
}

py::tuple evaluated(const Hosting& hosting, const Copies& placement) {
  moe::HostingEvaluation found = [&] {
    const GilReleased no_gil;
    return moe::evaluate(hosting, placement);
  }();
  const auto layers = static_cast<py::ssize_t>(found.layer_latency_s.size());
  const py::ssize_t slots = hosting.problem().slots();
  const py::ssize_t satellites = hosting.problem().satellite_count();
  return py::make_tuple(found.token_latency_s, moved(std::move(found.layer_latency_s), {layers}),
                        moved(std::move(found.slot_latency_s), {layers, slots}),
                        moved(std::move(found.executions), {slots, satellites}));
}

py::tuple hosted(const Hosting& hosting, std::uint64_t seed, double time_limit_s) {
  core::StopToken stop(time_limit_s, &interrupted);
  const moe::HostingPlan plan = [&] {
    const GilReleased no_gil;
    return moe::host(hosting, seed, stop);
  }();
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return py::make_tuple(std::string(core::to_text(plan.status)), plan.placement, plan.token_latency_s,
                        plan.lower_bound_s, plan.anew_s, plan.nodes);
}

}  // namespace

void register_hosting(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string like = "numpy.typing.ArrayLike";
  const std::string array = "numpy.typing.NDArray[numpy.float64]";
  py::class_<Hosting>(m, "Hosting", "A problem with several experts on a satellite, and copies of experts.")
      .def(py::init(&make_hosting), py::arg("problem"), py::arg("places"), py::arg("service_s"),
           py::arg("copies"), py::arg("most_activations"), py::keep_alive<1, 2>(),
           ("__init__(self, problem: Problem, places: list[int], service_s: " + like +
            ", copies: list[list[int]], most_activations: " + like + ") -> None")
               .c_str());
  m.def("evaluate_hosting", &evaluated, py::arg("hosting"), py::arg("placement"),
        ("evaluate_hosting(hosting: Hosting, placement: list[list[list[int]]]) -> tuple[float, " + array +
         ", " + array + ", " + array +
         "]\n\nToken latency, by layer (layers,), by slot (layers, slots), executions (slots, satellites).")
            .c_str());
  m.def("host", &hosted, py::arg("hosting"), py::arg("seed"), py::arg("time_limit_s"),
        "host(hosting: Hosting, seed: int, time_limit_s: float) -> tuple[str, list[list[list[int]]], float, "
        "float, float, int]\n\nStatus, placement, token_latency_s, lower_bound_s, anew_s, nodes.");
}

}  // namespace constellm::bindings
