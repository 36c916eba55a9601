#include "constellm/split/routes.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "constellm/core/index.hpp"

namespace constellm::split {
namespace {

using NodeSet = std::vector<bool>;

using core::z;

/// Links turned around, in compressed rows.
struct Backward {
  explicit Backward(const network::Topology& t) : begin(t.out_begin.size(), 0), link(t.link_to.size()) {
    for (const std::int32_t to : t.link_to) ++begin[z(to) + 1];
    for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
    std::vector<std::int32_t> next(begin.begin(), begin.end() - 1);
    for (std::size_t l = 0; l < link.size(); ++l)
      link[z(next[z(t.link_to[l])]++)] = static_cast<std::int32_t>(l);
  }
  std::vector<std::int32_t> begin;
  std::vector<std::int32_t> link;
};

constexpr double kMostLooks = 2e7;  // nodes and links looked at in unrolling: some tens of milliseconds

class Unroller {
 public:
  Unroller(const network::Topology& topology, std::int32_t most_positions)
      : t_(topology), back_(topology), nodes_(topology.out_begin.size() - 1) {
    // Every arc of a position takes a look at the whole graph.
    const double look = static_cast<double>(nodes_ + topology.link_to.size());
    const double arcs = static_cast<double>(topology.link_to.size()) / static_cast<double>(nodes_) + 1.0;
    most_ = static_cast<std::int32_t>(std::min<double>(most_positions, kMostLooks / (look * arcs)));
  }

  Routes run() {
    const NodeSet useful = still_useful(t_.source, NodeSet(nodes_, true));
    if (!useful[z(t_.sink)]) return {};
    Routes routes = whole_graph(useful);
    if (sort_if_acyclic(routes)) return routes;
    Routes unrolled;
    return unroll(useful, unrolled) ? unrolled : routes;
  }

 private:
  /// Of `allowed`, the nodes that lie on some walk from `from` to the sink; `from` and, when it
  /// is reached, the sink included.
  NodeSet still_useful(std::int32_t from, const NodeSet& allowed) const {
    NodeSet ahead(nodes_, false);
    std::vector<std::int32_t> stack{from};
    ahead[z(from)] = true;
    while (!stack.empty()) {
      const std::int32_t v = stack.back();
      stack.pop_back();
      if (v == t_.sink) continue;
      for (auto i = t_.out_begin[z(v)]; i < t_.out_begin[z(v) + 1]; ++i) {
        const std::int32_t w = t_.link_to[z(t_.out_link[z(i)])];
        if (allowed[z(w)] && !ahead[z(w)]) {
          ahead[z(w)] = true;
          stack.push_back(w);
        }
      }
    }
    NodeSet useful(nodes_, false);
    if (!ahead[z(t_.sink)]) return useful;
    useful[z(t_.sink)] = true;
    stack.push_back(t_.sink);
    while (!stack.empty()) {
      const std::int32_t v = stack.back();
      stack.pop_back();
      if (v == from) continue;
      for (auto i = back_.begin[z(v)]; i < back_.begin[z(v) + 1]; ++i) {
        const std::int32_t u = t_.link_from[z(back_.link[z(i)])];
        if (ahead[z(u)] && u != t_.sink && !useful[z(u)]) {
          useful[z(u)] = true;
          stack.push_back(u);
        }
      }
    }
    return useful;
  }

  /// Positions are (node, nodes that can still come); depth first, numbered when finished, so
  /// that the reverse of that order is topological.
  bool unroll(const NodeSet& useful, Routes& routes) {
    std::map<std::pair<std::int32_t, NodeSet>, std::int32_t> position;
    std::vector<std::int32_t> node;
    std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>>
        arcs;  // (to, link), by order of discovery
    std::vector<std::int32_t> finished;
    bool fits = true;
    const auto visit = [&](auto&& self, std::int32_t v, const NodeSet& can_come) -> std::int32_t {
      const auto known = position.find({v, can_come});
      if (known != position.end()) return known->second;
      const auto id = static_cast<std::int32_t>(node.size());
      if (id >= most_) {
        fits = false;
        return id;
      }
      position.emplace(std::make_pair(v, can_come), id);
      node.push_back(v);
      arcs.emplace_back();
      if (v != t_.sink) {
        for (auto i = t_.out_begin[z(v)]; fits && i < t_.out_begin[z(v) + 1]; ++i) {
          const std::int32_t link = t_.out_link[z(i)];
          const std::int32_t w = t_.link_to[z(link)];
          if (!can_come[z(w)]) continue;
          NodeSet next = can_come;
          next[z(w)] = false;
          NodeSet after = still_useful(w, next);
          if (!after[z(t_.sink)]) continue;
          after[z(w)] = false;
          const std::int32_t to = self(self, w, after);
          arcs[z(id)].emplace_back(to, link);
        }
      }
      finished.push_back(id);
      return id;
    };
    NodeSet can_come = useful;
    can_come[z(t_.source)] = false;
    visit(visit, t_.source, can_come);
    if (!fits) return false;

    std::reverse(finished.begin(), finished.end());
    std::vector<std::int32_t> number(node.size());
    for (std::size_t i = 0; i < finished.size(); ++i) number[z(finished[i])] = static_cast<std::int32_t>(i);
    routes.arc_begin.push_back(0);
    for (const std::int32_t id : finished) {
      routes.node.push_back(node[z(id)]);
      for (const auto& [to, link] : arcs[z(id)]) {
        routes.arc_to.push_back(number[z(to)]);
        routes.arc_link.push_back(link);
      }
      routes.arc_begin.push_back(static_cast<std::int32_t>(routes.arc_to.size()));
      if (node[z(id)] == t_.sink) routes.sink = number[z(id)];
    }
    return true;
  }

