#pragma once
#include <optional>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/drift/costs.hpp"

namespace constellm::moe {

/// The cheapest schedule that has in each window one of the window's placements: a programme over windows.
/// None where there is none, or it was told to stop.
std::optional<HostsOverTime> cheapest_schedule(const DriftCosts& costs,
                                               const std::vector<std::vector<Hosts>>& pools,
                                               core::StopToken& stop);

}  // namespace constellm::moe
