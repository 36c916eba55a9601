#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/moe/drift/drift.hpp"
#include "constellm/moe/group.hpp"

namespace constellm::moe {

/// Of each expert of a group of layers, layer after layer, the place of its satellite among the group's.
using Hosts = std::vector<std::int32_t>;
/// Of each window.
using HostsOverTime = std::vector<Hosts>;

/// What a group of layers costs over the windows, in the seconds that all tokens wait, without base_s.
class DriftCosts {
 public:
  /// `windows` have started: the group in each.
  DriftCosts(const Drift& drift, std::span<const Group> windows);

  [[nodiscard]] std::size_t windows() const { return windows_.size(); }
  [[nodiscard]] std::size_t layers() const { return first_.size() - 1; }
  [[nodiscard]] std::size_t experts() const { return layer_of_.size(); }
  /// Satellites that the group may use in some window.
  [[nodiscard]] std::size_t places() const { return satellites_.size(); }
  [[nodiscard]] const std::vector<std::int32_t>& satellites() const { return satellites_; }
  [[nodiscard]] std::size_t layer_of(std::size_t expert) const { return layer_of_[expert]; }
  [[nodiscard]] const Group& group(std::size_t w) const { return windows_[w]; }
  [[nodiscard]] double tokens(std::size_t w) const { return drift_->tokens[w]; }

  /// Linear costs that the window's are at least, [experts][places]; of one pick they are what it costs.
  /// Infinite where an expert cannot be.
  [[nodiscard]] const std::vector<double>& linear_s(std::size_t w) const { return linear_s_[w]; }

  /// Of a layer of the group in a window, whose experts all can be where they are.
  [[nodiscard]] double layer_s(std::size_t w, std::size_t layer, const Hosts& hosts) const;
  [[nodiscard]] double window_s(std::size_t w, const Hosts& hosts) const;
  [[nodiscard]] bool possible(std::size_t w, const Hosts& hosts) const;

  [[nodiscard]] double move_s(std::int32_t from, std::int32_t to) const {
    if (from == to) return 0.0;
    return moves_s_.empty()
               ? any_move_s_
               : moves_s_[static_cast<std::size_t>(from) * places() + static_cast<std::size_t>(to)];
  }
  /// Whether a move costs the same between any two places.
  [[nodiscard]] bool moves_alike() const { return moves_s_.empty(); }
  /// Whether experts stay where they are.
  [[nodiscard]] bool still() const;
  /// Of moving an expert into the first window, 0 without a start.
  [[nodiscard]] double first_move_s(std::size_t expert, std::int32_t to) const {
    return start_s_.empty() ? 0.0 : start_s_[expert * places() + static_cast<std::size_t>(to)];
  }
  /// [places]: the least of `before_s` and a move from there; with `backwards` of a move to there.
  void cheapest_moves(std::span<const double> before_s, std::span<double> after_s,
                      bool backwards = false) const;
  /// All of it; infinite for what cannot be.
  [[nodiscard]] double cost_s(const HostsOverTime& hosts) const;

  [[nodiscard]] Hosts hosts_of(const Placement& placement) const;
  [[nodiscard]] Placement placement_of(const Hosts& hosts) const;

 private:
  void gather_places();
  void fill_linear();
  void fill_moves();

  const Drift* drift_;
  std::span<const Group> windows_;
  std::vector<std::size_t> first_;  ///< [layers + 1]: a layer's first expert
  std::vector<std::size_t> layer_of_;
  std::vector<std::int32_t> satellites_;
  std::vector<std::int32_t> place_of_;  ///< by satellite
  std::vector<std::vector<double>> linear_s_;
  double any_move_s_ = 0.0;
  std::vector<double> moves_s_;  ///< [places][places], empty where all are alike
  std::vector<double> start_s_;  ///< [experts][places], empty without a start
};

}  // namespace constellm::moe
