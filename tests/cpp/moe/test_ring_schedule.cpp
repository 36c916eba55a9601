// Rings over windows: against every schedule of small ones.
#include <limits>
#include <vector>

#include "catch.hpp"
#include "constellm/moe/gateways.hpp"
#include "constellm/moe/ring_schedule.hpp"
#include "random.hpp"

using namespace constellm;
using tests::Random;

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
using Gateways = std::vector<std::vector<std::int32_t>>;

double cost_of(const moe::RingWindows& windows, const Gateways& gateways) {
  const std::size_t layers = windows.gateways.size();
  double sum = 0.0;
  for (std::size_t w = 0; w < gateways.size(); ++w) {
    for (std::size_t l = 0; l < layers; ++l) {
      const std::size_t next = (l + 1) % layers;
      const std::int32_t at = gateways[w][l] * windows.gateways[next] + gateways[w][next];
      sum += windows.value_s[w][l][static_cast<std::size_t>(at)];
      if (w > 0 && gateways[w][l] != gateways[w - 1][l]) sum += windows.move_s;
    }
  }
  return sum;
}

/// Of a small problem, every schedule.
double least(const moe::RingWindows& windows) {
  Gateways gateways(windows.value_s.size(), std::vector<std::int32_t>(windows.gateways.size(), 0));
  double best = kNever;
  for (bool more = true; more;) {
    best = std::min(best, cost_of(windows, gateways));
    more = false;
    for (std::vector<std::int32_t>& of_window : gateways) {
      for (std::size_t l = 0; l < of_window.size() && !more; ++l) {
        more = ++of_window[l] < windows.gateways[l];
        if (!more) of_window[l] = 0;
      }
    }
  }
  return best;
}

moe::RingWindows random_windows(Random& random, double move_s) {
  moe::RingWindows made{.value_s = {}, .bound_s = {}, .gateways = {}, .move_s = move_s};
  const auto layers = static_cast<std::size_t>(1 + random.below(3));
  const auto count = static_cast<std::size_t>(1 + random.below(layers < 3 ? 4 : 3));
  for (std::size_t l = 0; l < layers; ++l) made.gateways.push_back(1 + random.below(3));
  const bool ties = random.chance(0.3);
  const double never = random.chance(0.3) ? 0.3 : 0.0;
  for (std::size_t w = 0; w < count; ++w) {
    moe::RingCosts costs(layers);
    for (std::size_t l = 0; l < layers; ++l) {
      costs[l].resize(static_cast<std::size_t>(made.gateways[l] * made.gateways[(l + 1) % layers]));
      for (double& one : costs[l])
        one = random.chance(never) ? kNever : ties ? random.below(3) : random.uniform(0.0, 1.0);
    }
    made.value_s.push_back(costs);
  }
  made.bound_s = made.value_s;
  return made;
}

}  // namespace

TEST_CASE("rings over windows: as the best of all schedules", "[moe]") {
  std::size_t proven = 0;
  std::size_t best = 0;
  std::size_t possible = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    Random random(seed);
    const moe::RingWindows windows =
        random_windows(random, random.chance(0.2) ? 0.0 : random.uniform(0.0, 0.5));
    const double expected = least(windows);
    core::StopToken stop;
    const moe::RingSchedule found = moe::schedule_rings(windows, stop);
    INFO("seed " << seed);
    CHECK(found.lower_bound_s <= found.cost_s);
    if (expected == kNever) {
      CHECK(found.cost_s == kNever);
      CHECK(found.gateways.empty());
      continue;
    }
    ++possible;
    CHECK(found.cost_s == Approx(cost_of(windows, found.gateways)).margin(1e-12));
    CHECK(found.cost_s >= expected - 1e-12);
    CHECK(found.lower_bound_s <= expected + 1e-12);
    CHECK(found.cost_s <= std::min(found.apart_s, found.still_s) + 1e-12);
    proven += found.cost_s - found.lower_bound_s <= 1e-9 * found.cost_s ? 1 : 0;
    best += found.cost_s <= expected + 1e-12 ? 1 : 0;
  }
  INFO(possible << " possible, " << proven << " proven, " << best << " best");
  CHECK(best >= possible - 2);
  CHECK(proven * 10 >= possible * 9);
}

TEST_CASE("rings over windows: moves that are free, and moves that cost too much", "[moe]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    moe::RingWindows windows = random_windows(random, 0.0);
    moe::RingCosts sum = windows.value_s[0];
    double apart = 0.0;
    for (std::size_t w = 0; w < windows.value_s.size(); ++w) {
      apart += moe::cheapest_ring(windows.value_s[w], windows.gateways).cost_s;
      for (std::size_t l = 0; w > 0 && l < sum.size(); ++l)
        for (std::size_t i = 0; i < sum[l].size(); ++i) sum[l][i] += windows.value_s[w][l][i];
    }
    const double still = moe::cheapest_ring(sum, windows.gateways).cost_s;
    core::StopToken stop;
    const moe::RingSchedule free = moe::schedule_rings(windows, stop);
    INFO("seed " << seed);
    CHECK(free.cost_s == Approx(apart).margin(1e-12));
    CHECK(free.lower_bound_s == Approx(apart).margin(1e-12));
    if (still == kNever) continue;
    windows.move_s = 100.0;
    const moe::RingSchedule dear = moe::schedule_rings(windows, stop);
    CHECK(dear.cost_s == Approx(still).margin(1e-12));
    CHECK(dear.still_s == Approx(still).margin(1e-12));
    CHECK(dear.lower_bound_s == Approx(still).margin(1e-12));
  }
}

TEST_CASE("rings over windows: bounds of other costs, and an end on demand", "[moe]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    moe::RingWindows windows = random_windows(random, random.uniform(0.0, 0.3));
    for (moe::RingCosts& costs : windows.bound_s)
      for (std::vector<double>& of_layer : costs)
        for (double& one : of_layer) one *= random.uniform(0.9, 1.0);
    core::StopToken stop;
    const moe::RingSchedule found = moe::schedule_rings(windows, stop);
    moe::RingWindows below = windows;
    below.value_s = windows.bound_s;
    INFO("seed " << seed);
    CHECK(found.lower_bound_s <= least(below) + 1e-12);
    CHECK(found.cost_s >= least(windows) - 1e-12);
  }
  Random random(1);
  moe::RingWindows windows = random_windows(random, 0.1);
  core::StopToken interrupted(kNever, [] { return true; }, 1);
  CHECK_THROWS_AS(moe::schedule_rings(windows, interrupted), core::Stopped);
}

TEST_CASE("rings over windows: moves so dear that prices drown what is bounded", "[moe]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    moe::RingWindows windows = random_windows(random, 1e300);
    // Bounds may know of a way where nothing was found: there only values need moves.
    for (moe::RingCosts& costs : windows.bound_s)
      for (std::vector<double>& of_layer : costs)
        for (double& one : of_layer) one = one < kNever ? one : random.uniform(0.0, 1.0);
    core::StopToken stop;
    const double bound_s = moe::schedule_rings(windows, stop).lower_bound_s;
    windows.value_s = windows.bound_s;
    INFO("seed " << seed);
    CHECK((bound_s == kNever || bound_s <= least(windows) * (1.0 + 1e-12) + 1e-12));
  }
}
