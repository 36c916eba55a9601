#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/random.hpp"
#include "constellm/services/exact/dual.hpp"
#include "constellm/services/exact/incumbent.hpp"

namespace constellm::services::exact {

/// Plans from prices: one task after the other takes its cheapest places among what the others left, then each is
/// taken out and placed anew at what replicas really cost, until none gets better.
class Rounding {
 public:
  Rounding(const Model& model, const Aim& aim);

  /// Offers what it finds; whether that was better. `order`: of the tasks, whatever the random numbers make of it.
  bool run(const State& state, const Times& times, const Multipliers& at, core::Random& random,
           Incumbent& incumbent);

 private:
  bool place(const Times& times, std::int32_t task, const Multipliers& at, bool dual_prices);
  void take_out(std::int32_t task);
  bool put(std::int32_t task);
  bool fits(std::int32_t place);
  void open_places(std::int32_t task);
  double fill_prices(std::int32_t task, const Multipliers& at, bool dual_prices);
  [[nodiscard]] double worth() const;
  bool improve(const Times& times, const Multipliers& at);
  [[nodiscard]] Assignment assignment() const;

  const Model& model_;
  const Aim& aim_;
  TaskPaths paths_;
  State state_;                       // its alive places: what one task may take now
  const State* outer_ = nullptr;
  std::vector<std::int32_t> places_;  // [slots], -1: not placed
  std::vector<double> delay_s_;       // [tasks]
  std::vector<std::int32_t> users_;   // [hosts] slots served
  std::vector<double> memory_;        // [nodes] left
  std::vector<double> flop_;          // [nodes, tasks]
  std::vector<std::int32_t> single_at_;  // [services] node of the one replica, -1: none yet
  std::vector<double> prices_, share_, raise_, end_s_;
  std::vector<std::int32_t> last_way_, order_;
};

}  // namespace constellm::services::exact
