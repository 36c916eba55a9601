#pragma once
#include <cstdint>
#include <vector>

#include "constellm/split/problem.hpp"

namespace constellm::split {

/// How many routes a rule that is stated for a chain is tried on.
inline constexpr std::size_t kMostRoutes = 256;

/// Simple paths from source to sink, fewest hops first, at most kMostRoutes.
std::vector<std::vector<std::int32_t>> shortest_routes(const Problem& problem);

}  // namespace constellm::split
