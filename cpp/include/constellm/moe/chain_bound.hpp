#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/chain.hpp"
#include "constellm/moe/transport.hpp"

namespace constellm::moe {

/// Lower bound of a chain (Gilmore, 1962; Lawler, 1963). What two experts hand on is charged to both, in
/// parts that add up to it. An expert on a satellite is charged at least what it would be with its partners
/// on the nearest places left beside it, the heaviest charge nearest; these costs make an assignment problem,
/// whose value no placement is below. The parts are halves at first, and better ones are found by subgradient
/// steps: charges go to the end at which the other is farther.
class ChainBound {
 public:
  /// There are as many places as experts.
  explicit ChainBound(const Chain& chain);

  /// The bound of the halves; none where it is told to stop.
  void start(core::StopToken& stop);
  /// Up to so many steps towards the value of a placement, at the prices of places that the start found.
  /// Where it is told to stop, what was found before stands.
  void raise(int steps, double best_s, core::StopToken& stop);

  /// 0 before the start.
  [[nodiscard]] double bound_s() const { return bound_s_; }
  /// The assignment of the start, a placement; empty before.
  [[nodiscard]] const std::vector<std::int32_t>& hosts() const { return hosts_; }
  /// [experts][satellites], of the last step.
  [[nodiscard]] std::span<const double> cost_s() const { return cost_s_; }

  /// A partner of an expert, and what of their affinity is charged to the expert.
  struct Charge {
    std::int32_t partner;
    double affinity;
  };
  /// Heaviest first, of the best bound.
  [[nodiscard]] std::vector<std::vector<Charge>> charges() const;

 private:
  struct Partner {
    std::int32_t expert;
    std::size_t mirror;  ///< where the same pair stands among the other's partners
    double affinity;
  };

  void fill_costs(core::StopToken& stop);
  double value_at_prices();
  [[nodiscard]] bool step(double length_s);

  const Chain& chain_;
  std::vector<std::size_t> first_;  ///< [experts + 1]: into the next three
  std::vector<Partner> partners_;
  std::vector<double> charge_;
  std::vector<std::size_t> order_;  ///< of each expert its partners by falling charge
  std::size_t most_partners_ = 0;
  std::vector<double> near_s_;  ///< [satellites][most_partners_]: to the nearest places beside one taken
  std::vector<double> cost_s_;
  std::vector<double> away_s_;  ///< of each partner: how far it is where the bound has it
  Transport transport_;
  std::vector<std::int32_t> hosts_;
  std::vector<std::int32_t> cheapest_;  ///< by expert: where the bound has it
  double bound_s_ = 0.0;
};

/// How many partners of an expert one place may host: two of a closed chain of two layers, each of whose
/// experts is a neighbour twice, else one.
inline std::size_t partners_of_place(const Chain& chain) {
  return chain.closed() && chain.layers() == 2 ? 2 : 1;
}

/// Of each satellite all, itself among them, by rising distance: [satellites][satellites].
std::vector<std::int32_t> nearest_satellites(const Chain& chain);

}  // namespace constellm::moe
