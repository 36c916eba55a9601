#include "constellm/network/least_costs.hpp"

#include <algorithm>
#include <limits>

#include "constellm/core/index.hpp"
#include "least_costs_avx2.hpp"

namespace constellm::network {
using core::z;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
}  // namespace

/// Costs fall from infinity until no link makes one less. Sums are rounded, but rounding keeps the order of
/// two costs that a link is added to, so that what is left is the least over all ways, each summed from its
/// start on: what Dijkstra's algorithm finds. Sixteen starts next to each other reach far nodes by much the
/// same ways, and are taken along together.
void LeastCosts::from(std::span<const std::int32_t> starts, const Ways& ways) {
#if CONSTELLM_HAS_AVX2_CODE
  if (core::has_avx2()) {
    put_in_order(starts, ways.rows());
    put_links(ways);
    leave(starts, ways);
    sweep_avx2({.begin = begin_.data(), .arcs = arcs_.data(), .cost = cost_.data(), .waiting = waiting_});
    return;
  }
#endif
  by_trees(starts, ways);
}

void LeastCosts::by_trees(std::span<const std::int32_t> starts, const Ways& ways) {
  const std::size_t nodes = ways.rows().nodes();
  cost_.resize(nodes);
  place_.resize(nodes);
  for (std::size_t v = 0; v < nodes; ++v) place_[v] = static_cast<std::int32_t>(v);
  for (std::size_t k = 0; k < starts.size(); ++k) {
    const PathTree& tree = trees_.from(starts[k], ways);
    for (std::size_t v = 0; v < nodes; ++v) cost_[v].from[k] = tree.cost[v];
  }
}

/// By hops from the start in the middle, so that most ways lead up the order; then from what it does not
/// reach.
void LeastCosts::put_in_order(std::span<const std::int32_t> starts, const Rows& rows) {
  const auto nodes = static_cast<std::int32_t>(rows.nodes());
  order_.clear();
  place_.assign(rows.nodes(), -1);
  const auto append = [&](std::int32_t v) {
    if (place_[z(v)] >= 0) return;
    place_[z(v)] = static_cast<std::int32_t>(order_.size());
    order_.push_back(v);
  };
  std::size_t next = 0;
  const auto append_from = [&](std::int32_t first) {
    append(first);
    for (; next < order_.size(); ++next) {
      const std::int32_t v = order_[next];
      for (auto a = rows.begin[z(v)]; a < rows.begin[z(v) + 1]; ++a) append(rows.node[z(a)]);
    }
  };
  append_from(starts[starts.size() / 2]);
  for (std::int32_t v = 0; v < nodes; ++v) append_from(v);
}

/// Of nodes that pass on; the links of starts that do not are for these alone.
void LeastCosts::put_links(const Ways& ways) {
  const Rows& rows = ways.rows();
  begin_.assign(1, 0);
  arcs_.clear();
  for (const std::int32_t v : order_) {
    for (auto a = rows.begin[z(v)]; a < rows.begin[z(v) + 1] && ways.relays(v); ++a)
      arcs_.push_back({.weight = ways.weight(rows.link[z(a)]), .to = place_[z(rows.node[z(a)])]});
    begin_.push_back(static_cast<std::int32_t>(arcs_.size()));
  }
}

void LeastCosts::leave(std::span<const std::int32_t> starts, const Ways& ways) {
  const Rows& rows = ways.rows();
  Costs none;
  none.from.fill(kInfinity);
  cost_.assign(rows.nodes(), none);
  waiting_.assign((rows.nodes() + 63) / 64, 0);
  const auto put = [&](std::size_t start, std::int32_t v, double cost) {
    double& known = cost_[z(place_[z(v)])].from[start];
    known = std::min(known, cost);
    waiting_[z(place_[z(v)]) / 64] |= std::uint64_t{1} << (z(place_[z(v)]) % 64);
  };
  for (std::size_t k = 0; k < starts.size(); ++k) {
    const std::int32_t start = starts[k];
    put(k, start, 0.0);
    if (ways.relays(start)) continue;
    for (auto a = rows.begin[z(start)]; a < rows.begin[z(start) + 1]; ++a)
      put(k, rows.node[z(a)], ways.weight(rows.link[z(a)]));
  }
}

}  // namespace constellm::network
