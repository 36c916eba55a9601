#include "constellm/network/routing.hpp"

#include <algorithm>
#include <tuple>

#include "constellm/core/index.hpp"

namespace constellm::network {
namespace {

using core::z;

}  // namespace

std::int32_t link_between(const Topology& topology, std::int32_t from, std::int32_t to) {
  const Rows& out = topology.out;
  for (auto a = out.begin[z(from)]; a < out.begin[z(from) + 1]; ++a) {
    if (out.node[z(a)] == to) return out.link[z(a)];
  }
  return kNoLink;
}

std::vector<std::int32_t> hops(const Rows& rows, std::int32_t start) {
  std::vector<std::int32_t> hops(rows.nodes(), -1);
  std::vector<std::int32_t> queue{start};
  hops[z(start)] = 0;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const std::int32_t v = queue[i];
    for (auto a = rows.begin[z(v)]; a < rows.begin[z(v) + 1]; ++a) {
      const std::int32_t w = rows.node[z(a)];
      if (hops[z(w)] >= 0) continue;
      hops[z(w)] = hops[z(v)] + 1;
      queue.push_back(w);
    }
  }
  return hops;
}

std::vector<std::int32_t> fewest_hops(const Topology& topology, std::int32_t from, std::int32_t to) {
  const std::vector<std::int32_t> left = hops(topology.in, to);
  if (left[z(from)] < 0) return {};
  std::vector<std::int32_t> path{from};
  while (path.back() != to) {
    const std::int32_t v = path.back();
    const auto row = topology.out.node.begin();
    path.push_back(*std::find_if(row + topology.out.begin[z(v)], row + topology.out.begin[z(v) + 1],
                                 [&](std::int32_t w) { return left[z(w)] == left[z(v)] - 1; }));
  }
  return path;
}

void shortest_tree(const Rows& rows, std::span<const double> weight, std::int32_t start, PathTree& tree) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  tree.cost.assign(rows.nodes(), kInfinity);
  tree.hops.assign(rows.nodes(), -1);
  tree.link.assign(rows.nodes(), kNoLink);
  tree.before.assign(rows.nodes(), -1);
  tree.order.clear();
  struct Entry {
    double cost;
    std::int32_t hops;
    std::int32_t node;
  };
  const auto later = [](const Entry& a, const Entry& b) {
    return std::tie(a.cost, a.hops, a.node) > std::tie(b.cost, b.hops, b.node);
  };
  std::vector<Entry> open{{0.0, 0, start}};
  tree.cost[z(start)] = 0.0;
  tree.hops[z(start)] = 0;
  while (!open.empty()) {
    std::pop_heap(open.begin(), open.end(), later);
    const Entry entry = open.back();
    open.pop_back();
    const std::int32_t v = entry.node;
    if (entry.cost != tree.cost[z(v)] || entry.hops != tree.hops[z(v)])
      continue;  // a better one came after it
    tree.order.push_back(v);
    for (auto a = rows.begin[z(v)]; a < rows.begin[z(v) + 1]; ++a) {
      const std::int32_t w = rows.node[z(a)];
      const std::int32_t link = rows.link[z(a)];
      const double cost = entry.cost + weight[z(link)];
      const std::int32_t hop_count = entry.hops + 1;
      if (!(cost <= tree.cost[z(w)]) || cost == kInfinity) continue;
      if (cost == tree.cost[z(w)]) {
        if (hop_count > tree.hops[z(w)]) continue;
        if (hop_count == tree.hops[z(w)]) {
          if (link < tree.link[z(w)]) {
            tree.link[z(w)] = link;
            tree.before[z(w)] = v;
          }
          continue;
        }
      }
      tree.cost[z(w)] = cost;
      tree.hops[z(w)] = hop_count;
      tree.link[z(w)] = link;
      tree.before[z(w)] = v;
      open.push_back({cost, hop_count, w});
      std::push_heap(open.begin(), open.end(), later);
    }
  }
}

PathTree shortest_tree(const Rows& rows, std::span<const double> weight, std::int32_t start) {
  PathTree tree;
  shortest_tree(rows, weight, start, tree);
  return tree;
}

}  // namespace constellm::network
