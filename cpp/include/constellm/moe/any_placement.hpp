#pragma once
#include <optional>
#include <span>

#include "constellm/moe/problem.hpp"

namespace constellm::moe {

/// A satellite of its own for every expert of these layers, whatever it costs; none where there is not. By
/// augmenting paths. [these layers][experts]
std::optional<Placement> any_placement(const Problem& problem, std::span<const std::size_t> layers);

}  // namespace constellm::moe
