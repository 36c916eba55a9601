#include "constellm/network/routing.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/core/parallel.hpp"

namespace constellm::network {
using core::z;

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

std::optional<ShortestPaths> shortest_paths(const Topology& topology, std::span<const double> weight,
                                            std::span<const std::int32_t> sources, int threads,
                                            core::StopToken& stop) {
  const std::size_t nodes = topology.out.nodes();
  if (weight.size() != topology.from.size()) {
    throw core::InvalidInput("weight: " + std::to_string(weight.size()) + " entries for " +
                             std::to_string(topology.from.size()) + " links");
  }
  for (std::size_t l = 0; l < weight.size(); ++l) {
    if (!(weight[l] >= 0.0))
      core::throw_out_of_range("weight[" + std::to_string(l) + "]", weight[l], "[0, inf]");
  }
  for (std::size_t s = 0; s < sources.size(); ++s) {
    if (sources[s] < 0 || z(sources[s]) >= nodes) {
      throw core::InvalidInput("sources[" + std::to_string(s) + "]: " + std::to_string(sources[s]) +
                               " is not in [0, " + std::to_string(nodes) + ")");
    }
  }
  ShortestPaths paths;
  paths.cost.resize(sources.size() * nodes);
  paths.link.resize(sources.size() * nodes);
  const auto worker = [&] {
    return [&, tree = PathTree{}](std::size_t s) mutable {
      shortest_tree(topology.out, weight, sources[s], tree);
      std::copy(tree.cost.begin(), tree.cost.end(), paths.cost.data() + s * nodes);
      std::copy(tree.link.begin(), tree.link.end(), paths.link.data() + s * nodes);
    };
  };
  // Below this a thread takes longer to start than it saves.
  constexpr std::size_t kLinksWorthAThread = 100'000;
  const std::size_t worth = sources.size() * (weight.size() + nodes) / kLinksWorthAThread + 1;
  const int used =
      static_cast<int>(std::min<std::size_t>(worth, static_cast<std::size_t>(std::max(threads, 1))));
  const auto interrupted = [&] { return stop.should_stop(weight.size() + nodes); };
  if (!core::parallel_for(sources.size(), used, worker, interrupted)) return std::nullopt;
  return paths;
}

std::vector<std::int32_t> path_to(const Topology& topology, std::span<const std::int32_t> link,
                                  std::int32_t target) {
  std::vector<std::int32_t> path{target};
  while (link[z(path.back())] != kNoLink) path.push_back(topology.from[z(link[z(path.back())])]);
  std::reverse(path.begin(), path.end());
  return path;
}

PathTree shortest_tree(const Rows& rows, std::span<const double> weight, std::int32_t start) {
  PathTree tree;
  shortest_tree(rows, weight, start, tree);
  return tree;
}

}  // namespace constellm::network
