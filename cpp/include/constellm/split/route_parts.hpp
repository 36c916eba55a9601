#pragma once
#include <cstdint>
#include <vector>

#include "constellm/split/routes.hpp"

namespace constellm::split {

// Parts of routes with cycles, in which good plans are found quickly.

/// Arcs that lead away from the source and towards the sink (hops from the one minus hops to the
/// other grow): without cycles, and with every shortest route.
Routes forward_part(const Routes& routes);

/// The vertices of least detour (hops from the source plus hops to the sink), so many of them.
Routes core_part(const Routes& routes, std::size_t vertices);

/// The vertices of a simple path from source to sink, and all arcs from an earlier to a later one.
Routes along(const Routes& routes, const std::vector<std::int32_t>& path);

/// A simple path of fewest hops from source to sink, as vertices.
std::vector<std::int32_t> shortest_path(const Routes& routes);

/// The simple path with one of its arcs replaced by a way over vertices that it does not visit: the
/// shortest there is, of equals that whose vertices have the fewest unvisited ones beside them, so that
/// few are cut off; of those the first from the arc at `start` on, round the end. Empty if there is none.
std::vector<std::int32_t> lengthened(const Routes& routes, const std::vector<std::int32_t>& path,
                                     std::size_t start);

}  // namespace constellm::split
