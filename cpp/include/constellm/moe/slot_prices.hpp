#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/slot_layer.hpp"

namespace constellm::moe {

/// Lower bound for any number of picks, of layers that may compete for satellites: every slot of every layer
/// is placed anew, at prices that make slots and layers agree (Lagrange). Whoever takes a satellite pays its
/// price, and all prices are taken off in the end; tolls differ by slot and add up to nothing over the slots
/// of a layer, so that what every slot takes alike pays none. Whatever they are it is a bound; they are found
/// by deflected subgradient steps (Camerini, Fratta and Maffioli, 1975) towards the value of a placement.
///
/// At given prices a slot is a programme over its satellites by rising latency, whose state is how many
/// experts are placed: where all pay the same the heaviest go first (the theorem of the sorted placement).
/// That leaves every slot an order of its own. Where experts are in classes that pay different tolls the
/// state is how many of each class are placed, and slots must agree by class.
class SlotPrices {
 public:
  /// On the satellites of these layers. Of each the nearest are told apart; the others count as the nearest
  /// of them in every slot, at no price.
  SlotPrices(std::span<const SlotLayer> layers, std::size_t satellites);

  /// Raises the bound until it reaches `best_s`, the value of a placement, gains no more or is told to stop,
  /// and returns it.
  double raise(double best_s, core::StopToken& stop);

  /// Cuts each layer's class of the lightest experts into two, tolls of both as they were: on where the light
  /// ones are it depends most how long the slowest pick takes. False where that would take too long.
  bool refine();

 private:
  struct Entry {
    double latency_s;
    std::int32_t place;  ///< among the satellites told apart; as many as these for all others
  };
  struct Table {
    const SlotLayer* layer;
    std::vector<std::int32_t> places;   ///< satellites told apart
    std::vector<Entry> entries;         ///< [slots][entries of a slot], nearest first
    std::vector<std::int32_t> classes;  ///< how many experts each has, heaviest first
    std::size_t states = 0;
    /// [classes][states]: P(the last of the class that are placed is the farthest pick)
    std::vector<double> farthest;
    std::size_t first_toll = 0;  ///< of [slots][places][classes]
    double unit = 1.0;           ///< of its tolls, so that a step changes them as much as prices
  };

  static void make_states(Table& table);
  void make_tolls();
  double value();
  void look_at(const Table& table, double latency_s, const double* before_s, double* after_s) const;
  double cheapest(const Table& table);
  double cheapest(const Table& table, std::int32_t slot);
  void fill_prices(const Table& table, std::int32_t slot, std::int32_t place);
  bool step(double length_s);

  std::size_t satellites_;
  std::vector<Table> tables_;
  double bound_s_ = 0.0;

  // Of each satellite, and after these the tolls of each layer.
  std::vector<double> prices_;
  std::vector<double> best_prices_;
  std::vector<double> slope_;  ///< how many too many want it; how many more than in the mean of the slots
  std::vector<double> direction_;

  // Of one programme.
  std::vector<double> cost_s_;   ///< [entries looked at + 1][states]
  std::vector<double> price_s_;  ///< [classes]
};

}  // namespace constellm::moe
