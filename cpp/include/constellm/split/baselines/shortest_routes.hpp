#pragma once
#include <cstdint>
#include <vector>

#include "constellm/network/network.hpp"

namespace constellm::split {

/// How many routes a rule that is stated for a chain is tried on.
inline constexpr std::size_t kMostRoutes = 256;

/// Fewest hops to `target` from every node, or -1. [nodes]
std::vector<std::int32_t> hops_to(const network::Topology& topology, std::int32_t target);

/// Simple paths from source to sink, fewest hops first, at most kMostRoutes.
std::vector<std::vector<std::int32_t>> shortest_routes(const network::Topology& topology);

/// A path with the fewest hops; empty where there is none.
std::vector<std::int32_t> shortest_route(const network::Topology& topology, std::int32_t from,
                                         std::int32_t to);

}  // namespace constellm::split
