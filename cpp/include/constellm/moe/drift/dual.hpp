#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/assignment.hpp"
#include "constellm/moe/drift/costs.hpp"

namespace constellm::moe {

/// Lower bound of all schedules by Lagrange's multipliers. Where every window places experts for itself, and
/// every expert walks for itself from window to window over places that others may have too, walk and
/// placements need not agree; whatever is charged for an expert in a place by its window and paid back to its
/// walk, no schedule costs less than the cheapest placements and the cheapest walks. A window is bounded by
/// its linear costs, an assignment; a walk is a programme. The charges are found by subgradient steps.
class DriftDual {
 public:
  explicit DriftDual(const DriftCosts& costs);

  /// What a window costs at least with these charges, [experts][places]. The placement that comes in is one
  /// of the window's; one that costs little goes out.
  using Search = std::function<double(std::size_t w, std::span<const double> charge_s, Hosts& placed)>;
  /// Windows are bounded by this from now on, in place of their linear costs.
  void search_by(Search search) { search_ = std::move(search); }

  /// Sees the windows' placements, and says what the best schedule costs then.
  using Offer = std::function<double(const HostsOverTime&)>;
  /// Tries a few charges to start from.
  void guess(core::StopToken& stop, const Offer& offer);
  /// Subgradient steps towards `best_s`, what a schedule costs.
  void raise(int steps, double best_s, core::StopToken& stop, const Offer& offer);

  [[nodiscard]] double bound_s() const { return bound_s_; }

  /// At the charges of the bound: what a window costs at least, charges paid, and all walks.
  [[nodiscard]] double window_bound_s(std::size_t w) const { return window_bound_s_[w]; }
  [[nodiscard]] double walks_s() const { return walks_s_; }
  /// At the charges of the bound, [experts][places]: what is charged in the window.
  [[nodiscard]] std::vector<double> charges_s(std::size_t w) const;
  /// The same, [windows][experts][places], and by how much the cheapest walk through the place costs more
  /// than the cheapest of all.
  [[nodiscard]] std::vector<double> detours_s();

 private:
  [[nodiscard]] std::uint64_t work() const;
  double evaluate();
  double place(std::size_t w, const std::vector<double>& charge_s);
  double walk(std::size_t expert, const std::vector<double>& charge_s);
  bool step(double missing_s);
  void level(std::size_t reach);
  [[nodiscard]] std::size_t at(std::size_t w, std::size_t expert) const {
    return (w * costs_->experts() + expert) * costs_->places();
  }

  const DriftCosts* costs_;
  Search search_;
  std::vector<double> charge_s_;  ///< [windows][experts][places]
  std::vector<double> best_charge_s_;
  std::vector<double> direction_;  ///< of the steps, as charges
  double bound_s_;
  std::vector<double> window_bound_s_;
  double walks_s_ = 0.0;

  // Of one evaluation.
  Assignment assignment_;
  std::vector<double> priced_s_;
  std::vector<double> reached_s_;  ///< [windows][places]
  std::vector<double> arrived_s_;
  HostsOverTime placed_;
  HostsOverTime walked_;
};

}  // namespace constellm::moe
