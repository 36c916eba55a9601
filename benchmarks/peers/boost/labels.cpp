// Resource-constrained shortest path on a layered graph by Boost's r_c_shortest_paths.
//
// Reads a text file (boost_labels.py writes it): `vertices source end source_node micro_batches budget
// upper_bound arcs`, for each vertex the least sum, bottleneck and error to the end, and for each arc `tail
// head stage_s ends_stage hop_s latency_s error node`. Prints the least delay, the seconds of graph set-up
// and search, the number of Pareto-optimal labels at the end, and the vertices on the way.
//
// A label holds sum, bottleneck, stage in progress, error and the nodes visited; all of them only grow
// along an arc, bar the stage, which the bottleneck takes over when it ends. The delay
// sum + (M - 1) * bottleneck is not additive, so the search returns all nondominated labels at the end and
// the least delay among them is the optimum.

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/r_c_shortest_paths.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

namespace {

struct Vertex {
  int number = 0;
  double least_sum_s = 0;  // to the end, as the next two
  double least_bottleneck_s = 0;
  double least_error = 0;
};

struct Arc {
  int number = 0;
  double stage_s = 0;
  bool ends_stage = false;
  double hop_s = 0;
  double latency_s = 0;
  double error = 0;
  std::uint64_t enters = 0;  // one bit, or none
};

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, Vertex, Arc>;

struct Label {
  double sum_s = 0;
  double bottleneck_s = 0;
  double stage_s = 0;
  double error = 0;
  std::uint64_t visited = 0;
};

// The order in which the library takes labels up.
bool operator<(const Label& a, const Label& b) {
  if (a.sum_s != b.sum_s) return a.sum_s < b.sum_s;
  if (a.bottleneck_s != b.bottleneck_s) return a.bottleneck_s < b.bottleneck_s;
  return a.error < b.error;
}

constexpr double kRoom = 1 + 1e-9;  // sums taken in another order differ by less

struct Extend {
  double budget;
  double upper_bound_s;
  int micro_batches;

  bool operator()(const Graph& graph, Label& to, const Label& from,
                  boost::graph_traits<Graph>::edge_descriptor edge) const {
    const Arc& arc = graph[edge];
    const double stage_s = from.stage_s + arc.stage_s;
    to.sum_s = from.sum_s + (arc.stage_s + arc.hop_s + arc.latency_s);
    to.bottleneck_s = std::max({from.bottleneck_s, arc.hop_s, arc.ends_stage ? stage_s : 0.0});
    to.stage_s = arc.ends_stage ? 0.0 : stage_s;
    to.error = from.error + arc.error;
    to.visited = from.visited | arc.enters;
    if (to.error > budget || (from.visited & arc.enters) != 0) return false;
    if (std::isinf(upper_bound_s)) return true;
    const Vertex& head = graph[boost::target(edge, graph)];
    const double bottleneck_s = std::max({to.bottleneck_s, to.stage_s, head.least_bottleneck_s});
    return to.error + head.least_error <= budget * kRoom &&
           to.sum_s + head.least_sum_s + (micro_batches - 1) * bottleneck_s <= upper_bound_s * kRoom;
  }
};

struct Dominates {
  bool operator()(const Label& a, const Label& b) const {
    return a.sum_s <= b.sum_s && a.bottleneck_s <= b.bottleneck_s && a.stage_s <= b.stage_s &&
           a.error <= b.error && (a.visited & ~b.visited) == 0;
  }
};

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: boost_labels GRAPH\n";
    return 2;
  }
  std::ifstream file(argv[1]);
  std::size_t vertices = 0, source = 0, end = 0, arcs = 0;
  int source_node = 0, micro_batches = 0;
  std::string budget, upper_bound_s;  // as text: the stream does not read "inf"
  file >> vertices >> source >> end >> source_node >> micro_batches >> budget >> upper_bound_s >> arcs;
  std::vector<Vertex> to_go(vertices);
  for (std::size_t v = 0; v < vertices; ++v) {
    to_go[v].number = static_cast<int>(v);
    std::string sum_s, bottleneck_s, error;
    file >> sum_s >> bottleneck_s >> error;
    if (!file) break;
    to_go[v].least_sum_s = std::stod(sum_s);
    to_go[v].least_bottleneck_s = std::stod(bottleneck_s);
    to_go[v].least_error = std::stod(error);
  }

  struct Line {
    std::size_t tail, head;
    Arc arc;
  };
  std::vector<Line> lines(arcs);
  int number = 0;
  for (Line& line : lines) {
    int node = 0;
    file >> line.tail >> line.head >> line.arc.stage_s >> line.arc.ends_stage >> line.arc.hop_s >>
        line.arc.latency_s >> line.arc.error >> node;
    line.arc.enters = node < 0 ? 0 : std::uint64_t{1} << node;
    line.arc.number = number++;
  }
  if (!file) {
    std::cerr << argv[1] << ": not a layered graph\n";
    return 2;
  }

  const auto begun = std::chrono::steady_clock::now();
  Graph graph;
  for (const Vertex& vertex : to_go) boost::add_vertex(vertex, graph);
  for (const Line& line : lines) boost::add_edge(line.tail, line.head, line.arc, graph);
  const double build_s = seconds_since(begun);

  const auto started = std::chrono::steady_clock::now();
  std::vector<std::vector<boost::graph_traits<Graph>::edge_descriptor>> routes;
  std::vector<Label> labels;
  Label first;
  first.visited = std::uint64_t{1} << source_node;
  boost::r_c_shortest_paths(graph, boost::get(&Vertex::number, graph), boost::get(&Arc::number, graph),
                            boost::vertex(source, graph), boost::vertex(end, graph), routes, labels, first,
                            Extend{std::stod(budget), std::stod(upper_bound_s), micro_batches}, Dominates{},
                            std::allocator<boost::r_c_shortest_paths_label<Graph, Label>>(),
                            boost::default_r_c_shortest_paths_visitor());
  double delay_s = std::numeric_limits<double>::infinity();
  std::size_t best = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double value = labels[i].sum_s + (micro_batches - 1) * labels[i].bottleneck_s;
    if (value < delay_s) {
      delay_s = value;
      best = i;
    }
  }
  const double search_s = seconds_since(started);

  std::cout << std::setprecision(17) << delay_s << ' ' << build_s << ' ' << search_s << ' ' << labels.size();
  if (!labels.empty()) {
    std::cout << ' ' << source;  // the library lists the edges from the end backwards
    for (auto edge = routes[best].rbegin(); edge != routes[best].rend(); ++edge) {
      std::cout << ' ' << boost::target(*edge, graph);
    }
  }
  std::cout << '\n';
}
