// Routing against the definitions: every simple path, and a fixed point without an order.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>

#include "catch.hpp"
#include "constellm/network/routing.hpp"
#include "network/latency_table.hpp"
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

/// Whole numbers: sums are exact, so that equal means equal. With an even seed some are zero.
std::vector<double> whole_weights(const Graph& graph, std::uint64_t seed) {
  std::mt19937_64 random(seed + 12345);
  std::vector<double> weight;
  for (std::int32_t l = 0; l < graph.link_count(); ++l)
    weight.push_back(random() % 8 == 0 ? kInf : static_cast<double>(random() % 4 + seed % 2));
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
        const Positions path = network::path_to(tree, v);
        REQUIRE(path.back() == v);
        REQUIRE(path.size() == z(std::max(tree.hops[z(v)], 0)) + 1);
        if (tree.hops[z(v)] >= 0) REQUIRE(path.front() == source);
      }
      Positions sorted = tree.order;
      std::sort(sorted.begin(), sorted.end());
      REQUIRE(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
      std::vector<bool> settled(plain.nodes.size(), false);
      for (const std::int32_t v : tree.order) {
        REQUIRE((v == source || settled[z(tree.before[z(v)])]));
        settled[z(v)] = true;
      }
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
  const auto alone = network::shortest_paths(t, weight, sources, {}, 1, stop);
  const auto together = network::shortest_paths(t, weight, sources, {}, 4, stop);
  CHECK(alone.cost == together.cost);
  CHECK(alone.link == together.link);
  const network::PathTree last = network::shortest_tree(t.out, weight, sources.back());
  CHECK(std::equal(last.cost.begin(), last.cost.end(), alone.cost.end() - 1000));

  core::StopToken interrupted(kInf, [] { return true; });
  CHECK_THROWS_AS(network::shortest_paths(t, weight, sources, {}, 2, interrupted), core::Stopped);
  CHECK_THROWS_WITH(network::shortest_paths(t, weight, Positions{1000}, {}, 1, stop),
                    "sources[0]: 1000 is not in [0, 1000)");
  weight[3] = -1.0;
  CHECK_THROWS_WITH(network::shortest_paths(t, weight, sources, {}, 1, stop),
                    "weight[3]: -1 is not in [0, inf]");
  weight.pop_back();
  CHECK_THROWS_WITH(network::shortest_paths(t, weight, sources, {}, 1, stop),
                    "weight: 3999 entries for 4000 links");
}

TEST_CASE("Trees do not depend on how unequal the links elsewhere are", "[network]") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    const auto n = 2 + static_cast<std::int32_t>(random() % 60);
    const std::uint64_t lengths = std::uint64_t{1} << (2 * (round % 5));
    std::vector<network::Node> nodes(z(n) + 2);
    for (std::size_t v = 0; v < nodes.size(); ++v) nodes[v].id = std::to_string(v);
    Positions from;
    Positions to;
    std::vector<double> weight;
    for (std::int32_t v = 0; v < n; ++v) {
      for (std::int32_t w = 0; w < n; ++w) {
        if (v == w || random() % 8 != 0) continue;
        from.push_back(v);
        to.push_back(w);
        weight.push_back(static_cast<double>(1 + random() % lengths));
      }
    }
    // Two more nodes, whose link is either closed or far shorter than the others.
    from.push_back(n);
    to.push_back(n + 1);
    weight.push_back(kInf);
    const network::Topology t = network::make_topology(nodes, from, to);
    std::vector<double> uneven = weight;
    uneven.back() = 1e-9;
    std::vector<double> tiny = weight;  // sums of such are exact, too
    for (double& each : tiny) each *= 0x1p-1070;
    for (std::int32_t start = 0; start < n; ++start) {
      const network::PathTree even = network::shortest_tree(t.out, weight, start);
      const network::PathTree same = network::shortest_tree(t.out, uneven, start);
      REQUIRE(even.cost == same.cost);
      REQUIRE(even.hops == same.hops);
      REQUIRE(even.link == same.link);
      REQUIRE(even.before == same.before);
      REQUIRE(network::shortest_tree(t.out, tiny, start).link == even.link);
    }
  }
}

TEST_CASE("Who does not relay only begins or ends a path", "[network]") {
  std::size_t cut = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Graph graph(tests::random_network(seed));
    const network::Topology& t = graph.topology();
    const std::vector<double> weight = whole_weights(graph, seed);
    std::vector<std::uint8_t> relays;
    for (std::int32_t v = 0; v < graph.node_count(); ++v) relays.push_back((seed + z(v)) % 3 != 0);
    network::TreeSearch search;
    for (std::int32_t start = 0; start < graph.node_count(); ++start) {
      std::vector<double> open = weight;
      for (std::size_t l = 0; l < open.size(); ++l) {
        if (relays[z(t.from[l])] == 0 && t.from[l] != start) open[l] = kInf;
      }
      const network::PathTree& tree = search.from(start, network::Ways(t.out, weight, relays));
      const network::PathTree expected = network::shortest_tree(t.out, open, start);
      REQUIRE(tree.cost == expected.cost);
      REQUIRE(tree.hops == expected.hops);
      REQUIRE(tree.link == expected.link);
      cut += tree.cost != network::shortest_tree(t.out, weight, start).cost;
    }
  }
  CHECK(cut > 300);
}

TEST_CASE("Latencies of a timeline are those of its trees, whatever the number of threads", "[network]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Graph graph(tests::random_network(seed));
    network::LinkColumns later = graph.columns();
    for (double& latency_s : later.latency_s) latency_s = 2.0 - latency_s;
    const network::Timeline timeline({0.0, 1.0}, {graph, graph.with(later)});
    Positions all;
    for (std::int32_t v = 0; v < graph.node_count(); ++v) all.push_back(v);
    const Positions last{graph.node_count() - 1, 0};
    core::StopToken stop;
    tests::LatencyTable found(2 * all.size() * 2);
    network::latencies(timeline, all, last, {}, found.table(), 1 + static_cast<int>(seed % 3), stop);
    std::size_t cell = 0;
    for (std::size_t i = 0; i < timeline.size(); ++i) {
      for (const std::int32_t source : all) {
        const Graph& now = timeline[i].graph();
        const network::PathTree tree =
            network::shortest_tree(now.topology().out, now.columns().latency_s, source);
        for (const std::int32_t target : last) {
          REQUIRE(found.latency_s[cell] == tree.cost[z(target)]);
          REQUIRE(found.hops[cell++] == tree.hops[z(target)]);
        }
      }
    }
    CHECK_THROWS_WITH(network::latencies(timeline, all, Positions{-1}, {}, found.table(), 1, stop),
                      ContainsSubstring("targets[0]: -1 is not in [0, "));
    core::StopToken interrupted(kInf, [] { return true; });
    CHECK_THROWS_AS(network::latencies(timeline, all, last, {}, found.table(), 1, interrupted),
                    core::Stopped);
  }
}
