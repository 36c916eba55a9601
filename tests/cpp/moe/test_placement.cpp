#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/moe/evaluate.hpp"
#include "constellm/moe/slot_prices.hpp"
#include "constellm/moe/solve.hpp"
#include "random.hpp"

using namespace constellm;
using moe::Placement;
using moe::Problem;
using tests::Random;

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

std::vector<std::string> ids(std::size_t n) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < n; ++i) found.push_back("s" + std::to_string(i));
  return found;
}

/// Up to two layers of up to four experts; some satellites out of reach, some latencies alike.
Problem some_problem(Random& random) {
  const std::int32_t layers = 1 + random.below(2);
  const std::int32_t most = layers == 1 ? 4 : 3;
  const std::int32_t slots = 1 + random.below(4);
  const std::int32_t satellites = 2 + random.below(6);
  const double far = random.chance(0.5) ? 0.0 : random.uniform(0.0, 0.15);
  std::vector<moe::LayerFields> fields;
  std::int32_t fewest = most;
  for (std::int32_t l = 0; l < layers; ++l) {
    moe::LayerFields layer;
    const std::int32_t experts = 1 + random.below(most);
    fewest = std::min(fewest, experts);
    for (std::int32_t e = 0; e < experts; ++e)
      layer.weights.push_back(random.chance(0.2) ? 1.0 : std::exp(random.uniform(-3.0, 1.0)));
    for (std::int32_t i = 0; i < slots * satellites; ++i) {
      layer.latency_s.push_back(random.chance(far)   ? std::nan("")
                                : random.chance(0.2) ? 0.001 * random.below(4)
                                                     : random.uniform(0.0, 0.05));
    }
    if (random.chance(0.5)) layer.base_s = random.uniform(0.0, 0.01);
    fields.push_back(std::move(layer));
  }
  std::optional<double> unreachable;
  if (random.chance(0.5)) unreachable = random.uniform(0.0, 0.3);
  return {"random", 1 + random.below(fewest), ids(static_cast<std::size_t>(satellites)), unreachable,
          slots,    std::move(fields)};
}

/// Every placement.
void enumerate(const Problem& problem, std::size_t layer, std::vector<char>& used, double before_s,
               double& least_s) {
  if (layer == problem.layers().size()) {
    least_s = std::min(least_s, before_s);
    return;
  }
  const moe::Layer& of = problem.layers()[layer];
  std::vector<std::int32_t> hosts;
  const auto place = [&](const auto& self) -> void {
    if (hosts.size() == of.picks.weights().size()) {
      enumerate(problem, layer + 1, used, before_s + of.base_s + moe::layer_latency_s(problem, layer, hosts),
                least_s);
      return;
    }
    for (const std::int32_t s : of.usable) {
      if (used[static_cast<std::size_t>(s)] != 0) continue;
      used[static_cast<std::size_t>(s)] = 1;
      hosts.push_back(s);
      self(self);
      hosts.pop_back();
      used[static_cast<std::size_t>(s)] = 0;
    }
  };
  place(place);
}

double least_s(const Problem& problem) {
  std::vector<char> used(problem.satellites().size(), 0);
  double least = kNever;
  enumerate(problem, 0, used, 0.0, least);
  return least;
}

}  // namespace

TEST_CASE("placements: the best of all, proven", "[moe]") {
  const std::uint64_t count = tests::random_problems(400);
  std::uint64_t infeasible = 0;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Random random(seed);
    const Problem problem = some_problem(random);
    const double best = least_s(problem);
    core::StopToken stop;
    const moe::Plan plan = moe::solve(problem, stop);
    INFO("seed " << seed << ", top_k " << problem.top_k() << ", " << problem.layers().size() << " layers, "
                 << problem.slots() << " slots");
    if (best == kNever) {
      ++infeasible;
      CHECK(plan.status == core::Status::infeasible);
      CHECK(plan.placement.empty());
      continue;
    }
    REQUIRE(plan.status == core::Status::optimal);
    CHECK(plan.token_latency_s == Approx(best).epsilon(1e-9));
    CHECK(plan.lower_bound_s <= best * (1.0 + 1e-12));
    CHECK(moe::evaluate(problem, plan.placement).token_latency_s == plan.token_latency_s);
    core::StopToken again;
    const moe::Plan near = moe::exchange(problem, again);
    CHECK(near.token_latency_s >= best * (1.0 - 1e-12));
    CHECK(near.lower_bound_s <= best * (1.0 + 1e-12));
    const moe::Plan sorted = moe::sorted(problem);
    if (!sorted.placement.empty()) CHECK(sorted.token_latency_s >= best * (1.0 - 1e-12));
    if (problem.slots() == 1 && problem.layers().size() == 1)
      CHECK(sorted.token_latency_s == Approx(best).epsilon(1e-12));
    // Told to stop at once: a placement and a true bound all the same.
    core::StopToken at_once(0.0, {}, 1);
    const moe::Plan stopped = moe::solve(problem, at_once);
    CHECK(stopped.token_latency_s >= best * (1.0 - 1e-12));
    CHECK(stopped.lower_bound_s <= best * (1.0 + 1e-12));
  }
  CHECK(infeasible > 0);
}

