#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"

namespace constellm::flow {

/// Directed arcs of whole capacities. [arcs] each
struct Arcs {
  std::vector<std::int32_t> from;
  std::vector<std::int32_t> to;
  std::vector<std::int64_t> capacity;

  [[nodiscard]] std::size_t size() const { return from.size(); }
  void add(std::int32_t tail, std::int32_t head, std::int64_t most) {
    from.push_back(tail);
    to.push_back(head);
    capacity.push_back(most);
  }
};

/// Capacities may add up to less than this.
inline constexpr std::int64_t kMostCapacity = std::int64_t{1} << 62;

struct MaximumFlow {
  std::int64_t value = 0;
  std::vector<std::int64_t> flow;            ///< [arcs]
  std::vector<std::uint8_t> on_source_side;  ///< [nodes] of a minimum cut, the largest such side
};

/// The most that can flow from `source` to `target`, an amount on every arc, without circulations, and a
/// minimum cut. Throws core::InvalidInput that names the arc, and core::Stopped when told to stop.
MaximumFlow maximum_flow(const Arcs& arcs, std::int32_t source, std::int32_t target, core::StopToken& stop);

}  // namespace constellm::flow
