#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/services/exact/packing.hpp"
#include "constellm/services/exact/state.hpp"
#include "constellm/services/exact/task_labels.hpp"
#include "constellm/services/exact/task_paths.hpp"

namespace constellm::services::exact {

/// What the multipliers of one constraint after the other are to be changed by.
struct Direction {
  std::vector<double> place, count;
  double cost = 0.0, delay = 0.0, rejected = 0.0;
};

/// Multipliers, all in the unit of the aim, and the weights of the ways into each slot.
struct Multipliers {
  std::vector<double>
      place;  ///< [places] of task's x ≤ node's x; of any sign where a service has one replica
  std::vector<double> count;  ///< [services] of least ≤ Σ y ≤ most
  double cost = 0.0;          ///< of cost / cap ≤ 1
  double delay = 0.0;
  double rejected = 0.0;
  // Of bounds by sums alone, by which places and labels are ruled out:
  std::vector<double> share;  ///< [ways] in [0, 1], of those into one slot together 1
  // Where steps left off: the mean gradient, and their length relative to Polyak's; 0: not begun.
  Direction toward;
  double length = 0.0;
};

/// The Lagrangian bound. Tasks choose places for their slots, nodes choose what they serve, and prices make
/// them agree:
///
///   L = Σ_t min over t's places, by which it ends in time, of Σ price + second_t · delay
///     − Σ_v max over what fits v of Σ price x − Σ (cost_s − count_s) y
///     + Σ_s count_s · (least_s where count_s ≥ 0, most_s else) − what caps are worth.
class Dual {
 public:
  Dual(const Model& model, const Aim& aim);

  [[nodiscard]] Multipliers start(const State& state) const;

  /// The bound of these multipliers, lowered by what rounding can be.
  double value(const State& state, const Times& times, const Multipliers& at);

  /// Improves `at` for so many steps, or until the bound passes `enough`; `target` is what steps aim at.
  /// Returns the best bound, whose multipliers `at` then are.
  double improve(const State& state, const Times& times, Multipliers& at, double target, double enough,
                 std::int32_t steps, core::StopToken& stop);

  /// Takes from `state` what no plan with an aim of at most `upper` has, by the bound at these multipliers.
  /// Returns how many places and hosts were decided; -1 where the bound itself is above.
  std::int32_t fix(State& state, const Times& times, const Multipliers& at, double upper);

  /// Means over the last steps: how far each place is chosen by its task, and each host by its node.
  [[nodiscard]] const std::vector<double>& place_mean() const { return place_mean_; }
  [[nodiscard]] const std::vector<double>& host_mean() const { return host_mean_; }
  [[nodiscard]] std::int64_t bounds() const { return bounds_; }

 private:
  void price(const Multipliers& at);
  double tasks(const State& state, const Times& times, const Multipliers& at);
  double nodes(const State& state);
  double task(const State& state, const Times& times, const Multipliers& at, std::int32_t task);
  double known(const State& state, std::int32_t task, const PathPrices& prices);
  struct Sharp {
    double value = 0.0;    // a bound of the task by sums
    double late = 0.0;     // the price of lateness in it
    double known = kNone;  // of a choice in time
  };
  Sharp sharpen(const State& state, const Times& times, const Multipliers& at, std::int32_t task, double goal,
                std::int32_t steps);
  [[nodiscard]] double seconds_price(const Multipliers& at, std::int32_t task) const;
  [[nodiscard]] double reject_price(const Multipliers& at, std::int32_t task) const;
  [[nodiscard]] bool is_single(const State& state, std::size_t place) const;
  void find_gradient(const State& state, const Multipliers& at);
  [[nodiscard]] double free_square(const State& state, const Multipliers& at) const;
  double mix(double most);
  void move(const State& state, Multipliers& at, double length) const;
  void follow_delay(std::int32_t task, std::vector<double>& share, double rate) const;
  void follow_delays(Multipliers& at);
  void take_means(double rate);

  const Model& model_;
  const Aim& aim_;
  TaskPaths paths_;
  TaskLabels labels_;
  Packing packing_;
  double cost_cap_ = kNone;
  const double* place_prices_ = nullptr;
  std::vector<double> host_price_;  // [services]
  std::vector<double> task_value_;
  std::vector<std::uint8_t> chosen_;  // [tasks] admitted by its subproblem
  std::vector<std::int32_t> places_;  // [slots], -1 before the first solve
  std::vector<double> share_;         // [ways]
  std::vector<std::int32_t> before_, sharp_;
  std::vector<double> best_share_;
  std::vector<double> late_;  // [tasks] prices of lateness that were good last
  std::vector<double> node_value_;
  std::vector<double> delay_s_;  // [tasks]
  std::vector<double> end_s_;
  std::vector<std::int32_t> last_way_;
  std::vector<std::uint8_t> served_, opened_;
  Direction gradient_, direction_;
  Multipliers trial_;
  std::vector<double> place_mean_, host_mean_, through_;
  double magnitude_ = 0.0;
  std::int64_t bounds_ = 0;
};

}  // namespace constellm::services::exact
