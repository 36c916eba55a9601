#pragma once
#include <vector>

#include "constellm/search/graph.hpp"

namespace constellm::search {

/// Where walks can be at all when no stage or hop may be longer than `cap_s`: how far a stage
/// reaches, and the range of levels on arrival at and departure from every position. Looks at
/// the units' own times only, so it never excludes a walk that keeps the cap.
struct Window {
  double cap_s = kInfinity;
  std::vector<std::int32_t> reach;      ///< [sites * (levels + 1)]
  std::vector<std::int32_t> arrive_lo;  ///< [positions]; lo > hi: no walk comes here
  std::vector<std::int32_t> arrive_hi;
  std::vector<std::int32_t> leave_lo;
  std::vector<std::int32_t> leave_hi;

  void set(const LayeredGraph& graph, double cap);
  [[nodiscard]] bool arrives(std::int32_t position, std::int32_t level) const {
    const auto p = static_cast<std::size_t>(position);
    return arrive_lo[p] <= level && level <= arrive_hi[p];
  }
  [[nodiscard]] bool leaves(std::int32_t position, std::int32_t level) const {
    const auto p = static_cast<std::size_t>(position);
    return leave_lo[p] <= level && level <= leave_hi[p];
  }
};

}  // namespace constellm::search
