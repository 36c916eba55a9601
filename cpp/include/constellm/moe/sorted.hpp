#pragma once
#include <optional>
#include <span>

#include "constellm/moe/problem.hpp"

namespace constellm::moe {

/// These layers one after the other, of each the heaviest expert on the satellite of the least mean latency
/// that is left: optimal for one slot and layers that share no satellites. [these layers][experts]; none
/// where a layer finds too few satellites.
std::optional<Placement> sorted_placement(const Problem& problem, std::span<const std::size_t> layers);

/// Of each satellite the mean over the slots; 0 for those that are not usable.
std::vector<double> means_s(const Problem& problem, const Layer& layer);

/// What the layer costs at least, by the theorem on the means over the slots: the mean of the slowest is no
/// less than the slowest of the means (Jensen).
double mean_bound_s(const Problem& problem, const Layer& layer);

}  // namespace constellm::moe
