#include "constellm/split/baselines/shortest_routes.hpp"

#include <algorithm>
#include <queue>

#include "constellm/core/index.hpp"

namespace constellm::split {
namespace {

using core::z;

// Partial paths looked at; where simple paths are hard to find, fewer routes come out.
constexpr int kMostPartialPaths = 200'000;

template <class Visit>
void for_each_neighbour(const network::Topology& t, std::int32_t v, Visit visit) {
  for (auto i = t.out_begin[z(v)]; i < t.out_begin[z(v) + 1]; ++i) visit(t.link_to[z(t.out_link[z(i)])]);
}

}  // namespace

std::vector<std::int32_t> hops_to(const network::Topology& t, std::int32_t target) {
  std::vector<std::int32_t> hops(t.out_begin.size() - 1, -1);
  hops[z(target)] = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t l = 0; l < t.link_to.size(); ++l) {
      const std::int32_t ahead = hops[z(t.link_to[l])];
      std::int32_t& here = hops[z(t.link_from[l])];
      if (ahead < 0 || (here >= 0 && here <= ahead + 1)) continue;
      here = ahead + 1;
      changed = true;
    }
  }
  return hops;
}

std::vector<std::vector<std::int32_t>> shortest_routes(const network::Topology& t) {
  const std::vector<std::int32_t> togo = hops_to(t, t.sink);
  struct Partial {
    std::int64_t hops;  // so far and at least to go
    std::int64_t number;
    std::vector<std::int32_t> path;
  };
  // Of equals the younger goes first: it is closer to the sink.
  const auto later = [](const Partial& a, const Partial& b) {
    return a.hops != b.hops ? a.hops > b.hops : a.number < b.number;
  };
  std::priority_queue<Partial, std::vector<Partial>, decltype(later)> open(later);
  std::vector<std::vector<std::int32_t>> routes;
  std::int64_t number = 0;
  if (togo[z(t.source)] >= 0) open.push({togo[z(t.source)], number, {t.source}});
  for (int looked = 0; !open.empty() && routes.size() < kMostRoutes && looked < kMostPartialPaths; ++looked) {
    const Partial partial = open.top();
    open.pop();
    const std::int32_t end = partial.path.back();
    if (end == t.sink) {
      routes.push_back(partial.path);
      continue;
    }
    for_each_neighbour(t, end, [&](std::int32_t w) {
      if (togo[z(w)] < 0 || std::find(partial.path.begin(), partial.path.end(), w) != partial.path.end())
        return;
      std::vector<std::int32_t> path = partial.path;
      path.push_back(w);
      const auto hops = static_cast<std::int64_t>(path.size()) - 1 + togo[z(w)];
      open.push({hops, ++number, std::move(path)});
    });
  }
  return routes;
}

std::vector<std::int32_t> shortest_route(const network::Topology& t, std::int32_t from, std::int32_t to) {
  const std::vector<std::int32_t> togo = hops_to(t, to);
  if (togo[z(from)] < 0) return {};
  std::vector<std::int32_t> path{from};
  while (path.back() != to) {
    const std::int32_t here = path.back();
    std::int32_t next = -1;
    for_each_neighbour(t, here, [&](std::int32_t w) {
      if (next < 0 && togo[z(w)] >= 0 && togo[z(w)] == togo[z(here)] - 1) next = w;
    });
    path.push_back(next);
  }
  return path;
}

}  // namespace constellm::split
