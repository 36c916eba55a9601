#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/moe/chain.hpp"
#include "constellm/moe/chain_bound.hpp"
#include "constellm/moe/chain_exchange.hpp"
#include "constellm/moe/chain_layers.hpp"
#include "constellm/moe/solve_chain.hpp"
#include "constellm/moe/transport.hpp"
#include "random.hpp"

using namespace constellm;
using core::z;
using moe::Chain;
using tests::Random;

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

/// Two or three layers of up to three experts that are picked independently, and satellites with some places.
moe::ChainFields some_fields(Random& random) {
  moe::ChainFields fields;
  const std::int32_t layers = 2 + random.below(2);
  std::vector<std::vector<double>> shares;
  for (std::int32_t l = 0; l < layers; ++l) {
    fields.experts.push_back(1 + random.below(4 - layers + 1));
    for (auto& share = shares.emplace_back(); share.size() < z(fields.experts.back());)
      share.push_back(random.uniform(0.1, 1.0));
    const double sum = std::accumulate(shares.back().begin(), shares.back().end(), 0.0);
    for (double& share : shares.back()) share /= sum;
  }
  for (std::size_t l = 0; l + 1 < shares.size(); ++l) {
    std::vector<double>& affinity = fields.affinities.emplace_back();
    for (const double one : shares[l])
      for (const double next : shares[l + 1]) affinity.push_back(one * next);
  }
  if (random.chance(0.4)) {
    std::vector<double> closing;
    for (std::int32_t i = 0; i < fields.experts.back() * fields.experts.front(); ++i)
      closing.push_back(random.uniform(0.0, 1.0));
    closing.front() += 0.1;
    fields.closing = closing;
  }
  const std::int32_t satellites = 2 + random.below(2);
  const std::int32_t all = std::accumulate(fields.experts.begin(), fields.experts.end(), 0);
  for (std::int32_t a = 0; a < satellites; ++a) {
    for (std::int32_t b = 0; b < satellites; ++b)
      fields.distance_s.push_back(a == b && random.chance(0.9) ? 0.0 : random.uniform(0.0, 0.05));
    fields.compute_s.push_back(random.chance(0.5) ? 0.0 : random.uniform(0.0, 0.01));
    fields.places.push_back(random.below(all + 1));
  }
  return fields;
}

/// Every placement within the places.
template <class Call>
void for_every_placement(const Chain& chain, Call call) {
  std::vector<std::int32_t> hosts(chain.experts(), 0);
  std::vector<std::int32_t> room(chain.places().begin(), chain.places().end());
  const auto place = [&](const auto& self, std::size_t expert) -> void {
    if (expert == hosts.size()) return call(hosts);
    for (std::int32_t s = 0; z(s) < chain.satellites(); ++s) {
      if (room[z(s)] == 0) continue;
      --room[z(s)];
      hosts[expert] = s;
      self(self, expert + 1);
      ++room[z(s)];
    }
  };
  place(place, 0);
}

double least_s(const Chain& chain) {
  double least = kNever;
  for_every_placement(chain,
                      [&](const auto& hosts) { least = std::min(least, chain.token_latency_s(hosts)); });
  return least;
}

}  // namespace

