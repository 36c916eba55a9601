#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "catch.hpp"
#include "constellm/search/bundle.hpp"

using namespace constellm;
using search::Bundle;
using search::Consumption;

namespace {

// Least of all lines at one multiplier, the others as given.
double least_at(const std::vector<Consumption>& walks, std::vector<double> multipliers, std::size_t r,
                double multiplier, const std::vector<double>& limits) {
  multipliers[r] = multiplier;
  double least = search::kInfinity;
  for (const Consumption& walk : walks) {
    double value = walk.cost;
    for (std::size_t i = 0; i < limits.size(); ++i) value += multipliers[i] * (walk.used[i] - limits[i]);
    least = std::min(least, value);
  }
  return least;
}

}  // namespace

TEST_CASE("the peak of known walks is the highest point of the least of their lines") {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> number(0.0, 2.0);
  const std::vector<double> limits{1.0, 0.7};
  for (int round = 0; round < 300; ++round) {
    Bundle bundle;
    std::vector<Consumption> walks;
    for (int i = 0; i < 1 + round % 12; ++i) {
      walks.push_back({number(random), number(random), {number(random), number(random)}});
      bundle.add(walks.back());
    }
    const std::vector<double> multipliers{number(random), number(random)};
    for (const std::size_t r : {0U, 1U}) {
      const Bundle::Peak peak = bundle.peak(r, multipliers, limits);
      const bool kept = std::any_of(walks.begin(), walks.end(),
                                    [&](const Consumption& w) { return w.used[r] <= limits[r]; });
      REQUIRE((peak.value < search::kInfinity) == kept);
      if (!kept) continue;
      CHECK(std::abs(least_at(walks, multipliers, r, peak.multiplier, limits) - peak.value) <= 1e-9);
      for (double other = 0.0; other < 4.0; other += 0.01)
        CHECK(least_at(walks, multipliers, r, other, limits) <= peak.value + 1e-9);
    }
  }
}

TEST_CASE("walks that are too long are forgotten, and the latest of many are kept") {
  const std::vector<double> limits{1.0};
  Bundle bundle;
  bundle.add({5.0, 3.0, {0.5}});
  bundle.add({7.0, 1.0, {0.5}});
  CHECK(bundle.peak(0, {0.0}, limits).value == 5.0);
  bundle.keep_within(2.0);
  CHECK(bundle.peak(0, {0.0}, limits).value == 7.0);
  for (int i = 0; i < 30; ++i) bundle.add({10.0 + i, 1.0, {0.5}});
  CHECK(bundle.peak(0, {0.0}, limits).value > 10.0);
}