  /// Numbers the positions along the arcs, if that can be done: then every walk is simple.
  static bool sort_if_acyclic(Routes& routes) {
    const std::size_t positions = routes.node.size();
    std::vector<std::int32_t> waits(positions, 0);
    for (const std::int32_t to : routes.arc_to) ++waits[z(to)];
    std::vector<std::int32_t> order;
    for (std::size_t p = 0; p < positions; ++p) {
      if (waits[p] == 0) order.push_back(static_cast<std::int32_t>(p));
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
      for (auto a = routes.arc_begin[z(order[i])]; a < routes.arc_begin[z(order[i]) + 1]; ++a) {
        if (--waits[z(routes.arc_to[z(a)])] == 0) order.push_back(routes.arc_to[z(a)]);
      }
    }
    if (order.size() < positions) return false;
    std::vector<std::int32_t> number(positions);
    for (std::size_t i = 0; i < positions; ++i) number[z(order[i])] = static_cast<std::int32_t>(i);
    Routes sorted;
    sorted.arc_begin.push_back(0);
    for (const std::int32_t p : order) {
      sorted.node.push_back(routes.node[z(p)]);
      for (auto a = routes.arc_begin[z(p)]; a < routes.arc_begin[z(p) + 1]; ++a) {
        sorted.arc_to.push_back(number[z(routes.arc_to[z(a)])]);
        sorted.arc_link.push_back(routes.arc_link[z(a)]);
      }
      sorted.arc_begin.push_back(static_cast<std::int32_t>(sorted.arc_to.size()));
    }
    sorted.sink = number[z(routes.sink)];
    routes = std::move(sorted);
    return true;
  }

  Routes whole_graph(const NodeSet& useful) const {
    Routes routes;
    routes.acyclic = false;
    std::vector<std::int32_t> number(nodes_, -1);
    const auto add = [&](std::int32_t v) {
      number[z(v)] = static_cast<std::int32_t>(routes.node.size());
      routes.node.push_back(v);
    };
    add(t_.source);
    for (std::int32_t v = 0; z(v) < nodes_; ++v) {
      if (useful[z(v)] && v != t_.source) add(v);
    }
    routes.sink = number[z(t_.sink)];
    routes.arc_begin.push_back(0);
    for (const std::int32_t v : routes.node) {
      if (v != t_.sink) {
        for (auto i = t_.out_begin[z(v)]; i < t_.out_begin[z(v) + 1]; ++i) {
          const std::int32_t link = t_.out_link[z(i)];
          const std::int32_t w = t_.link_to[z(link)];
          if (number[z(w)] < 0 || w == t_.source) continue;
          routes.arc_to.push_back(number[z(w)]);
          routes.arc_link.push_back(link);
        }
      }
      routes.arc_begin.push_back(static_cast<std::int32_t>(routes.arc_to.size()));
    }
    return routes;
  }

  const network::Topology& t_;
  Backward back_;
  std::int32_t most_;
  std::size_t nodes_;
};

/// Hops from position `from` over the arcs, or over the arcs turned around.
std::vector<std::int32_t> hops(const Routes& routes, std::int32_t from, bool backward) {
  const std::size_t positions = routes.node.size();
  std::vector<std::vector<std::int32_t>> next(positions);
  for (std::size_t p = 0; p < positions; ++p) {
    for (auto a = routes.arc_begin[p]; a < routes.arc_begin[p + 1]; ++a) {
      const std::int32_t to = routes.arc_to[z(a)];
      if (backward) {
        next[z(to)].push_back(static_cast<std::int32_t>(p));
      } else {
        next[p].push_back(to);
      }
    }
  }
  std::vector<std::int32_t> distance(positions, -1);
  std::vector<std::int32_t> queue{from};
  distance[z(from)] = 0;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    for (const std::int32_t to : next[z(queue[i])]) {
      if (distance[z(to)] >= 0) continue;
      distance[z(to)] = distance[z(queue[i])] + 1;
      queue.push_back(to);
    }
  }
  return distance;
}

}  // namespace

Routes forward_part(const Routes& routes) {
  const std::vector<std::int32_t> from_source = hops(routes, 0, false);
  const std::vector<std::int32_t> to_sink = hops(routes, routes.sink, true);
  const std::size_t positions = routes.node.size();
  std::vector<std::int32_t> order(positions);
  std::iota(order.begin(), order.end(), 0);
  const auto progress = [&](std::int32_t p) { return from_source[z(p)] - to_sink[z(p)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return progress(a) < progress(b); });
  // The source must be the first position and the sink the last; what ties with them is no use.
  std::vector<std::int32_t> number(positions, -1);
  Routes part;
  for (const std::int32_t p : order) {
    const bool end = p == 0 || p == routes.sink;
    if (!end && (progress(p) <= progress(0) || progress(p) >= progress(routes.sink))) continue;
    number[z(p)] = static_cast<std::int32_t>(part.node.size());
    part.node.push_back(routes.node[z(p)]);
  }
  part.arc_begin.push_back(0);
  for (const std::int32_t p : order) {
    if (number[z(p)] < 0) continue;
    for (auto a = routes.arc_begin[z(p)]; a < routes.arc_begin[z(p) + 1]; ++a) {
      const std::int32_t to = routes.arc_to[z(a)];
      if (number[z(to)] < 0 || progress(to) <= progress(p)) continue;
      part.arc_to.push_back(number[z(to)]);
      part.arc_link.push_back(routes.arc_link[z(a)]);
    }
    part.arc_begin.push_back(static_cast<std::int32_t>(part.arc_to.size()));
  }
  part.sink = number[z(routes.sink)];
  return part;
}

Routes find_routes(const network::Topology& topology, std::int32_t most_positions) {
  return Unroller(topology, most_positions).run();
}

}  // namespace constellm::split
