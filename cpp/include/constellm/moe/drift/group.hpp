#pragma once
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/drift/costs.hpp"
#include "constellm/moe/drift/dual.hpp"
#include "constellm/moe/group.hpp"

namespace constellm::moe {

/// Layers that share satellites in some window: the best schedule so far, and a bound of all. In the seconds
/// that all tokens wait, without base_s.
class DriftGroup {
 public:
  DriftGroup(const Drift& drift, const std::vector<std::size_t>& layers);
  DriftGroup(DriftGroup&&) = default;

  /// Returns whether there may be a schedule: false is certain.
  bool start(core::StopToken& stop);
  /// Every window by itself: a schedule, and a bound.
  void settle(core::StopToken& stop);
  /// Schedules by exchange, and the bound by multipliers.
  void improve(core::StopToken& stop);
  /// Lists, window by window, every placement that the best of all schedules may have, and takes the cheapest
  /// way through them. With few enough of them that is exact.
  void prove(core::StopToken& stop);

  [[nodiscard]] const std::vector<std::size_t>& layers() const { return windows_[0].layers(); }
  /// Whether there is a schedule.
  [[nodiscard]] bool found() const { return costs_ ? !best_.empty() : std::isfinite(drift_->moves.any_s()); }
  /// Of a window; layers of the group.
  [[nodiscard]] Placement placement(std::size_t w) const {
    return costs_ ? costs_->placement_of(best_[w]) : windows_[w].best();
  }
  [[nodiscard]] double bound_s() const { return bound_s_; }
  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }

 private:
  double take(const HostsOverTime& hosts);
  void combine(core::StopToken& stop);
  void descend(core::StopToken& stop);
  bool hold();
  bool choose(core::StopToken& stop);
  double search(std::size_t w, std::span<const double> charge_s, Hosts& placed, core::StopToken& stop);
  std::optional<std::vector<Hosts>> pool(std::size_t w, const std::vector<double>& own_s, double limit_s,
                                         core::StopToken& stop);
  [[nodiscard]] std::vector<double> by_satellite(std::size_t w, std::span<const double> own_s) const;
  [[nodiscard]] std::vector<char> open_satellites() const;
  [[nodiscard]] double slack_s() const { return 1e-11 * best_s_; }
  [[nodiscard]] bool proven() const { return bound_s_ >= best_s_ - slack_s(); }

  const Drift* drift_;
  std::vector<Group> windows_;
  std::optional<DriftCosts> costs_;
  std::optional<DriftDual> dual_;
  HostsOverTime best_;
  double best_s_;
  double bound_s_ = 0.0;
  std::vector<Hosts> seen_;  ///< placements that schedules are combined from
  bool cut_short_ = false;   ///< whether some search was
  std::uint64_t nodes_ = 0;
};

}  // namespace constellm::moe
