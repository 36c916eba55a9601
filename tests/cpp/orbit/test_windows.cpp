#include <algorithm>
#include <limits>
#include <map>

#include "catch.hpp"
#include "constellm/core/constants.hpp"
#include "constellm/core/error.hpp"
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
using tests::links_of;
using tests::mean_motion;
using tests::over_the_equator;
using tests::sampled;
using tests::windows_of;
using tests::World;

namespace {

using Key = std::pair<std::int32_t, std::int32_t>;

/// At many instants, and just before and after every opening and closing, the windows say what links_at says.
/// Returns how many windows there are.
std::size_t check_against_instants(const World& world, double start_s, double stop_s, int instants) {
  const Windows found = windows_of(world, analytic(world), start_s, stop_s, 2);
  struct Open {
    double open_s;
    double close_s;
    std::int32_t rule;
  };
  std::map<Key, std::vector<Open>> by_pair;
  std::vector<double> looks;
  for (std::size_t i = 0; i < found.from.size(); ++i) {
    REQUIRE(start_s <= found.open_s[i]);
    REQUIRE(found.open_s[i] < found.close_s[i]);
    REQUIRE(found.close_s[i] <= stop_s);
    auto& of = by_pair[{found.from[i], found.to[i]}];
    if (!of.empty()) REQUIRE(of.back().close_s <= found.open_s[i]);
    of.push_back({found.open_s[i], found.close_s[i], found.rule[i]});
    for (const double edge_s : {found.open_s[i], found.close_s[i]}) {
      for (const double after_s : {-1e-3, 1e-3}) looks.push_back(edge_s + after_s);
    }
  }
  if (looks.size() > 3000) {  // of those, some of all the span
    std::vector<double> some;
    for (std::size_t i = 0; i < looks.size(); i += looks.size() / 3000 + 1) some.push_back(looks[i]);
    looks = some;
  }
  tests::Random random(99);
  for (int i = 0; i < instants; ++i) looks.push_back(random.uniform(start_s, stop_s));
  for (const double time_s : looks) {
    if (time_s < start_s || time_s > stop_s) continue;
    const orbit::Links links = links_of(world, time_s);
    std::map<Key, std::int32_t> expected;
    for (std::size_t i = 0; i < links.from.size(); ++i)
      expected[{links.from[i], links.to[i]}] = links.rule[i];
    for (const auto& [pair, opens] : by_pair) {
      bool at_edge = false;
      std::int32_t rule = -1;
      for (const Open& open : opens) {
        at_edge |= std::abs(time_s - open.open_s) < 5e-4 || std::abs(time_s - open.close_s) < 5e-4;
        if (open.open_s <= time_s && time_s < open.close_s) rule = open.rule;
      }
      const auto at = expected.find(pair);
      const std::int32_t wanted = at == expected.end() ? -1 : at->second;
      if (at != expected.end()) expected.erase(at);
      if (at_edge || rule == wanted) continue;
      FAIL("time " << time_s << ", link " << pair.first << " to " << pair.second << ": by rule " << wanted
                   << ", windows say " << rule);
    }
    REQUIRE(expected.empty());  // links that have no window at all
  }
  return found.from.size();
}

std::string complaint(const World& world, double start_s = 0.0, double stop_s = 100.0) {
  try {
    windows_of(world, analytic(world), start_s, stop_s);
  } catch (const core::InvalidInput& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("Passes over the equator last as long as a closed form says", "[orbit][windows]") {
  World world;
  world.propagator = orbit::Propagator::two_body;
  world.elements = over_the_equator({550e3, 1200e3}, {0.0, 180.0});
  world.stations = {tests::station("e", 0.0, 30.0)};
  world.rules = {tests::rule(Pattern::ground)};
  const bool by_range = GENERATE(false, true);
  if (by_range) world.rules[0].max_range_m = 1.3e6;
  for (const double mask_deg : {0.0, 25.0, 80.0}) {
    world.stations[0].min_elevation_deg = mask_deg;
    const Windows found = windows_of(world, analytic(world), 0.0, 86'400.0);
    for (std::size_t s = 0; s < 2; ++s) {
      const double a = world.elements.semi_major_axis_m[s];
      const double rate = mean_motion(world.elements, s) + (s == 0 ? -1.0 : 1.0) * core::kEarthRotation.value;
      double half = std::acos(kEarth_m / a * std::cos(mask_deg * kDegree_rad)) - mask_deg * kDegree_rad;
      if (by_range)
        half =
            std::min(half, std::acos((a * a + kEarth_m * kEarth_m - 1.3e6 * 1.3e6) / (2.0 * a * kEarth_m)));
      // Angle by which the satellite is ahead of the station, along its own motion.
      const double start = (s == 0 ? -1.0 : 1.0) * (orbit::gmst_rad(kEpoch, 0.0) + 30.0 * kDegree_rad);
      std::vector<std::pair<double, double>> expected;
      for (int k = -40; k <= 40; ++k) {
        const double middle_s = (k * kTurn_rad - start) / rate;
        const double open_s = std::max(0.0, middle_s - half / rate);
        const double close_s = std::min(86'400.0, middle_s + half / rate);
        if (open_s < close_s) expected.emplace_back(open_s, close_s);
      }
      std::vector<std::pair<double, double>> mine;
      for (std::size_t i = 0; i < found.from.size(); ++i) {
        if (found.from[i] == static_cast<std::int32_t>(s))
          mine.emplace_back(found.open_s[i], found.close_s[i]);
      }
      INFO("satellite " << s << ", mask " << mask_deg);
      REQUIRE(mine.size() == expected.size());
      CHECK(mine.size() > 10);
      for (std::size_t i = 0; i < mine.size(); ++i) {
        CHECK(std::abs(mine[i].first - expected[i].first) < 2e-5);
        CHECK(std::abs(mine[i].second - expected[i].second) < 2e-5);
      }
    }
  }
}

TEST_CASE("Satellites that meet head-on see each other as long as a closed form says", "[orbit][windows]") {
  World world;
  world.propagator = orbit::Propagator::two_body;
  world.elements = over_the_equator({550e3, 560e3}, {0.0, 180.0});
  LinkRule rule = tests::rule(Pattern::all);
  const double a = world.elements.semi_major_axis_m[0];
  const double b = world.elements.semi_major_axis_m[1];
  const double rate = mean_motion(world.elements, 0) + mean_motion(world.elements, 1);
  const int what = GENERATE(0, 1, 2, 3);
  const double sphere = kEarth_m + 80e3;
  double half = std::acos(sphere / a) + std::acos(sphere / b);
  if (what == 1) {  // 10 km apart at the least, and a millisecond either way
    half = 1e-3 * rate;
    rule.max_range_m = std::sqrt(a * a + b * b - 2.0 * a * b * std::cos(half));
  } else if (what == 2) {  // twice the shortest window that is surely found
    half = orbit::kShortestWindow_s * rate;
    rule.max_range_m = std::sqrt(a * a + b * b - 2.0 * a * b * std::cos(half));
  } else if (what == 3) {
    rule.max_range_m = 2e6;
    half = std::acos((a * a + b * b - 4e12) / (2.0 * a * b));
  }
  world.rules = {rule};
  const double stop_s = 6000.0;
  const Windows found = windows_of(world, analytic(world), -1.0, stop_s);
  std::vector<std::pair<double, double>> expected;
  for (int k = 0; k <= 5; ++k) {
    const double middle_s = k * kTurn_rad / rate;
    const double open_s = std::max(-1.0, middle_s - half / rate);
    const double close_s = std::min(stop_s, middle_s + half / rate);
    if (open_s < close_s) expected.emplace_back(open_s, close_s);
  }
  REQUIRE(found.from.size() == 2 * expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(std::abs(found.open_s[2 * i] - expected[i].first) < 1e-5);
    CHECK(std::abs(found.close_s[2 * i] - expected[i].second) < 1e-5);
    CHECK(found.from[2 * i] == 0);
    CHECK(found.from[2 * i + 1] == 1);
  }
}

TEST_CASE("Windows are what the links of every instant are", "[orbit][windows]") {
  SECTION("grids, with every condition") {
    World world;
    world.shells = {tests::shell("a", 6, 11, 780e3, 86.4), tests::shell("b", 3, 4, 1400e3, 50.0)};
    world.elements = orbit::elements(world.shells[0]);
    tests::append(world.elements, orbit::elements(world.shells[1]));
    LinkRule grid = tests::rule(Pattern::plus_grid, "a");
    grid.seam = orbit::Seam::open;
    grid.max_latitude_deg = 60.0;
    grid.max_range_m = 4.4e6;
    LinkRule fast = tests::rule(Pattern::plus_grid, "a");
    fast.max_angular_rate_rad_per_s = 1.2e-3;
    LinkRule ring = tests::rule(Pattern::ring, "b");
    ring.grazing_altitude_m = -1000e3;
    world.rules = {grid, fast, ring};
    CHECK(check_against_instants(world, 100.0, 30'000.0, 1500) > 1000);
  }
  SECTION("all in sight, with every condition") {
    World world;
    world.elements = tests::stray(21, 24);
    LinkRule all = tests::rule(Pattern::all);
    all.max_range_m = 3e6;
    all.max_latitude_deg = 50.0;
    all.max_angular_rate_rad_per_s = 3e-3;
    LinkRule far = tests::rule(Pattern::all);
    world.rules = {all, far};
    CHECK(check_against_instants(world, 0.0, 20'000.0, 1500) > 1000);
  }
  SECTION("orbits through the grazing sphere") {
    World world;
    world.elements = tests::stray(22, 16, true);
    LinkRule all = tests::rule(Pattern::all);
    all.grazing_altitude_m = 2000e3;
    all.max_angular_rate_rad_per_s = 2e-3;
    world.rules = {all};
    CHECK(check_against_instants(world, 0.0, 40'000.0, 1500) > 300);
  }
  SECTION("the ground") {
    World world;
    world.shells = {tests::shell("a", 3, 5)};
    world.elements = orbit::elements(world.shells[0]);
    tests::append(world.elements, tests::stray(23, 10, true));
    world.stations = {tests::station("a", 52.0, 13.0), tests::station("b", -70.0, 100.0),
                      tests::station("c", 1.0, -50.0)};
    world.stations[0].min_elevation_deg = 5.0;
    world.stations[1].max_range_m = 2e6;
    world.stations[1].min_elevation_deg = -5.0;
    LinkRule near = tests::rule(Pattern::ground);
    near.max_range_m = 1e6;
    LinkRule slow = tests::rule(Pattern::ground);
    slow.max_angular_rate_rad_per_s = 5e-3;
    world.rules = {near, slow};
    CHECK(check_against_instants(world, -3000.0, 50'000.0, 3000) > 200);
  }
  SECTION("ranges that change slowly enough") {
    World world;
    world.shells = {tests::shell("a", 3, 5, 900e3, 70.0)};
    world.elements = orbit::elements(world.shells[0]);
    tests::append(world.elements, tests::stray(24, 8));
    tests::append(world.elements, tests::stray(25, 4, true));
    world.stations = {tests::station("a", 52.0, 13.0), tests::station("b", -70.0, 100.0)};
    LinkRule grid = tests::rule(Pattern::plus_grid, "a");
    grid.max_range_rate_m_per_s = 1500.0;
    grid.grazing_altitude_m = -2000e3;
    LinkRule all = tests::rule(Pattern::all);
    all.max_range_rate_m_per_s = 2500.0;
    LinkRule ground = tests::rule(Pattern::ground);
    ground.max_range_rate_m_per_s = 3000.0;
    world.rules = {grid, all, ground};
    CHECK(check_against_instants(world, 0.0, 20'000.0, 1500) > 800);
  }
  SECTION("the nearest of shells, whose distances are equal for ever") {
    World world;
    world.shells = {tests::shell("a", 6, 11, 780e3, 86.4), tests::shell("b", 5, 6, 1400e3, 50.0)};
    const double phasing = GENERATE(0.0, 1.0);
    for (orbit::Shell& shell : world.shells) shell.phasing = phasing;
    world.elements = orbit::elements(world.shells[0]);
    tests::append(world.elements, orbit::elements(world.shells[1]));
    LinkRule two = tests::rule(Pattern::nearest, "a");
    two.count = 2;
    two.max_latitude_deg = 70.0;
    LinkRule four = tests::rule(Pattern::nearest, "b");
    LinkRule any = tests::rule(Pattern::nearest);
    any.count = 3;
    world.rules = {two, four, any};
    CHECK(check_against_instants(world, 100.0, 2500.0, 300) > 400);
  }
  SECTION("the nearest of equal ellipses in step, and of satellites of any orbit") {
    World world;
    world.shells = {tests::shell("a", 5, 4, 900e3, 60.0)};
    world.shells[0].phasing = 0.0;
    world.shells[0].eccentricity = 0.01;
    world.elements = orbit::elements(world.shells[0]);
    tests::append(world.elements, tests::stray(26, 12));
    tests::append(world.elements, tests::stray(27, 6, true));
    LinkRule ring = tests::rule(Pattern::nearest, "a");
    ring.count = 1;
    LinkRule any = tests::rule(Pattern::nearest);
    any.count = 5;
    any.max_range_m = 4e6;
    world.rules = {ring, any};
    CHECK(check_against_instants(world, -500.0, 9000.0, 1500) > 300);
  }
  SECTION("links that take time to acquire") {
    World world;
    world.shells = {tests::shell("a", 6, 11, 780e3, 86.4)};
    world.elements = orbit::elements(world.shells[0]);
    world.stations = {tests::station("a", 52.0, 13.0), tests::station("b", -70.0, 100.0)};
    LinkRule grid = tests::rule(Pattern::plus_grid, "a");
    grid.max_latitude_deg = 60.0;
    grid.acquisition_s = 45.0;
    LinkRule ground = tests::rule(Pattern::ground);
    ground.acquisition_s = 200.0;  // longer than some passes
    LinkRule near = tests::rule(Pattern::nearest);
    near.acquisition_s = 100.0;
    LinkRule late = tests::rule(Pattern::ground);
    late.acquisition_s = 10.0;
    world.rules = {grid, ground, near, late};
    const bool with_losses = GENERATE(false, true);
    if (with_losses) {
      world.outages.add({3, 3}, {1000.0, 1500.0});
      world.outages.add({14, 13}, {500.25, 1500.0});
      world.outages.add({20, 20}, {-1e9, 30.0});
      world.outages.add({67, 67}, {800.0, 1e9});
    }
    CHECK(check_against_instants(world, 50.0, 2000.0, 60) > 150);
  }
}

TEST_CASE("Windows in slots are those of the links that are drawn", "[orbit][windows]") {
  World world;
  world.shells = {tests::shell("a", 4, 5, 900e3)};
  world.elements = orbit::elements(world.shells[0]);
  world.stations = {tests::station("a", 52.0, 13.0)};
  LinkRule grid = tests::rule(Pattern::plus_grid, "a");
  grid.grazing_altitude_m = -2000e3;
  grid.max_range_m = 6e6;
  grid.survival = 0.6;
  LinkRule ground = tests::rule(Pattern::ground);
  ground.survival = 0.8;
  ground.seed = 5;
  ground.acquisition_s = 20.0;
  LinkRule again = tests::rule(Pattern::plus_grid, "a");
  again.grazing_altitude_m = -2000e3;
  world.rules = {grid, ground, again};
  const double start_s = 7.0;
  const double slot_s = 12.5;
  const Windows found = windows_of(world, analytic(world), start_s, 6000.0, 2, slot_s);
  for (std::int64_t slot = 0; slot < 479; slot += 7) {
    for (const double into_s : {0.0, 0.3, 0.999}) {
      const double time_s = start_s + slot_s * (static_cast<double>(slot) + into_s);
      const orbit::Links links = links_of(world, time_s, slot);
      std::map<Key, std::int32_t> expected;
      for (std::size_t i = 0; i < links.from.size(); ++i)
        expected[{links.from[i], links.to[i]}] = links.rule[i];
      std::map<Key, std::int32_t> mine;
      for (std::size_t i = 0; i < found.from.size(); ++i) {
        if (found.open_s[i] <= time_s && time_s < found.close_s[i])
          mine[{found.from[i], found.to[i]}] = found.rule[i];
      }
      REQUIRE(mine == expected);
    }
  }
  CHECK(found.from.size() > 1000);
}

TEST_CASE("Windows depend neither on threads nor on what is asked beside them", "[orbit][windows]") {
  World world;
  world.shells = {tests::shell("a", 5, 8)};
  world.elements = orbit::elements(world.shells[0]);
  world.stations = {tests::station("a", 52.0, 13.0), tests::station("b", 0.0, 0.0)};
  world.rules = {tests::rule(Pattern::plus_grid, "a"), tests::rule(Pattern::ground)};
  const Windows all = windows_of(world, analytic(world), 0.0, 20'000.0);
  const Windows again = windows_of(world, analytic(world), 0.0, 20'000.0, 3);
  CHECK(all.open_s == again.open_s);
  CHECK(all.close_s == again.close_s);
  CHECK(all.from == again.from);
  CHECK(std::ranges::is_sorted(all.open_s));
  CHECK(windows_of(world, analytic(world), 5.0, 5.0).from.empty());
  const std::vector<std::shared_ptr<const Motion>> motions{analytic(world)};
  const std::vector<orbit::Horizon> horizons(world.stations.begin(), world.stations.end());
  core::StopToken stop(0.0);
  CHECK_THROWS_AS(orbit::windows(orbit::Layout(world.shells, 40, 2), world.rules, horizons, motions, {},
                                 {.epoch = kEpoch, .start_s = 0.0, .stop_s = 1e5, .slot_s = {}}, 1, stop),
                  core::Stopped);
}

TEST_CASE("What windows cannot say is refused", "[orbit][windows]") {
  World world;
  world.shells = {tests::shell("a", 2, 3)};
  world.elements = orbit::elements(world.shells[0]);
  world.rules = {tests::rule(Pattern::ring, "a"), tests::rule(Pattern::nearest)};
  CHECK(complaint(world, 0.0, 1e9) ==
        "links[1].pattern: 'nearest' of 6 satellites over 1e+09 s is more than 2e8 satellite seconds; ask "
        "for a "
        "shorter span");
  world.rules[1] = tests::rule(Pattern::all);
  world.rules[1].survival = 0.5;
  CHECK(complaint(world).starts_with("links[1].survival: 0.5 is drawn for slots; windows need slot_s"));
  CHECK_THROWS_AS(windows_of(world, analytic(world), 0.0, 1e9, 1, 1.0), core::InvalidInput);
  CHECK_THROWS_AS(windows_of(world, analytic(world), 0.0, 1e9, 1, 0.0), core::InvalidInput);
  world.rules[1].survival = 1.0;
  CHECK(complaint(world).empty());
  world.rules[1].max_links = 2;
  CHECK(complaint(world).starts_with("links[1].max_links: 2 is a choice among the links of an instant"));
  world.rules[1].max_links.reset();
  world.rules[1].acquisition_s = 300.0;
  CHECK_THROWS_AS(windows_of(world, sampled(world, 0.0, 600.0, 60.0), 0.0, 600.0), core::InvalidInput);
  CHECK_NOTHROW(windows_of(world, sampled(world, -300.0, 600.0, 60.0), 0.0, 600.0));
  world.rules[1].acquisition_s.reset();
  CHECK(complaint(world, 5.0, 4.0) == "stop_s: 4 is not in [5, inf)");
  CHECK(complaint(world, std::numeric_limits<double>::quiet_NaN()).starts_with("start_s: nan is not in"));
  CHECK_THROWS_AS(windows_of(world, sampled(world, 0.0, 600.0, 60.0), 0.0, 2000.0), core::InvalidInput);
  CHECK_THROWS_AS(orbit::AnalyticMotion(world.elements, orbit::Propagator::sgp4), core::InvalidInput);
  CHECK_THROWS_AS(orbit::SampledMotion(std::vector<double>(21), std::vector<double>(21), 7, 0.0, 60.0),
                  core::InvalidInput);
  CHECK_THROWS_AS(sampled(world, 0.0, 60'000.0, 2000.0), core::InvalidInput);
}

TEST_CASE("Windows are cut where something is lost", "[orbit][windows][outages]") {
  World world;
  world.shells = {tests::shell("a", 4, 10)};
  world.elements = orbit::elements(world.shells[0]);
  world.stations = {tests::station("p", 50.0, 10.0), tests::station("q", -10.0, 60.0)};
  world.rules = {tests::rule(Pattern::plus_grid, "a"), tests::rule(Pattern::ground)};
  const Windows whole = windows_of(world, analytic(world), 0.0, 6000.0);
  constexpr double kEver = std::numeric_limits<double>::infinity();
  world.outages.add({3, 3}, {1000.0, 2000.0});
  world.outages.add({14, 13}, {500.25, 1500.0});
  world.outages.add({40, 40}, {3000.0, kEver});
  world.outages.add({7, 41}, {-kEver, kEver});
  const Windows cut = windows_of(world, analytic(world), 0.0, 6000.0);
  const auto of = [](const Windows& windows, std::int32_t a, std::int32_t b) {
    orbit::Stretches found;
    for (std::size_t i = 0; i < windows.from.size(); ++i)
      if (windows.from[i] == a && windows.to[i] == b)
        found.push_back({windows.open_s[i], windows.close_s[i]});
    return found;
  };
  std::size_t changed = 0;
  for (std::int32_t a = 0; a < 42; ++a) {
    for (std::int32_t b = 0; b < 42; ++b) {
      if (a == b) continue;
      orbit::Stretches gone;
      if (a == 3 || b == 3) gone.push_back({1000.0, 2000.0});
      if ((a == 13 && b == 14) || (a == 14 && b == 13)) gone.push_back({500.25, 1500.0});
      if (a == 40 || b == 40) gone.push_back({3000.0, kEver});
      if ((a == 7 && b == 41) || (a == 41 && b == 7)) gone.push_back({-kEver, kEver});
      const orbit::Stretches before = of(whole, a, b);
      const orbit::Stretches expected = orbit::without(before, gone);
      const orbit::Stretches now = of(cut, a, b);
      REQUIRE(now.size() == expected.size());
      for (std::size_t i = 0; i < now.size(); ++i) {
        REQUIRE(now[i].open_s == expected[i].open_s);
        REQUIRE(now[i].close_s == expected[i].close_s);
      }
      changed += gone.empty() || before.empty() ? 0 : 1;
    }
  }
  CHECK(changed > 10);
}
