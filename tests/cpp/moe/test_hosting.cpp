#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "constellm/core/index.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/moe/evaluate.hpp"
#include "constellm/moe/host.hpp"
#include "constellm/moe/host_bound.hpp"
#include "constellm/moe/host_search.hpp"
#include "constellm/moe/host_tree.hpp"
#include "constellm/moe/solve.hpp"
#include "random.hpp"

using namespace constellm;
using core::z;
using moe::Copies;
using moe::Hosting;
using moe::Problem;
using tests::Random;

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

Problem some_problem(Random& random) {
  const std::int32_t satellites = 2 + random.below(5);
  const std::int32_t slots = 1 + random.below(4);
  const std::int32_t layers = 1 + random.below(2);
  const std::int32_t experts = 2 + random.below(4);
  const double gone = random.chance(0.3) ? 0.15 : 0.0;
  std::vector<moe::LayerFields> fields;
  for (std::int32_t l = 0; l < layers; ++l) {
    moe::LayerFields& layer = fields.emplace_back();
    for (std::int32_t e = 0; e < experts; ++e) layer.weights.push_back(std::exp(random.uniform(-2.0, 0.0)));
    for (std::int32_t i = 0; i < slots * satellites; ++i)
      layer.latency_s.push_back(random.chance(gone) ? std::nan("") : random.uniform(0.01, 0.06));
  }
  std::vector<std::string> ids;
  for (std::int32_t s = 0; s < satellites; ++s) ids.push_back(std::to_string(s));
  std::optional<double> unreachable_s;
  if (random.chance(0.5)) unreachable_s = random.uniform(0.0, 0.1);
  return {
      "p", 1 + random.below(std::min(experts, 4)), std::move(ids), unreachable_s, slots, std::move(fields)};
}

Hosting some_hosting(const Problem& problem, bool copied, bool limited, Random& random) {
  moe::HostingFields fields;
  const double served = random.chance(0.3) ? 0.0 : random.uniform(0.0, 0.03);
  for (std::int32_t s = 0; s < problem.satellite_count(); ++s) fields.places.push_back(random.below(4));
  for (std::int32_t i = 0; i < problem.slots() * problem.satellite_count(); ++i) {
    fields.service_s.push_back(served * random.uniform(0.0, 1.0));
    fields.most_activations.push_back(limited ? problem.top_k() * random.uniform(0.3, 1.5) : kNever);
  }
  for (const moe::Layer& layer : problem.layers()) {
    fields.copies.emplace_back();
    for (std::int32_t e = 0; e < layer.picks.experts(); ++e)
      fields.copies.back().push_back(copied ? 1 + random.below(2) : 1);
  }
  return {problem, std::move(fields)};
}

/// Any within places and reach, if a few draws find one.
Copies some_placement(const Hosting& hosting, Random& random) {
  const Problem& problem = hosting.problem();
  for (int tries = 0; tries < 30; ++tries) {
    std::vector<std::int32_t> room;
    for (std::int32_t s = 0; s < problem.satellite_count(); ++s) room.push_back(hosting.places(s));
    Copies placement;
    bool alive = true;
    for (std::size_t l = 0; l < problem.layers().size(); ++l) {
      const moe::Layer& layer = problem.layers()[l];
      placement.emplace_back(z(layer.picks.experts()));
      for (std::int32_t e = 0; e < layer.picks.experts(); ++e) {
        std::vector<std::int32_t>& own = placement[l][z(e)];
        for (std::int32_t c = 0; c < hosting.copies(l, e); ++c) {
          const std::int32_t s = random.below(problem.satellite_count());
          if (room[z(s)] == 0 || std::find(own.begin(), own.end(), s) != own.end()) continue;
          own.push_back(s);
          --room[z(s)];
        }
        alive = alive && !own.empty() && hosting.lives(layer, own);
      }
    }
    if (alive) return placement;
  }
  return {};
}

double value_of(const Hosting& hosting, const Copies& placement) {
  double value = 0.0;
  for (std::size_t l = 0; l < placement.size(); ++l) {
    moe::Queues queues(hosting.problem().layers()[l].picks);
    value += moe::layer_latency_s(hosting, l, queues, placement[l]);
  }
  return value;
}

}  // namespace

TEST_CASE("hostings: no placement is below the bounds", "[moe]") {
  const std::uint64_t count = tests::random_problems(300);
  std::size_t anew = 0;
  std::size_t assigned = 0;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Random random(seed);
    const Problem problem = some_problem(random);
    const Hosting hosting = some_hosting(problem, random.chance(0.4), false, random);
    const Copies placement = some_placement(hosting, random);
    if (placement.empty()) continue;
    core::StopToken stop;
    const double value = value_of(hosting, hosting.checked(placement));
    double bound = 0.0;
    for (std::size_t l = 0; l < placement.size(); ++l) bound += moe::anew_bound_s(hosting, l, stop);
    INFO(seed);
    CHECK(bound <= value * (1.0 + 1e-9));
    ++anew;
    const auto places = moe::places_of(hosting);
    REQUIRE(places);
    if (hosting.copied()) continue;
    CHECK(moe::assigned_bound(hosting, *places, stop).bound_s <= value * (1.0 + 1e-9));
    ++assigned;
  }
  CHECK(anew > count / 4);
  CHECK(assigned > count / 8);
}

