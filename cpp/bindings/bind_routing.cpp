#include "columnar.hpp"
#include "constellm/core/index.hpp"
#include "constellm/network/routing.hpp"
#include "latency_arrays.hpp"
#include "register.hpp"
#include "stoppable.hpp"
#include "vectors.hpp"

namespace constellm::bindings {
namespace {

using network::Graph;
using network::Timeline;

/// Whether each node passes on; empty for None: all do.
std::vector<std::uint8_t> relays_from(const py::object& value, std::size_t nodes) {
  if (value.is_none()) return {};
  std::vector<std::uint8_t> relays(nodes, 0);
  for (const std::int32_t node : positions(value, "relays", nodes)) relays[core::z(node)] = 1;
  return relays;
}

py::tuple shortest_paths(const Graph& graph, const py::object& sources, const py::object& weight,
                         const py::object& relays, int threads) {
  const auto nodes = static_cast<std::size_t>(graph.node_count());
  const std::vector<std::int32_t> from = positions(sources, "sources", nodes);
  const std::vector<double> weights = figures(weight, "weight", static_cast<std::size_t>(graph.link_count()));
  const std::vector<std::uint8_t> passing = relays_from(relays, nodes);
  network::ShortestPaths paths = stoppable([&](core::StopToken& stop) {
    return network::shortest_paths(graph.topology(), weights, from, passing, threads, stop);
  });
  const Shape shape{static_cast<py::ssize_t>(from.size()), static_cast<py::ssize_t>(nodes)};
  return py::make_tuple(moved(std::move(paths.cost), shape), moved(std::move(paths.link), shape));
}

py::tuple latencies(const Timeline& timeline, const py::object& sources, const py::object& targets,
                    const py::object& relays, int threads) {
  const std::size_t nodes = timeline[0].graph().nodes().size();
  const std::vector<std::int32_t> from = positions(sources, "sources", nodes);
  const std::vector<std::int32_t> to = positions(targets, "targets", nodes);
  const std::vector<std::uint8_t> passing = relays_from(relays, nodes);
  LatencyArrays made(timeline.size(), from.size(), to.size());
  const network::Latencies table = made.table();
  stoppable(
      [&](core::StopToken& stop) { network::latencies(timeline, from, to, passing, table, threads, stop); });
  return made.arrays();
}

py::array hops(const Graph& graph, const py::object& node, bool backward) {
  const std::size_t start = place(node, graph.nodes().size(), "node");
  const network::Topology& topology = graph.topology();
  return moved(network::hops(backward ? topology.in : topology.out, static_cast<std::int32_t>(start)),
               {graph.node_count()});
}

}  // namespace

void register_routing(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const std::string like = "numpy.typing.ArrayLike";
  const std::string found = "tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32]]";
  m.def("shortest_paths", &shortest_paths, py::arg("graph"), py::arg("sources"), py::arg("weight"),
        py::arg("relays"), py::arg("threads"),
        ("shortest_paths(graph: Graph, sources: " + like + ", weight: " + like + ", relays: " + like +
         " | None, threads: int) -> " + found + "\n\nLeast costs and last links (sources, nodes).")
            .c_str());
  m.def("latencies", &latencies, py::arg("timeline"), py::arg("sources"), py::arg("targets"),
        py::arg("relays"), py::arg("threads"),
        ("latencies(timeline: Timeline, sources: " + like + ", targets: " + like + ", relays: " + like +
         " | None, threads: int) -> " + found +
         "\n\nLeast latencies, and hops of their paths (snapshots, sources, targets).")
            .c_str());
  m.def("hops", &hops, py::arg("graph"), py::arg("start"), py::arg("backward"),
        "hops(graph: Graph, start: int, backward: bool) -> numpy.typing.NDArray[numpy.int32]\n\n"
        "Hops from the node at this position, or to it (nodes,).");
}

}  // namespace constellm::bindings