TEST_CASE("placements: more satellites never hurt, and their order does not matter", "[moe]") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(1000 + seed);
    const std::int32_t satellites = 6;
    const std::int32_t slots = 3;
    const std::int32_t top_k = 1 + random.below(3);
    moe::LayerFields layer{{0.4, 0.3, 0.2, 0.1}, {}, 0.0};
    for (std::int32_t i = 0; i < slots * satellites; ++i) layer.latency_s.push_back(random.uniform(0.0, 1.0));
    const auto solved = [&](const std::vector<std::int32_t>& columns) {
      moe::LayerFields some = layer;
      some.latency_s.clear();
      for (std::int32_t t = 0; t < slots; ++t)
        for (const std::int32_t s : columns)
          some.latency_s.push_back(layer.latency_s[static_cast<std::size_t>(t * satellites + s)]);
      core::StopToken stop;
      return moe::solve(Problem("p", top_k, ids(columns.size()), {}, slots, {some}), stop).token_latency_s;
    };
    const double all = solved({0, 1, 2, 3, 4, 5});
    CHECK(solved({5, 3, 1, 0, 2, 4}) == Approx(all).epsilon(1e-12));
    CHECK(all <= solved({0, 1, 2, 3, 4}) * (1.0 + 1e-12));
  }
}

TEST_CASE("placements: what is refused", "[moe]") {
  const auto make = [](std::vector<double> latency_s, std::int32_t slots = 1) {
    return Problem("p", 1, ids(2), {}, slots, {{{0.6, 0.4}, std::move(latency_s), 0.0}});
  };
  CHECK_THROWS_WITH(make({0.1}), ContainsSubstring("layers[0].latency_s: 1 numbers are not 1 slots of 2"));
  CHECK_THROWS_WITH(make({0.1, -0.1}),
                    ContainsSubstring("layers[0].latency_s[0][1]: -0.1 is not in [0, inf)"));
  CHECK_THROWS_WITH(make({0.1, kNever}), ContainsSubstring("latency_s[0][1]: inf"));
  CHECK_THROWS_WITH(make({}, 0), ContainsSubstring("has no slot"));
  CHECK_THROWS_WITH(Problem("p", 1, {"a", "a"}, {}, 1, {{{1.0}, {0.1, 0.2}, 0.0}}),
                    ContainsSubstring("'a' is satellites[0] too"));
  CHECK_THROWS_WITH(Problem("p", 1, {"a", ""}, {}, 1, {{{1.0}, {0.1, 0.2}, 0.0}}),
                    ContainsSubstring("satellites[1]: must not be empty"));
  CHECK_THROWS_WITH(Problem("p", 1, {}, {}, 1, {{{1.0}, {}, 0.0}}), ContainsSubstring("satellites"));
  CHECK_THROWS_WITH(Problem("p", 1, ids(2), -1.0, 1, {{{1.0}, {0.1, 0.2}, 0.0}}),
                    ContainsSubstring("unreachable_s: -1"));
  CHECK_THROWS_WITH(Problem("p", 1, ids(2), {}, 1, {{{1.0}, {0.1, 0.2}, -1.0}}),
                    ContainsSubstring("layers[0].base_s: -1"));
  CHECK_THROWS_WITH(Problem("p", 1, ids(2), {}, 1, {}), ContainsSubstring("layers: must not be empty"));
  const Problem problem = make({0.1, std::nan("")});
  CHECK_THROWS_WITH(moe::evaluate(problem, {}), ContainsSubstring("has 0 layers, the problem 1"));
  CHECK_THROWS_WITH(moe::evaluate(problem, {{0}}), ContainsSubstring("placement[0]: has 1 satellites for 2"));
  CHECK_THROWS_WITH(moe::evaluate(problem, {{0, 2}}),
                    ContainsSubstring("placement[0][1]: 2 is not in [0, 1]"));
  CHECK_THROWS_WITH(moe::evaluate(problem, {{0, 0}}),
                    ContainsSubstring("'s0' hosts expert 0 of layer 0 already"));
  CHECK_THROWS_WITH(moe::evaluate(problem, {{0, 1}}), ContainsSubstring("'s1' is not reachable in slot 0"));
}

