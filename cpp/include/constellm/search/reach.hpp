#pragma once
#include <vector>

#include "constellm/core/index.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/search/graph.hpp"

namespace constellm::search {

/// Where walks can be at all when no stage or hop may be longer than `cap_s`: how far a stage
/// reaches, and the range of levels on arrival at and departure from every vertex. Looks at
/// the units' own times only, so it never excludes a walk that keeps the cap.
struct Reach {
  double cap_s = kInfinity;
  std::vector<std::int32_t> furthest;   ///< [nodes * (levels + 1)]
  std::vector<std::int32_t> arrive_lo;  ///< [vertices]; lo > hi: no walk comes here
  std::vector<std::int32_t> arrive_hi;
  std::vector<std::int32_t> leave_lo;
  std::vector<std::int32_t> leave_hi;

  /// Once `stop` says so, stages reach as far as the graph itself lets them.
  void set(const LayeredGraph& graph, double cap, core::StopToken& stop);
  [[nodiscard]] bool arrives(std::int32_t vertex, std::int32_t level) const {
    return arrive_lo[core::z(vertex)] <= level && level <= arrive_hi[core::z(vertex)];
  }
  [[nodiscard]] bool leaves(std::int32_t vertex, std::int32_t level) const {
    return leave_lo[core::z(vertex)] <= level && level <= leave_hi[core::z(vertex)];
  }

 private:
  void set_stages(const LayeredGraph& graph, core::StopToken& stop);
  void set_levels(const LayeredGraph& graph);
};

}  // namespace constellm::search
