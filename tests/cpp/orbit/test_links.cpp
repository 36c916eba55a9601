#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "catch.hpp"
#include "constellm/core/constants.hpp"
#include "constellm/core/error.hpp"
#include "constellm/orbit/in_sight.hpp"
#include "constellm/orbit/near.hpp"
#include "constellm/orbit/sight.hpp"
#include "orbit/world.hpp"

using namespace constellm;
using orbit::Layout;
using orbit::LinkRule;
using orbit::Pattern;
using tests::Now;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using Pairs = std::set<std::pair<std::int32_t, std::int32_t>>;

/// The links as pairs, each of which must have both directions, alike.
Pairs pairs_of(const orbit::Links& links) {
  Pairs pairs;
  std::map<std::pair<std::int32_t, std::int32_t>, std::pair<double, std::int32_t>> all;
  for (std::size_t i = 0; i < links.from.size(); ++i) {
    if (i > 0) REQUIRE(std::pair(links.from[i - 1], links.to[i - 1]) < std::pair(links.from[i], links.to[i]));
    all[{links.from[i], links.to[i]}] = {links.range_m[i], links.rule[i]};
    if (links.from[i] < links.to[i]) pairs.emplace(links.from[i], links.to[i]);
  }
  CHECK(all.size() == 2 * pairs.size());
  for (const auto& [pair, what] : all) REQUIRE(all.at({pair.second, pair.first}) == what);
  return pairs;
}

orbit::Links links_of(const std::vector<LinkRule>& rules, const std::vector<orbit::Shell>& shells,
                      const Now& now, const std::vector<orbit::GroundStation>& stations = {},
                      double gmst_rad = 0.0, std::int64_t slot = 0) {
  const std::vector<orbit::Horizon> horizons(stations.begin(), stations.end());
  const Layout layout(shells, static_cast<std::int32_t>(now.position_m.size() / 3),
                      static_cast<std::int32_t>(stations.size()));
  core::StopToken stop;
  return orbit::links_at(layout, rules, horizons, now.instant(gmst_rad, slot), stop);
}

