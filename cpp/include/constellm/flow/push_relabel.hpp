#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/flow/maximum_flow.hpp"

namespace constellm::flow {

/// Maximum flow by push-relabel, first in, first out, with global relabelling and gaps (Cherkassky &
/// Goldberg, On implementing the push-relabel method for the maximum flow problem, Algorithmica 19, 1997).
/// The first phase ends with a minimum cut; the second sends back what cannot arrive, for those who want the
/// flow. What leaves the source adds up to less than 2^62; nothing is checked.
class PushRelabel {
 public:
  PushRelabel(std::int32_t nodes, const Arcs& arcs, std::int32_t source, std::int32_t target);

  /// Before the first phase: lets so much flow on an arc, no more than its capacity. Nodes may give away what
  /// they have not got, but for the source.
  void set_flow(std::size_t arc, std::int64_t units);
  /// Before the first phase: what a node has got more than it gives away.
  [[nodiscard]] std::int64_t excess(std::int32_t node) const {
    return excess_[static_cast<std::size_t>(node)];
  }
  /// After `set_flow`: nodes that gave away more than they had are lent it. How much in all.
  std::int64_t lend();

  /// First phase; the value of a maximum flow. Throws core::Stopped.
  std::int64_t find_value(core::StopToken& stop);
  /// Whether a node cannot reach the target any more. [nodes]
  [[nodiscard]] std::vector<std::uint8_t> on_source_side() const;

  /// Second phase, after the first: makes the preflow a flow without circulations.
  void find_flow();
  /// On an arc, after the second phase.
  [[nodiscard]] std::int64_t flow(std::size_t arc) const {
    return halves_[static_cast<std::size_t>(halves_[static_cast<std::size_t>(place_[arc])].twin)].left;
  }

 private:
  /// An arc has two: its own, and the one back, on which may flow what flows on it.
  struct Half {
    std::int32_t head;
    std::int32_t twin;
    std::int64_t left;  ///< what may still flow
  };

  void relabel_all();
  void discharge(std::int32_t node);
  void relabel(std::int32_t node);
  void close_gap(std::int32_t empty);
  void enter_level(std::int32_t node);
  void leave_level(std::int32_t node);
  void activate(std::int32_t node);
  [[nodiscard]] bool carries_back(std::size_t half) const {
    return is_own_[half] == 0 && halves_[half].left > 0;
  }
  void cancel_cycle(std::int32_t node, const std::vector<std::int32_t>& path);
  void return_excess(const std::vector<std::int32_t>& finished);

  std::int32_t nodes_;
  std::int32_t source_;
  std::int32_t target_;
  std::vector<std::int32_t> begin_;  // [nodes + 1] of the halves that leave a node
  std::vector<Half> halves_;
  std::vector<std::uint8_t> is_own_;   // [halves] not the way back
  std::vector<std::int32_t> place_;    // [arcs] of its own half
  std::vector<std::int64_t> excess_;   // [nodes]
  std::vector<std::int32_t> label_;    // [nodes] no more than the hops to the target; nodes_: out of reach
  std::vector<std::int32_t> current_;  // [nodes] the half to try next
  std::vector<std::int32_t> level_;    // [nodes + 1] first node of a label, -1: none
  std::vector<std::int32_t> after_;    // [nodes] of the same label
  std::vector<std::int32_t> before_;
  std::vector<std::int32_t> queue_;  // a ring of active nodes
  std::size_t queue_head_ = 0;
  std::size_t queued_ = 0;
  std::vector<std::uint8_t> is_queued_;
  std::int32_t highest_ = 0;  // no label below `nodes_` is above
  std::int64_t work_ = 0;     // since the last global relabelling
};

}  // namespace constellm::flow
