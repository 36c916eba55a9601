#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "constellm/core/index.hpp"

namespace constellm::search {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Work of `levels` units in a fixed order is done along a walk over vertices. At a vertex a
/// walk may do some units (a stage), then makes one of `choices` of how the intermediate result
/// crosses the next arcs (hops); before level 0 and after the last level there is one choice only.
/// Vertices without a stage pass on what they got.
///
/// A walk ends at `sink` with all work done. Its bottleneck is the longest stage or hop. If
/// `acyclic`, arcs lead from lower to higher vertices and every walk is simple; else no node may
/// be visited twice. Several vertices may stand for one node of the network.
struct LayeredGraph {
  std::int32_t levels = 0;  ///< units of work
  std::int32_t choices = 0;
  std::int32_t stride = 0;  ///< choices rounded up to whole SIMD registers
  bool acyclic = true;
  std::int32_t source = 0;              ///< vertex
  std::int32_t sink = 0;                ///< vertex
  std::vector<std::int32_t> node;       ///< [vertices] that a vertex stands for
  std::vector<std::int32_t> arc_begin;  ///< [vertices + 1]
  std::vector<std::int32_t> arc_to;     ///< [arcs] vertex
  std::vector<std::int32_t> arc_row;    ///< [arcs] row of `hop_s`; arcs of equal times share it

  std::vector<std::uint8_t> can_host;  ///< [nodes]
  std::vector<std::uint8_t>
      allowed;  ///< [nodes * levels] whether a node may do a unit; empty: every host may
  std::vector<double> stage_fixed_s;  ///< [nodes] per stage
  /// [nodes * (levels + 1)] prefix sums of the units' times, and what rounding took from them; use
  /// `work`.
  std::vector<double> work_s;
  std::vector<double> work_low_s;
  /// [nodes] the sums are so much larger than a good walk's cost (units that a node can hardly do)
  /// that their differences are no guide once more is added to them.
  std::vector<std::uint8_t> coarse;
  std::vector<std::int32_t> furthest;  ///< [nodes * (levels + 1)] furthest level of a stage begun at a level
  std::vector<double> choice_scale;    ///< [nodes] multiplies enter_s and leave_s
  std::vector<double> enter_s;         ///< [(levels + 1) * stride] to begin a stage from a choice
  std::vector<double> leave_s;         ///< [(levels + 1) * stride] to end a stage in a choice
  std::vector<double> amount;          ///< [(levels + 1) * stride] what crosses a hop
  /// [rows of hops * (levels + 1) * stride] time of a hop; infinite where there is no such choice
  std::vector<double> hop_s;

  [[nodiscard]] std::int32_t vertices() const { return static_cast<std::int32_t>(node.size()); }
  [[nodiscard]] std::int32_t nodes() const { return static_cast<std::int32_t>(can_host.size()); }
  [[nodiscard]] std::size_t rows() const { return core::z(levels) + 1; }
  /// Offset of (vertex, node, arc or row of hops; level) in a table of `levels + 1` numbers each.
  [[nodiscard]] std::size_t at(std::int32_t row, std::int32_t level) const {
    return core::z(row) * rows() + core::z(level);
  }
  /// The same in a table with `stride` numbers for every level.
  [[nodiscard]] std::size_t at(std::int32_t row, std::int32_t level, std::int32_t choice) const {
    return at(row, level) * core::z(stride) + core::z(choice);
  }
  /// Seconds of units [first, last) at a node.
  [[nodiscard]] double work_time_s(std::int32_t at_node, std::int32_t first, std::int32_t last) const {
    return (work_s[at(at_node, last)] - work_s[at(at_node, first)]) +
           (work_low_s[at(at_node, last)] - work_low_s[at(at_node, first)]);
  }
  /// Seconds to begin a stage at a node with what came in a choice.
  [[nodiscard]] double enter_time_s(std::int32_t at_node, std::int32_t level, std::int32_t choice) const {
    return choice_scale[core::z(at_node)] * enter_s[at(0, level, choice)];
  }
  /// Seconds to end a stage at a node in a choice, before the last level.
  [[nodiscard]] double leave_time_s(std::int32_t at_node, std::int32_t level, std::int32_t choice) const {
    return choice_scale[core::z(at_node)] * leave_s[at(0, level, choice)];
  }
  [[nodiscard]] double hop_time_s(std::int32_t arc, std::int32_t level, std::int32_t choice) const {
    return hop_s[at(arc_row[core::z(arc)], level, choice)];
  }
  [[nodiscard]] bool hosts(std::int32_t vertex) const {
    return can_host[core::z(node[core::z(vertex)])] != 0;
  }
  /// Whether a host may do a unit.
  [[nodiscard]] bool allows(std::int32_t at_node, std::int32_t unit) const {
    return allowed.empty() || allowed[core::z(at_node) * core::z(levels) + core::z(unit)] != 0;
  }
  /// How many choices there are with `level` units done.
  [[nodiscard]] std::int32_t choices_at(std::int32_t level) const {
    return level == 0 || level == levels ? 1 : choices;
  }
};

/// Units [first, last) at `vertex`, then a choice.
struct Stage {
  std::int32_t vertex = 0;
  std::int32_t first = 0;
  std::int32_t last = 0;
  std::int32_t choice = 0;
};

/// A way through the graph.
struct Walk {
  std::vector<std::int32_t> vertices;
  std::vector<Stage> stages;
};

}  // namespace constellm::search
