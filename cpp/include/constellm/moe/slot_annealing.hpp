#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/moe/slot_layer.hpp"

namespace constellm::moe {

/// Annealing for any number of picks, of layers that compete for satellites: an expert goes to another
/// satellite of its layer, and whoever is there takes its old one. Changes are judged by evaluating the
/// layers anew.
class SlotAnnealing {
 public:
  /// `placement` has a satellite of its own for every expert of these layers, among those of its layer.
  SlotAnnealing(std::span<const SlotLayer> layers, std::size_t satellites, Placement placement,
                std::uint64_t seed);

  /// Tries so many changes, or until it is told to stop; the placement may be worse after than before.
  void run(std::uint64_t changes, core::StopToken& stop);

  [[nodiscard]] const Placement& placement() const { return placement_; }

 private:
  struct Expert {
    std::int32_t layer = -1;  ///< -1: nobody
    std::int32_t in_layer = -1;
  };
  struct Change {
    Expert expert;
    std::int32_t to;  ///< satellite
    double gain;
    double value_s;        ///< of the expert's layer, after
    double other_value_s;  ///< of that of whoever is there
  };

  Change some();
  void take(const Change& change);
  std::int32_t& host(Expert expert);
  void swap(Expert expert, std::int32_t to);

  std::span<const SlotLayer> layers_;
  Placement placement_;
  std::vector<Expert> experts_;
  std::vector<Expert> on_;  ///< by satellite
  std::vector<double> value_s_;
  std::vector<Seat> open_;
  core::Random random_;
};

}  // namespace constellm::moe
