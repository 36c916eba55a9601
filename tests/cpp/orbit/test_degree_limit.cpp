#include <algorithm>
#include <bit>

#include "catch.hpp"
#include "constellm/orbit/degree_limit.hpp"
#include "orbit/world.hpp"
#include "random.hpp"

using namespace constellm;
using orbit::LinkRule;
using orbit::Pair;
using orbit::Pattern;

namespace {

std::vector<std::size_t> chosen_of(const std::vector<Pair>& pairs, std::int32_t nodes, std::int64_t most) {
  core::StopToken stop;
  const std::vector<std::size_t> chosen = orbit::most_links(pairs, nodes, most, stop);
  std::vector<std::int64_t> degree(static_cast<std::size_t>(nodes));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (i > 0) REQUIRE(chosen[i - 1] < chosen[i]);
    REQUIRE(++degree[static_cast<std::size_t>(pairs[chosen[i]].a)] <= most);
    REQUIRE(++degree[static_cast<std::size_t>(pairs[chosen[i]].b)] <= most);
  }
  return chosen;
}

/// By trying every choice.
int most_of(const std::vector<Pair>& pairs, std::int32_t nodes, std::int64_t most) {
  int best = 0;
  for (std::uint32_t set = 0; set < 1u << pairs.size(); ++set) {
    if (std::popcount(set) <= best) continue;
    std::vector<std::int64_t> degree(static_cast<std::size_t>(nodes));
    bool fits = true;
    for (std::size_t p = 0; p < pairs.size() && fits; ++p) {
      if ((set >> p & 1u) == 0) continue;
      fits = ++degree[static_cast<std::size_t>(pairs[p].a)] <= most &&
             ++degree[static_cast<std::size_t>(pairs[p].b)] <= most;
    }
    if (fits) best = std::popcount(set);
  }
  return best;
}

}  // namespace

TEST_CASE("A choice under a degree limit has as many links as any", "[orbit][degree]") {
  const std::uint64_t problems = tests::random_problems(400);
  std::size_t grown = 0;
  for (std::uint64_t seed = 0; seed < problems; ++seed) {
    tests::Random random(seed);
    const std::int32_t nodes = 2 + random.below(8);
    std::vector<Pair> all;
    for (std::int32_t a = 0; a < nodes; ++a)
      for (std::int32_t b = a + 1; b < nodes; ++b) all.push_back({a, b});
    const double share = random.uniform(0.1, 1.0);
    std::vector<Pair> pairs;
    while (!all.empty() && pairs.size() < 13) {
      const auto at = all.begin() + random.below(static_cast<std::int32_t>(all.size()));
      if (random.chance(share)) pairs.push_back(*at);
      all.erase(at);
    }
    const std::int64_t most = 1 + random.below(3);
    const std::vector<std::size_t> chosen = chosen_of(pairs, nodes, most);
    REQUIRE(static_cast<int>(chosen.size()) == most_of(pairs, nodes, most));
    // Those that are taken first, where no trail had to be found.
    std::vector<std::int64_t> degree(static_cast<std::size_t>(nodes));
    std::vector<std::size_t> first;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      auto& a = degree[static_cast<std::size_t>(pairs[p].a)];
      auto& b = degree[static_cast<std::size_t>(pairs[p].b)];
      if (a >= most || b >= most) continue;
      ++a;
      ++b;
      first.push_back(p);
    }
    if (first.size() < chosen.size())
      ++grown;
    else
      REQUIRE(chosen == first);
  }
  CHECK(grown > problems / 20);
}

TEST_CASE("Odd rings and blossoms leave no link undone", "[orbit][degree]") {
  // Two triangles with a bridge, which only a trail through both of them reaches.
  const std::vector<Pair> triangles{{1, 2}, {3, 4}, {0, 1}, {0, 2}, {2, 3}, {3, 5}, {4, 5}};
  CHECK(chosen_of(triangles, 6, 1).size() == 3);
  // Of a ring of seven every node has two.
  std::vector<Pair> ring;
  for (std::int32_t v = 0; v < 7; ++v) ring.push_back({std::min(v, (v + 1) % 7), std::max(v, (v + 1) % 7)});
  CHECK(chosen_of(ring, 7, 1).size() == 3);
  CHECK(chosen_of(ring, 7, 2).size() == 7);
  CHECK(chosen_of(ring, 7, 100).size() == 7);
  CHECK(chosen_of({}, 7, 2).empty());
  core::StopToken stop(0.0, {}, 1);
  CHECK_THROWS_AS(orbit::most_links(triangles, 6, 1, stop), core::Stopped);
}

TEST_CASE("All in sight under a limit: what other rules join or what is lost takes no room",
          "[orbit][links][degree]") {
  const std::vector<orbit::Shell> shells{tests::shell("a", 9, 10)};
  const tests::Now now = tests::now(orbit::elements(shells[0]), 0.0);
  const orbit::Layout layout(shells, 90, 0);
  const auto links_of = [&](const std::vector<LinkRule>& rules, const std::vector<Pair>& lost) {
    core::StopToken stop;
    orbit::Instant instant = now.instant(0.0);
    instant.lost = lost;
    return orbit::links_at(layout, rules, {}, instant, stop);
  };
  LinkRule all = tests::rule(Pattern::all);
  all.max_range_m = 6e6;
  all.max_links = 3;
  const auto degrees = [](const orbit::Links& links, std::int32_t rule) {
    std::vector<std::int64_t> degree(90);
    for (std::size_t i = 0; i < links.from.size(); ++i)
      if (links.rule[i] == rule) ++degree[static_cast<std::size_t>(links.from[i])];
    return degree;
  };
  const orbit::Links alone = links_of({all}, {});
  CHECK(std::ranges::all_of(degrees(alone, 0), [](std::int64_t d) { return d == 3; }));
  const orbit::Links beside = links_of({tests::rule(Pattern::ring, "a"), all}, {});
  CHECK(std::ranges::all_of(degrees(beside, 0), [](std::int64_t d) { return d == 2; }));
  CHECK(std::ranges::all_of(degrees(beside, 1), [](std::int64_t d) { return d == 3; }));
  // The first link of satellite 1 and all of satellite 0 are gone; the others find other partners.
  const auto first = std::ranges::find(alone.from, 1) - alone.from.begin();
  const std::int32_t other = alone.to[static_cast<std::size_t>(first)];
  std::vector<Pair> lost{{0, 0}, {std::min(1, other), std::max(1, other)}};
  std::ranges::sort(lost);
  const orbit::Links left = links_of({all}, lost);
  for (std::size_t i = 0; i < left.from.size(); ++i) {
    REQUIRE(left.from[i] != 0);
    REQUIRE_FALSE((left.from[i] == 1 && left.to[i] == other));
  }
  CHECK(left.from.size() == 2 * ((89 * 3) / 2));
}
