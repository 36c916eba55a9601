#include <cmath>
#include <optional>

#include "columns.hpp"
#include "constellm/moe/evaluate.hpp"
#include "constellm/moe/gateways.hpp"
#include "constellm/moe/ring_schedule.hpp"
#include "constellm/moe/solve.hpp"
#include "constellm/moe/trace_latency.hpp"
#include "register.hpp"
#include "solver_call.hpp"
#include "stoppable.hpp"

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
    if (layer.size() != 3) throw py::type_error("layers: expected weights, latency_s and base_s of each");
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

/// `expert_ids` (layers, tokens, top_k), in which Python has found nothing wrong.
py::tuple trace_latency(const Problem& problem, const Placement& placement,
                        const py::array_t<std::uint16_t, py::array::c_style>& expert_ids,
                        std::int32_t first_slot, std::int32_t end_slot) {
  const auto layers = static_cast<py::ssize_t>(problem.layers().size());
  if (expert_ids.ndim() != 3 || expert_ids.shape(0) != layers || expert_ids.shape(2) != problem.top_k())
    throw core::InvalidInput("expert_ids: got shape " + shape_text(expert_ids));
  if (first_slot < 0 || first_slot >= end_slot || end_slot > problem.slots())
    throw core::InvalidInput("slots: there are " + std::to_string(problem.slots()));
  const py::ssize_t tokens = expert_ids.shape(1);
  const std::span ids(expert_ids.data(), static_cast<std::size_t>(expert_ids.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::size_t layer = i / (ids.size() / problem.layers().size());
    if (ids[i] >= problem.layers()[layer].picks.experts())
      throw core::InvalidInput("expert_ids: " + std::to_string(ids[i]) + " in layer " +
                               std::to_string(layer));
  }
  moe::TraceLatency found = stoppable([&](core::StopToken& stop) {
    return moe::trace_latency(problem, placement, {static_cast<std::size_t>(tokens), ids}, first_slot,
                              end_slot, stop);
  });
  return py::make_tuple(
      moved(std::move(found.slot_latency_s), {layers, static_cast<py::ssize_t>(end_slot - first_slot)}),
      moved(std::move(found.token_latency_s), {tokens}));
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
  const std::vector<double> given = column_of(shares, "shares");
  std::vector<double> weights =
      stoppable([&](core::StopToken& stop) { return moe::weights_of_shares(given, top_k, stop); });
  const auto count = static_cast<py::ssize_t>(weights.size());
  return moved(std::move(weights), {count});
}

/// [slots][gateways][satellites], none of them empty: numbers in [0, inf].
py::array_t<double> ways(const py::object& value, const char* name) {
  const py::array array = numbers(value, name, "iuf", "numbers");
  if (array.ndim() != 3 || array.size() == 0) {
    throw core::InvalidInput(std::string(name) +
                             ": expected shape (slots, gateways, satellites), none of them 0, got shape " +
                             shape_text(array));
  }
  const auto made = py::array_t<double, py::array::c_style | py::array::forcecast>(array);
  for (py::ssize_t i = 0; i < made.size(); ++i)
    if (!(made.data()[i] >= 0.0)) core::throw_out_of_range(name, made.data()[i], "[0, inf]");
  return made;
}

/// By gateway: one of the satellites, or -1.
std::vector<std::int32_t> own_of(const py::object& value, py::ssize_t gateways, py::ssize_t satellites) {
  const std::vector<double> given = figures(value, "own", static_cast<std::size_t>(gateways));
  std::vector<std::int32_t> own;
  for (const double one : given) {
    if (!(one >= -1.0 && one < static_cast<double>(satellites)) || one != std::floor(one)) {
      core::throw_out_of_range("own", one,
                               "[-1, " + std::to_string(satellites - 1) + "], the satellites, and whole");
    }
    own.push_back(static_cast<std::int32_t>(one));
  }
  return own;
}

py::tuple gateway_costs(const py::object& weights, std::int32_t top_k, const py::object& from_s,
                        const py::object& to_s, const py::object& own, std::optional<double> unreachable_s,
                        int threads) {
  const moe::Picks picks(column_of(weights, "weights"), top_k);
  const py::array_t<double> from = ways(from_s, "from_s");
  const py::array_t<double> to = ways(to_s, "to_s");
  if (to.shape(0) != from.shape(0) || to.shape(2) != from.shape(2)) {
    throw core::InvalidInput("to_s: shape " + shape_text(to) + " beside from_s of shape " + shape_text(from));
  }
  if (unreachable_s) core::require_non_negative("unreachable_s", *unreachable_s);
  const std::vector<std::int32_t> gateway = own_of(own, from.shape(1), from.shape(2));
  const moe::OpenLayer layer{
      .picks = picks,
      .slots = static_cast<std::int32_t>(from.shape(0)),
      .satellites = static_cast<std::int32_t>(from.shape(2)),
      .gateways = static_cast<std::int32_t>(from.shape(1)),
      .next = static_cast<std::int32_t>(to.shape(1)),
      .from_s = {from.data(), static_cast<std::size_t>(from.size())},
      .to_s = {to.data(), static_cast<std::size_t>(to.size())},
      .own = gateway,
      .unreachable_s = unreachable_s,
  };
  moe::GatewayCosts found =
      stoppable([&](core::StopToken& stop) { return moe::gateway_costs(layer, threads, stop); });
  const std::vector<py::ssize_t> shape{from.shape(1), to.shape(1)};
  return py::make_tuple(moved(std::move(found.value_s), shape), moved(std::move(found.bound_s), shape));
}

/// What a ring costs between gateways, layer by layer, and how many gateways each layer may have.
std::pair<moe::RingCosts, std::vector<std::int32_t>> ring_costs(const py::list& costs) {
  if (costs.empty()) throw core::InvalidInput("costs: must not be empty");
  moe::RingCosts cost_s;
  std::vector<std::int32_t> gateways;
  std::vector<py::ssize_t> next;
  for (const py::handle& cost : costs) {
    const auto array = rows_of(py::reinterpret_borrow<py::object>(cost), "costs");
    cost_s.emplace_back(array.data(), array.data() + array.size());
    gateways.push_back(static_cast<std::int32_t>(array.shape(0)));
    next.push_back(array.shape(1));
  }
  for (std::size_t l = 0; l < next.size(); ++l) {
    const std::int32_t wanted = gateways[(l + 1) % next.size()];
    if (next[l] == wanted) continue;
    throw core::InvalidInput("costs[" + std::to_string(l) + "]: " + std::to_string(next[l]) +
                             " columns are not " + std::to_string(wanted) +
                             ", the gateways of the next layer");
  }
  return {std::move(cost_s), std::move(gateways)};
}

py::tuple cheapest_ring(const py::list& costs) {
  const auto [cost_s, gateways] = ring_costs(costs);
  const moe::CheapestRing found = moe::cheapest_ring(cost_s, gateways);
  return py::make_tuple(found.gateways, found.cost_s);
}

py::tuple schedule_rings(const py::list& values, const py::list& bounds, double move_s) {
  if (values.empty() || bounds.size() != values.size())
    throw core::InvalidInput("values: expected as many windows as bounds, at least one");
  core::require_non_negative("move_s", move_s);
  moe::RingWindows windows;
  windows.move_s = move_s;
  const auto add = [&](const py::handle& costs, std::vector<moe::RingCosts>& to) {
    auto [cost_s, gateways] = ring_costs(costs.cast<py::list>());
    if (windows.gateways.empty()) windows.gateways = gateways;
    if (gateways != windows.gateways)
      throw core::InvalidInput("costs: every window has the same layers and gateways");
    to.push_back(std::move(cost_s));
  };
  for (const py::handle& costs : values) add(costs, windows.value_s);
  for (const py::handle& costs : bounds) add(costs, windows.bound_s);
  const moe::RingSchedule found =
      stoppable([&](core::StopToken& stop) { return moe::schedule_rings(windows, stop); });
  return py::make_tuple(found.gateways, found.cost_s, found.lower_bound_s, found.apart_s, found.still_s);
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
  limited("solve", [](const Problem& problem, core::StopToken& stop) { return moe::solve(problem, stop); });
  limited("exchange", &moe::exchange);
  m.def(
      "sorted", [](const Problem& problem) { return plan_of(moe::sorted(problem)); }, py::arg("problem"),
      ("sorted(problem: Problem) -> " + plan + told).c_str());
  m.def("evaluate", &evaluated, py::arg("problem"), py::arg("placement"),
        ("evaluate(problem: Problem, placement: list[list[int]]) -> tuple[float, " + array + ", " + array +
         "]\n\nToken latency, by layer (layers,), by slot (layers, slots).")
            .c_str());
  m.def("broken", &Problem::broken, py::arg("problem"), py::arg("placement"),
        "broken(problem: Problem, placement: list[list[int]]) -> list[str]\n\nWhat keeps it from being one.");
  m.def("trace_latency", &trace_latency, py::arg("problem"), py::arg("placement"), py::arg("expert_ids"),
        py::arg("first_slot"), py::arg("end_slot"),
        ("trace_latency(problem: Problem, placement: list[list[int]], expert_ids: "
         "numpy.typing.NDArray[numpy.uint16], first_slot: int, end_slot: int) -> tuple[" +
         array + ", " + array + "]\n\nBy slot, mean over the tokens (layers, slots); by token (tokens,).")
            .c_str());
  m.def("expected_latency_s", &expected_latency_s, py::arg("weights"), py::arg("latency_s"), py::arg("top_k"),
        ("expected_latency_s(weights: " + like + ", latency_s: " + like +
         ", top_k: int) -> float\n\nExpected maximum over the picks.")
            .c_str());
  m.def("activation_shares", &activation_shares, py::arg("weights"), py::arg("top_k"),
        ("activation_shares(weights: " + like + ", top_k: int) -> " + array).c_str());
  m.def("sampling_weights", &sampling_weights, py::arg("shares"), py::arg("top_k"),
        ("sampling_weights(shares: " + like + ", top_k: int) -> " + array).c_str());
  m.def("gateway_costs", &gateway_costs, py::arg("weights"), py::arg("top_k"), py::arg("from_s"),
        py::arg("to_s"), py::arg("own"), py::arg("unreachable_s"), py::arg("threads"),
        ("gateway_costs(weights: " + like + ", top_k: int, from_s: " + like + ", to_s: " + like +
         ", own: " + like + ", unreachable_s: float | None, threads: int) -> tuple[" + array + ", " + array +
         "]\n\nValue and bound between gateways (gateways, next).")
            .c_str());
  m.def("cheapest_ring", &cheapest_ring, py::arg("costs"),
        ("cheapest_ring(costs: list[" + like + "]) -> tuple[list[int], float]").c_str());
  m.def(
      "schedule_rings", &schedule_rings, py::arg("values"), py::arg("bounds"), py::arg("move_s"),
      ("schedule_rings(values: collections.abc.Sequence[collections.abc.Sequence[" + like +
       "]], bounds: collections.abc.Sequence[collections.abc.Sequence[" + like +
       "]], move_s: float) -> tuple[list[list[int]], float, float, float, float]\n\nGateways of each window, "
       "what they cost, a bound of all, and what windows planned apart and one ring for all cost.")
          .c_str());
}

}  // namespace constellm::bindings
