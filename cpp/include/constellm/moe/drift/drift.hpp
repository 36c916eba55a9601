#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "constellm/moe/problem.hpp"

namespace constellm::moe {

/// What it costs to move an expert from one satellite to another, in the seconds that tokens wait for it.
class MoveCosts {
 public:
  /// The same between any two; infinite: nothing ever moves. Throws core::InvalidInput unless in [0, inf].
  explicit MoveCosts(double any);
  /// `cost_s` is [from][to]. Throws core::InvalidInput unless finite, >= 0, and 0 from a satellite to itself.
  MoveCosts(std::size_t satellites, std::vector<double> cost_s);

  [[nodiscard]] bool uniform() const { return cost_s_.empty(); }
  /// From a satellite to another where it is the same for all.
  [[nodiscard]] double any_s() const { return any_s_; }
  [[nodiscard]] double between_s(std::int32_t from, std::int32_t to) const;
  /// 0: for any number.
  [[nodiscard]] std::size_t satellites() const { return satellites_; }

 private:
  double any_s_ = 0.0;
  std::size_t satellites_ = 0;
  std::vector<double> cost_s_;
};

/// One model over windows of time, each with weights and latencies of its own. A window's placement serves
/// its tokens; between windows experts may move, at a cost.
struct Drift {
  std::vector<const Problem*> windows;
  std::vector<double> tokens;  ///< [windows], > 0
  MoveCosts moves;
  std::optional<Placement> start;  ///< where experts are before the first window; else they are nowhere yet
};

/// Throws core::InvalidInput unless the windows have the same layers, experts, picks and number of
/// satellites, and all else fits them.
void require_sound(const Drift& drift);

/// What placements over the windows cost.
struct ScheduleCost {
  double cost_s = 0.0;                  ///< all of it, in the seconds that tokens wait
  std::vector<double> token_latency_s;  ///< [windows]: of one token
  std::vector<double> move_s;           ///< [windows]: of moving into it
  std::vector<std::int32_t> moved;      ///< [windows]: experts that do
};

/// Throws core::InvalidInput for what is no placement of its window.
ScheduleCost evaluate(const Drift& drift, const std::vector<Placement>& placements);

}  // namespace constellm::moe
