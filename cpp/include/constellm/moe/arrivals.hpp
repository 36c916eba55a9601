#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

namespace constellm::moe {

/// Of some experts at a time t: who has arrived by then, and who arrives just then.
struct Arrivals {
  explicit Arrivals(std::size_t most) : counts(most), density(most) { clear(); }

  void clear() {
    std::fill(counts.begin(), counts.end(), 0.0);
    std::fill(density.begin(), density.end(), 0.0);
    counts[0] = 1.0;
  }
  /// One expert more, of this weight; `p` is the probability that it has arrived, `q` that it has not.
  void add(double weight, double p, double q) {
    const double arrives = weight * q;
    for (std::size_t n = counts.size(); n-- > 1;) {
      density[n] = q * density[n] + p * density[n - 1] + arrives * counts[n];
      counts[n] = q * counts[n] + p * counts[n - 1];
    }
    density[0] = q * density[0] + arrives * counts[0];
    counts[0] *= q;
  }

  std::vector<double> counts;   ///< P(n have arrived)
  std::vector<double> density;  ///< that one arrives when n others have
};

}  // namespace constellm::moe
