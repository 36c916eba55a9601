// Reaches, backward passes, traces and `measure` against every walk of small random graphs.
#include <cmath>

#include "catch.hpp"
#include "constellm/search/bottleneck_to_go.hpp"
#include "constellm/search/cost_to_go.hpp"
#include "constellm/search/measure.hpp"
#include "search/every_walk.hpp"
#include "search/random_graph.hpp"

using namespace constellm;
using search::kInfinity;
using tests::EveryWalk;
using tests::Random;
using tests::Sums;

namespace {

constexpr double kSame = 1e-11;  // sums of tens of terms in another order

bool close(double a, double b) {
  return a == b || std::abs(a - b) <= kSame * (1.0 + std::max(std::abs(a), std::abs(b)));
}

/// A random graph, objective and reach; a cap that cuts some walks off.
struct Case {
  explicit Case(std::uint64_t seed) : random(seed), graph(tests::random_graph(random)) {
    goal.objective = tests::random_resource(random, graph);
    cap = random.chance(0.4) ? kInfinity : random.uniform(0.3, 4.0);
    reach.set(graph, cap, never);
  }

  core::StopToken never;
  Random random;
  search::LayeredGraph graph;
  search::Goal goal;
  double cap = kInfinity;
  search::Reach reach;
};

}  // namespace

TEST_CASE("A stopped pass bounds nothing, whatever the table held before", "[search]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Case c(seed);
    search::CostPassScratch scratch;
    search::CostToGo table;
    table.resource = c.goal.objective;
    search::cost_pass(c.graph, c.reach, c.never, scratch, table);
    core::StopToken stopped(kInfinity, [] { return true; });
    search::cost_pass(c.graph, c.reach, stopped, scratch, table);
    CHECK(table.total == -kInfinity);
    search::BottleneckPassScratch memory;
    search::BottleneckToGo bottleneck;
    search::bottleneck_pass(c.graph, c.reach, c.never, memory, bottleneck);
    search::bottleneck_pass(c.graph, c.reach, stopped, memory, bottleneck);
    CHECK(bottleneck.total == 0.0);
  }
}

TEST_CASE("A reach excludes no walk that keeps the cap", "[search]") {
  std::size_t walks = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 10000); ++seed) {
    const Case c(seed);
    const auto& g = c.graph;
    EveryWalk every(g, c.goal, c.cap);
    bool inside = true;
    every.from_source([&](const Sums&) {
      ++walks;
      std::size_t next = 0;
      std::int32_t level = 0;
      for (const std::int32_t vertex : every.walk().vertices) {
        inside = inside && c.reach.arrives(vertex, level);
        if (next < every.walk().stages.size() && every.walk().stages[next].vertex == vertex) {
          const search::Stage& stage = every.walk().stages[next++];
          inside =
              inside &&
              stage.last <= c.reach.furthest[g.at(g.node[static_cast<std::size_t>(vertex)], stage.first)];
          level = stage.last;
        }
        // At the sink with nothing left to do, a walk is complete on arrival.
        inside = inside && (vertex == g.sink || c.reach.leaves(vertex, level));
      }
    });
    INFO("seed " << seed);
    CHECK(inside);
  }
  CHECK(walks > 6000);
}

