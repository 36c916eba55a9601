#include "constellm/network/routing.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/core/parallel.hpp"

namespace constellm::network {
using core::z;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Longest link over shortest up to which trees are found by waves: so many buckets are looked at.
constexpr double kMostUnequal = 256.0;

/// Threads for so many trees of `tree` links and nodes each.
int threads_worth(std::size_t trees, std::size_t tree, int threads) {
  // Below this a thread takes longer to start than it saves.
  constexpr std::size_t kLinksWorthAThread = 100'000;
  const std::size_t worth = trees * tree / kLinksWorthAThread + 1;
  return static_cast<int>(std::min<std::size_t>(worth, static_cast<std::size_t>(std::max(threads, 1))));
}

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

Ways::Ways(const Rows& rows, std::span<const double> weight, std::span<const std::uint8_t> relays)
    : rows_(&rows), weight_(weight), relays_(relays) {
  for (const double each : weight) {
    if (each == kInfinity) continue;
    shortest_ = std::min(shortest_, each);
    longest_ = std::max(longest_, each);
  }
}

const PathTree& TreeSearch::from(std::int32_t start, const Ways& ways) {
  const std::size_t nodes = ways.rows().nodes();
  tree_.cost.assign(nodes, kInfinity);
  tree_.hops.assign(nodes, -1);
  tree_.link.assign(nodes, kNoLink);
  tree_.before.assign(nodes, -1);
  tree_.order.clear();
  tree_.cost[z(start)] = 0.0;
  tree_.hops[z(start)] = 0;
  const bool alike = ways.longest() <= kMostUnequal * ways.shortest();
  if (alike && ways.shortest() >= std::numeric_limits<double>::min())
    by_waves(start, ways);
  else
    by_heap(start, ways);
  return tree_;
}

void TreeSearch::put(const Offer& offer) {
  const std::size_t node = z(offer.node);
  tree_.cost[node] = offer.cost;
  tree_.hops[node] = tree_.hops[z(offer.before)] + 1;
  tree_.link[node] = offer.link;
  tree_.before[node] = offer.before;
}

bool TreeSearch::take(const Offer& offer) {
  const std::size_t node = z(offer.node);
  const std::int32_t fewer = tree_.hops[node] - (tree_.hops[z(offer.before)] + 1);
  const bool cheaper = offer.cost < tree_.cost[node];
  const bool ties = offer.cost == tree_.cost[node] && offer.cost < kInfinity;
  const bool better = cheaper || (ties && (fewer > 0 || (fewer == 0 && offer.link < tree_.link[node])));
  if (better) put(offer);
  return better && (cheaper || fewer > 0);
}

/// With buckets no wider than the shortest link nothing comes into the bucket that is next, so that all its
/// nodes are settled at once, in any order (Denardo and Fox 1979). What they offer is sifted first, without a
/// branch that the processor would guess wrong half of the time, and then taken.
void TreeSearch::by_waves(std::int32_t start, const Ways& ways) {
  const Rows& rows = ways.rows();
  // An eighth narrower than the shortest link: more than all rounding. The longest one spans so many of them.
  const double buckets_per_cost = 1.125 / ways.shortest();
  const std::size_t count = std::bit_ceil(static_cast<std::size_t>(ways.longest() * buckets_per_cost) + 3);
  const std::size_t mask = count - 1;
  if (buckets_.size() < count) buckets_.resize(count);
  offers_.resize(rows.node.size() + 1);
  // Plain pointers in the loops: the compiler cannot know that what they write moves none of the arrays.
  double* const cost = tree_.cost.data();
  const std::int32_t* const node = rows.node.data();
  const std::int32_t* const link = rows.link.data();
  Offer* const offers = offers_.data();
  buckets_[0].push_back({.cost = 0.0, .hops = 0, .node = start});
  std::size_t waiting = 1;
  for (std::size_t now = 0; waiting > 0; now = (now + 1) & mask) {
    std::vector<Waiting>& bucket = buckets_[now];
    waiting -= bucket.size();
    Offer* end = offers;
    for (const Waiting& one : bucket) {
      const std::int32_t v = one.node;
      if (one.cost != cost[v]) continue;  // a better one came after it
      tree_.order.push_back(v);
      if (v != start && !ways.relays(v)) continue;
      for (auto a = rows.begin[z(v)]; a < rows.begin[z(v) + 1]; ++a) {
        *end = {.cost = one.cost + ways.weight(link[a]), .node = node[a], .before = v, .link = link[a]};
        end += end->cost <= cost[end->node] ? 1 : 0;
      }
    }
    bucket.clear();
    for (const Offer* offer = offers; offer < end; ++offer) {
      if (!(offer->cost < cost[offer->node])) {
        take(*offer);  // as a tie; its node waits already
        continue;
      }
      put(*offer);
      const auto number = static_cast<std::int64_t>(offer->cost * buckets_per_cost);
      buckets_[static_cast<std::size_t>(number) & mask].push_back(
          {.cost = offer->cost, .hops = 0, .node = offer->node});
      ++waiting;
    }
  }
}

void TreeSearch::by_heap(std::int32_t start, const Ways& ways) {
  const Rows& rows = ways.rows();
  const auto later = [](const Waiting& a, const Waiting& b) {
    return std::tie(a.cost, a.hops, a.node) > std::tie(b.cost, b.hops, b.node);
  };
  heap_.assign(1, {.cost = 0.0, .hops = 0, .node = start});
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Waiting one = heap_.back();
    heap_.pop_back();
    const std::int32_t v = one.node;
    if (one.cost != tree_.cost[z(v)] || one.hops != tree_.hops[z(v)]) continue;  // a better one came after it
    tree_.order.push_back(v);
    if (v != start && !ways.relays(v)) continue;
    for (auto a = rows.begin[z(v)]; a < rows.begin[z(v) + 1]; ++a) {
      const std::int32_t w = rows.node[z(a)];
      const std::int32_t link = rows.link[z(a)];
      const double cost = one.cost + ways.weight(link);
      if (!take({.cost = cost, .node = w, .before = v, .link = link})) continue;
      heap_.push_back({.cost = cost, .hops = one.hops + 1, .node = w});
      std::push_heap(heap_.begin(), heap_.end(), later);
    }
  }
}

