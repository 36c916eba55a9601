#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/problem.hpp"

namespace constellm::moe {

/// What may be done with a satellite: a search for one layer alone settles first which it takes.
enum class Seat : char { closed, open, taken };

/// A layer's satellites in the order of their latencies, slot by slot; for any number of picks.
class SlotLayer {
 public:
  struct Near {
    double latency_s;
    std::int32_t satellite;
  };

  /// Throws core::Stopped.
  SlotLayer(const Problem& problem, const Layer& layer, core::StopToken& stop);
  /// The same with the satellites alone whose seats are not closed.
  SlotLayer(const SlotLayer& whole, std::span<const Seat> seats);

  [[nodiscard]] const Layer& layer() const { return *layer_; }
  [[nodiscard]] const std::vector<std::int32_t>& heaviest_first() const { return heaviest_first_; }
  [[nodiscard]] std::int32_t slots() const { return slots_; }
  /// Its satellites of one slot, nearest first.
  [[nodiscard]] std::span<const Near> nearest(std::int32_t slot) const {
    return std::span(nearest_).subspan(static_cast<std::size_t>(slot) * by_mean_.size(), by_mean_.size());
  }
  /// Its satellites by rising mean latency.
  [[nodiscard]] const std::vector<std::int32_t>& by_mean() const { return by_mean_; }

  /// Whatever open satellites the experts without one get, the layer's expected latency is at least this; it
  /// is the latency where all have one. In every slot the heaviest go to the nearest that is open.
  /// `satellite_of` is by expert, -1: none yet; `seats` by satellite. Infinite where too few are open.
  [[nodiscard]] double bound_s(std::span<const std::int32_t> satellite_of, std::span<const Seat> seats) const;
  /// What that takes, in the units of stop tokens.
  [[nodiscard]] std::uint64_t work() const {
    return static_cast<std::uint64_t>(slots_ * layer_->picks.work()) + 1;
  }

 private:
  const Layer* layer_;
  std::int32_t slots_;
  std::vector<Near> nearest_;  ///< [slots][satellites of by_mean_], nearest first
  std::vector<std::int32_t> by_mean_;
  std::vector<std::int32_t> heaviest_first_;
};

}  // namespace constellm::moe