TEST_CASE("hostings: places cost what the hosting costs", "[moe]") {
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(200); ++seed) {
    Random random(seed);
    const Problem problem = some_problem(random);
    const Hosting hosting = some_hosting(problem, false, false, random);
    const Copies placement = some_placement(hosting, random);
    if (placement.empty() || (problem.top_k() > 2 && hosting.queues())) continue;
    const auto places = moe::places_of(hosting);
    REQUIRE(places);
    std::vector<char> used(places->host.size(), 0);
    double value = 0.0;
    for (std::size_t l = 0; l < placement.size(); ++l) {
      std::vector<std::int32_t> own;
      for (const std::vector<std::int32_t>& copies : placement[l]) {
        std::size_t p = 0;
        while (places->host[p] != copies[0] || used[p] != 0) ++p;
        used[p] = 1;
        own.push_back(static_cast<std::int32_t>(p));
      }
      value += moe::layer_latency_s(places->problem, l, own);
    }
    CHECK(value == Approx(value_of(hosting, hosting.checked(placement))).epsilon(1e-12));
    ++compared;
  }
  CHECK(compared > 30);
}

TEST_CASE("hostings: bounds without a search are below what the search over places finds", "[moe]") {
  std::size_t competing = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(150); ++seed) {
    Random random(seed);
    const Problem problem = some_problem(random);
    const Hosting hosting = some_hosting(problem, false, false, random);
    const auto places = moe::places_of(hosting);
    if (!places) continue;
    core::StopToken stop;
    const moe::Plan best = moe::solve(places->problem, stop);
    const moe::Plan other = moe::exchange(places->problem, stop);
    INFO(seed);
    REQUIRE(other.placement.empty() == best.placement.empty());
    if (best.placement.empty()) continue;
    std::vector<double> rest;
    for (std::size_t l = 0; l < problem.layers().size(); ++l)
      rest.push_back(moe::anew_bound_s(hosting, l, stop));
    moe::HostTree tree(hosting, rest, {}, kNever, 0.0);
    tree.run(stop, 1'000'000'000);
    CHECK(best.lower_bound_s <= tree.best_s() * (1.0 + 1e-9));
    CHECK(other.lower_bound_s <= tree.best_s() * (1.0 + 1e-9));
    if (problem.top_k() <= 2 || !hosting.queues()) {
      CHECK(best.status == core::Status::optimal);
      CHECK(best.token_latency_s == Approx(tree.best_s()).epsilon(1e-9));
    }
    competing += problem.layers().size() > 1 && problem.top_k() == 2 ? 1U : 0U;
  }
  CHECK(competing > 5);
}

TEST_CASE("hostings: what the search keeps is what it costs, and close to the best", "[moe]") {
  std::size_t optimal = 0;
  std::size_t placed = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(150); ++seed) {
    Random random(seed);
    const Problem problem = some_problem(random);
    const Hosting hosting = some_hosting(problem, random.chance(0.5), random.chance(0.4), random);
    moe::HostSearch search(hosting, seed);
    core::StopToken stop;
    bool open = true;  // a layer without any satellite is nothing to search
    std::vector<double> rest;
    for (std::size_t l = 0; l < problem.layers().size(); ++l) {
      rest.push_back(moe::anew_bound_s(hosting, l, stop));
      open = open && rest.back() < kNever;
    }
    if (!open) continue;
    moe::HostTree tree(hosting, rest, {}, kNever, 0.0);
    const double bound_s = tree.run(stop, 1'000'000'000);
    CHECK(bound_s >= tree.best_s());
    CHECK((bound_s < kNever) == !tree.best().empty());
    if (!search.construct()) continue;
    search.allow(2);
    search.descend(stop);
    search.anneal(20'000, stop);
    search.descend(stop);
    INFO(seed);
    if (search.best().empty()) continue;
    ++placed;
    REQUIRE(!tree.best().empty());
    CHECK(search.best_s() == Approx(value_of(hosting, hosting.checked(search.best()))).epsilon(1e-12));
    CHECK(search.best_s() >= tree.best_s() * (1.0 - 1e-9));
    optimal += search.best_s() <= tree.best_s() * (1.0 + 1e-9) ? 1U : 0U;
  }
  CHECK(placed > 40);
  CHECK(optimal >= placed * 9 / 10);
}
