#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/moe/evaluate.hpp"
#include "constellm/moe/picks.hpp"
#include "random.hpp"

using namespace constellm;
using moe::Picks;
using tests::Random;

namespace {

/// P(the picks are in `order` one after the other, ...) added up by where the farthest one stands: all
/// sequences.
void draw(const std::vector<double>& weights, const std::vector<std::int32_t>& rank, std::int32_t left,
          std::uint32_t picked, std::int32_t farthest, double probability, std::vector<double>& found) {
  if (left == 0) {
    found[static_cast<std::size_t>(farthest)] += probability;
    return;
  }
  double rest = 0.0;
  for (std::size_t e = 0; e < weights.size(); ++e)
    if ((picked >> e & 1U) == 0) rest += weights[e];
  for (std::size_t e = 0; e < weights.size(); ++e) {
    if ((picked >> e & 1U) != 0) continue;
    draw(weights, rank, left - 1, picked | 1U << e, std::max(farthest, rank[e]),
         probability * weights[e] / rest, found);
  }
}

std::vector<std::int32_t> shuffled(std::size_t n, Random& random) {
  std::vector<std::int32_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = n; i-- > 1;)
    std::swap(order[i], order[static_cast<std::size_t>(random.below(static_cast<std::int32_t>(i) + 1))]);
  return order;
}

}  // namespace

TEST_CASE("the farthest pick: as all sequences of picks say", "[moe]") {
  const std::uint64_t count = tests::random_problems(300);
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Random random(seed);
    const auto n = static_cast<std::size_t>(1 + random.below(6));
    const std::int32_t top_k = 1 + random.below(static_cast<std::int32_t>(n));
    // Weights over many magnitudes, beyond what the table over sets takes.
    const double span = random.chance(0.3) ? 20.0 : 3.0;
    std::vector<double> weights(n);
    for (double& weight : weights) weight = std::exp(random.uniform(-span, 0.0));
    const std::vector<std::int32_t> order = shuffled(n, random);
    std::vector<std::int32_t> rank(n);
    for (std::size_t j = 0; j < n; ++j)
      rank[static_cast<std::size_t>(order[j])] = static_cast<std::int32_t>(j);
    std::vector<double> wanted(n, 0.0);
    draw(weights, rank, top_k, 0, 0, 1.0, wanted);
    const Picks picks(weights, top_k);
    std::vector<double> found(n);
    picks.farthest(order, found);
    INFO("seed " << seed << ", " << n << " experts, top_k " << top_k);
    for (std::size_t j = 0; j < n; ++j) CHECK(found[j] == Approx(wanted[j]).epsilon(1e-10).margin(1e-15));
    const std::vector<double> inclusion = picks.inclusion();
    for (std::size_t e = 0; e < n; ++e) {
      std::vector<double> last(n, 0.0);
      std::vector<std::int32_t> rank_of_e(n, 0);
      rank_of_e[e] = static_cast<std::int32_t>(n) - 1;
      draw(weights, rank_of_e, top_k, 0, 0, 1.0, last);
      if (n > 1) CHECK(inclusion[e] == Approx(last[n - 1]).epsilon(1e-10));
    }
    CHECK(std::accumulate(inclusion.begin(), inclusion.end(), 0.0) == Approx(top_k).epsilon(1e-11));
  }
}

TEST_CASE("the farthest pick of many experts: the integral agrees with closed forms", "[moe]") {
  // Equal weights: picks are a simple sample, P(all among the first j) = C(j, k) / C(n, k).
  for (const std::int32_t top_k : {3, 6, 8, 20}) {
    const std::size_t n = 64;
    const Picks picks(std::vector<double>(n, 1.0), top_k);
    std::vector<std::int32_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::vector<double> found(n);
    picks.farthest(order, found);
    double within = 0.0;
    for (std::size_t j = 0; j < n; ++j) {
      within += found[j];
      double wanted = 1.0;
      for (std::int32_t m = 0; m < top_k; ++m)
        wanted *= std::max(0.0, static_cast<double>(j) + 1.0 - m) /
                  static_cast<double>(n - static_cast<std::size_t>(m));
      CHECK(within == Approx(wanted).epsilon(1e-11).margin(1e-15));
    }
    for (const double p : picks.inclusion()) CHECK(p == Approx(top_k / 64.0).epsilon(1e-11));
  }
}

TEST_CASE("the farthest pick: the table over sets and the integral agree", "[moe]") {
  Random random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> weights(12);
    for (double& weight : weights) weight = std::exp(random.uniform(-3.0, 0.0));
    const std::int32_t top_k = 3 + random.below(6);
    const Picks tabulated(weights, top_k);
    REQUIRE(tabulated.tabulated());
    // Five more that hardly anybody picks are too many for a table.
    std::vector<double> more = weights;
    more.resize(17, 1e-14);
    const Picks integrated(more, top_k);
    REQUIRE(!integrated.tabulated());
    std::vector<std::int32_t> order = shuffled(12, random);
    std::vector<double> found(12);
    tabulated.farthest(order, found);
    for (std::int32_t e = 12; e < 17; ++e) order.push_back(e);
    std::vector<double> close(17);
    integrated.farthest(order, close);
    for (std::size_t j = 0; j < 12; ++j) CHECK(close[j] == Approx(found[j]).margin(2e-12));
  }
}

