#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/core/stop.hpp"

namespace constellm::moe {

/// Simulated annealing (Kirkpatrick et al., 1983): tries so many changes, or until it is told to stop. One
/// that loses is taken with a chance that falls as it goes on. `some` proposes a change, whose `gain` is 0
/// where it changes nothing and minus infinity where it cannot be; `take` makes it; `work` is what a change
/// takes, in the units of stop tokens.
template <class Some, class Take>
void anneal(std::uint64_t changes, std::uint64_t work, core::Random& random, core::StopToken& stop, Some some,
            Take take) {
  constexpr std::uint64_t kStep = 1024;  // changes at one temperature, and changes that say what one matters
  constexpr double kCooled = 1e-3;       // the last temperature over the first
  std::vector<double> losses;
  for (std::uint64_t i = 0; i < kStep; ++i) {
    if (stop.should_stop(work)) return;
    const double loss = -some().gain;
    if (loss > 0.0 && loss < std::numeric_limits<double>::infinity()) losses.push_back(loss);
  }
  if (losses.empty()) return;
  // At first nine of ten that lose lose less.
  const auto most = losses.begin() + static_cast<std::ptrdiff_t>(losses.size() * 9 / 10);
  std::nth_element(losses.begin(), most, losses.end());
  double temperature = *most;
  const double cooling = std::pow(kCooled, static_cast<double>(kStep) / static_cast<double>(changes));
  for (std::uint64_t i = 0; i < changes; ++i) {
    if (i % kStep == 0) temperature *= cooling;
    if (stop.should_stop(work)) return;
    const auto change = some();
    if (change.gain == 0.0) continue;
    if (change.gain < 0.0 && random.uniform() >= std::exp(change.gain / temperature)) continue;
    take(change);
  }
}

}  // namespace constellm::moe
