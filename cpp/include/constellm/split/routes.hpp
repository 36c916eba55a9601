#pragma once
#include <cstdint>
#include <vector>

#include "constellm/split/problem.hpp"

namespace constellm::split {

/// The simple paths from source to sink as walks over positions, each a visit of a node.
///
/// A node whose visits differ in which nodes can still come becomes several positions; visits
/// after which the same nodes can come are one. Where that stays small (chains, rings, trees,
/// graphs without cycles, small graphs of any kind), every walk over the positions is a simple
/// path and a search need not remember where it has been. Else positions are the nodes,
/// `acyclic` is false, and the search must.
struct Routes {
  bool acyclic = true;
  std::vector<std::int32_t> node;       ///< [positions]; the first is the source
  std::vector<std::int32_t> arc_begin;  ///< [positions + 1]
  std::vector<std::int32_t> arc_to;     ///< [arcs] position
  std::vector<std::int32_t> arc_link;   ///< [arcs] link of the network
  std::int32_t sink = 0;                ///< position; the last one when acyclic
};

/// Routes has no position at all when no path leads from source to sink.
Routes find_routes(const Problem& problem, std::int32_t most_positions);

/// The part of routes with cycles whose arcs lead away from the source and towards the sink
/// (hops from the one minus hops to the other grow): without cycles, and with every shortest
/// route. Good plans are found in it quickly.
Routes forward_part(const Routes& routes);

}  // namespace constellm::split
