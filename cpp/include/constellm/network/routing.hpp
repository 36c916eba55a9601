#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/network/graph.hpp"

namespace constellm::network {

inline constexpr std::int32_t kNoLink = -1;

/// The link from one node to another, or kNoLink.
std::int32_t link_between(const Topology& topology, std::int32_t from, std::int32_t to);

/// Hops from `start` along the rows, -1 where no way leads. With the rows turned around
/// (`topology.in`), the hops to it. [nodes]
std::vector<std::int32_t> hops(const Rows& rows, std::int32_t start);

/// A path of fewest hops, as nodes; of equals the one that leaves each node by its earliest link.
/// Empty where there is none.
std::vector<std::int32_t> fewest_hops(const Topology& topology, std::int32_t from, std::int32_t to);

/// Least costs from one node along rows, and how to get there.
struct PathTree {
  std::vector<double> cost;        ///< [nodes]; infinite where no way leads
  std::vector<std::int32_t> hops;  ///< [nodes]; of the path, -1 where there is none
  std::vector<std::int32_t>
      link;  ///< [nodes] the path's last link; kNoLink at the start, or where there is none
  std::vector<std::int32_t> before;  ///< [nodes] the path's node before; -1 likewise
  std::vector<std::int32_t> order;   ///< nodes reached, nearest first: each after the one before it
};

/// Dijkstra's algorithm (Dijkstra 1959) with a binary heap. `weight` [links] is at least 0; an infinite one
/// closes its link. Of paths of equal cost the one with fewest hops counts, then the one whose last
/// link comes first, so that the tree depends on nothing else.
PathTree shortest_tree(const Rows& rows, std::span<const double> weight, std::int32_t start);

/// The same into `tree`, whose memory is used again.
void shortest_tree(const Rows& rows, std::span<const double> weight, std::int32_t start, PathTree& tree);

/// The trees from many sources as tables.
struct ShortestPaths {
  std::vector<double> cost;        ///< [sources, nodes]
  std::vector<std::int32_t> link;  ///< [sources, nodes]
};

/// One tree along the links for each source, each a task for up to `threads` threads. `stop` is asked
/// after each tree of the calling thread; no value when it said so. Throws core::InvalidInput for a
/// negative weight, weights for another number of links, and a source that is no node.
std::optional<ShortestPaths> shortest_paths(const Topology& topology, std::span<const double> weight,
                                            std::span<const std::int32_t> sources, int threads,
                                            core::StopToken& stop);

/// The nodes of the path to `target` in a tree along the links, from its source on: `link` [nodes] is the
/// tree's. Where no way leads it is the target alone.
std::vector<std::int32_t> path_to(const Topology& topology, std::span<const std::int32_t> link,
                                  std::int32_t target);

}  // namespace constellm::network
