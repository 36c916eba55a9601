#include "constellm/split/routes.hpp"

#include <algorithm>
#include <map>

#include "constellm/core/index.hpp"
#include "constellm/network/routing.hpp"

namespace constellm::split {
namespace {

using NodeSet = std::vector<std::uint8_t>;  // compared by the word, as vector<bool> is not

using core::z;

constexpr double kMostLooks = 2e7;  // nodes and links looked at in unrolling: some tens of milliseconds

class Unroller {
 public:
  Unroller(const Problem& problem, std::int32_t most_vertices)
      : out_(problem.topology().out),
        in_(problem.topology().in),
        source_(problem.source()),
        sink_(problem.sink()),
        nodes_(z(problem.node_count())) {
    // Every arc of a vertex takes a look at the whole graph.
    const double look = static_cast<double>(nodes_ + out_.link.size());
    const double arcs = static_cast<double>(out_.link.size()) / static_cast<double>(nodes_) + 1.0;
    most_ = static_cast<std::int32_t>(std::min<double>(most_vertices, kMostLooks / (look * arcs)));
  }

  Routes run() {
    const NodeSet useful = still_useful(source_, NodeSet(nodes_, 1));
    if (useful[z(sink_)] == 0) return {};
    Routes routes = whole_graph(useful);
    if (sort_if_acyclic(routes)) return routes;
    Routes unrolled;
    return unroll(useful, unrolled) ? unrolled : routes;
  }

 private:
  /// Of `allowed`, the nodes that lie on some walk from `from` to the sink; `from` and, when it
  /// is reached, the sink included.
  NodeSet still_useful(std::int32_t from, const NodeSet& allowed) {
    NodeSet& ahead = ahead_;
    std::vector<std::int32_t>& stack = stack_;
    ahead.assign(nodes_, 0);
    stack.assign(1, from);
    ahead[z(from)] = 1;
    while (!stack.empty()) {
      const std::int32_t v = stack.back();
      stack.pop_back();
      if (v == sink_) continue;
      for (auto i = out_.begin[z(v)]; i < out_.begin[z(v) + 1]; ++i) {
        const std::int32_t w = out_.node[z(i)];
        if (allowed[z(w)] != 0 && ahead[z(w)] == 0) {
          ahead[z(w)] = 1;
          stack.push_back(w);
        }
      }
    }
    NodeSet useful(nodes_, 0);
    if (ahead[z(sink_)] == 0) return useful;
    useful[z(sink_)] = 1;
    stack.push_back(sink_);
    while (!stack.empty()) {
      const std::int32_t v = stack.back();
      stack.pop_back();
      if (v == from) continue;
      for (auto i = in_.begin[z(v)]; i < in_.begin[z(v) + 1]; ++i) {
        const std::int32_t u = in_.node[z(i)];
        if (ahead[z(u)] != 0 && u != sink_ && useful[z(u)] == 0) {
          useful[z(u)] = 1;
          stack.push_back(u);
        }
      }
    }
    return useful;
  }

  /// Vertices are (node, nodes that can still come); depth first, numbered when finished, so
  /// that the reverse of that order is topological.
  bool unroll(const NodeSet& useful, Routes& routes) {
    std::map<std::pair<std::int32_t, NodeSet>, std::int32_t> vertex;
    std::vector<std::int32_t> node;
    std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>>
        arcs;  // (to, link), by order of discovery
    std::vector<std::int32_t> finished;
    bool fits = true;
    const auto visit = [&](auto&& self, std::int32_t v, const NodeSet& can_come) -> std::int32_t {
      const auto known = vertex.find({v, can_come});
      if (known != vertex.end()) return known->second;
      const auto id = static_cast<std::int32_t>(node.size());
      if (id >= most_) {
        fits = false;
        return id;
      }
      vertex.emplace(std::make_pair(v, can_come), id);
      node.push_back(v);
      arcs.emplace_back();
      if (v != sink_) {
        for (auto i = out_.begin[z(v)]; fits && i < out_.begin[z(v) + 1]; ++i) {
          const std::int32_t link = out_.link[z(i)];
          const std::int32_t w = out_.node[z(i)];
          if (can_come[z(w)] == 0) continue;
          NodeSet next = can_come;
          next[z(w)] = 0;
          NodeSet after = still_useful(w, next);
          if (after[z(sink_)] == 0) continue;
          after[z(w)] = 0;
          const std::int32_t to = self(self, w, after);
          arcs[z(id)].emplace_back(to, link);
        }
      }
      finished.push_back(id);
      return id;
    };
    NodeSet can_come = useful;
    can_come[z(source_)] = 0;
    visit(visit, source_, can_come);
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
      if (node[z(id)] == sink_) routes.sink = number[z(id)];
    }
    return true;
  }

  /// Numbers the vertices along the arcs, if that can be done: then every walk is simple.
  static bool sort_if_acyclic(Routes& routes) {
    const std::size_t vertices = routes.node.size();
    std::vector<std::int32_t> waits(vertices, 0);
    for (const std::int32_t to : routes.arc_to) ++waits[z(to)];
    std::vector<std::int32_t> order;
    for (std::size_t p = 0; p < vertices; ++p) {
      if (waits[p] == 0) order.push_back(static_cast<std::int32_t>(p));
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
      for (auto a = routes.arc_begin[z(order[i])]; a < routes.arc_begin[z(order[i]) + 1]; ++a) {
        if (--waits[z(routes.arc_to[z(a)])] == 0) order.push_back(routes.arc_to[z(a)]);
      }
    }
    if (order.size() < vertices) return false;
    std::vector<std::int32_t> number(vertices);
    for (std::size_t i = 0; i < vertices; ++i) number[z(order[i])] = static_cast<std::int32_t>(i);
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
    add(source_);
    for (std::int32_t v = 0; z(v) < nodes_; ++v) {
      if (useful[z(v)] != 0 && v != source_) add(v);
    }
    routes.sink = number[z(sink_)];
    routes.arc_begin.push_back(0);
    for (const std::int32_t v : routes.node) {
      if (v != sink_) {
        for (auto i = out_.begin[z(v)]; i < out_.begin[z(v) + 1]; ++i) {
          const std::int32_t link = out_.link[z(i)];
          const std::int32_t w = out_.node[z(i)];
          if (number[z(w)] < 0 || w == source_) continue;
          routes.arc_to.push_back(number[z(w)]);
          routes.arc_link.push_back(link);
        }
      }
      routes.arc_begin.push_back(static_cast<std::int32_t>(routes.arc_to.size()));
    }
    return routes;
  }

  const network::Rows& out_;
  const network::Rows& in_;
  std::int32_t source_;
  std::int32_t sink_;
  std::int32_t most_;
  std::size_t nodes_;
  NodeSet ahead_;  // memory of `still_useful`
  std::vector<std::int32_t> stack_;
};

}  // namespace

Routes find_routes(const Problem& problem, std::int32_t most_vertices) {
  return Unroller(problem, most_vertices).run();
}

}  // namespace constellm::split
