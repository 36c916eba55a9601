#include "constellm/split/route_parts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "constellm/core/index.hpp"
#include "constellm/network/routing.hpp"

namespace constellm::split {
namespace {

using core::z;

network::Rows rows_of(const Routes& routes, bool backward) {
  std::vector<std::int32_t> from;
  for (std::size_t v = 0; v < routes.node.size(); ++v) {
    from.insert(from.end(), z(routes.arc_begin[v + 1] - routes.arc_begin[v]), static_cast<std::int32_t>(v));
  }
  return backward ? network::rows_of(routes.node.size(), routes.arc_to, from)
                  : network::rows_of(routes.node.size(), from, routes.arc_to);
}

/// The vertices of `order`, the source first, and the arcs between them for which `leads` holds.
template <class Leads>
Routes part_of(const Routes& routes, const std::vector<std::int32_t>& order, Leads leads) {
  std::vector<std::int32_t> number(routes.node.size(), -1);
  Routes part;
  for (const std::int32_t v : order) {
    number[z(v)] = static_cast<std::int32_t>(part.node.size());
    part.node.push_back(routes.node[z(v)]);
  }
  part.arc_begin.push_back(0);
  for (const std::int32_t v : order) {
    for (auto a = routes.arc_begin[z(v)]; a < routes.arc_begin[z(v) + 1]; ++a) {
      const std::int32_t to = routes.arc_to[z(a)];
      if (number[z(to)] < 0 || !leads(number[z(v)], number[z(to)])) continue;
      part.arc_to.push_back(number[z(to)]);
      part.arc_link.push_back(routes.arc_link[z(a)]);
    }
    part.arc_begin.push_back(static_cast<std::int32_t>(part.arc_to.size()));
  }
  part.sink = number[z(routes.sink)];
  return part;
}

using Path = std::vector<std::int32_t>;

/// Ways of fewest hops over vertices that are free.
class FreeWays {
 public:
  FreeWays(const Routes& routes, const Path& taken)
      : routes_(routes), free_(routes.node.size(), 1), before_(routes.node.size(), -1) {
    for (const std::int32_t v : taken) free_[z(v)] = 0;
  }

  /// The vertices between `from` and `to`; none where no free vertex leads from the one to the other.
  Path between(std::int32_t from, std::int32_t to) {
    Path seen;
    Path way;
    add_free_after(from, seen);
    for (std::size_t i = 0; i < seen.size() && way.empty(); ++i) {
      if (leads_to(seen[i], to)) {
        for (std::int32_t v = seen[i]; v != from; v = before_[z(v)]) way.push_back(v);
      } else {
        add_free_after(seen[i], seen);
      }
    }
    for (const std::int32_t v : seen) before_[z(v)] = -1;
    std::reverse(way.begin(), way.end());
    return way;
  }

  /// Arcs from the way to vertices that are free.
  [[nodiscard]] std::size_t openness(const Path& way) const {
    std::size_t open = 0;
    for (const std::int32_t v : way) {
      for (auto a = routes_.arc_begin[z(v)]; a < routes_.arc_begin[z(v) + 1]; ++a)
        open += free_[z(routes_.arc_to[z(a)])];
    }
    return open;
  }

 private:
  [[nodiscard]] bool leads_to(std::int32_t from, std::int32_t to) const {
    const auto begin = routes_.arc_to.begin();
    const auto end = begin + routes_.arc_begin[z(from) + 1];
    return std::find(begin + routes_.arc_begin[z(from)], end, to) != end;
  }

  void add_free_after(std::int32_t v, Path& seen) {
    for (auto a = routes_.arc_begin[z(v)]; a < routes_.arc_begin[z(v) + 1]; ++a) {
      const std::int32_t to = routes_.arc_to[z(a)];
      if (free_[z(to)] == 0 || before_[z(to)] >= 0) continue;
      before_[z(to)] = v;
      seen.push_back(to);
    }
  }

  const Routes& routes_;
  std::vector<std::uint8_t> free_;
  Path before_;  ///< [vertices] on the way from where it began; -1: not seen
};

}  // namespace

Routes forward_part(const Routes& routes) {
  const std::vector<std::int32_t> from_source = network::hops(rows_of(routes, false), 0);
  const std::vector<std::int32_t> to_sink = network::hops(rows_of(routes, true), routes.sink);
  const auto progress = [&](std::int32_t v) { return from_source[z(v)] - to_sink[z(v)]; };
  std::vector<std::int32_t> order;
  for (std::int32_t v = 0; z(v) < routes.node.size(); ++v) {
    // The source must be the first vertex and the sink the last; what ties with them is no use.
    const bool between = progress(v) > progress(0) && progress(v) < progress(routes.sink);
    if (v == 0 || v == routes.sink || between) order.push_back(v);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return progress(a) < progress(b); });
  return part_of(routes, order, [&](std::int32_t from, std::int32_t to) {
    return progress(order[z(from)]) < progress(order[z(to)]);
  });
}

Routes core_part(const Routes& routes, std::size_t vertices) {
  // A hop's length is all but 1, so that few detours are equal and none of the vertices that a
  // shortest way goes over is left out for it.
  std::vector<double> length(routes.arc_to.size());
  constexpr double kGolden = 0.6180339887498949;
  for (std::size_t a = 0; a < length.size(); ++a) {
    const double mixed = kGolden * static_cast<double>(a);
    length[a] = 1.0 + 1e-4 * (mixed - std::floor(mixed));
  }
  const network::PathTree from_source = network::shortest_tree(rows_of(routes, false), length, 0);
  const network::PathTree to_sink = network::shortest_tree(rows_of(routes, true), length, routes.sink);
  std::vector<std::int32_t> order(routes.node.size());
  std::iota(order.begin(), order.end(), 0);
  const auto detour = [&](std::int32_t v) { return from_source.cost[z(v)] + to_sink.cost[z(v)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return detour(a) < detour(b); });
  order.resize(std::min(order.size(), vertices));
  order.push_back(0);
  order.push_back(routes.sink);
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  Routes part = part_of(routes, order, [](std::int32_t, std::int32_t) { return true; });
  part.acyclic = false;
  return part;
}

Routes along(const Routes& routes, const std::vector<std::int32_t>& path) {
  return part_of(routes, path, [](std::int32_t from, std::int32_t to) { return from < to; });
}

std::vector<std::int32_t> shortest_path(const Routes& routes) {
  const network::PathTree tree =
      network::shortest_tree(rows_of(routes, false), std::vector<double>(routes.arc_to.size(), 1.0), 0);
  Path path;
  for (std::int32_t v = routes.sink; v >= 0; v = tree.before[z(v)]) path.push_back(v);
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<std::int32_t> lengthened(const Routes& routes, const std::vector<std::int32_t>& path,
                                     std::size_t start) {
  FreeWays ways(routes, path);
  std::size_t place = 0;
  Path best;
  std::pair<std::size_t, std::size_t> least{};  // vertices, openness
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const std::size_t at = (start + i) % (path.size() - 1);
    Path way = ways.between(path[at], path[at + 1]);
    if (way.empty()) continue;
    const std::pair<std::size_t, std::size_t> rank{way.size(), ways.openness(way)};
    if (!best.empty() && !(rank < least)) continue;
    best = std::move(way);
    least = rank;
    place = at + 1;
  }
  if (best.empty()) return {};
  Path longer = path;
  longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(place), best.begin(), best.end());
  return longer;
}

}  // namespace constellm::split
