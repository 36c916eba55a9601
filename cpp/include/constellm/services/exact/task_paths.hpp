#pragma once
#include <cstdint>
#include <vector>

#include "constellm/services/exact/state.hpp"

namespace constellm::services::exact {

/// What a task's slots cost at places, and what a second costs it.
struct PathPrices {
  const double* place = nullptr;  ///< [places]
  const double* share = nullptr;  ///< [ways] of the weight of a slot (or of the whole, to the sink) on each way in
  double second = 0.0;            ///< of the task's delay
};

/// The cheapest places of one task's slots, by dynamic programming over the tree of ways that are not cut. A delay is
/// the longest of the sums over ways from the source, thus at least their mean with any weights: the `share`s. The
/// value is a lower bound of Σ price + second · delay, and what there is without joins and second ways.
class TaskPaths {
 public:
  explicit TaskPaths(const Model& model);

  /// The value; infinite where there is none. `times` has the arrivals over cut ways.
  double solve(const State& state, const Times& times, std::int32_t task, const PathPrices& prices);
  /// The places of the last solve, [slots] of the task.
  void choose(std::int32_t task, const PathPrices& prices, std::int32_t* places);
  /// The least value with each place of the task, after a solve.
  void through(std::int32_t task, const PathPrices& prices, std::vector<double>& value);

 private:
  [[nodiscard]] double own(const Times& times, std::int32_t place, const PathPrices& prices) const;

  const Model& model_;
  std::vector<double> weight_;   // [slots] of a second at its end
  std::vector<double> own_;      // [places] by itself
  std::vector<double> ahead_;    // [places] with all that comes before
  std::vector<double> behind_;   // [places] all that comes after
  std::vector<double> message_;  // [ways' offsets] what a way brings to each place of its end
  std::vector<std::size_t> first_message_;
  std::vector<double> rest_;
};

/// When the task's stages end, and of each slot which way in came last (-1: none, it is the source's).
double schedule(const Model& model, std::int32_t task, const std::int32_t* places, std::vector<double>& end_s,
                std::vector<std::int32_t>& last_way);

}  // namespace constellm::services::exact
