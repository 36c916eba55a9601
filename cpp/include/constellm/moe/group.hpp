#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/pair_layer.hpp"
#include "constellm/moe/slot_layer.hpp"

namespace constellm::moe {

/// Sets of layers that share satellites, directly or through others, in any of these problems of the same
/// layers and satellites; layers ascending.
std::vector<std::vector<std::size_t>> groups_of(std::span<const Problem* const> problems);

/// The tables of pairs of satellites that groups of these problems make must fit into memory. Throws
/// core::InvalidInput, whose message ends with `instead`.
void require_room(std::span<const Problem* const> problems, std::string_view instead);

/// Layers that share satellites: the best placement so far and a bound of all. Sums are without base_s.
class Group {
 public:
  Group(const Problem& problem, std::vector<std::size_t> layers);

  /// Bounds and first placements, the best of them by the root's assignment. Returns whether there is any
  /// placement. Where it was told to stop the rest does nothing.
  bool start(core::StopToken& stop);
  /// Improves the placement by exchange.
  void descend(core::StopToken& stop);
  /// Of layers that compete: anneals the placement, and for two picks raises the bound by prices of
  /// satellites.
  void compete(core::StopToken& stop);
  /// For three picks and more: raises the bound by prices in every slot.
  void tighten(core::StopToken& stop);
  /// Searches for better ones, and raises the bound.
  void prove(core::StopToken& stop, std::uint64_t most_work = ~std::uint64_t{0});

  [[nodiscard]] bool proven() const { return bound_s_ >= best_s_ - 2.0 * slack_s(); }
  [[nodiscard]] const std::vector<std::size_t>& layers() const { return layers_; }
  /// [layers of the group][experts]
  [[nodiscard]] const Placement& best() const { return best_; }
  [[nodiscard]] double best_s() const { return best_s_; }
  [[nodiscard]] double bound_s() const { return bound_s_; }
  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }

  /// Linear costs of a layer's experts on satellites. Of one pick they are what the layer costs; else it
  /// costs at least so much.
  struct Costs {
    std::vector<std::int32_t> satellites;
    std::vector<double> cost_s;  ///< [experts][satellites]
  };
  /// By layer of the group; empty where start() was told to stop.
  [[nodiscard]] const std::vector<Costs>& costs() const { return costs_; }
  /// By layer of the group, for two picks and more; as costs().
  [[nodiscard]] const std::vector<PairLayer>& pairs() const { return pairs_; }

 private:
  Costs costs_of(const Layer& layer, core::StopToken& stop);
  bool assign(const std::vector<Costs>& costs);
  void tighten_by_triples(core::StopToken& stop);
  [[nodiscard]] std::vector<Seat> seats() const;
  [[nodiscard]] std::vector<SlotLayer> layers_on(std::span<const Seat> open) const;
  void offer(const Placement& placement);
  [[nodiscard]] std::vector<PairLayer> nearest_places() const;
  void anneal_by_pairs(std::span<const PairLayer> near, std::uint64_t changes, core::StopToken& stop);
  void anneal_by_slots(std::span<const PairLayer> near, std::uint64_t changes, core::StopToken& stop);
  void descend_by_pairs(core::StopToken& stop);
  void descend_by_slots(core::StopToken& stop);
  [[nodiscard]] double value_s(const Placement& placement) const;
  [[nodiscard]] double slack_s() const { return 1e-11 * best_s_; }

  const Problem* problem_;
  std::vector<std::size_t> layers_;
  std::vector<Costs> costs_;
  std::vector<PairLayer> pairs_;
  std::vector<SlotLayer> slots_;  ///< for three picks and more
  std::vector<char> promising_;   ///< by satellite: might be in a placement better than the best
  Placement best_;
  double best_s_;
  double bound_s_ = 0.0;
  bool ready_ = false;
  std::uint64_t nodes_ = 0;
};

}  // namespace constellm::moe
