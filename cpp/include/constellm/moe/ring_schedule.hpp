#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"

namespace constellm::moe {

/// What each layer costs between its gateway and the next one, as `cheapest_ring` takes it.
using RingCosts = std::vector<std::vector<double>>;

/// Windows of time one after the other, in each of which a ring has gateways of its own.
struct RingWindows {
  std::vector<RingCosts> value_s;      ///< [windows]; of what was found; infinite where there is none
  std::vector<RingCosts> bound_s;      ///< [windows]; of all there may be, at most as much
  std::vector<std::int32_t> gateways;  ///< [layers] that each may have
  double move_s = 0.0;                 ///< each gateway that changes from window to window, >= 0
};

/// Gateways over all windows, so that costs and moves together are least.
struct RingSchedule {
  std::vector<std::vector<std::int32_t>> gateways;  ///< [windows][layers]; none where every one is infinite
  double cost_s;
  double lower_bound_s;
  double apart_s;  ///< with the cheapest ring of each window for itself, its moves counted
  double still_s;  ///< with the one ring that is best for all windows
};

/// Throws core::Stopped.
RingSchedule schedule_rings(const RingWindows& windows, core::StopToken& stop);

}  // namespace constellm::moe
