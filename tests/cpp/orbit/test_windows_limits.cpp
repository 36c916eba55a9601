
#include "catch.hpp"
#include "constellm/core/constants.hpp"
#include "constellm/orbit/sight.hpp"
#include "orbit/windows_of.hpp"

using namespace constellm;
using orbit::kDegree_rad;
using orbit::kTurn_rad;
using orbit::LinkRule;
using orbit::Motion;
using orbit::Pattern;
using orbit::Windows;
using tests::analytic;
using tests::kEarth_m;
using tests::kEpoch;
using tests::kMu;
using tests::links_of;
using tests::mean_motion;
using tests::over_the_equator;
using tests::sampled;
using tests::windows_of;
using tests::World;

TEST_CASE("Of a ring all are as near to both neighbours, and the smaller index counts", "[orbit][windows]") {
  World world;
  world.shells = {tests::shell("a", 1, 22)};
  world.elements = orbit::elements(world.shells[0]);
  LinkRule one = tests::rule(Pattern::nearest);
  one.count = 1;
  world.rules = {one};
  const Windows found = windows_of(world, analytic(world), 0.0, 1e6);
  CHECK(found.from == std::vector<std::int32_t>{0, 1});
  CHECK(found.open_s == std::vector<double>{0.0, 0.0});
  CHECK(found.close_s == std::vector<double>{1e6, 1e6});
  for (const double time_s : {0.0, 1e3, 1e6, 1e8}) CHECK(links_of(world, time_s).from == found.from);
  world.rules[0].count = 2;
  CHECK(windows_of(world, analytic(world), 0.0, 1e5).from.size() == 44);
  world.rules[0].count = 50;  // more than there are
  world.rules[0].grazing_altitude_m = -6e6;
  CHECK(windows_of(world, analytic(world), 0.0, 1e5).from.size() == 20 * 22);
}

TEST_CASE("Of satellites in one place the smaller index counts", "[orbit][windows]") {
  World world;
  for (int i = 0; i < 3; ++i) tests::append(world.elements, tests::stray(3, 1));
  LinkRule one = tests::rule(Pattern::nearest);
  one.count = 1;
  world.rules = {one};
  const Windows found = windows_of(world, analytic(world), 0.0, 1e4);
  CHECK(found.from == std::vector<std::int32_t>{0, 1});
  CHECK(found.close_s == std::vector<double>{1e4, 1e4});
  CHECK(links_of(world, 0.0).from == found.from);
  LinkRule all = tests::rule(Pattern::all);
  all.max_angular_rate_rad_per_s = 1e-3;
  world.rules = {all};  // which a line without a direction does not keep to
  CHECK(windows_of(world, analytic(world), 0.0, 1e4).from.empty());
  CHECK(links_of(world, 0.0).from.empty());
}

TEST_CASE("A range rate that no two satellites have limits nothing, however great", "[orbit][windows]") {
  World world;
  world.shells = {tests::shell("a", 4, 5, 900e3)};
  world.elements = orbit::elements(world.shells[0]);
  LinkRule grid = tests::rule(Pattern::plus_grid, "a");
  grid.grazing_altitude_m = -2000e3;
  world.rules = {grid};
  const Windows whole = windows_of(world, analytic(world), 0.0, 2e4);
  world.rules[0].max_range_rate_m_per_s = 1e200;  // whose square is infinite
  const Windows found = windows_of(world, analytic(world), 0.0, 2e4);
  CHECK(found.from == whole.from);
  CHECK(found.open_s == whole.open_s);
  CHECK(found.close_s == whole.close_s);
}

TEST_CASE("What never changes costs nothing, at its limit too", "[orbit][windows]") {
  World world;
  world.shells = {tests::shell("a", 2, 22)};
  world.elements = orbit::elements(world.shells[0]);
  LinkRule ring = tests::rule(Pattern::ring, "a");
  const double chord_m = 2.0 * world.shells[0].semi_major_axis_m() * std::sin(kTurn_rad / 44.0);
  for (const double room_m : {-1e-2, -1e-9, 0.0, 1e-9, 1e-2}) {
    ring.max_range_m = chord_m + room_m;
    world.rules = {ring};
    const Windows found = windows_of(world, analytic(world), 0.0, 1e6);
    CHECK(found.from.size() == (room_m > -1e-3 ? 88 : 0));
    for (const double time_s : {0.0, 123.4, 1e6})
      CHECK(links_of(world, time_s).from.size() == found.from.size());
    for (std::size_t i = 0; i < found.from.size(); ++i) {
      CHECK(found.open_s[i] == 0.0);
      CHECK(found.close_s[i] == 1e6);
      CHECK(found.range_m[i] == Approx(chord_m).epsilon(1e-12));
    }
  }
}

TEST_CASE("What stays at its limit holds, where nothing says that it stays", "[orbit][windows]") {
  World world;
  world.propagator = orbit::Propagator::two_body;
  // Over the equator, as high as it takes to stay above a place, and two on one low circle.
  const double w = core::kEarthRotation.value;
  world.elements = over_the_equator({std::cbrt(kMu / (w * w)) - kEarth_m, 1000e3, 1000e3}, {0.0, 0.0, 0.0});
  world.elements.mean_anomaly_rad = {0.0, 0.0, 0.4};
  world.stations = {tests::station("e", 0.0, 0.0), tests::station("n", 40.0, 10.0)};
  const std::shared_ptr<const Motion> motion = analytic(world);
  const orbit::EarthTurn turn(orbit::gmst_rad(kEpoch, 0.0));
  for (orbit::GroundStation& station : world.stations) {
    station.longitude_deg -= orbit::gmst_rad(kEpoch, 0.0) / kDegree_rad;
    const orbit::Station place({.latitude_rad = station.latitude_deg * kDegree_rad,
                                .longitude_rad = station.longitude_deg * kDegree_rad,
                                .altitude_m = 0.0});
    const orbit::State there = motion->state(0, 0.0);
    const orbit::Look look =
        place.look({.position_m = turn.to_ecef(there.position_m), .velocity_m_per_s = {0.0, 0.0, 0.0}});
    station.min_elevation_deg = look.elevation_rad / kDegree_rad;
    station.max_range_m = look.range_m;
  }
  LinkRule ground = tests::rule(Pattern::ground);
  LinkRule all = tests::rule(Pattern::all);
  const double chord_m = 2.0 * world.elements.semi_major_axis_m[1] * std::sin(0.2);
  all.max_range_m = chord_m;
  all.max_latitude_deg = 0.0;
  all.max_angular_rate_rad_per_s = mean_motion(world.elements, 1);
  world.rules = {ground, all};
  const auto lasting = [&](const std::shared_ptr<const Motion>& moved, double stop_s) {
    const Windows found = windows_of(world, moved, 0.0, stop_s);
    std::size_t count = 0;
    for (std::size_t i = 0; i < found.from.size(); ++i)
      count += found.open_s[i] == 0.0 && found.close_s[i] == stop_s ? 1 : 0;
    return count;
  };
  CHECK(lasting(motion, 86'400.0) == 6);
  CHECK(links_of(world, 4321.0).from.size() >= 6);
  // Samples say nothing of circles.
  world.rules[1].max_latitude_deg.reset();
  CHECK(lasting(sampled(world, 0.0, 600.0, 60.0), 600.0) == 6);
}
