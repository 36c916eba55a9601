#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/moe/pair_layer.hpp"

namespace constellm::moe {

/// Annealing of layers that compete for satellites, by pairs: an expert goes to another satellite of its
/// layer, and whoever is there takes its old one. What a change gains is known in O(experts of the layer).
class PairAnnealing {
 public:
  /// `placement` has a satellite of its own for every expert of these layers.
  PairAnnealing(std::span<const PairLayer> layers, std::size_t satellites, const Placement& placement,
                std::uint64_t seed);

  /// Tries so many changes, or until it is told to stop; the placement may be worse after than before.
  void run(std::uint64_t changes, core::StopToken& stop);

  [[nodiscard]] Placement placement() const;

 private:
  struct Seat {
    std::int32_t layer = -1;
    std::int32_t expert = -1;  ///< of the layer; -1: nobody
  };
  struct Change {
    Seat expert;
    std::int32_t from;  ///< place of the layer
    std::int32_t to;
    Seat other;  ///< who is there
    std::int32_t other_to;
    double gain;  ///< minus infinity where it cannot be
  };

  Change some();
  [[nodiscard]] double move_gain(Seat expert, std::int32_t from, std::int32_t to) const;
  [[nodiscard]] double swap_gain(const Change& change) const;
  void take(const Change& change);

  std::span<const PairLayer> layers_;
  std::vector<Seat> experts_;
  std::vector<std::vector<std::int32_t>> places_;  ///< by layer and expert
  std::vector<Seat> host_of_;                      ///< by satellite
  core::Random random_;
};

}  // namespace constellm::moe
