#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/pair_layer.hpp"

namespace constellm::moe {

/// Local search for layers of two picks that share satellites: an expert moves to a free satellite, or two
/// change theirs. What a change gains is known in O(1) from a table of what each expert costs on each
/// satellite beside the others; a change itself is O(experts of the layer * satellites).
class PairExchange {
 public:
  /// `placement` has a satellite of its own for every expert of these layers.
  PairExchange(std::span<const PairLayer> layers, std::size_t satellites, Placement placement);

  /// Takes changes that gain until none does, or it is told to stop.
  void descend(core::StopToken& stop);
  [[nodiscard]] const Placement& placement() const { return placement_; }
  /// Sum over the layers, without base_s.
  [[nodiscard]] double value_s() const;

 private:
  struct Expert {
    std::int32_t layer;
    std::int32_t in_layer;
    std::int32_t place;  ///< among the layer's satellites
    std::size_t row;     ///< where its row of beside_ begins
  };

  /// What is gained where an expert goes to that place, and whoever is there takes its old one.
  [[nodiscard]] double gain(const Expert& expert, std::int32_t place) const;
  void change(std::size_t expert, std::int32_t place);
  [[nodiscard]] double move_gain(const Expert& expert, std::int32_t place) const;
  /// Minus infinity where it cannot be.
  [[nodiscard]] double swap_gain(const Expert& a, const Expert& b) const;
  void put(std::size_t expert, std::int32_t place);

  std::span<const PairLayer> layers_;
  Placement placement_;
  std::vector<Expert> experts_;
  std::vector<std::size_t> first_;     ///< of each layer: its first expert
  std::vector<std::int32_t> host_of_;  ///< of each satellite: the expert on it, or -1
  /// Of each expert on each place of its layer: the sum over the layer's others of pair times mean_s.
  std::vector<double> beside_;
};

}  // namespace constellm::moe