PathTree shortest_tree(const Rows& rows, std::span<const double> weight, std::int32_t start) {
  return TreeSearch().from(start, Ways(rows, weight));
}

void check_positions(std::string_view list, std::span<const std::int32_t> positions, std::size_t nodes) {
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (positions[i] < 0 || z(positions[i]) >= nodes) {
      throw core::InvalidInput(std::string(list) + "[" + std::to_string(i) +
                               "]: " + std::to_string(positions[i]) + " is not in [0, " +
                               std::to_string(nodes) + ")");
    }
  }
}

ShortestPaths shortest_paths(const Topology& topology, std::span<const double> weight,
                             std::span<const std::int32_t> sources, std::span<const std::uint8_t> relays,
                             int threads, core::StopToken& stop) {
  const std::size_t nodes = topology.out.nodes();
  if (weight.size() != topology.from.size()) {
    throw core::InvalidInput("weight: " + std::to_string(weight.size()) + " entries for " +
                             std::to_string(topology.from.size()) + " links");
  }
  for (std::size_t l = 0; l < weight.size(); ++l) {
    if (!(weight[l] >= 0.0))
      core::throw_out_of_range("weight[" + std::to_string(l) + "]", weight[l], "[0, inf]");
  }
  check_positions("sources", sources, nodes);
  const Ways ways(topology.out, weight, relays);
  ShortestPaths paths;
  paths.cost.resize(sources.size() * nodes);
  paths.link.resize(sources.size() * nodes);
  const auto worker = [&] {
    return [&, search = TreeSearch()](std::size_t s) mutable {
      const PathTree& tree = search.from(sources[s], ways);
      std::copy(tree.cost.begin(), tree.cost.end(), paths.cost.data() + s * nodes);
      std::copy(tree.link.begin(), tree.link.end(), paths.link.data() + s * nodes);
    };
  };
  const std::size_t work = weight.size() + nodes;
  const auto interrupted = [&] { return stop.should_stop(work); };
  if (!core::parallel_for(sources.size(), threads_worth(sources.size(), work, threads), worker, interrupted))
    throw core::Stopped();
  return paths;
}

void latencies(const Timeline& timeline, std::span<const std::int32_t> sources,
               std::span<const std::int32_t> targets, std::span<const std::uint8_t> relays,
               const Latencies& table, int threads, core::StopToken& stop) {
  const std::size_t nodes = timeline[0].graph().nodes().size();
  check_positions("sources", sources, nodes);
  check_positions("targets", targets, nodes);
  const std::size_t trees = timeline.size() * sources.size();
  const auto ways_of = [&](std::size_t i) {
    const Graph& graph = timeline[i].graph();
    return Ways(graph.topology().out, graph.columns().latency_s, relays);
  };
  const auto worker = [&] {
    return [&, search = TreeSearch(), at = std::size_t{0}, ways = ways_of(0)](std::size_t tree) mutable {
      if (const std::size_t i = tree / sources.size(); i != at) {
        at = i;
        ways = ways_of(i);
      }
      table.put(search.from(sources[tree % sources.size()], ways), targets, tree * targets.size());
    };
  };
  std::size_t most = nodes;
  for (std::size_t i = 0; i < timeline.size(); ++i)
    most = std::max(most, nodes + timeline[i].graph().columns().latency_s.size());
  const auto interrupted = [&] { return stop.should_stop(most); };
  if (!core::parallel_for(trees, threads_worth(trees, most, threads), worker, interrupted))
    throw core::Stopped();
}

std::vector<std::int32_t> path_to(const PathTree& tree, std::int32_t target) {
  std::vector<std::int32_t> path;
  for (std::int32_t v = target; v >= 0; v = tree.before[z(v)]) path.push_back(v);
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace constellm::network
