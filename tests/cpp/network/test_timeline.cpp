#include <limits>
#include <map>

#include "catch.hpp"
#include "constellm/network/timeline.hpp"
#include "network/random_graph.hpp"

using namespace constellm;
using network::Graph;
using network::Snapshot;
using network::Timeline;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

std::size_t z(std::int32_t i) { return static_cast<std::size_t>(i); }

/// Some of the links of one network at each time.
std::vector<Graph> changing(std::uint64_t seed, std::size_t times) {
  std::mt19937_64 random(seed);
  const network::Network all = tests::random_network(seed);
  std::vector<Graph> graphs;
  for (std::size_t i = 0; i < times; ++i) {
    network::Network some = all;
    if (i > 0 && random() % 3 == 0) {
      some = graphs.back().network();
    } else {
      std::erase_if(some.links, [&](const network::Link&) { return random() % 3 == 0; });
    }
    graphs.emplace_back(some);
  }
  return graphs;
}

bool has_link(const Graph& graph, std::int32_t from, std::int32_t to) {
  for (std::size_t l = 0; l < graph.topology().from.size(); ++l) {
    if (graph.topology().from[l] == from && graph.topology().to[l] == to) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("Contacts, lifetimes and churn by their definitions", "[network]") {
  const std::vector<double> t_s{0.0, 1.5, 2.0, 4.0, 8.0};
  std::size_t contacts = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const std::vector<Graph> graphs = changing(seed, t_s.size());
    const Timeline timeline(t_s, graphs, 9.0);
    INFO("seed " << seed);
    // Pair by pair: the stretches in which it has a link.
    network::Contacts expected;
    for (std::size_t i = 0; i < t_s.size(); ++i) {
      std::int32_t opened = 0;
      std::int32_t closed = 0;
      for (std::int32_t a = 0; a < graphs[0].node_count(); ++a) {
        for (std::int32_t b = 0; b < graphs[0].node_count(); ++b) {
          const bool before = i > 0 && has_link(graphs[i - 1], a, b);
          const bool now = has_link(graphs[i], a, b);
          if (i > 0 && before && !now) ++closed;
          if (!now || before) continue;
          if (i > 0) ++opened;
          std::size_t end = i;
          while (end < t_s.size() && has_link(graphs[end], a, b)) ++end;
          expected.from.push_back(a);
          expected.to.push_back(b);
          expected.open_s.push_back(t_s[i]);
          expected.close_s.push_back(end < t_s.size() ? t_s[end] : 9.0);
        }
      }
      REQUIRE(timeline.opened()[i] == opened);
      REQUIRE(timeline.closed()[i] == closed);
    }
    REQUIRE(timeline.contacts() == expected);
    contacts += expected.from.size();
    for (std::size_t i = 0; i < t_s.size(); ++i) {
      const Snapshot& snapshot = timeline[i];
      REQUIRE(snapshot.graph() == graphs[i]);
      REQUIRE(snapshot.t_s() == t_s[i]);
      REQUIRE(snapshot.valid_s() == (i + 1 < t_s.size() ? t_s[i + 1] : 9.0) - t_s[i]);
      for (std::int32_t l = 0; l < graphs[i].link_count(); ++l) {
        std::size_t end = i;
        const network::Topology& t = graphs[i].topology();
        while (end < t_s.size() && has_link(graphs[end], t.from[z(l)], t.to[z(l)])) ++end;
        REQUIRE(snapshot.lifetime_s()[z(l)] == (end < t_s.size() ? t_s[end] - t_s[i] : kInf));
      }
    }
  }
  CHECK(contacts > 5000);
}

TEST_CASE("Snapshots of a timeline share their nodes, and equal topologies", "[network]") {
  const Graph one(tests::random_network(3));
  const Timeline timeline({0.0, 1.0, 2.0}, {one, Graph(one.network()), Graph(one.network())}, 3.0);
  CHECK(&timeline[2].graph().nodes() == &timeline[0].graph().nodes());
  CHECK(&timeline[2].graph().topology() == &timeline[0].graph().topology());
  CHECK(timeline == Timeline({0.0, 1.0, 2.0}, {one, one, one}, 3.0));
  CHECK(!(timeline == Timeline({0.0, 1.0, 2.0}, {one, one, one}, 4.0)));
}

TEST_CASE("Which snapshot holds when", "[network]") {
  const Graph graph(tests::random_network(3));
  const Timeline timeline({-1.0, 0.5, 2.0}, {graph, graph, graph}, 4.0);
  CHECK(timeline.at(-1.0).t_s() == -1.0);
  CHECK(timeline.at(std::nextafter(0.5, 0.0)).t_s() == -1.0);
  CHECK(timeline.at(0.5).t_s() == 0.5);
  CHECK(timeline.at(3.9).t_s() == 2.0);
  CHECK(timeline.next_change(-1.0) == 0.5);
  CHECK(timeline.next_change(0.5) == 2.0);
  CHECK(timeline.next_change(2.0) == kInf);
  CHECK_THROWS_WITH(timeline.at(4.0), "t_s: 4 is not in [-1, 4)");
  CHECK_THROWS_WITH(timeline.at(std::numeric_limits<double>::quiet_NaN()), "t_s: nan is not in [-1, 4)");
  CHECK_THROWS_WITH(timeline.next_change(-1.5), "t_s: -1.5 is not in [-1, 4)");
  CHECK(Timeline({0.0}, {graph}).at(1e300).valid_s() == kInf);
}

TEST_CASE("What is no snapshot or timeline is refused by field", "[network]") {
  const Graph graph(tests::random_network(3));
  const Graph other(network::Network{{{.id = "else", .layer_time_s = {}, .group = {}}}, {}, {}, {}});
  CHECK_THROWS_WITH(Timeline({}, {}), "t_s: at least one is needed, got 0");
  CHECK_THROWS_WITH(Timeline({0.0, 1.0}, {graph}), "graphs: 1 for 2 times");
  CHECK_THROWS_WITH(Timeline({0.0, 0.0}, {graph, graph}), "t_s[1]: 0 is not in (0, inf)");
  CHECK_THROWS_WITH(Timeline({kInf}, {graph}), "t_s[0]: inf is not in (-inf, inf)");
  CHECK_THROWS_WITH(Timeline({0.0}, {graph}, 0.0), "end_s: 0 is not in (0, inf]");
  CHECK_THROWS_WITH(Timeline({0.0, 1.0}, {graph, other}), "graphs[1]: its nodes are not those of graphs[0]");
  CHECK_THROWS_WITH(Snapshot(kInf, graph), "t_s: inf is not in (-inf, inf)");
  CHECK_THROWS_WITH(Snapshot(0.0, graph, 0.0), "valid_s: 0 is not in (0, inf]");
  const auto links = z(graph.link_count());
  CHECK_THROWS_WITH(Snapshot(0.0, other, 1.0, {1.0}), "lifetime_s: 1 entries for 0 links");
  CHECK_THROWS_WITH(Snapshot(0.0, graph, 1.0, std::vector<double>(links, -1.0)),
                    "lifetime_s[0]: -1 is not in [0, inf]");
}
