// Routing against the definitions: every simple path, and a fixed point without an order.
#include <algorithm>
#include <limits>
#include <tuple>

#include "catch.hpp"
#include "constellm/network/routing.hpp"
#include "network/random_graph.hpp"

using namespace constellm;
using network::Graph;
using Positions = std::vector<std::int32_t>;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

std::size_t z(std::int32_t i) { return static_cast<std::size_t>(i); }

struct Best {
  double cost = kInf;
  std::int32_t hops = -1;
};

/// Tries every simple path from `v` on.
void try_paths(const network::Topology& t, const std::vector<double>& weight, std::int32_t v, double cost,
               std::int32_t hops, std::vector<bool>& on_path, std::vector<Best>& best) {
  Best& b = best[z(v)];
  if (cost < b.cost || (cost == b.cost && hops < b.hops)) b = {cost, hops};
  on_path[z(v)] = true;
  for (std::size_t l = 0; l < t.from.size(); ++l) {
    if (t.from[l] == v && !on_path[z(t.to[l])] && weight[l] < kInf)
      try_paths(t, weight, t.to[l], cost + weight[l], hops + 1, on_path, best);
  }
  on_path[z(v)] = false;
}

/// Whole milliseconds: sums are exact, so that equal means equal.
std::vector<double> whole_weights(const Graph& graph, std::uint64_t seed) {
  std::mt19937_64 random(seed + 12345);
  std::vector<double> weight;
  for (std::int32_t l = 0; l < graph.link_count(); ++l)
    weight.push_back(random() % 8 == 0 ? kInf : static_cast<double>(random() % 4));
  return weight;
}

}  // namespace

TEST_CASE("Trees of least cost are those of all simple paths", "[network]") {
  std::size_t reached = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    const network::Network plain = tests::random_network(seed);
    if (plain.nodes.size() > 7) continue;
    const Graph graph(plain);
    const network::Topology& t = graph.topology();
    const std::vector<double> weight = whole_weights(graph, seed);
    INFO("seed " << seed);
    for (std::int32_t source = 0; source < graph.node_count(); ++source) {
      std::vector<Best> best(plain.nodes.size());
      std::vector<bool> on_path(plain.nodes.size(), false);
      try_paths(t, weight, source, 0.0, 0, on_path, best);
      const network::PathTree tree = network::shortest_tree(t.out, weight, source);
      reached += tree.order.size();
      for (std::int32_t v = 0; v < graph.node_count(); ++v) {
        REQUIRE(tree.cost[z(v)] == best[z(v)].cost);
        REQUIRE(tree.hops[z(v)] == best[z(v)].hops);
        // The last link is the first in order of all that end a best path.
        std::int32_t first = network::kNoLink;
        for (std::int32_t l = graph.link_count() - 1; l >= 0; --l) {
          const Best& before = best[z(t.from[z(l)])];
          if (t.to[z(l)] == v && before.hops >= 0 && before.hops + 1 == best[z(v)].hops &&
              before.cost + weight[z(l)] == best[z(v)].cost && weight[z(l)] < kInf)
            first = l;
        }
        REQUIRE(tree.link[z(v)] == first);
        REQUIRE(tree.before[z(v)] == (first < 0 ? -1 : t.from[z(first)]));
        const Positions path = network::path_to(t, tree.link, v);
        REQUIRE(path.back() == v);
        REQUIRE(path.size() == z(std::max(tree.hops[z(v)], 0)) + 1);
        if (tree.hops[z(v)] >= 0) REQUIRE(path.front() == source);
      }
      Positions sorted = tree.order;
      std::sort(sorted.begin(), sorted.end());
      REQUIRE(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
      for (std::size_t i = 1; i < tree.order.size(); ++i)
        REQUIRE(tree.cost[z(tree.order[i - 1])] <= tree.cost[z(tree.order[i])]);
    }
  }
  CHECK(reached > 10'000);
}

TEST_CASE("Along the links turned around, costs lead to the start", "[network]") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Graph graph(tests::random_network(seed));
    const network::Topology& t = graph.topology();
    const std::vector<double> weight = whole_weights(graph, seed);
    for (std::int32_t target = 0; target < graph.node_count(); ++target) {
      const network::PathTree to = network::shortest_tree(t.in, weight, target);
      const Positions hops_to = network::hops(t.in, target);
      for (std::int32_t v = 0; v < graph.node_count(); ++v) {
        REQUIRE(to.cost[z(v)] == network::shortest_tree(t.out, weight, v).cost[z(target)]);
        const Positions path = network::fewest_hops(t, v, target);
        REQUIRE(hops_to[z(v)] == network::hops(t.out, v)[z(target)]);
        REQUIRE(static_cast<std::int32_t>(path.size()) == hops_to[z(v)] + 1);
        for (std::size_t i = 0; i + 1 < path.size(); ++i)
          REQUIRE(network::link_between(t, path[i], path[i + 1]) != network::kNoLink);
      }
    }
  }
}

TEST_CASE("Hops are costs of weight one", "[network]") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Graph graph(tests::random_network(seed));
    const std::vector<double> ones(z(graph.link_count()), 1.0);
    for (std::int32_t v = 0; v < graph.node_count(); ++v)
      REQUIRE(network::hops(graph.topology().out, v) ==
              network::shortest_tree(graph.topology().out, ones, v).hops);
  }
}

TEST_CASE("Many sources: every row a tree, whatever the number of threads", "[network]") {
  // A ring of 1,000 nodes with chords: enough work for several threads.
  std::vector<network::Node> nodes(1000);
  Positions from;
  Positions to;
  std::vector<double> weight;
  for (std::int32_t v = 0; v < 1000; ++v) {
    nodes[z(v)].id = std::to_string(v);
    for (const std::int32_t step : {1, 7, 100, 999}) {
      from.push_back(v);
      to.push_back((v + step) % 1000);
      weight.push_back(static_cast<double>((v * step) % 13));
    }
  }
  const network::Topology t = network::make_topology(nodes, from, to);
  Positions sources;
  for (std::int32_t v = 0; v < 1000; v += 5) sources.push_back(v);
  core::StopToken stop;
  const auto alone = network::shortest_paths(t, weight, sources, 1, stop);
  const auto together = network::shortest_paths(t, weight, sources, 4, stop);
  REQUIRE(alone);
  REQUIRE(together);
  CHECK(alone->cost == together->cost);
  CHECK(alone->link == together->link);
  const network::PathTree last = network::shortest_tree(t.out, weight, sources.back());
  CHECK(std::equal(last.cost.begin(), last.cost.end(), alone->cost.end() - 1000));

  core::StopToken interrupted(kInf, [] { return true; });
  CHECK(!network::shortest_paths(t, weight, sources, 2, interrupted));
  CHECK_THROWS_WITH(network::shortest_paths(t, weight, Positions{1000}, 1, stop),
                    "sources[0]: 1000 is not in [0, 1000)");
  weight[3] = -1.0;
  CHECK_THROWS_WITH(network::shortest_paths(t, weight, sources, 1, stop), "weight[3]: -1 is not in [0, inf]");
  weight.pop_back();
  CHECK_THROWS_WITH(network::shortest_paths(t, weight, sources, 1, stop),
                    "weight: 3999 entries for 4000 links");
}
