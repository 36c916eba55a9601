#pragma once
#include <algorithm>
#include <cstddef>

namespace constellm::moe {

/// Mean of the larger of two over `count` slots.
inline double mean_of_slower(const double* a, const double* b, std::size_t count) {
  // Four sums, so that the processor need not wait for one addition after the other.
  double sum[4] = {};
  std::size_t t = 0;
  for (; t + 4 <= count; t += 4)
    for (std::size_t u = 0; u < 4; ++u) sum[u] += std::max(a[t + u], b[t + u]);
  for (; t < count; ++t) sum[0] += std::max(a[t], b[t]);
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) / static_cast<double>(count);
}

}  // namespace constellm::moe