TEST_CASE("A backward pass holds the least cost to go, and its trace attains the total", "[search]") {
  search::CostPassScratch scratch;  // used again: nothing of the last graph may show
  search::CostToGo table;
  search::Walk walk;
  search::Consumption taken;
  core::StopToken never;
  std::size_t compared = 0;
  std::size_t traced = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 10000); ++seed) {
    const Case c(seed);
    const auto& g = c.graph;
    table.resource = c.goal.objective;
    search::cost_pass(g, c.reach, never, scratch, table);
    EveryWalk every(g, c.goal, c.cap);
    const auto least = [&](auto&& walk_on) {
      double best = kInfinity;
      walk_on([&](const Sums& sums) { best = std::min(best, sums.cost); });
      return best;
    };
    // With cycles, the table's walks may come back to a node: it bounds from below.
    const auto agrees = [&](double entry, double truth) {
      ++compared;
      return close(entry, truth) || (!g.acyclic && entry <= truth);
    };
    INFO("seed " << seed << ", cap " << c.cap);
    CHECK(agrees(table.total, least([&](auto&& visit) { every.from_source(visit); })));
    bool same = true;
    for (std::int32_t vertex = 0; vertex < g.vertices(); ++vertex) {
      const bool hosts = g.can_host[static_cast<std::size_t>(g.node[static_cast<std::size_t>(vertex)])] != 0;
      every.stand_at(vertex);
      for (std::int32_t level = 0; level <= g.levels; ++level) {
        if (c.reach.leaves(vertex, level)) {
          for (std::int32_t k = 0; k < g.choices_at(level); ++k) {
            const double truth = least([&](auto&& visit) { every.leave(vertex, level, k, {}, visit); });
            same = same && agrees(table.pass_on[g.at(vertex, level, k)], truth);
          }
        }
        if (level < g.levels && hosts && c.reach.arrives(vertex, level)) {
          const double truth = least([&](auto&& visit) { every.stage(vertex, level, 0.0, {}, visit); });
          same = same && agrees(table.stage[g.at(vertex, level)], truth);
        }
      }
    }
    CHECK(same);

    if (table.total == kInfinity) continue;
    search::trace(g, c.reach, table, walk);
    search::measure(g, c.goal, walk, taken);
    CHECK(close(taken.cost, table.total));
    ++traced;
  }
  CHECK(compared > 20000);
  CHECK(traced > 600);
}

TEST_CASE("A pass over bottlenecks holds the least bottleneck to go", "[search]") {
  search::BottleneckPassScratch scratch;
  core::StopToken never;
  search::BottleneckToGo table;
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000, 10000); ++seed) {
    const Case c(seed);
    const auto& g = c.graph;
    search::bottleneck_pass(g, c.reach, never, scratch, table);
    EveryWalk every(g, c.goal, c.cap);
    const auto agrees = [&](double entry, auto&& walk_on) {
      double truth = kInfinity;
      walk_on([&](const Sums& sums) { truth = std::min(truth, sums.bare_bottleneck); });
      ++compared;
      if (truth == kInfinity) return entry > c.cap || c.cap == kInfinity || !g.acyclic;
      return close(entry, truth) || (!g.acyclic && entry <= truth);
    };
    INFO("seed " << seed << ", cap " << c.cap);
    CHECK(agrees(table.total, [&](auto&& visit) { every.from_source(visit); }));
    bool same = true;
    for (std::int32_t vertex = 0; vertex < g.vertices(); ++vertex) {
      every.stand_at(vertex);
      for (std::int32_t level = 0; level <= g.levels; ++level) {
        if (c.reach.leaves(vertex, level)) {
          for (std::int32_t k = 0; k < g.choices_at(level); ++k) {
            const double entry = table.pass_on[g.at(vertex, level, k)];
            same = same && agrees(entry, [&](auto&& visit) { every.leave(vertex, level, k, {}, visit); });
          }
        }
        const bool hosts =
            g.can_host[static_cast<std::size_t>(g.node[static_cast<std::size_t>(vertex)])] != 0;
        if (level < g.levels && hosts && c.reach.arrives(vertex, level)) {
          same = same && agrees(table.stage[g.at(vertex, level)],
                                [&](auto&& visit) { every.stage(vertex, level, 0.0, {}, visit); });
        }
      }
    }
    CHECK(same);
  }
  CHECK(compared > 20000);
}

TEST_CASE("A weighted sum of resources is a resource", "[search]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Case c(seed);
    Random r(seed);
    const search::Goal goal = tests::random_goal(r, c.graph, 2);
    const std::vector<double> multipliers{r.uniform(0.0, 3.0), r.chance(0.3) ? 0.0 : r.uniform(0.0, 3.0)};
    search::Goal sum;
    search::combine(goal.objective, goal.resources, multipliers, sum.objective);
    EveryWalk every(c.graph, goal);
    search::Consumption taken;
    bool same = true;
    every.from_source([&](const Sums& sums) {
      const double expected = sums.cost + multipliers[0] * sums.used[0] + multipliers[1] * sums.used[1];
      search::measure(c.graph, sum, every.walk(), taken);
      same = same && close(taken.cost, expected);
    });
    INFO("seed " << seed);
    CHECK(same);
  }
}
