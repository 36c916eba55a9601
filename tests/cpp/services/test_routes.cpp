#include <thread>

#include "catch.hpp"
#include "small.hpp"

using namespace constellm::services;
using namespace constellm::tests;
using constellm::core::Stopped;
using constellm::core::StopToken;

namespace {

Problem over(const constellm::network::Graph& graph, double bytes, std::vector<double> life_s = {}) {
  const Service service{.name = "m", .flop = 1e9, .hosts = all(graph.node_count())};
  return {graph, {service}, {chain(0, 0, {0, 0}, bytes)}, {}, Objective::delay, std::move(life_s)};
}

std::vector<std::int32_t> nodes_of(const Problem& problem, const Routes& routes, std::int32_t origin,
                                   std::int32_t target) {
  std::vector<std::int32_t> nodes{origin};
  for (const std::int32_t link : routes.links(1, origin, target))
    nodes.push_back(problem.graph().topology().to[static_cast<std::size_t>(link)]);
  return nodes;
}

}  // namespace

TEST_CASE("Of equal ways the first nodes count") {
  const Problem problem = over(grid(3, 3), 1e6);
  const Routes routes = routes_of(problem);
  CHECK(nodes_of(problem, routes, 0, 8) == std::vector<std::int32_t>{0, 1, 2, 5, 8});
  CHECK(nodes_of(problem, routes, 8, 0) == std::vector<std::int32_t>{8, 5, 2, 1, 0});
  CHECK(nodes_of(problem, routes, 6, 2) == std::vector<std::int32_t>{6, 3, 0, 1, 2});
  CHECK(routes.links(1, 4, 4).empty());
  CHECK(routes.seconds(1, 4, 4) == 0.0);
  double seconds = 0.0;
  for (int i = 0; i < 4; ++i) seconds += 0.01 + 8e6 / 1e9;
  CHECK(routes.seconds(1, 0, 8) == seconds);
}

TEST_CASE("Of equally quick ways the one of fewest links counts") {
  // 0 → 1 → 3 and 0 → 2 → 4 → 3 take as long, and so does 0 → 3 where rounding swallows a part.
  const std::vector<Arc> arcs{{0, 1, 1e9, 0.5},  {1, 3, 1e9, 0.5}, {0, 2, 1e9, 0.25},
                              {2, 4, 1e9, 0.25}, {4, 3, 1e9, 0.5}, {0, 3, 1e9, 1.0}};
  const Problem problem = over(graph_of({1, 1, 1, 1, 1}, arcs), 0.0);
  CHECK(nodes_of(problem, routes_of(problem), 0, 3) == std::vector<std::int32_t>{0, 3});
  const Problem without = over(graph_of({1, 1, 1, 1, 1}, {arcs.begin(), arcs.end() - 1}), 0.0);
  CHECK(nodes_of(without, routes_of(without), 0, 3) == std::vector<std::int32_t>{0, 1, 3});
}

TEST_CASE("A part of a quickest way that rounding hides need not be the quickest") {
  // 0 → 1 costs 1e-17 more over 2, which is lost beside the last link: nodes 0, 1, 3 by fewest links.
  const std::vector<Arc> arcs{{0, 1, 1e9, 2e-17}, {0, 2, 1e9, 1e-17}, {2, 1, 1e9, 0.0}, {1, 3, 1e9, 1.0}};
  const Problem problem = over(graph_of({1, 1, 1, 1}, arcs), 0.0);
  const Routes routes = routes_of(problem);
  CHECK(nodes_of(problem, routes, 0, 1) == std::vector<std::int32_t>{0, 2, 1});
  CHECK(nodes_of(problem, routes, 0, 3) == std::vector<std::int32_t>{0, 1, 3});
}

TEST_CASE("Links that data takes longer to cross than they live are not there") {
  const std::vector<Arc> arcs{{0, 1, 8e6, 0.0}, {0, 2, 8e6, 1.0}, {2, 1, 8e6, 1.0}};
  const Problem problem = over(graph_of({1, 1, 1}, arcs), 1e6, {0.5, 9.0, 9.0});
  const Routes routes = routes_of(problem);
  CHECK(routes.seconds(1, 0, 1) == 4.0);
  CHECK(nodes_of(problem, routes, 0, 1) == std::vector<std::int32_t>{0, 2, 1});
  CHECK(routes.seconds(2, 0, 1) == 0.0);  // the result has no bytes
  CHECK(routes.seconds(1, 1, 0) == kNone);
}

TEST_CASE("Routes are the same whichever threads ask for them") {
  const Problem problem = over(grid(6, 6), 1e5);
  const Routes alone = routes_of(problem);
  const Routes shared = routes_of(problem);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::int32_t v = 0; v < 36; ++v)
        for (std::int32_t w = 0; w < 36; ++w) static_cast<void>(shared.links(1, v, w));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::int32_t v = 0; v < 36; ++v) {
    for (std::int32_t w = 0; w < 36; ++w) {
      const auto mine = alone.links(1, v, w);
      const auto its = shared.links(1, v, w);
      REQUIRE(std::vector<std::int32_t>(mine.begin(), mine.end()) ==
              std::vector<std::int32_t>(its.begin(), its.end()));
    }
  }
}

TEST_CASE("Long ways are found without deep recursion") {
  std::vector<Arc> arcs;
  constexpr std::int32_t kNodes = 3000;
  for (std::int32_t v = 0; v + 1 < kNodes; ++v) arcs.push_back({v, v + 1, 1e9, 0.1});
  Service service{.name = "m", .flop = 1.0, .hosts = {0}};
  const Problem problem(graph_of(std::vector<double>(kNodes, 1.0), arcs), {service},
                        {chain(0, kNodes - 1, {0}, 1.0)}, {}, Objective::cost);
  CHECK(routes_of(problem).links(1, 0, kNodes - 1).size() == kNodes - 1);
}

TEST_CASE("Routes stop when told") {
  StopToken stop(std::numeric_limits<double>::infinity(), [] { return true; }, 1);
  CHECK_THROWS_AS(Routes(over(grid(4, 4), 1.0), stop), Stopped);
}
