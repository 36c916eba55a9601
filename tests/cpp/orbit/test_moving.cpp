#include <algorithm>
#include <limits>
#include <tuple>

#include "catch.hpp"
#include "orbit/windows_of.hpp"

using namespace constellm;
using orbit::LinkRule;
using orbit::Pattern;
using orbit::Windows;
using tests::analytic;
using tests::Ending;
using tests::over_the_equator;
using tests::sampled;
using tests::windows_of;
using tests::World;

namespace {

using Key = std::pair<std::int32_t, std::int32_t>;

}  // namespace

TEST_CASE("Single states are those of propagation, and samples come close", "[orbit][windows]") {
  for (const bool eccentric : {false, true}) {
    World world;
    world.elements = tests::stray(1, 30, eccentric);
    tests::append(world.elements, over_the_equator({550e3, 35'786e3}, {0.0, 180.0}));
    const auto exact = analytic(world);
    const auto near = sampled(world, 0.0, 7200.0, eccentric ? 10.0 : 60.0);
    tests::Random random(3);
    for (int i = 0; i < 200; ++i) {
      const double time_s = random.uniform(0.0, 7200.0);
      const tests::Now now = tests::now(world.elements, time_s);
      for (std::size_t s = 0; s < world.elements.size(); ++s) {
        const orbit::State wanted = now.of(static_cast<std::int32_t>(s));
        const orbit::State found = exact->state(s, time_s);
        REQUIRE((found.position_m - wanted.position_m).norm() < 1e-6);
        REQUIRE((found.velocity_m_per_s - wanted.velocity_m_per_s).norm() < 1e-9);
        REQUIRE((near->state(s, time_s).position_m - wanted.position_m).norm() < 1e-3);
        REQUIRE((near->state(s, time_s).velocity_m_per_s - wanted.velocity_m_per_s).norm() < 1e-5);
      }
    }
    const orbit::State at_sample = near->state(4, 600.0);
    CHECK((at_sample.position_m - exact->state(4, 600.0).position_m).norm() < 1e-6);
  }
}

TEST_CASE("Motions keep to their bounds", "[orbit][windows]") {
  for (const bool eccentric : {false, true}) {
    World world;
    world.elements = tests::stray(2, 40, eccentric);
    tests::append(world.elements, over_the_equator({550e3}, {0.0}));
    for (const auto& motion : {analytic(world), sampled(world, 0.0, 20'000.0, eccentric ? 10.0 : 60.0)}) {
      tests::Random random(4);
      for (std::size_t s = 0; s < motion->satellites(); ++s) {
        const orbit::Bounds bounds = motion->bounds(s);
        for (int i = 0; i < 300; ++i) {
          const double time_s = random.uniform(10.0, 19'990.0);
          const double h = 0.5;
          const orbit::State at = motion->state(s, time_s);
          const orbit::State before = motion->state(s, time_s - h);
          const orbit::State after = motion->state(s, time_s + h);
          const Eigen::Vector3d v = (after.position_m - before.position_m) / (2.0 * h);
          const Eigen::Vector3d g = (after.position_m - 2.0 * at.position_m + before.position_m) / (h * h);
          const Eigen::Vector3d g2 = (after.velocity_m_per_s - before.velocity_m_per_s) / (2.0 * h);
          const Eigen::Vector3d jerk =
              (after.velocity_m_per_s - 2.0 * at.velocity_m_per_s + before.velocity_m_per_s) / (h * h);
          const double climb = (after.position_m.squaredNorm() - before.position_m.squaredNorm()) / (4.0 * h);
          const double climb_rate = (after.position_m.squaredNorm() - 2.0 * at.position_m.squaredNorm() +
                                     before.position_m.squaredNorm()) /
                                    (2.0 * h * h);
          const double room = 1.0 + 1e-4;  // for the differences
          REQUIRE(at.position_m.norm() >= bounds.near_m / room);
          REQUIRE(at.position_m.norm() <= bounds.far_m * room);
          REQUIRE(v.norm() <= bounds.speed_m_per_s * room);
          REQUIRE(at.velocity_m_per_s.norm() <= bounds.speed_m_per_s * room);
          REQUIRE(g.norm() <= bounds.acceleration_m_per_s2 * room);
          REQUIRE(g2.norm() <= bounds.acceleration_m_per_s2 * room);
          REQUIRE(jerk.norm() <= bounds.jerk_m_per_s3 * room);
          REQUIRE((v - at.velocity_m_per_s).norm() <= bounds.beside_m_per_s + 0.01);
          REQUIRE(std::abs(climb) <= bounds.climb_m2_per_s * room + 10.0);
          REQUIRE(std::abs(climb_rate) <= bounds.climb_rate_m2_per_s2 * room + 10.0);
        }
      }
    }
  }
}

TEST_CASE("Samples have the windows of what they are samples of", "[orbit][windows]") {
  World world;
  world.shells = {tests::shell("a", 4, 6)};
  world.elements = orbit::elements(world.shells[0]);
  tests::append(world.elements, tests::stray(31, 6));
  world.stations = {tests::station("a", 52.0, 13.0)};
  LinkRule all = tests::rule(Pattern::all);
  all.max_range_m = 3e6;
  all.max_angular_rate_rad_per_s = 3e-3;
  world.rules = {tests::rule(Pattern::ground), tests::rule(Pattern::plus_grid, "a"), all};
  const Windows exact = windows_of(world, analytic(world), 0.0, 12'000.0);
  const Windows near = windows_of(world, sampled(world, 0.0, 12'000.0, 60.0), 0.0, 12'000.0);
  CHECK(exact.from.size() > 200);
  // Not in the order of opening, which is that of rounding where a shell's symmetry opens many at once.
  const auto sorted = [](const Windows& windows) {
    std::vector<std::tuple<Key, double, double, std::int32_t>> rows;
    for (std::size_t i = 0; i < windows.from.size(); ++i) {
      rows.emplace_back(Key(windows.from[i], windows.to[i]), windows.open_s[i], windows.close_s[i],
                        windows.rule[i]);
    }
    std::ranges::sort(rows);
    return rows;
  };
  const auto wanted = sorted(exact);
  const auto found = sorted(near);
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& [pair, open_s, close_s, rule] = wanted[i];
    REQUIRE(std::get<0>(found[i]) == pair);
    CHECK(std::abs(std::get<1>(found[i]) - open_s) < 1e-4);
    CHECK(std::abs(std::get<2>(found[i]) - close_s) < 1e-4);
    CHECK(std::get<3>(found[i]) == rule);
  }
}

TEST_CASE("What ends is as if lost from its last sample on", "[orbit][windows]") {
  World world;
  tests::append(world.elements, tests::stray(31, 12));
  world.stations = {tests::station("a", 52.0, 13.0)};
  LinkRule all = tests::rule(Pattern::all);
  all.max_range_m = 3e6;
  LinkRule nearest = tests::rule(Pattern::nearest);
  nearest.count = 3;
  LinkRule slow = tests::rule(Pattern::ground);
  slow.acquisition_s = 90.0;
  world.rules = {slow, nearest, all};
  const std::size_t sample = 80;
  const double end_s = 60.0 * (static_cast<double>(sample) - 1.0 - 4.0);
  const Windows ended =
      windows_of(world, sampled(world, -90.0, 12'000.0, 60.0, Ending{7, sample}), 0.0, 12'000.0);
  world.outages.add({.a = 7, .b = 7}, {end_s - 90.0, std::numeric_limits<double>::infinity()});
  const Windows wanted = windows_of(world, sampled(world, -90.0, 12'000.0, 60.0), 0.0, 12'000.0);
  CHECK(std::ranges::count(wanted.from, 7) > 2);
  CHECK(ended.from == wanted.from);
  CHECK(ended.to == wanted.to);
  REQUIRE(ended.open_s.size() == wanted.open_s.size());
  for (std::size_t i = 0; i < wanted.open_s.size(); ++i) {
    CHECK(std::abs(ended.open_s[i] - wanted.open_s[i]) < 1e-4);
    CHECK(std::abs(ended.close_s[i] - wanted.close_s[i]) < 1e-4);
  }
  const Windows none = windows_of(world, sampled(world, -90.0, 12'000.0, 60.0, Ending{7, 7}), 0.0, 12'000.0);
  CHECK(std::ranges::count(none.from, 7) == 0);
}
