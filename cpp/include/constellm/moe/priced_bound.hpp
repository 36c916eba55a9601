#pragma once
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/pair_layer.hpp"

namespace constellm::moe {

/// Lower bound of layers of two picks that compete for satellites, by prices of satellites (Lagrange):
/// whatever they are, no placement costs less than the layers placed each for itself, prices paid, less all
/// prices. The prices are found by subgradient steps towards `best_s`, the value of a placement.
///
/// A layer for itself is a programme over its satellites a by rising g_a, what the slowest pick costs at
/// least where one is on a. With the experts heaviest first on the chosen ones it costs at least the sum over
/// them of P(farthest) * g (the theorem of the sorted placement); every pair adds at least P(lightest pair)
/// times what the slower of both exceeds g by, and may carry its part of the prices.
class PricedBound {
 public:
  PricedBound(std::span<const PairLayer> layers, std::size_t satellites);

  /// Raises the bound for up to `steps` steps, and returns it.
  double raise(int steps, double best_s, core::StopToken& stop);

 private:
  struct LayerTable {
    std::vector<std::int32_t> order;  ///< places by rising least_s
    std::vector<double> least_s;      ///< [places] in that order
    std::vector<double> farthest;     ///< [experts], heaviest first
    std::vector<double> remaining;    ///< [experts]: the sum of farthest from there on
    double least_pair = 0.0;
  };

  double cheapest(std::size_t layer);
  void fill_near(std::size_t layer, std::size_t at);

  std::span<const PairLayer> layers_;
  std::vector<LayerTable> tables_;
  std::vector<double> price_s_;  ///< by satellite
  std::vector<std::int32_t> used_;
  std::vector<double> best_price_s_;
  double bound_s_ = 0.0;

  // Of one programme.
  std::vector<double> cost_s_;  ///< [chosen so far]
  std::vector<char> taken_;     ///< [satellites looked at][chosen so far]
  std::vector<double> near_s_;
};

}  // namespace constellm::moe
