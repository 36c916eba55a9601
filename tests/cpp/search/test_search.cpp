// The whole search against every walk of small random graphs.
#include <cmath>

#include "catch.hpp"
#include "constellm/search/congestion.hpp"
#include "constellm/search/measure.hpp"
#include "constellm/search/solver.hpp"
#include "search/every_walk.hpp"
#include "search/random_graph.hpp"

using namespace constellm;
using search::kInfinity;
using tests::EveryWalk;
using tests::Sums;

namespace {

/// Keeps the least value of the simple walks that keep the limits.
class Best : public search::Incumbents {
 public:
  Best(const search::LayeredGraph& graph, const search::Goal& goal) : graph_(graph), goal_(goal) {}

  void offer(const search::Walk& walk) override {
    std::vector<bool> seen(core::z(graph_.nodes()), false);
    for (const std::int32_t vertex : walk.vertices) {
      const auto node = core::z(graph_.node[core::z(vertex)]);
      if (seen[node]) return;
      seen[node] = true;
    }
    search::Consumption taken;
    search::measure(graph_, goal_, walk, taken);
    if (taken.bottleneck > search::with_room(goal_.bottleneck_cap_s)) return;
    for (std::size_t r = 0; r < taken.used.size(); ++r) {
      if (taken.used[r] > goal_.limits[r]) return;
    }
    value = std::min(value, taken.cost + goal_.bottleneck_rate * taken.bottleneck);
  }
  [[nodiscard]] double cutoff() const override { return value * (1.0 - search::kPruneRoom); }

  double value = kInfinity;

 private:
  const search::LayeredGraph& graph_;
  const search::Goal& goal_;
};

double best_of_all(const search::LayeredGraph& graph, const search::Goal& goal) {
  EveryWalk every(graph, goal);
  double best = kInfinity;
  every.from_source([&](const Sums& sums) {
    if (sums.bottleneck <= goal.bottleneck_cap_s && tests::keeps_limits(goal, sums))
      best = std::min(best, sums.cost + goal.bottleneck_rate * sums.bottleneck);
  });
  return best;
}

/// Searches random graphs with so many resources; how many of them have a solution.
std::size_t search_graphs(std::uint64_t graphs, std::size_t resources) {
  search::Workspace workspace;  // shared by all
  std::size_t solved = 0;
  for (std::uint64_t seed = 0; seed < graphs; ++seed) {
    tests::Random r(seed + 1000 * resources);
    const search::LayeredGraph graph = tests::random_graph(r);
    search::Goal goal = tests::random_goal(r, graph, resources);
    if (r.chance(0.3)) goal.bottleneck_cap_s = r.uniform(0.5, 2.0);
    search::SolveOptions options;
    options.intervals = r.chance(0.8);
    Best best(graph, goal);
    core::StopToken never;
    search::Counters counters;
    const search::Answer answer = search::solve({graph, goal, best, never, workspace, counters}, options);
    const double truth = best_of_all(graph, goal);
    solved += truth < kInfinity ? 1 : 0;
    INFO("seed " << seed << ", " << resources << " resources");
    CHECK(answer.outcome == search::Outcome::proven);
    CHECK((best.value == truth || std::abs(best.value - truth) <= 1e-9 * truth));
    CHECK(answer.lower_bound <= truth * (1.0 + 1e-9));
  }
  return solved;
}

}  // namespace

TEST_CASE("The search proves the best of all walks, with and without cycles", "[search]") {
  for (std::size_t resources = 0; resources < 3; ++resources)
    CHECK(search_graphs(tests::random_problems(1000, 10000), resources) > 300);
}

TEST_CASE("Ten resources are limited as one is", "[search]") {
  CHECK(search_graphs(tests::random_problems(500, 5000), 10) > 50);
}

TEST_CASE("Paths of congestion prices are simple and lead from source to sink", "[search]") {
  std::size_t paths = 0;
  search::Workspace workspace;
  for (std::uint64_t seed = 0; seed < tests::random_problems(1000, 10000); ++seed) {
    tests::Random r(seed);
    const search::LayeredGraph graph = tests::random_graph(r);
    if (graph.acyclic) continue;
    const search::Goal goal = tests::random_goal(r, graph, 1);
    Best best(graph, goal);
    core::StopToken never;
    search::Counters counters;
    INFO("seed " << seed);
    search::simple_paths({graph, goal, best, never, workspace, counters},
                         [&](const std::vector<std::int32_t>& path) {
                           ++paths;
                           CHECK(path.front() == graph.source);
                           CHECK(path.back() == graph.sink);
                           std::vector<std::int32_t> sorted = path;
                           std::sort(sorted.begin(), sorted.end());
                           CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
                         });
    CHECK(best.value >= best_of_all(graph, goal) * (1.0 - 1e-9));
  }
  CHECK(paths > 100);
}
