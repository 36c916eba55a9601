#include <limits>

#include "catch.hpp"
#include "constellm/network/graph.hpp"
#include "network/random_graph.hpp"

using namespace constellm;
using network::Graph;
using network::LinkColumns;
using Positions = std::vector<std::int32_t>;

namespace {

std::shared_ptr<const network::NodeTable> three_nodes() {
  std::vector<network::Node> nodes(3);
  for (std::size_t v = 0; v < 3; ++v) nodes[v].id = std::string(1, static_cast<char>('a' + v));
  return std::make_shared<const network::NodeTable>(nodes);
}

LinkColumns figures(std::size_t links) {
  return {std::vector<double>(links, 1e9), std::vector<double>(links, 0.0), std::vector<double>(links, 0.0)};
}

std::string refusal(Positions from, Positions to, LinkColumns columns, network::LinkGroups groups = {}) {
  try {
    const Graph graph(three_nodes(), std::move(from), std::move(to), std::move(columns), std::move(groups));
  } catch (const core::InvalidInput& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("Rows hold every link once, by sender and by receiver", "[network]") {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const network::Network plain = tests::random_network(seed);
    const Graph graph(plain);
    INFO("seed " << seed);
    REQUIRE(graph.network() == plain);
    const network::Topology& t = graph.topology();
    for (const auto& [rows, here, there] :
         {std::tuple(&t.out, &t.from, &t.to), std::tuple(&t.in, &t.to, &t.from)}) {
      REQUIRE(rows->begin.front() == 0);
      REQUIRE(rows->begin.back() == graph.link_count());
      std::vector<int> seen(plain.links.size(), 0);
      for (std::int32_t v = 0; v < graph.node_count(); ++v) {
        for (auto a = rows->begin[std::size_t(v)]; a < rows->begin[std::size_t(v) + 1]; ++a) {
          const auto link = std::size_t(rows->link[std::size_t(a)]);
          ++seen[link];
          REQUIRE((*here)[link] == v);
          REQUIRE((*there)[link] == rows->node[std::size_t(a)]);
          if (a > rows->begin[std::size_t(v)])
            REQUIRE(rows->link[std::size_t(a) - 1] < rows->link[std::size_t(a)]);
        }
      }
      REQUIRE(seen == std::vector<int>(plain.links.size(), 1));
    }
  }
}

TEST_CASE("A graph from columns is the one from values", "[network]") {
  const Graph graph(three_nodes(), {0, 2}, {1, 0}, {{1e9, 2e9}, {0.0, 1e-3}, {0.5, 0.0}}, {{"isl"}, {-1, 0}});
  CHECK(graph == Graph(graph.network()));
  CHECK(graph.link(1) == network::Link{"c", "a", 2e9, 1e-3, 0.0, "isl"});
  CHECK(graph.node("c", "sink") == 2);
  CHECK_THROWS_WITH(graph.node("d", "sink"), "sink: no node has id 'd'");
  // Groups are equal by name, not by how they are numbered.
  CHECK(graph == Graph(graph.node_table(), {0, 2}, {1, 0}, graph.columns(), {{"s2g", "isl"}, {-1, 1}}));
  CHECK(!(graph == Graph(graph.node_table(), {0, 2}, {1, 0}, graph.columns())));
}

TEST_CASE("Copies, and graphs of other figures, share what is the same", "[network]") {
  const Graph graph(three_nodes(), {0, 1}, {1, 2}, figures(2));
  const Graph faster = graph.with({{2e9, 3e9}, {0.0, 0.0}, {0.0, 0.0}});
  CHECK(&faster.nodes() == &graph.nodes());
  CHECK(&faster.topology() == &graph.topology());
  CHECK(!(faster == graph));
  const Graph twin(graph.network());
  CHECK(twin == graph);
  CHECK(&twin.nodes() != &graph.nodes());
  CHECK(&twin.sharing(graph).nodes() == &graph.nodes());
  CHECK(&twin.sharing(graph).topology() == &graph.topology());
}

TEST_CASE("What is no graph is refused by field", "[network]") {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refusal({0}, {3}, figures(1)) == "links[0].to: 3 is not in [0, 3)");
  CHECK(refusal({0, -1}, {1, 2}, figures(2)) == "links[1].from: -1 is not in [0, 3)");
  CHECK(refusal({0}, {1, 2}, figures(1)) == "to: 2 entries for 1 links");
  CHECK(refusal({0}, {0}, figures(1)) == "links[0].to: a link from 'a' to itself");
  CHECK(refusal({0, 1, 0, 1}, {1, 0, 2, 0}, figures(4)) == "links[3]: a second link from 'b' to 'a'");
  CHECK(refusal({0}, {1}, {{}, {0.0}, {0.0}}) == "rate_bps: 0 entries for 1 links");
  CHECK(refusal({0}, {1}, {{0.0}, {0.0}, {0.0}}) == "links[0].rate_bps: 0 is not in (0, inf)");
  CHECK(refusal({0}, {1}, {{kInf}, {0.0}, {0.0}}) == "links[0].rate_bps: inf is not in (0, inf)");
  CHECK(refusal({0}, {1}, {{1.0}, {kNan}, {0.0}}) == "links[0].latency_s: nan is not in [0, inf)");
  CHECK(refusal({0}, {1}, {{1.0}, {0.0}, {-1.0}}) == "links[0].overhead_s: -1 is not in [0, inf)");
  CHECK(refusal({0}, {1}, figures(1), {{"isl"}, {1}}) == "links[0].group: 1 is not in [-1, 1)");
  CHECK_THROWS_WITH(network::NodeTable({}), "nodes: at least one is needed, got 0");
}

TEST_CASE("A hop takes its overhead and eight bits a byte", "[network]") {
  CHECK(network::hop_s({"a", "b", 1e6, 9.0, 0.25, {}}, 1e6) == 0.25 + 8.0);
}