TEST_CASE("placements: tables that fit in no memory are refused, sorting needs none", "[moe]") {
  const std::size_t satellites = 20'000;
  std::vector<double> latency_s(satellites);
  for (std::size_t s = 0; s < satellites; ++s) latency_s[s] = 1.0 + static_cast<double>(s);
  const Problem problem("p", 2, ids(satellites), {}, 1, {{{0.6, 0.4}, latency_s, 0.0}});
  core::StopToken stop;
  CHECK_THROWS_WITH(moe::solve(problem, stop),
                    ContainsSubstring("of up to 20000 satellites each, whose pairs take 4.8 GB"));
  CHECK(moe::sorted(problem).token_latency_s == Approx(2.0));
}

TEST_CASE("placements: experts that are picked alike are placed in one order only", "[moe]") {
  Random random(5);
  std::vector<moe::LayerFields> fields;
  for (int l = 0; l < 3; ++l) {
    moe::LayerFields layer{{1.0, 1e-12, 1e-12}, {}, 0.0};
    for (int i = 0; i < 4 * 9; ++i) layer.latency_s.push_back(random.uniform(0.0, 0.1));
    fields.push_back(std::move(layer));
  }
  const Problem problem("p", 3, ids(9), {}, 4, std::move(fields));
  core::StopToken stop;
  const moe::Plan plan = moe::solve(problem, stop);
  CHECK(plan.status == core::Status::optimal);
  CHECK(plan.token_latency_s == Approx(least_s(problem)));
}

TEST_CASE("placements: of one pick means are enough, whatever the number of satellites", "[moe]") {
  const std::size_t satellites = 20'000;
  std::vector<double> latency_s(satellites);
  for (std::size_t s = 0; s < satellites; ++s) latency_s[s] = static_cast<double>(satellites - s);
  const Problem problem("p", 1, ids(satellites), {}, 1, {{{0.7, 0.3}, latency_s, 1.0}});
  core::StopToken stop;
  const moe::Plan plan = moe::solve(problem, stop);
  CHECK(plan.status == core::Status::optimal);
  CHECK(plan.token_latency_s == Approx(1.0 + 0.7 + 0.6));
}

TEST_CASE("prices in every slot: never above the best, and no lower by classes", "[moe]") {
  const std::uint64_t count = tests::random_problems(300);
  std::uint64_t tight = 0;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Random random(2000 + seed);
    const Problem problem = some_problem(random);
    const double best = least_s(problem);
    if (best == kNever) continue;
    INFO("seed " << seed);
    double base_s = 0.0;
    core::StopToken stop;
    std::vector<moe::SlotLayer> layers;
    for (const moe::Layer& layer : problem.layers()) {
      layers.emplace_back(problem, layer, stop);
      base_s += layer.base_s;
    }
    moe::SlotPrices prices(layers, problem.satellites().size());
    const double most = (best - base_s) * (1.0 + 1e-12) + 1e-15;
    double bound = prices.raise(best - base_s, stop);
    CHECK(bound <= most);
    while (prices.refine()) {
      const double finer = prices.raise(best - base_s, stop);
      CHECK(finer >= bound);
      CHECK(finer <= most);
      bound = finer;
    }
    if (bound >= (best - base_s) * (1.0 - 1e-3)) ++tight;
  }
  // Where experts are few each has a class of its own in the end.
  CHECK(10 * tight > 6 * count);
}

TEST_CASE("prices in every slot: satellites that are not told apart", "[moe]") {
  Random random(7);
  const std::int32_t satellites = 150;
  const std::int32_t slots = 4;
  moe::LayerFields layer{{0.4, 0.3, 0.2, 0.1}, {}, 0.0};
  for (std::int32_t i = 0; i < slots * satellites; ++i) layer.latency_s.push_back(random.uniform(0.02, 0.05));
  const Problem problem("far", 3, ids(satellites), std::nullopt, slots, {layer, layer});
  core::StopToken stop;
  std::vector<moe::SlotLayer> layers;
  for (const moe::Layer& of : problem.layers()) layers.emplace_back(problem, of, stop);
  const moe::Plan plan = moe::exchange(problem, stop);
  moe::SlotPrices prices(layers, satellites);
  const double bound = prices.raise(plan.token_latency_s, stop);
  CHECK(bound <= plan.token_latency_s);
  CHECK(bound > 0.7 * plan.token_latency_s);
}