TEST_CASE("transport: the cheapest of all assignments, and prices that prove it", "[moe]") {
  const std::uint64_t count = tests::random_problems(300);
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Random random(seed);
    const std::size_t rows = 1 + z(random.below(5));
    const std::size_t columns = 1 + z(random.below(4));
    std::vector<double> cost;
    for (std::size_t i = 0; i < rows * columns; ++i)
      cost.push_back(random.chance(0.1) ? kNever : random.chance(0.2) ? 1.0 : random.uniform(0.0, 2.0));
    std::vector<std::int32_t> room;
    for (std::size_t c = 0; c < columns; ++c) room.push_back(random.below(4));
    double best = kNever;
    std::vector<std::int32_t> left = room;
    const auto place = [&](const auto& self, std::size_t row, double before) -> void {
      if (row == rows) {
        best = std::min(best, before);
        return;
      }
      for (std::size_t c = 0; c < columns; ++c) {
        if (left[c] == 0) continue;
        --left[c];
        self(self, row + 1, before + cost[row * columns + c]);
        ++left[c];
      }
    };
    place(place, 0, 0.0);
    moe::Transport transport;
    core::StopToken stop;
    INFO("seed " << seed);
    REQUIRE(transport.solve(rows, room, cost, stop) == (best < kNever));
    if (best == kNever) continue;
    CHECK(transport.value() == Approx(best).margin(1e-12));
    double dual = 0.0;
    for (std::size_t c = 0; c < columns; ++c) {
      CHECK(transport.column_prices()[c] <= 0.0);
      if (room[c] > 0) dual += room[c] * transport.column_prices()[c];
    }
    for (std::size_t r = 0; r < rows; ++r) {
      double least = kNever;
      for (std::size_t c = 0; c < columns; ++c) {
        if (room[c] == 0) continue;
        CHECK(transport.reduced(r, c, cost[r * columns + c]) >= -1e-12);
        least = std::min(least, cost[r * columns + c] - transport.column_prices()[c]);
      }
      dual += least;
    }
    CHECK(dual == Approx(best).margin(1e-12));
  }
}

TEST_CASE("chains: the best of all, proven; bounds that hold", "[moe]") {
  const std::uint64_t count = tests::random_problems(300);
  std::uint64_t infeasible = 0;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Random random(seed);
    const Chain chain(some_fields(random));
    const double best = least_s(chain);
    core::StopToken stop;
    const moe::ChainPlan plan = moe::solve_chain(chain, seed, stop);
    INFO("seed " << seed << ", " << chain.layers() << " layers, " << chain.experts() << " experts");
    if (best == kNever) {
      ++infeasible;
      CHECK(plan.status == core::Status::infeasible);
      CHECK(plan.hosts.empty());
      continue;
    }
    REQUIRE(plan.status == core::Status::optimal);
    CHECK(plan.token_latency_s == Approx(best).epsilon(1e-9).margin(1e-15));
    CHECK(plan.lower_bound_s <= best * (1.0 + 1e-9) + 1e-15);
    chain.require(plan.hosts);
    moe::ChainBound bound(chain);
    bound.start(stop);
    CHECK(bound.bound_s() <= best * (1.0 + 1e-12) + 1e-15);
    const double halves_s = bound.bound_s();
    bound.raise(30, best, stop);
    CHECK(bound.bound_s() <= best * (1.0 + 1e-12) + 1e-15);
    CHECK(bound.bound_s() >= halves_s);
    // Told to stop at once: a placement and a true bound all the same.
    core::StopToken at_once(0.0, {}, 1);
    const moe::ChainPlan stopped = moe::solve_chain(chain, seed, at_once);
    chain.require(stopped.hosts);
    CHECK(stopped.token_latency_s >= best * (1.0 - 1e-12));
    CHECK(stopped.lower_bound_s <= best * (1.0 + 1e-12) + 1e-15);
  }
  CHECK(infeasible > 0);
}

TEST_CASE("chains: what a change gains is what the evaluator says", "[moe]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    moe::ChainFields fields = some_fields(random);
    fields.places.assign(fields.places.size(), 9);
    const Chain chain(std::move(fields));
    std::vector<std::int32_t> hosts;
    while (hosts.size() < chain.experts())
      hosts.push_back(random.below(static_cast<std::int32_t>(chain.satellites())));
    const double now_s = chain.token_latency_s(hosts);
    for (std::int32_t a = 0; z(a) < chain.experts(); ++a) {
      for (std::int32_t s = 0; z(s) < chain.satellites(); ++s) {
        std::vector<std::int32_t> moved = hosts;
        moved[z(a)] = s;
        CHECK(chain.move_gain_s(a, s, hosts) == Approx(now_s - chain.token_latency_s(moved)).margin(1e-14));
        CHECK(chain.beside_s(a, hosts[z(a)], hosts) - chain.beside_s(a, s, hosts) ==
              Approx(now_s - chain.token_latency_s(moved)).margin(1e-14));
      }
      for (std::int32_t b = 0; b < a; ++b) {
        std::vector<std::int32_t> swapped = hosts;
        std::swap(swapped[z(a)], swapped[z(b)]);
        CHECK(chain.swap_gain_s(a, b, hosts) == Approx(now_s - chain.token_latency_s(swapped)).margin(1e-14));
      }
    }
  }
}

