#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "catch.hpp"
#include "constellm/moe/gateways.hpp"
#include "constellm/moe/solve.hpp"
#include "random.hpp"

using namespace constellm;
using tests::Random;

namespace {
constexpr double kNever = std::numeric_limits<double>::infinity();
}

TEST_CASE("the cheapest ring: as the best of all", "[moe]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const auto layers = static_cast<std::size_t>(1 + random.below(4));
    std::vector<std::int32_t> gateways(layers);
    for (std::int32_t& count : gateways) count = 1 + random.below(3);
    std::vector<std::vector<double>> cost(layers);
    for (std::size_t l = 0; l < layers; ++l) {
      cost[l].resize(static_cast<std::size_t>(gateways[l] * gateways[(l + 1) % layers]));
      for (double& value : cost[l]) value = random.chance(0.2) ? kNever : random.uniform(0.0, 1.0);
    }
    std::vector<std::int32_t> ring(layers, 0);
    const auto cost_of = [&] {
      double sum = 0.0;
      for (std::size_t l = 0; l < layers; ++l) {
        const std::size_t next = (l + 1) % layers;
        sum += cost[l][static_cast<std::size_t>(ring[l] * gateways[next] + ring[next])];
      }
      return sum;
    };
    double least = kNever;
    for (bool more = true; more;) {
      least = std::min(least, cost_of());
      more = false;
      for (std::size_t l = 0; l < layers && !more; ++l) {
        more = ++ring[l] < gateways[l];
        if (!more) ring[l] = 0;
      }
    }
    const moe::CheapestRing found = moe::cheapest_ring(cost, gateways);
    INFO("seed " << seed);
    CHECK(found.cost_s == Approx(least));
    if (least == kNever) continue;
    ring = found.gateways;
    CHECK(cost_of() == Approx(least));
  }
}

TEST_CASE("costs between gateways: around the best placement", "[moe]") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const std::int32_t slots = 1 + random.below(3);
    const std::int32_t satellites = 5;
    const std::int32_t gateways = 2;
    const std::int32_t next = 3;
    const auto some = [&](std::int32_t count) {
      std::vector<double> way(static_cast<std::size_t>(slots * count * satellites));
      for (double& value : way) value = random.chance(0.05) ? kNever : random.uniform(0.0, 0.1);
      return way;
    };
    const std::vector<double> from = some(gateways);
    const std::vector<double> to = some(next);
    const std::vector<std::int32_t> own{1, -1};
    const std::int32_t top_k = 1 + random.below(3);
    const moe::Picks picks({0.5, 0.3, 0.2}, top_k);
    const moe::OpenLayer layer{.picks = picks,
                               .slots = slots,
                               .satellites = satellites,
                               .gateways = gateways,
                               .next = next,
                               .from_s = from,
                               .to_s = to,
                               .own = own,
                               .unreachable_s = random.chance(0.5) ? std::optional(0.3) : std::nullopt};
    core::StopToken stop;
    const moe::GatewayCosts one = moe::gateway_costs(layer, 1, stop);
    const moe::GatewayCosts two = moe::gateway_costs(layer, 2, stop);
    CHECK(one.value_s == two.value_s);
    CHECK(one.bound_s == two.bound_s);
    for (std::int32_t g = 0; g < gateways; ++g) {
      for (std::int32_t h = 0; h < next; ++h) {
        moe::LayerFields fields{{0.5, 0.3, 0.2}, {}, 0.0};
        std::vector<std::string> ids;
        for (std::int32_t s = 0; s < satellites; ++s)
          if (s != own[static_cast<std::size_t>(g)]) ids.push_back("s" + std::to_string(s));
        for (std::int32_t t = 0; t < slots; ++t) {
          for (std::int32_t s = 0; s < satellites; ++s) {
            if (s == own[static_cast<std::size_t>(g)]) continue;
            const double way = from[static_cast<std::size_t>((t * gateways + g) * satellites + s)] +
                               to[static_cast<std::size_t>((t * next + h) * satellites + s)];
            fields.latency_s.push_back(way < kNever ? way : std::nan(""));
          }
        }
        core::StopToken again;
        const moe::Plan plan =
            moe::solve(moe::Problem("p", top_k, ids, layer.unreachable_s, slots, {fields}), again);
        const auto i = static_cast<std::size_t>(g * next + h);
        INFO("seed " << seed << ", gateways " << g << " and " << h);
        if (plan.placement.empty()) {
          CHECK(one.value_s[i] == kNever);
          continue;
        }
        CHECK(one.value_s[i] >= plan.token_latency_s * (1.0 - 1e-12));
        CHECK(one.bound_s[i] <= plan.token_latency_s * (1.0 + 1e-12));
        if (top_k == 1) CHECK(one.value_s[i] == Approx(one.bound_s[i]));
      }
    }
  }
}