TEST_CASE("the farthest pick: what an integral takes counts as much more than a look into a table", "[moe]") {
  const Picks looked_up(std::vector<double>(16, 1.0), 6);
  const Picks integral(std::vector<double>(17, 1.0), 6);
  REQUIRE(looked_up.tabulated());
  REQUIRE_FALSE(integral.tabulated());
  CHECK(looked_up.work() == 2.0);
  CHECK(integral.work() > 50.0 * looked_up.work());
  CHECK(Picks(std::vector<double>(64, 1.0), 6).work() > 3.0 * integral.work());
  CHECK(Picks(std::vector<double>(64, 1.0), 64).work() == 8.0);  // nothing to add up
}

TEST_CASE("the expected maximum: the published fixture", "[moe]") {
  const std::vector<double> weights{.35, .25, .20, .12, .08};
  const std::vector<double> near{10, 14, 15, 22, 30};
  const std::vector<double> far(near.rbegin(), near.rend());
  const double sorted[] = {15.04, 19.164452, 22.326065};
  const double reversed[] = {21.48, 26.225231, 28.575594};
  for (std::int32_t top_k = 1; top_k <= 3; ++top_k) {
    const Picks picks(weights, top_k);
    CHECK(moe::expected_latency_s(picks, near) == Approx(sorted[top_k - 1]).epsilon(1e-7));
    CHECK(moe::expected_latency_s(picks, far) == Approx(reversed[top_k - 1]).epsilon(1e-7));
  }
}

TEST_CASE("weights of shares: there and back", "[moe]") {
  Random random(3);
  core::StopToken stop;
  for (int round = 0; round < 40; ++round) {
    const auto n = static_cast<std::size_t>(2 + random.below(20));
    const std::int32_t top_k = 1 + random.below(std::min(static_cast<std::int32_t>(n) - 1, 6));
    std::vector<double> weights(n);
    for (double& weight : weights) weight = std::exp(random.uniform(-2.0, 0.0));
    const Picks picks(weights, top_k);
    const std::vector<double> found = moe::weights_of_shares(picks.inclusion(), top_k, stop);
    for (std::size_t e = 0; e < n; ++e) CHECK(found[e] == Approx(picks.weights()[e]).epsilon(1e-8));
  }
  CHECK_THROWS_AS(moe::weights_of_shares(std::vector<double>{0.6, 0.2, 0.2}, 2, stop), core::InvalidInput);
  CHECK(moe::weights_of_shares(std::vector<double>{1.0, 1.0}, 2, stop) == std::vector<double>{0.5, 0.5});
}

TEST_CASE("weights of shares: an expert that nearly every token picks", "[moe]") {
  core::StopToken stop;
  for (const double missing : {1e-2, 1e-4, 1e-6}) {
    for (const auto& [n, top_k] : {std::pair{16, 2}, std::pair{64, 8}, std::pair{8, 2}}) {
      std::vector<double> shares(static_cast<std::size_t>(n));
      shares[0] = (1.0 - missing) / top_k;
      double sum = 0.0;
      for (std::size_t i = 1; i < shares.size(); ++i) sum += shares[i] = 1.0 + static_cast<double>(i) / n;
      for (std::size_t i = 1; i < shares.size(); ++i) shares[i] *= (1.0 - shares[0]) / sum;
      const std::vector<double> found = Picks(moe::weights_of_shares(shares, top_k, stop), top_k).inclusion();
      for (std::size_t i = 0; i < shares.size(); ++i)
        CHECK(found[i] == Approx(top_k * shares[i]).epsilon(1e-10));
    }
  }
  core::StopToken at_once(0.0, {}, 1);
  const std::vector<double> shares{0.45, 0.3, 0.25};
  CHECK_THROWS_AS(moe::weights_of_shares(shares, 2, at_once), core::Stopped);
}

TEST_CASE("picks: what is refused", "[moe]") {
  CHECK_THROWS_WITH(Picks({1.0, 0.0}, 1), ContainsSubstring("weights[1]: 0 is not in (0, inf)"));
  CHECK_THROWS_WITH(Picks({1.0, -1.0}, 1), ContainsSubstring("weights[1]: -1"));
  CHECK_THROWS_WITH(Picks({1.0, std::nan("")}, 1), ContainsSubstring("weights[1]: nan"));
  CHECK_THROWS_WITH(Picks({1e308, 1e308}, 1), ContainsSubstring("weights added up: inf is not in (0, inf)"));
  CHECK_THROWS_WITH(Picks({1.0, 1.0}, 3), ContainsSubstring("top_k: 3 is not in [1, 2]"));
  CHECK_THROWS_WITH(Picks({1.0, 1.0}, 0), ContainsSubstring("top_k: 0 is not in [1, 2]"));
  CHECK_THROWS_WITH(Picks({}, 1), ContainsSubstring("top_k: 1 is not in"));
}
