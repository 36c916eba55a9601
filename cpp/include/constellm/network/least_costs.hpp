#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/network/routing.hpp"

namespace constellm::network {

/// Least costs from several nodes at once, without paths; searches one after the other use memory again.
class LeastCosts {
 public:
  static constexpr std::size_t kTogether = 16;

  /// From at most kTogether nodes along the ways, as TreeSearch finds them to the last bit; fastest where the
  /// nodes are near each other. Good until the next call, and `ways` with it.
  void from(std::span<const std::int32_t> starts, const Ways& ways);

  /// From `starts[start]` to a node; infinite where no way leads.
  [[nodiscard]] double cost(std::size_t start, std::int32_t node) const {
    return cost_[static_cast<std::size_t>(place_[static_cast<std::size_t>(node)])].from[start];
  }

  /// Costs of one place, in lines of the cache of their own.
  struct alignas(64) Costs {
    std::array<double, kTogether> from;  ///< by start
  };

  /// A link from a place, to another.
  struct Arc {
    double weight;
    std::int32_t to;
  };

 private:
  void by_trees(std::span<const std::int32_t> starts, const Ways& ways);
  void put_in_order(std::span<const std::int32_t> starts, const Rows& rows);
  void put_links(const Ways& ways);
  void leave(std::span<const std::int32_t> starts, const Ways& ways);

  TreeSearch trees_;
  std::vector<std::int32_t> order_;  ///< nodes by place
  std::vector<std::int32_t> place_;  ///< [nodes]
  std::vector<std::int32_t> begin_;  ///< [nodes + 1] of a place's links
  std::vector<Arc> arcs_;
  std::vector<Costs> cost_;             ///< by place
  std::vector<std::uint64_t> waiting_;  ///< a bit for each place
};

}  // namespace constellm::network
