#pragma once
#include <cstddef>
#include <vector>

#include "constellm/search/measure.hpp"

namespace constellm::search {

/// Walks that are known, as cutting planes of a Lagrangian dual (Kelley, 1960): over a multiplier each
/// is a line, and the dual lies below all of them.
class Bundle {
 public:
  void add(const Consumption& walk);
  /// Forgets the walks with a longer bottleneck.
  void keep_within(double cap_s);

  struct Peak {
    double multiplier = 0.0;
    double value = 0.0;  ///< infinite where no known walk keeps the limit
  };
  /// The highest point that the lines allow over the multiplier of resource `r`, the others as given.
  [[nodiscard]] Peak peak(std::size_t r, const std::vector<double>& multipliers,
                          const std::vector<double>& limits) const;

 private:
  std::vector<Consumption> walks_;  // oldest first
};

}  // namespace constellm::search
