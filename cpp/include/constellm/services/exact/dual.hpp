#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/services/exact/packing.hpp"
#include "constellm/services/exact/state.hpp"
#include "constellm/services/exact/task_paths.hpp"

namespace constellm::services::exact {

/// Multipliers, all in the unit of the aim, and the weights of the ways into each slot.
struct Multipliers {
  std::vector<double> place;  ///< [places] of task's x ≤ node's x; of any sign where a service has one replica
  std::vector<double> count;  ///< [services] of least ≤ Σ y ≤ most
  std::vector<double> late;   ///< [tasks] of delay / deadline ≤ 1
  double cost = 0.0;          ///< of cost / cap ≤ 1
  double delay = 0.0;
  double rejected = 0.0;
  std::vector<double> share;  ///< [ways] in [0, 1], of those into one slot together 1
};

/// The Lagrangian bound. Tasks choose places for their slots, nodes choose what they serve, and prices make them
/// agree:
///
///   L = Σ_t min over t's places of Σ price + second_t · delay
///     − Σ_v max over what fits v of Σ price x − Σ (cost_s − count_s) y
///     + Σ_s count_s · (least_s where count_s ≥ 0, most_s else) − what caps and deadlines are worth.
class Dual {
 public:
  Dual(const Model& model, const Aim& aim);

  [[nodiscard]] Multipliers start(const State& state) const;

  /// The bound of these multipliers, lowered by what rounding can be.
  double value(const State& state, const Times& times, const Multipliers& at);

  /// Improves `at` for so many steps, or until the bound passes `enough`; `target` is what steps aim at. Returns the
  /// best bound, whose multipliers `at` then are.
  double improve(const State& state, const Times& times, Multipliers& at, double target, double enough,
                 std::int32_t steps, core::StopToken& stop);

  /// Takes from `state` what no plan with an aim of at most `upper` has, by the bound at these multipliers. Returns how
  /// many places and hosts were decided; -1 where the bound itself is above.
  std::int32_t fix(State& state, const Times& times, const Multipliers& at, double upper);

  /// Means over the last steps: how far each place is chosen by its task, and each host by its node.
  [[nodiscard]] const std::vector<double>& place_mean() const { return place_mean_; }
  [[nodiscard]] const std::vector<double>& host_mean() const { return host_mean_; }
  [[nodiscard]] std::int64_t bounds() const { return bounds_; }

 private:
  struct Direction {
    std::vector<double> place, count, late;
    double cost = 0.0, delay = 0.0, rejected = 0.0;
  };

  void price(const Multipliers& at);
  double tasks(const State& state, const Times& times, const Multipliers& at);
  double nodes(const State& state);
  [[nodiscard]] double seconds_price(const Multipliers& at, std::int32_t task) const;
  [[nodiscard]] double reject_price(const Multipliers& at, std::int32_t task) const;
  void find_gradient(const State& state, const Multipliers& at);
  double deflect();
  void move(const State& state, Multipliers& at, double length) const;
  void follow_delays(const State& state, Multipliers& at, double rate) const;
  void take_means(double rate);

  const Model& model_;
  const Aim& aim_;
  TaskPaths paths_;
  Packing packing_;
  double cost_cap_ = kNone;
  const double* place_prices_ = nullptr;
  std::vector<double> host_price_;  // [services]
  std::vector<double> task_value_;
  std::vector<std::uint8_t> chosen_;  // [tasks] admitted by its subproblem
  std::vector<std::int32_t> places_;  // [slots]
  std::vector<double> node_value_;
  std::vector<double> delay_s_;  // [tasks]
  std::vector<double> end_s_;
  std::vector<std::int32_t> last_way_;
  std::vector<std::uint8_t> served_, opened_;
  Direction gradient_, direction_;
  std::vector<double> place_mean_, host_mean_, through_;
  double magnitude_ = 0.0;
  std::int64_t bounds_ = 0;
};

}  // namespace constellm::services::exact
