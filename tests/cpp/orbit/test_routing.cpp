// Routing over the links of instants: against trees over the links of each.
#include <limits>
#include <utility>

#include "catch.hpp"
#include "constellm/orbit/routing.hpp"
#include "network/latency_table.hpp"
#include "orbit/world.hpp"

using namespace constellm;
using Positions = std::vector<std::int32_t>;

namespace {

std::size_t z(std::int32_t i) { return static_cast<std::size_t>(i); }

/// A shell, two stations, and states of four moments.
struct World {
  World() {
    const std::vector<double> times{0.0, 300.0, 600.0, 900.0};
    const orbit::Elements elements = orbit::elements(shell);
    const std::size_t satellites = elements.size();
    position_m.resize(3 * satellites * times.size());
    velocity_m_per_s.resize(position_m.size());
    core::StopToken stop;
    orbit::propagate(elements, times, orbit::Propagator::j2, position_m, velocity_m_per_s, 1, stop);
    for (const double t_s : times) now.push_back(tests::now(elements, t_s));
    rules[1].survival = 0.8;
  }

  [[nodiscard]] orbit::Sky sky() const { return {.layout = layout, .rules = rules, .stations = stations}; }
  [[nodiscard]] orbit::Instants instants() const {
    return {.position_teme_m = position_m,
            .velocity_teme_m_per_s = velocity_m_per_s,
            .gmst_rad = gmst_rad,
            .first_slot = 5,
            .time_s = time_s,
            .epoch = {}};
  }

  orbit::Shell shell = tests::shell("s", 12, 10, 1'000e3);
  std::vector<orbit::LinkRule> rules{tests::rule(orbit::Pattern::plus_grid, "s"),
                                     tests::rule(orbit::Pattern::ground)};
  std::vector<orbit::Horizon> stations{orbit::Horizon(tests::station("a", 40.0, 0.0)),
                                       orbit::Horizon(tests::station("b", 42.0, 12.0))};
  orbit::Layout layout{std::vector{shell}, 120, 2};
  std::vector<double> position_m;
  std::vector<double> velocity_m_per_s;
  std::vector<double> gmst_rad{0.1, 0.2, 0.3, 0.4};
  std::vector<double> time_s{0.0, 300.0, 600.0, 900.0};
  std::vector<tests::Now> now;
};

}  // namespace

TEST_CASE("Latencies of instants are those of the trees over their links", "[orbit][routing]") {
  const World world;
  const Positions sources{120, 121, 0, 77};
  Positions targets;
  for (std::int32_t v = 121; v >= 0; v -= 3) targets.push_back(v);
  core::StopToken stop;
  const std::size_t cells = 4 * sources.size() * targets.size();
  tests::LatencyTable alone(cells);
  tests::LatencyTable found(cells);
  latencies(world.sky(), world.instants(), sources, targets, alone.table(), 1, stop);
  latencies(world.sky(), world.instants(), sources, targets, found.table(), 3, stop);
  CHECK(alone == found);
  std::size_t cell = 0;
  std::size_t reached = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const orbit::Links links =
        orbit::links_at(world.layout, world.rules, world.stations,
                        world.now[i].instant(world.gmst_rad[i], 5 + static_cast<std::int64_t>(i)), stop);
    for (const std::int32_t source : sources) {
      std::vector<double> open = links.latency_s;
      for (std::size_t l = 0; l < open.size(); ++l) {
        if (links.from[l] >= 120 && links.from[l] != source)
          open[l] = std::numeric_limits<double>::infinity();
      }
      const network::Rows rows = network::rows_of(122, links.from, links.to);
      const network::PathTree tree = network::shortest_tree(rows, open, source);
      for (const std::int32_t target : targets) {
        REQUIRE(found.latency_s[cell] == tree.cost[z(target)]);
        REQUIRE(found.hops[cell++] == tree.hops[z(target)]);
        reached += tree.hops[z(target)] >= 0;
      }
    }
    const orbit::Routes routes = orbit::routes(world.sky(), world.instants(), 77, 121, 2, stop);
    REQUIRE(routes.begin.size() == 5);
    tests::LatencyTable pair(4);
    latencies(world.sky(), world.instants(), Positions{77}, Positions{121}, pair.table(), 1, stop);
    REQUIRE(routes.latency_s == pair.latency_s);
    const Positions path(routes.node.begin() + routes.begin[i], routes.node.begin() + routes.begin[i + 1]);
    REQUIRE(static_cast<std::int32_t>(path.size()) == pair.hops[i] + 1);
    double sum_s = 0.0;
    for (std::size_t k = 0; k + 1 < path.size(); ++k) {
      std::size_t l = 0;
      while (links.from[l] != path[k] || links.to[l] != path[k + 1]) ++l;
      sum_s += links.latency_s[l];
    }
    if (!path.empty()) REQUIRE(sum_s == routes.latency_s[i]);
  }
  CHECK(reached > 500);
}

TEST_CASE("Latencies between blocks are those of each, whatever the number of threads", "[orbit][routing]") {
  const World world;
  core::StopToken stop;
  Positions many;
  for (std::int32_t v = 3; v < 122; v += 2) many.push_back(v);
  const std::vector<std::pair<Positions, Positions>> ends{
      {many, {0, 121, 0}}, {{}, {5}}, {{120, 7}, many}, {{9}, {}}};
  for (const int threads : {1, 3}) {
    std::vector<std::vector<double>> found;
    std::vector<orbit::LatencyBlock> blocks;
    for (const auto& [sources, targets] : ends) {
      found.emplace_back(4 * sources.size() * targets.size(), -1.0);
      blocks.push_back({.sources = sources, .targets = targets, .latency_s = found.back()});
    }
    latencies_between(world.sky(), world.instants(), blocks, threads, stop);
    for (std::size_t b = 0; b < ends.size(); ++b) {
      tests::LatencyTable expected(found[b].size());
      latencies(world.sky(), world.instants(), ends[b].first, ends[b].second, expected.table(), 1, stop);
      REQUIRE(found[b] == expected.latency_s);
    }
  }
}

TEST_CASE("Routing over instants ends when it is told to, and refuses what is no node", "[orbit][routing]") {
  const World world;
  core::StopToken stop;
  tests::LatencyTable none(4);
  core::StopToken interrupted(std::numeric_limits<double>::infinity(), [] { return true; });
  CHECK_THROWS_AS(
      latencies(world.sky(), world.instants(), Positions{0}, Positions{1}, none.table(), 1, interrupted),
      core::Stopped);
  CHECK_THROWS_WITH(
      latencies(world.sky(), world.instants(), Positions{122}, Positions{1}, none.table(), 1, stop),
      "sources[0]: 122 is not in [0, 122)");
  const Positions here{0};
  const Positions nowhere{1, -1};
  const std::vector<orbit::LatencyBlock> blocks{{}, {.sources = here, .targets = nowhere, .latency_s = {}}};
  CHECK_THROWS_WITH(latencies_between(world.sky(), world.instants(), blocks, 1, stop),
                    "blocks[1].targets[1]: -1 is not in [0, 122)");
  CHECK_THROWS_AS(latencies_between(world.sky(), world.instants(), {}, 1, interrupted), core::Stopped);
  CHECK_THROWS_WITH(orbit::routes(world.sky(), world.instants(), 0, -1, 1, stop),
                    "target[0]: -1 is not in [0, 122)");
}
