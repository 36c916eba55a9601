#include <optional>

#include "columns.hpp"
#include "constellm/moe/chain.hpp"
#include "constellm/moe/solve_chain.hpp"
#include "register.hpp"
#include "solver_call.hpp"

namespace constellm::bindings {
namespace {

using moe::Chain;
using Matrix = py::array_t<double, py::array::c_style>;
using Hosts = std::vector<std::int32_t>;

std::vector<double> values_of(const Matrix& array) { return {array.data(), array.data() + array.size()}; }

Chain make_chain(const std::vector<Matrix>& affinities, const std::optional<Matrix>& closing,
                 const Matrix& distance_s, const Matrix& compute_s, std::vector<std::int32_t> places) {
  moe::ChainFields fields;
  for (const Matrix& affinity : affinities) {
    fields.experts.push_back(static_cast<std::int32_t>(affinity.shape(0)));
    fields.affinities.push_back(values_of(affinity));
  }
  if (!affinities.empty()) fields.experts.push_back(static_cast<std::int32_t>(affinities.back().shape(1)));
  if (closing) fields.closing = values_of(*closing);
  fields.distance_s = values_of(distance_s);
  fields.compute_s = values_of(compute_s);
  fields.places = std::move(places);
  return Chain(std::move(fields));
}

py::tuple evaluated(const Chain& chain, const Hosts& hosts) {
  if (hosts.size() != chain.experts())
    throw core::InvalidInput("placement: has " + std::to_string(hosts.size()) + " experts");
  chain.require(hosts);
  std::vector<double> hop_s = chain.hop_s(hosts);
  std::vector<double> compute_s = chain.computing_s(hosts);
  const auto hops = static_cast<py::ssize_t>(hop_s.size());
  const auto layers = static_cast<py::ssize_t>(compute_s.size());
  return py::make_tuple(chain.token_latency_s(hosts), moved(std::move(hop_s), {hops}),
                        moved(std::move(compute_s), {layers}));
}

py::tuple solved(const Chain& chain, std::uint64_t seed, double time_limit_s) {
  core::StopToken stop(time_limit_s, &interrupted);
  const moe::ChainPlan plan = [&] {
    const GilReleased no_gil;
    return moe::solve_chain(chain, seed, stop);
  }();
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return py::make_tuple(std::string(core::to_text(plan.status)), plan.hosts, plan.token_latency_s,
                        plan.lower_bound_s, plan.nodes);
}

}  // namespace

void register_chain(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string array = "numpy.typing.NDArray[numpy.float64]";
  py::class_<Chain>(m, "Chain", "Experts that hand tokens on to each other.")
      .def(py::init(&make_chain), py::arg("affinities"), py::arg("closing"), py::arg("distance_s"),
           py::arg("compute_s"), py::arg("places"),
           ("__init__(self, affinities: list[" + array + "], closing: " + array +
            " | None, distance_s: " + array + ", compute_s: " + array + ", places: list[int]) -> None")
               .c_str());
  m.def("evaluate_chain", &evaluated, py::arg("chain"), py::arg("hosts"),
        ("evaluate_chain(chain: Chain, hosts: list[int]) -> tuple[float, " + array + ", " + array +
         "]\n\nToken latency, from layer to layer, computing by layer.")
            .c_str());
  m.def(
      "solve_chain", &solved, py::arg("chain"), py::arg("seed"), py::arg("time_limit_s"),
      "solve_chain(chain: Chain, seed: int, time_limit_s: float) -> tuple[str, list[int], float, float, int]"
      "\n\nStatus, hosts, token_latency_s, lower_bound_s, nodes.");
}

}  // namespace constellm::bindings