/// The message of what is thrown.
template <class Call>
std::string complaint(Call call) {
  try {
    call();
  } catch (const core::InvalidInput& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("A rule takes the keys of its pattern alone", "[orbit][links]") {
  const auto told = [](LinkRule rule) { return complaint([&] { orbit::validate(rule, "links[0]."); }); };
  LinkRule grid = tests::rule(Pattern::plus_grid, "s");
  CHECK(told(grid).empty());
  grid.count = 4;
  CHECK(told(grid) == "links[0].count: means nothing for the pattern 'plus-grid', only for 'nearest'");
  CHECK(told(tests::rule(Pattern::plus_grid)) == "links[0].shell: missing; the pattern 'plus-grid' needs it");
  LinkRule ring = tests::rule(Pattern::ring, "s");
  ring.shift = 1;
  CHECK(told(ring) == "links[0].shift: means nothing for the pattern 'ring', only for 'plus-grid'");
  LinkRule nearest = tests::rule(Pattern::nearest);
  nearest.count.reset();
  CHECK(told(nearest) == "links[0].count: missing; the pattern 'nearest' needs it");
  LinkRule ground = tests::rule(Pattern::ground);
  ground.grazing_altitude_m = 0.0;
  CHECK(told(ground).starts_with("links[0].grazing_altitude_m: means nothing"));
  LinkRule all = tests::rule(Pattern::all);
  all.survival = 1.5;
  CHECK(told(all) == "links[0].survival: 1.5 is not in [0, 1]");
}

TEST_CASE("Grids have every pair once, whatever their planes", "[orbit][links]") {
  const auto grid = [](std::int64_t planes, std::int64_t in_plane, orbit::Seam seam, std::int64_t shift = 0,
                       Pattern pattern = Pattern::plus_grid) {
    LinkRule rule = tests::rule(pattern, "b");
    if (pattern == Pattern::plus_grid) rule.seam = seam;
    if (pattern == Pattern::plus_grid) rule.shift = shift;
    const std::vector<orbit::Shell> shells{tests::shell("a", 2, 3), tests::shell("b", planes, in_plane)};
    const Layout layout(shells, static_cast<std::int32_t>(6 + planes * in_plane + 4), 2);
    std::vector<orbit::Pair> pairs = layout.grid(rule);
    for (orbit::Pair& pair : pairs) {  // of the shell alone
      pair.a -= 6;
      pair.b -= 6;
      REQUIRE(0 <= pair.a);
      REQUIRE(pair.a < pair.b);
      REQUIRE(pair.b < planes * in_plane);
    }
    CHECK(std::set<orbit::Pair>(pairs.begin(), pairs.end()).size() == pairs.size());
    return pairs;
  };
  using enum orbit::Seam;
  for (const std::int64_t shift : {-7, 0, 2}) {
    const auto torus = grid(5, 4, closed, shift);
    CHECK(torus.size() == 40);
    std::vector<int> degree(20);
    for (const auto& [a, b] : torus) {
      ++degree[static_cast<std::size_t>(a)];
      ++degree[static_cast<std::size_t>(b)];
      const bool in_plane = a / 4 == b / 4 && ((b - a) == 1 || (b - a) == 3);
      const bool across = b / 4 == a / 4 + 1 && ((b % 4 - a % 4) - shift) % 4 == 0;
      const bool seam = a / 4 == 0 && b / 4 == 4 && ((a % 4 - b % 4) - shift) % 4 == 0;
      CHECK((in_plane || across || seam));
    }
    CHECK(std::ranges::count(degree, 4) == 20);
    CHECK(grid(5, 4, open, shift).size() == 36);
  }
  CHECK(grid(1, 5, closed).size() == 5);
  CHECK(grid(1, 2, closed) == std::vector<orbit::Pair>{{0, 1}});
  CHECK(grid(1, 1, closed).empty());
  CHECK(grid(2, 1, closed) == std::vector<orbit::Pair>{{0, 1}});
  CHECK(grid(2, 3, closed).size() == 9);      // the seam has the pairs that are there
  CHECK(grid(2, 3, closed, 1).size() == 12);  // with a shift it has others
  CHECK(grid(3, 1, closed).size() == 3);
  CHECK(grid(3, 1, open).size() == 2);
  CHECK(grid(4, 3, closed, 0, Pattern::ring).size() == 12);
}

TEST_CASE("Near points are those of all comparisons, with ties by position", "[orbit][links]") {
  tests::Random random(11);
  for (const bool lattice : {false, true}) {
    std::vector<double> points;
    for (int i = 0; i < 3 * 400; ++i) points.push_back(lattice ? random.below(6) : random.uniform(-1.0, 1.0));
    points[3 * 17 + 1] = kNaN;
    const orbit::NearPoints near(points);
    std::vector<std::int32_t> found;
    for (std::int32_t from = 0; from < 400; ++from) {
      std::vector<std::pair<double, std::int32_t>> all;
      const auto at = [&](std::int32_t i) {
        return Eigen::Map<const Eigen::Vector3d>(points.data() + 3 * i);
      };
      for (std::int32_t i = 0; i < 400; ++i) {
        const double squared = (at(i) - at(from)).squaredNorm();
        if (i != from && squared >= 0.0) all.emplace_back(squared, i);
      }
      std::ranges::sort(all);
      for (const std::size_t count : {std::size_t{1}, std::size_t{5}, std::size_t{1000}}) {
        near.nearest(from, count, found);
        REQUIRE(found.size() == std::min(count, all.size()));
        for (std::size_t k = 0; k < found.size(); ++k) REQUIRE(found[k] == all[k].second);
      }
      const double range = lattice ? 2.0 : 0.4;
      std::vector<std::int32_t> within;
      for (const auto& [squared, i] : all) {
        if (squared <= range * range) within.push_back(i);
      }
      found.clear();
      near.around(from, range, [&](std::int32_t point, double squared_m) {
        if (point == from || squared_m > range * range) return;
        REQUIRE(squared_m == Approx((at(point) - at(from)).squaredNorm()));
        found.push_back(point);
      });
      std::ranges::sort(found);
      std::ranges::sort(within);
      REQUIRE(found == within);
    }
  }
}

TEST_CASE("Who is as near to a millimetre is asked for by the smaller index", "[orbit][links]") {
  // By how far the others are from satellite 0, and so far from each other that all ask for it.
  const auto asked_by_0 = [](const std::vector<double>& away_m, std::int64_t count) {
    Now now{.position_m = {2e7, 0.0, 0.0}, .velocity_m_per_s = {}};
    for (std::size_t i = 0; i < away_m.size(); ++i) {
      const double angle = 1.2 * static_cast<double>(i);
      for (const double x : {2e7, away_m[i] * std::cos(angle), away_m[i] * std::sin(angle)})
        now.position_m.push_back(x);
    }
    now.velocity_m_per_s.resize(now.position_m.size());
    LinkRule rule = tests::rule(Pattern::nearest);
    rule.count = count;
    const orbit::Links links = links_of({rule}, {}, now);
    std::vector<std::int32_t> found;
    for (std::size_t i = 0; i < links.from.size(); ++i) {
      if (links.from[i] == 0) found.push_back(links.to[i]);
    }
    return found;
  };
  using Points = std::vector<std::int32_t>;
  CHECK(asked_by_0({1e6, 2e6, 3e6}, 2) == Points{1, 2});
  CHECK(asked_by_0({3e6, 2e6, 1e6}, 2) == Points{2, 3});
  CHECK(asked_by_0({1e6 + 0.0009, 1e6}, 1) == Points{1});
  CHECK(asked_by_0({1e6 + 0.0011, 1e6}, 1) == Points{2});
  CHECK(asked_by_0({1e6, 1e6, 1e6, 1e6}, 3) == Points{1, 2, 3});
  CHECK(asked_by_0({1e6, 1e6}, 5) == Points{1, 2});
  // A chain, of which each is as near as the next: of 1, 2 and 3 each counts one before it.
  CHECK(asked_by_0({1e6 + 0.0016, 1e6 + 0.0008, 1e6}, 1).empty());
  CHECK(asked_by_0({1e6 + 0.0016, 1e6 + 0.0008, 1e6}, 2) == Points{1, 2, 3});
}

TEST_CASE("Pairs in sight are those of all lines", "[orbit][links]") {
  for (const bool eccentric : {false, true}) {
    Now now = tests::now(tests::stray(5, 500, eccentric), 1000.0);
    now.position_m[3 * 100] = kNaN;
    for (const double longest_m : {3e6, std::numeric_limits<double>::infinity()}) {
      core::StopToken stop;
      const orbit::InSight found = orbit::in_sight(now.position_m, longest_m, 80e3, stop);
      Pairs pairs;
      for (std::size_t i = 0; i < found.a.size(); ++i) pairs.emplace(found.a[i], found.b[i]);
      CHECK(pairs.size() == found.a.size());
      Pairs expected;
      for (std::int32_t a = 0; a < 500; ++a) {
        for (std::int32_t b = a + 1; b < 500; ++b) {
          const orbit::Sight sight = orbit::sight(now.of(a), now.of(b));
          if (sight.range_m <= longest_m && sight.grazing_altitude_m >= 80e3) expected.emplace(a, b);
        }
      }
      CHECK(expected.size() > 500);
      CHECK(pairs == expected);
    }
  }
}

TEST_CASE("Links between satellites are those that all conditions leave", "[orbit][links]") {
  const std::vector<orbit::Shell> shells{tests::shell("a", 8, 12), tests::shell("b", 5, 9, 900e3, 97.0)};
  orbit::Elements elements = orbit::elements(shells[0]);
  tests::append(elements, orbit::elements(shells[1]));
  tests::append(elements, tests::stray(8, 60));
  const auto count = static_cast<std::int32_t>(elements.size());
  const Now now = tests::now(elements, 4321.0);
  const auto plane = [](std::int32_t i) { return i < 96 ? i / 12 : i < 141 ? 8 + (i - 96) / 9 : i; };
  for (const Pattern pattern : {Pattern::plus_grid, Pattern::ring, Pattern::nearest, Pattern::all}) {
    for (const bool of_shell : {true, false}) {
      if (!of_shell && (pattern == Pattern::plus_grid || pattern == Pattern::ring)) continue;
      LinkRule rule = tests::rule(pattern, of_shell ? "a" : "");
      rule.max_range_m = 4.2e6;
      rule.grazing_altitude_m = 100e3;
      if (pattern != Pattern::ring) rule.max_latitude_deg = 40.0;
      rule.max_angular_rate_rad_per_s = 1.3e-3;
      const std::int32_t end = of_shell ? 96 : count;
      std::vector<std::set<std::int32_t>> asked(static_cast<std::size_t>(count));
      for (std::int32_t a = 0; a < end; ++a) {
        std::vector<std::pair<double, std::int32_t>> all;
        for (std::int32_t b = 0; b < end; ++b) {
          if (a != b) all.emplace_back((now.of(a).position_m - now.of(b).position_m).norm(), b);
        }
        std::ranges::sort(all);
        for (std::size_t k = 0; k < 4; ++k) asked[static_cast<std::size_t>(a)].insert(all[k].second);
      }
      Pairs expected;
      std::size_t cut = 0;
      for (std::int32_t a = 0; a < end; ++a) {
        for (std::int32_t b = a + 1; b < end; ++b) {
          const std::int32_t along = (b - a + 12) % 12;
          const bool ring = a / 12 == b / 12 && (along == 1 || along == 11);
          const bool across = a % 12 == b % 12 && ((b / 12 - a / 12) % 8 == 1 || (b / 12 - a / 12) % 8 == 7);
          const bool mutual = asked[static_cast<std::size_t>(a)].contains(b) &&
                              asked[static_cast<std::size_t>(b)].contains(a);
          const bool wanted = pattern == Pattern::all       ? true
                              : pattern == Pattern::nearest ? mutual
                              : pattern == Pattern::ring    ? ring
                                                            : ring || across;
          if (!wanted) continue;
          const orbit::Sight sight = orbit::sight(now.of(a), now.of(b));
          bool holds = sight.range_m <= 4.2e6 && sight.grazing_altitude_m >= 100e3 &&
                       sight.angular_rate_rad_per_s <= 1.3e-3;
          for (const std::int32_t i : {a, b}) {
            const Eigen::Vector3d at = now.of(i).position_m;
            const double latitude_deg = std::asin(at.z() / at.norm()) / orbit::kDegree_rad;
            if (pattern != Pattern::ring && plane(a) != plane(b) && std::abs(latitude_deg) > 40.0)
              holds = false;
          }
          if (holds) expected.emplace(a, b);
          cut += holds ? 0 : 1;
        }
      }
      const orbit::Links links = links_of({rule}, shells, now);
      INFO("pattern " << static_cast<int>(pattern) << ", of a shell " << of_shell);
      CHECK(pairs_of(links) == expected);
      CHECK(expected.size() >= 10);
      if (pattern != Pattern::ring) CHECK(cut > 10);
      for (std::size_t i = 0; i < links.from.size(); ++i) {
        const double range_m = (now.of(links.from[i]).position_m - now.of(links.to[i]).position_m).norm();
        REQUIRE(links.range_m[i] == Approx(range_m).epsilon(1e-14));
        REQUIRE(links.latency_s[i] == Approx(range_m / 299'792'458.0).epsilon(1e-14));
      }
    }
  }
}

TEST_CASE("Stations see what stands high and near enough, and tell what was not", "[orbit][links]") {
  const std::vector<orbit::Shell> shells{tests::shell("a", 20, 20)};
  const Now now = tests::now(orbit::elements(shells[0]), 777.0);
  std::vector<orbit::GroundStation> stations{
      tests::station("n", 48.0, 11.0), tests::station("s", -33.0, 151.0), tests::station("e", 0.0, -60.0)};
  stations[1].max_range_m = 1.0e6;
  stations[1].altitude_m = 2000.0;
  stations[2].min_elevation_deg = -2.0;
  LinkRule rule = tests::rule(Pattern::ground);
  rule.max_range_m = 1.6e6;
  rule.overhead_s = 0.25;
  const double gmst_rad = 1.234;
  const orbit::Links links = links_of({rule}, shells, now, stations, gmst_rad);
  const orbit::EarthTurn turn(gmst_rad);
  Pairs expected;
  for (std::int32_t s = 0; s < 3; ++s) {
    const orbit::GroundStation& of = stations[static_cast<std::size_t>(s)];
    const orbit::Station place({.latitude_rad = of.latitude_deg * orbit::kDegree_rad,
                                .longitude_rad = of.longitude_deg * orbit::kDegree_rad,
                                .altitude_m = of.altitude_m});
    std::int32_t low = 0;
    std::int32_t far = 0;
    for (std::int32_t i = 0; i < 400; ++i) {
      const orbit::Look look =
          place.look({.position_m = turn.to_ecef(now.of(i).position_m), .velocity_m_per_s = {0.0, 0.0, 0.0}});
      const bool high = look.elevation_rad >= of.min_elevation_deg * orbit::kDegree_rad;
      const bool near = look.range_m <= std::min(1.6e6, of.max_range_m.value_or(1e99));
      if (high && near) expected.emplace(i, 400 + s);
      low += near && !high ? 1 : 0;
      far += high && !near ? 1 : 0;
    }
    CHECK(links.below_mask[static_cast<std::size_t>(s)] == low);
    CHECK(links.out_of_range[static_cast<std::size_t>(s)] == far);
  }
  CHECK(expected.size() > 8);
  CHECK(pairs_of(links) == expected);
  CHECK(links.out_of_range[2] > 0);
  // A second rule links some that the first finds too far: they are cut no more, and none is counted twice.
  LinkRule farther = rule;
  farther.max_range_m = 2.2e6;
  const orbit::Links more = links_of({rule, farther}, shells, now, stations, gmst_rad);
  const orbit::Links alone = links_of({farther}, shells, now, stations, gmst_rad);
  CHECK(more.out_of_range == alone.out_of_range);
  CHECK(more.below_mask == alone.below_mask);
  CHECK(more.out_of_range[2] < links.out_of_range[2]);
  for (std::size_t i = 0; i < links.from.size(); ++i)
    REQUIRE(links.latency_s[i] == links.range_m[i] / 299'792'458.0 + 0.25);
}

TEST_CASE("Of rules for one pair the first has it that holds, and who is nowhere has no links",
          "[orbit][links]") {
  const std::vector<orbit::Shell> shells{tests::shell("a", 6, 11, 780e3, 86.4)};
  Now now = tests::now(orbit::elements(shells[0]), 0.0);
  LinkRule near = tests::rule(Pattern::plus_grid, "a");
  near.rate_bps = 5e9;
  near.max_range_m = 4.1e6;
  LinkRule far = tests::rule(Pattern::plus_grid, "a");
  const orbit::Links links = links_of({near, far}, shells, now);
  CHECK(pairs_of(links) == pairs_of(links_of({far}, shells, now)));
  std::size_t of_near = 0;
  for (std::size_t i = 0; i < links.from.size(); ++i) {
    REQUIRE(links.rule[i] == (links.range_m[i] <= 4.1e6 ? 0 : 1));
    REQUIRE(links.rate_bps[i] == (links.rule[i] == 0 ? 5e9 : 1e9));
    of_near += links.rule[i] == 0 ? 1 : 0;
  }
  CHECK((of_near > 0 && of_near < links.from.size()));

  for (std::size_t x = 0; x < 3; ++x) now.position_m[3 * 5 + x] = now.velocity_m_per_s[3 * 5 + x] = kNaN;
  for (const Pattern pattern : {Pattern::plus_grid, Pattern::nearest, Pattern::all, Pattern::ground}) {
    const std::vector<orbit::GroundStation> stations{tests::station("p", 89.0, 0.0)};
    const orbit::Links without = links_of({tests::rule(pattern, "a")}, shells, now, stations);
    CHECK(!without.from.empty());
    CHECK(std::ranges::count(without.from, 5) == 0);
  }
  CHECK(complaint([&] { links_of({tests::rule(Pattern::ring, "c")}, shells, now); }) ==
        "links[0].shell: 'c' is no shell; there are 'a'");
  CHECK(complaint([&] { links_of({near}, {shells[0], shells[0]}, now); }) ==
        "shells: they have more than the 66 satellites that have positions");
  CHECK(complaint([&] { Layout(std::vector{shells[0], shells[0]}, 132, 0); }) ==
        "shells: two have the name 'a'");
}

TEST_CASE("Whether a link survives is drawn for its pair and slot, both ways alike", "[orbit][links]") {
  const std::vector<orbit::Shell> shells{tests::shell("a", 20, 20)};
  const Now now = tests::now(orbit::elements(shells[0]), 0.0);
  LinkRule rule = tests::rule(Pattern::plus_grid, "a");
  rule.grazing_altitude_m = -6e6;
  CHECK(pairs_of(links_of({rule}, shells, now)).size() == 800);
  rule.survival = 0.7;
  std::size_t alive = 0;
  std::size_t twice = 0;
  Pairs before;
  for (std::int64_t slot = 0; slot < 50; ++slot) {
    const Pairs pairs = pairs_of(links_of({rule}, shells, now, {}, 0.0, slot));
    alive += pairs.size();
    for (const auto& pair : pairs) twice += before.contains(pair) ? 1 : 0;
    before = pairs;
  }
  CHECK(static_cast<double>(alive) / 40'000.0 == Approx(0.7).margin(0.012));  // five standard deviations
  CHECK(static_cast<double>(twice) / 39'200.0 == Approx(0.49).margin(0.015));
  LinkRule other = rule;
  other.seed = 1;
  CHECK(pairs_of(links_of({other}, shells, now)) != pairs_of(links_of({rule}, shells, now)));
  // The same whatever else is drawn: alone, the ring keeps what it has in the grid.
  LinkRule ring = tests::rule(Pattern::ring, "a");
  ring.survival = 0.7;
  ring.grazing_altitude_m = -6e6;
  const Pairs all = pairs_of(links_of({rule}, shells, now));
  const Pairs of_ring = pairs_of(links_of({ring}, shells, now));
  CHECK(std::ranges::includes(all, of_ring));
  for (std::int32_t a = 0; a < 100; ++a)
    CHECK(orbit::survives(rule, 3, a, 200) == orbit::survives(rule, 3, 200, a));
  rule.survival = 0.0;
  CHECK(links_of({rule}, shells, now).from.empty());
}
