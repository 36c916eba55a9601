#pragma once
#include <cstdint>
#include <vector>

#include "constellm/flow/instance.hpp"
#include "constellm/flow/plan.hpp"

namespace constellm::flow {

/// A cut of the network in time: of each node the moments at which it changes sides. What crosses it by any
/// moment is known in closed form, so that a cut which is too small now tells until when it stays so.
class TimeCut {
 public:
  /// `starts_inside` [nodes]; `changes_s` of each node ascending, above 0. Sinks are outside.
  TimeCut(const Instance& instance, std::vector<std::uint8_t> starts_inside,
          std::vector<std::vector<double>> changes_s);

  /// The least moment from `from_s` on, no earlier than the last change, by which `wanted` can have crossed:
  /// none is earlier at which a plan may end, given that none ends before `from_s`. Infinite: never.
  [[nodiscard]] double next_s(double from_s, double wanted_bytes) const;
  /// What can cross by a moment no earlier than the last change.
  [[nodiscard]] double capacity_bytes(double by_s) const;

  [[nodiscard]] Cut in_stretches() const;
  /// When a node changes sides, ascending.
  [[nodiscard]] const std::vector<double>& changes_s(std::int32_t node) const {
    return changes_s_[static_cast<std::size_t>(node)];
  }

 private:
  /// A channel leads from inside to outside.
  struct Crossing {
    double start_s;
    double end_s;
    double bytes_per_s;
  };
  [[nodiscard]] bool is_inside(std::int32_t node, double at_s) const;
  void add_crossings(const Channel& channel);
  /// What crosses whenever it ends: supplies outside, storage, demands inside.
  [[nodiscard]] double constant_bytes() const;

  const Instance* instance_;
  std::vector<std::uint8_t> starts_inside_;
  std::vector<std::vector<double>> changes_s_;
  std::vector<Crossing> crossings_;
};

/// Cuts that do not change: around who has more than it wants, and around all that can send.
std::vector<TimeCut> still_cuts(const Instance& instance);

struct Bound {
  double at_s = 0.0;
  Cut cut;
};

/// What the cuts that do not change prove: no plan ends before.
Bound still_bound(const Problem& problem);

}  // namespace constellm::flow
