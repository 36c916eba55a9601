#include <algorithm>
#include <string>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/flow/maximum_flow.hpp"
#include "random.hpp"

using namespace constellm;
using core::z;
using flow::Arcs;
using flow::maximum_flow;
using flow::MaximumFlow;

namespace {

Arcs random_arcs(tests::Random& random, std::int32_t nodes, std::int64_t most) {
  Arcs arcs;
  const std::int32_t count = random.below(3 * nodes + 1);
  for (std::int32_t a = 0; a < count; ++a) {
    arcs.add(random.below(nodes), random.below(nodes),
             static_cast<std::int64_t>(random.uniform(0.0, static_cast<double>(most))));
  }
  return arcs;
}

std::int64_t capacity_of_cut(const Arcs& arcs, const std::vector<std::uint8_t>& inside) {
  std::int64_t sum = 0;
  for (std::size_t a = 0; a < arcs.size(); ++a)
    if (inside[z(arcs.from[a])] != 0 && inside[z(arcs.to[a])] == 0) sum += arcs.capacity[a];
  return sum;
}

/// Of all cuts between node 0 and the last one.
std::int64_t least_cut(const Arcs& arcs, std::int32_t nodes) {
  std::int64_t least = flow::kMostCapacity;
  for (std::uint32_t chosen = 0; chosen < 1u << (nodes - 2); ++chosen) {
    std::vector<std::uint8_t> inside(z(nodes), 0);
    inside[0] = 1;
    for (std::int32_t v = 1; v + 1 < nodes; ++v) inside[z(v)] = (chosen >> (v - 1)) & 1u;
    least = std::min(least, capacity_of_cut(arcs, inside));
  }
  return least;
}

/// Whether what flows on arcs comes in no circles.
bool has_no_circle(const Arcs& arcs, const MaximumFlow& found, std::int32_t nodes) {
  std::vector<std::uint8_t> is_left(z(nodes), 1);
  for (std::int32_t round = 0; round < nodes; ++round) {
    std::vector<std::uint8_t> receives(z(nodes), 0);
    for (std::size_t a = 0; a < arcs.size(); ++a)
      if (found.flow[a] > 0 && is_left[z(arcs.from[a])] != 0) receives[z(arcs.to[a])] = 1;
    is_left = receives;
  }
  return std::count(is_left.begin(), is_left.end(), 1) == 0;
}

}  // namespace

TEST_CASE("A maximum flow is the least cut of all, and its amounts are a flow without circles") {
  tests::Random random(1);
  for (std::uint64_t i = 0; i < tests::random_problems(2000); ++i) {
    const std::int32_t nodes = 2 + random.below(7);
    const std::int64_t most = i % 3 == 0 ? 4 : std::int64_t{1} << (i % 3 == 1 ? 20 : 57);
    const Arcs arcs = random_arcs(random, nodes, most);
    core::StopToken stop;
    const MaximumFlow found = maximum_flow(arcs, 0, nodes - 1, stop);
    CAPTURE(i);
    REQUIRE(found.value == least_cut(arcs, nodes));
    REQUIRE(capacity_of_cut(arcs, found.on_source_side) == found.value);
    REQUIRE(found.on_source_side.front() == 1);
    REQUIRE(found.on_source_side.back() == 0);
    std::vector<std::int64_t> over(z(nodes), 0);
    for (std::size_t a = 0; a < arcs.size(); ++a) {
      REQUIRE((found.flow[a] >= 0 && found.flow[a] <= arcs.capacity[a]));
      over[z(arcs.from[a])] -= found.flow[a];
      over[z(arcs.to[a])] += found.flow[a];
    }
    over.front() += found.value;
    over.back() -= found.value;
    REQUIRE(std::count(over.begin(), over.end(), 0) == nodes);
    REQUIRE(has_no_circle(arcs, found, nodes));
  }
}

TEST_CASE("The side of the source is the largest of the minimum cuts'") {
  Arcs arcs;
  arcs.add(0, 1, 3);
  arcs.add(1, 2, 3);
  arcs.add(2, 3, 3);
  core::StopToken stop;
  CHECK(maximum_flow(arcs, 0, 3, stop).on_source_side == std::vector<std::uint8_t>{1, 1, 1, 0});
}

TEST_CASE("A long chain of narrow and wide arcs ends") {
  Arcs arcs;
  const std::int32_t nodes = 20000;
  for (std::int32_t v = 0; v + 1 < nodes; ++v) {
    arcs.add(v, v + 1, 1000 + v % 7);
    arcs.add(v + 1, v, 5000);
  }
  core::StopToken stop;
  const MaximumFlow found = maximum_flow(arcs, 0, nodes - 1, stop);
  CHECK(found.value == 1000);
  for (std::size_t a = 0; a < arcs.size(); a += 2) REQUIRE(found.flow[a] - found.flow[a + 1] == 1000);
}

TEST_CASE("Capacities that overflow, negative ones and wrong ends are refused by name") {
  core::StopToken stop;
  const auto refused = [&](std::int64_t capacity, std::int32_t source, std::int32_t target) {
    Arcs arcs;
    arcs.add(0, 1, 1);
    arcs.add(1, 2, capacity);
    try {
      maximum_flow(arcs, source, target, stop);
    } catch (const core::InvalidInput& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused(-1, 0, 2) ==
        "capacity[1]: -1 is not in [0, 4611686018427387903): all add up to less than 2^62");
  CHECK(refused(flow::kMostCapacity - 1, 0, 2).substr(0, 31) == "capacity[1]: 461168601842738790");
  CHECK(refused(1, 2, 2) == "target: 2 is the source");
  CHECK(refused(1, -1, 2) == "source: -1 is not in [0, inf)");
  CHECK(refused(flow::kMostCapacity - 2, 0, 2).empty());
}

TEST_CASE("Told to stop, a maximum flow has nothing to show") {
  Arcs arcs;
  for (std::int32_t v = 0; v < 100; ++v) arcs.add(v, v + 1, 1);
  core::StopToken stop(0.0, [] { return true; }, 1);
  CHECK_THROWS_AS(maximum_flow(arcs, 0, 100, stop), core::Stopped);
}
