#include "constellm/split/baselines/shortest_routes.hpp"

#include <algorithm>
#include <queue>

#include "constellm/core/index.hpp"
#include "constellm/network/routing.hpp"

namespace constellm::split {
namespace {

using core::z;

// Partial paths looked at; where simple paths are hard to find, fewer routes come out.
constexpr int kMostPartialPaths = 200'000;

}  // namespace

std::vector<std::vector<std::int32_t>> shortest_routes(const Problem& problem) {
  const network::Rows& out = problem.topology().out;
  const std::int32_t source = problem.source();
  const std::int32_t sink = problem.sink();
  const std::vector<std::int32_t> togo = network::hops(problem.topology().in, sink);
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
  if (togo[z(source)] >= 0) open.push({togo[z(source)], number, {source}});
  for (int looked = 0; !open.empty() && routes.size() < kMostRoutes && looked < kMostPartialPaths; ++looked) {
    const Partial partial = open.top();
    open.pop();
    const std::int32_t end = partial.path.back();
    if (end == sink) {
      routes.push_back(partial.path);
      continue;
    }
    for (auto a = out.begin[z(end)]; a < out.begin[z(end) + 1]; ++a) {
      const std::int32_t w = out.node[z(a)];
      if (togo[z(w)] < 0 || std::find(partial.path.begin(), partial.path.end(), w) != partial.path.end())
        continue;
      std::vector<std::int32_t> path = partial.path;
      path.push_back(w);
      const auto hops = static_cast<std::int64_t>(path.size()) - 1 + togo[z(w)];
      open.push({hops, ++number, std::move(path)});
    }
  }
  return routes;
}

}  // namespace constellm::split