TEST_CASE("chains: no turn and no descent makes a placement worse", "[moe]") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    moe::ChainFields fields = some_fields(random);
    fields.places.assign(fields.places.size(), 4);
    const Chain chain(std::move(fields));
    core::StopToken stop;
    std::vector<std::int32_t> hosts;
    for (std::size_t e = 0; e < chain.experts(); ++e) hosts.push_back(static_cast<std::int32_t>(e / 4));
    const double first_s = chain.token_latency_s(hosts);
    moe::ChainExchange exchange(chain, hosts, seed);
    exchange.descend(stop);
    chain.require(exchange.hosts());
    CHECK(chain.token_latency_s(exchange.hosts()) <= first_s);
    moe::alternate(chain, hosts, stop);
    chain.require(hosts);
    CHECK(chain.token_latency_s(hosts) <= first_s);
    exchange.anneal(2000, stop);
    chain.require(exchange.hosts());
    moe::ChainBound bound(chain);
    bound.start(stop);
    chain.require(moe::successive_placement(chain, bound.cost_s(), stop));
  }
}

TEST_CASE("chains: what is refused", "[moe]") {
  const auto make = [](std::vector<std::vector<double>> affinities, std::vector<double> distance_s) {
    moe::ChainFields fields;
    fields.experts.assign(affinities.size() + 1, 2);
    fields.affinities = std::move(affinities);
    fields.distance_s = std::move(distance_s);
    fields.compute_s = {0.0, 0.0};
    fields.places = {2, 2};
    return Chain(std::move(fields));
  };
  const std::vector<double> apart{0.0, 1.0, 1.0, 0.0};
  CHECK_THROWS_WITH(make({}, apart), ContainsSubstring("affinities: must not be empty"));
  CHECK_THROWS_WITH(make({{1.0}}, apart),
                    ContainsSubstring("affinities[0]: 1 numbers are not 2 experts by 2"));
  CHECK_THROWS_WITH(make({{1.0, 0.0, -1.0, 0.0}}, apart),
                    ContainsSubstring("affinities[0][1][0]: -1 is not in"));
  CHECK_THROWS_WITH(make({{0.0, 0.0, 0.0, 0.0}}, apart), ContainsSubstring("the sum of affinities[0]: 0"));
  CHECK_THROWS_WITH(make({{1.0, 1.0, 1.0, 1.0}, {3.0, 0.0, 0.0, 1.0}}, apart),
                    ContainsSubstring("affinities[1]: expert 0 has a share of 0.75 there, and of 0.5"));
  CHECK_THROWS_WITH(make({{1.0, 1.0, 1.0, 1.0}}, {0.0, 1.0, kNever, 0.0}),
                    ContainsSubstring("distance_s[1][0]: inf is not in [0, 1e+290]"));
  CHECK_THROWS_WITH(make({{1.0, 1.0, 1.0, 1.0}}, {0.0}), ContainsSubstring("of different satellites"));
  const Chain chain = make({{1.0, 1.0, 1.0, 1.0}}, apart);
  const std::vector<std::int32_t> full{0, 0, 0, 1};
  CHECK_THROWS_WITH(chain.require(full),
                    ContainsSubstring("placement[1][0]: satellite 0 hosts more experts"));
  const std::vector<std::int32_t> unknown{0, 0, 1, 2};
  CHECK_THROWS_WITH(chain.require(unknown), ContainsSubstring("placement[1][1]: 2 is not in [0, 1]"));
}
