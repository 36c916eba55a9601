#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "constellm/search/context.hpp"

namespace constellm::search {

/// Looks for promising simple paths of a graph with cycles, where the walks of the backward passes
/// repeat nodes: under several caps on the bottleneck, nodes that the traced walk visits more than
/// once get dearer from pass to pass until it visits none twice, as congested wires do in routers of
/// circuits (McMurchie and Ebeling, PathFinder, 1995). Calls `found` with each path, as vertices;
/// it may use the workspace. Every trace is offered as well. Proves nothing.
void simple_paths(const Context& context,
                  const std::function<void(const std::vector<std::int32_t>& vertices)>& found);

}  // namespace constellm::search
