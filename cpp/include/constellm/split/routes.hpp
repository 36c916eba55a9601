#pragma once
#include <cstdint>
#include <vector>

#include "constellm/split/problem.hpp"

namespace constellm::split {

/// The simple paths from source to sink as walks over vertices, each a visit of a node.
///
/// A node whose visits differ in which nodes can still come becomes several vertices; visits
/// after which the same nodes can come are one. Where that stays small (chains, rings, trees,
/// graphs without cycles, small graphs of any kind), every walk over the vertices is a simple
/// path and a search need not remember where it has been. Else vertices are the nodes,
/// `acyclic` is false, and the search must.
struct Routes {
  bool acyclic = true;
  std::vector<std::int32_t> node;       ///< [vertices]; the first is the source
  std::vector<std::int32_t> arc_begin;  ///< [vertices + 1]
  std::vector<std::int32_t> arc_to;     ///< [arcs] vertex
  std::vector<std::int32_t> arc_link;   ///< [arcs] link of the network
  std::int32_t sink = 0;                ///< vertex; the last one when acyclic
};

/// Routes has no vertex at all when no path leads from source to sink.
Routes find_routes(const Problem& problem, std::int32_t most_vertices);

}  // namespace constellm::split
