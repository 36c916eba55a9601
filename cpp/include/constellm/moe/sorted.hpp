#pragma once
#include <optional>
#include <span>

#include "constellm/moe/problem.hpp"

namespace constellm::moe {

/// These layers one after the other, of each the heaviest expert on the satellite of the least mean latency
/// that is left: optimal for one slot and layers that share no satellites. [these layers][experts]; none
/// where a layer finds too few satellites.
std::optional<Placement> sorted_placement(const Problem& problem, std::span<const std::size_t> layers);

}  // namespace constellm::moe
