#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/drift/costs.hpp"

namespace constellm::moe {

/// Local search over schedules: an expert goes to another place in some of the windows, and whoever is there
/// takes its old one. Which windows are best is exact, a programme of two states.
class DriftExchange {
 public:
  /// `hosts` is a schedule.
  DriftExchange(const DriftCosts& costs, HostsOverTime hosts);

  /// Takes changes that gain until none does, or it is told to stop.
  void descend(core::StopToken& stop);
  [[nodiscard]] const HostsOverTime& hosts() const { return hosts_; }

 private:
  [[nodiscard]] std::vector<std::int32_t> near_places(std::size_t expert) const;
  bool try_change(std::size_t expert, std::int32_t place);
  double change_s(std::size_t w, std::size_t expert, std::int32_t place);
  [[nodiscard]] double moves_s(std::size_t w, std::size_t expert, std::int32_t place, bool before,
                               bool here) const;
  [[nodiscard]] std::int32_t place_of(std::size_t w, std::int32_t expert, std::size_t changed,
                                      std::int32_t place, bool is_changed) const;
  void apply(std::size_t w, std::size_t expert, std::int32_t place);

  const DriftCosts* costs_;
  HostsOverTime hosts_;
  std::vector<std::vector<std::int32_t>> guest_;  ///< by window and place: the expert there, or -1
  std::vector<std::vector<double>> layer_s_;      ///< by window and layer
  double least_ = 0.0;                            ///< gains that are less are rounding

  // Of one change.
  std::vector<double> change_s_;  ///< by window
  std::vector<char> from_changed_;
};

}  // namespace constellm::moe
