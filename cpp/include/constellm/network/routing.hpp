#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/network/graph.hpp"
#include "constellm/network/timeline.hpp"

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

/// What a search goes along: rows, what their links cost, and who passes on.
class Ways {
 public:
  /// `weight` [links] is at least 0; an infinite one closes its link. `relays` [nodes] is 0 for nodes that
  /// only begin or end a path; empty: all pass on. They outlive the ways.
  Ways(const Rows& rows, std::span<const double> weight, std::span<const std::uint8_t> relays = {});

  [[nodiscard]] const Rows& rows() const { return *rows_; }
  [[nodiscard]] double weight(std::int32_t link) const { return weight_[static_cast<std::size_t>(link)]; }
  [[nodiscard]] bool relays(std::int32_t node) const {
    return relays_.empty() || relays_[static_cast<std::size_t>(node)] != 0;
  }
  /// Of the finite weights; inf and 0 where there is none.
  [[nodiscard]] double shortest() const { return shortest_; }
  [[nodiscard]] double longest() const { return longest_; }

 private:
  const Rows* rows_;
  std::span<const double> weight_;
  std::span<const std::uint8_t> relays_;
  double shortest_ = std::numeric_limits<double>::infinity();
  double longest_ = 0.0;
};

/// Least costs from one node along rows, and how to get there.
struct PathTree {
  std::vector<double> cost;        ///< [nodes]; infinite where no way leads
  std::vector<std::int32_t> hops;  ///< [nodes]; of the path, -1 where there is none
  std::vector<std::int32_t>
      link;  ///< [nodes] the path's last link; kNoLink at the start, or where there is none
  std::vector<std::int32_t> before;  ///< [nodes] the path's node before; -1 likewise
  std::vector<std::int32_t> order;   ///< nodes reached, each after the one before it
};

/// Trees one after the other, whose memory is used again.
class TreeSearch {
 public:
  /// Dijkstra's algorithm (Dijkstra 1959). Of paths of equal cost the one with fewest hops counts, then the
  /// one whose last link comes first, so that the tree depends on nothing else. Good until the next call.
  const PathTree& from(std::int32_t start, const Ways& ways);

 private:
  struct Waiting {
    double cost;
    std::int32_t hops;
    std::int32_t node;
  };
  struct Offer {
    double cost;
    std::int32_t node;
    std::int32_t before;
    std::int32_t link;
  };
  void by_waves(std::int32_t start, const Ways& ways);
  void by_heap(std::int32_t start, const Ways& ways);
  void put(const Offer& offer);
  /// Puts what makes the tree better; whether its node is reached at less cost, or in fewer hops.
  bool take(const Offer& offer);

  PathTree tree_;
  std::vector<std::vector<Waiting>> buckets_;
  std::vector<Offer> offers_;
  std::vector<Waiting> heap_;
};

/// One tree, as TreeSearch finds it.
PathTree shortest_tree(const Rows& rows, std::span<const double> weight, std::int32_t start);

/// The trees from many sources as tables.
struct ShortestPaths {
  std::vector<double> cost;        ///< [sources, nodes]
  std::vector<std::int32_t> link;  ///< [sources, nodes]
};

/// One tree along the links for each source, each a task for up to `threads` threads; `relays` as in Ways.
/// Throws core::InvalidInput for a negative weight, weights for another number of links, and a source that is
/// no node; and core::Stopped, for which `stop` is asked after each tree of the calling thread.
ShortestPaths shortest_paths(const Topology& topology, std::span<const double> weight,
                             std::span<const std::int32_t> sources, std::span<const std::uint8_t> relays,
                             int threads, core::StopToken& stop);

/// Tables of least latencies between nodes at times, to be filled. [times, sources, targets] each
struct Latencies {
  std::span<double> latency_s;   ///< infinite where no way leads
  std::span<std::int32_t> hops;  ///< of the path; -1 where there is none

  /// What a tree says of the targets, from cell `first` on.
  void put(const PathTree& tree, std::span<const std::int32_t> targets, std::size_t first) const {
    for (std::size_t t = 0; t < targets.size(); ++t) {
      latency_s[first + t] = tree.cost[static_cast<std::size_t>(targets[t])];
      hops[first + t] = tree.hops[static_cast<std::size_t>(targets[t])];
    }
  }
};

/// Fills the table of a timeline's snapshots with the latencies over their links' `latency_s`; each tree is a
/// task. Throws core::InvalidInput for a source or target that is no node, and core::Stopped.
void latencies(const Timeline& timeline, std::span<const std::int32_t> sources,
               std::span<const std::int32_t> targets, std::span<const std::uint8_t> relays,
               const Latencies& table, int threads, core::StopToken& stop);

/// Throws core::InvalidInput for a position that is none of `nodes`; names it as one of `list`.
void check_positions(std::string_view list, std::span<const std::int32_t> positions, std::size_t nodes);

/// The nodes of the path to `target`, from the tree's start on. Where no way leads it is the target alone.
std::vector<std::int32_t> path_to(const PathTree& tree, std::int32_t target);

}  // namespace constellm::network
